// SPDX-License-Identifier: Apache-2.0
#include "webrtc/depacketize.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/packetize-h264.h"

static const uint8_t start_code[4] = { 0, 0, 0, 1 };

void depacketizer_init(struct depacketizer *d, uint8_t *out, size_t room)
{
	*d = (struct depacketizer){ .out = out, .room = room };
}

static int append(struct depacketizer *d, const uint8_t *data, size_t len)
{
	if (len > d->room - d->len)
		return -ENOSPC;
	memcpy(d->out + d->len, data, len);
	d->len += len;
	return 0;
}

/* Reads the descriptor. Return: its length, or 0 when it is cut short. */
static size_t vp8_descriptor(struct depacketizer *d, const uint8_t *p,
			     size_t len)
{
	uint8_t flags = 0;
	size_t at = 1;

	if (!len)
		return 0;
	d->start = p[0] & 0x10 && !(p[0] & 0x07);
	d->has_picture_id = false;
	if (p[0] & 0x80) {
		if (len < 2)
			return 0;
		flags = p[at++];
	}
	if (flags & 0x80) {
		if (at >= len)
			return 0;
		d->picture_id = p[at++];
		if (d->picture_id & 0x80) {
			if (at >= len)
				return 0;
			d->picture_id = (d->picture_id & 0x7f) << 8 | p[at++];
		}
		d->has_picture_id = true;
	}
	if (flags & 0x40)	/* TL0PICIDX */
		at++;
	if (flags & 0x30)	/* TID, Y, KEYIDX */
		at++;
	return at < len ? at : 0;
}

int depacketize_vp8(struct depacketizer *d, const uint8_t *payload, size_t len)
{
	struct depacketizer next = *d;
	size_t head = vp8_descriptor(&next, payload, len);
	int r;

	if (!head || (!d->len && !next.start))
		return -EBADMSG;
	r = append(&next, payload + head, len - head);
	if (r == 0)
		*d = next;
	return r;
}

static int append_nal(struct depacketizer *d, const uint8_t *nal, size_t len)
{
	if (len > d->room || sizeof(start_code) > d->room - len ||
	    d->len > d->room - len - sizeof(start_code))
		return -ENOSPC;
	append(d, start_code, sizeof(start_code));
	append(d, nal, len);
	return 0;
}

static int stap_a(struct depacketizer *d, const uint8_t *p, size_t left)
{
	size_t before = d->len;
	int r = -EBADMSG;

	while (left) {
		size_t n;

		r = -EBADMSG;
		if (left < 2)
			break;
		n = be16_get(p);
		p += 2;
		left -= 2;
		if (!n || n > left)
			break;
		r = append_nal(d, p, n);
		if (r < 0)
			break;
		p += n;
		left -= n;
	}
	if (r < 0)
		d->len = before;
	return r;
}

static int fu_a(struct depacketizer *d, const uint8_t *p, size_t len)
{
	uint8_t header;
	int r;

	if (len < 3)
		return -EBADMSG;
	header = (p[0] & 0xe0) | (p[1] & 0x1f);
	if (p[1] & 0x80) {
		size_t before = d->len;

		/* §5.8: start and end never in one fragment */
		if (d->in_fragment || p[1] & 0x40)
			return -EBADMSG;
		r = append_nal(d, &header, 1);
		if (r < 0)
			return r;
		r = append(d, p + 2, len - 2);
		if (r < 0) {
			d->len = before;
			return r;
		}
		d->in_fragment = true;
		return 0;
	}
	if (!d->in_fragment)
		return -EBADMSG;
	r = append(d, p + 2, len - 2);
	if (r < 0)
		return r;
	if (p[1] & 0x40)
		d->in_fragment = false;
	return 0;
}

int depacketize_h264(struct depacketizer *d, const uint8_t *payload,
		     size_t len)
{
	unsigned int type;

	if (!len)
		return -EBADMSG;
	type = payload[0] & 0x1f;
	if (type == H264_NAL_FU_A)
		return fu_a(d, payload, len);
	if (d->in_fragment)
		return -EBADMSG;
	if (type == H264_NAL_STAP_A)
		return stap_a(d, payload + 1, len - 1);
	if (!type || type > H264_NAL_STAP_A)
		return -EBADMSG;
	return append_nal(d, payload, len);
}
