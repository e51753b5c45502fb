// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-transfers.h"

#include <string.h>
#include <unistd.h>

#include "appliance/daemon-sending.h"
#include "appliance/spool/spool.h"
#include "appliance/spool/spool-path.h"
#include "appliance/spool/transfer-files.h"

#define BYTES_PER_MB	 G_GUINT64_CONSTANT(1000000)
#define EXPIRE_PERIOD_S	 600

struct DaemonTransfers {
	Spool *spool;
	DaemonSending *sending;
	gboolean never, always;		/* [transfer] accept; neither: ask */
	GSource *expire;
	guint64 n_refused;		/* of those that nobody was asked about */
};

/* --- a request that waits for its answer ----------------------------------- */
static JsonObject *info_of(JsonObject *transfer)
{
	JsonNode *n = json_object_get_member(transfer, "transferInfo");

	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static gboolean is_data_url(JsonObject *info)
{
	return !g_strcmp0(text_member(info, "dataType"), "dataURL");
}

/* The spool, or memory for a data URL. */
static gboolean make_sink(DaemonTransfers *t, const char *peer_id,
			  const char *transfer_id, JsonObject *info,
			  TransferSink *ret, GError **error)
{
	gint64 size = json_object_get_int_member_with_default(info, "size", 0);
	SpoolOffer offer = {
		.name = text_member(info, "name"),
		.mime_type = text_member(info, "mimeType"),
		.peer_id = peer_id,
		.transfer_id = transfer_id,
		.size = (guint64) MAX(size, 0),
	};

	if (!is_data_url(info))
		return spool_receive(t->spool, &offer, ret, error);
	if (size > DATA_URL_MAX_BYTES) {
		g_set_error(error, SPOOL_ERROR, SPOOL_ERROR_LIMIT,
			    "The data URL has %" G_GINT64_FORMAT " characters; "
			    "at most %u are taken", size, DATA_URL_MAX_BYTES);
		return FALSE;
	}
	*ret = text_sink_new();
	return TRUE;
}

/* At once; must not call the room. */
static gboolean on_request(void *user, const char *peer_id,
			   const char *transfer_id, JsonObject *info)
{
	Daemon *d = user;
	const DaemonTransfers *t = d->transfers;

	if (t->never || !d->control)
		return FALSE;
	/* A monitor, which may only look, accepts nothing. A data URL is nowhere
	 * but in its event. */
	return control_server_has_subscriber(d->control, "incomingDataRequest",
					     CONTROL_ROLE_OPERATE) ||
	       (t->always && (!is_data_url(info) ||
			      control_server_has_subscriber(
				      d->control, "incomingData",
				      CONTROL_ROLE_READ)));
}

/* Something is refused that nobody was asked about: said, with the reason. */
static void tell_refused(Daemon *d, JsonObject *request, const char *why)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "peerId",
				      text_member(request, "peerId"));
	json_object_set_string_member(params, "transferId",
				      text_member(request, "transferId"));
	json_object_set_object_member(params, "transferInfo",
				      json_object_ref(info_of(request)));
	json_object_set_string_member(params, "error", why);
	daemon_emit(d, "transfer.refused", params);
}

/* Peers may offer as often as they like: the first, and then ever fewer, are
 * worth a line of the log. */
static void warn_refused(DaemonTransfers *t, const char *why)
{
	guint64 n = ++t->n_refused;

	if (!(n & (n - 1)))
		g_warning("a file is refused: %s (%" G_GUINT64_FORMAT
			  " so far)", why, n);
}

static void accept_by_itself(Daemon *d, JsonObject *request)
{
	const char *peer_id = text_member(request, "peerId");
	const char *id = text_member(request, "transferId");
	JsonObject *info = info_of(request);
	g_autoptr(GError) error = NULL;
	TransferSink sink;

	if (json_object_get_boolean_member_with_default(request, "isSelf",
							TRUE) || !info)
		return;
	if (make_sink(d->transfers, peer_id, id, info, &sink, &error)) {
		/* It may be gone by now, and its end was told. */
		room_accept_transfer(d->room, peer_id, id, sink, NULL);
		return;
	}
	warn_refused(d->transfers, error->message);
	tell_refused(d, request, error->message);
	room_reject_transfer(d->room, peer_id, id, NULL);
}

void daemon_transfers_event(Daemon *d, const char *name, JsonObject *params)
{
	DaemonTransfers *t = d->transfers;

	if (!t || !d->room)
		return;
	if (!strcmp(name, "dataTransferState")) {
		daemon_sending_event(t->sending, params);
	} else if (!strcmp(name, "peerLeft")) {
		g_autoptr(JsonNode) list = room_describe_transfers(d->room);

		daemon_sending_check(t->sending, list);
	} else if (t->always && !strcmp(name, "incomingDataRequest")) {
		accept_by_itself(d, params);
	}
}

/* --- sending --------------------------------------------------------------- */
/* Takes @source. */
static void send_data(ControlCall *call, Daemon *d, RoomTransferOffer *offer,
		      TransferSource source)
{
	JsonObject *params = control_call_get_params(call);
	g_autofree const char **targets = NULL;
	g_autoptr(JsonObject) ids = NULL;
	g_autoptr(GError) error = NULL;

	if (!daemon_get_targets(call, &targets)) {
		source.free(source.user);
		return;
	}
	offer->timeout_s = (guint) json_object_get_int_member_with_default(
		params, "timeout", 0);
	if (room_send_data(d->room, offer, source, targets, &ids, &error))
		daemon_sending_add(d->transfers->sending, call, offer,
				   targets != NULL, ids);
	else
		daemon_fail_room(call, error);
}

static void no_descriptor(ControlCall *call, const char *name, gint64 index)
{
	control_call_fail(call, CONTROL_CODE_PARAMS, NULL,
			  "Parameter \"%s.fd\" is %" G_GINT64_FORMAT ", but no "
			  "such descriptor came with the line (SCM_RIGHTS)",
			  name, index);
}

static void send_blob_data(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *data = json_object_get_object_member(
		control_call_get_params(call), "data");
	gint64 index = json_object_get_int_member(data, "fd");
	RoomTransferOffer offer = {
		.name = text_member(data, "name"),
		.mime_type = text_member(data, "mimeType"),
	};
	g_autoptr(GError) error = NULL;
	TransferSource source;
	int fd;

	if (!daemon_need_room(call, d))
		return;
	fd = control_call_take_fd(call, (unsigned int) index);
	if (fd < 0)
		no_descriptor(call, "data", index);
	else if (!file_source_new(fd, &source, &offer.size, &error))
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s",
				  error->message);
	else
		send_data(call, d, &offer, source);
}

static void send_url_data(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	const char *text = text_member(control_call_get_params(call), "data");
	RoomTransferOffer offer = {.data_url = TRUE, .size = strlen(text)};

	if (daemon_need_room(call, d))
		send_data(call, d, &offer, text_source_new(text));
}

/* --- answering ------------------------------------------------------------- */
static JsonObject *find_request(JsonNode *transfers, const char *peer_id,
				const char *id)
{
	JsonArray *list = json_node_get_array(transfers);

	for (guint i = 0; i < json_array_get_length(list); i++) {
		JsonObject *o = json_array_get_object_element(list, i);

		if (!g_strcmp0(text_member(o, "transferId"), id) &&
		    !g_strcmp0(text_member(o, "peerId"), peer_id) &&
		    !g_strcmp0(text_member(o, "state"), "request"))
			return o;
	}
	return NULL;
}

/* Return: FALSE; the call was answered. */
static gboolean make_destination(ControlCall *call, JsonObject *destination,
				 TransferSink *ret)
{
	gint64 index = json_object_get_int_member(destination, "fd");
	int fd = control_call_take_fd(call, (unsigned int) index);
	g_autoptr(GError) error = NULL;

	if (fd < 0) {
		no_descriptor(call, "destination", index);
		return FALSE;
	}
	/* The client's disk, the client's limit. */
	if (file_sink_new(fd, G_MAXINT64, ret, &error))
		return TRUE;
	control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s",
			  error->message);
	return FALSE;
}

static void accept_transfer(ControlCall *call, Daemon *d, const char *peer_id,
			    const char *id)
{
	JsonObject *params = control_call_get_params(call);
	JsonNode *n = json_object_get_member(params, "destination");
	g_autoptr(JsonNode) transfers = room_describe_transfers(d->room);
	JsonObject *request = find_request(transfers, peer_id, id);
	g_autoptr(GError) error = NULL;
	TransferSink sink;

	if (!request) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "Peer '%s' has no transfer '%s' that waits "
				  "for an answer", peer_id, id);
		return;
	}
	if (n) {
		if (!make_destination(call, json_node_get_object(n), &sink))
			return;
	} else if (!make_sink(d->transfers, peer_id, id, info_of(request),
			      &sink, &error)) {
		/* It still waits: it can be refused, or put elsewhere. */
		control_call_fail(call, CONTROL_CODE_FAILED, NULL, "%s",
				  error->message);
		return;
	}
	if (room_accept_transfer(d->room, peer_id, id, sink, &error))
		control_call_reply(call, NULL);
	else
		daemon_fail_room(call, error);
}

static void accept_data_transfer(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *params = control_call_get_params(call);
	const char *peer_id = text_member(params, "peerId");
	const char *id = text_member(params, "transferId");
	g_autoptr(GError) error = NULL;

	if (!daemon_need_room(call, d))
		return;
	if (json_object_get_boolean_member_with_default(params, "accept",
							FALSE))
		accept_transfer(call, d, peer_id, id);
	else if (room_reject_transfer(d->room, peer_id, id, &error))
		control_call_reply(call, NULL);
	else
		daemon_fail_room(call, error);
}

static void cancel_data_transfer(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *params = control_call_get_params(call);
	g_autoptr(GError) error = NULL;

	if (!daemon_need_room(call, d))
		return;
	if (room_cancel_transfer(d->room, text_member(params, "peerId"),
				 text_member(params, "transferId"), &error))
		control_call_reply(call, NULL);
	else
		daemon_fail_room(call, error);
}

/* --- looking, and the spool ------------------------------------------------ */
static void transfer_list(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonNode *none;

	if (d->room) {
		control_call_reply(call, room_describe_transfers(d->room));
		return;
	}
	none = json_node_new(JSON_NODE_ARRAY);
	json_node_take_array(none, json_array_new());
	control_call_reply(call, none);
}

/* A room server alone receives nothing. Return: NULL; the call was answered. */
static Spool *need_spool(ControlCall *call, Daemon *d)
{
	if (d->transfers)
		return d->transfers->spool;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "A room server alone receives no files");
	return NULL;
}

static void transfer_received(ControlCall *call, gpointer user)
{
	Spool *spool = need_spool(call, user);

	if (spool)
		control_call_reply(call, spool_describe(spool));
}

static void fail_spool(ControlCall *call, const GError *error)
{
	control_call_fail(call,
			  g_error_matches(error, SPOOL_ERROR,
					  SPOOL_ERROR_NO_FILE) ?
			  CONTROL_CODE_STATE : CONTROL_CODE_FAILED, NULL,
			  "%s", error->message);
}

static void transfer_fetch(ControlCall *call, gpointer user)
{
	Spool *spool = need_spool(call, user);
	g_autoptr(JsonObject) info = NULL;
	g_autoptr(GError) error = NULL;
	JsonNode *node, *copy;
	int fd;

	if (!spool)
		return;
	fd = spool_open(spool, text_member(control_call_get_params(call),
					   "name"), &info, &error);
	if (fd < 0) {
		fail_spool(call, error);
		return;
	}
	node = json_node_init_object(json_node_alloc(), info);
	copy = json_node_copy(node);
	json_object_set_int_member(json_node_get_object(copy), "fd", 0);
	control_call_reply_fds(call, copy, &fd, 1);
	json_node_unref(node);
}

static void transfer_remove(ControlCall *call, gpointer user)
{
	Spool *spool = need_spool(call, user);
	g_autoptr(GError) error = NULL;

	if (!spool)
		return;
	if (spool_remove(spool, text_member(control_call_get_params(call),
					    "name"), &error))
		control_call_reply(call, NULL);
	else
		fail_spool(call, error);
}

const ControlHandler daemon_transfer_handlers[] = {
	{ "sendBlobData", send_blob_data },
	{ "sendURLData", send_url_data },
	{ "acceptDataTransfer", accept_data_transfer },
	{ "respondBlobRequest", accept_data_transfer },
	{ "cancelDataTransfer", cancel_data_transfer },
	{ "cancelBlobTransfer", cancel_data_transfer },
	{ "transfer.list", transfer_list },
	{ "transfer.received", transfer_received },
	{ "transfer.fetch", transfer_fetch },
	{ "transfer.remove", transfer_remove },
	{ NULL, NULL },
};

/* --- life ------------------------------------------------------------------ */
static gboolean on_expire(gpointer data)
{
	DaemonTransfers *t = data;

	spool_expire(t->spool);
	return G_SOURCE_CONTINUE;
}

static guint64 megabytes(Config *c, enum option_id id)
{
	return (guint64) config_get_int(c, id) * BYTES_PER_MB;
}

static void fill_limits(Config *c, SpoolConfig *ret)
{
	ret->quota_bytes = megabytes(c, OPT_TRANSFER_QUOTA);
	ret->max_file_bytes = megabytes(c, OPT_TRANSFER_MAX_FILE);
	ret->max_files = (unsigned int) config_get_int(c,
						       OPT_TRANSFER_MAX_FILES);
	ret->keep_s = (guint64) config_get_int(c, OPT_TRANSFER_KEEP) * 3600;
}

static void follow_config(DaemonTransfers *t, Config *c)
{
	const char *accept = config_get_string(c, OPT_TRANSFER_ACCEPT);
	gboolean expires = config_get_int(c, OPT_TRANSFER_KEEP) > 0;

	t->never = !strcmp(accept, "never");
	t->always = !strcmp(accept, "always");
	if (expires == (t->expire != NULL))
		return;
	if (expires) {
		t->expire = g_timeout_source_new_seconds(EXPIRE_PERIOD_S);
		g_source_set_callback(t->expire, on_expire, t, NULL);
		g_source_attach(t->expire, NULL);
	} else {
		g_source_destroy(t->expire);
		g_clear_pointer(&t->expire, g_source_unref);
	}
}

void daemon_transfers_reload(Daemon *d)
{
	DaemonTransfers *t = d->transfers;
	SpoolConfig limits = {.directory = NULL};

	if (!t)
		return;
	fill_limits(d->options->config, &limits);
	spool_set_limits(t->spool, &limits);
	follow_config(t, d->options->config);
	spool_expire(t->spool);
}

gboolean daemon_transfers_start(Daemon *d, GError **error)
{
	Config *c = d->options->config;
	g_autofree char *directory = NULL;
	SpoolPathInput path;
	SpoolConfig config = {.directory = NULL};
	DaemonTransfers *t;
	Spool *spool;

	spool_path_input_init(&path);
	path.configured = config_get_string(c, OPT_TRANSFER_DIRECTORY);
	path.instance = d->options->instance;
	path.demo = d->options->demo;
	config.directory = directory = spool_path_choose(&path);
	fill_limits(c, &config);
	spool = spool_new(&config, error);
	if (!spool)
		return FALSE;
	t = d->transfers = g_new0(DaemonTransfers, 1);
	t->spool = spool;
	t->sending = daemon_sending_new();
	follow_config(t, c);
	return TRUE;
}

void daemon_transfers_fill_room(Daemon *d, RoomConfig *room)
{
	room->transfer_request = on_request;
}

void daemon_transfers_done(Daemon *d)
{
	if (d->transfers)
		g_clear_pointer(&d->transfers->sending, daemon_sending_free);
}

void daemon_transfers_free(Daemon *d)
{
	DaemonTransfers *t = g_steal_pointer(&d->transfers);

	if (!t)
		return;
	if (t->expire) {
		g_source_destroy(t->expire);
		g_source_unref(t->expire);
	}
	spool_free(t->spool);
	g_free(t);
}
