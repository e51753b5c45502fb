// SPDX-License-Identifier: Apache-2.0
#include "media/picture-look.h"

#include <glib.h>
#include <string.h>

#define W 64
#define H 48

static uint8_t luma[W * H];

static void add(struct picture_look *look, uint8_t value, uint8_t corner)
{
	struct picture p = {.width = W, .height = H, .data = {luma},
			    .stride = {W}};

	memset(luma, value, sizeof(luma));
	luma[0] = corner;
	picture_look_add(look, &p);
}

static void test_black(void)
{
	struct picture_look look = {0};

	g_assert_false(picture_look_is_black(&look));
	for (uint8_t i = 0; i < 5; i++)
		add(&look, 16, 17 + i);		/* noise */
	g_assert_true(picture_look_is_black(&look));
	g_assert_false(picture_look_is_frozen(&look));
	add(&look, 100, 100);
	g_assert_false(picture_look_is_black(&look));
}

static void test_frozen(void)
{
	struct picture_look look = {0};

	add(&look, 100, 1);
	g_assert_false(picture_look_is_frozen(&look));
	add(&look, 100, 1);
	add(&look, 100, 1);
	g_assert_true(picture_look_is_frozen(&look));
	add(&look, 100, 2);
	g_assert_false(picture_look_is_frozen(&look));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/picture-look/black", test_black);
	g_test_add_func("/picture-look/frozen", test_frozen);
	return g_test_run();
}
