/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/spool-dir.h - the directory where received files appear
 *
 *   begin ──▶ unnamed file ──write──▶ commit: sync, .info/NAME.json, link
 *
 *   received/report.pdf              whole, and never another's
 *   received/.info/report.pdf.json   who sent it, and its digest; there first
 *   received/.part-XXXXXX            only where a file cannot be unnamed
 *
 * A file gets its name when all of it is on the disk, and never a name that is
 * taken. What a crash leaves behind is unnamed and gone, or found by
 * spool_dir_load() and removed.
 *
 * Source:  open(2) O_TMPFILE, link(2); names from spool-name.h are one
 *          component each, opened beneath the directory without following
 *          links
 * Thread:  any; commit may block for as long as the disk takes
 * Memory:  embedded in its owner
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "appliance/spool/spool-name.h"

#define SPOOL_INFO_MAX_BYTES 32768u	/* of a NAME.json */
#define SPOOL_NUMBER_MAX     10000	/* "report (10000).pdf" is the last */

struct spool_dir {
	int fd, info_fd;		/* -1: not open */
};

/* Being written. */
struct spool_part {
	int fd;
	char name[16];			/* ".part-XXXXXX"; empty: unnamed */
};

/**
 * spool_dir_open() - open the directory, and lock it
 * @create: make what is missing of the path
 *
 * Return: 0, -ENOENT without it, -EBUSY when another process has it, -EPERM
 *         when others may write there, or negative errno.
 */
int spool_dir_open(struct spool_dir *dir, const char *path, bool create);
void spool_dir_close(struct spool_dir *dir);

/* Bytes that may still be written there. */
uint64_t spool_dir_get_free(const struct spool_dir *dir);

/* Return: 0 or negative errno. */
int spool_dir_begin(const struct spool_dir *dir, struct spool_part *ret);
/* Nothing remains. */
void spool_dir_abandon(const struct spool_dir *dir, struct spool_part *part);

/**
 * spool_dir_commit() - give a whole file its name; blocks
 * @name: a clean one; @ret_name may have a number
 * @info: what NAME.json shall hold
 *
 * Return: 0, or negative errno, and then nothing remains; @part is closed
 *         either way.
 */
int spool_dir_commit(const struct spool_dir *dir, struct spool_part *part,
		     const char *name, const char *info,
		     char ret_name[SPOOL_NAME_MAX_BYTES + 1]);

/* Removes what a crash left behind, then tells of every file that is whole.
 * @info: what its NAME.json holds, NUL-terminated. @found returns false for
 * what does not fit its file: that NAME.json is removed, the file is not. */
int spool_dir_load(const struct spool_dir *dir,
		   bool (*found)(void *user, const char *name, uint64_t size,
				 const char *info),
		   void *user);

/* @name: clean. Return: a descriptor for reading, or negative errno. */
int spool_dir_open_file(const struct spool_dir *dir, const char *name);
/* Is it still there? Somebody may have removed it by hand. */
bool spool_dir_has(const struct spool_dir *dir, const char *name);
int spool_dir_remove(const struct spool_dir *dir, const char *name);
