// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-info.h"

#include <math.h>
#include <string.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/user-info.h"

static JsonNode *node_false(void)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_boolean(node, FALSE);
	return node;
}

static JsonNode *node_empty_string(void)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_string(node, "");
	return node;
}

static JsonNode *node_empty_object(void)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, json_object_new());
	return node;
}

void peer_info_init(struct peer_info *info, const char *room)
{
	*info = (struct peer_info){
		.agent = g_strdup("other"),
		.version = g_strdup("0"),
		.os = g_strdup(""),
		.room = g_strdup(room),
		.user_data = node_empty_string(),
		.audio = node_false(),
		.video = node_false(),
		.bandwidth = node_empty_object(),
		.audio_muted = TRUE,
		.video_muted = TRUE,
	};
}

void peer_info_done(struct peer_info *info)
{
	g_clear_pointer(&info->agent, g_free);
	g_clear_pointer(&info->version, g_free);
	g_clear_pointer(&info->os, g_free);
	g_clear_pointer(&info->sm_version, g_free);
	g_clear_pointer(&info->dt_version, g_free);
	g_clear_pointer(&info->room, g_free);
	g_clear_pointer(&info->rid, g_free);
	g_clear_pointer(&info->user_data, json_node_unref);
	g_clear_pointer(&info->audio, json_node_unref);
	g_clear_pointer(&info->video, json_node_unref);
	g_clear_pointer(&info->bandwidth, json_node_unref);
}

static void take_string(char **to, const char *from)
{
	if (!from)
		return;
	g_free(*to);
	*to = g_strdup(from);
}

static gboolean is_too_large(JsonNode *node)
{
	g_autofree char *text = json_to_string(node, FALSE);

	return strlen(text) > PEER_INFO_MAX_NODE_BYTES;
}

static void take_node(JsonNode **to, JsonNode **from)
{
	if (!*from || is_too_large(*from))
		return;
	json_node_unref(*to);
	*to = g_steal_pointer(from);
}

gboolean peer_info_take_hello(struct peer_info *info,
			      const MessageHello *hello, GError **error)
{
	UserInfo user;

	take_string(&info->agent, hello->agent);
	take_string(&info->version, hello->version);
	take_string(&info->os, hello->os);
	take_string(&info->sm_version, hello->sm_version);
	take_string(&info->dt_version, hello->dt_version);
	if (!hello->user_info)
		return TRUE;
	if (!user_info_parse(hello->user_info, &user, error))
		return FALSE;
	if (user.video)
		info->screenshare = user.screenshare;
	take_node(&info->user_data, &user.user_data);
	take_node(&info->audio, &user.audio);
	take_node(&info->video, &user.video);
	take_node(&info->bandwidth, &user.bandwidth);
	if (user.has_media_status) {
		info->audio_muted = user.audio_muted;
		info->video_muted = user.video_muted;
	}
	user_info_done(&user);
	return TRUE;
}

/* 2.x tells objects as the JSON text of them, with its quotes as entities when
 * a page's framework made them so; its own receivers undo both. */
static JsonNode *readable_user_data(const struct peer_info *info,
				    JsonNode *told)
{
	g_autoptr(JsonNode) node = NULL;
	g_autoptr(GString) text = NULL;

	if (peer_info_is_2x(info) && JSON_NODE_HOLDS_VALUE(told) &&
	    json_node_get_value_type(told) == G_TYPE_STRING) {
		text = g_string_new(json_node_get_string(told));
		g_string_replace(text, "&quot;", "\"", 0);
		node = json_checked_parse(text->str, (gssize) text->len,
					  MESSAGE_MAX_BYTES, NULL);
	}
	return node && !JSON_NODE_HOLDS_VALUE(node) ? g_steal_pointer(&node)
						    : json_node_copy(told);
}

static gboolean is_stale(struct peer_info *info, enum peer_info_kind kind,
			 gboolean has_stamp, gdouble stamp)
{
	if (!has_stamp)
		return FALSE;	/* 0.6.12 sends none */
	if (info->has_stamp[kind] && stamp < info->stamp[kind])
		return TRUE;
	info->has_stamp[kind] = TRUE;
	info->stamp[kind] = stamp;
	return FALSE;
}

gboolean peer_info_take_user_data(struct peer_info *info, JsonNode *user_data,
				  gboolean has_stamp, gdouble stamp)
{
	g_autoptr(JsonNode) data = readable_user_data(info, user_data);

	if (is_stale(info, PEER_INFO_USER_DATA, has_stamp, stamp) ||
	    is_too_large(data) || json_node_equal(info->user_data, data))
		return FALSE;
	json_node_unref(info->user_data);
	info->user_data = g_steal_pointer(&data);
	return TRUE;
}

gboolean peer_info_take_mute(struct peer_info *info, enum peer_info_kind kind,
			     gboolean muted, gboolean has_stamp, gdouble stamp)
{
	gboolean *to = kind == PEER_INFO_AUDIO_MUTED ? &info->audio_muted
						     : &info->video_muted;

	if (is_stale(info, kind, has_stamp, stamp) || !*to == !muted)
		return FALSE;
	*to = muted;
	return TRUE;
}

gboolean peer_info_is_2x(const struct peer_info *info)
{
	return info->sm_version && g_str_has_prefix(info->sm_version, "2.");
}

/* The API wants a number; a dotted version is none and stays a string. */
static void add_version(JsonObject *agent, const char *version)
{
	char *end;
	gdouble number = g_ascii_strtod(version, &end);

	if (end == version || *end || !isfinite(number))
		json_object_set_string_member(agent, "version", version);
	else if (number == floor(number) && fabs(number) < 1e15)
		json_object_set_int_member(agent, "version", (gint64) number);
	else
		json_object_set_double_member(agent, "version", number);
}

JsonObject *peer_info_to_json(const struct peer_info *info)
{
	JsonObject *o = json_object_new(), *settings = json_object_new();
	JsonObject *status = json_object_new(), *agent = json_object_new();

	json_object_set_member(o, "userData", json_node_copy(info->user_data));
	json_object_set_member(settings, "audio", json_node_copy(info->audio));
	json_object_set_member(settings, "video", json_node_copy(info->video));
	json_object_set_member(settings, "bandwidth",
			       json_node_copy(info->bandwidth));
	json_object_set_object_member(o, "settings", settings);
	json_object_set_boolean_member(status, "audioMuted", info->audio_muted);
	json_object_set_boolean_member(status, "videoMuted", info->video_muted);
	json_object_set_object_member(o, "mediaStatus", status);
	json_object_set_string_member(agent, "name", info->agent);
	add_version(agent, info->version);
	json_object_set_string_member(agent, "os", info->os);
	json_object_set_object_member(o, "agent", agent);
	json_object_set_string_member(o, "room", info->room);
	return o;
}
