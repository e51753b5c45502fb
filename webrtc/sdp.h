/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/sdp.h - session descriptions: text to plain structs, structs to text
 *
 *   v=0 o= s= t=  a=group a=...        struct sdp_session
 *   m=audio ...   a=mid a=rtpmap ...     .media[0]
 *   m=video ...                          .media[1]
 *
 * The parser copies nothing: every string is a span of the text, so the text
 * must outlive the struct. Lines end in CRLF or LF; unknown lines and
 * attributes are skipped, damaged ones that we need are errors, whatever is
 * over a limit is an error too.
 *
 * Source:  RFC 8866, RFC 8829, RFC 8843 (BUNDLE), RFC 8285 (extmap), RFC 4585
 *          (rtcp-fb), RFC 5576 (ssrc), RFC 8841 (SCTP), RFC 8839 (ICE)
 * Thread:  any; pure
 * Memory:  the caller's; struct sdp_session is some hundred kB: heap, not stack
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_MAX_BYTES	   (256u << 10)
#define SDP_MAX_LINE	   8192u
#define SDP_MAX_MEDIA	   64u	/* m-lines */
#define SDP_MAX_CODECS	   64u	/* payload types per m-line */
#define SDP_MAX_CANDIDATES 32u	/* per m-line; more are ignored */
#define SDP_MAX_SSRCS	   16u	/* per m-line; more are ignored */
#define SDP_MAX_EXTMAPS	   24u	/* per m-line; more are ignored */
#define SDP_MAX_GROUPS	   4u	/* BUNDLE groups; more are ignored */
#define SDP_MAX_TOKEN	   256u /* mid, ufrag, msid, ... */

/* Bytes of the parsed text, not NUL-terminated. {NULL, 0}: absent. */
struct sdp_span {
	const char *p;
	size_t n;
};

bool sdp_span_is(struct sdp_span s, const char *text);
bool sdp_span_is_nocase(struct sdp_span s, const char *text);
bool sdp_span_equal(struct sdp_span a, struct sdp_span b);
/* Copies with NUL. Return: false, and @buf "", when it does not fit. */
bool sdp_span_copy(struct sdp_span s, char *buf, size_t size);
/* Decimal digits alone, at most @max. Return: false for anything else. */
bool sdp_span_number(struct sdp_span s, uint64_t max, uint64_t *ret);
/* Cuts the next word off @s at @separator (runs of blanks count as one).
 * Return: false when nothing is left. */
bool sdp_span_next(struct sdp_span *s, char separator, struct sdp_span *ret);

enum sdp_kind {
	SDP_KIND_OTHER,
	SDP_KIND_AUDIO,
	SDP_KIND_VIDEO,
	SDP_KIND_APPLICATION,
};

enum sdp_setup {
	SDP_SETUP_NONE, /* no a=setup */
	SDP_SETUP_ACTPASS,
	SDP_SETUP_ACTIVE,
	SDP_SETUP_PASSIVE,
	SDP_SETUP_HOLDCONN,
};

enum sdp_direction { /* bit 0: the writer sends, bit 1: receives */
		     SDP_INACTIVE = 0,
		     SDP_SENDONLY = 1,
		     SDP_RECVONLY = 2,
		     SDP_SENDRECV = 3,
};
const char *sdp_direction_name(enum sdp_direction direction);

enum { /* rtcp-fb of one payload type */
       SDP_FB_NACK = 1 << 0,
       SDP_FB_PLI = 1 << 1,
       SDP_FB_FIR = 1 << 2,
       SDP_FB_TWCC = 1 << 3,
       SDP_FB_REMB = 1 << 4,
};

struct sdp_codec {
	uint8_t pt;
	bool has_rtpmap;
	struct sdp_span name; /* compare without case */
	uint32_t clock_rate;  /* Hz */
	uint8_t channels;     /* 1 when absent */
	struct sdp_span fmtp; /* parameters alone; see sdp_fmtp_get() */
	unsigned int fb;      /* SDP_FB_ bits */
};

struct sdp_extmap {
	uint16_t id;
	struct sdp_span uri;
};

struct sdp_ssrc {
	uint32_t ssrc;
	uint32_t rtx_ssrc; /* FID partner, 0: none */
	bool is_rtx;	   /* second of a FID group */
	struct sdp_span cname;
	struct sdp_span msid; /* "stream track", or absent */
};

/* What may stand at session or at media level; media wins. */
struct sdp_transport {
	struct sdp_span ufrag, pwd;
	struct sdp_span ice_options;
	struct sdp_span fingerprint; /* "sha-256 AA:BB..."; the first
				      * sha-256 one, else the first */
	enum sdp_setup setup;
};

struct sdp_media {
	enum sdp_kind kind;
	struct sdp_span type; /* "audio", ... as written */
	uint16_t port;
	struct sdp_span proto;
	struct sdp_span formats; /* the rest of the m-line */
	struct sdp_span mid;
	struct sdp_transport transport;
	enum sdp_direction direction; /* sendrecv when absent; a session
				       * level direction counts as absent's
				       * value */
	bool has_direction;
	bool rtcp_mux, rtcp_rsize, bundle_only, end_of_candidates;
	struct sdp_span msid; /* "stream track" */
	uint64_t max_bps;     /* b=TIAS, or b=AS times 1000; 0: none */
	struct sdp_codec codecs[SDP_MAX_CODECS];
	unsigned int n_codecs;
	struct sdp_extmap extmaps[SDP_MAX_EXTMAPS];
	unsigned int n_extmaps;
	struct sdp_ssrc ssrcs[SDP_MAX_SSRCS];
	unsigned int n_ssrcs;
	struct sdp_span candidates[SDP_MAX_CANDIDATES]; /* "candidate:..." */
	unsigned int n_candidates;
	uint16_t sctp_port; /* a=sctp-port, sctpmap or the format;
			     * 0: none */
	uint64_t max_message_size;
	bool has_max_message_size;
};

struct sdp_session {
	struct sdp_span origin; /* after "o=" */
	struct sdp_transport transport;
	bool ice_lite;
	struct sdp_span bundle[SDP_MAX_GROUPS]; /* mids, blank-separated */
	unsigned int n_bundles;
	struct sdp_media media[SDP_MAX_MEDIA];
	unsigned int n_media;
};

/**
 * sdp_parse() - read a whole description
 * @text:     borrowed; the spans of @ret point into it
 * @ret:      overwritten, also on failure
 * @ret_line: NULL, or on failure the number of the offending line from 1
 *
 * Return: 0, -EMSGSIZE over a limit, -EBADMSG for anything malformed.
 */
int sdp_parse(const char *text, size_t len, struct sdp_session *ret,
	      unsigned int *ret_line);

/* One parameter of an fmtp value, trimmed ("" for a name without value).
 * Tolerates blanks, empty parameters and a trailing ';'. */
bool sdp_fmtp_get(struct sdp_span fmtp, const char *name, struct sdp_span *ret);
/* The codec of this payload type, or NULL. */
const struct sdp_codec *sdp_media_find_pt(const struct sdp_media *media,
					  unsigned int pt);
/* The payload type of the RTX stream whose apt is @pt, or -1. */
int sdp_media_find_rtx(const struct sdp_media *media, unsigned int pt);
/* Whether this group's list of mids has @mid. */
bool sdp_bundle_has(struct sdp_span bundle, struct sdp_span mid);

/* --- writing ------------------------------------------------------------ */
struct sdp_writer {
	char *buf;
	size_t size, len;
	bool full; /* something did not fit; the text is cut */
};

void sdp_writer_init(struct sdp_writer *w, char *buf, size_t size);
/* One line; CRLF is added. */
void sdp_line(struct sdp_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Part of a line, no CRLF. */
void sdp_part(struct sdp_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Ends the text with NUL. Return: its length, or -ENOSPC. */
int sdp_writer_finish(struct sdp_writer *w);
