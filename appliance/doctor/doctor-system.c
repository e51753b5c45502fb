// SPDX-License-Identifier: Apache-2.0
/* appliance/doctor/doctor-system.c - rights, the kernel, the disk */
#include "appliance/doctor/doctor.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "appliance/control/control-credentials.h"
#include "appliance/landlock.h"
#include "webrtc/net-demux.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define GROUPS_MAX	 256
#define PROBE_BYTES	 4096
#define LITTLE_BYTES	 (UINT64_C(100) * 1000 * 1000)
#define SPOOL_FILES_MAX	 200000

/* --- rights ---------------------------------------------------------------- */
static gboolean is_member(gid_t gid)
{
	gid_t list[GROUPS_MAX];
	int n = getgroups(GROUPS_MAX, list);

	for (int i = 0; i < n; i++)
		if (list[i] == gid)
			return TRUE;
	return getegid() == gid;
}

static void check_group(const char *name, DoctorReport *r)
{
	g_autofree char *check = g_strdup_printf("group %s", name);
	struct group entry, *found = NULL;
	char buffer[16384];

	if (getgrnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 ||
	    !found)
		doctor_add(r, check, DOCTOR_SKIPPED, NULL,
			   "This machine has no such group");
	else if (geteuid() == 0)
		doctor_add(r, check, DOCTOR_OK, NULL,
			   "Not needed: this is root");
	else if (is_member(found->gr_gid))
		doctor_add(r, check, DOCTOR_OK, NULL,
			   "User %u is in it", geteuid());
	else
		doctor_add(r, check, DOCTOR_WARNING,
			   "Put the user into it (usermod -aG) and start the "
			   "daemon anew, unless the devices open all the same.",
			   "User %u is not in it", geteuid());
}

static void check_socket(const char *path, DoctorReport *r)
{
	struct control_groups groups;
	struct stat st;

	if (stat(path, &st) < 0) {
		doctor_add(r, "control-socket", DOCTOR_FAILED,
			   "Start the daemon: systemctl start skylinkd.",
			   "%s: %s", path, g_strerror(errno));
		return;
	}
	control_groups_lookup(&groups);
	if (!groups.has_operate)
		doctor_add(r, "control-socket", DOCTOR_WARNING,
			   "Make the groups " CONTROL_GROUP_OPERATE " and "
			   CONTROL_GROUP_READ ", as the package does.",
			   "%s, mode %04o: there is no group "
			   CONTROL_GROUP_OPERATE ", so root and user %u alone "
			   "may do anything", path, st.st_mode & 07777,
			   geteuid());
	else
		doctor_add(r, "control-socket", DOCTOR_OK, NULL,
			   "%s, mode %04o", path, st.st_mode & 07777);
}

void doctor_check_rights(const DoctorInput *input, DoctorReport *r)
{
	check_group("video", r);
	check_group("audio", r);
	if (input->socket)
		check_socket(input->socket, r);
}

/* --- the kernel ------------------------------------------------------------ */
static void check_io_uring(const DoctorInput *input, DoctorReport *r)
{
	static const char advice[] =
		"The slower way (epoll) is taken. A kernel from 6.1 on has "
		"what is needed; kernel.io_uring_disabled must be 0.";
	int e;

	if (input->io && !strcmp(input->io, "io_uring")) {
		doctor_add(r, "io_uring", DOCTOR_OK, NULL, "In use");
		return;
	}
	if (input->io) {
		doctor_add(r, "io_uring", DOCTOR_WARNING, advice,
			   "Not in use: %s", input->io_reason ?
			   input->io_reason : "network.io says so");
		return;
	}
	/* With nowhere to put its answer the kernel says EFAULT, if it would
	 * have one. */
	e = syscall(SYS_io_uring_setup, 1, NULL) < 0 ? errno : EFAULT;
	if (e == EFAULT)
		doctor_add(r, "io_uring", DOCTOR_OK, NULL, "The kernel has it");
	else
		doctor_add(r, "io_uring", DOCTOR_WARNING, advice,
			   "Cannot be had: %s", g_strerror(e));
}

static void check_demux(const DoctorInput *input, int fd, DoctorReport *r)
{
	static const char advice[] =
		"Media takes the slower way, through libnice.";
	int sibling = -1, e;

	if (input->demux && strcmp(input->demux, "kernel") &&
	    input->demux_reason) {
		doctor_add(r, "reuseport-bpf", DOCTOR_WARNING, advice, "%s",
			   input->demux_reason);
		return;
	}
	e = net_demux_sibling(fd, &sibling);
	if (e < 0) {
		doctor_add(r, "reuseport-bpf", DOCTOR_WARNING, advice,
			   "Cannot be had: %s", g_strerror(-e));
		return;
	}
	net_demux_stop(sibling);
	close(sibling);
	doctor_add(r, "reuseport-bpf", DOCTOR_OK, NULL, "The kernel has it");
}

static void check_landlock(const DoctorInput *input, DoctorReport *r)
{
	static const char advice[] =
		"Whoever got into the daemon could open what its user can. A "
		"kernel from 5.13 on can refuse it that, if 'landlock' is "
		"among its lsm=.";
	int abi = input->landlock_abi ? input->landlock_abi : landlock_probe();

	if (input->landlock_abi)
		doctor_add(r, "landlock", DOCTOR_OK, NULL, "In force, ABI %d",
			   abi);
	else if (input->landlock_reason)
		doctor_add(r, "landlock", DOCTOR_WARNING, advice,
			   "Not in force: %s", input->landlock_reason);
	else if (abi > 0)
		doctor_add(r, "landlock", DOCTOR_OK, NULL,
			   "The kernel has it, ABI %d", abi);
	else
		doctor_add(r, "landlock", DOCTOR_WARNING, advice,
			   "Cannot be had: %s", landlock_explain(-abi));
}

void doctor_check_kernel(const DoctorInput *input, DoctorReport *r)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 1200;

	check_io_uring(input, r);
	check_landlock(input, r);
	if (fd < 0 || bind(fd, (struct sockaddr *) &any, sizeof(any)) < 0) {
		doctor_add(r, "udp", DOCTOR_FAILED,
			   "Look at the unit's RestrictAddressFamilies= and "
			   "IPAddressDeny=.",
			   "No UDP socket can be had: %s", g_strerror(errno));
	} else {
		if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size,
			       sizeof(size)) == 0)
			doctor_add(r, "udp-gso", DOCTOR_OK, NULL,
				   "The kernel has it");
		else
			doctor_add(r, "udp-gso", DOCTOR_WARNING,
				   "Packets leave one by one, which costs "
				   "more CPU.", "Cannot be had: %s",
				   g_strerror(errno));
		check_demux(input, fd, r);
	}
	if (fd >= 0)
		close(fd);
}

/* --- the disk -------------------------------------------------------------- */
/* What is there of @path: itself, or what it will be made in. g_free() */
static char *existing_part(const char *path)
{
	char *at = g_strdup(path);

	while (access(at, F_OK) < 0 && errno == ENOENT && strcmp(at, "/")) {
		char *up = g_path_get_dirname(at);

		g_free(at);
		at = up;
	}
	return at;
}

/* As a file would be: some bytes, synced. Return: 0 or errno. */
static int try_to_write(const char *dir)
{
	static const char bytes[PROBE_BYTES];
	g_autofree char *path = g_build_filename(dir, ".doctor-XXXXXX", NULL);
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return errno;
	for (size_t done = 0; !r && done < sizeof(bytes);) {
		ssize_t n = write(fd, bytes + done, sizeof(bytes) - done);

		if (n < 0)
			r = errno;
		else
			done += (size_t) n;
	}
	if (!r && fdatasync(fd) < 0)
		r = errno;
	close(fd);
	return r;
}

static const char *disk_advice(int e, const DoctorInput *input)
{
	switch (e) {
	case EACCES:
		if (!input->landlock_abi)
			break;
		return "Let the daemon's user write there. What was made, or "
		       "mounted, there while the daemon ran can be used from "
		       "its next start on (security.landlock).";
	case ENOSPC:
	case EDQUOT:
		return "Make room: 'skylinkctl received' shows what came, and "
		       "can remove it.";
	case EROFS:
		return "It is mounted read-only: look at the disk, or at the "
		       "unit's ReadWritePaths=.";
	}
	return "Let the daemon's user write there.";
}

static gboolean check_directory(const char *check, const char *path,
				const DoctorInput *input, DoctorReport *r)
{
	g_autofree char *at = existing_part(path);
	int e = try_to_write(at);

	if (e) {
		doctor_add(r, check, DOCTOR_FAILED, disk_advice(e, input),
			   "Nothing can be written in %s: %s", at,
			   g_strerror(e));
		return FALSE;
	}
	doctor_add(r, check, DOCTOR_OK, NULL, "%s can be written", path);
	return TRUE;
}

/* Bytes of the files in it. */
static guint64 used_bytes(const char *path)
{
	DIR *dir = opendir(path);
	guint64 sum = 0;

	for (unsigned int n = 0; dir && n < SPOOL_FILES_MAX; n++) {
		struct dirent *e = readdir(dir);
		struct stat st;

		if (!e)
			break;
		if (fstatat(dirfd(dir), e->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			sum += (guint64) st.st_size;
	}
	if (dir)
		closedir(dir);
	return sum;
}

static void check_space(const DoctorInput *input, DoctorReport *r)
{
	g_autofree char *at = existing_part(input->spool_dir);
	struct statvfs fs;
	guint64 free_bytes, used = used_bytes(input->spool_dir);
	g_autofree char *free_text = NULL, *quota = NULL;

	if (statvfs(at, &fs) < 0)
		return;		/* check_directory() has told */
	free_bytes = (guint64) fs.f_bavail * fs.f_frsize;
	free_text = g_format_size(free_bytes);
	quota = g_format_size(input->quota_bytes);
	if (free_bytes < LITTLE_BYTES)
		doctor_add(r, "disk-space", DOCTOR_WARNING,
			   disk_advice(ENOSPC, input), "%s are free in %s",
			   free_text, at);
	else if (free_bytes + used < input->quota_bytes)
		doctor_add(r, "disk-space", DOCTOR_WARNING,
			   "Lower transfer.quota, or make room.",
			   "Received files may take %s, but %s are free in %s",
			   quota, free_text, at);
	else
		doctor_add(r, "disk-space", DOCTOR_OK, NULL,
			   "%s are free in %s; received files may take %s",
			   free_text, at, quota);
}

void doctor_check_disk(const DoctorInput *input, DoctorReport *r)
{
	if (input->state_dir)
		check_directory("state-directory", input->state_dir, input, r);
	if (!input->spool_dir)
		return;
	if (check_directory("spool", input->spool_dir, input, r))
		check_space(input, r);
}
