/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/depacketize.h - RTP payloads back into access units
 *
 * The counterpart of the packetizers. It takes the payloads of one unit, in
 * order and without gaps (what brings them into that shape is a jitter
 * buffer's work), and gives the VP8 frame or the Annex B access unit.
 *
 * Source:  RFC 7741 §4.2, RFC 6184 §5.6 to §5.8
 * Thread:  any; pure
 * Memory:  writes into its owner's buffer, never beyond
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct depacketizer {
	uint8_t *out;
	size_t room;			/* bytes in all */
	size_t len;			/* bytes so far */
	bool in_fragment;		/* H.264: FU-A without its end yet */
	/* VP8, from the last descriptor */
	bool start;
	bool has_picture_id;
	uint16_t picture_id;
};

/* Begins a unit; @out is borrowed. */
void depacketizer_init(struct depacketizer *d, uint8_t *out, size_t room);

/* Each appends one payload. Return: 0, -EBADMSG (malformed, or a fragment
 * without its beginning), -ENOSPC; then nothing was appended. */
int depacketize_vp8(struct depacketizer *d, const uint8_t *payload,
		    size_t len);
int depacketize_h264(struct depacketizer *d, const uint8_t *payload,
		     size_t len);
