// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-certificate.h"

#include <errno.h>
#include <sys/stat.h>

#include "appliance/roomserver/room-state.h"

#define DAY_S INT64_C(86400)

/* What stat(2) says; the change time knows of rights, too. */
struct file_mark {
	int error;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

enum told {
	TOLD_NOTHING,
	TOLD_SOON,
	TOLD_ENDED,
};

struct room_certificate {
	char *file, *key_file, *state_dir;
	char **names;
	struct room_tls *tls;
	struct file_mark marks[2];	/* when last tried */
	enum told told;
};

static void mark_file(const char *path, struct file_mark *ret)
{
	struct stat st;

	*ret = (struct file_mark){.error = 0};
	if (!path)
		return;
	if (stat(path, &st) < 0) {
		ret->error = errno;
		return;
	}
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_ctim;
}

static gboolean same_mark(const struct file_mark *a, const struct file_mark *b)
{
	return a->error == b->error && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static gboolean is_own(const struct room_certificate *c)
{
	return !c->file && !c->key_file;
}

/* Return: whether they are other ones than before. */
static gboolean mark_files(struct room_certificate *c)
{
	const char *paths[2] = {c->file, c->key_file};
	gboolean differ = FALSE;

	for (unsigned int i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct file_mark now;

		mark_file(paths[i], &now);
		differ |= !same_mark(&now, &c->marks[i]);
		c->marks[i] = now;
	}
	return differ;
}

static struct room_tls *keep(struct room_certificate *c, const char *dir,
			     gint64 now, GError **error)
{
	g_auto(GStrv) names =
		room_tls_own_names((const char *const *) c->names);

	return room_tls_keep(dir, (const char *const *) names, now, error);
}

struct room_certificate *
room_certificate_new(const struct room_certificate_config *config, gint64 now,
		     GError **error)
{
	struct room_certificate *c = g_new0(struct room_certificate, 1);

	c->file = g_strdup(config->file);
	c->key_file = g_strdup(config->key_file);
	c->state_dir = g_strdup(config->state_dir);
	c->names = g_strdupv((char **) config->names);
	/* Before reading: what changes meanwhile is read again. */
	mark_files(c);
	c->tls = is_own(c) ? keep(c, c->state_dir, now, error)
			   : room_tls_load(c->file, c->key_file, error);
	return c->tls ? c : room_certificate_free(c);
}

struct room_certificate *room_certificate_free(struct room_certificate *c)
{
	if (!c)
		return NULL;
	room_tls_unref(c->tls);
	g_free(c->file);
	g_free(c->key_file);
	g_free(c->state_dir);
	g_strfreev(c->names);
	g_free(c);
	return NULL;
}

struct room_tls *room_certificate_get(const struct room_certificate *c)
{
	return c->tls;
}

/* A full disk, or a file that others can read now, must not leave one in use
 * that has ended. */
static struct room_tls *renew(struct room_certificate *c, gint64 now,
			      GError **error)
{
	g_autoptr(GError) local = NULL;
	struct room_tls *tls = keep(c, c->state_dir, now, &local);

	if (tls)
		return tls;
	if (local->domain != ROOM_STATE_ERROR) {
		g_propagate_error(error, g_steal_pointer(&local));
		return NULL;
	}
	g_warning("%s; the new certificate ends with this program",
		  local->message);
	return keep(c, NULL, now, error);
}

gboolean room_certificate_check(struct room_certificate *c, gint64 now,
				gboolean *ret_changed, GError **error)
{
	struct room_tls *next;

	*ret_changed = FALSE;
	if (is_own(c) ? !room_tls_is_due(c->tls, now) : !mark_files(c))
		return TRUE;
	next = is_own(c) ? renew(c, now, error)
			 : room_tls_load(c->file, c->key_file, error);
	if (!next)
		return FALSE;
	if (g_strcmp0(room_tls_get_fingerprint(next),
		      room_tls_get_fingerprint(c->tls)))
		c->told = TOLD_NOTHING;
	room_tls_unref(c->tls);
	c->tls = next;
	*ret_changed = TRUE;	/* its chain may be another */
	return TRUE;
}

gboolean room_certificate_is_to_be_told(struct room_certificate *c, gint64 now)
{
	gint64 end = room_tls_get_end(c->tls);
	enum told told = TOLD_NOTHING;

	if (is_own(c) || !end || now < ROOM_TLS_CLOCK_MIN_S)
		return FALSE;
	if (end <= now)
		told = TOLD_ENDED;
	else if (end <= now + ROOM_CERTIFICATE_SOON_DAYS * DAY_S)
		told = TOLD_SOON;
	if (told <= c->told)
		return FALSE;
	c->told = told;
	return TRUE;
}
