/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/daemon-selftest.h - the self-test: when, through what, the result
 *
 *   thread:  doctor's checks, pictures, temperature
 *   control: camera ─▶ encoder ─▶ rtc_peer ═ this machine ═▶ rtc_peer
 *   then:    selftest.json, event selftest.done, a line in the journal
 *
 * It begins when nobody else is in the room and ends at the first sign of a
 * peer, before anything is negotiated with it: of what it sends nothing can
 * reach anybody.
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  hangs off the Daemon
 */
#pragma once

#include "appliance/daemon-private.h"

/* The kept result; a longer one is not taken. */
#define DAEMON_SELFTEST_MAX_BYTES 65536

/* @dir: where results are kept; NULL: they are not. */
void daemon_selftest_start(Daemon *d, const char *dir);
void daemon_selftest_stop(Daemon *d);
/* Its options, or the time zone, changed. */
void daemon_selftest_reload(Daemon *d);
/* An event of the room's. */
void daemon_selftest_event(Daemon *d, const char *name);
/* {running, next, last: {at, result, reason, rows}} (transfer full) */
JsonObject *daemon_selftest_describe(Daemon *d, gboolean with_rows);

/* selftest.run, selftest.show; ended by a NULL method. */
extern const ControlHandler daemon_selftest_handlers[];
