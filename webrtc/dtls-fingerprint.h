/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/dtls-fingerprint.h - a certificate's hash as signaling carries it
 *
 *	a=fingerprint:sha-256 4A:AD:B9:B1:...
 *
 * Source:  RFC 8122 §5
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_HASH_MAX_BYTES 64
/* Two digits and a colon (or the final NUL) for every byte. */
#define DTLS_FINGERPRINT_BYTES (DTLS_HASH_MAX_BYTES * 3)

/* What we accept: a sha-1 or md5 "match" can be manufactured. */
enum dtls_hash {
	DTLS_HASH_SHA256,
	DTLS_HASH_SHA384,
	DTLS_HASH_SHA512,
};

struct dtls_fingerprint {
	enum dtls_hash hash;
	size_t len;			/* of the hash, bytes */
	uint8_t bytes[DTLS_HASH_MAX_BYTES];
};

/* @hash and @text: both terminated, any case. Return: 0, -EOPNOTSUPP (a hash
 * unknown or too weak), -EINVAL (not that hash's number of hex pairs). */
int dtls_fingerprint_parse(const char *hash, const char *text,
			   struct dtls_fingerprint *ret);
/* "AB:CD:...", as SDP wants it. */
void dtls_fingerprint_format(const struct dtls_fingerprint *fp,
			     char ret[DTLS_FINGERPRINT_BYTES]);
bool dtls_fingerprint_equal(const struct dtls_fingerprint *a,
			    const struct dtls_fingerprint *b);

/* The fingerprint of an OpenSSL certificate. Return: 0 or -EIO. */
struct x509_st;
int dtls_fingerprint_of(const struct x509_st *cert, enum dtls_hash hash,
			struct dtls_fingerprint *ret);
