// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-subscription.h"

#include <string.h>

typedef struct {
	guint8 *marks;
	gboolean all, once;
	char *peer_id;	   /* or NULL */
	JsonObject *where; /* or NULL */
} Rule;

struct ControlSubscription {
	unsigned int n_events;
	guint8 *plain; /* one per row */
	gboolean plain_all;
	GPtrArray *rules; /* Rule, owned */
};

static void free_rule(gpointer data)
{
	Rule *rule = data;

	g_free(rule->marks);
	g_free(rule->peer_id);
	g_clear_pointer(&rule->where, json_object_unref);
	g_free(rule);
}

ControlSubscription *control_subscription_new(unsigned int n_events)
{
	ControlSubscription *sub = g_new0(ControlSubscription, 1);

	sub->n_events = n_events;
	sub->plain = g_malloc0(n_events + 1);
	sub->rules = g_ptr_array_new_with_free_func(free_rule);
	return sub;
}

ControlSubscription *control_subscription_free(ControlSubscription *sub)
{
	if (!sub)
		return NULL;
	g_free(sub->plain);
	g_ptr_array_unref(sub->rules);
	g_free(sub);
	return NULL;
}

/* --- adding, removing ----------------------------------------------------- */
static gboolean check_where(JsonObject *where, char **ret_why)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
	g_autofree char *text = NULL;

	json_node_set_object(node, where);
	text = json_to_string(node, FALSE);
	if (json_object_get_size(where) <= CONTROL_WHERE_MAX_FIELDS &&
	    strlen(text) <= CONTROL_WHERE_MAX_BYTES)
		return TRUE;
	*ret_why = g_strdup_printf("A condition may have %d fields and %d "
				   "bytes",
				   CONTROL_WHERE_MAX_FIELDS,
				   CONTROL_WHERE_MAX_BYTES);
	return FALSE;
}

static void add_plain(ControlSubscription *sub,
		      const ControlSubscriptionRule *rule)
{
	for (unsigned int i = 0; i < sub->n_events; i++)
		sub->plain[i] |= rule->all || rule->marks[i];
	sub->plain_all |= rule->all;
}

gboolean control_subscription_add(ControlSubscription *sub,
				  const ControlSubscriptionRule *rule,
				  char **ret_why)
{
	Rule *added;

	if (!rule->peer_id && !rule->where && !rule->once) {
		add_plain(sub, rule);
		return TRUE;
	}
	if (rule->where && !check_where(rule->where, ret_why))
		return FALSE;
	if (sub->rules->len >= CONTROL_RULES_MAX) {
		*ret_why = g_strdup_printf(
			"A client may have %d subscriptions with conditions; "
			"unsubscribe some",
			CONTROL_RULES_MAX);
		return FALSE;
	}
	added = g_new0(Rule, 1);
	added->marks = g_malloc0(sub->n_events + 1);
	for (unsigned int i = 0; i < sub->n_events; i++)
		added->marks[i] = rule->all || rule->marks[i];
	added->all = rule->all;
	added->once = rule->once;
	added->peer_id = g_strdup(rule->peer_id);
	added->where = rule->where ? json_object_ref(rule->where) : NULL;
	g_ptr_array_add(sub->rules, added);
	return TRUE;
}

/* Return: whether anything is left. */
static gboolean unmark(const ControlSubscription *sub, guint8 *own,
		       gboolean *own_all, const guint8 *marks, gboolean all)
{
	gboolean left = FALSE;

	if (all)
		*own_all = FALSE;
	for (unsigned int i = 0; i < sub->n_events; i++) {
		if (all || marks[i])
			own[i] = FALSE;
		left |= own[i];
	}
	return left || *own_all;
}

void control_subscription_remove(ControlSubscription *sub, const guint8 *marks,
				 gboolean all)
{
	unmark(sub, sub->plain, &sub->plain_all, marks, all);
	for (unsigned int i = sub->rules->len; i-- > 0;) {
		Rule *rule = sub->rules->pdata[i];

		if (!unmark(sub, rule->marks, &rule->all, marks, all))
			g_ptr_array_remove_index(sub->rules, i);
	}
}

/* --- asking ----------------------------------------------------------------
 */
static gboolean is_marked(const guint8 *marks, gboolean all, int event)
{
	return event < 0 ? all : marks[event];
}

gboolean control_subscription_may_want(const ControlSubscription *sub,
				       int event)
{
	if (!sub)
		return FALSE;
	if (is_marked(sub->plain, sub->plain_all, event))
		return TRUE;
	for (unsigned int i = 0; i < sub->rules->len; i++) {
		const Rule *rule = sub->rules->pdata[i];

		if (is_marked(rule->marks, rule->all, event))
			return TRUE;
	}
	return FALSE;
}

gboolean control_subscription_is_empty(const ControlSubscription *sub)
{
	return !sub || (!sub->plain_all && !sub->rules->len &&
			!memchr(sub->plain, TRUE, sub->n_events));
}

/* "message.content": the member's member. */
static JsonNode *find_field(JsonObject *params, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", -1);
	JsonNode *node = NULL;
	JsonObject *o = params;

	for (unsigned int i = 0; names[i]; i++) {
		node = o ? json_object_get_member(o, names[i]) : NULL;
		o = node && JSON_NODE_HOLDS_OBJECT(node)
			    ? json_node_get_object(node)
			    : NULL;
	}
	return node;
}

static gboolean is_one_of(JsonNode *value, JsonNode *wanted)
{
	JsonArray *list;

	if (json_node_equal(value, wanted))
		return TRUE;
	if (!JSON_NODE_HOLDS_ARRAY(wanted))
		return FALSE;
	list = json_node_get_array(wanted);
	for (unsigned int i = 0; i < json_array_get_length(list); i++)
		if (json_node_equal(value, json_array_get_element(list, i)))
			return TRUE;
	return FALSE;
}

static gboolean fits_where(JsonObject *where, JsonObject *params)
{
	JsonObjectIter iter;
	const char *path;
	JsonNode *wanted;

	json_object_iter_init(&iter, where);
	while (json_object_iter_next(&iter, &path, &wanted)) {
		JsonNode *value = params ? find_field(params, path) : NULL;

		if (!value || !is_one_of(value, wanted))
			return FALSE;
	}
	return TRUE;
}

static gboolean fits_peer(const char *peer_id, JsonObject *params)
{
	JsonNode *node =
		params ? json_object_get_member(params, "peerId") : NULL;

	/* What is about no peer is of interest with every one. */
	if (!node || !JSON_NODE_HOLDS_VALUE(node) ||
	    json_node_get_value_type(node) != G_TYPE_STRING)
		return TRUE;
	return !strcmp(peer_id, json_node_get_string(node));
}

static gboolean fits(const Rule *rule, int event, JsonObject *params)
{
	return is_marked(rule->marks, rule->all, event) &&
	       (!rule->peer_id || fits_peer(rule->peer_id, params)) &&
	       (!rule->where || fits_where(rule->where, params));
}

gboolean control_subscription_take(ControlSubscription *sub, int event,
				   JsonObject *params)
{
	gboolean wanted;

	if (!sub)
		return FALSE;
	wanted = is_marked(sub->plain, sub->plain_all, event);
	for (unsigned int i = sub->rules->len; i-- > 0;) {
		const Rule *rule = sub->rules->pdata[i];

		if (!fits(rule, event, params))
			continue;
		wanted = TRUE;
		if (rule->once)
			g_ptr_array_remove_index(sub->rules, i);
	}
	return wanted;
}
