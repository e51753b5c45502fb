// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-roomserver.c - the room server, as [roomserver] wants it */
#include "appliance/daemon-private.h"

#include <string.h>

#include "appliance/daemon-messages.h"
#include "appliance/spool/spool-path.h"

#define CERTIFICATE_PERIOD_S 60

/* Return: FALSE with all that is wrong in it, one line each. */
static gboolean read_keys(Config *c, struct room_keys **ret, GError **error)
{
	const char *path = config_get_string(c, OPT_ROOMSERVER_KEYS_FILE);
	const char *own = config_get_string(c, OPT_ROOMSERVER_APP_KEY);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct room_keys *keys;
	char *text = NULL;
	size_t len;

	if (!*path)
		return TRUE;
	if (!config_read_private_file(path, ROOM_KEYS_MAX_BYTES, &text, &len,
				      error))
		return FALSE;
	keys = room_keys_parse(path, text, len, problems);
	config_secret_free(text);
	if (keys && !room_keys_find(keys, own)) {
		g_ptr_array_add(problems, g_strdup_printf(
			"%s: key '%s', which roomserver.app_key names for this "
			"box and the viewer page, is not here", path, own));
		keys = room_keys_free(keys);
	}
	if (!keys) {
		g_autofree char *all = NULL;

		g_ptr_array_add(problems, NULL);
		all = g_strjoinv("\n", (char **) problems->pdata);
		g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
				    all);
		return FALSE;
	}
	*ret = keys;
	return TRUE;
}

gboolean daemon_check_files(Config *config, GError **error)
{
	struct room_keys *keys = NULL;
	gboolean ok = read_keys(config, &keys, error) &&
		daemon_console_check(config, error);

	room_keys_free(keys);
	return ok;
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

gboolean daemon_room_server_is_local(struct room_server *server)
{
	const char *url = room_server_get_url(server);

	return g_str_has_prefix(url, "http://127.") ||
		g_str_has_prefix(url, "http://[::1]");
}

/* What others reach and nobody guards. */
static void warn_if_open(Daemon *d)
{
	Config *c = d->options->config;
	const char *url = room_server_get_url(d->room_server);

	if (daemon_room_server_is_local(d->room_server) || d->options->demo)
		return;
	if (!*config_get_string(c, OPT_ROOMSERVER_KEYS_FILE))
		g_warning("whoever reaches %s may join its rooms: set "
			  "roomserver.keys_file to ask for credentials", url);
	if (!config_get_bool(c, OPT_ROOMSERVER_TLS))
		g_warning("roomserver.tls = no: passwords and room tokens "
			  "cross the network in the clear");
}

char *daemon_room_server_files(Daemon *d, struct room_server_config *config)
{
	Config *c = d->options->config;
	SpoolPathInput path;
	char *state_dir;

	spool_path_input_init(&path);
	path.instance = d->options->instance;
	path.demo = d->options->demo;
	config->state_dir = state_dir = spool_path_state_dir(&path);
	config->certificate = or_null(
		config_get_string(c, OPT_ROOMSERVER_CERTIFICATE_FILE));
	config->certificate_key = or_null(
		config_get_string(c, OPT_ROOMSERVER_CERTIFICATE_KEY_FILE));
	config->names = config_get_list(c, OPT_ROOMSERVER_NAMES);
	return state_dir;
}

gboolean daemon_room_server_start(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	g_autofree char *state_dir = NULL;
	char *turn_secret = NULL;
	struct room_server_config config = {
		.listen = config_get_string(c, OPT_ROOMSERVER_LISTEN),
		.next_free_port = d->options->demo && !d->options->listen_given,
		.app_key = config_get_string(c, OPT_ROOMSERVER_APP_KEY),
		.viewer_room = config_get_string(c, OPT_ROOMSERVER_VIEWER_ROOM),
		.turn = or_null(config_get_string(c, OPT_ROOMSERVER_TURN)),
		.tls = config_get_bool(c, OPT_ROOMSERVER_TLS),
		.max_clients = (unsigned int)
			config_get_int(c, OPT_ROOMSERVER_MAX_CLIENTS),
		.max_clients_per_address = (unsigned int)
			config_get_int(c, OPT_ROOMSERVER_MAX_CLIENTS_PER_ADDRESS),
	};
	gboolean wanted = d->options->demo || d->options->room_server_only ||
		config_get_bool(c, OPT_ROOMSERVER_ENABLED);

	if (!wanted)
		return TRUE;
	state_dir = daemon_room_server_files(d, &config);
	daemon_console_fill_server(d, &config);
	if (!config_read_secret(c, OPT_ROOMSERVER_TURN_SECRET_FILE,
				&turn_secret, error))
		return FALSE;
	config.turn_secret = turn_secret;
	if (read_keys(c, &config.keys, error))
		d->room_server = room_server_new(&config, error);
	config_secret_free(turn_secret);
	if (d->room_server)
		warn_if_open(d);
	return d->room_server != NULL;
}

/* --- certificates ------------------------------------------------------------ */
struct daemon_certificates {
	GSource *timer;
	char *told[2];		/* what is wrong with each, said once */
};

static void tell_bad(char **told, const char *who, const char *why)
{
	if (!g_strcmp0(*told, why))
		return;
	g_free(*told);
	*told = g_strdup(why);
	daemon_message_log(DAEMON_MESSAGE_CERTIFICATE_BAD,
			   &(struct daemon_message_about){.reason = why},
			   "%s goes on with the certificate it has: %s", who,
			   why);
}

static void tell_end(struct room_server *server, const char *who,
		     const char *word)
{
	g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(
		room_server_get_certificate_end(server));
	g_autofree char *when = end ? g_date_time_format_iso8601(end) : NULL;

	daemon_message_log(DAEMON_MESSAGE_CERTIFICATE_BAD,
			   &(struct daemon_message_about){.reason = word},
			   "%s's certificate (roomserver.certificate_file) "
			   "%s, %s: renew it; the new file is then taken by "
			   "itself", who, word, when ? when : "?");
}

/* Files that were only touched, or have another chain, are no news. */
static void tell_new(struct room_server *server, const char *who,
		     const char *before)
{
	const char *now = room_server_get_fingerprint(server);

	if (strcmp(now, before))
		daemon_message_log(DAEMON_MESSAGE_CERTIFICATE, NULL,
				   "%s shows another certificate from now on, "
				   "with SHA-256 %s", who, now);
}

static void check_server(struct room_server *server, const char *who,
			 char **told)
{
	g_autofree char *before =
		g_strdup(room_server_get_fingerprint(server));
	g_autoptr(GError) error = NULL;

	switch (room_server_check_certificate(
		server, g_get_real_time() / G_USEC_PER_SEC, &error)) {
	case ROOM_SERVER_CERTIFICATE_SAME:
		break;
	case ROOM_SERVER_CERTIFICATE_NEW:
		g_clear_pointer(told, g_free);
		tell_new(server, who, before);
		break;
	case ROOM_SERVER_CERTIFICATE_SOON:
		tell_end(server, who, "ends soon");
		break;
	case ROOM_SERVER_CERTIFICATE_ENDED:
		tell_end(server, who, "has ended");
		break;
	case ROOM_SERVER_CERTIFICATE_BAD:
		tell_bad(told, who, error->message);
		break;
	}
}

void daemon_certificates_check(Daemon *d)
{
	struct room_server *console = daemon_console_server(d);

	if (!d->certificates)
		return;
	if (d->room_server)
		check_server(d->room_server, "the room server",
			     &d->certificates->told[0]);
	if (console)
		check_server(console, "the console", &d->certificates->told[1]);
}

static gboolean on_certificate_timer(gpointer data)
{
	daemon_certificates_check(data);
	return G_SOURCE_CONTINUE;
}

void daemon_certificates_start(Daemon *d)
{
	struct daemon_certificates *c;

	if (!d->room_server && !daemon_console_server(d))
		return;
	d->certificates = c = g_new0(struct daemon_certificates, 1);
	c->timer = g_timeout_source_new_seconds(CERTIFICATE_PERIOD_S);
	g_source_set_callback(c->timer, on_certificate_timer, d, NULL);
	g_source_attach(c->timer, NULL);
	daemon_certificates_check(d);
}

void daemon_certificates_stop(Daemon *d)
{
	struct daemon_certificates *c = g_steal_pointer(&d->certificates);

	if (!c)
		return;
	g_source_destroy(c->timer);
	g_source_unref(c->timer);
	for (unsigned int i = 0; i < G_N_ELEMENTS(c->told); i++)
		g_free(c->told[i]);
	g_free(c);
}
