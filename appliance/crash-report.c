// SPDX-License-Identifier: Apache-2.0
#include "appliance/crash-report.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "appliance/daemon-messages.h"

#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
#define BUILD_ID_MAX	64 /* bytes as text, NUL included */
#define THREAD_NAME_MAX 16 /* PR_GET_NAME */
#define STACK_BYTES	(64 * 1024)

static const struct {
	int number;
	const char *name;
} signals[] = {
	{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
	{SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"},
	{SIGSYS, "SIGSYS"},
};

/* A handler gets no argument of ours. Written by crash_report_install() before
 * the first handler stands, read by handlers. */
static struct {
	int journal; /* a socket, or -1: standard error */
	struct sockaddr_un address;
	char build_id[BUILD_ID_MAX];
	_Atomic pid_t thread; /* that reports; 0: none */
} state = {.journal = -1};

/* --- text, without a library ------------------------------------------------
 */
struct text {
	char *to;
	size_t size, used; /* used < size: always room for the NUL */
};

static void put_bytes(struct text *t, const char *s, size_t n)
{
	if (n > t->size - 1 - t->used)
		n = t->size - 1 - t->used;
	memcpy(t->to + t->used, s, n);
	t->used += n;
	t->to[t->used] = '\0';
}

static void put(struct text *t, const char *s)
{
	put_bytes(t, s, strlen(s));
}

static void put_number(struct text *t, uint64_t n, unsigned int base)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	put_bytes(t, digits + i, sizeof(digits) - i);
}

static const char *name_of(int number)
{
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "a signal";
}

static void put_report(struct text *t, const struct crash_report *r)
{
	put(t, "crashed: ");
	put(t, name_of(r->signal));
	if (r->sent) {
		put(t, " from process ");
		put_number(t, (uint64_t) r->sender, 10);
	} else {
		put(t, " at address 0x");
		put_number(t, (uintptr_t) r->address, 16);
	}
	put(t, " in thread ");
	put(t, r->thread);
}

size_t crash_report_text(const struct crash_report *r, char *ret, size_t size)
{
	struct text t = {.to = ret, .size = size};

	put_report(&t, r);
	return t.used;
}

/* --- a record ---------------------------------------------------------------
 */
static void begin(struct text *t, char *to, size_t size)
{
	const struct daemon_message_row *row =
		daemon_message_get(DAEMON_MESSAGE_CRASHED);

	*t = (struct text){.to = to, .size = size};
	if (state.journal < 0) {
		put(t, "skylinkd: ");
		return;
	}
	put(t, "PRIORITY=2\nSYSLOG_IDENTIFIER=skylinkd\nMESSAGE_ID=");
	put(t, row->id);
	put(t, "\nSKYLINK_EVENT=");
	put(t, row->event);
	if (*state.build_id) {
		put(t, "\nSKYLINK_BUILD_ID=");
		put(t, state.build_id);
	}
	put(t, "\nMESSAGE=");
}

static void finish(struct text *t)
{
	/* of what does not fit, the end is missed: a record ends with a line */
	t->to[t->used < t->size - 1 ? t->used : t->size - 2] = '\n';
	if (t->used < t->size - 1)
		t->used++;
	if (state.journal < 0 ||
	    sendto(state.journal, t->to, t->used, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *) &state.address,
		   sizeof(state.address)) < 0)
		(void) !write(STDERR_FILENO, t->to, t->used);
}

static void tell_signal(const struct crash_report *r)
{
	char buffer[CRASH_REPORT_MAX];
	struct text t;

	begin(&t, buffer, sizeof(buffer));
	put_report(&t, r);
	if (state.journal >= 0) {
		put(&t, "\nSKYLINK_REASON=");
		put(&t, name_of(r->signal));
	}
	finish(&t);
}

/* FILE+OFFSET, as addr2line and a debugger take it. */
static void put_place(struct text *t, void *address)
{
	struct dl_find_object object;
	const char *path, *slash;

	if (_dl_find_object(address, &object) < 0) {
		put(t, "?+0x");
		put_number(t, (uintptr_t) address, 16);
		return;
	}
	path = object.dlfo_link_map->l_name;
	slash = strrchr(path, '/');
	/* The program itself has no name there. */
	put(t, *path ? slash ? slash + 1 : path : "skylinkd");
	put(t, "+0x");
	put_number(t, (uintptr_t) address - object.dlfo_link_map->l_addr, 16);
}

static void put_places(struct text *t, void **frames, int n)
{
	for (int i = 0; i < n; i++) {
		put(t, " ");
		put_place(t, frames[i]);
	}
}

static void tell_places(void)
{
	char buffer[CRASH_REPORT_MAX];
	void *frames[CRASH_REPORT_FRAMES];
	int n = backtrace(frames, CRASH_REPORT_FRAMES);
	struct text t;

	begin(&t, buffer, sizeof(buffer));
	put(&t, "crashed at (build ");
	put(&t, *state.build_id ? state.build_id : "unknown");
	put(&t, "):");
	put_places(&t, frames, n);
	if (state.journal >= 0) {
		put(&t, "\nSKYLINK_BACKTRACE=");
		put_places(&t, frames, n);
	}
	finish(&t);
}

/* --- the handler ------------------------------------------------------------
 */
/* By the default action, from this thread. */
static void end(int number)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t only;

	sigaction(number, &by_default, NULL);
	sigemptyset(&only);
	sigaddset(&only, number);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
	syscall(SYS_tgkill, getpid(), gettid(), number);
}

static void set_limit(void)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t only;

	sigaction(SIGALRM, &by_default, NULL);
	sigemptyset(&only);
	sigaddset(&only, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL);
	alarm(CRASH_REPORT_SECONDS);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	char thread[THREAD_NAME_MAX + 1] = "";
	pid_t self = gettid(), nobody = 0;
	struct crash_report r = {
		.signal = number,
		.sent = info->si_code <= 0,
		.thread = thread,
	};

	if (!atomic_compare_exchange_strong(&state.thread, &nobody, self)) {
		if (nobody == self)
			end(number);   /* while reporting */
		while (nobody != self) /* another's report ends us both */
			pause();
	}
	set_limit();
	prctl(PR_GET_NAME, thread);
	if (r.sent)
		r.sender = info->si_pid;
	else
		r.address = info->si_addr;
	tell_signal(&r);
	tell_places();
	end(number);
}

/* --- install ----------------------------------------------------------------
 */
static void take_build_id(const uint8_t *notes, size_t left)
{
	ElfW(Nhdr) head;
	size_t name, descriptor;
	struct text t = {.to = state.build_id, .size = sizeof(state.build_id)};

	while (left >= sizeof(head)) {
		memcpy(&head, notes, sizeof(head));
		name = (head.n_namesz + 3u) & ~3u;
		descriptor = (head.n_descsz + 3u) & ~3u;
		notes += sizeof(head);
		left -= sizeof(head);
		if (name > left || descriptor > left - name)
			return;
		if (head.n_type == NT_GNU_BUILD_ID)
			for (size_t i = 0; i < head.n_descsz; i++) {
				put_number(&t, notes[name + i] >> 4, 16);
				put_number(&t, notes[name + i] & 15, 16);
			}
		notes += name + descriptor;
		left -= name + descriptor;
	}
}

/* The first object is the program. */
static int read_program(struct dl_phdr_info *info, size_t size, void *user)
{
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			take_build_id((const uint8_t *) info->dlpi_addr +
					      info->dlpi_phdr[i].p_vaddr,
				      info->dlpi_phdr[i].p_memsz);
	return 1;
}

static void open_journal(void)
{
	if (!g_log_writer_is_journald(STDERR_FILENO))
		return;
	state.journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	state.address.sun_family = AF_UNIX;
	g_strlcpy(state.address.sun_path, JOURNAL_SOCKET,
		  sizeof(state.address.sun_path));
}

/* So that a control thread that overflowed its stack can tell; others end
 * without a word. */
static void give_stack(void)
{
	stack_t stack = {.ss_size = STACK_BYTES};

	stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp != MAP_FAILED)
		sigaltstack(&stack, NULL);
}

void crash_report_install(void)
{
	struct sigaction old, ours = {.sa_sigaction = on_crash,
				      .sa_flags = SA_SIGINFO | SA_ONSTACK};
	void *frame;

	/* The first call loads the unwinder, which takes memory. */
	backtrace(&frame, 1);
	dl_iterate_phdr(read_program, NULL);
	open_journal();
	give_stack();
	sigemptyset(&ours.sa_mask);
	for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
		if (sigaction(signals[i].number, NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaction(signals[i].number, &ours, NULL);
}
