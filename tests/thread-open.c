// SPDX-License-Identifier: Apache-2.0
/* tests/thread-open.c - every thread of a process opens a file
 *
 *   thread-open PID PATH
 *
 * Each thread is stopped in turn, made to call openat(2) for reading (and
 * close), and let go as it was: ptrace(2). A line for each: "TID ERRNO NAME",
 * 0 when it could. Threads that are the kernel's (io_uring) are left out: they
 * have the rights of who asked.
 *
 * Ends with 0, or 77 with a reason: the kernel does not let us, or the machine
 * is of another kind.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77

#ifdef __x86_64__
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define BELOW_STACK  4096 /* far behind what the thread uses of it */
#define THREADS_MAX  1024

static const unsigned char syscall_code[] = {0x0f, 0x05};

struct target {
	pid_t pid;
	int mem;
	uint64_t code; /* where a system call is made */
};

static int skip(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return SKIPPED;
}

/* In the C library, which has many. Return: 0: there is none. */
static uint64_t find_code(int mem, uint64_t from, uint64_t to)
{
	unsigned char page[4096];

	for (; from < to; from += sizeof(page)) {
		ssize_t n = pread(mem, page, sizeof(page), (off_t) from);
		unsigned char *at = n <= 0 ? NULL :
			memmem(page, (size_t) n, syscall_code,
			       sizeof(syscall_code));

		if (at)
			return from + (uint64_t) (at - page);
	}
	return 0;
}

static void find_library(struct target *t)
{
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", t->pid);
	f = fopen(path, "re");
	while (f && !t->code && fgets(line, sizeof(line), f)) {
		uint64_t from, to;

		if (strstr(line, "r-xp") && strstr(line, "/libc.so.6") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2)
			t->code = find_code(t->mem, from, to);
	}
	if (f)
		fclose(f);
}

/* Until it stops at a system call. */
static int go_on(pid_t tid)
{
	int status;

	do {
		if (ptrace(PTRACE_SYSCALL, tid, 0, 0) < 0 ||
		    waitpid(tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
			return -1;
	} while (WSTOPSIG(status) != SYSCALL_STOP);
	return 0;
}

/* Return: what the kernel answers; -1 with errno: it could not be asked. */
static int call(const struct target *t, pid_t tid,
		const struct user_regs_struct *saved, uint64_t number,
		const uint64_t arguments[4], long *ret)
{
	struct user_regs_struct regs = *saved;

	regs.rip = t->code;
	regs.rax = number;
	regs.orig_rax = (unsigned long) -1; /* nothing to be taken up again */
	regs.rdi = arguments[0];
	regs.rsi = arguments[1];
	regs.rdx = arguments[2];
	regs.r10 = arguments[3];
	/* Into the call, and out of it. */
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs) < 0 || go_on(tid) < 0 ||
	    go_on(tid) < 0 || ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
		return -1;
	*ret = (long) regs.rax;
	return 0;
}

static int open_and_close(const struct target *t, pid_t tid,
			  const struct user_regs_struct *saved,
			  const char *path, long *ret)
{
	uint64_t text = saved->rsp - BELOW_STACK;
	size_t len = strlen(path) + 1;
	uint64_t closing[4] = {0};
	const uint64_t opening[4] = {
		(uint64_t) AT_FDCWD, text, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0,
	};
	long closed;

	if (pwrite(t->mem, path, len, (off_t) text) != (ssize_t) len ||
	    call(t, tid, saved, SYS_openat, opening, ret) < 0)
		return -1;
	closing[0] = (uint64_t) *ret;
	return *ret < 0 ? 0 : call(t, tid, saved, SYS_close, closing, &closed);
}

static int try_thread(const struct target *t, pid_t tid, const char *path,
		      long *ret)
{
	struct user_regs_struct saved;
	int status, r;

	if (ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACESYSGOOD) < 0)
		return -1;
	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 ||
	    waitpid(tid, &status, __WALL) < 0 ||
	    ptrace(PTRACE_GETREGS, tid, 0, &saved) < 0)
		return -1;
	r = open_and_close(t, tid, &saved, path, ret);
	if (ptrace(PTRACE_SETREGS, tid, 0, &saved) < 0 ||
	    ptrace(PTRACE_DETACH, tid, 0, 0) < 0)
		return -1;
	return r;
}

static void read_name(const struct target *t, pid_t tid, char *ret, int size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", t->pid, tid);
	f = fopen(path, "re");
	if (!f || !fgets(ret, size, f))
		ret[0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (f)
		fclose(f);
}

static int list_threads(const struct target *t, pid_t *ret)
{
	char path[64];
	struct dirent *e;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
	dir = opendir(path);
	while (dir && n < THREADS_MAX && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			ret[n++] = (pid_t) atoi(e->d_name);
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char *argv[])
{
	static pid_t threads[THREADS_MAX];
	struct target t = {.mem = -1};
	char path[64], name[32];
	int n;

	if (argc != 3) {
		fprintf(stderr, "usage: thread-open PID PATH\n");
		return 2;
	}
	t.pid = (pid_t) atoi(argv[1]);
	snprintf(path, sizeof(path), "/proc/%d/mem", t.pid);
	t.mem = open(path, O_RDWR | O_CLOEXEC);
	if (t.mem < 0)
		return skip(path);
	find_library(&t);
	if (!t.code)
		return skip("the C library is not found");
	n = list_threads(&t, threads);
	for (int i = 0; i < n; i++) {
		long answer = 0;

		read_name(&t, threads[i], name, sizeof(name));
		if (!strncmp(name, "iou-", 4))
			continue;
		if (try_thread(&t, threads[i], argv[2], &answer) < 0) {
			if (errno == ESRCH)
				continue; /* it has ended meanwhile */
			return skip(name);
		}
		printf("%d %ld %s\n", threads[i], answer < 0 ? -answer : 0,
		       name);
	}
	close(t.mem);
	return 0;
}
#else
int main(void)
{
	printf("only for x86-64\n");
	return SKIPPED;
}
#endif
