// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/message.h"

#include <string.h>

#include "appliance/signaling/json-check.h"
#include "appliance/signaling/message-build.h"
#include "appliance/signaling/user-info.h"

/* --- recordings ---------------------------------------------------------- */
static void for_each_recorded(void (*fn)(const char *file, JsonObject *message,
					 void *user), void *user)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "recordings",
						      NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	g_assert_nonnull(dir);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		g_autofree char *text = NULL;
		g_auto(GStrv) lines = NULL;

		if (!g_str_has_suffix(name, ".jsonl"))
			continue;
		g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
		lines = g_strsplit(text, "\n", -1);
		for (char **l = lines; *l; l++) {
			g_autoptr(JsonObject) o = json_checked_parse_object(
				*l, -1, 1 << 20, NULL);

			if (o && json_object_has_member(o, "msg"))
				fn(name, json_object_get_object_member(o,
								       "msg"),
				   user);
		}
	}
}

struct census {
	guint n, with_info, types[N_MESSAGE_TYPES];
};

static void take_census(const char *file, JsonObject *object, void *user)
{
	g_autofree char *text = message_to_text(object);
	g_autoptr(GError) error = NULL;
	g_autoptr(Message) m = message_parse_text(text, -1, &error);
	struct census *c = user;
	UserInfo info;

	if (!m)
		g_error("%s: %s: %.300s", file, error->message, text);
	c->n++;
	c->types[m->type]++;
	if (m->type == MESSAGE_GROUP) {
		guint bad;
		g_autoptr(GPtrArray) list = message_unbundle(m, &bad);

		g_assert_cmpuint(bad, ==, 0);
		g_assert_cmpuint(list->len, >=, 1);
	}
	if (m->hello.user_info) {
		if (!user_info_parse(m->hello.user_info, &info, &error))
			g_error("%s: %s: %.300s", file, error->message, text);
		c->with_info++;
		user_info_done(&info);
	}
}

static void test_every_recorded_message_parses(void)
{
	struct census c = {0};

	for_each_recorded(take_census, &c);
	g_test_message("%u messages, %u with userInfo", c.n, c.with_info);
	g_assert_cmpuint(c.n, >, 800);
	g_assert_cmpuint(c.types[MESSAGE_UNKNOWN], ==, 0);
	g_assert_cmpuint(c.types[MESSAGE_OFFER], >, 40);
	g_assert_cmpuint(c.types[MESSAGE_WELCOME], >, 100);
	g_assert_cmpuint(c.types[MESSAGE_MEDIA_INFO], >, 0);
	g_assert_cmpuint(c.types[MESSAGE_GROUP], >, 3);
}

/* --- ours beside 0.6.37's own ------------------------------------------- */
static unsigned int kind(JsonNode *n)
{
	if (!JSON_NODE_HOLDS_VALUE(n))
		return json_node_get_node_type(n);
	return json_node_get_value_type(n) == G_TYPE_DOUBLE
		       ? G_TYPE_INT64
		       : json_node_get_value_type(n);
}

/* Everything 0.6.37 sends is in ours, of the same JSON type; media settings
 * that depend on a browser's options excepted. */
static void assert_covers(JsonObject *ours, JsonObject *theirs,
			  const char *path)
{
	g_autoptr(GList) names = json_object_get_members(theirs);

	for (GList *l = names; l; l = l->next) {
		g_autofree char *name = g_strdup_printf("%s.%s", path,
							(char *) l->data);
		JsonNode *mine = json_object_get_member(ours, l->data);
		JsonNode *his = json_object_get_member(theirs, l->data);

		if (!mine)
			g_error("ours has no field %s", name);
		if (!strcmp(l->data, "userData"))
			continue;
		if (JSON_NODE_HOLDS_OBJECT(his) &&
		    JSON_NODE_HOLDS_OBJECT(mine))
			assert_covers(json_node_get_object(mine),
				      json_node_get_object(his), name);
		else if (JSON_NODE_HOLDS_VALUE(his) &&
			 json_node_get_value_type(his) == G_TYPE_BOOLEAN &&
			 JSON_NODE_HOLDS_OBJECT(mine))
			continue;	/* settings.video: false or object */
		else if (kind(mine) != kind(his))
			g_error("ours has another type in field %s", name);
	}
}

static JsonObject *self_info(void)
{
	UserInfoSelf self = {
		.send_audio = TRUE, .send_video = TRUE, .width = 1280,
		.height = 720, .fps = 30, .agent = "skylinkd",
		.version = "0.1.0", .room = "lobby",
	};

	return user_info_build(&self);
}

struct golden {
	MessageSelf self;
	guint compared[N_MESSAGE_TYPES];
};

static void compare_golden(const char *file, JsonObject *object, void *user)
{
	struct golden *g = user;
	const char *type = json_object_get_string_member(object, "type");
	const MessageRestart restart = {0};
	g_autoptr(JsonObject) ours = NULL;

	if (strcmp(file, "session_0.6.37.jsonl"))
		return;
	if (!strcmp(type, "enter"))
		ours = message_build_enter(&g->self, NULL);
	else if (!strcmp(type, "welcome"))
		ours = message_build_welcome(&g->self, "b");
	else if (!strcmp(type, "restart"))
		ours = message_build_restart(&g->self, "b", &restart);
	else if (!strcmp(type, "offer"))
		ours = message_build_description(&g->self, "b", MESSAGE_OFFER,
						 "v=0\r\n", NULL, TRUE, NULL);
	else if (!strcmp(type, "answer"))
		ours = message_build_description(&g->self, "b", MESSAGE_ANSWER,
						 "v=0\r\n", NULL, FALSE, NULL);
	else if (!strcmp(type, "candidate"))
		ours = message_build_candidate(&g->self, "b", 0, "0",
					       "candidate:1");
	else if (!strcmp(type, "endOfCandidates"))
		ours = message_build_end_of_candidates(&g->self, "b", 3);
	else if (!strcmp(type, "muteAudioEvent"))
		ours = message_build_mute(&g->self, MESSAGE_MUTE_AUDIO, TRUE,
					  1);
	else if (!strcmp(type, "updateUserEvent"))
		ours = message_build_update_user(&g->self, NULL, 1);
	else if (!strcmp(type, "roomLockEvent"))
		ours = message_build_room_lock(&g->self, TRUE);
	else
		return;
	assert_covers(ours, object, type);
	{
		g_autoptr(GError) error = NULL;
		g_autoptr(Message) m = message_parse(ours, &error);

		g_assert_no_error(error);
		g_assert_cmpstr(m->mid, ==, "a");
		g->compared[m->type]++;
	}
}

static void test_ours_cover_the_recorded_ones(void)
{
	g_autoptr(JsonObject) info = self_info();
	struct golden g = {.self = {
		.mid = "a", .rid = "r", .cid = "c", .agent = "skylinkd",
		.version = "0.1.0", .os = "Linux", .weight = 1795339006435.0,
		.ice_trickle = TRUE, .user_info = info,
	}};

	for_each_recorded(compare_golden, &g);
	for (MessageType t = MESSAGE_ENTER; t <= MESSAGE_RESTART; t++)
		g_assert_cmpuint(g.compared[t], >, 0);
	g_assert_cmpuint(g.compared[MESSAGE_MUTE_AUDIO], >, 0);
}

/* --- details ------------------------------------------------------------- */
static Message *parse(const char *text)
{
	g_autoptr(GError) error = NULL;
	Message *m = message_parse_text(text, -1, &error);

	g_assert_no_error(error);
	return m;
}

static void test_versions_of_hello(void)
{
	g_autoptr(Message) old = parse(
		"{\"type\":\"enter\",\"mid\":\"a\",\"rid\":\"r\",\"version\":156,"
		"\"weight\":2001795339006435,\"receiveOnly\":true}");
	g_autoptr(Message) newer = parse(
		"{\"type\":\"enter\",\"mid\":\"a\",\"version\":\"1.2.3\","
		"\"weight\":-1999999999999999,\"enableIceTrickle\":false}");
	g_autoptr(Message) nan = parse(
		"{\"type\":\"welcome\",\"mid\":\"a\",\"weight\":null}");

	g_assert_cmpstr(old->hello.version, ==, "156");
	g_assert_cmpfloat(old->hello.weight, ==, 2001795339006435.0);
	g_assert_true(old->hello.receive_only);
	g_assert_true(old->hello.ice_trickle);
	g_assert_cmpstr(newer->hello.version, ==, "1.2.3");
	g_assert_cmpfloat(newer->hello.weight, ==, -1999999999999999.0);
	g_assert_false(newer->hello.ice_trickle);
	g_assert_false(nan->hello.has_weight);
}

static void test_large_numbers_are_kept(void)
{
	g_autoptr(JsonObject) info = self_info();
	MessageSelf self = {
		.mid = "a", .rid = "r", .agent = "x", .version = "1",
		.os = "Linux", .weight = 2001795339006435.0,
		.user_info = info,
	};
	g_autoptr(JsonObject) o = message_build_enter(&self, "b");
	g_autofree char *text = message_to_text(o);

	g_assert_nonnull(strstr(text, "\"weight\":2001795339006435,"));
	g_assert_nonnull(strstr(text, "\"receiveOnly\":false"));
	g_assert_nonnull(strstr(text, "\"version\":\"1\""));
}

static void test_errors_name_the_field(void)
{
	static const struct {
		const char *text;
		enum message_error_code code;
		const char *says;
	} bad[] = {
		{"{}", MESSAGE_ERROR_TYPE, "'type'"},
		{"{\"type\":7}", MESSAGE_ERROR_TYPE, "'type'"},
		{"{\"type\":\"enter\"}", MESSAGE_ERROR_MISSING,
		 "enter: field 'mid' is missing"},
		{"{\"type\":\"bye\",\"mid\":\"\"}", MESSAGE_ERROR_MISSING,
		 "'mid'"},
		{"{\"type\":\"offer\",\"mid\":\"a\"}", MESSAGE_ERROR_MISSING,
		 "offer: field 'sdp' is missing"},
		{"{\"type\":\"offer\",\"mid\":\"a\",\"sdp\":{}}",
		 MESSAGE_ERROR_KIND, "offer: field 'sdp' must be a string"},
		{"{\"type\":\"enter\",\"mid\":\"a\",\"weight\":\"1\"}",
		 MESSAGE_ERROR_KIND, "'weight' must be a number"},
		{"{\"type\":\"enter\",\"mid\":\"a\",\"userInfo\":[]}",
		 MESSAGE_ERROR_KIND, "'userInfo' must be an object"},
		{"{\"type\":\"candidate\",\"mid\":\"a\",\"candidate\":\"c\","
		 "\"label\":-1}", MESSAGE_ERROR_LIMIT, "'label'"},
		{"{\"type\":\"candidate\",\"mid\":\"a\",\"candidate\":\"c\","
		 "\"label\":1.5}", MESSAGE_ERROR_LIMIT, "'label'"},
		{"{\"type\":\"inRoom\",\"sid\":\"\",\"pc_config\":{}}",
		 MESSAGE_ERROR_LIMIT, "'sid'"},
		{"{\"type\":\"inRoom\",\"sid\":\"s\",\"pc_config\":"
		 "{\"iceServers\":[7]}}", MESSAGE_ERROR_KIND, "iceServers"},
		{"{\"type\":\"muteAudioEvent\",\"mid\":\"a\",\"muted\":1}",
		 MESSAGE_ERROR_KIND, "'muted' must be true or false"},
		{"{\"type\":\"updateUserEvent\",\"mid\":\"a\"}",
		 MESSAGE_ERROR_MISSING, "'userData'"},
		{"{\"type\":\"peerList\",\"result\":{\"r\":{}}}",
		 MESSAGE_ERROR_KIND, "'result'"},
		{"{\"type\":\"peerList\",\"result\":{\"r\":[7]}}",
		 MESSAGE_ERROR_KIND, "'result'"},
		{"{\"type\":\"approach\"}", MESSAGE_ERROR_MISSING,
		 "approach: field 'target' is missing"},
		{"{\"type\":\"introduce\",\"sendingPeerId\":\"a\"}",
		 MESSAGE_ERROR_MISSING, "'receivingPeerId'"},
		{"{\"type\":\"recordingEvent\",\"action\":\"url\","
		 "\"urls\":[1]}", MESSAGE_ERROR_KIND, "'urls'"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(message_parse_text(bad[i].text, -1, &error));
		g_assert_error(error, MESSAGE_ERROR, (gint) bad[i].code);
		if (!strstr(error->message, bad[i].says))
			g_error("'%s' lacks '%s'", error->message,
				bad[i].says);
	}
}

static void test_limits(void)
{
	g_autoptr(GString) text =
		g_string_new("{\"type\":\"bye\",\"mid\":\"");
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i <= MESSAGE_MAX_ID_BYTES; i++)
		g_string_append_c(text, 'x');
	g_string_append(text, "\"}");
	g_assert_null(message_parse_text(text->str, -1, &error));
	g_assert_error(error, MESSAGE_ERROR, MESSAGE_ERROR_LIMIT);
}

static void test_unknown_types_pass(void)
{
	g_autoptr(Message) m = parse("{\"type\":\"rtmpEvent\",\"x\":[1]}");

	g_assert_cmpint(m->type, ==, MESSAGE_UNKNOWN);
	g_assert_cmpstr(m->type_name, ==, "rtmpEvent");
}

static void test_group_skips_what_is_bad(void)
{
	g_autoptr(Message) m = parse(
		"{\"type\":\"group\",\"lists\":["
		"\"{\\\"type\\\":\\\"bye\\\",\\\"mid\\\":\\\"b\\\"}\","
		"\"{\\\"type\\\":\\\"group\\\",\\\"lists\\\":[]}\","
		"7,\"nonsense\"]}");
	guint bad;
	g_autoptr(GPtrArray) list = message_unbundle(m, &bad);

	g_assert_cmpuint(list->len, ==, 1);
	g_assert_cmpuint(bad, ==, 3);
	g_assert_cmpstr(((Message *) list->pdata[0])->mid, ==, "b");
}

static void test_media_info(void)
{
	const MessageMedia media = {.stream_id = "stream", .video_muted = TRUE};
	const MessageMedia screen = {.stream_id = "s", .screenshare = TRUE};
	g_autoptr(JsonArray) list = media_info_build(
		"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\na=mid:0\r\n"
		"a=sendonly\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n"
		"a=sendrecv\r\nm=application 9 UDP/DTLS/SCTP x\r\na=mid:2\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:3\r\na=recvonly\r\n"
		"m=\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:4\r\n",
		"me", &media);
	g_autoptr(JsonArray) shared = media_info_build(
		"v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n", "me",
		&screen);
	JsonObject *audio = json_array_get_object_element(list, 0);
	JsonObject *video = json_array_get_object_element(list, 1);

	g_assert_cmpuint(json_array_get_length(list), ==, 2);
	g_assert_cmpstr(json_object_get_string_member(audio, "mediaId"), ==,
			"AUDIO_stream");
	g_assert_cmpstr(json_object_get_string_member(audio, "mediaState"), ==,
			"active");
	g_assert_cmpstr(json_object_get_string_member(audio, "transceiverMid"),
			==, "0");
	g_assert_cmpstr(json_object_get_string_member(video, "mediaType"), ==,
			"videoCamera");
	g_assert_cmpstr(json_object_get_string_member(video, "mediaState"), ==,
			"muted");
	g_assert_cmpstr(json_object_get_string_member(video, "transceiverMid"),
			==, "1");
	g_assert_cmpstr(json_object_get_string_member(
				json_array_get_object_element(shared, 0),
				"mediaType"), ==, "videoScreen");
}

/* A privileged peer's messages, ours and the server's. */
static void test_introduction(void)
{
	g_autoptr(JsonObject) get = message_build_get_peers(TRUE);
	g_autoptr(JsonObject) introduce = message_build_introduce("a", "b");
	g_autofree char *get_text = message_to_text(get);
	g_autofree char *introduce_text = message_to_text(introduce);
	g_autoptr(Message) ask = parse(get_text);
	g_autoptr(Message) bring = parse(introduce_text);
	g_autoptr(Message) list = parse(
		"{\"type\":\"peerList\",\"rid\":\"r\",\"result\":"
		"{\"r\":[\"a\",\"b\"],\"s\":[]}}");
	g_autoptr(Message) approach = parse(
		"{\"type\":\"approach\",\"rid\":\"r\",\"target\":\"b\"}");
	g_autoptr(Message) failed = parse(
		"{\"type\":\"introduceError\",\"sendingPeerId\":\"a\","
		"\"receivingPeerId\":\"x\",\"reason\":\"gone\"}");

	g_assert_cmpstr(get_text, ==, "{\"type\":\"getPeers\",\"showAll\":"
				      "true}");
	g_assert_true(ask->show_all);
	g_assert_cmpstr(introduce_text, ==,
			"{\"type\":\"introduce\",\"sendingPeerId\":\"a\","
			"\"receivingPeerId\":\"b\"}");
	g_assert_cmpstr(bring->introduce.sending_peer, ==, "a");
	g_assert_cmpstr(bring->introduce.receiving_peer, ==, "b");
	g_assert_cmpuint(json_object_get_size(list->peer_list), ==, 2);
	g_assert_cmpstr(approach->target, ==, "b");
	g_assert_cmpstr(failed->introduce.receiving_peer, ==, "x");
	g_assert_cmpstr(failed->introduce.reason, ==, "gone");
}

static void test_recording_event(void)
{
	g_autoptr(Message) m = parse(
		"{\"type\":\"recordingEvent\",\"action\":\"url\","
		"\"recordingId\":\"7\",\"urls\":[{\"id\":\"MIXED\","
		"\"url\":\"https://x/y\"}]}");

	g_assert_cmpstr(m->recording.action, ==, "url");
	g_assert_cmpstr(m->recording.id, ==, "7");
	g_assert_cmpuint(json_array_get_length(m->recording.urls), ==, 1);
	g_assert_null(m->recording.error);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/message/recorded",
			test_every_recorded_message_parses);
	g_test_add_func("/message/golden", test_ours_cover_the_recorded_ones);
	g_test_add_func("/message/hello", test_versions_of_hello);
	g_test_add_func("/message/numbers", test_large_numbers_are_kept);
	g_test_add_func("/message/errors", test_errors_name_the_field);
	g_test_add_func("/message/limits", test_limits);
	g_test_add_func("/message/unknown", test_unknown_types_pass);
	g_test_add_func("/message/group", test_group_skips_what_is_bad);
	g_test_add_func("/message/media-info", test_media_info);
	g_test_add_func("/message/introduction", test_introduction);
	g_test_add_func("/message/recording", test_recording_event);
	return g_test_run();
}
