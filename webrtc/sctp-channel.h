/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/sctp-channel.h - one data channel: its state and its unsent messages
 *
 * Source:  RFC 8831 §6, RFC 8832 §5
 * Thread:  network
 * Memory:  one allocation per channel and per queued message
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webrtc/dcep.h"

/* RFC 8831 §8: payload protocol identifiers */
enum sctp_ppid {
	SCTP_PPID_DCEP = 50,
	SCTP_PPID_STRING = 51,
	SCTP_PPID_BINARY = 53,
	SCTP_PPID_STRING_EMPTY = 56,
	SCTP_PPID_BINARY_EMPTY = 57,
};

enum sctp_channel_state {
	SCTP_CHANNEL_OPENING,	/* ours, not acknowledged yet */
	SCTP_CHANNEL_OPEN,
	SCTP_CHANNEL_CLOSING,	/* nothing is accepted or delivered */
};

struct sctp_queued {
	struct sctp_queued *next;
	uint32_t ppid;
	size_t len;		/* of the user's message; 0 for DCEP */
	size_t wire_len;	/* in data: at least 1 */
	uint8_t data[];
};

struct sctp_channel {
	uint16_t id;
	uint32_t born;		/* closings told before it was there */
	enum sctp_channel_state state;
	bool unordered;
	enum dcep_reliability reliability;
	uint32_t parameter;
	bool reset_wanted;	/* ours, as soon as the queue is empty */
	bool reset_sent;	/* usrsctp works on it */
	bool out_reset;		/* our direction is reset */
	bool in_reset;		/* the peer's is */
	bool blocked;		/* -EAGAIN was returned */
	bool oversize;		/* inside a message that is too long */
	struct sctp_queued *head, **tail;
	size_t queued_bytes;
	unsigned int n_queued;
	char label[DCEP_LABEL_MAX_BYTES + 1];
};

/* @label need not be terminated. Return: NULL without memory. */
struct sctp_channel *sctp_channel_new(uint16_t id, const char *label,
				      size_t label_len);
struct sctp_channel *sctp_channel_free(struct sctp_channel *c);

/* Copies a message to the end of the queue. Return: 0 or -ENOMEM. */
int sctp_channel_push(struct sctp_channel *c, uint32_t ppid,
		      const uint8_t *data, size_t len);
/* Drops the first message, which must be there. */
void sctp_channel_pop(struct sctp_channel *c);
void sctp_channel_clear(struct sctp_channel *c);
