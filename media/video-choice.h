/* SPDX-License-Identifier: Apache-2.0 */
/* media/video-choice.h - which picture source, and what is wanted of it
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  borrowed strings, unless a function says "copy"
 */
#pragma once

#include "media/video-source.h"

struct video_choice {
	/* "auto"		the first camera, else the test picture
	 * "test"		the moving test picture with its barcode
	 * "test-screen"	the same on a desktop's colours
	 * "v4l2:WORD"		a camera: its path, identity, or a part of its
	 *			name (drivers/device.h)
	 * "file:PATH"		whatever libavformat reads, looped; also a FIFO
	 * "h264:PATH"		an Annex B elementary stream, passed through
	 * NULL			none: no device is open and nothing flows
	 */
	const char *source;
	unsigned int width, height; /* pixels; wanted, a camera may differ */
	unsigned int fps;	    /* frames per second; wanted */
};

/* Return: NULL if the choice can work, else a sentence that says what is wrong
 * and what would be right; free() it. */
char *video_choice_find_fault(const struct video_choice *choice);

/* Is it a FIFO? To be opened by who stays: its writer sees readers come and
 * go. */
bool video_choice_is_fifo(const struct video_choice *choice);

/**
 * video_choice_try() - can this source be opened now? May block
 * @ret_error: on failure a sentence that says what is wrong; free() it
 *
 * Opens it and closes it again; a FIFO is believed. Return: 0, -EINVAL for a
 * choice that can never work, or what the device said: -EBUSY when somebody
 * streams from it, which may be a pipeline of our own.
 */
int video_choice_try(const struct video_choice *choice, char **ret_error);

bool video_choice_is_equal(const struct video_choice *a,
			   const struct video_choice *b);
/* A copy and its kind; done() lets go of it, and may be called twice.
 * Return: 0 or -ENOMEM. */
struct video_choice_copy {
	struct video_choice choice;
	char *spec;
	const struct video_source_ops *ops; /* NULL: no source */
	const char *path;		    /* in spec, or NULL */
};
int video_choice_copy(struct video_choice_copy *ret,
		      const struct video_choice *choice);
void video_choice_copy_done(struct video_choice_copy *c);
