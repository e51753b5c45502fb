// SPDX-License-Identifier: Apache-2.0
/* appliance/ctl/ctl-config-verbs.c - config: get, set, reset, diff, reload */
#include "appliance/ctl/ctl-private.h"

#include <string.h>

#include "appliance/ctl/ctl-format.h"

/* The arguments from @from on, as an array; NULL: there are none. */
static JsonArray *names_from(struct ctl *c, unsigned int from)
{
	JsonArray *array = NULL;

	for (unsigned int i = from; i < c->args.n_arguments; i++) {
		if (!array)
			array = json_array_new();
		json_array_add_string_element(array, c->args.arguments[i]);
	}
	return array;
}

static int get(struct ctl *c, unsigned int from)
{
	g_autoptr(JsonNode) result = NULL;
	JsonObject *params = json_object_new();
	JsonArray *names = names_from(c, from);
	int r;

	if (names)
		json_object_set_array_member(params, "names", names);
	r = ctl_call(c, "config.get", ctl_params(params), &result);
	return r ? r : ctl_print(c, result, ctl_format_config(result, c->color));
}

/* Takes @params. */
static int change(struct ctl *c, const char *method, JsonObject *params)
{
	g_autoptr(JsonNode) result = NULL;
	int r;

	if (c->args.option[CTL_DRY_RUN])
		json_object_set_boolean_member(params, "dryRun", TRUE);
	if (c->args.option[CTL_REJOIN])
		json_object_set_boolean_member(params, "rejoin", TRUE);
	r = ctl_call(c, method, ctl_params(params), &result);
	return r ? r : ctl_print(c, result,
				 ctl_format_changes(result, c->color));
}

static int set(struct ctl *c)
{
	g_autoptr(JsonObject) values = json_object_new();
	JsonObject *params;

	if (c->args.n_arguments < 2)
		return ctl_usage_error(c, "config set needs NAME=VALUE");
	for (unsigned int i = 1; i < c->args.n_arguments; i++) {
		const char *argument = c->args.arguments[i];
		const char *equals = strchr(argument, '=');
		g_autofree char *name = NULL, *why = NULL;

		if (equals)
			name = g_strstrip(g_strndup(
				argument, (gsize) (equals - argument)));
		if (!name || json_object_has_member(values, name)) {
			why = g_strdup_printf(equals ? "'%s' is set twice" :
					      "'%s' is not NAME=VALUE",
					      equals ? name : argument);
			return ctl_usage_error(c, why);
		}
		json_object_set_string_member(values, name, equals + 1);
	}
	params = json_object_new();
	json_object_set_object_member(params, "values",
				      g_steal_pointer(&values));
	return change(c, "config.set", params);
}

static int reset(struct ctl *c)
{
	JsonObject *params;

	if (c->args.n_arguments < 2)
		return ctl_usage_error(c, "config reset needs NAME");
	params = json_object_new();
	json_object_set_array_member(params, "names", names_from(c, 1));
	return change(c, "config.reset", params);
}

static int diff(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	int r = ctl_call(c, "config.diff", NULL, &result);

	return r ? r : ctl_print(c, result,
				 ctl_format_config_diff(result, c->color));
}

int ctl_run_config(struct ctl *c)
{
	const char *word = c->args.n_arguments ? c->args.arguments[0] : "";
	bool sets = !strcmp(word, "set") || !strcmp(word, "reset");
	bool reloads = !strcmp(word, "reload");

	if (c->args.option[CTL_DRY_RUN] && !sets)
		return ctl_usage_error(c, "--dry-run goes with set and reset; "
					  "'config diff' tells what a reload "
					  "would do");
	if (c->args.option[CTL_REJOIN] && !sets && !reloads)
		return ctl_usage_error(c, "--rejoin goes with set, reset and "
					  "reload");
	if ((reloads || !strcmp(word, "diff")) && c->args.n_arguments > 1)
		return ctl_usage_error(c, "diff and reload take no names");
	if (sets)
		return *word == 's' ? set(c) : reset(c);
	if (reloads)
		return change(c, "config.reload", json_object_new());
	if (!strcmp(word, "diff"))
		return diff(c);
	return get(c, !strcmp(word, "get"));
}
