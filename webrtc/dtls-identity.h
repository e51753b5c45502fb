/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/dtls-identity.h - who we are: one key, one certificate, one context
 *
 * Made once at start (about a millisecond) and shared by all peers of the
 * process. The certificate is self-signed; its fingerprint travels in SDP.
 *
 * Source:  RFC 8827 §6.5 (P-256, DTLS 1.2 suites), RFC 8122 (fingerprint)
 * Thread:  any after creation: constant, save OpenSSL's own locked counts
 * Memory:  reference counted; every struct dtls holds a reference
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SHA-512: 64 bytes, each two digits and a colon or the final NUL. */
#define DTLS_FINGERPRINT_BYTES (64 * 3)

struct dtls_identity;

/* Return: 0, or -EIO when OpenSSL cannot make key or context, -ENOMEM. */
int dtls_identity_new(struct dtls_identity **ret);
struct dtls_identity *dtls_identity_ref(struct dtls_identity *id);
struct dtls_identity *dtls_identity_unref(struct dtls_identity *id);

/* SHA-256 of the certificate as SDP writes it, "AB:CD:...", for
 * "a=fingerprint:sha-256 %s". Lives as long as @id. */
const char *dtls_identity_get_fingerprint(const struct dtls_identity *id);

/* --- for dtls.c ---------------------------------------------------------- */
struct ssl_ctx_st;
struct bio_method_st;
struct x509_st;
struct ssl_ctx_st *dtls_identity_get_context(struct dtls_identity *id);
/* Writes @cert's hash in SDP form. @hash: "sha-256", "sha-384", "sha-512",
 * case-insensitive. Return: 0, -EOPNOTSUPP (another hash), -EIO. */
int dtls_fingerprint(const struct x509_st *cert, const char *hash,
		     char ret[DTLS_FINGERPRINT_BYTES]);
