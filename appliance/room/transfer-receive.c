// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-receive.h"

#include <string.h>

#include "appliance/room/transfer-base64.h"

/* A sink and who waits for its answer; whichever of the two goes last frees
 * it. Until it was told to finish it goes with its transfer; after that when
 * the transfer is called off, and then it answers no more. */
struct transfer_keeping {
	TransferSink sink;
	struct transfer_receive *transfer;	/* NULL: it went meanwhile */
	gboolean finishing;
};

static void release_sink(struct transfer_keeping *k)
{
	if (k->sink.free)
		k->sink.free(k->sink.user);
	g_free(k);
}

static void drop_keeping(struct transfer_receive *t, gboolean discard)
{
	struct transfer_keeping *k = g_steal_pointer(&t->keeping);

	if (!k)
		return;
	k->transfer = NULL;
	if (!k->finishing || discard)
		release_sink(k);
}

void transfer_receive_init(struct transfer_receive *t, const char *self_id,
			   const char *id, TransferRequest *request,
			   const struct transfer_receive_ops *ops, void *user)
{
	*t = (struct transfer_receive){
		.request = *request,
		.ops = ops,
		.user = user,
		.self_id = g_strdup(self_id),
		.id = g_strdup(id),
	};
	request->id = request->name = request->mime_type = NULL;
	t->due_us = ops->now_us(user) + t->request.timeout_s * G_USEC_PER_SEC;
}

void transfer_receive_done(struct transfer_receive *t)
{
	drop_keeping(t, FALSE);
	transfer_request_clear(&t->request);
	g_clear_pointer(&t->self_id, g_free);
	g_clear_pointer(&t->id, g_free);
	g_clear_pointer(&t->error, g_free);
	g_clear_pointer(&t->info, json_object_unref);
}

static void end(struct transfer_receive *t, enum transfer_receive_state state,
		const char *why)
{
	t->state = state;
	t->due_us = -1;
	t->error = g_strdup(why);
	drop_keeping(t, TRUE);
}

static const char *shown_name(const struct transfer_receive *t)
{
	return t->request.name ? t->request.name : t->id;
}

static void fail(struct transfer_receive *t, const char *why)
{
	t->ops->say(t->user, dt_message_build_error(t->self_id, shown_name(t),
						    why, FALSE));
	end(t, TRANSFER_RECEIVE_FAILED, why);
}

static void await(struct transfer_receive *t)
{
	t->due_us = t->ops->now_us(t->user) +
		    t->request.timeout_s * G_USEC_PER_SEC;
}

static void acknowledge(struct transfer_receive *t, guint window)
{
	t->n_acked = t->n_chunks;
	t->ops->say(t->user, dt_message_build_ack(
				     t->self_id, (gint64) t->n_chunks, window));
}

/* --- the end ------------------------------------------------------------- */
static void on_kept(void *user, JsonObject *info, const GError *error)
{
	struct transfer_keeping *k = user;
	struct transfer_receive *t = k->transfer;
	g_autofree char *why = NULL;

	if (t) {
		t->keeping = NULL;
		if (error) {
			why = g_strdup_printf("It could not be kept: %s",
					      error->message);
			fail(t, why);
		} else {
			t->info = info ? json_object_ref(info) : NULL;
			acknowledge(t, 0);
			end(t, TRANSFER_RECEIVE_DONE, NULL);
		}
	}
	if (info)
		json_object_unref(info);
	release_sink(k);
	if (t)
		t->ops->finished(t->user);
}

static void finish(struct transfer_receive *t)
{
	struct transfer_keeping *k = t->keeping;

	t->state = TRANSFER_RECEIVE_FINISHING;
	t->due_us = -1;
	k->finishing = TRUE;
	k->sink.finish(k->sink.user, on_kept, k);
}

/* --- what is still missing ----------------------------------------------- */
/* SkylinkJS cuts data into slices and forgets a last one of a single byte. */
static gboolean is_last_byte_missing(const struct transfer_receive *t)
{
	static const guint64 slices[] = {
		TRANSFER_BASE64_SLICE,	TRANSFER_BASE64_SLICE_MOZ,
		TRANSFER_BINARY_SLICE, TRANSFER_BINARY_SLICE_MOZ,
		TRANSFER_TEXT_SLICE,
	};

	if (t->n_bytes + 1 != t->request.size || !t->n_bytes)
		return FALSE;
	for (guint i = 0; i < G_N_ELEMENTS(slices); i++)
		if (t->n_bytes % slices[i] == 0)
			return TRUE;
	return FALSE;
}

/* @what: the event that ended it. Return: (transfer full). */
static char *explain(const struct transfer_receive *t, const char *what)
{
	if (t->state != TRANSFER_RECEIVE_RUNNING)
		return g_strdup(what);
	if (is_last_byte_missing(t))
		return g_strdup_printf(
			"%s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			" bytes are here: the sender's SkylinkJS never sends "
			"the last byte of data of this size (a known defect)",
			what, t->n_bytes, t->request.size);
	return g_strdup_printf("%s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
			       " bytes are here",
			       what, t->n_bytes, t->request.size);
}

/* Generation 1 ends by a chunk that is not full, whatever size it told: its
 * mobile siblings round that in other ways. Others count. */
static gboolean is_last(const struct transfer_receive *t, gsize len)
{
	if (t->n_bytes >= t->request.size)
		return TRUE;
	return t->request.generation == TRANSFER_GENERATION_1 &&
	       t->request.kind == TRANSFER_BLOB && t->request.chunk_size &&
	       t->n_bytes + 2 >= t->request.size &&
	       (len + 2) / 3 * 4 != t->request.chunk_size;
}

/* JavaScript counts UTF-16 units. @text is valid UTF-8. */
static gsize count_units(const guint8 *text, gsize len)
{
	gsize n = 0;

	for (gsize i = 0; i < len; i++)
		n += ((text[i] & 0xc0) != 0x80) + (text[i] >= 0xf0);
	return n;
}

static void keep(struct transfer_receive *t, const guint8 *data, gsize len,
		 gsize units)
{
	struct transfer_keeping *k = t->keeping;
	g_autofree char *why = NULL;
	int r;

	if (units > t->request.size - t->n_bytes) {
		fail(t, "More data came than was announced");
		return;
	}
	r = k->sink.write(k->sink.user, data, len);
	if (r < 0) {
		why = g_strdup_printf("It cannot be written: %s",
				      g_strerror(-r));
		fail(t, why);
		return;
	}
	t->n_bytes += units;
	t->n_chunks++;
	if (is_last(t, len)) {
		finish(t);
		return;
	}
	if (units)	/* nothing is no sign of life */
		await(t);
	if (!t->window || t->n_chunks - t->n_acked >= MAX(1, t->window / 4))
		acknowledge(t, t->window);
}

void transfer_receive_chunk(struct transfer_receive *t, gboolean text,
			    const guint8 *data, gsize len)
{
	g_autofree guint8 *bytes = NULL;
	gssize n;

	if (t->state != TRANSFER_RECEIVE_RUNNING) {
		if (t->state == TRANSFER_RECEIVE_ASKED)
			fail(t, "Data came before it was accepted");
		return;
	}
	if (len > TRANSFER_CHUNK_MAX_RECEIVED) {
		fail(t, "A chunk is too large");
		return;
	}
	if (t->request.kind == TRANSFER_DATA_URL && text) {
		keep(t, data, len, count_units(data, len));
		return;
	}
	/* As SkylinkJS: bytes are bytes, whatever was announced. */
	if (!text) {
		keep(t, data, len, len);
		return;
	}
	bytes = g_malloc(len / 4 * 3 + 3);
	n = transfer_base64_decode((const char *) data, len, bytes);
	if (n < 0)
		fail(t, "A chunk is no base64");
	else
		keep(t, bytes, (gsize) n, (gsize) n);
}

/* --- what happens -------------------------------------------------------- */
gboolean transfer_receive_accept(struct transfer_receive *t, TransferSink sink)
{
	if (t->state != TRANSFER_RECEIVE_ASKED) {
		if (sink.free)
			sink.free(sink.user);
		return FALSE;
	}
	t->keeping = g_new0(struct transfer_keeping, 1);
	t->keeping->sink = sink;
	t->keeping->transfer = t;
	t->state = TRANSFER_RECEIVE_RUNNING;
	t->window = t->request.window;
	await(t);
	acknowledge(t, t->window);
	return TRUE;
}

gboolean transfer_receive_reject(struct transfer_receive *t, const char *why)
{
	if (t->state != TRANSFER_RECEIVE_ASKED)
		return FALSE;
	t->ops->say(t->user, dt_message_build_ack(t->self_id, -1, 0));
	end(t, TRANSFER_RECEIVE_REJECTED, why);
	return TRUE;
}

void transfer_receive_peer_cancelled(struct transfer_receive *t,
				     const char *content)
{
	if (!transfer_receive_is_over(t))
		end(t, TRANSFER_RECEIVE_CANCELLED,
		    content ? content : "The peer has cancelled");
}

void transfer_receive_peer_failed(struct transfer_receive *t,
				  const char *content)
{
	if (!transfer_receive_is_over(t))
		end(t, TRANSFER_RECEIVE_FAILED,
		    content ? content : "The peer reports an error");
}

void transfer_receive_cancel(struct transfer_receive *t)
{
	if (transfer_receive_is_over(t))
		return;
	t->ops->say(t->user, dt_message_build_cancel(
				     t->self_id, shown_name(t),
				     "Peer cancelled download transfer"));
	end(t, TRANSFER_RECEIVE_CANCELLED, "Cancelled here");
}

void transfer_receive_lost(struct transfer_receive *t, const char *why)
{
	g_autofree char *text = NULL;

	/* What is complete is being kept; nobody hears of it any more. */
	if (transfer_receive_is_over(t) ||
	    t->state == TRANSFER_RECEIVE_FINISHING)
		return;
	text = explain(t, why);
	end(t, TRANSFER_RECEIVE_FAILED, text);
}

void transfer_receive_tick(struct transfer_receive *t, gint64 now_us)
{
	g_autofree char *what = NULL, *why = NULL;

	if (t->due_us < 0 || now_us < t->due_us)
		return;
	if (t->state == TRANSFER_RECEIVE_ASKED) {
		transfer_receive_reject(t, "Nobody answered the request within "
					   "the sender's timeout");
		return;
	}
	what = g_strdup_printf("Connection Timeout. Longer than %u seconds. "
			       "Connection is abolished.",
			       t->request.timeout_s);
	why = explain(t, what);
	fail(t, why);
}

gboolean transfer_receive_is_over(const struct transfer_receive *t)
{
	return t->state >= TRANSFER_RECEIVE_DONE;
}
