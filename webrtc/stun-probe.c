// SPDX-License-Identifier: Apache-2.0
#include "webrtc/stun-probe.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stun/stunagent.h>
#include <stun/usages/bind.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX_BYTES 1280	/* an answer is some 100 */
#define FIRST_RESEND_MS	  250

struct probe {
	StunAgent agent;
	uint8_t request[256], answer[MESSAGE_MAX_BYTES];
	size_t request_len, n;
	struct sockaddr_storage *seen;
	int fd;
	bool tcp;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000 + (uint64_t) t.tv_nsec / 1000000;
}

/* Return: 1: events, 0: too late, negative errno. */
static int wait_for(int fd, short events, uint64_t until)
{
	uint64_t now = now_ms();
	struct pollfd p = {.fd = fd, .events = events};
	int r = poll(&p, 1, now < until ? (int) (until - now) : 0);

	return r < 0 && errno == EINTR ? 0 : r < 0 ? -errno : r;
}

static int open_socket(const struct sockaddr *to, socklen_t len, bool tcp,
		       uint64_t until)
{
	int fd = socket(to->sa_family,
			(tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK |
			SOCK_CLOEXEC, 0);
	int r, error = 0;
	socklen_t n = sizeof(error);

	if (fd < 0)
		return -errno;
	r = connect(fd, to, len) < 0 ? -errno : 0;
	if (r == -EINPROGRESS) {
		r = wait_for(fd, POLLOUT, until);
		if (r > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
					&n) == 0)
			r = -error;
		else if (r == 0)
			r = -ETIMEDOUT;
	}
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Of what has been read so far. Return: 0: it is the answer, -EAGAIN: it is
 * not yet, or it is another's, -EBADMSG. */
static int look(struct probe *p)
{
	struct sockaddr_storage other = {0};
	socklen_t len = sizeof(*p->seen), other_len = sizeof(other);
	StunMessage message;
	int whole = stun_message_validate_buffer_length(p->answer, p->n, true);

	if (p->tcp && whole == STUN_MESSAGE_BUFFER_INCOMPLETE)
		return -EAGAIN;
	if (whole <= 0)
		return p->tcp ? -EBADMSG : -EAGAIN;
	if (stun_agent_validate(&p->agent, &message, p->answer,
				(size_t) whole, NULL, NULL) !=
	    STUN_VALIDATION_SUCCESS)
		return p->tcp ? -EBADMSG : -EAGAIN;
	if (stun_usage_bind_process(&message, (struct sockaddr *) p->seen,
				    &len, (struct sockaddr *) &other,
				    &other_len) !=
	    STUN_USAGE_BIND_RETURN_SUCCESS)
		return -EBADMSG;
	return 0;
}

/* Until @until. Return: as look(), -EAGAIN: nothing came. */
static int listen_until(struct probe *p, uint64_t until)
{
	int r;

	while ((r = wait_for(p->fd, POLLIN, until)) > 0) {
		ssize_t n = recv(p->fd, p->answer + (p->tcp ? p->n : 0),
				 sizeof(p->answer) - (p->tcp ? p->n : 0), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && p->tcp)
			return -EBADMSG;
		p->n = (p->tcp ? p->n : 0) + (size_t) n;
		r = look(p);
		if (r != -EAGAIN)
			return r;
	}
	return r < 0 ? r : -EAGAIN;
}

static int ask(struct probe *p, uint64_t until)
{
	uint64_t pause = FIRST_RESEND_MS;
	int r = -EAGAIN;

	while (r == -EAGAIN && now_ms() < until) {
		uint64_t next = now_ms() + pause;

		if (send(p->fd, p->request, p->request_len, MSG_NOSIGNAL) < 0)
			return -errno;
		/* A stream is not repeated: it does that by itself. */
		r = listen_until(p, p->tcp || next > until ? until : next);
		pause *= 2;
	}
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

int stun_probe(const struct sockaddr *to, socklen_t to_len, bool tcp,
	       unsigned int timeout_ms, struct sockaddr_storage *ret_seen)
{
	uint64_t until = now_ms() + timeout_ms;
	struct sockaddr_storage seen = {0};
	struct probe p = {.tcp = tcp, .seen = &seen};
	StunMessage message;
	int r;

	stun_agent_init(&p.agent, STUN_ALL_KNOWN_ATTRIBUTES,
			STUN_COMPATIBILITY_RFC5389, 0);
	p.request_len = stun_usage_bind_create(&p.agent, &message, p.request,
					       sizeof(p.request));
	if (!p.request_len)
		return -ENOBUFS;
	p.fd = open_socket(to, to_len, tcp, until);
	if (p.fd < 0)
		return p.fd;
	r = ask(&p, until);
	close(p.fd);
	if (r == 0)
		*ret_seen = seen;
	return r;
}
