// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/signaling-throttle.h"

#define SECOND G_USEC_PER_SEC

static JsonObject *make(const char *type, int n)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "type", type);
	json_object_set_string_member(o, "mid", "me");
	json_object_set_string_member(o, "rid", "room");
	json_object_set_int_member(o, "n", n);
	return o;
}

static int push(SignalingThrottle *t, const char *type, int n, gint64 now)
{
	g_autoptr(JsonObject) o = make(type, n);

	return signaling_throttle_push(t, o, now);
}

static void assert_group(SignalingThrottle *t, gint64 now, guint wanted)
{
	g_autoptr(JsonObject) o = signaling_throttle_pop(t, now);

	g_assert_nonnull(o);
	g_assert_cmpstr(json_object_get_string_member(o, "type"), ==, "group");
	g_assert_cmpstr(json_object_get_string_member(o, "mid"), ==, "me");
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(
				 o, "lists")), ==, wanted);
}

static void test_handshake_never_waits(void)
{
	SignalingThrottle *t = signaling_throttle_new();
	static const char *const types[] = {"offer", "candidate", "private",
					    "roomLockEvent", "enter"};

	for (int i = 0; i < 100; i++)
		g_assert_cmpint(push(t, types[i % 5], i, 0), ==,
				SIGNALING_THROTTLE_SEND);
	g_assert_cmpint(signaling_throttle_due_us(t), ==, -1);
	signaling_throttle_free(t);
}

/* What is for one peer must not wait for a group, which all get. */
static void test_targeted_never_waits(void)
{
	SignalingThrottle *t = signaling_throttle_new();
	g_autoptr(JsonObject) o = make("updateUserEvent", 0);

	g_assert_cmpint(push(t, "updateUserEvent", 0, 0), ==,
			SIGNALING_THROTTLE_SEND);
	g_assert_cmpint(push(t, "updateUserEvent", 1, 0), ==,
			SIGNALING_THROTTLE_QUEUED);
	json_object_set_string_member(o, "target", "you");
	g_assert_cmpint(signaling_throttle_push(t, o, 0), ==,
			SIGNALING_THROTTLE_SEND);
	/* The broadcast still waits its second. */
	g_assert_cmpint(signaling_throttle_due_us(t), ==, SECOND);
	signaling_throttle_free(t);
}

static void test_burst_leaves_in_groups_of_16(void)
{
	SignalingThrottle *t = signaling_throttle_new();

	g_assert_cmpint(push(t, "public", 0, 5 * SECOND), ==,
			SIGNALING_THROTTLE_SEND);
	for (int i = 1; i <= 20; i++)
		g_assert_cmpint(push(t, "public", i, 5 * SECOND + i), ==,
				SIGNALING_THROTTLE_QUEUED);
	g_assert_cmpint(signaling_throttle_due_us(t), ==, 6 * SECOND);
	g_assert_null(signaling_throttle_pop(t, 6 * SECOND - 1));
	assert_group(t, 6 * SECOND, 16);
	g_assert_null(signaling_throttle_pop(t, 6 * SECOND));
	assert_group(t, 7 * SECOND, 4);
	g_assert_cmpint(signaling_throttle_due_us(t), ==, -1);
	/* and the second after the last group counts as well */
	g_assert_cmpint(push(t, "public", 30, 7 * SECOND + 1), ==,
			SIGNALING_THROTTLE_QUEUED);
	signaling_throttle_free(t);
}

static void test_single_one_goes_alone(void)
{
	SignalingThrottle *t = signaling_throttle_new();
	g_autoptr(JsonObject) o = NULL;

	push(t, "public", 1, 0);
	push(t, "public", 2, 1);
	o = signaling_throttle_pop(t, SECOND);
	g_assert_cmpint(json_object_get_int_member(o, "n"), ==, 2);
	signaling_throttle_free(t);
}

static void test_status_supersedes_itself(void)
{
	SignalingThrottle *t = signaling_throttle_new();

	push(t, "muteAudioEvent", 0, 0);
	for (int i = 1; i < 9; i++)
		push(t, "muteAudioEvent", i, i);
	push(t, "muteVideoEvent", 9, 9);
	assert_group(t, SECOND, 2);
	signaling_throttle_free(t);
}

static void test_queue_is_bounded(void)
{
	SignalingThrottle *t = signaling_throttle_new();

	push(t, "public", 0, 0);
	for (int i = 0; i < SIGNALING_THROTTLE_MAX; i++)
		g_assert_cmpint(push(t, "public", i, 1), ==,
				SIGNALING_THROTTLE_QUEUED);
	g_assert_cmpint(push(t, "public", 0, 1), ==, SIGNALING_THROTTLE_FULL);
	signaling_throttle_clear(t);
	g_assert_cmpint(signaling_throttle_due_us(t), ==, -1);
	signaling_throttle_free(t);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/throttle/handshake", test_handshake_never_waits);
	g_test_add_func("/throttle/targeted", test_targeted_never_waits);
	g_test_add_func("/throttle/burst", test_burst_leaves_in_groups_of_16);
	g_test_add_func("/throttle/single", test_single_one_goes_alone);
	g_test_add_func("/throttle/supersede", test_status_supersedes_itself);
	g_test_add_func("/throttle/bounded", test_queue_is_bounded);
	return g_test_run();
}
