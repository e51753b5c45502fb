// SPDX-License-Identifier: Apache-2.0
#include "appliance/process-stats.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static uint64_t field(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) ? 0 : strtoull(line + n, NULL, 10);
}

static void read_status(struct process_stats *s)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		s->rss_kb += field(line, "VmRSS:");
		s->rss_anon_kb += field(line, "RssAnon:");
		s->threads += (unsigned int) field(line, "Threads:");
	}
	fclose(f);
}

static void read_switches(struct process_stats *s)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[64], line[256];
		FILE *f;

		if (e->d_name[0] == '.' || strlen(e->d_name) > 16)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/status",
			 e->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f))
			s->switches +=
				field(line, "voluntary_ctxt_switches:") +
				field(line, "nonvoluntary_ctxt_switches:");
		fclose(f);
	}
	if (dir)
		closedir(dir);
}

static void count_fds(struct process_stats *s)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		s->fds += e->d_name[0] != '.';
	if (dir) {
		closedir(dir);
		s->fds--;	/* the folder's own */
	}
}

void process_stats_read(struct process_stats *s)
{
	struct process_stats before = *s;

	*s = (struct process_stats){
		.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
		.wall_ns = clock_ns(CLOCK_MONOTONIC),
	};
	if (before.wall_ns && s->wall_ns > before.wall_ns)
		s->cpu_percent = 100.0 * (double) (s->cpu_ns - before.cpu_ns) /
			(double) (s->wall_ns - before.wall_ns);
	read_status(s);
	read_switches(s);
	count_fds(s);
}
