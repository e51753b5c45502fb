// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-restart.c - daemon.restart: begin anew, and cut no call
 *
 * What is installed is run from the next start on. The daemon ends, and the
 * service manager starts it again; the control socket stays with that.
 */
#include "appliance/daemon-private.h"

#include "appliance/daemon-messages.h"
#include "appliance/restart-plan.h"

#define TICK_S 1

struct daemon_restart {
	struct restart_plan plan;
	GSource *timer;		/* while it waits, then until it ends */
};

static guint count_transfers(Daemon *d)
{
	g_autoptr(JsonNode) list = d->room ? room_describe_transfers(d->room)
					   : NULL;

	return list ? json_array_get_length(json_node_get_array(list)) : 0;
}

static guint count_peers(Daemon *d)
{
	g_autoptr(GPtrArray) ids = d->room ? room_list_peer_ids(d->room)
					   : NULL;

	return ids ? ids->len : 0;
}

/* Rooms of others in our server are none: their media goes from peer to peer,
 * and their pages come back by themselves. */
static gboolean is_busy(Daemon *d)
{
	return count_peers(d) || count_transfers(d);
}

static void set_timer(Daemon *d, GSource *source, GSourceFunc run)
{
	struct daemon_restart *r = d->restart;

	if (r->timer) {
		g_source_destroy(r->timer);
		g_source_unref(r->timer);
	}
	r->timer = source;
	if (source) {
		g_source_set_callback(source, run, d, NULL);
		g_source_attach(source, NULL);
	}
}

static gboolean on_end(gpointer data)
{
	Daemon *d = data;

	daemon_message_log(DAEMON_MESSAGE_RESTARTING, NULL,
			   "ending, to be started anew");
	g_main_loop_quit(d->loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_tick(gpointer data)
{
	Daemon *d = data;

	if (restart_plan_tick(&d->restart->plan, is_busy(d),
			      g_get_monotonic_time()) == RESTART_NOW)
		set_timer(d, g_idle_source_new(), on_end);
	return G_SOURCE_CONTINUE;
}

static void follow_plan(Daemon *d)
{
	switch (d->restart->plan.state) {
	case RESTART_NONE:
		set_timer(d, NULL, NULL);
		break;
	case RESTART_WAITING:
		set_timer(d, g_timeout_source_new_seconds(TICK_S), on_tick);
		break;
	case RESTART_NOW:
		/* After the answer to who asked. */
		set_timer(d, g_idle_source_new(), on_end);
		break;
	}
	daemon_notify_event(d);
}

static void run_restart(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	const char *text = json_object_get_string_member_with_default(
		control_call_get_params(call), "when", "idle");
	int when = restart_when_from_text(text);
	enum restart_state before;

	/* Of systemd, which has one for each service of Type=notify. */
	if (!g_getenv("NOTIFY_SOCKET") && when != RESTART_WHEN_NEVER) {
		control_call_fail(call, CONTROL_CODE_STATE, NULL,
				  "Nobody would start this skylinkd again: it "
				  "is no service of systemd. Stop it and start "
				  "it");
		return;
	}
	if (!d->restart)
		d->restart = g_new0(struct daemon_restart, 1);
	before = d->restart->plan.state;
	if (restart_plan_ask(&d->restart->plan, (enum restart_when) when,
			     is_busy(d), g_get_monotonic_time()) != before) {
		if (d->restart->plan.state == RESTART_WAITING)
			g_message("asked to restart: when the room is idle");
		follow_plan(d);
	}
	control_call_reply(call, daemon_restart_describe(d));
}

const ControlHandler daemon_restart_handlers[] = {
	{ "daemon.restart", run_restart },
	{ NULL, NULL },
};

gboolean daemon_restart_is_waiting(Daemon *d)
{
	return d->restart && d->restart->plan.state == RESTART_WAITING;
}

JsonNode *daemon_restart_describe(Daemon *d)
{
	static const char *const states[] = {
		[RESTART_NONE] = "none",
		[RESTART_WAITING] = "waiting",
		[RESTART_NOW] = "restarting",
	};
	const struct restart_plan none = {0};
	const struct restart_plan *plan = d->restart ? &d->restart->plan
						     : &none;
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "state", states[plan->state]);
	if (plan->state == RESTART_WAITING) {
		json_object_set_int_member(
			o, "asked_s", (g_get_monotonic_time() -
				       plan->asked_us) / G_USEC_PER_SEC);
		json_object_set_int_member(o, "peers", count_peers(d));
		json_object_set_int_member(o, "transfers", count_transfers(d));
	}
	json_node_take_object(node, o);
	return node;
}

void daemon_restart_done(Daemon *d)
{
	if (!d->restart)
		return;
	set_timer(d, NULL, NULL);
	g_clear_pointer(&d->restart, g_free);
}
