// SPDX-License-Identifier: Apache-2.0
/* STUN and TURN servers of an agent: names become addresses, which go to
 * libnice. Ice thread. */
#include "webrtc/ice-agent.h"

#include <string.h>

struct lookup {
	struct ice_agent *agent;
	unsigned int server, round;
};

/* --- names remembered --------------------------------------------------- */
static const char *recall(struct ice_thread *t, const char *host)
{
	gint64 now = g_get_monotonic_time();

	for (unsigned int i = 0; i < ICE_NAMES_MAX; i++) {
		if (t->names[i].expires_us > now &&
		    strcmp(t->names[i].host, host) == 0)
			return t->names[i].address;
	}
	return NULL;
}

/* Takes the place of the one that would expire first. */
static void remember(struct ice_thread *t, const char *host,
		     const char *address)
{
	struct ice_name *slot = &t->names[0];

	for (unsigned int i = 0; i < ICE_NAMES_MAX; i++) {
		if (strcmp(t->names[i].host, host) == 0) {
			slot = &t->names[i];
			break;
		}
		if (t->names[i].expires_us < slot->expires_us)
			slot = &t->names[i];
	}
	g_strlcpy(slot->host, host, sizeof(slot->host));
	g_strlcpy(slot->address, address, sizeof(slot->address));
	slot->expires_us = g_get_monotonic_time() + ICE_NAME_TTL_US;
}

/* --- to libnice --------------------------------------------------------- */
static void use_server(struct ice_agent *a, unsigned int i, const char *address)
{
	const struct ice_url *url = &a->servers[i];

	if (url->scheme == ICE_URL_STUN) {
		g_object_set(a->ice.nice, "stun-server", address,
			     "stun-server-port", (guint) url->port, NULL);
		return;
	}
	nice_agent_set_relay_info(
		a->ice.nice, a->ice.stream, ICE_COMPONENT, address, url->port,
		url->user, a->passwords[i],
		url->tcp ? NICE_RELAY_TYPE_TURN_TCP : NICE_RELAY_TYPE_TURN_UDP);
	/* Once gathering has begun this begins another round of it. */
	if (a->ice.gathered)
		a->ice.nice_done = false;
}

static char *pick_address(GList *addresses)
{
	GInetAddress *best = NULL;

	for (GList *l = addresses; l; l = l->next) {
		if (!best ||
		    (g_inet_address_get_family(l->data) ==
			     G_SOCKET_FAMILY_IPV4 &&
		     g_inet_address_get_family(best) != G_SOCKET_FAMILY_IPV4))
			best = l->data;
	}
	return best ? g_inet_address_to_string(best) : NULL;
}

static void stun_settled(struct ice_agent *a)
{
	if (!a->ice.stun_pending)
		return;
	a->ice.stun_pending = false;
	ice_nice_disarm(&a->ice.resolve_limit);
	if (a->ice.gathering && !a->ice.gathered)
		ice_nice_start_gathering(a);
}

static void on_resolved(GObject *resolver, GAsyncResult *result, gpointer data)
{
	struct lookup *lookup = data;
	struct ice_agent *a = lookup->agent;
	unsigned int server = lookup->server, round = lookup->round;
	GList *addresses;
	char *address;

	g_free(lookup);
	addresses = g_resolver_lookup_by_name_finish(G_RESOLVER(resolver),
						     result, NULL);
	address = pick_address(addresses);
	g_resolver_free_addresses(addresses);

	/* Of sockets that were given up meanwhile it is of no use. */
	if (!a->ice.closing && round == a->ice.round) {
		a->ice.n_resolving--;
		if (address) {
			remember(a->thread, a->servers[server].host, address);
			use_server(a, server, address);
		}
		if (a->servers[server].scheme == ICE_URL_STUN)
			stun_settled(a);
		ice_nice_report_done(a);
	}
	g_free(address);
	ice_agent_unref(a);
}

static void look_up(struct ice_agent *a, unsigned int i)
{
	GResolver *resolver = g_resolver_get_default();
	struct lookup *lookup = g_new(struct lookup, 1);

	*lookup = (struct lookup){ice_agent_ref(a), i, a->ice.round};
	a->ice.n_resolving++;
	if (!a->ice.resolving)
		a->ice.resolving = g_cancellable_new();
	g_resolver_lookup_by_name_async(resolver, a->servers[i].host,
					a->ice.resolving, on_resolved, lookup);
	g_object_unref(resolver);
}

static gboolean resolve_expired(gpointer data)
{
	stun_settled(data);
	return G_SOURCE_REMOVE;
}

void ice_server_apply(struct ice_agent *a)
{
	bool stun = false;

	for (unsigned int i = 0; i < a->n_servers; i++) {
		const struct ice_url *url = &a->servers[i];
		const char *address =
			url->literal ? url->host : recall(a->thread, url->host);

		/* libnice asks one STUN server. */
		if (url->scheme == ICE_URL_STUN) {
			if (stun)
				continue;
			stun = true;
			a->ice.stun_pending = !address;
		}
		if (address)
			use_server(a, i, address);
		else
			look_up(a, i);
	}
	if (a->ice.stun_pending)
		ice_nice_arm(a, &a->ice.resolve_limit, ICE_RESOLVE_LIMIT_MS,
			     resolve_expired);
}
