// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-format.h"

#include <string.h>

#include "appliance/control/control-table.h"

static const char full[] =
	"{\"version\":\"0.1.0\",\"uptime_s\":192,"
	"\"room\":{\"state\":\"joined\",\"name\":\"lobby\","
	"\"server\":\"http://127.0.0.1:8080\",\"id\":\"5f3a\",\"retries\":0,"
	"\"next_attempt_s\":null},"
	"\"roomserver\":{\"url\":\"http://127.0.0.1:8080/\",\"clients\":2,"
	"\"rooms\":1,\"refused\":0,\"dropped_slow\":3},"
	"\"video\":{\"state\":\"live\",\"source\":\"test 1280x720@30\","
	"\"muted\":true,\"frames_missed\":0,\"rungs\":["
	"{\"codec\":\"VP8\",\"encoder\":\"libvpx\",\"width\":1280,"
	"\"height\":720,\"target_bps\":2500000,\"takers\":2,"
	"\"frames_in\":5760,\"frames_dropped\":4,\"keyframes\":3,"
	"\"encode_us_p95\":8100}]},"
	"\"audio\":{\"state\":\"live\",\"source\":\"test\",\"muted\":false,"
	"\"level\":20},"
	"\"network\":{\"io\":\"epoll\",\"io_reason\":\"io_uring_setup: "
	"Operation not permitted\",\"gso\":true,\"demux\":\"kernel\","
	"\"syscalls\":500,\"tx_datagrams\":10000,\"tx_errors\":0},"
	"\"peers\":[{\"peerId\":\"abc\",\"agent\":\"Chrome 120\","
	"\"state\":\"connected\",\"ice\":\"completed\",\"codec\":\"VP8\","
	"\"profile\":\"AEAD_AES_128_GCM\",\"rtt_ms\":1.5,"
	"\"target_bps\":2500000,\"loss\":0.05,\"packets\":10000,"
	"\"since\":61,\"pair\":\"host a -> host b\"}],"
	"\"process\":{\"cpu_percent\":12.34,\"rss_kb\":49152,\"threads\":9,"
	"\"fds\":40}}";

static void assert_has(const char *page, const char *text)
{
	if (!strstr(page, text))
		g_error("'%s' is not in:\n%s", text, page);
}

static void test_status(void)
{
	g_autoptr(JsonNode) node = json_from_string(full, NULL);
	g_autofree char *page = ctl_format_status(node, false);
	static const char *const lines[] = {
		"skylinkd 0.1.0, up 3 min 12 s, CPU 12.3 %, 48 MB, 9 threads, "
		"40 files\n",
		"Room      joined lobby at http://127.0.0.1:8080, as 5f3a\n",
		"Server    http://127.0.0.1:8080/, 2 clients, 1 room, 3 "
		"dropped for not reading\n",
		"Video     live, muted: test 1280x720@30\n",
		"VP8  libvpx  1280x720  2.50 Mb/s  2 peers  5.76 k frames  4 "
		"dropped  3 keyframes  p95 8.1 ms\n",
		"Audio     live: test, level -20 dBov\n",
		"Network   epoll (io_uring_setup: Operation not permitted), "
		"GSO, demultiplexed by the kernel, 10 k packets sent, 0.05 "
		"system calls each\n",
		"Peers     1\n",
		"abc   Chrome 120  connected  completed  VP8    "
		"AEAD_AES_128_GCM  1.5 ms  2.50 Mb/s  5.0 %     10 k  1 min "
		"1 s  host a -> host b\n",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_has(page, lines[i]);
	g_assert_null(strchr(page, '\033'));
	/* Nothing is said about what did not happen. */
	g_assert_null(strstr(page, "refused"));
}

/* How the one before ended, and a full disk; nothing of it when all is well. */
static void test_life(void)
{
	static const char *const bad =
		"{\"life\":{\"cause\":\"died\",\"detail\":\"signal KILL\","
		"\"room\":\"lobby\",\"storage\":\"no space left\"}}";
	static const char *const good =
		"{\"life\":{\"cause\":\"stopped\",\"detail\":null,"
		"\"room\":\"lobby\",\"storage\":\"ok\"}}";
	g_autoptr(JsonNode) a = json_from_string(bad, NULL);
	g_autoptr(JsonNode) b = json_from_string(good, NULL);
	g_autofree char *page = ctl_format_status(a, false);
	g_autofree char *quiet = ctl_format_status(b, false);

	assert_has(page, "Before    died: signal KILL, in room lobby\n");
	assert_has(page, "Storage   no space left\n");
	g_assert_null(strstr(quiet, "Before"));
	g_assert_null(strstr(quiet, "Storage"));
}

static void test_color(void)
{
	g_autoptr(JsonNode) node = json_from_string(full, NULL);
	g_autofree char *page = ctl_format_status(node, true);

	assert_has(page, "\033[32mjoined\033[0m");
	assert_has(page, "\033[33mmuted\033[0m");
	assert_has(page, "\033[33m5.0 %\033[0m");
}

/* Whatever a daemon leaves out, or says otherwise, there is a page. */
static void test_devices(void)
{
	g_autoptr(JsonNode) n = json_from_string(
		"[{\"kind\":\"video\",\"source\":\"v4l2:usb-Maker\","
		"\"name\":\"Cam\\u001b[1m\",\"node\":\"/dev/video0\","
		"\"formats\":[{\"fourcc\":\"YUYV\",\"width\":640,"
		"\"height\":480},{\"fourcc\":\"MJPG\",\"width\":640,"
		"\"height\":480},{\"fourcc\":\"MJPG\",\"width\":1280,"
		"\"height\":720},{\"fourcc\":\"MJPG\",\"width\":1280,"
		"\"height\":720}]},"
		"{\"kind\":\"audio\",\"source\":\"test\",\"name\":\"Tone\"}]",
		NULL);
	g_autofree char *page = ctl_format_devices(n, false);

	assert_has(page, "v4l2:usb-Maker");
	assert_has(page, "/dev/video0");
	assert_has(page, "YUYV 640x480, MJPG 1280x720\n");
	assert_has(page, "Tone");
	g_assert_null(strchr(page, 033));
}

static void test_odd_answers(void)
{
	static const char *const odd[] = {
		"{}", "[]", "null", "5", "\"x\"",
		"{\"room\":5,\"video\":[],\"audio\":\"x\",\"network\":null,"
		"\"peers\":{},\"process\":true,\"uptime_s\":\"x\"}",
		"{\"peers\":[1,null,[],{}],\"video\":{\"rungs\":[1,null,{}]},"
		"\"network\":{},\"room\":{\"state\":7},\"roomserver\":{}}",
		"{\"methods\":[1,{},{\"name\":3,\"params\":[1,{}]}],"
		"\"x-events\":[null,{}]}",
		"{\"method\":5,\"params\":[]}",
		"[1,null,{\"name\":[],\"value\":{}},[]]",
		"[{\"formats\":[1,null,{},{\"fourcc\":1,\"width\":\"x\"}]}]",
	};

	for (unsigned int i = 0; i < G_N_ELEMENTS(odd); i++) {
		g_autoptr(JsonNode) n = json_from_string(odd[i], NULL);
		g_autofree char *a = ctl_format_status(n, true);
		g_autofree char *b = ctl_format_peers(n, true);
		g_autofree char *c = ctl_format_config(n, true);
		g_autofree char *devices = ctl_format_devices(n, true);
		g_autofree char *d = ctl_format_methods(n, NULL, true);
		g_autofree char *e = ctl_format_methods(n, "x", true);
		g_autofree char *f = ctl_format_event_list(n, true);
		g_autofree char *g = ctl_format_event(n, "now", true);

		g_assert_nonnull(a);
		g_assert_true(g_str_has_suffix(b, "\n"));
		g_assert_nonnull(c);
		g_assert_nonnull(devices);
		g_assert_nonnull(d);
		g_assert_null(e);
		g_assert_nonnull(f);
		g_assert_true(g_str_has_suffix(g, "\n"));
	}
}

static void test_peers_cannot_write_to_the_terminal(void)
{
	g_autoptr(JsonNode) node = json_from_string(
		"[{\"peerId\":\"a\\u001b[2J\",\"agent\":\"x\\ny\"}]", NULL);
	g_autoptr(JsonNode) event = json_from_string(
		"{\"method\":\"incomingMessage\",\"params\":"
		"{\"message\":\"\\u001b]0;x\\u0007\",\"n\":1}}", NULL);
	g_autofree char *page = ctl_format_peers(node, false);
	g_autofree char *line = ctl_format_event(event, "12:00", false);

	g_assert_null(strchr(page, '\033'));
	assert_has(page, "a?[2J");
	assert_has(page, "x?y");
	g_assert_cmpstr(line, ==,
			"12:00 incomingMessage message=?]0;x? n=1\n");
}

static void test_changes(void)
{
	g_autoptr(JsonNode) node = json_from_string(
		"{\"changed\":[{\"name\":\"video.fps\",\"old\":15,"
		"\"new\":7,\"effect\":\"applied\"},{\"name\":\"room.region\","
		"\"old\":\"\",\"new\":\"s\\u001bg\",\"effect\":\"rejoin\"}],"
		"\"rejoined\":false,\"overridden\":[{\"name\":\"log.level\","
		"\"by\":\"--set\"}]}", NULL);
	g_autoptr(JsonNode) none = json_from_string("{\"changed\":[]}", NULL);
	g_autoptr(JsonNode) diff = json_from_string(
		"{\"set\":[{\"name\":\"video.fps\",\"value\":7,"
		"\"default\":30,\"origin\":\"a:1\"}],\"pending\":["
		"{\"name\":\"network.gso\",\"old\":\"auto\",\"new\":\"off\","
		"\"effect\":\"restart\"}],\"problems\":[\"b:2: wrong\"]}",
		NULL);
	g_autofree char *page = ctl_format_changes(node, false);
	g_autofree char *nothing = ctl_format_changes(none, false);
	g_autofree char *what = ctl_format_config_diff(diff, false);

	g_assert_null(strchr(page, '\033'));
	assert_has(page, "video.fps    15   7    applied\n");
	assert_has(page, "room.region       s?g  rejoin\n");
	assert_has(page, "--rejoin");
	assert_has(page, "log.level stays as the command line's --set says");
	g_assert_null(strstr(page, "restart"));
	g_assert_cmpstr(nothing, ==, "Nothing changes.\n");
	assert_has(what, "video.fps  30       7      a:1\n");
	assert_has(what, "Not in force:\nNAME");
	assert_has(what, "network.gso  auto  off  restart\nrestart: ");
	assert_has(what, "\nb:2: wrong\n");
}

static void test_methods(void)
{
	const ControlMethod *const tables[] = {control_methods};
	g_autoptr(JsonNode) node = control_table_discover(
		tables, 1, control_events, NULL, NULL);
	g_autofree char *all = ctl_format_methods(node, NULL, false);
	g_autofree char *one = ctl_format_methods(node, "joinRoom", false);
	g_autofree char *events = ctl_format_event_list(node, false);

	for (const ControlMethod *m = control_methods; m->name; m++)
		assert_has(all, m->name);
	for (const ControlEvent *e = control_events; e->name; e++)
		assert_has(events, e->name);
	assert_has(one, "joinRoom [room] [options]\n");
	assert_has(one, "operate");
	g_assert_null(ctl_format_methods(node, "zzz", false));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-format/status", test_status);
	g_test_add_func("/ctl-format/color", test_color);
	g_test_add_func("/ctl-format/life", test_life);
	g_test_add_func("/ctl-format/odd", test_odd_answers);
	g_test_add_func("/ctl-format/safe",
			test_peers_cannot_write_to_the_terminal);
	g_test_add_func("/ctl-format/devices", test_devices);
	g_test_add_func("/ctl-format/changes", test_changes);
	g_test_add_func("/ctl-format/methods", test_methods);
	return g_test_run();
}
