/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/engine.h - what engine, peer and transport share; private to webrtc/
 *
 *   rtc_peer (control)            transport (network)
 *     JSEP, events up   <---->      path, DTLS, SRTP, RTP session, SCTP
 *            \                        /
 *             +----- ice_agent ------+      (ice)
 *
 * Source:  none (our own)
 * Thread:  said per member
 * Memory:  owned by struct rtc_engine
 */
#pragma once

#include <stdatomic.h>

#include "webrtc/control-queue.h"
#include "webrtc/delay-histogram.h"
#include "webrtc/dtls-identity.h"
#include "webrtc/ice.h"
#include "webrtc/rtc.h"
#include "webrtc/rtp-plan.h"
#include "webrtc/sctp-stack.h"

#define ENGINE_PEERS_DEFAULT 64
#define ENGINE_PEERS_MAX     256
#define ENGINE_UNITS_MAX     256	/* units on their way to the network */
/* Events on their way to control: a share for each peer, so that no peer can
 * take another's. Memory is touched as far as the queue was ever filled. */
#define ENGINE_PEER_EVENTS_MAX 4096
#define ENGINE_EVENTS_MAX      (ENGINE_PEERS_MAX * ENGINE_PEER_EVENTS_MAX)
#define ENGINE_CNAME_BYTES   20

struct transport;

/* One unit on its way; the slot is free while @unit is NULL. */
struct engine_unit_slot {
	struct rtc_engine *engine;
	_Atomic(struct coded_unit *) unit;
};

struct rtc_engine {
	struct rtc_engine_config config;	/* constant but for .network and
						 * .max_peers: control */
	char **addresses;			/* control */
	GPtrArray *peers;			/* control: struct rtc_peer */
	struct net_loop *loop;
	struct ice_thread *ice;
	struct dtls_identity *identity;
	struct control_queue *events;
	/* Network writes: a transport that begins there sees one range. */
	atomic_uint start_bps, min_bps, max_bps;
	char cname[ENGINE_CNAME_BYTES];

	/* any */
	struct engine_unit_slot units[ENGINE_UNITS_MAX];
	atomic_uint unit_head;
	atomic_ullong units_in, units_dropped, bitstream_copies;

	/* control */
	int demux_error;		/* why the pair selected last does not go
					 * by the kernel; 0: it does */

	/* control and network: transports that still close count as well */
	atomic_uint n_alive;

	/* network */
	struct rtp_planner *planner;
	struct sctp_stack *sctp;
	struct net_timer sctp_timer;
	uint64_t sctp_active_us;		/* last SCTP traffic */
	struct transport *transports[ENGINE_PEERS_MAX];
	unsigned int n_transports;
	unsigned int rung_bps[N_MEDIA_CODECS];	/* last reported */
	struct rtc_limits limits;
	/* Of each peer under the limits; 0: none. */
	unsigned int video_cap_bps, data_cap_bps;
	uint64_t data_used_us;			/* a message left */
	struct net_timer rate_timer;
	uint64_t rate_reported_us;
	struct delay_histogram sent;		/* capture to last packet */

	/* network writes, any reads */
	atomic_uint sent_us_median, sent_us_p95;
};

/* --- control ------------------------------------------------------------- */
/* The engine's network is another now. */
void peer_set_network(struct rtc_peer *peer);

/* --- network thread ------------------------------------------------------- */
void engine_add_transport(struct rtc_engine *engine, struct transport *t);
void engine_remove_transport(struct rtc_engine *engine, struct transport *t);
/* SCTP has something to do: keep the stack ticking, fast for a while. */
void engine_wake_sctp(struct rtc_engine *engine);
/* A video frame's last packet leaves to one peer with this tick. */
void engine_unit_sent(struct rtc_engine *engine, uint64_t capture_us);
/* A message left while there is a total limit: video makes room for it. */
void engine_data_used(struct rtc_engine *engine);
/* What a peer's video may take now, bits per second. */
void engine_get_range(struct rtc_engine *engine, unsigned int *ret_start,
		      unsigned int *ret_min, unsigned int *ret_max);
/* A peer's rate or codec changed: tell the slowest of each codec, soon. */
void engine_rates_changed(struct rtc_engine *engine);
