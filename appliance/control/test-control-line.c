// SPDX-License-Identifier: Apache-2.0
#include "appliance/control/control-line.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void feed(struct control_line *l, const char *text, size_t len)
{
	while (len) {
		size_t room;
		char *p = control_line_reserve(l, &room);
		size_t n = MIN(room, len);

		g_assert_cmpuint(room, >, 0);
		memcpy(p, text, n);
		control_line_commit(l, n);
		text += n;
		len -= n;
		if (len) {
			/* More than one read: only unfinished lines here. */
			const char *line;
			size_t line_len;

			g_assert_cmpint(control_line_next(l, &line, &line_len),
					!=, 1);
		}
	}
}

static void assert_line(struct control_line *l, const char *want)
{
	const char *text;
	size_t len;

	g_assert_cmpint(control_line_next(l, &text, &len), ==, 1);
	g_assert_cmpmem(text, len, want, strlen(want));
}

static void assert_none(struct control_line *l, int want)
{
	const char *text;
	size_t len;

	g_assert_cmpint(control_line_next(l, &text, &len), ==, want);
}

static void test_every_cut(void)
{
	static const char text[] = "one\n\ntwo three\n{\"x\":1}\nrest";

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		struct control_line l;
		GString *got = g_string_new(NULL);
		const char *line;
		size_t len;

		control_line_init(&l, 16);
		for (int part = 0; part < 2; part++) {
			feed(&l, part ? text + cut : text,
			     part ? sizeof(text) - 1 - cut : cut);
			while (control_line_next(&l, &line, &len) == 1) {
				g_string_append_len(got, line, (gssize) len);
				g_string_append_c(got, '|');
			}
		}
		g_assert_cmpstr(got->str, ==, "one||two three|{\"x\":1}|");
		g_string_free(got, TRUE);
		control_line_done(&l);
	}
}

static void test_long_lines_are_told_once(void)
{
	struct control_line l;

	control_line_init(&l, 4);
	feed(&l, "1234\n12345\n", 11);
	assert_line(&l, "1234");
	assert_none(&l, -EMSGSIZE);
	assert_none(&l, 0);

	/* Its end comes much later; what follows is a line again. */
	feed(&l, "12345", 5);
	assert_none(&l, -EMSGSIZE);
	for (int i = 0; i < 100; i++) {
		feed(&l, "xxxxxxxxxx", 10);
		assert_none(&l, 0);
	}
	feed(&l, "x\nok\n", 5);
	assert_line(&l, "ok");
	assert_none(&l, 0);
	control_line_done(&l);
}

static void test_memory_is_bounded_and_given_back(void)
{
	g_autofree char *big = g_malloc(1 << 20);
	struct control_line l;

	memset(big, 'x', 1 << 20);
	control_line_init(&l, 1 << 20);
	feed(&l, big, 1 << 20);
	assert_none(&l, 0);
	g_assert_cmpuint(l.capacity, <=, (1 << 20) + 65536);
	feed(&l, "\n", 1);
	{
		const char *text;
		size_t len;

		g_assert_cmpint(control_line_next(&l, &text, &len), ==, 1);
		g_assert_cmpuint(len, ==, 1 << 20);
	}
	assert_none(&l, 0);
	g_assert_cmpuint(l.capacity, ==, 0);
	control_line_done(&l);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/control-line/cuts", test_every_cut);
	g_test_add_func("/control-line/long", test_long_lines_are_told_once);
	g_test_add_func("/control-line/memory",
			test_memory_is_bounded_and_given_back);
	return g_test_run();
}
