// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-completion.h"

#include <gio/gio.h>
#include <string.h>

#include "appliance/ctl/ctl-table.h"

static void assert_has(const char *script, const char *word)
{
	if (!strstr(script, word))
		g_error("'%s' is not in the script", word);
}

static void test_every_word_is_there(void)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};

	for (unsigned int i = 0; i < G_N_ELEMENTS(shells); i++) {
		g_autofree char *script = ctl_completion_make(shells[i]);

		for (int k = 0; k < N_CTL_VERBS; k++)
			assert_has(script, ctl_verbs[k].name);
		for (int k = 0; k < N_CTL_OPTIONS; k++)
			assert_has(script, ctl_options[k].name);
		assert_has(script, "audio video");
	}
	g_assert_null(ctl_completion_make("tcsh"));
}

/* Return: what @shell prints when it runs @script and @more; NULL: no such
 * shell here. */
static char *run_shell(const char *shell, const char *flags,
		       const char *script, const char *more)
{
	g_autofree char *path = g_find_program_in_path(shell);
	g_autofree char *text = g_strconcat(script, more, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) p = NULL;
	char *out = NULL;

	if (!path)
		return NULL;
	p = g_subprocess_new(G_SUBPROCESS_FLAGS_STDIN_PIPE |
				     G_SUBPROCESS_FLAGS_STDOUT_PIPE |
				     G_SUBPROCESS_FLAGS_STDERR_MERGE,
			     &error, path, flags, NULL);
	g_assert_no_error(error);
	g_assert_true(g_subprocess_communicate_utf8(p, text, NULL, &out, NULL,
						    &error));
	if (!g_subprocess_get_successful(p))
		g_error("%s: %s", shell, out);
	return out;
}

static void assert_completes(const char *words, const char *want)
{
	g_autofree char *script = ctl_completion_make("bash");
	g_autofree char *more = g_strdup_printf(
		"COMP_WORDS=(%s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
		"_skylinkctl\necho \"${COMPREPLY[@]}\"\n", words);
	g_autofree char *out = run_shell("bash", "-s", script, more);

	if (!out) {
		g_test_skip("bash is not installed");
		return;
	}
	g_assert_cmpstr(g_strchomp(out), ==, want);
}

static void test_bash(void)
{
	assert_completes("skylinkctl stat", "status");
	assert_completes("skylinkctl -s /x --json unm", "unmute");
	assert_completes("skylinkctl mute ''",
			 "audio video --socket -s --instance -i --json -j "
			 "--timeout -t --color --help -h --version -V");
	assert_completes("skylinkctl mute v", "video");
	assert_completes("skylinkctl --color a", "auto always");
	assert_completes("skylinkctl completion b", "bash");
	assert_completes("skylinkctl events --fo", "--follow");
	assert_completes("skylinkctl peers --fo", "");
	assert_completes("skylinkctl help jo", "join");
	assert_completes("skylinkctl call selftest.r", "selftest.run");
	assert_completes("skylinkctl methods rpc.d", "rpc.discover");
	assert_completes("skylinkctl watch device.s", "device.state");
	assert_completes("skylinkctl send /etc/os-releas", "/etc/os-release");
}

static void test_syntax(void)
{
	g_autofree char *zsh = ctl_completion_make("zsh");
	g_autofree char *fish = ctl_completion_make("fish");
	g_autofree char *a = run_shell("zsh", "-n", zsh, "");
	g_autofree char *b = run_shell("fish", "-n", fish, "");

	if (!a || !b)
		g_test_skip(a	? "fish is not installed"
			    : b ? "zsh is not installed"
				: "zsh and fish are not installed");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ctl-completion/words", test_every_word_is_there);
	g_test_add_func("/ctl-completion/bash", test_bash);
	g_test_add_func("/ctl-completion/syntax", test_syntax);
	return g_test_run();
}
