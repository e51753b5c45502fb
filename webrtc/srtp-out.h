/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/srtp-out.h - protects what we send to one peer
 *
 * Encrypts out of place, from a few pieces of the encoder's packet
 * straight into the segment buffer: the encryption is the only copy.
 *
 *   header (clear, authenticated) | payload pieces -> ciphertext | tag
 *
 * The roll-over counter of every SSRC is guessed from its sequence numbers
 * as a receiver would (RFC 3711 §3.3.1), so order and resending do not
 * matter within 2^15 packets. Resending a sequence number must mean the very
 * same bytes: under GCM another text with the same index gives the key away.
 * What answers a NACK goes out as a new packet of the RTX source.
 *
 * Source:  RFC 3711, RFC 7714
 * Thread:  network
 * Memory:  acquired by srtp_out_new(), nothing per packet
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "webrtc/srtp-keys.h"

#define SRTP_OUT_SSRCS_MAX  16
#define SRTP_OUT_PIECES_MAX 8

struct srtp_out;

/* @master: our side's, see dtls_get_srtp(); not kept.
 * Return: 0, -EINVAL (profile), -ENOMEM. */
int srtp_out_new(enum srtp_profile profile, const struct srtp_master *master,
		 struct srtp_out **ret);
/* The same from session keys, as test vectors have them. */
int srtp_out_new_from_keys(enum srtp_profile profile,
			   const struct srtp_session_keys *keys,
			   struct srtp_out **ret);
struct srtp_out *srtp_out_free(struct srtp_out *s);

/* Bytes added to every RTP packet: 16 or 10. */
size_t srtp_out_tag_bytes(const struct srtp_out *s);

/**
 * srtp_out_rtp() - protect one RTP packet
 * @header: fixed header, CSRCs and extension, complete; may be @dst itself,
 *          already in place
 * @payload: @n <= SRTP_OUT_PIECES_MAX pieces, in order; a piece may stand
 *          exactly where its ciphertext goes, and must not overlap otherwise
 * @dst_size: >= header_len + payload + srtp_out_tag_bytes()
 *
 * Return: bytes written, or -EINVAL (@header is no RTP header of that
 * length, too many pieces, a sequence number before the first), -ENOBUFS
 * (@dst_size), -ENOSPC (more than SRTP_OUT_SSRCS_MAX sources), -EOVERFLOW
 * (2^48 packets: a new key is needed), -EIO (OpenSSL refused).
 */
int srtp_out_rtp(struct srtp_out *s, const uint8_t *header, size_t header_len,
		 const struct iovec *payload, unsigned int n, uint8_t *dst,
		 size_t dst_size);

/**
 * srtp_out_rtcp() - protect one compound RTCP packet
 * @packet: at least 8 bytes; may be @dst itself
 * @dst_size: >= len + SRTCP_OVERHEAD_MAX
 *
 * One index for all sources: never reused within the key.
 * Return: bytes written, or -EINVAL, -ENOBUFS, -EOVERFLOW (2^31 packets),
 * -EIO.
 */
int srtp_out_rtcp(struct srtp_out *s, const uint8_t *packet, size_t len,
		  uint8_t *dst, size_t dst_size);
