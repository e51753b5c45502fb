// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/ice-servers.h"

#include <string.h>

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

/* Return: FALSE when the entry is of no use. */
static gboolean add(struct ice_servers *s, const char *url,
		    const char *username, const char *credential)
{
	const char *colon = strchr(url, ':'), *at = strrchr(url, '@');
	gboolean turn = g_str_has_prefix(url, "turn");
	g_autofree char *user = NULL;
	g_autofree char *scheme = NULL;
	struct rtc_ice_server *e;

	if (!colon || !is_clean(url) || s->n == ICE_SERVERS_MAX)
		return FALSE;
	scheme = g_strndup(url, (gsize) (colon - url));
	if (strcmp(scheme, "stun") && strcmp(scheme, "turn") &&
	    strcmp(scheme, "stuns") && strcmp(scheme, "turns"))
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
	if (!(at ? at : colon)[1])
		return FALSE;
	e = &s->list[s->n++];
	e->url = g_strdup_printf("%s:%s", scheme, (at ? at : colon) + 1);
	e->username = turn ? g_steal_pointer(&user) : NULL;
	e->credential = turn ? g_strdup(credential) : NULL;
	return TRUE;
}

static guint add_urls(struct ice_servers *s, JsonNode *urls,
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
		    !add(s, json_node_get_string(e), username, credential))
			ignored++;
	}
	return ignored;
}

void ice_servers_parse(JsonArray *array, struct ice_servers *ret)
{
	guint n = array ? json_array_get_length(array) : 0;

	*ret = (struct ice_servers){0};
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
			ret->n_ignored += !add(ret, url, username, credential);
		else if (json_object_has_member(o, "urls"))
			ret->n_ignored += add_urls(
				ret, json_object_get_member(o, "urls"),
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
