/* SPDX-License-Identifier: Apache-2.0 */
/* drivers/alsa-capture.h - sound from an ALSA capture device
 *
 * Interleaved S16 at the rate asked for. The device is opened by its PCM name;
 * the automatic conversion layer ("plug") is put in front of it when it has
 * another rate, format or channel count.
 *
 * Source:  alsa-lib PCM API
 * Thread:  capture
 * Memory:  owned by its creator; acquired at open
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALSA_CAPTURE_FDS_MAX 8

struct alsa_capture;

struct alsa_capture_info {
	char name[192];			/* the PCM that was opened */
	unsigned int rate;		/* Hz */
	unsigned int channels;
	unsigned int period_frames, buffer_frames;
	bool mmap;			/* mmap access in use */
};

/**
 * alsa_capture_open() - open and configure, 10 ms periods, 200 ms of buffer
 * @name:     PCM name: "default", "hw:1,0", "plughw:CARD=Device"
 * @rate:     Hz
 * @channels: 1 or 2
 *
 * Return: 0, -ENODEV or -ENOENT (no such device), -EBUSY, -EINVAL (the device
 *         cannot do it, with conversion neither), other errno.
 */
int alsa_capture_open(struct alsa_capture **ret, const char *name,
		      unsigned int rate, unsigned int channels);
struct alsa_capture *alsa_capture_free(struct alsa_capture *c);
void alsa_capture_get_info(const struct alsa_capture *c,
			   struct alsa_capture_info *ret);

/* Return: 0 or negative errno. */
int alsa_capture_start(struct alsa_capture *c);

/* Descriptors to poll. Return: how many, at most ALSA_CAPTURE_FDS_MAX. */
unsigned int alsa_capture_get_fds(struct alsa_capture *c, struct pollfd *fds,
				  unsigned int n_max);

/**
 * alsa_capture_read() - take what is there; does not block
 * @dst:            room for @n_frames interleaved frames
 * @ret_capture_us: CLOCK_MONOTONIC of the first frame taken, microseconds;
 *                  never earlier than the time before; set if frames were read
 * @ret_lost:       frames lost to an overrun before the first one taken
 *
 * An overrun is recovered from here: the stream goes on. Read until 0 is
 * returned before polling again: some descriptors stay readable otherwise.
 *
 * Return: frames read, 0 if none is ready, -ENODEV when the device is gone,
 *         other errno for a broken stream.
 */
int alsa_capture_read(struct alsa_capture *c, int16_t *dst,
		      unsigned int n_frames, uint64_t *ret_capture_us,
		      uint64_t *ret_lost);

/* The first hardware capture PCM ("plughw:CARD=...,DEV=..."). Return: 0,
 * -ENODEV, -ENOSPC (@size too small). Any thread. */
int alsa_find_capture(char *ret_name, size_t size);

/* Calls @found for each hardware capture PCM: its name as alsa_find_capture()
 * has it, and one for people. May block. Any thread. */
void alsa_list_captures(void (*found)(void *user, const char *pcm,
				      const char *name), void *user);
