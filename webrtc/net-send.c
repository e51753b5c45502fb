// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-backend.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define DATA_BYTES(loop) ((size_t) (loop)->config.n_buffers * NET_BUFFER_BYTES)
#define CHUNK_BYTES(loop)                                                      \
	((size_t) (loop)->config.n_buffers * sizeof(struct net_chunk))

int net_send_init(struct net_loop *loop)
{
	loop->chunks = net_reserve(CHUNK_BYTES(loop));
	loop->chunk_data = net_reserve(DATA_BYTES(loop));
	if (!loop->chunks || !loop->chunk_data)
		return -ENOMEM;
	return 0;
}

void net_send_done(struct net_loop *loop)
{
	loop->chunks = net_unreserve(loop->chunks, CHUNK_BYTES(loop));
	loop->chunk_data = net_unreserve(loop->chunk_data, DATA_BYTES(loop));
}

struct net_buffer *net_buffer_get(struct net_loop *loop)
{
	struct net_chunk *chunk = loop->idle_chunks;

	if (chunk) {
		loop->idle_chunks = chunk->next;
	} else if (loop->n_chunks_touched < loop->config.n_buffers) {
		size_t i = loop->n_chunks_touched++;

		chunk = &loop->chunks[i];
		chunk->buffer.data = loop->chunk_data + i * NET_BUFFER_BYTES;
	} else {
		loop->stats.tx_no_buffer++;
		return NULL;
	}

	loop->n_chunks_in_use++;
	chunk->buffer.len = 0;
	chunk->buffer.segment = 0;
	chunk->buffer.mark = NET_MARK_NONE;
	return &chunk->buffer;
}

void net_buffer_put(struct net_loop *loop, struct net_buffer *buffer)
{
	struct net_chunk *chunk = (struct net_chunk *) buffer;

	/* The one used last is the one whose pages are warm. */
	if (buffer->len > chunk->touched)
		chunk->touched = buffer->len;
	chunk->path = NULL;
	chunk->next = loop->idle_chunks;
	loop->idle_chunks = chunk;
	loop->n_chunks_in_use--;
}

void net_send_trim(struct net_loop *loop)
{
	for (struct net_chunk *c = loop->idle_chunks; c; c = c->next) {
		if (c->touched <= NET_BUFFER_KEEP_BYTES)
			continue;
		c->touched = 0;
		/* Refused it keeps its memory, that is all. */
		madvise(c->buffer.data + NET_BUFFER_KEEP_BYTES,
			NET_BUFFER_BYTES - NET_BUFFER_KEEP_BYTES,
			MADV_DONTNEED);
	}
}

void net_path_set(struct net_path *path, struct net_socket *socket,
		  const struct sockaddr_storage *addr, socklen_t addr_len)
{
	if (socket == path->socket && addr_len == path->addr_len &&
	    (addr_len == 0 || memcmp(addr, &path->addr, addr_len) == 0))
		return;

	path->socket = socket;
	path->addr_len = addr_len;
	if (addr_len)
		memcpy(&path->addr, addr, addr_len);
	path->no_gso = false;
}

void net_path_forget(struct net_loop *loop, struct net_path *path)
{
	for (unsigned int i = 0; i < loop->n_chunks_touched; i++) {
		if (loop->chunks[i].path == path)
			loop->chunks[i].path = NULL;
	}
	path->in_flight = 0;
}

static void count_sent(struct net_loop *loop, struct net_path *path,
		       unsigned int n, size_t bytes)
{
	loop->stats.tx_datagrams += n;
	loop->stats.tx_bytes += bytes;
	if (path) {
		path->datagrams += n;
		path->bytes += bytes;
	}
}

static void count_error(struct net_loop *loop, struct net_path *path, int error)
{
	loop->stats.tx_errors++;
	if (path) {
		path->errors++;
		path->last_error = error;
	}
}

static void count_chunk(struct net_loop *loop, struct net_path *path)
{
	loop->stats.tx_chunks++;
	if (path)
		path->chunks++;
}

static size_t get_stride(const struct net_buffer *buffer)
{
	return buffer->segment && buffer->segment < buffer->len
		       ? buffer->segment
		       : buffer->len;
}

void net_loop_set_dscp(struct net_loop *loop, enum net_mark mark, uint8_t dscp)
{
	atomic_store_explicit(&loop->dscp[mark], dscp & 63,
			      memory_order_relaxed);
}

/* Appends one control message to those of @msg. */
static void add_control(struct net_chunk *chunk, struct msghdr *msg, int level,
			int type, const void *value, size_t len)
{
	struct cmsghdr cmsg = {
		.cmsg_len = CMSG_LEN(len),
		.cmsg_level = level,
		.cmsg_type = type,
	};
	char *at = chunk->control + msg->msg_controllen;

	msg->msg_control = chunk->control;
	msg->msg_controllen += CMSG_SPACE(len);
	memcpy(at, &cmsg, sizeof(cmsg));
	memcpy(at + CMSG_LEN(0), value, len);
}

/* IPv4 calls it TOS and IPv6 traffic class; the code point is its upper six
 * bits, and the kernel keeps the lower two (ECN) for itself. */
static void add_tos(struct net_chunk *chunk, struct msghdr *msg)
{
	bool v6 = chunk->addr.ss_family == AF_INET6;

	if (chunk->tos)
		add_control(chunk, msg, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			    v6 ? IPV6_TCLASS : IP_TOS, &chunk->tos,
			    sizeof(chunk->tos));
}

/* All datagrams in one message; with the cmsg only where it is needed, since
 * alone it makes a single datagram 12 % dearer. */
static void prepare_whole(struct net_chunk *chunk)
{
	struct msghdr *msg = &chunk->messages[0].msg_hdr;
	uint16_t segment = chunk->buffer.segment;

	chunk->iov[0].iov_base = chunk->buffer.data;
	chunk->iov[0].iov_len = chunk->buffer.len;
	msg->msg_iov = &chunk->iov[0];
	msg->msg_iovlen = 1;
	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	chunk->gso = chunk->n_datagrams > 1;
	chunk->n_messages = chunk->n_left = 1;
	if (chunk->gso)
		add_control(chunk, msg, IPPROTO_UDP, UDP_SEGMENT, &segment,
			    sizeof(segment));
	add_tos(chunk, msg);
}

static void prepare_singles(struct net_chunk *chunk)
{
	size_t stride = get_stride(&chunk->buffer);
	socklen_t addr_len = chunk->messages[0].msg_hdr.msg_namelen;

	for (unsigned int i = 0; i < chunk->n_datagrams; i++) {
		struct msghdr *msg = &chunk->messages[i].msg_hdr;
		size_t at = i * stride;
		size_t left = chunk->buffer.len - at;

		chunk->iov[i].iov_base = chunk->buffer.data + at;
		chunk->iov[i].iov_len = left < stride ? left : stride;
		memset(msg, 0, sizeof(*msg));
		msg->msg_name = &chunk->addr;
		msg->msg_namelen = addr_len;
		msg->msg_iov = &chunk->iov[i];
		msg->msg_iovlen = 1;
		add_tos(chunk, msg);
	}
	chunk->gso = false;
	chunk->n_messages = chunk->n_left = chunk->n_datagrams;
}

static void prepare(struct net_loop *loop, struct net_chunk *chunk)
{
	struct net_path *path = chunk->path;
	struct msghdr *msg = &chunk->messages[0].msg_hdr;

	memcpy(&chunk->addr, &path->addr, path->addr_len);
	msg->msg_name = &chunk->addr;
	msg->msg_namelen = path->addr_len;
	msg->msg_flags = 0;
	chunk->tos = atomic_load_explicit(&loop->dscp[chunk->buffer.mark],
					  memory_order_relaxed)
		     << 2;

	/* A path that has worked before will work again: its success may wait
	 * for the next event, and saves this tick a wake-up. */
	chunk->quiet = path->chunks > 0;
	chunk->any_sent = false;
	if (chunk->n_datagrams > 1 && (loop->config.no_gso || path->no_gso ||
				       chunk->buffer.len > NET_UDP_BYTES_MAX))
		prepare_singles(chunk);
	else
		prepare_whole(chunk);
}

static void relay(struct net_loop *loop, struct net_path *path,
		  struct net_chunk *chunk)
{
	size_t stride = get_stride(&chunk->buffer);

	if (!path->relay) {
		count_error(loop, path, -ENOTCONN);
		return;
	}
	for (size_t at = 0; at < chunk->buffer.len; at += stride) {
		size_t left = chunk->buffer.len - at;
		size_t len = left < stride ? left : stride;

		path->relay(path->relay_user, chunk->buffer.data + at, len);
		count_sent(loop, path, 1, len);
	}
	count_chunk(loop, path);
}

void net_send(struct net_loop *loop, struct net_path *path,
	      struct net_buffer *buffer)
{
	struct net_chunk *chunk = (struct net_chunk *) buffer;
	size_t stride = get_stride(buffer), n;

	assert(buffer->len <= NET_BUFFER_BYTES);
	if (buffer->len == 0) {
		net_buffer_put(loop, buffer);
		return;
	}

	n = (buffer->len + stride - 1) / stride;
	if (n > NET_SEGMENTS_MAX) {
		count_error(loop, path, -E2BIG);
		net_buffer_put(loop, buffer);
		return;
	}
	chunk->n_datagrams = n;

	if (!path->socket) {
		relay(loop, path, chunk);
		net_buffer_put(loop, buffer);
		return;
	}
	if (path->socket->closing) {
		count_error(loop, path, -EBADF);
		net_buffer_put(loop, buffer);
		return;
	}

	chunk->path = path;
	chunk->socket = path->socket;
	net_socket_ref(chunk->socket);
	path->in_flight++;
	prepare(loop, chunk);
	loop->ops->send(loop, chunk);
}

/* What a kernel or device says that cannot segment for this destination. */
static bool is_gso_refusal(int res)
{
	return res == -EIO || res == -EMSGSIZE || res == -EINVAL;
}

static void finish(struct net_loop *loop, struct net_chunk *chunk)
{
	struct net_socket *socket = chunk->socket;

	if (chunk->any_sent)
		count_chunk(loop, chunk->path);
	if (chunk->path)
		chunk->path->in_flight--;
	net_buffer_put(loop, &chunk->buffer);
	net_socket_unref(socket);
}

void net_chunk_done(struct net_loop *loop, struct net_chunk *chunk, int res)
{
	if (chunk->gso && is_gso_refusal(res)) {
		loop->stats.tx_gso_refused++;
		if (chunk->path)
			chunk->path->no_gso = true;
		prepare_singles(chunk);
		loop->ops->send(loop, chunk);
		return;
	}

	if (res < 0) {
		count_error(loop, chunk->path, res);
	} else {
		chunk->any_sent = true;
		count_sent(loop, chunk->path,
			   chunk->gso ? chunk->n_datagrams : 1, res);
	}
	if (--chunk->n_left == 0)
		finish(loop, chunk);
}
