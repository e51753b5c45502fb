// SPDX-License-Identifier: Apache-2.0
/* media/encoder-vpx.c - VP8 by libvpx itself
 *
 * libavcodec's wrapper of it ignores bit rates set while running. The settings
 * are those of a real-time sender: no lag, constant rate over one second, a
 * limit to keyframes, pictures dropped rather than sent late. One thread: with
 * two, libvpx spins while it waits, and a busy machine pays for it.
 */
#include "media/encoder.h"

#include <errno.h>
#include <stdlib.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#define CPU_USED	(-8) /* 720p in 8 ms; -6 costs a quarter more */
#define MIN_Q		2
#define MAX_Q		63
#define BUFFER_MS	1000 /* what the receiver is thought to hold */
#define BUFFER_START_MS 500
#define BUFFER_BEST_MS	600
#define DROP_PERCENT	25   /* of the buffer: below it pictures go */
#define KEYFRAME_MAX_MS 300  /* of the target rate, for one keyframe */
#define RAISE_MS	2000 /* this long after a raise no picture goes */
#define FEW_MILLIBITS	25   /* a pixel: 700 kb/s at 720p30 */
#define STILL		1u   /* libvpx's units of change in a block */
#define STILL_AT_FEW	1000u
#define TIMEBASE	90000

struct encoder_vpx {
	struct encoder base;
	vpx_codec_ctx_t ctx;
	vpx_codec_enc_cfg_t cfg;
	uint64_t first_us;
	int64_t last_pts;
	bool any;
	unsigned int n_kept; /* coming pictures, of which none may go */
};

static struct encoder_vpx *to_vpx(struct encoder *e)
{
	return (struct encoder_vpx *) e;
}

static int to_errno(vpx_codec_err_t err)
{
	switch (err) {
	case VPX_CODEC_OK:
		return 0;
	case VPX_CODEC_MEM_ERROR:
		return -ENOMEM;
	case VPX_CODEC_INVALID_PARAM:
	case VPX_CODEC_UNSUP_FEATURE:
		return -EINVAL;
	default: /* a library's enum, open-ended */
		return -EIO;
	}
}

static void configure(struct encoder_vpx *v)
{
	const struct encoder_config *c = &v->base.config;
	vpx_codec_enc_cfg_t *g = &v->cfg;

	g->g_w = c->width;
	g->g_h = c->height;
	g->g_timebase.num = 1;
	g->g_timebase.den = TIMEBASE;
	g->g_threads = 1;
	g->g_lag_in_frames = 0;
	g->g_pass = VPX_RC_ONE_PASS;
	/* Lost packets are sent again or answered by a keyframe, so frames may
	 * depend on each other's entropy state. */
	g->g_error_resilient = 0;
	g->rc_end_usage = VPX_CBR;
	g->rc_target_bitrate = c->bitrate_bps / 1000;
	g->rc_min_quantizer = MIN_Q;
	g->rc_max_quantizer = MAX_Q;
	g->rc_undershoot_pct = 100;
	g->rc_overshoot_pct = 15;
	g->rc_buf_sz = BUFFER_MS;
	g->rc_buf_initial_sz = BUFFER_START_MS;
	g->rc_buf_optimal_sz = BUFFER_BEST_MS;
	g->rc_dropframe_thresh = DROP_PERCENT;
	g->rc_resize_allowed = 0;
	/* Keyframes are the authority's decision. */
	g->kf_mode = VPX_KF_DISABLED;
}

/* With few bits a pixel, noise would eat the frame rate: then blocks that
 * hardly change are left as they are. */
static void set_threshold(struct encoder_vpx *v)
{
	const struct encoder_config *c = &v->base.config;
	uint64_t pixels = (uint64_t) c->width * c->height * c->fps;
	bool few = (uint64_t) c->bitrate_bps * 1000 < pixels * FEW_MILLIBITS;

	vpx_codec_control(&v->ctx, VP8E_SET_STATIC_THRESHOLD,
			  few ? STILL_AT_FEW : STILL);
}

static struct encoder *vpx_close(struct encoder *e)
{
	struct encoder_vpx *v = to_vpx(e);

	if (!v)
		return NULL;
	vpx_codec_destroy(&v->ctx);
	free(v);
	return NULL;
}

static int vpx_open(struct encoder **ret, const struct encoder_config *config)
{
	struct encoder_vpx *v = calloc(1, sizeof(*v));
	vpx_codec_err_t err;
	/* In percent of one frame's share of the rate */
	unsigned int intra_pct = KEYFRAME_MAX_MS * config->fps / 10;

	if (!v)
		return -ENOMEM;
	v->base.ops = &encoder_vpx_ops;
	v->base.config = *config;

	err = vpx_codec_enc_config_default(vpx_codec_vp8_cx(), &v->cfg, 0);
	if (err == VPX_CODEC_OK) {
		configure(v);
		err = vpx_codec_enc_init(&v->ctx, vpx_codec_vp8_cx(), &v->cfg,
					 0);
	}
	if (err != VPX_CODEC_OK) {
		free(v);
		return to_errno(err);
	}

	if (intra_pct < 300)
		intra_pct = 300;
	vpx_codec_control(&v->ctx, VP8E_SET_CPUUSED, CPU_USED);
	set_threshold(v);
	vpx_codec_control(&v->ctx, VP8E_SET_NOISE_SENSITIVITY, 0u);
	vpx_codec_control(&v->ctx, VP8E_SET_TOKEN_PARTITIONS,
			  VP8_ONE_TOKENPARTITION);
	vpx_codec_control(&v->ctx, VP8E_SET_MAX_INTRA_BITRATE_PCT, intra_pct);
	*ret = &v->base;
	return 0;
}

static void set_drops(struct encoder_vpx *v, bool allowed)
{
	v->cfg.rc_dropframe_thresh = allowed ? DROP_PERCENT : 0;
	vpx_codec_enc_config_set(&v->ctx, &v->cfg);
}

static int vpx_encode(struct encoder *e, const struct picture_frame *frame,
		      bool keyframe, struct coded_unit **ret)
{
	struct encoder_vpx *v = to_vpx(e);
	const struct picture *p = frame->picture;
	const vpx_codec_cx_pkt_t *pkt;
	vpx_codec_iter_t iter = NULL;
	vpx_codec_err_t err;
	struct coded_unit *u;
	vpx_image_t image;
	int64_t pts;
	int r = ENCODER_SKIPPED;

	u = unit_pool_get(e->config.units);
	if (!u)
		return -ENOBUFS;
	if (v->n_kept && --v->n_kept == 0)
		set_drops(v, true);

	if (!v->any)
		v->first_us = frame->capture_us;
	pts = (int64_t) ((frame->capture_us - v->first_us) * 9 / 100);
	if (v->any && pts <= v->last_pts)
		pts = v->last_pts + 1;

	vpx_img_wrap(&image, VPX_IMG_FMT_I420, p->width, p->height, 1,
		     p->data[0]);
	for (unsigned int i = 0; i < 3; i++) {
		image.planes[i] = p->data[i];
		image.stride[i] = p->stride[i];
	}
	err = vpx_codec_encode(&v->ctx, &image, pts, TIMEBASE / e->config.fps,
			       keyframe ? VPX_EFLAG_FORCE_KF : 0,
			       VPX_DL_REALTIME);
	if (err != VPX_CODEC_OK) {
		coded_unit_unref(u);
		return to_errno(err);
	}
	v->any = true;
	v->last_pts = pts;

	/* The library's buffer is good until the next picture only: this is
	 * the one copy of the coded bytes. */
	while ((pkt = vpx_codec_get_cx_data(&v->ctx, &iter))) {
		if (pkt->kind != VPX_CODEC_CX_FRAME_PKT || r <= 0)
			continue;
		r = unit_copy_data(u, pkt->data.frame.buf, pkt->data.frame.sz);
		u->keyframe = pkt->data.frame.flags & VPX_FRAME_IS_KEY;
	}
	if (r != 0) {
		coded_unit_unref(u);
		return r;
	}
	u->capture_us = frame->capture_us;
	*ret = u;
	return ENCODER_UNIT;
}

static int vpx_set_bitrate(struct encoder *e, unsigned int bps)
{
	struct encoder_vpx *v = to_vpx(e);
	unsigned int old = v->base.config.bitrate_bps;

	/* libvpx keeps the bits in its buffer and multiplies its marks: a
	 * buffer in order at the lower rate is an empty one at the higher, and
	 * every other picture would go until it is full. */
	if (bps > old + old / 4)
		v->n_kept = RAISE_MS * v->base.config.fps / 1000;
	else if (bps < old)
		v->n_kept = 0;
	v->cfg.rc_dropframe_thresh = v->n_kept ? 0 : DROP_PERCENT;
	v->base.config.bitrate_bps = bps;
	v->cfg.rc_target_bitrate = bps / 1000;
	set_threshold(v);
	return to_errno(vpx_codec_enc_config_set(&v->ctx, &v->cfg));
}

const struct encoder_ops encoder_vpx_ops = {
	.name = "libvpx",
	.codec = MEDIA_CODEC_VP8,
	.formats = 1u << PICTURE_I420,
	.open = vpx_open,
	.encode = vpx_encode,
	.set_bitrate = vpx_set_bitrate,
	.close = vpx_close,
};
