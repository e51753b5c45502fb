// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dtls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define RECORD_MAX_BYTES 16384
#define FINGERPRINTS_MAX 4
/* RFC 5764 §4.2 */
#define EXPORTER_LABEL "EXTRACTOR-dtls_srtp"

/* RFC 6347 §4.1: content types, the first byte of a record */
#define RECORD_APPLICATION_DATA 23

enum state {
	STATE_NEW,
	STATE_HANDSHAKE,
	STATE_UNVERIFIED,	/* handshake done, no fingerprint yet */
	STATE_CONNECTED,
	STATE_CLOSED,
};

struct held {
	size_t len;
	uint8_t data[];
};

struct dtls {
	struct dtls_identity *identity;
	const struct dtls_ops *ops;
	void *user;
	SSL *ssl;
	BIO_METHOD *method;
	enum dtls_role role;
	enum state state;
	enum srtp_profile profile;
	unsigned int first_timeout_us;
	uint64_t due_us;		/* UINT64_MAX: no timer */

	/* The datagram being processed, until OpenSSL has read it. */
	const uint8_t *in;
	size_t in_len;

	unsigned int n_fingerprints;
	struct dtls_fingerprint fingerprints[FINGERPRINTS_MAX];
	char peer_fingerprint[DTLS_FINGERPRINT_BYTES];

	unsigned int n_held;
	struct held *held[DTLS_HELD_MAX];

	/* Calls on the stack; dtls_free() waits until they have returned. */
	unsigned int depth;
	bool dead;
	bool resting; /* OpenSSL's record buffers are given back */
};

/* --- a BIO that keeps datagrams whole --- */
static int bio_read(BIO *bio, char *out, int size)
{
	struct dtls *d = BIO_get_data(bio);
	size_t n = (size_t) size;

	BIO_clear_retry_flags(bio);
	if (!d->in || size <= 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	/* One read takes one datagram; a rest that does not fit is lost, as
	 * with recv(2). */
	if (n > d->in_len)
		n = d->in_len;
	memcpy(out, d->in, n);
	d->in = NULL;
	return (int) n;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct dtls *d = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (len > 0 && !d->dead)
		d->ops->send(d->user, (const uint8_t *) data, (size_t) len);
	return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	struct dtls *d = BIO_get_data(bio);

	switch (cmd) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return DTLS_MTU_BYTES;
	case BIO_CTRL_PENDING:
		return d->in ? (long) d->in_len : 0;
	default:
		/* WPENDING and the MTU overhead are 0 as well. */
		return 0;
	}
}

static BIO *bio_new(struct dtls *d)
{
	BIO *bio;

	d->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "datagram in memory");
	if (!d->method || BIO_meth_set_read(d->method, bio_read) != 1 ||
	    BIO_meth_set_write(d->method, bio_write) != 1 ||
	    BIO_meth_set_ctrl(d->method, bio_ctrl) != 1)
		return NULL;
	bio = BIO_new(d->method);
	if (bio) {
		BIO_set_data(bio, d);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* --- life --- */
static unsigned int next_timeout_us(SSL *ssl, unsigned int last_us)
{
	struct dtls *d = SSL_get_app_data(ssl);

	if (!last_us)
		return d->first_timeout_us;
	if (last_us > DTLS_TIMEOUT_MAX_MS * 1000u / 2)
		return DTLS_TIMEOUT_MAX_MS * 1000u;
	return last_us * 2;
}

static void destroy(struct dtls *d)
{
	for (unsigned int i = 0; i < d->n_held; i++)
		free(d->held[i]);
	SSL_free(d->ssl);
	BIO_meth_free(d->method);
	dtls_identity_unref(d->identity);
	free(d);
}

int dtls_new(struct dtls_identity *identity, enum dtls_role role,
	     const struct dtls_ops *ops, void *user, struct dtls **ret)
{
	struct dtls *d = calloc(1, sizeof(*d));
	BIO *bio;

	if (!d)
		return -ENOMEM;
	d->identity = dtls_identity_ref(identity);
	d->ops = ops;
	d->user = user;
	d->role = role;
	d->due_us = UINT64_MAX;
	d->first_timeout_us = DTLS_TIMEOUT_FIRST_MS * 1000u;
	d->ssl = SSL_new(dtls_identity_get_context(identity));
	bio = d->ssl ? bio_new(d) : NULL;
	if (!bio) {
		destroy(d);
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_app_data(d->ssl, d);
	SSL_set_mtu(d->ssl, DTLS_MTU_BYTES);
	/* The send buffer has this size; OpenSSL's own would be 16 KiB. */
	SSL_set_max_send_fragment(d->ssl, DTLS_MTU_BYTES);
	DTLS_set_timer_cb(d->ssl, next_timeout_us);
	switch (role) {
	case DTLS_CLIENT:
		SSL_set_connect_state(d->ssl);
		break;
	case DTLS_SERVER:
		SSL_set_accept_state(d->ssl);
		break;
	}
	*ret = d;
	return 0;
}

/* What dtls_rest() gave back. OpenSSL takes reading without buffers, but not
 * writing: a failure shows as an error of the call that follows. */
static bool get_buffers(struct dtls *d)
{
	if (!d->resting)
		return true;
	d->resting = SSL_alloc_buffers(d->ssl) != 1;
	return !d->resting;
}

static void enter(struct dtls *d)
{
	d->depth++;
	ERR_clear_error();
}

/* The last statement of every entry that may call back: @d may be gone. */
static void leave(struct dtls *d, uint64_t now_us)
{
	struct timeval tv;

	ERR_clear_error();
	if (d->state == STATE_CLOSED || d->dead)
		d->due_us = UINT64_MAX;
	else if (DTLSv1_get_timeout(d->ssl, &tv) == 1)
		d->due_us = now_us + (uint64_t) tv.tv_sec * 1000000 +
			    (uint64_t) tv.tv_usec;
	else
		d->due_us = UINT64_MAX;
	if (--d->depth == 0 && d->dead)
		destroy(d);
}

struct dtls *dtls_free(struct dtls *d)
{
	if (!d)
		return NULL;
	d->dead = true;
	d->state = STATE_CLOSED;
	if (d->depth == 0)
		destroy(d);
	return NULL;
}

void dtls_set_first_timeout(struct dtls *d, unsigned int ms)
{
	d->first_timeout_us = ms * 1000u;
}

/* --- events --- */
static void closed(struct dtls *d, enum dtls_reason reason, const char *detail)
{
	if (d->state == STATE_CLOSED)
		return;
	d->state = STATE_CLOSED;
	if (d->ops->closed)
		d->ops->closed(d->user, reason, detail);
}

static void failed(struct dtls *d)
{
	unsigned long e = ERR_peek_last_error();
	const char *detail = ERR_reason_error_string(e);
	enum dtls_reason reason = DTLS_REASON_HANDSHAKE;

	if (ERR_GET_REASON(e) == SSL_R_READ_TIMEOUT_EXPIRED)
		reason = DTLS_REASON_TIMEOUT;
	else if (d->state == STATE_CONNECTED || d->state == STATE_UNVERIFIED)
		reason = DTLS_REASON_REMOTE;
	closed(d, reason, detail ? detail : "DTLS failed");
}

/* Reads what OpenSSL has. Before the verdict nothing is delivered: what is
 * not held (a rare record behind a handshake's) is dropped, SCTP repeats. */
static void drain(struct dtls *d)
{
	uint8_t data[RECORD_MAX_BYTES];
	int r;

	while (d->state == STATE_CONNECTED || d->state == STATE_UNVERIFIED) {
		ERR_clear_error();
		r = SSL_read(d->ssl, data, sizeof(data));
		if (r > 0) {
			if (d->state == STATE_CONNECTED)
				d->ops->data(d->user, data, (size_t) r);
			continue;
		}
		switch (SSL_get_error(d->ssl, r)) {
		case SSL_ERROR_WANT_READ:
		case SSL_ERROR_WANT_WRITE:
			return;
		case SSL_ERROR_ZERO_RETURN:
			SSL_shutdown(d->ssl);
			closed(d, DTLS_REASON_REMOTE,
			       "the peer closed the connection");
			return;
		default:
			failed(d);
			return;
		}
	}
}

static void replay_held(struct dtls *d)
{
	for (unsigned int i = 0; i < d->n_held; i++) {
		struct held *h = d->held[i];

		d->in = h->data;
		d->in_len = h->len;
		drain(d);
		d->in = NULL;
		free(h);
	}
	d->n_held = 0;
}

static void hold(struct dtls *d, const uint8_t *data, size_t len)
{
	struct held *h;

	if (d->n_held == DTLS_HELD_MAX || len > DTLS_HELD_BYTES_MAX)
		return;
	h = malloc(sizeof(*h) + len);
	if (!h)
		return;
	h->len = len;
	memcpy(h->data, data, len);
	d->held[d->n_held++] = h;
}

static bool is_of_peer(const struct dtls *d,
		       const struct dtls_fingerprint *promised)
{
	X509 *cert = SSL_get0_peer_certificate(d->ssl);
	struct dtls_fingerprint fp;

	return cert && dtls_fingerprint_of(cert, promised->hash, &fp) == 0 &&
	       dtls_fingerprint_equal(&fp, promised);
}

/* Both are known: the certificate and what signaling promised. */
static bool matches(const struct dtls *d)
{
	for (unsigned int i = 0; i < d->n_fingerprints; i++)
		if (is_of_peer(d, &d->fingerprints[i]))
			return true;
	return false;
}

static void verdict(struct dtls *d)
{
	if (d->state != STATE_UNVERIFIED || !d->n_fingerprints)
		return;
	if (!matches(d)) {
		SSL_shutdown(d->ssl);
		closed(d, DTLS_REASON_FINGERPRINT,
		       "the peer's certificate is not the one its "
		       "description names");
		return;
	}
	d->state = STATE_CONNECTED;
	if (d->ops->connected)
		d->ops->connected(d->user);
	drain(d);
	replay_held(d);
}

static void handshake_done(struct dtls *d)
{
	const SRTP_PROTECTION_PROFILE *p;
	struct dtls_fingerprint fp;
	X509 *cert = SSL_get0_peer_certificate(d->ssl);

	d->state = STATE_UNVERIFIED;
	if (cert && dtls_fingerprint_of(cert, DTLS_HASH_SHA256, &fp) == 0)
		dtls_fingerprint_format(&fp, d->peer_fingerprint);
	p = SSL_get_selected_srtp_profile(d->ssl);
	if (!p) {
		SSL_shutdown(d->ssl);
		closed(d, DTLS_REASON_SRTP,
		       "the peer takes none of our SRTP profiles");
		return;
	}
	/* enum srtp_profile has the registry's numbers. */
	d->profile = (enum srtp_profile) p->id;
	verdict(d);
}

static void handshake(struct dtls *d)
{
	int r = SSL_do_handshake(d->ssl);

	if (r == 1) {
		handshake_done(d);
		return;
	}
	switch (SSL_get_error(d->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return;
	default:
		failed(d);
	}
}

/* --- entries --- */
int dtls_set_remote_fingerprint(struct dtls *d, const char *hash,
				const char *fingerprint, uint64_t now_us)
{
	struct dtls_fingerprint fp;
	int r;

	if (d->state == STATE_CONNECTED || d->state == STATE_CLOSED)
		return -EISCONN;
	r = dtls_fingerprint_parse(hash, fingerprint, &fp);
	if (r < 0)
		return r;
	/* Every description repeats it. */
	for (unsigned int i = 0; i < d->n_fingerprints; i++)
		if (dtls_fingerprint_equal(&fp, &d->fingerprints[i]))
			return 0;
	if (d->n_fingerprints == FINGERPRINTS_MAX)
		return -ENOSPC;
	d->fingerprints[d->n_fingerprints++] = fp;
	enter(d);
	verdict(d);
	leave(d, now_us);
	return 0;
}

void dtls_start(struct dtls *d, uint64_t now_us)
{
	if (d->state != STATE_NEW)
		return;
	d->state = STATE_HANDSHAKE;
	enter(d);
	handshake(d);
	leave(d, now_us);
}

void dtls_input(struct dtls *d, const uint8_t *data, size_t len,
		uint64_t now_us)
{
	if (d->state == STATE_CLOSED || !len ||
	    (d->state == STATE_NEW && d->role == DTLS_CLIENT))
		return;
	if (d->state == STATE_UNVERIFIED && data[0] == RECORD_APPLICATION_DATA) {
		hold(d, data, len);
		return;
	}
	if (!get_buffers(d))
		return;
	enter(d);
	d->in = data;
	d->in_len = len;
	if (d->state == STATE_NEW)
		d->state = STATE_HANDSHAKE;
	if (d->state == STATE_HANDSHAKE)
		handshake(d);
	else
		drain(d);
	d->in = NULL;
	leave(d, now_us);
}

void dtls_timer(struct dtls *d, uint64_t now_us)
{
	if (d->state == STATE_NEW || d->state == STATE_CLOSED ||
	    !get_buffers(d))
		return;
	enter(d);
	if (DTLSv1_handle_timeout(d->ssl) < 0)
		failed(d);
	leave(d, now_us);
}

uint64_t dtls_next_timeout(const struct dtls *d)
{
	return d->due_us;
}

int dtls_write(struct dtls *d, const uint8_t *data, size_t len)
{
	if (d->state != STATE_CONNECTED)
		return -ENOTCONN;
	if (len > DTLS_DATA_MAX_BYTES)
		return -EMSGSIZE;
	if (!len)
		return 0;
	if (!get_buffers(d))
		return -ENOMEM;
	ERR_clear_error();
	if (SSL_write(d->ssl, data, (int) len) <= 0) {
		ERR_clear_error();
		return -EIO;
	}
	return 0;
}

void dtls_rest(struct dtls *d)
{
	if (d->state == STATE_CONNECTED && d->depth == 0 && !d->resting)
		d->resting = SSL_free_buffers(d->ssl) == 1;
}

void dtls_close(struct dtls *d)
{
	if ((d->state == STATE_CONNECTED || d->state == STATE_UNVERIFIED) &&
	    get_buffers(d))
		SSL_shutdown(d->ssl);
	d->state = STATE_CLOSED;
	d->due_us = UINT64_MAX;
	ERR_clear_error();
}

bool dtls_is_connected(const struct dtls *d)
{
	return d->state == STATE_CONNECTED;
}

bool dtls_is_peer(const struct dtls *d, const char *hash,
		  const char *fingerprint)
{
	struct dtls_fingerprint fp;

	return dtls_fingerprint_parse(hash, fingerprint, &fp) == 0 &&
	       is_of_peer(d, &fp);
}

enum dtls_role dtls_get_role(const struct dtls *d)
{
	return d->role;
}

const char *dtls_get_peer_fingerprint(const struct dtls *d)
{
	return d->peer_fingerprint;
}

const char *dtls_get_cipher(const struct dtls *d)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(d->ssl);

	return c ? SSL_CIPHER_get_name(c) : "";
}

enum srtp_profile dtls_get_profile(const struct dtls *d)
{
	return d->profile;
}

int dtls_get_srtp(struct dtls *d, enum srtp_profile *ret_profile,
		  struct srtp_master *ret_send,
		  struct srtp_master *ret_receive)
{
	/* client key | server key | client salt | server salt */
	uint8_t block[2 * (SRTP_KEY_BYTES + SRTP_CM_SALT_BYTES)];
	size_t salt_len = srtp_profile_salt_bytes(d->profile);
	struct srtp_master client = {0}, server = {0};
	const uint8_t *p = block;

	if (d->state != STATE_CONNECTED)
		return -ENOTCONN;
	ERR_clear_error();
	if (SSL_export_keying_material(d->ssl, block,
				       2 * (SRTP_KEY_BYTES + salt_len),
				       EXPORTER_LABEL,
				       strlen(EXPORTER_LABEL), NULL, 0,
				       0) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	memcpy(client.key, p, SRTP_KEY_BYTES);
	p += SRTP_KEY_BYTES;
	memcpy(server.key, p, SRTP_KEY_BYTES);
	p += SRTP_KEY_BYTES;
	memcpy(client.salt, p, salt_len);
	p += salt_len;
	memcpy(server.salt, p, salt_len);

	*ret_profile = d->profile;
	*ret_send = d->role == DTLS_CLIENT ? client : server;
	*ret_receive = d->role == DTLS_CLIENT ? server : client;
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&client, sizeof(client));
	OPENSSL_cleanse(&server, sizeof(server));
	return 0;
}
