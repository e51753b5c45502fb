// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-keys.h"

#include <string.h>

#include "appliance/roomserver/room-token.h"
#include "config/nearest.h"

/* The same with what is ours to write and to free. */
struct entry {
	struct room_key key;
	char *name, *secret, *parent;
	char **cors;
	unsigned int given; /* bits: which settings the section has */
};

struct room_keys {
	GPtrArray *entries;
	GHashTable *by_name; /* both borrowed from entries */
};

static void entry_free(gpointer data)
{
	struct entry *e = data;

	g_free(e->name);
	if (e->secret)
		explicit_bzero(e->secret, strlen(e->secret));
	g_free(e->secret);
	g_free(e->parent);
	g_strfreev(e->cors);
	g_free(e);
}

static struct room_keys *keys_new(void)
{
	struct room_keys *keys = g_new0(struct room_keys, 1);

	keys->entries = g_ptr_array_new_with_free_func(entry_free);
	keys->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return keys;
}

/* Takes @name. */
static struct entry *add_entry(struct room_keys *keys, char *name)
{
	struct entry *e = g_new0(struct entry, 1);

	e->name = name;
	e->key.auto_introduce = true;
	g_ptr_array_add(keys->entries, e);
	g_hash_table_insert(keys->by_name, e->name, e);
	return e;
}

/* The constant view, when all is known. */
static void publish(struct room_keys *keys)
{
	for (guint i = 0; i < keys->entries->len; i++) {
		struct entry *e = keys->entries->pdata[i];
		struct entry *parent =
			e->parent
				? g_hash_table_lookup(keys->by_name, e->parent)
				: e;

		e->key.name = e->name;
		e->key.secret = e->secret;
		e->key.cors = (const char *const *) e->cors;
		e->key.parent = e->parent;
		e->key.space = parent ? parent->name : NULL;
	}
}

struct room_keys *room_keys_new_open(const char *name)
{
	struct room_keys *keys = keys_new();

	add_entry(keys, g_strdup(name));
	publish(keys);
	return keys;
}

struct room_keys *room_keys_free(struct room_keys *keys)
{
	if (!keys)
		return NULL;
	g_hash_table_unref(keys->by_name);
	g_ptr_array_unref(keys->entries);
	g_free(keys);
	return NULL;
}

const struct room_key *room_keys_find(const struct room_keys *keys,
				      const char *name)
{
	struct entry *e = g_hash_table_lookup(keys->by_name, name);

	return e ? &e->key : NULL;
}

const struct room_key *room_keys_get(const struct room_keys *keys,
				     unsigned int n)
{
	return n < keys->entries->len
		       ? &((struct entry *) keys->entries->pdata[n])->key
		       : NULL;
}

/* --- the file ------------------------------------------------------------- */

struct reader {
	const char *name;
	unsigned int line;
	GPtrArray *problems;
	bool failed;
	struct room_keys *keys;
	struct entry *section; /* NULL: none yet, or one that is refused */
	bool refused;	       /* its settings are not told one by one */
};

G_GNUC_PRINTF(2, 3)
static void complain(struct reader *r, const char *format, ...)
{
	g_autofree char *what = NULL;
	va_list arguments;

	r->failed = true;
	if (r->problems->len >= ROOM_KEYS_MAX_PROBLEMS)
		return;
	va_start(arguments, format);
	what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_ptr_array_add(r->problems,
			g_strdup_printf("%s:%u: %s", r->name, r->line, what));
}

/* What can stand in a URL's path as it is. */
static bool is_key_name(const char *name)
{
	if (!*name || strlen(name) > ROOM_KEY_MAX_NAME)
		return false;
	for (; *name; name++)
		if (!g_ascii_isalnum(*name) && !strchr("-_.~", *name))
			return false;
	return true;
}

#define KEY_NAME_RULE "a key is 1 to 128 of A-Z a-z 0-9 - _ . ~"

static void read_section(struct reader *r, char *text)
{
	size_t len = strlen(text);
	char *name = text + 1;

	r->section = NULL;
	r->refused = true;
	if (text[len - 1] != ']') {
		complain(r, "this section has no end; it must be [KEY]");
		return;
	}
	text[len - 1] = '\0';
	g_strstrip(name);
	if (!is_key_name(name)) {
		complain(r, "'%s' cannot be a key; " KEY_NAME_RULE, name);
		return;
	}
	if (g_hash_table_contains(r->keys->by_name, name)) {
		complain(r, "key '%s' is here twice; keep one of them", name);
		return;
	}
	if (r->keys->entries->len == ROOM_KEYS_MAX) {
		complain(r, "more than %d keys; take some out", ROOM_KEYS_MAX);
		return;
	}
	r->section = add_entry(r->keys, g_strdup(name));
	r->refused = false;
}

static void set_bool(struct reader *r, const char *value, bool *ret)
{
	static const char *const yes[] = {"yes", "true", "on", NULL};
	static const char *const no[] = {"no", "false", "off", NULL};

	if (g_strv_contains(yes, value))
		*ret = true;
	else if (g_strv_contains(no, value))
		*ret = false;
	else
		complain(r, "'%s' is neither yes nor no", value);
}

static void set_privileged(struct reader *r, char *value)
{
	set_bool(r, value, &r->section->key.privileged);
}

static void set_auto_introduce(struct reader *r, char *value)
{
	set_bool(r, value, &r->section->key.auto_introduce);
}

static void set_parent(struct reader *r, char *value)
{
	if (!is_key_name(value))
		complain(r, "the parent cannot be a key; " KEY_NAME_RULE);
	else if (strcmp(value, r->section->name) == 0)
		complain(r, "a key cannot be its own parent; leave this out");
	else
		r->section->parent = g_strdup(value);
}

static void set_secret(struct reader *r, char *value)
{
	if (!*value || strlen(value) > ROOM_KEY_MAX_SECRET)
		complain(r, "a secret has 1 to %d bytes", ROOM_KEY_MAX_SECRET);
	else
		r->section->secret = g_strdup(value);
}

static bool is_domain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!g_ascii_isalnum(*text) && !strchr("-._:[]", *text))
			return false;
	return true;
}

static bool is_cors_entry(const char *text)
{
	if (!strcmp(text, "*") || !strcmp(text, "self"))
		return true;
	if (g_str_has_prefix(text, "http://"))
		text += strlen("http://");
	else if (g_str_has_prefix(text, "https://"))
		text += strlen("https://");
	else if (g_str_has_prefix(text, "*."))
		text += strlen("*.");
	return is_domain(text);
}

static void set_cors(struct reader *r, char *value)
{
	g_auto(GStrv) parts = g_strsplit(value, ";", -1);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (char **p = parts; *p; p++) {
		g_strstrip(*p);
		if (!**p)
			continue;
		if (!is_cors_entry(*p))
			complain(r,
				 "'%s' is no domain; allowed are *, self, "
				 "example.org, *.example.org and "
				 "https://app.example.org[:PORT]",
				 *p);
		else
			g_ptr_array_add(list, g_ascii_strdown(*p, -1));
	}
	if (!list->len || list->len > ROOM_KEYS_MAX_CORS) {
		complain(r, "cors has 1 to %d domains, with ';' between them",
			 ROOM_KEYS_MAX_CORS);
		return;
	}
	g_ptr_array_add(list, NULL);
	r->section->cors =
		(char **) g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

static const struct setting {
	const char *name;
	void (*set)(struct reader *r, char *value);
} settings[] = {
	{"secret", set_secret},		{"cors", set_cors},
	{"privileged", set_privileged}, {"auto_introduce", set_auto_introduce},
	{"parent", set_parent},
};

/* A secret in base64 may end with '=', and so look like a name on a line that
 * lacks the real one: only what is nearly a name is repeated. */
static void complain_unknown(struct reader *r, const char *text)
{
	const char *names[G_N_ELEMENTS(settings) + 1] = {NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		names[i] = settings[i].name;
	if (nearest_of(text, names))
		complain(r,
			 "'%s' is not known; a key has secret, cors, "
			 "privileged, auto_introduce and parent",
			 text);
	else
		complain(r, "this is not known; a key has secret, cors, "
			    "privileged, auto_introduce and parent");
}

static void read_setting(struct reader *r, char *text)
{
	char *value = strchr(text, '=');

	if (!r->section) {
		if (!r->refused)
			complain(r, "this stands before the first [KEY]");
		return;
	}
	if (!value) {
		/* Not repeated: it may be a secret on the wrong line. */
		complain(r, "not of the form NAME = VALUE");
		return;
	}
	*value++ = '\0';
	g_strstrip(text);
	g_strstrip(value);
	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
		if (strcmp(settings[i].name, text) != 0)
			continue;
		if (r->section->given & 1u << i) {
			complain(r, "'%s' is here twice for key '%s'", text,
				 r->section->name);
			return;
		}
		r->section->given |= 1u << i;
		settings[i].set(r, value);
		return;
	}
	complain_unknown(r, text);
}

/* A chain of aliases has no meaning: whose rooms would these be? */
static void check_parents(struct reader *r)
{
	for (guint i = 0; i < r->keys->entries->len; i++) {
		struct entry *e = r->keys->entries->pdata[i];
		struct entry *parent =
			e->parent ? g_hash_table_lookup(r->keys->by_name,
							e->parent)
				  : NULL;

		if (parent && parent->parent)
			complain(r,
				 "the parent of '%s', '%s', has a parent "
				 "itself; name that one",
				 e->name, parent->name);
	}
}

static void read_line(struct reader *r, const char *start, size_t len)
{
	g_autofree char *text = NULL;

	if (len > ROOM_KEYS_MAX_LINE) {
		complain(r, "longer than %d bytes", ROOM_KEYS_MAX_LINE);
		return;
	}
	if (!g_utf8_validate(start, (gssize) len, NULL)) {
		complain(r, "not UTF-8");
		return;
	}
	text = g_strndup(start, len);
	g_strstrip(text);
	for (const char *c = text; *c; c++)
		if (g_ascii_iscntrl(*c) && *c != '\t') {
			complain(r, "a control character");
			goto out;
		}
	if (*text == '[')
		read_section(r, text);
	else if (*text && *text != '#')
		read_setting(r, text);
out:
	explicit_bzero(text, strlen(text));
}

struct room_keys *room_keys_parse(const char *name, const char *text,
				  size_t len, GPtrArray *problems)
{
	struct reader r = {.name = name, .problems = problems};

	r.keys = keys_new();
	if (len > ROOM_KEYS_MAX_BYTES) {
		complain(&r, "longer than %u bytes", ROOM_KEYS_MAX_BYTES);
		len = 0;
	}
	while (len) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline ? (size_t) (newline - text) : len;

		r.line++;
		read_line(&r, text, n);
		n += newline != NULL;
		text += n;
		len -= n;
	}
	check_parents(&r);
	if (!r.failed && !r.keys->entries->len)
		complain(&r, "no key; a [KEY] is needed for each");
	if (r.failed)
		return room_keys_free(r.keys);
	publish(r.keys);
	return r.keys;
}

/* --- who may ---------------------------------------------------------------
 */

/* The parts of "https://host:port/...": @ret_host up to the port. */
static bool split_origin(const char *origin, const char **ret_host,
			 size_t *ret_host_len, size_t *ret_authority_len)
{
	const char *host;
	size_t n;

	if (g_ascii_strncasecmp(origin, "http://", 7) == 0)
		host = origin + 7;
	else if (g_ascii_strncasecmp(origin, "https://", 8) == 0)
		host = origin + 8;
	else
		return false;
	n = strcspn(host, "/?#");
	if (!n || memchr(host, '@', n))
		return false;
	*ret_host = host;
	*ret_authority_len = n;
	if (*host == '[') {
		const char *end = memchr(host, ']', n);

		if (!end)
			return false;
		*ret_host_len = (size_t) (end + 1 - host);
	} else {
		const char *colon = memchr(host, ':', n);

		*ret_host_len = colon ? (size_t) (colon - host) : n;
	}
	return *ret_host_len > 0;
}

static bool equal(const char *text, size_t len, const char *other)
{
	return strlen(other) == len &&
	       g_ascii_strncasecmp(text, other, len) == 0;
}

bool room_cors_match(const char *entry, const char *origin, const char *host)
{
	const char *name;
	size_t name_len, authority_len, n;

	if (!split_origin(origin, &name, &name_len, &authority_len))
		return false;
	if (strcmp(entry, "*") == 0)
		return true;
	if (strcmp(entry, "self") == 0)
		return host && equal(name, authority_len, host);
	if (strstr(entry, "://"))
		return equal(origin, (size_t) (name - origin) + authority_len,
			     entry);
	if (g_str_has_prefix(entry, "*.")) {
		n = strlen(entry + 1);
		return name_len > n && g_ascii_strncasecmp(name + name_len - n,
							   entry + 1, n) == 0;
	}
	return equal(name, name_len, entry) ||
	       equal(name, authority_len, entry);
}

char *room_key_credential(const char *secret, const char *room, const char *len,
			  const char *start)
{
	g_autofree char *text = g_strconcat(room, "_", len, "_", start, NULL);

	return room_token_sha1(secret, text);
}

static bool credential_holds(const struct room_key *key,
			     const struct room_caller *caller)
{
	g_autofree char *expected = NULL;
	g_autofree char *given = g_strdup(caller->cred);

	if (!key->secret || !caller->start || !caller->len)
		return false;
	expected = room_key_credential(key->secret, caller->room, caller->len,
				       caller->start);
	/* A '+' that nobody escaped has become a space on the way. */
	g_strdelimit(given, " ", '+');
	return room_token_equal(given, expected);
}

static bool cors_holds(const struct room_key *key, const char *origin,
		       const char *host)
{
	for (const char *const *c = key->cors; *c; c++)
		if (room_cors_match(*c, origin, host))
			return true;
	return false;
}

enum room_refusal room_key_check(const struct room_key *key,
				 const struct room_caller *caller)
{
	if (!key)
		return ROOM_REFUSAL_UNKNOWN_KEY;
	if (!key->space)
		return ROOM_REFUSAL_PARENT;
	if (!key->secret && !key->cors)
		return ROOM_REFUSAL_NONE;
	if (caller->cred) {
		if (!credential_holds(key, caller))
			return ROOM_REFUSAL_CREDENTIAL;
		return caller->end_ms && caller->now_ms > caller->end_ms
			       ? ROOM_REFUSAL_NO_MEETING
			       : ROOM_REFUSAL_NONE;
	}
	if (!key->cors || (!caller->origin && !caller->referer))
		return ROOM_REFUSAL_ANONYMOUS;
	if (caller->origin)
		return cors_holds(key, caller->origin, caller->host)
			       ? ROOM_REFUSAL_NONE
			       : ROOM_REFUSAL_CORS;
	return cors_holds(key, caller->referer, caller->host)
		       ? ROOM_REFUSAL_NONE
		       : ROOM_REFUSAL_DOMAIN;
}

const char *room_refusal_describe(enum room_refusal refusal)
{
	switch (refusal) {
	case ROOM_REFUSAL_NONE:
		break;
	case ROOM_REFUSAL_UNKNOWN_KEY:
		return "Unknown application key";
	case ROOM_REFUSAL_DOMAIN:
		return "The page's domain does not belong to this key";
	case ROOM_REFUSAL_CORS:
		return "The page's origin does not belong to this key";
	case ROOM_REFUSAL_ANONYMOUS:
		return "This key needs a page of its domains, or credentials";
	case ROOM_REFUSAL_CREDENTIAL:
		return "The credentials do not fit room, start, duration and "
		       "secret";
	case ROOM_REFUSAL_PARENT:
		return "The parent of this key does not exist";
	case ROOM_REFUSAL_NO_MEETING:
		return "The time of this meeting is over";
	}
	return "";
}
