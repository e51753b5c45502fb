// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/spool/spool-name.h"

#define NUMBER_MAX   1000
#define COPY_BYTES   65536

static int create(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0666);
}

static int create_numbered(const char *directory, const char *name,
			   char **ret_path)
{
	char clean[SPOOL_NAME_MAX_BYTES + 1];
	int fd = -1;

	spool_name_clean(name, strlen(name), clean);
	for (unsigned int n = 1; n <= NUMBER_MAX; n++) {
		char numbered[SPOOL_NAME_MAX_BYTES + 1];

		spool_name_number(clean, n, numbered);
		g_free(*ret_path);
		*ret_path = g_build_filename(directory, numbered, NULL);
		fd = create(*ret_path);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

int ctl_create_file(struct ctl *c, const char *output, const char *name,
		    int *ret_fd, char **ret_path)
{
	g_autofree char *path = NULL;
	struct stat st;
	int fd;

	if (stat(output, &st) == 0 && S_ISDIR(st.st_mode)) {
		fd = create_numbered(output, name, &path);
	} else {
		path = g_strdup(output);
		fd = create(path);
	}
	if (fd < 0)
		return ctl_refuse(c, "Cannot make '%s': %s", path,
				  g_strerror(errno));
	*ret_fd = fd;
	*ret_path = g_steal_pointer(&path);
	return CTL_EXIT_OK;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t) n;
	}
	return 0;
}

int ctl_copy_file(struct ctl *c, int from, int to, const char *what)
{
	g_autofree char *buffer = g_malloc(COPY_BYTES);
	off_t offset = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = pread(from, buffer, COPY_BYTES, offset)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : write_all(to, buffer, (size_t) n);
		offset += n;
	}
	return r == 0 ? CTL_EXIT_OK
		      : ctl_refuse(c, "Cannot write %s: %s", what,
				   g_strerror(-r));
}
