// SPDX-License-Identifier: Apache-2.0
/* tests/heap-probe.c - how much of the heap a program has in use
 *
 *   LD_PRELOAD=libheap-probe.so HEAP_PROBE=FILE program
 *
 * FILE, which must not exist, becomes two 64-bit words in shared memory that
 * another process can read at any time: bytes and blocks that were taken and
 * not given back. What malloc keeps for later, and how it is cut up, does not
 * count: a leak shows from the first join on, and nothing else does.
 *
 * The memory is glibc's own, untouched; counting allocates nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own names for what is covered up here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

struct counts {
	atomic_int_fast64_t bytes, blocks;
};

/* What was taken before the file is there counts, too. */
static struct counts early, *counts = &early;

__attribute__((constructor)) static void open_counts(void)
{
	const char *path = getenv("HEAP_PROBE");
	struct counts *shared;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*counts)) < 0)
		abort();
	shared = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		abort();
	atomic_store(&shared->bytes, atomic_load(&early.bytes));
	atomic_store(&shared->blocks, atomic_load(&early.blocks));
	counts = shared;
	unsetenv("LD_PRELOAD"); /* not for its children */
}

static void note(int_fast64_t bytes, int_fast64_t blocks)
{
	atomic_fetch_add_explicit(&counts->bytes, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&counts->blocks, blocks,
				  memory_order_relaxed);
}

static void *taken(void *p)
{
	if (p)
		note((int_fast64_t) malloc_usable_size(p), 1);
	return p;
}

void *malloc(size_t size)
{
	return taken(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return taken(__libc_calloc(n, size));
}

void free(void *p)
{
	if (p)
		note(-(int_fast64_t) malloc_usable_size(p), -1);
	__libc_free(p);
}

void *realloc(void *p, size_t size)
{
	int_fast64_t had = p ? (int_fast64_t) malloc_usable_size(p) : 0;
	void *moved = __libc_realloc(p, size);

	/* Failed, all stays as it was; to no size, @p is gone. */
	if (moved || (p && size == 0))
		note(-had, p ? -1 : 0);
	return taken(moved);
}

void *memalign(size_t alignment, size_t size)
{
	return taken(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return taken(__libc_memalign(alignment, size));
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *p = taken(__libc_memalign(alignment, size));

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}
