// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-console.c - the daemon's side of the console
 *
 *   events ──▶ lines ┐                       ┌─▶ browsers (server thread)
 *   status ──▶ page  ┴──▶ console-link ──────┤
 *   what a button does ◀── console-link ◀────┘
 *
 * A page is made once a second while somebody looks, and not otherwise; lines
 * are made always, so that who opens the console sees what was before.
 */
#include "appliance/daemon-life.h"
#include "appliance/daemon-media.h"
#include "appliance/daemon-selftest.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/console/console-link.h"
#include "appliance/spool/spool-path.h"

#define PAGE_MS	       1000
#define TEXT_MAX_CHARS 160
#define NAME_MAX_CHARS 60
#define MAX_PEERS      64	/* on the page; the rest are counted */

struct daemon_console {
	Daemon *d;
	struct console_link *link;
	struct room_server *server;	/* of its own; NULL: the room's */
	char *operate, *watch, *token;	/* secrets, until the servers started */
	GSource *timer;			/* somebody looks */
	gint64 state_since_ms;		/* in this room, or out of it */
	gboolean checking;
	JsonNode *findings;		/* the last check's; NULL: none yet */
	gint64 checked_ms;
	guint32 check_id;		/* who waits for it */
};

static gint64 now_ms(void)
{
	return g_get_real_time() / 1000;
}

/* --- lines ------------------------------------------------------------------ */
static JsonObject *object_of(JsonObject *o, const char *name)
{
	JsonNode *n = o ? json_object_get_member(o, name) : NULL;

	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

/* A stranger's words, cut. g_free() */
static char *cut(const char *text, glong max_chars)
{
	g_autofree char *valid = g_utf8_make_valid(text ? text : "", -1);

	return g_utf8_substring(valid, 0,
				MIN(max_chars, g_utf8_strlen(valid, -1)));
}

/* What a peer is called: what it says, else its browser, else its id. */
static char *name_of(JsonObject *peer, const char *agent, const char *id)
{
	static const char *const names[] = {"name", "displayName", "username"};
	const char *name = text_member(peer, "userData");
	JsonObject *data = object_of(peer, "userData");

	for (unsigned int i = 0; !name && i < G_N_ELEMENTS(names); i++)
		name = text_member(data, names[i]);
	if (!name || !*name)
		name = agent && *agent ? agent : id;
	return cut(name, NAME_MAX_CHARS);
}

static void tell(struct daemon_console *c, const char *level, const char *text)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *root = json_object_new(), *event = json_object_new();
	g_autofree char *short_text = cut(text, TEXT_MAX_CHARS);
	g_autofree char *json = NULL;

	json_object_set_int_member(event, "time", now_ms());
	json_object_set_string_member(event, "level", level);
	json_object_set_string_member(event, "text", short_text);
	json_object_set_object_member(root, "event", event);
	json_node_take_object(node, root);
	json = json_to_string(node, FALSE);
	console_link_tell(c->link, json);
}

static void answer(struct daemon_console *c, guint32 id, const GError *error)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *root = json_object_new(), *result = json_object_new();
	g_autofree char *json = NULL;

	json_object_set_int_member(result, "id", id);
	json_object_set_boolean_member(result, "ok", !error);
	if (error) {
		g_autofree char *text = cut(error->message, TEXT_MAX_CHARS);

		json_object_set_string_member(result, "error", text);
	}
	json_object_set_object_member(root, "result", result);
	json_node_take_object(node, root);
	json = json_to_string(node, FALSE);
	console_link_tell(c->link, json);
}

/* How an event reads. %s: the peer's name, or the parameter named. */
static const struct line {
	const char *event;
	gboolean self;		/* about us, or not: isSelf */
	const char *level;	/* "good", "info", "warn" */
	const char *format;	/* with one %s, or none */
	const char *parameter;	/* for %s; NULL: the peer's name */
} lines[] = {
	{"peerJoined", TRUE, "good", "This box is in the room", NULL},
	{"peerLeft", TRUE, "info", "This box left the room", NULL},
	{"peerJoined", FALSE, "info", "%s joined", NULL},
	{"peerLeft", FALSE, "info", "%s left", NULL},
	{"peerRestart", FALSE, "info", "The connection with %s was made anew",
	 NULL},
	{"sessionDisconnect", FALSE, "warn",
	 "The room is lost; it is joined again by itself", NULL},
	{"channelError", FALSE, "warn", "Signaling: %s", "error"},
	{"socketError", FALSE, "warn", "Signaling: %s", "error"},
	{"systemAction", FALSE, "warn", "The room server says: %s", "message"},
	{"mediaAccessError", FALSE, "warn", "A source cannot be had: %s",
	 "error"},
	{"config.changed", FALSE, "info", "The configuration changed", NULL},
	{"incomingData", FALSE, "info", "%s sent a file", NULL},
	{"transfer.refused", FALSE, "warn", "A file was refused: %s", "error"},
};

static char *peer_name(JsonObject *params)
{
	JsonObject *info = object_of(params, "peerInfo");

	return name_of(info, text_member(object_of(info, "agent"), "name"),
		       text_member(params, "peerId"));
}

/* One %s at most, which the table has. */
static void tell_line(struct daemon_console *c, const struct line *line,
		      JsonObject *params)
{
	g_autofree char *word = line->parameter
					? cut(text_member(params,
							  line->parameter),
					      TEXT_MAX_CHARS)
					: peer_name(params);
	const char *gap = strstr(line->format, "%s");
	g_autofree char *text =
		gap ? g_strdup_printf("%.*s%s%s", (int) (gap - line->format),
				      line->format, word, gap + 2)
		    : g_strdup(line->format);

	tell(c, line->level, text);
}

static void tell_device(struct daemon_console *c, JsonObject *params)
{
	const char *state = text_member(params, "state");
	const char *kind = text_member(params, "kind");
	const char *detail = text_member(params, "detail");
	gboolean live = state && !strcmp(state, "live");
	g_autofree char *text = g_strdup_printf(
		"%s: %s%s%s", kind ? kind : "device", state ? state : "?",
		detail && *detail ? ", " : "", detail ? detail : "");

	tell(c, live ? "good" : "warn", text);
}

void daemon_console_event(Daemon *d, const char *name, JsonObject *params)
{
	struct daemon_console *c = d->console;
	gboolean self = json_object_get_boolean_member_with_default(
		params, "isSelf", FALSE);

	if (!c)
		return;
	if (!strcmp(name, "device.state"))
		tell_device(c, params);
	if (!strcmp(name, "roomLock"))
		tell(c, "info", json_object_get_boolean_member_with_default(
					params, "isLocked", FALSE) ?
			"The room is locked" : "The room is open again");
	if ((self && (!strcmp(name, "peerJoined") ||
		      !strcmp(name, "peerLeft"))) ||
	    !strcmp(name, "sessionDisconnect"))
		c->state_since_ms = now_ms();
	for (unsigned int i = 0; i < G_N_ELEMENTS(lines); i++)
		if (!strcmp(name, lines[i].event) && self == lines[i].self)
			tell_line(c, &lines[i], params);
}

/* --- the page --------------------------------------------------------------- */
static void name_peers(JsonObject *page)
{
	JsonArray *peers = json_object_get_array_member(page, "peers");
	JsonArray *few = json_array_new();
	guint n = json_array_get_length(peers);

	json_object_set_int_member(page, "n_peers", n);
	for (guint i = 0; i < MIN(n, MAX_PEERS); i++) {
		JsonObject *peer = json_array_get_object_element(peers, i);
		g_autofree char *name = name_of(peer,
						text_member(peer, "agent"),
						text_member(peer, "peerId"));

		json_object_set_string_member(peer, "name", name);
		json_object_remove_member(peer, "rtc");
		json_object_remove_member(peer, "userData");
		json_array_add_object_element(few, json_object_ref(peer));
	}
	json_object_set_array_member(page, "peers", few);
}

/* Where the picture can be seen: in our own server's room, by its key. */
static JsonNode *describe_preview(Daemon *d)
{
	gboolean own = d->room_server && d->room_name &&
		!*config_get_string(d->options->config, OPT_ROOM_SERVER);
	JsonNode *node = json_node_new(own && !d->console->server ?
				       JSON_NODE_OBJECT : JSON_NODE_NULL);
	JsonObject *o;

	if (!JSON_NODE_HOLDS_OBJECT(node))
		return node;
	o = json_object_new();
	json_object_set_string_member(
		o, "key", config_get_string(d->options->config,
					    OPT_ROOMSERVER_APP_KEY));
	json_object_set_string_member(o, "room", d->room_name);
	json_node_take_object(node, o);
	return node;
}

static void add_health(struct daemon_console *c, JsonObject *page)
{
	JsonObject *health = json_object_new();

	json_object_set_member(health, "stages",
			       daemon_watchdog_describe(c->d));
	json_object_set_boolean_member(health, "checking", c->checking);
	json_object_set_member(health, "findings", c->findings
			       ? json_node_copy(c->findings)
			       : json_node_new(JSON_NODE_NULL));
	json_object_set_int_member(health, "checked", c->checked_ms);
	json_object_set_object_member(page, "health", health);
}

/* Of the last self-test the rows that somebody should do something about. */
static void add_selftest(Daemon *d, JsonObject *page)
{
	JsonObject *o, *last;
	JsonArray *rows, *few;

	if (!d->selftest)
		return;
	o = daemon_selftest_describe(d, TRUE);
	last = object_of(o, "last");
	json_object_set_object_member(page, "selftest", o);
	if (!last)
		return;
	rows = json_object_get_array_member(last, "rows");
	few = json_array_new();
	for (guint i = 0; i < json_array_get_length(rows); i++) {
		JsonNode *row = json_array_get_element(rows, i);
		const char *state = JSON_NODE_HOLDS_OBJECT(row) ?
			text_member(json_node_get_object(row), "state") : NULL;

		if (!g_strcmp0(state, "failed") || !g_strcmp0(state, "warning"))
			json_array_add_element(few, json_node_copy(row));
	}
	json_object_set_array_member(last, "rows", few);
}

static void publish(struct daemon_console *c)
{
	static const char *const left_out[] = {
		"control", "streams", "roomserver", "network"};
	Daemon *d = c->d;
	g_autoptr(JsonNode) status = daemon_describe(d);
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *root = json_object_new();
	JsonObject *page = json_node_get_object(status);
	const char *wanted = daemon_life_planned(d);
	g_autofree char *json = NULL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(left_out); i++)
		json_object_remove_member(page, left_out[i]);
	name_peers(page);
	add_health(c, page);
	add_selftest(d, page);
	json_object_set_string_member(page, "box", g_get_host_name());
	json_object_set_int_member(page, "time", now_ms());
	json_object_set_int_member(page, "since", c->state_since_ms);
	json_object_set_string_member(page, "wanted_room",
				      wanted ? wanted : "");
	json_object_set_member(page, "preview", describe_preview(d));
	json_object_set_object_member(root, "page", json_object_ref(page));
	json_node_take_object(node, root);
	json = json_to_string(node, FALSE);
	console_link_publish(c->link, json);
}

static gboolean on_timer(gpointer data)
{
	publish(data);
	return G_SOURCE_CONTINUE;
}

static void on_readers(void *user, unsigned int n)
{
	struct daemon_console *c = user;

	if (!n && c->timer) {
		g_source_destroy(c->timer);
		g_clear_pointer(&c->timer, g_source_unref);
	}
	if (!n)
		return;
	publish(c);
	if (c->timer)
		return;
	c->timer = g_timeout_source_new(PAGE_MS);
	g_source_set_callback(c->timer, on_timer, c, NULL);
	g_source_attach(c->timer, NULL);
}

/* --- what a button does ------------------------------------------------------ */
static gboolean run_mute(Daemon *d, const struct console_command *command,
			 GError **error)
{
	gboolean audio = command->has_audio ? command->audio : d->audio_muted;
	gboolean video = command->has_video ? command->video : d->video_muted;

	if (!d->streams) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "This is a room server alone: it sends nothing");
		return FALSE;
	}
	if (command->has_audio && audio != d->audio_muted)
		tell(d->console, "info", audio ? "Sound was muted at a console"
					       : "Sound is on again");
	if (command->has_video && video != d->video_muted)
		tell(d->console, "info",
		     video ? "The picture was muted at a console"
			   : "The picture is on again");
	daemon_set_muted(d, audio, video);
	return TRUE;
}

/* Back to what is planned, whatever was chosen by hand. */
static gboolean run_join(Daemon *d, GError **error)
{
	const char *name;

	if (d->room_name)
		return TRUE;	/* it is there, or on its way */
	name = daemon_life_wanted(d, TRUE);
	if (!name) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
			    "No room is configured: set room.name");
		return FALSE;
	}
	daemon_abandon_join(d, "Somebody at a console came in between");
	daemon_media_open_configured(d);
	return daemon_join(d, name, error);
}

static void run_leave(Daemon *d)
{
	if (!d->room_name)
		return;
	daemon_abandon_join(d, "Somebody at a console came in between");
	daemon_leave(d);
	daemon_life_by_hand(d, NULL);
}

static void on_checked(Daemon *d, JsonNode *findings)
{
	struct daemon_console *c = d->console;

	g_clear_pointer(&c->findings, json_node_unref);
	c->findings = findings;
	c->checking = FALSE;
	c->checked_ms = now_ms();
	answer(c, c->check_id, NULL);
	publish(c);
}

/* TRUE: it is answered later. */
static gboolean run_check(struct daemon_console *c,
			  const struct console_command *command, GError **error)
{
	if (!daemon_doctor_start(c->d, on_checked, error))
		return FALSE;
	c->checking = TRUE;
	c->check_id = command->id;
	publish(c);
	return TRUE;
}

static void on_command(void *user, const struct console_command *command)
{
	struct daemon_console *c = user;
	Daemon *d = c->d;
	g_autoptr(GError) error = NULL;

	switch (command->verb) {
	case CONSOLE_MUTE:
		run_mute(d, command, &error);
		break;
	case CONSOLE_JOIN:
		run_join(d, &error);
		break;
	case CONSOLE_LEAVE:
		run_leave(d);
		break;
	case CONSOLE_CHECK:
		if (run_check(c, command, &error))
			return;
		break;
	}
	/* First the page, so that it is seen when it is said to be done. */
	publish(c);
	answer(c, command->id, error);
}

/* --- passwords --------------------------------------------------------------- */
static void get_random(void *data, uint8_t *bytes, size_t n)
{
	if (getrandom(bytes, n, 0) != (ssize_t) n)
		g_error("The system gives no random numbers");
}

static gboolean read_password(Config *config, enum option_id id, char **ret,
			      GError **error)
{
	const struct option_row *row = option_table_get(id);
	size_t n;

	if (!config_read_secret(config, id, ret, error))
		return FALSE;
	n = *ret ? strlen(*ret) : CONSOLE_MIN_PASSWORD;
	if (n >= CONSOLE_MIN_PASSWORD && n <= CONSOLE_MAX_PASSWORD)
		return TRUE;
	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
		    "%s.%s: a password has %d to %d bytes, this one %zu",
		    row->section, row->key, CONSOLE_MIN_PASSWORD,
		    CONSOLE_MAX_PASSWORD, n);
	config_secret_free(g_steal_pointer(ret));
	return FALSE;
}

gboolean daemon_console_check(Config *config, GError **error)
{
	const char *listen = config_get_string(config, OPT_CONSOLE_LISTEN);
	char *operate = NULL, *watch = NULL;
	gboolean ok = read_password(config, OPT_CONSOLE_PASSWORD_FILE, &operate,
				    error) &&
		read_password(config, OPT_ROOMSERVER_VIEWER_PASSWORD_FILE,
			      &watch, error);

	if (ok && *listen && !operate) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
			    "console.listen is '%s', but nobody could log in: "
			    "set console.password_file", listen);
		ok = FALSE;
	}
	config_secret_free(operate);
	config_secret_free(watch);
	return ok;
}

static char *make_password(void)
{
	char text[CONSOLE_PASSWORD_CHARS + 1];

	console_auth_make_password(
		&(struct console_auth_config){.random = get_random}, text);
	return g_strdup(text);
}

/* A demo has no files: it makes up what it needs, and prints it. */
static void make_demo_secrets(struct daemon_console *c)
{
	char token[CONSOLE_TOKEN_CHARS + 1];

	if (!c->operate)
		c->operate = make_password();
	if (!c->watch)
		c->watch = make_password();
	console_auth_make_token(
		&(struct console_auth_config){.random = get_random}, token);
	c->token = g_strdup(token);
}

gboolean daemon_console_start(Daemon *d, GError **error)
{
	Config *config = d->options->config;
	struct daemon_console *c = g_new0(struct daemon_console, 1);
	int r;

	d->console = c;
	c->d = d;
	c->state_since_ms = now_ms();
	if (!daemon_console_check(config, error) ||
	    !read_password(config, OPT_CONSOLE_PASSWORD_FILE, &c->operate,
			   error) ||
	    !read_password(config, OPT_ROOMSERVER_VIEWER_PASSWORD_FILE,
			   &c->watch, error))
		return FALSE;
	if (d->options->demo)
		make_demo_secrets(c);
	r = console_link_new(&c->link, NULL,
			     &(struct console_link_ops){
				     on_command, on_readers, c});
	if (r < 0)
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(-r),
			    "Cannot start the console: %s", g_strerror(-r));
	return r >= 0;
}

void daemon_console_fill_server(Daemon *d, struct room_server_config *config)
{
	struct daemon_console *c = d->console;
	gboolean apart = *config_get_string(d->options->config,
					    OPT_CONSOLE_LISTEN);

	config->viewer_open = !strcmp(
		config_get_string(d->options->config,
				  OPT_ROOMSERVER_VIEWER_ACCESS), "open");
	config->operate_password = c->operate;
	config->watch_password = c->watch;
	config->token = c->token;
	if (c->operate && !apart)
		config->console = c->link;
}

/* --- its own server ----------------------------------------------------------- */
gboolean daemon_console_listen(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	const char *listen = config_get_string(c, OPT_CONSOLE_LISTEN);
	struct room_server_config config = {
		.listen = listen,
		.no_rooms = true,
		.console = d->console->link,
		.operate_password = d->console->operate,
		.token = d->console->token,
		.max_clients = 64,
	};
	g_autofree char *state_dir = NULL;

	if (!*listen)
		return TRUE;
	config.tls = config_get_bool(c, OPT_CONSOLE_TLS);
	state_dir = daemon_room_server_files(d, &config);
	d->console->server = room_server_new(&config, error);
	if (!d->console->server)
		return FALSE;
	if (!config.tls && !daemon_room_server_is_local(d->console->server))
		g_warning("console.tls = no: passwords cross the network in "
			  "the clear");
	return TRUE;
}

void daemon_console_print(Daemon *d)
{
	struct daemon_console *c = d->console;
	struct room_server *server = c->server ? c->server : d->room_server;
	const char *url = server ? room_server_get_url(server) : NULL;
	const char *print = server ? room_server_get_fingerprint(server) : NULL;

	if (d->options->demo && url && !d->options->quiet) {
		if (g_str_has_prefix(url, "https:"))
			fprintf(stderr, "The certificate is this program's "
				"own: a browser warns of it once.\n");
		fprintf(stderr, "Console: %sconsole/#token=%s (once; then the "
			"password is %s)\n", url, c->token, c->operate);
	} else if (c->server) {
		g_message("the console is at %sconsole/", url);
		if (print)
			g_message("its certificate has SHA-256 %s", print);
	}
	config_secret_free(g_steal_pointer(&c->operate));
	config_secret_free(g_steal_pointer(&c->watch));
	config_secret_free(g_steal_pointer(&c->token));
}

struct room_server *daemon_console_server(Daemon *d)
{
	return d->console ? d->console->server : NULL;
}

char *daemon_console_viewer_url(Daemon *d)
{
	const char *url = room_server_get_url(d->room_server);

	/* Behind the '#' it is not sent, and so in nobody's log. */
	if (!d->options->demo || !g_str_has_prefix(url, "https:") ||
	    !d->console->watch)
		return g_strdup(url);
	return g_strconcat(url, "#password=", d->console->watch, NULL);
}

void daemon_console_stop(Daemon *d)
{
	struct daemon_console *c = d->console;

	if (!c)
		return;
	c->server = room_server_free(c->server);
	if (c->timer) {
		g_source_destroy(c->timer);
		g_source_unref(c->timer);
	}
	console_link_free(c->link);
	g_clear_pointer(&c->findings, json_node_unref);
	config_secret_free(c->operate);
	config_secret_free(c->watch);
	config_secret_free(c->token);
	g_free(c);
	d->console = NULL;
}
