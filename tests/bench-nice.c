// SPDX-License-Identifier: Apache-2.0
#include "bench-net.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <nice/agent.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

#include "webrtc/srtp-in.h"

/* The usual way, and what ours is compared with: every packet is protected
 * by Debian's libsrtp2 where it was assembled, and handed to libnice. */

#define RTP_HEADER_BYTES 32 /* with the extensions that our packets carry */

/* --- filling: header, payload, srtp_protect() ------------------------------ */

struct protect {
	srtp_t srtp[BENCH_PEERS_MAX];
	uint16_t seq[BENCH_PEERS_MAX];
	unsigned int n_peers;
	size_t tag;
	struct srtp_in *library;
	uint8_t payload[BENCH_BYTES];
};

static void *open_protect(unsigned int n_peers, bool gcm)
{
	static const struct srtp_master none = {{0}, {0}};
	uint8_t key[SRTP_KEY_BYTES + SRTP_CM_SALT_BYTES] = {1, 2, 3};
	struct protect *p = g_new0(struct protect, 1);
	srtp_policy_t policy = {
		.ssrc.type = ssrc_any_outbound,
		.key = key,
	};

	/* Starts libsrtp2 and keeps it. */
	if (srtp_in_new(SRTP_PROFILE_AEAD_AES_128_GCM, &none, &p->library) < 0)
		g_error("no libsrtp2");
	if (gcm) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	p->n_peers = n_peers;
	p->tag = gcm ? 16 : 10;
	memset(p->payload, 0x5a, sizeof(p->payload));
	for (unsigned int i = 0; i < n_peers; i++)
		if (srtp_create(&p->srtp[i], &policy) != srtp_err_status_ok)
			g_error("no SRTP");
	return p;
}

static void *open_cm(unsigned int n_peers)
{
	return open_protect(n_peers, false);
}

static void *open_gcm(unsigned int n_peers)
{
	return open_protect(n_peers, true);
}

static void close_protect(void *state)
{
	struct protect *p = state;

	for (unsigned int i = 0; i < p->n_peers; i++)
		srtp_dealloc(p->srtp[i]);
	srtp_in_free(p->library);
	g_free(p);
}

static void protect(void *state, unsigned int peer, uint8_t *data, size_t len)
{
	struct protect *p = state;
	uint16_t seq = p->seq[peer]++;
	int size = (int) (len - p->tag);

	/* Version 2, one extension block of five words. */
	memset(data, 0, RTP_HEADER_BYTES);
	data[0] = 0x90;
	data[1] = 96;
	data[2] = (uint8_t) (seq >> 8);
	data[3] = (uint8_t) seq;
	data[11] = 1; /* SSRC */
	data[12] = 0xbe;
	data[13] = 0xde;
	data[15] = (RTP_HEADER_BYTES - 16) / 4;
	memcpy(data + RTP_HEADER_BYTES, p->payload,
	       (size_t) size - RTP_HEADER_BYTES);
	if (srtp_protect(p->srtp[peer], data, &size) != srtp_err_status_ok ||
	    (size_t) size != len)
		g_error("not protected");
}

const struct bench_fill bench_fill_libsrtp_cm = {
	.name = "libsrtp2 CM",
	.open = open_cm,
	.close = close_protect,
	.fill = protect,
};

const struct bench_fill bench_fill_libsrtp_gcm = {
	.name = "libsrtp2 GCM",
	.open = open_gcm,
	.close = close_protect,
	.fill = protect,
};

/* --- sending: nice_agent_send() ---------------------------------------------
 */

struct nice {
	const struct bench_world *world;
	const struct bench_fill *fill;
	void *fill_state;
	GMainContext *context;
	NiceAgent *agent[BENCH_PEERS_MAX];
	guint stream[BENCH_PEERS_MAX];
	uint8_t data[BENCH_BYTES];
};

static void ignore_data(NiceAgent *agent, guint stream, guint component,
			guint len, char *data, gpointer user)
{
}

static void set_address(NiceAddress *address,
			const struct sockaddr_storage *from)
{
	nice_address_init(address);
	nice_address_set_from_sockaddr(address, (const struct sockaddr *) from);
}

/* A pair is chosen without asking anybody: nobody answers out there. */
static bool open_agent(struct nice *n, unsigned int i)
{
	struct sockaddr_storage near;
	socklen_t len = sizeof(near);
	NiceCandidate *remote;
	NiceAddress address;
	gboolean chosen;

	n->agent[i] = nice_agent_new(n->context, NICE_COMPATIBILITY_RFC5245);
	g_object_set(n->agent[i], "upnp", FALSE, "ice-tcp", FALSE, NULL);
	if (getsockname(n->world->fd[i], (struct sockaddr *) &near, &len) < 0)
		return false;
	set_address(&address, &near);
	nice_address_set_port(&address, 0);
	nice_agent_add_local_address(n->agent[i], &address);
	n->stream[i] = nice_agent_add_stream(n->agent[i], 1);
	nice_agent_attach_recv(n->agent[i], n->stream[i], 1, n->context,
			       ignore_data, NULL);
	if (!nice_agent_gather_candidates(n->agent[i], n->stream[i]))
		return false;
	while (g_main_context_iteration(n->context, FALSE))
		continue;
	remote = nice_candidate_new(NICE_CANDIDATE_TYPE_HOST);
	remote->stream_id = n->stream[i];
	remote->component_id = 1;
	remote->transport = NICE_CANDIDATE_TRANSPORT_UDP;
	g_strlcpy(remote->foundation, "1", sizeof(remote->foundation));
	set_address(&remote->addr, &n->world->addr[i]);
	remote->base_addr = remote->addr;
	chosen = nice_agent_set_selected_remote_candidate(
		n->agent[i], n->stream[i], 1, remote);
	nice_candidate_free(remote);
	return chosen;
}

static void close_nice(void *state)
{
	struct nice *n = state;

	for (unsigned int i = 0; i < n->world->n_peers; i++)
		g_clear_object(&n->agent[i]);
	g_main_context_unref(n->context);
	g_free(n);
}

static void *open_nice(const struct bench_world *world,
		       const struct bench_fill *fill, void *fill_state)
{
	struct nice *n = g_new0(struct nice, 1);

	n->world = world;
	n->fill = fill;
	n->fill_state = fill_state;
	n->context = g_main_context_new();
	for (unsigned int i = 0; i < world->n_peers; i++) {
		if (open_agent(n, i))
			continue;
		printf("# libnice takes no candidate pair here\n");
		close_nice(n);
		return NULL;
	}
	return n;
}

static uint64_t run_nice(void *state, unsigned int n_frames,
			 uint64_t *ret_syscalls)
{
	struct nice *n = state;
	uint64_t start = bench_cpu_ns();

	*ret_syscalls = 0;
	for (unsigned int f = 0; f < n_frames * BENCH_PACKETS; f++) {
		for (unsigned int i = 0; i < n->world->n_peers; i++) {
			n->fill->fill(n->fill_state, i, n->data, BENCH_BYTES);
			if (nice_agent_send(n->agent[i], n->stream[i], 1,
					    BENCH_BYTES,
					    (const char *) n->data) ==
			    BENCH_BYTES)
				++*ret_syscalls;
		}
	}
	return bench_cpu_ns() - start;
}

const struct bench_send bench_send_nice = {"nice_agent_send", open_nice,
					   close_nice, run_nice};
