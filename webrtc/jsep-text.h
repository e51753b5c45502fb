/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep-text.h - our descriptions, from what was decided to SDP text
 *
 * Source:  RFC 8829 §5.2, §5.3
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include "webrtc/jsep.h"

#define JSEP_PROTO_BYTES  32
#define JSEP_FORMAT_BYTES 32

/* One m-line as our descriptions write it. */
struct jsep_line {
	struct jsep_media media;	/* what was negotiated */
	char type[JSEP_FORMAT_BYTES];	/* "audio", ... */
	char proto[JSEP_PROTO_BYTES];	/* as the offerer wrote it */
	char format[JSEP_FORMAT_BYTES]; /* of a line we reject */
	enum sdp_direction direction;	/* what we say */
	struct jsep_codec codecs[JSEP_MAX_RECEIVE]; /* in the order said */
	unsigned int n_codecs;
	bool h264_asymmetry; /* the other side allows it */
	bool rtcp_rsize;
	bool old_sctp; /* sctpmap instead of sctp-port */
};

struct jsep_text {
	uint64_t session_id, version;
	const struct jsep_line *lines;
	unsigned int n_lines;
	unsigned int transport; /* index of the line with candidates */
	int audio_track, video_track; /* lines our tracks are bound to, -1 */
	const char *setup;	/* "actpass", ... */
	const char *ufrag, *pwd, *fingerprint;
	const char *stream_id, *cname;
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc;
	char *const *candidates; /* "candidate:..." */
	unsigned int n_candidates;
	bool end_of_candidates;
};

/* Return: length of the text in @buf, or -ENOSPC. */
int jsep_text_write(const struct jsep_text *text, char *buf, size_t size);
