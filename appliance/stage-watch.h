/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/stage-watch.h - has every stage that is wanted made progress?
 *
 * A stage is whatever must move while somebody wants it: capture, an encoder,
 * the network loop. Its counter is noted now and then; one that stands still
 * for longer than its deadline is stuck. A stage that nobody wants is healthy,
 * and starts anew when it is wanted again.
 *
 * Source:  none (our own); what it decides is told by sd_notify(3) WATCHDOG=1
 * Thread:  any, one at a time; the time comes from the caller
 * Memory:  embedded in its owner; at most STAGE_WATCH_MAX stages
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STAGE_WATCH_MAX 16

struct stage_watch_stage {
	const char *name;		/* static; tells stages apart */
	uint64_t progress;
	uint64_t moved_us, deadline_us;
	bool wanted;
};

struct stage_watch {
	struct stage_watch_stage stages[STAGE_WATCH_MAX];
	unsigned int n;
};

/**
 * stage_watch_note() - what a stage's counter says now
 * @name:	 a string that lives for ever
 * @progress:	 any value that changes while the stage moves
 * @deadline_us: how long it may stand still
 * @now_us:	 CLOCK_MONOTONIC; never goes back
 *
 * A stage beyond STAGE_WATCH_MAX is not watched.
 */
void stage_watch_note(struct stage_watch *w, const char *name, bool wanted,
		      uint64_t progress, uint64_t deadline_us, uint64_t now_us);

/* The name of a stage that is stuck, or NULL. */
const char *stage_watch_find_stuck(const struct stage_watch *w,
				   uint64_t now_us);
