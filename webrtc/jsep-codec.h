/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/jsep-codec.h - what of a remote m-line is ours: codecs, extensions
 *
 * Source:  RFC 6184 §8.1, §8.2.2 (H.264), RFC 7741 (VP8), RFC 7587 (Opus),
 *          RFC 4588 (RTX), RFC 8285 (extmap), RFC 8122 (fingerprint)
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include "webrtc/jsep.h"

/* What we list for H.264: constrained baseline, level 3.1. */
#define JSEP_H264_PROFILE_LEVEL_ID 0x42e01fu

/**
 * jsep_codec_match() - the payload types of an m-line that we speak
 * @order:  codecs of ours, in the order wanted
 * @ret:    at most one entry per codec, in that order; feedback is what both
 *          know, without regard to header extensions
 *
 * Return: how many.
 */
unsigned int jsep_codec_match(const struct sdp_media *media,
			      const enum media_codec *order,
			      unsigned int n_order,
			      struct jsep_codec ret[JSEP_MAX_RECEIVE]);

/* Table 5 of RFC 6184: the three ways to say constrained baseline. */
bool jsep_h264_is_constrained_baseline(uint32_t profile_level_id);

const char *jsep_extension_uri(enum jsep_extension extension);
/* Whether we use it on m-lines of this kind. */
bool jsep_extension_fits(enum jsep_extension extension, enum sdp_kind kind);
/* Ids of ours that the m-line has, 0 for the others. */
void jsep_extension_match(const struct sdp_media *media,
			  uint8_t ret[N_JSEP_EXTENSIONS]);

/* Of both feedback ways to a rate we take one: transport-wide-cc if it and
 * its header extension are there, else REMB. */
unsigned int jsep_feedback_settle(unsigned int fb, uint8_t twcc_id);
unsigned int jsep_feedback_ours(enum media_codec codec);

/* "sha-256 aa:bb" into its two parts, checked. Return: 0 or -EBADMSG. */
int jsep_fingerprint_parse(struct sdp_span fingerprint, char algorithm[16],
			   char value[JSEP_FINGERPRINT_BYTES]);
/* Length and alphabet of RFC 8839 §5.4. */
bool jsep_is_ice_credential(struct sdp_span s, size_t min);
