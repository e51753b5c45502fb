// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-activation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/control/control-request.h"
#include "appliance/control/control-table.h"

#define FIRST_FD   3		/* SD_LISTEN_FDS_START */
#define LINGER_MS  500
#define LAST_WORDS 4096

unsigned int control_activation_count(const char *pid, const char *fds,
				      pid_t self)
{
	guint64 n;

	if (!pid || !fds ||
	    !g_ascii_string_to_unsigned(pid, 10, 1, G_MAXINT32, &n, NULL) ||
	    n != (guint64) self ||
	    !g_ascii_string_to_unsigned(fds, 10, 1, G_MAXINT16, &n, NULL))
		return 0;
	return (unsigned int) MIN(n, CONTROL_ACTIVATION_MAX);
}

bool control_activation_is_ours(int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNSPEC};
	socklen_t len = sizeof(address);
	socklen_t size = sizeof(int);
	int type = 0, listens = 0;

	return getsockname(fd, (struct sockaddr *) &address, &len) == 0 &&
		address.sun_family == AF_UNIX &&
		len > offsetof(struct sockaddr_un, sun_path) &&
		address.sun_path[0] == '/' &&
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
		type == SOCK_STREAM &&
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens,
			   &size) == 0 && listens;
}

static void prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int control_activation_take(void)
{
	unsigned int n = control_activation_count(getenv("LISTEN_PID"),
						  getenv("LISTEN_FDS"),
						  getpid());
	int found = -1;

	for (int fd = FIRST_FD; fd < FIRST_FD + (int) n; fd++) {
		if (found < 0 && control_activation_is_ours(fd)) {
			prepare(fd);
			found = fd;
		} else {
			close(fd);
		}
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return found;
}

/* What is closed while the other side still speaks may be cut off on its way:
 * first its question. */
static void say_last_words(int fd, const char *line, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char asked[LAST_WORDS];

	if (poll(&p, 1, LINGER_MS) > 0)
		(void) !recv(fd, asked, sizeof(asked), MSG_DONTWAIT);
	(void) !send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_activation_refuse(int fd, const char *why)
{
	GBytes *line;

	if (fd < 0)
		return;
	line = control_message_error(NULL, CONTROL_CODE_STATE, why, NULL);
	for (unsigned int i = 0; i < CONTROL_ACTIVATION_REFUSED_MAX; i++) {
		gsize len;
		const char *text = g_bytes_get_data(line, &len);
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (client < 0)
			break;
		say_last_words(client, text, len);
		close(client);
	}
	g_bytes_unref(line);
}
