// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dtls-fingerprint.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static const struct {
	const char *name;
	enum dtls_hash hash;
	size_t len;
} hashes[] = {
	{"sha-256", DTLS_HASH_SHA256, 32},
	{"sha-384", DTLS_HASH_SHA384, 48},
	{"sha-512", DTLS_HASH_SHA512, 64},
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int dtls_fingerprint_parse(const char *hash, const char *text,
			   struct dtls_fingerprint *ret)
{
	struct dtls_fingerprint fp = {0};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		if (strcasecmp(hash, hashes[i].name) == 0) {
			fp.hash = hashes[i].hash;
			fp.len = hashes[i].len;
		}
	}
	if (!fp.len)
		return -EOPNOTSUPP;

	for (size_t i = 0; i < fp.len; i++) {
		int high, low;

		high = hex_digit(*text);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		fp.bytes[i] = (uint8_t) (high << 4 | low);
		text += 2;
		if (i + 1 < fp.len && *text++ != ':')
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*ret = fp;
	return 0;
}

void dtls_fingerprint_format(const struct dtls_fingerprint *fp,
			     char ret[DTLS_FINGERPRINT_BYTES])
{
	static const char digits[] = "0123456789ABCDEF";

	*ret = 0;
	for (size_t i = 0; i < fp->len; i++) {
		*ret++ = digits[fp->bytes[i] >> 4];
		*ret++ = digits[fp->bytes[i] & 15];
		*ret++ = i + 1 < fp->len ? ':' : 0;
	}
}

bool dtls_fingerprint_equal(const struct dtls_fingerprint *a,
			    const struct dtls_fingerprint *b)
{
	return a->hash == b->hash && a->len == b->len &&
	       CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

int dtls_fingerprint_of(const struct x509_st *cert, enum dtls_hash hash,
			struct dtls_fingerprint *ret)
{
	struct dtls_fingerprint fp = {.hash = hash};
	const EVP_MD *md = NULL;
	unsigned int len;

	switch (hash) {
	case DTLS_HASH_SHA256:
		md = EVP_sha256();
		break;
	case DTLS_HASH_SHA384:
		md = EVP_sha384();
		break;
	case DTLS_HASH_SHA512:
		md = EVP_sha512();
		break;
	}
	if (!md || X509_digest(cert, md, fp.bytes, &len) != 1)
		return -EIO;
	fp.len = len;
	*ret = fp;
	return 0;
}
