// SPDX-License-Identifier: Apache-2.0
/* One allocation of a program fails: preloaded into it
 *
 *   LD_PRELOAD=liballoc-faults.so ALLOC_FAULTS=FILE [ALLOC_FAULTS_AT=SITE]
 *
 * A site is where memory is asked for: the first callers, and the first of
 * them in the program itself, each as MODULE+OFFSET, so that it is the same in
 * every run. FILE gets a line for each: "SITE", or "SITE FAILED" where NULL was
 * given instead, once, the first time. What GLib and its kin ask for (they end
 * the process by design) and what is asked before the program's own code runs
 * does not count.
 *
 * Works over AddressSanitizer's malloc too, with verify_asan_link_order=0.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITES_MAX  16384 /* a power of two */
#define SITE_BYTES 256
#define DEPTH	   24
#define CALLERS	   3 /* of a site, beside the program's own */

static const char *const excluded[] = {
	"libglib-2.0",
	"libgobject-2.0",
	"libgio-2.0",
	"libgmodule-2.0",
};

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int fd;		     /* 0: not counting */
	char at[SITE_BYTES]; /* the site that fails, or "" */
	uint64_t seen[SITES_MAX];
	bool failed;
} state;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside;

/* --- where
 * ---------------------------------------------------------------------- */
/* "MODULE+OFFSET"; the program's own name is empty there. */
static const char *place(void *address, char text[SITE_BYTES])
{
	struct dl_find_object object;
	const char *path = "?", *slash;

	if (_dl_find_object(address, &object) == 0) {
		path = object.dlfo_link_map->l_name;
		slash = strrchr(path, '/');
		path = *path ? slash ? slash + 1 : path : "program";
		address = (void *) ((uintptr_t) address -
				    object.dlfo_link_map->l_addr);
	}
	snprintf(text, SITE_BYTES, "%.60s+%#jx", path,
		 (uintmax_t) (uintptr_t) address);
	return text;
}

static bool is_excluded(const char *where)
{
	for (size_t i = 0; i < sizeof(excluded) / sizeof(*excluded); i++)
		if (!strncmp(where, excluded[i], strlen(excluded[i])))
			return true;
	return false;
}

/* Return: false: it does not count. */
static bool find_site(char site[SITE_BYTES])
{
	void *frames[DEPTH];
	int n = backtrace(frames, DEPTH), callers = 0;
	char text[SITE_BYTES];
	size_t used = 0;

	site[0] = '\0';
	for (int i = 0; i < n; i++) {
		bool own;

		place(frames[i], text);
		if (!strncmp(text, "liballoc-faults", 15))
			continue; /* ourselves */
		own = !strncmp(text, "program+", 8);
		if (!callers && is_excluded(text))
			return false;
		if (callers++ < CALLERS || own)
			used += (size_t) snprintf(site + used,
						  SITE_BYTES - used, "%s%s",
						  used ? "," : "", text);
		if (used >= SITE_BYTES)
			return false;
		if (own && callers >= CALLERS)
			return true;
	}
	return strstr(site, "program+") != NULL;
}

/* --- whether ----------------------------------------------------------------
 */
static bool is_new(const char *site)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t i;

	for (const char *p = site; *p; p++)
		hash = (hash ^ (unsigned char) *p) * UINT64_C(1099511628211);
	for (i = hash % SITES_MAX; state.seen[i]; i = (i + 1) % SITES_MAX)
		if (state.seen[i] == hash)
			return false;
	state.seen[i] = hash;
	return true;
}

static bool fails(void)
{
	char site[SITE_BYTES], line[SITE_BYTES + 16];
	bool result = false;
	int n;

	if (!state.fd || inside)
		return false;
	inside = true;
	if (find_site(site)) {
		pthread_mutex_lock(&lock);
		if (!state.failed && !strcmp(site, state.at))
			result = state.failed = true;
		if (is_new(site) || result) {
			n = snprintf(line, sizeof(line), "%s%s\n", site,
				     result ? " FAILED" : "");
			(void) !write(state.fd, line, (size_t) n);
		}
		pthread_mutex_unlock(&lock);
	}
	inside = false;
	return result;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("ALLOC_FAULTS");
	const char *at = getenv("ALLOC_FAULTS_AT");
	void *frame;

	if (!path)
		return;
	if (at)
		snprintf(state.at, sizeof(state.at), "%s", at);
	unsetenv("LD_PRELOAD"); /* not for its children */
	backtrace(&frame, 1);	/* loads the unwinder */
	state.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (state.fd <= 0)
		abort();
}

/* --- in the library's place -------------------------------------------------
 */
static void find_next(void)
{
	if (state.aligned_alloc)
		return;
	*(void **) &state.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **) &state.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **) &state.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **) &state.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **) &state.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
}

void *malloc(size_t size)
{
	find_next();
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return state.malloc(size);
}

void *calloc(size_t n, size_t size)
{
	find_next();
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return state.calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	find_next();
	if (size && fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return state.realloc(p, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	find_next();
	return fails() ? ENOMEM : state.posix_memalign(ret, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	find_next();
	if (fails()) {
		errno = ENOMEM;
		return NULL;
	}
	return state.aligned_alloc(alignment, size);
}
