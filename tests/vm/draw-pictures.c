// SPDX-License-Identifier: Apache-2.0
/* tests/vm/draw-pictures.c - the test picture as raw video, as fast as it goes
 *
 *   draw-pictures WIDTH HEIGHT FPS N >pictures.y4m
 *
 * What a camera made of software shows: the barcode in it counts from 0. Time
 * here jumps from frame to frame, so that N frames take no longer than drawing
 * them does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "media/video-source.h"

#define START_US UINT64_C(1000000)

static uint64_t get_now(void *user)
{
	return *(uint64_t *) user;
}

static int jump(void *user, struct pollfd *fds, unsigned int n_fds,
		uint64_t deadline_us)
{
	uint64_t *now = user;

	if (deadline_us != MEDIA_NO_DEADLINE && deadline_us > *now)
		*now = deadline_us;
	return 0;
}

static void write_plane(const struct picture *p, unsigned int plane)
{
	unsigned int shift = plane > 0;

	for (unsigned int y = 0; y < p->height >> shift; y++)
		fwrite(p->data[plane] + (size_t) y * (size_t) p->stride[plane],
		       1, p->width >> shift, stdout);
}

int main(int argc, char *argv[])
{
	uint64_t now = START_US;
	struct media_clock clock = { get_now, get_now, jump, &now };
	struct media_count count = { 0 };
	struct video_source_config config = {
		.clock = &clock,
		.count = &count,
		.wake_fd = -1,
	};
	struct video_source *source;
	char why[128];
	int left;

	if (argc != 5) {
		fprintf(stderr, "usage: draw-pictures WIDTH HEIGHT FPS N\n");
		return 2;
	}
	config.width = (unsigned int) atoi(argv[1]);
	config.height = (unsigned int) atoi(argv[2]);
	config.fps = (unsigned int) atoi(argv[3]);
	if (source_test_ops.open(&source, &config, why, sizeof(why)) < 0) {
		fprintf(stderr, "draw-pictures: %s\n", why);
		return 1;
	}
	printf("YUV4MPEG2 W%u H%u F%u:1 Ip A1:1 C420jpeg\n", source->width,
	       source->height, source->fps);
	for (left = atoi(argv[4]); left > 0;) {
		struct video_source_wait wait;
		struct video_sample sample;

		source_test_ops.wait(source, &wait);
		clock.wait(clock.user, NULL, 0, wait.deadline_us);
		if (source_test_ops.take(source, &sample) != 0)
			continue;
		printf("FRAME\n");
		for (unsigned int i = 0; i < 3; i++)
			write_plane(sample.picture, i);
		picture_unref(sample.picture);
		left--;
	}
	source_test_ops.close(source);
	return fflush(stdout) || ferror(stdout);
}
