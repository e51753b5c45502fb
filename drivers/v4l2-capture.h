/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/v4l2-capture.h - pictures from a V4L2 capture device, never copied
 *
 * Streaming I/O with mmap'd buffers. A dequeued buffer belongs to the caller
 * until v4l2_capture_queue() gives it back, which may happen on any thread:
 * that is how a frame returns to its producer when the last reader lets go.
 * Single- and multi-planar devices look alike here.
 *
 * Source:  Linux media infrastructure userspace API, V4L2 streaming I/O (mmap)
 * Thread:  capture, save where a function says "any"
 * Memory:  owned by its creator; buffers stay mapped until it is freed
 */
#pragma once

#include "drivers/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define V4L2_CAPTURE_BUFFERS_MAX 16
#define V4L2_CAPTURE_PLANES_MAX	 3

struct v4l2_capture;

/* What the caller would like, best first. Width, height and rate are wishes:
 * the driver answers with what it has. */
struct v4l2_format_wish {
	uint32_t fourcc;	/* V4L2_PIX_FMT_... */
	unsigned int width, height;
	unsigned int fps;
};

struct v4l2_format_info {
	uint32_t fourcc;
	unsigned int width, height;	/* pixels */
	unsigned int stride;		/* bytes a line of the first plane */
	unsigned int fps_num, fps_den;	/* 0/1 where the driver won't say */
	bool full_range;		/* quantization as the driver says */
	bool bt709;			/* else BT.601 */
	char driver[32], card[64];
};

struct v4l2_frame {
	unsigned int index;		/* for v4l2_capture_queue() */
	unsigned int n_planes;		/* memory planes */
	const uint8_t *data[V4L2_CAPTURE_PLANES_MAX];
	size_t bytes[V4L2_CAPTURE_PLANES_MAX];	/* used */
	uint32_t sequence;		/* a gap: the driver lost pictures */
	uint64_t capture_us;		/* CLOCK_MONOTONIC, microseconds; not
					 * in the future */
	bool damaged;			/* the driver says so, or it is empty:
					 * do not show */
};

/**
 * v4l2_capture_open() - open a device and agree on a format
 * @path:   a device node or a link to one
 * @wishes: what to ask for, best first; the first the device has exactly (in
 *          fourcc and size) wins, else the nearest in size
 *
 * An HDMI input is set to the signal it receives first.
 *
 * Return: 0; -ENOTSUP: not a capture device with streaming, or none of the
 *         wished formats; -EBUSY: somebody else streams from it; -ENOLINK,
 *         -ENOLCK: an input without a (steady) signal; or the error of open(2)
 *         and of the ioctls.
 */
int v4l2_capture_open(struct v4l2_capture **ret, const char *path,
		      const struct v4l2_format_wish *wishes,
		      unsigned int n_wishes);
/* All frames must have come back. Takes NULL, returns NULL. */
struct v4l2_capture *v4l2_capture_free(struct v4l2_capture *c);

void v4l2_capture_get_format(const struct v4l2_capture *c,
			     struct v4l2_format_info *ret);
unsigned int v4l2_capture_get_n_buffers(const struct v4l2_capture *c);

/* All buffers must be here: at first, or after a stop and the last queue().
 * Return: 0; -ENOSPC: no bandwidth left on its USB bus; other errno. */
int v4l2_capture_start(struct v4l2_capture *c);
/* Buffers still out stay valid; queueing them then does nothing. */
void v4l2_capture_stop(struct v4l2_capture *c);

/* For poll(): what to wait for before the next dequeue(), which also says what
 * an error there means. */
int v4l2_capture_get_fd(const struct v4l2_capture *c);
short v4l2_capture_get_events(const struct v4l2_capture *c);

/**
 * v4l2_capture_dequeue() - take a filled buffer; does not block
 *
 * Return: 0, -EAGAIN (none yet), -ENODEV (unplugged), -EPIPE (the signal's
 *         format changed: open again), other errno for a broken stream.
 */
int v4l2_capture_dequeue(struct v4l2_capture *c, struct v4l2_frame *ret);

/* Gives a buffer back to the driver. Any thread. Errors (the device is gone)
 * show at the next dequeue. */
void v4l2_capture_queue(struct v4l2_capture *c, unsigned int index);

/* Asks an encoding camera for a keyframe. Return: 0 or -ENOTSUP. Any thread */
int v4l2_capture_force_keyframe(struct v4l2_capture *c);
/* Sets an encoding camera's bit rate. Return: 0 or -ENOTSUP. Any thread. */
int v4l2_capture_set_bitrate(struct v4l2_capture *c, unsigned int bps);

/* The first capture device of the machine, in device_list()'s order. Opens
 * those before it, and may block. Return: 0 or -ENODEV. Any thread. */
int v4l2_find_camera(struct device *ret);

/**
 * v4l2_resolve() - the camera that a configuration means
 * @word: a path, or what device_match() takes
 * @ret:  its node, and what is known of it; of a path that leads nowhere
 *	  nothing
 * @why:  on failure a sentence
 *
 * May block. Return: 0, -ENODEV, -ENOTUNIQ, -ENOMEM. Any thread.
 */
int v4l2_resolve(const char *word, struct device *ret, char *why,
		 size_t why_size);

#define V4L2_CAMERA_FORMATS_MAX 8

struct v4l2_camera {
	struct device device;
	char name[DEVICE_ID_BYTES];	/* device_get_lasting_name() */
	char card[64];			/* as the driver names it */
	unsigned int n_formats;
	struct {
		uint32_t fourcc;
		unsigned int width, height;	/* the largest; 0: not told */
	} formats[V4L2_CAMERA_FORMATS_MAX];
};

/* Calls @found for each capture device of the machine, in device_list()'s
 * order. Opens them for it, and may block. Any thread. */
void v4l2_list_cameras(void (*found)(void *user, const struct v4l2_camera *c),
		       void *user);
