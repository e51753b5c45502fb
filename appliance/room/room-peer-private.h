/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/room-peer-private.h - what the files of a peer share
 *
 *   room-peer.c            life, channels, what the connection and it tell
 *   room-peer-negotiate.c  offers, answers, candidates: the handshake's hands
 *   room-peer-transfers.c  what transfers need of it
 *
 * Thread:  control
 */
#pragma once

#include "appliance/room/peer-channels.h"
#include "appliance/room/peer-health.h"
#include "appliance/room/peer-transfers.h"
#include "appliance/room/room-peer.h"

struct RoomPeer {
	RoomPeerConfig config;
	char *id;
	struct peer_info info;
	JsonObject *hello;		/* where most of it is from, or NULL */
	struct handshake handshake;
	struct rtc_peer *rtc;
	struct peer_health health;
	GSource *timer; /* the handshake's and the health's */
	GSource *reopen_timer;
	GSource *transfer_timer;
	gint64 since_us; /* real time */
	gboolean connected, detached;

	struct peer_channels channels;
	gboolean opened_messaging; /* it was us who made it */
	guint reopens;
	PeerTransfers *transfers;
	gboolean restart_told;	/* of this negotiation, by peerRestart */

	gboolean has_codec;
	enum media_codec codec;
	char *audio_stream, *video_stream; /* what it sends, or NULL */
	enum rtc_ice_state ice_state;
	guint n_local_candidates; /* told since the last description */
	gboolean gathered, described;
	/* without trickle: a description that waits for its candidates */
	gboolean pending, pending_restarts;
	MessageType pending_type;
	MessageRestart pending_restart;
};

extern const struct rtc_peer_ops peer_rtc_ops;
extern const struct handshake_ops peer_handshake_ops;
extern const struct peer_transfers_ops peer_transfers_peer_ops;

/* --- room-peer.c --------------------------------------------------------- */
/* (transfer full): {state, peerId} */
JsonObject *peer_state_params(RoomPeer *peer, const char *state);
/* @params: (transfer full) */
void peer_emit(RoomPeer *peer, const char *name, JsonObject *params);
/* @error: NULL: none */
/* Tells of it: connecting, or error. */
gboolean peer_open_channel(RoomPeer *p, const char *label, gboolean messaging,
			   GError **error);
void peer_emit_progress(RoomPeer *peer, const char *state, const char *error);
void peer_emit_signaling(RoomPeer *peer, const char *state);
/* Over signaling, while there is any. @message: (transfer full) */
void peer_tell(RoomPeer *peer, JsonObject *message);
void peer_stop_timer(GSource **timer);
void peer_set_timer(RoomPeer *peer, GSource **timer, guint ms, GSourceFunc fn);
/* Another connection in place of the one there is, with nothing on it yet. */
gboolean peer_replace_connection(RoomPeer *peer);

/* --- room-peer-negotiate.c ----------------------------------------------- */
void peer_on_local_candidate(void *user, const char *mid, unsigned int mline,
			     const char *candidate);
void peer_on_gathering_done(void *user);
/* What we send, as 2.x wants to hear of it. */
MessageMedia peer_message_media(RoomPeer *peer);
