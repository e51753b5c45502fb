// SPDX-License-Identifier: Apache-2.0
#include "drivers/alsa-capture.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_US 10000
#define BUFFER_US 200000

struct alsa_capture {
	snd_pcm_t *pcm;
	struct alsa_capture_info info;
	uint64_t lost;		/* frames, not reported yet */
	uint64_t next_us;	/* expected time of the next frame, 0: unknown */
};

static uint64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static int set_hw_params(struct alsa_capture *c, unsigned int rate,
			 unsigned int channels)
{
	snd_pcm_hw_params_t *hw;
	unsigned int period_us = PERIOD_US, buffer_us = BUFFER_US;
	snd_pcm_uframes_t period, buffer;
	int r;

	snd_pcm_hw_params_alloca(&hw);
	r = snd_pcm_hw_params_any(c->pcm, hw);
	if (r < 0)
		return r;
	c->info.mmap = snd_pcm_hw_params_set_access(
		c->pcm, hw, SND_PCM_ACCESS_MMAP_INTERLEAVED) == 0;
	if (!c->info.mmap)
		r = snd_pcm_hw_params_set_access(
			c->pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED);
	if (r >= 0)
		r = snd_pcm_hw_params_set_format(c->pcm, hw,
						 SND_PCM_FORMAT_S16);
	if (r >= 0)
		r = snd_pcm_hw_params_set_channels(c->pcm, hw, channels);
	if (r >= 0)
		r = snd_pcm_hw_params_set_rate(c->pcm, hw, rate, 0);
	if (r >= 0)
		r = snd_pcm_hw_params_set_period_time_near(c->pcm, hw,
							   &period_us, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params_set_buffer_time_near(c->pcm, hw,
							   &buffer_us, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params(c->pcm, hw);
	if (r < 0)
		return r;
	snd_pcm_hw_params_get_period_size(hw, &period, NULL);
	snd_pcm_hw_params_get_buffer_size(hw, &buffer);
	c->info.period_frames = (unsigned int) period;
	c->info.buffer_frames = (unsigned int) buffer;
	c->info.rate = rate;
	c->info.channels = channels;
	return 0;
}

static int set_sw_params(struct alsa_capture *c)
{
	snd_pcm_sw_params_t *sw;
	int r;

	snd_pcm_sw_params_alloca(&sw);
	r = snd_pcm_sw_params_current(c->pcm, sw);
	if (r >= 0)
		r = snd_pcm_sw_params_set_avail_min(c->pcm, sw,
						    c->info.period_frames);
	if (r >= 0)
		r = snd_pcm_sw_params_set_tstamp_mode(c->pcm, sw,
						      SND_PCM_TSTAMP_ENABLE);
	/* Not every plugin knows the type; then its times are not used. */
	if (r >= 0)
		snd_pcm_sw_params_set_tstamp_type(
			c->pcm, sw, SND_PCM_TSTAMP_TYPE_MONOTONIC);
	return r < 0 ? r : snd_pcm_sw_params(c->pcm, sw);
}

static int open_and_set(struct alsa_capture *c, const char *name,
			unsigned int rate, unsigned int channels)
{
	int r = snd_pcm_open(&c->pcm, name, SND_PCM_STREAM_CAPTURE,
			     SND_PCM_NONBLOCK);

	if (r < 0)
		return r;
	r = set_hw_params(c, rate, channels);
	if (r >= 0)
		r = set_sw_params(c);
	if (r < 0) {
		snd_pcm_close(c->pcm);
		c->pcm = NULL;
		return r;
	}
	snprintf(c->info.name, sizeof(c->info.name), "%s", name);
	return 0;
}

int alsa_capture_open(struct alsa_capture **ret, const char *name,
		      unsigned int rate, unsigned int channels)
{
	struct alsa_capture *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	r = open_and_set(c, name, rate, channels);
	if (r == -EINVAL && !strncmp(name, "hw:", 3)) {
		char plug[160];

		snprintf(plug, sizeof(plug), "plug%s", name);
		r = open_and_set(c, plug, rate, channels);
	}
	if (r < 0) {
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct alsa_capture *alsa_capture_free(struct alsa_capture *c)
{
	if (!c)
		return NULL;
	snd_pcm_close(c->pcm);
	free(c);
	/* alsa-lib caches the parsed configuration for the process; it would
	 * otherwise look like a leak and keep a vanished card's names. */
	snd_config_update_free_global();
	return NULL;
}

void alsa_capture_get_info(const struct alsa_capture *c,
			   struct alsa_capture_info *ret)
{
	*ret = c->info;
}

int alsa_capture_start(struct alsa_capture *c)
{
	/* The start threshold is never reached by small reads: start here. */
	int r = snd_pcm_start(c->pcm);

	c->next_us = 0;
	return r < 0 ? r : 0;
}

unsigned int alsa_capture_get_fds(struct alsa_capture *c, struct pollfd *fds,
				  unsigned int n_max)
{
	int n = snd_pcm_poll_descriptors(c->pcm, fds, n_max);

	return n < 0 ? 0 : (unsigned int) n;
}

static int recover(struct alsa_capture *c, int error)
{
	int r;

	if (error == -ENODEV || error == -EBADFD)
		return -ENODEV;
	if (error != -EPIPE && error != -ESTRPIPE)
		return error;
	/* The whole buffer was overwritten: at least that much is lost. */
	c->lost += c->info.buffer_frames;
	c->next_us = 0;
	r = snd_pcm_recover(c->pcm, error, 1);
	if (r >= 0)
		r = snd_pcm_start(c->pcm);
	return r < 0 ? r : 0;
}

/* When the oldest unread frame was captured: now, less what is waiting. A
 * time stamp of the driver's interrupt is better than the time we woke. */
static uint64_t first_frame_us(struct alsa_capture *c)
{
	uint64_t now = monotonic_us(), stamp = now;
	snd_pcm_sframes_t avail;
	snd_pcm_uframes_t stamped = 0;
	snd_htimestamp_t at;

	avail = snd_pcm_avail_update(c->pcm);
	if (snd_pcm_htimestamp(c->pcm, &stamped, &at) == 0 &&
	    (at.tv_sec || at.tv_nsec)) {
		uint64_t t = (uint64_t) at.tv_sec * 1000000 +
			(uint64_t) at.tv_nsec / 1000;

		/* Another clock, or nonsense: not within the last second. */
		if (t <= now && now - t < 1000000) {
			stamp = t;
			avail = (snd_pcm_sframes_t) stamped;
		}
	}
	if (avail < 0)
		avail = 0;
	return stamp - (uint64_t) avail * 1000000 / c->info.rate;
}

int alsa_capture_read(struct alsa_capture *c, int16_t *dst,
		      unsigned int n_frames, uint64_t *ret_capture_us,
		      uint64_t *ret_lost)
{
	uint64_t first = first_frame_us(c);
	snd_pcm_sframes_t n;

	n = c->info.mmap ? snd_pcm_mmap_readi(c->pcm, dst, n_frames) :
			   snd_pcm_readi(c->pcm, dst, n_frames);
	if (n == -EAGAIN)
		n = 0;
	if (n < 0) {
		int r = recover(c, (int) n);

		if (r < 0)
			return r;
		n = 0;
	}
	*ret_lost = c->lost;
	c->lost = 0;
	if (n == 0)
		return 0;
	/* Time follows the samples; the measured time steers it gently, and
	 * replaces it where they are more than 20 ms apart. */
	if (c->next_us) {
		int64_t off = (int64_t) (first - c->next_us);

		first = off > 20000 || off < -20000 ?
			first : c->next_us + (uint64_t) (off / 64);
	}
	c->next_us = first + (uint64_t) n * 1000000 / c->info.rate;
	*ret_capture_us = first;
	return (int) n;
}

int alsa_find_capture(char *ret_name, size_t size)
{
	int card = -1;

	while (snd_card_next(&card) == 0 && card >= 0) {
		char name[32];
		snd_ctl_t *ctl;
		int device = -1, r = -ENODEV;

		snprintf(name, sizeof(name), "hw:%d", card);
		if (snd_ctl_open(&ctl, name, SND_CTL_NONBLOCK) < 0)
			continue;
		while (r == -ENODEV && snd_ctl_pcm_next_device(ctl, &device) ==
		       0 && device >= 0) {
			snd_ctl_card_info_t *card_info;
			snd_pcm_info_t *info;
			int n;

			snd_pcm_info_alloca(&info);
			snd_ctl_card_info_alloca(&card_info);
			snd_pcm_info_set_device(info, (unsigned int) device);
			snd_pcm_info_set_stream(info, SND_PCM_STREAM_CAPTURE);
			if (snd_ctl_pcm_info(ctl, info) < 0 ||
			    snd_ctl_card_info(ctl, card_info) < 0)
				continue;
			n = snprintf(ret_name, size, "plughw:CARD=%s,DEV=%d",
				     snd_ctl_card_info_get_id(card_info),
				     device);
			r = n < 0 || (size_t) n >= size ? -ENOSPC : 0;
		}
		snd_ctl_close(ctl);
		if (r != -ENODEV)
			return r;
	}
	return -ENODEV;
}
