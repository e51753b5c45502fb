// SPDX-License-Identifier: Apache-2.0
#include "appliance/metrics/metrics-text.h"

#include <string.h>

#define STATUS                                                                \
	"{\"version\":\"0.1.0\",\"uptime_s\":61,\"transfers\":2,"            \
	"\"room\":{\"state\":\"joined\",\"joins\":3,\"retries\":0},"        \
	"\"roomserver\":null,"                                               \
	"\"video\":{\"frames_captured\":900,\"muted\":false,\"rungs\":["    \
	"{\"codec\":\"VP8\",\"target_bps\":2500000,\"frames_in\":7,"        \
	"\"encode_us_p95\":12500},"                                          \
	"{\"codec\":\"H264\",\"target_bps\":300000,\"frames_in\":8}]},"     \
	"\"network\":{\"sent_us_p95\":1500,\"tx_bytes\":9007199254740991},"  \
	"\"peers\":["                                                        \
	"{\"peerId\":\"a\\\"b\\\\c\\nd\",\"state\":\"connected\","          \
	"\"loss\":0.015625,\"rtt_ms\":null,\"limited\":\"congestion\","     \
	"\"rtc\":{\"videoBytes\":77}},"                                      \
	"{\"peerId\":\"\\u00e4\",\"state\":\"connecting\",\"rtt_ms\":20}],"  \
	"\"process\":{\"cpu_ms\":1500,\"rss_kb\":2,\"fds\":9}}"

/* --- the format, strictly -------------------------------------------------- */
struct reader {
	GHashTable *families;	/* name -> type */
	GHashTable *samples;	/* name and labels, each once */
	char *family, *help;	/* the one that is open */
};

static gboolean is_name(const char *s, gsize n)
{
	for (gsize i = 0; i < n; i++)
		if (!(g_ascii_isalpha(s[i]) || s[i] == '_' || s[i] == ':' ||
		      (i && g_ascii_isdigit(s[i]))))
			return FALSE;
	return n > 0;
}

/* {name="value",...}; the escapes \\ \" \n and no others. Return: behind it */
static const char *read_labels(const char *p)
{
	do {
		gsize n = strcspn(++p, "=");

		g_assert_true(is_name(p, n));
		p += n + 1;
		g_assert_cmpint(*p++, ==, '"');
		for (; *p != '"'; p++) {
			g_assert_cmpint(*p, !=, '\0');
			if (*p == '\\') {
				p++;
				g_assert_nonnull(strchr("\\\"n", *p));
			}
		}
		p++;
	} while (*p == ',');
	g_assert_cmpint(*p, ==, '}');
	return p + 1;
}

static void read_comment(struct reader *r, const char *line)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 4);

	g_assert_cmpuint(g_strv_length(words), ==, 4);
	g_assert_cmpstr(words[0], ==, "#");
	g_assert_true(is_name(words[2], strlen(words[2])));
	if (!strcmp(words[1], "HELP")) {
		/* A family stands in one piece. */
		g_assert_false(g_hash_table_contains(r->families, words[2]));
		g_assert_cmpuint(strlen(words[3]), >, 0);
		g_free(r->help);
		r->help = g_strdup(words[2]);
		return;
	}
	g_assert_cmpstr(words[1], ==, "TYPE");
	g_assert_cmpstr(words[2], ==, r->help);
	g_assert_true(!strcmp(words[3], "gauge") ||
		      !strcmp(words[3], "counter"));
	g_assert_cmpint(!strcmp(words[3], "counter"), ==,
			g_str_has_suffix(words[2], "_total"));
	g_free(r->family);
	r->family = g_strdup(words[2]);
	g_hash_table_insert(r->families, g_strdup(words[2]),
			    g_strdup(words[3]));
}

static void read_sample(struct reader *r, const char *line)
{
	gsize n = strcspn(line, "{ ");
	const char *p = line + n;
	g_autofree char *key = NULL;
	char *end;

	g_assert_true(is_name(line, n));
	g_assert_cmpuint(n, ==, strlen(r->family));
	g_assert_cmpint(memcmp(line, r->family, n), ==, 0);
	if (*p == '{')
		p = read_labels(p);
	key = g_strndup(line, (gsize) (p - line));
	g_assert_true(g_hash_table_add(r->samples, g_steal_pointer(&key)));
	g_assert_cmpint(*p, ==, ' ');
	g_ascii_strtod(p + 1, &end);
	g_assert_true(end > p + 1 && !*end);
}

/* Return: how many samples. */
static guint check_format(const char *text)
{
	struct reader r = {
		.families = g_hash_table_new_full(g_str_hash, g_str_equal,
						  g_free, g_free),
		.samples = g_hash_table_new_full(g_str_hash, g_str_equal,
						 g_free, NULL),
	};
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint last = g_strv_length(lines) - 1, n;

	g_assert_true(g_utf8_validate(text, -1, NULL));
	g_assert_cmpstr(lines[last], ==, "");	/* ends with a line's end */
	for (guint i = 0; i < last; i++) {
		if (lines[i][0] == '#')
			read_comment(&r, lines[i]);
		else
			read_sample(&r, lines[i]);
	}
	n = g_hash_table_size(r.samples);
	g_hash_table_unref(r.families);
	g_hash_table_unref(r.samples);
	g_free(r.family);
	g_free(r.help);
	return n;
}

static char *make(const char *json)
{
	g_autoptr(JsonNode) status = json_from_string(json, NULL);

	g_assert_nonnull(status);
	return metrics_text_make(status);
}

static void assert_line(const char *text, const char *line)
{
	g_autofree char *whole = g_strdup_printf("\n%s\n", line);

	if (!strstr(text, whole))
		g_error("'%s' is not in\n%s", line, text);
}

static void test_lines(void)
{
	g_autofree char *text = make(STATUS);

	g_assert_cmpuint(check_format(text), >, 30);
	assert_line(text, "skylink_build_info{version=\"0.1.0\"} 1");
	assert_line(text, "skylink_uptime_seconds 61");
	assert_line(text, "skylink_transfers 2");
	assert_line(text, "skylink_room_state{state=\"joined\"} 1");
	assert_line(text, "skylink_room_state{state=\"waiting\"} 0");
	assert_line(text, "skylink_video_muted 0");
	assert_line(text, "skylink_rung_encode_p95_seconds{codec=\"VP8\"} "
			  "0.0125");
	assert_line(text, "skylink_rung_frames_in_total{codec=\"H264\"} 8");
	assert_line(text, "skylink_sent_latency_p95_seconds 0.0015");
	assert_line(text, "skylink_network_sent_bytes_total 9007199254740991");
	assert_line(text, "process_resident_memory_bytes 2048");
	assert_line(text, "process_cpu_seconds_total 1.5");
	assert_line(text, "skylink_peers 2");
	assert_line(text, "skylink_peer_loss_ratio{peer=\"a\\\"b\\\\c\\nd\"} "
			  "0.015625");
	assert_line(text, "skylink_peer_rtt_seconds{peer=\"\303\244\"} 0.02");
	assert_line(text, "skylink_peer_video_sent_bytes_total"
			  "{peer=\"a\\\"b\\\\c\\nd\"} 77");
	assert_line(text, "skylink_peer_limited{peer=\"a\\\"b\\\\c\\nd\","
			  "reason=\"congestion\"} 1");
	assert_line(text, "skylink_peer_connected{peer=\"\303\244\"} 0");
	/* null is nothing, and what is not there is left out */
	g_assert_null(strstr(text, "skylink_peer_rtt_seconds{peer=\"a"));
	g_assert_null(strstr(text, "roomserver"));
}

static void test_odd_statuses(void)
{
	static const char *const odd[] = {
		"{}", "[]", "null",
		"{\"room\":[],\"peers\":{},\"video\":{\"rungs\":[1,null]}}",
		"{\"room\":{\"joins\":\"many\",\"state\":5},\"peers\":[]}",
	};

	for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
		g_autofree char *text = make(odd[i]);

		g_assert_cmpuint(check_format(text), ==, 8);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/metrics-text/lines", test_lines);
	g_test_add_func("/metrics-text/odd", test_odd_statuses);
	return g_test_run();
}
