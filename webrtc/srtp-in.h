/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/srtp-in.h - checks and decrypts what one peer sends
 *
 * A thin wrapper of libsrtp2, its process-global state included: that is
 * initialised by the first srtp_in_new() and shut down with the last free.
 *
 * Source:  RFC 3711, RFC 7714; libsrtp2
 * Thread:  network (different peers may live on different threads)
 * Memory:  libsrtp2 allocates for every new SSRC, at most SRTP_IN_SSRCS_MAX
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webrtc/srtp-keys.h"

/* Sources one peer may use at once in its life, RTP and RTCP together. */
#define SRTP_IN_SSRCS_MAX 128
#define SRTP_IN_REPLAY_WINDOW 1024

struct srtp_in;

struct srtp_in_stats {
	uint64_t packets;	/* authentic and new */
	uint64_t replayed;	/* seen before, or older than the window */
	uint64_t bad;		/* not authentic, or malformed */
	uint64_t refused;	/* sources beyond SRTP_IN_SSRCS_MAX */
};

/* @master: the remote side's, see dtls_get_srtp(); not kept.
 * Return: 0, -EINVAL (profile), -ENOMEM, -EIO (libsrtp2 did not start). */
int srtp_in_new(enum srtp_profile profile, const struct srtp_master *master,
		struct srtp_in **ret);
struct srtp_in *srtp_in_free(struct srtp_in *s);

/* Checks and decrypts in place.
 * Return: the plain packet's length, or -EBADMSG (not authentic, malformed),
 * -EALREADY (replayed), -ENOSPC (too many sources). All are counted; the
 * buffer's content is then undefined. */
int srtp_in_rtp(struct srtp_in *s, uint8_t *data, size_t len);
int srtp_in_rtcp(struct srtp_in *s, uint8_t *data, size_t len);

void srtp_in_get_stats(const struct srtp_in *s, struct srtp_in_stats *ret);
