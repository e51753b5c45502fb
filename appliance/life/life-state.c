// SPDX-License-Identifier: Apache-2.0
#include "appliance/life/life-state.h"

#include <string.h>

#include "appliance/room/room.h"
#include "appliance/signaling/json-check.h"

#define BOOT_ID_MAX_BYTES 64

#define LIFE_STATE_ERROR g_quark_from_static_string("life-state-error")

void life_state_clear(struct life_state *s)
{
	g_free(s->boot_id);
	g_free(s->room);
	g_clear_pointer(&s->user_data, json_node_unref);
	g_clear_pointer(&s->stream, json_node_unref);
	*s = (struct life_state){0};
}

static void set_text(JsonObject *o, const char *name, const char *text)
{
	if (text)
		json_object_set_string_member(o, name, text);
	else
		json_object_set_null_member(o, name);
}

static void set_node(JsonObject *o, const char *name, JsonNode *node)
{
	if (node)
		json_object_set_member(o, name, json_node_copy(node));
}

char *life_state_print(const struct life_state *s)
{
	JsonObject *o = json_object_new();
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	char *text;

	json_object_set_int_member(o, "version", LIFE_STATE_VERSION);
	json_object_set_boolean_member(o, "running", s->running);
	json_object_set_boolean_member(o, "settled", s->settled);
	json_object_set_int_member(o, "deaths", s->deaths);
	json_object_set_string_member(o, "bootId", s->boot_id ? s->boot_id
							      : "");
	json_object_set_int_member(o, "startedAt", s->started_s);
	json_object_set_boolean_member(o, "byHand", s->by_hand);
	json_object_set_int_member(o, "handUntil", s->hand_until_s);
	set_text(o, "room", s->room);
	json_object_set_boolean_member(o, "audioMuted", s->audio_muted);
	json_object_set_boolean_member(o, "videoMuted", s->video_muted);
	json_object_set_boolean_member(o, "locked", s->locked);
	set_node(o, "userData", s->user_data);
	set_node(o, "stream", s->stream);
	json_node_take_object(node, o);
	text = json_to_string(node, TRUE);
	if (strlen(text) > LIFE_STATE_MAX_BYTES)
		g_clear_pointer(&text, g_free);
	return text;
}

/* --- reading --------------------------------------------------------------- */
static gboolean fail(GError **error, const char *name, const char *what)
{
	g_set_error(error, LIFE_STATE_ERROR, 0, "\"%s\" %s", name, what);
	return FALSE;
}

static JsonNode *value_of(JsonObject *o, const char *name, GType type)
{
	JsonNode *n = json_object_get_member(o, name);

	return n && JSON_NODE_HOLDS_VALUE(n) &&
		json_node_get_value_type(n) == type ? n : NULL;
}

static gboolean take_bool(JsonObject *o, const char *name, gboolean *ret,
			  GError **error)
{
	JsonNode *n = value_of(o, name, G_TYPE_BOOLEAN);

	if (!n)
		return fail(error, name, "is neither true nor false");
	*ret = json_node_get_boolean(n);
	return TRUE;
}

static gboolean take_int(JsonObject *o, const char *name, gint64 max,
			 gint64 *ret, GError **error)
{
	JsonNode *n = value_of(o, name, G_TYPE_INT64);

	if (!n || json_node_get_int(n) < 0 || json_node_get_int(n) > max)
		return fail(error, name, "is no number in its range");
	*ret = json_node_get_int(n);
	return TRUE;
}

static gboolean take_texts(JsonObject *o, struct life_state *s, GError **error)
{
	JsonNode *boot = value_of(o, "bootId", G_TYPE_STRING);
	JsonNode *room = json_object_get_member(o, "room");

	if (!boot || strlen(json_node_get_string(boot)) > BOOT_ID_MAX_BYTES)
		return fail(error, "bootId", "is no text of its length");
	s->boot_id = g_strdup(json_node_get_string(boot));
	if (room && JSON_NODE_HOLDS_NULL(room))
		return TRUE;
	room = value_of(o, "room", G_TYPE_STRING);
	if (!room)
		return fail(error, "room", "is neither text nor null");
	s->room = g_strdup(json_node_get_string(room));
	return room_check_name(s->room, error);
}

static gboolean take_members(JsonObject *o, struct life_state *s,
			     GError **error)
{
	gint64 version = 0, deaths = 0;
	const struct {
		const char *name;
		gboolean *to;
	} flags[] = {
		{"running", &s->running},
		{"settled", &s->settled},
		{"byHand", &s->by_hand},
		{"audioMuted", &s->audio_muted},
		{"videoMuted", &s->video_muted},
		{"locked", &s->locked},
	};
	JsonNode *stream = json_object_get_member(o, "stream");

	if (!take_int(o, "version", G_MAXINT, &version, error))
		return FALSE;
	/* A newer one's, after a downgrade: it may mean something else. */
	if (version != LIFE_STATE_VERSION)
		return fail(error, "version", "is not 1");
	for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
		if (!take_bool(o, flags[i].name, flags[i].to, error))
			return FALSE;
	if (!take_int(o, "deaths", G_MAXINT, &deaths, error) ||
	    !take_int(o, "startedAt", LIFE_STATE_MAX_TIME_S, &s->started_s,
		      error) ||
	    !take_int(o, "handUntil", LIFE_STATE_MAX_TIME_S, &s->hand_until_s,
		      error) ||
	    !take_texts(o, s, error))
		return FALSE;
	s->deaths = (guint) deaths;
	if (stream && !JSON_NODE_HOLDS_OBJECT(stream))
		return fail(error, "stream", "is no object");
	s->stream = stream ? json_node_copy(stream) : NULL;
	if (json_object_has_member(o, "userData"))
		s->user_data =
			json_node_copy(json_object_get_member(o, "userData"));
	return TRUE;
}

gboolean life_state_parse(const char *text, gsize len, struct life_state *ret,
			  GError **error)
{
	g_autoptr(JsonObject) o = json_checked_parse_object(
		text, (gssize) len, LIFE_STATE_MAX_BYTES, error);
	struct life_state s = {0};

	if (!o)
		return FALSE;
	if (!take_members(o, &s, error)) {
		life_state_clear(&s);
		return FALSE;
	}
	*ret = s;
	return TRUE;
}

/* --- what became of it ------------------------------------------------------ */
const char *life_verdict_name(enum life_verdict verdict)
{
	switch (verdict) {
	case LIFE_FIRST:
		return "first";
	case LIFE_STOPPED:
		return "stopped";
	case LIFE_DIED:
		return "died";
	case LIFE_POWER_CUT:
		return "power-cut";
	case LIFE_CRASH_LOOP:
		return "crash-loop";
	}
	g_assert_not_reached();
}

enum life_verdict life_state_judge(struct life_state *s, const char *boot_id,
				   gint64 now_s)
{
	enum life_verdict verdict;

	if (!s->boot_id)
		verdict = LIFE_FIRST;
	else if (!s->running)
		verdict = LIFE_STOPPED;
	else
		verdict = strcmp(s->boot_id, boot_id) ? LIFE_POWER_CUT
						      : LIFE_DIED;
	if (verdict == LIFE_DIED)
		s->deaths = s->settled ? 1 : s->deaths + 1;
	else if (verdict != LIFE_POWER_CUT || s->settled)
		s->deaths = 0;
	if (verdict == LIFE_DIED && s->deaths >= LIFE_STATE_DEATHS_MAX)
		verdict = LIFE_CRASH_LOOP;
	g_free(s->boot_id);
	s->boot_id = g_strdup(boot_id);
	s->running = TRUE;
	s->settled = FALSE;
	s->started_s = now_s;
	return verdict;
}
