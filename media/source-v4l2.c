// SPDX-License-Identifier: Apache-2.0
/* media/source-v4l2.c - a camera as a source of pictures
 *
 *   YU12, NV12 -------------------------------> picture (the kernel's buffer)
 *   YUYV ------------ one conversion ---------> picture (ours)
 *   MJPG -- decode -- one conversion (range) -> picture (ours)
 *   H264 -------------------------------------> coded unit, or decoded like
 *                                               MJPG when pictures are needed
 *
 * Each kernel buffer has one picture for its whole life; the picture's last
 * unref queues the buffer to the driver again. The device is closed when the
 * source is closed and the last such picture is back.
 */
#include "media/h264-units.h"
#include "media/lav-picture.h"
#include "media/video-source.h"

#include "drivers/v4l2-capture.h"

#include <assert.h>
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LOG	       64

/* What source and pictures share: goes with the last of them. */
struct camera {
	atomic_uint refs;
	struct v4l2_capture *capture;
	struct picture pictures[V4L2_CAPTURE_BUFFERS_MAX];
};

struct source_v4l2 {
	struct video_source base;
	const struct media_clock *clock;
	struct camera *camera;
	struct device device;
	struct v4l2_format_info format;
	struct lav_pictures *pictures;
	struct unit_pool *units;
	struct h264_units h264;
	AVCodecContext *decoder; /* MJPG and H264 alone */
	AVPacket *packet;
	AVFrame *frame;
	uint32_t next_sequence;
	bool has_sequence;
	unsigned int n_missed;
};

static struct source_v4l2 *to_v4l2(struct video_source *s)
{
	return (struct source_v4l2 *) s;
}

static void camera_unref(struct camera *c)
{
	if (atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	for (unsigned int i = 0; i < V4L2_CAPTURE_BUFFERS_MAX; i++)
		av_buffer_unref(&c->pictures[i].lav);
	v4l2_capture_free(c->capture);
	free(c);
}

static void queue_back(struct picture *p)
{
	struct camera *c = p->owner;

	v4l2_capture_queue(c->capture, p->index);
	camera_unref(c);
}

/* The kernel owns the pixels. */
static void keep_pixels(void *opaque, uint8_t *data)
{
}

static struct video_source *v4l2_close(struct video_source *s)
{
	struct source_v4l2 *v = to_v4l2(s);

	if (!v)
		return NULL;
	avcodec_free_context(&v->decoder);
	av_packet_free(&v->packet);
	av_frame_free(&v->frame);
	lav_pictures_close(v->pictures);
	if (v->camera) {
		if (v->camera->capture)
			v4l2_capture_stop(v->camera->capture);
		camera_unref(v->camera);
	}
	free(v);
	return NULL;
}

static unsigned int rate_of(const struct v4l2_format_info *f)
{
	if (f->fps_num == 0 || f->fps_den == 0)
		return 0;
	return (f->fps_num + f->fps_den / 2) / f->fps_den;
}

static int open_wishes(struct source_v4l2 *v,
		       const struct video_source_config *config,
		       const uint32_t *fourccs, unsigned int n)
{
	struct v4l2_format_wish wishes[8];
	int r;

	assert(n <= sizeof(wishes) / sizeof(wishes[0]));
	for (unsigned int i = 0; i < n; i++)
		wishes[i] = (struct v4l2_format_wish){
			.fourcc = fourccs[i],
			.width = config->width,
			.height = config->height,
			.fps = config->fps,
		};
	v->camera->capture = v4l2_capture_free(v->camera->capture);
	/* A path that leads nowhere: open(2) says so. */
	r = v4l2_capture_open(&v->camera->capture, *v->device.node
						   ? v->device.node
						   : config->path, wishes, n);
	if (r == 0)
		v4l2_capture_get_format(v->camera->capture, &v->format);
	return r;
}

/* What the encoders eat, first; but a cable too slow for raw pictures at the
 * wanted rate often carries JPEG at it. */
static int choose_format(struct source_v4l2 *v,
			 const struct video_source_config *config)
{
	static const uint32_t coded[] = {
		V4L2_PIX_FMT_H264, V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12,
		V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG,	V4L2_PIX_FMT_JPEG,
	};
	static const uint32_t pixels[] = {
		V4L2_PIX_FMT_YUV420, V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUYV,
		V4L2_PIX_FMT_MJPEG,  V4L2_PIX_FMT_JPEG, V4L2_PIX_FMT_H264,
	};
	static const uint32_t jpeg[] = {V4L2_PIX_FMT_MJPEG};
	struct v4l2_format_info first;
	int r = open_wishes(v, config, config->coded_wanted ? coded : pixels,
			    6);

	if (r < 0)
		return r;
	first = v->format;
	if (first.fourcc == V4L2_PIX_FMT_H264 ||
	    first.fourcc == V4L2_PIX_FMT_MJPEG || rate_of(&first) == 0 ||
	    rate_of(&first) * 4 >= config->fps * 3)
		return 0;

	r = open_wishes(v, config, jpeg, 1);
	if (r == 0 && rate_of(&v->format) > rate_of(&first))
		return 0;
	return open_wishes(v, config, &first.fourcc, 1);
}

static int open_decoder(struct source_v4l2 *v)
{
	enum AVCodecID id = v->format.fourcc == V4L2_PIX_FMT_H264
				    ? AV_CODEC_ID_H264
				    : AV_CODEC_ID_MJPEG;
	const AVCodec *codec = avcodec_find_decoder(id);

	if (!codec)
		return -ENOTSUP;
	v->decoder = avcodec_alloc_context3(codec);
	v->packet = av_packet_alloc();
	v->frame = av_frame_alloc();
	if (!v->decoder || !v->packet || !v->frame)
		return -ENOMEM;
	v->decoder->thread_count = 1;
	v->decoder->flags |= AV_CODEC_FLAG_LOW_DELAY;
	v->decoder->log_level_offset = NO_LOG;
	return avcodec_open2(v->decoder, codec, NULL) < 0 ? -EIO : 0;
}

static void describe(struct source_v4l2 *v,
		     const struct video_source_config *config)
{
	const struct v4l2_format_info *f = &v->format;
	unsigned int fps = rate_of(f);

	v->base.width = f->width & ~1u;
	v->base.height = f->height & ~1u;
	v->base.fps = fps ? fps : config->fps;
	v->base.coded = f->fourcc == V4L2_PIX_FMT_H264 && config->coded_wanted;
	v->base.switchable = true;
	snprintf(v->base.node, sizeof(v->base.node), "%s", v->device.node);
	snprintf(v->base.detail, sizeof(v->base.detail),
		 "v4l2:%.120s %c%c%c%c %ux%u@%u", config->path,
		 (char) (f->fourcc & 0x7f), (char) (f->fourcc >> 8 & 0x7f),
		 (char) (f->fourcc >> 16 & 0x7f),
		 (char) (f->fourcc >> 24 & 0x7f), f->width, f->height,
		 v->base.fps);
}

static int set_up(struct source_v4l2 *v,
		  const struct video_source_config *config)
{
	int r;

	v->camera = calloc(1, sizeof(*v->camera));
	if (!v->camera)
		return -ENOMEM;
	atomic_store(&v->camera->refs, 1);
	r = choose_format(v, config);
	if (r < 0)
		return r;
	describe(v, config);
	r = lav_pictures_new(&v->pictures, config->count);
	if (r == 0 && !v->base.coded &&
	    (v->format.fourcc == V4L2_PIX_FMT_H264 ||
	     v->format.fourcc == V4L2_PIX_FMT_MJPEG ||
	     v->format.fourcc == V4L2_PIX_FMT_JPEG))
		r = open_decoder(v);
	if (r == 0)
		r = v4l2_capture_start(v->camera->capture);
	return r;
}

static int v4l2_open(struct video_source **ret,
		     const struct video_source_config *config, char *why,
		     size_t why_size)
{
	struct source_v4l2 *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	r = v4l2_resolve(config->path, &v->device, why, why_size);
	if (r < 0) {
		free(v);
		return r;
	}
	v->base.ops = &source_v4l2_ops;
	v->clock = config->clock;
	v->units = config->units;
	h264_units_init(&v->h264);
	r = set_up(v, config);
	if (r < 0) {
		const char *reason = strerror(-r);

		if (r == -ENOTSUP)
			reason = "it offers no format we can use";
		else if (r == -ENOSPC)
			reason = "its USB bus has no bandwidth left";
		else if (r == -ENOLINK || r == -ENOLCK)
			reason = "it receives no signal";
		snprintf(why, why_size, "camera '%.160s': %s", config->path,
			 reason);
		v4l2_close(&v->base);
		return r;
	}
	*ret = &v->base;
	return 0;
}

static void v4l2_wait(struct video_source *s, struct video_source_wait *ret)
{
	*ret = (struct video_source_wait){
		.fd = v4l2_capture_get_fd(to_v4l2(s)->camera->capture),
		.events = v4l2_capture_get_events(to_v4l2(s)->camera->capture),
		.deadline_us = MEDIA_NO_DEADLINE,
	};
}

/* Where the planes of a raw frame are. Return: false if it is too short. */
static bool view_frame(const struct source_v4l2 *v, const struct v4l2_frame *f,
		       struct picture_view *ret)
{
	const struct v4l2_format_info *i = &v->format;
	size_t y_bytes = (size_t) i->stride * i->height;
	size_t need = y_bytes;
	struct picture_view view = {
		.width = i->width,
		.height = i->height,
		.full_range = i->full_range,
		.data = {f->data[0]},
		.stride = {(int) i->stride},
	};

	if (i->fourcc == V4L2_PIX_FMT_YUYV) {
		view.layout = PIXELS_YUYV;
	} else if (i->fourcc == V4L2_PIX_FMT_NV12) {
		view.layout = PIXELS_NV12;
		view.stride[1] = (int) i->stride;
		view.data[1] =
			f->n_planes > 1 ? f->data[1] : f->data[0] + y_bytes;
		if (f->n_planes == 1)
			need += y_bytes / 2;
		else if (f->bytes[1] < y_bytes / 2)
			return false;
	} else {
		view.layout = PIXELS_I420;
		view.stride[1] = view.stride[2] = (int) i->stride / 2;
		view.data[1] =
			f->n_planes > 2 ? f->data[1] : f->data[0] + y_bytes;
		view.data[2] = f->n_planes > 2 ? f->data[2]
					       : view.data[1] + y_bytes / 4;
		if (f->n_planes == 1)
			need += y_bytes / 2;
		else if (f->n_planes < 3 || f->bytes[1] < y_bytes / 4 ||
			 f->bytes[2] < y_bytes / 4)
			return false;
	}
	if (f->bytes[0] < need)
		return false;
	*ret = view;
	return true;
}

/* The kernel's buffer itself becomes the picture. */
static int wrap_frame(struct source_v4l2 *v, const struct v4l2_frame *f,
		      const struct picture_view *view, struct picture **ret)
{
	struct picture *p = &v->camera->pictures[f->index];

	if (!p->lav) {
		p->lav = av_buffer_create((uint8_t *) (uintptr_t) f->data[0],
					  f->bytes[0], keep_pixels, NULL,
					  AV_BUFFER_FLAG_READONLY);
		if (!p->lav)
			return -ENOMEM;
		p->index = f->index;
		p->owner = v->camera;
		p->release = queue_back;
	}
	p->format = view->layout == PIXELS_NV12 ? PICTURE_NV12 : PICTURE_I420;
	p->width = view->width;
	p->height = view->height;
	for (unsigned int i = 0; i < 3; i++) {
		p->data[i] = (uint8_t *) (uintptr_t) view->data[i];
		p->stride[i] = view->stride[i];
	}
	atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
	atomic_fetch_add(&v->camera->refs, 1);
	*ret = p;
	return 0;
}

/* Return: 0; 1: the decoder wants more; a negative errno */
static int decode_frame(struct source_v4l2 *v, const struct v4l2_frame *f,
			struct picture **ret)
{
	int r;

	if (f->bytes[0] > UNIT_MAX_BYTES)
		return -EMSGSIZE;
	/* The decoder reads a few bytes beyond the end; the kernel's buffer
	 * may end there. Coded bytes are few. */
	r = av_new_packet(v->packet, (int) f->bytes[0]);
	if (r < 0)
		return -ENOMEM;
	memcpy(v->packet->data, f->data[0], f->bytes[0]);
	r = avcodec_send_packet(v->decoder, v->packet);
	av_packet_unref(v->packet);
	if (r >= 0)
		r = avcodec_receive_frame(v->decoder, v->frame);
	if (r == AVERROR(EAGAIN))
		return 1;
	if (r < 0)
		return -EBADMSG;
	return lav_pictures_take(v->pictures, v->frame, ret);
}

/* Return: 0 with *ret filled; 1 or a negative errno: this frame is lost. Sets
 * @keep if the buffer is not to be queued again yet. */
static int use_frame(struct source_v4l2 *v, const struct v4l2_frame *f,
		     struct video_sample *ret, bool *keep)
{
	struct picture_view view;
	int r;

	if (v->base.coded) {
		r = h264_units_make(&v->h264, v->units, f->data[0], f->bytes[0],
				    f->capture_us, &ret->unit);
		if (r < 0)
			h264_units_break(&v->h264);
		return r;
	}
	if (v->decoder)
		return decode_frame(v, f, &ret->picture);
	if (!view_frame(v, f, &view))
		return -EBADMSG;
	if (view.layout == PIXELS_YUYV ||
	    (view.layout == PIXELS_I420 && view.full_range) || view.width % 2 ||
	    view.height % 2)
		return lav_pictures_convert(v->pictures, &view, &ret->picture);
	r = wrap_frame(v, f, &view, &ret->picture);
	*keep = r == 0;
	return r;
}

static void count_sequence(struct source_v4l2 *v, uint32_t sequence)
{
	uint32_t gap = sequence - v->next_sequence;

	if (v->has_sequence && gap > 0 && gap < 1000) {
		v->n_missed += gap;
		h264_units_break(&v->h264);
	}
	v->has_sequence = true;
	v->next_sequence = sequence + 1;
}

static int v4l2_take(struct video_source *s, struct video_sample *ret)
{
	struct source_v4l2 *v = to_v4l2(s);
	struct v4l2_frame frame;
	bool keep = false;
	int r = v4l2_capture_dequeue(v->camera->capture, &frame);
	uint64_t now = media_clock_now_us(v->clock);

	if (r == -EAGAIN)
		return VIDEO_SOURCE_NOTHING;
	if (r < 0)
		return r;

	count_sequence(v, frame.sequence);
	/* Some drivers stamp the end of a frame that is still to come. */
	if (frame.capture_us > now)
		frame.capture_us = now;
	*ret = (struct video_sample){.capture_us = frame.capture_us};
	r = frame.damaged ? -EBADMSG : use_frame(v, &frame, ret, &keep);
	if (!keep)
		v4l2_capture_queue(v->camera->capture, frame.index);
	if (r != 0) {
		/* A damaged or homeless frame: the next one will do. */
		v->n_missed += r < 0;
		return VIDEO_SOURCE_NOTHING;
	}
	ret->n_missed = v->n_missed;
	v->n_missed = 0;
	return VIDEO_SOURCE_SAMPLE;
}

static void v4l2_request_keyframe(struct video_source *s)
{
	struct source_v4l2 *v = to_v4l2(s);

	if (v->base.coded)
		v4l2_capture_force_keyframe(v->camera->capture);
}

static void v4l2_set_bitrate(struct video_source *s, unsigned int bps)
{
	struct source_v4l2 *v = to_v4l2(s);

	if (v->base.coded)
		v4l2_capture_set_bitrate(v->camera->capture, bps);
}

const struct video_source_ops source_v4l2_ops = {
	.name = "v4l2",
	.wants_path = true,
	.is_device = true,
	.open = v4l2_open,
	.wait = v4l2_wait,
	.take = v4l2_take,
	.request_keyframe = v4l2_request_keyframe,
	.set_bitrate = v4l2_set_bitrate,
	.close = v4l2_close,
};

/* The first camera, else the test picture, which stands in for one. What it
 * opens is not "auto" any more. */
static int auto_open(struct video_source **ret,
		     const struct video_source_config *config, char *why,
		     size_t why_size)
{
	struct video_source_config found = *config;
	struct device device;
	int r = v4l2_find_camera(&device);

	if (r == 0) {
		found.path = device.node;
		return source_v4l2_ops.open(ret, &found, why, why_size);
	}
	if (config->device_only) {
		snprintf(why, why_size, "no camera is there");
		return r;
	}
	r = source_test_ops.open(ret, config, why, why_size);
	if (r == 0)
		(*ret)->is_stand_in = true;
	return r;
}

const struct video_source_ops source_auto_ops = {
	.name = "auto",
	.is_device = true,
	.open = auto_open,
};
