/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/rtp-session-private.h - the session's inside, shared by its two
 * files: rtp-session.c sends media, rtp-session-rtcp.c speaks RTCP
 *
 * Source:  see rtp-session.h
 * Thread:  network
 * Memory:  one block per session, beside the histories of its senders
 */
#pragma once

#include "webrtc/congestion.h"
#include "webrtc/keyframe-requests.h"
#include "webrtc/pacer.h"
#include "webrtc/rtp-receiver.h"
#include "webrtc/rtp-sender.h"
#include "webrtc/rtp-session.h"
#include "webrtc/twcc.h"

struct rtp_line {
	bool used;
	enum media_codec codec;
	struct rtp_sender sender;
	struct keyframe_requests keyframes;
	bool need_keyframe;		/* delta frames are useless without */
	bool had_keyframe;		/* a joiner's, queued already */
	bool numbered;
	uint64_t next_number;		/* the unit expected next */
};

struct rtp_rx_kind {
	uint32_t clock_rate;		/* 0: not negotiated */
	bool video;
	bool rtx;
};

struct rtp_session {
	const struct rtp_session_ops *ops;
	void *user;
	char cname[RTP_SESSION_CNAME_MAX + 1];
	uint32_t rtcp_ssrc;
	uint32_t random;		/* spreads the reports of many peers */
	uint8_t seed[16];
	bool reduced_size;
	int64_t realtime_offset_us;
	bool running;
	uint64_t buffer_wait_us;	/* no buffer: try again then; or 0 */

	struct rtp_line lines[RTP_SESSION_LINES_MAX];
	struct pacer pacer;
	struct congestion congestion;
	unsigned int told_bps;		/* target last told */
	uint64_t rtx_free_us;		/* RTX is paid until then */
	struct twcc_history sent;

	struct rtp_rx_kind rx[128];
	uint8_t rx_twcc_id;
	uint32_t rx_media_ssrc;		/* of the last packet received */
	struct rtp_receiver receiver;
	struct twcc_recorder recorder;

	uint64_t report_due_us;		/* SR or RR; UINT64_MAX: not running */
	uint64_t feedback_due_us;	/* TWCC of ours; UINT64_MAX: none */
	uint64_t congestion_due_us;	/* watch for silence; likewise */
	struct rtp_session_stats stats;
};

static inline bool rtp_line_is_video(const struct rtp_line *line)
{
	return line->used && line->codec != MEDIA_CODEC_OPUS;
}

/* rtp-session.c */
void rtp_session_resend(struct rtp_session *s, struct rtp_line *line,
			uint16_t seq, uint64_t now_us);
void rtp_session_want_keyframe(struct rtp_session *s, struct rtp_line *line,
			       uint64_t now_us);
/* Lets out what may leave now. */
void rtp_session_run(struct rtp_session *s, uint64_t now_us);
/* Takes over the controller's target. */
void rtp_session_apply_target(struct rtp_session *s);

/* rtp-session-rtcp.c */
#define RTP_REPORT_US	UINT64_C(1000000)
#define RTP_FEEDBACK_US UINT64_C(100000)
void rtp_session_send_reports(struct rtp_session *s, uint64_t now_us);
void rtp_session_send_feedback(struct rtp_session *s, uint64_t now_us);
