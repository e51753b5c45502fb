// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/ice-servers.h"

#include <string.h>

#include "webrtc/ice-url.h"

#define MAX_URL_BYTES 512

static const char *get_string(JsonObject *o, const char *name)
{
	JsonNode *node = json_object_get_member(o, name);

	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return NULL;
	return json_node_get_string(node);
}

static gboolean is_clean(const char *text)
{
	if (strlen(text) > MAX_URL_BYTES)
		return FALSE;
	for (const char *c = text; *c; c++)
		if (g_ascii_iscntrl(*c) || *c == ' ')
			return FALSE;
	return TRUE;
}

/* What is being parsed, and for whom. */
struct filter {
	struct ice_servers *list;
	const RoomAccess *access;
	const char *own_host;
};

/* @address: behind the scheme and the user. "host" of a URL, without port. */
static gboolean is_own_host(const struct filter *f, const char *address)
{
	gsize len = f->own_host ? strlen(f->own_host) : 0;

	return len && g_str_has_prefix(address, f->own_host) &&
	       strchr(":?", address[len]);	/* its end, too */
}

static gboolean is_wanted(const struct filter *f, const char *scheme,
			  const char *address)
{
	const RoomAccess *a = f->access;

	if (g_str_has_prefix(scheme, "turn"))
		return a->force_turn || !a->no_turn;
	if (a->force_turn || a->no_stun)
		return FALSE;
	return !a->no_public_stun || strstr(address, "temasys") ||
	       is_own_host(f, address);
}

/* What ICE could not read must not take the place of what it can. */
static gboolean append(struct ice_servers *s, char *url, const char *username,
		       const char *credential)
{
	struct ice_url parsed;

	if (s->n == ICE_SERVERS_MAX ||
	    ice_url_parse(url, strlen(url), &parsed) < 0) {
		g_free(url);
		return FALSE;
	}
	s->list[s->n++] = (struct rtc_ice_server){
		.url = url,
		.username = g_strdup(username),
		.credential = g_strdup(credential),
	};
	return TRUE;
}

/* A relay, with the transport that is wanted. */
static gboolean append_relay(const struct filter *f, const char *address,
			     const char *username, const char *credential)
{
	static const char *const none[] = {"", NULL};
	static const char *const udp[] = {"?transport=udp", NULL};
	static const char *const tcp[] = {"?transport=tcp", NULL};
	static const char *const both[] = {"?transport=udp", "?transport=tcp",
					   NULL};
	const char *question = strchr(address, '?');
	gsize len = question ? (gsize) (question - address) : strlen(address);
	const char *const *transports = none;

	switch (f->access->turn_transport) {
	case ROOM_TURN_ANY:
		return append(f->list, g_strconcat("turn:", address, NULL),
			      username, credential);
	case ROOM_TURN_UDP:
		transports = udp;
		break;
	case ROOM_TURN_TCP:
		transports = tcp;
		break;
	case ROOM_TURN_NONE:
		transports = none;
		break;
	case ROOM_TURN_ALL:
		transports = both;
		break;
	}
	for (; *transports; transports++)
		if (!append(f->list,
			    g_strdup_printf("turn:%.*s%s", (int) len, address,
					    *transports), username, credential))
			return FALSE;
	return TRUE;
}

/* Return: FALSE when the entry is of no use. */
static gboolean add(const struct filter *f, const char *url,
		    const char *username, const char *credential)
{
	const char *colon = strchr(url, ':'), *at = strrchr(url, '@');
	gboolean turn = g_str_has_prefix(url, "turn");
	g_autofree char *user = NULL;
	g_autofree char *scheme = NULL;
	const char *address;

	if (!colon || !is_clean(url))
		return FALSE;
	scheme = g_strndup(url, (gsize) (colon - url));
	if (strcmp(scheme, "stun") && strcmp(scheme, "turn") &&
	    strcmp(scheme, "stuns"))
		return FALSE;
	if (at)
		user = g_strndup(colon + 1, (gsize) (at - colon - 1));
	else
		user = g_strdup(username);
	if (turn && (!user || !*user || !credential))
		return FALSE;
	/* The entry that a server without a relay sends, because SkylinkJS
	 * cannot do without one: nobody answers there. */
	if (turn && !strcmp(user, "none") && !strcmp(credential, "none"))
		return FALSE;
	address = (at ? at : colon) + 1;
	if (!*address)
		return FALSE;
	if (!is_wanted(f, scheme, address)) {
		f->list->n_unwanted++;
		return TRUE;
	}
	if (turn)
		return append_relay(f, address, user, credential);
	return append(f->list, g_strconcat(scheme, ":", address, NULL), NULL,
		      NULL);
}

static guint add_urls(const struct filter *f, JsonNode *urls,
		      const char *username, const char *credential)
{
	JsonArray *array;
	guint ignored = 0;

	if (!JSON_NODE_HOLDS_ARRAY(urls))
		return 1;
	array = json_node_get_array(urls);
	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *e = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_VALUE(e) ||
		    json_node_get_value_type(e) != G_TYPE_STRING ||
		    !add(f, json_node_get_string(e), username, credential))
			ignored++;
	}
	return ignored;
}

void ice_servers_parse(JsonArray *array, const RoomAccess *access,
		       const char *own_host, struct ice_servers *ret)
{
	const RoomAccess all = {0};
	const struct filter f = {ret, access ? access : &all, own_host};
	guint n = array ? json_array_get_length(array) : 0;

	*ret = (struct ice_servers){.relay_only = f.access->force_turn};
	for (guint i = 0; i < n; i++) {
		JsonNode *node = json_array_get_element(array, i);
		JsonObject *o;
		const char *url, *username, *credential;

		if (!JSON_NODE_HOLDS_OBJECT(node)) {
			ret->n_ignored++;
			continue;
		}
		o = json_node_get_object(node);
		username = get_string(o, "username");
		credential = get_string(o, "credential");
		url = get_string(o, "url");
		if (!url)
			url = get_string(o, "urls");
		if (url)
			ret->n_ignored += !add(&f, url, username, credential);
		else if (json_object_has_member(o, "urls"))
			ret->n_ignored += add_urls(
				&f, json_object_get_member(o, "urls"),
				username, credential);
		else
			ret->n_ignored++;
	}
}

void ice_servers_done(struct ice_servers *s)
{
	for (guint i = 0; i < s->n; i++) {
		g_free((char *) s->list[i].url);
		g_free((char *) s->list[i].username);
		g_free((char *) s->list[i].credential);
	}
	*s = (struct ice_servers){0};
}
