// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/message.h"

#include <math.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

G_DEFINE_QUARK(message-error-quark, message_error)

/* Kinds of JSON value a field may have. */
enum {
	S = 1 << 0,	/* string of at most MESSAGE_MAX_STRING_BYTES */
	ID = 1 << 1,	/* string of at most MESSAGE_MAX_ID_BYTES */
	SDP = 1 << 2,	/* string of at most MESSAGE_MAX_SDP_BYTES */
	N = 1 << 3,	/* number */
	B = 1 << 4,
	O = 1 << 5,
	A = 1 << 6,
	NIL = 1 << 7,
	ANY = 1 << 8,
	REQ = 1 << 9,	/* must be there */
};

struct field {
	const char *name;
	unsigned int kinds;
};

static const struct field common_fields[] = {
	{"type", S | REQ},
	{"mid", ID | NIL},
	{"rid", ID | NIL},
	{"target", ID | NIL},
	{NULL},
};

/* Also looked at in offers and answers, where 2.x repeats them. A missing
 * weight is NaN in JavaScript, and null on the wire. */
static const struct field hello_fields[] = {
	{"agent", S | NIL},
	{"version", S | N | NIL},
	{"os", S | NIL},
	{"SMProtocolVersion", S | NIL},
	{"DTProtocolVersion", S | NIL},
	{"sessionType", S | NIL},
	{"parentId", ID | NIL},
	{"weight", N | NIL},
	{"receiveOnly", B | NIL},
	{"publishOnly", O | B | NIL},
	{"enableIceTrickle", B | NIL},
	{"enableDataChannel", B | NIL},
	{"enableIceRestart", B | NIL},
	{"doIceRestart", B | NIL},
	{"isRestartResend", B | NIL},
	{"isConnectionRestart", B | NIL},
	{"explicit", B | NIL},
	{"lastRestart", N | NIL},
	{"userInfo", O | NIL},
	{NULL},
};

#define FIELDS(...) (const struct field[]){__VA_ARGS__, {NULL}}

struct entry {
	const char *name;
	gboolean hello;		/* hello_fields apply */
	gboolean from_peer;	/* mid is needed */
	const struct field *fields;
};

/* The catalogue, in the order of MessageType. */
static const struct entry catalogue[N_MESSAGE_TYPES] = {
	[MESSAGE_UNKNOWN] = {NULL},
	[MESSAGE_JOIN_ROOM] = {"joinRoom", .fields = FIELDS(
		{"uid", S | REQ}, {"cid", S | REQ}, {"rid", ID | REQ},
		{"userCred", S | REQ}, {"timeStamp", S | REQ},
		{"apiOwner", S | REQ}, {"roomCred", S | REQ},
		{"start", S | REQ}, {"len", N | S | REQ},
		{"isPrivileged", B | NIL}, {"autoIntroduce", B | NIL},
		{"key", S | NIL})},
	[MESSAGE_IN_ROOM] = {"inRoom", .fields = FIELDS(
		{"sid", ID | REQ}, {"pc_config", O | REQ},
		{"tieBreaker", N | NIL})},
	[MESSAGE_ENTER] = {"enter", TRUE, TRUE},
	[MESSAGE_WELCOME] = {"welcome", TRUE, TRUE},
	[MESSAGE_OFFER] = {"offer", TRUE, TRUE, FIELDS(
		{"sdp", SDP | REQ}, {"restart", B | NIL},
		{"mediaInfoList", A | NIL})},
	[MESSAGE_ANSWER] = {"answer", TRUE, TRUE, FIELDS(
		{"sdp", SDP | REQ}, {"restart", B | NIL},
		{"mediaInfoList", A | NIL})},
	[MESSAGE_CANDIDATE] = {"candidate", FALSE, TRUE, FIELDS(
		{"label", N | REQ}, {"id", ID | NIL},
		{"candidate", S | REQ})},
	[MESSAGE_END_OF_CANDIDATES] = {"endOfCandidates", FALSE, TRUE, FIELDS(
		{"noOfExpectedCandidates", N | NIL})},
	[MESSAGE_RESTART] = {"restart", TRUE, TRUE},
	[MESSAGE_BYE] = {"bye", FALSE, TRUE},
	[MESSAGE_REDIRECT] = {"redirect", .fields = FIELDS(
		{"action", S | REQ}, {"reason", S | NIL}, {"info", S | NIL})},
	[MESSAGE_PUBLIC] = {"public", FALSE, TRUE, FIELDS(
		{"cid", S | NIL}, {"data", ANY | REQ})},
	[MESSAGE_PRIVATE] = {"private", FALSE, TRUE, FIELDS(
		{"cid", S | NIL}, {"data", ANY | REQ})},
	[MESSAGE_UPDATE_USER] = {"updateUserEvent", FALSE, TRUE, FIELDS(
		{"userData", ANY | REQ}, {"stamp", N | NIL})},
	[MESSAGE_MUTE_AUDIO] = {"muteAudioEvent", FALSE, TRUE, FIELDS(
		{"muted", B | REQ}, {"stamp", N | NIL})},
	[MESSAGE_MUTE_VIDEO] = {"muteVideoEvent", FALSE, TRUE, FIELDS(
		{"muted", B | REQ}, {"stamp", N | NIL})},
	[MESSAGE_STREAM] = {"stream", FALSE, TRUE, FIELDS(
		{"status", S | REQ}, {"streamId", ID | NIL},
		{"sessionType", S | NIL}, {"settings", O | NIL},
		{"cid", S | NIL})},
	[MESSAGE_ROOM_LOCK] = {"roomLockEvent", FALSE, TRUE, FIELDS(
		{"lock", B | REQ})},
	[MESSAGE_GROUP] = {"group", .fields = FIELDS(
		{"lists", A | REQ})},
	[MESSAGE_GET_PEERS] = {"getPeers", .fields = FIELDS(
		{"showAll", B | NIL})},
	[MESSAGE_PEER_LIST] = {"peerList", .fields = FIELDS(
		{"result", O | REQ})},
	[MESSAGE_INTRODUCE] = {"introduce", .fields = FIELDS(
		{"sendingPeerId", ID | REQ}, {"receivingPeerId", ID | REQ})},
	[MESSAGE_INTRODUCE_ERROR] = {"introduceError", .fields = FIELDS(
		{"sendingPeerId", ID | REQ}, {"receivingPeerId", ID | REQ},
		{"reason", S | NIL})},
	[MESSAGE_APPROACH] = {"approach", .fields = FIELDS(
		{"target", ID | REQ})},
	[MESSAGE_START_RECORDING] = {"startRecordingRoom"},
	[MESSAGE_STOP_RECORDING] = {"stopRecordingRoom"},
	[MESSAGE_RECORDING] = {"recordingEvent", .fields = FIELDS(
		{"action", S | REQ}, {"recordingId", S | NIL},
		{"url", S | NIL}, {"urls", A | NIL}, {"error", S | NIL})},
	[MESSAGE_PING] = {"ping"},
	[MESSAGE_ANSWER_ACK] = {"answerAck", FALSE, TRUE, FIELDS(
		{"success", B | NIL})},
	[MESSAGE_MEDIA_INFO] = {"mediaInfoEvent", FALSE, TRUE, FIELDS(
		{"publisherId", ID | NIL}, {"mediaId", S | REQ},
		{"mediaType", S | NIL}, {"mediaState", S | REQ})},
	[MESSAGE_MESSAGE] = {"message", FALSE, TRUE, FIELDS(
		{"data", ANY | REQ})},
};

const char *message_type_name(MessageType type)
{
	return type < N_MESSAGE_TYPES ? catalogue[type].name : NULL;
}

static MessageType type_from_name(const char *name)
{
	for (MessageType t = MESSAGE_JOIN_ROOM; t < N_MESSAGE_TYPES; t++)
		if (!strcmp(catalogue[t].name, name))
			return t;
	return MESSAGE_UNKNOWN;
}

/* --- checking ------------------------------------------------------------ */
static unsigned int kind_of(JsonNode *node)
{
	switch (json_node_get_node_type(node)) {
	case JSON_NODE_OBJECT:
		return O;
	case JSON_NODE_ARRAY:
		return A;
	case JSON_NODE_NULL:
		return NIL;
	case JSON_NODE_VALUE:
		break;
	}
	switch (json_node_get_value_type(node)) {
	case G_TYPE_STRING:
		return S | ID | SDP;
	case G_TYPE_BOOLEAN:
		return B;
	default:
		return N;
	}
}

static void name_kinds(GString *out, unsigned int kinds)
{
	static const struct {
		unsigned int kind;
		const char *name;
	} names[] = {
		{S | ID | SDP, "a string"}, {N, "a number"},
		{B, "true or false"},	    {O, "an object"},
		{A, "an array"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (kinds & names[i].kind)
			g_string_append_printf(out, "%s%s",
					       out->len ? " or " : "",
					       names[i].name);
}

static gboolean check_field(JsonObject *object, const char *type,
			    const struct field *f, GError **error)
{
	JsonNode *node = json_object_get_member(object, f->name);
	gsize max = f->kinds & S     ? MESSAGE_MAX_STRING_BYTES
		    : f->kinds & SDP ? MESSAGE_MAX_SDP_BYTES
				     : MESSAGE_MAX_ID_BYTES;
	unsigned int kind;

	if (!node) {
		if (!(f->kinds & REQ))
			return TRUE;
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_MISSING,
			    "%s: field '%s' is missing", type, f->name);
		return FALSE;
	}
	kind = kind_of(node);
	if (!(f->kinds & (kind | ANY))) {
		g_autoptr(GString) wanted = g_string_new(NULL);

		name_kinds(wanted, f->kinds);
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_KIND,
			    "%s: field '%s' must be %s", type, f->name,
			    wanted->str);
		return FALSE;
	}
	if (kind & S && !(f->kinds & ANY) &&
	    strlen(json_node_get_string(node)) > max) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_LIMIT,
			    "%s: field '%s' is longer than %" G_GSIZE_FORMAT
			    " bytes", type, f->name, max);
		return FALSE;
	}
	return TRUE;
}

static gboolean check_fields(JsonObject *object, const char *type,
			     const struct field *fields, GError **error)
{
	for (; fields && fields->name; fields++)
		if (!check_field(object, type, fields, error))
			return FALSE;
	return TRUE;
}

/* --- reading what was checked -------------------------------------------- */
static const char *get_string(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && kind_of(node) & S ? json_node_get_string(node) : NULL;
}

static gboolean get_boolean(JsonObject *object, const char *name,
			    gboolean absent)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && kind_of(node) == B ? json_node_get_boolean(node)
					  : absent;
}

static gboolean get_number(JsonObject *object, const char *name, gdouble *ret)
{
	JsonNode *node = json_object_get_member(object, name);

	if (!node || kind_of(node) != N)
		return FALSE;
	*ret = json_node_get_double(node);
	return TRUE;
}

static JsonObject *get_object(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && kind_of(node) == O ? json_node_get_object(node) : NULL;
}

static JsonArray *get_array(JsonObject *object, const char *name)
{
	JsonNode *node = json_object_get_member(object, name);

	return node && kind_of(node) == A ? json_node_get_array(node) : NULL;
}

static char *get_version(JsonObject *object)
{
	const char *text = get_string(object, "version");
	gdouble number;
	char buf[G_ASCII_DTOSTR_BUF_SIZE];

	if (text)
		return g_strdup(text);
	if (!get_number(object, "version", &number))
		return NULL;
	return g_strdup(g_ascii_formatd(buf, sizeof(buf), "%.15g", number));
}

static void read_hello(JsonObject *object, MessageHello *h)
{
	gdouble last;

	h->agent = get_string(object, "agent");
	h->version = get_version(object);
	h->os = get_string(object, "os");
	h->sm_version = get_string(object, "SMProtocolVersion");
	h->dt_version = get_string(object, "DTProtocolVersion");
	h->session_type = get_string(object, "sessionType");
	h->parent_id = get_string(object, "parentId");
	h->has_weight = get_number(object, "weight", &h->weight);
	h->receive_only = get_boolean(object, "receiveOnly", FALSE);
	h->publish_only = get_object(object, "publishOnly") ||
			  get_boolean(object, "publishOnly", FALSE);
	h->ice_trickle = get_boolean(object, "enableIceTrickle", TRUE);
	h->data_channel = get_boolean(object, "enableDataChannel", TRUE);
	h->ice_restart = get_boolean(object, "enableIceRestart", FALSE);
	h->do_ice_restart = get_boolean(object, "doIceRestart", FALSE);
	h->is_restart_resend = get_boolean(object, "isRestartResend", FALSE);
	h->is_connection_restart =
		get_boolean(object, "isConnectionRestart", FALSE);
	h->is_explicit = get_boolean(object, "explicit", FALSE);
	if (get_number(object, "lastRestart", &last) && fabs(last) < 1e15)
		h->last_restart = (gint64) last;
	h->user_info = get_object(object, "userInfo");
}

/* Checks that an array, if there, holds at most @max objects. */
static gboolean check_objects(JsonArray *array, guint max, const char *what,
			      GError **error)
{
	guint n = array ? json_array_get_length(array) : 0;

	if (n > max) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_LIMIT,
			    "%s has more than %u entries", what, max);
		return FALSE;
	}
	for (guint i = 0; i < n; i++)
		if (kind_of(json_array_get_element(array, i)) != O) {
			g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_KIND,
				    "%s must hold objects", what);
			return FALSE;
		}
	return TRUE;
}

static gboolean read_in_room(Message *m, GError **error)
{
	JsonObject *pc = get_object(m->object, "pc_config");

	m->in_room.sid = get_string(m->object, "sid");
	m->in_room.has_tie_breaker = get_number(m->object, "tieBreaker",
						&m->in_room.tie_breaker);
	m->in_room.ice_servers = get_array(pc, "iceServers");
	if (!*m->in_room.sid) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_LIMIT,
			    "inRoom: field 'sid' is empty");
		return FALSE;
	}
	return check_objects(m->in_room.ice_servers, MESSAGE_MAX_ICE_SERVERS,
			     "inRoom: field 'pc_config.iceServers'", error);
}

/* Return: a whole number 0..@max in @ret. */
static gboolean read_count(Message *m, const char *name, guint max, guint *ret,
			   GError **error)
{
	gdouble number = 0;

	get_number(m->object, name, &number);
	if (number < 0 || number > max || number != floor(number)) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_LIMIT,
			    "%s: field '%s' must be a whole number from 0 to "
			    "%u", m->type_name, name, max);
		return FALSE;
	}
	*ret = (guint) number;
	return TRUE;
}

static gboolean read_description(Message *m, GError **error)
{
	m->description.sdp = get_string(m->object, "sdp");
	m->description.restart = get_boolean(m->object, "restart", FALSE);
	m->description.media_info = get_array(m->object, "mediaInfoList");
	return check_objects(m->description.media_info, 256,
			     "field 'mediaInfoList'", error);
}

static void read_update(Message *m)
{
	m->update.user_data = json_object_get_member(m->object, "userData");
	m->update.muted = get_boolean(m->object, "muted", FALSE);
	m->update.has_stamp = get_number(m->object, "stamp", &m->update.stamp);
}

/* Every room holds an array of ids. */
static gboolean read_peer_list(Message *m, GError **error)
{
	g_autoptr(GList) rooms = NULL;
	guint n = 0;

	m->peer_list = get_object(m->object, "result");
	rooms = json_object_get_members(m->peer_list);
	for (GList *l = rooms; l; l = l->next) {
		JsonArray *ids = get_array(m->peer_list, l->data);
		guint n_ids = ids ? json_array_get_length(ids) : 0;

		n += n_ids;
		for (guint i = 0; ids && i < n_ids && n <= MESSAGE_MAX_LISTED;
		     i++) {
			JsonNode *id = json_array_get_element(ids, i);

			if (!(kind_of(id) & ID) ||
			    strlen(json_node_get_string(id)) >
				    MESSAGE_MAX_ID_BYTES)
				ids = NULL;
		}
		if (!ids || n > MESSAGE_MAX_LISTED) {
			g_set_error(error, MESSAGE_ERROR,
				    ids ? MESSAGE_ERROR_LIMIT
					: MESSAGE_ERROR_KIND,
				    "peerList: field 'result' must hold at "
				    "most %d peer ids in arrays, one for each "
				    "room", MESSAGE_MAX_LISTED);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean read_recording(Message *m, GError **error)
{
	m->recording.action = get_string(m->object, "action");
	m->recording.id = get_string(m->object, "recordingId");
	m->recording.url = get_string(m->object, "url");
	m->recording.error = get_string(m->object, "error");
	m->recording.urls = get_array(m->object, "urls");
	return check_objects(m->recording.urls, 256,
			     "recordingEvent: field 'urls'", error);
}

static gboolean read_rest(Message *m, GError **error)
{
	JsonObject *o = m->object;

	switch (m->type) {
	case MESSAGE_IN_ROOM:
		return read_in_room(m, error);
	case MESSAGE_OFFER:
	case MESSAGE_ANSWER:
		return read_description(m, error);
	case MESSAGE_CANDIDATE:
		m->candidate.candidate = get_string(o, "candidate");
		m->candidate.id = get_string(o, "id");
		return read_count(m, "label", 1024, &m->candidate.label, error);
	case MESSAGE_END_OF_CANDIDATES:
		return read_count(m, "noOfExpectedCandidates", 100000,
				  &m->n_candidates, error);
	case MESSAGE_REDIRECT:
		m->redirect.action = get_string(o, "action");
		m->redirect.reason = get_string(o, "reason");
		m->redirect.info = get_string(o, "info");
		return TRUE;
	case MESSAGE_PUBLIC:
	case MESSAGE_PRIVATE:
	case MESSAGE_MESSAGE:
		m->text.data = json_object_get_member(o, "data");
		m->text.cid = get_string(o, "cid");
		return TRUE;
	case MESSAGE_UPDATE_USER:
	case MESSAGE_MUTE_AUDIO:
	case MESSAGE_MUTE_VIDEO:
		read_update(m);
		return TRUE;
	case MESSAGE_STREAM:
		m->stream.status = get_string(o, "status");
		m->stream.stream_id = get_string(o, "streamId");
		m->stream.session_type = get_string(o, "sessionType");
		m->stream.settings = get_object(o, "settings");
		return TRUE;
	case MESSAGE_ROOM_LOCK:
		m->lock = get_boolean(o, "lock", FALSE);
		return TRUE;
	case MESSAGE_ANSWER_ACK:
		m->success = get_boolean(o, "success", FALSE);
		return TRUE;
	case MESSAGE_MEDIA_INFO:
		m->media.publisher_id = get_string(o, "publisherId");
		m->media.media_id = get_string(o, "mediaId");
		m->media.media_type = get_string(o, "mediaType");
		m->media.media_state = get_string(o, "mediaState");
		return TRUE;
	case MESSAGE_PEER_LIST:
		return read_peer_list(m, error);
	case MESSAGE_INTRODUCE:
	case MESSAGE_INTRODUCE_ERROR:
		m->introduce.sending_peer = get_string(o, "sendingPeerId");
		m->introduce.receiving_peer = get_string(o, "receivingPeerId");
		m->introduce.reason = get_string(o, "reason");
		return TRUE;
	case MESSAGE_GET_PEERS:
		m->show_all = get_boolean(o, "showAll", FALSE);
		return TRUE;
	case MESSAGE_RECORDING:
		return read_recording(m, error);
	case MESSAGE_UNKNOWN:
	case MESSAGE_JOIN_ROOM:
	case MESSAGE_ENTER:
	case MESSAGE_WELCOME:
	case MESSAGE_RESTART:
	case MESSAGE_BYE:
	case MESSAGE_GROUP:
	case MESSAGE_APPROACH:
	case MESSAGE_START_RECORDING:
	case MESSAGE_STOP_RECORDING:
	case MESSAGE_PING:
	case N_MESSAGE_TYPES:
		return TRUE;
	}
	return TRUE;
}

Message *message_parse(JsonObject *object, GError **error)
{
	g_autoptr(Message) m = NULL;
	const char *name = get_string(object, "type");
	const struct entry *entry;

	if (!name || !*name || strlen(name) > 64) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_TYPE,
			    "A message without a usable 'type'");
		return NULL;
	}
	m = g_new0(Message, 1);
	m->type = type_from_name(name);
	m->type_name = name;
	m->object = json_object_ref(object);
	entry = &catalogue[m->type];

	if (!check_fields(object, name, common_fields, error) ||
	    !check_fields(object, name, entry->fields, error) ||
	    (entry->hello && !check_fields(object, name, hello_fields, error)))
		return NULL;
	m->mid = get_string(object, "mid");
	m->rid = get_string(object, "rid");
	m->target = get_string(object, "target");
	if (entry->from_peer && (!m->mid || !*m->mid)) {
		g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_MISSING,
			    "%s: field 'mid' is missing", name);
		return NULL;
	}
	if (entry->hello)
		read_hello(object, &m->hello);
	if (!read_rest(m, error))
		return NULL;
	return g_steal_pointer(&m);
}

Message *message_parse_text(const char *text, gssize len, GError **error)
{
	g_autoptr(JsonObject) object = json_checked_parse_object(
		text, len, MESSAGE_MAX_BYTES, error);

	return object ? message_parse(object, error) : NULL;
}

Message *message_free(Message *message)
{
	if (!message)
		return NULL;
	g_free(message->hello.version);
	json_object_unref(message->object);
	g_free(message);
	return NULL;
}

static void free_element(gpointer message)
{
	message_free(message);
}

GPtrArray *message_unbundle(const Message *group, guint *ret_bad)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(free_element);
	JsonArray *texts = get_array(group->object, "lists");
	guint n = texts ? json_array_get_length(texts) : 0;

	*ret_bad = 0;
	for (guint i = 0; i < n; i++) {
		JsonNode *node = json_array_get_element(texts, i);
		Message *m = NULL;

		if (i < MESSAGE_MAX_GROUP && kind_of(node) & S)
			m = message_parse_text(json_node_get_string(node), -1,
					       NULL);
		if (m && m->type == MESSAGE_GROUP)
			m = message_free(m);
		if (m)
			g_ptr_array_add(list, m);
		else
			++*ret_bad;
	}
	return list;
}
