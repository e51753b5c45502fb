/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/pacer.h - how much of one peer's queue may leave now
 *
 *   audio   leaves at once, always
 *   RTX     before video, when the wire is free
 *   video   a frame's first chunk leaves with the frame when the wire is free;
 *           a frame up to PACER_FRAME_BYTES is one chunk (on a path not
 *           known to be too slow, up to PACER_FRAME_US of the target: an
 *           ordinary frame of that rate); a burst item up to
 *           PACER_BURST_PACKETS; the rest in chunks of one tick's worth
 *
 * "The wire is free" is reckoned, not measured: what leaves occupies it for
 * bytes / rate. The rate is 2.5 times the target, and at least
 * PACER_FLOOR_BPS until the path is known to be slower; then 1.5 times, and
 * the target itself while a queue stands in the path.
 *
 * Drop rules: an audio item too many pushes the oldest out; RTX is refused
 * when full; a new keyframe discards the video queued before it; a delta
 * frame is refused when it would wait longer than PACER_DELAY_MAX_US (behind
 * a keyframe PACER_KEY_DELAY_MAX_US, or one keyframe would cause the next).
 *
 * Source:  docs/architecture.md, "Transport I/O"
 * Thread:  network
 * Memory:  embedded in its owner; bounded rings
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PACER_FLOOR_BPS	       10000000u
#define PACER_TICK_US	       UINT64_C(5000)
#define PACER_FRAME_BYTES      16384u
#define PACER_FRAME_US	       UINT64_C(50000)
#define PACER_FRAME_BYTES_MAX  49152u
#define PACER_BURST_PACKETS    64u
#define PACER_CHUNK_PACKETS    5u	/* least of a chunk, path not slow */
#define PACER_SLOW_PACKETS     2u	/* same, on a slow path */
#define PACER_DELAY_MAX_US     UINT64_C(400000)
#define PACER_KEY_DELAY_MAX_US UINT64_C(1500000)

#define PACER_AUDIO_MAX 8		/* items; powers of two */
#define PACER_RTX_MAX	128
#define PACER_VIDEO_MAX 32

enum pacer_class {
	PACER_AUDIO,
	PACER_RTX,
	PACER_VIDEO,
	N_PACER_CLASSES,
};

enum pacer_path {
	PACER_PATH_FAST,		/* not known to be too slow */
	PACER_PATH_BRIM,		/* carries the target, but has been seen
					 * to overflow: no floor */
	PACER_PATH_SLOW,
	PACER_PATH_FULL,		/* slow, and a queue stands in it */
};

struct pacer_item {
	void *opaque;			/* owner's; handed back once */
	uint32_t bytes;			/* still queued */
	uint16_t packets;		/* in all */
	uint16_t sent;			/* packets gone */
	bool keyframe;
	bool burst;			/* a joiner's first keyframe */
};

struct pacer_ring {
	struct pacer_item *items;
	uint16_t size;
	uint16_t head, n;
};

struct pacer {
	uint64_t free_us;		/* the wire is free from then on */
	uint64_t rate_bps;
	uint32_t frame_bytes;		/* a frame up to this is one chunk */
	bool slow;
	uint32_t video_bytes, rtx_bytes; /* queued */
	uint16_t n_keyframes;		/* among the queued video */
	struct pacer_ring rings[N_PACER_CLASSES];
	struct pacer_item audio[PACER_AUDIO_MAX];
	struct pacer_item rtx[PACER_RTX_MAX];
	struct pacer_item video[PACER_VIDEO_MAX];
	/* Takes back what is dropped; not called for what is refused. */
	void (*drop)(void *user, enum pacer_class class, void *opaque);
	void *user;
};

void pacer_init(struct pacer *p, unsigned int target_bps,
		void (*drop)(void *user, enum pacer_class class, void *opaque),
		void *user);
/* Drops everything. */
void pacer_clear(struct pacer *p);
void pacer_set_target(struct pacer *p, unsigned int target_bps,
		      enum pacer_path path);

/* Return: 0 (taken), or -ENOBUFS (refused; stays the caller's). */
int pacer_push(struct pacer *p, enum pacer_class class, void *opaque,
	       uint32_t bytes, uint16_t packets, bool keyframe, bool burst,
	       uint64_t now_us);

struct pacer_grant {
	enum pacer_class class;
	void *opaque;
	uint16_t first;			/* packet of the item to begin with */
	uint16_t packets;		/* that may leave now */
};
/* Return: false when nothing may leave now. */
bool pacer_next(const struct pacer *p, uint64_t now_us,
		struct pacer_grant *ret);
/* They left. Return: true when the item is done (it has left the queue). */
bool pacer_sent(struct pacer *p, const struct pacer_grant *grant,
		uint32_t bytes, uint64_t now_us);

/* When to look again; UINT64_MAX while nothing is queued. */
uint64_t pacer_get_due_us(const struct pacer *p);
/* How long what is queued now needs. */
uint64_t pacer_get_delay_us(const struct pacer *p);
