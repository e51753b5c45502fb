// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dtls-identity.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Nobody checks the dates: the fingerprint vouches for the certificate. They
 * are wide because boxes without a battery start in the wrong year. */
#define VALID_BEFORE_SECONDS (24L * 3600)
#define VALID_AFTER_SECONDS  (10L * 365 * 24 * 3600)
#define SERIAL_BITS	     64
/* A peer's certificate is self-signed and small. */
#define PEER_CHAIN_MAX_BYTES 16384

/* The server's order decides; all are AEAD with forward secrecy. RSA is for
 * peers whose certificate is. */
#define CIPHERS                          \
	"ECDHE-ECDSA-AES128-GCM-SHA256:" \
	"ECDHE-RSA-AES128-GCM-SHA256:"   \
	"ECDHE-ECDSA-CHACHA20-POLY1305:" \
	"ECDHE-RSA-CHACHA20-POLY1305:"   \
	"ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-RSA-AES256-GCM-SHA384"
#define GROUPS	      "X25519:P-256"
#define SRTP_PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"

struct dtls_identity {
	atomic_uint refs;
	SSL_CTX *context;
	char fingerprint[DTLS_FINGERPRINT_BYTES];
};

/* Any certificate passes the handshake: dtls.c compares its fingerprint. */
static int accept_any(int ok, X509_STORE_CTX *store)
{
	return 1;
}

static bool fill_certificate(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);
	BIGNUM *serial = BN_new();
	bool ok;

	/* A constant name: it identifies nobody across sessions. */
	ok = serial && X509_set_version(cert, X509_VERSION_3) == 1 &&
	     BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY,
		     BN_RAND_BOTTOM_ANY) == 1 &&
	     BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) &&
	     X509_gmtime_adj(X509_getm_notBefore(cert),
			     -VALID_BEFORE_SECONDS) &&
	     X509_gmtime_adj(X509_getm_notAfter(cert), VALID_AFTER_SECONDS) &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					(const unsigned char *) "WebRTC", -1,
					-1, 0) == 1 &&
	     X509_set_issuer_name(cert, name) == 1 &&
	     X509_set_pubkey(cert, key) == 1 &&
	     X509_sign(cert, key, EVP_sha256()) > 0;
	BN_free(serial);
	return ok;
}

static bool fill_context(SSL_CTX *ctx, X509 *cert, EVP_PKEY *key)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_QUERY_MTU |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_max_cert_list(ctx, PEER_CHAIN_MAX_BYTES);
	SSL_CTX_set_verify(ctx,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   accept_any);
	/* set_tlsext_use_srtp returns 0 for success. */
	return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, GROUPS) == 1 &&
	       SSL_CTX_set_tlsext_use_srtp(ctx, SRTP_PROFILES) == 0 &&
	       SSL_CTX_use_certificate(ctx, cert) == 1 &&
	       SSL_CTX_use_PrivateKey(ctx, key) == 1;
}

int dtls_identity_new(struct dtls_identity **ret)
{
	struct dtls_identity *id = calloc(1, sizeof(*id));
	struct dtls_fingerprint fp;
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int r = -EIO;

	if (!id)
		return -ENOMEM;
	atomic_init(&id->refs, 1);
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	id->context = SSL_CTX_new(DTLS_method());
	if (key && cert && id->context && fill_certificate(cert, key) &&
	    fill_context(id->context, cert, key) &&
	    dtls_fingerprint_of(cert, DTLS_HASH_SHA256, &fp) == 0) {
		dtls_fingerprint_format(&fp, id->fingerprint);
		r = 0;
	}
	EVP_PKEY_free(key);
	X509_free(cert);
	if (r < 0) {
		ERR_clear_error();
		dtls_identity_unref(id);
		return r;
	}
	*ret = id;
	return 0;
}

struct dtls_identity *dtls_identity_ref(struct dtls_identity *id)
{
	atomic_fetch_add(&id->refs, 1);
	return id;
}

struct dtls_identity *dtls_identity_unref(struct dtls_identity *id)
{
	if (id && atomic_fetch_sub(&id->refs, 1) == 1) {
		SSL_CTX_free(id->context);
		free(id);
	}
	return NULL;
}

const char *dtls_identity_get_fingerprint(const struct dtls_identity *id)
{
	return id->fingerprint;
}

struct ssl_ctx_st *dtls_identity_get_context(const struct dtls_identity *id)
{
	return id->context;
}
