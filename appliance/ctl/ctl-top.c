// SPDX-License-Identifier: Apache-2.0
/* appliance/ctl/ctl-top.c - skylinkctl top
 *
 * Asks for the status again and again; rates are what counters grew by.
 */
#include <string.h>
#include <unistd.h>

#include "appliance/ctl/ctl-format.h"
#include "appliance/ctl/ctl-private.h"

/* Each line is drawn over the one before, so nothing flickers. */
static void draw(struct ctl *c, const char *page)
{
	g_auto(GStrv) lines = g_strsplit(page, "\n", -1);

	fputs("\033[H", c->out);
	for (char **line = lines; *line; line++)
		fprintf(c->out, "%s\033[K%s", *line, line[1] ? "\n" : "");
	fputs("\033[J", c->out);
}

static int show(struct ctl *c, JsonNode *before, JsonNode *status,
		double seconds, bool first, bool terminal)
{
	g_autofree char *page = ctl_format_top(before, status, seconds,
					       c->color);

	if (c->args.option[CTL_JSON])
		ctl_print(c, status, NULL);
	else if (terminal)
		draw(c, page);
	else
		fprintf(c->out, "%s%s", first ? "" : "\n", page);
	/* When nobody reads any more, this is over. */
	return fflush(c->out) == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

/* Nothing is subscribed to, so the only thing that comes is an end. Return:
 * CTL_EXIT_TIMEOUT: the time is over. */
static int pause_for(struct ctl *c, unsigned int ms, GError **error)
{
	gint64 until = g_get_monotonic_time() + (gint64) ms * 1000;
	gint64 left;

	while ((left = until - g_get_monotonic_time()) > 0) {
		g_autoptr(GError) cause = NULL;
		g_autoptr(JsonNode) message = ctl_client_next(
			c->client, (unsigned int) (left / 1000) + 1, &cause);

		if (message)
			continue;
		if (cause->code != CTL_EXIT_TIMEOUT) {
			int code = cause->code;

			g_propagate_error(error, g_steal_pointer(&cause));
			return code;
		}
	}
	return CTL_EXIT_TIMEOUT;
}

/* Ctrl-C is how it ends. */
static int end(struct ctl *c, GError *error, JsonNode *object)
{
	return error->code == CTL_EXIT_INTERRUPTED ?
		CTL_EXIT_OK : ctl_failed(c, error, object);
}

int ctl_run_top(struct ctl *c)
{
	bool terminal = isatty(fileno(c->out)) && !c->args.option[CTL_JSON];
	g_autoptr(JsonNode) before = NULL;
	gint64 asked_us = 0;
	int r = CTL_EXIT_OK;

	ctl_client_catch_signals(c->client);
	if (terminal)
		fputs("\033[2J", c->out);
	for (guint64 n = 0; !r && (!c->args.count || n < c->args.count); n++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(JsonNode) status = NULL, object = NULL;
		gint64 now_us;

		if (n && pause_for(c, c->args.interval_ms, &error) !=
				 CTL_EXIT_TIMEOUT)
			return end(c, error, NULL);
		status = ctl_client_call(c->client, "stats.status", NULL,
					 c->args.timeout_ms, &object, &error);
		if (!status)
			return end(c, error, object);
		now_us = g_get_monotonic_time();
		r = show(c, before, status,
			 (double) (now_us - asked_us) / G_USEC_PER_SEC, !n,
			 terminal);
		asked_us = now_us;
		g_clear_pointer(&before, json_node_unref);
		before = g_steal_pointer(&status);
	}
	return r;
}
