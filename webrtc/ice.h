/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/ice.h - libnice on one thread, its media on the network thread
 *
 *   control            ice (GLib)                    network
 *   new, gather, ...-> NiceAgent --sockets--> kernel demux siblings
 *   <- candidates ---- signals    --path-----> ops.path
 *   <- state           recv ------pool-------> ops.packet <--- sibling packets
 *                      send <-----pool-------- path.relay
 *
 * One thread runs all agents; each agent is one stream of one component. Media
 * bypasses it: beside every UDP socket of libnice stands a sibling of the same
 * port in the network loop, to which the kernel gives DTLS, RTP and RTCP. What
 * cannot go that way (no demultiplexing, TURN) comes through libnice's receive
 * callback and a bounded pool into the same function.
 *
 * Source:  RFC 8445, RFC 8838 (trickle), RFC 7675 (consent), libnice 0.1.21
 * Thread:  said per function
 * Memory:  the thread owns its pools, each agent its sockets
 */
#pragma once

#include <glib.h>

#include "webrtc/candidate.h"
#include "webrtc/net-loop.h"
#include "webrtc/rtc.h"

#define ICE_UFRAG_BYTES		  9  /* 8 and NUL */
#define ICE_PWD_BYTES		  25 /* 24 and NUL */
#define ICE_SOCKETS_MAX		  16 /* siblings per agent */
#define ICE_REMOTE_CANDIDATES_MAX 64 /* per agent and ICE generation */
#define ICE_SERVERS_MAX		  8
#define ICE_PACKET_BYTES	  2048 /* larger ones are dropped */
#define ICE_SOURCES_MAX		  16   /* remote addresses taken as valid */
#define ICE_PAIR_BYTES		  160

struct ice_thread;
struct ice_agent;

struct ice_thread_config {
	struct net_loop *loop;	/* borrowed; must outlive the thread */
	unsigned int n_packets; /* of each pool; 0: 256 */
};

/* Control. Return: 0 or negative errno. */
int ice_thread_new(struct ice_thread **ret,
		   const struct ice_thread_config *config);
/* Waits for the last agents to close (they must have been freed), then ends
 * the thread. Not from the ice or the network thread. Takes NULL. */
struct ice_thread *ice_thread_free(struct ice_thread *thread);
/* CPU time of the thread. Any thread. */
uint64_t ice_thread_get_cpu_ns(struct ice_thread *thread);

enum ice_path_kind {
	ICE_PATH_NONE,	   /* stop sending at once: no pair, or no consent */
	ICE_PATH_KERNEL,   /* the sibling socket sends and receives */
	ICE_PATH_CALLBACK, /* a duplicate of libnice's socket sends,
			    * receiving goes through the ice thread */
	ICE_PATH_RELAYED,  /* TURN: both go through the ice thread */
};

/* Where to send. Everything here is valid until the next path callback or the
 * closed callback, whichever comes first. */
struct ice_path {
	enum ice_path_kind kind;
	struct net_socket *socket; /* NULL unless KERNEL or CALLBACK */
	struct sockaddr_storage addr;
	socklen_t addr_len;
	/* RELAYED: copies one datagram for the ice thread; drops and counts
	 * when the pool is full. Network. */
	void (*relay)(void *user, const uint8_t *data, size_t len);
	void *relay_user;
};

struct ice_agent_ops {
	/* On the ice thread; must not block. Forward to where you need them. */
	void (*local_candidate)(void *user, const char *line);
	void (*gathering_done)(void *user);
	void (*state)(void *user, enum rtc_ice_state state);
	void (*selected_pair)(void *user, const char *pair, bool kernel_demux);

	/* On the network thread. */
	void (*path)(void *user, const struct ice_path *path);
	/* One datagram that is not STUN, from a known remote address. @data
	 * may be changed in place. @from is the selected remote address for
	 * what came through libnice. */
	void (*packet)(void *user, uint8_t *data, size_t len,
		       const struct sockaddr_storage *from, uint64_t now_us);
	/* The last of all callbacks, after ice_agent_free(): now @user may go.
	 * Network thread. */
	void (*closed)(void *user);
};

struct ice_agent_config {
	bool controlling;
	const struct rtc_ice_server *servers; /* copied */
	unsigned int n_servers;
	bool relay_only;
	const char *const *addresses; /* as in rtc_engine_config */
	bool loopback;
	uint16_t port_min, port_max;
	enum rtc_demux demux;
	const struct ice_agent_ops *ops; /* must outlive the agent */
	void *user;
};

/* Everything below is control (any one thread) and returns at once; the work
 * is queued for the ice thread in this order. */

/* Return: the agent; never NULL. Its credentials are at hand at once. */
struct ice_agent *ice_agent_new(struct ice_thread *thread,
				const struct ice_agent_config *config);
/* Returns NULL at once. Callbacks may still run on the ice and the network
 * thread until ops.closed() has. Takes NULL. */
struct ice_agent *ice_agent_free(struct ice_agent *agent);

/* Of the latest generation; valid until ice_agent_restart(). */
const char *ice_agent_get_ufrag(const struct ice_agent *agent);
const char *ice_agent_get_pwd(const struct ice_agent *agent);

/* Starts gathering. Fails (after retries for two seconds) as
 * state(RTC_ICE_FAILED). */
void ice_agent_gather(struct ice_agent *agent);
/* The same in ICE_ROLE_WAIT_MS, if ice_agent_gather() does not come before: for
 * who may be told his role in a moment. */
void ice_agent_gather_soon(struct ice_agent *agent);
/* Before gathering; later it counts from other sockets on (a restart behind
 * ice_agent_set_network()), and until then a conflict with the remote's role
 * decides (RFC 8445 §7.3.1.1). */
void ice_agent_set_controlling(struct ice_agent *agent, bool controlling);
void ice_agent_set_remote_credentials(struct ice_agent *agent,
				      const char *ufrag, const char *pwd);
/* May come before the credentials; they wait. Unusable ones (TCP, names,
 * other components) and those of another ufrag are skipped silently. */
void ice_agent_add_remote_candidates(struct ice_agent *agent,
				     const struct candidate *candidates,
				     unsigned int n);
/* No more will come (a=end-of-candidates): lets failure be seen earlier. */
void ice_agent_remote_gathering_done(struct ice_agent *agent);
/* New local credentials and a new round of checks on the same sockets; the
 * old path stays until a new pair is selected. All candidates known are
 * reported again. After ice_agent_set_network(): on new sockets, and without
 * any path until then. */
void ice_agent_restart(struct ice_agent *agent);

/* Where sockets are to be opened from the next restart on, which begins with
 * new ones; as in struct ice_agent_config. An agent whose local address is no
 * longer one of this machine's has failed: state(RTC_ICE_FAILED). */
struct ice_network {
	const char *const *addresses;
	bool loopback;
	uint16_t port_min, port_max;
};
void ice_agent_set_network(struct ice_agent *agent,
			   const struct ice_network *network);

struct ice_agent_stats {
	bool kernel_demux; /* every UDP socket has a sibling */
	int demux_error;   /* negative errno of the first refusal */
	unsigned int sockets;
	uint64_t rx_sibling, rx_callback; /* datagrams delivered */
	uint64_t rx_unknown_source;	  /* dropped: not a remote of ours */
	uint64_t rx_pool_full, rx_oversized;
	uint64_t rx_stun_dropped; /* seen on a sibling before its filter */
	uint64_t tx_relayed, tx_relay_full;
};
/* Any thread. */
void ice_agent_get_stats(const struct ice_agent *agent,
			 struct ice_agent_stats *ret);
