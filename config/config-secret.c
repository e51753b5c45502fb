// SPDX-License-Identifier: Apache-2.0
/* config/config-secret.c - secrets: from a credential or a file of their own */
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX_BYTES 1024

void config_secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

static bool check_file(int fd, const char *path, GError **error)
{
	struct stat st;
	const char *wrong = NULL;

	if (fstat(fd, &st) < 0)
		wrong = "cannot be examined";
	else if (!S_ISREG(st.st_mode))
		wrong = "is not a regular file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		wrong = "belongs neither to root nor to this user";
	else if (st.st_mode & 077)
		wrong = "can be read by others; 'chmod 0600' it";
	if (!wrong)
		return true;
	g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
		    "Secret file '%s' %s", path, wrong);
	return false;
}

/* @credential: systemd has checked and protected it. Return: -ENOENT for a
 * missing file with no @error set, -EACCES for others with it, 0. */
static int read_secret_file(const char *path, bool credential,
			    char **ret_secret, GError **error)
{
	char text[SECRET_MAX_BYTES + 2];
	size_t len = 0;
	ssize_t n = -1;
	int r = -EACCES;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		if (errno == ENOENT)
			return -ENOENT;
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
			    "Cannot open secret file '%s': %s", path,
			    g_strerror(errno));
		return -EACCES;
	}
	if (!credential && !check_file(fd, path, error))
		goto out;
	while (len < sizeof(text) - 1) {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t) n;
	}
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	text[len] = '\0';
	if (n < 0 || !len || len > SECRET_MAX_BYTES || strlen(text) != len ||
	    strpbrk(text, "\r\n") || !g_utf8_validate(text, -1, NULL)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
			    "Secret file '%s' must hold one line of at most %d "
			    "bytes", path, SECRET_MAX_BYTES);
		goto out;
	}
	*ret_secret = g_strdup(text);
	r = 0;
out:
	explicit_bzero(text, sizeof(text));
	close(fd);
	return r;
}

bool config_read_private_file(const char *path, size_t max_bytes,
			      char **ret_text, size_t *ret_len, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	g_autofree char *text = NULL;
	size_t len = 0;
	ssize_t n;

	if (fd < 0) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
			    "Cannot open secret file '%s': %s", path,
			    g_strerror(errno));
		return false;
	}
	if (!check_file(fd, path, error)) {
		close(fd);
		return false;
	}
	text = g_malloc0(max_bytes + 2);
	do {
		n = read(fd, text + len, max_bytes + 1 - len);
		len += n > 0 ? (size_t) n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	if (n < 0 || len > max_bytes) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
			    "Secret file '%s' %s", path,
			    n < 0 ? g_strerror(errno) : "is too long");
		explicit_bzero(text, len);
		return false;
	}
	text[len] = '\0';
	*ret_text = g_steal_pointer(&text);
	*ret_len = len;
	return true;
}

bool config_read_secret(const Config *config, enum option_id id,
			char **ret_secret, GError **error)
{
	const struct option_row *row = option_table_get(id);
	const char *dir = g_getenv("CREDENTIALS_DIRECTORY");
	const char *path = config_get_string(config, id);
	char *secret = NULL;
	int r = -ENOENT;

	g_assert(row->type == OPTION_SECRET);
	if (dir) {
		g_autofree char *key = g_strndup(
			row->key, strlen(row->key) - strlen("_file"));
		g_autofree char *name = g_strconcat(row->section, ".", key,
						    NULL);
		g_autofree char *credential = g_build_filename(dir, name,
							       NULL);

		r = read_secret_file(credential, true, &secret, error);
	}
	if (r == -ENOENT && path[0]) {
		r = read_secret_file(path, false, &secret, error);
		if (r == -ENOENT)
			g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_SECRET,
				    "Secret file '%s' of %s.%s does not exist",
				    path, row->section, row->key);
		if (r < 0)
			return false;
	}
	if (r < 0 && r != -ENOENT)
		return false;
	*ret_secret = secret;
	return true;
}
