// SPDX-License-Identifier: Apache-2.0
/* The network thread's half of an agent. */
#include "webrtc/ice-agent.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Full queue of the network loop: try again after this. */
#define OUTBOX_RETRY_MS 2

#define count(field)                                                           \
	atomic_fetch_add_explicit(&(field), 1, memory_order_relaxed)

/* --- packets ------------------------------------------------------------ */
static bool same_address(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *x = (const void *) a;
		const struct sockaddr_in *y = (const void *) b;

		return x->sin_port == y->sin_port &&
		       x->sin_addr.s_addr == y->sin_addr.s_addr;
	}
	if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *x = (const void *) a;
		const struct sockaddr_in6 *y = (const void *) b;

		return x->sin6_port == y->sin6_port &&
		       memcmp(&x->sin6_addr, &y->sin6_addr, 16) == 0;
	}
	return false;
}

static bool is_known(const struct ice_agent *a,
		     const struct sockaddr_storage *from)
{
	for (unsigned int i = 0; i < a->net.n_sources; i++) {
		if (same_address(&a->net.sources[i], from))
			return true;
	}
	return false;
}

/* RFC 7983: what the kernel's program gives to a sibling. */
static bool is_media(uint8_t first)
{
	return (first >= 20 && first <= 63) || (first >= 128 && first <= 191);
}

/* A browser whose own candidates we cannot read (mDNS) is known by the address
 * its checks come from. The ice thread tells us of it, and its first DTLS
 * record may be here before that: losing it would cost the join a
 * retransmission. */
static void park(struct ice_agent *a, const uint8_t *data, size_t len,
		 const struct sockaddr_storage *from)
{
	struct ice_parked *slot = &a->net.parked[a->net.next_parked];

	if (data[0] >= 128 || len > sizeof(slot->data)) {
		count(a->counters.rx_unknown_source);
		return;
	}
	if (slot->len > 0)
		count(a->counters.rx_unknown_source);
	a->net.next_parked = (a->net.next_parked + 1) % ICE_PARKED_MAX;
	memcpy(slot->data, data, len);
	slot->len = len;
	slot->from = *from;
}

static void on_sibling(void *user, uint8_t *data, size_t len,
		       const struct sockaddr_storage *from, uint64_t now_us)
{
	struct ice_agent *a = user;

	if (len == 0 || !is_media(data[0])) {
		count(a->counters.rx_stun_dropped);
		return;
	}
	if (!is_known(a, from)) {
		park(a, data, len, from);
		return;
	}
	count(a->counters.rx_sibling);
	a->ops->packet(a->user, data, len, from, now_us);
}

/* --- packets by way of libnice ------------------------------------------ */
static void drain(struct ice_thread *t)
{
	struct packet *p;

	packet_ring_begin(&t->rx);
	while ((p = packet_ring_peek(&t->rx))) {
		struct ice_agent *a = p->owner;

		if (!a->net.closed) {
			count(a->counters.rx_callback);
			a->ops->packet(a->user, p->data, p->len,
				       &a->net.path.addr,
				       net_loop_now_us(t->loop));
		}
		packet_ring_pop(&t->rx);
		ice_agent_unref(a);
	}
}

static void drain_posted(void *data)
{
	drain(data);
}

void ice_net_receive(NiceAgent *nice, guint stream, guint component, guint len,
		     gchar *data, gpointer user)
{
	struct ice_agent *a = user;
	struct ice_thread *t = a->thread;
	struct packet *p;

	if (a->ice.closing || len == 0)
		return;
	if (len > PACKET_RING_BYTES) {
		count(a->counters.rx_oversized);
		return;
	}
	p = packet_ring_reserve(&t->rx);
	if (!p) {
		count(a->counters.rx_pool_full);
		return;
	}
	p->owner = ice_agent_ref(a);
	p->len = len;
	memcpy(p->data, data, len);
	if (packet_ring_push(&t->rx) &&
	    net_loop_post(t->loop, drain_posted, t) < 0)
		packet_ring_not_woken(&t->rx);
}

/* Network. The path's relay function. */
static void relay(void *user, const uint8_t *data, size_t len)
{
	struct ice_agent *a = user;
	struct ice_thread *t = a->thread;
	struct packet *p = packet_ring_reserve(&t->tx);
	uint64_t one = 1;

	if (!p || len > PACKET_RING_BYTES) {
		count(a->counters.tx_relay_full);
		return;
	}
	p->owner = ice_agent_ref(a);
	p->len = len;
	memcpy(p->data, data, len);
	if (packet_ring_push(&t->tx) &&
	    write(t->tx_fd, &one, sizeof(one)) != sizeof(one))
		packet_ring_not_woken(&t->tx);
}

/* --- calls from the ice thread ------------------------------------------ */
/* malloc, not GLib: it is freed on the network thread. The last one is part of
 * its agent. */
static void run_on_network(void *data)
{
	struct net_call *call = data;
	struct ice_agent *a = call->agent;

	call->fn(call);
	if (call != &a->closing)
		free(call);
	ice_agent_unref(a);
}

static gboolean flush_outbox(gpointer data)
{
	struct ice_thread *t = data;

	while (!g_queue_is_empty(&t->outbox)) {
		if (net_loop_post(t->loop, run_on_network,
				  g_queue_peek_head(&t->outbox)) < 0)
			return G_SOURCE_CONTINUE;
		g_queue_pop_head(&t->outbox);
	}
	ice_nice_disarm(&t->outbox_timer);
	return G_SOURCE_REMOVE;
}

/* In order, and never lost: what does not fit now waits. */
static void queue_call(struct ice_agent *a, struct net_call *call)
{
	struct ice_thread *t = a->thread;

	call->agent = ice_agent_ref(a);
	g_queue_push_tail(&t->outbox, call);
	if (t->outbox_timer || flush_outbox(t) == G_SOURCE_REMOVE)
		return;
	t->outbox_timer = g_timeout_source_new(OUTBOX_RETRY_MS);
	g_source_set_callback(t->outbox_timer, flush_outbox, t, NULL);
	g_source_attach(t->outbox_timer, t->context);
}

/* Without memory the connection has failed: its owner makes another. */
static bool post(struct ice_agent *a, const struct net_call *call)
{
	struct net_call *copy = malloc(sizeof(*copy));

	if (!copy) {
		ice_nice_fail(a, "no memory");
		return false;
	}
	*copy = *call;
	queue_call(a, copy);
	return true;
}

static void add_socket(struct net_call *call)
{
	struct ice_agent *a = call->agent;

	/* Without it the path falls back to libnice, see set_path(): a
	 * sibling that is closed gives its packets back. */
	if (net_socket_new(a->thread->loop, call->fd,
			   call->receive ? on_sibling : NULL, a,
			   &a->net.sockets[call->index]) < 0)
		a->net.sockets[call->index] = NULL;
}

void ice_net_add_socket(struct ice_agent *a, unsigned int index, int fd,
			bool receive)
{
	struct net_call call = {
		.fn = add_socket,
		.index = (int) index,
		.fd = fd,
		.receive = receive,
	};

	if (!post(a, &call))
		close(fd);
}

static void unpark(struct ice_agent *a, const struct sockaddr_storage *from)
{
	for (unsigned int i = 0; i < ICE_PARKED_MAX; i++) {
		struct ice_parked *slot =
			&a->net.parked[(a->net.next_parked + i) %
				       ICE_PARKED_MAX];
		size_t len = slot->len;

		if (len == 0 || !same_address(&slot->from, from))
			continue;
		slot->len = 0;
		count(a->counters.rx_sibling);
		a->ops->packet(a->user, slot->data, len, &slot->from,
			       net_loop_now_us(a->thread->loop));
	}
}

static void add_source(struct net_call *call)
{
	struct ice_agent *a = call->agent;

	if (is_known(a, &call->addr))
		return;
	/* The oldest gives way; the selected one is added again when it is
	 * selected. */
	a->net.sources[a->net.next_source] = call->addr;
	a->net.next_source = (a->net.next_source + 1) % ICE_SOURCES_MAX;
	if (a->net.n_sources < ICE_SOURCES_MAX)
		a->net.n_sources++;
	unpark(a, &call->addr);
}

static void copy_address(const NiceAddress *address, struct net_call *call)
{
	nice_address_copy_to_sockaddr(address, (struct sockaddr *) &call->addr);
	call->addr_len = call->addr.ss_family == AF_INET6
				 ? sizeof(struct sockaddr_in6)
				 : sizeof(struct sockaddr_in);
}

void ice_net_add_source(struct ice_agent *a, const NiceAddress *address)
{
	struct net_call call = {.fn = add_source};

	copy_address(address, &call);
	post(a, &call);
}

static void set_path(struct net_call *call)
{
	struct ice_agent *a = call->agent;
	struct ice_path path = {0};

	if (call->addr_len == 0) {
		if (a->net.path.kind == ICE_PATH_NONE)
			return;
		a->net.path = path;
		a->ops->path(a->user, &path);
		return;
	}

	path.addr = call->addr;
	path.addr_len = call->addr_len;
	if (call->index >= 0)
		path.socket = a->net.sockets[call->index];
	if (path.socket) {
		path.kind = call->receive ? ICE_PATH_KERNEL : ICE_PATH_CALLBACK;
	} else {
		path.kind = ICE_PATH_RELAYED;
		path.relay = relay;
		path.relay_user = a;
	}
	a->net.path = path;
	a->ops->path(a->user, &path);
	add_source(call);
}

void ice_net_set_path(struct ice_agent *a, int index,
		      const NiceAddress *address)
{
	struct net_call call = {.fn = set_path, .index = index};

	if (address)
		copy_address(address, &call);
	if (index >= 0)
		call.receive = a->ice.sockets[index].sibling;
	post(a, &call);
}

static void drop_sockets(struct net_call *call)
{
	struct ice_agent *a = call->agent;
	struct ice_path none = {0};

	if (a->net.path.kind != ICE_PATH_NONE) {
		a->net.path = none;
		a->ops->path(a->user, &none);
	}
	for (unsigned int i = 0; i < ICE_SOCKETS_MAX; i++)
		a->net.sockets[i] = net_socket_free(a->net.sockets[i]);
}

void ice_net_drop_sockets(struct ice_agent *a)
{
	post(a, &(struct net_call){.fn = drop_sockets});
}

static void close_all(struct net_call *call)
{
	struct ice_agent *a = call->agent;

	drain(a->thread);
	drop_sockets(call);
	a->net.closed = true;
	a->ops->closed(a->user);
	ice_agent_unref(a); /* the owner's */
}

void ice_net_close(struct ice_agent *a)
{
	a->closing.fn = close_all;
	queue_call(a, &a->closing);
}
