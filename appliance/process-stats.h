/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/process-stats.h - what this process costs, from the kernel's books
 *
 * Source:  proc_pid_status(5), proc_pid_fd(5), clock_gettime(2)
 * Thread:  any; keeps the previous reading in its own struct
 * Memory:  the caller's
 */
#pragma once

#include <stdint.h>

struct process_stats {
	double cpu_percent;	/* of one core, since the previous reading */
	uint64_t rss_kb, rss_anon_kb;
	unsigned int threads, fds;
	uint64_t switches;	/* voluntary and not, of all threads */

	uint64_t cpu_ns, wall_ns;	/* of the reading */
};

/* Reads anew; @s holds the previous reading, or zeros. What cannot be read
 * stays 0. */
void process_stats_read(struct process_stats *s);
