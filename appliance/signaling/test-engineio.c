// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/engineio.h"

#include <errno.h>
#include <string.h>

static struct eio_packet parse(const char *text)
{
	struct eio_packet packet;

	g_assert_cmpint(eio_packet_parse(text, strlen(text), &packet), ==, 0);
	return packet;
}

static void test_packets(void)
{
	struct eio_packet packet = parse("2probe");

	g_assert_cmpint(packet.type, ==, EIO_PING);
	g_assert_cmpuint(packet.len, ==, 5);
	g_assert_cmpint(memcmp(packet.data, "probe", 5), ==, 0);
	g_assert_cmpint(parse("6").type, ==, EIO_NOOP);

	g_assert_cmpint(eio_packet_parse("", 0, &packet), ==, -EBADMSG);
	g_assert_cmpint(eio_packet_parse("7", 1, &packet), ==, -EBADMSG);
	g_assert_cmpint(eio_packet_parse("b4", 2, &packet), ==, -EBADMSG);
}

static void test_open(void)
{
	static const char text[] =
		"0{\"sid\":\"r_7m1_LHHBFeTrl0AAAK\",\"upgrades\":[],"
		"\"pingInterval\":25000,\"pingTimeout\":60000}";
	struct eio_packet packet = parse(text);
	struct eio_open open;
	g_autofree char *again = NULL;

	g_assert_cmpint(eio_open_parse(packet.data, packet.len, &open), ==, 0);
	g_assert_cmpstr(open.sid, ==, "r_7m1_LHHBFeTrl0AAAK");
	g_assert_cmpuint(open.ping_interval_ms, ==, 25000);
	g_assert_cmpuint(open.ping_timeout_ms, ==, 60000);
	g_assert_false(open.upgrade_websocket);
	again = eio_open_format(&open);
	g_assert_cmpstr(again, ==, text);
}

static void test_open_limits(void)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"sid\":5,\"pingInterval\":1000,\"pingTimeout\":1000}",
		"{\"sid\":\"\",\"pingInterval\":1000,\"pingTimeout\":1000}",
		"{\"sid\":\"a\",\"pingInterval\":-1,\"pingTimeout\":1000}",
		"{\"sid\":\"a\",\"pingInterval\":1e12,\"pingTimeout\":1000}",
		"{\"sid\":\"a\",\"pingInterval\":\"9\",\"pingTimeout\":1000}",
	};
	struct eio_open open;
	static const char low[] =
		"{\"sid\":\"a\",\"pingInterval\":0,\"pingTimeout\":2000.5,"
		"\"upgrades\":[3,\"websocket\"]}";

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_cmpint(eio_open_parse(bad[i], strlen(bad[i]), &open),
				==, -EBADMSG);
	g_assert_cmpint(eio_open_parse(low, strlen(low), &open), ==, 0);
	g_assert_cmpuint(open.ping_interval_ms, ==, 1000);
	g_assert_cmpuint(open.ping_timeout_ms, ==, 2000);
	g_assert_true(open.upgrade_websocket);
}

static void assert_event(const char *frame, const char *inner)
{
	struct eio_packet packet = parse(frame);
	g_autofree char *text = NULL;
	struct sio_packet sio;
	size_t len;

	g_assert_cmpint(packet.type, ==, EIO_MESSAGE);
	g_assert_cmpint(sio_packet_parse(packet.data, packet.len, &sio), ==, 0);
	g_assert_cmpint(sio.type, ==, SIO_EVENT);
	g_assert_cmpint(
		sio_event_parse(sio.data, sio.len, EIO_MAX_PACKET, &text, &len),
		==, 0);
	g_assert_cmpstr(text, ==, inner);
	g_assert_cmpuint(len, ==, strlen(inner));
}

static void test_event_forms(void)
{
	assert_event("42[\"message\",\"{\\\"type\\\":\\\"enter\\\"}\"]",
		     "{\"type\":\"enter\"}");
	assert_event("42[\"message\",{\"type\":\"group\",\"lists\":[\"{}\"]}]",
		     "{\"type\":\"group\",\"lists\":[\"{}\"]}");
	assert_event("42 [ \"mess\\u0061ge\" , { \"a\" : \"}\\\"{\" } , 1 ] ",
		     "{ \"a\" : \"}\\\"{\" }");
	assert_event("42/,[\"message\",\"{}\"]", "{}");
	assert_event("42/?x=y,17[\"message\",\"{}\"]", "{}");
	assert_event("420[\"message\",\"\\u00e9\"]", "\303\251");
}

static void test_event_refusals(void)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"[\"other\",\"x\"]", 1},
		{"[\"message\"]", -EBADMSG},
		{"[\"message\",5]", -EBADMSG},
		{"[]", -EBADMSG},
		{"[1,\"x\"]", -EBADMSG},
		{"{\"message\":1}", -EBADMSG},
		{"[\"message\",\"{}\"", -EBADMSG},
		{"[\"message\",\"a\\u0000\"]", -EBADMSG},
		{"", -EBADMSG},
	};
	struct sio_packet sio;
	char *text;
	size_t len;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(sio_event_parse(cases[i].text,
						strlen(cases[i].text), 1000,
						&text, &len),
				==, cases[i].result);
	g_assert_cmpint(
		sio_event_parse("[\"message\",\"{}\"]", 16, 15, &text, &len),
		==, -EMSGSIZE);

	g_assert_cmpint(sio_packet_parse("2/chat,[]", 9, &sio), ==, -ENOTSUP);
	g_assert_cmpint(sio_packet_parse("51-[]", 5, &sio), ==, -ENOTSUP);
	g_assert_cmpint(sio_packet_parse("", 0, &sio), ==, -EBADMSG);
	g_assert_cmpint(sio_packet_parse("7", 1, &sio), ==, -EBADMSG);
	g_assert_cmpint(sio_packet_parse("212345678901234567[]", 20, &sio), ==,
			-EBADMSG);
}

static void test_event_format(void)
{
	static const char json[] = "{\"data\":\"a\\\"b\\n\303\251\"}";
	g_autoptr(GString) out = g_string_new(NULL);

	sio_event_format(out, json, strlen(json));
	g_assert_cmpstr(out->str, ==,
			"42[\"message\",\"{\\\"data\\\":\\\"a\\\\\\\"b\\\\n"
			"\303\251\\\"}\"]");
	assert_event(out->str, json);
}

/* The example of the protocol: e with an acute accent counts 2 and travels
 * as four bytes. */
static void test_payload_text(void)
{
	static const char wire[] = "3:4\303\203\302\2511:2";
	char body[sizeof(wire)];
	g_autoptr(GString) out = g_string_new(NULL);
	struct eio_payload payload;
	const char *text;
	size_t len;

	eio_payload_append(out, "4\303\251", 3, EIO_FORM_TEXT);
	eio_payload_append(out, "2", 1, EIO_FORM_TEXT);
	g_assert_cmpstr(out->str, ==, wire);

	memcpy(body, wire, sizeof(wire));
	g_assert_cmpint(
		eio_payload_init(&payload, body, strlen(wire), EIO_FORM_TEXT),
		==, 0);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 1);
	g_assert_cmpmem(text, len, "4\303\251", 3);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 1);
	g_assert_cmpmem(text, len, "2", 1);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 0);
}

static void test_payload_binary(void)
{
	static const char wire[] = "\0\2\37740\0\1\0\377"
				   "4\303\251aaaaaaa";
	char body[sizeof(wire)];
	g_autoptr(GString) out = g_string_new(NULL);
	struct eio_payload payload;
	const char *text;
	size_t len;

	eio_payload_append(out, "40", 2, EIO_FORM_BINARY);
	eio_payload_append(out, "4\303\251aaaaaaa", 10, EIO_FORM_BINARY);
	g_assert_cmpmem(out->str, out->len, wire, sizeof(wire) - 1);

	memcpy(body, wire, sizeof(wire));
	g_assert_cmpint(eio_payload_init(&payload, body, sizeof(wire) - 1,
					 EIO_FORM_BINARY),
			==, 0);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 1);
	g_assert_cmpmem(text, len, "40", 2);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 1);
	g_assert_cmpuint(len, ==, 10);
	g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==, 0);
}

static void test_payload_refusals(void)
{
	static const struct {
		const char *body;
		size_t len;
		enum eio_form form;
	} cases[] = {
		{"9:40", 4, EIO_FORM_TEXT},
		{"0:", 2, EIO_FORM_TEXT},
		{"40", 2, EIO_FORM_TEXT},
		{":40", 3, EIO_FORM_TEXT},
		{"999999999:4", 11, EIO_FORM_TEXT},
		{"-1:4", 4, EIO_FORM_TEXT},
		{"2:4\303\277", 5, EIO_FORM_TEXT}, /* byte FF: not UTF-8 */
		{"\1\2\37740", 5, EIO_FORM_BINARY},
		{"\0\2", 2, EIO_FORM_BINARY},
		{"\0\3\37740", 5, EIO_FORM_BINARY},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *body = g_memdup2(cases[i].body, cases[i].len);
		struct eio_payload payload;
		const char *text;
		size_t len;

		g_assert_cmpint(eio_payload_init(&payload, body, cases[i].len,
						 cases[i].form),
				==, 0);
		g_assert_cmpint(eio_payload_next(&payload, &text, &len), ==,
				-EBADMSG);
	}
}

static void test_payload_refuses_wide_characters(void)
{
	struct eio_payload payload;
	char body[] = "1:\342\202\254", cut[] = "1:\303";

	g_assert_cmpint(
		eio_payload_init(&payload, body, strlen(body), EIO_FORM_TEXT),
		==, -EBADMSG);
	g_assert_cmpint(
		eio_payload_init(&payload, cut, strlen(cut), EIO_FORM_TEXT), ==,
		-EBADMSG);
}

static void test_form_by_content_type(void)
{
	g_assert_cmpint(eio_form_from_content_type("application/octet-stream"),
			==, EIO_FORM_BINARY);
	g_assert_cmpint(eio_form_from_content_type("text/plain;charset=UTF-8"),
			==, EIO_FORM_TEXT);
	g_assert_cmpint(eio_form_from_content_type(NULL), ==, EIO_FORM_TEXT);
}

static void test_refusals(void)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{"{\"code\":1,\"message\":\"Session ID unknown\"}",
		 "the server answered HTTP 400: Session ID unknown (code 1)"},
		{"{\"code\":3}",
		 "the server answered HTTP 400: Bad request (code 3)"},
		{"{\"code\":99}", "the server answered HTTP 400"},
		{"{\"message\":\"a\\nb\"}",
		 "the server answered HTTP 400: a\\nb"},
		{"{\"code\":{},\"message\":[1]}",
		 "the server answered HTTP 400"},
		{"<html>", "the server answered HTTP 400"},
		{"", "the server answered HTTP 400"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = eio_refusal_describe(
			400, cases[i].body, strlen(cases[i].body));

		g_assert_cmpstr(text, ==, cases[i].says);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/engineio/packets", test_packets);
	g_test_add_func("/engineio/open", test_open);
	g_test_add_func("/engineio/open-limits", test_open_limits);
	g_test_add_func("/engineio/event-forms", test_event_forms);
	g_test_add_func("/engineio/event-refusals", test_event_refusals);
	g_test_add_func("/engineio/event-format", test_event_format);
	g_test_add_func("/engineio/payload-text", test_payload_text);
	g_test_add_func("/engineio/payload-binary", test_payload_binary);
	g_test_add_func("/engineio/payload-refusals", test_payload_refusals);
	g_test_add_func("/engineio/payload-wide",
			test_payload_refuses_wide_characters);
	g_test_add_func("/engineio/form", test_form_by_content_type);
	g_test_add_func("/engineio/refusals", test_refusals);
	return g_test_run();
}
