// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-media.h"

#include <string.h>

#include "appliance/daemon-landlock.h"
#include "appliance/daemon-life.h"
#include "appliance/daemon-selftest.h"
#include "appliance/status-view.h"

static JsonNode *node_of(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

static void set_int(JsonObject *o, const char *name, guint64 value)
{
	json_object_set_int_member(o, name, (gint64) value);
}

static void set_or_null(JsonObject *o, const char *name, const char *value)
{
	if (value)
		json_object_set_string_member(o, name, value);
	else
		json_object_set_null_member(o, name);
}

static JsonObject *describe_rung(const struct video_rung_stats *r)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "codec", media_codec_name(r->codec));
	json_object_set_string_member(o, "encoder", r->encoder);
	set_int(o, "width", r->width);
	set_int(o, "height", r->height);
	set_int(o, "target_bps", r->target_bps);
	set_int(o, "takers", r->takers);
	set_int(o, "frames_in", r->frames_in);
	set_int(o, "frames_dropped", r->frames_dropped);
	set_int(o, "units_out", r->units_out);
	set_int(o, "bytes_out", r->bytes_out);
	set_int(o, "keyframes", r->keyframes);
	set_int(o, "encode_us_p95", r->encode_us_p95);
	set_int(o, "encode_cpu_ms", r->encode_ns_total / 1000000);
	return o;
}

/* A pipeline has one sentence: what runs, or why that does not. */
static void set_source(JsonObject *o, gboolean live, const char *sentence,
		       const char *configured)
{
	json_object_set_string_member(o, "source",
				      live ? sentence : configured);
	set_or_null(o, "detail", live || !*sentence ? NULL : sentence);
}

/* How long it has been so, how often a device was lost, and which one is held
 * now. */
static void set_device(Daemon *d, JsonObject *o, enum device_kind kind,
		       uint64_t since_us, uint64_t lost, const char *node)
{
	gint64 back_ms = daemon_devices_get_back_ms(d, kind);
	uint64_t now = (uint64_t) g_get_monotonic_time();

	set_int(o, "since_s",
		since_us && now > since_us ?
			(now - since_us) / G_USEC_PER_SEC : 0);
	set_int(o, "lost", lost);
	set_or_null(o, "node", *node ? node : NULL);
	if (back_ms < 0)
		json_object_set_null_member(o, "back_ms");
	else
		json_object_set_int_member(o, "back_ms", back_ms);
	json_object_set_string_member(o, "watch", daemon_devices_get_backend(d));
}

static JsonNode *describe_video(Daemon *d)
{
	static const char *const states[] = { "idle", "live", "placeholder" };
	const MediaStream *sent = daemon_media_get_stream(d);
	struct video_pipeline_stats s;
	JsonObject *o;
	JsonArray *rungs;

	if (!sent || !sent->video_source)
		return json_node_new(JSON_NODE_NULL);
	video_pipeline_get_stats(d->video, &s);
	o = json_object_new();
	rungs = json_array_new();
	json_object_set_string_member(o, "state", states[s.state]);
	set_source(o, s.state == VIDEO_SOURCE_LIVE, s.source,
		   sent->video_source);
	set_device(d, o, DEVICE_CAMERA, s.since_us, s.lost, s.node);
	json_object_set_boolean_member(o, "screenshare", sent->screenshare);
	set_int(o, "replaced", s.replaced);
	json_object_set_boolean_member(o, "muted", d->video_muted);
	set_int(o, "frames_captured", s.frames_captured);
	set_int(o, "frames_missed", s.frames_missed);
	set_int(o, "frame_copies", s.frame_copies);
	set_int(o, "frame_allocs", s.frame_allocs);
	set_int(o, "unit_copies", s.unit_copies);
	for (unsigned int i = 0; i < s.n_rungs; i++)
		json_array_add_object_element(rungs,
					      describe_rung(&s.rungs[i]));
	json_object_set_array_member(o, "rungs", rungs);
	return node_of(o);
}

static JsonNode *describe_audio(Daemon *d)
{
	static const char *const states[] = { "idle", "live", "silence" };
	const MediaStream *sent = daemon_media_get_stream(d);
	struct audio_pipeline_stats s;
	JsonObject *o;

	if (!sent || !sent->audio_source)
		return json_node_new(JSON_NODE_NULL);
	audio_pipeline_get_stats(d->audio, &s);
	o = json_object_new();
	json_object_set_string_member(o, "state", states[s.state]);
	set_source(o, s.state == AUDIO_SOURCE_LIVE, s.source,
		   sent->audio_source);
	set_device(d, o, DEVICE_MICROPHONE, s.since_us, s.lost, s.node);
	set_int(o, "channels", s.channels);
	set_int(o, "replaced", s.replaced);
	json_object_set_boolean_member(o, "muted", d->audio_muted);
	set_int(o, "units_out", s.units_out);
	set_int(o, "bytes_out", s.bytes_out);
	set_int(o, "overruns", s.overruns);
	set_int(o, "samples_lost", s.samples_lost);
	set_int(o, "level", s.level);
	set_int(o, "takers", s.takers);
	return node_of(o);
}

static JsonNode *describe_room_server(Daemon *d)
{
	struct room_server_stats s;
	JsonObject *o;

	if (!d->room_server)
		return json_node_new(JSON_NODE_NULL);
	room_server_get_stats(d->room_server, &s);
	o = json_object_new();
	json_object_set_string_member(o, "url",
				      room_server_get_url(d->room_server));
	if (room_server_get_fingerprint(d->room_server))
		json_object_set_string_member(
			o, "fingerprint",
			room_server_get_fingerprint(d->room_server));
	if (room_server_get_certificate_end(d->room_server))
		json_object_set_int_member(
			o, "certificate_end",
			room_server_get_certificate_end(d->room_server));
	set_int(o, "clients", s.clients);
	set_int(o, "rooms", s.rooms);
	set_int(o, "clients_total", s.clients_total);
	set_int(o, "messages_in", s.messages_in);
	set_int(o, "messages_out", s.messages_out);
	set_int(o, "refused", s.refused);
	set_int(o, "logins_failed", s.logins_failed);
	set_int(o, "dropped_slow", s.dropped_slow);
	set_int(o, "timeouts", s.timeouts);
	set_int(o, "bad_messages", s.bad_messages);
	return node_of(o);
}

static JsonNode *describe_network(Daemon *d)
{
	struct rtc_engine_stats s;
	JsonObject *o;

	if (!d->engine)
		return json_node_new(JSON_NODE_NULL);
	rtc_engine_get_stats(d->engine, &s);
	o = json_object_new();
	json_object_set_string_member(o, "io", s.backend);
	set_or_null(o, "io_reason", s.backend_reason);
	json_object_set_boolean_member(o, "gso", s.gso);
	json_object_set_string_member(o, "demux", s.demux);
	set_or_null(o, "demux_reason", s.demux_reason);
	set_int(o, "units_in", s.units_in);
	set_int(o, "units_dropped", s.units_dropped);
	set_int(o, "bitstream_copies", s.bitstream_copies);
	set_int(o, "syscalls", s.net.syscalls);
	set_int(o, "ticks", s.net.ticks);
	set_int(o, "rx_datagrams", s.net.rx_datagrams);
	set_int(o, "rx_bytes", s.net.rx_bytes);
	set_int(o, "tx_chunks", s.net.tx_chunks);
	set_int(o, "tx_datagrams", s.net.tx_datagrams);
	set_int(o, "tx_bytes", s.net.tx_bytes);
	set_int(o, "tx_errors", s.net.tx_errors);
	set_int(o, "tx_gso_refused", s.net.tx_gso_refused);
	set_int(o, "tx_no_buffer", s.net.tx_no_buffer);
	set_int(o, "rx_no_buffer", s.net.rx_no_buffer);
	set_int(o, "sockets", s.net.sockets);
	set_int(o, "sent_us_median", s.sent_us_median);
	set_int(o, "sent_us_p95", s.sent_us_p95);
	set_int(o, "cpu_ms", s.net.cpu_ns / 1000000);
	set_int(o, "ice_cpu_ms", s.ice_cpu_ns / 1000000);
	return node_of(o);
}

static JsonNode *describe_control(Daemon *d)
{
	ControlServerStats s;
	JsonObject *o = json_object_new();

	control_server_get_stats(d->control, &s);
	set_int(o, "clients", s.clients);
	set_int(o, "subscribers", s.subscribers);
	set_int(o, "clients_total", s.clients_total);
	set_int(o, "clients_refused", s.clients_refused);
	set_int(o, "dropped_slow", s.dropped_slow);
	set_int(o, "requests", s.requests);
	set_int(o, "errors", s.errors);
	set_int(o, "events", s.events);
	set_int(o, "bad_lines", s.bad_lines);
	return node_of(o);
}

static JsonObject *describe_landlock(Daemon *d)
{
	const struct daemon_landlock *l = d->options->landlock;
	JsonObject *o = json_object_new();

	set_int(o, "abi", (guint64) daemon_landlock_get_abi(l));
	set_or_null(o, "reason", daemon_landlock_get_reason(l));
	return o;
}

static JsonNode *describe_process(Daemon *d)
{
	JsonObject *o = json_object_new();

	process_stats_read(&d->process);
	json_object_set_double_member(o, "cpu_percent",
				      d->process.cpu_percent);
	set_int(o, "cpu_ms", d->process.cpu_ns / 1000000);
	set_int(o, "rss_kb", d->process.rss_kb);
	set_int(o, "rss_anon_kb", d->process.rss_anon_kb);
	set_int(o, "threads", d->process.threads);
	set_int(o, "fds", d->process.fds);
	set_int(o, "context_switches", d->process.switches);
	json_object_set_object_member(o, "landlock", describe_landlock(d));
	return node_of(o);
}

JsonNode *daemon_describe_room(Daemon *d)
{
	JsonObject *o;

	if (d->room)
		return status_view_room(room_describe(d->room));
	o = json_object_new();
	json_object_set_string_member(o, "state", "idle");
	json_object_set_string_member(o, "hint", d->options->room_server_only ?
		"this is a room server alone" :
		"set server and name in section [room] to join a room");
	return node_of(o);
}

/* What the encoder of that codec is asked for; 0: none runs. */
static guint64 rung_bps(Daemon *d, const char *codec)
{
	struct video_pipeline_stats s;

	if (!d->video || !codec)
		return 0;
	video_pipeline_get_stats(d->video, &s);
	for (unsigned int i = 0; i < s.n_rungs; i++)
		if (s.rungs[i].takers &&
		    !strcmp(media_codec_name(s.rungs[i].codec), codec))
			return s.rungs[i].target_bps;
	return 0;
}

/* What keeps a peer's bit rate where it is. The encoder: others share it, and
 * one of them can take less. */
static void set_limited(Daemon *d, JsonObject *peer)
{
	JsonNode *node = json_object_get_member(peer, "rtc");
	JsonObject *rtc = node && JSON_NODE_HOLDS_OBJECT(node) ?
		json_node_get_object(node) : NULL;
	guint64 target, rung;
	const char *reason;

	if (!rtc)
		return;
	target = (guint64) json_object_get_int_member_with_default(
		rtc, "targetBps", 0);
	rung = rung_bps(d, text_member(rtc, "videoCodec"));
	if (json_object_get_boolean_member_with_default(rtc, "pathLimited",
							FALSE))
		reason = "congestion";
	else if (rung && rung < target / 10 * 9)
		reason = "encoder";
	else if (json_object_get_boolean_member_with_default(rtc, "atCap",
							     FALSE))
		reason = "cap";
	else
		reason = "none";
	json_object_set_string_member(peer, "limited", reason);
}

static JsonNode *describe_room_peers(Daemon *d)
{
	JsonNode *node = status_view_peers(room_describe_peers(d->room),
					   g_get_real_time() / G_USEC_PER_SEC);
	JsonArray *peers = json_node_get_array(node);

	for (guint i = 0; i < json_array_get_length(peers); i++)
		set_limited(d, json_array_get_object_element(peers, i));
	return node;
}

JsonNode *daemon_describe_peers(Daemon *d)
{
	JsonNode *none;

	if (d->room)
		return describe_room_peers(d);
	none = json_node_new(JSON_NODE_ARRAY);
	json_node_take_array(none, json_array_new());
	return none;
}

static guint count_transfers(Daemon *d)
{
	g_autoptr(JsonNode) list = d->room ? room_describe_transfers(d->room)
					   : NULL;

	return list ? json_array_get_length(json_node_get_array(list)) : 0;
}

JsonNode *daemon_describe(Daemon *d)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "version", PACKAGE_VERSION);
	set_int(o, "uptime_s", (guint64) (g_get_monotonic_time() -
					  d->started_us) / G_USEC_PER_SEC);
	json_object_set_member(o, "room", daemon_describe_room(d));
	if (d->life) {
		json_object_set_object_member(
			o, "schedule", daemon_life_describe_schedule(d));
		json_object_set_object_member(o, "life",
					      daemon_life_describe(d));
	}
	if (d->selftest)
		json_object_set_object_member(
			o, "selftest", daemon_selftest_describe(d, FALSE));
	json_object_set_member(o, "roomserver", describe_room_server(d));
	json_object_set_member(o, "video", describe_video(d));
	json_object_set_member(o, "audio", describe_audio(d));
	json_object_set_object_member(o, "streams", daemon_media_describe(d));
	json_object_set_member(o, "network", describe_network(d));
	json_object_set_member(o, "peers", daemon_describe_peers(d));
	set_int(o, "transfers", count_transfers(d));
	json_object_set_member(o, "restart", daemon_restart_describe(d));
	json_object_set_member(o, "control", describe_control(d));
	json_object_set_member(o, "process", describe_process(d));
	return node_of(o);
}
