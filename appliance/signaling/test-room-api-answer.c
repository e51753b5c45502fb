// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/room-api-answer.h"

#include <string.h>

#define TOKENS                                                                 \
	"\"success\":true,\"cid\":\"c\",\"apiOwner\":\"o\",\"username\":\"u\"," \
	"\"userCred\":\"uc\",\"timeStamp\":\"ts\",\"room_key\":\"rk\","        \
	"\"roomCred\":\"rc\",\"start\":\"st\",\"len\":200,"                    \
	"\"pc_constraints\":\"{}\",\"offer_constraints\":\"{}\","              \
	"\"media_constraints\":\"{}\""

static RoomApiAnswer *parse(const char *text, GError **error)
{
	return room_api_answer_parse(text, strlen(text), 200, NULL, error);
}

static void assert_urls(const char *text, gboolean tls, const char *wanted)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(RoomApiAnswer) a = parse(text, &error);
	g_autoptr(GPtrArray) urls = NULL;
	g_autofree char *got = NULL;

	g_assert_no_error(error);
	urls = room_api_answer_urls(a, tls);
	g_ptr_array_add(urls, NULL);
	got = g_strjoinv(" ", (char **) urls->pdata);
	g_assert_cmpstr(got, ==, wanted);
}

static void test_urls(void)
{
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h\",\"httpPortList\":[8080,"
		    "3000],\"httpsPortList\":[9]}", FALSE,
		    "ws://h:8080/socket.io/ ws://h:3000/socket.io/");
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h\",\"httpPortList\":[8080],"
		    "\"httpsPortList\":[9]}", TRUE, "wss://h:9/socket.io/");
	/* no list: the defaults of 0.6.16+ */
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h\"}", TRUE,
		    "wss://h:443/socket.io/ wss://h:3443/socket.io/");
	/* 2.x's form brings the port */
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h:81\",\"httpPortList\":[1]}",
		    FALSE, "ws://h:81/socket.io/");
	assert_urls("{" TOKENS ",\"ipSigserver\":\"[::1]\",\"httpPortList\":[1]}",
		    FALSE, "ws://[::1]:1/socket.io/");
	assert_urls("{" TOKENS ",\"ipSigserver\":\"::1\",\"httpPortList\":[1]}",
		    FALSE, "ws://[::1]:1/socket.io/");
	assert_urls("{" TOKENS ",\"ipSigserver\":\"[::1]:7\"}", FALSE,
		    "ws://[::1]:7/socket.io/");
	/* ports that are none are skipped */
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h\",\"httpPortList\":[0,-1,"
		    "70000,\"80\",81.5,82]}", FALSE, "ws://h:82/socket.io/");
	assert_urls("{" TOKENS ",\"ipSigserver\":\"h\",\"httpPortList\":[8],"
		    "\"ipSigserverPath\":\"/x/y\"}", FALSE, "ws://h:8/x/y/");
}

static void test_tokens(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(RoomApiAnswer) a =
		parse("{" TOKENS ",\"ipSigserver\":\"h\"}", &error);

	g_assert_no_error(error);
	g_assert_cmpstr(a->user_cred, ==, "uc");
	g_assert_cmpstr(a->room_key, ==, "rk");
	g_assert_null(a->len_text);
	g_assert_cmpfloat(a->len_number, ==, 200);
	g_assert_true(a->auto_introduce);
	g_assert_false(a->is_privileged);
}

static void test_refusals_carry_the_code(void)
{
	static const char text[] =
		"{\"success\":false,\"error\":4001,\"info\":\"API Key is "
		"\\ninvalid.\"}";
	g_autoptr(GError) error = NULL;
	gint code;

	g_assert_null(room_api_answer_parse(text, strlen(text), 401, &code,
					    &error));
	g_assert_error(error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED);
	g_assert_cmpint(code, ==, 4001);
	g_assert_cmpstr(error->message, ==,
			"The room server refused: unknown app key (error 4001, "
			"HTTP 401): API Key is \\ninvalid.");
}

static void test_status_decides_without_success(void)
{
	static const char text[] = "{\"error\":4020}";
	g_autoptr(GError) error = NULL;
	gint code;

	g_assert_null(room_api_answer_parse(text, strlen(text), 403, &code,
					    &error));
	g_assert_error(error, ROOM_API_ERROR, ROOM_API_ERROR_REFUSED);
	g_assert_cmpint(code, ==, 4020);
}

static void test_bad_answers_name_the_field(void)
{
	static const struct {
		const char *text, *names;
	} bad[] = {
		{"<html>", "not valid"},
		{"[]", "not usable"},
		{"{\"success\":true}", "'cid'"},
		{"{" TOKENS "}", "'ipSigserver'"},
		{"{" TOKENS ",\"ipSigserver\":\"h/../x\"}", "'ipSigserver'"},
		{"{" TOKENS ",\"ipSigserver\":\"u@h\"}", "'ipSigserver'"},
		{"{" TOKENS ",\"ipSigserver\":\"h\",\"ipSigserverPath\":\"/a?b\""
		 "}", "'ipSigserverPath'"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(parse(bad[i].text, &error));
		g_assert_error(error, ROOM_API_ERROR, ROOM_API_ERROR_ANSWER);
		if (i > 1)
			g_assert_nonnull(strstr(error->message, bad[i].names));
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-api-answer/urls", test_urls);
	g_test_add_func("/room-api-answer/tokens", test_tokens);
	g_test_add_func("/room-api-answer/refusal",
			test_refusals_carry_the_code);
	g_test_add_func("/room-api-answer/status",
			test_status_decides_without_success);
	g_test_add_func("/room-api-answer/bad",
			test_bad_answers_name_the_field);
	return g_test_run();
}
