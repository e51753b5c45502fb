/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-client.h - one connection: lines in, lines out
 *
 *   socket --> control_line --> ops->line()
 *   control_client_send() --> [bounded queue] --> socket
 *
 * Nothing is read while much is waiting to be written or many calls are open:
 * who asks without reading answers stops itself. Who is subscribed to events
 * and does not read is closed when the queue is full.
 *
 * Source:  none (our own)
 * Thread:  control
 * Memory:  counted references; closed at most once
 */
#pragma once

#include <gio/gio.h>

#include "appliance/control/control-fds.h"
#include "appliance/control/control-line.h"
#include "appliance/control/control-subscription.h"
#include "appliance/control/control-table.h"

typedef struct ControlClient ControlClient;

struct control_client_ops {
	/* @text is borrowed and not NUL-terminated. @fds: what came with it;
	 * what is left in there is closed. */
	void (*line)(ControlClient *client, const char *text, size_t len,
		     struct control_fds *fds);
	/* A line was longer than allowed and is skipped. */
	void (*long_line)(ControlClient *client);
	/* It is closed. @slow: because it did not read. */
	void (*closed)(ControlClient *client, gboolean slow);
};

/* Open to the server alone; nobody else writes here. */
struct ControlClient {
	gatomicrefcount refs;
	int fd;				/* -1: closed */
	const struct control_client_ops *ops;
	gpointer server;		/* borrowed; valid while open */
	ControlRole role;
	guint64 bytes_in, bytes_out;

	/* What the server keeps per client. */
	unsigned int n_calls;		/* unanswered */
	ControlSubscription *subscription;	/* NULL: to nothing yet */

	GSource *source;
	gpointer tag;
	struct control_line lines;
	struct control_fd_queue fds;
	gboolean eof, finishing, processing;
	GQueue queue;			/* struct queued_line */
	size_t queued_bytes, head_sent;
};

/* Takes @fd, which must be non-blocking. */
ControlClient *control_client_new(GMainContext *context, int fd,
				  ControlRole role,
				  const struct control_client_ops *ops,
				  gpointer server);
ControlClient *control_client_ref(ControlClient *client);
void control_client_unref(ControlClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlClient, control_client_unref)

gboolean control_client_is_open(const ControlClient *client);
/* Queues one line; takes a reference of its own. May close the client. */
void control_client_send(ControlClient *client, GBytes *line);
/* The same with descriptors, which it takes. At most CONTROL_FDS_MAX. */
void control_client_send_fds(ControlClient *client, GBytes *line,
			     const int *fds, unsigned int n_fds);
/* One call was answered: reading may go on. */
void control_client_call_done(ControlClient *client);
/* Closes when everything queued was written; reads no more. */
void control_client_finish(ControlClient *client);
/* Closes now: of what is queued only what the socket takes at once is written.
 */
void control_client_close(ControlClient *client);
