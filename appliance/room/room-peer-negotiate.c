// SPDX-License-Identifier: Apache-2.0
/* What the handshake decides is done here: descriptions made, applied and sent,
 * candidates on their way. */
#include "appliance/room/room-peer-private.h"

static void do_welcome(void *user)
{
	RoomPeer *p = user;

	peer_tell(p, message_build_welcome(p->config.self, p->id));
	peer_emit_progress(p, "welcome", NULL);
}

MessageMedia peer_message_media(RoomPeer *p)
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
	const MessageMedia said = peer_message_media(p);
	g_autoptr(JsonArray) media = media_info_build(sdp, c->self->mid, &said);

	peer_tell(p, message_build_description(c->self, p->id, type, sdp,
					       restart, resent, media));
	if (!resent)
		peer_emit_progress(
			p, type == MESSAGE_OFFER ? "offer" : "answer", NULL);
}

/* Only candidates told one by one count; a description holds its own. */
static void tell_gathered(RoomPeer *p)
{
	peer_tell(p, message_build_end_of_candidates(p->config.self, p->id,
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
		peer_emit(p, "candidateGenerationState",
			  peer_state_params(p, "gathering"));
	if (!p->config.self->ice_trickle && !p->gathered) {
		p->pending = TRUE;
		p->pending_type = type;
		p->pending_restarts = restart != NULL;
		if (restart)
			p->pending_restart = *restart;
		return;
	}
	send_description(p, type, sdp, restart, FALSE);
	if (!p->gathered || !first)
		return;
	peer_emit(p, "candidateGenerationState",
		  peer_state_params(p, "completed"));
	if (p->config.self->ice_trickle)
		tell_gathered(p);
}

/* 0.6.12 compares the time of a restart with that of the last. */
static MessageRestart date_restart(const MessageRestart *restart)
{
	MessageRestart dated = *restart;

	if (!dated.is_resend)
		dated.last_restart_ms = g_get_real_time() / 1000;
	return dated;
}

static gboolean do_offer(void *user, gboolean ice_restart,
			 const MessageRestart *restart)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;
	MessageRestart dated;
	g_autofree char *sdp = NULL;

	/* The first channel that a peer sees is the one for messages. */
	if (!p->opened_messaging && !p->config.self->no_data_channel &&
	    !peer_channels_get_messaging(&p->channels)) {
		g_autofree char *label =
			g_strdup_printf("%s_%s", p->config.self->mid, p->id);

		p->opened_messaging =
			peer_open_channel(p, label, TRUE, &error);
		if (!p->opened_messaging) {
			peer_emit_progress(p, "error", error->message);
			return FALSE;
		}
	}
	if (ice_restart)
		p->gathered = FALSE; /* it starts anew */
	sdp = rtc_peer_create_offer(p->rtc, ice_restart, &error);
	if (!sdp) {
		peer_emit_progress(p, "error", error->message);
		return FALSE;
	}
	peer_emit_signaling(p, "have-local-offer");
	if (restart)
		dated = date_restart(restart);
	publish(p, MESSAGE_OFFER, sdp, restart ? &dated : NULL);
	return TRUE;
}

static void do_resend_offer(void *user)
{
	RoomPeer *p = user;
	g_autofree char *sdp = NULL;

	if (p->pending)
		return; /* it has not even left for the first time */
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
		peer_emit_progress(p, "error", error->message);
		return FALSE;
	}
	peer_emit_signaling(p, "have-remote-offer");
	peer_emit_signaling(p, "stable");
	publish(p, MESSAGE_ANSWER, answer, NULL);
	return TRUE;
}

static gboolean do_apply_answer(void *user, const char *sdp)
{
	RoomPeer *p = user;
	g_autoptr(GError) error = NULL;

	if (!rtc_peer_accept_answer(p->rtc, sdp, &error)) {
		peer_emit_progress(p, "error", error->message);
		return FALSE;
	}
	peer_emit_signaling(p, "stable");
	return TRUE;
}

static void do_answer_ack(void *user, gboolean success)
{
	RoomPeer *p = user;

	peer_tell(p, message_build_answer_ack(p->config.self, p->id, success));
}

static void do_restart(void *user, const MessageRestart *restart)
{
	RoomPeer *p = user;
	const MessageRestart dated = date_restart(restart);

	peer_tell(p, message_build_restart(p->config.self, p->id, &dated));
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

	if (!p->health.stood)
		return peer_replace_connection(p);
	p->pending = FALSE;
	return rtc_peer_rollback(p->rtc);
}

const struct handshake_ops peer_handshake_ops = {
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

/* --- what gathering tells ------------------------------------------------ */
void peer_on_local_candidate(void *user, const char *mid, unsigned int mline,
			     const char *candidate)
{
	RoomPeer *p = user;

	if (!p->described || p->pending)
		return; /* it travels inside the description */
	p->n_local_candidates++;
	peer_tell(p, message_build_candidate(p->config.self, p->id, mline, mid,
					     candidate));
}

void peer_on_gathering_done(void *user)
{
	RoomPeer *p = user;
	g_autofree char *sdp = NULL;

	p->gathered = TRUE;
	if (!p->described)
		return;
	peer_emit(p, "candidateGenerationState",
		  peer_state_params(p, "completed"));
	if (!p->pending) {
		tell_gathered(p);
		return;
	}
	p->pending = FALSE;
	sdp = rtc_peer_get_local_sdp(p->rtc);
	if (sdp)
		send_description(p, p->pending_type, sdp,
				 p->pending_restarts ? &p->pending_restart
						     : NULL,
				 FALSE);
}
