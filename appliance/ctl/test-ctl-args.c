// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-args.h"

#include <string.h>

static char **words_of(const char *line)
{
	return g_strsplit(line, " ", -1);
}

static void assert_refused(const char *line, const char *need)
{
	g_auto(GStrv) words = words_of(line);
	g_auto(GStrv) list = g_strsplit(need, ";", -1);
	g_autofree char *why = NULL;
	struct ctl_args a;

	g_assert_false(ctl_args_parse((int) g_strv_length(words), words, &a,
				      &why));
	for (unsigned int i = 0; list[i]; i++)
		if (!strstr(why, list[i]))
			g_error("'%s' lacks '%s'", why, list[i]);
}

static void test_good(void)
{
	g_auto(GStrv) words = words_of("skylinkctl -j events --follow "
				       "--socket=/x peer* -p id -- --odd");
	g_autofree char *why = NULL;
	struct ctl_args a;

	g_assert_true(ctl_args_parse((int) g_strv_length(words), words, &a,
				     &why));
	g_assert_cmpint(a.verb, ==, CTL_EVENTS);
	g_assert_nonnull(a.option[CTL_JSON]);
	g_assert_nonnull(a.option[CTL_FOLLOW]);
	g_assert_cmpstr(a.option[CTL_SOCKET], ==, "/x");
	g_assert_cmpstr(a.option[CTL_PEER], ==, "id");
	g_assert_cmpuint(a.n_arguments, ==, 2);
	g_assert_cmpstr(a.arguments[0], ==, "peer*");
	g_assert_cmpstr(a.arguments[1], ==, "--odd");
	g_assert_cmpuint(a.timeout_ms, ==, 30000);
}

static void test_wrong(void)
{
	assert_refused("skylinkctl jion x", "jion;'join'");
	assert_refused("skylinkctl status --jsn", "--jsn;'--json'");
	assert_refused("skylinkctl status -z", "-z");
	assert_refused("skylinkctl status extra", "usage: skylinkctl status");
	assert_refused("skylinkctl mute", "usage;audio|video");
	assert_refused("skylinkctl mute sound", "'sound';audio|video");
	assert_refused("skylinkctl peers --follow", "'peers';--follow");
	assert_refused("skylinkctl status --timeout x", "seconds");
	assert_refused("skylinkctl status --timeout 0", "seconds");
	assert_refused("skylinkctl status --socket", "--socket needs PATH");
	assert_refused("skylinkctl status --json=1", "takes no value");
	assert_refused("skylinkctl status --color red", "auto|always|never");
	assert_refused("skylinkctl status -i ../x", "instance");
	assert_refused("skylinkctl status -i a -s /b", "exclude");
	assert_refused("skylinkctl events -f -n 0", "--count");
	assert_refused("skylinkctl completion tcsh", "'tcsh';bash");
}

static void test_rows_are_whole(void)
{
	g_autofree char *all = ctl_table_help(-1);

	for (int i = 0; i < N_CTL_VERBS; i++) {
		const struct ctl_verb *v = &ctl_verbs[i];
		g_autofree char *help = ctl_table_help(i);
		g_autofree char *row = g_strdup_printf("\n  %s", v->name);
		g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

		g_assert_true(g_str_has_suffix(v->help, "."));
		g_assert_cmpint(ctl_table_find_verb(v->name), ==, i);
		g_assert_cmpuint(v->max_arguments, <=, CTL_ARGUMENTS_MAX);
		g_assert_nonnull(strstr(all, row));
		for (unsigned int k = 0; lines[k]; k++)
			g_assert_cmpuint(strlen(lines[k]), <, 80);
		for (int k = CTL_FIRST_OWN_OPTION; k < N_CTL_OPTIONS; k++) {
			g_autofree char *option = g_strconcat(
				"--", ctl_options[k].name, NULL);

			g_assert_true(!!strstr(help, option) ==
				      ctl_table_verb_has(v, k));
		}
	}
	for (int i = 0; i < N_CTL_OPTIONS; i++)
		g_assert_true(g_str_has_suffix(ctl_options[i].help, "."));
	for (int i = 0; i < N_CTL_EXITS; i++)
		g_assert_nonnull(strstr(all, ctl_exit_help[i]));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-args/good", test_good);
	g_test_add_func("/ctl-args/wrong", test_wrong);
	g_test_add_func("/ctl-args/rows", test_rows_are_whole);
	return g_test_run();
}
