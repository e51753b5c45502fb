/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/transfer-files.h - sources and sinks beside the spool
 *
 * A file that a control client handed over as a descriptor is read or written
 * in place, with positions of our own: the client may share it. A data URL is
 * short and stays in memory.
 *
 * Source:  pread(2), pwrite(2)
 * Thread:  control
 * Memory:  bounded: one descriptor, or DATA_URL_MAX_BYTES
 */
#pragma once

#include <gio/gio.h>

#include "appliance/room/transfer.h"

/* Longer ones would not fit into an event that clients can read. */
#define DATA_URL_MAX_BYTES (900u << 10)

/**
 * file_source_new() - a file to be sent
 * @fd:       taken, also on failure; must be a regular file, open for reading
 * @ret_size: what it has now; what is added later is not sent
 *
 * Return: FALSE with a sentence that says what is right.
 */
gboolean file_source_new(int fd, TransferSource *ret, guint64 *ret_size,
			 GError **error);

/* A file to be filled, from its beginning. @fd: taken, also on failure; must be
 * a regular file, open for writing. finish() answers {sha256, data: {size,
 * sha256}}; of a transfer that breaks nothing remains in it. */
gboolean file_sink_new(int fd, guint64 max_bytes, TransferSink *ret,
		       GError **error);

TransferSource text_source_new(const char *text);
/* finish() answers {data: the text}, or fails for what is no UTF-8. */
TransferSink text_sink_new(void);
