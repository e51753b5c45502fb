// SPDX-License-Identifier: Apache-2.0
#include "appliance/metrics/metrics-text.h"

#include <string.h>

/* Where a row's numbers stand: one object, or each of an array. */
enum place {
	ROOT,
	ROOM,
	ROOM_SERVER,
	VIDEO,
	AUDIO,
	NETWORK,
	CONTROL,
	PROCESS,
	SELFTEST,
	RUNGS,		/* label codec */
	PEERS,		/* label peer */
};

static const char *const sections[] = {
	[ROOM] = "room", [ROOM_SERVER] = "roomserver", [VIDEO] = "video",
	[AUDIO] = "audio", [NETWORK] = "network", [CONTROL] = "control",
	[PROCESS] = "process",
	[SELFTEST] = "selftest",
};

struct metric {
	enum place place;
	const char *member;	/* "rtc.nacks": of an object in it */
	const char *name;	/* ending in _total: a counter */
	double scale;		/* to base units; 0: a whole number as it is */
	const char *help;
};

static const struct metric metrics[] = {
	{ROOT, "uptime_s", "skylink_uptime_seconds", 0,
	 "Since the daemon was started."},
	{ROOT, "transfers", "skylink_transfers", 0,
	 "File transfers that wait or run."},

	{SELFTEST, "ok", "skylink_selftest_ok", 0,
	 "0: the last self-test that ran has failed."},
	{SELFTEST, "last.at", "skylink_selftest_last_seconds", 0,
	 "When it began, as Unix time."},

	{ROOM, "joins", "skylink_room_joins_total", 0,
	 "How often the room was joined."},
	{ROOM, "losses", "skylink_room_losses_total", 0,
	 "How often the room was lost."},
	{ROOM, "retries", "skylink_room_failed_attempts", 0,
	 "Attempts to join that failed since the last success."},
	{ROOM, "kept_peers", "skylink_room_kept_peers", 0,
	 "Connections that outlived their signaling."},
	{ROOM, "peers_refused", "skylink_room_peers_refused_total", 0,
	 "Peers beyond network.max_peers."},
	{ROOM, "bad_messages", "skylink_room_bad_messages_total", 0,
	 "Signaling messages that could not be read."},
	{ROOM, "events_dropped", "skylink_room_events_dropped_total", 0,
	 "Events that did not fit into their queue."},

	{ROOM_SERVER, "clients", "skylink_roomserver_clients", 0,
	 "Clients of the room server in this box."},
	{ROOM_SERVER, "rooms", "skylink_roomserver_rooms", 0,
	 "Rooms with somebody in them."},
	{ROOM_SERVER, "clients_total", "skylink_roomserver_clients_total", 0,
	 "Clients since the start."},
	{ROOM_SERVER, "messages_in", "skylink_roomserver_messages_in_total", 0,
	 "Messages from clients."},
	{ROOM_SERVER, "messages_out", "skylink_roomserver_messages_out_total",
	 0, "Messages to clients."},
	{ROOM_SERVER, "refused", "skylink_roomserver_refused_total", 0,
	 "Clients and requests refused."},
	{ROOM_SERVER, "logins_failed",
	 "skylink_roomserver_logins_failed_total", 0,
	 "Wrong passwords at viewer and console."},
	{ROOM_SERVER, "dropped_slow",
	 "skylink_roomserver_dropped_slow_total", 0,
	 "Clients dropped because they did not read."},
	{ROOM_SERVER, "timeouts", "skylink_roomserver_timeouts_total", 0,
	 "Clients that fell silent."},
	{ROOM_SERVER, "bad_messages", "skylink_roomserver_bad_messages_total",
	 0, "Messages that could not be read."},

	{VIDEO, "frames_captured", "skylink_video_frames_captured_total", 0,
	 "Pictures from the source."},
	{VIDEO, "frames_missed", "skylink_video_frames_missed_total", 0,
	 "Pictures that the source lost."},
	{VIDEO, "replaced", "skylink_video_frames_replaced_total", 0,
	 "Placeholder pictures sent instead."},
	{VIDEO, "muted", "skylink_video_muted", 0, "1: the picture is muted."},

	{AUDIO, "units_out", "skylink_audio_frames_encoded_total", 0,
	 "Pieces of sound encoded."},
	{AUDIO, "overruns", "skylink_audio_overruns_total", 0,
	 "How often sound was not fetched in time."},
	{AUDIO, "samples_lost", "skylink_audio_samples_lost_total", 0,
	 "Samples lost thereby."},
	{AUDIO, "muted", "skylink_audio_muted", 0, "1: the sound is muted."},

	{RUNGS, "target_bps", "skylink_rung_target_bits_per_second", 0,
	 "The bit rate asked of the encoder."},
	{RUNGS, "takers", "skylink_rung_takers", 0, "Peers that are sent it."},
	{RUNGS, "frames_in", "skylink_rung_frames_in_total", 0,
	 "Pictures to the encoder."},
	{RUNGS, "frames_dropped", "skylink_rung_frames_dropped_total", 0,
	 "Pictures that it had no time for."},
	{RUNGS, "units_out", "skylink_rung_frames_encoded_total", 0,
	 "Pictures encoded."},
	{RUNGS, "bytes_out", "skylink_rung_encoded_bytes_total", 0,
	 "Their size."},
	{RUNGS, "keyframes", "skylink_rung_keyframes_total", 0,
	 "Keyframes among them."},
	{RUNGS, "encode_us_p95", "skylink_rung_encode_p95_seconds", 1e-6,
	 "Time to encode a picture, 95th percentile."},
	{RUNGS, "encode_cpu_ms", "skylink_rung_encode_cpu_seconds_total", 1e-3,
	 "CPU time of the encoder."},

	{NETWORK, "sent_us_median", "skylink_sent_latency_median_seconds",
	 1e-6, "From a picture's capture until its last packet left."},
	{NETWORK, "sent_us_p95", "skylink_sent_latency_p95_seconds", 1e-6,
	 "The same, 95th percentile."},
	{NETWORK, "tx_bytes", "skylink_network_sent_bytes_total", 0,
	 "Bytes sent to all peers."},
	{NETWORK, "tx_datagrams", "skylink_network_sent_packets_total", 0,
	 "Packets sent to all peers."},
	{NETWORK, "tx_errors", "skylink_network_send_errors_total", 0,
	 "Packets that could not be sent."},
	{NETWORK, "rx_bytes", "skylink_network_received_bytes_total", 0,
	 "Bytes from all peers."},
	{NETWORK, "rx_datagrams", "skylink_network_received_packets_total", 0,
	 "Packets from all peers."},
	{NETWORK, "units_dropped", "skylink_network_frames_dropped_total", 0,
	 "Encoded frames that found no room."},
	{NETWORK, "cpu_ms", "skylink_network_cpu_seconds_total", 1e-3,
	 "CPU time of the network thread."},

	{PEERS, "since", "skylink_peer_age_seconds", 0,
	 "Since the peer came."},
	{PEERS, "target_bps", "skylink_peer_target_bits_per_second", 0,
	 "What the path is believed to carry."},
	{PEERS, "loss", "skylink_peer_loss_ratio", 1,
	 "Share of packets lost on the way, 0 to 1."},
	{PEERS, "rtt_ms", "skylink_peer_rtt_seconds", 1e-3,
	 "Time to the peer and back."},
	{PEERS, "rtc.videoBytes", "skylink_peer_video_sent_bytes_total", 0,
	 "Bytes of pictures sent."},
	{PEERS, "rtc.audioBytes", "skylink_peer_audio_sent_bytes_total", 0,
	 "Bytes of sound sent."},
	{PEERS, "rtc.videoPackets", "skylink_peer_video_sent_packets_total",
	 0, "Packets of pictures sent."},
	{PEERS, "rtc.audioPackets", "skylink_peer_audio_sent_packets_total",
	 0, "Packets of sound sent."},
	{PEERS, "rtc.videoFrames", "skylink_peer_video_frames_total", 0,
	 "Pictures sent."},
	{PEERS, "rtc.videoFramesDropped",
	 "skylink_peer_video_frames_dropped_total", 0,
	 "Pictures left out for this peer."},
	{PEERS, "rtc.rtxPackets", "skylink_peer_retransmitted_packets_total",
	 0, "Packets sent once more."},
	{PEERS, "rtc.nacks", "skylink_peer_nacks_total", 0,
	 "Packets that the peer asked for again."},
	{PEERS, "rtc.plis", "skylink_peer_plis_total", 0,
	 "Keyframes that the peer asked for."},
	{PEERS, "rtc.receivedVideoBytes",
	 "skylink_peer_video_received_bytes_total", 0,
	 "Bytes of pictures from the peer."},
	{PEERS, "rtc.receivedAudioBytes",
	 "skylink_peer_audio_received_bytes_total", 0,
	 "Bytes of sound from the peer."},
	{PEERS, "rtc.receivedLost", "skylink_peer_received_packets_lost_total",
	 0, "Packets from the peer that did not come."},

	{CONTROL, "clients", "skylink_control_clients", 0,
	 "Clients of the control socket."},
	{CONTROL, "subscribers", "skylink_control_subscribers", 0,
	 "Those that get events."},
	{CONTROL, "requests", "skylink_control_requests_total", 0,
	 "Requests answered."},
	{CONTROL, "errors", "skylink_control_errors_total", 0,
	 "Requests refused or failed."},
	{CONTROL, "dropped_slow", "skylink_control_dropped_slow_total", 0,
	 "Clients dropped because they did not read."},

	{PROCESS, "cpu_ms", "process_cpu_seconds_total", 1e-3,
	 "CPU time of the daemon."},
	{PROCESS, "rss_kb", "process_resident_memory_bytes", 1024,
	 "Memory of the daemon."},
	{PROCESS, "fds", "process_open_fds", 0, "Open file descriptors."},
	{PROCESS, "threads", "skylink_process_threads", 0, "Threads."},
};

/* --- the status ------------------------------------------------------------- */
static JsonNode *member(JsonObject *o, const char *path)
{
	const char *dot = strchr(path, '.');
	g_autofree char *first = NULL;
	JsonNode *node;

	if (!o || !dot)
		return o ? json_object_get_member(o, path) : NULL;
	first = g_strndup(path, (gsize) (dot - path));
	node = json_object_get_member(o, first);
	return node && JSON_NODE_HOLDS_OBJECT(node) ?
		json_object_get_member(json_node_get_object(node), dot + 1) :
		NULL;
}

static JsonObject *object_member(JsonObject *o, const char *name)
{
	JsonNode *node = member(o, name);

	return node && JSON_NODE_HOLDS_OBJECT(node) ?
		json_node_get_object(node) : NULL;
}

static JsonArray *array_member(JsonObject *o, const char *name)
{
	JsonNode *node = member(o, name);

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
						   : NULL;
}

static const char *text_member(JsonObject *o, const char *name)
{
	JsonNode *node = member(o, name);

	return node && JSON_NODE_HOLDS_VALUE(node) &&
		json_node_get_value_type(node) == G_TYPE_STRING ?
		json_node_get_string(node) : "";
}

/* --- lines --------------------------------------------------------------------- */
static void head(GString *s, const char *name, const char *help)
{
	g_string_append_printf(s, "# HELP %s %s\n# TYPE %s %s\n", name, help,
			       name, g_str_has_suffix(name, "_total") ?
			       "counter" : "gauge");
}

static void label(GString *s, char before, const char *name, const char *value)
{
	g_string_append_printf(s, "%c%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '\n')
			g_string_append(s, "\\n");
		else if (*value == '"' || *value == '\\')
			g_string_append_printf(s, "\\%c", *value);
		else
			g_string_append_c(s, *value);
	}
	g_string_append_c(s, '"');
}

/* " 12\n"; FALSE: it is no number. */
static gboolean value(GString *s, JsonNode *node, double scale)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	GType type = node && JSON_NODE_HOLDS_VALUE(node) ?
		json_node_get_value_type(node) : G_TYPE_INVALID;

	if (type == G_TYPE_BOOLEAN)
		g_string_append_printf(s, " %d\n",
				       json_node_get_boolean(node));
	else if (type == G_TYPE_INT64 && scale == 0)
		g_string_append_printf(s, " %" G_GINT64_FORMAT "\n",
				       json_node_get_int(node));
	else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
		g_string_append_printf(s, " %s\n", g_ascii_formatd(
			text, sizeof(text), "%.12g",
			json_node_get_double(node) * (scale ? scale : 1)));
	else
		return FALSE;
	return TRUE;
}

/* One sample; the family's head before its first. */
static void sample(GString *s, const struct metric *m, JsonObject *o,
		   const char *label_name, const char *label_value,
		   gboolean *headed)
{
	gsize before = s->len;

	if (!*headed)
		head(s, m->name, m->help);
	g_string_append(s, m->name);
	if (label_name) {
		label(s, '{', label_name, label_value);
		g_string_append_c(s, '}');
	}
	if (value(s, member(o, m->member), m->scale))
		*headed = TRUE;
	else
		g_string_truncate(s, before);
}

static void samples(GString *s, const struct metric *m, JsonArray *array,
		    const char *label_name, const char *label_member)
{
	guint n = array ? json_array_get_length(array) : 0;
	gboolean headed = FALSE;

	for (guint i = 0; i < n; i++) {
		JsonNode *node = json_array_get_element(array, i);
		JsonObject *o = JSON_NODE_HOLDS_OBJECT(node) ?
			json_node_get_object(node) : NULL;

		if (o)
			sample(s, m, o, label_name,
			       text_member(o, label_member), &headed);
	}
}

/* --- what is no plain number ------------------------------------------------ */
static void states(GString *s, JsonObject *o)
{
	static const char *const all[] = {"idle", "asking", "connecting",
					  "joining", "joined", "waiting"};
	const char *state = text_member(object_member(o, "room"), "state");

	head(s, "skylink_room_state", "1 for the state the room is in.");
	for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
		g_string_append(s, "skylink_room_state");
		label(s, '{', "state", all[i]);
		g_string_append_printf(s, "} %d\n", !strcmp(all[i], state));
	}
}

static void reasons(GString *s, JsonArray *peers)
{
	static const char *const all[] = {"congestion", "cap", "encoder",
					  "none"};
	guint n = peers ? json_array_get_length(peers) : 0;

	if (n)
		head(s, "skylink_peer_limited",
		     "1 for what keeps the bit rate where it is.");
	for (guint i = 0; i < n; i++) {
		JsonObject *o = json_array_get_object_element(peers, i);
		const char *reason = text_member(o, "limited");

		for (guint k = 0; *reason && k < G_N_ELEMENTS(all); k++) {
			g_string_append(s, "skylink_peer_limited");
			label(s, '{', "peer", text_member(o, "peerId"));
			label(s, ',', "reason", all[k]);
			g_string_append_printf(s, "} %d\n",
					       !strcmp(all[k], reason));
		}
	}
}

static void connected(GString *s, JsonArray *peers)
{
	guint n = peers ? json_array_get_length(peers) : 0;

	head(s, "skylink_peers", "Peers in the room.");
	g_string_append_printf(s, "skylink_peers %u\n", n);
	if (n)
		head(s, "skylink_peer_connected", "1: media flows.");
	for (guint i = 0; i < n; i++) {
		JsonObject *o = json_array_get_object_element(peers, i);

		g_string_append(s, "skylink_peer_connected");
		label(s, '{', "peer", text_member(o, "peerId"));
		g_string_append_printf(s, "} %d\n", !strcmp(
			text_member(o, "state"), "connected"));
	}
}

static void build(GString *s, JsonObject *o)
{
	head(s, "skylink_build_info", "The daemon's version.");
	g_string_append(s, "skylink_build_info");
	label(s, '{', "version", text_member(o, "version"));
	g_string_append(s, "} 1\n");
}

char *metrics_text_make(JsonNode *status)
{
	JsonObject *o = status && JSON_NODE_HOLDS_OBJECT(status) ?
		json_node_get_object(status) : NULL;
	JsonArray *peers = array_member(o, "peers");
	JsonArray *rungs = array_member(object_member(o, "video"), "rungs");
	GString *s = g_string_new(NULL);

	build(s, o);
	states(s, o);
	for (guint i = 0; i < G_N_ELEMENTS(metrics); i++) {
		const struct metric *m = &metrics[i];
		gboolean headed = FALSE;

		if (m->place == RUNGS)
			samples(s, m, rungs, "codec", "codec");
		else if (m->place == PEERS)
			samples(s, m, peers, "peer", "peerId");
		else
			sample(s, m, m->place == ROOT ? o :
			       object_member(o, sections[m->place]), NULL,
			       NULL, &headed);
	}
	connected(s, peers);
	reasons(s, peers);
	return g_string_free(s, FALSE);
}
