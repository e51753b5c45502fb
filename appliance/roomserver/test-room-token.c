// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-token.h"

#include <glib.h>
#include <string.h>

static const uint8_t secret[ROOM_SECRET_BYTES] = {1, 2, 3, 4};

static void user_token(const uint8_t *with, const char *uid, const char *cid,
		       char ret[ROOM_TOKEN_SIZE])
{
	room_token_make_user(with,
			     &(struct room_token_user){
				     .key = "k",
				     .uid = uid,
				     .time_stamp = "t",
				     .cid = cid,
			     },
			     ret);
}

static void test_tokens_depend_on_everything(void)
{
	static const uint8_t other[ROOM_SECRET_BYTES] = {1, 2, 3, 5};
	char a[ROOM_TOKEN_SIZE], b[ROOM_TOKEN_SIZE];

	user_token(secret, "u", "c", a);
	g_assert_cmpuint(strlen(a), ==, ROOM_TOKEN_CHARS);
	user_token(secret, "u", "c", b);
	g_assert_true(room_token_equal(a, b));
	user_token(other, "u", "c", b);
	g_assert_false(room_token_equal(a, b));
	user_token(secret, "u2", "c", b);
	g_assert_false(room_token_equal(a, b));

	/* Fields do not run into each other. */
	user_token(secret, "uc", "", b);
	g_assert_false(room_token_equal(a, b));
	g_assert_false(room_token_equal(a, ""));
}

static void test_room_tokens(void)
{
	struct room_token_room room = {"k", "r", "s", "200", "o"};
	char a[ROOM_TOKEN_SIZE], b[ROOM_TOKEN_SIZE];

	room_token_make_room(secret, &room, a);
	room.len = "201";
	room_token_make_room(secret, &room, b);
	g_assert_false(room_token_equal(a, b));
}

static void test_room_ids(void)
{
	char a[ROOM_ID_CHARS + 1], b[ROOM_ID_CHARS + 1];

	room_token_room_id(secret, "k", "lobby", a);
	room_token_room_id(secret, "k", "lobby2", b);
	g_assert_cmpuint(strlen(a), ==, ROOM_ID_CHARS);
	g_assert_cmpstr(a, !=, b);
	room_token_room_id(secret, "k2", "lobby", b);
	g_assert_cmpstr(a, !=, b);
}

static void test_ids_are_url_safe(void)
{
	uint8_t random[15];
	char id[21];

	memset(random, 0xff, sizeof(random));
	room_token_id(random, 20, id);
	g_assert_cmpstr(id, ==, "____________________");
	memset(random, 0xfb, sizeof(random));
	room_token_id(random, 20, id);
	g_assert_cmpuint(strlen(id), ==, 20);
	g_assert_cmpuint(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_"),
			 ==, 20);
	/* People hand them to command lines. */
	memset(random, 0xfb, sizeof(random));
	random[0] = 0xf8;
	room_token_id(random, 20, id);
	g_assert_cmpint(id[0], ==, 'A');
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-token/user", test_tokens_depend_on_everything);
	g_test_add_func("/room-token/room", test_room_tokens);
	g_test_add_func("/room-token/room-id", test_room_ids);
	g_test_add_func("/room-token/id", test_ids_are_url_safe);
	return g_test_run();
}
