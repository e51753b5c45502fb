/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/dcep.h - the messages that open a data channel
 *
 *    0        1        2        3
 *   +--------+--------+-----------------+
 *   |  0x03  |channel |    priority     |   DATA_CHANNEL_OPEN
 *   |        | type   |                 |
 *   +--------+--------+-----------------+
 *   |      reliability parameter        |
 *   +-----------------+-----------------+
 *   |  label length   | protocol length |
 *   +-----------------+-----------------+
 *   |  label, protocol                  |
 *
 *   one byte 0x02: DATA_CHANNEL_ACK
 *
 * Source:  RFC 8832 §5
 * Thread:  any; pure
 * Memory:  the caller's; a parsed message points into its input
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DCEP_LABEL_MAX_BYTES	256	/* ours; the RFC allows 65535 */
#define DCEP_PROTOCOL_MAX_BYTES 256
#define DCEP_OPEN_HEADER_BYTES	12
#define DCEP_OPEN_MAX_BYTES                                 \
	(DCEP_OPEN_HEADER_BYTES + DCEP_LABEL_MAX_BYTES + \
	 DCEP_PROTOCOL_MAX_BYTES)
#define DCEP_ACK_BYTES 1

enum dcep_type {
	DCEP_ACK = 0x02,
	DCEP_OPEN = 0x03,
};

enum dcep_reliability {
	DCEP_RELIABLE = 0x00,
	DCEP_MAX_RETRANSMITS = 0x01,
	DCEP_MAX_LIFETIME = 0x02,	/* milliseconds */
};

struct dcep_message {
	enum dcep_type type;
	/* the rest only for DCEP_OPEN */
	enum dcep_reliability reliability;
	bool unordered;
	uint16_t priority;		/* RFC 8831 §6.4: 128, 256, 512, 1024 */
	uint32_t parameter;		/* retransmissions or milliseconds */
	const char *label;		/* UTF-8, no NUL inside; not terminated */
	size_t label_len;
	const char *protocol;		/* the same */
	size_t protocol_len;
};

/* Return: 0, or -EBADMSG: cut short, unknown type or channel type, trailing
 * bytes, text that is no UTF-8 or holds a NUL, or -EMSGSIZE (a text longer
 * than ours allows). */
int dcep_parse(const uint8_t *data, size_t len, struct dcep_message *ret);

/* Return: bytes written, -EINVAL (a text too long), -ENOBUFS (@size). */
int dcep_write(const struct dcep_message *message, uint8_t *dst, size_t size);
