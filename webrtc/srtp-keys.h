/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/srtp-keys.h - SRTP profiles and the session keys made from a master
 *
 * Source:  RFC 3711 §4.3 (derivation), RFC 7714 §11 (for AEAD), RFC 5764
 *          §4.1.2 (profiles)
 * Thread:  any; pure, but for the cipher OpenSSL makes for the call
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of the use_srtp extension. */
enum srtp_profile {
	SRTP_PROFILE_NONE = 0,
	SRTP_PROFILE_AES128_CM_SHA1_80 = 0x0001,
	SRTP_PROFILE_AEAD_AES_128_GCM = 0x0007,
};

#define SRTP_KEY_BYTES	    16
#define SRTP_CM_SALT_BYTES  14
#define SRTP_GCM_SALT_BYTES 12
#define SRTP_SHA1_KEY_BYTES 20
#define SRTP_CM_TAG_BYTES   10
#define SRTP_GCM_TAG_BYTES  16
#define SRTCP_INDEX_BYTES   4
/* What protection adds at most: to RTP, and to RTCP. */
#define SRTP_OVERHEAD_MAX  SRTP_GCM_TAG_BYTES
#define SRTCP_OVERHEAD_MAX (SRTP_GCM_TAG_BYTES + SRTCP_INDEX_BYTES)

/* One direction's master key, as the DTLS exporter gives it. */
struct srtp_master {
	uint8_t key[SRTP_KEY_BYTES];
	uint8_t salt[SRTP_CM_SALT_BYTES];	/* GCM uses the first 12 */
};

struct srtp_session_keys {
	uint8_t rtp_key[SRTP_KEY_BYTES];
	uint8_t rtp_salt[SRTP_CM_SALT_BYTES];
	uint8_t rtp_auth[SRTP_SHA1_KEY_BYTES];	/* zero for GCM */
	uint8_t rtcp_key[SRTP_KEY_BYTES];
	uint8_t rtcp_salt[SRTP_CM_SALT_BYTES];
	uint8_t rtcp_auth[SRTP_SHA1_KEY_BYTES];	/* zero for GCM */
};

/* "AEAD_AES_128_GCM", "AES128_CM_SHA1_80", or NULL for none. */
const char *srtp_profile_to_string(enum srtp_profile profile);
/* Bytes of master salt, 0 for none. */
size_t srtp_profile_salt_bytes(enum srtp_profile profile);
/* Bytes protection adds to an RTP packet, 0 for none. */
size_t srtp_profile_tag_bytes(enum srtp_profile profile);

/* Key derivation rate 0: once per master key.
 * Return: 0, -EINVAL (profile), -ENOMEM (OpenSSL refused). */
int srtp_keys_derive(enum srtp_profile profile,
		     const struct srtp_master *master,
		     struct srtp_session_keys *ret);
