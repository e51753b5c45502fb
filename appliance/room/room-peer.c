// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-peer-private.h"

#include <errno.h>
#include <string.h>

#include "appliance/room/dt-message.h"
#include "appliance/room/rtc-describe.h"


static gboolean is_mcu(RoomPeer *p)
{
	return !strcmp(p->id, "MCU");
}

/* An MCU passes our media on to everybody else. */
static gboolean sends_to(RoomPeer *p)
{
	return !p->config.media->mcu || is_mcu(p);
}

/* --- events -------------------------------------------------------------- */
JsonObject *peer_state_params(RoomPeer *p, const char *state)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "state", state);
	json_object_set_string_member(params, "peerId", p->id);
	return params;
}

void peer_emit(RoomPeer *p, const char *name, JsonObject *params)
{
	p->config.events->event(p->config.user, name, params);
}

void peer_emit_progress(RoomPeer *p, const char *state, const char *error)
{
	JsonObject *params = peer_state_params(p, state);

	if (error)
		json_object_set_string_member(params, "error", error);
	else
		json_object_set_null_member(params, "error");
	peer_emit(p, "handshakeProgress", params);
}

void peer_emit_signaling(RoomPeer *p, const char *state)
{
	peer_emit(p, "peerConnectionState", peer_state_params(p, state));
}

JsonObject *room_peer_event_params(RoomPeer *p)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "peerId", p->id);
	json_object_set_object_member(params, "peerInfo",
				      peer_info_to_json(&p->info));
	return params;
}

/* @why: of an error, else NULL */
static void emit_channel_state(RoomPeer *p, const char *state,
			       const char *label, gboolean messaging,
			       const char *why)
{
	JsonObject *params = peer_state_params(p, state), *error;

	if (why) {
		error = json_object_new();
		json_object_set_string_member(error, "message", why);
		json_object_set_object_member(params, "error", error);
	} else {
		json_object_set_null_member(params, "error");
	}
	json_object_set_string_member(params, "channelName", label);
	json_object_set_string_member(params, "channelType",
				      messaging ? "messaging" : "data");
	peer_emit(p, "dataChannelState", params);
}

static void emit_channel(RoomPeer *p, const char *state,
			 const struct peer_channel *channel)
{
	emit_channel_state(p, state, channel->label, channel->messaging, NULL);
}

gboolean peer_open_channel(RoomPeer *p, const char *label, gboolean messaging,
			   GError **error)
{
	g_autoptr(GError) why = NULL;

	if (rtc_peer_open_channel(p->rtc, label, &why)) {
		emit_channel_state(p, "connecting", label, messaging, NULL);
		return TRUE;
	}
	emit_channel_state(p, "error", label, messaging, why->message);
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

static void emit_restart(RoomPeer *p, gboolean by_self)
{
	JsonObject *params;

	if (is_mcu(p)) {
		params = json_object_new();
		json_object_set_string_member(params, "peerId", p->id);
		json_object_set_string_member(params, "serverPeerType", "mcu");
		peer_emit(p, "serverPeerRestart", params);
		return;
	}
	params = room_peer_event_params(p);
	json_object_set_boolean_member(params, "isSelfInitiateRestart",
				       by_self);
	peer_emit(p, "peerRestart", params);
	p->restart_told = TRUE;
}

void peer_tell(RoomPeer *p, JsonObject *message)
{
	if (p->detached)
		json_object_unref(message);
	else
		p->config.events->send(p->config.user, message);
}

static void arm(RoomPeer *p);

/* --- the connection ------------------------------------------------------ */
static struct rtc_peer *new_rtc(RoomPeer *p, GError **error)
{
	const RoomPeerConfig *c = &p->config;
	struct rtc_peer_config config = {
		.name = p->id,
		.stream_id = c->media->stream_id,
		.send_audio = sends_to(p) && c->media->sends.send_audio,
		.send_video = sends_to(p) && c->media->sends.send_video,
		.no_receive = is_mcu(p) || c->media->watch_only,
		.own_certificate = c->returns,
		.trickle = c->self->ice_trickle,
		.video_codecs = c->video_codecs,
		.n_video_codecs = c->n_video_codecs,
		.ice_servers = c->ice->list,
		.n_ice_servers = c->ice->n,
		.relay_only = c->ice->relay_only,
		.ops = &peer_rtc_ops,
		.user = p,
	};

	return rtc_peer_new(c->engine, &config, error);
}

static void give_up_codec(RoomPeer *p)
{
	if (!p->has_codec)
		return;
	p->has_codec = FALSE;
	p->config.events->codec_use(p->config.user, p->codec, FALSE);
}

static void begin_health(RoomPeer *p)
{
	guint units = p->handshake.peer_is_mcu ? PEER_HEALTH_MCU_UNITS
		      : p->config.self->ice_trickle
			      ? 1
			      : PEER_HEALTH_PLAIN_UNITS;

	peer_health_init(&p->health, p->config.health_ms, units,
			 g_get_monotonic_time());
}

static void tell_stream_ended(RoomPeer *p)
{
	JsonObject *params = room_peer_event_params(p);

	json_object_set_boolean_member(params, "isSelf", FALSE);
	json_object_set_boolean_member(params, "isScreensharing",
				       p->info.screenshare);
	peer_emit(p, "streamEnded", params);
}

static void forget_streams(RoomPeer *p)
{
	if (p->audio_stream || p->video_stream)
		tell_stream_ended(p);
	g_clear_pointer(&p->audio_stream, g_free);
	g_clear_pointer(&p->video_stream, g_free);
}

gboolean peer_replace_connection(RoomPeer *p)
{
	g_autoptr(GError) error = NULL;
	struct rtc_peer *fresh = new_rtc(p, &error);

	if (!fresh) {
		peer_emit_progress(p, "error", error->message);
		return FALSE;
	}
	rtc_peer_free(p->rtc);
	p->rtc = fresh;
	/* the channel that was to come again went with it */
	peer_stop_timer(&p->reopen_timer);
	p->connected = FALSE;
	p->ice_state = RTC_ICE_NEW;
	p->pending = p->gathered = p->described = FALSE;
	forget_streams(p);
	peer_transfers_lost(p->transfers,
			    "The peer's connection was replaced.");
	for (guint i = 0; i < p->channels.list->len; i++)
		emit_channel(p, "closed", p->channels.list->pdata[i]);
	peer_channels_clear(&p->channels);
	p->opened_messaging = FALSE;
	give_up_codec(p);
	begin_health(p);
	return TRUE;
}

/* What it told when it was here before. */
static void remember(RoomPeer *p, JsonObject *hello)
{
	g_autoptr(Message) m = hello ? message_parse(hello, NULL) : NULL;

	if (m) {
		p->hello = json_object_ref(hello);
		peer_info_take_hello(&p->info, &m->hello, NULL);
	}
	handshake_renew(&p->handshake, m ? &m->hello : NULL,
			g_get_monotonic_time());
}

RoomPeer *room_peer_new(const RoomPeerConfig *config, GError **error)
{
	RoomPeer *p = g_new0(RoomPeer, 1);

	p->config = *config;
	p->id = g_strdup(config->id);
	p->rtc = new_rtc(p, error);
	if (!p->rtc) {
		g_free(p->id);
		g_free(p);
		return NULL;
	}
	p->since_us = g_get_real_time();
	peer_channels_init(&p->channels);
	p->transfers = peer_transfers_new(p->id, &peer_transfers_peer_ops, p);
	peer_info_init(&p->info, config->room);
	handshake_init(&p->handshake, config->self->mid, config->id,
		       config->self->weight, &peer_handshake_ops, p);
	begin_health(p);
	if (config->returns)
		remember(p, config->hello);
	arm(p);
	return p;
}

void peer_stop_timer(GSource **timer)
{
	if (!*timer)
		return;
	g_source_destroy(*timer);
	g_clear_pointer(timer, g_source_unref);
}

RoomPeer *room_peer_free(RoomPeer *p)
{
	if (!p)
		return NULL;
	peer_stop_timer(&p->timer);
	peer_stop_timer(&p->reopen_timer);
	peer_stop_timer(&p->transfer_timer);
	p->transfers = peer_transfers_free(p->transfers);
	rtc_peer_free(p->rtc);
	give_up_codec(p);
	handshake_done(&p->handshake);
	peer_info_done(&p->info);
	g_clear_pointer(&p->hello, json_object_unref);
	peer_channels_done(&p->channels);
	g_free(p->audio_stream);
	g_free(p->video_stream);
	g_free(p->id);
	g_free(p);
	return NULL;
}

void peer_set_timer(RoomPeer *p, GSource **timer, guint ms, GSourceFunc fn)
{
	peer_stop_timer(timer);
	*timer = g_timeout_source_new(ms);
	g_source_set_callback(*timer, fn, p, NULL);
	g_source_attach(*timer, p->config.context);
}

static void ask_for_help(RoomPeer *p, gint64 now)
{
	/* Before the first agreement the handshake has timers of its own. */
	if (p->config.media->mcu)
		return;		/* nobody would follow */
	if (!p->health.stood && p->handshake.state != HANDSHAKE_STABLE) {
		peer_health_postpone(&p->health, now);
		return;
	}
	handshake_request_restart(&p->handshake, TRUE, TRUE, now);
	emit_restart(p, TRUE);
}

static gboolean on_timer(gpointer data)
{
	RoomPeer *p = data;
	gint64 now = g_get_monotonic_time();

	peer_stop_timer(&p->timer);
	handshake_tick(&p->handshake, now);
	switch (peer_health_tick(&p->health, now)) {
	case PEER_HEALTH_WAIT:
		break;
	case PEER_HEALTH_RESTART:
		ask_for_help(p, now);
		break;
	case PEER_HEALTH_GIVE_UP:
		p->config.events->gone(p->config.user, p, p->health.stood,
				       "no way to it was found again");
		return G_SOURCE_REMOVE;		/* freed */
	}
	arm(p);
	return G_SOURCE_REMOVE;
}

/* After each call into the handshake: its deadline may have moved. */
static void arm(RoomPeer *p)
{
	gint64 due = p->handshake.due_us, wait;

	if (due < 0 || (p->health.due_us >= 0 && p->health.due_us < due))
		due = p->health.due_us;
	wait = due - g_get_monotonic_time();
	peer_stop_timer(&p->timer);
	if (due >= 0 && !p->detached)
		peer_set_timer(p, &p->timer,
			       (guint) (MAX(wait, 0) / 1000 + 1), on_timer);
}

/* --- what the connection tells ------------------------------------------- */
static void on_ice_state(void *user, enum rtc_ice_state state)
{
	RoomPeer *p = user;

	p->ice_state = state;
	peer_emit(p, "iceConnectionState",
		  peer_state_params(p, rtc_describe_ice_state(state)));
	/* the API's own word for it */
	if (state == RTC_ICE_FAILED && p->config.self->ice_trickle)
		peer_emit(p, "iceConnectionState",
			  peer_state_params(p, "trickleFailed"));
}

/* Without signaling nobody can bring it back. */
static void take_down(RoomPeer *p, const char *why)
{
	p->connected = FALSE;
	if (p->detached) {
		p->config.events->gone(p->config.user, p, FALSE, why);
		return;
	}
	peer_health_down(&p->health, g_get_monotonic_time());
	arm(p);
	if (p->health.stood)
		p->config.events->down(p->config.user, p);
}

static void on_state(void *user, enum rtc_state state, const char *detail)
{
	RoomPeer *p = user;
	gboolean stood = p->connected;

	switch (state) {
	case RTC_STATE_NEW:
	case RTC_STATE_CONNECTING:
		break;
	case RTC_STATE_CONNECTED:
		p->connected = TRUE;
		peer_health_up(&p->health);
		arm(p);
		p->config.events->connected(p->config.user, p);
		break;
	case RTC_STATE_DISCONNECTED:
		take_down(p, detail);
		break;		/* may be freed */
	case RTC_STATE_FAILED:
		p->connected = FALSE;
		p->config.events->gone(p->config.user, p, stood,
				       detail ? detail : "connection lost");
		break;		/* freed */
	case RTC_STATE_CLOSED:
		p->connected = FALSE;
		p->config.events->gone(p->config.user, p, FALSE,
				       detail ? detail : "closed by the peer");
		break;		/* freed */
	}
}

static void on_channel_open(void *user, uint16_t number, const char *label,
			    bool remote)
{
	RoomPeer *p = user;
	const struct peer_channel *channel =
		peer_channels_add(&p->channels, number, label);

	if (!channel) {
		rtc_peer_close_channel(p->rtc, number);
		return;
	}
	emit_channel(p, "open", channel);
	peer_transfers_opened(p->transfers, number, channel->label,
			      channel->messaging, remote);
}

static gboolean on_reopen(gpointer data)
{
	RoomPeer *p = data;
	g_autoptr(GError) error = NULL;

	peer_stop_timer(&p->reopen_timer);
	if (!peer_channels_get_messaging(&p->channels) &&
	    !peer_open_channel(p, p->channels.messaging_label, TRUE, &error))
		g_debug("Peer %s: %s", p->id, error->message);
	return G_SOURCE_REMOVE;
}

static void on_channel_closed(void *user, uint16_t number)
{
	RoomPeer *p = user;
	struct peer_channel *channel = peer_channels_take(&p->channels, number);

	if (!channel)
		return;
	emit_channel(p, "closed", channel);
	peer_transfers_closed(p->transfers, number);
	if (channel->messaging && !peer_channels_get_messaging(&p->channels) &&
	    p->opened_messaging && p->connected &&
	    p->reopens++ < ROOM_PEER_REOPENS)
		peer_set_timer(p, &p->reopen_timer, ROOM_PEER_REOPEN_MS, on_reopen);
	peer_channel_free(channel);
}

static void take_p2p_message(RoomPeer *p, const DtMessage *m)
{
	gboolean mcu = p->handshake.peer_is_mcu && *m->sender;
	JsonObject *params = mcu ? p->config.events->about(p->config.user,
							   m->sender)
				 : NULL;
	JsonObject *message = json_object_new();

	if (!params)
		params = room_peer_event_params(p);

	json_object_set_member(message, "content", json_node_copy(m->data));
	json_object_set_string_member(message, "senderPeerId",
				      mcu ? m->sender : p->id);
	if (m->target && m->is_private)
		json_object_set_member(message, "targetPeerId",
				       json_node_copy(m->target));
	else
		json_object_set_null_member(message, "targetPeerId");
	json_object_set_boolean_member(message, "isPrivate", m->is_private);
	json_object_set_boolean_member(message, "isDataChannel", TRUE);
	json_object_set_object_member(params, "message", message);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	peer_emit(p, "incomingMessage", params);
}

static void on_channel_message(void *user, uint16_t number, bool text,
			       const uint8_t *data, size_t len)
{
	RoomPeer *p = user;
	const struct peer_channel *channel =
		peer_channels_find(&p->channels, number);
	g_autoptr(DtMessage) m =
		text ? dt_message_parse((const char *) data, len) : NULL;

	if (m && m->type == DT_MESSAGE)
		take_p2p_message(p, m);
	else if (m && channel)
		peer_transfers_message(p->transfers, number,
				       channel->messaging, channel->label, m);
	else
		peer_transfers_data(p->transfers, number, text, data, len);
}

/* A message that found the queue full was refused to whoever sent it; only
 * transfers wait for room. */
static void on_channel_writable(void *user, uint16_t number)
{
	RoomPeer *p = user;

	peer_transfers_writable(p->transfers, number);
}

static void emit_stream(RoomPeer *p)
{
	JsonObject *params = room_peer_event_params(p);
	JsonObject *stream = json_object_new();
	const char *id = p->video_stream && *p->video_stream ? p->video_stream
			 : p->audio_stream		     ? p->audio_stream
							     : p->video_stream;

	json_object_set_string_member(stream, "id", id);
	json_object_set_boolean_member(stream, "audio",
				       p->audio_stream != NULL);
	json_object_set_boolean_member(stream, "video",
				       p->video_stream != NULL);
	json_object_set_object_member(params, "stream", stream);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	peer_emit(p, "incomingStream", params);
}

static void on_remote_media(void *user, const char *audio_stream,
			    const char *video_stream)
{
	RoomPeer *p = user;
	gboolean had = p->audio_stream || p->video_stream;

	if (!g_strcmp0(p->audio_stream, audio_stream) &&
	    !g_strcmp0(p->video_stream, video_stream))
		return;
	g_free(p->audio_stream);
	g_free(p->video_stream);
	p->audio_stream = g_strdup(audio_stream);
	p->video_stream = g_strdup(video_stream);
	if (audio_stream || video_stream) {
		emit_stream(p);
	} else if (had) {
		tell_stream_ended(p);
	}
}

static void on_video_codec(void *user, const enum media_codec *codec)
{
	RoomPeer *p = user;

	if (codec && p->has_codec && p->codec == *codec)
		return;
	give_up_codec(p);
	if (!codec)
		return;
	p->has_codec = TRUE;
	p->codec = *codec;
	p->config.events->codec_use(p->config.user, *codec, TRUE);
}

const struct rtc_peer_ops peer_rtc_ops = {
	.local_candidate = peer_on_local_candidate,
	.gathering_done = peer_on_gathering_done,
	.ice_state = on_ice_state,
	.state = on_state,
	.channel_open = on_channel_open,
	.channel_message = on_channel_message,
	.channel_closed = on_channel_closed,
	.channel_writable = on_channel_writable,
	.remote_media = on_remote_media,
	.video_codec = on_video_codec,
};

/* --- what the peer tells ------------------------------------------------- */
static void take_info(RoomPeer *p, const Message *m)
{
	g_autoptr(JsonObject) before = peer_info_to_json(&p->info);
	g_autoptr(JsonObject) after = NULL;
	g_autoptr(GError) error = NULL;
	JsonObject *params;

	if (m->hello.agent) {
		g_clear_pointer(&p->hello, json_object_unref);
		p->hello = json_object_ref(m->object);
	}
	if (!peer_info_take_hello(&p->info, &m->hello, &error))
		g_debug("Peer %s: ignoring part of its %s: %s", p->id,
			m->type_name, error->message);
	after = peer_info_to_json(&p->info);
	if (is_mcu(p) || json_object_equal(before, after))
		return;
	params = room_peer_event_params(p);
	json_object_set_boolean_member(params, "isSelf", FALSE);
	peer_emit(p, "peerUpdated", params);
}

/* Of another connection than ours leads to: it was replaced over there. */
static gboolean follow_connection(RoomPeer *p, const Message *m, gint64 now)
{
	if (!rtc_peer_is_other_connection(p->rtc, m->description.sdp))
		return FALSE;
	g_info("Peer %s has another connection now: following", p->id);
	if (peer_replace_connection(p))
		handshake_renew(&p->handshake, NULL, now);
	return TRUE;
}

static void take_offer(RoomPeer *p, const Message *m, gint64 now)
{
	gboolean again;

	follow_connection(p, m, now);
	again = p->handshake.agreed;
	handshake_offer(&p->handshake, m->description.sdp, &m->hello, now);
	peer_emit_progress(p, "offer", NULL);
	/* 0.9 and 2.x restart by an offer alone (§6). */
	if (again && !p->restart_told)
		emit_restart(p, FALSE);
	p->restart_told = FALSE;
}

static void take_answer(RoomPeer *p, const Message *m, gint64 now)
{
	/* What it answers is gone: it must be asked anew. */
	if (follow_connection(p, m, now)) {
		handshake_stale_answer(&p->handshake, now);
		return;
	}
	/* of the offer before we had given up */
	if (p->config.returns && p->handshake.state == HANDSHAKE_WAITING) {
		handshake_stale_answer(&p->handshake, now);
		return;
	}
	handshake_answer(&p->handshake, m->description.sdp, now);
	peer_emit_progress(p, "answer", NULL);
	p->restart_told = FALSE;
}

void room_peer_message(RoomPeer *p, const Message *m)
{
	gint64 now = g_get_monotonic_time();

	p->handshake.mcu_mode = p->config.media->mcu;
	switch (m->type) {
	case MESSAGE_ENTER:
		take_info(p, m);
		peer_emit_progress(p, "enter", NULL);
		handshake_enter(&p->handshake, &m->hello, now);
		break;
	case MESSAGE_WELCOME:
		take_info(p, m);
		peer_emit_progress(p, "welcome", NULL);
		handshake_welcome(&p->handshake, &m->hello, now);
		break;
	case MESSAGE_OFFER:
		take_info(p, m);
		take_offer(p, m, now);
		break;
	case MESSAGE_ANSWER:
		take_info(p, m);
		take_answer(p, m, now);
		break;
	case MESSAGE_CANDIDATE:
		if (m->candidate.candidate[0])
			handshake_candidate(&p->handshake, m->candidate.id,
					    m->candidate.label,
					    m->candidate.candidate);
		break;
	case MESSAGE_RESTART:
		take_info(p, m);
		/* with an MCU it is an announcement: a new join follows */
		if (handshake_restart(&p->handshake, &m->hello, now) ||
		    p->config.media->mcu)
			emit_restart(p, FALSE);
		break;
	default:
		break;
	}
	arm(p);
}

void room_peer_restart(RoomPeer *p, gboolean ice_restart)
{
	handshake_request_restart(&p->handshake, ice_restart, FALSE,
				  g_get_monotonic_time());
	emit_restart(p, TRUE);
	arm(p);
}

void room_peer_renew_media(RoomPeer *p)
{
	const RoomMedia *media = p->config.media;

	rtc_peer_set_sending(p->rtc, sends_to(p) && media->sends.send_audio,
			     sends_to(p) && media->sends.send_video,
			     media->stream_id);
	/* with an MCU the room is joined anew instead */
	if (!p->detached && !media->mcu)
		room_peer_restart(p, FALSE);
}

void room_peer_detach(RoomPeer *p)
{
	p->detached = TRUE;
	peer_stop_timer(&p->timer);
}

struct peer_info *room_peer_get_info(RoomPeer *p)
{
	return &p->info;
}

JsonObject *room_peer_get_hello(RoomPeer *p)
{
	return p->hello;
}

const char *room_peer_get_id(RoomPeer *p)
{
	return p->id;
}

gboolean room_peer_is_connected(RoomPeer *p)
{
	return p->connected;
}

gboolean room_peer_is_detached(RoomPeer *p)
{
	return p->detached;
}

void room_peer_tell_closed(RoomPeer *p, gboolean is_here)
{
	if (!is_here && (p->audio_stream || p->video_stream))
		tell_stream_ended(p);
	peer_transfers_lost(p->transfers, "The connection to the peer is gone.");
	for (guint i = 0; i < p->channels.list->len; i++)
		emit_channel(p, "closed", p->channels.list->pdata[i]);
	if (is_here)
		return;
	peer_emit(p, "iceConnectionState", peer_state_params(p, "closed"));
	peer_emit_signaling(p, "closed");
}

const char *room_peer_get_fingerprint(RoomPeer *p)
{
	return rtc_peer_get_remote_fingerprint(p->rtc);
}

void room_peer_send_media_state(RoomPeer *p, gboolean video)
{
	const RoomPeerConfig *c = &p->config;
	const MessageMedia said = peer_message_media(p);
	gboolean muted = video ? said.video_muted : said.audio_muted;
	gboolean sent = video ? c->media->sends.send_video
			      : c->media->sends.send_audio;

	if (peer_info_is_2x(&p->info))
		peer_tell(p, message_build_media_info(c->self, p->id, &said, video,
						 !sent	 ? "unavailable"
						 : muted ? "muted"
							 : "active"));
}

void room_peer_announce_restart(RoomPeer *p)
{
	const MessageRestart ours = {
		.is_explicit = TRUE,
		.last_restart_ms = g_get_real_time() / 1000,
	};

	peer_tell(p, message_build_restart(p->config.self, p->id, &ours));
	emit_restart(p, TRUE);
}

int room_peer_send_p2p(RoomPeer *p, gboolean is_private,
		       const char *const *targets, JsonNode *data)
{
	const struct peer_channel *channel =
		peer_channels_get_messaging(&p->channels);
	g_autofree char *text = NULL;

	if (!channel)
		return -ENOTCONN;
	text = dt_message_build_message(p->config.self->mid, p->id, targets,
					is_private, data);
	return rtc_peer_send(p->rtc, channel->number, true,
			     (const uint8_t *) text, strlen(text));
}

/* --- for people ---------------------------------------------------------- */
static const char *handshake_state_name(enum handshake_state state)
{
	switch (state) {
	case HANDSHAKE_NEW:
		return "new";
	case HANDSHAKE_WAITING:
		return "waiting";
	case HANDSHAKE_OFFERED:
		return "have-local-offer";
	case HANDSHAKE_STABLE:
		return "stable";
	case HANDSHAKE_FAILED:
		return "failed";
	}
	return "failed";
}

JsonObject *room_peer_describe(RoomPeer *p)
{
	JsonObject *o = json_object_new(), *info = peer_info_to_json(&p->info);
	g_autoptr(GDateTime) since =
		g_date_time_new_from_unix_utc(p->since_us / G_USEC_PER_SEC);
	g_autofree char *since_text = g_date_time_format_iso8601(since);
	struct rtc_peer_stats stats;

	json_object_set_string_member(o, "peerId", p->id);
	json_object_set_string_member(o, "agent", p->info.agent);
	json_object_set_string_member(o, "version", p->info.version);
	json_object_set_string_member(o, "os", p->info.os);
	rtc_describe_text(o, "SMProtocolVersion", p->info.sm_version);
	rtc_describe_text(o, "DTProtocolVersion", p->info.dt_version);
	json_object_set_string_member(o, "signalingState",
				      handshake_state_name(p->handshake.state));
	json_object_set_string_member(o, "iceConnectionState",
				      rtc_describe_ice_state(p->ice_state));
	json_object_set_boolean_member(o, "connected", p->connected);
	/* connected still, though the room was left by its signaling */
	json_object_set_boolean_member(o, "kept", p->detached);
	json_object_set_boolean_member(
		o, "messaging",
		peer_channels_get_messaging(&p->channels) != NULL);
	json_object_set_int_member(o, "channels", p->channels.list->len);
	json_object_set_string_member(o, "since", since_text);
	json_object_set_object_member(o, "peerInfo", info);
	json_object_set_member(o, "userData",
			       json_node_copy(p->info.user_data));
	json_object_set_object_member(
		o, "mediaStatus",
		json_object_ref(json_object_get_object_member(info,
							      "mediaStatus")));
	rtc_peer_get_stats(p->rtc, &stats);
	json_object_set_object_member(o, "rtc", rtc_describe_stats(&stats));
	return o;
}
