// SPDX-License-Identifier: Apache-2.0
#include "webrtc/net-loop.h"

#include <stdlib.h>

#include "webrtc/net-test.h"

/* The network thread allocates nothing per packet: this program's own malloc
 * counts while ten thousand packets travel. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING_HEAP 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTING_HEAP 0
#endif
#endif
#ifndef COUNTING_HEAP
#define COUNTING_HEAP 1
#endif

#if COUNTING_HEAP
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static _Thread_local bool counting;
static _Thread_local unsigned int n_allocations;

void *malloc(size_t size)
{
	n_allocations += counting;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	n_allocations += counting;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	n_allocations += counting;
	return __libc_realloc(p, size);
}
#endif

#if COUNTING_HEAP
#define N_PACKETS 10000

struct flood {
	struct net_loop *loop;
	struct net_socket *socket;
	int fd;
	struct net_path path;
	struct net_timer timer;
	guint n_received;
	guint n_allocations;
	struct net_test_latch done;
};

static void send_some(struct flood *f)
{
	struct net_buffer *buffer = net_buffer_get(f->loop);

	buffer->len = 10 * 1000;
	buffer->segment = 1000;
	net_send(f->loop, &f->path, buffer);
}

/* The timer moves on behalf of pacing; the next ten follow the last ten. */
static void receive_flood(void *user, uint8_t *data, size_t len,
			  const struct sockaddr_storage *from, uint64_t now_us)
{
	struct flood *f = user;

	net_timer_set(f->loop, &f->timer, now_us + 1000000);
	if (++f->n_received == N_PACKETS) {
		counting = false;
		f->n_allocations = n_allocations;
		net_test_count(&f->done, 1);
	} else if (f->n_received % 10 == 0) {
		send_some(f);
	}
}

static void start_flood(void *data)
{
	struct flood *f = data;

	g_assert_cmpint(
		net_socket_new(f->loop, f->fd, receive_flood, f, &f->socket),
		==, 0);
	f->path.socket = f->socket;
	n_allocations = 0;
	counting = true;
	send_some(f);
}

static void test_no_allocation_per_packet(gconstpointer backend)
{
	struct net_loop *loop = net_test_loop(backend, NULL);
	struct flood f = {.loop = loop};
	/* Not the one the compiler thinks to know. */
	void *(*volatile allocate)(size_t) = malloc;
	void *p;

	if (!loop)
		return;
	/* The counter counts. */
	n_allocations = 0;
	counting = true;
	p = allocate(10);
	counting = false;
	g_assert_cmpuint(n_allocations, ==, 1);
	free(p);

	f.fd = net_test_udp(AF_INET, &f.path.addr, &f.path.addr_len);
	net_test_call(loop, start_flood, &f);
	net_test_await(&f.done, 1);
	g_assert_cmpuint(f.n_allocations, ==, 0);
	net_loop_free(loop);
	g_assert_cmpuint(f.path.datagrams, ==, N_PACKETS);
}
#else
static void test_no_allocation_per_packet(gconstpointer backend)
{
	g_test_skip("the sanitizer has the heap");
}
#endif

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	net_test_add("no-allocation", test_no_allocation_per_packet);
	return g_test_run();
}
