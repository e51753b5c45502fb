/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep.h - offer and answer of one peer connection
 *
 *                 create_offer            accept_answer
 *      STABLE ----------------> HAVE_LOCAL_OFFER ------> STABLE
 *        |    <--- rollback ----------'
 *        |  accept_offer            create_answer
 *        '----------------> HAVE_REMOTE_OFFER -----> STABLE
 *
 * One transport carries everything (BUNDLE, rtcp-mux). Each m-line is a
 * transceiver of its own: we send audio and video on the first m-line of the
 * kind that the remote can receive on and stay there, receive on all, and the
 * newest m-line of a kind that carries media is the remote's current stream.
 * Lines that carry nothing any more are given back in answers of ours.
 * No randomness, no clock, no I/O: everything of that kind comes in by the
 * configuration. A call that fails changes nothing and leaves a sentence for a
 * person in jsep_get_error().
 *
 * Source:  RFC 8829 (JSEP), RFC 3264, RFC 8843 (BUNDLE), RFC 8842 (DTLS role),
 *          RFC 6184 §8.2.2 (H.264 profiles), RFC 4588 (RTX), RFC 8841 (SCTP)
 * Thread:  any one thread; pure
 * Memory:  owned by its creator
 */
#pragma once

#include "media/coded-unit.h"
#include "webrtc/candidate.h"
#include "webrtc/rtc.h"
#include "webrtc/sdp.h"

#define JSEP_ERROR_BYTES       256
#define JSEP_MID_BYTES	       33 /* longer mids are refused */
#define JSEP_UFRAG_BYTES       257
#define JSEP_PWD_BYTES	       257
#define JSEP_FINGERPRINT_BYTES 256
#define JSEP_STREAM_BYTES      129 /* msid stream and track ids */
#define JSEP_CNAME_BYTES       129
#define JSEP_MAX_CANDIDATES    32 /* local ones, and remote ones in SDP */
#define JSEP_MAX_REMOTE_SSRCS  4  /* media SSRCs per m-line */
#define JSEP_MAX_RECEIVE       4  /* codecs received per m-line */
#define JSEP_MAX_MESSAGE_SIZE  262144
#define JSEP_SCTP_PORT	       5000
/* m-lines that carry nothing, with more of them they are given back: rejected,
 * so that the remote may use them again */
#define JSEP_IDLE_LINES_MAX    8

struct jsep;

struct jsep_config {
	bool send_audio, send_video;
	bool no_receive; /* send alone: what others send is refused */
	/* Order of preference for sending. Codecs of ours that are missing
	 * here are still accepted for receiving. */
	const enum media_codec *video_codecs;
	unsigned int n_video_codecs;
	const char *stream_id; /* msid of what we send, non-empty */
	const char *cname;
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc;
	const char *fingerprint; /* "sha-256 AA:BB:..." */
	const char *ufrag, *pwd; /* see jsep_set_ice_credentials() */
	uint64_t session_id;	 /* random, for the o-line; < 2^63 */
};

struct jsep *jsep_new(const struct jsep_config *config);
struct jsep *jsep_free(struct jsep *jsep);

/* --- our side ----------------------------------------------------------- */
/* What we send from the next description on, and its msid stream id. Nothing
 * changes before that is negotiated. */
void jsep_set_tracks(struct jsep *jsep, bool audio, bool video,
		      const char *stream_id);
/* New credentials of an ICE restart: before jsep_create_offer(), or between
 * jsep_accept_offer() (when it says ice_restarted) and jsep_create_answer().
 * The local candidates stay: a restart keeps the sockets, and a description
 * that waits for nobody must hold them. */
void jsep_set_ice_credentials(struct jsep *jsep, const char *ufrag,
			      const char *pwd);
/* Those told so far are of sockets that are no more. */
void jsep_forget_local_candidates(struct jsep *j);
/* Adds a "candidate:..." line to every description written from now on.
 * Return: 0, -EEXIST (there already) or -ENOSPC. */
int jsep_add_local_candidate(struct jsep *jsep, const char *line);
/* From now on descriptions say a=end-of-candidates. */
void jsep_set_gathering_done(struct jsep *jsep);

/* --- negotiation -------------------------------------------------------- */
/* Texts returned are to be freed with g_free(). Every function returns 0 or
 *   -EBUSY       not in this signaling state
 *   -EMSGSIZE    the description is over a limit
 *   -EBADMSG     it is malformed, or contradicts what was agreed
 *   -EOPNOTSUPP  well-formed, but nothing in it can be served
 * and leaves a sentence in jsep_get_error(). */
int jsep_create_offer(struct jsep *jsep, char **ret_sdp);
int jsep_accept_offer(struct jsep *jsep, const char *sdp, size_t len);
int jsep_create_answer(struct jsep *jsep, char **ret_sdp);
int jsep_accept_answer(struct jsep *jsep, const char *sdp, size_t len);
/* Drops an offer of ours that nobody answered, or a remote one. */
int jsep_rollback(struct jsep *jsep);
const char *jsep_get_error(const struct jsep *jsep);
/* Whether a description is of another peer connection than the one agreed
 * with: another certificate, or another session with other ICE credentials. It
 * cannot be applied to this one. false for what does not parse, and before the
 * first agreement. */
bool jsep_is_other_connection(const struct jsep *jsep, const char *sdp,
			      size_t len);
enum rtc_signaling_state jsep_get_state(const struct jsep *jsep);

/* The latest local description (pending offer, or what is in force) written
 * anew with the candidates known by now (g_free); NULL before the first. */
char *jsep_write_local(struct jsep *jsep);

/* The mid and m-line that carries the bundle in the latest local description:
 * what a trickled local candidate must name. */
const char *jsep_get_transport_mid(const struct jsep *jsep);
unsigned int jsep_get_transport_mline(const struct jsep *jsep);
/* Whether a trickled remote candidate belongs to the transport in use. While
 * our offer is open every m-line may; a bundled m-line's own candidates are
 * for the case that we do not bundle, and must not be added. @mid may be NULL
 * or "" when only the number is known. */
bool jsep_candidate_applies(const struct jsep *jsep, const char *mid,
			    unsigned int mline);

/* --- what was agreed ---------------------------------------------------- */
enum jsep_extension {
	JSEP_EXT_MID,
	JSEP_EXT_ABS_SEND_TIME,
	JSEP_EXT_TWCC,
	JSEP_EXT_PLAYOUT_DELAY,
	JSEP_EXT_AUDIO_LEVEL,
	N_JSEP_EXTENSIONS,
};

struct jsep_codec {
	enum media_codec codec;
	uint8_t pt;
	int16_t rtx_pt;			/* -1: none */
	unsigned int fb;		/* SDP_FB_ bits that both have */
	uint32_t h264_profile_level_id; /* the remote's; 0 for others */
};

struct jsep_media {
	enum sdp_kind kind;
	unsigned int mline;	  /* index from 0 */
	char mid[JSEP_MID_BYTES]; /* "": the description had none */
	bool rejected;		  /* port 0: nothing below is valid */

	/* audio and video */
	bool send, receive;	   /* what we may do, from our side */
	struct jsep_codec sending; /* valid if @send */
	struct jsep_codec receiving[JSEP_MAX_RECEIVE];
	unsigned int n_receiving;	/* also filled if not @receive */
	uint8_t ext[N_JSEP_EXTENSIONS]; /* id 1..14, 0: not agreed */
	bool rtcp_rsize;
	uint64_t max_bps; /* what the remote takes; 0: not said */
	struct {
		uint32_t ssrc, rtx_ssrc; /* rtx 0: none */
	} remote[JSEP_MAX_REMOTE_SSRCS];
	unsigned int n_remote;
	char remote_cname[JSEP_CNAME_BYTES];
	char remote_stream[JSEP_STREAM_BYTES]; /* msid stream id or "" */
	char remote_track[JSEP_STREAM_BYTES];
};

enum jsep_dtls_role {
	JSEP_DTLS_SERVER, /* we said or got passive */
	JSEP_DTLS_CLIENT,
};

struct jsep_negotiated {
	char ufrag[JSEP_UFRAG_BYTES]; /* remote */
	char pwd[JSEP_PWD_BYTES];
	char fingerprint_algorithm[16];		  /* lower case, "sha-256" */
	char fingerprint[JSEP_FINGERPRINT_BYTES]; /* upper case, colons */
	enum jsep_dtls_role dtls_role;
	bool remote_ice_lite; /* then we must be controlling */
	bool remote_end_of_candidates;

	/* of the description that came last, transport m-line only; usable
	 * ones alone (no TCP, no names) */
	struct candidate *candidates;
	unsigned int n_candidates;

	bool data; /* the application m-line is accepted */
	uint16_t remote_sctp_port;
	uint64_t remote_max_message_size; /* 0: no limit */

	struct jsep_media *media; /* one per m-line, in order */
	unsigned int n_media;
	unsigned int transport_mline; /* carries the bundle */
	/* Indices into @media, -1: none. */
	int audio_send, video_send;	  /* where our tracks go */
	int audio_receive, video_receive; /* the remote's current ones */

	/* Differences the last accept_ made against what was before it. The
	 * first negotiation sets @changed alone. */
	bool ice_restarted; /* remote ufrag or pwd are new */
	bool dtls_changed;  /* fingerprint or role are new */
	bool changed;	    /* anything about media or data */
};

/* What is in force; after jsep_accept_offer() what the answer will say. NULL
 * before the first success. Valid until the next call. */
const struct jsep_negotiated *jsep_get_negotiated(const struct jsep *jsep);
