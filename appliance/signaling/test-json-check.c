// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/json-check.h"

#include <errno.h>
#include <string.h>

#define LIMIT 4096

static void assert_takes(const char *text)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = json_checked_parse(text, -1, LIMIT, &error);

	g_assert_no_error(error);
	g_assert_nonnull(node);
}

static void assert_refuses(const char *text, enum json_check_code code,
			   size_t offset)
{
	struct json_check_fault fault = {0};

	/* not as it is: a log of broken UTF-8 is no TAP */
	g_autofree char *shown = g_strescape(text, NULL);

	g_test_message("%s", shown);
	g_assert_cmpint(json_check(text, strlen(text), LIMIT, &fault), ==,
			-EBADMSG);
	g_assert_cmpint(fault.code, ==, code);
	g_assert_cmpuint(fault.offset, ==, offset);
	g_assert_nonnull(fault.what);
}

static void test_takes_what_the_rfc_allows(void)
{
	assert_takes("{}");
	assert_takes(" [ ] \r\n\t");
	assert_takes("\"\"");
	assert_takes("[0,-0,1.5,-1.5e-7,1E+5,0.0,2e15]");
	assert_takes("{\"\":{\"\":[true,false,null]},\"a\":[[],{}]}");
	assert_takes("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"");
	assert_takes("\"\303\251\342\202\254\360\237\230\200\177\"");
	assert_takes("[9007199254740992,-9007199254740992]");
}

static void test_refuses_what_is_not_json(void)
{
	assert_refuses("", JSON_CHECK_SYNTAX, 0);
	assert_refuses("  ", JSON_CHECK_SYNTAX, 2);
	assert_refuses("[1,]", JSON_CHECK_SYNTAX, 3);
	assert_refuses("{\"a\":1,}", JSON_CHECK_SYNTAX, 7);
	assert_refuses("{a:1}", JSON_CHECK_SYNTAX, 1);
	assert_refuses("{\"a\" 1}", JSON_CHECK_SYNTAX, 5);
	assert_refuses("[1 2]", JSON_CHECK_SYNTAX, 3);
	assert_refuses("[1}", JSON_CHECK_SYNTAX, 2);
	assert_refuses("{\"a\":1]", JSON_CHECK_SYNTAX, 6);
	assert_refuses("{} {}", JSON_CHECK_SYNTAX, 3);
	assert_refuses("1 // no", JSON_CHECK_SYNTAX, 2);
	assert_refuses("var a = 1;", JSON_CHECK_SYNTAX, 0);
	assert_refuses("\357\273\277{}", JSON_CHECK_SYNTAX, 0);
	assert_refuses("tru", JSON_CHECK_SYNTAX, 0);
	assert_refuses("NaN", JSON_CHECK_SYNTAX, 0);
	assert_refuses("'a'", JSON_CHECK_SYNTAX, 0);
	assert_refuses("[[1]", JSON_CHECK_SYNTAX, 4);
}

static void test_refuses_bad_numbers(void)
{
	assert_refuses("01", JSON_CHECK_SYNTAX, 1);
	assert_refuses("+1", JSON_CHECK_SYNTAX, 0);
	assert_refuses("-", JSON_CHECK_SYNTAX, 1);
	assert_refuses("1.", JSON_CHECK_SYNTAX, 2);
	assert_refuses(".5", JSON_CHECK_SYNTAX, 0);
	assert_refuses("1e", JSON_CHECK_SYNTAX, 2);
	assert_refuses("0x10", JSON_CHECK_SYNTAX, 1);
	assert_refuses("9007199254740993", JSON_CHECK_REFUSED, 0);
	assert_refuses("[-9007199254740993]", JSON_CHECK_REFUSED, 1);
	assert_refuses("99999999999999999999999", JSON_CHECK_REFUSED, 0);
	assert_refuses("1e999", JSON_CHECK_REFUSED, 0);
	assert_refuses("0.0000000000000000000000000000000000000000000000000"
		       "0000000000000000000001",
		       JSON_CHECK_REFUSED, 0);
}

static void test_refuses_bad_strings(void)
{
	assert_refuses("\"abc", JSON_CHECK_SYNTAX, 0);
	assert_refuses("\"abc\\", JSON_CHECK_SYNTAX, 5);
	assert_refuses("\"a\nb\"", JSON_CHECK_SYNTAX, 2);
	assert_refuses("\"\\x41\"", JSON_CHECK_SYNTAX, 2);
	assert_refuses("\"\\u12g4\"", JSON_CHECK_SYNTAX, 1);
	assert_refuses("\"a\\u0000\"", JSON_CHECK_REFUSED, 2);
	assert_refuses("\"\\ud83d\"", JSON_CHECK_REFUSED, 1);
	assert_refuses("\"\\ude00\\ud83d\"", JSON_CHECK_REFUSED, 1);
	assert_refuses("\"\\ud83d\\u0041\"", JSON_CHECK_REFUSED, 1);
	assert_refuses("\"\377\"", JSON_CHECK_SYNTAX, 1);
	assert_refuses("\"\300\257\"", JSON_CHECK_SYNTAX, 1);
	assert_refuses("\"\355\240\200\"", JSON_CHECK_SYNTAX, 1);
	assert_refuses("\"\364\220\200\200\"", JSON_CHECK_SYNTAX, 1);
	assert_refuses("\"\342\202", JSON_CHECK_SYNTAX, 1);
	g_assert_cmpint(json_check("\"a\0b\"", 5, LIMIT, NULL), ==, -EBADMSG);
}

static void test_depth_ends_at_32(void)
{
	char text[JSON_CHECK_MAX_DEPTH * 2 + 3];
	unsigned int n = JSON_CHECK_MAX_DEPTH;

	memset(text, '[', n);
	memset(text + n, ']', n);
	text[2 * n] = '\0';
	assert_takes(text);

	memset(text, '[', n + 1);
	memset(text + n + 1, ']', n + 1);
	text[2 * n + 2] = '\0';
	assert_refuses(text, JSON_CHECK_REFUSED, n);
}

/* The bit of a closed level must not leak into the next one. */
static void test_levels_remember_their_kind(void)
{
	assert_takes("[{\"a\":[{}]},[[],{\"b\":[1,2]}],3]");
	assert_refuses("[{\"a\":1},\"b\":2]", JSON_CHECK_SYNTAX, 12);
}

static void test_size_is_limited(void)
{
	struct json_check_fault fault;

	g_assert_cmpint(json_check("[1]", 3, 3, &fault), ==, 0);
	g_assert_cmpint(json_check("[1]", 3, 2, &fault), ==, -EMSGSIZE);
	g_assert_cmpint(fault.code, ==, JSON_CHECK_TOO_BIG);
}

static void test_error_is_a_sentence(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(json_checked_parse("{\"len\":007}", -1, LIMIT, &error));
	g_assert_error(error, JSON_CHECK_ERROR, JSON_CHECK_SYNTAX);
	g_assert_cmpstr(error->message, ==,
			"Not valid JSON at byte 8: number has a leading zero");
	g_clear_error(&error);
	g_assert_null(json_checked_parse_object("[1]", -1, LIMIT, &error));
	g_assert_error(error, JSON_CHECK_ERROR, JSON_CHECK_REFUSED);
}

static void test_quote_and_unquote(void)
{
	static const char plain[] =
		"a\"b\\c/\n\r\t\b\x01 \303\251 \360\237\230\200";
	g_autoptr(GString) quoted = g_string_new(NULL);
	g_autofree char *again = NULL;
	g_autofree char *other = NULL;
	size_t len;

	json_quote(quoted, plain, strlen(plain));
	g_assert_cmpstr(quoted->str, ==,
			"\"a\\\"b\\\\c/\\n\\r\\t\\u0008\\u0001 \303\251 "
			"\360\237\230\200\"");
	again = json_unquote(quoted->str, quoted->len, &len);
	g_assert_cmpstr(again, ==, plain);
	g_assert_cmpuint(len, ==, strlen(plain));

	other = json_unquote("\"\\/\\u00e9\\uD83D\\uDE00x\"", 23, &len);
	g_assert_cmpstr(other, ==, "/\303\251\360\237\230\200x");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json-check/takes", test_takes_what_the_rfc_allows);
	g_test_add_func("/json-check/not-json", test_refuses_what_is_not_json);
	g_test_add_func("/json-check/numbers", test_refuses_bad_numbers);
	g_test_add_func("/json-check/strings", test_refuses_bad_strings);
	g_test_add_func("/json-check/depth", test_depth_ends_at_32);
	g_test_add_func("/json-check/kinds", test_levels_remember_their_kind);
	g_test_add_func("/json-check/size", test_size_is_limited);
	g_test_add_func("/json-check/error", test_error_is_a_sentence);
	g_test_add_func("/json-check/quote", test_quote_and_unquote);
	return g_test_run();
}
