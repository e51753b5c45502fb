// SPDX-License-Identifier: Apache-2.0
#include "webrtc/control-queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct entry {
	void (*run)(void *data);
	void *data;
};

struct control_queue {
	pthread_mutex_t lock;
	struct entry *ring;
	unsigned int n_max, head, n;
	int eventfd;
	GSource *source;
};

struct queue_source {
	GSource base;
	struct control_queue *q;
};

static bool take(struct control_queue *q, struct entry *ret)
{
	bool any;

	pthread_mutex_lock(&q->lock);
	any = q->n > 0;
	if (any) {
		*ret = q->ring[q->head];
		q->head = (q->head + 1) % q->n_max;
		/* Empty, it begins anew: what was never needed at once is
		 * never touched. */
		if (--q->n == 0)
			q->head = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return any;
}

/* Events may post and may free anything but the queue itself. One round takes
 * at most what was there at its beginning, so that a storm of events does not
 * starve the rest of the control thread. */
static void run_queued(struct control_queue *q, bool all)
{
	struct entry e;
	unsigned int n;

	pthread_mutex_lock(&q->lock);
	n = q->n;
	pthread_mutex_unlock(&q->lock);

	while ((all || n-- > 0) && take(q, &e))
		e.run(e.data);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	struct control_queue *q = ((struct queue_source *) source)->q;
	uint64_t count;
	bool more;

	if (read(q->eventfd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		g_warning("event queue: read: %s", g_strerror(errno));
	run_queued(q, false);

	pthread_mutex_lock(&q->lock);
	more = q->n > 0;
	pthread_mutex_unlock(&q->lock);
	if (more)
		eventfd_write(q->eventfd, 1);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs queue_source_funcs = { .dispatch = dispatch };

int control_queue_new(struct control_queue **ret, GMainContext *context,
		      unsigned int n_max)
{
	struct control_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->n_max = n_max;
	q->ring = calloc(n_max, sizeof(*q->ring));
	q->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!q->ring || q->eventfd < 0) {
		int r = q->ring ? -errno : -ENOMEM;

		if (q->eventfd >= 0)
			close(q->eventfd);
		free(q->ring);
		free(q);
		return r;
	}
	pthread_mutex_init(&q->lock, NULL);
	q->source = g_source_new(&queue_source_funcs,
				 sizeof(struct queue_source));
	((struct queue_source *) q->source)->q = q;
	g_source_set_static_name(q->source, "webrtc events");
	g_source_add_unix_fd(q->source, q->eventfd, G_IO_IN);
	g_source_attach(q->source, context);
	*ret = q;
	return 0;
}

struct control_queue *control_queue_free(struct control_queue *q)
{
	if (!q)
		return NULL;
	run_queued(q, true);
	g_source_destroy(q->source);
	g_source_unref(q->source);
	close(q->eventfd);
	pthread_mutex_destroy(&q->lock);
	free(q->ring);
	free(q);
	return NULL;
}

int control_queue_post(struct control_queue *q, void (*run)(void *data),
		       void *data)
{
	bool first;

	pthread_mutex_lock(&q->lock);
	if (q->n == q->n_max) {
		pthread_mutex_unlock(&q->lock);
		return -ENOBUFS;
	}
	q->ring[(q->head + q->n) % q->n_max] =
		(struct entry){ .run = run, .data = data };
	first = q->n++ == 0;
	pthread_mutex_unlock(&q->lock);

	/* Not empty before: the reader has been woken already. */
	if (first)
		eventfd_write(q->eventfd, 1);
	return 0;
}
