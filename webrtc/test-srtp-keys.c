// SPDX-License-Identifier: Apache-2.0
#include "webrtc/srtp-keys.h"

#include <errno.h>

#include <glib.h>

/* RFC 3711 appendix B.3 */
static const struct srtp_master master = {
	{0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c,
	 0x06, 0xde, 0x41, 0x39},
	{0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a,
	 0xab, 0xe6},
};

static void test_rfc3711_derivation(void)
{
	static const uint8_t key[] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f,
				      0x39, 0xee, 0x10, 0x73, 0x4a, 0xfe,
				      0x3f, 0xf7, 0xa0, 0x87};
	static const uint8_t salt[] = {0x30, 0xcb, 0xbc, 0x08, 0x86,
				       0x3d, 0x8c, 0x85, 0xd4, 0x9d,
				       0xb3, 0x4a, 0x9a, 0xe1};
	static const uint8_t auth[] = {0xce, 0xbe, 0x32, 0x1f, 0x6f, 0xf7, 0x71,
				       0x6b, 0x6f, 0xd4, 0xab, 0x49, 0xaf, 0x25,
				       0x6a, 0x15, 0x6d, 0x38, 0xba, 0xa4};
	struct srtp_session_keys keys;

	g_assert_cmpint(srtp_keys_derive(SRTP_PROFILE_AES128_CM_SHA1_80,
					 &master, &keys),
			==, 0);
	g_assert_cmpmem(keys.rtp_key, sizeof(keys.rtp_key), key, sizeof(key));
	g_assert_cmpmem(keys.rtp_salt, sizeof(keys.rtp_salt), salt,
			sizeof(salt));
	g_assert_cmpmem(keys.rtp_auth, sizeof(keys.rtp_auth), auth,
			sizeof(auth));
	/* Other labels, other keys. */
	g_assert_true(memcmp(keys.rtp_key, keys.rtcp_key, 16) != 0);
	g_assert_true(memcmp(keys.rtp_auth, keys.rtcp_auth, 20) != 0);
}

static void test_gcm_uses_twelve_bytes_of_salt(void)
{
	static const uint8_t zero[SRTP_SHA1_KEY_BYTES];
	struct srtp_master other = master;
	struct srtp_session_keys a, b;

	other.salt[12] ^= 0xff;
	other.salt[13] ^= 0xff;
	g_assert_cmpint(srtp_keys_derive(SRTP_PROFILE_AEAD_AES_128_GCM,
					 &master, &a),
			==, 0);
	g_assert_cmpint(srtp_keys_derive(SRTP_PROFILE_AEAD_AES_128_GCM,
					 &other, &b),
			==, 0);
	g_assert_cmpmem(&a, sizeof(a), &b, sizeof(b));
	g_assert_cmpmem(a.rtp_auth, sizeof(zero), zero, sizeof(zero));

	other.salt[11] ^= 0xff;
	g_assert_cmpint(srtp_keys_derive(SRTP_PROFILE_AEAD_AES_128_GCM,
					 &other, &b),
			==, 0);
	g_assert_true(memcmp(a.rtp_key, b.rtp_key, 16) != 0);
}

static void test_no_profile(void)
{
	struct srtp_session_keys keys;

	g_assert_cmpint(srtp_keys_derive(SRTP_PROFILE_NONE, &master, &keys), ==,
			-EINVAL);
	g_assert_null(srtp_profile_to_string(SRTP_PROFILE_NONE));
	g_assert_cmpuint(srtp_profile_tag_bytes(SRTP_PROFILE_NONE), ==, 0);
	g_assert_cmpstr(srtp_profile_to_string(SRTP_PROFILE_AEAD_AES_128_GCM),
			==, "AEAD_AES_128_GCM");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/srtp-keys/rfc3711", test_rfc3711_derivation);
	g_test_add_func("/srtp-keys/gcm-salt",
			test_gcm_uses_twelve_bytes_of_salt);
	g_test_add_func("/srtp-keys/none", test_no_profile);
	return g_test_run();
}
