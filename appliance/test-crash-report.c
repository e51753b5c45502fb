// SPDX-License-Identifier: Apache-2.0
#include "appliance/crash-report.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

/* Under a sanitizer its own handlers stay; these cases are about ours. */
static gboolean others_report(void)
{
	struct sigaction old;

	return sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler != SIG_DFL;
}

/* --- what a child does ------------------------------------------------------
 */
static void *fault(void *user)
{
	volatile uintptr_t address = 16; /* nothing is mapped there */

	pthread_setname_np(pthread_self(), "capture");
	*(volatile int *) address = 1;
	return NULL;
}

static void *stop_in_glib(void *user)
{
	pthread_setname_np(pthread_self(), "encode-VP8");
	g_error("a broken invariant");
	return NULL;
}

static void *ask_for_too_much(void *user)
{
	pthread_setname_np(pthread_self(), "pool");
	return g_malloc(G_MAXSIZE / 2);
}

/* The watchdog's way. */
static void *be_sent(void *user)
{
	pthread_setname_np(pthread_self(), "control");
	raise(SIGABRT);
	return NULL;
}

static int overflow(int depth)
{
	volatile char page[4096];

	page[0] = (char) depth;
	return depth > 0 ? overflow(depth + 1) + page[0] : 0;
}

static const struct {
	const char *name;
	void *(*crash)(void *); /* NULL: the first thread's stack overflows */
	const char *told;	/* a pattern */
} cases[] = {
	{"/crash-report/fault", fault,
	 "skylinkd: crashed: SIGSEGV at address 0x10 in thread capture\n*"},
	{"/crash-report/g-error", stop_in_glib,
	 "*a broken invariant*skylinkd: crashed: SIG* in thread encode-VP8\n*"},
	{"/crash-report/out-of-memory", ask_for_too_much,
	 "*failed to allocate*skylinkd: crashed: SIG* in thread pool\n*"},
	{"/crash-report/sent", be_sent,
	 "skylinkd: crashed: SIGABRT from process * in thread control\n*"},
	{"/crash-report/stack-overflow", NULL,
	 "skylinkd: crashed: SIGSEGV at address * in thread *\n*"},
};

static int run_child(const char *name)
{
	struct rlimit none = {0, 0};
	pthread_t thread;
	guint i = 0;

	while (strcmp(cases[i].name, name))
		i++;
	setrlimit(RLIMIT_CORE, &none);
	crash_report_install();
	if (!cases[i].crash)
		return overflow(1);
	g_assert_cmpint(pthread_create(&thread, NULL, cases[i].crash, NULL), ==,
			0);
	pthread_join(thread, NULL);
	return 0;
}

/* --- what is told of it ------------------------------------------------------
 */
static gboolean matches(const char *pattern, const char *text)
{
	return g_pattern_match_simple(pattern, text);
}

/* Told, and then ended by the signal itself. */
static void test_child(gconstpointer user)
{
	guint i = GPOINTER_TO_UINT(user);
	char program[] = "/proc/self/exe";
	char *argv[] = {program, (char *) (uintptr_t) cases[i].name, NULL};
	g_autofree char *told = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (others_report()) {
		g_test_skip("a sanitizer's handlers stand here");
		return;
	}
	g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &told,
		     &status, &error);
	g_assert_no_error(error);
	g_test_message("%s", told);
	g_assert_true(WIFSIGNALED(status));
	g_assert_true(matches(cases[i].told, told));
	g_assert_true(matches("*skylinkd: crashed at (build "
			      "????????????????????????????????????????"
			      "): *skylinkd+0x*",
			      told));
}

/* Whoever was there first stays: sanitizers tell more than we do. */
static void on_other(int number)
{
}

static void test_others_stay(void)
{
	struct sigaction other = {.sa_handler = on_other}, now;

	sigaction(SIGFPE, &other, NULL);
	crash_report_install();
	sigaction(SIGFPE, NULL, &now);
	g_assert_true(now.sa_handler == on_other);
}

static void test_text(void)
{
	static const struct crash_report sent = {.signal = SIGABRT,
						 .sent = true,
						 .sender = 1,
						 .thread = "skylinkd"};
	static const struct crash_report faulted = {.signal = SIGBUS,
						    .address =
							    (void *) 0xdeadbeef,
						    .thread = "network"};
	char text[128], little[12];

	crash_report_text(&sent, text, sizeof(text));
	g_assert_cmpstr(text, ==,
			"crashed: SIGABRT from process 1 in thread "
			"skylinkd");
	crash_report_text(&faulted, text, sizeof(text));
	g_assert_cmpstr(text, ==,
			"crashed: SIGBUS at address 0xdeadbeef in "
			"thread network");
	g_assert_cmpuint(crash_report_text(&faulted, little, sizeof(little)),
			 ==, sizeof(little) - 1);
	g_assert_cmpstr(little, ==, "crashed: SI");
}

int main(int argc, char *argv[])
{
	if (argc == 2 && g_str_has_prefix(argv[1], "/crash-report/"))
		return run_child(argv[1]);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/crash-report/text", test_text);
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_test_add_data_func(cases[i].name, GUINT_TO_POINTER(i),
				     test_child);
	/* the last one: this process has the handlers then */
	g_test_add_func("/crash-report/others-stay", test_others_stay);
	return g_test_run();
}
