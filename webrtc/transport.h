/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/transport.h - the network half of one peer
 *
 *   ICE path --+--> DTLS --+--> SCTP --> data channels
 *              |           '--> keys
 *              '--> SRTP <----> RTP session <---- units
 *
 * Wires the modules together and owns their timers; each rule lives in the
 * module. DTLS records of one call leave together as GSO runs.
 *
 * Source:  RFC 7983 (demultiplexing), RFC 8834, RFC 8261
 * Thread:  network, but for transport_new() and the functions marked "any"
 * Memory:  owned by itself: it frees itself when its ICE agent has closed, and
 *          holds a reference to its rtc_peer until then
 */
#pragma once

#include <stdatomic.h>

#include "webrtc/dtls.h"
#include "webrtc/engine.h"
#include "webrtc/rtp-session.h"

#define TRANSPORT_LABELS_MAX 16	/* channels asked for before SCTP is there */
/* Messages accepted by rtc_peer_send() that SCTP has not taken yet. */
#define TRANSPORT_SEND_BUDGET_BYTES (1u << 20)
/* With a limit of the rate: a second's worth, but so much. */
#define TRANSPORT_SEND_BUDGET_LEAST (128u << 10)
/* ... each counted with this much for its keeping. */
#define TRANSPORT_SEND_OVERHEAD 256
/* Small ones, which control what large ones do, find room beyond it. */
#define TRANSPORT_SEND_SMALL_BYTES 4096
/* DTLS records kept while there is no way to answer them. */
#define TRANSPORT_EARLY_MAX	  4
#define TRANSPORT_EARLY_BYTES_MAX 2048

/* What happened; told to the control half. Strings and data are borrowed. */
struct transport_ops {
	void (*connected)(void *user, const char *remote_fingerprint);
	/* @failed: not the remote's good-bye */
	void (*closed)(void *user, bool failed, const char *detail);
	void (*channel_open)(void *user, uint16_t id, const char *label,
			     bool remote);
	void (*channel_message)(void *user, uint16_t id, bool text,
				const uint8_t *data, size_t len);
	void (*channel_closed)(void *user, uint16_t id);
	/* Is there room above for another message? If not, the peer waits;
	 * transport_resume() has this asked again. */
	bool (*may_read)(void *user);
	/* The send budget, once exceeded, is half free again. */
	void (*writable)(void *user);
	/* The last callback; @user's reference can go. */
	void (*gone)(void *user);
};

struct transport_config {
	struct rtc_engine *engine;
	const struct transport_ops *ops;	/* called on network */
	void *user;
	const char *name;			/* of the peer; copied */
	struct dtls_identity *identity;		/* referenced */
};

/* What a negotiation agreed on, as far as this half needs it. */
struct transport_setup {
	enum dtls_role dtls_role;
	char fingerprint_algorithm[16];
	char fingerprint[DTLS_FINGERPRINT_BYTES];
	bool data;
	bool reduced_size;
	struct rtp_line_config lines[RTP_SESSION_LINES_MAX];
	char mids[RTP_SESSION_LINES_MAX][RTP_EXT_MID_MAX + 1];
	bool line_used[RTP_SESSION_LINES_MAX];
	struct rtp_rx_pt rx[RTP_SESSION_RX_PT_MAX];
	enum media_codec rx_codec[RTP_SESSION_RX_PT_MAX];
	unsigned int n_rx;
	uint8_t rx_twcc_id;
};

/* Control. NULL: out of memory. */
struct transport *transport_new(const struct transport_config *config);
/* Control, only for one that was never attached. */
void transport_discard(struct transport *t);

/* The callbacks to hand to ice_agent_new(), with the transport as user, for
 * the network half of struct ice_agent_ops. */
void transport_on_path(void *user, const struct ice_path *path);
void transport_on_packet(void *user, uint8_t *data, size_t len,
			 const struct sockaddr_storage *from, uint64_t now_us);
void transport_on_closed(void *user);

/* Becomes one of the engine's. */
void transport_attach(struct transport *t);
/* Applies what was agreed, the first time and whenever it changed. */
void transport_apply(struct transport *t, const struct transport_setup *setup);
/* Says good-bye to the remote (RTP, SCTP, DTLS) while the path is there. */
void transport_say_goodbye(struct transport *t);
/* Has it said before the path goes, if nobody did earlier. Any thread. */
void transport_leave(struct transport *t);

void transport_push(struct transport *t, struct rtp_plan *plan);
/* The video codec this peer takes, or N_MEDIA_CODECS; and its rate. */
enum media_codec transport_get_video_codec(const struct transport *t);
unsigned int transport_get_target(const struct transport *t);
bool transport_is_running(const struct transport *t);	/* media may flow */
/* Asks engine_get_range() and data_cap_bps again. */
void transport_limits_changed(struct transport *t);

void transport_open_channel(struct transport *t, const char *label);
/* @heard: how often channel_closed() had been heard when this was said: an id
 * that is used again meanwhile is not meant. */
void transport_close_channel(struct transport *t, uint16_t id, uint32_t heard);
/* A message that was counted by transport_reserve(). Takes @data (free()). */
void transport_send(struct transport *t, uint16_t id, uint32_t heard,
		    bool text, uint8_t *data, size_t len);
/* may_read() is worth another question. */
void transport_resume(struct transport *t);
/* Everything SCTP wants to send now leaves. */
void transport_flush(struct transport *t);

/* Counts a message against the budget. Any thread. Return: 0 or -EAGAIN (then
 * writable() follows). */
int transport_reserve(struct transport *t, size_t len);
/* Takes that back for a message that was not handed over. Any thread. */
void transport_unreserve(struct transport *t, size_t len);

/* @user of transport_config; constant. Any thread. */
void *transport_get_user(const struct transport *t);

struct transport_snapshot {
	struct rtp_session_stats rtp;
	enum srtp_profile profile;
	enum dtls_role dtls_role;
	bool has_dtls, connected, gso;
	enum ice_path_kind path;
	uint64_t tx_datagrams, tx_bytes, tx_errors;
	uint64_t rx_bad;
};
/* A consistent copy, at most 100 ms older than the last activity. Any. */
void transport_get_snapshot(struct transport *t,
			    struct transport_snapshot *ret);
