// SPDX-License-Identifier: Apache-2.0
/* tests/syscall-faults.c - one system call of a program fails
 *
 *   syscall-faults [--from TEXT] [--until TEXT] --record FILE
 *                  [--fail THREAD NAME NTH ERRNO] -- PROGRAM [ARGUMENT...]
 *
 * Calls are counted over all threads, by the thread's name and the call's, from
 * the first that opens a path with TEXT at its end until one sends TEXT. Every
 * call is a line in FILE: "THREAD NAME NTH WHAT", what being a path or the
 * arguments. The one that is to fail is not made: the program gets ERRNO
 * instead, and the line ends with "FAILED".
 *
 * A thread that has not named itself yet is "new". Ends as the program does;
 * 77: the kernel does not let us. SIGTERM goes on to the program.
 *
 * Not a tracer (the leak sanitizer is one, and there can be only one): the
 * kernel asks us about each call, seccomp_unotify(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seccomp.h>

#define COUNTERS_MAX 2048
#define TEXT_MAX     256
#define NAME_MAX_    64
#define SKIPPED	     77

struct counter {
	char key[NAME_MAX_]; /* "THREAD NAME" */
	unsigned int n;
};

struct faults {
	const char *from, *until;
	const char *thread, *name; /* that is to fail; NULL: none */
	unsigned int nth;
	int error;
	FILE *record;
	pid_t pid;
	bool counting, ended;
	struct counter counters[COUNTERS_MAX];
	unsigned int n_counters;
};

/* --- what a call is about ---------------------------------------------------
 */
/* Return: how many bytes could be had. */
static size_t read_memory(pid_t tid, uint64_t from, void *to, size_t n)
{
	struct iovec here = {to, n}, there = {(void *) (uintptr_t) from, n};
	ssize_t r = process_vm_readv(tid, &here, 1, &there, 1, 0);

	/* A text may end right before a page that is not there. */
	while (r < 0 && n > 1) {
		n /= 2;
		here.iov_len = there.iov_len = n;
		r = process_vm_readv(tid, &here, 1, &there, 1, 0);
	}
	return r < 0 ? 0 : (size_t) r;
}

static void read_text(pid_t tid, uint64_t from, char text[TEXT_MAX])
{
	text[read_memory(tid, from, text, TEXT_MAX - 1)] = '\0';
}

static int path_argument(int number)
{
	switch (number) {
	case SYS_openat:
	case SYS_newfstatat:
	case SYS_readlinkat:
	case SYS_unlinkat:
	case SYS_mkdirat:
	case SYS_faccessat:
	case SYS_faccessat2:
	case SYS_statx:
		return 1;
#ifdef SYS_open /* the old ones, where there are any */
	case SYS_open:
	case SYS_stat:
	case SYS_lstat:
	case SYS_access:
	case SYS_mkdir:
	case SYS_unlink:
	case SYS_rename:
	case SYS_chmod:
	case SYS_readlink:
	case SYS_statfs:
		return 0;
#endif
	default:
		return -1;
	}
}

/* What is sent or written, its beginning. */
static void read_sent(pid_t tid, const struct seccomp_data *c,
		      char text[TEXT_MAX])
{
	struct msghdr message;
	struct iovec first;

	text[0] = '\0';
	if (c->nr == SYS_sendto)
		read_text(tid, c->args[1], text);
	if (c->nr != SYS_sendmsg ||
	    read_memory(tid, c->args[1], &message, sizeof(message)) !=
		    sizeof(message) ||
	    !message.msg_iovlen ||
	    read_memory(tid, (uint64_t) (uintptr_t) message.msg_iov, &first,
			sizeof(first)) != sizeof(first))
		return;
	read_text(tid, (uint64_t) (uintptr_t) first.iov_base, text);
}

static void describe(pid_t tid, const struct seccomp_data *c,
		     char text[TEXT_MAX])
{
	int path = path_argument(c->nr);

	if (path >= 0) {
		read_text(tid, c->args[path], text);
		for (char *p = text; *p; p++)
			if (*p <= ' ')
				*p = '_';
	} else {
		snprintf(text, TEXT_MAX, "(%#llx,%#llx,%#llx)", c->args[0],
			 c->args[1], c->args[2]);
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* --- counting ---------------------------------------------------------------
 */
static void read_name(pid_t pid, pid_t tid, char name[NAME_MAX_])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	f = fopen(path, "re");
	if (!f || !fgets(name, NAME_MAX_, f))
		strcpy(name, "?");
	if (f)
		fclose(f);
	for (char *p = name; *p; p++)
		if (*p <= ' ')
			*p = *p == '\n' ? '\0' : '-';
}

static void thread_name(struct faults *f, pid_t tid, char name[NAME_MAX_])
{
	char first[NAME_MAX_];

	read_name(f->pid, tid, name);
	if (tid == f->pid)
		return;
	read_name(f->pid, f->pid, first);
	if (!strcmp(name, first))
		strcpy(name, "new");
}

static unsigned int count(struct faults *f, const char *thread,
			  const char *name)
{
	char key[2 * NAME_MAX_];
	unsigned int i = 0;

	snprintf(key, sizeof(key), "%s %s", thread, name);
	key[NAME_MAX_ - 1] = '\0';
	while (i < f->n_counters && strcmp(f->counters[i].key, key))
		i++;
	if (i == COUNTERS_MAX) {
		fprintf(stderr, "syscall-faults: more than %d kinds of calls\n",
			COUNTERS_MAX);
		exit(2);
	}
	if (i == f->n_counters) {
		strcpy(f->counters[i].key, key);
		f->n_counters++;
	}
	return ++f->counters[i].n;
}

/* Return: the error it gets, or 0: it is made. */
static int on_call(struct faults *f, pid_t tid, const struct seccomp_data *c)
{
	char thread[NAME_MAX_], what[TEXT_MAX], sent[TEXT_MAX], *name;
	unsigned int nth;
	bool fails;

	if (f->ended)
		return 0;
	describe(tid, c, what);
	if (!f->counting && path_argument(c->nr) >= 0 &&
	    ends_with(what, f->from))
		f->counting = true;
	if (!f->counting)
		return 0;
	if (f->until) {
		read_sent(tid, c, sent);
		f->ended = strstr(sent, f->until) != NULL;
	}
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, c->nr);
	thread_name(f, tid, thread);
	nth = count(f, thread, name ? name : "?");
	fails = f->name && nth == f->nth && !strcmp(thread, f->thread) &&
		name && !strcmp(name, f->name);
	fprintf(f->record, "%s %s %u %s%s\n", thread, name ? name : "?", nth,
		what, fails ? " FAILED" : "");
	free(name);
	return fails ? f->error : 0;
}

/* --- the program ------------------------------------------------------------
 */
/* Shares its descriptors with us until it is another program. */
static void be_program(char *argv[], _Atomic int *ret_listener)
{
	struct sock_filter all[] = {
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = {1, all};
	struct rlimit none = {0, 0};
	int listener;

	setrlimit(RLIMIT_CORE, &none);
	/* Without us nobody answers for its calls. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				 SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	*ret_listener = listener;
	if (listener < 0)
		_exit(SKIPPED);
	execv(argv[0], argv);
	_exit(2);
}

static void answer(struct faults *f, int listener)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp response;

	memset(&call, 0, sizeof(call));
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
		return; /* a signal came first, or it is gone */
	memset(&response, 0, sizeof(response));
	response.id = call.id;
	response.error = -on_call(f, (pid_t) call.pid, &call.data);
	if (!response.error)
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

/* Return: the status to end with. */
static int follow(struct faults *f, int listener, int program)
{
	struct pollfd fds[] = {{.fd = listener, .events = POLLIN},
			       {.fd = program, .events = POLLIN}};
	int status;

	do {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents & POLLIN)
			answer(f, listener);
	} while (!(fds[1].revents & POLLIN));
	fclose(f->record);
	if (waitpid(f->pid, &status, 0) < 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A handler gets no argument. */
static volatile pid_t program_pid;

static void forward(int number)
{
	kill(program_pid, number);
}

static int run(struct faults *f, char *argv[])
{
	struct sigaction on_term = {.sa_handler = forward};
	_Atomic int *listener =
		mmap(NULL, sizeof(*listener), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int program;

	if (listener == MAP_FAILED)
		return 2;
	*listener = INT32_MIN;
	f->pid = (pid_t) syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
				 NULL, NULL);
	if (f->pid < 0)
		return 2;
	if (f->pid == 0)
		be_program(argv, listener);
	program_pid = f->pid;
	sigaction(SIGTERM, &on_term, NULL);
	program = (int) syscall(SYS_pidfd_open, f->pid, 0);
	while (*listener == INT32_MIN) /* it cannot tell: calls are stopped */
		sched_yield();
	if (*listener < 0 || program < 0)
		return SKIPPED;
	return follow(f, *listener, program);
}

static bool read_arguments(struct faults *f, int argc, char *argv[],
			   char ***ret_program)
{
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--"); i += 2) {
		if (i + 1 >= argc)
			return false;
		if (!strcmp(argv[i], "--from")) {
			f->from = argv[i + 1];
		} else if (!strcmp(argv[i], "--until")) {
			f->until = argv[i + 1];
		} else if (!strcmp(argv[i], "--record")) {
			f->record = fopen(argv[i + 1], "we");
			if (f->record) /* also when we are killed */
				setvbuf(f->record, NULL, _IOLBF, BUFSIZ);
		} else if (!strcmp(argv[i], "--fail") && i + 4 < argc) {
			f->thread = argv[i + 1];
			f->name = argv[i + 2];
			f->nth = (unsigned int) atoi(argv[i + 3]);
			f->error = atoi(argv[i + 4]);
			i += 3;
		} else {
			return false;
		}
	}
	*ret_program = argv + i + 1;
	return i + 1 < argc && f->record;
}

int main(int argc, char *argv[])
{
	static struct faults f = {.from = ""};
	char **program;

	if (!read_arguments(&f, argc, argv, &program)) {
		fprintf(stderr, "usage: syscall-faults [--from TEXT] [--until "
				"TEXT] --record FILE [--fail THREAD NAME NTH "
				"ERRNO] -- PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	return run(&f, program);
}
