// SPDX-License-Identifier: Apache-2.0
#include "drivers/alsa-capture.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drivers/sample-clock.h"

#define PERIOD_US 10000
#define BUFFER_US 200000
#define STAMP_AGE_MAX_US 1000000	/* an older stamp is of another clock */

struct alsa_capture {
	snd_pcm_t *pcm;
	struct alsa_capture_info info;
	struct sample_clock clock;
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

/* Which card it is in the end, whatever its name says. */
static void note_hardware(struct alsa_capture *c)
{
	snd_pcm_info_t *pcm;

	snd_pcm_info_alloca(&pcm);
	if (snd_pcm_info(c->pcm, pcm) < 0 || snd_pcm_info_get_card(pcm) < 0)
		return;
	snprintf(c->info.node, sizeof(c->info.node), "hw:%d,%u",
		 snd_pcm_info_get_card(pcm), snd_pcm_info_get_device(pcm));
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
	note_hardware(c);
	return 0;
}

/* alsa-lib would print a line of its own for each failure, every time a device
 * that is not there is looked for. The caller says it once. */
static void keep_quiet(const char *file, int line, const char *function,
		       int error, const char *format, va_list args)
{
}

/* The PCM of that name behind the conversion layer. Return: false if it has
 * conversion already, or a name that cannot be written like this. */
static bool with_conversion(const char *name, char *ret, size_t size)
{
	int n;

	if (!strncmp(name, "plug", 4) || strchr(name, '\''))
		return false;
	n = snprintf(ret, size, strncmp(name, "hw:", 3) ? "plug:'%s'" :
		     "plug%s", name);
	return n > 0 && (size_t) n < size;
}

int alsa_capture_open(struct alsa_capture **ret, const char *name,
		      unsigned int rate, unsigned int channels)
{
	struct alsa_capture *c = calloc(1, sizeof(*c));
	snd_local_error_handler_t loud;
	char plug[sizeof(c->info.name)];
	int r;

	if (!c)
		return -ENOMEM;
	loud = snd_lib_error_set_local(keep_quiet);	/* this thread's */
	r = open_and_set(c, name, rate, channels);
	if (r == -EINVAL && with_conversion(name, plug, sizeof(plug)))
		r = open_and_set(c, plug, rate, channels);
	snd_lib_error_set_local(loud);
	if (r < 0) {
		free(c);
		snd_config_update_free_global();
		return r;
	}
	sample_clock_init(&c->clock, rate);
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
	sample_clock_restart(&c->clock);
	r = snd_pcm_recover(c->pcm, error, 1);
	if (r >= 0)
		r = snd_pcm_start(c->pcm);
	return r < 0 ? r : 0;
}

/* How many frames wait, and when the newest of them was there: the time stamp
 * of the driver's interrupt is better than the time we woke. */
static void read_clock(struct alsa_capture *c, uint64_t *ret_newest_us,
		       uint64_t *ret_waiting)
{
	uint64_t now = monotonic_us(), t;
	snd_pcm_sframes_t avail = snd_pcm_avail_update(c->pcm);
	snd_pcm_uframes_t stamped = 0;
	snd_htimestamp_t at;

	*ret_newest_us = now;
	*ret_waiting = avail < 0 ? 0 : (uint64_t) avail;
	if (snd_pcm_htimestamp(c->pcm, &stamped, &at) != 0)
		return;
	t = (uint64_t) at.tv_sec * 1000000 + (uint64_t) at.tv_nsec / 1000;
	/* Another clock, or none: not within the last second. */
	if (t > now || now - t >= STAMP_AGE_MAX_US)
		return;
	*ret_newest_us = t;
	*ret_waiting = stamped;
}

/* A plugin's descriptor stays readable until the plugin was asked why; the
 * hardware's own does not. */
static void settle_fds(struct alsa_capture *c)
{
	struct pollfd fds[ALSA_CAPTURE_FDS_MAX];
	unsigned int n = alsa_capture_get_fds(c, fds, ALSA_CAPTURE_FDS_MAX);
	unsigned short events;

	if (n > 0 && poll(fds, n, 0) > 0)
		snd_pcm_poll_descriptors_revents(c->pcm, fds, n, &events);
}

int alsa_capture_read(struct alsa_capture *c, int16_t *dst,
		      unsigned int n_frames, uint64_t *ret_capture_us,
		      uint64_t *ret_lost)
{
	uint64_t newest_us, waiting;
	snd_pcm_sframes_t n;
	int r;

	*ret_lost = 0;
	read_clock(c, &newest_us, &waiting);
	n = c->info.mmap ? snd_pcm_mmap_readi(c->pcm, dst, n_frames) :
			   snd_pcm_readi(c->pcm, dst, n_frames);
	if (n > 0) {
		/* What came in between is newer than the stamp. */
		if (waiting < (uint64_t) n)
			waiting = (uint64_t) n;
		*ret_capture_us = sample_clock_take(
			&c->clock, newest_us, waiting, (unsigned int) n,
			ret_lost);
		return (int) n;
	}
	r = n == 0 || n == -EAGAIN ? 0 : recover(c, (int) n);
	if (r == 0)
		settle_fds(c);
	return r;
}

/* --- which there are --------------------------------------------------------- */
struct listing {
	struct alsa_microphone *list;
	size_t n, max;
};

/* Of one device of a card; alloca'd structures belong in no loop. */
static void list_device(snd_ctl_t *ctl, int number, struct listing *l,
			const struct device *card)
{
	struct alsa_microphone *m = &l->list[l->n];
	snd_ctl_card_info_t *info;
	snd_pcm_info_t *pcm;

	snd_pcm_info_alloca(&pcm);
	snd_ctl_card_info_alloca(&info);
	snd_pcm_info_set_device(pcm, (unsigned int) number);
	snd_pcm_info_set_stream(pcm, SND_PCM_STREAM_CAPTURE);
	if (l->n == l->max || snd_ctl_pcm_info(ctl, pcm) < 0 ||
	    snd_ctl_card_info(ctl, info) < 0)
		return;
	*m = (struct alsa_microphone) { .device = *card };
	snprintf(m->pcm, sizeof(m->pcm), "plughw:CARD=%s,DEV=%d",
		 snd_ctl_card_info_get_id(info), number);
	snprintf(m->device.name, sizeof(m->device.name), "%.45s, %.45s",
		 snd_ctl_card_info_get_name(info), snd_pcm_info_get_name(pcm));
	l->n++;
}

static void list_card(const struct device *card, struct listing *l)
{
	int number = -1;
	snd_ctl_t *ctl;

	if (snd_ctl_open(&ctl, card->node, SND_CTL_NONBLOCK) < 0)
		return;
	while (snd_ctl_pcm_next_device(ctl, &number) == 0 && number >= 0)
		list_device(ctl, number, l, card);
	snd_ctl_close(ctl);
}

size_t alsa_list_captures(struct alsa_microphone *ret, size_t max)
{
	struct device *cards = calloc(DEVICES_MAX, sizeof(*cards));
	size_t n = cards ? device_list(DEVICE_MICROPHONE, cards, DEVICES_MAX) :
			   0;
	struct listing l = { .list = ret, .max = max };

	for (size_t i = 0; i < n; i++)
		list_card(&cards[i], &l);
	for (size_t i = 0; i < l.n; i++)
		snprintf(ret[i].name, sizeof(ret[i].name), "%s",
			 device_get_lasting_name(cards, n, &ret[i].device));
	free(cards);
	snd_config_update_free_global();
	return l.n;
}

int alsa_find_capture(struct alsa_microphone *ret)
{
	return alsa_list_captures(ret, 1) ? 0 : -ENODEV;
}

int alsa_resolve(const char *word, bool by_name, struct alsa_microphone *ret,
		 char *why, size_t why_size)
{
	struct alsa_microphone *list = calloc(DEVICES_MAX, sizeof(*list));
	struct device *devices = calloc(DEVICES_MAX, sizeof(*devices));
	size_t n = list && devices ? alsa_list_captures(list, DEVICES_MAX) : 0;
	size_t found = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		devices[i] = list[i].device;
	r = by_name ? device_match(devices, n, word, &found, why, why_size) :
		      device_match_exactly(devices, n, word, &found);
	if (r == 0)
		*ret = list[found];
	if (r == -ENOTUNIQ && !by_name)
		device_match(devices, n, word, &found, why, why_size);
	free(list);
	free(devices);
	return r;
}
