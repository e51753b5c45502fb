// SPDX-License-Identifier: Apache-2.0
#include "media/audio-level.h"

#include <glib.h>
#include <math.h>

static uint8_t sine_level(double amplitude)
{
	int16_t x[4800];

	for (int i = 0; i < 4800; i++)
		x[i] = (int16_t) lrint(amplitude *
				       sin(2 * M_PI * 440 * i / 48000));
	return audio_level(x, 4800);
}

static void test_known_levels(void)
{
	int16_t square[100], zero[100] = {0};

	for (int i = 0; i < 100; i++)
		square[i] = i % 2 ? 32767 : -32768;
	g_assert_cmpuint(audio_level(square, 100), ==, 0);
	g_assert_cmpuint(audio_level(zero, 100), ==, 127);
	/* A full-scale sine is 3.01 dB below the square wave. */
	g_assert_cmpuint(sine_level(32767), ==, 3);
	g_assert_cmpuint(sine_level(3276.7), ==, 23);
	g_assert_cmpuint(sine_level(1), >, 80);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/audio-level/known", test_known_levels);
	return g_test_run();
}
