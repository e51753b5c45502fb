// SPDX-License-Identifier: Apache-2.0
#include "appliance/media-options.h"

#include <gio/gio.h>
#include <string.h>

#include "media/source-spec.h"

#include "appliance/control/control-constants.h"

#define SCREEN_FPS_MAX 15 /* of a test picture that stands for a screen */

static void fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void fail(GError **error, const char *format, ...)
{
	va_list args;
	g_autofree char *text = NULL;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
			    text);
}

MediaStream *media_stream_new(void)
{
	MediaStream *s = g_new0(MediaStream, 1);

	s->id = g_uuid_string_random();
	return s;
}

MediaStream *media_stream_copy(const MediaStream *s)
{
	MediaStream *copy = g_new(MediaStream, 1);

	*copy = *s;
	copy->id = g_strdup(s->id);
	copy->audio_source = g_strdup(s->audio_source);
	copy->video_source = g_strdup(s->video_source);
	return copy;
}

void media_stream_free(MediaStream *s)
{
	if (!s)
		return;
	g_free(s->id);
	g_free(s->audio_source);
	g_free(s->video_source);
	g_free(s);
}

/* The member as an object; *ret_wanted: whether the medium is wanted. */
static JsonObject *member(JsonObject *options, const char *name,
			  gboolean *ret_wanted)
{
	JsonNode *n = options ? json_object_get_member(options, name) : NULL;

	*ret_wanted = !options ||
		      (n && !JSON_NODE_HOLDS_NULL(n) &&
		       (JSON_NODE_HOLDS_OBJECT(n) || json_node_get_boolean(n)));
	return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

static const char *text_of(JsonObject *o, const char *name)
{
	return o ? json_object_get_string_member_with_default(o, name, NULL)
		 : NULL;
}

static gboolean flag_of(JsonObject *o, const char *name, gboolean otherwise)
{
	return o ? json_object_get_boolean_member_with_default(o, name,
							       otherwise)
		 : otherwise;
}

static gboolean is_below(const char *path, const char *folder)
{
	g_autofree char *tidy = g_path_is_absolute(folder)
					? g_canonicalize_filename(folder, "/")
					: NULL;
	gsize n = tidy ? strlen(tidy) : 0;

	/* "/" itself ends with the slash that others lack */
	return n && !strncmp(path, tidy, n) &&
	       (path[n] == '/' || tidy[n - 1] == '/');
}

/* The daemon reads more files than those that may call it should see. No link
 * is followed here: whoever may write into a folder decides what is in it.
 * Return: (g_free): what to open, without "..", or NULL with @error. */
static char *admit(const char *source, const MediaDefaults *defaults,
		   GError **error)
{
	static const char *const kinds[] = {"file", "h264"};
	const char *path = NULL;
	g_autofree char *tidy = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(kinds) && defaults->folders; i++) {
		if (!source_spec_is(source, kinds[i], true, &path))
			continue;
		tidy = g_canonicalize_filename(path, "/");
		for (const char *const *f = defaults->folders; *f; f++)
			if (g_path_is_absolute(path) && is_below(tidy, *f))
				return g_strdup_printf("%s:%s", kinds[i], tidy);
		fail(error,
		     "source '%.128s': calls may open files in the folders of "
		     "control.source_folders alone",
		     source);
		return NULL;
	}
	return g_strdup(source);
}

static char *source_of(JsonObject *o, const char *configured, const char *kind,
		       const MediaDefaults *defaults, GError **error)
{
	const char *source = text_of(o, "source");

	if (!source)
		source = configured;
	if (!strcmp(source, "none")) {
		fail(error,
		     "No source of %s is configured: give %s.source, "
		     "for example 'test'",
		     kind, kind);
		return NULL;
	}
	return strcmp(source, configured) ? admit(source, defaults, error)
					  : g_strdup(source);
}

static gboolean parse_audio(JsonObject *o, const MediaDefaults *defaults,
			    MediaStream *s, GError **error)
{
	s->audio_source = source_of(o, defaults->audio_source, "audio",
				    defaults, error);
	s->channels = flag_of(o, "stereo", defaults->channels > 1) ? 2 : 1;
	s->audio_muted = flag_of(o, "mute", FALSE);
	return s->audio_source != NULL;
}

/* One of VIDEO_RESOLUTION. */
static gboolean find_resolution(const char *name, MediaStream *s,
				GError **error)
{
	g_autoptr(JsonArray) names = json_array_new();
	g_autofree char *why = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonObject *table, *entry;

	json_array_add_string_element(names, "VIDEO_RESOLUTION");
	node = control_constants_describe(names, &why);
	table = json_object_get_object_member(json_node_get_object(node),
					      "VIDEO_RESOLUTION");
	if (!json_object_has_member(table, name)) {
		g_autoptr(GList) known = json_object_get_members(table);
		g_autoptr(GString) list = g_string_new(NULL);

		for (GList *i = known; i; i = i->next)
			g_string_append_printf(list, "%s%s",
					       i == known ? "" : ", ",
					       (const char *) i->data);
		fail(error,
		     "video.resolution: there is no '%.32s'; use "
		     "{width, height} or one of %s",
		     name, list->str);
		return FALSE;
	}
	entry = json_object_get_object_member(table, name);
	s->width = (unsigned int) json_object_get_int_member(entry, "width");
	s->height = (unsigned int) json_object_get_int_member(entry, "height");
	return TRUE;
}

static gboolean parse_resolution(JsonObject *o, MediaStream *s, GError **error)
{
	JsonNode *n = o ? json_object_get_member(o, "resolution") : NULL;
	JsonObject *size;

	if (!n)
		return TRUE;
	if (JSON_NODE_HOLDS_VALUE(n))
		return find_resolution(json_node_get_string(n), s, error);
	size = json_node_get_object(n);
	/* Chroma has half the resolution: the largest that is not larger. */
	s->width =
		(unsigned int) json_object_get_int_member(size, "width") & ~1u;
	s->height =
		(unsigned int) json_object_get_int_member(size, "height") & ~1u;
	return TRUE;
}

static gboolean parse_video(JsonObject *o, const MediaDefaults *defaults,
			    MediaStream *s, GError **error)
{
	s->width = defaults->width;
	s->height = defaults->height;
	s->fps = defaults->fps;
	if (!parse_resolution(o, s, error))
		return FALSE;
	if (o && json_object_has_member(o, "frameRate"))
		s->fps = (unsigned int) json_object_get_int_member(o,
								   "frameRate");
	s->video_muted = flag_of(o, "mute", FALSE);
	s->video_source = source_of(o, defaults->video_source, "video",
				    defaults, error);
	return s->video_source != NULL;
}

MediaStream *media_options_parse(JsonObject *options,
				 const MediaDefaults *defaults, GError **error)
{
	g_autoptr(MediaStream) s = media_stream_new();
	gboolean wants_audio, wants_video;
	JsonObject *audio = member(options, "audio", &wants_audio);
	JsonObject *video = member(options, "video", &wants_video);

	if ((wants_audio && !parse_audio(audio, defaults, s, error)) ||
	    (wants_video && !parse_video(video, defaults, s, error)))
		return NULL;
	return g_steal_pointer(&s);
}

/* What people would write for what cannot be captured yet. */
static gboolean names_a_screen(const char *source)
{
	static const char *const kinds[] = {"screen",  "window", "desktop",
					    "display", "tab",	 "kms",
					    "drm",     "x11",	 "auto"};
	size_t len = strcspn(source, ":");

	for (unsigned int i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strlen(kinds[i]) == len &&
		    !g_ascii_strncasecmp(kinds[i], source, len))
			return TRUE;
	return FALSE;
}

MediaStream *media_options_parse_screen(const char *source, gboolean audio,
					const MediaDefaults *defaults,
					GError **error)
{
	g_autoptr(MediaStream) s = media_stream_new();

	if (source && names_a_screen(source)) {
		fail(error,
		     "source '%.64s': the screen itself cannot be "
		     "captured yet; use test, file:PATH, h264:PATH or "
		     "v4l2:DEVICE",
		     source);
		return NULL;
	}
	if (audio && !parse_audio(NULL, defaults, s, error))
		return NULL;
	s->screenshare = TRUE;
	s->video_source = !source || !strcmp(source, "test")
				  ? g_strdup("test-screen")
				  : admit(source, defaults, error);
	if (!s->video_source)
		return NULL;
	s->width = defaults->width;
	s->height = defaults->height;
	s->fps = MIN(defaults->fps, SCREEN_FPS_MAX);
	return g_steal_pointer(&s);
}

void media_options_parse_bandwidth(JsonObject *o, MediaBandwidth *ret)
{
	*ret = (MediaBandwidth){0};
	if (!o)
		return;
	ret->audio = (unsigned int) json_object_get_int_member_with_default(
		o, "audio", 0);
	ret->video = (unsigned int) json_object_get_int_member_with_default(
		o, "video", 0);
	ret->data = (unsigned int) json_object_get_int_member_with_default(
		o, "data", 0);
}

static void set_audio(JsonObject *o, const MediaStream *s)
{
	JsonObject *audio;

	if (!s->audio_source) {
		json_object_set_boolean_member(o, "audio", FALSE);
		return;
	}
	audio = json_object_new();
	json_object_set_string_member(audio, "source", s->audio_source);
	json_object_set_boolean_member(audio, "stereo", s->channels > 1);
	json_object_set_object_member(o, "audio", audio);
}

static void set_video(JsonObject *o, const MediaStream *s)
{
	JsonObject *video, *size;

	if (!s->video_source) {
		json_object_set_boolean_member(o, "video", FALSE);
		return;
	}
	video = json_object_new();
	size = json_object_new();
	json_object_set_string_member(video, "source", s->video_source);
	json_object_set_int_member(size, "width", s->width);
	json_object_set_int_member(size, "height", s->height);
	json_object_set_object_member(video, "resolution", size);
	json_object_set_int_member(video, "frameRate", s->fps);
	json_object_set_object_member(o, "video", video);
}

JsonObject *media_stream_to_json(const MediaStream *s)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "id", s->id);
	set_audio(o, s);
	set_video(o, s);
	json_object_set_boolean_member(o, "isScreensharing", s->screenshare);
	return o;
}
