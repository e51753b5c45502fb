// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-send.h"

#include <errno.h>
#include <string.h>

/* A slice whose last chunk would be lost is made smaller, in such steps (what
 * base64 leaves without padding) and at most so often. */
#define SLICE_STEP  3
#define SLICE_TRIES 64

void transfer_send_init(struct transfer_send *t, const char *self_id,
			TransferRequest *request, const TransferSource *source,
			struct transfer_scratch *scratch,
			const struct transfer_send_ops *ops, void *user)
{
	*t = (struct transfer_send){
		.request = *request,
		.source = source,
		.scratch = scratch,
		.ops = ops,
		.user = user,
		.window = 1,
		.due_us = -1,
		.self_id = g_strdup(self_id),
	};
	request->id = request->name = request->mime_type = NULL;
	t->n_chunks = transfer_request_count_chunks(&t->request);
}

void transfer_send_done(struct transfer_send *t)
{
	transfer_request_clear(&t->request);
	g_clear_pointer(&t->self_id, g_free);
	g_clear_pointer(&t->error, g_free);
}

static void end(struct transfer_send *t, enum transfer_send_state state,
		const char *why)
{
	t->state = state;
	t->due_us = -1;
	t->blocked = FALSE;
	t->error = g_strdup(why);
}

static void await(struct transfer_send *t, gint64 now_us)
{
	t->due_us = now_us + t->request.timeout_s * G_USEC_PER_SEC;
}

static const char *shown_name(const struct transfer_send *t)
{
	return t->request.name ? t->request.name : t->request.id;
}

/* Ends it here, and there as well. */
static void fail(struct transfer_send *t, const char *why)
{
	if (t->state != TRANSFER_SEND_WAITING)
		t->ops->say(t->user,
			    dt_message_build_error(t->self_id, shown_name(t),
						   why, TRUE));
	end(t, TRANSFER_SEND_FAILED, why);
}

/* --- chunks -------------------------------------------------------------- */
/* Return: bytes of chunk @n, all of them, or negative errno. */
static gssize read_slice(const struct transfer_send *t, guint64 n)
{
	guint64 offset = n * t->request.slice;
	gsize want = (gsize) MIN(t->request.slice, t->request.size - offset);
	gsize have = 0;

	while (have < want) {
		gssize r = t->source->read(t->source->user, offset + have,
					   t->scratch->raw + have,
					   want - have);

		if (r < 0)
			return r;
		if (r == 0)
			return -ENODATA;
		have += (gsize) r;
	}
	return (gssize) have;
}

static gboolean is_ascii(const guint8 *data, gsize len)
{
	for (gsize i = 0; i < len; i++)
		if (data[i] == 0 || data[i] > 127)
			return FALSE;
	return TRUE;
}

/* Chunk @n as it is to leave. Return: its length, or negative errno: -EILSEQ
 * for a text that is none. */
static gssize make_chunk(const struct transfer_send *t, guint64 n,
			 const void **ret)
{
	gint state = 0, save = 0;
	gssize len = read_slice(t, n);
	gsize made;

	*ret = t->scratch->raw;
	if (len < 0 || t->request.binary)
		return len;
	if (t->request.kind == TRANSFER_DATA_URL)
		return is_ascii(t->scratch->raw, (gsize) len) ? len : -EILSEQ;
	made = g_base64_encode_step(t->scratch->raw, (gsize) len, FALSE,
				    t->scratch->text, &state, &save);
	made += g_base64_encode_close(FALSE, t->scratch->text + made, &state,
				      &save);
	*ret = t->scratch->text;
	return (gssize) made;
}

static void fail_at_source(struct transfer_send *t, int error)
{
	g_autofree char *why = NULL;

	if (error == -ENODATA)
		why = g_strdup("What is sent has become shorter meanwhile");
	else if (error == -EILSEQ)
		why = g_strdup("A data URL is plain ASCII text; other "
			       "characters must be percent-encoded");
	else
		why = g_strdup_printf("What is sent cannot be read: %s",
				      g_strerror(-error));
	fail(t, why);
}

static gboolean is_lost(const struct transfer_send *t, const void *chunk,
			gssize len)
{
	return !t->request.binary &&
	       transfer_text_is_lost(chunk, (gsize) len, t->request.generation);
}

/* The last chunk may be short enough to look like a number. Then another size
 * of chunks is taken, which moves its beginning. FALSE: it has ended. */
static gboolean settle_slice(struct transfer_send *t)
{
	const void *chunk;

	for (guint i = 0; !t->request.binary && i < SLICE_TRIES; i++) {
		gssize len = make_chunk(t, t->n_chunks - 1, &chunk);

		if (len < 0) {
			fail_at_source(t, (int) len);
			return FALSE;
		}
		if (!is_lost(t, chunk, len) || t->n_chunks == 1)
			break;
		transfer_request_set_slice(&t->request,
					   t->request.slice - SLICE_STEP);
		t->n_chunks = transfer_request_count_chunks(&t->request);
	}
	return TRUE;
}

static void fail_at_channel(struct transfer_send *t, int error)
{
	g_autofree char *why = g_strdup_printf("The channel takes no data: %s",
					       g_strerror(-error));

	fail(t, why);
}

/* FALSE: no more for now. */
static gboolean send_next(struct transfer_send *t)
{
	const void *chunk;
	gssize len = make_chunk(t, t->n_sent, &chunk);
	int r;

	if (len < 0) {
		fail_at_source(t, (int) len);
		return FALSE;
	}
	if (is_lost(t, chunk, len)) {
		fail(t, "A part of this text would be taken for a control "
			"message by the peer's version of SkylinkJS");
		return FALSE;
	}
	r = t->ops->chunk(t->user, !t->request.binary, chunk, (gsize) len);
	if (r == 0) {
		t->n_sent++;
		return TRUE;
	}
	if (r == -EAGAIN)
		t->blocked = TRUE;
	else
		fail_at_channel(t, r);
	return FALSE;
}

static void send_more(struct transfer_send *t)
{
	t->blocked = FALSE;
	while (t->state == TRANSFER_SEND_RUNNING && t->n_sent < t->n_chunks &&
	       t->n_sent - t->n_acked < t->window)
		if (!send_next(t))
			return;
}

/* --- what happens -------------------------------------------------------- */
void transfer_send_start(struct transfer_send *t,
			 const TransferAddress *address, gint64 now_us)
{
	if (t->state != TRANSFER_SEND_WAITING || !settle_slice(t))
		return;
	t->ops->say(t->user, transfer_request_build(&t->request, address));
	t->state = TRANSFER_SEND_ASKED;
	await(t, now_us);
}

void transfer_send_ack(struct transfer_send *t, gint64 n, guint window,
		       gint64 now_us)
{
	if (t->state == TRANSFER_SEND_ASKED && n < 0) {
		end(t, TRANSFER_SEND_REJECTED,
		    "The peer has rejected the request");
		return;
	}
	if (t->state == TRANSFER_SEND_ASKED && n == 0) {
		t->state = TRANSFER_SEND_RUNNING;
	} else if (t->state != TRANSFER_SEND_RUNNING || n < 0 ||
		   (guint64) n <= t->n_acked) {
		return;		/* a late or repeated one */
	}
	if ((guint64) n > t->n_sent) {
		fail(t, "The peer acknowledges what was never sent");
		return;
	}
	if (t->request.window && window)
		t->window = MIN(window, t->request.window);
	t->n_acked = (guint64) n;
	await(t, now_us);
	if (t->n_acked == t->n_chunks)
		end(t, TRANSFER_SEND_DONE, NULL);
	else
		send_more(t);
}

void transfer_send_writable(struct transfer_send *t, gint64 now_us)
{
	if (!t->blocked)
		return;
	await(t, now_us);
	send_more(t);
}

void transfer_send_peer_cancelled(struct transfer_send *t, const char *content)
{
	if (!transfer_send_is_over(t))
		end(t, TRANSFER_SEND_CANCELLED,
		    content ? content : "The peer has cancelled");
}

void transfer_send_peer_failed(struct transfer_send *t, const char *content)
{
	if (!transfer_send_is_over(t))
		end(t, TRANSFER_SEND_FAILED,
		    content ? content : "The peer reports an error");
}

void transfer_send_cancel(struct transfer_send *t)
{
	if (transfer_send_is_over(t))
		return;
	if (t->state != TRANSFER_SEND_WAITING)
		t->ops->say(t->user,
			    dt_message_build_cancel(
				    t->self_id, shown_name(t),
				    "Peer cancelled upload transfer"));
	end(t, TRANSFER_SEND_CANCELLED, "Cancelled here");
}

void transfer_send_lost(struct transfer_send *t, const char *why)
{
	if (!transfer_send_is_over(t))
		end(t, TRANSFER_SEND_FAILED, why);
}

void transfer_send_tick(struct transfer_send *t, gint64 now_us)
{
	g_autofree char *why = NULL;

	if (t->due_us < 0 || now_us < t->due_us)
		return;
	why = g_strdup_printf("Connection Timeout. Longer than %u seconds. "
			      "Connection is abolished.",
			      t->request.timeout_s);
	fail(t, why);
}

gboolean transfer_send_is_over(const struct transfer_send *t)
{
	return t->state >= TRANSFER_SEND_DONE;
}

guint64 transfer_send_get_bytes(const struct transfer_send *t)
{
	return MIN(t->request.size, t->n_acked * t->request.slice);
}
