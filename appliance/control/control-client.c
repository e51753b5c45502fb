// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "appliance/control/control-server.h"

#define READ_MAX_BYTES	 (64u << 10)	/* per turn: others wait too */
#define PAUSE_ABOVE_BYTES (256u << 10)	/* unsent: read no more */
#define WRITE_VECTORS	 16

struct queued_line {
	GBytes *bytes;
	int fd[CONTROL_FDS_MAX];	/* go with its first byte */
	unsigned int n_fds;
};

struct client_source {
	GSource base;
	ControlClient *client;		/* borrowed: outlives its source */
};

static gboolean client_dispatch(GSource *source, GSourceFunc callback,
				gpointer data);

/* GLib takes this table without const and does not write to it. */
static GSourceFuncs client_source_funcs = {.dispatch = client_dispatch};

static gboolean is_paused(const ControlClient *c)
{
	return c->queued_bytes > PAUSE_ABOVE_BYTES ||
	       c->n_calls >= CONTROL_CALLS_MAX;
}

/* Descriptors that left are the receiver's by now, too. */
static void close_fds(struct queued_line *line)
{
	for (unsigned int i = 0; i < line->n_fds; i++)
		close(line->fd[i]);
	line->n_fds = 0;
}

static void queued_line_free(struct queued_line *line)
{
	close_fds(line);
	g_bytes_unref(line->bytes);
	g_free(line);
}

static void close_because(ControlClient *c, gboolean slow)
{
	struct queued_line *line;

	if (c->fd < 0)
		return;
	g_source_destroy(c->source);
	g_clear_pointer(&c->source, g_source_unref);
	close(c->fd);
	c->fd = -1;
	while ((line = g_queue_pop_head(&c->queue)))
		queued_line_free(line);
	c->queued_bytes = 0;
	control_fd_queue_clear(&c->fds);
	if (c->ops->closed)
		c->ops->closed(c, slow);
}

gboolean control_client_is_open(const ControlClient *client)
{
	return client->fd >= 0;
}

/* Nothing more can come, and nothing is owed. */
static gboolean is_over(const ControlClient *c)
{
	if (c->finishing)
		return c->queued_bytes == 0;
	/* Half closed: "echo ... | nc" still gets its answer, and its events
	 * until it hangs up. */
	return c->eof && c->queued_bytes == 0 && c->n_calls == 0 &&
	       control_subscription_is_empty(c->subscription);
}

static void update_events(ControlClient *c)
{
	GIOCondition want = 0;

	if (c->fd < 0)
		return;
	if (!c->eof && !c->finishing && !is_paused(c))
		want |= G_IO_IN;
	if (c->queued_bytes)
		want |= G_IO_OUT;
	g_source_modify_unix_fd(c->source, c->tag, want);
}

/* Hands on the lines that are there. Answers may pause it; whoever ends the
 * pause calls again. */
static void process_lines(ControlClient *c)
{
	struct control_fds fds = {0};
	const char *text;
	size_t len;
	int r;

	/* A handler that answers at once ends up here again: once is enough,
	 * or a chain of calls would be a chain of stack frames. */
	if (c->processing)
		return;
	c->processing = TRUE;
	while (c->fd >= 0 && !c->finishing && !is_paused(c)) {
		r = control_line_next(&c->lines, &text, &len);
		if (r == 0)
			break;
		control_fd_queue_claim(&c->fds,
				       control_line_position(&c->lines), &fds);
		if (r < 0)
			c->ops->long_line(c);
		else if (len)
			c->ops->line(c, text, len, &fds);
		control_fds_clear(&fds);
	}
	c->processing = FALSE;
}

/* Return: FALSE when the client is broken. */
static gboolean read_some(ControlClient *c)
{
	size_t total = 0;

	while (total < READ_MAX_BYTES && !c->eof && c->fd >= 0 &&
	       !c->finishing && !is_paused(c)) {
		ssize_t n = control_fd_queue_read(&c->fds, &c->lines, c->fd,
						  MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0) {
			c->eof = TRUE;
			break;
		}
		c->bytes_in += (guint64) n;
		total += (size_t) n;
		process_lines(c);
	}
	return TRUE;
}

static void forget_sent(ControlClient *c, size_t n)
{
	c->bytes_out += n;
	c->queued_bytes -= n;
	while (n) {
		struct queued_line *head = g_queue_peek_head(&c->queue);
		size_t left = g_bytes_get_size(head->bytes) - c->head_sent;

		close_fds(head);
		if (n < left) {
			c->head_sent += n;
			return;
		}
		n -= left;
		c->head_sent = 0;
		queued_line_free(g_queue_pop_head(&c->queue));
	}
}

/* As many lines at once as need no descriptors. */
static ssize_t send_lines(ControlClient *c)
{
	struct iovec vectors[WRITE_VECTORS];
	struct msghdr message = {.msg_iov = vectors};
	size_t skip = c->head_sent;

	for (GList *l = c->queue.head;
	     l && message.msg_iovlen < WRITE_VECTORS; l = l->next) {
		const struct queued_line *line = l->data;
		size_t size;
		const guint8 *data = g_bytes_get_data(line->bytes, &size);

		if (line->n_fds && l != c->queue.head)
			break;
		if (line->n_fds)
			return control_fds_send(c->fd, data + skip,
						size - skip, MSG_DONTWAIT,
						line->fd, line->n_fds);
		vectors[message.msg_iovlen].iov_base = (void *) (data + skip);
		vectors[message.msg_iovlen++].iov_len = size - skip;
		skip = 0;
	}
	return sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static gboolean write_some(ControlClient *c)
{
	while (c->queued_bytes) {
		ssize_t n = send_lines(c);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		forget_sent(c, (size_t) n);
	}
	return TRUE;
}

void control_client_close(ControlClient *client)
{
	/* The last answers, as far as the socket takes them at once. */
	if (client->fd >= 0)
		write_some(client);
	close_because(client, FALSE);
}

static gboolean client_dispatch(GSource *source, GSourceFunc callback,
				gpointer data)
{
	g_autoptr(ControlClient) c =
		control_client_ref(((struct client_source *) source)->client);
	GIOCondition is = g_source_query_unix_fd(source, c->tag);
	gboolean ok = TRUE;

	g_source_set_ready_time(source, -1);
	if (is & G_IO_OUT)
		ok = write_some(c);
	if (ok && c->fd >= 0) {
		process_lines(c);	/* what a pause left behind */
		ok = read_some(c);
	}
	if (c->fd < 0)
		return G_SOURCE_REMOVE;
	/* Hung up: what it sent before was read above, unless it is paused,
	 * and then nobody is left to read the answers. */
	if (is & (G_IO_HUP | G_IO_ERR) && (c->eof || is_paused(c)))
		ok = FALSE;
	if (!ok || is_over(c)) {
		control_client_close(c);
		return G_SOURCE_REMOVE;
	}
	update_events(c);
	return G_SOURCE_CONTINUE;
}

ControlClient *control_client_new(GMainContext *context, int fd,
				  ControlRole role,
				  const struct control_client_ops *ops,
				  gpointer server)
{
	ControlClient *c = g_new0(ControlClient, 1);

	g_atomic_ref_count_init(&c->refs);
	c->fd = fd;
	c->ops = ops;
	c->server = server;
	c->role = role;
	control_line_init(&c->lines, CONTROL_LINE_MAX_BYTES);
	g_queue_init(&c->queue);
	c->source = g_source_new(&client_source_funcs,
				 sizeof(struct client_source));
	((struct client_source *) c->source)->client = c;
	c->tag = g_source_add_unix_fd(c->source, fd, G_IO_IN);
	g_source_attach(c->source, context);
	return c;
}

ControlClient *control_client_ref(ControlClient *client)
{
	g_atomic_ref_count_inc(&client->refs);
	return client;
}

void control_client_unref(ControlClient *client)
{
	if (!g_atomic_ref_count_dec(&client->refs))
		return;
	g_assert(client->fd < 0);
	control_line_done(&client->lines);
	control_subscription_free(client->subscription);
	g_free(client);
}

void control_client_send_fds(ControlClient *client, GBytes *bytes,
			     const int *fds, unsigned int n_fds)
{
	struct queued_line *line = g_new0(struct queued_line, 1);
	size_t size = g_bytes_get_size(bytes);

	g_assert(n_fds <= CONTROL_FDS_MAX);
	line->bytes = g_bytes_ref(bytes);
	line->n_fds = n_fds;
	for (unsigned int i = 0; i < n_fds; i++)
		line->fd[i] = fds[i];
	if (client->fd < 0) {
		queued_line_free(line);
		return;
	}
	if (client->queued_bytes + size > CONTROL_QUEUE_MAX_BYTES) {
		queued_line_free(line);
		close_because(client, TRUE);
		return;
	}
	g_queue_push_tail(&client->queue, line);
	client->queued_bytes += size;
	update_events(client);
}

void control_client_send(ControlClient *client, GBytes *line)
{
	control_client_send_fds(client, line, NULL, 0);
}

void control_client_call_done(ControlClient *client)
{
	g_assert(client->n_calls);
	client->n_calls--;
	/* Not from here: the caller may be anywhere. */
	if (client->fd >= 0 && !client->processing)
		g_source_set_ready_time(client->source, 0);
}

void control_client_finish(ControlClient *client)
{
	client->finishing = TRUE;
	if (client->fd >= 0)
		g_source_set_ready_time(client->source, 0);
}
