// SPDX-License-Identifier: Apache-2.0
#include "config/option-table.h"

#include <string.h>

static void test_every_row_is_whole(void)
{
	const char *last_section = NULL;
	unsigned int section = 0;

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);
		struct option_value value = {0};
		g_autofree char *why = NULL, *allowed = NULL;

		g_assert_nonnull(row->section);
		g_assert_nonnull(row->key);
		g_assert_nonnull(row->help);
		g_assert_true(g_str_has_suffix(row->help, "."));
		g_assert_cmpint(option_table_find(row->section, row->key), ==,
				i);
		g_assert_nonnull(option_table_section_help(row->section));

		/* Defaults are good values of their own rows. */
		if (!option_value_parse(row, row->def, &value, &why))
			g_error("%s.%s: %s", row->section, row->key, why);
		option_value_clear(&value);

		allowed = option_describe_allowed(row);
		g_assert_cmpuint(strlen(allowed), >, 5);
		if (row->type == OPTION_SECRET)
			g_assert_true(g_str_has_suffix(row->key, "_file"));

		/* The rows stand in the order of the sections. */
		if (!last_section || strcmp(last_section, row->section)) {
			while (strcmp(option_table_section(section),
				      row->section))
				g_assert_nonnull(
					option_table_section(++section));
			last_section = row->section;
		}
	}
}

/* Return: the canonical text, or NULL; then *ret_why says why. */
static char *parse(enum option_id id, const char *text, char **ret_why)
{
	struct option_value value = {0};
	char *canonical;

	if (!option_value_parse(option_table_get(id), text, &value, ret_why))
		return NULL;
	canonical = g_strdup(value.text);
	option_value_clear(&value);
	return canonical;
}

static void assert_good(enum option_id id, const char *text,
			const char *canonical)
{
	g_autofree char *why = NULL;
	g_autofree char *got = parse(id, text, &why);

	g_assert_cmpstr(why, ==, NULL);
	g_assert_cmpstr(got, ==, canonical);
}

/* Refused, and the message has all the words of @words (';' between). */
static void assert_bad(enum option_id id, const char *text, const char *words)
{
	g_autofree char *why = NULL;
	g_autofree char *got = parse(id, text, &why);
	g_auto(GStrv) list = g_strsplit(words, ";", -1);

	g_assert_null(got);
	for (unsigned int i = 0; list[i]; i++)
		if (!strstr(why, list[i]))
			g_error("'%s' lacks '%s'", why, list[i]);
}

static void test_numbers(void)
{
	assert_good(OPT_VIDEO_FPS, "60", "60");
	assert_bad(OPT_VIDEO_FPS, "61", "'61';out of range;1 to 60;frames");
	assert_bad(OPT_VIDEO_FPS, "", "whole number");
	assert_bad(OPT_VIDEO_FPS, "0x10", "whole number");
	assert_bad(OPT_VIDEO_FPS, "30 # fast", "a comment needs a line");
	assert_good(OPT_VIDEO_MUTED, "On", "yes");
	assert_bad(OPT_VIDEO_MUTED, "maybe", "yes or no");
}

static void test_bit_rates(void)
{
	assert_good(OPT_VIDEO_BITRATE, "2500000", "2500000");
	assert_good(OPT_VIDEO_BITRATE, "2.5M", "2500000");
	assert_good(OPT_VIDEO_BITRATE, "2500 kbit/s", "2500000");
	assert_good(OPT_VIDEO_BITRATE, "300.5k", "300500");
	assert_bad(OPT_VIDEO_BITRATE, "0.0000005M", "not a bit rate");
	assert_bad(OPT_VIDEO_BITRATE, "1.5", "not a bit rate");
	assert_bad(OPT_VIDEO_BITRATE, "5 apples", "not a bit rate;2.5M");
	assert_bad(OPT_VIDEO_BITRATE, "1k", "out of range;30k");
	assert_bad(OPT_VIDEO_BITRATE, "999999999999999G", "not a bit rate");
	assert_bad(OPT_VIDEO_BITRATE, "-1", "not a bit rate");
}

static void test_choices(void)
{
	assert_good(OPT_VIDEO_SOURCE, "auto", "auto");
	assert_good(OPT_VIDEO_SOURCE, "v4l2:/dev/video0", "v4l2:/dev/video0");
	assert_bad(OPT_VIDEO_SOURCE, "v4l2:", "colon;v4l2:PATH");
	assert_bad(OPT_VIDEO_SOURCE, "tset", "Did you mean 'test'");
	assert_bad(OPT_VIDEO_SOURCE, "/dev/video2",
		   "Did you mean 'v4l2:/dev/video2'");
	assert_bad(OPT_AUDIO_SOURCE, "/x.wav", "Did you mean 'file:/x.wav'");
	assert_bad(OPT_VIDEO_CODEC, "h246", "Did you mean 'h264';vp8");
}

static void test_endpoints(void)
{
	assert_good(OPT_CONSOLE_LISTEN, "", "");
	assert_good(OPT_CONSOLE_LISTEN, "*:8443", "*:8443");
	assert_good(OPT_CONTROL_METRICS, "", "");
	assert_good(OPT_CONTROL_METRICS, "127.0.0.1:9100", "127.0.0.1:9100");
	assert_good(OPT_CONTROL_METRICS, "[::1]:0", "[::1]:0");
	assert_good(OPT_CONTROL_METRICS, "unix:/run/x.sock",
		    "unix:/run/x.sock");
	assert_bad(OPT_CONTROL_METRICS, "unix:x.sock", "path");
	assert_bad(OPT_CONTROL_METRICS, "0.0.0.0:9100", "machine alone");
	assert_bad(OPT_CONTROL_METRICS, "192.0.2.1:9100", "machine alone");
	assert_bad(OPT_CONTROL_METRICS, "[::]:9100", "machine alone");
	assert_bad(OPT_CONTROL_METRICS, "::1:9100", "machine alone");
	assert_bad(OPT_CONTROL_METRICS, "[", "no port");
	assert_bad(OPT_CONTROL_METRICS, "[:1", "machine alone");
	assert_bad(OPT_CONTROL_METRICS, "127.0.0.1", "no port");
	assert_bad(OPT_CONTROL_METRICS, "9100", "no port");
}

static void test_addresses(void)
{
	assert_good(OPT_ROOMSERVER_LISTEN, "*:8080", "*:8080");
	assert_good(OPT_ROOMSERVER_LISTEN, "0.0.0.0", "0.0.0.0:8080");
	assert_good(OPT_ROOMSERVER_LISTEN, "[::1]:0", "[::1]:0");
	assert_good(OPT_ROOMSERVER_LISTEN, "::1", "[::1]:8080");
	assert_bad(OPT_ROOMSERVER_LISTEN, "1.2.3.4:99999", "no port");
	assert_bad(OPT_ROOMSERVER_LISTEN, "[::1", "']'");
	assert_bad(OPT_ROOMSERVER_LISTEN, "[1.2.3.4]:1", "numeric");
	assert_bad(OPT_ROOMSERVER_LISTEN, "example.com:80", "numeric");
	assert_good(OPT_NETWORK_ADDRESSES, " 10.0.0.1 ;fe80::1; ",
		    "10.0.0.1;fe80::1");
	assert_good(OPT_NETWORK_ADDRESSES, "", "");
	assert_bad(OPT_NETWORK_ADDRESSES, "10.0.0.1,10.0.0.2", "not by ','");
}

static void test_servers_and_paths(void)
{
	assert_good(OPT_ROOM_SERVER, "http://127.0.0.1:8080/",
		    "http://127.0.0.1:8080");
	assert_good(OPT_ROOM_SERVER, "//rooms.example", "//rooms.example");
	assert_bad(OPT_ROOM_SERVER, "rooms.example", "https://");
	assert_bad(OPT_ROOM_SERVER, "http://a b", "server's address");
	assert_bad(OPT_ROOM_SERVER, "http://user@host", "server's address");
	/* a password is not repeated */
	assert_bad(OPT_ROOM_SERVER, "http://u:secret@host", "//...@host'");
	assert_bad(OPT_ROOM_SERVER, "http://u:s@cret@host", "//...@host'");
	assert_bad(OPT_ROOM_SERVER, "//@", "'//...@'");
	assert_bad(OPT_ROOM_SERVER, "http://host:99999", "no port");
	assert_bad(OPT_CONTROL_SOCKET, "run/x.sock", "absolute path");
	assert_bad(OPT_ROOM_NAME, "\"lobby\"", "quotes");
	assert_bad(OPT_ROOM_NAME, "first/floor", "part of an address");
	assert_bad(OPT_ROOMSERVER_VIEWER_ROOM, "..", "part of an address");
	assert_bad(OPT_ROOM_NAME, "a\033[2Jb", "control characters");
	assert_bad(OPT_ROOM_NAME, "\xff", "UTF-8");
}

static void test_the_likeliest_meant(void)
{
	g_assert_cmpstr(option_table_nearest("video", "widht")->key, ==,
			"width");
	/* The right key in the wrong section. */
	g_assert_cmpstr(option_table_nearest("video", "listen")->section, ==,
			"roomserver");
	g_assert_null(option_table_nearest("video", "frobnicate"));
	g_assert_cmpstr(option_table_nearest_section("vidoe"), ==, "video");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/option-table/rows", test_every_row_is_whole);
	g_test_add_func("/option-table/numbers", test_numbers);
	g_test_add_func("/option-table/bit-rates", test_bit_rates);
	g_test_add_func("/option-table/choices", test_choices);
	g_test_add_func("/option-table/addresses", test_addresses);
	g_test_add_func("/option-table/endpoints", test_endpoints);
	g_test_add_func("/option-table/servers", test_servers_and_paths);
	g_test_add_func("/option-table/nearest", test_the_likeliest_meant);
	return g_test_run();
}
