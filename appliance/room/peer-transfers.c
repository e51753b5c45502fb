// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-transfers.h"

#include <errno.h>
#include <string.h>

#include "appliance/room/peer-transfers-private.h"

struct TransferShared {
	TransferSource source;
	gint refs;
};

TransferShared *transfer_shared_new(TransferSource source)
{
	TransferShared *s = g_new0(TransferShared, 1);

	s->source = source;
	s->refs = 1;
	return s;
}

TransferShared *transfer_shared_ref(TransferShared *s)
{
	s->refs++;
	return s;
}

void transfer_shared_unref(TransferShared *s)
{
	if (!s || --s->refs)
		return;
	if (s->source.free)
		s->source.free(s->source.user);
	g_free(s);
}

/* --- saying -------------------------------------------------------------- */
static void free_say(gpointer data)
{
	struct say *say = data;

	g_free(say->text);
	g_free(say);
}

/* Return: FALSE: there is no room yet. For want of a queue's or of memory
 * nobody says when there is: it is tried again. */
static gboolean do_say(PeerTransfers *p, const struct say *say)
{
	int r;

	if (!say->text) {
		p->ops->close_channel(p->user, say->channel);
		return TRUE;
	}
	r = p->ops->send(p->user, say->channel, TRUE, say->text,
			 strlen(say->text));
	if (r == -ENOBUFS || r == -ENOMEM)
		p->retry_us = p->ops->now_us(p->user) +
			      PEER_TRANSFERS_RETRY_MS * 1000;
	return r != -EAGAIN && r != -ENOBUFS && r != -ENOMEM;
}

static gboolean waits(PeerTransfers *p, guint16 channel)
{
	for (GList *l = p->says.head; l; l = l->next)
		if (((struct say *) l->data)->channel == channel)
			return TRUE;
	return FALSE;
}

/* Takes @text; NULL closes the channel, behind what was said before. */
static void say_on(PeerTransfers *p, guint16 channel, char *text)
{
	struct say *say = g_new0(struct say, 1);

	say->channel = channel;
	say->text = text;
	if ((!waits(p, channel) && do_say(p, say)) ||
	    g_queue_get_length(&p->says) >= PEER_TRANSFERS_SAY_MAX)
		free_say(say);
	else
		g_queue_push_tail(&p->says, say);
}

static void say_waiting(PeerTransfers *p)
{
	struct say *say;

	p->retry_us = -1;
	while ((say = g_queue_peek_head(&p->says)) && do_say(p, say))
		free_say(g_queue_pop_head(&p->says));
}

static void forget_says(PeerTransfers *p, guint16 channel)
{
	for (GList *l = p->says.head, *next; l; l = next) {
		struct say *say = l->data;

		next = l->next;
		if (say->channel != channel)
			continue;
		g_queue_delete_link(&p->says, l);
		free_say(say);
	}
}

/* --- from the machines --------------------------------------------------- */
static int on_send_chunk(void *user, gboolean text, const void *data, gsize len)
{
	struct transfer *t = user;

	return t->owner->ops->send(t->owner->user, t->channel, text, data, len);
}

static void on_say(void *user, char *text)
{
	struct transfer *t = user;

	if (t->has_channel)
		say_on(t->owner, t->channel, text);
	else
		g_free(text);
}

static gint64 on_now(void *user)
{
	struct transfer *t = user;

	return t->owner->ops->now_us(t->owner->user);
}

static void enter(PeerTransfers *p);
static void leave(PeerTransfers *p);

static void on_finished(void *user)
{
	PeerTransfers *p = ((struct transfer *) user)->owner;

	/* Inside an input this is nothing; else it ends the transfer. */
	enter(p);
	leave(p);
}

static const struct transfer_send_ops send_ops = {
	.chunk = on_send_chunk,
	.say = on_say,
};

static const struct transfer_receive_ops receive_ops = {
	.say = on_say,
	.finished = on_finished,
	.now_us = on_now,
};

/* --- the list ------------------------------------------------------------ */
static void free_transfer(gpointer data)
{
	struct transfer *t = data;

	if (t->direction == TRANSFER_UP)
		transfer_send_done(&t->up);
	else if (t->direction == TRANSFER_DOWN)
		transfer_receive_done(&t->down);
	else
		transfer_request_clear(&t->down.request);
	transfer_shared_unref(t->source);
	g_free(t->id);
	g_free(t->label);
	g_free(t->peer_id);
	g_strfreev(t->targets);
	g_free(t);
}

static struct transfer *add(PeerTransfers *p, enum transfer_direction direction,
			    const char *id, const char *peer_id)
{
	struct transfer *t = g_new0(struct transfer, 1);

	t->owner = p;
	t->direction = direction;
	t->id = g_strdup(id);
	t->peer_id = g_strdup(peer_id);
	t->told = -1;
	t->started_us = p->ops->now_us(p->user);
	g_ptr_array_add(p->list, t);
	return t;
}

static struct transfer *find_id(PeerTransfers *p, const char *id)
{
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (!strcmp(t->id, id) && !transfer_is_over(t))
			return t;
	}
	return NULL;
}

static struct transfer *find_channel(PeerTransfers *p, guint16 channel)
{
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (t->has_channel && t->channel == channel &&
		    !transfer_is_over(t))
			return t;
	}
	return NULL;
}

/* A word on the messaging channel where nothing runs: 2.x answers there, for
 * whatever channel. */
static struct transfer *find_upload(PeerTransfers *p)
{
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (t->direction == TRANSFER_UP && t->own_channel &&
		    t->has_channel && !transfer_is_over(t))
			return t;
	}
	return NULL;
}

static struct transfer *find_label(PeerTransfers *p, const char *label)
{
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (t->direction == TRANSFER_UP && !t->has_channel &&
		    t->own_channel && !g_strcmp0(t->label, label) &&
		    !transfer_is_over(t))
			return t;
	}
	return NULL;
}

PeerTransfers *peer_transfers_new(const char *peer_id,
				  const struct peer_transfers_ops *ops,
				  void *user)
{
	PeerTransfers *p = g_new0(PeerTransfers, 1);

	p->peer_id = g_strdup(peer_id);
	p->ops = ops;
	p->user = user;
	p->list = g_ptr_array_new_with_free_func(free_transfer);
	p->last_due_us = -1;
	p->retry_us = -1;
	g_queue_init(&p->says);
	return p;
}

PeerTransfers *peer_transfers_free(PeerTransfers *p)
{
	if (!p)
		return NULL;
	g_ptr_array_unref(p->list);
	g_queue_clear_full(&p->says, free_say);
	g_free(p->scratch);
	g_free(p->peer_id);
	g_free(p);
	return NULL;
}

/* --- around every input -------------------------------------------------- */
static void enter(PeerTransfers *p)
{
	p->depth++;
}

static PeerTransfersContext get_context(PeerTransfers *p)
{
	PeerTransfersContext c = {0};

	p->ops->get_context(p->user, &c);
	return c;
}

static void start_upload(PeerTransfers *p, struct transfer *t, guint16 channel)
{
	PeerTransfersContext c = get_context(p);
	TransferAddress address = {
		.sender = c.self_id,
		.agent = c.agent,
		.version = c.version,
		.target = p->peer_id,
		.targets = (const char *const *) t->targets,
	};

	t->has_channel = TRUE;
	t->channel = channel;
	transfer_send_start(&t->up, &address, p->ops->now_us(p->user));
}

/* The next of ours for the messaging channel, when nothing runs there. */
static void start_waiting(PeerTransfers *p)
{
	PeerTransfersContext c = get_context(p);

	if (!c.has_main || find_channel(p, c.main_channel))
		return;
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (t->direction != TRANSFER_UP || t->own_channel ||
		    t->has_channel || transfer_is_over(t))
			continue;
		start_upload(p, t, c.main_channel);
		return;
	}
}

static void end_transfer(PeerTransfers *p, struct transfer *t)
{
	if (t->has_channel && t->own_channel)
		say_on(p, t->channel, NULL);
	g_ptr_array_remove(p->list, t);
}

static void leave(PeerTransfers *p)
{
	gint64 due;

	if (p->depth > 1) {
		p->depth--;
		return;
	}
	start_waiting(p);
	for (guint i = 0; i < p->list->len;) {
		struct transfer *t = p->list->pdata[i];

		transfer_tell(t);
		if (transfer_is_over(t))
			end_transfer(p, t);
		else
			i++;
	}
	p->depth--;
	due = peer_transfers_get_due(p);
	if (due == p->last_due_us)
		return;
	p->last_due_us = due;
	p->ops->due_changed(p->user);
}

/* --- what self wants ----------------------------------------------------- */
static gboolean check_room(PeerTransfers *p, GError **error)
{
	if (p->list->len < TRANSFER_MAX_PER_PEER && p->ops->has_room(p->user))
		return TRUE;
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_BUSY,
		    "There are too many transfers already (%u with this peer; "
		    "at most %u, and %u in all)",
		    p->list->len, TRANSFER_MAX_PER_PEER, TRANSFER_MAX);
	return FALSE;
}

static TransferRequest make_request(const PeerTransfersContext *c,
				    const RoomTransferOffer *offer,
				    gboolean is_private, const char *id)
{
	TransferRequest q = {
		.kind = offer->data_url ? TRANSFER_DATA_URL : TRANSFER_BLOB,
		.is_private = is_private,
		.id = g_strdup(id),
		.name = g_strdup(offer->name),
		.mime_type = g_strdup(offer->mime_type),
		.size = offer->size,
		.timeout_s = offer->timeout_s ? offer->timeout_s
					      : TRANSFER_TIMEOUT_S,
	};

	transfer_request_plan(&q, &c->peer, offer->string_chunks);
	return q;
}

char *peer_transfers_offer(PeerTransfers *p, const RoomTransferOffer *offer,
			   gboolean is_private, const char *id,
			   TransferShared *source, const char *const *targets,
			   GError **error)
{
	PeerTransfersContext c = get_context(p);
	TransferRequest q;
	struct transfer *t;
	g_autofree char *label = NULL;

	if (!c.has_main) {
		g_set_error_literal(error, ROOM_ERROR, ROOM_ERROR_NO_PEER,
				    "There is no open data channel to it");
		return NULL;
	}
	if (!check_room(p, error))
		return NULL;
	q = make_request(&c, offer, is_private, id);
	label = q.generation == TRANSFER_GENERATION_1
			? g_strdup_printf("%s-%s", p->peer_id, id)
			: g_strdup(id);
	if (!q.main_channel && !p->ops->open_channel(p->user, label, error)) {
		transfer_request_clear(&q);
		return NULL;
	}
	enter(p);
	t = add(p, TRANSFER_UP, id, p->peer_id);
	t->own_channel = !q.main_channel;
	t->label = g_steal_pointer(&label);
	t->source = transfer_shared_ref(source);
	t->targets = g_strdupv((GStrv) targets);
	if (!p->scratch)
		p->scratch = g_new(struct transfer_scratch, 1);
	transfer_send_init(&t->up, c.self_id, &q, &source->source, p->scratch,
			   &send_ops, t);
	/* Its channel has the sender's timeout to open. */
	if (t->own_channel)
		t->up.due_us = t->started_us +
			       t->up.request.timeout_s * G_USEC_PER_SEC;
	transfer_tell_request(t);
	leave(p);
	return g_strdup(id);
}

static struct transfer *need(PeerTransfers *p, const char *id, GError **error)
{
	struct transfer *t = find_id(p, id);

	if (!t)
		g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
			    "There is no transfer '%s' with peer '%s'", id,
			    p->peer_id);
	return t;
}

static struct transfer *need_request(PeerTransfers *p, const char *id,
				     GError **error)
{
	struct transfer *t = need(p, id, error);

	if (!t)
		return NULL;
	if (t->direction == TRANSFER_DOWN &&
	    t->down.state == TRANSFER_RECEIVE_ASKED)
		return t;
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
		    "Transfer '%s' does not wait for an answer", id);
	return NULL;
}

gboolean peer_transfers_accept(PeerTransfers *p, const char *id,
			       TransferSink sink, GError **error)
{
	struct transfer *t = need_request(p, id, error);

	if (!t) {
		if (sink.free)
			sink.free(sink.user);
		return FALSE;
	}
	enter(p);
	t->started_us = p->ops->now_us(p->user);
	transfer_receive_accept(&t->down, sink);
	leave(p);
	return TRUE;
}

gboolean peer_transfers_reject(PeerTransfers *p, const char *id, GError **error)
{
	struct transfer *t = need_request(p, id, error);

	if (!t)
		return FALSE;
	enter(p);
	transfer_receive_reject(&t->down, "Rejected here");
	leave(p);
	return TRUE;
}

gboolean peer_transfers_cancel(PeerTransfers *p, const char *id, GError **error)
{
	struct transfer *t = need(p, id, error);

	if (!t)
		return FALSE;
	enter(p);
	switch (t->direction) {
	case TRANSFER_UP:
		transfer_send_cancel(&t->up);
		break;
	case TRANSFER_DOWN:
		transfer_receive_cancel(&t->down);
		break;
	case TRANSFER_STREAM:
		t->stream_over = TRUE;
		break;
	}
	leave(p);
	return TRUE;
}

/* --- what the channels tell ---------------------------------------------- */
void peer_transfers_opened(PeerTransfers *p, guint16 channel, const char *label,
			   gboolean is_main, gboolean remote)
{
	struct transfer *t = remote ? NULL : find_label(p, label);

	enter(p);
	if (t)
		start_upload(p, t, channel);
	else if (!remote && !is_main)
		say_on(p, channel, NULL);	/* cancelled meanwhile */
	leave(p);
}

static void lose(struct transfer *t, const char *why)
{
	switch (t->direction) {
	case TRANSFER_UP:
		transfer_send_lost(&t->up, why);
		break;
	case TRANSFER_DOWN:
		transfer_receive_lost(&t->down, why);
		break;
	case TRANSFER_STREAM:
		t->stream_over = t->stream_failed = TRUE;
		break;
	}
}

void peer_transfers_closed(PeerTransfers *p, guint16 channel)
{
	enter(p);
	forget_says(p, channel);
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (!t->has_channel || t->channel != channel)
			continue;
		t->has_channel = FALSE;
		lose(t, "Its channel was closed before all was there.");
	}
	leave(p);
}

void peer_transfers_lost(PeerTransfers *p, const char *why)
{
	enter(p);
	g_queue_clear_full(&p->says, free_say);
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		t->has_channel = FALSE;
		lose(t, why);
	}
	leave(p);
}

void peer_transfers_writable(PeerTransfers *p, guint16 channel)
{
	struct transfer *t = find_channel(p, channel);

	enter(p);
	say_waiting(p);
	if (t && t->direction == TRANSFER_UP)
		transfer_send_writable(&t->up, p->ops->now_us(p->user));
	leave(p);
}

static void await_stream(struct transfer *t)
{
	t->stream_due_us = t->owner->ops->now_us(t->owner->user) +
			   PEER_TRANSFERS_STREAM_IDLE_S * G_USEC_PER_SEC;
}

static void refuse(PeerTransfers *p, guint16 channel, const char *why)
{
	PeerTransfersContext c = get_context(p);

	/* A peer may ask as often as it likes, and fill no log. */
	if (!p->n_refused++)
		g_info("Peer %s: refusing what it wants to send: %s",
		       p->peer_id, why);
	say_on(p, channel, dt_message_build_ack(c.self_id, -1, 0));
}

/* Under which the peer's application knows it, or one as 0.6.12 makes them. */
static char *choose_id(PeerTransfers *p, const TransferRequest *q,
		       const char *label)
{
	gint64 ms = g_get_real_time() / 1000;
	char *id = q->id ? g_strdup(q->id) : NULL;

	while (!id || find_id(p, id)) {
		g_free(id);
		id = g_strdup_printf("%s_skylink__%" G_GINT64_FORMAT, label,
				     ms++);
	}
	return id;
}

static struct transfer *add_remote(PeerTransfers *p, guint16 channel,
				   gboolean is_main, const char *label,
				   const DtMessage *m,
				   const TransferRequest *q)
{
	PeerTransfersContext c = get_context(p);
	g_autofree char *id = choose_id(p, q, label);
	gboolean relayed = c.peer.is_mcu && *m->sender;
	struct transfer *t =
		add(p, q->kind == TRANSFER_STREAM_START ? TRANSFER_STREAM
							: TRANSFER_DOWN,
		    id, relayed ? m->sender : p->peer_id);

	t->has_channel = TRUE;
	t->channel = channel;
	t->own_channel = !is_main;
	t->label = g_strdup(label);
	return t;
}

static void take_request(PeerTransfers *p, guint16 channel, gboolean is_main,
			 const char *label, const DtMessage *m,
			 TransferRequest *q)
{
	struct transfer *t = add_remote(p, channel, is_main, label, m, q);
	PeerTransfersContext c = get_context(p);
	g_autoptr(JsonObject) info = NULL;

	if (t->direction == TRANSFER_STREAM) {
		t->down.request = *q;	/* for its events */
		await_stream(t);
		q->id = q->name = q->mime_type = NULL;
		return;
	}
	transfer_receive_init(&t->down, c.self_id, t->id, q, &receive_ops, t);
	info = transfer_info(t);
	if (p->ops->is_wanted(p->user, t->peer_id, t->id, info))
		transfer_tell_request(t);
	else
		transfer_receive_reject(&t->down,
					"Nobody here takes anything");
}

static void stop_stream(PeerTransfers *p, guint16 channel)
{
	struct transfer *t = find_channel(p, channel);

	if (t && t->direction == TRANSFER_STREAM)
		t->stream_over = TRUE;
}

static void on_request(PeerTransfers *p, guint16 channel, gboolean is_main,
		       const char *label, const DtMessage *m)
{
	g_autoptr(GError) error = NULL;
	TransferRequest q = {0};

	if (!transfer_request_parse(m, &q, &error))
		refuse(p, channel, error->message);
	else if (q.kind == TRANSFER_STREAM_STOP)
		stop_stream(p, channel);
	else if (find_channel(p, channel))
		refuse(p, channel, "something runs on that channel");
	else if (!check_room(p, &error))
		refuse(p, channel, error->message);
	else
		take_request(p, channel, is_main, label, m, &q);
	transfer_request_clear(&q);
}

static void take_word(PeerTransfers *p, struct transfer *t, const DtMessage *m)
{
	gboolean up = t->direction == TRANSFER_UP;

	if (t->direction == TRANSFER_STREAM)
		return;
	switch (m->type) {
	case DT_ACK:
		if (up)
			transfer_send_ack(&t->up, m->ack_n, m->window,
					  p->ops->now_us(p->user));
		break;
	case DT_CANCEL:
		if (up)
			transfer_send_peer_cancelled(&t->up, m->content);
		else
			transfer_receive_peer_cancelled(&t->down, m->content);
		break;
	case DT_ERROR:
		if (up)
			transfer_send_peer_failed(&t->up, m->content);
		else
			transfer_receive_peer_failed(&t->down, m->content);
		break;
	case DT_MESSAGE:
	case DT_WRQ:
	case N_DT_TYPES:
		break;
	}
}

void peer_transfers_message(PeerTransfers *p, guint16 channel, gboolean is_main,
			    const char *label, const DtMessage *m)
{
	struct transfer *t;

	enter(p);
	if (m->type == DT_WRQ) {
		on_request(p, channel, is_main, label, m);
	} else {
		t = find_channel(p, channel);
		if (!t && is_main)
			t = find_upload(p);
		if (t)
			take_word(p, t, m);
	}
	leave(p);
}

void peer_transfers_data(PeerTransfers *p, guint16 channel, gboolean text,
			 const guint8 *data, gsize len)
{
	struct transfer *t = find_channel(p, channel);

	if (!t || t->direction == TRANSFER_UP)
		return;
	enter(p);
	if (t->direction == TRANSFER_DOWN) {
		transfer_receive_chunk(&t->down, text, data, len);
	} else if (text != t->down.request.binary) {
		if (len)	/* nothing is no sign of life */
			await_stream(t);
		t->stream_bytes += len;
		t->stream_chunks++;
		transfer_tell(t);	/* that it began, first */
		transfer_tell_chunk(t, text, data, len);
	}
	leave(p);
}

/* --- time ---------------------------------------------------------------- */
static gint64 due_of(const struct transfer *t)
{
	if (transfer_is_over(t))
		return -1;
	return t->direction == TRANSFER_UP     ? t->up.due_us
	       : t->direction == TRANSFER_DOWN ? t->down.due_us
					       : t->stream_due_us;
}

gint64 peer_transfers_get_due(PeerTransfers *p)
{
	gint64 due = p->retry_us;

	for (guint i = 0; i < p->list->len; i++) {
		gint64 one = due_of(p->list->pdata[i]);

		if (one >= 0 && (due < 0 || one < due))
			due = one;
	}
	return due;
}

void peer_transfers_tick(PeerTransfers *p)
{
	gint64 now = p->ops->now_us(p->user);

	enter(p);
	p->last_due_us = -2;	/* the timer has fired: it is set anew */
	for (guint i = 0; i < p->list->len; i++) {
		struct transfer *t = p->list->pdata[i];

		if (t->direction == TRANSFER_UP)
			transfer_send_tick(&t->up, now);
		else if (t->direction == TRANSFER_DOWN)
			transfer_receive_tick(&t->down, now);
		else if (now >= t->stream_due_us)
			t->stream_over = t->stream_failed = TRUE;
	}
	if (p->retry_us >= 0 && now >= p->retry_us)
		say_waiting(p);
	leave(p);
}

guint peer_transfers_count(PeerTransfers *p)
{
	return p->list->len;
}

gboolean peer_transfers_has(PeerTransfers *p, const char *id)
{
	return find_id(p, id) != NULL;
}

void peer_transfers_describe(PeerTransfers *p, JsonArray *list)
{
	for (guint i = 0; i < p->list->len; i++)
		json_array_add_object_element(
			list, transfer_describe(p->list->pdata[i]));
}
