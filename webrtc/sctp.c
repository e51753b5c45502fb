// SPDX-License-Identifier: Apache-2.0
#include "webrtc/sctp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <usrsctp.h>

#include "webrtc/sctp-channel.h"
#include "webrtc/sctp-socket.h"
#include "webrtc/utf8.h"

#define PRIORITY_NORMAL	     256	/* RFC 8831 §6.4 */
#define SCTP_HEADER_BYTES    12
#define CHUNK_ABORT	     6	/* RFC 9260 §3.2 */
#define STREAM_BITMAP_BYTES  (SCTP_STREAMS_MAX / 8)
/* usrsctp bounds what it holds by bytes of payload alone: a million messages
 * of one byte would fit, at some hundred bytes each. It cannot be asked, but
 * it says when it has become empty: after so many messages that is awaited. */
#define IN_FLIGHT_MAX	     8192
/* One request's list; more follow with the next. */
#define RESETS_PER_CALL	     SCTP_CHANNELS_MAX

struct sctp_assoc {
	struct sctp_slot *slot;
	const struct sctp_ops *ops;
	void *user;
	struct socket *socket;
	bool dtls_client, started, up, failed;
	bool readable;		/* usrsctp has something for us */
	bool aborted;		/* an ABORT came in */
	bool freed;		/* the user's pointers are gone */
	unsigned int n_out;	/* streams we may use, once up */
	unsigned int n_channels, next_turn;
	uint32_t closings;	/* told with channel_closed() */
	unsigned int n_in_flight;	/* messages since usrsctp was empty */
	struct sctp_channel *channels[SCTP_CHANNELS_MAX];
	/* Streams of refused channels, to be reset: a bit per id. */
	unsigned int n_refused;
	uint8_t refused[STREAM_BITMAP_BYTES];
	struct sctp_stats stats;
};

/* --- channels --- */
static struct sctp_channel *find(const struct sctp_assoc *a, uint16_t id)
{
	for (unsigned int i = 0; i < a->n_channels; i++)
		if (a->channels[i]->id == id)
			return a->channels[i];
	return NULL;
}

static bool is_refused(const struct sctp_assoc *a, uint16_t id)
{
	return id < SCTP_STREAMS_MAX && a->refused[id / 8] >> id % 8 & 1;
}

static void set_refused(struct sctp_assoc *a, uint16_t id, bool on)
{
	if (id >= SCTP_STREAMS_MAX || is_refused(a, id) == on)
		return;
	a->refused[id / 8] ^= (uint8_t) (1u << id % 8);
	a->n_refused += on ? 1 : -1u;
}

static void add_channel(struct sctp_assoc *a, struct sctp_channel *c)
{
	c->born = a->closings;
	a->channels[a->n_channels++] = c;
}

/* The id is free again before the user hears of it. */
static void remove_channel(struct sctp_assoc *a, struct sctp_channel *c)
{
	uint16_t id = c->id;

	for (unsigned int i = 0; i < a->n_channels; i++) {
		if (a->channels[i] == c) {
			a->channels[i] = a->channels[--a->n_channels];
			break;
		}
	}
	sctp_channel_free(c);
	a->closings++;
	if (!a->freed && a->ops->channel_closed)
		a->ops->channel_closed(a->user, id);
}

static void begin_close(struct sctp_assoc *a, struct sctp_channel *c)
{
	if (c->state == SCTP_CHANNEL_CLOSING)
		return;
	c->state = SCTP_CHANNEL_CLOSING;
	c->reset_wanted = true;
	sctp_slot_mark(a->slot);
}

static void end_close(struct sctp_assoc *a, struct sctp_channel *c)
{
	if (c->in_reset && c->out_reset)
		remove_channel(a, c);
}

static void opened(struct sctp_assoc *a, struct sctp_channel *c)
{
	c->state = SCTP_CHANNEL_OPEN;
	if (a->ops->channel_open)
		a->ops->channel_open(a->user, c->id, c->label, false);
}

static void fail(struct sctp_assoc *a, enum sctp_reason reason)
{
	if (a->failed)
		return;
	a->failed = true;
	a->up = false;
	while (a->n_channels)
		remove_channel(a, a->channels[a->n_channels - 1]);
	if (!a->freed && a->ops->failed)
		a->ops->failed(a->user, reason);
}

/* --- what arrives --- */
static bool is_remote_id(const struct sctp_assoc *a, uint16_t id)
{
	/* RFC 8832 §6: the DTLS client takes the even ids. */
	return (id % 2 == 0) != a->dtls_client;
}

static void refuse(struct sctp_assoc *a, uint16_t id)
{
	a->stats.refused_channels++;
	set_refused(a, id, true);
	sctp_slot_mark(a->slot);
}

static void handle_open(struct sctp_assoc *a, uint16_t id,
			const struct dcep_message *m)
{
	static const uint8_t ack[] = {DCEP_ACK};
	struct sctp_channel *c = find(a, id);

	if (c && c->in_reset) {
		/* Both directions are reset for the peer, or it could not
		 * use the id again: only its answer to us is still due. */
		remove_channel(a, c);
		c = NULL;
	}
	if (a->freed)
		return;
	if (c) {
		a->stats.dropped_other++;
		return;
	}
	if (!is_remote_id(a, id) || id >= a->n_out || is_refused(a, id) ||
	    a->n_channels == SCTP_CHANNELS_MAX) {
		refuse(a, id);
		return;
	}
	c = sctp_channel_new(id, m->label, m->label_len);
	if (!c || sctp_channel_push(c, SCTP_PPID_DCEP, ack, sizeof(ack)) < 0) {
		sctp_channel_free(c);
		refuse(a, id);
		return;
	}
	c->state = SCTP_CHANNEL_OPEN;
	c->unordered = m->unordered;
	c->reliability = m->reliability;
	c->parameter = m->parameter;
	add_channel(a, c);
	sctp_slot_mark(a->slot);
	if (a->ops->channel_open)
		a->ops->channel_open(a->user, id, c->label, true);
}

static void handle_dcep(struct sctp_assoc *a, uint16_t id,
			const uint8_t *data, size_t len)
{
	struct sctp_channel *c;
	struct dcep_message m;
	int r;

	r = dcep_parse(data, len, &m);
	if (r < 0) {
		a->stats.dropped_other++;
		/* An opening we cannot follow would leave its sender waiting. */
		if (len && data[0] == DCEP_OPEN && !find(a, id))
			refuse(a, id);
		return;
	}
	switch (m.type) {
	case DCEP_OPEN:
		handle_open(a, id, &m);
		return;
	case DCEP_ACK:
		c = find(a, id);
		if (c && c->state == SCTP_CHANNEL_OPENING)
			opened(a, c);
		return;
	}
}

static void handle_message(struct sctp_assoc *a, uint16_t id, uint32_t ppid,
			   const uint8_t *data, size_t len)
{
	bool text = ppid == SCTP_PPID_STRING || ppid == SCTP_PPID_STRING_EMPTY;
	struct sctp_channel *c = find(a, id);

	if (!c || c->state == SCTP_CHANNEL_CLOSING) {
		a->stats.dropped_other++;
		return;
	}
	if (ppid == SCTP_PPID_STRING_EMPTY || ppid == SCTP_PPID_BINARY_EMPTY)
		len = 0;
	if (len > SCTP_MESSAGE_MAX_BYTES) {
		a->stats.dropped_size++;
		return;
	}
	if (text && !utf8_is_valid(data, len)) {
		a->stats.dropped_text++;
		return;
	}
	/* Data is as good as an acknowledgement (RFC 8832 §6 has the peer
	 * send it first, but it may use unordered delivery). */
	if (c->state == SCTP_CHANNEL_OPENING)
		opened(a, c);
	if (a->freed)
		return;
	a->stats.messages_in++;
	a->stats.bytes_in += len;
	if (a->ops->message)
		a->ops->message(a->user, id, text, data, len);
}

static void handle_data(struct sctp_assoc *a, const struct sctp_rcvinfo *info,
			int flags, const uint8_t *data, size_t len)
{
	struct sctp_channel *c = find(a, info->rcv_sid);
	uint32_t ppid = ntohl(info->rcv_ppid);

	/* The partial delivery point lies above our limit: a piece that does
	 * not end its message belongs to one that is too long, and so do all
	 * of its stream up to the one that does. */
	if (c && (c->oversize || !(flags & MSG_EOR))) {
		if (!c->oversize)
			a->stats.dropped_size++;
		c->oversize = !(flags & MSG_EOR);
		return;
	}
	if (!(flags & MSG_EOR)) {
		a->stats.dropped_other++;
		return;
	}
	switch (ppid) {
	case SCTP_PPID_DCEP:
		handle_dcep(a, info->rcv_sid, data, len);
		break;
	case SCTP_PPID_STRING:
	case SCTP_PPID_BINARY:
	case SCTP_PPID_STRING_EMPTY:
	case SCTP_PPID_BINARY_EMPTY:
		handle_message(a, info->rcv_sid, ppid, data, len);
		break;
	default:
		a->stats.dropped_other++;
	}
}

static void handle_up(struct sctp_assoc *a, unsigned int n_out)
{
	a->up = true;
	a->n_out = n_out < SCTP_STREAMS_MAX ? n_out : SCTP_STREAMS_MAX;
	sctp_slot_mark(a->slot);
	/* What was opened before may lie beyond what the peer takes. */
	for (unsigned int i = 0; i < a->n_channels;) {
		if (a->channels[i]->id < a->n_out) {
			i++;
			continue;
		}
		a->stats.refused_channels++;
		remove_channel(a, a->channels[i]);
		if (a->freed)
			return;
		i = 0;
	}
}

static void handle_change(struct sctp_assoc *a,
			  const struct sctp_assoc_change *change)
{
	switch (change->sac_state) {
	case SCTP_COMM_UP:
		handle_up(a, change->sac_outbound_streams);
		break;
	case SCTP_RESTART:
	case SCTP_SHUTDOWN_COMP:
		fail(a, SCTP_REASON_REMOTE);
		break;
	case SCTP_COMM_LOST:
		fail(a, a->aborted ? SCTP_REASON_REMOTE : SCTP_REASON_TIMEOUT);
		break;
	case SCTP_CANT_STR_ASSOC:
		fail(a, SCTP_REASON_SETUP);
		break;
	}
}

static void handle_reset(struct sctp_assoc *a,
			 const struct sctp_stream_reset_event *event)
{
	uint16_t flags = event->strreset_flags;
	unsigned int n = (event->strreset_length - sizeof(*event)) /
			 sizeof(event->strreset_stream_list[0]);

	for (unsigned int i = 0; i < n && !a->freed; i++) {
		uint16_t id = event->strreset_stream_list[i];
		struct sctp_channel *c = find(a, id);

		if (flags & SCTP_STREAM_RESET_OUTGOING_SSN) {
			/* Refused or failed: there is nobody to ask again. */
			set_refused(a, id, false);
			if (c && c->reset_sent)
				c->out_reset = true;
		}
		if (flags & SCTP_STREAM_RESET_INCOMING_SSN && c &&
		    !(flags & (SCTP_STREAM_RESET_DENIED |
			       SCTP_STREAM_RESET_FAILED))) {
			c->in_reset = true;
			if (c->state != SCTP_CHANNEL_CLOSING)
				sctp_channel_clear(c);
			begin_close(a, c);
		}
		if (c)
			end_close(a, c);
	}
}

static void handle_notification(struct sctp_assoc *a, const void *data,
				size_t len)
{
	const union sctp_notification *n = data;

	if (len < sizeof(n->sn_header) || n->sn_header.sn_length > len)
		return;
	switch (n->sn_header.sn_type) {
	case SCTP_ASSOC_CHANGE:
		if (len >= sizeof(n->sn_assoc_change))
			handle_change(a, &n->sn_assoc_change);
		break;
	case SCTP_SHUTDOWN_EVENT:
		fail(a, SCTP_REASON_REMOTE);
		break;
	case SCTP_SENDER_DRY_EVENT:
		a->n_in_flight = 0;
		sctp_slot_mark(a->slot);
		break;
	case SCTP_STREAM_RESET_EVENT:
		if (n->sn_header.sn_length >= sizeof(n->sn_strreset_event))
			handle_reset(a, &n->sn_strreset_event);
		break;
	}
}

/* Something can be read; usrsctp holds its locks: it is read when it has
 * returned. */
static void on_upcall(struct socket *socket, void *user, int flags)
{
	struct sctp_slot *slot = user;
	struct sctp_assoc *a = slot->assoc;

	/* Not the socket of an earlier owner of the slot. */
	if (!a || a->socket != socket)
		return;
	a->readable = true;
	sctp_slot_mark(slot);
}

static void handle_read(struct sctp_assoc *a, const uint8_t *data, size_t len,
			const struct sctp_rcvinfo *info, int flags)
{
	if (flags & MSG_NOTIFICATION)
		handle_notification(a, data, len);
	else
		handle_data(a, info, flags, data, len);
}

/* What is left unread closes the window: the peer waits with us. */
static bool may_read(const struct sctp_assoc *a)
{
	return a->readable && !a->freed && !a->failed &&
	       (!a->ops->may_read || a->ops->may_read(a->user));
}

static void read_all(struct sctp_assoc *a)
{
	uint8_t *data = sctp_stack_get_buffer(a->slot->stack);

	while (may_read(a)) {
		struct sctp_rcvinfo info = {0};
		socklen_t info_len = sizeof(info), from_len = 0;
		unsigned int info_type = 0;
		int flags = 0;
		ssize_t n;

		n = usrsctp_recvv(a->socket, data, SCTP_STACK_BUFFER_BYTES,
				  NULL, &from_len, &info, &info_len, &info_type,
				  &flags);
		if (n <= 0)
			a->readable = false;
		else
			handle_read(a, data, (size_t) n, &info, flags);
	}
}

/* --- what leaves --- */
static void output(void *assoc, const uint8_t *data, size_t len)
{
	struct sctp_assoc *a = assoc;

	a->stats.packets_out++;
	a->ops->send(a->user, data, len);
}

/* Return: 0, or negative errno; -EAGAIN: no room now. */
static int send_first(struct sctp_assoc *a, struct sctp_channel *c)
{
	const struct sctp_queued *q = c->head;
	struct sctp_sendv_spa spa = {
		.sendv_flags = SCTP_SEND_SNDINFO_VALID,
		.sendv_sndinfo = {
			.snd_sid = c->id,
			.snd_flags = SCTP_EOR,
			.snd_ppid = htonl(q->ppid),
		},
	};

	/* Until the peer has acknowledged, order keeps data behind the
	 * opening (RFC 8832 §6). */
	if (q->ppid != SCTP_PPID_DCEP) {
		if (c->unordered && c->state != SCTP_CHANNEL_OPENING)
			spa.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
		if (c->reliability != DCEP_RELIABLE) {
			spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
			spa.sendv_prinfo.pr_policy =
				c->reliability == DCEP_MAX_RETRANSMITS ?
					SCTP_PR_SCTP_RTX :
					SCTP_PR_SCTP_TTL;
			spa.sendv_prinfo.pr_value = c->parameter;
		}
	}
	if (usrsctp_sendv(a->socket, q->data, q->wire_len, NULL, 0, &spa,
			  sizeof(spa), SCTP_SENDV_SPA, 0) < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	return 0;
}

static void tell_writable(struct sctp_assoc *a, struct sctp_channel *c)
{
	if (!c->blocked || c->queued_bytes > SCTP_QUEUE_LOW_BYTES ||
	    c->n_queued > SCTP_QUEUE_MESSAGES_MAX / 2)
		return;
	c->blocked = false;
	if (c->state != SCTP_CHANNEL_CLOSING && a->ops->writable)
		a->ops->writable(a->user, c->id);
}

/* One message of each channel in turn, until usrsctp takes no more. The
 * callback may change anything: a channel is looked up again after it. */
static void flush(struct sctp_assoc *a)
{
	unsigned int idle = 0;

	while (!a->freed && a->n_channels && idle < a->n_channels) {
		struct sctp_channel *c =
			a->channels[a->next_turn++ % a->n_channels];
		int r;

		if (a->n_in_flight == IN_FLIGHT_MAX)
			return;
		r = c->head ? send_first(a, c) : -EAGAIN;
		if (r == -EAGAIN) {
			idle++;
			continue;
		}
		idle = 0;
		if (r == 0)
			a->n_in_flight++;
		if (r == 0 && c->head->ppid != SCTP_PPID_DCEP) {
			a->stats.messages_out++;
			a->stats.bytes_out += c->head->len;
		}
		/* Any other error is for good (the stream is being reset, the
		 * association is gone): the message is lost with it. */
		sctp_channel_pop(c);
		tell_writable(a, c);
	}
}

static unsigned int collect_resets(const struct sctp_assoc *a, uint16_t *ids)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < a->n_channels; i++) {
		const struct sctp_channel *c = a->channels[i];

		if (c->reset_wanted && !c->reset_sent && !c->head)
			ids[n++] = c->id;
	}
	for (uint16_t id = 0; a->n_refused && id < SCTP_STREAMS_MAX; id++)
		if (is_refused(a, id) && n < RESETS_PER_CALL && id < a->n_out)
			ids[n++] = id;
	return n;
}

/* Asks usrsctp to reset what is to be closed. It takes one request at a time;
 * what it refuses now is asked for again with the next tick. */
static void request_resets(struct sctp_assoc *a)
{
	_Alignas(struct sctp_reset_streams) uint8_t
		space[sizeof(struct sctp_reset_streams) +
		      RESETS_PER_CALL * sizeof(uint16_t)] = {0};
	struct sctp_reset_streams *r = (struct sctp_reset_streams *) space;
	unsigned int n = collect_resets(a, r->srs_stream_list);
	bool never;

	if (!n)
		return;
	r->srs_flags = SCTP_STREAM_RESET_OUTGOING;
	r->srs_number_streams = (uint16_t) n;
	if (usrsctp_setsockopt(a->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS,
			       r, (socklen_t) (sizeof(*r) +
					       n * sizeof(uint16_t))) == 0)
		never = false;
	else if (errno == EOPNOTSUPP || errno == EINVAL)
		never = true;	/* the peer knows no reset */
	else
		return;
	for (unsigned int i = 0; i < n && !a->freed; i++) {
		struct sctp_channel *c = find(a, r->srs_stream_list[i]);

		set_refused(a, r->srs_stream_list[i], false);
		if (!c)
			continue;
		c->reset_sent = true;
		if (never) {
			c->in_reset = c->out_reset = true;
			end_close(a, c);
		}
	}
}

static void service(void *assoc)
{
	struct sctp_assoc *a = assoc;

	read_all(a);
	if (!a->up || a->failed || a->freed)
		return;
	flush(a);
	if (!a->freed && !a->failed)
		request_resets(a);
}

static bool is_waiting(const void *assoc)
{
	const struct sctp_assoc *a = assoc;

	if (a->readable)
		return true;
	for (unsigned int i = 0; i < a->n_channels; i++)
		if (a->channels[i]->head || (a->channels[i]->reset_wanted &&
					     !a->channels[i]->reset_sent))
			return true;
	return a->n_refused > 0;
}

/* --- life --- */
static void close_socket(struct sctp_assoc *a)
{
	if (a->socket)
		usrsctp_close(a->socket);
	a->socket = NULL;
}

static void destroy(void *assoc)
{
	struct sctp_assoc *a = assoc;

	close_socket(a);
	while (a->n_channels)
		sctp_channel_free(a->channels[--a->n_channels]);
	free(a);
}

static const struct sctp_slot_ops slot_ops = {
	.output = output,
	.service = service,
	.is_waiting = is_waiting,
	.destroy = destroy,
};

int sctp_assoc_new(struct sctp_stack *stack, bool dtls_client,
		   const struct sctp_ops *ops, void *user,
		   struct sctp_assoc **ret)
{
	struct sctp_assoc *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ops = ops;
	a->user = user;
	a->dtls_client = dtls_client;
	a->n_out = SCTP_STREAMS_MAX;
	a->slot = sctp_slot_get(stack, &slot_ops, a);
	if (!a->slot) {
		free(a);
		return -ENOSPC;
	}
	*ret = a;
	return 0;
}

struct sctp_assoc *sctp_assoc_free(struct sctp_assoc *a)
{
	struct sctp_stack *stack;

	if (!a || a->freed)
		return NULL;
	stack = a->slot->stack;
	a->freed = true;
	if (!sctp_stack_is_inside(stack)) {
		sctp_stack_enter(stack);
		close_socket(a);
		sctp_stack_leave(stack);
	}
	sctp_slot_put(a->slot);
	return NULL;
}

static int open_socket(struct sctp_assoc *a)
{
	int r;

	r = sctp_socket_new(on_upcall, a->slot, &a->socket);
	if (r < 0)
		return r;
	sctp_slot_register(a->slot);
	return sctp_socket_connect(a->socket, a->slot);
}

int sctp_assoc_start(struct sctp_assoc *a)
{
	struct sctp_stack *stack = a->slot->stack;
	int r;

	if (a->started || a->freed)
		return 0;
	if (sctp_stack_is_inside(stack))
		return -EBUSY;
	sctp_stack_enter(stack);
	r = open_socket(a);
	if (r < 0)
		close_socket(a);
	else
		a->started = true;
	sctp_stack_leave(stack);
	return r;
}

void sctp_assoc_input(struct sctp_assoc *a, const uint8_t *data, size_t len)
{
	struct sctp_stack *stack = a->slot->stack;

	if (!a->started || a->freed || sctp_stack_is_inside(stack))
		return;
	a->stats.packets_in++;
	/* usrsctp tells an ABORT from silence by no means of its interface. */
	if (len > SCTP_HEADER_BYTES && data[SCTP_HEADER_BYTES] == CHUNK_ABORT)
		a->aborted = true;
	sctp_stack_enter(stack);
	usrsctp_conninput(a->slot, data, len, 0);
	/* A SACK may have made room. */
	if (!a->freed)
		sctp_slot_mark(a->slot);
	sctp_stack_leave(stack);
}

/* --- the user's requests --- */
static int queue_open(struct sctp_channel *c)
{
	struct dcep_message m = {
		.type = DCEP_OPEN,
		.unordered = c->unordered,
		.reliability = c->reliability,
		.parameter = c->parameter,
		.priority = PRIORITY_NORMAL,
		.label = c->label,
		.label_len = strlen(c->label),
	};
	uint8_t wire[DCEP_OPEN_MAX_BYTES];
	int r;

	r = dcep_write(&m, wire, sizeof(wire));
	if (r < 0)
		return r;
	return sctp_channel_push(c, SCTP_PPID_DCEP, wire, (size_t) r);
}

/* Does the request now, or leaves it to the outermost call. */
static void kick(struct sctp_assoc *a)
{
	struct sctp_stack *stack = a->slot->stack;

	sctp_slot_mark(a->slot);
	sctp_stack_enter(stack);
	sctp_stack_leave(stack);
}

int sctp_assoc_open_channel(struct sctp_assoc *a, const char *label,
			    uint16_t *ret_id)
{
	return sctp_assoc_open_channel_as(a, label, false, DCEP_RELIABLE, 0,
					  ret_id);
}

int sctp_assoc_open_channel_as(struct sctp_assoc *a, const char *label,
			       bool unordered,
			       enum dcep_reliability reliability,
			       uint32_t parameter, uint16_t *ret_id)
{
	size_t len = strlen(label);
	struct sctp_channel *c;
	uint16_t id;
	int r;

	if (a->failed || a->freed)
		return -ENOTCONN;
	if (len > SCTP_LABEL_MAX_BYTES ||
	    !utf8_is_valid((const uint8_t *) label, len))
		return -EINVAL;
	if (a->n_channels == SCTP_CHANNELS_MAX)
		return -ENOSPC;
	for (id = a->dtls_client ? 0 : 1; id < a->n_out; id += 2)
		if (!find(a, id) && !is_refused(a, id))
			break;
	if (id >= a->n_out)
		return -ENOSPC;
	c = sctp_channel_new(id, label, len);
	if (!c)
		return -ENOMEM;
	c->unordered = unordered;
	c->reliability = reliability;
	c->parameter = parameter;
	r = queue_open(c);
	if (r < 0) {
		sctp_channel_free(c);
		return r;
	}
	add_channel(a, c);
	*ret_id = id;
	kick(a);
	return 0;
}

int sctp_assoc_send(struct sctp_assoc *a, uint16_t id, bool text,
		    const uint8_t *data, size_t len)
{
	struct sctp_channel *c;
	uint32_t ppid;
	int r;

	if (a->failed || a->freed)
		return -ENOTCONN;
	c = find(a, id);
	if (!c || c->state == SCTP_CHANNEL_CLOSING)
		return -ENOENT;
	if (len > SCTP_MESSAGE_MAX_BYTES)
		return -EMSGSIZE;
	if (len > SCTP_QUEUE_MAX_BYTES - c->queued_bytes ||
	    c->n_queued >= SCTP_QUEUE_MESSAGES_MAX) {
		c->blocked = true;
		return -EAGAIN;
	}
	if (text)
		ppid = len ? SCTP_PPID_STRING : SCTP_PPID_STRING_EMPTY;
	else
		ppid = len ? SCTP_PPID_BINARY : SCTP_PPID_BINARY_EMPTY;
	r = sctp_channel_push(c, ppid, data, len);
	if (r < 0)
		return r;
	kick(a);
	return 0;
}

void sctp_assoc_resume(struct sctp_assoc *a)
{
	if (a->readable && !a->freed)
		kick(a);
}

size_t sctp_assoc_queued(const struct sctp_assoc *a, uint16_t id)
{
	const struct sctp_channel *c = find(a, id);

	return c ? c->queued_bytes : 0;
}

int sctp_assoc_close_channel(struct sctp_assoc *a, uint16_t id)
{
	struct sctp_channel *c = find(a, id);

	if (!c || c->state == SCTP_CHANNEL_CLOSING || a->freed)
		return -ENOENT;
	begin_close(a, c);
	kick(a);
	return 0;
}

bool sctp_assoc_is_meant(const struct sctp_assoc *a, uint16_t id,
			 uint32_t heard)
{
	const struct sctp_channel *c = find(a, id);

	return c && (int32_t) (heard - c->born) >= 0;
}

bool sctp_assoc_is_up(const struct sctp_assoc *a)
{
	return a->up;
}

void sctp_assoc_get_stats(const struct sctp_assoc *a, struct sctp_stats *ret)
{
	*ret = a->stats;
	ret->up = a->up;
	ret->channels = a->n_channels;
}
