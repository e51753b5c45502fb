/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/ice-agent.h - the inside of webrtc/ice.h: one agent on three threads
 *
 *   ice.c         control: credentials, calls queued for the ice thread
 *   ice-nice.c    ice: the NiceAgent and its signals
 *   ice-server.c  ice: STUN and TURN servers, names resolved
 *   ice-net.c     network: sockets, path, source check, packets
 *
 * Each field of an agent belongs to one thread, save the counters.
 *
 * Source:  webrtc/ice.h
 * Thread:  said per part
 * Memory:  an agent is counted: by its owner until the network thread has
 *          closed it, by every call and packet on the way
 */
#pragma once

#include <nice/agent.h>
#include <nice/interfaces.h>

#include "webrtc/ice.h"
#include "webrtc/ice-url.h"
#include "webrtc/packet-ring.h"

#define ICE_PACKETS_DEFAULT 256 /* of each ring */
#define ICE_NAMES_MAX	    8	/* resolved names remembered */
#define ICE_NAME_TTL_US	    (60 * G_TIME_SPAN_SECOND)
#define ICE_PARKED_MAX	    2  /* DTLS that came before its address */
#define ICE_HELD_MAX	    64 /* candidates waiting for the siblings */
#define ICE_COMPONENT	    1  /* rtcp-mux: there is no other */

/* 5 ms between checks instead of RFC 8445's 50 (and libnice's 20): a join is
 * a few checks, and each wait is join time. */
#define ICE_PACING_MS 5
/* The first check often comes before the remote knows us: repeat it soon. */
#define ICE_CHECK_RTO_MS    100
#define ICE_CHECK_RETRIES   6
#define ICE_ROLE_WAIT_MS    5	/* between a peer's birth and its offer */
#define ICE_GATHER_RETRY_MS 100
#define ICE_GATHER_RETRIES  20
/* A name server may hold up host candidates this long, and a dead STUN or
 * TURN server gathering_done() this long. */
#define ICE_RESOLVE_LIMIT_MS 200
#define ICE_GATHER_LIMIT_MS  2000
/* No pair at all after this: failed. libnice itself would wait for ever when
 * no end of candidates is said. */
#define ICE_CONNECT_LIMIT_MS 30000

struct ice_name {
	char host[ICE_URL_HOST_BYTES];
	char address[INET6_ADDRSTRLEN];
	gint64 expires_us;
};

struct ice_thread {
	struct net_loop *loop;
	GMainContext *context;
	GMainLoop *main;
	GThread *thread;
	clockid_t clock;

	struct packet_ring rx; /* ice -> network */
	struct packet_ring tx; /* network -> ice */
	int tx_fd;	       /* eventfd: wakes ice for @tx */
	GSource *tx_source;

	/* ice: calls the network loop's queue had no room for yet */
	GQueue outbox;
	GSource *outbox_timer;
	struct ice_name names[ICE_NAMES_MAX];

	GMutex lock; /* guards @open alone */
	GCond idle;
	unsigned int open; /* agents and NiceAgents not gone yet */
};

struct ice_counters {
	atomic_uint sockets;
	atomic_bool kernel_demux;
	atomic_int demux_error;
	atomic_ullong rx_sibling, rx_callback, rx_unknown_source;
	atomic_ullong rx_pool_full, rx_oversized, rx_stun_dropped;
	atomic_ullong tx_relayed, tx_relay_full;
};

struct ice_credentials {
	char ufrag[257], pwd[257];
};

/* struct ice_network on its way between threads. */
struct ice_network_text {
	bool all_addresses, loopback;
	uint16_t port_min, port_max;
	char addresses[]; /* separated by spaces */
};

/* A UDP socket of libnice and its place in @net.sockets. */
struct ice_socket {
	int nice_fd;
	bool sibling; /* false: a duplicate, to send alone */
};

struct ice_parked {
	struct sockaddr_storage from;
	size_t len;
	uint8_t data[PACKET_RING_BYTES];
};

/* From the ice thread to the network thread. */
struct net_call {
	struct ice_agent *agent;
	void (*fn)(struct net_call *call);
	int index;
	int fd;
	bool receive;
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

struct ice_agent {
	atomic_uint refs;
	struct ice_thread *thread;
	const struct ice_agent_ops *ops;
	void *user;

	/* as configured; constant */
	bool relay_only;
	enum rtc_demux demux;
	struct ice_url servers[ICE_SERVERS_MAX];
	char *passwords[ICE_SERVERS_MAX];
	unsigned int n_servers;

	/* control */
	char ufrag[ICE_UFRAG_BYTES], pwd[ICE_PWD_BYTES];

	/* ice, from its first call on */
	bool controlling, loopback;
	uint16_t port_min, port_max;
	char **addresses;
	struct {
		NiceAgent *nice;
		bool renew; /* with the next restart: other sockets */
		unsigned int round; /* of name lookups */
		guint stream;
		bool closing;
		enum rtc_ice_state state;
		struct ice_credentials remote;
		bool remote_known;
		struct candidate *waiting; /* for the credentials */
		unsigned int n_waiting, n_remote;
		bool gathering, gathered; /* asked for; sockets exist */
		bool nice_done, done_reported;
		bool holding; /* inside gather: keep candidates */
		char *held[ICE_HELD_MAX];
		unsigned int n_held;
		unsigned int attempts;
		bool connected;
		GSource *soon, *retry;
		GSource *gather_limit, *connect_limit, *resolve_limit;
		GCancellable *resolving;
		unsigned int n_resolving;
		bool stun_pending; /* gathering waits for its address */
		struct ice_socket sockets[ICE_SOCKETS_MAX];
		unsigned int n_sockets;
		bool path_up;
	} ice;

	/* network */
	struct {
		struct net_socket *sockets[ICE_SOCKETS_MAX];
		struct ice_path path;
		struct sockaddr_storage sources[ICE_SOURCES_MAX];
		unsigned int n_sources, next_source;
		struct ice_parked parked[ICE_PARKED_MAX];
		unsigned int next_parked;
		bool closed;
	} net;

	struct net_call closing; /* ice: the last one; needs no memory */

	struct ice_counters counters;
};

struct ice_agent *ice_agent_ref(struct ice_agent *agent);
void ice_agent_unref(struct ice_agent *agent);
/* One more, one less of what ice_thread_free() waits for. Any thread. */
void ice_thread_open(struct ice_thread *thread);
void ice_thread_close(struct ice_thread *thread);

/* --- ice thread (ice-nice.c) -------------------------------------------- */
/* @data of each is what ice.c queued; the callee does not keep it. */
void ice_nice_open(struct ice_agent *agent, const void *credentials);
void ice_nice_gather(struct ice_agent *agent, const void *unused);
void ice_nice_gather_soon(struct ice_agent *agent, const void *unused);
void ice_nice_set_controlling(struct ice_agent *agent, const void *flag);
void ice_nice_set_remote(struct ice_agent *agent, const void *credentials);
void ice_nice_add_remote(struct ice_agent *agent, const void *candidate);
void ice_nice_remote_done(struct ice_agent *agent, const void *unused);
void ice_nice_restart(struct ice_agent *agent, const void *credentials);
/* @network: struct ice_network_text */
void ice_nice_set_network(struct ice_agent *agent, const void *network);
void ice_nice_close(struct ice_agent *agent, const void *unused);
/* Sends what the network thread put into the ring. */
gboolean ice_nice_send_relayed(int fd, GIOCondition condition, gpointer thread);
/* A source on the ice thread's context, replacing the one in @slot. */
void ice_nice_arm(struct ice_agent *agent, GSource **slot, unsigned int ms,
		  GSourceFunc fn);
void ice_nice_disarm(GSource **slot);
/* It cannot go on; @why is logged. */
void ice_nice_fail(struct ice_agent *agent, const char *why);
/* After ice-server.c is through with names. */
void ice_nice_start_gathering(struct ice_agent *agent);
void ice_nice_report_done(struct ice_agent *agent);

/* --- ice thread (ice-server.c) ------------------------------------------ */
/* Hands literal and remembered addresses to libnice, looks the others up. */
void ice_server_apply(struct ice_agent *agent);

/* --- ice thread (ice-net.c): calls for the network thread, in order ----- */
void ice_net_add_socket(struct ice_agent *agent, unsigned int index, int fd,
			bool receive);
void ice_net_add_source(struct ice_agent *agent, const NiceAddress *address);
/* @index: of the socket, or -1 for a relayed path; @address NULL: none */
void ice_net_set_path(struct ice_agent *agent, int index,
		      const NiceAddress *address);
/* All of them, and the path. */
void ice_net_drop_sockets(struct ice_agent *agent);
void ice_net_close(struct ice_agent *agent);
/* libnice's receive callback. */
void ice_net_receive(NiceAgent *nice, guint stream, guint component, guint len,
		     gchar *data, gpointer agent);
