// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-args.h"

#include <string.h>

#include "appliance/control/control-path.h"
#include "config/nearest.h"

#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_INTERVAL_MS 1000
#define MAX_INTERVAL_S	   3600
#define MAX_TIMEOUT_S	   86400

static int find_option(const char *arg, const char *equals)
{
	size_t n = equals ? (size_t) (equals - arg) : strlen(arg);

	for (int i = 0; i < N_CTL_OPTIONS; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (n > 2 && !strncmp(arg, "--", 2) &&
		    strlen(o->name) == n - 2 &&
		    !memcmp(o->name, arg + 2, n - 2))
			return i;
		if (n == 2 && arg[0] == '-' && o->letter &&
		    arg[1] == o->letter)
			return i;
	}
	return -1;
}

static bool unknown_option(const char *arg, char **ret_why)
{
	const char *names[N_CTL_OPTIONS + 1] = {NULL};
	g_autofree char *bare = g_strdup(arg + strspn(arg, "-"));
	const char *near;

	for (int i = 0; i < N_CTL_OPTIONS; i++)
		names[i] = ctl_options[i].name;
	bare[strcspn(bare, "=")] = '\0';
	near = nearest_of(bare, names);
	*ret_why = near ? g_strdup_printf("There is no option '%s'. Did you "
					  "mean '--%s'?", arg, near)
			: g_strdup_printf("There is no option '%s'", arg);
	return false;
}

static bool unknown_verb(const char *arg, char **ret_why)
{
	const char *names[N_CTL_VERBS + 1] = {NULL};
	const char *near;

	for (int i = 0; i < N_CTL_VERBS; i++)
		names[i] = ctl_verbs[i].name;
	near = nearest_of(arg, names);
	*ret_why = near ? g_strdup_printf("There is no verb '%s'. Did you "
					  "mean '%s'?", arg, near)
			: g_strdup_printf("There is no verb '%s'", arg);
	return false;
}

static bool is_one_of(const char *text, const char *values)
{
	g_auto(GStrv) list = g_strsplit(values, "|", -1);

	return g_strv_contains((const char *const *) list, text);
}

static bool check_options(struct ctl_args *a, char **ret_why)
{
	guint64 n;

	for (int i = 0; i < N_CTL_OPTIONS; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (!a->option[i])
			continue;
		if (a->verb >= 0 &&
		    !ctl_table_verb_has(&ctl_verbs[a->verb], i)) {
			*ret_why = g_strdup_printf(
				"'%s' has no option --%s",
				ctl_verbs[a->verb].name, o->name);
			return false;
		}
		if (o->values && !is_one_of(a->option[i], o->values)) {
			*ret_why = g_strdup_printf(
				"--%s is '%s'; it can be one of %s", o->name,
				a->option[i], o->values);
			return false;
		}
	}
	a->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (a->option[CTL_TIMEOUT]) {
		if (!g_ascii_string_to_unsigned(a->option[CTL_TIMEOUT], 10, 1,
						MAX_TIMEOUT_S, &n, NULL)) {
			*ret_why = g_strdup_printf(
				"--timeout is '%s'; it must be a whole number "
				"of seconds, 1 to %d", a->option[CTL_TIMEOUT],
				MAX_TIMEOUT_S);
			return false;
		}
		a->timeout_ms = (unsigned int) n * 1000;
	}
	a->interval_ms = DEFAULT_INTERVAL_MS;
	if (a->option[CTL_INTERVAL]) {
		if (!g_ascii_string_to_unsigned(a->option[CTL_INTERVAL], 10, 1,
						MAX_INTERVAL_S, &n, NULL)) {
			*ret_why = g_strdup_printf(
				"--interval is '%s'; it must be a whole number "
				"of seconds, 1 to %d", a->option[CTL_INTERVAL],
				MAX_INTERVAL_S);
			return false;
		}
		a->interval_ms = (unsigned int) n * 1000;
	}
	if (a->option[CTL_COUNT] &&
	    !g_ascii_string_to_unsigned(a->option[CTL_COUNT], 10, 1,
					G_MAXINT64, &a->count, NULL)) {
		*ret_why = g_strdup_printf("--count is '%s'; it must be a "
					   "whole number above 0",
					   a->option[CTL_COUNT]);
		return false;
	}
	if (a->option[CTL_INSTANCE] &&
	    !control_path_instance_is_valid(a->option[CTL_INSTANCE])) {
		*ret_why = g_strdup_printf("'%s' cannot be an instance's name",
					   a->option[CTL_INSTANCE]);
		return false;
	}
	if (a->option[CTL_INSTANCE] && a->option[CTL_SOCKET]) {
		*ret_why = g_strdup("--instance and --socket exclude each "
				    "other");
		return false;
	}
	return true;
}

static bool check_arguments(const struct ctl_args *a, char **ret_why)
{
	const struct ctl_verb *v;

	if (a->verb < 0 || a->option[CTL_HELP] || a->option[CTL_VERSION])
		return true;
	v = &ctl_verbs[a->verb];
	if (a->n_arguments < v->min_arguments ||
	    a->n_arguments > v->max_arguments) {
		*ret_why = g_strdup_printf("usage: skylinkctl %s%s%s", v->name,
					   v->arguments[0] ? " " : "",
					   v->arguments);
		return false;
	}
	for (unsigned int i = 0; v->values && i < a->n_arguments; i++) {
		if (is_one_of(a->arguments[i], v->values))
			continue;
		*ret_why = g_strdup_printf("'%s' is not one of %s",
					   a->arguments[i], v->values);
		return false;
	}
	return true;
}

static bool take_word(struct ctl_args *a, const char *word, char **ret_why)
{
	if (a->verb < 0) {
		a->verb = ctl_table_find_verb(word);
		return a->verb >= 0 || unknown_verb(word, ret_why);
	}
	if (a->n_arguments == CTL_ARGUMENTS_MAX) {
		*ret_why = g_strdup_printf("There are more than %d arguments",
					   CTL_ARGUMENTS_MAX);
		return false;
	}
	a->arguments[a->n_arguments++] = word;
	return true;
}

/* Return: how many words of @argv were used, 0 with @ret_why. */
static int take_option(struct ctl_args *a, int left, char *const argv[],
		       char **ret_why)
{
	const char *equals = g_str_has_prefix(argv[0], "--")
				     ? strchr(argv[0], '=') : NULL;
	int id = find_option(argv[0], equals);
	const struct ctl_option *o = &ctl_options[id < 0 ? 0 : id];

	if (id < 0) {
		unknown_option(argv[0], ret_why);
		return 0;
	}
	if (!o->argument) {
		a->option[id] = "";
		if (!equals)
			return 1;
		*ret_why = g_strdup_printf("--%s takes no value", o->name);
		return 0;
	}
	a->option[id] = equals ? equals + 1 : left > 1 ? argv[1] : NULL;
	if (a->option[id] && a->option[id][0])
		return equals ? 1 : 2;
	*ret_why = g_strdup_printf("--%s needs %s", o->name, o->argument);
	return 0;
}

bool ctl_args_parse(int argc, char *const argv[], struct ctl_args *ret,
		    char **ret_why)
{
	bool options = true;

	*ret = (struct ctl_args){.verb = -1};
	for (int i = 1; i < argc;) {
		int used = 1;

		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			used = take_option(ret, argc - i, argv + i, ret_why);
			if (!used)
				return false;
		} else if (!take_word(ret, argv[i], ret_why)) {
			return false;
		}
		i += used;
	}
	return check_options(ret, ret_why) && check_arguments(ret, ret_why);
}
