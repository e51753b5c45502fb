// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sctp-channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sctp_channel *sctp_channel_new(uint16_t id, const char *label,
				      size_t label_len)
{
	struct sctp_channel *c;

	if (label_len > DCEP_LABEL_MAX_BYTES)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = id;
	c->tail = &c->head;
	if (label_len)
		memcpy(c->label, label, label_len);
	return c;
}

struct sctp_channel *sctp_channel_free(struct sctp_channel *c)
{
	if (c) {
		sctp_channel_clear(c);
		free(c);
	}
	return NULL;
}

int sctp_channel_push(struct sctp_channel *c, uint32_t ppid,
		      const uint8_t *data, size_t len)
{
	/* SCTP knows no empty message: a zero byte stands for it, and the
	 * PPID says so (RFC 8831 §6.6). */
	size_t wire_len = len ? len : 1;
	struct sctp_queued *q = malloc(sizeof(*q) + wire_len);

	if (!q)
		return -ENOMEM;
	q->next = NULL;
	q->ppid = ppid;
	q->len = ppid == SCTP_PPID_DCEP ? 0 : len;
	q->wire_len = wire_len;
	q->data[0] = 0;
	if (len)
		memcpy(q->data, data, len);
	*c->tail = q;
	c->tail = &q->next;
	c->queued_bytes += q->len;
	c->n_queued++;
	return 0;
}

void sctp_channel_pop(struct sctp_channel *c)
{
	struct sctp_queued *q = c->head;

	c->head = q->next;
	if (!c->head)
		c->tail = &c->head;
	c->queued_bytes -= q->len;
	c->n_queued--;
	free(q);
}

void sctp_channel_clear(struct sctp_channel *c)
{
	while (c->head)
		sctp_channel_pop(c);
}
