// SPDX-License-Identifier: Apache-2.0
#include "appliance/manual/manual.h"

#include <gio/gio.h>
#include <string.h>

#include "appliance/control/control-table.h"
#include "appliance/ctl/ctl-table.h"
#include "appliance/skylinkd-options.h"
#include "config/option-table.h"

/* As the page writes it. */
static char *as_roff(const char *plain)
{
	g_auto(GStrv) parts = g_strsplit(plain, "-", -1);

	return g_strjoinv("\\-", parts);
}

static void assert_has(const char *page, const char *before,
		       const char *plain)
{
	g_autofree char *roff = as_roff(plain);
	g_autofree char *want = g_strconcat(before, roff, NULL);

	if (!strstr(page, want))
		g_error("'%s' is not in the page", want);
}

static void test_everything_is_there(void)
{
	g_autofree char *daemon = manual_make("skylinkd.8");
	g_autofree char *ctl = manual_make("skylinkctl.1");
	g_autofree char *config = manual_make("skylink.conf.5");
	g_autofree char *control = manual_make("skylink-control.7");

	for (const struct skylinkd_option *o = skylinkd_options; o->name;
	     o++) {
		g_autofree char *name = g_strconcat("--", o->name, NULL);

		assert_has(daemon, "\\fB", name);
		assert_has(daemon, "", o->help);
	}
	for (int i = 0; i < N_CTL_VERBS; i++) {
		assert_has(ctl, ".TP\n\\fB", ctl_verbs[i].name);
		assert_has(ctl, "", ctl_verbs[i].help);
	}
	for (int i = 0; i < N_CTL_OPTIONS; i++) {
		g_autofree char *name = g_strconcat("--", ctl_options[i].name,
						    NULL);

		assert_has(ctl, "\\fB", name);
	}
	for (int i = 0; i < N_CTL_EXITS; i++)
		assert_has(ctl, "", ctl_exit_help[i]);
	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);

		assert_has(config, ".TP\n\\fB", row->key);
		assert_has(config, "", row->help);
	}
	for (const ControlMethod *m = control_methods; m->name; m++)
		assert_has(control, ".SS ", m->name);
	for (const ControlMethod *m = control_builtin_methods; m->name; m++)
		assert_has(control, ".SS ", m->name);
	for (const ControlEvent *e = control_events; e->name; e++)
		assert_has(control, ".TP\n\\fB", e->name);
	g_assert_null(manual_make("skylinkd.1"));
}

/* groff says nothing about a good page. */
static void test_groff_has_no_complaint(void)
{
	g_autofree char *groff = g_find_program_in_path("groff");

	if (!groff) {
		g_test_skip("groff is not installed");
		return;
	}
	for (unsigned int i = 0; manual_pages[i]; i++) {
		g_autofree char *page = manual_make(manual_pages[i]);
		g_autofree char *out = NULL, *err = NULL;
		g_autoptr(GError) error = NULL;
		g_autoptr(GSubprocess) p = g_subprocess_new(
			G_SUBPROCESS_FLAGS_STDIN_PIPE |
				G_SUBPROCESS_FLAGS_STDOUT_PIPE |
				G_SUBPROCESS_FLAGS_STDERR_PIPE,
			&error, groff, "-man", "-Tascii", "-ww", "-P-cbou", "-rLL=100n",
			NULL);

		g_assert_no_error(error);
		g_assert_true(g_subprocess_communicate_utf8(
			p, page, NULL, &out, &err, &error));
		g_assert_true(g_subprocess_get_successful(p));
		g_assert_cmpstr(err, ==, "");
		g_assert_nonnull(strstr(out, "SEE ALSO"));
	}
}

static void assert_document_has(const char *name, const char *table,
				const char *page)
{
	g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "docs",
						      name, NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, &error));
	if (!strstr(text, table))
		g_error("docs/%s: its tables are not what 'make-manual %s' "
			"prints", name, page);
}

static void test_the_documents_have_these_tables(void)
{
	g_autofree char *keys = manual_make_key_table();
	g_autofree char *methods = manual_make_control_tables();

	assert_document_has("configuration.md", keys, "keys");
	assert_document_has("control.md", methods, "methods");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/manual/complete", test_everything_is_there);
	g_test_add_func("/manual/groff", test_groff_has_no_complaint);
	g_test_add_func("/manual/document", test_the_documents_have_these_tables);
	return g_test_run();
}
