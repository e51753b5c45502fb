// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/peer-channels.h"

static uint16_t messaging(struct peer_channels *c)
{
	const struct peer_channel *channel = peer_channels_get_messaging(c);

	return channel ? channel->number : 0;
}

static void test_first_is_for_messages(void)
{
	struct peer_channels c;

	peer_channels_init(&c);
	g_assert_cmpuint(messaging(&c), ==, 0);
	g_assert_true(peer_channels_add(&c, 1, "a_b")->messaging);
	g_assert_false(peer_channels_add(&c, 3, "a_1795")->messaging);
	g_assert_cmpuint(messaging(&c), ==, 1);
	peer_channels_done(&c);
}

static void test_newest_of_the_label(void)
{
	struct peer_channels c;

	peer_channels_init(&c);
	peer_channels_add(&c, 1, "a");
	peer_channels_add(&c, 3, "a");
	g_assert_cmpuint(messaging(&c), ==, 3);
	peer_channel_free(peer_channels_take(&c, 3));
	g_assert_cmpuint(messaging(&c), ==, 1);
	peer_channel_free(peer_channels_take(&c, 1));
	g_assert_cmpuint(messaging(&c), ==, 0);
	g_assert_null(peer_channels_take(&c, 1));
	/* when it comes back it is the one again */
	g_assert_false(peer_channels_add(&c, 5, "x")->messaging);
	g_assert_true(peer_channels_add(&c, 7, "a")->messaging);
	peer_channels_clear(&c);
	g_assert_true(peer_channels_add(&c, 9, "x")->messaging);
	peer_channels_done(&c);
}

static void test_limit(void)
{
	struct peer_channels c;

	peer_channels_init(&c);
	for (uint16_t i = 0; i < PEER_CHANNELS_MAX; i++)
		g_assert_nonnull(peer_channels_add(&c, i, "a"));
	g_assert_null(peer_channels_add(&c, 1000, "a"));
	peer_channels_done(&c);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/peer-channels/first", test_first_is_for_messages);
	g_test_add_func("/peer-channels/newest", test_newest_of_the_label);
	g_test_add_func("/peer-channels/limit", test_limit);
	return g_test_run();
}
