// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dcep.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/utf8.h"

#define UNORDERED 0x80

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
	m.priority = be16_get(data + 2);
	m.parameter = be32_get(data + 4);
	m.label_len = be16_get(data + 8);
	m.protocol_len = be16_get(data + 10);
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
	be16_put(dst + 2, message->priority);
	be32_put(dst + 4, message->parameter);
	be16_put(dst + 8, (uint16_t) message->label_len);
	be16_put(dst + 10, (uint16_t) message->protocol_len);
	dst += DCEP_OPEN_HEADER_BYTES;
	if (message->label_len)
		memcpy(dst, message->label, message->label_len);
	dst += message->label_len;
	if (message->protocol_len)
		memcpy(dst, message->protocol, message->protocol_len);
	return (int) need;
}
