/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/restart-plan.h - when a daemon that was asked to restart does so
 *
 *   NONE --idle, busy--> WAITING --quiet for 5 s--> NOW
 *   NONE --idle, nobody there, or now-----------> NOW
 *   WAITING --never--> NONE
 *
 * A page that is loaded anew leaves its room for a moment: that is not idle.
 *
 * Source:  none (our own)
 * Thread:  any, one at a time; the clock is handed in
 * Memory:  embedded in its owner; zeroes are a plan without wishes
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RESTART_PLAN_QUIET_US INT64_C(5000000)

enum restart_when {
	RESTART_WHEN_IDLE,
	RESTART_WHEN_NOW,
	RESTART_WHEN_NEVER,	/* what was asked for is taken back */
	N_RESTART_WHENS,
};

enum restart_state {
	RESTART_NONE,
	RESTART_WAITING,
	RESTART_NOW,
};

struct restart_plan {
	enum restart_state state;
	int64_t asked_us;	/* while WAITING: since when; monotonic */
	int64_t quiet_us;	/* since when nobody is there; 0: somebody is */
};

/* "idle", "now", "never". Return: -1 for other words. */
int restart_when_from_text(const char *text);

/* Somebody asks. @busy: a restart would cut something. */
enum restart_state restart_plan_ask(struct restart_plan *plan,
				    enum restart_when when, bool busy,
				    int64_t now_us);
/* Time passes; to be called about once a second while WAITING. */
enum restart_state restart_plan_tick(struct restart_plan *plan, bool busy,
				     int64_t now_us);
