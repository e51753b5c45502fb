/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/life/state-writer.h - keeps a file up to date without waiting
 *
 * A disk may take seconds for a sync, and a full one never takes it: a thread
 * writes, one text at a time; of those that come meanwhile the last one
 * counts. What could not be written is tried again once a minute.
 *
 * Source:  none (our own); config/whole-file.h writes
 * Thread:  control; the thread touches nothing but its own job
 * Memory:  two texts; owned by its creator
 */
#pragma once

#include <glib.h>

#include "config/whole-file.h"

#define STATE_WRITER_RETRY_MS 60000

typedef struct StateWriter StateWriter;

/* The outcome changed: @why: NULL: the file is up to date again; else the
 * sentence that says why not, borrowed. */
typedef void (*StateWriterTold)(void *user, const char *why);

/* @ops: NULL: the kernel's; @retry_ms: 0: STATE_WRITER_RETRY_MS */
StateWriter *state_writer_new(const char *path,
			      const struct whole_file_ops *ops, guint retry_ms,
			      StateWriterTold told, void *user);
/* @text: copied. The same as the one before: nothing happens. */
void state_writer_put(StateWriter *w, const char *text);
/* The last one's fate; NULL: written, or still on its way. Borrowed. */
const char *state_writer_get_error(StateWriter *w);
guint64 state_writer_get_writes(StateWriter *w);
/* What waits is written first, if the disk lets it: this blocks. Takes NULL,
 * returns NULL. */
StateWriter *state_writer_free(StateWriter *w);
