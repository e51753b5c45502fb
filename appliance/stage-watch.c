// SPDX-License-Identifier: Apache-2.0
#include "appliance/stage-watch.h"

#include <stddef.h>
#include <string.h>

static struct stage_watch_stage *find(struct stage_watch *w, const char *name)
{
	for (unsigned int i = 0; i < w->n; i++)
		if (!strcmp(w->stages[i].name, name))
			return &w->stages[i];
	if (w->n == STAGE_WATCH_MAX)
		return NULL;
	w->stages[w->n] = (struct stage_watch_stage){ .name = name };
	return &w->stages[w->n++];
}

void stage_watch_note(struct stage_watch *w, const char *name, bool wanted,
		      uint64_t progress, uint64_t deadline_us, uint64_t now_us)
{
	struct stage_watch_stage *s = find(w, name);

	if (!s)
		return;
	if (!s->wanted || progress != s->progress)
		s->moved_us = now_us;
	s->wanted = wanted;
	s->progress = progress;
	s->deadline_us = deadline_us;
}

const char *stage_watch_find_stuck(const struct stage_watch *w,
				   uint64_t now_us)
{
	for (unsigned int i = 0; i < w->n; i++) {
		const struct stage_watch_stage *s = &w->stages[i];

		if (s->wanted && now_us - s->moved_us > s->deadline_us)
			return s->name;
	}
	return NULL;
}
