// SPDX-License-Identifier: Apache-2.0
#include "webrtc/srtp-in.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include "webrtc/be.h"

#define RTP_HEADER_BYTES  12
#define RTCP_HEADER_BYTES 8

struct srtp_in {
	srtp_t session;
	unsigned int n_ssrcs;
	uint32_t ssrcs[SRTP_IN_SSRCS_MAX];
	struct srtp_in_stats stats;
};

/* libsrtp2's state is the process's; so must be the count of its users. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int library_users;

static int library_ref(void)
{
	int r = 0;

	pthread_mutex_lock(&library_lock);
	if (library_users == 0 && srtp_init() != srtp_err_status_ok)
		r = -EIO;
	else
		library_users++;
	pthread_mutex_unlock(&library_lock);
	return r;
}

static void library_unref(void)
{
	pthread_mutex_lock(&library_lock);
	if (--library_users == 0)
		srtp_shutdown();
	pthread_mutex_unlock(&library_lock);
}

static int set_policy(srtp_policy_t *policy, enum srtp_profile profile)
{
	switch (profile) {
	case SRTP_PROFILE_AES128_CM_SHA1_80:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
		return 0;
	case SRTP_PROFILE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
		return 0;
	case SRTP_PROFILE_NONE:
		break;
	}
	return -EINVAL;
}

int srtp_in_new(enum srtp_profile profile, const struct srtp_master *master,
		struct srtp_in **ret)
{
	uint8_t key[SRTP_KEY_BYTES + SRTP_CM_SALT_BYTES];
	srtp_policy_t policy = {0};
	struct srtp_in *s;
	int r;

	if (set_policy(&policy, profile) < 0)
		return -EINVAL;
	r = library_ref();
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s) {
		library_unref();
		return -ENOMEM;
	}
	memcpy(key, master->key, SRTP_KEY_BYTES);
	memcpy(key + SRTP_KEY_BYTES, master->salt,
	       srtp_profile_salt_bytes(profile));
	policy.ssrc.type = ssrc_any_inbound;
	policy.key = key;
	policy.window_size = SRTP_IN_REPLAY_WINDOW;
	if (srtp_create(&s->session, &policy) != srtp_err_status_ok)
		r = -EIO;
	OPENSSL_cleanse(key, sizeof(key));
	if (r < 0) {
		free(s);
		library_unref();
		return r;
	}
	*ret = s;
	return 0;
}

struct srtp_in *srtp_in_free(struct srtp_in *s)
{
	if (!s)
		return NULL;
	srtp_dealloc(s->session);
	free(s);
	library_unref();
	return NULL;
}

static bool is_known(const struct srtp_in *s, uint32_t ssrc)
{
	for (unsigned int i = 0; i < s->n_ssrcs; i++)
		if (s->ssrcs[i] == ssrc)
			return true;
	return false;
}

/* libsrtp2 keeps state for every source that sent one authentic packet; a
 * peer may be authentic and hostile, so the table is bounded before. */
static int unprotect(struct srtp_in *s, uint8_t *data, size_t len,
		     size_t header_bytes, size_t ssrc_at,
		     srtp_err_status_t (*fn)(srtp_t, void *, int *))
{
	srtp_err_status_t status;
	bool known;
	uint32_t ssrc;
	int n;

	if (len < header_bytes || len > UINT16_MAX || data[0] >> 6 != 2) {
		s->stats.bad++;
		return -EBADMSG;
	}
	ssrc = be32_get(data + ssrc_at);
	known = is_known(s, ssrc);
	if (!known && s->n_ssrcs == SRTP_IN_SSRCS_MAX) {
		s->stats.refused++;
		return -ENOSPC;
	}

	n = (int) len;
	status = fn(s->session, data, &n);
	switch (status) {
	case srtp_err_status_ok:
		break;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		s->stats.replayed++;
		return -EALREADY;
	default:
		s->stats.bad++;
		return -EBADMSG;
	}
	if (!known)
		s->ssrcs[s->n_ssrcs++] = ssrc;
	s->stats.packets++;
	return n;
}

int srtp_in_rtp(struct srtp_in *s, uint8_t *data, size_t len)
{
	return unprotect(s, data, len, RTP_HEADER_BYTES, 8, srtp_unprotect);
}

int srtp_in_rtcp(struct srtp_in *s, uint8_t *data, size_t len)
{
	return unprotect(s, data, len, RTCP_HEADER_BYTES, 4,
			 srtp_unprotect_rtcp);
}

void srtp_in_get_stats(const struct srtp_in *s, struct srtp_in_stats *ret)
{
	*ret = s->stats;
}
