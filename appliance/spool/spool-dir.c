// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define INFO_DIR	".info"
#define INFO_SUFFIX	".json"
#define PART_PREFIX	".part-"
#define DIR_MODE	0750
#define FILE_MODE	0640
#define PART_TRIES	100

#define INFO_NAME_MAX_BYTES (SPOOL_NAME_MAX_BYTES + sizeof(INFO_SUFFIX))

static void info_name_of(const char *name, char ret[INFO_NAME_MAX_BYTES])
{
	snprintf(ret, INFO_NAME_MAX_BYTES, "%s" INFO_SUFFIX, name);
}

/* --- open ------------------------------------------------------------------ */
/* Others who can write there could put their files under our names. */
static int check_owner(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & S_IWOTH)
		return -EPERM;
	return 0;
}

static int open_info(int dir)
{
	int fd;

	if (mkdirat(dir, INFO_DIR, DIR_MODE) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir, INFO_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
				   O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int spool_dir_open(struct spool_dir *dir, const char *path, bool create)
{
	int r;

	*dir = (struct spool_dir){.fd = -1, .info_fd = -1};
	if (create && g_mkdir_with_parents(path, DIR_MODE) < 0)
		return -errno;
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return -errno;
	r = check_owner(dir->fd);
	if (r == 0) {
		dir->info_fd = open_info(dir->fd);
		r = dir->info_fd < 0 ? dir->info_fd : check_owner(dir->info_fd);
	}
	/* Two that do not know of each other's files would both be wrong about
	 * the room that is left, and clean up what the other is writing. */
	if (r == 0 && flock(dir->info_fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (r < 0)
		spool_dir_close(dir);
	return r;
}

void spool_dir_close(struct spool_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	if (dir->info_fd >= 0)
		close(dir->info_fd);
	dir->fd = dir->info_fd = -1;
}

uint64_t spool_dir_get_free(const struct spool_dir *dir)
{
	struct statvfs vfs;

	/* Who cannot tell finds out when writing. */
	if (fstatvfs(dir->fd, &vfs) < 0)
		return UINT64_MAX;
	return (uint64_t) vfs.f_bavail * vfs.f_frsize;
}

/* --- a new file ------------------------------------------------------------ */
static int begin_named(const struct spool_dir *dir, struct spool_part *ret)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (unsigned int i = 0; i < PART_TRIES; i++) {
		char *p = ret->name + sizeof(PART_PREFIX) - 1;

		strcpy(ret->name, PART_PREFIX "xxxxxx");
		for (; *p; p++)
			*p = letters[g_random_int_range(
				0, (gint32) sizeof(letters) - 1)];
		ret->fd = openat(dir->fd, ret->name,
				 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 FILE_MODE);
		if (ret->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

int spool_dir_begin(const struct spool_dir *dir, struct spool_part *ret)
{
	ret->name[0] = '\0';
	ret->fd = openat(dir->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC,
			 FILE_MODE);
	if (ret->fd >= 0)
		return 0;
	/* File systems that have no unnamed files (open(2)). */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL &&
	    errno != ENOENT)
		return -errno;
	return begin_named(dir, ret);
}

void spool_dir_abandon(const struct spool_dir *dir, struct spool_part *part)
{
	if (part->fd >= 0)
		close(part->fd);
	part->fd = -1;
	if (part->name[0])
		unlinkat(dir->fd, part->name, 0);
	part->name[0] = '\0';
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t) n;
	}
	return 0;
}

/* Return: 0, -EEXIST when there is one of that name. */
static int write_info(const struct spool_dir *dir, const char *info_name,
		      const char *info)
{
	int fd = openat(dir->info_fd, info_name,
			O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, info, strlen(info));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir->info_fd, info_name, 0);
	return r;
}

static int link_part(const struct spool_dir *dir, const struct spool_part *part,
		     const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", part->fd);
	if (part->name[0] ?
	    linkat(dir->fd, part->name, dir->fd, name, 0) :
	    linkat(AT_FDCWD, self, dir->fd, name, AT_SYMLINK_FOLLOW))
		return -errno;
	return 0;
}

/* Return: 0, -EEXIST when the name is taken. */
static int try_name(const struct spool_dir *dir, const struct spool_part *part,
		    const char *name, const char *info)
{
	char info_name[INFO_NAME_MAX_BYTES];
	int r;

	info_name_of(name, info_name);
	/* Before the file: whatever has a name can be told about. */
	r = write_info(dir, info_name, info);
	if (r < 0)
		return r;
	r = link_part(dir, part, name);
	if (r < 0)
		unlinkat(dir->info_fd, info_name, 0);
	return r;
}

int spool_dir_commit(const struct spool_dir *dir, struct spool_part *part,
		     const char *name, const char *info,
		     char ret_name[SPOOL_NAME_MAX_BYTES + 1])
{
	int r = fsync(part->fd) < 0 ? -errno : -EEXIST;

	for (unsigned int n = 1; r == -EEXIST && n <= SPOOL_NUMBER_MAX; n++) {
		spool_name_number(name, n, ret_name);
		r = try_name(dir, part, ret_name, info);
	}
	/* The name, too, must outlive a power cut. */
	if (r == 0 && (fsync(dir->info_fd) < 0 || fsync(dir->fd) < 0)) {
		r = -errno;
		spool_dir_remove(dir, ret_name);
	}
	spool_dir_abandon(dir, part);
	return r;
}

/* --- what is there --------------------------------------------------------- */
static char *read_info(const struct spool_dir *dir, const char *info_name)
{
	char *text = NULL;
	ssize_t n;
	int fd = openat(dir->info_fd, info_name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	text = g_malloc(SPOOL_INFO_MAX_BYTES + 1);
	n = pread(fd, text, SPOOL_INFO_MAX_BYTES, 0);
	text[MAX(n, 0)] = '\0';
	close(fd);
	return text;
}

static bool stat_file(const struct spool_dir *dir, const char *name,
		      struct stat *ret)
{
	return fstatat(dir->fd, name, ret, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(ret->st_mode);
}

/* Calls @each with every entry but "." and "..". */
static int for_each(int dir_fd, void (*each)(void *user, const char *name),
		    void *user)
{
	/* Its own place in the directory, and closed by closedir(). */
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	while ((e = readdir(dir)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			each(user, e->d_name);
	closedir(dir);
	return 0;
}

static void remove_part(void *user, const char *name)
{
	const struct spool_dir *dir = user;

	if (g_str_has_prefix(name, PART_PREFIX))
		unlinkat(dir->fd, name, 0);
}

struct loading {
	const struct spool_dir *dir;
	bool (*found)(void *user, const char *name, uint64_t size,
		      const char *info);
	void *user;
};

static void load_one(void *user, const char *info_name)
{
	struct loading *l = user;
	g_autofree char *name = NULL, *info = NULL;
	struct stat st;

	if (g_str_has_suffix(info_name, INFO_SUFFIX))
		name = g_strndup(info_name,
				 strlen(info_name) - strlen(INFO_SUFFIX));
	/* Its file never came, or was removed by hand. */
	if (!name || !spool_name_is_clean(name) ||
	    !stat_file(l->dir, name, &st)) {
		unlinkat(l->dir->info_fd, info_name, 0);
		return;
	}
	info = read_info(l->dir, info_name);
	if (!l->found(l->user, name, (uint64_t) st.st_size, info ? info : ""))
		unlinkat(l->dir->info_fd, info_name, 0);
}

int spool_dir_load(const struct spool_dir *dir,
		   bool (*found)(void *user, const char *name, uint64_t size,
				 const char *info),
		   void *user)
{
	struct loading loading = {.dir = dir, .found = found, .user = user};
	int r = for_each(dir->fd, remove_part, (void *) dir);

	return r < 0 ? r : for_each(dir->info_fd, load_one, &loading);
}

int spool_dir_open_file(const struct spool_dir *dir, const char *name)
{
	struct stat st;
	int fd = openat(dir->fd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

bool spool_dir_has(const struct spool_dir *dir, const char *name)
{
	struct stat st;

	return stat_file(dir, name, &st);
}

int spool_dir_remove(const struct spool_dir *dir, const char *name)
{
	char info_name[INFO_NAME_MAX_BYTES];
	int r = unlinkat(dir->fd, name, 0) < 0 ? -errno : 0;

	info_name_of(name, info_name);
	/* The file first: without it the rest means nothing. */
	if (r == 0 || r == -ENOENT)
		unlinkat(dir->info_fd, info_name, 0);
	return r;
}
