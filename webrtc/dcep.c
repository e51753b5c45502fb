// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dcep.h"

#include <errno.h>
#include <string.h>

#include "webrtc/utf8.h"

#define UNORDERED 0x80

static uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static void put_be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static bool is_text(const uint8_t *data, size_t len)
{
	return !memchr(data, 0, len) && utf8_is_valid(data, len);
}

int dcep_parse(const uint8_t *data, size_t len, struct dcep_message *ret)
{
	struct dcep_message m = {0};
	const uint8_t *text;
	uint8_t reliability;

	if (len == DCEP_ACK_BYTES && data[0] == DCEP_ACK) {
		m.type = DCEP_ACK;
		*ret = m;
		return 0;
	}
	if (len < DCEP_OPEN_HEADER_BYTES || data[0] != DCEP_OPEN)
		return -EBADMSG;

	m.type = DCEP_OPEN;
	m.unordered = data[1] & UNORDERED;
	reliability = data[1] & ~UNORDERED & 0xff;
	if (reliability > DCEP_MAX_LIFETIME)
		return -EBADMSG;
	m.reliability = reliability;
	m.priority = get_be16(data + 2);
	m.parameter = (uint32_t) get_be16(data + 4) << 16 | get_be16(data + 6);
	m.label_len = get_be16(data + 8);
	m.protocol_len = get_be16(data + 10);
	len -= DCEP_OPEN_HEADER_BYTES;
	if (m.label_len > len || m.protocol_len != len - m.label_len)
		return -EBADMSG;
	if (m.label_len > DCEP_LABEL_MAX_BYTES ||
	    m.protocol_len > DCEP_PROTOCOL_MAX_BYTES)
		return -EMSGSIZE;
	text = data + DCEP_OPEN_HEADER_BYTES;
	if (!is_text(text, m.label_len) ||
	    !is_text(text + m.label_len, m.protocol_len))
		return -EBADMSG;
	m.label = (const char *) text;
	m.protocol = (const char *) text + m.label_len;
	*ret = m;
	return 0;
}

int dcep_write(const struct dcep_message *message, uint8_t *dst, size_t size)
{
	size_t need = DCEP_OPEN_HEADER_BYTES;

	if (message->type == DCEP_ACK) {
		if (size < DCEP_ACK_BYTES)
			return -ENOBUFS;
		dst[0] = DCEP_ACK;
		return DCEP_ACK_BYTES;
	}
	if (message->label_len > DCEP_LABEL_MAX_BYTES ||
	    message->protocol_len > DCEP_PROTOCOL_MAX_BYTES)
		return -EINVAL;
	need += message->label_len + message->protocol_len;
	if (need > size)
		return -ENOBUFS;

	dst[0] = DCEP_OPEN;
	dst[1] = (uint8_t) (message->reliability |
			    (message->unordered ? UNORDERED : 0));
	put_be16(dst + 2, message->priority);
	put_be16(dst + 4, message->parameter >> 16);
	put_be16(dst + 6, message->parameter & 0xffff);
	put_be16(dst + 8, message->label_len);
	put_be16(dst + 10, message->protocol_len);
	dst += DCEP_OPEN_HEADER_BYTES;
	if (message->label_len)
		memcpy(dst, message->label, message->label_len);
	dst += message->label_len;
	if (message->protocol_len)
		memcpy(dst, message->protocol, message->protocol_len);
	return (int) need;
}
