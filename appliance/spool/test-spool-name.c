// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool-name.h"

#include <glib.h>
#include <string.h>

struct row {
	const char *raw, *clean;
};

static const struct row rows[] = {
	/* as it is */
	{"report.pdf", "report.pdf"},
	{"Bericht \303\234bersicht.odt", "Bericht \303\234bersicht.odt"},
	{"\346\227\245\346\234\254.txt", "\346\227\245\346\234\254.txt"},
	{"a.tar.gz", "a.tar.gz"},
	{"no extension", "no extension"},
	{"a+b=c, (1) [2] {3} & co;.txt", "a+b=c, (1) [2] {3} & co;.txt"},
	/* paths */
	{"../../etc/passwd", "passwd"},
	{"/etc/shadow", "shadow"},
	{"a/b/c.txt", "c.txt"},
	{"C:\\Windows\\system32\\cmd.exe", "cmd.exe"},
	{"..\\..\\x", "x"},
	{"dir/", "dir"},
	{"dir///", "dir"},
	{"a/..", "file"},
	{"/", "file"},
	{"", "file"},
	{".", "file"},
	{"..", "file"},
	{"...", "file"},
	{"   ", "file"},
	{". . .", "file"},
	{"\342\210\225etc", "\342\210\225etc"},	/* U+2215 is no separator */
	/* hidden, options, home */
	{".bashrc", "_bashrc"},
	{"..hidden", "_.hidden"},
	{"-rf", "_rf"},
	{"--help", "_-help"},
	{"~root", "_root"},
	{"  .profile", "_profile"},
	{" a.txt ", "a.txt"},
	{"a.txt...", "a.txt"},
	{"a. . ", "a"},
	/* controls and what misleads */
	{"a\nb", "a_b"},
	{"a\r\n\tb", "a_b"},
	{"a\033[2Jb", "a_[2Jb"},
	{"\177", "_"},
	{"a\302\205b", "a_b"},			/* U+0085 */
	{"gpj.\342\200\256exe", "gpj._exe"},	/* U+202E, right to left */
	{"a\342\201\246b", "a_b"},		/* U+2066, isolate */
	{"a\342\200\213b", "a_b"},		/* U+200B, zero width */
	{"a\357\273\277b", "a_b"},		/* U+FEFF */
	{"a\342\200\250b", "a_b"},		/* U+2028 */
	{"a\302\240b", "a b"},			/* no-break space */
	{"\302\240a", "a"},
	{"a\342\200\215b", "a\342\200\215b"},	/* U+200D, joins emoji */
	{"a\356\200\200b", "a_b"},		/* private use */
	/* no UTF-8 */
	{"a\377b", "a_b"},
	{"a\300\257b", "a_b"},			/* overlong '/' */
	{"\355\240\200", "_"},			/* a surrogate */
	{"\364\220\200\200x", "_x"},		/* above U+10FFFF */
	{"caf\351.txt", "caf_.txt"},		/* Latin-1 */
	{"cut\303", "cut_"},
	/* meaning to shells, pages and other systems */
	{"a<b>c", "a_b_c"},
	{"what?.txt", "what_.txt"},
	{"a:b", "a_b"},
	{"$(reboot)", "_(reboot)"},
	{"`id`", "_id_"},
	{"a|b*c\"d", "a_b_c_d"},
	{"con", "_con"},
	{"CON.txt", "_CON.txt"},
	{"nul .txt", "_nul .txt"},
	{"com1", "_com1"},
	{"LPT9.log", "_LPT9.log"},
	{"company", "company"},
	{"com10", "com10"},
	{"aux.tar.gz", "_aux.tar.gz"},
};

static void test_table(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		char clean[SPOOL_NAME_MAX_BYTES + 1];

		spool_name_clean(rows[i].raw, strlen(rows[i].raw), clean);
		g_assert_cmpstr(clean, ==, rows[i].clean);
		g_assert_true(spool_name_is_clean(clean));
		g_assert_true(!strcmp(rows[i].raw, clean) ==
			      spool_name_is_clean(rows[i].raw));
	}
}

static void test_nul(void)
{
	static const char raw[] = "a.txt\0.exe";
	char clean[SPOOL_NAME_MAX_BYTES + 1];

	spool_name_clean(raw, sizeof(raw) - 1, clean);
	g_assert_cmpstr(clean, ==, "a.txt_.exe");
	spool_name_clean("\0\0", 2, clean);
	g_assert_cmpstr(clean, ==, "_");
}

static void test_long(void)
{
	g_autofree char *much = g_strnfill(4096, 'x');
	g_autofree char *named = g_strconcat(much, ".pdf", NULL);
	g_autofree char *no_extension = g_strconcat("a.", much, NULL);
	char clean[SPOOL_NAME_MAX_BYTES + 1];
	GString *umlauts = g_string_new("a");

	spool_name_clean(named, strlen(named), clean);
	g_assert_cmpuint(strlen(clean), ==, SPOOL_NAME_MAX_BYTES);
	g_assert_true(g_str_has_suffix(clean, "xxx.pdf"));
	spool_name_clean(no_extension, strlen(no_extension), clean);
	g_assert_cmpuint(strlen(clean), ==, SPOOL_NAME_MAX_BYTES);

	/* Two bytes each, behind one: the limit falls into a character. */
	for (unsigned int i = 0; i < 500; i++)
		g_string_append(umlauts, "\303\274");
	spool_name_clean(umlauts->str, umlauts->len, clean);
	g_assert_cmpuint(strlen(clean), ==, SPOOL_NAME_MAX_BYTES - 1);
	g_assert_true(g_utf8_validate(clean, -1, NULL));
	g_string_free(umlauts, TRUE);
}

static void test_numbers(void)
{
	static const struct {
		const char *name;
		unsigned int n;
		const char *right;
	} numbered[] = {
		{"a.pdf", 1, "a.pdf"},
		{"a.pdf", 2, "a (2).pdf"},
		{"a.tar.gz", 3, "a.tar (3).gz"},
		{"a", 10, "a (10)"},
		{"a (2).pdf", 2, "a (2) (2).pdf"},
		{"a.an extension of many words", 2,
		 "a.an extension of many words (2)"},
	};
	g_autofree char *much = g_strnfill(SPOOL_NAME_MAX_BYTES, 'x');
	char got[SPOOL_NAME_MAX_BYTES + 1];

	for (size_t i = 0; i < G_N_ELEMENTS(numbered); i++) {
		spool_name_number(numbered[i].name, numbered[i].n, got);
		g_assert_cmpstr(got, ==, numbered[i].right);
		g_assert_true(spool_name_is_clean(got));
	}
	spool_name_number(much, 10000, got);
	g_assert_cmpuint(strlen(got), ==, SPOOL_NAME_MAX_BYTES);
	g_assert_true(g_str_has_suffix(got, "x (10000)"));
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spool-name/table", test_table);
	g_test_add_func("/spool-name/nul", test_nul);
	g_test_add_func("/spool-name/long", test_long);
	g_test_add_func("/spool-name/numbers", test_numbers);
	return g_test_run();
}
