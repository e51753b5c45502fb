// SPDX-License-Identifier: Apache-2.0
/* The NiceAgent of an agent: what we ask of it and what it tells. Ice thread:
 * libnice emits its signals on the thread that called it or on its context's,
 * and both are this one. */
#include "webrtc/ice-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "webrtc/net-demux.h"

/* --- sources ------------------------------------------------------------ */
void ice_nice_disarm(GSource **slot)
{
	if (!*slot)
		return;
	g_source_destroy(*slot);
	g_source_unref(*slot);
	*slot = NULL;
}

void ice_nice_arm(struct ice_agent *a, GSource **slot, unsigned int ms,
		  GSourceFunc fn)
{
	ice_nice_disarm(slot);
	*slot = g_timeout_source_new(ms);
	g_source_set_callback(*slot, fn, a, NULL);
	g_source_attach(*slot, a->thread->context);
}

/* --- state -------------------------------------------------------------- */
static void report_state(struct ice_agent *a, enum rtc_ice_state state)
{
	if (a->ice.state == state)
		return;
	a->ice.state = state;
	a->ops->state(a->user, state);
}

void ice_nice_fail(struct ice_agent *a, const char *why)
{
	g_warning("A peer's network path is given up: %s", why);
	report_state(a, RTC_ICE_FAILED);
}

static void withdraw_path(struct ice_agent *a)
{
	if (!a->ice.path_up)
		return;
	a->ice.path_up = false;
	ice_net_set_path(a, -1, NULL);
}

static gboolean connect_expired(gpointer data)
{
	struct ice_agent *a = data;

	ice_nice_disarm(&a->ice.connect_limit);
	withdraw_path(a);
	report_state(a, RTC_ICE_FAILED);
	return G_SOURCE_REMOVE;
}

/* --- the selected pair -------------------------------------------------- */
static void describe(const NiceCandidate *c, char *buf, size_t size)
{
	static const char *const types[] = {
		[NICE_CANDIDATE_TYPE_HOST] = "host",
		[NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE] = "srflx",
		[NICE_CANDIDATE_TYPE_PEER_REFLEXIVE] = "prflx",
		[NICE_CANDIDATE_TYPE_RELAYED] = "relay",
	};
	char address[NICE_ADDRESS_STRING_LEN];

	nice_address_to_string(&c->addr, address);
	snprintf(buf, size, strchr(address, ':') ? "%s [%s]:%u" : "%s %s:%u",
		 types[c->type], address, nice_address_get_port(&c->addr));
}

static int find_socket(const struct ice_agent *a, int nice_fd)
{
	for (unsigned int i = 0; i < a->ice.n_sockets; i++) {
		if (a->ice.sockets[i].nice_fd == nice_fd)
			return (int) i;
	}
	return -1;
}

static void publish_path(struct ice_agent *a)
{
	NiceCandidate *local, *remote;
	char text[ICE_PAIR_BYTES], here[ICE_PAIR_BYTES / 2 - 2],
		there[ICE_PAIR_BYTES / 2 - 2];
	GSocket *socket;
	int index = -1;

	if (!nice_agent_get_selected_pair(a->ice.nice, a->ice.stream,
					  ICE_COMPONENT, &local, &remote))
		return;

	/* None for a relayed pair: those go through libnice. */
	socket = nice_agent_get_selected_socket(a->ice.nice, a->ice.stream,
						ICE_COMPONENT);
	if (socket) {
		index = find_socket(a, g_socket_get_fd(socket));
		g_object_unref(socket);
	}
	a->ice.path_up = true;
	ice_net_set_path(a, index, &remote->addr);

	describe(local, here, sizeof(here));
	describe(remote, there, sizeof(there));
	snprintf(text, sizeof(text), "%s -> %s", here, there);
	a->ops->selected_pair(a->user, text,
			      index >= 0 && a->ice.sockets[index].sibling);
}

/* --- signals ------------------------------------------------------------ */
static void on_pair(NiceAgent *nice, guint stream, guint component,
		    NiceCandidate *local, NiceCandidate *remote, gpointer data)
{
	publish_path(data);
}

static void on_state(NiceAgent *nice, guint stream, guint component,
		     guint state, gpointer data)
{
	struct ice_agent *a = data;

	switch ((NiceComponentState) state) {
	case NICE_COMPONENT_STATE_GATHERING:
		return; /* a restart passes here, path and all */
	case NICE_COMPONENT_STATE_CONNECTING:
		report_state(a, RTC_ICE_CHECKING);
		return;
	case NICE_COMPONENT_STATE_CONNECTED:
	case NICE_COMPONENT_STATE_READY:
		ice_nice_disarm(&a->ice.connect_limit);
		a->ice.connected = true;
		/* Consent that came back brings no new pair. */
		if (!a->ice.path_up)
			publish_path(a);
		report_state(a, state == NICE_COMPONENT_STATE_READY
					? RTC_ICE_COMPLETED
					: RTC_ICE_CONNECTED);
		return;
	case NICE_COMPONENT_STATE_DISCONNECTED:
		if (!a->ice.connected)
			return;
		withdraw_path(a);
		report_state(a, RTC_ICE_DISCONNECTED);
		return;
	case NICE_COMPONENT_STATE_FAILED:
		ice_nice_disarm(&a->ice.connect_limit);
		withdraw_path(a);
		report_state(a, RTC_ICE_FAILED);
		return;
	case NICE_COMPONENT_STATE_LAST:
		return;
	}
}

static bool format_candidate(const NiceCandidate *nc, char *buf, size_t size)
{
	struct candidate c = {
		.component = (uint16_t) nc->component_id,
		.priority = nc->priority,
		.port = (uint16_t) nice_address_get_port(&nc->addr),
	};

	if (nc->transport != NICE_CANDIDATE_TRANSPORT_UDP)
		return false;
	g_strlcpy(c.foundation, nc->foundation, sizeof(c.foundation));
	nice_address_to_string(&nc->addr, c.address);

	switch (nc->type) {
	case NICE_CANDIDATE_TYPE_HOST:
		c.type = CANDIDATE_HOST;
		return candidate_format(&c, buf, size) > 0;
	case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE:
		c.type = CANDIDATE_SRFLX;
		break;
	case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE:
		return false; /* the remote sees it by itself */
	case NICE_CANDIDATE_TYPE_RELAYED:
		c.type = CANDIDATE_RELAY;
		break;
	}
	nice_address_to_string(&nc->base_addr, c.related_address);
	c.related_port = (uint16_t) nice_address_get_port(&nc->base_addr);
	return candidate_format(&c, buf, size) > 0;
}

static void report_candidate(struct ice_agent *a, const NiceCandidate *nc)
{
	char line[CANDIDATE_MAX_BYTES];

	if (a->relay_only && nc->type != NICE_CANDIDATE_TYPE_RELAYED)
		return;
	if (!format_candidate(nc, line, sizeof(line)))
		return;
	if (!a->ice.holding)
		a->ops->local_candidate(a->user, line);
	else if (a->ice.n_held < ICE_HELD_MAX)
		a->ice.held[a->ice.n_held++] = g_strdup(line);
}

static void on_candidate(NiceAgent *nice, NiceCandidate *candidate,
			 gpointer data)
{
	report_candidate(data, candidate);
}

static void on_remote_candidate(NiceAgent *nice, NiceCandidate *candidate,
				gpointer data)
{
	ice_net_add_source(data, &candidate->addr);
}

void ice_nice_report_done(struct ice_agent *a)
{
	if (a->ice.done_reported || a->ice.holding || !a->ice.nice_done ||
	    a->ice.n_resolving > 0)
		return;
	a->ice.done_reported = true;
	ice_nice_disarm(&a->ice.gather_limit);
	a->ops->gathering_done(a->user);
}

static void on_gathered(NiceAgent *nice, guint stream, gpointer data)
{
	struct ice_agent *a = data;

	a->ice.nice_done = true;
	ice_nice_report_done(a);
}

static gboolean gather_expired(gpointer data)
{
	struct ice_agent *a = data;

	ice_nice_disarm(&a->ice.gather_limit);
	if (!a->ice.done_reported) {
		a->ice.done_reported = true;
		a->ops->gathering_done(a->user);
	}
	return G_SOURCE_REMOVE;
}

/* --- opening ------------------------------------------------------------ */
static void connect_signals(struct ice_agent *a)
{
	NiceAgent *nice = a->ice.nice;

	g_signal_connect(nice, "new-candidate-full", G_CALLBACK(on_candidate),
			 a);
	g_signal_connect(nice, "new-remote-candidate-full",
			 G_CALLBACK(on_remote_candidate), a);
	g_signal_connect(nice, "candidate-gathering-done",
			 G_CALLBACK(on_gathered), a);
	g_signal_connect(nice, "component-state-changed", G_CALLBACK(on_state),
			 a);
	g_signal_connect(nice, "new-selected-pair-full", G_CALLBACK(on_pair),
			 a);
}

void ice_nice_open(struct ice_agent *a, const void *credentials)
{
	const struct ice_credentials *c = credentials;
	NiceAgent *nice;

	nice = nice_agent_new_full(a->thread->context,
				   NICE_COMPATIBILITY_RFC5245,
				   NICE_AGENT_OPTION_CONSENT_FRESHNESS |
					   NICE_AGENT_OPTION_ICE_TRICKLE);
	/* UPnP would delay the end of gathering by its own timeout. */
	g_object_set(nice, "controlling-mode", (gboolean) a->controlling,
		     "upnp", FALSE, "ice-tcp", FALSE, "force-relay",
		     (gboolean) a->relay_only, "stun-pacing-timer",
		     ICE_PACING_MS, "stun-initial-timeout", ICE_CHECK_RTO_MS,
		     "stun-max-retransmissions", ICE_CHECK_RETRIES, NULL);
	a->ice.nice = nice;
	a->ice.stream = nice_agent_add_stream(nice, 1);
	nice_agent_set_local_credentials(nice, a->ice.stream, c->ufrag, c->pwd);
	if (a->port_min || a->port_max)
		nice_agent_set_port_range(
			nice, a->ice.stream, ICE_COMPONENT, a->port_min,
			a->port_max ? a->port_max : G_MAXUINT16);
	connect_signals(a);
	nice_agent_attach_recv(nice, a->ice.stream, ICE_COMPONENT,
			       a->thread->context, ice_net_receive, a);
	ice_server_apply(a);
}

/* --- gathering ---------------------------------------------------------- */
static void add_address(struct ice_agent *a, const char *text)
{
	NiceAddress address;

	nice_address_init(&address);
	if (nice_address_set_from_string(&address, text))
		nice_agent_add_local_address(a->ice.nice, &address);
}

/* libnice leaves out the loopback, and interfaces named like those of virtual
 * machines; told nothing it finds the others by itself. */
static void add_addresses(struct ice_agent *a)
{
	GList *found;

	if (a->addresses) {
		for (char **s = a->addresses; *s; s++)
			add_address(a, *s);
		if (a->loopback)
			add_address(a, "127.0.0.1");
		return;
	}

	found = nice_interfaces_get_local_ips(FALSE);
	if (a->loopback || !found) {
		for (GList *l = found; l; l = l->next)
			add_address(a, l->data);
		add_address(a, "127.0.0.1");
	}
	g_list_free_full(found, g_free);
}

/* Our own socket on the port of libnice's, or where the kernel or a sandbox
 * refuses a duplicate of libnice's to send on. */
static void attach_socket(struct ice_agent *a, int nice_fd)
{
	unsigned int index = a->ice.n_sockets;
	int bytes = NET_DEMUX_BUFFER_BYTES, expected = 0;
	int fd = -1, r = -EOPNOTSUPP;

	if (a->demux != RTC_DEMUX_CALLBACK)
		r = net_demux_sibling(nice_fd, &fd);
	if (r < 0) {
		atomic_store(&a->counters.kernel_demux, false);
		if (a->demux != RTC_DEMUX_CALLBACK)
			atomic_compare_exchange_strong(&a->counters.demux_error,
						       &expected, r);
		/* libnice's default loses packets of a video at once. */
		setsockopt(nice_fd, SOL_SOCKET, SO_RCVBUF, &bytes,
			   sizeof(bytes));
		fd = fcntl(nice_fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return;
	}
	a->ice.sockets[index].nice_fd = nice_fd;
	a->ice.sockets[index].sibling = r == 0;
	a->ice.n_sockets++;
	atomic_store(&a->counters.sockets, a->ice.n_sockets);
	ice_net_add_socket(a, index, fd, r == 0);
}

static void attach_sockets(struct ice_agent *a)
{
	GPtrArray *sockets = nice_agent_get_sockets(a->ice.nice, a->ice.stream,
						    ICE_COMPONENT);

	if (!sockets)
		return;
	atomic_store(&a->counters.kernel_demux, true);
	for (guint i = 0; i < sockets->len; i++) {
		GSocket *socket = g_ptr_array_index(sockets, i);
		int fd = g_socket_get_fd(socket);

		if (g_socket_get_socket_type(socket) ==
			    G_SOCKET_TYPE_DATAGRAM &&
		    find_socket(a, fd) < 0 &&
		    a->ice.n_sockets < ICE_SOCKETS_MAX)
			attach_socket(a, fd);
	}
	g_ptr_array_unref(sockets);
}

static void release_held(struct ice_agent *a)
{
	a->ice.holding = false;
	for (unsigned int i = 0; i < a->ice.n_held; i++) {
		a->ops->local_candidate(a->user, a->ice.held[i]);
		g_free(a->ice.held[i]);
	}
	a->ice.n_held = 0;
}

static gboolean retry_gathering(gpointer data)
{
	struct ice_agent *a = data;

	ice_nice_disarm(&a->ice.retry);
	ice_nice_start_gathering(a);
	return G_SOURCE_REMOVE;
}

void ice_nice_start_gathering(struct ice_agent *a)
{
	/* Candidates stay here until the siblings stand: no packet may come
	 * before. */
	a->ice.holding = true;
	if (!nice_agent_gather_candidates(a->ice.nice, a->ice.stream)) {
		/* An address that is not ready yet, as the IPv6 link-local of
		 * a link that has just come up. */
		if (++a->ice.attempts < ICE_GATHER_RETRIES) {
			ice_nice_arm(a, &a->ice.retry, ICE_GATHER_RETRY_MS,
				     retry_gathering);
			return;
		}
		release_held(a);
		report_state(a, RTC_ICE_FAILED);
		return;
	}
	a->ice.gathered = true;
	attach_sockets(a);
	release_held(a);
	ice_nice_arm(a, &a->ice.gather_limit, ICE_GATHER_LIMIT_MS,
		     gather_expired);
	ice_nice_report_done(a);
}

void ice_nice_gather(struct ice_agent *a, const void *unused)
{
	ice_nice_disarm(&a->ice.soon);
	if (a->ice.gathering)
		return;
	a->ice.gathering = true;
	add_addresses(a);
	if (!a->ice.stun_pending)
		ice_nice_start_gathering(a);
}

static gboolean gather_now(gpointer agent)
{
	ice_nice_gather(agent, NULL);
	return G_SOURCE_REMOVE;
}

/* libnice takes no other role once it gathers. */
void ice_nice_gather_soon(struct ice_agent *a, const void *unused)
{
	if (a->ice.gathering)
		return;
	ice_nice_arm(a, &a->ice.soon, ICE_ROLE_WAIT_MS, gather_now);
	/* A role that is in the queue by then comes first. */
	g_source_set_priority(a->ice.soon, G_PRIORITY_LOW);
}

/* --- the remote side ---------------------------------------------------- */
void ice_nice_set_controlling(struct ice_agent *a, const void *flag)
{
	const bool *controlling = flag;

	a->controlling = *controlling;
	g_object_set(a->ice.nice, "controlling-mode", (gboolean) *controlling,
		     NULL);
}

static void apply_candidate(struct ice_agent *a, const struct candidate *c)
{
	static const NiceCandidateType types[] = {
		[CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
		[CANDIDATE_SRFLX] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
		[CANDIDATE_PRFLX] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
		[CANDIDATE_RELAY] = NICE_CANDIDATE_TYPE_RELAYED,
	};
	NiceCandidate *nc;
	GSList *list;

	if (c->ufrag[0] && strcmp(c->ufrag, a->ice.remote.ufrag) != 0)
		return;
	nc = nice_candidate_new(types[c->type]);
	nc->transport = NICE_CANDIDATE_TRANSPORT_UDP;
	nc->stream_id = a->ice.stream;
	nc->component_id = ICE_COMPONENT;
	nc->priority = c->priority;
	g_strlcpy(nc->foundation, c->foundation, sizeof(nc->foundation));
	if (!nice_address_set_from_string(&nc->addr, c->address)) {
		nice_candidate_free(nc);
		return;
	}
	nice_address_set_port(&nc->addr, c->port);

	ice_net_add_source(a, &nc->addr);
	list = g_slist_prepend(NULL, nc);
	nice_agent_set_remote_candidates(a->ice.nice, a->ice.stream,
					 ICE_COMPONENT, list);
	g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);
}

void ice_nice_set_remote(struct ice_agent *a, const void *credentials)
{
	const struct ice_credentials *c = credentials;

	if (a->ice.remote_known && strcmp(c->ufrag, a->ice.remote.ufrag) == 0 &&
	    strcmp(c->pwd, a->ice.remote.pwd) == 0)
		return; /* a re-offer says again what we know */

	a->ice.remote = *c;
	a->ice.remote_known = true;
	nice_agent_set_remote_credentials(a->ice.nice, a->ice.stream, c->ufrag,
					  c->pwd);
	ice_nice_arm(a, &a->ice.connect_limit, ICE_CONNECT_LIMIT_MS,
		     connect_expired);
	for (unsigned int i = 0; i < a->ice.n_waiting; i++)
		apply_candidate(a, &a->ice.waiting[i]);
	a->ice.n_waiting = 0;
	g_clear_pointer(&a->ice.waiting, g_free);
}

void ice_nice_add_remote(struct ice_agent *a, const void *candidate)
{
	if (a->ice.n_remote == ICE_REMOTE_CANDIDATES_MAX)
		return;
	a->ice.n_remote++;
	if (a->ice.remote_known) {
		apply_candidate(a, candidate);
		return;
	}
	if (!a->ice.waiting)
		a->ice.waiting =
			g_new(struct candidate, ICE_REMOTE_CANDIDATES_MAX);
	a->ice.waiting[a->ice.n_waiting++] =
		*(const struct candidate *) candidate;
}

void ice_nice_remote_done(struct ice_agent *a, const void *unused)
{
	nice_agent_peer_candidate_gathering_done(a->ice.nice, a->ice.stream);
}

/* --- another network ---------------------------------------------------- */
static bool is_same_host(const struct sockaddr_storage *a,
			 const struct sockaddr *b)
{
	if (!b || a->ss_family != b->sa_family)
		return false;
	if (a->ss_family == AF_INET)
		return ((const struct sockaddr_in *) a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *) b)->sin_addr.s_addr;
	return a->ss_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *) a)->sin6_addr,
		      &((const struct sockaddr_in6 *) b)->sin6_addr, 16) == 0;
}

/* Is the address of the socket still one of this machine's? */
static bool is_ours(int fd, const struct ifaddrs *list)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *) &addr, &len) < 0)
		return false;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		if (is_same_host(&addr, i->ifa_addr))
			return true;
	}
	return false;
}

/* The address that the selected pair leaves from. Of a relayed pair libnice
 * does not tell its socket: then any of ours will do. */
static bool has_address(struct ice_agent *a, const struct ifaddrs *list)
{
	GSocket *socket = nice_agent_get_selected_socket(
		a->ice.nice, a->ice.stream, ICE_COMPONENT);
	bool ours = false;

	if (socket) {
		ours = is_ours(g_socket_get_fd(socket), list);
		g_object_unref(socket);
		return ours;
	}
	for (unsigned int i = 0; i < a->ice.n_sockets && !ours; i++)
		ours = is_ours(a->ice.sockets[i].nice_fd, list);
	return ours;
}

void ice_nice_set_network(struct ice_agent *a, const void *data)
{
	const struct ice_network_text *text = data;
	struct ifaddrs *list;

	g_strfreev(a->addresses);
	a->addresses = text->all_addresses ? NULL
					   : g_strsplit(text->addresses, " ", -1);
	a->loopback = text->loopback;
	a->port_min = text->port_min;
	a->port_max = text->port_max;
	a->ice.renew = true;

	if (!a->ice.path_up || getifaddrs(&list) < 0)
		return;
	if (!has_address(a, list)) {
		withdraw_path(a);
		report_state(a, RTC_ICE_FAILED);
	}
	freeifaddrs(list);
}

/* --- restart, end ------------------------------------------------------- */
static void disarm_all(struct ice_agent *a)
{
	ice_nice_disarm(&a->ice.soon);
	ice_nice_disarm(&a->ice.retry);
	ice_nice_disarm(&a->ice.gather_limit);
	ice_nice_disarm(&a->ice.connect_limit);
	ice_nice_disarm(&a->ice.resolve_limit);
	if (a->ice.resolving) {
		g_cancellable_cancel(a->ice.resolving);
		g_clear_object(&a->ice.resolving);
	}
	for (unsigned int i = 0; i < a->ice.n_held; i++)
		g_free(a->ice.held[i]);
	a->ice.n_held = 0;
	g_clear_pointer(&a->ice.waiting, g_free);
	a->ice.n_waiting = 0;
}

static void ignore(NiceAgent *nice, guint stream, guint component, guint len,
		   gchar *data, gpointer unused)
{
}

static void on_closed(GObject *nice, GAsyncResult *result, gpointer thread)
{
	g_object_unref(nice);
	ice_thread_close(thread);
}

/* No signal and no packet of it comes any more. */
static NiceAgent *silence(struct ice_agent *a)
{
	NiceAgent *nice = a->ice.nice;

	g_signal_handlers_disconnect_by_data(nice, a);
	/* Not detached: without a receiver libnice leaves datagrams, and with
	 * them the TURN server's goodbye, in the socket and spins on it. */
	nice_agent_attach_recv(nice, a->ice.stream, ICE_COMPONENT,
			       a->thread->context, ignore, NULL);
	a->ice.nice = NULL;
	return nice;
}

/* Allocations on TURN servers are given back; that may take a while and is
 * nobody's wait but ours. */
static void close_nice(struct ice_agent *a, NiceAgent *nice)
{
	ice_thread_open(a->thread);
	nice_agent_close_async(nice, on_closed, a->thread);
}

/* As at first, with nothing left but what the remote and we have said: libnice
 * cannot open other sockets for a stream. */
static void reopen(struct ice_agent *a, const struct ice_credentials *c)
{
	NiceAgent *old;

	disarm_all(a);
	withdraw_path(a);
	old = silence(a);
	ice_net_drop_sockets(a);
	a->ice.renew = false;
	a->ice.round++;
	a->ice.remote_known = false;
	a->ice.n_remote = 0;
	a->ice.gathering = a->ice.gathered = false;
	a->ice.nice_done = a->ice.done_reported = false;
	a->ice.holding = a->ice.connected = a->ice.stun_pending = false;
	a->ice.attempts = 0;
	a->ice.n_resolving = 0;
	a->ice.n_sockets = 0;
	atomic_store(&a->counters.sockets, 0);
	ice_nice_open(a, c);
	ice_nice_gather(a, NULL);
	close_nice(a, old);
}

void ice_nice_restart(struct ice_agent *a, const void *credentials)
{
	const struct ice_credentials *c = credentials;
	GSList *list;

	if (a->ice.renew && a->ice.gathering) {
		reopen(a, c);
		return;
	}
	nice_agent_restart_stream(a->ice.nice, a->ice.stream);
	nice_agent_set_local_credentials(a->ice.nice, a->ice.stream, c->ufrag,
					 c->pwd);
	a->ice.remote_known = false;
	a->ice.n_remote = 0;
	a->ice.n_waiting = 0;
	if (!a->ice.gathered)
		return;

	/* The sockets stay, and so do the candidates. */
	list = nice_agent_get_local_candidates(a->ice.nice, a->ice.stream,
					       ICE_COMPONENT);
	for (GSList *l = list; l; l = l->next)
		report_candidate(a, l->data);
	g_slist_free_full(list, (GDestroyNotify) nice_candidate_free);
	if (a->ice.done_reported)
		a->ops->gathering_done(a->user);
}

void ice_nice_close(struct ice_agent *a, const void *unused)
{
	NiceAgent *nice;

	a->ice.closing = true;
	disarm_all(a);
	nice = silence(a);
	ice_net_close(a);
	close_nice(a, nice);
}

/* --- relayed media ------------------------------------------------------ */
static void send_packet(struct ice_agent *a, struct packet *p)
{
	GOutputVector vector = {p->data, p->len};
	NiceOutputMessage message = {&vector, 1};

	if (a->ice.closing)
		return;
	if (nice_agent_send_messages_nonblocking(a->ice.nice, a->ice.stream,
						 ICE_COMPONENT, &message, 1,
						 NULL, NULL) == 1)
		atomic_fetch_add(&a->counters.tx_relayed, 1);
	else
		atomic_fetch_add(&a->counters.tx_relay_full, 1);
}

gboolean ice_nice_send_relayed(int fd, GIOCondition condition, gpointer data)
{
	struct ice_thread *t = data;
	struct packet *p;
	uint64_t n;

	if (read(fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return G_SOURCE_CONTINUE;
	packet_ring_begin(&t->tx);
	while ((p = packet_ring_peek(&t->tx))) {
		struct ice_agent *a = p->owner;

		send_packet(a, p);
		packet_ring_pop(&t->tx);
		ice_agent_unref(a);
	}
	return G_SOURCE_CONTINUE;
}
