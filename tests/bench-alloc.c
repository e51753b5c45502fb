// SPDX-License-Identifier: Apache-2.0
/* Counts heap allocations: preloaded into a program, by thread and caller
 *
 *   LD_PRELOAD=libbench-alloc.so BENCH_ALLOC=FILE program
 *
 * FILE, which must not exist, becomes a table in shared memory that another
 * process can read at any time: a header line is not needed, each row is
 * three 64-bit words, thread id, return address, allocations. A row whose
 * first word is 0 is free. The addresses are made into names from outside
 * (/proc/PID/maps).
 *
 * Only malloc, calloc, realloc and the aligned ones are counted; what they
 * give is glibc's own memory, untouched. Counting must not allocate.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROWS 8192 /* a power of two */

/* glibc's own names for what is covered up here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

struct row {
	atomic_uint_fast64_t thread, caller, count;
};

static struct row *rows; /* NULL: not asked for */
static _Thread_local uint64_t thread;

__attribute__((constructor)) static void open_table(void)
{
	const char *path = getenv("BENCH_ALLOC");
	void *p;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, ROWS * sizeof(*rows)) < 0)
		abort();
	p = mmap(NULL, ROWS * sizeof(*rows), PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		rows = p;
	unsetenv("LD_PRELOAD");	/* not for its children */
}

static void count(void *return_address)
{
	uint64_t caller = (uintptr_t) return_address;
	uint64_t at;

	if (!rows)
		return;
	if (!thread)
		thread = (uint64_t) syscall(SYS_gettid);
	at = (caller * UINT64_C(0x9e3779b97f4a7c15) ^ thread * 2654435761u) >>
	     20;
	/* A thread's rows are its own: only taking a free one is a race. */
	for (unsigned int i = 0; i < ROWS; i++, at++) {
		struct row *row = &rows[at & (ROWS - 1)];
		uint64_t owner = atomic_load(&row->thread);

		if (owner == 0 && atomic_compare_exchange_strong(
					  &row->thread, &owner, thread)) {
			atomic_store(&row->caller, caller);
			owner = thread;
		}
		if (owner != thread || atomic_load(&row->caller) != caller)
			continue;
		atomic_fetch_add_explicit(&row->count, 1,
					  memory_order_relaxed);
		return;
	}
}

void *malloc(size_t size)
{
	count(__builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_realloc(p, size);
}

void *memalign(size_t alignment, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *p;

	count(__builtin_return_address(0));
	p = __libc_memalign(alignment, size);
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}
