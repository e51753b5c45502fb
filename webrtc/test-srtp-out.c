// SPDX-License-Identifier: Apache-2.0
#include "webrtc/srtp-out.h"

#include <errno.h>

#include <glib.h>
#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include "webrtc/srtp-in.h"

#define PACKET_MAX 1500

static const struct srtp_master master = {
	{0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c,
	 0x06, 0xde, 0x41, 0x39},
	{0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a,
	 0xab, 0xe6},
};

static size_t unhex(const char *hex, uint8_t *dst)
{
	size_t n = 0;

	for (; hex[0]; hex += 2, n++)
		dst[n] = (uint8_t) (g_ascii_xdigit_value(hex[0]) << 4 |
				    g_ascii_xdigit_value(hex[1]));
	return n;
}

/* The session keys of RFC 7714 §16 and §17. */
static struct srtp_out *rfc7714_keys(void)
{
	struct srtp_session_keys keys = {0};
	struct srtp_out *s = NULL;

	unhex("000102030405060708090a0b0c0d0e0f", keys.rtp_key);
	unhex("517569642070726f2071756f", keys.rtp_salt);
	memcpy(keys.rtcp_key, keys.rtp_key, sizeof(keys.rtp_key));
	memcpy(keys.rtcp_salt, keys.rtp_salt, sizeof(keys.rtp_salt));
	g_assert_cmpint(srtp_out_new_from_keys(SRTP_PROFILE_AEAD_AES_128_GCM,
					       &keys, &s),
			==, 0);
	return s;
}

static void test_rfc7714_rtp(void)
{
	struct srtp_out *s = rfc7714_keys();
	uint8_t plain[64], want[96], got[96];
	size_t len, want_len;
	struct iovec piece;

	len = unhex("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e6973"
		    "2064697669736120696e207061727465732074726573",
		    plain);
	want_len = unhex("8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e"
			 "4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf883389"
			 "9d7f27beb16a9152cf765ee4390cce",
			 want);
	piece = (struct iovec) {plain + 12, len - 12};
	g_assert_cmpint(srtp_out_rtp(s, plain, 12, &piece, 1, got, sizeof(got)),
			==, want_len);
	g_assert_cmpmem(got, want_len, want, want_len);
	srtp_out_free(s);
}

static void test_rfc7714_rtcp(void)
{
	struct srtp_out *s = rfc7714_keys();
	uint8_t plain[64], want[96], got[96];
	size_t len, want_len;

	len = unhex("81c8000d4d6172734e5450314e545032525450200000042a0000e930"
		    "4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
		    plain);
	want_len = unhex("81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5"
			 "c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb927"
			 "5bc84aa45896cf4d2fc5abf87245d9eade800005d4",
			 want);
	for (unsigned int i = 0; i < 0x5d4; i++)
		g_assert_cmpint(srtp_out_rtcp(s, plain, len, got, sizeof(got)),
				==, want_len);
	g_assert_cmpint(srtp_out_rtcp(s, plain, len, got, sizeof(got)), ==,
			want_len);
	g_assert_cmpmem(got, want_len, want, want_len);
	srtp_out_free(s);
}

/* RFC 3711 appendix B.2: SSRC, ROC and sequence number 0. */
static void test_rfc3711_keystream(void)
{
	struct srtp_session_keys keys = {0};
	uint8_t header[12] = {0x80}, zero[32] = {0}, want[32], got[64];
	struct iovec piece = {zero, sizeof(zero)};
	struct srtp_out *s = NULL;

	unhex("2b7e151628aed2a6abf7158809cf4f3c", keys.rtp_key);
	unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfd", keys.rtp_salt);
	unhex("e03ead0935c95e80e166b16dd92b4eb4"
	      "d23513162b02d0f72a43a2fe4a5f97ab",
	      want);
	g_assert_cmpint(srtp_out_new_from_keys(SRTP_PROFILE_AES128_CM_SHA1_80,
					       &keys, &s),
			==, 0);
	g_assert_cmpint(srtp_out_rtp(s, header, 12, &piece, 1, got,
				     sizeof(got)),
			==, 12 + 32 + 10);
	g_assert_cmpmem(got + 12, 32, want, 32);
	srtp_out_free(s);
}

/* --- beside libsrtp2 ------------------------------------------------------ */
struct reference {
	enum srtp_profile profile;
	struct srtp_out *ours;
	struct srtp_in *in;	/* keeps libsrtp2 alive, and receives */
	srtp_t theirs;
};

static void reference_init(struct reference *f, enum srtp_profile profile)
{
	uint8_t key[30];
	srtp_policy_t policy = {0};

	f->profile = profile;
	g_assert_cmpint(srtp_out_new(profile, &master, &f->ours), ==, 0);
	g_assert_cmpint(srtp_in_new(profile, &master, &f->in), ==, 0);
	if (profile == SRTP_PROFILE_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	memcpy(key, master.key, 16);
	memcpy(key + 16, master.salt, srtp_profile_salt_bytes(profile));
	policy.key = key;
	policy.ssrc.type = ssrc_any_outbound;
	policy.window_size = 1024;
	policy.allow_repeat_tx = 1;
	g_assert_cmpint(srtp_create(&f->theirs, &policy), ==,
			srtp_err_status_ok);
}

static void reference_done(struct reference *f)
{
	srtp_dealloc(f->theirs);
	f->ours = srtp_out_free(f->ours);
	f->in = srtp_in_free(f->in);
}

/* A random packet: CSRCs and an extension in some. Return: header length. */
static size_t random_rtp(GRand *rand, uint32_t ssrc, uint16_t seq, uint8_t *p,
			 size_t *ret_len)
{
	unsigned int csrcs = g_rand_boolean(rand) ? 0 : g_rand_int(rand) % 16;
	bool extension = g_rand_boolean(rand);
	size_t payload = g_rand_int(rand) % 1201, header = 12 + csrcs * 4;

	for (size_t i = 0; i < PACKET_MAX; i++)
		p[i] = (uint8_t) g_rand_int(rand);
	p[0] = (uint8_t) (0x80 | (extension ? 0x10 : 0) | csrcs);
	p[2] = (uint8_t) (seq >> 8);
	p[3] = (uint8_t) seq;
	for (int i = 0; i < 4; i++)
		p[8 + i] = (uint8_t) (ssrc >> (24 - 8 * i));
	if (extension) {
		p[header] = 0xbe;
		p[header + 1] = 0xde;
		p[header + 2] = 0;
		p[header + 3] = (uint8_t) (g_rand_int(rand) % 8);
		header += 4 + p[header + 3] * 4u;
	}
	*ret_len = header + payload;
	return header;
}

/* The payload cut at random places, each piece in memory of its own. */
static unsigned int cut(GRand *rand, uint8_t *p, size_t len, struct iovec *ret)
{
	unsigned int n = 1 + g_rand_int(rand) % SRTP_OUT_PIECES_MAX;

	for (unsigned int i = 0; i < n; i++) {
		size_t take = i + 1 == n ? len : g_rand_int(rand) % (len + 1);

		ret[i] = (struct iovec) {g_memdup2(p, take), take};
		p += take;
		len -= take;
	}
	return n;
}

static void check_packet(struct reference *f, GRand *rand, uint32_t ssrc,
			 uint16_t seq)
{
	uint8_t plain[PACKET_MAX], want[PACKET_MAX + 32], got[PACKET_MAX + 32];
	size_t len, header = random_rtp(rand, ssrc, seq, plain, &len);
	struct iovec pieces[SRTP_OUT_PIECES_MAX];
	unsigned int n = cut(rand, plain + header, len - header, pieces);
	int want_len = (int) len, r;

	memcpy(want, plain, len);
	g_assert_cmpint(srtp_protect(f->theirs, want, &want_len), ==,
			srtp_err_status_ok);
	r = srtp_out_rtp(f->ours, plain, header, pieces, n, got,
			 len + srtp_out_tag_bytes(f->ours));
	g_assert_cmpint(r, ==, want_len);
	g_assert_cmpmem(got, r, want, want_len);
	for (unsigned int i = 0; i < n; i++)
		g_free(pieces[i].iov_base);

	/* The other way: what goes out comes in, once. */
	g_assert_cmpint(srtp_in_rtp(f->in, got, (size_t) r), ==, len);
	g_assert_cmpmem(got, len, plain, len);
	g_assert_cmpint(srtp_in_rtp(f->in, want, (size_t) r), ==, -EALREADY);

	/* In place gives the same bytes as out of place did. */
	memcpy(got, plain, len);
	pieces[0] = (struct iovec) {got + header, len - header};
	g_assert_cmpint(srtp_out_rtp(f->ours, got, header, pieces, 1, got,
				     sizeof(got)),
			==, want_len);
	want_len = (int) len;
	memcpy(want, plain, len);
	g_assert_cmpint(srtp_protect(f->theirs, want, &want_len), ==,
			srtp_err_status_ok);
	g_assert_cmpmem(got, want_len, want, want_len);
}

/* Several sources, some loss and disorder, and the roll-over counter of each
 * wraps more than once. */
static void test_equals_libsrtp(gconstpointer data)
{
	GRand *rand = g_rand_new_with_seed(7);
	uint32_t ssrcs[3] = {0x1234, 0xdeadbeef, 0};
	uint32_t next[3] = {65000, 1, 32768};
	struct reference f;

	reference_init(&f, GPOINTER_TO_UINT(data));
	for (unsigned int i = 0; i < 6000; i++) {
		unsigned int k = g_rand_int(rand) % 3;

		/* Big steps, so that the counters turn over soon. */
		next[k] += 1 + g_rand_int(rand) % 100;
		check_packet(&f, rand, ssrcs[k], (uint16_t) next[k]);
		if (i % 7 == 0) {
			next[k] += 5;
			check_packet(&f, rand, ssrcs[k], (uint16_t) next[k]);
			/* disorder: one from between the last two */
			check_packet(&f, rand, ssrcs[k],
				     (uint16_t) (next[k] - 2));
		}
	}
	g_assert_cmpuint(next[0], >, 2 * 65536);
	reference_done(&f);
	g_rand_free(rand);
}

static int protect(struct srtp_out *s, uint32_t ssrc, uint16_t seq,
		   uint8_t *dst)
{
	uint8_t header[12] = {0x80, 96, (uint8_t) (seq >> 8), (uint8_t) seq,
			      0, 0, 0, 0, 0, 0, (uint8_t) (ssrc >> 8),
			      (uint8_t) ssrc};
	uint8_t body[40];
	struct iovec piece = {body, sizeof(body)};

	memset(body, seq & 0xff, sizeof(body));
	return srtp_out_rtp(s, header, 12, &piece, 1, dst, 128);
}

/* A packet sent before the wrap and again after it has the same bytes. */
static void test_resend_across_wrap(gconstpointer data)
{
	uint8_t first[128], again[128], other[128];
	struct srtp_out *s = NULL;
	int r;

	g_assert_cmpint(srtp_out_new(GPOINTER_TO_UINT(data), &master, &s), ==,
			0);
	r = protect(s, 1, 65530, first);
	g_assert_cmpint(r, >, 0);
	for (uint32_t seq = 65531; seq < 65536 + 100; seq++)
		g_assert_cmpint(protect(s, 1, (uint16_t) seq, other), ==, r);
	g_assert_cmpint(protect(s, 1, 65530, again), ==, r);
	g_assert_cmpmem(first, r, again, r);
	/* And the next one is still of the new round. */
	g_assert_cmpint(protect(s, 1, 5, first), ==, r);
	g_assert_cmpint(protect(s, 1, 5, again), ==, r);
	g_assert_cmpmem(first, r, again, r);
	srtp_out_free(s);
}

/* Random packets of three sources come in again; then, index by index,
 * those of one source beside libsrtp2's. */
static void test_rtcp(gconstpointer data)
{
	GRand *rand = g_rand_new_with_seed(8);
	uint8_t plain[1200], want[1300], got[1300];
	struct reference f;

	reference_init(&f, GPOINTER_TO_UINT(data));
	for (unsigned int i = 0; i < 500; i++) {
		size_t len = 8 + g_rand_int(rand) % 298 * 4;
		int r;

		for (size_t k = 0; k < len; k++)
			plain[k] = (uint8_t) g_rand_int(rand);
		plain[0] = 0x80;
		plain[1] = 200;
		memset(plain + 4, 0, 4);
		plain[7] = (uint8_t) (i % 3);
		r = srtp_out_rtcp(f.ours, plain, len, got,
				  len + SRTCP_OVERHEAD_MAX);
		g_assert_cmpint(r, >, (int) len);
		g_assert_cmpint(srtp_in_rtcp(f.in, got, (size_t) r), ==, len);
		g_assert_cmpmem(got, len, plain, len);
	}
	reference_done(&f);

	reference_init(&f, GPOINTER_TO_UINT(data));
	memset(plain, 0x5a, sizeof(plain));
	plain[0] = 0x81;
	plain[1] = 201;
	g_assert_cmpint(srtp_out_rtcp(f.ours, plain, 32, got, sizeof(got)), >,
			0);	/* index 0, which libsrtp2 skips */
	for (unsigned int i = 0; i < 100; i++) {
		int want_len = 32, r;

		memcpy(want, plain, 32);
		g_assert_cmpint(srtp_protect_rtcp(f.theirs, want, &want_len),
				==, srtp_err_status_ok);
		memcpy(got, plain, 32);
		r = srtp_out_rtcp(f.ours, got, 32, got, sizeof(got));
		g_assert_cmpint(r, ==, want_len);
		g_assert_cmpmem(got, r, want, want_len);
	}
	reference_done(&f);
	g_rand_free(rand);
}

/* --- allocations ---------------------------------------------------------- */
static unsigned int n_allocations;

static void *counting_malloc(size_t size, const char *file, int line)
{
	n_allocations++;
	return malloc(size);
}

static void *counting_realloc(void *p, size_t size, const char *file, int line)
{
	n_allocations++;
	return realloc(p, size);
}

static void counting_free(void *p, const char *file, int line)
{
	free(p);
}

static void test_allocates_nothing(gconstpointer data)
{
	uint8_t rtcp[40] = {0x80, 200}, dst[128];
	struct srtp_out *s = NULL;

	n_allocations = 0;
	g_assert_cmpint(srtp_out_new(GPOINTER_TO_UINT(data), &master, &s), ==,
			0);
	g_assert_cmpuint(n_allocations, >, 0);	/* they are counted */
	n_allocations = 0;
	for (unsigned int i = 0; i < 1000; i++) {
		g_assert_cmpint(protect(s, i % 3, (uint16_t) i, dst), >, 0);
		g_assert_cmpint(srtp_out_rtcp(s, rtcp, 40, dst, 128), >, 0);
	}
	g_assert_cmpuint(n_allocations, ==, 0);
	srtp_out_free(s);
}

static void test_refusals(void)
{
	uint8_t header[20] = {0x80}, body[20] = {0}, dst[200];
	struct iovec pieces[SRTP_OUT_PIECES_MAX + 1];
	struct srtp_out *s = NULL;

	for (unsigned int i = 0; i < G_N_ELEMENTS(pieces); i++)
		pieces[i] = (struct iovec) {body, 20};

	g_assert_cmpint(srtp_out_new(SRTP_PROFILE_NONE, &master, &s), ==,
			-EINVAL);
	g_assert_null(s);
	g_assert_cmpint(srtp_out_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master,
				     &s),
			==, 0);
	g_assert_cmpint(srtp_out_rtp(s, header, 11, pieces, 1, dst, 200), ==,
			-EINVAL);
	g_assert_cmpint(srtp_out_rtp(s, header, 13, pieces, 1, dst, 200), ==,
			-EINVAL);
	g_assert_cmpint(srtp_out_rtp(s, header, 12, pieces,
				     G_N_ELEMENTS(pieces), dst, 200), ==,
			-EINVAL);
	g_assert_cmpint(srtp_out_rtp(s, header, 12, pieces, 4, dst,
				     12 + 80 + 15),
			==, -ENOBUFS);
	g_assert_cmpint(srtp_out_rtp(s, header, 12, pieces, 4, dst,
				     12 + 80 + 16),
			==, 12 + 80 + 16);
	g_assert_cmpint(srtp_out_rtcp(s, body, 20, dst, 200), ==, -EINVAL);
	body[0] = 0x80;
	g_assert_cmpint(srtp_out_rtcp(s, body, 7, dst, 200), ==, -EINVAL);
	g_assert_cmpint(srtp_out_rtcp(s, body, 20, dst, 39), ==, -ENOBUFS);
	g_assert_cmpint(srtp_out_rtcp(s, body, 20, dst, 40), ==, 40);
	/* An empty payload is a packet too. */
	header[3] = 1;
	g_assert_cmpint(srtp_out_rtp(s, header, 12, NULL, 0, dst, 200), ==,
			28);
	srtp_out_free(s);
	g_assert_null(srtp_out_free(NULL));
}

static void test_source_limit(void)
{
	struct srtp_out *s = NULL;
	uint8_t dst[128];

	g_assert_cmpint(srtp_out_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master,
				     &s),
			==, 0);
	for (uint32_t i = 0; i < SRTP_OUT_SSRCS_MAX; i++)
		g_assert_cmpint(protect(s, i, 3, dst), >, 0);
	g_assert_cmpint(protect(s, 99, 3, dst), ==, -ENOSPC);
	g_assert_cmpint(protect(s, 0, 4, dst), >, 0);
	/* Before the first: there is no such index. */
	g_assert_cmpint(protect(s, 1, 65535, dst), ==, -EINVAL);
	srtp_out_free(s);
}

int main(int argc, char *argv[])
{
	gpointer gcm = GUINT_TO_POINTER(SRTP_PROFILE_AEAD_AES_128_GCM);
	gpointer cm = GUINT_TO_POINTER(SRTP_PROFILE_AES128_CM_SHA1_80);

	/* Before OpenSSL has allocated anything, or it refuses. */
	if (CRYPTO_set_mem_functions(counting_malloc, counting_realloc,
				     counting_free) != 1)
		return 1;
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/srtp-out/allocations/gcm", gcm,
			     test_allocates_nothing);
	g_test_add_data_func("/srtp-out/allocations/cm", cm,
			     test_allocates_nothing);
	g_test_add_func("/srtp-out/rfc7714-rtp", test_rfc7714_rtp);
	g_test_add_func("/srtp-out/rfc7714-rtcp", test_rfc7714_rtcp);
	g_test_add_func("/srtp-out/rfc3711", test_rfc3711_keystream);
	g_test_add_data_func("/srtp-out/equals/gcm", gcm, test_equals_libsrtp);
	g_test_add_data_func("/srtp-out/equals/cm", cm, test_equals_libsrtp);
	g_test_add_data_func("/srtp-out/resend/gcm", gcm,
			     test_resend_across_wrap);
	g_test_add_data_func("/srtp-out/resend/cm", cm,
			     test_resend_across_wrap);
	g_test_add_data_func("/srtp-out/rtcp/gcm", gcm,
			     test_rtcp);
	g_test_add_data_func("/srtp-out/rtcp/cm", cm,
			     test_rtcp);
	g_test_add_func("/srtp-out/refusals", test_refusals);
	g_test_add_func("/srtp-out/sources", test_source_limit);
	return g_test_run();
}
