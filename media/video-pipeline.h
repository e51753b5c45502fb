/* SPDX-License-Identifier: Apache-2.0 */
/* media/video-pipeline.h - one picture source and the encoders that feed on it
 *
 *                  +-- rung VP8  (encode thread) --> on_unit()
 *   source --------+
 *   (capture       +-- rung H264 (encode thread) --> on_unit()
 *    thread)
 *
 * A rung is one running encoder, shared by everybody who takes it. A rung that
 * nobody takes does not run; a source that no rung needs is stopped. A source
 * that delivers H.264 itself (encoding camera, elementary stream) has one rung
 * without an encoder.
 *
 * The source may be replaced while rungs run: their units stay numbered and
 * timed without a gap, and the first one of the new source is a keyframe. The
 * old source goes on until the new one delivers, for a second at most, then a
 * placeholder stands in; of two cameras the old one is closed first, since they
 * may be the same.
 *
 * Source:  none (our own)
 * Thread:  control, save where a function says "any"
 * Memory:  owned by its creator
 */
#pragma once

#include "media/coded-unit.h"
#include "media/media-clock.h"
#include "media/video-choice.h"

struct video_pipeline;

/* What the source is doing. Reported when it changes. */
enum video_source_state {
	VIDEO_SOURCE_IDLE,	/* nobody takes a rung, or there is no source */
	VIDEO_SOURCE_LIVE,	/* pictures arrive */
	VIDEO_SOURCE_PLACEHOLDER, /* the device is missing or broke: a
				 * placeholder picture runs in its place, and
				 * the device is tried again once a second */
};

struct video_pipeline_config {
	struct video_choice choice;
	unsigned int bitrate_bps;	/* initial target of every rung */
	unsigned int min_bitrate_bps, max_bitrate_bps;

	/* One encoded unit is ready. Borrowed: take a reference to keep it.
	 * Runs on the rung's encode thread, for a coded source on the capture
	 * thread; must not block. */
	void (*on_unit)(void *user, struct coded_unit *unit);
	/* The source changed state. Runs on the capture thread. @detail is a
	 * sentence for a person, borrowed. */
	void (*on_state)(void *user, enum video_source_state state,
			 const char *detail);
	void *user;

	/* The time that paces the sources; NULL: the kernel's. Outlives the
	 * pipeline. */
	const struct media_clock *clock;
};

struct video_rung_stats {
	enum media_codec codec;
	uint32_t rung;
	unsigned int takers;
	unsigned int width, height;	/* 0: a passed stream's own business */
	uint64_t frames_in;		/* handed to the encoder */
	uint64_t frames_dropped;	/* encoder was behind: oldest dropped */
	uint64_t units_out, bytes_out, keyframes;
	uint64_t encode_errors;		/* the encoder was opened anew */
	uint64_t encode_ns_total;	/* thread CPU time inside the encoder */
	uint32_t encode_us_p95;		/* of the last 256 frames, wall time */
	unsigned int target_bps;
	const char *encoder;		/* "libx264", "libvpx", "pass-through" */
};

struct video_pipeline_stats {
	enum video_source_state state;
	char source[256];		/* what runs: "v4l2:/dev/video0 MJPG
					 * 1280x720@30", "test 1280x720@30" */
	uint64_t since_us;		/* CLOCK_MONOTONIC: state began */
	uint64_t lost;			/* times that a device gave way to the
					 * placeholder */
	char node[VIDEO_NODE_BYTES];	/* the device that is held:
					 * "/dev/video0"; "": none */
	uint64_t replaced;		/* times that a source took over while
					 * rungs ran */
	uint64_t frames_captured;
	uint64_t frames_missed;		/* gaps in the driver's sequence */
	uint64_t frame_copies;		/* whole-picture copies we made, over
					 * all frames; conversions included */
	uint64_t frame_allocs;		/* picture buffers allocated */
	uint64_t unit_copies;		/* coded units copied: libvpx and files
					 * keep their own buffer */
	unsigned int n_rungs;
	struct video_rung_stats rungs[N_MEDIA_CODECS];
};

/**
 * video_pipeline_new() - make a pipeline; nothing runs until a rung is taken
 * @ret_error: on failure, a sentence that says what is wrong with the
 *             configuration and what would be right; free() it
 *
 * Return: 0, -EINVAL for a configuration that can never work, -ENOMEM. A
 *         device that is not there is not an error: it may come.
 */
int video_pipeline_new(struct video_pipeline **ret,
		       const struct video_pipeline_config *config,
		       char **ret_error);
/* Waits CAPTURE_END_MS for a thread that is inside a driver; one that does not
 * come back frees what is left when it does. */
struct video_pipeline *video_pipeline_free(struct video_pipeline *p);

/**
 * video_pipeline_set_source() - another source, size or rate, from now on
 * @choice:    copied
 * @ret_error: on failure a sentence, as in video_pipeline_new()
 *
 * Returns at once; on_state() tells what came of it. The same choice again
 * changes nothing. Return: 0, -EINVAL for a choice that can never work, -EBUSY
 * for one without a codec that somebody takes, -ENOMEM. On failure everything
 * stays as it is.
 */
int video_pipeline_set_source(struct video_pipeline *p,
			      const struct video_choice *choice,
			      char **ret_error);

/**
 * video_pipeline_check() - is the capture thread still with us?
 *
 * One that is inside the driver for CAPTURE_STUCK_US is left behind: another
 * begins at once, with a placeholder while the first holds the device. At most
 * CAPTURE_LEFT_MAX are left behind at a time. To be called about once a second.
 * Return: true: it was left behind just now.
 */
bool video_pipeline_check(struct video_pipeline *p);

/* A device came or changed: it is looked for at once, if one is sought, and
 * often for a few seconds. Any thread. */
void video_pipeline_poke(struct video_pipeline *p);

/* Is @source (as in video_choice) what runs, or is about to? Or is @node (as in
 * video_pipeline_stats; "" or NULL: unknown) the device that is held? Then a
 * trial would only find itself in the way. Control. */
bool video_pipeline_is_about(struct video_pipeline *p, const char *source,
			     const char *node);

/* Can this pipeline deliver @codec? (A pass-through source has only H.264.) */
bool video_pipeline_has_codec(const struct video_pipeline *p,
			      enum media_codec codec);

/**
 * video_pipeline_take() - be counted as one who takes this codec's rung
 * @ret_rung: the rung's number, as in coded_unit.rung
 *
 * Starts source and encoder if this is the first. Return: 0, or -ENOTSUP.
 */
int video_pipeline_take(struct video_pipeline *p, enum media_codec codec,
			uint32_t *ret_rung);
/* The counterpart. The last one stops the encoder, and the source with the
 * last rung: its thread is told and not waited for; on_state() says IDLE when
 * the device is closed. Taken again before that, it goes on. */
void video_pipeline_release(struct video_pipeline *p, uint32_t rung);

/**
 * video_pipeline_request_keyframe() - ask for a keyframe; any thread, no lock
 * @first: the request of a peer that has not had one yet: exempt from waiting
 *
 * The rung's keyframe authority merges requests and keeps at least 300 ms
 * between keyframes; a postponed request is answered when that time is over.
 */
void video_pipeline_request_keyframe(struct video_pipeline *p, uint32_t rung,
				     bool first);

/* Sets a running rung's target, bits per second, clamped to the configured
 * range; takes effect with the next frame. Any thread. */
void video_pipeline_set_bitrate(struct video_pipeline *p, uint32_t rung,
				unsigned int bps);

/* No rung gets more than this, whatever the network has room for; 0: as
 * configured. Any thread. */
void video_pipeline_set_cap(struct video_pipeline *p, unsigned int bps);

/* The rates of the configuration, from now on: the range of every rung, and
 * what a rung begins with that nobody takes yet. As in video_pipeline_new(): 0
 * or -EINVAL, and then nothing changed. Control. */
int video_pipeline_set_range(struct video_pipeline *p, unsigned int bps,
			     unsigned int min_bps, unsigned int max_bps);

/* Muted: black pictures flow (SkylinkJS: a disabled track), the source keeps
 * running. A pass-through source falls silent instead. Any thread. */
void video_pipeline_set_muted(struct video_pipeline *p, bool muted);

/* A consistent copy of the counters. Any thread. */
void video_pipeline_get_stats(struct video_pipeline *p,
			      struct video_pipeline_stats *ret_stats);
