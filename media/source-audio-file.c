// SPDX-License-Identifier: Apache-2.0
/* media/source-audio-file.c - the sound of a file or FIFO, at 48 kHz
 *
 * Decoded, brought to the right rate and channels by libswresample, and handed
 * out as the monotonic clock passes: samples are due from the start on.
 */
#include "media/audio-source.h"
#include "media/file-input.h"

#include <errno.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK		 960 /* samples handed out at once: 20 ms */
#define RESAMPLER_MARGIN 256 /* samples its filter may keep back */
#define MAX_LATE_US	 UINT64_C(500000) /* then the pace starts over */

struct source_audio_file {
	struct audio_source base;
	const struct media_clock *clock;
	struct file_input *input;
	AVFrame *frame;
	SwrContext *swr;
	int in_rate, in_format, in_channels; /* what swr was made for */
	bool is_started;
	uint64_t start_us, position; /* samples since start_us */
};

static struct source_audio_file *to_file(struct audio_source *s)
{
	return (struct source_audio_file *) s;
}

static struct audio_source *file_close(struct audio_source *s)
{
	struct source_audio_file *f = to_file(s);

	if (!f)
		return NULL;
	swr_free(&f->swr);
	av_frame_free(&f->frame);
	file_input_close(f->input);
	free(f);
	return NULL;
}

static int file_open(struct audio_source **ret,
		     const struct audio_source_config *config, char *why,
		     size_t why_size)
{
	struct source_audio_file *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	r = file_input_open(&f->input, config->path, FILE_INPUT_AUDIO,
			    config->wake_fd, why, why_size);
	if (r < 0) {
		free(f);
		return r;
	}
	f->base.ops = &audio_source_file_ops;
	f->base.channels = config->channels;
	f->clock = config->clock;
	f->frame = av_frame_alloc();
	if (!f->frame) {
		file_close(&f->base);
		return -ENOMEM;
	}
	snprintf(f->base.detail, sizeof(f->base.detail), "file:%.150s",
		 config->path);
	*ret = &f->base;
	return 0;
}

static uint64_t time_of(const struct source_audio_file *f, uint64_t position)
{
	return f->start_us + position * 125 / 6; /* 10^6 / 48000 */
}

static void file_wait(struct audio_source *s, struct audio_source_wait *ret)
{
	struct source_audio_file *f = to_file(s);
	int fd = file_input_get_fd(f->input);

	ret->n_fds = fd >= 0;
	ret->fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	ret->deadline_us = fd >= 0	   ? MEDIA_NO_DEADLINE
			   : f->is_started ? time_of(f, f->position + CHUNK)
					   : 0;
}

/* The resampler fits the frame, or is made anew. */
static int fit_resampler(struct source_audio_file *f)
{
	AVFrame *in = f->frame;
	AVChannelLayout out;
	int r;

	if (f->swr && f->in_rate == in->sample_rate &&
	    f->in_format == in->format &&
	    f->in_channels == in->ch_layout.nb_channels)
		return 0;
	swr_free(&f->swr);
	av_channel_layout_default(&out, (int) f->base.channels);
	r = swr_alloc_set_opts2(
		&f->swr, &out, AV_SAMPLE_FMT_S16, AUDIO_RATE_HZ, &in->ch_layout,
		(enum AVSampleFormat) in->format, in->sample_rate, 0, NULL);
	if (r >= 0)
		r = swr_init(f->swr);
	if (r < 0) {
		swr_free(&f->swr);
		return r == AVERROR(ENOMEM) ? -ENOMEM : -ENOTSUP;
	}
	f->in_rate = in->sample_rate;
	f->in_format = in->format;
	f->in_channels = in->ch_layout.nb_channels;
	return 0;
}

/* Decodes until the resampler holds @n samples or more. */
static int fill(struct source_audio_file *f, unsigned int n)
{
	/* The library answers with an upper bound: leave it its margin. */
	n += RESAMPLER_MARGIN;
	while (!f->swr || swr_get_out_samples(f->swr, 0) < (int) n) {
		int64_t ignored;
		int r = file_input_read(f->input, f->frame, &ignored);

		if (r < 0)
			return r;
		r = fit_resampler(f);
		if (r == 0)
			r = swr_convert(
				f->swr, NULL, 0,
				(const uint8_t **) f->frame->extended_data,
				f->frame->nb_samples);
		av_frame_unref(f->frame);
		if (r < 0)
			return r < -4095 ? -EBADMSG : r;
	}
	return 0;
}

static int file_read(struct audio_source *s, int16_t *dst,
		     unsigned int n_frames, uint64_t *ret_capture_us,
		     uint64_t *ret_lost)
{
	struct source_audio_file *f = to_file(s);
	uint64_t now = media_clock_now_us(f->clock);
	uint8_t *out = (uint8_t *) dst;
	int r;

	*ret_lost = 0;
	if (f->is_started && now < time_of(f, f->position + CHUNK))
		return 0;
	if (n_frames > CHUNK)
		n_frames = CHUNK;
	r = fill(f, n_frames);
	if (r < 0)
		return r;

	now = media_clock_now_us(f->clock);
	if (!f->is_started ||
	    now > time_of(f, f->position + CHUNK) + MAX_LATE_US) {
		f->is_started = true;
		f->start_us = now - (uint64_t) CHUNK * 125 / 6;
		f->position = 0;
	}
	r = swr_convert(f->swr, &out, (int) n_frames, NULL, 0);
	if (r < 0)
		return -EBADMSG;
	*ret_capture_us = time_of(f, f->position);
	f->position += (unsigned int) r;
	return r;
}

const struct audio_source_ops audio_source_file_ops = {
	.name = "file",
	.wants_path = true,
	.open = file_open,
	.wait = file_wait,
	.read = file_read,
	.close = file_close,
};
