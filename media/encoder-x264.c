// SPDX-License-Identifier: Apache-2.0
/* media/encoder-x264.c - H.264 constrained baseline by libx264, through
 * libavcodec
 *
 * Annex B; parameter sets stand in front of each IDR, for whoever joins there;
 * no B pictures, one slice, one thread. The rate is bounded by a buffer of
 * 300 ms from the first moment: opened without it, the wrapper ignores every
 * later bit rate. The same buffer bounds the keyframe.
 *
 * What the library copies: libx264 copies the picture into its own padded
 * frame before it returns, and the wrapper the coded bytes into the packet
 * that the unit then carries.
 */
#include "media/encoder.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdlib.h>

#define VBV_MS	      300
#define VBV_MIN_BITS  64000
#define SUPERFAST_MAX (1280u * 720u * 30u) /* pixels a second */
#define NO_LOG	      64 /* added to each message's level: none is shown */

struct encoder_x264 {
	struct encoder base;
	AVCodecContext *ctx;
	AVFrame *frame;
	AVPacket *packet;
	int64_t n_frames;
};

static struct encoder_x264 *to_x264(struct encoder *e)
{
	return (struct encoder_x264 *) e;
}

static int to_errno(int averror)
{
	if (averror == AVERROR_EOF || averror == AVERROR_UNKNOWN ||
	    averror == AVERROR_EXTERNAL || averror == AVERROR_INVALIDDATA)
		return -EIO;
	return averror;
}

/* The lowest level of H.264 table A-1 that holds size and rate; 3.1, which
 * every browser offers, is the least we say. */
static int level_for(unsigned int width, unsigned int height, unsigned int fps)
{
	static const struct {
		int level;
		unsigned int blocks, blocks_per_s;
	} levels[] = {
		{31, 3600, 108000},   {32, 5120, 216000},  {40, 8192, 245760},
		{42, 8704, 522240},   {50, 22080, 589824}, {51, 36864, 983040},
		{52, 36864, 2073600},
	};
	unsigned int blocks = (width + 15) / 16 * ((height + 15) / 16);
	unsigned int i = 0;

	while (i + 1 < sizeof(levels) / sizeof(levels[0]) &&
	       (blocks > levels[i].blocks ||
		blocks * fps > levels[i].blocks_per_s))
		i++;
	return levels[i].level;
}

static void set_rate(AVCodecContext *ctx, unsigned int bps)
{
	int64_t vbv = (int64_t) bps * VBV_MS / 1000;

	ctx->bit_rate = bps;
	ctx->rc_max_rate = bps;
	ctx->rc_buffer_size = (int) (vbv < VBV_MIN_BITS ? VBV_MIN_BITS : vbv);
}

static struct encoder *x264_close(struct encoder *e)
{
	struct encoder_x264 *x = to_x264(e);

	if (!x)
		return NULL;
	avcodec_free_context(&x->ctx);
	av_frame_free(&x->frame);
	av_packet_free(&x->packet);
	free(x);
	return NULL;
}

static int configure(struct encoder_x264 *x)
{
	const struct encoder_config *c = &x->base.config;
	const char *preset =
		(uint64_t) c->width * c->height * c->fps > SUPERFAST_MAX
			? "ultrafast"
			: "superfast";
	AVCodecContext *ctx = x->ctx;

	ctx->width = (int) c->width;
	ctx->height = (int) c->height;
	switch (c->format) {
	case PICTURE_I420:
		ctx->pix_fmt = AV_PIX_FMT_YUV420P;
		break;
	case PICTURE_NV12:
		ctx->pix_fmt = AV_PIX_FMT_NV12;
		break;
	}
	ctx->time_base = (AVRational){1, (int) c->fps};
	ctx->framerate = (AVRational){(int) c->fps, 1};
	ctx->thread_count = 1;
	ctx->slices = 1;
	ctx->max_b_frames = 0;
	ctx->level = level_for(c->width, c->height, c->fps);
	/* Keyframes are the authority's decision. */
	ctx->gop_size = INT_MAX;
	ctx->log_level_offset = NO_LOG;
	set_rate(ctx, c->bitrate_bps);

	if (av_opt_set(ctx->priv_data, "preset", preset, 0) < 0 ||
	    av_opt_set(ctx->priv_data, "tune", "zerolatency", 0) < 0 ||
	    av_opt_set(ctx->priv_data, "profile", "baseline", 0) < 0 ||
	    av_opt_set_int(ctx->priv_data, "forced-idr", 1, 0) < 0 ||
	    av_opt_set(ctx->priv_data, "x264-params",
		       "keyint=infinite:scenecut=0:sliced-threads=0:"
		       "repeat-headers=1:annexb=1",
		       0) < 0)
		return -ENOTSUP;
	return 0;
}

static int x264_open(struct encoder **ret, const struct encoder_config *config)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	struct encoder_x264 *x;
	int r;

	if (!codec)
		return -ENOTSUP;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->base.ops = &encoder_x264_ops;
	x->base.config = *config;
	x->ctx = avcodec_alloc_context3(codec);
	x->frame = av_frame_alloc();
	x->packet = av_packet_alloc();
	if (!x->ctx || !x->frame || !x->packet) {
		x264_close(&x->base);
		return -ENOMEM;
	}
	r = configure(x);
	if (r == 0)
		r = to_errno(avcodec_open2(x->ctx, codec, NULL));
	if (r < 0) {
		x264_close(&x->base);
		return r;
	}
	*ret = &x->base;
	return 0;
}

/* The frame borrows the picture's buffer for the call: the encoder holds a
 * reference of its own only until it has copied the pixels. */
static int send_picture(struct encoder_x264 *x, const struct picture *p,
			bool keyframe)
{
	AVFrame *f = x->frame;
	int r;

	f->format = x->ctx->pix_fmt;
	f->width = (int) p->width;
	f->height = (int) p->height;
	for (unsigned int i = 0; i < 3; i++) {
		f->data[i] = p->data[i];
		f->linesize[i] = p->stride[i];
	}
	f->buf[0] = p->lav;
	f->pts = x->n_frames++;
	f->pict_type = keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;

	r = avcodec_send_frame(x->ctx, f);
	f->buf[0] = NULL;
	return r;
}

static int x264_encode(struct encoder *e, const struct picture_frame *frame,
		       bool keyframe, struct coded_unit **ret)
{
	struct encoder_x264 *x = to_x264(e);
	struct coded_unit *u;
	int r;

	u = unit_pool_get(e->config.units);
	if (!u)
		return -ENOBUFS;

	r = send_picture(x, frame->picture, keyframe);
	if (r >= 0)
		r = avcodec_receive_packet(x->ctx, x->packet);
	if (r < 0) {
		coded_unit_unref(u);
		return r == AVERROR(EAGAIN) ? ENCODER_SKIPPED : to_errno(r);
	}

	u->keyframe = x->packet->flags & AV_PKT_FLAG_KEY;
	u->capture_us = frame->capture_us;
	r = unit_take_packet(u, x->packet);
	if (r < 0) {
		av_packet_unref(x->packet);
		coded_unit_unref(u);
		return r;
	}
	*ret = u;
	return ENCODER_UNIT;
}

static int x264_set_bitrate(struct encoder *e, unsigned int bps)
{
	struct encoder_x264 *x = to_x264(e);

	e->config.bitrate_bps = bps;
	set_rate(x->ctx, bps); /* seen by the wrapper at the next picture */
	return 0;
}

const struct encoder_ops encoder_x264_ops = {
	.name = "libx264",
	.codec = MEDIA_CODEC_H264,
	.formats = 1u << PICTURE_I420 | 1u << PICTURE_NV12,
	.open = x264_open,
	.encode = x264_encode,
	.set_bitrate = x264_set_bitrate,
	.close = x264_close,
};
