// SPDX-License-Identifier: Apache-2.0
#include "webrtc/srtp-keys.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* RFC 3711 §4.3.1 and §4.3.2 */
enum label {
	LABEL_RTP_KEY = 0,
	LABEL_RTP_AUTH = 1,
	LABEL_RTP_SALT = 2,
	LABEL_RTCP_KEY = 3,
	LABEL_RTCP_AUTH = 4,
	LABEL_RTCP_SALT = 5,
};

const char *srtp_profile_to_string(enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_PROFILE_AES128_CM_SHA1_80:
		return "AES128_CM_SHA1_80";
	case SRTP_PROFILE_AEAD_AES_128_GCM:
		return "AEAD_AES_128_GCM";
	case SRTP_PROFILE_NONE:
		break;
	}
	return NULL;
}

size_t srtp_profile_salt_bytes(enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_PROFILE_AES128_CM_SHA1_80:
		return SRTP_CM_SALT_BYTES;
	case SRTP_PROFILE_AEAD_AES_128_GCM:
		return SRTP_GCM_SALT_BYTES;
	case SRTP_PROFILE_NONE:
		break;
	}
	return 0;
}

size_t srtp_profile_tag_bytes(enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_PROFILE_AES128_CM_SHA1_80:
		return SRTP_CM_TAG_BYTES;
	case SRTP_PROFILE_AEAD_AES_128_GCM:
		return SRTP_GCM_TAG_BYTES;
	case SRTP_PROFILE_NONE:
		break;
	}
	return 0;
}

/* AES-CM as a pseudo-random function: the key stream that starts at
 * (label * 2^48 xor salt) * 2^16. @salt is 14 bytes, zero padded for AEAD. */
static int derive(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *salt,
		  enum label label, uint8_t *ret, size_t len)
{
	static const uint8_t zero[SRTP_SHA1_KEY_BYTES];
	uint8_t iv[16] = {0};
	int n;

	memcpy(iv, salt, SRTP_CM_SALT_BYTES);
	iv[7] ^= (uint8_t) label;
	if (EVP_EncryptInit_ex2(ctx, NULL, key, iv, NULL) != 1 ||
	    EVP_EncryptUpdate(ctx, ret, &n, zero, (int) len) != 1)
		return -ENOMEM;
	return 0;
}

int srtp_keys_derive(enum srtp_profile profile,
		     const struct srtp_master *master,
		     struct srtp_session_keys *ret)
{
	size_t salt_len = srtp_profile_salt_bytes(profile);
	bool auth = profile == SRTP_PROFILE_AES128_CM_SHA1_80;
	uint8_t salt[SRTP_CM_SALT_BYTES] = {0};
	struct srtp_session_keys keys = {0};
	struct {
		enum label label;
		uint8_t *to;
		size_t len;
	} parts[] = {
		{LABEL_RTP_KEY, keys.rtp_key, SRTP_KEY_BYTES},
		{LABEL_RTP_SALT, keys.rtp_salt, salt_len},
		{LABEL_RTCP_KEY, keys.rtcp_key, SRTP_KEY_BYTES},
		{LABEL_RTCP_SALT, keys.rtcp_salt, salt_len},
		{LABEL_RTP_AUTH, keys.rtp_auth, SRTP_SHA1_KEY_BYTES},
		{LABEL_RTCP_AUTH, keys.rtcp_auth, SRTP_SHA1_KEY_BYTES},
	};
	size_t n = auth ? 6 : 4;
	EVP_CIPHER_CTX *ctx;
	int r = -ENOMEM;

	if (!salt_len)
		return -EINVAL;
	memcpy(salt, master->salt, salt_len);

	ctx = EVP_CIPHER_CTX_new();
	if (ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), NULL, NULL,
				       NULL) == 1)
		r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = derive(ctx, master->key, salt, parts[i].label, parts[i].to,
			   parts[i].len);
	EVP_CIPHER_CTX_free(ctx);
	if (r == 0)
		*ret = keys;
	OPENSSL_cleanse(&keys, sizeof(keys));
	OPENSSL_cleanse(salt, sizeof(salt));
	return r;
}
