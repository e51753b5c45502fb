/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/peer-transfers-test.h - a peer made of paper: what is said to
 * it is written down, what it says is the test's
 *
 * MOCK: no channel, no clock. Real ones are in test-room-transfers.c and in the
 * browser's tests.
 *
 * Thread:  the test's
 */
#pragma once

#include "appliance/room/peer-transfers.h"

#include <errno.h>
#include <string.h>

#include "appliance/room/transfer-test.h"

#define SELF_ID "self-id"
#define PEER_ID "peer-id"
#define MAIN	1

struct said {
	guint16 channel;
	gboolean text;
	char *data;
	gsize len;
};

struct told {
	const char *name;
	JsonObject *params;
};

struct paper {
	PeerTransfers *transfers;
	PeerTransfersContext context;
	GPtrArray *said;	/* struct said */
	GPtrArray *told;	/* struct told */
	GPtrArray *opened;	/* labels */
	GArray *closed;		/* channels */
	gint64 now_us;
	gboolean unwanted, crowded, full;
	gboolean no_queue;	/* full, and nobody will say when not */
	gboolean record_nothing;
};

static inline void free_said(gpointer data)
{
	struct said *s = data;

	g_free(s->data);
	g_free(s);
}

static inline void free_told(gpointer data)
{
	struct told *t = data;

	json_object_unref(t->params);
	g_free(t);
}

static inline void paper_get_context(void *user, PeerTransfersContext *ret)
{
	*ret = ((struct paper *) user)->context;
}

static inline int paper_send(void *user, guint16 channel, gboolean text,
			     const void *data, gsize len)
{
	struct paper *p = user;
	struct said *s;

	if (p->full)
		return -EAGAIN;
	if (p->no_queue)
		return -ENOBUFS;
	if (p->record_nothing)
		return 0;
	s = g_new0(struct said, 1);
	s->channel = channel;
	s->text = text;
	s->data = g_malloc(len + 1);
	if (len)
		memcpy(s->data, data, len);
	s->data[len] = '\0';
	s->len = len;
	g_ptr_array_add(p->said, s);
	return 0;
}

static inline gboolean paper_open(void *user, const char *label, GError **error)
{
	struct paper *p = user;

	g_ptr_array_add(p->opened, g_strdup(label));
	return TRUE;
}

static inline void paper_close(void *user, guint16 channel)
{
	struct paper *p = user;

	g_array_append_val(p->closed, channel);
}

static inline void paper_event(void *user, const char *name, JsonObject *params)
{
	struct paper *p = user;
	struct told *t;

	if (p->record_nothing) {
		json_object_unref(params);
		return;
	}
	t = g_new0(struct told, 1);
	t->name = name;
	t->params = params;
	g_ptr_array_add(p->told, t);
}

static inline gboolean paper_is_wanted(void *user, const char *peer_id,
				       const char *transfer_id,
				       JsonObject *info)
{
	return !((struct paper *) user)->unwanted;
}

static inline gboolean paper_has_room(void *user)
{
	return !((struct paper *) user)->crowded;
}

static inline void paper_due_changed(void *user)
{
}

static inline gint64 paper_now(void *user)
{
	return ((struct paper *) user)->now_us;
}

static const struct peer_transfers_ops paper_ops = {
	.get_context = paper_get_context,
	.send = paper_send,
	.open_channel = paper_open,
	.close_channel = paper_close,
	.event = paper_event,
	.is_wanted = paper_is_wanted,
	.has_room = paper_has_room,
	.due_changed = paper_due_changed,
	.now_us = paper_now,
};

static inline void paper_init(struct paper *p, const char *dt_version)
{
	*p = (struct paper){
		.context = {.self_id = SELF_ID,
			    .agent = "skylinkd",
			    .version = "1.0",
			    .peer = {.agent = "chrome",
				     .dt_version = dt_version},
			    .has_main = TRUE,
			    .main_channel = MAIN},
		.said = g_ptr_array_new_with_free_func(free_said),
		.told = g_ptr_array_new_with_free_func(free_told),
		.opened = g_ptr_array_new_with_free_func(g_free),
		.closed = g_array_new(FALSE, FALSE, sizeof(guint16)),
		.now_us = 1000,
	};
	p->transfers = peer_transfers_new(PEER_ID, &paper_ops, p);
}

static inline void paper_done(struct paper *p)
{
	peer_transfers_free(p->transfers);
	g_ptr_array_unref(p->said);
	g_ptr_array_unref(p->told);
	g_ptr_array_unref(p->opened);
	g_array_unref(p->closed);
}

/* What the peer says, as room-peer.c passes it on. */
static inline void paper_hear(struct paper *p, guint16 channel,
			      const char *label, const void *data, gsize len)
{
	g_autoptr(DtMessage) m = dt_message_parse(data, len);

	if (m && m->type != DT_MESSAGE)
		peer_transfers_message(p->transfers, channel, channel == MAIN,
				       label, m);
	else if (!m)
		peer_transfers_data(p->transfers, channel, TRUE, data, len);
}
