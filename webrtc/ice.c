// SPDX-License-Identifier: Apache-2.0
#include "webrtc/ice.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "webrtc/ice-agent.h"

#define CLOSE_LIMIT_US (5 * G_TIME_SPAN_SECOND)

/* --- the thread --------------------------------------------------------- */
struct start {
	struct ice_thread *thread;
	GMutex lock;
	GCond cond;
	bool running;
};

static gpointer run(gpointer data)
{
	struct start *start = data;
	struct ice_thread *t = start->thread;

	/* What GIO resolves for us comes back on this context. The first agent
	 * pays for types and tables of libnice: some milliseconds that are not
	 * to be part of the first join. */
	g_main_context_push_thread_default(t->context);
	g_object_unref(nice_agent_new_full(t->context,
					   NICE_COMPATIBILITY_RFC5245,
					   NICE_AGENT_OPTION_NONE));
	pthread_getcpuclockid(pthread_self(), &t->clock);

	g_mutex_lock(&start->lock);
	start->running = true;
	g_cond_signal(&start->cond);
	g_mutex_unlock(&start->lock);

	g_main_loop_run(t->main);
	g_main_context_pop_thread_default(t->context);
	return NULL;
}

static int start_thread(struct ice_thread *t)
{
	struct start start = {.thread = t};
	GError *error = NULL;

	g_mutex_init(&start.lock);
	g_cond_init(&start.cond);
	t->thread = g_thread_try_new("ice", run, &start, &error);
	if (t->thread) {
		g_mutex_lock(&start.lock);
		while (!start.running)
			g_cond_wait(&start.cond, &start.lock);
		g_mutex_unlock(&start.lock);
	}
	g_mutex_clear(&start.lock);
	g_cond_clear(&start.cond);
	g_clear_error(&error);
	return t->thread ? 0 : -EAGAIN;
}

static int init_rings(struct ice_thread *t, unsigned int n)
{
	int r;

	r = packet_ring_init(&t->rx, n);
	if (r < 0)
		return r;
	r = packet_ring_init(&t->tx, n);
	if (r < 0)
		return r;
	t->tx_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->tx_fd < 0)
		return -errno;
	t->tx_source = g_unix_fd_source_new(t->tx_fd, G_IO_IN);
	g_source_set_callback(t->tx_source,
			      G_SOURCE_FUNC(ice_nice_send_relayed), t, NULL);
	g_source_attach(t->tx_source, t->context);
	return 0;
}

int ice_thread_new(struct ice_thread **ret,
		   const struct ice_thread_config *config)
{
	struct ice_thread *t = g_new0(struct ice_thread, 1);
	int r;

	t->loop = config->loop;
	t->tx_fd = -1;
	t->context = g_main_context_new();
	t->main = g_main_loop_new(t->context, FALSE);
	g_queue_init(&t->outbox);
	g_mutex_init(&t->lock);
	g_cond_init(&t->idle);

	r = init_rings(t, config->n_packets ? config->n_packets
					    : ICE_PACKETS_DEFAULT);
	if (r == 0)
		r = start_thread(t);
	if (r < 0) {
		ice_thread_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void ice_thread_open(struct ice_thread *t)
{
	g_mutex_lock(&t->lock);
	t->open++;
	g_mutex_unlock(&t->lock);
}

void ice_thread_close(struct ice_thread *t)
{
	g_mutex_lock(&t->lock);
	if (--t->open == 0)
		g_cond_signal(&t->idle);
	g_mutex_unlock(&t->lock);
}

static gboolean quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_REMOVE;
}

static void stop_thread(struct ice_thread *t)
{
	gint64 deadline = g_get_monotonic_time() + CLOSE_LIMIT_US;
	GSource *source = g_idle_source_new();

	/* A TURN server that does not answer may hold up a NiceAgent's end,
	 * but not ours. */
	g_mutex_lock(&t->lock);
	while (t->open > 0) {
		if (!g_cond_wait_until(&t->idle, &t->lock, deadline))
			break;
	}
	g_mutex_unlock(&t->lock);

	g_source_set_callback(source, quit, t->main, NULL);
	g_source_attach(source, t->context);
	g_source_unref(source);
	g_thread_join(t->thread);
}

struct ice_thread *ice_thread_free(struct ice_thread *t)
{
	if (!t)
		return NULL;
	if (t->thread)
		stop_thread(t);
	if (t->tx_source) {
		g_source_destroy(t->tx_source);
		g_source_unref(t->tx_source);
	}
	ice_nice_disarm(&t->outbox_timer);
	if (t->tx_fd >= 0)
		close(t->tx_fd);
	packet_ring_done(&t->rx);
	packet_ring_done(&t->tx);
	g_main_loop_unref(t->main);
	g_main_context_unref(t->context);
	g_mutex_clear(&t->lock);
	g_cond_clear(&t->idle);
	g_free(t);
	return NULL;
}

uint64_t ice_thread_get_cpu_ns(struct ice_thread *t)
{
	struct timespec ts;

	if (clock_gettime(t->clock, &ts) < 0)
		return 0;
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* --- an agent's life ---------------------------------------------------- */
struct ice_agent *ice_agent_ref(struct ice_agent *a)
{
	atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void ice_agent_unref(struct ice_agent *a)
{
	struct ice_thread *t = a->thread;

	if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned int i = 0; i < a->n_servers; i++)
		g_free(a->passwords[i]);
	g_strfreev(a->addresses);
	g_free(a);
	ice_thread_close(t);
}

/* --- calls into the ice thread ------------------------------------------ */
struct call {
	struct ice_agent *agent;
	void (*fn)(struct ice_agent *agent, const void *data);
	void *data;
};

static gboolean run_call(gpointer data)
{
	struct call *call = data;

	if (!call->agent->ice.closing)
		call->fn(call->agent, call->data);
	return G_SOURCE_REMOVE;
}

static void free_call(gpointer data)
{
	struct call *call = data;

	ice_agent_unref(call->agent);
	g_free(call->data);
	g_free(call);
}

/* Takes @data. Sources of one priority run in the order they came. */
static void queue_call(struct ice_agent *a,
		       void (*fn)(struct ice_agent *agent, const void *data),
		       void *data)
{
	GSource *source = g_idle_source_new();
	struct call *call = g_new(struct call, 1);

	*call = (struct call){ice_agent_ref(a), fn, data};
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, run_call, call, free_call);
	g_source_attach(source, a->thread->context);
	g_source_unref(source);
}

static void random_token(char *buf, size_t size)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t bytes[32];

	g_assert(size <= sizeof(bytes));
	if (TEMP_FAILURE_RETRY(getrandom(bytes, size, 0)) != (ssize_t) size)
		abort(); /* there is no safe way on without */
	for (size_t i = 0; i + 1 < size; i++)
		buf[i] = alphabet[bytes[i] & 63];
	buf[size - 1] = '\0';
}

static struct ice_credentials *copy_credentials(const char *ufrag,
						const char *pwd)
{
	struct ice_credentials *c = g_new0(struct ice_credentials, 1);

	g_strlcpy(c->ufrag, ufrag, sizeof(c->ufrag));
	g_strlcpy(c->pwd, pwd, sizeof(c->pwd));
	return c;
}

static void new_credentials(struct ice_agent *a)
{
	random_token(a->ufrag, sizeof(a->ufrag));
	random_token(a->pwd, sizeof(a->pwd));
}

/* Servers that say nothing usable are left out: a call without a relay is
 * better than none. */
static void copy_servers(struct ice_agent *a,
			 const struct ice_agent_config *config)
{
	for (unsigned int i = 0; i < config->n_servers; i++) {
		const struct rtc_ice_server *s = &config->servers[i];
		struct ice_url *url = &a->servers[a->n_servers];

		if (a->n_servers == ICE_SERVERS_MAX)
			return;
		if (!s->url || ice_url_parse(s->url, strlen(s->url), url) < 0)
			continue;
		if (!url->user[0] && s->username)
			g_strlcpy(url->user, s->username, sizeof(url->user));
		if (url->scheme == ICE_URL_TURNS ||
		    (url->scheme == ICE_URL_TURN &&
		     (!url->user[0] || !s->credential)))
			continue;
		a->passwords[a->n_servers++] = g_strdup(s->credential);
	}
}

struct ice_agent *ice_agent_new(struct ice_thread *thread,
				const struct ice_agent_config *config)
{
	struct ice_agent *a = g_new0(struct ice_agent, 1);

	atomic_init(&a->refs, 1);
	a->thread = thread;
	a->ops = config->ops;
	a->user = config->user;
	a->controlling = config->controlling;
	a->relay_only = config->relay_only;
	a->loopback = config->loopback;
	a->demux = config->demux;
	a->port_min = config->port_min;
	a->port_max = config->port_max;
	a->addresses = g_strdupv((char **) config->addresses);
	copy_servers(a, config);
	new_credentials(a);

	ice_thread_open(thread);
	queue_call(a, ice_nice_open, copy_credentials(a->ufrag, a->pwd));
	return a;
}

struct ice_agent *ice_agent_free(struct ice_agent *a)
{
	/* The owner's reference goes when the network thread has closed. */
	if (a)
		queue_call(a, ice_nice_close, NULL);
	return NULL;
}

const char *ice_agent_get_ufrag(const struct ice_agent *a)
{
	return a->ufrag;
}

const char *ice_agent_get_pwd(const struct ice_agent *a)
{
	return a->pwd;
}

void ice_agent_gather(struct ice_agent *a)
{
	queue_call(a, ice_nice_gather, NULL);
}

void ice_agent_gather_soon(struct ice_agent *a)
{
	queue_call(a, ice_nice_gather_soon, NULL);
}

void ice_agent_set_controlling(struct ice_agent *a, bool controlling)
{
	queue_call(a, ice_nice_set_controlling,
		   g_memdup2(&controlling, sizeof(controlling)));
}

void ice_agent_set_remote_credentials(struct ice_agent *a, const char *ufrag,
				      const char *pwd)
{
	queue_call(a, ice_nice_set_remote, copy_credentials(ufrag, pwd));
}

void ice_agent_add_remote_candidates(struct ice_agent *a,
				     const struct candidate *candidates,
				     unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!candidate_is_usable(&candidates[i]))
			continue;
		queue_call(a, ice_nice_add_remote,
			   g_memdup2(&candidates[i], sizeof(candidates[i])));
	}
}

void ice_agent_remote_gathering_done(struct ice_agent *a)
{
	queue_call(a, ice_nice_remote_done, NULL);
}

void ice_agent_restart(struct ice_agent *a)
{
	new_credentials(a);
	queue_call(a, ice_nice_restart, copy_credentials(a->ufrag, a->pwd));
}

void ice_agent_set_network(struct ice_agent *a,
			   const struct ice_network *network)
{
	g_autofree char *list =
		network->addresses
			? g_strjoinv(" ", (char **) network->addresses)
			: g_strdup("");
	size_t size = strlen(list) + 1;
	struct ice_network_text *text = g_malloc(sizeof(*text) + size);

	*text = (struct ice_network_text){
		.all_addresses = !network->addresses,
		.loopback = network->loopback,
		.port_min = network->port_min,
		.port_max = network->port_max,
	};
	memcpy(text->addresses, list, size);
	queue_call(a, ice_nice_set_network, text);
}

void ice_agent_get_stats(const struct ice_agent *a, struct ice_agent_stats *ret)
{
	const struct ice_counters *c = &a->counters;

	*ret = (struct ice_agent_stats){
		.kernel_demux = atomic_load(&c->kernel_demux),
		.demux_error = atomic_load(&c->demux_error),
		.sockets = atomic_load(&c->sockets),
		.rx_sibling = atomic_load(&c->rx_sibling),
		.rx_callback = atomic_load(&c->rx_callback),
		.rx_unknown_source = atomic_load(&c->rx_unknown_source),
		.rx_pool_full = atomic_load(&c->rx_pool_full),
		.rx_oversized = atomic_load(&c->rx_oversized),
		.rx_stun_dropped = atomic_load(&c->rx_stun_dropped),
		.tx_relayed = atomic_load(&c->tx_relayed),
		.tx_relay_full = atomic_load(&c->tx_relay_full),
	};
}
