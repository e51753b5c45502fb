/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep-apply.h - what a remote description makes of the negotiation
 *
 * A version is one agreed (or proposed) state of all m-lines. Applying never
 * changes one: it makes the next, or fails with a sentence.
 *
 * Source:  RFC 8829 §5.8 to §5.11, RFC 8843 §7, RFC 8842 §5
 * Thread:  any; pure
 * Memory:  versions belong to whoever made them
 */
#pragma once

#include "webrtc/jsep-line.h"

struct jsep_version {
	struct jsep_negotiated negotiated;
	struct jsep_line *lines; /* as many as @n_lines */
	unsigned int n_lines;
	unsigned int transport;	      /* index of the bundle's own line */
	int audio_track, video_track; /* lines our tracks are bound to, -1 */
	bool agreed;		      /* @negotiated is filled */
	bool was_offer;		      /* our text of it is an offer */
	uint64_t number;	      /* in the o-line of our text */
};

struct jsep_version *jsep_version_new(unsigned int n_lines);
struct jsep_version *jsep_version_free(struct jsep_version *version);

/* @current: NULL before the first. @error takes JSEP_ERROR_BYTES. Return: 0,
 * -EBADMSG, -EOPNOTSUPP. */
int jsep_apply_offer(const struct jsep_wish *wish,
		     const struct jsep_version *current,
		     const struct sdp_session *offer, struct jsep_version **ret,
		     char *error);
int jsep_apply_answer(const struct jsep_wish *wish,
		      const struct jsep_version *current,
		      const struct jsep_version *offered,
		      const struct sdp_session *answer,
		      struct jsep_version **ret, char *error);
