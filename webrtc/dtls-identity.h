/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/dtls-identity.h - who we are: one key, one certificate, one context
 *
 * Made once at start (about a millisecond) and shared by all peers of the
 * process. The certificate is self-signed; its fingerprint travels in SDP.
 *
 * Source:  RFC 8827 §6.5 (P-256, DTLS 1.2 suites), RFC 5764 (use_srtp)
 * Thread:  any after creation: constant, save OpenSSL's own locked counts
 * Memory:  reference counted; every struct dtls holds a reference
 */
#pragma once

#include "webrtc/dtls-fingerprint.h"

struct dtls_identity;

/* Return: 0, or -EIO when OpenSSL cannot make key or context, -ENOMEM. */
int dtls_identity_new(struct dtls_identity **ret);
struct dtls_identity *dtls_identity_ref(struct dtls_identity *id);
struct dtls_identity *dtls_identity_unref(struct dtls_identity *id);

/* SHA-256 of the certificate as SDP writes it, "AB:CD:...", for
 * "a=fingerprint:sha-256 %s". Lives as long as @id. */
const char *dtls_identity_get_fingerprint(const struct dtls_identity *id);

/* For dtls.c: the context all connections are made from. Borrowed. */
struct ssl_ctx_st;
struct ssl_ctx_st *dtls_identity_get_context(const struct dtls_identity *id);
