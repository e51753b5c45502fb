/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/life-state.h - what a daemon leaves to the one after a crash
 *
 * Where it was and how: the room, chosen by hand or not, muted, locked, what
 * peers were told, another stream than the configured one. No secret is among
 * it: keys and credentials are read from where they are configured. What peers
 * are told (user data) is as private as the file, 0600.
 *
 *   begin ──▶ running, not settled ──120 s──▶ running, settled ──▶ stopped
 *                    │ dies                          │ dies
 *                    ▼                               ▼
 *             deaths + 1; LIFE_STATE_DEATHS_MAX   deaths = 1
 *             of them: the state is put aside
 *
 * Source:  none (our own); JSON
 * Thread:  any; pure
 * Memory:  embedded in its owner; a text is at most LIFE_STATE_MAX_BYTES
 */
#pragma once

#include <json-glib/json-glib.h>

#define LIFE_STATE_VERSION    1
#define LIFE_STATE_MAX_BYTES  65536
#define LIFE_STATE_DEATHS_MAX 3
#define LIFE_STATE_SETTLED_S  120
/* A later time is a wrong clock's: year 9999. */
#define LIFE_STATE_MAX_TIME_S INT64_C(253402300799)

struct life_state {
	gboolean running;	/* nobody said goodbye */
	gboolean settled;	/* it has run for LIFE_STATE_SETTLED_S */
	guint deaths;		/* in a row, of unsettled ones */
	char *boot_id;		/* of the kernel; never NULL once read */
	gint64 started_s;	/* Unix time */

	gboolean by_hand;	/* join or leave since the start */
	gint64 hand_until_s;	/* 0: for ever */
	char *room;		/* NULL: none was wanted */
	gboolean audio_muted, video_muted;
	gboolean locked;	/* by us */
	JsonNode *user_data;	/* NULL: as configured */
	JsonNode *stream;	/* {audio, video} as getUserMedia takes it;
				 * NULL: as configured */
};

void life_state_clear(struct life_state *s);

/* Return: the text; g_free(); NULL: longer than LIFE_STATE_MAX_BYTES. */
char *life_state_print(const struct life_state *s);
/* Whatever stands there: it is all right, or @error says what is not, and @ret
 * is untouched. */
gboolean life_state_parse(const char *text, gsize len, struct life_state *ret,
			  GError **error);

enum life_verdict {
	LIFE_FIRST,		/* nothing is known of one before */
	LIFE_STOPPED,		/* it ended as it should: nothing to recover */
	LIFE_DIED,		/* crash, kill -9, watchdog */
	LIFE_POWER_CUT,		/* or a reset: another boot */
	LIFE_CRASH_LOOP,	/* it died too often with this state */
};
const char *life_verdict_name(enum life_verdict verdict);

/**
 * life_state_judge() - what became of the one before
 * @s:       what it left; becomes that of a new one that begins now: running,
 *           not settled, with the deaths counted
 * @boot_id: of now
 */
enum life_verdict life_state_judge(struct life_state *s, const char *boot_id,
				   gint64 now_s);
