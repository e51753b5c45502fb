/* SPDX-License-Identifier: Apache-2.0 */
/* media/video-source.h - where pictures come from, as a table of functions
 *
 * The capture thread opens a source, waits for what wait() names, and calls
 * take(); it owns the source throughout. Pictures outlive it: they hold what
 * they need until their last reader lets go.
 *
 * Source:  none (our own)
 * Thread:  capture
 * Memory:  owned by who opened it; close() returns NULL
 */
#pragma once

#include "media/coded-unit.h"
#include "media/media-clock.h"
#include "media/picture.h"

#include <sys/types.h>

#define VIDEO_NODE_BYTES 64

struct video_source;
struct unit_pool;

struct video_source_config {
	const char *path;	/* what follows the prefix; NULL if nothing;
				 * of the call alone */
	unsigned int width, height; /* pixels, wanted */
	unsigned int fps;	/* wanted */
	/* Coded H.264 may be delivered instead of pictures */
	bool coded_wanted;
	const struct media_clock *clock;
	struct media_count *count; /* outlives source and pictures */
	struct unit_pool *units;   /* for coded sources */
	int wake_fd; /* becomes readable when a blocking call should end; -1 */
	const char *message; /* the placeholder's text */
	bool device_only;    /* auto: a device or nothing */
};

/* Either a picture or a coded unit, with one reference for the caller. */
struct video_sample {
	struct picture *picture;
	struct coded_unit *unit;
	uint64_t capture_us;  /* CLOCK_MONOTONIC */
	unsigned int n_missed; /* frames lost before this one */
};

/* What to wait for before the next take(). */
struct video_source_wait {
	int fd;		/* -1: none */
	short events;	/* as poll(2) */
	uint64_t deadline_us; /* MEDIA_NO_DEADLINE: the descriptor alone */
};

enum {
	VIDEO_SOURCE_SAMPLE = 0,
	VIDEO_SOURCE_NOTHING = 1, /* not yet; wait again */
};

struct video_source_ops {
	/* "test", "v4l2", ...: as in the configuration, before the colon */
	const char *name;
	bool wants_path;
	bool always_coded; /* H.264 alone, never pictures */
	bool is_device;	   /* a camera: silent for seconds means broken */

	/* On failure @why says what was wrong, for a person. May block: a
	 * device does. Return: 0 or a negative errno. */
	int (*open)(struct video_source **ret,
		    const struct video_source_config *config, char *why,
		    size_t why_size);
	void (*wait)(struct video_source *s, struct video_source_wait *ret);
	/* Return: VIDEO_SOURCE_SAMPLE, VIDEO_SOURCE_NOTHING, or a negative
	 * errno: the source is of no use any more. */
	int (*take)(struct video_source *s, struct video_sample *ret);
	/* To an encoder outside; may be NULL. A wish: it may do nothing. */
	void (*request_keyframe)(struct video_source *s);
	void (*set_bitrate)(struct video_source *s, unsigned int bps);
	struct video_source *(*close)(struct video_source *s);
};

/* The part every source begins with. */
struct video_source {
	const struct video_source_ops *ops;
	char detail[200]; /* what runs: "test 1280x720@30" */
	unsigned int width, height, fps;
	bool coded; /* delivers H.264 units */
	bool switchable; /* opened anew it delivers pictures instead */
	bool is_stand_in; /* for a device that was not there: of auto */
	char node[VIDEO_NODE_BYTES]; /* the device it holds; "": none */
};

extern const struct video_source_ops source_test_ops;
extern const struct video_source_ops source_test_screen_ops;
extern const struct video_source_ops source_placeholder_ops;
extern const struct video_source_ops source_file_ops;
extern const struct video_source_ops source_h264_ops;
extern const struct video_source_ops source_v4l2_ops;
extern const struct video_source_ops source_auto_ops;

/**
 * video_source_find() - the kind of source a configuration names
 * @spec:     "test", "v4l2:/dev/video0", ...
 * @ret_path: what follows the colon, inside @spec; NULL if nothing does
 *
 * Return: NULL if there is none of that name, or if it lacks its path.
 */
const struct video_source_ops *video_source_find(const char *spec,
						 const char **ret_path);
