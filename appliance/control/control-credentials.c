// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-credentials.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>

/* The entry with its members must fit; a group with thousands of members is
 * looked up without them being needed, but libc wants room for all. */
#define GROUP_BUFFER_BYTES (256u << 10)

static bool lookup(const char *name, gid_t *ret)
{
	g_autofree char *buffer = g_malloc(GROUP_BUFFER_BYTES);
	struct group group, *found = NULL;

	if (getgrnam_r(name, &group, buffer, GROUP_BUFFER_BYTES, &found) ||
	    !found)
		return false;
	*ret = found->gr_gid;
	return true;
}

void control_groups_lookup(struct control_groups *ret)
{
	*ret = (struct control_groups){0};
	ret->has_operate = lookup(CONTROL_GROUP_OPERATE, &ret->operate);
	ret->has_read = lookup(CONTROL_GROUP_READ, &ret->read);
}

int control_credentials_get(int fd, struct control_credentials *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	ret->pid = cred.pid;
	ret->n_groups = 0;
	len = sizeof(ret->groups);
	/* More groups than fit (ERANGE): the primary group alone counts. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &len) == 0)
		ret->n_groups = (unsigned int) (len / sizeof(gid_t));
	return 0;
}

static bool is_in(const struct control_credentials *peer, gid_t gid)
{
	if (peer->gid == gid)
		return true;
	for (unsigned int i = 0; i < peer->n_groups; i++)
		if (peer->groups[i] == gid)
			return true;
	return false;
}

ControlRole control_credentials_role(const struct control_credentials *peer,
				     const struct control_groups *groups,
				     uid_t own_uid)
{
	if (peer->uid == 0 || peer->uid == own_uid)
		return CONTROL_ROLE_ADMIN;
	if (groups->has_operate && is_in(peer, groups->operate))
		return CONTROL_ROLE_OPERATE;
	if (groups->has_read && is_in(peer, groups->read))
		return CONTROL_ROLE_READ;
	return CONTROL_ROLE_NONE;
}
