/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/sctp.h - one peer's SCTP association with its data channels
 *
 * Packets in and out are DTLS application data. Channels open in-band (DCEP)
 * and close by stream reset in both directions; then their id is free again.
 *
 *   opening --ACK or data--> open --close, or remote reset--> closing
 *      ^                                                         |
 *      +-------- id free <-- closed <-- both directions reset ---+
 *
 * Order of calls:
 *	sctp_stack_ref(&stack);				once per engine
 *	sctp_assoc_new(stack, dtls_client, &ops, user, &a);
 *	sctp_assoc_open_channel(a, "label", &id);	any time: it is queued
 *	sctp_assoc_start(a);			in DTLS' connected()
 *	sctp_assoc_input(a, data, len);		in DTLS' data()
 *	sctp_stack_tick(stack, now)		every 10 ms
 *	a = sctp_assoc_free(a);			before the DTLS is closed: the
 *						last ABORT still goes out
 *
 * Callbacks may call any function of this header but _start() and _input(),
 * sctp_assoc_free() too; ops->send must call none: usrsctp is on the stack.
 *
 * Source:  RFC 9260 (SCTP), RFC 8261 (over DTLS), RFC 8831 (data channels),
 *          RFC 8832 (DCEP), RFC 6525 (reset), RFC 3758 (partial reliability)
 * Thread:  network
 * Memory:  usrsctp's, bounded by its buffers, and the queues' messages
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webrtc/dcep.h"
#include "webrtc/sctp-stack.h"

#define SCTP_PORT		  5000
#define SCTP_CHANNELS_MAX	  64	/* per peer, closing ones included */
#define SCTP_STREAMS_MAX	  256	/* ids 0..255; usrsctp keeps 72
					 * bytes of each, from the start */
#define SCTP_MESSAGE_MAX_BYTES	  262144	/* a=max-message-size */
#define SCTP_QUEUE_MAX_BYTES	  (4u << 20)	/* unsent, per channel */
#define SCTP_QUEUE_LOW_BYTES	  (SCTP_QUEUE_MAX_BYTES / 2)
#define SCTP_QUEUE_MESSAGES_MAX	  4096	/* unsent messages, per channel */
#define SCTP_LABEL_MAX_BYTES	  256
/* usrsctp's, each way: 40 MB/s at 50 ms. With more a sender bursts beyond what
 * the UDP socket of the other end holds, and the loss costs half the rate. */
#define SCTP_BUFFER_BYTES	  (2u << 20)
/* The whole SCTP packet; with DTLS around it it fits DTLS_MTU_BYTES. */
#define SCTP_MTU_BYTES		  1160

struct sctp_assoc;

enum sctp_reason {
	SCTP_REASON_REMOTE,	/* the peer shut down or aborted */
	SCTP_REASON_TIMEOUT,	/* it does not answer */
	SCTP_REASON_SETUP,	/* the association could not be made */
};

struct sctp_ops {
	/* One SCTP packet, for dtls_write(). Borrowed. Must not call back
	 * into SCTP. */
	void (*send)(void *user, const uint8_t *data, size_t len);
	/* Usable now, both for ours (acknowledged) and for the @remote's.
	 * @label: UTF-8, terminated, borrowed. */
	void (*channel_open)(void *user, uint16_t id, const char *label,
			     bool remote);
	/* Borrowed; @text is valid UTF-8, not terminated; @len may be 0. */
	void (*message)(void *user, uint16_t id, bool text,
			const uint8_t *data, size_t len);
	/* May the next message be read? False: it stays where it is, the
	 * window closes, and the peer must wait, until this is asked again:
	 * by sctp_assoc_resume(), or with a tick. NULL: always. */
	bool (*may_read)(void *user);
	/* Closed by either side, refused, or lost with the association; the
	 * id may come again. Also for channels that never opened. */
	void (*channel_closed)(void *user, uint16_t id);
	/* After -EAGAIN: the queue is half empty. */
	void (*writable)(void *user, uint16_t id);
	/* The association is lost; channel_closed() came for every channel.
	 * Once; nothing but sctp_assoc_free() is of use afterwards. */
	void (*failed)(void *user, enum sctp_reason reason);
};

struct sctp_stats {
	bool up;
	unsigned int channels;
	uint64_t packets_in, packets_out;
	uint64_t messages_in, messages_out;
	uint64_t bytes_in, bytes_out;	/* of messages */
	uint64_t dropped_text;		/* not UTF-8 */
	uint64_t dropped_size;		/* > SCTP_MESSAGE_MAX_BYTES */
	uint64_t dropped_other;		/* no such channel, unknown kind,
					 * malformed DCEP */
	uint64_t refused_channels;	/* beyond a limit, or a bad id */
};

/* @dtls_client: then our channels get even ids, else odd ones.
 * @ops: kept, must outlive the association. Return: 0, -ENOMEM, -ENOSPC
 * (SCTP_STACK_SLOTS_MAX). */
int sctp_assoc_new(struct sctp_stack *stack, bool dtls_client,
		   const struct sctp_ops *ops, void *user,
		   struct sctp_assoc **ret);
/* Aborts the association. Its last packet, the ABORT, leaves by ops->send
 * within the call; called from one of SCTP's callbacks it is not sent (DTLS
 * says good-bye). No callback runs afterwards. Takes NULL, returns NULL. */
struct sctp_assoc *sctp_assoc_free(struct sctp_assoc *a);

/* Both sides start; the collision is resolved by SCTP. Harmless the second
 * time. Not from within SCTP's callbacks. Return: 0, -EBUSY (inside one), or
 * negative errno from usrsctp. */
int sctp_assoc_start(struct sctp_assoc *a);
/* One SCTP packet. Before _start(), and from within SCTP's callbacks, it is
 * dropped (the peer repeats). */
void sctp_assoc_input(struct sctp_assoc *a, const uint8_t *data, size_t len);

/**
 * sctp_assoc_open_channel() - a reliable, ordered channel
 * @label: UTF-8, at most SCTP_LABEL_MAX_BYTES
 *
 * Messages may be sent at once: they follow the opening. channel_open()
 * comes when the peer has acknowledged.
 *
 * Return: 0 with @ret_id, -EINVAL (label), -ENOSPC (SCTP_CHANNELS_MAX),
 * -ENOTCONN (the association has failed), -ENOMEM.
 */
int sctp_assoc_open_channel(struct sctp_assoc *a, const char *label,
			    uint16_t *ret_id);

/* The same with less than that promised (RFC 8831 §6.4): @parameter is what
 * @reliability says, retransmissions or milliseconds. */
int sctp_assoc_open_channel_as(struct sctp_assoc *a, const char *label,
			       bool unordered,
			       enum dcep_reliability reliability,
			       uint32_t parameter, uint16_t *ret_id);

/* Takes a copy. Text is sent as given: the caller answers for UTF-8.
 * Return: 0, -EAGAIN (queue full, writable() follows), -ENOENT (no such
 * channel, or closing), -EMSGSIZE (> SCTP_MESSAGE_MAX_BYTES), -ENOTCONN
 * (failed), -ENOMEM. */
int sctp_assoc_send(struct sctp_assoc *a, uint16_t id, bool text,
		    const uint8_t *data, size_t len);
/* may_read() may have changed its mind. */
void sctp_assoc_resume(struct sctp_assoc *a);
/* Bytes accepted and not yet handed to usrsctp; 0 for no such channel. */
size_t sctp_assoc_queued(const struct sctp_assoc *a, uint16_t id);

/* Sends what is queued, then resets; channel_closed() follows when the peer
 * has reset its direction too. Return: 0, -ENOENT. */
int sctp_assoc_close_channel(struct sctp_assoc *a, uint16_t id);

/* Is there such a channel, and is it the one that is meant by somebody who has
 * heard of @heard closings so far? An id is used again as soon as both sides
 * have reset it: whoever is told later, by way of a queue, may still mean the
 * channel before. */
bool sctp_assoc_is_meant(const struct sctp_assoc *a, uint16_t id,
			 uint32_t heard);

bool sctp_assoc_is_up(const struct sctp_assoc *a);
void sctp_assoc_get_stats(const struct sctp_assoc *a, struct sctp_stats *ret);
