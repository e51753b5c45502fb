// SPDX-License-Identifier: Apache-2.0
/* tests/room-server.c - the room server alone, for tests from outside
 *
 * Prints its address, serves until its standard input ends, then prints what
 * it counted as one JSON line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/roomserver/room-server.h"

static void print_stats(struct room_server *server)
{
	struct room_server_stats s;

	room_server_get_stats(server, &s);
	printf("{\"clients\":%u,\"rooms\":%u,\"clientsTotal\":%" G_GUINT64_FORMAT
	       ",\"messagesIn\":%" G_GUINT64_FORMAT
	       ",\"messagesOut\":%" G_GUINT64_FORMAT
	       ",\"refused\":%" G_GUINT64_FORMAT
	       ",\"droppedSlow\":%" G_GUINT64_FORMAT
	       ",\"timeouts\":%" G_GUINT64_FORMAT
	       ",\"badMessages\":%" G_GUINT64_FORMAT "}\n",
	       s.clients, s.rooms, s.clients_total, s.messages_in,
	       s.messages_out, s.refused, s.dropped_slow, s.timeouts,
	       s.bad_messages);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autofree char *listen = NULL;
	int ping_interval_ms = 0, ping_timeout_ms = 0, max_clients = 0;
	gboolean next = FALSE;
	GOptionEntry options[] = {
		{"listen", 0, 0, G_OPTION_ARG_STRING, &listen,
		 "default 127.0.0.1:0", "ADDRESS:PORT"},
		{"next-free-port", 0, 0, G_OPTION_ARG_NONE, &next,
		 "try the ports above a busy one", NULL},
		{"ping-interval", 0, 0, G_OPTION_ARG_INT, &ping_interval_ms,
		 NULL, "MS"},
		{"ping-timeout", 0, 0, G_OPTION_ARG_INT, &ping_timeout_ms, NULL,
		 "MS"},
		{"max-clients", 0, 0, G_OPTION_ARG_INT, &max_clients, NULL, "N"},
		{NULL},
	};
	struct room_server *server;
	char line[64];

	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	server = room_server_new(
		&(struct room_server_config){
			.listen = listen ? listen : "127.0.0.1:0",
			.next_free_port = next,
			.max_clients = (unsigned int) max_clients,
			.ping_interval_ms = (unsigned int) ping_interval_ms,
			.ping_timeout_ms = (unsigned int) ping_timeout_ms,
		},
		&error);
	if (!server) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	printf("%s\n", room_server_get_url(server));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		print_stats(server);	/* whatever the line says */
	print_stats(server);
	room_server_free(server);
	return EXIT_SUCCESS;
}
