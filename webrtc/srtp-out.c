// SPDX-License-Identifier: Apache-2.0
/* SHA-1 is used through OpenSSL's plain functions: their state is a struct
 * that can be copied, so that a packet's HMAC starts from two prepared
 * states. The same through EVP allocates for every packet and is slower. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "webrtc/srtp-out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>

#include "webrtc/be.h"

#define RTP_HEADER_BYTES  12
#define RTCP_HEADER_BYTES 8
#define GCM_IV_BYTES	  12
#define CTR_IV_BYTES	  16
#define ROC_MAX		  UINT32_MAX
#define RTCP_INDEX_MAX	  UINT32_C(0x7fffffff)
#define RTCP_ENCRYPTED	  UINT32_C(0x80000000)
/* Longer than any datagram, short enough for OpenSSL's int lengths. */
#define PACKET_MAX_BYTES 65536

struct source {
	uint32_t ssrc;
	uint32_t roc;		/* of the highest sequence number so far */
	uint16_t seq;		/* that number */
};

/* HMAC-SHA1 after the padded key, inner and outer. */
struct hmac {
	SHA_CTX inner, outer;
};

struct direction {
	EVP_CIPHER_CTX *cipher;	/* key schedule set once, IV per packet */
	uint8_t salt[SRTP_CM_SALT_BYTES];
	struct hmac hmac;
};

struct srtp_out {
	bool gcm;
	unsigned int tag_bytes;
	struct direction rtp, rtcp;
	uint32_t rtcp_index;	/* of the next packet */
	unsigned int n_sources, last;
	struct source sources[SRTP_OUT_SSRCS_MAX];
};

static void xor_into(uint8_t *p, const uint8_t *q, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= q[i];
}

static void hmac_init(struct hmac *h, const uint8_t key[SRTP_SHA1_KEY_BYTES])
{
	uint8_t pad[SHA_CBLOCK];

	memset(pad, 0x36, sizeof(pad));
	xor_into(pad, key, SRTP_SHA1_KEY_BYTES);
	SHA1_Init(&h->inner);
	SHA1_Update(&h->inner, pad, sizeof(pad));

	memset(pad, 0x5c, sizeof(pad));
	xor_into(pad, key, SRTP_SHA1_KEY_BYTES);
	SHA1_Init(&h->outer);
	SHA1_Update(&h->outer, pad, sizeof(pad));
	OPENSSL_cleanse(pad, sizeof(pad));
}

/* Tag over @len bytes and @word, which is not all in the packet (the ROC). */
static void hmac_tag(const struct hmac *h, const uint8_t *data, size_t len,
		     const uint8_t *word, size_t word_len,
		     uint8_t tag[SRTP_CM_TAG_BYTES])
{
	uint8_t digest[SHA_DIGEST_LENGTH];
	SHA_CTX c = h->inner;

	SHA1_Update(&c, data, len);
	SHA1_Update(&c, word, word_len);
	SHA1_Final(digest, &c);
	c = h->outer;
	SHA1_Update(&c, digest, sizeof(digest));
	SHA1_Final(digest, &c);
	memcpy(tag, digest, SRTP_CM_TAG_BYTES);
}

static int direction_init(struct direction *d, bool gcm, const uint8_t *key,
			  const uint8_t *salt, const uint8_t *auth)
{
	const EVP_CIPHER *cipher = gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();

	memcpy(d->salt, salt, sizeof(d->salt));
	if (!gcm)
		hmac_init(&d->hmac, auth);
	d->cipher = EVP_CIPHER_CTX_new();
	if (!d->cipher ||
	    EVP_EncryptInit_ex2(d->cipher, cipher, key, NULL, NULL) != 1)
		return -ENOMEM;
	return 0;
}

int srtp_out_new_from_keys(enum srtp_profile profile,
			   const struct srtp_session_keys *keys,
			   struct srtp_out **ret)
{
	struct srtp_out *s;
	int r;

	if (!srtp_profile_tag_bytes(profile))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->gcm = profile == SRTP_PROFILE_AEAD_AES_128_GCM;
	s->tag_bytes = (unsigned int) srtp_profile_tag_bytes(profile);
	r = direction_init(&s->rtp, s->gcm, keys->rtp_key, keys->rtp_salt,
			   keys->rtp_auth);
	if (r == 0)
		r = direction_init(&s->rtcp, s->gcm, keys->rtcp_key,
				   keys->rtcp_salt, keys->rtcp_auth);
	if (r < 0) {
		srtp_out_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

int srtp_out_new(enum srtp_profile profile, const struct srtp_master *master,
		 struct srtp_out **ret)
{
	struct srtp_session_keys keys;
	int r;

	r = srtp_keys_derive(profile, master, &keys);
	if (r < 0)
		return r;
	r = srtp_out_new_from_keys(profile, &keys, ret);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return r;
}

struct srtp_out *srtp_out_free(struct srtp_out *s)
{
	if (!s)
		return NULL;
	EVP_CIPHER_CTX_free(s->rtp.cipher);
	EVP_CIPHER_CTX_free(s->rtcp.cipher);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
	return NULL;
}

size_t srtp_out_tag_bytes(const struct srtp_out *s)
{
	return s->tag_bytes;
}

/* Finds the source; a new one is only kept by advance(). */
static struct source *find_source(struct srtp_out *s, uint32_t ssrc)
{
	struct source *src = &s->sources[s->last];

	if (src->ssrc == ssrc && s->last < s->n_sources)
		return src;
	for (unsigned int i = 0; i < s->n_sources; i++) {
		if (s->sources[i].ssrc == ssrc) {
			s->last = i;
			return &s->sources[i];
		}
	}
	return NULL;
}

/* The roll-over counter of @seq (RFC 3711 §3.3.1), and the state moved on.
 * The arithmetic is on 48-bit indices, the difference on 16 signed bits. */
static int advance(struct srtp_out *s, uint32_t ssrc, uint16_t seq,
		   uint32_t *ret_roc)
{
	struct source *src = find_source(s, ssrc);
	int64_t index, highest;

	if (!src) {
		if (s->n_sources == SRTP_OUT_SSRCS_MAX)
			return -ENOSPC;
		s->last = s->n_sources++;
		s->sources[s->last] = (struct source) {ssrc, 0, seq};
		*ret_roc = 0;
		return 0;
	}
	highest = (int64_t) src->roc << 16 | src->seq;
	index = highest + (int16_t) (uint16_t) (seq - src->seq);
	if (index < 0)
		return -EINVAL;
	if (index >> 16 > ROC_MAX)
		return -EOVERFLOW;
	*ret_roc = (uint32_t) (index >> 16);
	if (index > highest) {
		src->roc = *ret_roc;
		src->seq = seq;
	}
	return 0;
}

/* Encrypts the pieces one after another. Return: ciphertext bytes, -EIO. */
static int encrypt(EVP_CIPHER_CTX *c, const struct iovec *in, unsigned int n,
		   uint8_t *dst)
{
	int total = 0, len;

	for (unsigned int i = 0; i < n; i++) {
		if (!in[i].iov_len)
			continue;
		if (EVP_EncryptUpdate(c, dst + total, &len, in[i].iov_base,
				      (int) in[i].iov_len) != 1)
			return -EIO;
		total += len;
	}
	return total;
}

/* One packet under GCM: additional data, pieces, tag behind the ciphertext.
 * Return: ciphertext bytes, or -EIO. */
static int seal_gcm(struct direction *d, const uint8_t iv[GCM_IV_BYTES],
		    const uint8_t *aad, size_t aad_len, const uint8_t *aad2,
		    size_t aad2_len, const struct iovec *in, unsigned int n,
		    uint8_t *dst)
{
	EVP_CIPHER_CTX *c = d->cipher;
	OSSL_PARAM tag[2];
	int len, written;

	if (EVP_EncryptInit_ex2(c, NULL, NULL, iv, NULL) != 1 ||
	    EVP_EncryptUpdate(c, NULL, &len, aad, (int) aad_len) != 1)
		return -EIO;
	if (aad2_len &&
	    EVP_EncryptUpdate(c, NULL, &len, aad2, (int) aad2_len) != 1)
		return -EIO;
	written = encrypt(c, in, n, dst);
	if (written < 0)
		return written;
	if (EVP_EncryptFinal_ex(c, dst + written, &len) != 1)
		return -EIO;
	/* What EVP_CIPHER_CTX_ctrl() does for the tag, by a shorter way. */
	tag[0] = (OSSL_PARAM) OSSL_PARAM_octet_string(
		OSSL_CIPHER_PARAM_AEAD_TAG, dst + written, SRTP_GCM_TAG_BYTES);
	tag[1] = (OSSL_PARAM) OSSL_PARAM_END;
	if (EVP_CIPHER_CTX_get_params(c, tag) != 1)
		return -EIO;
	return written;
}

/* RFC 7714 §8.1 and §9.1: two zero bytes, the SSRC, and six bytes of packet
 * number, xor salt. */
static void gcm_iv(const struct direction *d, uint32_t ssrc, uint32_t high,
		   uint16_t low, uint8_t iv[GCM_IV_BYTES])
{
	memset(iv, 0, 2);
	be32_put(iv + 2, ssrc);
	be32_put(iv + 6, high);
	be16_put(iv + 10, low);
	xor_into(iv, d->salt, GCM_IV_BYTES);
}

/* RFC 3711 §4.1.1: salt * 2^16 xor SSRC * 2^64 xor index * 2^16. */
static void ctr_iv(const struct direction *d, uint32_t ssrc, uint32_t high,
		   uint16_t low, uint8_t iv[CTR_IV_BYTES])
{
	memset(iv, 0, CTR_IV_BYTES);
	be32_put(iv + 4, ssrc);
	be32_put(iv + 8, high);
	be16_put(iv + 12, low);
	xor_into(iv, d->salt, SRTP_CM_SALT_BYTES);
}

static int crypt_ctr(struct direction *d, const uint8_t iv[CTR_IV_BYTES],
		     const struct iovec *in, unsigned int n, uint8_t *dst)
{
	if (EVP_EncryptInit_ex2(d->cipher, NULL, NULL, iv, NULL) != 1)
		return -EIO;
	return encrypt(d->cipher, in, n, dst);
}

/* Does the header end where its own fields say? */
static bool header_is_rtp(const uint8_t *h, size_t len)
{
	size_t need = RTP_HEADER_BYTES;

	if (len < need || h[0] >> 6 != 2)
		return false;
	need += (size_t) (h[0] & 0x0f) * 4;
	if (h[0] & 0x10) {
		if (len < need + 4)
			return false;
		need += 4 + (size_t) be16_get(h + need + 2) * 4;
	}
	return len == need;
}

int srtp_out_rtp(struct srtp_out *s, const uint8_t *header, size_t header_len,
		 const struct iovec *payload, unsigned int n, uint8_t *dst,
		 size_t dst_size)
{
	size_t total = header_len + s->tag_bytes;
	uint8_t iv[CTR_IV_BYTES], word[4];
	uint32_t ssrc, roc;
	uint16_t seq;
	int r, len;

	if (n > SRTP_OUT_PIECES_MAX || !header_is_rtp(header, header_len))
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		if (payload[i].iov_len > PACKET_MAX_BYTES)
			return -EINVAL;
		total += payload[i].iov_len;
	}
	if (total > dst_size)
		return -ENOBUFS;

	seq = be16_get(header + 2);
	ssrc = be32_get(header + 8);
	r = advance(s, ssrc, seq, &roc);
	if (r < 0)
		return r;

	if (dst != header)
		memcpy(dst, header, header_len);
	if (s->gcm) {
		gcm_iv(&s->rtp, ssrc, roc, seq, iv);
		len = seal_gcm(&s->rtp, iv, dst, header_len, NULL, 0, payload,
			       n, dst + header_len);
	} else {
		ctr_iv(&s->rtp, ssrc, roc, seq, iv);
		len = crypt_ctr(&s->rtp, iv, payload, n, dst + header_len);
	}
	if (len < 0)
		return len;
	if (!s->gcm) {
		be32_put(word, roc);
		hmac_tag(&s->rtp.hmac, dst, header_len + (size_t) len, word,
			 sizeof(word), dst + header_len + len);
	}
	return (int) total;
}

int srtp_out_rtcp(struct srtp_out *s, const uint8_t *packet, size_t len,
		  uint8_t *dst, size_t dst_size)
{
	uint8_t iv[CTR_IV_BYTES], word[SRTCP_INDEX_BYTES], *end;
	struct iovec body;
	uint32_t ssrc;
	int r;

	if (len < RTCP_HEADER_BYTES || len > PACKET_MAX_BYTES ||
	    packet[0] >> 6 != 2)
		return -EINVAL;
	if (len + s->tag_bytes + SRTCP_INDEX_BYTES > dst_size)
		return -ENOBUFS;
	if (s->rtcp_index > RTCP_INDEX_MAX)
		return -EOVERFLOW;

	end = dst + len;
	body.iov_base = (uint8_t *) packet + RTCP_HEADER_BYTES;
	body.iov_len = len - RTCP_HEADER_BYTES;
	ssrc = be32_get(packet + 4);
	be32_put(word, s->rtcp_index | RTCP_ENCRYPTED);
	if (dst != packet)
		memcpy(dst, packet, RTCP_HEADER_BYTES);
	if (s->gcm) {
		/* header | ciphertext | tag | index (RFC 7714 §9.2) */
		gcm_iv(&s->rtcp, ssrc, s->rtcp_index >> 16,
		       (uint16_t) s->rtcp_index, iv);
		r = seal_gcm(&s->rtcp, iv, dst, RTCP_HEADER_BYTES, word,
			     sizeof(word), &body, 1, dst + RTCP_HEADER_BYTES);
		memcpy(end + s->tag_bytes, word, sizeof(word));
	} else {
		/* header | ciphertext | index | tag (RFC 3711 §3.4) */
		ctr_iv(&s->rtcp, ssrc, s->rtcp_index >> 16,
		       (uint16_t) s->rtcp_index, iv);
		r = crypt_ctr(&s->rtcp, iv, &body, 1, dst + RTCP_HEADER_BYTES);
		memcpy(end, word, sizeof(word));
		hmac_tag(&s->rtcp.hmac, dst, len, word, sizeof(word),
			 end + sizeof(word));
	}
	if (r < 0)
		return r;
	s->rtcp_index++;
	return (int) (len + s->tag_bytes + SRTCP_INDEX_BYTES);
}
