// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/transfer-files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/spool/sha256.h"

/* --- what clients hand over ------------------------------------------------ */
static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no file";
	}
}

/* @wanted: O_RDONLY or O_WRONLY. Takes @fd on failure. */
static gboolean check_file(int fd, int wanted, struct stat *st, GError **error)
{
	int flags = fcntl(fd, F_GETFL);
	const char *why = NULL;

	if (flags < 0 || fstat(fd, st) < 0)
		why = g_strerror(errno);
	else if (!S_ISREG(st->st_mode))
		why = kind_of(st->st_mode);
	else if (flags & O_PATH || ((flags & O_ACCMODE) != O_RDWR &&
				    (flags & O_ACCMODE) != wanted))
		why = wanted == O_RDONLY ? "not open for reading" :
					   "not open for writing";
	else if (wanted == O_WRONLY && flags & O_APPEND)
		why = "open for appending";
	if (!why)
		return TRUE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
		    "The descriptor is %s; it must be a regular file that is "
		    "open for %s", why,
		    wanted == O_RDONLY ? "reading" : "writing");
	close(fd);
	return FALSE;
}

struct file_source {
	int fd;
	guint64 size;
};

static gssize file_read(void *user, guint64 offset, guint8 *buf, gsize len)
{
	const struct file_source *f = user;
	ssize_t n;

	if (offset >= f->size)
		return 0;
	len = (gsize) MIN(len, f->size - offset);
	do {
		n = pread(f->fd, buf, len, (off_t) offset);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static void file_source_free(void *user)
{
	struct file_source *f = user;

	close(f->fd);
	g_free(f);
}

gboolean file_source_new(int fd, TransferSource *ret, guint64 *ret_size,
			 GError **error)
{
	struct file_source *f;
	struct stat st;

	if (!check_file(fd, O_RDONLY, &st, error))
		return FALSE;
	f = g_new0(struct file_source, 1);
	f->fd = fd;
	f->size = (guint64) st.st_size;
	*ret = (TransferSource){
		.read = file_read, .free = file_source_free, .user = f};
	*ret_size = f->size;
	return TRUE;
}

struct file_sink {
	int fd;
	guint64 written, max;
	gboolean whole;
	struct sha256 sha256;
};

static int file_write(void *user, const guint8 *data, gsize len)
{
	struct file_sink *f = user;
	int r;

	if (len > f->max - f->written)
		return -EFBIG;
	r = sha256_add(&f->sha256, data, len);
	while (r == 0 && len) {
		ssize_t n = pwrite(f->fd, data, len, (off_t) f->written);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (gsize) n;
		f->written += (guint64) n;
	}
	return r;
}

static void file_finish(void *user,
			void (*done)(void *done_user, JsonObject *info,
				     const GError *error),
			void *done_user)
{
	struct file_sink *f = user;
	JsonObject *o = json_object_new(), *data = json_object_new();
	char hex[SHA256_HEX_BYTES];

	f->whole = TRUE;
	sha256_end(&f->sha256, hex);
	json_object_set_string_member(o, "sha256", hex);
	json_object_set_int_member(data, "size", (gint64) f->written);
	json_object_set_string_member(data, "sha256", hex);
	json_object_set_object_member(o, "data", data);
	done(done_user, o, NULL);
}

static void file_sink_free(void *user)
{
	struct file_sink *f = user;

	/* The client has the name and removes it; the bytes are ours. */
	if (!f->whole && ftruncate(f->fd, 0) < 0)
		g_info("a broken transfer's file keeps its bytes: %s",
		       g_strerror(errno));
	sha256_done(&f->sha256);
	close(f->fd);
	g_free(f);
}

gboolean file_sink_new(int fd, guint64 max_bytes, TransferSink *ret,
		       GError **error)
{
	struct file_sink *f;
	struct stat st;

	if (!check_file(fd, O_WRONLY, &st, error))
		return FALSE;
	f = g_new0(struct file_sink, 1);
	f->fd = fd;
	f->max = max_bytes;
	if (sha256_init(&f->sha256) < 0 || ftruncate(fd, 0) < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "The file cannot be written: %s",
			    g_strerror(errno));
		file_sink_free(f);
		return FALSE;
	}
	*ret = (TransferSink){.write = file_write, .finish = file_finish,
			      .free = file_sink_free, .user = f};
	return TRUE;
}

/* --- data URLs ------------------------------------------------------------- */
static gssize text_read(void *user, guint64 offset, guint8 *buf, gsize len)
{
	gsize size;
	const guint8 *text = g_bytes_get_data(user, &size);

	if (offset >= size)
		return 0;
	len = MIN(len, size - (gsize) offset);
	memcpy(buf, text + offset, len);
	return (gssize) len;
}

static void text_source_free(void *user)
{
	g_bytes_unref(user);
}

TransferSource text_source_new(const char *text)
{
	return (TransferSource){
		.read = text_read,
		.free = text_source_free,
		.user = g_bytes_new(text, strlen(text)),
	};
}

static int text_write(void *user, const guint8 *data, gsize len)
{
	GString *s = user;

	if (len > DATA_URL_MAX_BYTES - s->len)
		return -EFBIG;
	g_string_append_len(s, (const char *) data, (gssize) len);
	return 0;
}

static void text_finish(void *user,
			void (*done)(void *done_user, JsonObject *info,
				     const GError *error),
			void *done_user)
{
	GString *s = user;
	g_autoptr(GError) error = NULL;
	JsonObject *o = NULL;

	/* Also without NUL, which JSON strings of ours do not have. */
	if (g_utf8_validate_len(s->str, s->len, NULL)) {
		o = json_object_new();
		json_object_set_string_member(o, "data", s->str);
	} else {
		g_set_error(&error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
			    "The data URL is no UTF-8 text");
	}
	done(done_user, o, error);
}

static void text_sink_free(void *user)
{
	g_string_free(user, TRUE);
}

TransferSink text_sink_new(void)
{
	return (TransferSink){.write = text_write, .finish = text_finish,
			      .free = text_sink_free,
			      .user = g_string_new(NULL)};
}
