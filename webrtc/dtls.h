/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/dtls.h - one peer's DTLS association: bytes in, bytes out
 *
 *   new -> [start] -> handshake -> (fingerprint) -> connected -> closed
 *
 * The transport is the owner's: it hands datagrams to dtls_input() (first
 * byte 20..63, already known to come from the ICE pair) and sends what comes
 * out of ops->send. Media keys come from dtls_get_srtp(), data channels ride
 * on dtls_write() and ops->data.
 *
 * Nobody is trusted before his certificate matched a fingerprint from
 * signaling. The handshake may run before that is known: connected() and
 * data() then wait for dtls_set_remote_fingerprint(); records that arrive
 * meanwhile are held, at most DTLS_HELD_MAX datagrams.
 *
 * Order of calls:
 *	dtls_new(identity, role, &ops, user, &d);
 *	dtls_set_remote_fingerprint(d, "sha-256", "AA:BB...", now);
 *	dtls_start(d, now);			once ICE has a pair
 *	dtls_input(d, data, len, now);		for every datagram
 *	   ... and after each of these arm a timer at dtls_next_timeout(d),
 *	   which calls dtls_timer(d, now)
 *	connected(): dtls_get_srtp(), create SRTP contexts, start SCTP
 *	dtls_close(d); d = dtls_free(d);
 *
 * Callbacks may call any function of this header, dtls_free() too, but for
 * ops->send, which must call nothing of it: OpenSSL is on the stack.
 *
 * Source:  RFC 6347 (DTLS 1.2), RFC 5764 (SRTP keys), RFC 8827 §6.5,
 *          RFC 8842 (roles), RFC 8122 (fingerprints)
 * Thread:  network
 * Memory:  one SSL of OpenSSL's, and the datagrams held
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webrtc/dtls-identity.h"
#include "webrtc/srtp-keys.h"

/* Payload of one UDP datagram we send; handshake flights fragment to it. */
#define DTLS_MTU_BYTES 1200
/* What one record of application data may carry: MTU less header, nonce and
 * tag of the largest suite in use (13 + 8 + 16, rounded up). */
#define DTLS_DATA_MAX_BYTES (DTLS_MTU_BYTES - 40)
/* Datagrams held while the fingerprint is not known yet. */
#define DTLS_HELD_MAX 16
#define DTLS_HELD_BYTES_MAX 2048
/* First retransmission after; doubles up to the second. RFC 6347 §4.2.4
 * proposes a second; interactive use wants a lost flight back at once. */
#define DTLS_TIMEOUT_FIRST_MS 100
#define DTLS_TIMEOUT_MAX_MS 3000

enum dtls_role {
	DTLS_CLIENT,	/* a=setup:active: sends the ClientHello */
	DTLS_SERVER,	/* a=setup:passive: chooses the SRTP profile */
};

enum dtls_reason {
	DTLS_REASON_REMOTE,	 /* close_notify: the peer said good-bye */
	DTLS_REASON_FINGERPRINT, /* not the certificate signaling promised */
	DTLS_REASON_HANDSHAKE,	 /* no common ground, or a fatal alert */
	DTLS_REASON_TIMEOUT,	 /* retransmitted 12 times in vain */
	DTLS_REASON_SRTP,	 /* the peer takes none of our SRTP profiles */
};

struct dtls;

struct dtls_ops {
	/* Sends one datagram, <= DTLS_MTU_BYTES; borrowed. Must not call
	 * back into the association. */
	void (*send)(void *user, const uint8_t *data, size_t len);
	/* Handshake done and fingerprint matched. Once. */
	void (*connected)(void *user);
	/* Application data of one record: an SCTP packet. Borrowed. */
	void (*data)(void *user, const uint8_t *data, size_t len);
	/* Gone, by the remote or by failure; once, and nothing follows.
	 * Not called for dtls_close() and dtls_free(). @detail: for a person. */
	void (*closed)(void *user, enum dtls_reason reason,
		       const char *detail);
};

/* @identity: referenced. @ops: kept, must outlive the association.
 * Return: 0 or -ENOMEM. */
int dtls_new(struct dtls_identity *identity, enum dtls_role role,
	     const struct dtls_ops *ops, void *user, struct dtls **ret);
/* No callback afterwards, nothing is sent. Takes NULL, returns NULL. */
struct dtls *dtls_free(struct dtls *d);

/* For tests and known long paths, before dtls_start(). */
void dtls_set_first_timeout(struct dtls *d, unsigned int ms);

/**
 * dtls_set_remote_fingerprint() - what signaling promised
 * @hash: "sha-256", "sha-384" or "sha-512", any case
 * @fingerprint: hex pairs with colons, any case
 *
 * Several may be given (the same again is no other): the certificate must match one
 * (RFC 8122 §5: any of the strongest we know; all we take are strong). May
 * be called at any time before the association is connected; if the
 * handshake is over, the verdict and its callback come within this call.
 *
 * Return: 0, -EOPNOTSUPP (hash unknown or too weak: sha-1, md5), -EINVAL
 * (no fingerprint of that hash), -ENOSPC (more than four), -EISCONN
 * (connected or closed already: too late).
 */
int dtls_set_remote_fingerprint(struct dtls *d, const char *hash,
				const char *fingerprint, uint64_t now_us);

/* Lets the client send its first flight; the server just listens. A datagram
 * to a server that was not started starts it. */
void dtls_start(struct dtls *d, uint64_t now_us);

/* One datagram from the peer. Garbage is dropped, as DTLS asks. */
void dtls_input(struct dtls *d, const uint8_t *data, size_t len,
		uint64_t now_us);

/* Retransmits if it is time; harmless when called early. */
void dtls_timer(struct dtls *d, uint64_t now_us);
/* When dtls_timer() is due next, same clock as now_us; UINT64_MAX: never. */
uint64_t dtls_next_timeout(const struct dtls *d);

/* Sends application data as one record. Calls ops->send only.
 * Return: 0, -ENOTCONN (not connected, or closed), -EMSGSIZE
 * (> DTLS_DATA_MAX_BYTES), -ENOMEM, -EIO. */
int dtls_write(struct dtls *d, const uint8_t *data, size_t len);
/* Nothing passed for a while: gives OpenSSL's record buffers back (18 KiB)
 * until the next datagram or write. */
void dtls_rest(struct dtls *d);

/* Sends close_notify; then the association only swallows input. */
void dtls_close(struct dtls *d);

bool dtls_is_connected(const struct dtls *d);
/* Is this a fingerprint of the certificate that the peer presented? */
bool dtls_is_peer(const struct dtls *d, const char *hash,
		  const char *fingerprint);
enum dtls_role dtls_get_role(const struct dtls *d);
/* SHA-256 of the peer's certificate in SDP form, "" before the handshake. */
const char *dtls_get_peer_fingerprint(const struct dtls *d);
/* "ECDHE-ECDSA-AES128-GCM-SHA256", or "" before the handshake. */
const char *dtls_get_cipher(const struct dtls *d);

/* What was agreed, without the keys; SRTP_PROFILE_NONE before. */
enum srtp_profile dtls_get_profile(const struct dtls *d);
/* The media keys (RFC 5764 §4.2), sorted by direction for us.
 * Return: 0, -ENOTCONN or -EIO; outputs are then untouched. */
int dtls_get_srtp(struct dtls *d, enum srtp_profile *ret_profile,
		  struct srtp_master *ret_send,
		  struct srtp_master *ret_receive);
