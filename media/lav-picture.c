// SPDX-License-Identifier: Apache-2.0
#include "media/lav-picture.h"

#include <errno.h>
#include <libavutil/frame.h>
#include <pthread.h>
#include <stdlib.h>

#define N_PICTURES 8 /* as the test picture's buffers */

struct lav_pictures {
	pthread_mutex_t lock;
	struct media_count *count;
	struct picture_pool *pool; /* of the last converted shape */
	unsigned int n_free;
	bool closed;
	struct picture *free[N_PICTURES];
	struct picture shells[N_PICTURES];
	AVFrame *frames[N_PICTURES]; /* what each shell carries */
};

static void destroy(struct lav_pictures *l)
{
	for (unsigned int i = 0; i < N_PICTURES; i++)
		av_frame_free(&l->frames[i]);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void take_back(struct picture *p)
{
	struct lav_pictures *l = p->owner;
	bool last;

	av_frame_unref(l->frames[p->index]);
	pthread_mutex_lock(&l->lock);
	l->free[l->n_free++] = p;
	last = l->closed && l->n_free == N_PICTURES;
	pthread_mutex_unlock(&l->lock);

	if (last)
		destroy(l);
}

int lav_pictures_new(struct lav_pictures **ret, struct media_count *count)
{
	struct lav_pictures *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	pthread_mutex_init(&l->lock, NULL);
	l->count = count;
	for (unsigned int i = 0; i < N_PICTURES; i++) {
		l->shells[i].index = i;
		l->shells[i].owner = l;
		l->shells[i].release = take_back;
		l->free[i] = &l->shells[i];
		l->frames[i] = av_frame_alloc();
		if (!l->frames[i]) {
			destroy(l);
			return -ENOMEM;
		}
	}
	l->n_free = N_PICTURES;
	*ret = l;
	return 0;
}

struct lav_pictures *lav_pictures_close(struct lav_pictures *l)
{
	bool last;

	if (!l)
		return NULL;
	l->pool = picture_pool_close(l->pool);
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	last = l->n_free == N_PICTURES;
	pthread_mutex_unlock(&l->lock);

	if (last)
		destroy(l);
	return NULL;
}

/* Return: false for a pixel format that is not ours to read. */
static bool view_frame(const AVFrame *f, struct picture_view *ret)
{
	struct picture_view v = {
		.width = (unsigned int) f->width,
		.height = (unsigned int) f->height,
		.full_range = f->color_range == AVCOL_RANGE_JPEG,
	};

	switch ((enum AVPixelFormat) f->format) {
	case AV_PIX_FMT_YUVJ420P:
		v.full_range = true;
		v.layout = PIXELS_I420;
		break;
	case AV_PIX_FMT_YUV420P:
		v.layout = PIXELS_I420;
		break;
	case AV_PIX_FMT_YUVJ422P:
		v.full_range = true;
		v.layout = PIXELS_I422;
		break;
	case AV_PIX_FMT_YUV422P:
		v.layout = PIXELS_I422;
		break;
	case AV_PIX_FMT_YUVJ444P:
		v.full_range = true;
		v.layout = PIXELS_I444;
		break;
	case AV_PIX_FMT_YUV444P:
		v.layout = PIXELS_I444;
		break;
	case AV_PIX_FMT_GRAY8:
		v.layout = PIXELS_GREY;
		break;
	case AV_PIX_FMT_NV12:
		v.layout = PIXELS_NV12;
		break;
	case AV_PIX_FMT_YUYV422:
		v.layout = PIXELS_YUYV;
		break;
	case AV_PIX_FMT_RGB24:
		v.layout = PIXELS_RGB24;
		break;
	case AV_PIX_FMT_BGRA:
	case AV_PIX_FMT_BGR0:
		v.layout = PIXELS_BGRA;
		break;
	default: /* the library knows 200; these are what sources give */
		return false;
	}
	for (unsigned int i = 0; i < 3; i++) {
		v.data[i] = f->data[i];
		v.stride[i] = f->linesize[i];
	}
	*ret = v;
	return true;
}

static bool is_usable_size(const struct picture_view *v)
{
	return v->width >= PICTURE_MIN_SIDE && v->width <= PICTURE_MAX_SIDE &&
	       v->height >= PICTURE_MIN_SIDE && v->height <= PICTURE_MAX_SIDE;
}

static bool fits_encoders(const struct picture_view *v)
{
	return v->layout == PIXELS_I420 && !v->full_range &&
	       v->width % 2 == 0 && v->height % 2 == 0 && v->stride[0] > 0;
}

static int carry(struct lav_pictures *l, AVFrame *frame, struct picture **ret)
{
	struct picture *p = NULL;

	pthread_mutex_lock(&l->lock);
	if (l->n_free > 0)
		p = l->free[--l->n_free];
	pthread_mutex_unlock(&l->lock);
	if (!p)
		return -ENOBUFS;

	av_frame_move_ref(l->frames[p->index], frame);
	frame = l->frames[p->index];
	p->format = PICTURE_I420;
	p->width = (unsigned int) frame->width;
	p->height = (unsigned int) frame->height;
	for (unsigned int i = 0; i < 3; i++) {
		p->data[i] = frame->data[i];
		p->stride[i] = frame->linesize[i];
	}
	p->lav = frame->buf[0];
	atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
	*ret = p;
	return 0;
}

int lav_pictures_convert(struct lav_pictures *l,
			 const struct picture_view *view, struct picture **ret)
{
	unsigned int width = view->width & ~1u, height = view->height & ~1u;
	struct picture *p = NULL;
	int r;

	if (!is_usable_size(view))
		return -ENOTSUP;
	for (unsigned int i = 0; i < 2 && !p; i++) {
		if (!l->pool) {
			r = picture_pool_new(&l->pool, l->count, N_PICTURES,
					     PICTURE_I420, width, height);
			if (r < 0)
				return r;
		}
		p = picture_pool_get(l->pool);
		if (!p)
			return -ENOBUFS;
		if (p->width != width || p->height != height) {
			p = picture_unref(p);
			l->pool = picture_pool_close(l->pool);
		}
	}
	picture_convert(p, view, l->count);
	*ret = p;
	return 0;
}

int lav_pictures_take(struct lav_pictures *l, struct AVFrame *frame,
		      struct picture **ret)
{
	struct picture_view view;
	int r;

	if (!view_frame(frame, &view) || !is_usable_size(&view))
		r = -ENOTSUP;
	else if (fits_encoders(&view))
		r = carry(l, frame, ret);
	else
		r = lav_pictures_convert(l, &view, ret);
	av_frame_unref(frame);
	return r;
}
