/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-args.h - the command line of skylinkctl, taken apart
 *
 * Options may stand before or after the verb; "--" ends them.
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  strings are borrowed from argv
 */
#pragma once

#include "appliance/ctl/ctl-table.h"

#define CTL_ARGUMENTS_MAX 64

struct ctl_args {
	int verb;			/* enum ctl_verb_id, or -1: none given */
	const char *option[N_CTL_OPTIONS]; /* NULL: not given; "" for flags */
	unsigned int n_arguments;
	const char *arguments[CTL_ARGUMENTS_MAX];
	unsigned int timeout_ms;
	unsigned int interval_ms;
	guint64 count;			/* 0: without end */
};

/* Return: false with @ret_why (g_free) for a wrong command line. */
bool ctl_args_parse(int argc, char *const argv[], struct ctl_args *ret,
		    char **ret_why);
