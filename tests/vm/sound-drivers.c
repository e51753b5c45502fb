// SPDX-License-Identifier: Apache-2.0
/* tests/vm/sound-drivers.c - drivers/alsa-capture on the kernel's own devices
 *
 *   sound-drivers aloop     snd-aloop, card Loopback
 *   sound-drivers usb       snd-usb-audio: a stereo card that records a tone of
 *                           1 kHz, commanded through /run/sound
 *
 * For root in a virtual machine: devices are unplugged on the way.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "drivers/alsa-capture.h"
#include "tests/vm/cases.h"

#define LOOPBACK "hw:CARD=Loopback,DEV=1"
#define DRIVER	 "/sys/bus/platform/drivers/snd_aloop/"
#define RATE	 48000
#define WAIT_MS	 20000	/* a deadline, not a measure */
#define CHUNK	 960u

struct heard {
	uint64_t frames, lost, first_us, last_us;
	unsigned int wakeups;
	unsigned int crossings;		/* of zero, upwards, left channel */
	int16_t last;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 &&
		write(fd, text, strlen(text)) == (ssize_t) strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Unbinding waits until the device is closed: on a thread of its own. (Another
 * process would have the device open as well.) */
static void *unbind(void *user)
{
	*(bool *) user = write_file(DRIVER "unbind", "snd_aloop.0");
	return NULL;
}

static void count_crossings(struct heard *h, const int16_t *samples,
			    unsigned int n, unsigned int channels)
{
	for (unsigned int i = 0; i < n; i++) {
		int16_t s = samples[i * channels];

		h->crossings += h->last < 0 && s >= 0;
		h->last = s;
	}
}

/* Reads as the capture thread does, until that many frames were read. Return:
 * 0 or how the stream broke; 1 if a time stamp went back. */
static int listen_to(struct alsa_capture *c, uint64_t frames, struct heard *h)
{
	uint64_t deadline = now_us() + WAIT_MS * 1000;
	struct alsa_capture_info info;
	int16_t samples[CHUNK * 2];
	uint64_t until = h->frames + frames;

	alsa_capture_get_info(c, &info);
	while (h->frames < until) {
		struct pollfd fds[ALSA_CAPTURE_FDS_MAX];
		unsigned int n = alsa_capture_get_fds(c, fds,
						      ALSA_CAPTURE_FDS_MAX);
		uint64_t at_us = 0, lost;
		int r;

		if (now_us() >= deadline)
			return -ETIMEDOUT;
		poll(fds, n, 500);
		h->wakeups++;
		while ((r = alsa_capture_read(c, samples, CHUNK, &at_us,
					      &lost)) > 0) {
			if (at_us < h->last_us || at_us > now_us())
				return 1;
			if (!h->frames)
				h->first_us = at_us;
			h->last_us = at_us;
			h->frames += (uint64_t) r;
			h->lost += lost;
			count_crossings(h, samples, (unsigned int) r,
					info.channels);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static bool aloop_pace(void)
{
	struct alsa_capture_info info;
	struct alsa_capture *c;
	struct heard h = { 0 };
	uint64_t span_us;

	REQUIRE_EQ(alsa_capture_open(&c, LOOPBACK, RATE, 1), 0);
	alsa_capture_get_info(c, &info);
	REQUIRE(info.mmap);
	REQUIRE(!strcmp(info.name, LOOPBACK));
	REQUIRE_EQ(info.rate, RATE);
	REQUIRE_EQ(info.channels, 1);
	REQUIRE(info.period_frames >= 240 && info.period_frames <= 960);
	REQUIRE(info.buffer_frames >= 4 * info.period_frames);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	REQUIRE_EQ(listen_to(c, 2 * RATE, &h), 0);
	REQUIRE_EQ(h.lost, 0);
	/* Times follow the samples: 2 s of them span 2 s, but for a period or
	 * two at the ends. */
	span_us = h.last_us - h.first_us;
	REQUIRE(span_us > 1900000 && span_us < 2100000);
	alsa_capture_free(c);
	return true;
}

static bool aloop_wrong_names(void)
{
	static const char *const names[] = { "hw:CARD=Nobody", "nonsense",
					     "hw:7,3", "" };
	struct alsa_capture *c = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int r = alsa_capture_open(&c, names[i], RATE, 1);

		if (r != -ENODEV && r != -ENOENT)
			printf("# '%s': %s\n", names[i], strerror(-r));
		REQUIRE(r == -ENODEV || r == -ENOENT);
	}
	REQUIRE(c == NULL);
	return true;
}

static bool aloop_busy(void)
{
	struct alsa_capture *first, *second;
	struct heard h = { 0 };

	REQUIRE_EQ(alsa_capture_open(&first, LOOPBACK ",SUBDEV=0", RATE, 2),
		   0);
	REQUIRE_EQ(alsa_capture_start(first), 0);
	REQUIRE_EQ(alsa_capture_open(&second, LOOPBACK ",SUBDEV=0", RATE, 2),
		   -EBUSY);
	REQUIRE_EQ(listen_to(first, RATE / 2, &h), 0);
	alsa_capture_free(first);
	return true;
}

/* Nobody reads for a while: the stream goes on, and the loss is as long as
 * the time that passed. */
static bool aloop_overrun(void)
{
	struct alsa_capture *c;
	struct heard h = { 0 };
	uint64_t until_us, pause_us;

	REQUIRE_EQ(alsa_capture_open(&c, LOOPBACK, RATE, 1), 0);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	until_us = h.last_us;
	poll(NULL, 0, 600);	/* the pause is what is tested */
	pause_us = now_us() - until_us;
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	printf("# paused for %.0f ms, lost %.0f ms\n", (double) pause_us / 1000,
	       (double) h.lost * 1000 / RATE);
	REQUIRE(h.lost > RATE / 2);
	REQUIRE(h.lost * 1000000 / RATE < pause_us + 100000);
	alsa_capture_free(c);
	return true;
}

/* Many readers of one microphone: a plugin with a timer of its own. */
static bool aloop_shared(void)
{
	struct alsa_capture *first, *second;
	struct heard h = { 0 }, h2 = { 0 };

	REQUIRE_EQ(alsa_capture_open(&first, "dsnoop:CARD=Loopback,DEV=1",
				     RATE, 2), 0);
	REQUIRE_EQ(alsa_capture_open(&second, "dsnoop:CARD=Loopback,DEV=1",
				     RATE, 2), 0);
	REQUIRE_EQ(alsa_capture_start(first), 0);
	REQUIRE_EQ(alsa_capture_start(second), 0);
	REQUIRE_EQ(listen_to(first, RATE, &h), 0);
	printf("# %u wake-ups for a second of sound\n", h.wakeups);
	REQUIRE(h.wakeups < 500);
	alsa_capture_free(first);
	REQUIRE_EQ(listen_to(second, RATE / 4, &h2), 0);
	alsa_capture_free(second);
	return true;
}

static bool aloop_unbound(void)
{
	struct alsa_capture *c;
	struct heard h = { 0 };
	uint64_t deadline;
	struct alsa_microphone found;
	pthread_t thread;
	bool unbound = false;
	int r;

	REQUIRE_EQ(alsa_capture_open(&c, LOOPBACK, RATE, 1), 0);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	REQUIRE_EQ(pthread_create(&thread, NULL, unbind, &unbound), 0);
	REQUIRE_EQ(listen_to(c, RATE * 10, &h), -ENODEV);
	alsa_capture_free(c);
	pthread_join(thread, NULL);
	REQUIRE(unbound);
	REQUIRE_EQ(alsa_find_capture(&found), -ENODEV);
	REQUIRE(alsa_capture_open(&c, LOOPBACK, RATE, 1) < 0);

	REQUIRE(write_file(DRIVER "bind", "snd_aloop.0"));
	deadline = now_us() + WAIT_MS * 1000;
	while ((r = alsa_capture_open(&c, LOOPBACK, RATE, 1)) < 0 &&
	       now_us() < deadline)
		poll(NULL, 0, 50);
	REQUIRE_EQ(r, 0);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	h = (struct heard){ 0 };
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	alsa_capture_free(c);
	REQUIRE_EQ(alsa_find_capture(&found), 0);
	REQUIRE(!strcmp(found.pcm, "plughw:CARD=Loopback,DEV=0"));
	REQUIRE(!strcmp(found.device.node, "hw:0"));
	return true;
}

/* Stereo alone in hardware; one channel is wanted. */
static bool usb_converted(void)
{
	struct alsa_capture_info info;
	struct alsa_capture *c;
	struct heard h = { 0 };
	struct alsa_microphone found, same;
	char hw[64], why[256];
	const char *name = found.pcm;

	REQUIRE_EQ(alsa_find_capture(&found), 0);
	REQUIRE(!strncmp(name, "plughw:", 7));
	snprintf(hw, sizeof(hw), "%.60s", name + 4);
	printf("# '%s' is %s at %s\n", found.device.name, found.name,
	       found.device.port);
	REQUIRE(strstr(found.name, "_SND"));
	REQUIRE_EQ(alsa_resolve(found.name, false, &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.pcm, name));
	REQUIRE_EQ(alsa_resolve(found.device.port, false, &same, why,
				sizeof(why)), 0);
	REQUIRE(!strcmp(same.pcm, name));
	REQUIRE_EQ(alsa_resolve("vusb", false, &same, why, sizeof(why)),
		   -ENODEV);
	REQUIRE_EQ(alsa_resolve("vusb", true, &same, why, sizeof(why)), 0);
	REQUIRE(!strcmp(same.pcm, name));
	REQUIRE_EQ(alsa_capture_open(&c, hw, RATE, 1), 0);
	alsa_capture_get_info(c, &info);
	printf("# %s\n", info.name);
	REQUIRE(!strcmp(info.name, name));
	REQUIRE_EQ(info.channels, 1);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	REQUIRE_EQ(listen_to(c, 2 * RATE, &h), 0);
	printf("# %u crossings in 2 s, %llu lost\n", h.crossings,
	       (unsigned long long) h.lost);
	REQUIRE(h.crossings > 1900 && h.crossings < 2100);
	alsa_capture_free(c);
	return true;
}

static bool usb_unplugged(void)
{
	struct alsa_capture *c;
	struct heard h = { 0 };
	uint64_t deadline;
	struct alsa_microphone found;
	const char *name = found.pcm;
	int r;

	REQUIRE_EQ(alsa_find_capture(&found), 0);
	REQUIRE_EQ(alsa_capture_open(&c, name, RATE, 2), 0);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	REQUIRE(write_file("/run/sound", "unplug\n"));
	REQUIRE_EQ(listen_to(c, RATE * 10, &h), -ENODEV);
	alsa_capture_free(c);

	REQUIRE(write_file("/run/sound", "plug\n"));
	deadline = now_us() + WAIT_MS * 1000;
	while ((r = alsa_capture_open(&c, name, RATE, 2)) < 0 &&
	       now_us() < deadline)
		poll(NULL, 0, 50);
	REQUIRE_EQ(r, 0);
	REQUIRE_EQ(alsa_capture_start(c), 0);
	h = (struct heard){ 0 };
	REQUIRE_EQ(listen_to(c, RATE / 4, &h), 0);
	alsa_capture_free(c);
	return true;
}

static const struct vm_case cases[] = {
	{ "aloop", "mmap access, pace, time stamps, no loss", aloop_pace },
	{ "aloop", "wrong names", aloop_wrong_names },
	{ "aloop", "a busy microphone", aloop_busy },
	{ "aloop", "an overrun", aloop_overrun },
	{ "aloop", "one microphone, two readers (dsnoop)", aloop_shared },
	{ "aloop", "driver unbound while recording", aloop_unbound },
	{ "usb", "one channel of a stereo card", usb_converted },
	{ "usb", "sound card unplugged, plugged in again", usb_unplugged },
};

int main(int argc, char *argv[])
{
	if (argc != 2) {
		fprintf(stderr, "usage: sound-drivers aloop|usb\n");
		return 2;
	}
	return vm_run(cases, sizeof(cases) / sizeof(cases[0]), argv[1]);
}
