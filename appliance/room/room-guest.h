/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-guest.h - somebody in a test's room who sends what the
 * test says, and keeps what comes
 *
 * To be included by test-room*.c alone, after room-test.h.
 *
 * Thread:  the test's
 */
#pragma once

#include "appliance/room/room-session.h"
#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"

#define SDP                                                                    \
	"v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\n"          \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\\r\\na=mid:0\\r\\na=recvonly\\r\\n"

struct guest {
	RoomSession *session;
	char *id;
	gdouble weight;
	GPtrArray *received; /* JsonObject */
	guint byes;
};

static inline void guest_event(void *user, const char *name, JsonObject *params)
{
	json_object_unref(params);
}

static inline void guest_in_room(void *user, const Message *m)
{
	struct guest *g = user;

	g->id = g_strdup(m->in_room.sid);
	g->weight = m->in_room.tie_breaker;
}

static inline void guest_message(void *user, const Message *m)
{
	struct guest *g = user;

	g->byes += m->type == MESSAGE_BYE;
	g_ptr_array_add(g->received, json_object_ref(m->object));
}

static inline void guest_lost(void *user)
{
}

static inline void guest_join(struct guest *g, struct fixture *f)
{
	RoomSessionConfig config = {
		.room_server = f->url,
		.app_key = "demo",
		.event = guest_event,
		.in_room = guest_in_room,
		.message = guest_message,
		.lost = guest_lost,
		.user = g,
	};

	*g = (struct guest){
		.session = room_session_new(&config),
		.received = g_ptr_array_new_with_free_func(
			(GDestroyNotify) json_object_unref),
	};
	room_session_join(g->session, "lobby");
	WAIT(g->id);
}

static inline void guest_done(struct guest *g)
{
	room_session_free(g->session);
	g_ptr_array_unref(g->received);
	g_free(g->id);
}

/* @text: a message's own fields; mid, rid and target are added. */
static inline void say(struct guest *g, const char *target, const char *text)
{
	g_autoptr(GError) error = NULL;
	JsonObject *o = json_checked_parse_object(text, -1, 1 << 20, &error);

	g_assert_no_error(error);
	json_object_set_string_member(o, "mid", g->id);
	json_object_set_string_member(o, "rid",
				      room_session_get_rid(g->session));
	if (target)
		json_object_set_string_member(o, "target", target);
	g_assert_true(room_session_send(g->session, o));
}

static inline JsonObject *heard(struct guest *g, const char *type)
{
	for (guint i = g->received->len; i-- > 0;)
		if (!strcmp(json_object_get_string_member(g->received->pdata[i],
							  "type"),
			    type))
			return g->received->pdata[i];
	return NULL;
}

static inline guint n_heard(struct guest *g, const char *type)
{
	guint n = 0;

	for (guint i = 0; i < g->received->len; i++)
		n += !strcmp(json_object_get_string_member(
				     g->received->pdata[i], "type"),
			     type);
	return n;
}

#define HELLO_2X                                                               \
	"\"agent\":\"chrome\",\"version\":\"156\",\"os\":\"Linux\","           \
	"\"SMProtocolVersion\":\"2.1.0\",\"DTProtocolVersion\":\"0.1.3\","     \
	"\"userInfo\":{\"userData\":\"two\",\"settings\":{\"audio\":{\"s\":{"  \
	"\"stereo\":false}},\"video\":false},\"mediaStatus\":{\"s\":{"         \
	"\"audioMuted\":1,\"videoMuted\":-1}}}"
#define HELLO_0612                                                             \
	"\"agent\":\"blink\",\"version\":156,\"os\":\"Linux\","                \
	"\"sessionType\":\"stream\",\"receiveOnly\":false,\"userInfo\":{"      \
	"\"userData\":\"old\",\"settings\":{\"audio\":{\"stereo\":false},"     \
	"\"video\":true},\"mediaStatus\":{\"audioMuted\":false,"               \
	"\"videoMuted\":false}}"

static inline char *with_weight(const char *type, const char *hello,
				gdouble weight)
{
	return g_strdup_printf("{\"type\":\"%s\",%s,\"weight\":%.0f}", type,
			       hello, weight);
}
