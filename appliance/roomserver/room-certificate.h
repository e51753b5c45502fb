/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-certificate.h - which certificate is served, and
 * when it is another one
 *
 *   the operator's:  read again when one of its two files is another one than
 *                    when it was last tried (device, inode, size, change time)
 *   our own:         made anew when it is due (room-tls.h)
 *
 * A server that runs for years outlives its certificates. Whatever is wrong
 * with a new one, the one before goes on.
 *
 * Source:  stat(2)
 * Thread:  control
 * Memory:  owned by its creator
 */
#pragma once

#include "appliance/roomserver/room-tls.h"

/* The operator's is to be renewed by then. */
#define ROOM_CERTIFICATE_SOON_DAYS 14

struct room_certificate;

struct room_certificate_config {
	const char *file, *key_file;	/* the operator's; both NULL: our own */
	const char *state_dir;		/* where ours is kept; NULL: nowhere */
	const char *const *names;	/* more names for ours; may be NULL */
};

/* @now: seconds since 1970. Return: NULL with @error of room_tls_load() or
 * room_tls_keep(). */
struct room_certificate *
room_certificate_new(const struct room_certificate_config *config, gint64 now,
		     GError **error);
/* Return: NULL */
struct room_certificate *room_certificate_free(struct room_certificate *c);

/* What is served; borrowed until the next check. */
struct room_tls *room_certificate_get(const struct room_certificate *c);

/**
 * room_certificate_check() - is it time for another one?
 * @ret_changed: room_certificate_get() is another one now, or was read again
 *
 * Costs two stat(2), or a look at a date, as long as nothing is new.
 *
 * Return: FALSE with @error: there is a new one, and it cannot be used. Files
 * are told once, until one of them changes.
 */
gboolean room_certificate_check(struct room_certificate *c, gint64 now,
				gboolean *ret_changed, GError **error);

/* TRUE once for each of the operator's that ends within
 * ROOM_CERTIFICATE_SOON_DAYS, and once more when it has ended. */
gboolean room_certificate_is_to_be_told(struct room_certificate *c, gint64 now);
