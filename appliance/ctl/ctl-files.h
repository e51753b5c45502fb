/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-files.h - files of the person at the command line
 *
 * Source:  open(2) O_EXCL: what is there is never overwritten
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include "appliance/ctl/ctl-private.h"

/**
 * ctl_create_file() - a new file for what a peer sent
 * @output: a directory, in which it gets a safe form of @name, numbered when
 *	    that is taken; or the file's path
 * @ret_fd: open for reading and writing
 *
 * Return: an enum ctl_exit; what went wrong was said.
 */
int ctl_create_file(struct ctl *c, const char *output, const char *name,
		    int *ret_fd, char **ret_path);

/* From the beginning of @from to its end. @what: the name of @to */
int ctl_copy_file(struct ctl *c, int from, int to, const char *what);
