// SPDX-License-Identifier: Apache-2.0
#include "appliance/restart-plan.h"

#include <string.h>

static const char *const words[N_RESTART_WHENS] = {
	[RESTART_WHEN_IDLE] = "idle",
	[RESTART_WHEN_NOW] = "now",
	[RESTART_WHEN_NEVER] = "never",
};

int restart_when_from_text(const char *text)
{
	for (int i = 0; i < N_RESTART_WHENS; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

enum restart_state restart_plan_ask(struct restart_plan *plan,
				    enum restart_when when, bool busy,
				    int64_t now_us)
{
	if (plan->state == RESTART_NOW)
		return plan->state;	/* too late for other wishes */
	switch (when) {
	case RESTART_WHEN_NEVER:
		*plan = (struct restart_plan){.state = RESTART_NONE};
		break;
	case RESTART_WHEN_NOW:
		plan->state = RESTART_NOW;
		break;
	case RESTART_WHEN_IDLE:
		if (plan->state == RESTART_WAITING)
			break;
		*plan = (struct restart_plan){
			.state = busy ? RESTART_WAITING : RESTART_NOW,
			.asked_us = now_us,
		};
		break;
	case N_RESTART_WHENS:
		break;
	}
	return plan->state;
}

enum restart_state restart_plan_tick(struct restart_plan *plan, bool busy,
				     int64_t now_us)
{
	if (plan->state != RESTART_WAITING)
		return plan->state;
	if (busy)
		plan->quiet_us = 0;
	else if (!plan->quiet_us)
		plan->quiet_us = now_us;
	else if (now_us - plan->quiet_us >= RESTART_PLAN_QUIET_US)
		plan->state = RESTART_NOW;
	return plan->state;
}
