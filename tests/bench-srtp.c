// SPDX-License-Identifier: Apache-2.0
/* CPU time of protecting one RTP packet: ours out of place into a segment
 * buffer, libsrtp2 in place after the copy that it needs. Methods take turns
 * in every round and the median of the rounds is printed: on a shared machine
 * only ratios within one run mean anything. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>
#include <srtp2/srtp.h>

#include "webrtc/srtp-in.h"
#include "webrtc/srtp-out.h"

#define ROUNDS	 15
#define PACKETS	 4000
#define SEGMENTS 40
#define HEADER	 12
#define BYTES_MAX 1200

struct bench {
	uint16_t seq;
	struct srtp_out *ours;
	srtp_t theirs;
	uint8_t header[HEADER], payload[BYTES_MAX];
	uint8_t out[SEGMENTS * (BYTES_MAX + SRTP_OVERHEAD_MAX)];
};

struct method {
	const char *name;
	enum srtp_profile profile;
	void (*packet)(struct bench *b, uint8_t *dst, size_t payload);
};

static void by_us(struct bench *b, uint8_t *dst, size_t payload)
{
	struct iovec piece = {b->payload, payload};

	if (srtp_out_rtp(b->ours, b->header, HEADER, &piece, 1, dst,
			 BYTES_MAX + SRTP_OVERHEAD_MAX) < 0)
		abort();
}

static void by_libsrtp(struct bench *b, uint8_t *dst, size_t payload)
{
	int len = (int) (HEADER + payload);

	memcpy(dst, b->header, HEADER);
	memcpy(dst + HEADER, b->payload, payload);
	if (srtp_protect(b->theirs, dst, &len) != srtp_err_status_ok)
		abort();
}

static void by_copy(struct bench *b, uint8_t *dst, size_t payload)
{
	memcpy(dst, b->header, HEADER);
	memcpy(dst + HEADER, b->payload, payload);
	/* The compiler must believe that somebody looks. */
	__asm__ volatile("" : : "r"(dst) : "memory");
}

static const struct method methods[] = {
	{"AEAD_AES_128_GCM, ours", SRTP_PROFILE_AEAD_AES_128_GCM, by_us},
	{"AEAD_AES_128_GCM, libsrtp2", SRTP_PROFILE_AEAD_AES_128_GCM,
	 by_libsrtp},
	{"AES128_CM_SHA1_80, ours", SRTP_PROFILE_AES128_CM_SHA1_80, by_us},
	{"AES128_CM_SHA1_80, libsrtp2", SRTP_PROFILE_AES128_CM_SHA1_80,
	 by_libsrtp},
	{"copy alone", SRTP_PROFILE_AEAD_AES_128_GCM, by_copy},
};

static void bench_init(struct bench *b, enum srtp_profile profile)
{
	static const struct srtp_master master = {{1, 2, 3}, {4, 5, 6}};
	srtp_policy_t policy = {0};
	uint8_t key[SRTP_KEY_BYTES + SRTP_CM_SALT_BYTES];

	memset(b, 0x5a, sizeof(*b));
	memset(b->header, 0, HEADER);
	b->header[0] = 0x80;
	b->seq = 0;
	memcpy(key, master.key, SRTP_KEY_BYTES);
	memcpy(key + SRTP_KEY_BYTES, master.salt, SRTP_CM_SALT_BYTES);
	policy.key = key;
	policy.ssrc.type = ssrc_any_outbound;
	if (profile == SRTP_PROFILE_AEAD_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	if (srtp_create(&b->theirs, &policy) != srtp_err_status_ok ||
	    srtp_out_new(profile, &master, &b->ours) < 0)
		abort();
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* Return: ns per packet. */
static double one_round(struct bench *b, const struct method *m, size_t payload)
{
	uint64_t begin = cpu_ns();

	for (unsigned int i = 0; i < PACKETS; i++) {
		b->seq++;
		b->header[2] = (uint8_t) (b->seq >> 8);
		b->header[3] = (uint8_t) b->seq;
		m->packet(b,
			  b->out + i % SEGMENTS *
					   (BYTES_MAX + SRTP_OVERHEAD_MAX),
			  payload);
	}
	return (double) (cpu_ns() - begin) / PACKETS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static void run(struct bench *benches, size_t bytes)
{
	double ns[G_N_ELEMENTS(methods)][ROUNDS];

	for (unsigned int round = 0; round < ROUNDS; round++)
		for (size_t m = 0; m < G_N_ELEMENTS(methods); m++)
			ns[m][round] = one_round(&benches[m], &methods[m],
						 bytes - HEADER);
	for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
		qsort(ns[m], ROUNDS, sizeof(double), compare);
		printf("%5zu B  %-28s %7.0f ns/packet  (%.0f..%.0f)\n", bytes,
		       methods[m].name, ns[m][ROUNDS / 2], ns[m][0],
		       ns[m][ROUNDS - 1]);
	}
}

int main(void)
{
	static const struct srtp_master master = {{0}, {0}};
	struct bench *benches = g_new(struct bench, G_N_ELEMENTS(methods));
	struct srtp_in *library = NULL;

	/* Starts libsrtp2 and keeps it. */
	if (srtp_in_new(SRTP_PROFILE_AEAD_AES_128_GCM, &master, &library) < 0)
		abort();
	for (size_t m = 0; m < G_N_ELEMENTS(methods); m++)
		bench_init(&benches[m], methods[m].profile);
	run(benches, 1200);
	run(benches, 160);
	for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
		srtp_out_free(benches[m].ours);
		srtp_dealloc(benches[m].theirs);
	}
	srtp_in_free(library);
	g_free(benches);
	return 0;
}
