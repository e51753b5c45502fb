/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-credentials.h - who is at the other end
 *
 *   root, or the daemon's own user    administers
 *   group skylink                     operates
 *   group skylink-read                reads
 *   anybody else                      nothing
 *
 * Source:  unix(7) SO_PEERCRED, SO_PEERGROUPS
 * Thread:  control
 * Memory:  plain values
 */
#pragma once

#include <sys/types.h>

#include "appliance/control/control-table.h"

#define CONTROL_GROUP_OPERATE "skylink"
#define CONTROL_GROUP_READ    "skylink-read"
#define CONTROL_GROUPS_MAX    256	/* of one peer; more are not looked at */

struct control_groups {
	bool has_operate, has_read;	/* the group exists on this machine */
	gid_t operate, read;
};

struct control_credentials {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	unsigned int n_groups;
	gid_t groups[CONTROL_GROUPS_MAX];
};

/* Asks the group database; may read files. */
void control_groups_lookup(struct control_groups *ret);

/* Return: 0 or negative errno. */
int control_credentials_get(int fd, struct control_credentials *ret);

ControlRole control_credentials_role(const struct control_credentials *peer,
				     const struct control_groups *groups,
				     uid_t own_uid);
