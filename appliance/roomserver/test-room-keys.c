// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-keys.h"

#include <string.h>

static struct room_keys *parse(const char *text, GPtrArray **ret_problems)
{
	*ret_problems = g_ptr_array_new_with_free_func(g_free);
	return room_keys_parse("k.conf", text, strlen(text), *ret_problems);
}

static void test_good(void)
{
	g_autoptr(GPtrArray) problems = NULL;
	struct room_keys *keys = parse("# mine\n"
				       " [demo] \r\n"
				       "[kiosk]\n"
				       "secret = a = b\n"
				       "cors = Self;*.Example.org ;\n"
				       "auto_introduce = no\n"
				       "[desk]\n"
				       "parent=kiosk\n"
				       "privileged = yes\n"
				       "[orphan]\nparent = gone\n",
				       &problems);
	const struct room_key *demo, *kiosk, *desk;

	g_assert_cmpuint(problems->len, ==, 0);
	g_assert_nonnull(keys);
	demo = room_keys_find(keys, "demo");
	kiosk = room_keys_find(keys, "kiosk");
	desk = room_keys_find(keys, "desk");
	g_assert_true(room_keys_get(keys, 0) == demo);
	g_assert_null(room_keys_get(keys, 4));
	g_assert_null(room_keys_find(keys, "Demo"));
	g_assert_true(demo->auto_introduce && !demo->privileged);
	g_assert_null(demo->secret);
	g_assert_cmpstr(kiosk->secret, ==, "a = b");
	g_assert_cmpstr(kiosk->cors[0], ==, "self");
	g_assert_cmpstr(kiosk->cors[1], ==, "*.example.org");
	g_assert_null(kiosk->cors[2]);
	g_assert_false(kiosk->auto_introduce);
	g_assert_cmpstr(desk->space, ==, "kiosk");
	g_assert_true(desk->privileged);
	g_assert_null(room_keys_find(keys, "orphan")->space);
	room_keys_free(keys);
}

static void test_bad(void)
{
	static const char *const cases[][2] = {
		{"", "k.conf:0: no key"},
		{"secret = x\n[a]", "k.conf:1: this stands before"},
		{"[a\n", "k.conf:1: this section has no end"},
		{"[a b]\n", "k.conf:1: 'a b' cannot be a key"},
		{"[]\n", "k.conf:1: '' cannot be a key"},
		{"[a]\n[a]\n", "k.conf:2: key 'a' is here twice"},
		{"[a]\nsecret\n", "k.conf:2: not of the form"},
		{"[a]\nsecret =\n", "k.conf:2: a secret has"},
		{"[a]\n\nsecret=x\nsecret=y\n", "k.conf:4: 'secret' is here"},
		{"[a]\nsecrte = x\n", "k.conf:2: 'secrte' is not known"},
		{"[a]\nTm9ib2R5S25vd3M=\n", "k.conf:2: this is not known"},
		{"[a]\nprivileged = maybe\n", "'maybe' is neither yes nor no"},
		{"[a]\ncors = ;\n", "k.conf:2: cors has 1 to"},
		{"[a]\ncors = a b\n", "'a b' is no domain"},
		{"[a]\nparent = a\n", "its own parent"},
		{"[a]\nparent = b\n[b]\nparent = c\n", "has a parent itself"},
		{"[a]\nx\001\n", "k.conf:2: a control character"},
		{"[a]\n\377\n", "k.conf:2: not UTF-8"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GPtrArray) problems = NULL;

		g_assert_null(parse(cases[i][0], &problems));
		g_assert_cmpuint(problems->len, >=, 1);
		if (!strstr(problems->pdata[0], cases[i][1]))
			g_error("'%s' lacks '%s'", (char *) problems->pdata[0],
				cases[i][1]);
	}
}

/* A secret on the wrong line is not printed. */
static void test_secrets_stay(void)
{
	g_autoptr(GPtrArray) problems = NULL;

	g_assert_null(parse("[a]\nhush\nsecret: hush\n", &problems));
	g_assert_cmpuint(problems->len, ==, 2);
	for (guint i = 0; i < problems->len; i++)
		g_assert_null(strstr(problems->pdata[i], "hush"));
}

static void test_limits(void)
{
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(GString) text = g_string_new(NULL);

	for (int i = 0; i < ROOM_KEYS_MAX + 100; i++)
		g_string_append_printf(text, "[k%d]\n", i);
	g_assert_null(parse(text->str, &problems));
	g_assert_cmpuint(problems->len, ==, ROOM_KEYS_MAX_PROBLEMS);
}

static void test_cors(void)
{
	static const struct {
		const char *entry, *origin;
		bool match;
	} cases[] = {
		{"*", "http://x", true},
		{"*", "null", false},
		{"*", "file:///x", false},
		{"example.org", "https://example.org", true},
		{"example.org", "http://EXAMPLE.org:8080/page?x", true},
		{"example.org", "http://www.example.org", false},
		{"example.org", "http://example.org.evil", false},
		{"example.org", "http://example.org@evil", false},
		{"example.org:8080", "http://example.org:8080", true},
		{"example.org:8080", "http://example.org", false},
		{"*.example.org", "http://a.b.example.org:1", true},
		{"*.example.org", "http://example.org", false},
		{"*.example.org", "http://notexample.org", false},
		{"https://a.example", "https://a.example/x", true},
		{"https://a.example", "http://a.example", false},
		{"https://a.example", "https://a.example:8", false},
		{"https://a.example:8", "https://a.example:8", true},
		{"self", "http://box:8080/", true},
		{"self", "https://BOX:8080", true},
		{"self", "http://box", false},
		{"[::1]", "http://[::1]:80", true},
		{"[::1]", "http://[::1", false},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		if (room_cors_match(cases[i].entry, cases[i].origin,
				    "box:8080") != cases[i].match)
			g_error("%s, %s", cases[i].entry, cases[i].origin);
}

#define START "2026-11-22T08:54:42.149Z"

static void test_who_may(void)
{
	/* openssl dgst -sha1 -hmac s3cret -binary | base64 of
	 * "my room_2_2026-11-22T08:54:42.149Z" */
	g_autofree char *cred =
		room_key_credential("s3cret", "my room", "2", START);
	g_autofree char *spaced = g_strdelimit(g_strdup(cred), "+", ' ');
	g_autoptr(GPtrArray) problems = NULL;
	struct room_keys *keys = parse("[open]\n"
				       "[both]\nsecret = s3cret\n"
				       "cors = page.example\n"
				       "[secret]\nsecret = s3cret\n"
				       "[cors]\ncors = page.example\n"
				       "[orphan]\nparent = gone\n",
				       &problems);
	const struct room_caller nobody = {.room = "my room", .host = "box"};
	const struct room_caller scheduled = {
		.room = "my room",
		.start = START,
		.len = "2",
		.cred = cred,
		.now_ms = 5,
		.end_ms = 5,
	};
	struct room_caller other_len = scheduled, other_room = scheduled;
	struct room_caller other_start = scheduled, late = scheduled;
	struct room_caller plus = scheduled, no_time = scheduled;
	struct room_caller page = nobody, evil = nobody, link = nobody;
	struct room_caller evil_link = nobody, shorter = scheduled;
	const struct {
		const char *key;
		const struct room_caller *caller;
		enum room_refusal refusal;
	} cases[] = {
		{"none", &nobody, ROOM_REFUSAL_UNKNOWN_KEY},
		{"orphan", &nobody, ROOM_REFUSAL_PARENT},
		{"open", &nobody, 0},
		{"open", &scheduled, 0},
		{"both", &nobody, ROOM_REFUSAL_ANONYMOUS},
		{"secret", &nobody, ROOM_REFUSAL_ANONYMOUS},
		{"secret", &page, ROOM_REFUSAL_ANONYMOUS},
		{"both", &scheduled, 0},
		{"both", &plus, 0},
		{"both", &late, ROOM_REFUSAL_NO_MEETING},
		{"both", &other_len, ROOM_REFUSAL_CREDENTIAL},
		{"both", &other_room, ROOM_REFUSAL_CREDENTIAL},
		{"both", &other_start, ROOM_REFUSAL_CREDENTIAL},
		{"both", &no_time, ROOM_REFUSAL_CREDENTIAL},
		{"both", &shorter, ROOM_REFUSAL_CREDENTIAL},
		{"cors", &scheduled, ROOM_REFUSAL_CREDENTIAL},
		{"both", &page, 0},
		{"cors", &page, 0},
		{"cors", &link, 0},
		{"cors", &evil, ROOM_REFUSAL_CORS},
		{"cors", &evil_link, ROOM_REFUSAL_DOMAIN},
		{"cors", &nobody, ROOM_REFUSAL_ANONYMOUS},
	};

	g_assert_cmpstr(cred, ==, "Z2eOeNQao9Uibgr6KXp1l/RvZ38=");
	other_len.len = "3";
	other_room.room = "my roo";
	other_start.start = "2026-11-22T08:54:42.148Z";
	late.now_ms = 6;
	plus.cred = spaced;
	no_time.start = no_time.len = NULL;
	shorter.cred = "";
	page.origin = "https://page.example";
	evil.origin = "https://page.example.evil";
	evil.referer = "https://page.example/";
	link.referer = "https://page.example/index.html";
	evil_link.referer = "https://evil/page.example";
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		enum room_refusal got = room_key_check(
			room_keys_find(keys, cases[i].key), cases[i].caller);

		if (got != cases[i].refusal)
			g_error("case %" G_GSIZE_FORMAT ": %d", i, (int) got);
		g_assert_true((got == 0) == !*room_refusal_describe(got));
	}
	room_keys_free(keys);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-keys/good", test_good);
	g_test_add_func("/room-keys/bad", test_bad);
	g_test_add_func("/room-keys/secrets", test_secrets_stay);
	g_test_add_func("/room-keys/limits", test_limits);
	g_test_add_func("/room-keys/cors", test_cors);
	g_test_add_func("/room-keys/who", test_who_may);
	return g_test_run();
}
