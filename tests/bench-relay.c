// SPDX-License-Identifier: Apache-2.0
/* tests/bench-relay.c - clients that keep a signaling server busy
 *
 * Joins so many clients to rooms of so many, over WebSocket, then sends at a
 * steady pace: each message of 300 bytes of JSON, to the next peer of the room
 * or to all of them. Commands on standard input, one a line:
 *
 *   run SECONDS RATE targeted|broadcast   messages sent a second, of all
 *
 * Answers each with one JSON line; the first, when all have joined, is {}.
 * Whatever does not arrive is an error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <json-glib/json-glib.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/signaling/engineio.h"

#define JSON_BYTES     300
#define READ_BYTES     (64 * 1024)
#define TICK_US	       2000
#define DRAIN_US       (5 * G_USEC_PER_SEC)
#define EVENTS_PER_GO  256
#define FRAME_BIT_MASK 0x80

struct client {
	int fd;
	char sid[64], rid[64];
	GByteArray *targeted, *broadcast;	/* whole frames */
	/* The frame that is being read: its head, then what is left of it. */
	unsigned char head[4];
	unsigned int n_head;
	size_t left;
	bool counts;
};

static struct {
	struct sockaddr_in server;
	int epoll;
	struct client *clients;
	unsigned int n_clients, room_size;
	guint64 received;
	char *buffer;
} bench;

G_GNUC_NORETURN G_GNUC_PRINTF(1, 2)
static void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

static int connect_server(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *) &bench.server,
			      sizeof(bench.server)) < 0)
		fail("cannot connect: %s", g_strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void write_all(int fd, const void *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EAGAIN)
			continue; /* the server is behind: so are we */
		if (n <= 0)
			fail("cannot send: %s", g_strerror(errno));
		bytes = (const char *) bytes + n;
		len -= (size_t) n;
	}
}

/* --- joining, one after the other ------------------------------------------- */

static GString *read_until(int fd, const char *end)
{
	GString *text = g_string_new(NULL);
	char ch;

	while (!strstr(text->str, end)) {
		if (read(fd, &ch, 1) != 1)
			fail("the server ends the connection: %s", text->str);
		g_string_append_c(text, ch);
	}
	return text;
}

/* What joinRoom is to say: from the room API, if there is one. */
static JsonObject *get_grant(unsigned int room)
{
	int fd = connect_server();
	g_autofree char *request = g_strdup_printf(
		"GET /api/demo/room%u HTTP/1.0\r\nHost: bench\r\n\r\n", room);
	g_autoptr(GString) answer = g_string_new(NULL);
	g_autoptr(JsonNode) node = NULL;
	JsonObject *grant = json_object_new();
	char chunk[4096];
	ssize_t n;
	const char *body;

	write_all(fd, request, strlen(request));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		g_string_append_len(answer, chunk, n);
	close(fd);
	if (!strstr(answer->str, " 200 ")) {
		g_autofree char *rid = g_strdup_printf("room%u", room);

		json_object_set_string_member(grant, "room_key", rid);
		return grant;
	}
	json_object_unref(grant);
	body = strstr(answer->str, "\r\n\r\n");
	node = json_from_string(body + 4, NULL);
	if (!node)
		fail("the room API gives no JSON: %s", answer->str);
	return json_node_dup_object(node);
}

static char *format_join(JsonObject *grant)
{
	static const char *const names[][2] = {
		{"uid", "username"},	 {"cid", "cid"},
		{"rid", "room_key"},	 {"userCred", "userCred"},
		{"timeStamp", "timeStamp"}, {"apiOwner", "apiOwner"},
		{"roomCred", "roomCred"}, {"start", "start"}, {"len", "len"},
	};
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "type", "joinRoom");
	json_object_set_string_member(o, "key", "demo");
	json_object_set_string_member(o, "version", "as long as others say it "
				      "and no shorter than a medium frame is");
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (json_object_has_member(grant, names[i][1]))
			json_object_set_member(
				o, names[i][0],
				json_node_copy(json_object_get_member(
					grant, names[i][1])));
	json_node_take_object(node, o);
	return json_to_string(node, FALSE);
}

/* A masked text frame of medium length; a mask of zeros is one, too. */
static GByteArray *make_frame(const char *json)
{
	g_autoptr(GString) text = g_string_new(NULL);
	GByteArray *frame = g_byte_array_new();
	unsigned char head[8] = {0x81, FRAME_BIT_MASK | 126};

	sio_event_format(text, json, strlen(json));
	g_assert(text->len >= 126 && text->len < 65536);
	head[2] = (unsigned char) (text->len >> 8);
	head[3] = (unsigned char) text->len;
	g_byte_array_append(frame, head, sizeof(head));
	g_byte_array_append(frame, (const guint8 *) text->str,
			    (guint) text->len);
	return frame;
}

static char *read_frame(int fd)
{
	unsigned char head[4];
	size_t len;
	char *text;

	if (recv(fd, head, 2, MSG_WAITALL) != 2)
		fail("the server ends the connection");
	len = head[1];
	if (len == 126) {
		if (recv(fd, head + 2, 2, MSG_WAITALL) != 2)
			fail("the server ends the connection");
		len = (size_t) head[2] << 8 | head[3];
	}
	text = g_malloc0(len + 1);
	if (recv(fd, text, len, MSG_WAITALL) != (ssize_t) len)
		fail("the server ends the connection");
	return text;
}

static void join(struct client *c, unsigned int room)
{
	static const char upgrade[] =
		"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\n"
		"Host: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	g_autoptr(JsonObject) grant = get_grant(room);
	g_autofree char *text = format_join(grant);
	g_autoptr(GByteArray) frame = make_frame(text);
	g_autoptr(GString) answer = NULL;

	c->fd = connect_server();
	write_all(c->fd, upgrade, sizeof(upgrade) - 1);
	answer = read_until(c->fd, "\r\n\r\n");
	if (!strstr(answer->str, " 101 "))
		fail("no WebSocket: %s", answer->str);
	g_strlcpy(c->rid, json_object_get_string_member(grant, "room_key"),
		  sizeof(c->rid));
	write_all(c->fd, frame->data, frame->len);
	while (!*c->sid) {
		g_autofree char *packet = read_frame(c->fd);
		const char *sid = strstr(packet, "\\\"sid\\\":\\\"");

		if (strstr(packet, "redirect"))
			fail("refused: %s", packet);
		if (sid && strstr(packet, "inRoom")) {
			sid += strlen("\\\"sid\\\":\\\"");
			g_strlcpy(c->sid, sid,
				  MIN(sizeof(c->sid), strcspn(sid, "\\") + 1));
		}
	}
}

static GByteArray *make_message(const struct client *c, const char *target)
{
	g_autoptr(GString) json = g_string_new("{\"type\":");

	g_string_append(json, target ? "\"private\"" : "\"public\"");
	if (target)
		g_string_append_printf(json, ",\"target\":\"%s\"", target);
	g_string_append_printf(json, ",\"mid\":\"%s\",\"rid\":\"%s\","
				     "\"data\":\"", c->sid, c->rid);
	while (json->len < JSON_BYTES - 2)
		g_string_append_c(json, 'x');
	g_string_append(json, "\"}");
	return make_frame(json->str);
}

static void join_all(void)
{
	bench.clients = g_new0(struct client, bench.n_clients);
	for (unsigned int i = 0; i < bench.n_clients; i++)
		join(&bench.clients[i], i / bench.room_size);
	for (unsigned int i = 0; i < bench.n_clients; i++) {
		struct client *c = &bench.clients[i];
		unsigned int first = i - i % bench.room_size;
		struct client *next =
			&bench.clients[first + (i + 1) % bench.room_size];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

		c->targeted = make_message(c, next->sid);
		c->broadcast = make_message(c, NULL);
		fcntl(c->fd, F_SETFL, O_NONBLOCK);
		if (epoll_ctl(bench.epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
			fail("epoll: %s", g_strerror(errno));
	}
}

/* --- traffic ------------------------------------------------------------------ */

/* Counts the frames in a piece of the stream; their text is not looked at, but
 * short ones (pongs) are none of ours. */
static void count_frames(struct client *c, const unsigned char *p, size_t n)
{
	while (n) {
		size_t take;

		if (c->left) {
			take = MIN(c->left, n);
			c->left -= take;
			p += take;
			n -= take;
			if (!c->left && c->counts)
				bench.received++;
			continue;
		}
		c->head[c->n_head++] = *p++;
		n--;
		if (c->n_head == 2 && (c->head[1] & 0x7f) < 126) {
			c->left = c->head[1] & 0x7f;
			c->counts = c->left >= 64;
			c->n_head = 0;
		} else if (c->n_head == 4) {
			c->left = (size_t) c->head[2] << 8 | c->head[3];
			c->counts = true;
			c->n_head = 0;
		}
	}
}

static void receive(int timeout_ms)
{
	struct epoll_event events[EVENTS_PER_GO];
	int n = epoll_wait(bench.epoll, events, EVENTS_PER_GO, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct client *c = events[i].data.ptr;
		ssize_t len = read(c->fd, bench.buffer, READ_BYTES);

		if (len > 0)
			count_frames(c, (unsigned char *) bench.buffer,
				     (size_t) len);
		else if (len == 0 || errno != EAGAIN)
			fail("the server has dropped a client");
	}
}

static void run(double seconds, double rate, bool targeted)
{
	gint64 start = g_get_monotonic_time(), now = start, end;
	guint64 sent = 0, expected;
	unsigned int each = targeted ? 1 : bench.room_size - 1;

	bench.received = 0;
	end = start + (gint64) (seconds * G_USEC_PER_SEC);
	while (now < end) {
		guint64 due = (guint64) ((double) (now - start) * rate /
					 G_USEC_PER_SEC);

		for (; sent < due; sent++) {
			struct client *c =
				&bench.clients[sent * 7 % bench.n_clients];
			GByteArray *frame = targeted ? c->targeted
						     : c->broadcast;

			write_all(c->fd, frame->data, frame->len);
			if (sent % 64 == 63)
				receive(0);
		}
		receive(TICK_US / 1000);
		now = g_get_monotonic_time();
	}
	expected = sent * each;
	end = g_get_monotonic_time() + DRAIN_US;
	while (bench.received < expected && g_get_monotonic_time() < end)
		receive(10);
	printf("{\"sent\":%" G_GUINT64_FORMAT ",\"received\":%" G_GUINT64_FORMAT
	       ",\"lost\":%" G_GINT64_FORMAT ",\"seconds\":%.3f}\n",
	       sent, bench.received, (gint64) (expected - bench.received),
	       (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	char line[128], kind[16];
	double seconds, rate;

	if (argc != 4)
		fail("usage: bench-relay PORT CLIENTS ROOM-SIZE");
	bench.server = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t) atoi(argv[1])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	bench.n_clients = (unsigned int) atoi(argv[2]);
	bench.room_size = (unsigned int) atoi(argv[3]);
	if (bench.room_size < 2 || bench.n_clients % bench.room_size)
		fail("so many clients do not fill rooms of so many");
	bench.epoll = epoll_create1(EPOLL_CLOEXEC);
	bench.buffer = g_malloc(READ_BYTES);
	join_all();
	printf("{}\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "run %lf %lf %15s", &seconds, &rate, kind) == 3)
			run(seconds, rate, strcmp(kind, "targeted") == 0);
	return EXIT_SUCCESS;
}
