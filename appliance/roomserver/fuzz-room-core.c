// SPDX-License-Identifier: Apache-2.0
/* Three peers in a room; each line is said by one of them (its first byte:
 * a, b, c). Nothing may reach who says it, unless it is a redirect or inRoom,
 * and at the end everybody leaves in peace. The ids of the three are known:
 * "AAAA...", "AQEB...", "AgIC..."; their room is "r". */
#include "appliance/roomserver/room-core.h"

#include <json-glib/json-glib.h>
#include <stdint.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_ENDS 3

struct fuzz_end {
	struct room_client *client;
	bool speaking;
};

struct fuzz_world {
	struct fuzz_end ends[N_ENDS];
	uint8_t random;
	gint64 now_us;
};

static void deliver(void *data, void *const *tags, unsigned int n,
		    const char *json, size_t len)
{
	g_assert_true(json_check(json, len, SIZE_MAX, NULL) == 0);
	for (unsigned int i = 0; i < n; i++) {
		struct fuzz_end *end = tags[i];

		if (end->speaking)
			g_assert_true(n == 1 && (strstr(json, "redirect") ||
						 strstr(json, "inRoom") ||
						 strstr(json, "bye")));
	}
}

static void finish(void *data, void *tag)
{
}

static gint64 monotonic_us(void *data)
{
	return ((struct fuzz_world *) data)->now_us += 1000;
}

static gint64 wall_ms(void *data)
{
	return INT64_C(1795337635413);
}

static void fill_random(void *data, uint8_t *bytes, size_t n)
{
	memset(bytes, ((struct fuzz_world *) data)->random++, n);
}

static const struct room_core_ops ops = {
	.deliver = deliver,
	.finish = finish,
	.monotonic_us = monotonic_us,
	.wall_ms = wall_ms,
	.random = fill_random,
};

static void join(struct fuzz_end *end, const uint8_t *secret)
{
	static const char start[] = "2026-11-22T08:53:55.148Z";
	char user_cred[ROOM_TOKEN_SIZE], room_cred[ROOM_TOKEN_SIZE];
	g_autofree char *text = NULL;

	room_token_make_user(secret,
			     &(struct room_token_user){"k", "u", start, "c"},
			     user_cred);
	room_token_make_room(
		secret, &(struct room_token_room){"k", "r", start, "200", "o"},
		room_cred);
	text = g_strdup_printf(
		"{\"type\":\"joinRoom\",\"uid\":\"u\",\"cid\":\"c\","
		"\"rid\":\"r\",\"userCred\":\"%s\",\"timeStamp\":\"%s\","
		"\"apiOwner\":\"o\",\"roomCred\":\"%s\",\"start\":\"%s\","
		"\"len\":\"200\"}",
		user_cred, start, room_cred, start);
	end->speaking = true;
	room_client_receive(end->client, text, strlen(text));
	end->speaking = false;
	g_assert_true(room_client_has_joined(end->client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct room_core_config config = {
		.app_key = "k",
		.turn_url = "turn:u@h",
		.turn_credential = "c",
	};
	struct room_counters counters = {0};
	struct fuzz_world world = {0};
	struct room_core *core =
		room_core_new(&config, &ops, &world, &counters);

	for (unsigned int i = 0; i < N_ENDS; i++) {
		world.ends[i].client = room_client_new(core, &world.ends[i]);
		join(&world.ends[i], config.secret);
	}
	while (size) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t len = newline ? (size_t) (newline - data) : size;
		struct fuzz_end *end = &world.ends[len ? data[0] % N_ENDS : 0];

		if (len > 1) {
			end->speaking = true;
			room_client_receive(end->client,
					    (const char *) data + 1, len - 1);
			end->speaking = false;
		}
		data += len;
		size -= len;
		if (size) {
			data++;
			size--;
		}
	}
	for (unsigned int i = 0; i < N_ENDS; i++)
		room_client_free(world.ends[i].client);
	g_assert_true(room_count_get(counters.rooms) == 0);
	room_core_free(core);
	return 0;
}
