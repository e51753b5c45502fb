/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-counters.h - what the room server counts
 *
 * Thread:  written by server; read by any (relaxed atomics: each number is
 *          right, a set of them may be a moment apart)
 * Memory:  embedded in the server
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct room_counters {
	atomic_uint clients, rooms;
	_Atomic uint64_t clients_total;
	_Atomic uint64_t messages_in, messages_out;
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint64_t refused;	/* joins and connections turned away */
	_Atomic uint64_t dropped_slow;	/* did not read what was sent to them */
	_Atomic uint64_t timeouts;	/* silent, or connected without joining */
	_Atomic uint64_t logins_failed;	/* wrong, or too many wrong ones */
	_Atomic uint64_t bad_messages;	/* dropped: malformed, forged, flood */
};

#define room_count(counter, n)                                                 \
	atomic_fetch_add_explicit(&(counter), (n), memory_order_relaxed)
#define room_count_set(counter, n)                                             \
	atomic_store_explicit(&(counter), (n), memory_order_relaxed)
#define room_count_get(counter)                                                \
	atomic_load_explicit(&(counter), memory_order_relaxed)
