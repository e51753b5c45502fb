// SPDX-License-Identifier: Apache-2.0
#include "webrtc/jsep-codec.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *uri;
	bool audio, video;
} extensions[] = {
	[JSEP_EXT_MID] = {"urn:ietf:params:rtp-hdrext:sdes:mid", true, true},
	[JSEP_EXT_ABS_SEND_TIME] =
		{"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
		 true, true},
	[JSEP_EXT_TWCC] = {"http://www.ietf.org/id/"
			   "draft-holmer-rmcat-transport-wide-cc-extensions-01",
			   true, true},
	[JSEP_EXT_PLAYOUT_DELAY] =
		{"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
		 false, true},
	[JSEP_EXT_AUDIO_LEVEL] = {"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
				  true, false},
};

/* One-byte headers carry ids 1 to 14 (RFC 8285 §4.2), and we write no other. */
#define EXTENSION_ID_MAX 14

const char *jsep_extension_uri(enum jsep_extension extension)
{
	return extensions[extension].uri;
}

bool jsep_extension_fits(enum jsep_extension extension, enum sdp_kind kind)
{
	if (kind == SDP_KIND_AUDIO)
		return extensions[extension].audio;
	return kind == SDP_KIND_VIDEO && extensions[extension].video;
}

void jsep_extension_match(const struct sdp_media *media,
			  uint8_t ret[N_JSEP_EXTENSIONS])
{
	memset(ret, 0, N_JSEP_EXTENSIONS);

	for (unsigned int i = 0; i < media->n_extmaps; i++) {
		const struct sdp_extmap *map = &media->extmaps[i];

		if (map->id > EXTENSION_ID_MAX)
			continue;
		for (int e = 0; e < N_JSEP_EXTENSIONS; e++) {
			if (!ret[e] && jsep_extension_fits(e, media->kind) &&
			    sdp_span_is(map->uri, extensions[e].uri))
				ret[e] = (uint8_t) map->id;
		}
	}
}

/* --- codecs ------------------------------------------------------------- */
bool jsep_h264_is_constrained_baseline(uint32_t profile_level_id)
{
	unsigned int profile = profile_level_id >> 16 & 0xff;
	unsigned int iop = profile_level_id >> 8 & 0xff;

	switch (profile) {
	case 0x42: /* x1xx0000 */
		return (iop & 0x4f) == 0x40;
	case 0x4d: /* 1xxx0000 */
		return (iop & 0x8f) == 0x80;
	case 0x58: /* 11xx0000 */
		return (iop & 0xcf) == 0xc0;
	default:
		return false;
	}
}

static bool parse_hex24(struct sdp_span s, uint32_t *ret)
{
	uint32_t value = 0;

	if (s.n != 6)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char) s.p[i];

		if (!isxdigit(c))
			return false;
		value = value << 4 |
			(uint32_t) (isdigit(c) ? c - '0'
					       : tolower(c) - 'a' + 10);
	}
	*ret = value;
	return true;
}

static bool is_our_h264(const struct sdp_codec *codec, uint32_t *ret_id)
{
	struct sdp_span value;

	if (!sdp_fmtp_get(codec->fmtp, "packetization-mode", &value) ||
	    !sdp_span_is(value, "1"))
		return false;

	/* Left out it would mean baseline, but those who leave it out do not
	 * use what constrained baseline lacks. */
	if (!sdp_fmtp_get(codec->fmtp, "profile-level-id", &value)) {
		*ret_id = JSEP_H264_PROFILE_LEVEL_ID;
		return true;
	}
	return parse_hex24(value, ret_id) &&
	       jsep_h264_is_constrained_baseline(*ret_id);
}

static bool is_codec(const struct sdp_codec *codec, enum media_codec wanted,
		     uint32_t *ret_id)
{
	*ret_id = 0;
	switch (wanted) {
	case MEDIA_CODEC_VP8:
		return sdp_span_is_nocase(codec->name, "VP8") &&
		       codec->clock_rate == 90000;
	case MEDIA_CODEC_H264:
		return sdp_span_is_nocase(codec->name, "H264") &&
		       codec->clock_rate == 90000 && is_our_h264(codec, ret_id);
	case MEDIA_CODEC_OPUS:
		return sdp_span_is_nocase(codec->name, "opus") &&
		       codec->clock_rate == 48000 && codec->channels == 2;
	case N_MEDIA_CODECS:
		break;
	}
	return false;
}

unsigned int jsep_codec_match(const struct sdp_media *media,
			      const enum media_codec *order,
			      unsigned int n_order,
			      struct jsep_codec ret[JSEP_MAX_RECEIVE])
{
	unsigned int n = 0;

	for (unsigned int o = 0; o < n_order && n < JSEP_MAX_RECEIVE; o++) {
		for (unsigned int i = 0; i < media->n_codecs; i++) {
			const struct sdp_codec *codec = &media->codecs[i];
			uint32_t id;

			if (!is_codec(codec, order[o], &id))
				continue;
			ret[n++] = (struct jsep_codec){
				.codec = order[o],
				.pt = codec->pt,
				.rtx_pt =
					order[o] == MEDIA_CODEC_OPUS
						? -1
						: (int16_t) sdp_media_find_rtx(
							  media, codec->pt),
				.fb = codec->fb & jsep_feedback_ours(order[o]),
				.h264_profile_level_id = id,
			};
			break;
		}
	}
	return n;
}

unsigned int jsep_feedback_ours(enum media_codec codec)
{
	if (codec == MEDIA_CODEC_OPUS)
		return SDP_FB_TWCC;
	return SDP_FB_NACK | SDP_FB_PLI | SDP_FB_FIR | SDP_FB_TWCC |
	       SDP_FB_REMB;
}

unsigned int jsep_feedback_settle(unsigned int fb, uint8_t twcc_id)
{
	if (twcc_id == 0)
		return fb & ~SDP_FB_TWCC;
	if (fb & SDP_FB_TWCC)
		return fb & ~SDP_FB_REMB;
	return fb;
}

/* --- transport ---------------------------------------------------------- */
int jsep_fingerprint_parse(struct sdp_span fingerprint, char algorithm[16],
			   char value[JSEP_FINGERPRINT_BYTES])
{
	static const struct {
		const char *name;
		size_t bytes;
	} known[] = {
		{"sha-1", 20},	 {"sha-224", 28}, {"sha-256", 32},
		{"sha-384", 48}, {"sha-512", 64},
	};
	struct sdp_span word, hex;
	size_t bytes = 0;

	if (!sdp_span_next(&fingerprint, ' ', &word) ||
	    !sdp_span_next(&fingerprint, ' ', &hex) ||
	    !sdp_span_copy(word, algorithm, 16))
		return -EBADMSG;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (sdp_span_is_nocase(word, known[i].name)) {
			bytes = known[i].bytes;
			strcpy(algorithm, known[i].name);
		}
	}
	if (bytes == 0 || hex.n != bytes * 3 - 1)
		return -EBADMSG;

	for (size_t i = 0; i < hex.n; i++) {
		unsigned char c = (unsigned char) hex.p[i];

		if (i % 3 == 2 ? c != ':' : !isxdigit(c))
			return -EBADMSG;
		value[i] = (char) toupper(c);
	}
	value[hex.n] = '\0';
	return 0;
}

bool jsep_is_ice_credential(struct sdp_span s, size_t min)
{
	if (s.n < min || s.n > 256)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char) s.p[i];

		/* '-' and '_' are not in the grammar but in the wild. */
		if (!isalnum(c) && c != '+' && c != '/' && c != '-' && c != '_')
			return false;
	}
	return true;
}
