/* SPDX-License-Identifier: Apache-2.0 */
/* media/lav-picture.h - what libavcodec decoded, as pictures of ours
 *
 * A frame an encoder can eat is carried along as it is, and goes back to the
 * decoder's pool when the last reader lets go. Any other is converted once.
 *
 * Source:  libavutil/frame.h, libavutil/pixfmt.h
 * Thread:  capture; pictures are let go on any
 * Memory:  lives until it is closed and its last picture is back
 */
#pragma once

#include "media/picture.h"
#include "media/picture-convert.h"

struct AVFrame;
struct lav_pictures;

/* @count outlives the pictures. Return: 0, -ENOMEM */
int lav_pictures_new(struct lav_pictures **ret, struct media_count *count);
struct lav_pictures *lav_pictures_close(struct lav_pictures *l);

/**
 * lav_pictures_take() - make one picture of one decoded frame
 * @frame: taken: blank afterwards, also on failure
 *
 * Return: 0; -ENOBUFS: the readers hold all; -ENOTSUP: a pixel format or size
 *         we cannot use; -ENOMEM.
 */
int lav_pictures_take(struct lav_pictures *l, struct AVFrame *frame,
		      struct picture **ret);

/**
 * lav_pictures_convert() - make one picture of foreign pixels, by a pass
 *
 * Return: as lav_pictures_take().
 */
int lav_pictures_convert(struct lav_pictures *l,
			 const struct picture_view *view, struct picture **ret);
