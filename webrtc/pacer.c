// SPDX-License-Identifier: Apache-2.0
#include "webrtc/pacer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define BITS_US UINT64_C(8000000)	/* bits per byte, us per second */

static struct pacer_item *head(const struct pacer_ring *r)
{
	return &r->items[r->head];
}

void pacer_init(struct pacer *p, unsigned int target_bps,
		void (*drop)(void *user, enum pacer_class class, void *opaque),
		void *user)
{
	memset(p, 0, sizeof(*p));
	p->drop = drop;
	p->user = user;
	p->rings[PACER_AUDIO].items = p->audio;
	p->rings[PACER_AUDIO].size = PACER_AUDIO_MAX;
	p->rings[PACER_RTX].items = p->rtx;
	p->rings[PACER_RTX].size = PACER_RTX_MAX;
	p->rings[PACER_VIDEO].items = p->video;
	p->rings[PACER_VIDEO].size = PACER_VIDEO_MAX;
	pacer_set_target(p, target_bps, PACER_PATH_FAST);
}

void pacer_set_target(struct pacer *p, unsigned int target_bps,
		      enum pacer_path path)
{
	p->slow = path == PACER_PATH_SLOW || path == PACER_PATH_FULL;
	switch (path) {
	case PACER_PATH_FAST:
		p->rate_bps = (uint64_t) target_bps * 5 / 2;
		if (p->rate_bps < PACER_FLOOR_BPS)
			p->rate_bps = PACER_FLOOR_BPS;
		break;
	case PACER_PATH_BRIM:
	case PACER_PATH_SLOW:
		p->rate_bps = (uint64_t) target_bps * 3 / 2;
		break;
	case PACER_PATH_FULL:
		p->rate_bps = target_bps;
		break;
	}
	if (!p->rate_bps)
		p->rate_bps = 1;
	p->frame_bytes = PACER_FRAME_BYTES;
	if (path == PACER_PATH_FAST) {
		uint64_t bytes = target_bps * PACER_FRAME_US / BITS_US;

		if (bytes > PACER_FRAME_BYTES_MAX)
			bytes = PACER_FRAME_BYTES_MAX;
		if (bytes > p->frame_bytes)
			p->frame_bytes = (uint32_t) bytes;
	}
}

static void account(struct pacer *p, enum pacer_class class, uint32_t bytes)
{
	if (class == PACER_VIDEO)
		p->video_bytes -= bytes;
	else if (class == PACER_RTX)
		p->rtx_bytes -= bytes;
}

static void pop(struct pacer *p, enum pacer_class class)
{
	struct pacer_ring *r = &p->rings[class];

	account(p, class, head(r)->bytes);
	if (class == PACER_VIDEO && head(r)->keyframe)
		p->n_keyframes--;
	r->head = (uint16_t) ((r->head + 1) % r->size);
	r->n--;
}

static void drop_all(struct pacer *p, enum pacer_class class)
{
	while (p->rings[class].n) {
		void *opaque = head(&p->rings[class])->opaque;

		pop(p, class);
		p->drop(p->user, class, opaque);
	}
}

void pacer_clear(struct pacer *p)
{
	for (unsigned int i = 0; i < N_PACER_CLASSES; i++)
		drop_all(p, (enum pacer_class) i);
	p->free_us = 0;
}

static uint64_t bytes_us(const struct pacer *p, uint64_t bytes)
{
	return bytes * BITS_US / p->rate_bps;
}

uint64_t pacer_get_delay_us(const struct pacer *p)
{
	return bytes_us(p, (uint64_t) p->video_bytes + p->rtx_bytes);
}

/* Makes room, or says that there is none. */
static bool admit(struct pacer *p, enum pacer_class class, bool keyframe)
{
	struct pacer_ring *r = &p->rings[class];

	switch (class) {
	case PACER_AUDIO:
		if (r->n == r->size) {
			void *opaque = head(r)->opaque;

			pop(p, class);
			p->drop(p->user, class, opaque);
		}
		return true;
	case PACER_RTX:
		return r->n < r->size;
	case PACER_VIDEO:
		if (keyframe) {
			drop_all(p, PACER_VIDEO);
			return true;
		}
		return r->n < r->size &&
		       pacer_get_delay_us(p) <= (p->n_keyframes ?
						 PACER_KEY_DELAY_MAX_US :
						 PACER_DELAY_MAX_US);
	case N_PACER_CLASSES:
		break;
	}
	assert(!"not a class");
	return false;
}

int pacer_push(struct pacer *p, enum pacer_class class, void *opaque,
	       uint32_t bytes, uint16_t packets, bool keyframe, bool burst,
	       uint64_t now_us)
{
	struct pacer_ring *r = &p->rings[class];

	if (!packets || !admit(p, class, keyframe))
		return -ENOBUFS;
	r->items[(r->head + r->n) % r->size] = (struct pacer_item){
		.opaque = opaque, .bytes = bytes, .packets = packets,
		.keyframe = keyframe, .burst = burst,
	};
	r->n++;
	if (class == PACER_VIDEO) {
		p->video_bytes += bytes;
		p->n_keyframes += keyframe;
	} else if (class == PACER_RTX) {
		p->rtx_bytes += bytes;
	}
	return 0;
}

/* Packets of the frame at the head that may leave together. */
static uint16_t video_packets(const struct pacer *p,
			      const struct pacer_item *item)
{
	uint32_t left = item->packets - item->sent;
	uint32_t each = item->bytes / left + 1;
	uint64_t chunk;

	if (item->burst && item->sent < PACER_BURST_PACKETS) {
		chunk = PACER_BURST_PACKETS - item->sent;
	} else if (!p->slow && !item->sent &&
		   item->bytes <= p->frame_bytes) {
		chunk = left;
	} else {
		uint32_t least = p->slow ? PACER_SLOW_PACKETS
					 : PACER_CHUNK_PACKETS;

		chunk = p->rate_bps * PACER_TICK_US / BITS_US / each;
		if (chunk < least)
			chunk = least;
	}
	return (uint16_t) (chunk < left ? chunk : left);
}

bool pacer_next(const struct pacer *p, uint64_t now_us,
		struct pacer_grant *ret)
{
	const struct pacer_item *item;

	for (unsigned int c = 0; c < N_PACER_CLASSES; c++) {
		const struct pacer_ring *r = &p->rings[c];
		uint64_t slack = 0;

		if (!r->n)
			continue;
		item = head(r);
		/* What begins may be up to a tick early; what goes on waits. */
		if (!item->sent)
			slack = PACER_TICK_US;
		if (c != PACER_AUDIO && p->free_us > now_us + slack)
			return false;
		*ret = (struct pacer_grant){
			.class = (enum pacer_class) c,
			.opaque = item->opaque,
			.first = item->sent,
			.packets = c == PACER_VIDEO ? video_packets(p, item) :
						      item->packets,
		};
		return true;
	}
	return false;
}

bool pacer_sent(struct pacer *p, const struct pacer_grant *grant,
		uint32_t bytes, uint64_t now_us)
{
	struct pacer_item *item = head(&p->rings[grant->class]);
	uint32_t gone = bytes < item->bytes ? bytes : item->bytes;

	if (p->free_us < now_us)
		p->free_us = now_us;
	p->free_us += bytes_us(p, bytes);

	item->bytes -= gone;
	account(p, grant->class, gone);
	item->sent += grant->packets;
	if (item->sent < item->packets)
		return false;
	pop(p, grant->class);
	return true;
}

uint64_t pacer_get_due_us(const struct pacer *p)
{
	if (p->rings[PACER_AUDIO].n)
		return 0;
	if (!p->rings[PACER_RTX].n && !p->rings[PACER_VIDEO].n)
		return UINT64_MAX;
	return p->free_us;
}
