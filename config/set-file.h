/* SPDX-License-Identifier: Apache-2.0 */
/* config/set-file.h - the set-file: what 'config set' writes
 *
 *   set_file_read() ─▶ values ─▶ set_file_print() ─▶ set_file_write()
 *
 * Written beside it, synced, renamed, and the directory synced: after a power
 * cut there is the old file or the new one, whole. Mode 0600.
 *
 * Source:  rename(2), fsync(2)
 * Thread:  any; one writer at a time, others are told so. Writing blocks for as
 *          long as the disk takes
 * Memory:  embedded in its owner
 */
#pragma once

#include "config/config.h"
#include "config/whole-file.h"

struct set_file {
	char *values[N_OPTIONS];	/* as in a file; NULL: not set there */
};
void set_file_clear(struct set_file *file);

/* @ret: empty when there is none. @problems: as in config_load(). Return:
 * false with nothing to clear. */
bool set_file_read(const char *path, struct set_file *ret,
		   GPtrArray *problems);
/* NULL: not set. */
void set_file_set(struct set_file *file, enum option_id id, const char *value);
bool set_file_is_empty(const struct set_file *file);
/* The text of the file; g_free() it. */
char *set_file_print(const struct set_file *file);

/**
 * set_file_write() - replace the file, or remove it
 * @path: its directory is made if that one's parent exists
 * @text: NULL: the file goes away
 * @ops:  NULL: the kernel
 *
 * Return: false with @error; there is the old file then, or, when only the
 * directory could not be synced, the new one; never a part of either.
 */
bool set_file_write(const char *path, const char *text,
		    const struct whole_file_ops *ops, GError **error);
