// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-constants.h"

#include <string.h>

#include "appliance/control/control-table.h"
#include "config/nearest.h"

struct constant {
	const char *table; /* rows of one table follow each other */
	const char *key;   /* NULL: the table is the value; "": it is a
			    * list */
	const char *text;  /* or NULL: a number, or a size */
	gint64 number;	   /* a size's width */
	gint64 height;	   /* 0: no size */
	const char *ratio; /* a size's */
};

#define TEXT(t)	      .text = (t)
#define NUMBER(n)     .number = (n)
#define SIZE(w, h, r) .number = (w), .height = (h), .ratio = (r)

static const struct constant constants[] = {
	{"VERSION", NULL, TEXT("0.6.12")},
	{"DATA_CHANNEL_STATE", "CONNECTING", TEXT("connecting")},
	{"DATA_CHANNEL_STATE", "OPEN", TEXT("open")},
	{"DATA_CHANNEL_STATE", "CLOSING", TEXT("closing")},
	{"DATA_CHANNEL_STATE", "CLOSED", TEXT("closed")},
	{"DATA_CHANNEL_STATE", "ERROR", TEXT("error")},
	{"DATA_CHANNEL_TYPE", "MESSAGING", TEXT("messaging")},
	{"DATA_CHANNEL_TYPE", "DATA", TEXT("data")},
	{"CHUNK_FILE_SIZE", NULL, NUMBER(49152)},
	{"CHUNK_DATAURL_SIZE", NULL, NUMBER(1212)},
	{"MOZ_CHUNK_FILE_SIZE", NULL, NUMBER(12288)},
	{"DATA_TRANSFER_DATA_TYPE", "BINARY_STRING", TEXT("binaryString")},
	{"DATA_TRANSFER_DATA_TYPE", "ARRAY_BUFFER", TEXT("arrayBuffer")},
	{"DATA_TRANSFER_DATA_TYPE", "BLOB", TEXT("blob")},
	{"DT_PROTOCOL_VERSION", NULL, TEXT("0.1.0")},
	{"TRANSFER_DELIMITER", NULL, TEXT("_skylink__")},
	{"DC_PROTOCOL_TYPE", "WRQ", TEXT("WRQ")},
	{"DC_PROTOCOL_TYPE", "ACK", TEXT("ACK")},
	{"DC_PROTOCOL_TYPE", "ERROR", TEXT("ERROR")},
	{"DC_PROTOCOL_TYPE", "CANCEL", TEXT("CANCEL")},
	{"DC_PROTOCOL_TYPE", "MESSAGE", TEXT("MESSAGE")},
	{"INTEROP_MULTI_TRANSFERS", "", TEXT("Android")},
	{"INTEROP_MULTI_TRANSFERS", "", TEXT("iOS")},
	{"DATA_TRANSFER_TYPE", "UPLOAD", TEXT("upload")},
	{"DATA_TRANSFER_TYPE", "DOWNLOAD", TEXT("download")},
	{"DATA_TRANSFER_STATE", "UPLOAD_REQUEST", TEXT("request")},
	{"DATA_TRANSFER_STATE", "UPLOAD_STARTED", TEXT("uploadStarted")},
	{"DATA_TRANSFER_STATE", "DOWNLOAD_STARTED", TEXT("downloadStarted")},
	{"DATA_TRANSFER_STATE", "REJECTED", TEXT("rejected")},
	{"DATA_TRANSFER_STATE", "CANCEL", TEXT("cancel")},
	{"DATA_TRANSFER_STATE", "ERROR", TEXT("error")},
	{"DATA_TRANSFER_STATE", "UPLOADING", TEXT("uploading")},
	{"DATA_TRANSFER_STATE", "DOWNLOADING", TEXT("downloading")},
	{"DATA_TRANSFER_STATE", "UPLOAD_COMPLETED", TEXT("uploadCompleted")},
	{"DATA_TRANSFER_STATE", "DOWNLOAD_COMPLETED",
	 TEXT("downloadCompleted")},
	{"CANDIDATE_GENERATION_STATE", "NEW", TEXT("new")},
	{"CANDIDATE_GENERATION_STATE", "GATHERING", TEXT("gathering")},
	{"CANDIDATE_GENERATION_STATE", "COMPLETED", TEXT("completed")},
	{"ICE_CONNECTION_STATE", "STARTING", TEXT("starting")},
	{"ICE_CONNECTION_STATE", "CHECKING", TEXT("checking")},
	{"ICE_CONNECTION_STATE", "CONNECTED", TEXT("connected")},
	{"ICE_CONNECTION_STATE", "COMPLETED", TEXT("completed")},
	{"ICE_CONNECTION_STATE", "CLOSED", TEXT("closed")},
	{"ICE_CONNECTION_STATE", "FAILED", TEXT("failed")},
	{"ICE_CONNECTION_STATE", "TRICKLE_FAILED", TEXT("trickleFailed")},
	{"ICE_CONNECTION_STATE", "DISCONNECTED", TEXT("disconnected")},
	{"TURN_TRANSPORT", "UDP", TEXT("udp")},
	{"TURN_TRANSPORT", "TCP", TEXT("tcp")},
	{"TURN_TRANSPORT", "ANY", TEXT("any")},
	{"TURN_TRANSPORT", "NONE", TEXT("none")},
	{"TURN_TRANSPORT", "ALL", TEXT("all")},
	{"PEER_CONNECTION_STATE", "STABLE", TEXT("stable")},
	{"PEER_CONNECTION_STATE", "HAVE_LOCAL_OFFER", TEXT("have-local-offer")},
	{"PEER_CONNECTION_STATE", "HAVE_REMOTE_OFFER",
	 TEXT("have-remote-offer")},
	{"PEER_CONNECTION_STATE", "CLOSED", TEXT("closed")},
	{"SERVER_PEER_TYPE", "MCU", TEXT("mcu")},
	{"HANDSHAKE_PROGRESS", "ENTER", TEXT("enter")},
	{"HANDSHAKE_PROGRESS", "WELCOME", TEXT("welcome")},
	{"HANDSHAKE_PROGRESS", "OFFER", TEXT("offer")},
	{"HANDSHAKE_PROGRESS", "ANSWER", TEXT("answer")},
	{"HANDSHAKE_PROGRESS", "ERROR", TEXT("error")},
	{"GET_PEERS_STATE", "ENQUIRED", TEXT("enquired")},
	{"GET_PEERS_STATE", "RECEIVED", TEXT("received")},
	{"INTRODUCE_STATE", "INTRODUCING", TEXT("introducing")},
	{"INTRODUCE_STATE", "ERROR", TEXT("error")},
	{"SYSTEM_ACTION", "WARNING", TEXT("warning")},
	{"SYSTEM_ACTION", "REJECT", TEXT("reject")},
	{"SYSTEM_ACTION_REASON", "ROOM_LOCKED", TEXT("locked")},
	{"SYSTEM_ACTION_REASON", "DUPLICATED_LOGIN", TEXT("duplicatedLogin")},
	{"SYSTEM_ACTION_REASON", "SERVER_ERROR", TEXT("serverError")},
	{"SYSTEM_ACTION_REASON", "EXPIRED", TEXT("expired")},
	{"SYSTEM_ACTION_REASON", "ROOM_CLOSED", TEXT("roomclose")},
	{"SYSTEM_ACTION_REASON", "ROOM_CLOSING", TEXT("toclose")},
	{"READY_STATE_CHANGE", "INIT", NUMBER(0)},
	{"READY_STATE_CHANGE", "LOADING", NUMBER(1)},
	{"READY_STATE_CHANGE", "COMPLETED", NUMBER(2)},
	{"READY_STATE_CHANGE", "ERROR", NUMBER(-1)},
	{"READY_STATE_CHANGE_ERROR", "API_INVALID", NUMBER(4001)},
	{"READY_STATE_CHANGE_ERROR", "API_DOMAIN_NOT_MATCH", NUMBER(4002)},
	{"READY_STATE_CHANGE_ERROR", "API_CORS_DOMAIN_NOT_MATCH", NUMBER(4003)},
	{"READY_STATE_CHANGE_ERROR", "API_CREDENTIALS_INVALID", NUMBER(4004)},
	{"READY_STATE_CHANGE_ERROR", "API_CREDENTIALS_NOT_MATCH", NUMBER(4005)},
	{"READY_STATE_CHANGE_ERROR", "API_INVALID_PARENT_KEY", NUMBER(4006)},
	{"READY_STATE_CHANGE_ERROR", "API_NO_MEETING_RECORD_FOUND",
	 NUMBER(4010)},
	{"READY_STATE_CHANGE_ERROR", "XML_HTTP_REQUEST_ERROR", NUMBER(-1)},
	{"READY_STATE_CHANGE_ERROR", "NO_SOCKET_IO", NUMBER(1)},
	{"READY_STATE_CHANGE_ERROR", "NO_XMLHTTPREQUEST_SUPPORT", NUMBER(2)},
	{"READY_STATE_CHANGE_ERROR", "NO_WEBRTC_SUPPORT", NUMBER(3)},
	{"READY_STATE_CHANGE_ERROR", "NO_PATH", NUMBER(4)},
	{"READY_STATE_CHANGE_ERROR", "ADAPTER_NO_LOADED", NUMBER(7)},
	{"REGIONAL_SERVER", "APAC1", TEXT("sg")},
	{"REGIONAL_SERVER", "US1", TEXT("us2")},
	{"LOG_LEVEL", "DEBUG", NUMBER(4)},
	{"LOG_LEVEL", "LOG", NUMBER(3)},
	{"LOG_LEVEL", "INFO", NUMBER(2)},
	{"LOG_LEVEL", "WARN", NUMBER(1)},
	{"LOG_LEVEL", "ERROR", NUMBER(0)},
	{"SOCKET_ERROR", "CONNECTION_FAILED", NUMBER(0)},
	{"SOCKET_ERROR", "RECONNECTION_FAILED", NUMBER(-1)},
	{"SOCKET_ERROR", "CONNECTION_ABORTED", NUMBER(-2)},
	{"SOCKET_ERROR", "RECONNECTION_ABORTED", NUMBER(-3)},
	{"SOCKET_ERROR", "RECONNECTION_ATTEMPT", NUMBER(-4)},
	{"SOCKET_FALLBACK", "NON_FALLBACK", TEXT("nonfallback")},
	{"SOCKET_FALLBACK", "FALLBACK_PORT", TEXT("fallbackPortNonSSL")},
	{"SOCKET_FALLBACK", "FALLBACK_SSL_PORT", TEXT("fallbackPortSSL")},
	{"SOCKET_FALLBACK", "LONG_POLLING", TEXT("fallbackLongPollingNonSSL")},
	{"SOCKET_FALLBACK", "LONG_POLLING_SSL", TEXT("fallbackLongPollingSSL")},
	{"SM_PROTOCOL_VERSION", NULL, TEXT("0.1.1")},
	{"SIG_MESSAGE_TYPE", "JOIN_ROOM", TEXT("joinRoom")},
	{"SIG_MESSAGE_TYPE", "IN_ROOM", TEXT("inRoom")},
	{"SIG_MESSAGE_TYPE", "ENTER", TEXT("enter")},
	{"SIG_MESSAGE_TYPE", "WELCOME", TEXT("welcome")},
	{"SIG_MESSAGE_TYPE", "RESTART", TEXT("restart")},
	{"SIG_MESSAGE_TYPE", "OFFER", TEXT("offer")},
	{"SIG_MESSAGE_TYPE", "ANSWER", TEXT("answer")},
	{"SIG_MESSAGE_TYPE", "CANDIDATE", TEXT("candidate")},
	{"SIG_MESSAGE_TYPE", "BYE", TEXT("bye")},
	{"SIG_MESSAGE_TYPE", "REDIRECT", TEXT("redirect")},
	{"SIG_MESSAGE_TYPE", "UPDATE_USER", TEXT("updateUserEvent")},
	{"SIG_MESSAGE_TYPE", "ROOM_LOCK", TEXT("roomLockEvent")},
	{"SIG_MESSAGE_TYPE", "MUTE_VIDEO", TEXT("muteVideoEvent")},
	{"SIG_MESSAGE_TYPE", "MUTE_AUDIO", TEXT("muteAudioEvent")},
	{"SIG_MESSAGE_TYPE", "PUBLIC_MESSAGE", TEXT("public")},
	{"SIG_MESSAGE_TYPE", "PRIVATE_MESSAGE", TEXT("private")},
	{"SIG_MESSAGE_TYPE", "STREAM", TEXT("stream")},
	{"SIG_MESSAGE_TYPE", "GROUP", TEXT("group")},
	{"SIG_MESSAGE_TYPE", "GET_PEERS", TEXT("getPeers")},
	{"SIG_MESSAGE_TYPE", "PEER_LIST", TEXT("peerList")},
	{"SIG_MESSAGE_TYPE", "INTRODUCE", TEXT("introduce")},
	{"SIG_MESSAGE_TYPE", "INTRODUCE_ERROR", TEXT("introduceError")},
	{"SIG_MESSAGE_TYPE", "APPROACH", TEXT("approach")},
	{"VIDEO_CODEC", "AUTO", TEXT("auto")},
	{"VIDEO_CODEC", "VP8", TEXT("VP8")},
	{"VIDEO_CODEC", "H264", TEXT("H264")},
	{"AUDIO_CODEC", "AUTO", TEXT("auto")},
	{"AUDIO_CODEC", "ISAC", TEXT("ISAC")},
	{"AUDIO_CODEC", "OPUS", TEXT("opus")},
	{"VIDEO_RESOLUTION", "QQVGA", SIZE(160, 120, "4:3")},
	{"VIDEO_RESOLUTION", "HQVGA", SIZE(240, 160, "3:2")},
	{"VIDEO_RESOLUTION", "QVGA", SIZE(320, 240, "4:3")},
	{"VIDEO_RESOLUTION", "WQVGA", SIZE(384, 240, "16:10")},
	{"VIDEO_RESOLUTION", "HVGA", SIZE(480, 320, "3:2")},
	{"VIDEO_RESOLUTION", "VGA", SIZE(640, 480, "4:3")},
	{"VIDEO_RESOLUTION", "WVGA", SIZE(768, 480, "16:10")},
	{"VIDEO_RESOLUTION", "FWVGA", SIZE(854, 480, "16:9")},
	{"VIDEO_RESOLUTION", "SVGA", SIZE(800, 600, "4:3")},
	{"VIDEO_RESOLUTION", "DVGA", SIZE(960, 640, "3:2")},
	{"VIDEO_RESOLUTION", "WSVGA", SIZE(1024, 576, "16:9")},
	{"VIDEO_RESOLUTION", "HD", SIZE(1280, 720, "16:9")},
	{"VIDEO_RESOLUTION", "HDPLUS", SIZE(1600, 900, "16:9")},
	{"VIDEO_RESOLUTION", "FHD", SIZE(1920, 1080, "16:9")},
	{"VIDEO_RESOLUTION", "QHD", SIZE(2560, 1440, "16:9")},
	{"VIDEO_RESOLUTION", "WQXGAPLUS", SIZE(3200, 1800, "16:9")},
	{"VIDEO_RESOLUTION", "UHD", SIZE(3840, 2160, "16:9")},
	{"VIDEO_RESOLUTION", "UHDPLUS", SIZE(5120, 2880, "16:9")},
	{"VIDEO_RESOLUTION", "FUHD", SIZE(7680, 4320, "16:9")},
	{"VIDEO_RESOLUTION", "QUHD", SIZE(15360, 8640, "16:9")},
};

static JsonNode *make_value(const struct constant *c)
{
	JsonNode *node = json_node_alloc();
	JsonObject *o;

	if (c->text)
		return json_node_init_string(node, c->text);
	if (!c->height)
		return json_node_init_int(node, c->number);
	o = json_object_new();
	json_object_set_int_member(o, "width", c->number);
	json_object_set_int_member(o, "height", c->height);
	json_object_set_string_member(o, "aspectRatio", c->ratio);
	json_node_init_object(node, o);
	json_object_unref(o);
	return node;
}

/* @c: the table's first row; of a list or an object. */
static JsonNode *make_table(const struct constant *c)
{
	const struct constant *end = constants + G_N_ELEMENTS(constants);
	const char *name = c->table;
	gboolean is_list = !*c->key;
	JsonNode *node =
		json_node_new(is_list ? JSON_NODE_ARRAY : JSON_NODE_OBJECT);
	JsonArray *list = json_array_new();
	JsonObject *o = json_object_new();

	for (; c < end && !strcmp(c->table, name); c++) {
		if (is_list)
			json_array_add_element(list, make_value(c));
		else
			json_object_set_member(o, c->key, make_value(c));
	}
	if (is_list)
		json_node_set_array(node, list);
	else
		json_node_set_object(node, o);
	json_array_unref(list);
	json_object_unref(o);
	return node;
}

static const struct constant *find(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(constants); i++)
		if (!strcmp(constants[i].table, name))
			return &constants[i];
	return NULL;
}

static void add(JsonObject *o, const struct constant *c)
{
	json_object_set_member(o, c->table,
			       c->key ? make_table(c) : make_value(c));
}

static char *explain_unknown(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	g_autofree char *given = control_text_shorten(name);
	const char *near;

	for (unsigned int i = 0; i < G_N_ELEMENTS(constants); i++)
		g_ptr_array_add(names, (gpointer) constants[i].table);
	g_ptr_array_add(names, NULL);
	near = nearest_of(name, (const char *const *) names->pdata);
	return g_strdup_printf("No constant is called \"%s\"%s%s%s", given,
			       near ? ". Did you mean \"" : "",
			       near ? near : "", near ? "\"?" : "");
}

JsonNode *control_constants_describe(JsonArray *names, char **ret_why)
{
	unsigned int n = names ? json_array_get_length(names) : 0;
	g_autoptr(JsonObject) o = json_object_new();
	JsonNode *node;

	for (unsigned int i = 0; !names && i < G_N_ELEMENTS(constants); i++)
		if (!i || strcmp(constants[i].table, constants[i - 1].table))
			add(o, &constants[i]);
	for (unsigned int i = 0; i < n; i++) {
		const char *name = json_array_get_string_element(names, i);
		const struct constant *c = find(name);

		if (!c) {
			*ret_why = explain_unknown(name);
			return NULL;
		}
		add(o, c);
	}
	node = json_node_new(JSON_NODE_OBJECT);
	json_node_set_object(node, o);
	return node;
}
