// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-format.h"

#include <string.h>

#include "appliance/ctl/ctl-format-private.h"
#include "appliance/ctl/ctl-text.h"

/* --- lines ----------------------------------------------------------------- */
#define LABEL_COLUMNS 10

static void label(GString *s, bool color, const char *text)
{
	ctl_text_paint(s, color, CTL_BOLD, text);
	g_string_append_printf(s, "%*s",
			       (int) (LABEL_COLUMNS - strlen(text)), "");
}

/* "1 peer", "2 peers": @many without its last letter for one. */
static char *count_of(double n, const char *many)
{
	g_autofree char *count = ctl_text_count(n);
	size_t len = strlen(many);

	if (n == 1 && len && many[len - 1] == 's')
		len--;
	return g_strdup_printf("%s %.*s", count, (int) len, many);
}

/* Appends ", 12 text" if the member is a number; zero only if @zero. */
static void append_count(GString *s, JsonObject *o, const char *name,
			 const char *text, bool zero)
{
	g_autofree char *count = NULL;
	double n;

	if (!get_number(o, name, &n) || (n == 0 && !zero))
		return;
	count = count_of(n, text);
	g_string_append_printf(s, ", %s", count);
}

static enum ctl_color state_color(const char *state)
{
	static const char *const good[] = {"live", "joined", "connected",
					   "completed", NULL};
	static const char *const bad[] = {"failed", "disconnected", NULL};
	static const char *const plain[] = {"idle", "new", "closed", "", NULL};

	return g_strv_contains(good, state)    ? CTL_GOOD
	       : g_strv_contains(bad, state)   ? CTL_BAD
	       : g_strv_contains(plain, state) ? CTL_PLAIN
					       : CTL_WARN;
}

static void append_state(GString *s, JsonObject *o, bool color)
{
	g_autofree char *state = safe(o, "state");

	ctl_text_paint(s, color, state_color(state),
		       state[0] ? state : "unknown");
	if (is_true(o, "muted")) {
		g_string_append(s, ", ");
		ctl_text_paint(s, color, CTL_WARN, "muted");
	}
}

static void status_process(GString *s, JsonObject *o, bool color)
{
	JsonObject *p = get_object(o, "process");
	double n;

	ctl_text_paint(s, color, CTL_BOLD, "skylinkd");
	append_text(s, " ", o, "version");
	if (get_number(o, "uptime_s", &n)) {
		g_autofree char *up = ctl_text_duration(n);

		g_string_append_printf(s, ", up %s", up);
	}
	if (get_number(p, "cpu_percent", &n))
		g_string_append_printf(s, ", CPU %.1f %%", n);
	if (get_number(p, "rss_kb", &n)) {
		g_autofree char *memory = ctl_text_memory(n);

		g_string_append_printf(s, ", %s", memory);
	}
	append_count(s, p, "threads", "threads", true);
	append_count(s, p, "fds", "files", true);
	append_text(s, ", without Landlock: ", get_object(p, "landlock"),
		    "reason");
	g_string_append_c(s, '\n');
}

static void status_room(GString *s, JsonObject *o, bool color)
{
	JsonObject *r = get_object(o, "room");
	double n;

	label(s, color, "Room");
	append_state(s, r, color);
	append_text(s, " ", r, "name");
	append_text(s, " at ", r, "server");
	append_text(s, ", as ", r, "id");
	if (get_number(r, "retries", &n) && n > 0)
		g_string_append_printf(s, ", %.0f failed attempts", n);
	if (get_number(r, "next_attempt_s", &n)) {
		g_autofree char *next = ctl_text_duration(n);

		g_string_append_printf(s, ", next in %s", next);
	}
	g_string_append_c(s, '\n');
	for (unsigned int i = 0; i < 2; i++) {
		g_autofree char *text = safe(r, i ? "hint" : "error");

		if (text[0]) {
			g_string_append_printf(s, "%*s", LABEL_COLUMNS, "");
			ctl_text_paint(s, color, i ? CTL_DIM : CTL_WARN, text);
			g_string_append_c(s, '\n');
		}
	}
}

/* How the daemon before this one ended, when that was no good end; and whether
 * something can be kept for the next. */
static void status_life(GString *s, JsonObject *o, bool color)
{
	JsonObject *l = get_object(o, "life");
	g_autofree char *cause = safe(l, "cause");
	g_autofree char *storage = safe(l, "storage");

	if (cause[0] && strcmp(cause, "first") && strcmp(cause, "stopped")) {
		label(s, color, "Before");
		ctl_text_paint(s, color, CTL_WARN, cause);
		append_text(s, ": ", l, "detail");
		append_text(s, ", in room ", l, "room");
		append_text(s, "; its state was put aside: ", l, "aside");
		g_string_append_c(s, '\n');
	}
	if (storage[0] && strcmp(storage, "ok") && strcmp(storage, "off")) {
		label(s, color, "Storage");
		ctl_text_paint(s, color, CTL_WARN, storage);
		g_string_append_c(s, '\n');
	}
}

static void status_restart(GString *s, JsonObject *o, bool color)
{
	JsonObject *r = get_object(o, "restart");
	g_autofree char *state = safe(r, "state");
	double n;

	if (!r || !strcmp(state, "none"))
		return;
	label(s, color, "Restart");
	ctl_text_paint(s, color, CTL_WARN, state);
	if (get_number(r, "asked_s", &n)) {
		g_autofree char *since = ctl_text_duration(n);

		g_string_append_printf(s, " for its room to be idle, since %s",
				       since);
	}
	append_count(s, r, "peers", "peers", false);
	append_count(s, r, "transfers", "transfers", false);
	g_string_append_c(s, '\n');
}

static void status_room_server(GString *s, JsonObject *o, bool color)
{
	JsonObject *r = get_object(o, "roomserver");
	g_autofree char *url = safe(r, "url");
	g_autofree char *fingerprint = safe(r, "fingerprint");

	if (!r)
		return;
	label(s, color, "Server");
	g_string_append(s, url);
	append_count(s, r, "clients", "clients", true);
	append_count(s, r, "rooms", "rooms", true);
	append_count(s, r, "refused", "refused", false);
	append_count(s, r, "logins_failed", "failed logins", false);
	append_count(s, r, "dropped_slow", "dropped for not reading", false);
	append_count(s, r, "timeouts", "timeouts", false);
	append_count(s, r, "bad_messages", "bad messages", false);
	g_string_append_c(s, '\n');
	if (fingerprint && *fingerprint)
		g_string_append_printf(s, "%*shttps with SHA-256 %s\n",
				       LABEL_COLUMNS, "", fingerprint);
}

static char *rung_size(JsonObject *r)
{
	double w, h;

	return get_number(r, "width", &w) && get_number(r, "height", &h)
		       ? g_strdup_printf("%.0fx%.0f", w, h) : g_strdup("");
}

static char *format_member(JsonObject *o, const char *name,
			   char *(*format)(double))
{
	double n;

	return get_number(o, name, &n) ? format(n) : g_strdup("");
}

static char *count_member(JsonObject *o, const char *name, const char *many)
{
	double n;

	return get_number(o, name, &n) ? count_of(n, many) : g_strdup("");
}

static void add_rung(struct ctl_columns *t, JsonObject *r)
{
	double n;

	ctl_columns_take(t, CTL_PLAIN, false, safe(r, "codec"));
	ctl_columns_take(t, CTL_PLAIN, false, safe(r, "encoder"));
	ctl_columns_take(t, CTL_PLAIN, false, rung_size(r));
	ctl_columns_take(t, CTL_PLAIN, true,
			 format_member(r, "target_bps", ctl_text_rate));
	ctl_columns_take(t, CTL_PLAIN, true,
			 count_member(r, "takers", "peers"));
	ctl_columns_take(t, CTL_PLAIN, true,
			 count_member(r, "frames_in", "frames"));
	ctl_columns_take(t, get_number(r, "frames_dropped", &n) && n > 0
				    ? CTL_WARN : CTL_PLAIN, true,
			 count_member(r, "frames_dropped", "dropped"));
	ctl_columns_take(t, CTL_PLAIN, true,
			 count_member(r, "keyframes", "keyframes"));
	ctl_columns_take(t, CTL_PLAIN, true,
			 get_number(r, "encode_us_p95", &n)
				 ? g_strdup_printf("p95 %.1f ms", n / 1000)
				 : g_strdup(""));
}

static void status_video(GString *s, JsonObject *o, bool color)
{
	JsonObject *v = get_object(o, "video");
	JsonArray *rungs = get_array(v, "rungs");
	unsigned int n = rungs ? json_array_get_length(rungs) : 0;
	struct ctl_columns *t;

	label(s, color, "Video");
	if (!v) {
		g_string_append(s, "none\n");
		return;
	}
	append_state(s, v, color);
	append_text(s, ": ", v, "source");
	append_text(s, "; ", v, "detail");
	append_count(s, v, "frames_missed", "frames missed", false);
	g_string_append_c(s, '\n');
	t = ctl_columns_new(9);
	for (unsigned int i = 0; i < n; i++)
		add_rung(t, as_object(json_array_get_element(rungs, i)));
	ctl_columns_print(t, s, "          ", color);
	ctl_columns_free(t);
}

static void status_audio(GString *s, JsonObject *o, bool color)
{
	JsonObject *a = get_object(o, "audio");
	double n;

	label(s, color, "Audio");
	if (!a) {
		g_string_append(s, "none\n");
		return;
	}
	append_state(s, a, color);
	append_text(s, ": ", a, "source");
	append_text(s, "; ", a, "detail");
	if (get_number(a, "level", &n) && n < 127)
		g_string_append_printf(s, ", level %.0f dBov", -n);
	append_count(s, a, "overruns", "overruns", false);
	append_count(s, a, "samples_lost", "samples lost", false);
	g_string_append_c(s, '\n');
}

static void status_network(GString *s, JsonObject *o, bool color)
{
	JsonObject *n = get_object(o, "network");
	const char *demux = get_string(n, "demux");
	g_autofree char *reason = safe(n, "io_reason");
	double datagrams, syscalls;

	if (!n)
		return;
	label(s, color, "Network");
	append_text(s, "", n, "io");
	if (reason[0]) {
		g_string_append(s, " (");
		ctl_text_paint(s, color, CTL_WARN, reason);
		g_string_append_c(s, ')');
	}
	g_string_append(s, is_true(n, "gso") ? ", GSO" : ", no GSO");
	if (demux && !strcmp(demux, "kernel"))
		g_string_append(s, ", demultiplexed by the kernel");
	else if (demux && !strcmp(demux, "callback"))
		g_string_append(s, ", demultiplexed by libnice");
	append_text(s, " (", n, "demux_reason");
	if (get_string(n, "demux_reason"))
		g_string_append_c(s, ')');
	append_count(s, n, "tx_datagrams", "packets sent", true);
	if (get_number(n, "tx_datagrams", &datagrams) &&
	    get_number(n, "syscalls", &syscalls) && datagrams > 0)
		g_string_append_printf(s, ", %.2f system calls each",
				       syscalls / datagrams);
	append_count(s, n, "tx_errors", "errors", false);
	append_count(s, n, "tx_gso_refused", "refused by GSO", false);
	append_count(s, n, "tx_no_buffer", "without a buffer", false);
	append_count(s, n, "units_dropped", "units dropped", false);
	g_string_append_c(s, '\n');
}

/* --- peers ----------------------------------------------------------------- */
static void add_loss(struct ctl_columns *t, JsonObject *p)
{
	double n;
	bool known = get_number(p, "loss", &n);

	ctl_columns_take(t, known && n > 0.02 ? CTL_WARN : CTL_PLAIN, true,
			 known ? g_strdup_printf("%.1f %%", n * 100)
			       : g_strdup(""));
}

static void add_peer(struct ctl_columns *t, JsonObject *p)
{
	char *state = safe(p, "state"), *ice = safe(p, "ice");
	enum ctl_color state_is = state_color(state), ice_is = state_color(ice);
	double n;

	ctl_columns_take(t, CTL_BOLD, false, safe(p, "peerId"));
	ctl_columns_take(t, CTL_PLAIN, false, safe(p, "agent"));
	ctl_columns_take(t, state_is, false, state);
	ctl_columns_take(t, ice_is, false, ice);
	ctl_columns_take(t, CTL_PLAIN, false, safe(p, "codec"));
	ctl_columns_take(t, CTL_PLAIN, false, safe(p, "profile"));
	ctl_columns_take(t, CTL_PLAIN, true,
			 get_number(p, "rtt_ms", &n)
				 ? g_strdup_printf("%.1f ms", n)
				 : g_strdup(""));
	ctl_columns_take(t, CTL_PLAIN, true,
			 format_member(p, "target_bps", ctl_text_rate));
	add_loss(t, p);
	ctl_columns_take(t, CTL_PLAIN, true,
			 format_member(p, "packets", ctl_text_count));
	ctl_columns_take(t, CTL_PLAIN, true,
			 format_member(p, "since", ctl_text_duration));
	ctl_columns_take(t, CTL_DIM, false, safe(p, "pair"));
}

static void append_peers(GString *s, JsonArray *peers, const char *indent,
			 bool color)
{
	static const struct {
		const char *title;
		bool right;
	} head[] = {
		{"PEER", false}, {"AGENT", false}, {"STATE", false},
		{"ICE", false},	 {"CODEC", false}, {"PROFILE", false},
		{"RTT", true},	 {"TARGET", true}, {"LOSS", true},
		{"PACKETS", true}, {"SINCE", true}, {"PATH", false},
	};
	struct ctl_columns *t = ctl_columns_new(G_N_ELEMENTS(head));

	for (unsigned int i = 0; i < G_N_ELEMENTS(head); i++)
		ctl_columns_take(t, CTL_DIM, head[i].right,
				 g_strdup(head[i].title));
	for (unsigned int i = 0; i < json_array_get_length(peers); i++)
		add_peer(t, as_object(json_array_get_element(peers, i)));
	ctl_columns_print(t, s, indent, color);
	ctl_columns_free(t);
}

char *ctl_format_peers(JsonNode *peers, bool color)
{
	GString *s = g_string_new(NULL);
	JsonArray *array = peers && JSON_NODE_HOLDS_ARRAY(peers)
				   ? json_node_get_array(peers) : NULL;

	if (!array || !json_array_get_length(array))
		g_string_append(s, "Nobody else is here.\n");
	else
		append_peers(s, array, "", color);
	return g_string_free(s, FALSE);
}

char *ctl_format_status(JsonNode *status, bool color)
{
	JsonObject *o = as_object(status);
	JsonArray *peers = get_array(o, "peers");
	unsigned int n = peers ? json_array_get_length(peers) : 0;
	GString *s = g_string_new(NULL);

	status_process(s, o, color);
	status_room(s, o, color);
	status_life(s, o, color);
	status_restart(s, o, color);
	ctl_format_life_lines(s, o, color);
	status_room_server(s, o, color);
	status_video(s, o, color);
	status_audio(s, o, color);
	status_network(s, o, color);
	label(s, color, "Peers");
	g_string_append_printf(s, "%u\n", n);
	if (n)
		append_peers(s, peers, "  ", color);
	return g_string_free(s, FALSE);
}

/* --- top --------------------------------------------------------------------- */
/* Of the same object in both statuses: how much a counter grows a second. */
static bool get_rate(JsonObject *before, JsonObject *now, const char *name,
		     double seconds, double *ret)
{
	double a, b;

	if (seconds <= 0 || !get_number(before, name, &a) ||
	    !get_number(now, name, &b) || b < a)
		return false;
	*ret = (b - a) / seconds;
	return true;
}

/* The one with that text in the member, or NULL. */
static JsonObject *find_in(JsonArray *array, const char *name, const char *text)
{
	unsigned int n = array && text ? json_array_get_length(array) : 0;

	for (unsigned int i = 0; i < n; i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));

		if (!g_strcmp0(get_string(o, name), text))
			return o;
	}
	return NULL;
}

static void take_rate(struct ctl_columns *t, JsonObject *before,
		      JsonObject *now, const char *name, double seconds,
		      double factor, char *(*format)(double))
{
	double n;

	ctl_columns_take(t, CTL_PLAIN, true,
			 get_rate(before, now, name, seconds, &n)
				 ? format(n * factor) : g_strdup("-"));
}

static char *per_second(double n)
{
	return g_strdup_printf("%.1f/s", n);
}

static void take_titles(struct ctl_columns *t, const char *const *titles,
			unsigned int n_left)
{
	for (unsigned int i = 0; titles[i]; i++)
		ctl_columns_take(t, CTL_DIM, i >= n_left, g_strdup(titles[i]));
}

static void top_rungs(GString *s, JsonObject *before, JsonObject *now,
		      double seconds, bool color)
{
	static const char *const titles[] = {"ENCODER", "SIZE", "TARGET",
					     "RATE", "FRAMES", "DROPPED",
					     "ENCODE P95", "PEERS", NULL};
	JsonArray *rungs = get_array(get_object(now, "video"), "rungs");
	JsonArray *old = get_array(get_object(before, "video"), "rungs");
	unsigned int n = rungs ? json_array_get_length(rungs) : 0;
	struct ctl_columns *t = ctl_columns_new(G_N_ELEMENTS(titles) - 1);

	take_titles(t, titles, 1);
	for (unsigned int i = 0; i < n; i++) {
		JsonObject *r = as_object(json_array_get_element(rungs, i));
		JsonObject *was = find_in(old, "codec", get_string(r, "codec"));
		double us;

		ctl_columns_take(t, CTL_BOLD, false, safe(r, "codec"));
		ctl_columns_take(t, CTL_PLAIN, true, rung_size(r));
		ctl_columns_take(t, CTL_PLAIN, true, format_member(
			r, "target_bps", ctl_text_rate));
		take_rate(t, was, r, "bytes_out", seconds, 8, ctl_text_rate);
		take_rate(t, was, r, "units_out", seconds, 1, per_second);
		take_rate(t, was, r, "frames_dropped", seconds, 1, per_second);
		ctl_columns_take(t, CTL_PLAIN, true,
				 get_number(r, "encode_us_p95", &us)
					 ? g_strdup_printf("%.1f ms", us / 1000)
					 : g_strdup(""));
		ctl_columns_take(t, CTL_PLAIN, true, format_member(
			r, "takers", ctl_text_count));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
}

static void top_peers(GString *s, JsonObject *before, JsonObject *now,
		      double seconds, bool color)
{
	static const char *const titles[] = {"PEER", "STATE", "LIMITED",
					     "TARGET", "VIDEO", "AUDIO",
					     "FRAMES", "LOSS", "RTT", NULL};
	JsonArray *peers = get_array(now, "peers");
	JsonArray *old = get_array(before, "peers");
	unsigned int n = peers ? json_array_get_length(peers) : 0;
	struct ctl_columns *t = ctl_columns_new(G_N_ELEMENTS(titles) - 1);

	take_titles(t, titles, 3);
	for (unsigned int i = 0; i < n; i++) {
		JsonObject *p = as_object(json_array_get_element(peers, i));
		JsonObject *was = get_object(
			find_in(old, "peerId", get_string(p, "peerId")), "rtc");
		JsonObject *rtc = get_object(p, "rtc");
		char *state = safe(p, "state");
		double ms;

		ctl_columns_take(t, CTL_BOLD, false, safe(p, "peerId"));
		ctl_columns_take(t, state_color(state), false, state);
		ctl_columns_take(t, CTL_PLAIN, false, safe(p, "limited"));
		ctl_columns_take(t, CTL_PLAIN, true, format_member(
			p, "target_bps", ctl_text_rate));
		take_rate(t, was, rtc, "videoBytes", seconds, 8,
			  ctl_text_rate);
		take_rate(t, was, rtc, "audioBytes", seconds, 8,
			  ctl_text_rate);
		take_rate(t, was, rtc, "videoFrames", seconds, 1, per_second);
		add_loss(t, p);
		ctl_columns_take(t, CTL_PLAIN, true,
				 get_number(p, "rtt_ms", &ms)
					 ? g_strdup_printf("%.1f ms", ms)
					 : g_strdup(""));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
}

static void top_latency(GString *s, JsonObject *now, bool color)
{
	JsonObject *n = get_object(now, "network");
	double median, p95;

	if (!get_number(n, "sent_us_median", &median) ||
	    !get_number(n, "sent_us_p95", &p95) || p95 <= 0)
		return;
	label(s, color, "Latency");
	g_string_append_printf(s, "capture to last packet: %.1f ms, p95 %.1f "
			       "ms\n", median / 1000, p95 / 1000);
}

char *ctl_format_top(JsonNode *before, JsonNode *status, double seconds,
		     bool color)
{
	JsonObject *was = as_object(before), *now = as_object(status);
	GString *s = g_string_new(NULL);

	status_process(s, now, color);
	status_room(s, now, color);
	top_latency(s, now, color);
	g_string_append_c(s, '\n');
	top_rungs(s, was, now, seconds, color);
	g_string_append_c(s, '\n');
	top_peers(s, was, now, seconds, color);
	return g_string_free(s, FALSE);
}
