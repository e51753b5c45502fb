// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-format.h"

#include <string.h>

#include "appliance/ctl/ctl-text.h"

/* --- members that may be missing ------------------------------------------ */
static JsonObject *as_object(JsonNode *node)
{
	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
						    : NULL;
}

static JsonObject *get_object(JsonObject *o, const char *name)
{
	return o ? as_object(json_object_get_member(o, name)) : NULL;
}

static JsonArray *get_array(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
						   : NULL;
}

static const char *get_string(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) &&
			       json_node_get_value_type(node) == G_TYPE_STRING
		       ? json_node_get_string(node) : NULL;
}

static bool get_number(JsonObject *o, const char *name, double *ret)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;
	GType type = node && JSON_NODE_HOLDS_VALUE(node)
			     ? json_node_get_value_type(node) : G_TYPE_INVALID;

	if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
		return false;
	*ret = json_node_get_double(node);
	return true;
}

static bool is_true(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node && JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(node);
}

/* "", or what it says, fit for a terminal. */
static char *safe(JsonObject *o, const char *name)
{
	const char *text = get_string(o, name);

	return ctl_text_safe(text ? text : "");
}

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

static void append_text(GString *s, const char *before, JsonObject *o,
			const char *name)
{
	g_autofree char *text = safe(o, name);

	if (text[0])
		g_string_append_printf(s, "%s%s", before, text);
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

/* --- configuration, methods, events --------------------------------------- */
char *ctl_format_json(JsonNode *node)
{
	g_autofree char *text = json_to_string(node, TRUE);

	return g_strconcat(text, "\n", NULL);
}

static char *plain_value(JsonNode *node)
{
	g_autofree char *text = NULL;

	if (!node || JSON_NODE_HOLDS_NULL(node))
		return g_strdup("");
	if (JSON_NODE_HOLDS_VALUE(node) &&
	    json_node_get_value_type(node) == G_TYPE_STRING)
		return ctl_text_safe(json_node_get_string(node));
	text = json_to_string(node, FALSE);
	return ctl_text_safe(text);
}

char *ctl_format_config(JsonNode *options, bool color)
{
	GString *s = g_string_new(NULL);
	struct ctl_columns *t = ctl_columns_new(3);
	JsonArray *array = options && JSON_NODE_HOLDS_ARRAY(options)
				   ? json_node_get_array(options) : NULL;

	for (unsigned int i = 0; array && i < json_array_get_length(array);
	     i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));
		const char *origin = get_string(o, "origin");
		bool set = origin && strcmp(origin, "default");

		ctl_columns_take(t, set ? CTL_BOLD : CTL_PLAIN, false,
				 safe(o, "name"));
		ctl_columns_take(t, CTL_PLAIN, false,
				 plain_value(o ? json_object_get_member(
							 o, "value") : NULL));
		ctl_columns_take(t, CTL_DIM, false, safe(o, "origin"));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	return g_string_free(s, FALSE);
}

static void take_member(struct ctl_columns *t, enum ctl_color color,
			JsonObject *o, const char *name)
{
	ctl_columns_take(t, color, false,
			 plain_value(o ? json_object_get_member(o, name)
				       : NULL));
}

static void take_heads(struct ctl_columns *t, const char *const *heads)
{
	for (; *heads; heads++)
		ctl_columns_take(t, CTL_DIM, false, g_strdup(*heads));
}

static unsigned int length(JsonArray *array)
{
	return array ? json_array_get_length(array) : 0;
}

/* What is still to be done stands below. */
static void append_changes(GString *s, JsonArray *changed, bool color)
{
	static const char *const heads[] = {"NAME", "OLD", "NEW", "EFFECT",
					    NULL};
	struct ctl_columns *t = ctl_columns_new(4);
	bool rejoin = false, restart = false;

	take_heads(t, heads);
	for (unsigned int i = 0; i < length(changed); i++) {
		JsonObject *o = as_object(json_array_get_element(changed, i));
		const char *effect = get_string(o, "effect");
		bool applied = effect && !strcmp(effect, "applied");

		rejoin |= effect && !strcmp(effect, "rejoin");
		restart |= effect && !strcmp(effect, "restart");
		take_member(t, CTL_BOLD, o, "name");
		take_member(t, CTL_PLAIN, o, "old");
		take_member(t, CTL_PLAIN, o, "new");
		take_member(t, applied ? CTL_GOOD : CTL_WARN, o, "effect");
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	if (rejoin)
		g_string_append(s, "rejoin: with the next join; 'skylinkctl "
				   "config reload --rejoin' does it now.\n");
	if (restart)
		g_string_append(s, "restart: with the daemon's next start.\n");
}

char *ctl_format_changes(JsonNode *result, bool color)
{
	JsonObject *o = as_object(result);
	JsonArray *changed = get_array(o, "changed");
	JsonArray *overridden = get_array(o, "overridden");
	GString *s = g_string_new(NULL);

	if (length(changed))
		append_changes(s, changed, color);
	else
		g_string_append(s, "Nothing changes.\n");
	for (unsigned int i = 0; i < length(overridden); i++) {
		JsonObject *e = as_object(json_array_get_element(overridden,
								 i));
		g_autofree char *name = safe(e, "name"), *by = safe(e, "by");

		g_string_append_printf(s, "%s stays as the command line's %s "
					  "says.\n", name, by);
	}
	if (o && json_object_get_boolean_member_with_default(o, "rejoined",
							     FALSE))
		g_string_append(s, "The room is joined again.\n");
	if (o && json_object_get_boolean_member_with_default(o, "dryRun",
							     FALSE))
		g_string_append(s, "Nothing was done: --dry-run.\n");
	return g_string_free(s, FALSE);
}

char *ctl_format_config_diff(JsonNode *result, bool color)
{
	static const char *const heads[] = {"NAME", "DEFAULT", "VALUE", "FROM",
					    NULL};
	JsonObject *o = as_object(result);
	JsonArray *set = get_array(o, "set");
	JsonArray *pending = get_array(o, "pending");
	JsonArray *problems = get_array(o, "problems");
	struct ctl_columns *t = ctl_columns_new(4);
	GString *s = g_string_new(NULL);

	take_heads(t, heads);
	for (unsigned int i = 0; i < length(set); i++) {
		JsonObject *e = as_object(json_array_get_element(set, i));

		take_member(t, CTL_BOLD, e, "name");
		take_member(t, CTL_DIM, e, "default");
		take_member(t, CTL_PLAIN, e, "value");
		take_member(t, CTL_DIM, e, "origin");
	}
	if (length(set))
		ctl_columns_print(t, s, "", color);
	else
		g_string_append(s, "All is as by default.\n");
	ctl_columns_free(t);
	if (length(pending)) {
		g_string_append(s, "\nNot in force:\n");
		append_changes(s, pending, color);
	}
	if (length(problems))
		g_string_append(s, "\nWrong, so that nothing is reloaded:\n");
	for (unsigned int i = 0; i < length(problems); i++) {
		g_autofree char *text =
			plain_value(json_array_get_element(problems, i));

		g_string_append_printf(s, "%s\n", text);
	}
	return g_string_free(s, FALSE);
}

/* "joinRoom [room] [options]" */
static char *method_synopsis(JsonObject *m)
{
	g_autofree char *name = safe(m, "name");
	GString *s = g_string_new(name);
	JsonArray *params = get_array(m, "params");

	for (unsigned int i = 0; params && i < json_array_get_length(params);
	     i++) {
		JsonObject *p = as_object(json_array_get_element(params, i));
		g_autofree char *param = safe(p, "name");

		g_string_append_printf(s, is_true(p, "required") ? " %s"
								 : " [%s]",
				       param);
	}
	return g_string_free(s, FALSE);
}

/* "string", or of several "boolean|object". */
static char *schema_type(JsonObject *schema)
{
	JsonArray *types = get_array(schema, "type");
	GString *s;

	if (!types)
		return safe(schema, "type");
	s = g_string_new(NULL);
	for (unsigned int i = 0; i < json_array_get_length(types); i++) {
		JsonNode *n = json_array_get_element(types, i);
		g_autofree char *type = NULL;

		if (!JSON_NODE_HOLDS_VALUE(n) ||
		    json_node_get_value_type(n) != G_TYPE_STRING)
			continue;
		type = ctl_text_safe(json_node_get_string(n));
		g_string_append_printf(s, "%s%s", s->len ? "|" : "", type);
	}
	return g_string_free(s, FALSE);
}

static char *explain_method(JsonObject *m, bool color)
{
	GString *s = g_string_new(NULL);
	g_autofree char *synopsis = method_synopsis(m);
	g_autofree char *help = safe(m, "description");
	JsonArray *params = get_array(m, "params");
	struct ctl_columns *t = ctl_columns_new(3);

	ctl_text_paint(s, color, CTL_BOLD, synopsis);
	g_string_append_printf(s, "\n  %s\n", help);
	for (unsigned int i = 0; params && i < json_array_get_length(params);
	     i++) {
		JsonObject *p = as_object(json_array_get_element(params, i));
		JsonObject *schema = get_object(p, "schema");

		ctl_columns_take(t, CTL_PLAIN, false, safe(p, "name"));
		ctl_columns_take(t, CTL_DIM, false, schema_type(schema));
		ctl_columns_take(t, CTL_PLAIN, false, safe(p, "description"));
	}
	ctl_columns_print(t, s, "    ", color);
	ctl_columns_free(t);
	append_text(s, "  Result: ", get_object(m, "result"), "description");
	append_text(s, "\n  Needs the right to ", m, "x-role");
	g_string_append(s, ".\n");
	return g_string_free(s, FALSE);
}

char *ctl_format_methods(JsonNode *discover, const char *name, bool color)
{
	JsonArray *methods = get_array(as_object(discover), "methods");
	struct ctl_columns *t = ctl_columns_new(2);
	char *found = NULL;
	GString *s;

	for (unsigned int i = 0; methods && i < json_array_get_length(methods);
	     i++) {
		JsonObject *m = as_object(json_array_get_element(methods, i));
		const char *this = get_string(m, "name");

		if (name && !found && this && !strcmp(this, name))
			found = explain_method(m, color);
		ctl_columns_take(t, CTL_BOLD, false, method_synopsis(m));
		ctl_columns_take(t, CTL_PLAIN, false, safe(m, "description"));
	}
	s = g_string_new(NULL);
	if (!name)
		ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	if (!name)
		return g_string_free(s, FALSE);
	g_string_free(s, TRUE);
	return found;
}

char *ctl_format_event_list(JsonNode *discover, bool color)
{
	JsonArray *events = get_array(as_object(discover), "x-events");
	struct ctl_columns *t = ctl_columns_new(2);
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; events && i < json_array_get_length(events);
	     i++) {
		JsonObject *e = as_object(json_array_get_element(events, i));

		ctl_columns_take(t, CTL_BOLD, false, safe(e, "name"));
		ctl_columns_take(t, CTL_PLAIN, false, safe(e, "description"));
	}
	ctl_columns_print(t, s, "", color);
	ctl_columns_free(t);
	return g_string_free(s, FALSE);
}

char *ctl_format_event(JsonNode *event, const char *time, bool color)
{
	JsonObject *o = as_object(event);
	JsonObject *params = get_object(o, "params");
	g_autofree char *name = safe(o, "method");
	g_autoptr(GList) members = params ? json_object_get_members(params)
					  : NULL;
	GString *s = g_string_new(NULL);

	ctl_text_paint(s, color, CTL_DIM, time);
	g_string_append_c(s, ' ');
	ctl_text_paint(s, color, CTL_BOLD, name);
	for (GList *l = members; l; l = l->next) {
		g_autofree char *key = ctl_text_safe(l->data);
		g_autofree char *value = plain_value(
			json_object_get_member(params, l->data));

		g_string_append_printf(s, " %s=%s", key, value);
	}
	g_string_append_c(s, '\n');
	return g_string_free(s, FALSE);
}

/* --- the doctor -------------------------------------------------------------- */
static void doctor_row(GString *s, JsonObject *o, bool color)
{
	static const struct {
		const char *state;
		enum ctl_color color;
	} states[] = {{"ok", CTL_GOOD}, {"warning", CTL_WARN},
		      {"failed", CTL_BAD}, {"skipped", CTL_DIM}};
	g_autofree char *state = safe(o, "state"), *check = safe(o, "check");
	g_autofree char *what = safe(o, "what"), *advice = safe(o, "advice");
	enum ctl_color paint = CTL_PLAIN;

	for (unsigned int i = 0; i < G_N_ELEMENTS(states); i++)
		if (!strcmp(states[i].state, state))
			paint = states[i].color;
	ctl_text_paint(s, color, paint, state);
	g_string_append_printf(s, "%*s", (int) MAX(9 - (int) strlen(state), 1),
			       "");
	ctl_text_paint(s, color, CTL_BOLD, check);
	g_string_append_printf(s, "%*s%s\n",
			       (int) MAX(18 - (int) strlen(check), 1), "",
			       what);
	if (advice[0] && strcmp(state, "ok"))
		g_string_append_printf(s, "%*s-> %s\n", 9, "", advice);
}

char *ctl_format_doctor(JsonNode *rows, bool color)
{
	JsonArray *array = rows && JSON_NODE_HOLDS_ARRAY(rows) ?
		json_node_get_array(rows) : NULL;
	unsigned int n = array ? json_array_get_length(array) : 0;
	unsigned int failed = 0, warnings = 0;
	GString *s = g_string_new(NULL);

	for (unsigned int i = 0; i < n; i++) {
		JsonObject *o = as_object(json_array_get_element(array, i));
		const char *state = get_string(o, "state");

		if (!o || !state)
			continue;
		failed += !strcmp(state, "failed");
		warnings += !strcmp(state, "warning");
		doctor_row(s, o, color);
	}
	g_string_append_printf(s, "%u failed, %u warnings\n", failed,
			       warnings);
	return g_string_free(s, FALSE);
}
