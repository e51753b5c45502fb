// SPDX-License-Identifier: Apache-2.0
/* Against a mock server made of libnice's own messages, which can be silent
 * and talk nonsense; a real one is asked by tests/system. */
#include "webrtc/stun-probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <string.h>
#include <stun/stunagent.h>
#include <unistd.h>

enum manner { ANSWER, SECOND_TIME, NONSENSE_FIRST, SILENT, NOTHING_IN_IT };

struct mock {
	enum manner manner;
	bool tcp;
	int fd;
	struct sockaddr_in at;
	unsigned int requests;
	GThread *thread;
};

static void reply(struct mock *m, int fd, StunAgent *agent,
		  StunMessage *request, const struct sockaddr_in *from,
		  bool empty)
{
	uint8_t buffer[256];
	StunMessage answer;
	size_t n;

	g_assert_true(stun_agent_init_response(agent, &answer, buffer,
					       sizeof(buffer), request));
	if (!empty)
		g_assert_cmpint(stun_message_append_xor_addr(
					&answer,
					STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
					(const struct sockaddr_storage *) from,
					sizeof(*from)), ==,
				STUN_MESSAGE_RETURN_SUCCESS);
	n = stun_agent_finish_message(agent, &answer, NULL, 0);
	if (m->tcp)	/* in two pieces, as streams may */
		g_assert_cmpint(send(fd, buffer, 10, MSG_NOSIGNAL), ==, 10);
	g_assert_cmpint(sendto(fd, buffer + (m->tcp ? 10 : 0),
			       n - (m->tcp ? 10 : 0), MSG_NOSIGNAL,
			       m->tcp ? NULL : (const struct sockaddr *) from,
			       m->tcp ? 0 : sizeof(*from)), >, 0);
}

static gpointer serve(gpointer data)
{
	struct mock *m = data;
	struct sockaddr_in from = {0};
	socklen_t len = sizeof(from);
	int fd = m->tcp ? accept(m->fd, (struct sockaddr *) &from, &len)
			: m->fd;
	StunAgent agent;
	uint8_t buffer[512];

	stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES,
			STUN_COMPATIBILITY_RFC5389, 0);
	for (;;) {
		ssize_t n = m->tcp ? recv(fd, buffer, sizeof(buffer), 0)
				   : recvfrom(fd, buffer, sizeof(buffer), 0,
					      (struct sockaddr *) &from, &len);
		StunMessage request;

		if (n < 20)	/* the test says that it is over */
			break;
		g_assert_cmpint(stun_agent_validate(&agent, &request, buffer,
						    (size_t) n, NULL, NULL),
				==, STUN_VALIDATION_SUCCESS);
		m->requests++;
		if (m->manner == NONSENSE_FIRST)
			sendto(fd, "nonsense", 8, 0, (struct sockaddr *) &from,
			       len);
		if (m->manner == SILENT ||
		    (m->manner == SECOND_TIME && m->requests == 1))
			continue;
		reply(m, fd, &agent, &request, &from,
		      m->manner == NOTHING_IN_IT);
	}
	if (m->tcp)
		close(fd);
	return NULL;
}

static void mock_start(struct mock *m, enum manner manner, bool tcp)
{
	socklen_t len = sizeof(m->at);

	*m = (struct mock){.manner = manner, .tcp = tcp};
	m->at.sin_family = AF_INET;
	m->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	m->fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC,
		       0);
	g_assert_cmpint(bind(m->fd, (struct sockaddr *) &m->at,
			     sizeof(m->at)), ==, 0);
	if (tcp)
		g_assert_cmpint(listen(m->fd, 1), ==, 0);
	getsockname(m->fd, (struct sockaddr *) &m->at, &len);
	m->thread = g_thread_new("mock", serve, m);
}

static void mock_stop(struct mock *m)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* The stream's end says it by itself. */
	if (!m->tcp)
		sendto(fd, "over", 4, 0, (struct sockaddr *) &m->at,
		       sizeof(m->at));
	close(fd);
	g_thread_join(m->thread);
	close(m->fd);
}

static int probe(const struct mock *m, unsigned int timeout_ms,
		 struct sockaddr_storage *seen)
{
	return stun_probe((const struct sockaddr *) &m->at, sizeof(m->at),
			  m->tcp, timeout_ms, seen);
}

static void check_answered(enum manner manner, bool tcp, unsigned int requests)
{
	struct sockaddr_storage seen = {0};
	const struct sockaddr_in *in = (const void *) &seen;
	struct mock m;

	mock_start(&m, manner, tcp);
	g_assert_cmpint(probe(&m, 30000, &seen), ==, 0);
	mock_stop(&m);
	g_assert_cmpuint(m.requests, >=, requests);
	g_assert_cmpint(in->sin_family, ==, AF_INET);
	g_assert_cmphex(ntohl(in->sin_addr.s_addr), ==, INADDR_LOOPBACK);
	g_assert_cmpuint(in->sin_port, !=, 0);
}

static void test_answered(void)
{
	check_answered(ANSWER, false, 1);
	check_answered(ANSWER, true, 1);
}

static void test_repeated(void)
{
	check_answered(SECOND_TIME, false, 2);
}

static void test_nonsense_is_passed_over(void)
{
	check_answered(NONSENSE_FIRST, false, 1);
}

static void test_silent(void)
{
	struct sockaddr_storage seen = {.ss_family = AF_UNIX};
	struct mock m;

	mock_start(&m, SILENT, false);
	g_assert_cmpint(probe(&m, 300, &seen), ==, -ETIMEDOUT);
	mock_stop(&m);
	g_assert_cmpuint(m.requests, >=, 1);
	g_assert_cmpint(seen.ss_family, ==, AF_UNIX);	/* untouched */
}

static void test_empty_answer(void)
{
	struct sockaddr_storage seen;
	struct mock m;

	mock_start(&m, NOTHING_IN_IT, false);
	g_assert_cmpint(probe(&m, 30000, &seen), ==, -EBADMSG);
	mock_stop(&m);
}

/* A port that was just given back: nobody is there. */
static void test_nobody(void)
{
	struct sockaddr_storage seen;
	struct mock m;

	for (int tcp = 0; tcp < 2; tcp++) {
		mock_start(&m, ANSWER, false);
		mock_stop(&m);
		m.tcp = tcp;
		g_assert_cmpint(probe(&m, 30000, &seen), ==, -ECONNREFUSED);
	}
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/stun-probe/answered", test_answered);
	g_test_add_func("/stun-probe/repeated", test_repeated);
	g_test_add_func("/stun-probe/nonsense", test_nonsense_is_passed_over);
	g_test_add_func("/stun-probe/silent", test_silent);
	g_test_add_func("/stun-probe/empty", test_empty_answer);
	g_test_add_func("/stun-probe/nobody", test_nobody);
	return g_test_run();
}
