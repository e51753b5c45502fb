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

#include "drivers/device.h"

#define ALSA_CAPTURE_FDS_MAX 8
#define ALSA_PCM_BYTES	     192

struct alsa_capture;

struct alsa_capture_info {
	char name[ALSA_PCM_BYTES];	/* the PCM that was opened */
	char node[DEVICE_NODE_BYTES];	/* "hw:1,0"; "": no hardware's */
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

/* Something that records. */
struct alsa_microphone {
	struct device device;		/* the card; its name: card and PCM */
	char pcm[ALSA_PCM_BYTES];	/* "plughw:CARD=...,DEV=..." */
	char name[DEVICE_ID_BYTES];	/* device_get_lasting_name() */
};

/* All hardware capture PCMs, in device_list()'s order. May block. Any thread.
 * Return: how many, at most @max. */
size_t alsa_list_captures(struct alsa_microphone *ret, size_t max);
/* The first of them. Return: 0 or -ENODEV. */
int alsa_find_capture(struct alsa_microphone *ret);

/**
 * alsa_resolve() - the microphone that a configuration means
 * @word:    what device_match() takes
 * @by_name: a part of the name will do; else an id or port alone
 * @why:     a sentence on failure; without @by_name of -ENOTUNIQ alone
 *
 * May block. Any thread. Return: 0, -ENODEV, -ENOTUNIQ.
 */
int alsa_resolve(const char *word, bool by_name, struct alsa_microphone *ret,
		 char *why, size_t why_size);
