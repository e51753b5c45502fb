// SPDX-License-Identifier: Apache-2.0
/* Two peers in a room, "r", and a privileged one in another, "p"; each line is
 * said by one of them (its first byte: a, b, c), and "+" is an hour that goes
 * by. Nothing may reach who says it, unless it is the server's answer, and at
 * the end everybody leaves in peace. The ids of the three are known: "AAAA...",
 * "AQEB...", "AgIC...". */
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
	gint64 now_us, wall_ms;
};

static void deliver(void *data, void *const *tags, unsigned int n,
		    const char *json, size_t len)
{
	g_assert_true(json_check(json, len, SIZE_MAX, NULL) == 0);
	for (unsigned int i = 0; i < n; i++) {
		struct fuzz_end *end = tags[i];

		g_assert_true(n <= N_ENDS);
		if (end->speaking)
			g_assert_true(n == 1 && (strstr(json, "redirect") ||
						 strstr(json, "inRoom") ||
						 strstr(json, "peerList") ||
						 strstr(json, "introduceError") ||
						 strstr(json, "approach") ||
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
	return ((struct fuzz_world *) data)->wall_ms;
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

static void join(struct fuzz_end *end, const uint8_t *secret, const char *uid,
		 const char *key, const char *rid)
{
	static const char start[] = "2026-11-22T08:53:55.148Z";
	char user_cred[ROOM_TOKEN_SIZE], room_cred[ROOM_TOKEN_SIZE];
	g_autofree char *text = NULL;

	room_token_make_user(secret,
			     &(struct room_token_user){key, uid, start, "c"},
			     user_cred);
	room_token_make_room(
		secret, &(struct room_token_room){key, rid, start, "200", "o"},
		room_cred);
	text = g_strdup_printf(
		"{\"type\":\"joinRoom\",\"uid\":\"%s\",\"cid\":\"c\","
		"\"key\":\"%s\",\"rid\":\"%s\",\"userCred\":\"%s\",\"timeStamp\":\"%s\","
		"\"apiOwner\":\"o\",\"roomCred\":\"%s\",\"start\":\"%s\","
		"\"len\":\"200\"}",
		uid, key, rid, user_cred, start, room_cred, start);
	end->speaking = true;
	room_client_receive(end->client, text, strlen(text));
	end->speaking = false;
	g_assert_true(room_client_has_joined(end->client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char file[] = "[k]\n[p]\nparent = k\nprivileged = yes\n"
				   "auto_introduce = no\n";
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct room_keys *keys =
		room_keys_parse("keys", file, strlen(file), problems);
	struct room_core_config config = {
		.keys = keys,
		.turn = {.host = "h", .secret = "c"},
	};
	struct room_counters counters = {0};
	struct fuzz_world world = {.wall_ms = INT64_C(1795337635413)};
	struct room_core *core =
		room_core_new(&config, &ops, &world, &counters);

	for (unsigned int i = 0; i < N_ENDS; i++) {
		world.ends[i].client = room_client_new(core, &world.ends[i]);
		join(&world.ends[i], config.secret, (char[]){'a' + (char) i, 0},
		     i == 2 ? "p" : "k", i == 2 ? "p" : "r");
	}
	while (size) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t len = newline ? (size_t) (newline - data) : size;
		struct fuzz_end *end = &world.ends[len ? data[0] % N_ENDS : 0];

		if (len && data[0] == '+') {
			world.wall_ms += 3600 * 1000;
			room_core_tick(core);
		} else if (len > 1) {
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
	room_keys_free(keys);
	return 0;
}
