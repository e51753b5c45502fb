// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp.h"

#include <errno.h>

#include "webrtc/be.h"

int rtp_parse(const uint8_t *packet, size_t len, struct rtp_header *ret)
{
	struct rtp_header h = { 0 };
	const uint8_t *p = packet;
	size_t left = len;
	size_t n;

	if (left < RTP_FIXED_BYTES || p[0] >> 6 != 2)
		return -EBADMSG;
	h.n_csrc = p[0] & 0x0f;
	h.marker = p[1] >> 7;
	h.pt = p[1] & 0x7f;
	h.seq = be16_get(p + 2);
	h.timestamp = be32_get(p + 4);
	h.ssrc = be32_get(p + 8);
	p += RTP_FIXED_BYTES;
	left -= RTP_FIXED_BYTES;

	n = 4u * h.n_csrc;
	if (n > left)
		return -EBADMSG;
	p += n;
	left -= n;

	if (packet[0] & 0x10) {
		if (left < 4)
			return -EBADMSG;
		h.ext_profile = be16_get(p);
		h.ext_len = 4u * be16_get(p + 2);
		p += 4;
		left -= 4;
		if (h.ext_len > left)
			return -EBADMSG;
		h.ext = p;
		p += h.ext_len;
		left -= h.ext_len;
	}

	if (packet[0] & 0x20) {
		/* RFC 3550 §5.1: the last octet counts the padding, itself
		 * included. So 0 is a lie, and so is more than there is. */
		if (!left || !packet[len - 1] || packet[len - 1] > left)
			return -EBADMSG;
		h.padding = packet[len - 1];
		left -= h.padding;
	}

	h.payload = p;
	h.payload_len = left;
	*ret = h;
	return 0;
}

const uint8_t *rtp_ext_find(const struct rtp_header *h, uint8_t id,
			    size_t *ret_len)
{
	bool two_byte = (h->ext_profile & 0xfff0) == RTP_EXT_TWO_BYTE;
	const uint8_t *p = h->ext;
	size_t left = h->ext_len;

	if (!id || !p || (!two_byte && h->ext_profile != RTP_EXT_ONE_BYTE))
		return NULL;

	while (left) {
		size_t head = two_byte ? 2 : 1;
		uint8_t this_id;
		size_t n;

		if (!*p) {		/* padding between elements */
			p++;
			left--;
			continue;
		}
		if (left < head)
			return NULL;
		if (two_byte) {
			this_id = p[0];
			n = p[1];
		} else {
			this_id = p[0] >> 4;
			n = (p[0] & 0x0f) + 1u;
			/* RFC 8285 §4.2: 15 ends the whole block; and an id
			 * of 0 with a length is no padding byte: ignore it. */
			if (this_id == 15)
				return NULL;
		}
		p += head;
		left -= head;
		if (n > left)
			return NULL;
		if (this_id == id) {
			*ret_len = n;
			return p;
		}
		p += n;
		left -= n;
	}
	return NULL;
}

void rtp_write_fixed(uint8_t out[RTP_FIXED_BYTES], bool ext, bool marker,
		     uint8_t pt, uint16_t seq, uint32_t timestamp,
		     uint32_t ssrc)
{
	out[0] = (uint8_t) (2 << 6 | ext << 4);
	out[1] = (uint8_t) (marker << 7 | (pt & 0x7f));
	be16_put(out + 2, seq);
	be32_put(out + 4, timestamp);
	be32_put(out + 8, ssrc);
}

enum rtp_demux rtp_demux(const uint8_t *packet, size_t len)
{
	if (len < 2)
		return RTP_DEMUX_OTHER;
	if (packet[0] <= 3)
		return RTP_DEMUX_STUN;
	if (packet[0] >= 20 && packet[0] <= 63)
		return RTP_DEMUX_DTLS;
	if (packet[0] < 128 || packet[0] > 191)
		return RTP_DEMUX_OTHER;
	/* RFC 5761 §4: RTCP types 192..223, seen as a marker bit and payload
	 * type 64..95, which RTP therefore must not use. */
	return packet[1] >= 192 && packet[1] <= 223 ? RTP_DEMUX_RTCP
						    : RTP_DEMUX_RTP;
}
