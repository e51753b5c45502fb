// SPDX-License-Identifier: Apache-2.0
#include "appliance/landlock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The headers of Debian 12 end with ABI 2. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_SOCKET \
	(LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define ACCESS_WRITE                                                         \
	(ACCESS_READ | ACCESS_SOCKET | LANDLOCK_ACCESS_FS_WRITE_FILE |       \
	 LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_MAKE_REG |         \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |       \
	 LANDLOCK_ACCESS_FS_REFER)
#define ACCESS_DEVICE                                                        \
	(ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                       \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)
/* Of those a rule on a file may have these. */
#define ACCESS_OF_FILES                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |        \
	 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |        \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)

typedef struct {
	char *path;		/* without links */
	unsigned int uses;
} Rule;

struct Landlock {
	GArray *rules;		/* of Rule */
	char *everything;	/* the folder that leads to '/'; or NULL */
	gboolean too_many;
	int abi;
};

/* --- the kernel's side ------------------------------------------------------ */
static int create_ruleset(const struct landlock_ruleset_attr *attr, size_t size,
			  uint32_t flags)
{
	return (int) syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

int landlock_probe(void)
{
	int abi = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : abi;
}

const char *landlock_explain(int error)
{
	switch (error) {
	case ENOSYS:
		return "this kernel has no Landlock";
	case EOPNOTSUPP:
		return "this kernel was started without Landlock (lsm=)";
	case EPERM:
		return "Landlock is forbidden here (SystemCallFilter=)";
	default:
		return g_strerror(error);
	}
}

/* The rights of files that a kernel of this ABI knows; what came after ABI 5 is
 * about other things. */
static uint64_t known_to(int abi)
{
	uint64_t known = LANDLOCK_ACCESS_FS_REFER - 1;	/* the first 13 */

	if (abi >= 2)
		known |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		known |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		known |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return known;
}

static uint64_t access_of(unsigned int uses)
{
	return (uses & LANDLOCK_READ ? ACCESS_READ : 0) |
	       (uses & LANDLOCK_WRITE ? ACCESS_WRITE : 0) |
	       (uses & LANDLOCK_SOCKET ? ACCESS_SOCKET : 0) |
	       (uses & LANDLOCK_DEVICE ? ACCESS_DEVICE : 0);
}

/* Return: 0 or negative errno; 0 also when it is gone, or not ours to see. */
static int add_rule(int ruleset, const Rule *rule, uint64_t known)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = access_of(rule->uses) & known,
		.parent_fd = open(rule->path, O_PATH | O_CLOEXEC),
	};
	struct stat st;
	int r = 0;

	if (beneath.parent_fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ?
			0 : -errno;
	if (fstat(beneath.parent_fd, &st) < 0)
		r = -errno;
	else if (!S_ISDIR(st.st_mode))
		beneath.allowed_access &= ACCESS_OF_FILES;
	/* ENOMSG: nothing is left of it, such as a socket's in a file. */
	if (r == 0 && beneath.allowed_access &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0) < 0)
		r = -errno;
	close(beneath.parent_fd);
	return r;
}

static int add_rules(const Landlock *l, int ruleset, uint64_t known)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < l->rules->len; i++)
		r = add_rule(ruleset, &g_array_index(l->rules, Rule, i), known);
	return r;
}

/* Return: an ABI, or negative errno. */
static int restrict_to(const Landlock *l)
{
	int abi = landlock_probe(), ruleset, r;
	struct landlock_ruleset_attr attr = {.handled_access_fs = 0};

	if (abi < 0)
		return abi;
	attr.handled_access_fs = known_to(abi);
	ruleset = create_ruleset(&attr, sizeof(attr), 0);
	if (ruleset < 0)
		return -errno;
	r = add_rules(l, ruleset, attr.handled_access_fs);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		r = -errno;
	close(ruleset);
	return r < 0 ? r : abi;
}

/* Return: how many, or negative errno. */
static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	if (!dir)
		return -errno;
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* --- paths ------------------------------------------------------------------- */
/* Without links as far as it is there, then as it stands. g_free() */
static char *resolve(const char *path)
{
	g_autofree char *at = g_strdup(path);

	for (;;) {
		char *real = realpath(at, NULL);
		g_autofree char *up = NULL;

		if (real) {
			char *whole = g_build_filename(
				real, path + strlen(at), NULL);

			free(real);
			return whole;
		}
		up = g_path_get_dirname(at);
		if (strlen(up) >= strlen(at))
			return g_strdup(path);
		/* What is left over begins behind it. */
		g_free(at);
		at = g_steal_pointer(&up);
	}
}

static gboolean is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Itself, or the nearest above it that is there. g_free() */
static char *existing_part(const char *path)
{
	char *at = g_strdup(path);

	while (!is_there(at) && strlen(at) > 1) {
		char *up = g_path_get_dirname(at);

		g_free(at);
		at = up;
	}
	return at;
}

static gboolean is_beneath(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return !strncmp(path, folder, n) &&
	       (path[n] == '\0' || path[n] == '/' || !strcmp(folder, "/"));
}

/* --- rules ------------------------------------------------------------------- */
static void clear_rule(gpointer rule)
{
	g_free(((Rule *) rule)->path);
}

Landlock *landlock_new(void)
{
	Landlock *l = g_new0(Landlock, 1);

	l->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
	g_array_set_clear_func(l->rules, clear_rule);
	return l;
}

void landlock_free(Landlock *l)
{
	if (!l)
		return;
	g_array_unref(l->rules);
	g_free(l->everything);
	g_free(l);
}

/* What includes what. */
static unsigned int complete(unsigned int uses)
{
	if (uses & LANDLOCK_WRITE)
		uses |= LANDLOCK_SOCKET;
	if (uses & (LANDLOCK_WRITE | LANDLOCK_DEVICE))
		uses |= LANDLOCK_READ;
	return uses;
}

/* Takes @real. */
static void take(Landlock *l, char *real, unsigned int uses)
{
	Rule rule = {real, complete(uses)};

	for (unsigned int i = 0; i < l->rules->len; i++) {
		Rule *r = &g_array_index(l->rules, Rule, i);

		if (!strcmp(r->path, real)) {
			r->uses |= rule.uses;
			g_free(real);
			return;
		}
	}
	if (l->rules->len < LANDLOCK_RULES_MAX) {
		g_array_append_val(l->rules, rule);
		return;
	}
	l->too_many = TRUE;
	g_free(real);
}

void landlock_add(Landlock *l, const char *path, unsigned int uses)
{
	g_autofree char *real = is_there(path) ? resolve(path) : NULL;

	if (real && strcmp(real, "/"))
		take(l, g_steal_pointer(&real), uses);
}

void landlock_add_folder(Landlock *l, const char *path, unsigned int uses)
{
	g_autofree char *at = existing_part(path);
	g_autofree char *real = resolve(at);

	if (strcmp(real, "/")) {
		take(l, g_steal_pointer(&real), uses);
	} else if (!strcmp(at, path) && !l->everything) {
		l->everything = g_strdup(path);
	}
}

static void add_parent(Landlock *l, const char *path, unsigned int uses)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *at = existing_part(folder);
	g_autofree char *real = resolve(at);

	if (strcmp(real, "/"))
		take(l, g_steal_pointer(&real), uses);
	else
		landlock_add(l, path, uses);
}

void landlock_add_file(Landlock *l, const char *path, unsigned int uses)
{
	g_autofree char *real = resolve(path);

	add_parent(l, path, uses);
	add_parent(l, real, uses);
}

gboolean landlock_covers(const Landlock *l, const char *path, unsigned int uses)
{
	g_autofree char *real = resolve(path);
	unsigned int found = 0;

	/* The rights add up on the way to '/'. */
	for (unsigned int i = 0; i < l->rules->len; i++) {
		const Rule *r = &g_array_index(l->rules, Rule, i);

		if (is_beneath(real, r->path))
			found |= r->uses;
	}
	return (found & uses) == uses;
}

gboolean landlock_restrict(Landlock *l, GError **error)
{
	int threads, r;

	if (l->everything || l->too_many) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    l->everything ? "%s is the root of all files" :
					    "more than %s folders are named",
			    l->everything ? l->everything :
					    G_STRINGIFY(LANDLOCK_RULES_MAX));
		return FALSE;
	}
	threads = count_threads();
	if (threads != 1) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    threads < 0 ?
			    "the threads cannot be counted (/proc)" :
			    "a library has begun threads already");
		return FALSE;
	}
	r = restrict_to(l);
	if (r < 0) {
		g_set_error_literal(error, G_IO_ERROR,
				    g_io_error_from_errno(-r),
				    landlock_explain(-r));
		return FALSE;
	}
	l->abi = r;
	return TRUE;
}

int landlock_get_abi(const Landlock *l)
{
	return l->abi;
}
