/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-session.h - everything RTP of one peer: units in, sealed chunks
 * out, RTCP both ways
 *
 *   plan --> [pacer] --> header + seal --> chunk (net_buffer) --> send()
 *               ^                |
 *   NACK -> RTX-+                +--> history (plan, fragment), TWCC ring
 *   TWCC, RR, REMB --> congestion --> target() and the pacer's rate
 *   PLI, FIR       --> keyframe()
 *   RTP received   --> statistics, TWCC recorder --> RR, TWCC feedback
 *
 * With BUNDLE all m-lines share one transport and so form one RTP session:
 * one pacer, one congestion controller, one transport-wide sequence.
 *
 * The session opens no socket, reads no clock and arms no timer. After each
 * call that takes @now_us the owner arms its timer for
 * rtp_session_get_due_us() and calls rtp_session_on_timer() then.
 *
 * Source:  RFC 3550, RFC 4585, RFC 5104, RFC 5506, RFC 4588, RFC 8843
 * Thread:  network
 * Memory:  acquired by rtp_session_new() and when a line that retransmits is
 *          set (45 KiB in all with one such line); none per packet. Units are
 *          held for up to 1.5 s after they left, to answer NACK: whoever
 *          makes them must not count on having them back sooner
 */
#pragma once

#include <sys/types.h>

#include "webrtc/net-loop.h"
#include "webrtc/rtp-ext.h"
#include "webrtc/rtp-plan.h"

#define RTP_SESSION_LINES_MAX	4	/* m-lines that send */
#define RTP_SESSION_RX_PT_MAX	32	/* payload types we may receive */
#define RTP_SESSION_CNAME_MAX	64	/* bytes */

struct rtp_session;

struct rtp_session_ops {
	/* An empty buffer or NULL (all in flight). */
	struct net_buffer *(*get_buffer)(void *user);
	/* Gives back a buffer that was not sent. */
	void (*put_buffer)(void *user, struct net_buffer *buffer);
	/* Queues a chunk; takes the buffer. */
	void (*send)(void *user, struct net_buffer *buffer);
	/* Seals one packet where it will leave from: the header stands at
	 * @packet, the payload's ciphertext is written behind it from
	 * @payload. At least RTP_PACKET_RESERVED bytes more than header and
	 * payload are free there. Return: the packet's whole length, or
	 * negative errno (the packet is dropped and counted). */
	ssize_t (*seal_rtp)(void *user, uint8_t *packet, size_t header_len,
			    const struct iovec *payload, unsigned int n);
	/* Seals a compound in place, @room bytes in all. Return: as above. */
	ssize_t (*seal_rtcp)(void *user, uint8_t *packet, size_t len,
			     size_t room);
	/* The peer needs a keyframe of this codec. */
	void (*keyframe)(void *user, enum media_codec codec, bool first);
	/* The bit rate the path can carry changed; whole session, bits/s. */
	void (*target)(void *user, unsigned int bps);
	/* The last packet of a unit is in a chunk that send() takes within
	 * this call. May be left NULL. */
	void (*unit_sent)(void *user, const struct coded_unit *unit);
};

struct rtp_line_config {
	enum media_codec codec;
	const char *mid;		/* copied */
	uint32_t ssrc;
	uint8_t pt;
	uint32_t rtx_ssrc;
	uint8_t rtx_pt;			/* 0: RTX was not negotiated */
	struct rtp_ext_ids ext;
	unsigned int playout_min_ms, playout_max_ms;
};

/* A payload type the remote may send. */
struct rtp_rx_pt {
	uint8_t pt;
	enum media_kind kind;
	uint32_t clock_rate;		/* Hz */
	bool rtx;
};

struct rtp_session_config {
	const char *cname;		/* copied */
	/* 16 random bytes: initial sequence numbers and timestamps */
	uint8_t random[16];
	uint32_t rtcp_ssrc;		/* ours, before any line is set */
	unsigned int start_bps, min_bps, max_bps;
	bool reduced_size;		/* a=rtcp-rsize was negotiated */
	/* CLOCK_REALTIME - CLOCK_MONOTONIC, microseconds */
	int64_t realtime_offset_us;
	const struct rtp_session_ops *ops;
	void *user;
};

/* Return: 0, -EINVAL, -ENOMEM. */
int rtp_session_new(struct rtp_session **ret,
		    const struct rtp_session_config *config);
/* Lets go of all plans; sends nothing. Takes NULL, returns NULL. */
struct rtp_session *rtp_session_free(struct rtp_session *s);

/**
 * rtp_session_set_line() - what m-line @index sends; NULL: nothing any more
 *
 * Called again with the same ssrc (renegotiation) it keeps sequence number,
 * timestamp offset and counters. Return: 0, -EINVAL, -ENOMEM.
 */
int rtp_session_set_line(struct rtp_session *s, unsigned int index,
			 const struct rtp_line_config *config);
/* What the remote may send, and the number of its transport-wide sequence
 * extension (0: none, no TWCC feedback is sent). Return: 0, -EINVAL. */
int rtp_session_set_rx(struct rtp_session *s, const struct rtp_rx_pt *pts,
		       unsigned int n, uint8_t twcc_id);
/* The clocks moved against each other (NTP step); takes effect with the next
 * sender report. */
void rtp_session_set_realtime_offset(struct rtp_session *s, int64_t offset_us);

/* The range of the video's rate, bits per second, from now on; 0 < @min_bps <=
 * @max_bps. */
void rtp_session_set_range(struct rtp_session *s, unsigned int min_bps,
			   unsigned int max_bps);

/**
 * rtp_session_start() - the transport is up: units may leave now
 *
 * Asks for a first keyframe if a video line is set.
 */
void rtp_session_start(struct rtp_session *s, uint64_t now_us);
/* Consent or ICE is lost: nothing more leaves until the next start. */
void rtp_session_stop(struct rtp_session *s);

/* Sends a unit on the line of its codec (none: ignored). What the pacer lets
 * out leaves within the call, the rest on the timer. Borrows @plan. */
void rtp_session_push(struct rtp_session *s, struct rtp_plan *plan,
		      uint64_t now_us);

/* A decrypted packet. Return: 0, or -EBADMSG (counted). Nothing is kept. */
int rtp_session_on_rtp(struct rtp_session *s, const uint8_t *packet,
		       size_t len, uint64_t now_us);
/* A decrypted compound. Return: as above; what stood before the damage has
 * been acted on. */
int rtp_session_on_rtcp(struct rtp_session *s, const uint8_t *packet,
			size_t len, uint64_t now_us);

void rtp_session_on_timer(struct rtp_session *s, uint64_t now_us);
/* When on_timer wants to be called, CLOCK_MONOTONIC; UINT64_MAX: never. */
uint64_t rtp_session_get_due_us(const struct rtp_session *s);

/* Sends BYE for all our sources; the last thing before the transport closes. */
void rtp_session_bye(struct rtp_session *s, uint64_t now_us);

struct rtp_session_stats {
	uint64_t audio_packets, audio_bytes;	/* RTP payload bytes */
	uint64_t video_packets, video_bytes, video_frames;
	uint64_t video_frames_dropped;
	uint64_t rtx_packets, rtx_bytes, rtx_missed;	/* no longer held, or
							 * over the limits */
	uint64_t nacks, plis, firs, twcc_reports, remb_reports;
	uint64_t chunks, chunk_segments;
	uint64_t no_buffer, seal_failed;
	uint64_t rx_audio_packets, rx_audio_bytes;
	uint64_t rx_video_packets, rx_video_bytes;
	uint64_t rx_lost, rx_bad;
	uint32_t rtt_us;		/* 0: unknown */
	uint32_t target_bps;
	bool path_limited;		/* the path carries less than we may */
	bool at_cap;			/* the target is all we may send */
	uint32_t acked_bps;		/* TWCC: what arrives at the peer */
	uint32_t pacer_bps;
	uint32_t pacer_queue_bytes;
	uint32_t queue_delay_us;	/* TWCC: estimated on the path */
	float loss;			/* 0..1, of what we send */
	bool twcc;			/* feedback arrives */
};
void rtp_session_get_stats(const struct rtp_session *s,
			   struct rtp_session_stats *ret);
