// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-subscription.h"

enum { JOINED, STATE, MESSAGE, N };

static const guint8 only_state[N] = {[STATE] = TRUE};
static const guint8 nothing[N];

static JsonObject *object(const char *text)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	return json_node_dup_object(node);
}

static gboolean take(ControlSubscription *sub, int event, const char *text)
{
	g_autoptr(JsonObject) params = text ? object(text) : NULL;

	return control_subscription_take(sub, event, params);
}

static void add(ControlSubscription *sub, const guint8 *marks,
		const char *where, gboolean once)
{
	g_autoptr(JsonObject) o = where ? object(where) : NULL;
	char *why = NULL;

	g_assert_true(control_subscription_add(
		sub,
		&(ControlSubscriptionRule){
			.marks = marks, .where = o, .once = once},
		&why));
	g_assert_null(why);
}

static void test_plain(void)
{
	ControlSubscription *sub = control_subscription_new(N);

	g_assert_true(control_subscription_is_empty(sub));
	g_assert_false(take(sub, STATE, NULL));
	add(sub, only_state, NULL, FALSE);
	g_assert_true(take(sub, STATE, NULL));
	g_assert_true(take(sub, STATE, NULL));
	g_assert_false(take(sub, JOINED, NULL));
	g_assert_false(take(sub, -1, NULL));
	g_assert_false(control_subscription_is_empty(sub));
	control_subscription_remove(sub, only_state, FALSE);
	g_assert_true(control_subscription_is_empty(sub));
	g_assert_false(control_subscription_may_want(NULL, STATE));
	control_subscription_free(sub);
}

static void test_all_means_those_of_no_row_too(void)
{
	ControlSubscription *sub = control_subscription_new(N);
	char *why = NULL;

	g_assert_true(control_subscription_add(
		sub, &(ControlSubscriptionRule){.marks = nothing, .all = TRUE},
		&why));
	g_assert_true(take(sub, MESSAGE, NULL));
	g_assert_true(take(sub, -1, NULL));
	control_subscription_remove(sub, only_state, FALSE);
	g_assert_false(take(sub, STATE, NULL));
	g_assert_true(take(sub, MESSAGE, NULL));
	control_subscription_remove(sub, nothing, TRUE);
	g_assert_true(control_subscription_is_empty(sub));
	control_subscription_free(sub);
}

static void test_once_is_once(void)
{
	ControlSubscription *sub = control_subscription_new(N);

	add(sub, only_state, "{\"state\":\"completed\"}", TRUE);
	g_assert_true(control_subscription_may_want(sub, STATE));
	g_assert_false(take(sub, STATE, "{\"state\":\"new\"}"));
	g_assert_false(take(sub, JOINED, "{\"state\":\"completed\"}"));
	g_assert_true(take(sub, STATE, "{\"state\":\"completed\"}"));
	g_assert_false(take(sub, STATE, "{\"state\":\"completed\"}"));
	g_assert_true(control_subscription_is_empty(sub));

	/* once() for what on() wants as well: one event, and on() goes on. */
	add(sub, only_state, NULL, FALSE);
	add(sub, only_state, NULL, TRUE);
	g_assert_true(take(sub, STATE, NULL));
	g_assert_true(take(sub, STATE, NULL));
	control_subscription_free(sub);
}

static void test_fields(void)
{
	ControlSubscription *sub = control_subscription_new(N);

	add(sub, only_state,
	    "{\"state\":[\"a\",\"b\"],\"message.isPrivate\":true}", FALSE);
	g_assert_true(take(sub, STATE,
			   "{\"state\":\"b\",\"message\":"
			   "{\"isPrivate\":true}}"));
	g_assert_false(take(sub, STATE,
			    "{\"state\":\"c\",\"message\":"
			    "{\"isPrivate\":true}}"));
	g_assert_false(take(sub, STATE,
			    "{\"state\":\"b\",\"message\":"
			    "{\"isPrivate\":false}}"));
	g_assert_false(take(sub, STATE, "{\"state\":\"b\",\"message\":1}"));
	g_assert_false(take(sub, STATE, NULL));
	control_subscription_free(sub);
}

static void test_peer(void)
{
	ControlSubscription *sub = control_subscription_new(N);
	char *why = NULL;

	g_assert_true(control_subscription_add(
		sub,
		&(ControlSubscriptionRule){.marks = only_state, .peer_id = "x"},
		&why));
	g_assert_true(take(sub, STATE, "{\"peerId\":\"x\"}"));
	g_assert_false(take(sub, STATE, "{\"peerId\":\"y\"}"));
	g_assert_true(take(sub, STATE, "{\"room\":\"r\"}"));
	g_assert_true(take(sub, STATE, "{\"peerId\":null}"));
	control_subscription_free(sub);
}

static void test_limits(void)
{
	ControlSubscription *sub = control_subscription_new(N);
	g_autoptr(JsonObject) wide = json_object_new();
	ControlSubscriptionRule rule = {.marks = only_state, .where = wide};
	char *why = NULL;

	for (int i = 0; i <= CONTROL_WHERE_MAX_FIELDS; i++) {
		g_autofree char *name = g_strdup_printf("f%d", i);

		json_object_set_int_member(wide, name, i);
	}
	g_assert_false(control_subscription_add(sub, &rule, &why));
	g_assert_nonnull(why);
	g_clear_pointer(&why, g_free);
	g_assert_true(control_subscription_is_empty(sub));

	rule = (ControlSubscriptionRule){.marks = only_state, .once = TRUE};
	for (int i = 0; i < CONTROL_RULES_MAX; i++)
		g_assert_true(control_subscription_add(sub, &rule, &why));
	g_assert_false(control_subscription_add(sub, &rule, &why));
	g_assert_nonnull(why);
	g_free(why);
	/* One event is what all of them waited for. */
	g_assert_true(take(sub, STATE, NULL));
	g_assert_true(control_subscription_is_empty(sub));
	control_subscription_free(sub);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-subscription/plain", test_plain);
	g_test_add_func("/control-subscription/all",
			test_all_means_those_of_no_row_too);
	g_test_add_func("/control-subscription/once", test_once_is_once);
	g_test_add_func("/control-subscription/fields", test_fields);
	g_test_add_func("/control-subscription/peer", test_peer);
	g_test_add_func("/control-subscription/limits", test_limits);
	return g_test_run();
}
