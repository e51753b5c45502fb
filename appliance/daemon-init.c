// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-init.c - init: how rooms are asked for and reached
 *
 * What is left out stays as it is in force. The new settings hold from the next
 * join on; then the room server is asked for the default room once, and that is
 * the answer.
 */
#include "appliance/daemon-media.h"

#include <string.h>

#include "appliance/signaling/http-session.h"

#define XML_HTTP_REQUEST_ERROR	  (-1) /* READY_STATE_CHANGE_ERROR */
#define DEFAULT_SOCKET_TIMEOUT_MS 7000

/* READY_STATE_CHANGE */
enum { READY_INIT, READY_LOADING, READY_COMPLETED, READY_ERROR = -1 };

const char *daemon_default_room(Daemon *d)
{
	const char *configured =
		config_get_string(d->options->config, OPT_ROOM_NAME);

	if (d->default_room)
		return d->default_room;
	return *configured ? configured : d->app_key;
}

/* --- the answer -------------------------------------------------------------
 */
static const char *turn_transport_name(enum room_turn_transport transport)
{
	switch (transport) {
	case ROOM_TURN_ANY:
		return "any";
	case ROOM_TURN_UDP:
		return "udp";
	case ROOM_TURN_TCP:
		return "tcp";
	case ROOM_TURN_NONE:
		return "none";
	case ROOM_TURN_ALL:
		return "all";
	}
	g_assert_not_reached();
}

static JsonObject *describe_settings(Daemon *d)
{
	const RoomAccess *a = &d->access;
	JsonObject *o = json_object_new();
	const struct {
		const char *name;
		gboolean value;
	} flags[] = {
		{"enableIceTrickle", !d->no_trickle},
		{"enableDataChannel", !a->no_data_channel},
		{"enableTURNServer", a->force_turn || !a->no_turn},
		{"enableSTUNServer", !a->force_turn && !a->no_stun},
		{"forceTURN", a->force_turn},
		{"usePublicSTUN", !a->no_public_stun},
		{"audioFallback", d->audio_fallback},
		{"forceSSL", a->force_ssl},
		{"forceTURNSSL", a->force_turn_ssl},
	};

	json_object_set_string_member(o, "appKey", d->app_key);
	json_object_set_string_member(o, "defaultRoom", daemon_default_room(d));
	json_object_set_string_member(o, "roomServer", d->room_server_url);
	for (unsigned int i = 0; i < G_N_ELEMENTS(flags); i++)
		json_object_set_boolean_member(o, flags[i].name,
					       !!flags[i].value);
	json_object_set_string_member(o, "TURNServerTransport",
				      turn_transport_name(a->turn_transport));
	if (a->region)
		json_object_set_string_member(o, "serverRegion", a->region);
	json_object_set_string_member(o, "audioCodec", "opus");
	json_object_set_string_member(
		o, "videoCodec",
		d->has_first_codec ? media_codec_name(d->first_codec) : "auto");
	json_object_set_int_member(o, "socketTimeout",
				   a->socket_timeout_ms
					   ? (gint64) a->socket_timeout_ms
					   : DEFAULT_SOCKET_TIMEOUT_MS);
	return o;
}

static JsonObject *error_object(gint code, guint status, const char *text)
{
	JsonObject *o = json_object_new();

	json_object_set_int_member(o, "errorCode", code);
	json_object_set_string_member(o, "error", text);
	json_object_set_int_member(o, "status", status);
	return o;
}

static void fail_init(ControlCall *call, int code, JsonObject *error)
{
	g_autofree char *text =
		g_strdup(json_object_get_string_member(error, "error"));
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, error);
	control_call_fail(call, code, node, "%s", text);
}

/* --- asking the room server --------------------------------------------------
 */
static void tell_ready(Daemon *d, gint state, JsonObject *error)
{
	JsonObject *params = json_object_new();

	json_object_set_int_member(params, "readyState", state);
	if (error)
		json_object_set_object_member(params, "error", error);
	else
		json_object_set_null_member(params, "error");
	json_object_set_string_member(params, "room", daemon_default_room(d));
	daemon_emit(d, "readyStateChange", params);
}

static void on_answer(void *user, RoomApiAnswer *answer, gint server_error,
		      guint status, const GError *error)
{
	Daemon *d = user;
	ControlCall *call = g_steal_pointer(&d->init_call);
	gint code = server_error ? server_error : XML_HTTP_REQUEST_ERROR;
	JsonObject *told;

	d->init_api = room_api_call_free(d->init_api);
	if (answer) {
		room_api_answer_free(answer);
		tell_ready(d, READY_COMPLETED, NULL);
		daemon_reply_object(call, describe_settings(d));
	} else {
		told = json_object_new();
		json_object_set_int_member(told, "status", status);
		json_object_set_int_member(told, "errorCode", code);
		json_object_set_string_member(told, "content", error->message);
		tell_ready(d, READY_ERROR, told);
		fail_init(call, CONTROL_CODE_FAILED,
			  error_object(code, status, error->message));
	}
	control_call_unref(call);
}

void daemon_init_abandon(Daemon *d, const char *why)
{
	d->init_api = room_api_call_free(d->init_api);
	if (!d->init_call)
		return;
	control_call_fail(d->init_call, CONTROL_CODE_STATE, NULL, "%s", why);
	g_clear_pointer(&d->init_call, control_call_unref);
}

/* What the room will use, by the room's own rules. */
static void ask(Daemon *d, ControlCall *call, const char *secret)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(SoupSession) http =
		http_session_new(d->access.ca_file, &error);

	tell_ready(d, READY_INIT, NULL);
	if (!http) {
		fail_init(call, CONTROL_CODE_FAILED,
			  error_object(XML_HTTP_REQUEST_ERROR, 0,
				       error->message));
		return;
	}
	tell_ready(d, READY_LOADING, NULL);
	d->init_call = control_call_ref(call);
	d->init_api = room_api_call_new(&(RoomApiConfig){
		.session = http,
		.request = room_access_request(&d->access, d->room_server_url,
					       d->app_key, secret,
					       daemon_default_room(d)),
		.done = on_answer,
		.user = d});
}

/* --- taking the options
 * ------------------------------------------------------- */
static void take_flag(JsonObject *o, const char *name, gboolean *to,
		      gboolean inverted)
{
	if (json_object_has_member(o, name))
		*to = json_object_get_boolean_member(o, name) != inverted;
}

static enum room_turn_transport turn_transport_of(const char *name)
{
	for (int i = 0; i <= ROOM_TURN_ALL; i++)
		if (!strcmp(turn_transport_name((enum room_turn_transport) i),
			    name))
			return (enum room_turn_transport) i;
	return ROOM_TURN_ANY;
}

/* @credential: (g_free) what @ret borrows */
static void take_credentials(JsonObject *o, RoomAccess *ret, char **credential)
{
	const char *given = text_member(o, "credentials");

	ret->start = text_member(o, "startDateTime");
	ret->duration_h = json_object_get_double_member(o, "duration");
	*credential = given ? g_uri_unescape_string(given, NULL) : NULL;
	/* Not encoded, it may hold nothing that looks so. */
	ret->credential = given && !*credential ? given : *credential;
}

static void take_access(JsonObject *o, RoomAccess *ret, char **credential)
{
	const char *transport = text_member(o, "TURNServerTransport");

	take_flag(o, "enableDataChannel", &ret->no_data_channel, TRUE);
	take_flag(o, "enableTURNServer", &ret->no_turn, TRUE);
	take_flag(o, "enableSTUNServer", &ret->no_stun, TRUE);
	take_flag(o, "forceTURN", &ret->force_turn, FALSE);
	if (ret->force_turn)
		ret->no_turn = FALSE; /* it overrides, says the API */
	take_flag(o, "usePublicSTUN", &ret->no_public_stun, TRUE);
	take_flag(o, "forceSSL", &ret->force_ssl, FALSE);
	take_flag(o, "forceTURNSSL", &ret->force_turn_ssl, FALSE);
	if (transport)
		ret->turn_transport = turn_transport_of(transport);
	if (json_object_has_member(o, "region"))
		ret->region = text_member(o, "region");
	if (json_object_has_member(o, "socketTimeout"))
		ret->socket_timeout_ms =
			(guint) json_object_get_int_member(o, "socketTimeout");
	if (json_object_has_member(o, "credentials"))
		take_credentials(
			json_object_get_object_member(o, "credentials"), ret,
			credential);
}

void daemon_order_codecs(Daemon *d)
{
	enum media_codec order[G_N_ELEMENTS(d->video_codecs)];
	unsigned int n = 0;

	for (int first = 1; first >= 0; first--)
		for (unsigned int i = 0; i < d->n_video_codecs; i++) {
			gboolean is_first =
				d->has_first_codec &&
				d->video_codecs[i] == d->first_codec;

			if (is_first == first)
				order[n++] = d->video_codecs[i];
		}
	room_set_video_codecs(d->room, order, n);
}

static void take_codec(Daemon *d, const char *name)
{
	d->has_first_codec = strcmp(name, "auto") != 0;
	if (d->has_first_codec)
		d->first_codec = strcmp(name, "VP8") ? MEDIA_CODEC_H264
						     : MEDIA_CODEC_VP8;
}

static void replace(char **to, const char *with)
{
	char *copy;

	if (!with)
		return;
	copy = g_strdup(with);
	g_free(*to);
	*to = copy;
}

/* The configured secret is the configured key's, and nobody else's. */
static gboolean find_secret(Daemon *d, const char *app_key,
			    const RoomAccess *access, char **ret,
			    GError **error)
{
	Config *c = d->options->config;

	*ret = NULL;
	if (access->credential || strcmp(app_key, daemon_configured_key(d)))
		return TRUE;
	return config_read_secret(c, OPT_ROOM_SECRET_FILE, ret, error);
}

static gboolean set_access(Daemon *d, const char *server, const char *app_key,
			   const char *secret, const RoomAccess *access,
			   GError **error)
{
	RoomAccess copy;

	if (!room_access_check(access, server, app_key, secret, error))
		return FALSE;
	if (d->room && !room_set_access(d->room, server, app_key,
					secret ? secret : "", access, error))
		return FALSE;
	room_access_copy(&copy, access);
	replace(&d->room_server_url, server);
	replace(&d->app_key, app_key);
	room_access_done(&d->access);
	d->access = copy;
	return d->room || daemon_make_room(d, secret, error);
}

gboolean daemon_access_reload(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	const char *server = config_get_string(c, OPT_ROOM_SERVER);
	const char *key = daemon_configured_key(d);
	g_autofree char *own = NULL;
	RoomAccess access, copy;
	char *secret = NULL;
	gboolean ok;

	daemon_read_access(c, &access);
	if (!*server && d->room_server)
		server = own = room_server_get_local_url(d->room_server);
	if (!*server) {		/* ready and idle; status says what to set */
		room_access_copy(&copy, &access);
		room_access_done(&d->access);
		d->access = copy;
		replace(&d->app_key, key);
		return TRUE;
	}
	if (own)	/* we know what our own server asks for */
		secret = g_strdup(room_server_get_key_secret(d->room_server,
							     key));
	else if (!config_read_secret(c, OPT_ROOM_SECRET_FILE, &secret, error))
		return FALSE;
	ok = set_access(d, server, key, secret, &access, error);
	config_secret_free(secret);
	d->init_used = d->init_used && !ok;
	return ok;
}

/* @o: checked, or empty. */
static gboolean take_options(Daemon *d, JsonObject *o, const char *app_key,
			     char **ret_secret, GError **error)
{
	const char *server = text_member(o, "roomServer");
	const char *codec = text_member(o, "videoCodec");
	RoomAccess access = d->access;
	g_autofree char *credential = NULL;

	if (!app_key)
		app_key = text_member(o, "appKey");
	if (!app_key)
		app_key = text_member(o, "apiKey");
	if (!app_key)
		app_key = d->app_key;
	if (!server)
		server = d->room_server_url;
	if (!server) {
		g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
			    "No room server is configured: \"roomServer\" is "
			    "needed");
		return FALSE;
	}
	take_access(o, &access, &credential);
	if (!find_secret(d, app_key, &access, ret_secret, error) ||
	    !set_access(d, server, app_key, *ret_secret, &access, error))
		return FALSE;
	d->init_used = TRUE;
	replace(&d->default_room, text_member(o, "defaultRoom"));
	if (d->default_room && !*d->default_room)
		g_clear_pointer(&d->default_room, g_free);
	take_flag(o, "enableIceTrickle", &d->no_trickle, TRUE);
	room_set_trickle(d->room, !d->no_trickle);
	take_flag(o, "audioFallback", &d->audio_fallback, FALSE);
	daemon_media_set_audio_fallback(d, d->audio_fallback);
	if (codec)
		take_codec(d, codec);
	daemon_order_codecs(d);
	return TRUE;
}

static void init(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonNode *options = json_object_get_member(
		control_call_get_params(call), "options");
	g_autoptr(JsonObject) none = json_object_new();
	gboolean named = JSON_NODE_HOLDS_VALUE(options);
	g_autoptr(GError) error = NULL;
	char *secret = NULL;

	if (d->options->room_server_only) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "This daemon is a room server alone");
		return;
	}
	if (take_options(d, named ? none : json_node_get_object(options),
			 named ? json_node_get_string(options) : NULL, &secret,
			 &error)) {
		daemon_init_abandon(d, "Another init came in between");
		ask(d, call, secret);
	} else {
		fail_init(
			call,
			g_error_matches(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT)
				? CONTROL_CODE_PARAMS
				: CONTROL_CODE_FAILED,
			error_object(XML_HTTP_REQUEST_ERROR, 0,
				     error->message));
	}
	config_secret_free(secret);
}

const ControlHandler daemon_init_handlers[] = {
	{"init", init},
	{NULL, NULL},
};
