/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-state.h - small secrets kept between two starts
 *
 * Thread:  control
 * Memory:  the caller's
 */
#pragma once

#include <glib.h>

#define ROOM_STATE_ERROR (room_state_error_quark())
GQuark room_state_error_quark(void);
enum room_state_error {
	ROOM_STATE_ERROR_READ,
	ROOM_STATE_ERROR_WRITE,
};

#define ROOM_STATE_MAX_BYTES 16384

/**
 * room_state_read() - a file of the state directory
 * @ret: (transfer full); NULL when there is no such file
 *
 * A file that others can read or that is not ours is an error: what it holds
 * is not secret any more, or not what we wrote.
 */
gboolean room_state_read(const char *dir, const char *name, GBytes **ret,
			 GError **error);

/* Written whole or not at all, mode 0600; @dir is made (0700) if missing. */
gboolean room_state_write(const char *dir, const char *name, const void *bytes,
			  gsize len, GError **error);
