/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/landlock.h - the files this process may open, kept by the kernel
 *
 * Folders are named first; from landlock_restrict() on everything else is
 * refused (EACCES), to every thread that is made later and for good, whatever
 * the rights of the user are. Programs are not run at all. Descriptors that are
 * open, or that somebody sends, stay as they are, and so does looking: stat(),
 * readlink() and connect() ask for no such right.
 *
 *   file.pem, which is replaced by renaming ──▶ the folder it stands in
 *   a folder that is not there yet          ──▶ the nearest above it that is
 *
 * A rule is on what stands at the path now: what is mounted there later needs a
 * new start.
 *
 * Source:  landlock(7); linux/landlock.h, the rights of files of ABI 1 to 5
 * Thread:  the only one, until it is restricted; then any may ask
 * Memory:  one Landlock, its caller's
 */
#pragma once

#include <glib.h>

enum landlock_use {
	LANDLOCK_READ = 1,	/* files are read, folders listed */
	LANDLOCK_WRITE = 2,	/* files and folders are made, changed, removed */
	LANDLOCK_SOCKET = 4,	/* sockets are made and removed */
	LANDLOCK_DEVICE = 8,	/* nodes that are there: written, ioctl() */
};

#define LANDLOCK_RULES_MAX 256

typedef struct Landlock Landlock;

Landlock *landlock_new(void);
/* What was restricted stays so. Takes NULL. */
void landlock_free(Landlock *l);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Landlock, landlock_free)

/* Beneath @path, a folder or a file, these uses (ORed) are allowed; ignored
 * when nothing is there. */
void landlock_add(Landlock *l, const char *path, unsigned int uses);
/* The same for a folder that may not be there yet. Of '/' itself nothing would
 * be left to refuse: landlock_restrict() then fails, and says so. */
void landlock_add_folder(Landlock *l, const char *path, unsigned int uses);
/* The same for the folder of a file that may be replaced, or made later; in '/'
 * for the file that is there alone. */
void landlock_add_file(Landlock *l, const char *path, unsigned int uses);

/* Would a rule allow these uses of @path, which need not be there? */
gboolean landlock_covers(const Landlock *l, const char *path,
			 unsigned int uses);

/**
 * landlock_restrict() - from now on
 *
 * The process gets no new privileges any more (PR_SET_NO_NEW_PRIVS).
 *
 * Return: FALSE with @error when the kernel has no Landlock, or forbids it, or
 * there are threads already, which would stay as they are. Nothing is
 * restricted then.
 */
gboolean landlock_restrict(Landlock *l, GError **error);
/* The ABI in force; 0: nothing is restricted. */
int landlock_get_abi(const Landlock *l);

/* What the kernel has: an ABI, or negative errno. */
int landlock_probe(void);
/* What one of its errors means here; static. */
const char *landlock_explain(int error);
