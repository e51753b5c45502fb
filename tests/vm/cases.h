/* SPDX-License-Identifier: Apache-2.0 */
/* tests/vm/cases.h - cases that run one after the other, and their TAP lines
 *
 * A case that fails says where and ends; the next one runs all the same. So a
 * machine that took a while to boot tells everything it can. Each runs in a
 * process of its own: what it left open is closed with it.
 *
 * Thread:  any
 * Memory:  none
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct vm_case {
	const char *group, *name;
	bool (*run)(void);
};

#define REQUIRE(condition)                                                \
	do {                                                              \
		if (!(condition)) {                                       \
			printf("# %s:%d: %s\n", __FILE__, __LINE__,       \
			       #condition);                               \
			return false;                                     \
		}                                                         \
	} while (0)

/* As REQUIRE(a == b), for numbers, and says what they were. */
#define REQUIRE_EQ(a, b)                                                  \
	do {                                                              \
		long long vm_a = (long long) (a), vm_b = (long long) (b); \
		if (vm_a != vm_b) {                                       \
			printf("# %s:%d: %s is %lld, not %lld\n",         \
			       __FILE__, __LINE__, #a, vm_a, vm_b);       \
			return false;                                     \
		}                                                         \
	} while (0)

static inline bool vm_run_apart(bool (*run)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		bool ok = run();

		fflush(stdout);
		_exit(ok ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs the cases of @group. Return: an exit status. */
static inline int vm_run(const struct vm_case *cases, size_t n,
			 const char *group)
{
	unsigned int number = 0;
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		bool ok;

		if (strcmp(cases[i].group, group))
			continue;
		ok = vm_run_apart(cases[i].run);
		printf("%s %u - %s: %s\n", ok ? "ok" : "not ok", ++number,
		       group, cases[i].name);
		fflush(stdout);
		all &= ok;
	}
	return number == 0 ? 2 : all ? 0 : 1;
}
