// SPDX-License-Identifier: Apache-2.0
/* The input is a keys file; what it yields must hold together. */
#include "appliance/roomserver/room-keys.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct room_keys *keys =
		room_keys_parse("f", (const char *) data, size, problems);
	const struct room_key *key;

	g_assert_true((keys == NULL) == (problems->len > 0));
	g_assert_true(problems->len <= ROOM_KEYS_MAX_PROBLEMS);
	for (guint i = 0; i < problems->len; i++)
		g_assert_true(g_utf8_validate(problems->pdata[i], -1, NULL));
	for (unsigned int i = 0; keys && (key = room_keys_get(keys, i)); i++) {
		struct room_caller caller = {
			.origin = "https://a.example.org:8",
			.host = "box:80",
			.room = "r",
		};

		g_assert_true(room_keys_find(keys, key->name) == key);
		g_assert_true(key->space || key->parent);
		room_key_check(key, &caller);
		g_assert_true(key->secret || key->cors || !key->space ||
			      room_key_check(key, &caller) ==
				      ROOM_REFUSAL_NONE);
	}
	room_keys_free(keys);
	return 0;
}
