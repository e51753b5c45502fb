// SPDX-License-Identifier: Apache-2.0
/* What real clients sent, told by us with the same values: field by field the
 * same, but for the differences that stand here. */
#include "appliance/signaling/message-build.h"

#include <string.h>

#include "appliance/signaling/json-check.h"

/* Every difference that is meant. Each row has to be met at least once. */
static struct difference {
	const char *version, *type, *field;	/* NULL: all */
	enum { OURS_ALONE, THEIRS_ALONE, OTHER_VALUE } kind;
	const char *why;
	guint n;
} differences[] = {
	/* the union of all versions' hellos */
	{"0.6.12", "enter", "temasysPluginVersion", OURS_ALONE, "newer"},
	{"0.6.12", "enter", "enableIceTrickle", OURS_ALONE, "newer"},
	{"0.6.12", "enter", "enableDataChannel", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "temasysPluginVersion", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "enableIceRestart", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "SMProtocolVersion", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "DTProtocolVersion", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "version", OTHER_VALUE, "a string since 0.6.16"},
	{"0.6.12", "restart", "doIceRestart", OURS_ALONE, "newer"},
	{"0.6.12", "restart", "isRestartResend", OURS_ALONE, "newer"},
	{"0.6.37", NULL, "sessionType", OURS_ALONE, "0.6.12 reads it"},
	{"0.6.37", NULL, "receiveOnly", OTHER_VALUE, "always false: 0.6.12 "
						     "takes it for us"},
	{"0.9.3", NULL, "sessionType", OURS_ALONE, "0.6.12 reads it"},
	{"2.6.2", NULL, "sessionType", OURS_ALONE, "0.6.12 reads it"},
	{"2.6.2", NULL, "receiveOnly", OURS_ALONE, "0.6 reads it"},
	{"2.6.2", NULL, "enableIceTrickle", OURS_ALONE, "0.6 reads it"},
	{"2.6.2", NULL, "enableIceRestart", OTHER_VALUE, "we always can"},
	{"2.6.2", NULL, "SMProtocolVersion", OTHER_VALUE, "we are no 2.x"},
	/* what a restart of 0.6.12 carries */
	{"0.6.37", "restart", "isConnectionRestart", OURS_ALONE, "0.6.12's"},
	{"0.6.37", "restart", "explicit", OURS_ALONE, "0.6.12's"},
	{"0.6.37", "restart", "lastRestart", OURS_ALONE, "0.6.12's"},
	{"0.9.3", "offer", "isConnectionRestart", OURS_ALONE, "0.6.12's"},
	{"0.9.3", "offer", "explicit", OURS_ALONE, "0.6.12's"},
	{"0.9.3", "offer", "lastRestart", OURS_ALONE, "0.6.12's"},
	{"2.6.2", "offer", "isConnectionRestart", OURS_ALONE, "0.6.12's"},
	{"2.6.2", "offer", "explicit", OURS_ALONE, "0.6.12's"},
	{"2.6.2", "offer", "lastRestart", OURS_ALONE, "0.6.12's"},
	/* descriptions tell who and how heavy, for the newer ones */
	{"0.6.12", "offer", "userInfo", OURS_ALONE, "newer"},
	{"0.6.12", "answer", "userInfo", OURS_ALONE, "newer"},
	{"0.6.12", NULL, "weight", OURS_ALONE, "2.x reads it"},
	{"0.6.37", NULL, "weight", OURS_ALONE, "2.x reads it"},
	{"0.9.3", NULL, "weight", OURS_ALONE, "2.x reads it"},
	{"2.6.2", "answer", "weight", OURS_ALONE, "as in the offer"},
	{"0.9.3", "offer", "agent", THEIRS_ALONE, "told by enter, welcome"},
	{"0.9.3", "offer", "version", THEIRS_ALONE, "told by enter, welcome"},
	{"0.9.3", "offer", "os", THEIRS_ALONE, "told by enter, welcome"},
	/* stamps came with 0.6.15 */
	{"0.6.12", "updateUserEvent", "stamp", OURS_ALONE, "newer"},
	{"0.6.12", "muteAudioEvent", "stamp", OURS_ALONE, "newer"},
	{"0.6.12", "muteVideoEvent", "stamp", OURS_ALONE, "newer"},
};

static void note(const char *version, const char *type, const char *field,
		 int kind)
{
	for (guint i = 0; i < G_N_ELEMENTS(differences); i++) {
		struct difference *d = &differences[i];

		if (!strcmp(d->version, version) &&
		    (!d->type || !strcmp(d->type, type)) &&
		    !strcmp(d->field, field) && (int) d->kind == kind) {
			d->n++;
			return;
		}
	}
	g_error("%s: %s: field '%s' %s", version, type, field,
		kind == OURS_ALONE     ? "is ours alone"
		: kind == THEIRS_ALONE ? "is missing in ours"
				       : "has another value in ours");
}

static gboolean same(JsonNode *a, JsonNode *b)
{
	g_autofree char *x = json_to_string(a, FALSE);
	g_autofree char *y = json_to_string(b, FALSE);

	return !strcmp(x, y);
}

static void compare(const char *version, JsonObject *ours, JsonObject *theirs)
{
	const char *type = json_object_get_string_member(theirs, "type");
	g_autoptr(GList) mine = json_object_get_members(ours);
	g_autoptr(GList) his = json_object_get_members(theirs);

	for (GList *l = his; l; l = l->next)
		if (!json_object_has_member(ours, l->data))
			note(version, type, l->data, THEIRS_ALONE);
		else if (!same(json_object_get_member(ours, l->data),
			       json_object_get_member(theirs, l->data)))
			note(version, type, l->data, OTHER_VALUE);
	for (GList *l = mine; l; l = l->next)
		if (!json_object_has_member(theirs, l->data))
			note(version, type, l->data, OURS_ALONE);
}

/* --- ours, with their values ---------------------------------------------- */
static gint64 stamp_of(const Message *m)
{
	return m->update.has_stamp ? (gint64) m->update.stamp : 1;
}

static JsonObject *build_description(const Message *m, const MessageSelf *self)
{
	MessageRestart restart = {
		.do_ice_restart = m->hello.do_ice_restart,
		.is_resend = m->hello.is_restart_resend,
	};
	gboolean renegotiates =
		json_object_has_member(m->object, "doIceRestart");

	return message_build_description(self, m->target, m->type,
					 m->description.sdp,
					 renegotiates ? &restart : NULL,
					 m->description.restart,
					 m->description.media_info);
}

static JsonObject *build_restart(const Message *m, const MessageSelf *self)
{
	MessageRestart restart = {
		.do_ice_restart = m->hello.do_ice_restart,
		.is_resend = m->hello.is_restart_resend,
		.is_connection_restart = m->hello.is_connection_restart,
		.is_explicit = m->hello.is_explicit,
		.last_restart_ms = m->hello.last_restart,
	};

	return message_build_restart(self, m->target, &restart);
}

static JsonObject *build_group(const Message *m)
{
	guint bad;
	g_autoptr(GPtrArray) list = message_unbundle(m, &bad);
	g_autoptr(GPtrArray) objects = g_ptr_array_new();

	g_assert_cmpuint(bad, ==, 0);
	for (guint i = 0; i < list->len; i++)
		g_ptr_array_add(objects, ((Message *) list->pdata[i])->object);
	return message_build_group(m->mid, m->rid,
				   (JsonObject *const *) objects->pdata,
				   objects->len);
}

/* mediaInfoEvent names a stream and a kind: "AUDIO_<stream>". */
static JsonObject *build_media_info(const Message *m, const MessageSelf *self)
{
	const MessageMedia media = {
		.stream_id = m->media.media_id + strlen("AUDIO_"),
	};

	return message_build_media_info(
		self, m->target, &media,
		g_str_has_prefix(m->media.media_id, "VIDEO_"),
		m->media.media_state);
}

static JsonObject *build(const Message *m, const MessageSelf *self)
{
	switch (m->type) {
	case MESSAGE_ENTER:
		return message_build_enter(self, m->target);
	case MESSAGE_WELCOME:
		return message_build_welcome(self, m->target);
	case MESSAGE_RESTART:
		return build_restart(m, self);
	case MESSAGE_OFFER:
	case MESSAGE_ANSWER:
		return build_description(m, self);
	case MESSAGE_CANDIDATE:
		return message_build_candidate(self, m->target,
					       m->candidate.label,
					       m->candidate.id,
					       m->candidate.candidate);
	case MESSAGE_END_OF_CANDIDATES:
		return message_build_end_of_candidates(self, m->target,
						       m->n_candidates);
	case MESSAGE_PUBLIC:
	case MESSAGE_PRIVATE:
		return message_build_text(self, m->target, m->text.data);
	case MESSAGE_UPDATE_USER:
		return message_build_update_user(self, m->update.user_data,
						 stamp_of(m));
	case MESSAGE_MUTE_AUDIO:
	case MESSAGE_MUTE_VIDEO:
		return message_build_mute(self, m->type, m->update.muted,
					  stamp_of(m));
	case MESSAGE_STREAM:
		return message_build_stream_ended(self, m->stream.stream_id,
						  m->stream.settings, FALSE);
	case MESSAGE_ROOM_LOCK:
		return message_build_room_lock(self, m->lock);
	case MESSAGE_GROUP:
		return build_group(m);
	case MESSAGE_GET_PEERS:
		return message_build_get_peers(m->show_all);
	case MESSAGE_INTRODUCE:
		return message_build_introduce(m->introduce.sending_peer,
					       m->introduce.receiving_peer);
	case MESSAGE_ANSWER_ACK:
		return message_build_answer_ack(self, m->target, m->success);
	case MESSAGE_MEDIA_INFO:
		return build_media_info(m, self);
	default:
		return NULL;	/* the server's, joinRoom; `message` of 2.x */
	}
}

static MessageSelf self_of(const Message *m)
{
	MessageSelf self = {
		.mid = m->mid,
		.rid = m->rid,
		.cid = json_object_get_string_member_with_default(m->object,
								  "cid", NULL),
		.agent = m->hello.agent ? m->hello.agent : "",
		.version = m->hello.version ? m->hello.version : "",
		.os = m->hello.os ? m->hello.os : "",
		.weight = m->hello.weight,
		.ice_trickle = m->hello.ice_trickle,
		.no_data_channel = !m->hello.data_channel,
		.user_info = m->hello.user_info,
	};

	return self;
}

/* --- the recordings ------------------------------------------------------- */
struct pass {
	const char *version;
	guint compared[N_MESSAGE_TYPES];
	GPtrArray *answers;	/* of the room API, as recorded */
};

static void free_answer(gpointer answer)
{
	room_api_answer_free(answer);
}

/* joinRoom repeats the room API's answer: one of those before it. */
static void take_join(struct pass *p, const Message *m)
{
	const char *cred = json_object_get_string_member(m->object,
							 "userCred");
	g_autoptr(JsonObject) ours = NULL;

	for (guint i = 0; i < p->answers->len && !ours; i++) {
		RoomApiAnswer *a = p->answers->pdata[i];

		if (!strcmp(a->user_cred, cred))
			ours = message_build_join_room(
				a, json_object_get_string_member(m->object,
								 "key"));
	}
	g_assert_nonnull(ours);
	compare(p->version, ours, m->object);
	p->compared[m->type]++;
}

static void take_message(struct pass *p, JsonObject *theirs)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) m = message_parse(theirs, &error);
	g_autoptr(JsonObject) no_info = json_object_new();
	g_autoptr(JsonObject) ours = NULL;
	MessageSelf self;

	g_assert_no_error(error);
	if (m->type == MESSAGE_JOIN_ROOM) {
		take_join(p, m);
		return;
	}
	self = self_of(m);
	if (!self.user_info)
		self.user_info = no_info;
	ours = build(m, &self);
	if (!ours)
		return;
	compare(p->version, ours, theirs);
	p->compared[m->type]++;
}

static void take_line(struct pass *p, const char *line)
{
	g_autoptr(JsonObject) o =
		json_checked_parse_object(line, -1, 1 << 20, NULL);
	const char *dir;

	if (o && json_object_has_member(o, "rest")) {
		g_autofree char *body = json_to_string(
			json_object_get_member(o, "body"), FALSE);
		RoomApiAnswer *a = room_api_answer_parse(body, strlen(body),
							 200, NULL, NULL);

		if (a)
			g_ptr_array_add(p->answers, a);
	}
	if (!o || !json_object_has_member(o, "msg"))
		return;
	dir = json_object_get_string_member(o, "dir");
	if (!strcmp(dir, "c2s"))
		take_message(p, json_object_get_object_member(o, "msg"));
}

static void read_recording(struct pass *p, const char *name)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "recordings",
						      name, NULL);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	p->answers = g_ptr_array_new_with_free_func(free_answer);
	lines = g_strsplit(text, "\n", -1);
	for (char **l = lines; *l; l++)
		take_line(p, *l);
	g_ptr_array_unref(p->answers);
}

static void assert_compared(const struct pass *p, const MessageType *types)
{
	for (; *types; types++)
		if (!p->compared[*types])
			g_error("%s: no %s was compared", p->version,
				message_type_name(*types));
}

static void test_0_6_12(void)
{
	struct pass p = {.version = "0.6.12"};

	read_recording(&p, "session_0.6.12.jsonl");
	assert_compared(&p, (const MessageType[]){
		MESSAGE_JOIN_ROOM, MESSAGE_ENTER, MESSAGE_WELCOME,
		MESSAGE_OFFER, MESSAGE_ANSWER, MESSAGE_CANDIDATE,
		MESSAGE_RESTART, MESSAGE_PUBLIC, MESSAGE_PRIVATE,
		MESSAGE_UPDATE_USER, MESSAGE_MUTE_AUDIO, MESSAGE_MUTE_VIDEO,
		MESSAGE_ROOM_LOCK, MESSAGE_GROUP, 0});
}

static const MessageType newer_types[] = {
	MESSAGE_JOIN_ROOM, MESSAGE_ENTER, MESSAGE_WELCOME, MESSAGE_OFFER,
	MESSAGE_ANSWER, MESSAGE_CANDIDATE, MESSAGE_END_OF_CANDIDATES,
	MESSAGE_PUBLIC, MESSAGE_PRIVATE, MESSAGE_UPDATE_USER,
	MESSAGE_MUTE_AUDIO, MESSAGE_MUTE_VIDEO, MESSAGE_STREAM,
	MESSAGE_ROOM_LOCK, MESSAGE_GROUP, 0,
};

static void test_0_6_37(void)
{
	struct pass p = {.version = "0.6.37"};

	read_recording(&p, "session_0.6.37.jsonl");
	read_recording(&p, "privileged_0.6.37.jsonl");
	assert_compared(&p, newer_types);
	assert_compared(&p, (const MessageType[]){
		MESSAGE_RESTART, MESSAGE_GET_PEERS, MESSAGE_INTRODUCE, 0});
}

static void test_0_9_3(void)
{
	struct pass p = {.version = "0.9.3"};

	read_recording(&p, "session_0.9.3.jsonl");
	assert_compared(&p, newer_types);
}

static void test_2_6_2(void)
{
	struct pass p = {.version = "2.6.2"};

	read_recording(&p, "session_2.6.2.jsonl");
	assert_compared(&p, (const MessageType[]){
		MESSAGE_JOIN_ROOM, MESSAGE_ENTER, MESSAGE_WELCOME,
		MESSAGE_OFFER, MESSAGE_ANSWER, MESSAGE_CANDIDATE,
		MESSAGE_END_OF_CANDIDATES, MESSAGE_UPDATE_USER,
		MESSAGE_ROOM_LOCK, MESSAGE_ANSWER_ACK, MESSAGE_MEDIA_INFO, 0});
}

/* A difference that is not there any more has no place in the list. */
static void test_no_difference_is_idle(void)
{
	for (guint i = 0; i < G_N_ELEMENTS(differences); i++)
		if (!differences[i].n)
			g_error("%s: %s: '%s' does not differ",
				differences[i].version,
				differences[i].type ? differences[i].type
						    : "any",
				differences[i].field);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/message-golden/0.6.12", test_0_6_12);
	g_test_add_func("/message-golden/0.6.37", test_0_6_37);
	g_test_add_func("/message-golden/0.9.3", test_0_9_3);
	g_test_add_func("/message-golden/2.6.2", test_2_6_2);
	g_test_add_func("/message-golden/idle", test_no_difference_is_idle);
	return g_test_run();
}
