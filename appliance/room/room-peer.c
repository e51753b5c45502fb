// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-peer.h"

#include <errno.h>
#include <string.h>

#include "appliance/room/dt-message.h"
#include "appliance/room/peer-channels.h"
#include "appliance/room/rtc-describe.h"

struct RoomPeer {
	RoomPeerConfig config;
	char *id;
	struct peer_info info;
	struct handshake handshake;
	struct rtc_peer *rtc;
	GSource *timer;			/* the handshake's */
	GSource *reopen_timer;
	GSource *transfer_timer;
	gint64 since_us;		/* real time */
	gboolean connected, detached;

	struct peer_channels channels;
	gboolean opened_messaging;	/* it was us who made it */
	guint reopens;
	PeerTransfers *transfers;

	gboolean has_codec;
	enum media_codec codec;
	char *audio_stream, *video_stream;	/* what it sends, or NULL */
	enum rtc_ice_state ice_state;
	guint n_local_candidates;	/* told since the last description */
	gboolean gathered, described;
	/* without trickle: a description that waits for its candidates */
	gboolean pending;
	MessageType pending_type;
};

static const struct rtc_peer_ops rtc_ops;
static const struct handshake_ops handshake_ops;
static const struct peer_transfers_ops transfers_ops;

/* --- events -------------------------------------------------------------- */
static JsonObject *state_params(RoomPeer *p, const char *state)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "state", state);
	json_object_set_string_member(params, "peerId", p->id);
	return params;
}

static void emit(RoomPeer *p, const char *name, JsonObject *params)
{
	p->config.events->event(p->config.user, name, params);
}

static void emit_progress(RoomPeer *p, const char *state, const char *error)
{
	JsonObject *params = state_params(p, state);

	if (error)
		json_object_set_string_member(params, "error", error);
	else
		json_object_set_null_member(params, "error");
	emit(p, "handshakeProgress", params);
}

static void emit_signaling_state(RoomPeer *p, const char *state)
{
	emit(p, "peerConnectionState", state_params(p, state));
}

JsonObject *room_peer_event_params(RoomPeer *p)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "peerId", p->id);
	json_object_set_object_member(params, "peerInfo",
				      peer_info_to_json(&p->info));
	return params;
}

static void emit_channel(RoomPeer *p, const char *state,
			 const struct peer_channel *channel)
{
	JsonObject *params = state_params(p, state);

	json_object_set_null_member(params, "error");
	json_object_set_string_member(params, "channelName", channel->label);
	json_object_set_string_member(params, "channelType",
				      channel->messaging ? "messaging"
							 : "data");
	emit(p, "dataChannelState", params);
}

static void emit_restart(RoomPeer *p, gboolean by_self)
{
	JsonObject *params = room_peer_event_params(p);

	json_object_set_boolean_member(params, "isSelfInitiateRestart",
				       by_self);
	emit(p, "peerRestart", params);
}

static void tell(RoomPeer *p, JsonObject *message)
{
	if (p->detached)
		json_object_unref(message);
	else
		p->config.events->send(p->config.user, message);
}

/* --- the connection ------------------------------------------------------ */
static struct rtc_peer *new_rtc(RoomPeer *p, GError **error)
{
	const RoomPeerConfig *c = &p->config;
	struct rtc_peer_config config = {
		.name = p->id,
		.stream_id = c->media->stream_id,
		.send_audio = c->media->sends.send_audio,
		.send_video = c->media->sends.send_video,
		.trickle = c->self->ice_trickle,
		.video_codecs = c->video_codecs,
		.n_video_codecs = c->n_video_codecs,
		.ice_servers = c->ice->list,
		.n_ice_servers = c->ice->n,
		.relay_only = c->ice->relay_only,
		.ops = &rtc_ops,
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
	p->transfers = peer_transfers_new(p->id, &transfers_ops, p);
	peer_info_init(&p->info, config->room);
	handshake_init(&p->handshake, config->self->mid, config->id,
		       config->self->weight, &handshake_ops, p);
	return p;
}

static void stop_timer(GSource **timer)
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
	stop_timer(&p->timer);
	stop_timer(&p->reopen_timer);
	stop_timer(&p->transfer_timer);
	p->transfers = peer_transfers_free(p->transfers);
	rtc_peer_free(p->rtc);
	give_up_codec(p);
	handshake_done(&p->handshake);
	peer_info_done(&p->info);
	peer_channels_done(&p->channels);
	g_free(p->audio_stream);
	g_free(p->video_stream);
	g_free(p->id);
	g_free(p);
	return NULL;
}

static void set_timer(RoomPeer *p, GSource **timer, guint ms, GSourceFunc fn)
{
	stop_timer(timer);
	*timer = g_timeout_source_new(ms);
	g_source_set_callback(*timer, fn, p, NULL);
	g_source_attach(*timer, p->config.context);
}

static void arm(RoomPeer *p);

static gboolean on_timer(gpointer data)
{
	RoomPeer *p = data;

	stop_timer(&p->timer);
	handshake_tick(&p->handshake, g_get_monotonic_time());
	arm(p);
	return G_SOURCE_REMOVE;
}

/* After each call into the handshake: its deadline may have moved. */
static void arm(RoomPeer *p)
{
	gint64 wait = p->handshake.due_us - g_get_monotonic_time();

	stop_timer(&p->timer);
	if (p->handshake.due_us >= 0 && !p->detached)
		set_timer(p, &p->timer, (guint) (MAX(wait, 0) / 1000 + 1),
			  on_timer);
}

/* --- what the handshake decides ------------------------------------------ */
static void do_welcome(void *user)
{
	RoomPeer *p = user;

	tell(p, message_build_welcome(p->config.self, p->id));
}

static MessageMedia message_media(RoomPeer *p)
{
	const RoomMedia *media = p->config.media;

	return (MessageMedia){
		.stream_id = media->stream_id,
		.screenshare = media->sends.screenshare,
		.audio_muted = media->audio_muted,
		.video_muted = media->video_muted,
	};
}

static void send_description(RoomPeer *p, MessageType type, const char *sdp,
			     const MessageRestart *restart, gboolean resent)
{
	const RoomPeerConfig *c = &p->config;
	const MessageMedia said = message_media(p);
	g_autoptr(JsonArray) media =
		media_info_build(sdp, c->self->mid, &said);

	tell(p, message_build_description(c->self, p->id, type, sdp, restart,
					  resent, media));
}

/* Only candidates told one by one count; a description holds its own. */
static void tell_gathered(RoomPeer *p)
{
	tell(p, message_build_end_of_candidates(p->config.self, p->id,
						p->n_local_candidates));
}

/* A new local description: now, or when its candidates are known. */
static void publish(RoomPeer *p, MessageType type, const char *sdp,
		    const MessageRestart *restart)
{
	gboolean first = !p->described;

	p->described = TRUE;
	p->n_local_candidates = 0;
	if (first)
		emit(p, "candidateGenerationState",
		     state_params(p, "gathering"));
	if (!p->config.self->ice_trickle && !p->gathered) {
		p->pending = TRUE;
		p->pending_type = type;
		return;
	}
	send_description(p, type, sdp, restart, FALSE);
	if (!p->gathered || !first)
		return;
	emit(p, "candidateGenerationState", state_params(p, "completed"));
	if (p->config.self->ice_trickle)
		tell_gathered(p);
}

static gboolean do_offer(void *user, gboolean ice_restart,
			 const MessageRestart *restart)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;
	g_autofree char *sdp = NULL;

	/* The first channel that a peer sees is the one for messages. */
	if (!p->opened_messaging &&
	    !peer_channels_get_messaging(&p->channels)) {
		g_autofree char *label = g_strdup_printf(
			"%s_%s", p->config.self->mid, p->id);

		p->opened_messaging =
			rtc_peer_open_channel(p->rtc, label, &error);
		if (!p->opened_messaging) {
			emit_progress(p, "error", error->message);
			return FALSE;
		}
	}
	if (ice_restart)
		p->gathered = FALSE;	/* it starts anew */
	sdp = rtc_peer_create_offer(p->rtc, ice_restart, &error);
	if (!sdp) {
		emit_progress(p, "error", error->message);
		return FALSE;
	}
	emit_signaling_state(p, "have-local-offer");
	publish(p, MESSAGE_OFFER, sdp, restart);
	return TRUE;
}

static void do_resend_offer(void *user)
{
	RoomPeer *p = user;
	g_autofree char *sdp = NULL;

	if (p->pending)
		return;		/* it has not even left for the first time */
	sdp = rtc_peer_get_local_sdp(p->rtc);
	if (sdp)
		send_description(p, MESSAGE_OFFER, sdp, NULL, TRUE);
}

static gboolean do_answer(void *user, const char *sdp)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = rtc_peer_accept_offer(p->rtc, sdp, &error);

	if (!answer) {
		emit_progress(p, "error", error->message);
		return FALSE;
	}
	emit_signaling_state(p, "have-remote-offer");
	emit_signaling_state(p, "stable");
	publish(p, MESSAGE_ANSWER, answer, NULL);
	return TRUE;
}

static gboolean do_apply_answer(void *user, const char *sdp)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;

	if (!rtc_peer_accept_answer(p->rtc, sdp, &error)) {
		emit_progress(p, "error", error->message);
		return FALSE;
	}
	emit_signaling_state(p, "stable");
	return TRUE;
}

static void do_answer_ack(void *user, gboolean success)
{
	RoomPeer *p = user;

	tell(p, message_build_answer_ack(p->config.self, p->id, success));
}

static void do_restart(void *user, const MessageRestart *restart)
{
	RoomPeer *p = user;

	tell(p, message_build_restart(p->config.self, p->id, restart));
}

static void do_candidate(void *user, const char *mid, guint mline,
			 const char *candidate)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;

	if (!rtc_peer_add_candidate(p->rtc, mid, mline, candidate, &error))
		g_debug("Peer %s: ignoring a candidate: %s", p->id,
			error->message);
}

/* Before anything was connected a fresh connection loses nothing. */
static gboolean do_start_over(void *user)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;
	struct rtc_peer *fresh;

	if (p->connected)
		return FALSE;
	fresh = new_rtc(p, &error);
	if (!fresh) {
		emit_progress(p, "error", error->message);
		return FALSE;
	}
	rtc_peer_free(p->rtc);
	p->rtc = fresh;
	p->pending = p->gathered = p->described = FALSE;
	peer_channels_clear(&p->channels);
	p->opened_messaging = FALSE;
	give_up_codec(p);
	return TRUE;
}

static const struct handshake_ops handshake_ops = {
	.send_welcome = do_welcome,
	.offer = do_offer,
	.resend_offer = do_resend_offer,
	.answer = do_answer,
	.apply_answer = do_apply_answer,
	.send_answer_ack = do_answer_ack,
	.send_restart = do_restart,
	.add_candidate = do_candidate,
	.start_over = do_start_over,
};

/* --- what the connection tells ------------------------------------------- */
static void on_local_candidate(void *user, const char *mid, unsigned int mline,
			       const char *candidate)
{
	RoomPeer *p = user;

	if (!p->described || p->pending)
		return;		/* it travels inside the description */
	p->n_local_candidates++;
	tell(p, message_build_candidate(p->config.self, p->id, mline, mid,
					candidate));
}

static void on_gathering_done(void *user)
{
	RoomPeer *p = user;
	g_autofree char *sdp = NULL;

	p->gathered = TRUE;
	if (!p->described)
		return;
	emit(p, "candidateGenerationState", state_params(p, "completed"));
	if (!p->pending) {
		tell_gathered(p);
		return;
	}
	p->pending = FALSE;
	sdp = rtc_peer_get_local_sdp(p->rtc);
	if (sdp)
		send_description(p, p->pending_type, sdp, NULL, FALSE);
}

static void on_ice_state(void *user, enum rtc_ice_state state)
{
	RoomPeer *p = user;

	p->ice_state = state;
	emit(p, "iceConnectionState",
	     state_params(p, rtc_describe_ice_state(state)));
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
		p->config.events->connected(p->config.user, p);
		break;
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

	stop_timer(&p->reopen_timer);
	if (!peer_channels_get_messaging(&p->channels) &&
	    !rtc_peer_open_channel(p->rtc, p->channels.messaging_label,
				   &error))
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
		set_timer(p, &p->reopen_timer, ROOM_PEER_REOPEN_MS, on_reopen);
	peer_channel_free(channel);
}

static void take_p2p_message(RoomPeer *p, const DtMessage *m)
{
	JsonObject *params = room_peer_event_params(p);
	JsonObject *message = json_object_new();
	gboolean mcu = p->handshake.peer_is_mcu && *m->sender;

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
	emit(p, "incomingMessage", params);
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

/* --- transfers ----------------------------------------------------------- */
static void transfers_get_context(void *user, PeerTransfersContext *ret)
{
	RoomPeer *p = user;
	const struct peer_channel *channel =
		peer_channels_get_messaging(&p->channels);

	*ret = (PeerTransfersContext){
		.self_id = p->config.self->mid,
		.agent = p->config.self->agent,
		.version = p->config.self->version,
		.peer = {
			.agent = p->info.agent,
			.dt_version = p->info.dt_version,
			.is_2x = peer_info_is_2x(&p->info),
			.is_mcu = p->handshake.peer_is_mcu,
		},
		.has_main = channel != NULL,
		.main_channel = channel ? channel->number : 0,
	};
}

static int transfers_send(void *user, guint16 channel, gboolean text,
			  const void *data, gsize len)
{
	RoomPeer *p = user;

	return rtc_peer_send(p->rtc, channel, text, data, len);
}

static gboolean transfers_open_channel(void *user, const char *label,
				       GError **error)
{
	RoomPeer *p = user;

	return rtc_peer_open_channel(p->rtc, label, error);
}

static void transfers_close_channel(void *user, guint16 channel)
{
	RoomPeer *p = user;

	rtc_peer_close_channel(p->rtc, channel);
}

static void transfers_event(void *user, const char *name, JsonObject *params)
{
	emit(user, name, params);
}

static gboolean transfers_is_wanted(void *user, const char *peer_id,
				    const char *transfer_id, JsonObject *info)
{
	RoomPeer *p = user;

	return p->config.events->transfer_wanted(p->config.user, peer_id,
						 transfer_id, info);
}

static gboolean transfers_has_room(void *user)
{
	RoomPeer *p = user;

	return p->config.events->transfer_room(p->config.user);
}

static gboolean on_transfer_timer(gpointer data)
{
	RoomPeer *p = data;

	stop_timer(&p->transfer_timer);
	peer_transfers_tick(p->transfers);
	return G_SOURCE_REMOVE;
}

static void transfers_due_changed(void *user)
{
	RoomPeer *p = user;
	gint64 due = peer_transfers_get_due(p->transfers);
	gint64 wait = due - g_get_monotonic_time();

	stop_timer(&p->transfer_timer);
	if (due >= 0)
		set_timer(p, &p->transfer_timer,
			  (guint) (MAX(wait, 0) / 1000 + 1),
			  on_transfer_timer);
}

static gint64 transfers_now(void *user)
{
	return g_get_monotonic_time();
}

static const struct peer_transfers_ops transfers_ops = {
	.get_context = transfers_get_context,
	.send = transfers_send,
	.open_channel = transfers_open_channel,
	.close_channel = transfers_close_channel,
	.event = transfers_event,
	.is_wanted = transfers_is_wanted,
	.has_room = transfers_has_room,
	.due_changed = transfers_due_changed,
	.now_us = transfers_now,
};

PeerTransfers *room_peer_get_transfers(RoomPeer *p)
{
	return p->transfers;
}

gboolean room_peer_is_mcu(RoomPeer *p)
{
	return p->handshake.peer_is_mcu;
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
	emit(p, "incomingStream", params);
}

static void on_remote_media(void *user, const char *audio_stream,
			    const char *video_stream)
{
	RoomPeer *p = user;
	gboolean had = p->audio_stream || p->video_stream;
	JsonObject *params;

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
		params = room_peer_event_params(p);
		json_object_set_boolean_member(params, "isSelf", FALSE);
		json_object_set_boolean_member(params, "isScreensharing",
					       p->info.screenshare);
		emit(p, "streamEnded", params);
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

static const struct rtc_peer_ops rtc_ops = {
	.local_candidate = on_local_candidate,
	.gathering_done = on_gathering_done,
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
	g_autoptr(GError) error = NULL;

	if (!peer_info_take_hello(&p->info, &m->hello, &error))
		g_debug("Peer %s: ignoring part of its %s: %s", p->id,
			m->type_name, error->message);
}

void room_peer_message(RoomPeer *p, const Message *m)
{
	gint64 now = g_get_monotonic_time();

	switch (m->type) {
	case MESSAGE_ENTER:
		take_info(p, m);
		emit_progress(p, "enter", NULL);
		handshake_enter(&p->handshake, &m->hello, now);
		break;
	case MESSAGE_WELCOME:
		take_info(p, m);
		emit_progress(p, "welcome", NULL);
		handshake_welcome(&p->handshake, &m->hello, now);
		break;
	case MESSAGE_OFFER:
		take_info(p, m);
		emit_progress(p, "offer", NULL);
		handshake_offer(&p->handshake, m->description.sdp, &m->hello,
				now);
		break;
	case MESSAGE_ANSWER:
		take_info(p, m);
		emit_progress(p, "answer", NULL);
		handshake_answer(&p->handshake, m->description.sdp, now);
		break;
	case MESSAGE_CANDIDATE:
		if (m->candidate.candidate[0])
			handshake_candidate(&p->handshake, m->candidate.id,
					    m->candidate.label,
					    m->candidate.candidate);
		break;
	case MESSAGE_RESTART:
		take_info(p, m);
		if (handshake_restart(&p->handshake, &m->hello, now))
			emit_restart(p, FALSE);
		break;
	default:
		break;
	}
	arm(p);
}

void room_peer_restart(RoomPeer *p, gboolean ice_restart)
{
	handshake_request_restart(&p->handshake, ice_restart,
				  g_get_monotonic_time());
	emit_restart(p, TRUE);
	arm(p);
}

void room_peer_renew_media(RoomPeer *p)
{
	const RoomMedia *media = p->config.media;

	rtc_peer_set_sending(p->rtc, media->sends.send_audio,
			     media->sends.send_video, media->stream_id);
	if (!p->detached)
		room_peer_restart(p, FALSE);
}

void room_peer_detach(RoomPeer *p)
{
	p->detached = TRUE;
	stop_timer(&p->timer);
}

struct peer_info *room_peer_get_info(RoomPeer *p)
{
	return &p->info;
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

void room_peer_tell_closed(RoomPeer *p)
{
	peer_transfers_lost(p->transfers, "The connection to the peer is gone.");
	for (guint i = 0; i < p->channels.list->len; i++)
		emit_channel(p, "closed", p->channels.list->pdata[i]);
	emit(p, "iceConnectionState", state_params(p, "closed"));
	emit_signaling_state(p, "closed");
}

const char *room_peer_get_fingerprint(RoomPeer *p)
{
	return rtc_peer_get_remote_fingerprint(p->rtc);
}

void room_peer_send_media_state(RoomPeer *p, gboolean video)
{
	const RoomPeerConfig *c = &p->config;
	const MessageMedia said = message_media(p);
	gboolean muted = video ? said.video_muted : said.audio_muted;
	gboolean sent = video ? c->media->sends.send_video
			      : c->media->sends.send_audio;

	if (peer_info_is_2x(&p->info))
		tell(p, message_build_media_info(c->self, p->id, &said, video,
						 !sent	 ? "unavailable"
						 : muted ? "muted"
							 : "active"));
}

int room_peer_send_p2p(RoomPeer *p, gboolean is_private, JsonNode *data)
{
	const struct peer_channel *channel =
		peer_channels_get_messaging(&p->channels);
	g_autofree char *text = NULL;

	if (!channel)
		return -ENOTCONN;
	text = dt_message_build_message(p->config.self->mid, p->id, is_private,
					data);
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
