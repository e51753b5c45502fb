// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-notify.c - what systemd is told: ready, and how the room is
 *
 * STATUS= is what 'systemctl status' shows. It follows the room, once a second
 * at most; while an attempt to join is awaited, every few seconds.
 */
#include "appliance/daemon-private.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_MS	  1000
#define STATUS_WAITING_MS 5000
#define STATUS_MAX_BYTES  256

/* sd_notify(3) waits while the service manager reads nothing: for a manager that
 * hangs no call may stop. */
int daemon_notify(const char *state)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	ssize_t sent;
	int fd, r;

	if (!len)
		return 0;
	if ((*path != '/' && *path != '@') || len >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, len);
	if (*path == '@')
		to.sun_path[0] = '\0';

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	sent = sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *) &to,
		      (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len));
	r = sent < 0 ? -errno : 1;
	close(fd);
	return r;
}

/* One line, of bounded length: a second one would be a command. */
static char *tidy(char *text)
{
	g_autofree char *owned = text;
	char *valid = g_utf8_make_valid(owned, -1);

	if (strlen(valid) > STATUS_MAX_BYTES)
		*g_utf8_find_prev_char(valid, valid + STATUS_MAX_BYTES) = '\0';
	for (char *p = valid; *p; p++)
		if ((unsigned char) *p < ' ')
			*p = ' ';
	return valid;
}

char *daemon_notify_text(JsonObject *room, guint n_peers)
{
	const char *state = text_member(room, "state");
	const char *name = text_member(room, "name");
	const char *error = text_member(room, "error");
	const char *hint = text_member(room, "hint");
	JsonNode *next = json_object_get_member(room, "next_attempt_s");

	if (!name)
		name = "";
	if (!g_strcmp0(state, "joined"))
		return tidy(g_strdup_printf("in room %s, %u peer%s", name,
					    n_peers, n_peers == 1 ? "" : "s"));
	if (!g_strcmp0(state, "waiting")) {
		double s = next && JSON_NODE_HOLDS_VALUE(next) ?
			json_node_get_double(next) : 0;

		return tidy(g_strdup_printf("waiting %.0f s to join room %s%s%s",
					    s, name, error ? ": " : "",
					    error ? error : ""));
	}
	if (!g_strcmp0(state, "idle"))
		return tidy(g_strdup_printf("in no room%s%s",
					    hint ? ": " : "",
					    hint ? hint : ""));
	return tidy(g_strdup_printf("joining room %s", name));
}

static void schedule(Daemon *d, guint ms);

static gboolean on_timer(gpointer data)
{
	Daemon *d = data;
	g_autoptr(JsonNode) room = daemon_describe_room(d);
	g_autoptr(GPtrArray) ids = d->room ? room_list_peer_ids(d->room)
					   : NULL;
	JsonObject *o = json_node_get_object(room);
	g_autofree char *text = daemon_notify_text(o, ids ? ids->len : 0);

	g_clear_pointer(&d->notify_timer, g_source_unref);
	if (daemon_restart_is_waiting(d)) {
		char *longer = g_strconcat(text, "; restarts when idle", NULL);

		g_free(text);
		text = longer;
	}
	if (g_strcmp0(text, d->notified)) {
		g_autofree char *state = g_strconcat("STATUS=", text, NULL);

		if (daemon_notify(state) >= 0) {
			g_free(d->notified);
			d->notified = g_steal_pointer(&text);
		} else {
			schedule(d, STATUS_WAITING_MS);
			return G_SOURCE_REMOVE;
		}
	}
	if (!g_strcmp0(text_member(o, "state"), "waiting"))
		schedule(d, STATUS_WAITING_MS);
	return G_SOURCE_REMOVE;
}

static void schedule(Daemon *d, guint ms)
{
	d->notify_timer = g_timeout_source_new(ms);
	g_source_set_callback(d->notify_timer, on_timer, d, NULL);
	g_source_attach(d->notify_timer, NULL);
}

void daemon_notify_event(Daemon *d)
{
	gint64 soon = g_get_monotonic_time() +
		STATUS_MS * G_TIME_SPAN_MILLISECOND;

	/* Nobody wants to know. */
	if (!g_getenv("NOTIFY_SOCKET") || !d->loop)
		return;
	if (d->notify_timer && g_source_get_ready_time(d->notify_timer) <= soon)
		return;
	if (d->notify_timer) {
		g_source_destroy(d->notify_timer);
		g_source_unref(d->notify_timer);
	}
	schedule(d, STATUS_MS);
}

/* Unheard, the service manager would end a daemon that works. */
static gboolean tell_ready(gpointer data)
{
	Daemon *d = data;
	int r = daemon_notify(d->notified ? "READY=1"
					  : "READY=1\nSTATUS=ready");

	if (r < 0) {
		g_warning("Cannot tell the service manager that the daemon is "
			  "ready, trying again: %s", g_strerror(-r));
		return G_SOURCE_CONTINUE;
	}
	if (d->ready_timer) {
		g_source_destroy(d->ready_timer);
		g_clear_pointer(&d->ready_timer, g_source_unref);
	}
	daemon_notify_event(d);
	return G_SOURCE_REMOVE;
}

void daemon_notify_ready(Daemon *d)
{
	if (d->ready_timer || tell_ready(d) == G_SOURCE_REMOVE)
		return;
	d->ready_timer = g_timeout_source_new(STATUS_MS);
	g_source_set_callback(d->ready_timer, tell_ready, d, NULL);
	g_source_attach(d->ready_timer, NULL);
}

void daemon_notify_stopping(Daemon *d)
{
	daemon_notify("STOPPING=1\nSTATUS=stopping");
}

void daemon_notify_failed(const char *why)
{
	g_autofree char *text = tidy(g_strdup(why));
	g_autofree char *state = g_strconcat("STATUS=", text, NULL);

	daemon_notify(state);
}

void daemon_notify_done(Daemon *d)
{
	if (d->ready_timer) {
		g_source_destroy(d->ready_timer);
		g_clear_pointer(&d->ready_timer, g_source_unref);
	}
	if (d->notify_timer) {
		g_source_destroy(d->notify_timer);
		g_clear_pointer(&d->notify_timer, g_source_unref);
	}
	g_clear_pointer(&d->notified, g_free);
}
