/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-run.h - skylinkctl, from its arguments to its exit status
 *
 * Source:  docs/control.md
 * Thread:  any, one at a time
 * Memory:  nothing outlives the call
 */
#pragma once

#include <stdio.h>

/* Return: an enum ctl_exit. */
int ctl_run(int argc, char *const argv[], FILE *out, FILE *err);
