// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/user-info.h"

#include "appliance/signaling/message.h"

static gboolean is_boolean(JsonNode *node)
{
	return JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == G_TYPE_BOOLEAN;
}

static gboolean bad_kind(const char *field, const char *wanted, GError **error)
{
	g_set_error(error, MESSAGE_ERROR, MESSAGE_ERROR_KIND,
		    "field 'userInfo.%s' must be %s", field, wanted);
	return FALSE;
}

/* An object member; absent and null are NULL. */
static gboolean get_member_object(JsonObject *object, const char *name,
				  const char *path, JsonObject **ret,
				  GError **error)
{
	JsonNode *node = json_object_get_member(object, name);

	*ret = NULL;
	if (!node || JSON_NODE_HOLDS_NULL(node))
		return TRUE;
	if (!JSON_NODE_HOLDS_OBJECT(node))
		return bad_kind(path, "an object", error);
	*ret = json_node_get_object(node);
	return TRUE;
}

/* 2.x: every member of a media setting is an object named by its stream. */
static JsonNode *first_stream(JsonNode *media)
{
	JsonObject *object = json_node_get_object(media);
	g_autoptr(GList) values = json_object_get_values(object);
	static const char *const flat[] = {
		"stereo",     "resolution",	  "screenshare", "optional",
		"frameRate",  "exactConstraints", "deviceId",
		"echoCancellation", "customSettings",
	};

	for (guint i = 0; i < G_N_ELEMENTS(flat); i++)
		if (json_object_has_member(object, flat[i]))
			return media;
	for (GList *l = values; l; l = l->next)
		if (!JSON_NODE_HOLDS_OBJECT((JsonNode *) l->data))
			return media;
	return values ? values->data : media;
}

static gboolean read_media(JsonObject *settings, const char *name,
			   const char *path, JsonNode **ret, GError **error)
{
	JsonNode *node = json_object_get_member(settings, name);

	*ret = NULL;
	if (!node || JSON_NODE_HOLDS_NULL(node))
		return TRUE;
	if (JSON_NODE_HOLDS_OBJECT(node)) {
		*ret = json_node_copy(first_stream(node));
		return TRUE;
	}
	if (!is_boolean(node))
		return bad_kind(path, "true, false or an object", error);
	*ret = json_node_copy(node);
	return TRUE;
}

/* One flag: true, 1, 0 or -1. 2.x numbers mean 1 active, 0 muted, -1 none. */
static void read_flag(JsonObject *status, const char *name, gboolean streams,
		      gboolean *muted)
{
	JsonNode *node = json_object_get_member(status, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node))
		return;
	if (is_boolean(node))
		*muted = json_node_get_boolean(node);
	else if (streams && json_node_get_value_type(node) != G_TYPE_STRING &&
		 json_node_get_double(node) == 1)
		*muted = FALSE;
}

static void read_status(JsonObject *status, UserInfo *info)
{
	g_autoptr(GList) values = json_object_get_values(status);

	info->has_media_status = TRUE;
	info->audio_muted = info->video_muted = TRUE;
	read_flag(status, "audioMuted", FALSE, &info->audio_muted);
	read_flag(status, "videoMuted", FALSE, &info->video_muted);
	for (GList *l = values; l; l = l->next) {
		if (!JSON_NODE_HOLDS_OBJECT((JsonNode *) l->data))
			continue;
		read_flag(json_node_get_object(l->data), "audioMuted", TRUE,
			  &info->audio_muted);
		read_flag(json_node_get_object(l->data), "videoMuted", TRUE,
			  &info->video_muted);
	}
}

static void read_bandwidth(JsonObject *settings, UserInfo *info)
{
	JsonNode *node = json_object_get_member(settings, "maxBandwidth");

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		node = json_object_get_member(settings, "bandwidth");
	if (node && JSON_NODE_HOLDS_OBJECT(node))
		info->bandwidth = json_node_copy(node);
}

static void read_screenshare(UserInfo *info)
{
	JsonNode *node;

	if (!info->video || !JSON_NODE_HOLDS_OBJECT(info->video))
		return;
	node = json_object_get_member(json_node_get_object(info->video),
				      "screenshare");
	info->screenshare =
		node && is_boolean(node) && json_node_get_boolean(node);
}

gboolean user_info_parse(JsonObject *object, UserInfo *ret, GError **error)
{
	UserInfo info = {0};
	JsonObject *settings, *status;
	JsonNode *data = json_object_get_member(object, "userData");

	if (!get_member_object(object, "settings", "settings", &settings,
			       error) ||
	    !get_member_object(object, "mediaStatus", "mediaStatus", &status,
			       error))
		return FALSE;
	if (settings &&
	    (!read_media(settings, "audio", "settings.audio", &info.audio,
			 error) ||
	     !read_media(settings, "video", "settings.video", &info.video,
			 error))) {
		user_info_done(&info);
		return FALSE;
	}
	if (settings)
		read_bandwidth(settings, &info);
	if (status)
		read_status(status, &info);
	read_screenshare(&info);
	if (data)
		info.user_data = json_node_copy(data);
	*ret = info;
	return TRUE;
}

void user_info_done(UserInfo *info)
{
	g_clear_pointer(&info->user_data, json_node_unref);
	g_clear_pointer(&info->audio, json_node_unref);
	g_clear_pointer(&info->video, json_node_unref);
	g_clear_pointer(&info->bandwidth, json_node_unref);
}

/* --- ours ---------------------------------------------------------------- */
static JsonNode *node_of_object(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

static JsonNode *build_audio(const UserInfoSelf *self)
{
	JsonObject *o;

	if (!self->send_audio)
		return json_node_init_boolean(json_node_alloc(), FALSE);
	o = json_object_new();
	json_object_set_boolean_member(o, "stereo", self->stereo);
	json_object_set_boolean_member(o, "usedtx", FALSE);
	json_object_set_boolean_member(o, "exactConstraints", FALSE);
	json_object_set_boolean_member(o, "echoCancellation", FALSE);
	json_object_set_array_member(o, "optional", json_array_new());
	return node_of_object(o);
}

static JsonNode *build_video(const UserInfoSelf *self)
{
	JsonObject *o, *r;

	if (!self->send_video)
		return json_node_init_boolean(json_node_alloc(), FALSE);
	o = json_object_new();
	if (self->width && self->height) {
		r = json_object_new();
		json_object_set_int_member(r, "width", self->width);
		json_object_set_int_member(r, "height", self->height);
		json_object_set_object_member(o, "resolution", r);
	}
	if (self->fps)
		json_object_set_int_member(o, "frameRate", self->fps);
	json_object_set_boolean_member(o, "screenshare", self->screenshare);
	json_object_set_boolean_member(o, "exactConstraints", FALSE);
	json_object_set_object_member(o, "customSettings", json_object_new());
	json_object_set_array_member(o, "optional", json_array_new());
	return node_of_object(o);
}

static JsonObject *build_limits(const UserInfoSelf *self)
{
	JsonObject *o = json_object_new();

	if (self->max_audio_kbps)
		json_object_set_int_member(o, "audio", self->max_audio_kbps);
	if (self->max_video_kbps)
		json_object_set_int_member(o, "video", self->max_video_kbps);
	if (self->max_data_kbps)
		json_object_set_int_member(o, "data", self->max_data_kbps);
	return o;
}

JsonObject *user_info_build(const UserInfoSelf *self)
{
	JsonObject *o = json_object_new(), *settings = json_object_new();
	JsonObject *status = json_object_new(), *agent = json_object_new();

	if (self->user_data)
		json_object_set_member(o, "userData",
				       json_node_copy(self->user_data));
	else
		json_object_set_string_member(o, "userData", "");

	json_object_set_member(settings, "audio", build_audio(self));
	json_object_set_member(settings, "video", build_video(self));
	/* 0.6.12's name, then 0.6.37's */
	json_object_set_object_member(settings, "bandwidth",
				      build_limits(self));
	json_object_set_object_member(settings, "maxBandwidth",
				      build_limits(self));
	json_object_set_object_member(settings, "googleXBandwidth",
				      json_object_new());
	json_object_set_object_member(o, "settings", settings);

	json_object_set_boolean_member(status, "audioMuted",
				       !self->send_audio || self->audio_muted);
	json_object_set_boolean_member(status, "videoMuted",
				       !self->send_video || self->video_muted);
	json_object_set_object_member(o, "mediaStatus", status);

	json_object_set_string_member(agent, "name", self->agent);
	json_object_set_string_member(agent, "version", self->version);
	json_object_set_object_member(o, "agent", agent);
	json_object_set_string_member(o, "room", self->room ? self->room : "");
	json_object_set_null_member(o, "connected");
	json_object_set_null_member(o, "init");
	return o;
}
