// SPDX-License-Identifier: Apache-2.0
/* tests/vm/hold-thread.c - makes one thread of a program hang, from outside
 *
 *   hold-thread PID NAME...
 *
 * Stops every thread of PID whose name is one of NAME..., as a driver that never
 * returns would: the others go on, and no signal is sent. Prints "held N" once
 * they stand, and ends with the process, or lets them go when it is killed.
 * Exit status 1: there is no such thread.
 *
 * Source:  ptrace(2), PTRACE_SEIZE and PTRACE_INTERRUPT
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define NAME_MAX_BYTES 32

static int read_name(const char *pid, const char *tid,
		     char ret[NAME_MAX_BYTES])
{
	char path[64];
	FILE *f;
	int ok;

	snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/comm", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	ok = fgets(ret, NAME_MAX_BYTES, f) != NULL;
	fclose(f);
	ret[strcspn(ret, "\n")] = '\0';
	return ok;
}

static int is_wanted(const char *name, char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return 1;
	return 0;
}

static int hold(const char *tid_text)
{
	pid_t tid = (pid_t) atoi(tid_text);
	int status;

	if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 ||
	    waitpid(tid, &status, __WALL) != tid) {
		perror("hold-thread");
		return 0;
	}
	return WIFSTOPPED(status);
}

int main(int argc, char *argv[])
{
	char path[64], name[NAME_MAX_BYTES];
	struct dirent *entry;
	int held = 0, status;
	DIR *tasks;

	if (argc < 3) {
		fprintf(stderr, "usage: hold-thread PID NAME...\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%.20s/task", argv[1]);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.' &&
		    read_name(argv[1], entry->d_name, name) &&
		    is_wanted(name, argv + 2))
			held += hold(entry->d_name);
	if (tasks)
		closedir(tasks);
	printf("held %d\n", held);
	fflush(stdout);
	if (!held)
		return 1;
	/* What else stops them is not let go on either. */
	while (waitpid(-1, &status, __WALL) > 0)
		;
	return 0;
}
