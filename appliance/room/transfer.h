/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer.h - where a transfer's bytes come from and go to
 *
 * The room speaks the DT protocol and knows no files: whoever sends gives a
 * source, whoever accepts gives a sink. Both are asked from the control
 * thread, a chunk (<= 64 KiB) at a time; what may block longer (syncing,
 * renaming) is the sink's own business and answered later.
 *
 * Source:  docs/skylink-protocol.md §10
 * Thread:  control
 * Memory:  a source and a sink are taken by the call they are given to, also
 *          when it fails, and end by their free()
 */
#pragma once

#include <json-glib/json-glib.h>

/* At one time, of one room: each holds one descriptor and a few chunks. */
#define TRANSFER_MAX		 64
#define TRANSFER_MAX_PER_PEER	 16
#define TRANSFER_TIMEOUT_S	 60	/* the API's default */
#define TRANSFER_MAX_NAME_BYTES	 4096	/* of a peer's file name, as it came */

typedef struct {
	/* Up to @len bytes from @offset. Return: how many, 0 at the end (a file
	 * that shrank), negative errno. Several peers may read one source. */
	gssize (*read)(void *user, guint64 offset, guint8 *buf, gsize len);
	void (*free)(void *user);	/* after the last transfer from it */
	void *user;
} TransferSource;

typedef struct {
	/* The next bytes, in order. Return: 0, or negative errno: the transfer
	 * is then cancelled, and the sender told. */
	int (*write)(void *user, const guint8 *data, gsize len);
	/* Everything is here. Answers once, later or at once, by @done: with
	 * NULL, or why it could not be kept; @info (transfer full) is what the
	 * event adds to transferInfo: path, sha256. */
	void (*finish)(void *user,
		       void (*done)(void *done_user, JsonObject *info,
				    const GError *error),
		       void *done_user);
	/* Without finish() before it, or before finish() has answered: nothing
	 * remains, and it answers no more. */
	void (*free)(void *user);
	void *user;
} TransferSink;
