/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/v4l2-format.h - what a driver's answers about a format mean
 *
 * Pure: no descriptor, no ioctl. Single- and multi-planar answers, and the
 * colour rules of the V4L2 documentation, end here.
 *
 * Source:  Linux media infrastructure userspace API, "Image Formats" and
 *          "Colorspaces"
 * Thread:  any
 * Memory:  the caller's
 */
#pragma once

#include <linux/videodev2.h>

#include "drivers/v4l2-capture.h"

/* The question for one wish, @type being that of the device's capture queue. */
void v4l2_format_ask(const struct v4l2_format_wish *wish, uint32_t type,
		     struct v4l2_format *ret);

/* Writes the format's part of @ret (not rate, driver and card). */
void v4l2_format_read(const struct v4l2_format *f,
		      struct v4l2_format_info *ret);

/**
 * v4l2_format_distance() - how far an answer is from the wish
 *
 * Return: 0: met to the pixel; more: further off; UINT64_MAX: another fourcc,
 *         or fields instead of frames, which is of no use at all.
 */
uint64_t v4l2_format_distance(const struct v4l2_format_wish *wish,
			      const struct v4l2_format *answer);

/**
 * v4l2_format_locate() - the used bytes of a dequeued buffer's memory planes
 * @b:       as dequeued; for multi-planar devices b->m.planes is set
 * @n:       memory planes of the format, at most V4L2_CAPTURE_PLANES_MAX
 * @mapped:  bytes mapped, per plane
 * @ret_at:  where the plane's data begins, in bytes from the mapping's start
 * @ret_len: bytes
 *
 * A driver's word is checked like anybody's. Return: 0, or -EBADMSG if it
 * speaks of bytes that are not there; the outputs are then untouched.
 */
int v4l2_format_locate(const struct v4l2_buffer *b, unsigned int n,
		       const size_t *mapped, size_t *ret_at, size_t *ret_len);
