/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep-line.h - one m-line of a remote description, read and judged
 *
 * What offers and answers have in common: is the form right, can we serve it,
 * which codecs, sources and transport does it name. Functions that can fail
 * return 0 or a negative errno and write a sentence to @error, which takes
 * JSEP_ERROR_BYTES; @what is the word for the description, "offer" or
 * "answer".
 *
 * Source:  RFC 8829 §5.8 to §5.11
 * Thread:  any; pure
 * Memory:  the caller's, save the candidates: g_free()
 */
#pragma once

#include "webrtc/jsep-text.h"

struct jsep_wish {
	bool send_audio, send_video, no_receive;
	enum media_codec video[N_MEDIA_CODECS]; /* all of ours, in order */
	unsigned int n_video;
	unsigned int n_video_send; /* the first ones: we can send these */
};

/* Writes the sentence. Return: @r. */
int jsep_fail(char *error, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- the whole description ---------------------------------------------- */
int jsep_check_form(const struct sdp_session *s, char *error);
/* A slot keeps its kind and its mid. */
int jsep_check_slot(const struct jsep_line *old, const struct sdp_media *m,
		    unsigned int i, const char *what, char *error);

/* --- the transport of line @line ---------------------------------------- */
int jsep_read_transport(const struct sdp_session *s, unsigned int line,
			const char *what, struct jsep_negotiated *n,
			char *error);
enum sdp_setup jsep_get_setup(const struct sdp_session *s, unsigned int line);
/* The usable ones, into @n. */
void jsep_read_candidates(const struct sdp_media *m, struct jsep_negotiated *n);

/* --- one m-line --------------------------------------------------------- */
unsigned int jsep_match_codecs(const struct jsep_wish *wish,
			       const struct sdp_media *m,
			       struct jsep_codec ret[JSEP_MAX_RECEIVE]);
bool jsep_is_servable(const struct jsep_wish *wish, const struct sdp_media *m);
/* Its H.264 payload types all allow different levels per direction. */
bool jsep_is_asymmetric(const struct sdp_media *m);
/* What the remote says about its own sending: SSRCs, msid. */
void jsep_read_sources(const struct sdp_media *m, struct jsep_media *ret);
void jsep_read_application(const struct sdp_media *m,
			   struct jsep_negotiated *n);

/* --- our record of it --------------------------------------------------- */
/* Type, protocol, mid, index. */
void jsep_line_name(const struct sdp_media *m, unsigned int i,
		    struct jsep_line *line);
void jsep_line_reject(struct jsep_line *line);
/* We receive what the line lists. */
void jsep_line_set_receiving(struct jsep_line *line);
/* Chooses the first of @codecs, which are in our order of preference, that we
 * can send. Return: false when there is none. */
bool jsep_set_sending(const struct jsep_wish *wish, struct jsep_media *media,
		      const struct jsep_codec *codecs, unsigned int n);
/* Feedback of the codecs once the extensions are known. */
void jsep_settle_feedback(struct jsep_codec *codecs, unsigned int n,
			  uint8_t twcc_id);
