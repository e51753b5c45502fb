// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-link.h"

#include <errno.h>
#include <string.h>

struct fixture {
	struct console_link *link;
	unsigned int n_run, readers, n_readers, n_wake;
	guint32 last_id;
};

static void on_run(void *user, const struct console_command *command)
{
	struct fixture *f = user;

	f->n_run++;
	f->last_id = command->id;
}

static void on_readers(void *user, unsigned int n)
{
	struct fixture *f = user;

	f->readers = n;
	f->n_readers++;
}

static void on_wake(void *server)
{
	((struct fixture *) server)->n_wake++;
}

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	g_assert_cmpint(console_link_new(&f->link, NULL,
					 &(struct console_link_ops){
						 on_run, on_readers, f}),
			==, 0);
	console_link_set_wake(f->link, on_wake, f);
}

static void end(struct fixture *f)
{
	f->link = console_link_free(f->link);
	g_assert_null(f->link);
}

static void settle(void)
{
	while (g_main_context_iteration(NULL, FALSE))
		;
}

static void assert_text(GBytes *bytes, const char *text)
{
	g_assert_nonnull(bytes);
	g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
			text, strlen(text));
	g_bytes_unref(bytes);
}

static void test_page(void)
{
	struct fixture f;
	guint64 mine = 0, other = 0;
	g_autofree char *huge = g_strnfill(CONSOLE_PAGE_MAX_BYTES + 1, ' ');

	begin(&f);
	g_assert_null(console_link_page(f.link, &mine));
	console_link_publish(f.link, "{\"n\":1}");
	console_link_publish(f.link, "{\"n\":2}");
	g_assert_cmpuint(f.n_wake, ==, 2);
	assert_text(console_link_page(f.link, &mine), "{\"n\":2}");
	g_assert_null(console_link_page(f.link, &mine));
	assert_text(console_link_page(f.link, &other), "{\"n\":2}");
	console_link_publish(f.link, huge);
	g_assert_null(console_link_page(f.link, &mine));
	end(&f);
}

static void test_lines(void)
{
	struct fixture f;
	guint64 fast = 0, slow = 0, missed;

	begin(&f);
	g_assert_null(console_link_line(f.link, &fast, &missed));
	console_link_tell(f.link, "first");
	assert_text(console_link_line(f.link, &fast, &missed), "first");
	g_assert_cmpuint(missed, ==, 0);
	for (unsigned int i = 0; i < CONSOLE_LINES + 4; i++) {
		g_autofree char *text = g_strdup_printf("%u", i);

		console_link_tell(f.link, text);
		assert_text(console_link_line(f.link, &fast, &missed), text);
		g_assert_cmpuint(missed, ==, 0);
	}
	assert_text(console_link_line(f.link, &slow, &missed), "4");
	g_assert_cmpuint(missed, ==, 5);
	assert_text(console_link_line(f.link, &slow, &missed), "5");
	g_assert_cmpuint(missed, ==, 0);
	end(&f);
}

static void test_commands(void)
{
	struct fixture f;
	struct console_command c = {.verb = CONSOLE_JOIN};

	begin(&f);
	for (c.id = 0; c.id < CONSOLE_COMMANDS; c.id++)
		g_assert_cmpint(console_link_command(f.link, &c), ==, 0);
	g_assert_cmpint(console_link_command(f.link, &c), ==, -ENOBUFS);
	/* The number of readers has a place of its own. */
	console_link_set_readers(f.link, 3);
	console_link_set_readers(f.link, 2);
	settle();
	g_assert_cmpuint(f.n_run, ==, CONSOLE_COMMANDS);
	g_assert_cmpuint(f.last_id, ==, CONSOLE_COMMANDS - 1);
	g_assert_cmpuint(f.readers, ==, 2);
	g_assert_cmpuint(f.n_readers, ==, 1);
	g_assert_cmpint(console_link_command(f.link, &c), ==, 0);
	settle();
	g_assert_cmpuint(f.n_run, ==, CONSOLE_COMMANDS + 1);
	/* What is queued when it ends is not done. */
	g_assert_cmpint(console_link_command(f.link, &c), ==, 0);
	end(&f);
	g_assert_cmpuint(f.n_run, ==, CONSOLE_COMMANDS + 1);
}

#define ROUNDS 2000

static gpointer read_all(gpointer data)
{
	struct console_link *link = data;
	guint64 cursor = 0, generation = 0, missed, seen = 0;

	while (seen < ROUNDS) {
		GBytes *line = console_link_line(link, &cursor, &missed);
		GBytes *page = console_link_page(link, &generation);

		seen += missed + (line != NULL);
		g_bytes_unref(line);
		g_bytes_unref(page);
		console_link_set_readers(link, (unsigned int) (seen % 5));
		if (!line)
			g_thread_yield();
	}
	console_link_set_readers(link, 7);
	return NULL;
}

static void test_threads(void)
{
	struct fixture f;
	GThread *reader;

	begin(&f);
	reader = g_thread_new("reader", read_all, f.link);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		console_link_tell(f.link, "line");
		console_link_publish(f.link, "page");
		settle();
	}
	g_thread_join(reader);
	settle();
	g_assert_cmpuint(f.readers, ==, 7);
	end(&f);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/console-link/page", test_page);
	g_test_add_func("/console-link/lines", test_lines);
	g_test_add_func("/console-link/commands", test_commands);
	g_test_add_func("/console-link/threads", test_threads);
	return g_test_run();
}
