/* SPDX-License-Identifier: Apache-2.0 */
/* media/file-input.h - decoded frames of a file or FIFO, for ever
 *
 * A file is played again from its start when it ends. A FIFO may have no
 * writer yet: it counts as open, and becomes readable when one writes. While a
 * read waits for a writer, the wake descriptor ends it.
 *
 * Source:  libavformat/avformat.h, libavcodec/avcodec.h
 * Thread:  capture
 * Memory:  owned by its creator
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct AVFrame;
struct AVStream;
struct file_input;

enum file_input_kind {
	FILE_INPUT_VIDEO,
	FILE_INPUT_AUDIO,
};

/* @wake_fd: readable when a read should end; -1 for none. On failure @why says
 * what was wrong. Return: 0 or a negative errno */
int file_input_open(struct file_input **ret, const char *path,
		    enum file_input_kind kind, int wake_fd, char *why,
		    size_t why_size);
struct file_input *file_input_close(struct file_input *f);

/* The descriptor to poll for POLLIN before file_input_read(); -1 when it can
 * be called at once. */
int file_input_get_fd(const struct file_input *f);

enum {
	FILE_INPUT_FRAME = 0,
	FILE_INPUT_FIRST = 1, /* a frame, the first of a round */
};

/**
 * file_input_read() - decode the next frame
 * @frame:      blank; filled
 * @ret_pts_us: its time in the file, microseconds; INT64_MIN if it has none
 *
 * Return: FILE_INPUT_FRAME, FILE_INPUT_FIRST, -EPIPE when the writer of a FIFO
 *         is gone, -EINTR when woken, -ENOTSUP for a file without such a
 *         stream, -EBADMSG for one that cannot be decoded, other errno.
 */
int file_input_read(struct file_input *f, struct AVFrame *frame,
		    int64_t *ret_pts_us);

/* Frames per second of a video, rounded; 0 if unknown. After the first read. */
unsigned int file_input_get_fps(const struct file_input *f);
