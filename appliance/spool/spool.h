/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/spool.h - received files: let in, kept, handed out
 *
 *   spool_receive() ── sink: write ─ write ─ finish ──▶ [worker: sync, name]
 *                                                            │
 *   spool_describe(), spool_open(), spool_remove() ◀── index ┘
 *
 * Lets in what fits the limits, and nothing is deleted for it. The directory
 * is made for the first file.
 *
 * Source:  none (our own)
 * Thread:  control; syncing and naming are done by a thread of its own
 * Memory:  owned by its creator; the index is one entry per file, at most
 *          max_files; files on their way are at most SPOOL_MAX_INCOMING
 */
#pragma once

#include <gio/gio.h>

#include "appliance/room/transfer.h"

#define SPOOL_MAX_INCOMING TRANSFER_MAX
/* An answer has to fit into a line of the control socket. */
#define SPOOL_DESCRIBE_MAX_BYTES (900u << 10)

#define SPOOL_ERROR (spool_error_quark())
GQuark spool_error_quark(void);

enum spool_error_code {
	SPOOL_ERROR_LIMIT,	/* quota, size, number of files */
	SPOOL_ERROR_NO_FILE,	/* there is none of that name */
	SPOOL_ERROR_IO,
};

typedef struct {
	const char *directory;		/* absolute */
	guint64 quota_bytes, max_file_bytes;
	unsigned int max_files;
	guint64 keep_s;			/* 0: for ever */
	GMainContext *context;		/* NULL: the default one */
	gint64 (*now_s)(void);		/* since 1970; NULL: the clock */
} SpoolConfig;

/* What the sender says; copied. Strings may be NULL. */
typedef struct {
	const char *name;		/* anything */
	const char *mime_type, *peer_id, *transfer_id;
	guint64 size;			/* announced */
} SpoolOffer;

typedef struct Spool Spool;

/* Loads what is there, and removes what a crash left behind. A directory that
 * cannot be used is told by spool_receive(). */
Spool *spool_new(const SpoolConfig *config, GError **error);
/* Waits for files that are being given their names, and answers for them. After
 * all sinks that were not told to finish. */
void spool_free(Spool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_free)

/* A place for one file. Its finish() answers with {path, sha256, data: {path,
 * name, size, sha256}}; write() fails with -EDQUOT, -EFBIG, -ENOSPC ... */
gboolean spool_receive(Spool *spool, const SpoolOffer *offer,
		       TransferSink *ret, GError **error);

/* (transfer full): an array of {name, size, sha256, mimeType, peerId,
 * transferId, originalName, time}, oldest first; the newest that fit into
 * SPOOL_DESCRIBE_MAX_BYTES of JSON. */
JsonNode *spool_describe(Spool *spool);
/* Return: a descriptor for reading, -1 with @error. @ret_info: (transfer full),
 * as in the array. */
int spool_open(Spool *spool, const char *name, JsonObject **ret_info,
	       GError **error);
gboolean spool_remove(Spool *spool, const char *name, GError **error);
/* Other limits, from now on; what is here stays, also what is above them. Of
 * @limits quota_bytes, max_file_bytes, max_files and keep_s count. */
void spool_set_limits(Spool *spool, const SpoolConfig *limits);
/* Removes what is too old; also done before a file is let in. */
void spool_expire(Spool *spool);
