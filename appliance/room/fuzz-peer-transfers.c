// SPDX-License-Identifier: Apache-2.0
/* Whatever comes on whatever channel, in any order, with an owner that accepts,
 * sends and cancels meanwhile. Input: records of a byte that says what happens
 * (low bits) on which channel (high bits), a length, and as many bytes. */
#include "appliance/room/peer-transfers-test.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum what {
	HEAR,		/* a text */
	HEAR_LONG,	/* the same, 256 times */
	BYTES,
	ACCEPT,
	OFFER,
	OPEN,
	CLOSE,
	TIME,
	N_WHATS,
};

struct world {
	struct paper paper;
	struct test_sink sink;
	struct test_source source;
	guint n_offers;
};

static void hear_long(struct world *w, guint16 channel, const uint8_t *data,
		      size_t len)
{
	g_autofree uint8_t *many = g_malloc(256 * len + 1);

	for (guint i = 0; i < 256; i++)
		memcpy(many + i * len, data, len);
	if (g_utf8_validate_len((const char *) many, 256 * len, NULL))
		paper_hear(&w->paper, channel, "x", many, 256 * len);
}

/* The first in the list, whatever it is. */
static void answer(struct world *w, uint8_t how)
{
	PeerTransfers *p = w->paper.transfers;
	g_autoptr(JsonArray) list = json_array_new();
	const char *id;

	peer_transfers_describe(p, list);
	if (!json_array_get_length(list))
		return;
	id = json_object_get_string_member(
		json_array_get_object_element(list, how %
					      json_array_get_length(list)),
		"transferId");
	if (how & 128)
		peer_transfers_cancel(p, id, NULL);
	else if (how & 64)
		peer_transfers_reject(p, id, NULL);
	else
		peer_transfers_accept(p, id, test_sink(&w->sink), NULL);
}

static void send_something(struct world *w, uint8_t how)
{
	RoomTransferOffer like = {
		.name = "f",
		.size = how * 1000u,
		.data_url = how & 1,
		.string_chunks = how & 2,
	};
	TransferShared *shared = transfer_shared_new(test_source(&w->source));
	g_autofree char *id = g_strdup_printf("id%u", w->n_offers++);

	g_free(peer_transfers_offer(w->paper.transfers, &like, TRUE, id, shared,
				    NULL, NULL));
	transfer_shared_unref(shared);
}

static void open_last(struct world *w, guint16 channel)
{
	GPtrArray *labels = w->paper.opened;

	if (labels->len)
		peer_transfers_opened(w->paper.transfers, channel,
				      labels->pdata[labels->len - 1], FALSE,
				      FALSE);
}

static void step(struct world *w, uint8_t op, const uint8_t *data, size_t len)
{
	guint16 channel = op >> 5;
	uint8_t first = len ? data[0] : 0;

	switch ((enum what)(op % N_WHATS)) {
	case HEAR:
		/* Texts are UTF-8 when they come from SCTP. */
		if (g_utf8_validate_len((const char *) data, len, NULL))
			paper_hear(&w->paper, channel, "x", data, len);
		break;
	case HEAR_LONG:
		hear_long(w, channel, data, len);
		break;
	case BYTES:
		peer_transfers_data(w->paper.transfers, channel, FALSE, data,
				    len);
		break;
	case ACCEPT:
		answer(w, first);
		break;
	case OFFER:
		send_something(w, first);
		break;
	case OPEN:
		open_last(w, channel);
		break;
	case CLOSE:
		peer_transfers_closed(w->paper.transfers, channel);
		break;
	case TIME:
		w->paper.now_us += first * G_USEC_PER_SEC;
		w->paper.full = first & 1;
		peer_transfers_tick(w->paper.transfers);
		peer_transfers_writable(w->paper.transfers, channel);
		break;
	case N_WHATS:
		break;
	}
	if (peer_transfers_count(w->paper.transfers) > TRANSFER_MAX_PER_PEER)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.source = {.size = 1000000, .text = TRUE}};

	paper_init(&w.paper, "0.1.3");
	w.paper.record_nothing = TRUE;
	if (size && data[0] & 1)
		w.paper.context.peer.dt_version = NULL;
	if (size && data[0] & 2)
		w.paper.context.peer.is_2x = TRUE;
	for (size_t at = 1; at + 3 <= size;) {
		size_t len = (size_t) data[at + 1] << 8 | data[at + 2];
		uint8_t op = data[at];

		at += 3;
		if (len > size - at)
			len = size - at;
		step(&w, op, data + at, len);
		at += len;
	}
	peer_transfers_lost(w.paper.transfers, "the end");
	if (peer_transfers_count(w.paper.transfers))
		abort();
	paper_done(&w.paper);
	/* No sink is left, and none was freed twice: each offer has a source,
	 * whatever became of it. */
	if (w.source.freed != w.n_offers)
		abort();
	return 0;
}
