// SPDX-License-Identifier: Apache-2.0
#include "media/unit-pool.h"

#include <errno.h>
#include <glib.h>
#include <libavcodec/packet.h>
#include <string.h>

static void test_steady_state_allocates_nothing(void)
{
	static uint8_t bytes[100000];
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	struct coded_unit *u;
	uint64_t n;

	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_VP8, 4), ==,
			0);
	for (unsigned int i = 0; i < 1000; i++) {
		bytes[0] = (uint8_t) i;
		u = unit_pool_get(pool);
		g_assert_cmpint(unit_copy_data(u, bytes, 1 + i * 8 % 8192), ==,
				0);
		g_assert_cmpuint(u->data[0], ==, (uint8_t) i);
		coded_unit_unref(u);
	}
	n = media_count_get(&count.unit_allocs);
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpuint(media_count_get(&count.unit_copies), ==, 1000);

	/* A keyframe's memory goes with it. */
	u = unit_pool_get(pool);
	g_assert_cmpint(unit_copy_data(u, bytes, sizeof(bytes)), ==, 0);
	coded_unit_unref(u);
	u = unit_pool_get(pool);
	g_assert_cmpint(unit_copy_data(u, bytes, 10), ==, 0);
	g_assert_cmpuint(media_count_get(&count.unit_allocs), ==, n + 2);
	coded_unit_unref(u);
	unit_pool_close(pool);
}

static void test_units_outlive_their_pool(void)
{
	struct media_count *count = g_new0(struct media_count, 1);
	struct unit_pool *pool = NULL;
	struct coded_unit *a, *b;

	g_assert_cmpint(unit_pool_new(&pool, count, MEDIA_CODEC_OPUS, 2), ==,
			0);
	a = unit_pool_get(pool);
	b = unit_pool_get(pool);
	g_assert_null(unit_pool_get(pool));
	g_assert_cmpint(unit_copy_data(a, (const uint8_t *) "abc", 3), ==, 0);
	coded_unit_ref(a);
	unit_pool_close(pool);
	g_free(count);
	coded_unit_unref(b);
	coded_unit_unref(a);
	g_assert_cmpmem(a->data, a->size, "abc", 3);
	coded_unit_unref(a);
}

static void test_a_packet_is_carried_not_copied(void)
{
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	AVPacket *packet = av_packet_alloc();
	struct coded_unit *u;
	const uint8_t *data;

	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_H264, 1), ==,
			0);
	for (unsigned int i = 0; i < 3; i++) {
		g_assert_cmpint(av_new_packet(packet, 1000), ==, 0);
		data = packet->data;
		u = unit_pool_get(pool);
		g_assert_cmpint(unit_take_packet(u, packet), ==, 0);
		g_assert_true(u->data == data);
		g_assert_cmpuint(u->size, ==, 1000);
		g_assert_null(packet->data);
		coded_unit_unref(u);
	}
	g_assert_cmpuint(media_count_get(&count.unit_copies), ==, 0);
	av_packet_free(&packet);
	unit_pool_close(pool);
}

static void test_too_large(void)
{
	struct media_count count = {0};
	struct unit_pool *pool = NULL;
	struct coded_unit *u;

	g_assert_cmpint(unit_pool_new(&pool, &count, MEDIA_CODEC_VP8, 1), ==,
			0);
	u = unit_pool_get(pool);
	g_assert_cmpint(unit_copy_parts(u, NULL, SIZE_MAX, (uint8_t *) "", 1),
			==, -EMSGSIZE);
	g_assert_cmpint(unit_copy_data(u, NULL, UNIT_MAX_BYTES + 1), ==,
			-EMSGSIZE);
	coded_unit_unref(u);
	unit_pool_close(pool);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/unit-pool/steady",
			test_steady_state_allocates_nothing);
	g_test_add_func("/unit-pool/outlive", test_units_outlive_their_pool);
	g_test_add_func("/unit-pool/packet",
			test_a_packet_is_carried_not_copied);
	g_test_add_func("/unit-pool/too-large", test_too_large);
	return g_test_run();
}
