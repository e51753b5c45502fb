// SPDX-License-Identifier: Apache-2.0
#include "media/opus-encoder.h"

#include "media/audio-source.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <stdlib.h>

#define VOICE_MAX_BPS	  40000 /* a channel; above it music is possible */
#define EXPECTED_LOSS_PCT 5	/* what FEC prepares for */
#define NO_LOG		  64

struct opus_encoder {
	AVCodecContext *ctx;
	AVFrame *frame;
	AVPacket *packet;
	struct unit_pool *units;
	unsigned int channels, bitrate_bps;
	int64_t pts;
};

static int open_codec(AVCodecContext **ret, unsigned int channels,
		      unsigned int bitrate_bps)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libopus");
	AVCodecContext *ctx;
	int r;

	if (!codec)
		return -ENOTSUP;
	ctx = avcodec_alloc_context3(codec);
	if (!ctx)
		return -ENOMEM;
	av_channel_layout_default(&ctx->ch_layout, (int) channels);
	ctx->sample_rate = AUDIO_RATE_HZ;
	ctx->sample_fmt = AV_SAMPLE_FMT_S16;
	ctx->bit_rate = bitrate_bps;
	ctx->log_level_offset = NO_LOG;
	r = av_opt_set(
		ctx->priv_data, "application",
		bitrate_bps / channels <= VOICE_MAX_BPS ? "voip" : "audio", 0);
	if (r >= 0)
		r = av_opt_set_double(ctx->priv_data, "frame_duration", 20, 0);
	if (r >= 0)
		r = av_opt_set_int(ctx->priv_data, "packet_loss",
				   EXPECTED_LOSS_PCT, 0);
	if (r >= 0)
		r = av_opt_set_int(ctx->priv_data, "fec", 1, 0);
	if (r >= 0)
		r = avcodec_open2(ctx, codec, NULL);
	if (r < 0 || ctx->frame_size != OPUS_FRAME_SAMPLES) {
		avcodec_free_context(&ctx);
		return r == AVERROR(ENOMEM) ? -ENOMEM : -EINVAL;
	}
	*ret = ctx;
	return 0;
}

int opus_encoder_new(struct opus_encoder **ret, unsigned int channels,
		     unsigned int bitrate_bps, struct unit_pool *units)
{
	struct opus_encoder *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->units = units;
	e->channels = channels;
	e->bitrate_bps = bitrate_bps;
	r = open_codec(&e->ctx, channels, bitrate_bps);
	if (r < 0) {
		opus_encoder_free(e);
		return r;
	}
	e->packet = av_packet_alloc();
	e->frame = av_frame_alloc();
	if (e->frame) {
		e->frame->format = AV_SAMPLE_FMT_S16;
		e->frame->sample_rate = AUDIO_RATE_HZ;
		e->frame->nb_samples = OPUS_FRAME_SAMPLES;
		av_channel_layout_default(&e->frame->ch_layout, (int) channels);
	}
	if (!e->packet || !e->frame || av_frame_get_buffer(e->frame, 0) < 0) {
		opus_encoder_free(e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

struct opus_encoder *opus_encoder_free(struct opus_encoder *e)
{
	if (!e)
		return NULL;
	avcodec_free_context(&e->ctx);
	av_frame_free(&e->frame);
	av_packet_free(&e->packet);
	free(e);
	return NULL;
}

int16_t *opus_encoder_get_input(struct opus_encoder *e)
{
	/* The codec let go of it with the last packet: nothing is copied. */
	if (av_frame_make_writable(e->frame) < 0)
		return NULL;
	return (int16_t *) e->frame->data[0];
}

int opus_encoder_encode(struct opus_encoder *e, struct coded_unit **ret)
{
	struct coded_unit *u = unit_pool_get(e->units);
	int r;

	if (!u)
		return -ENOBUFS;
	e->frame->pts = e->pts;
	e->pts += OPUS_FRAME_SAMPLES;
	r = avcodec_send_frame(e->ctx, e->frame);
	if (r >= 0)
		r = avcodec_receive_packet(e->ctx, e->packet);
	if (r < 0) {
		coded_unit_unref(u);
		return r == AVERROR(ENOMEM) ? -ENOMEM : -EIO;
	}
	r = unit_take_packet(u, e->packet);
	if (r < 0) {
		av_packet_unref(e->packet);
		coded_unit_unref(u);
		return r;
	}
	u->n_samples = OPUS_FRAME_SAMPLES;
	*ret = u;
	return 0;
}

int opus_encoder_set_bitrate(struct opus_encoder *e, unsigned int bitrate_bps)
{
	AVCodecContext *ctx;
	int r;

	if (bitrate_bps == e->bitrate_bps)
		return 0;
	r = open_codec(&ctx, e->channels, bitrate_bps);
	if (r < 0)
		return r;
	avcodec_free_context(&e->ctx);
	e->ctx = ctx;
	e->bitrate_bps = bitrate_bps;
	return 0;
}
