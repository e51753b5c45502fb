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

static struct room_keys *read_keys(const char *path)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	struct room_keys *keys = NULL;
	gsize len;

	if (g_file_get_contents(path, &text, &len, &error))
		keys = room_keys_parse(path, text, len, problems);
	else
		fprintf(stderr, "%s\n", error->message);
	for (guint i = 0; i < problems->len; i++)
		fprintf(stderr, "%s\n", (char *) problems->pdata[i]);
	return keys;
}

int main(int argc, char *argv[])
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autofree char *listen = NULL, *keys_file = NULL, *turn = NULL;
	g_autofree char *turn_secret = NULL, *state_dir = NULL;
	g_autofree char *certificate = NULL, *certificate_key = NULL;
	int ping_interval_ms = 0, ping_timeout_ms = 0, max_clients = 0;
	int per_address = 0;
	gboolean next = FALSE, tls = FALSE;
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
		{"max-clients-per-address", 0, 0, G_OPTION_ARG_INT, &per_address,
		 NULL, "N"},
		{"keys", 0, 0, G_OPTION_ARG_FILENAME, &keys_file, NULL, "FILE"},
		{"turn", 0, 0, G_OPTION_ARG_STRING, &turn, NULL, "[USER@]HOST"},
		{"turn-secret", 0, 0, G_OPTION_ARG_STRING, &turn_secret,
		 "the password of USER, or coturn's static-auth-secret", "TEXT"},
		{"tls", 0, 0, G_OPTION_ARG_NONE, &tls, "https, too", NULL},
		{"certificate", 0, 0, G_OPTION_ARG_FILENAME, &certificate, NULL,
		 "FILE"},
		{"certificate-key", 0, 0, G_OPTION_ARG_FILENAME,
		 &certificate_key, NULL, "FILE"},
		{"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &state_dir, NULL,
		 "DIR"},
		{NULL},
	};
	struct room_keys *keys = NULL;
	struct room_server *server;
	char line[64];

	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	if (keys_file && !(keys = read_keys(keys_file)))
		return EXIT_FAILURE;
	server = room_server_new(
		&(struct room_server_config){
			.listen = listen ? listen : "127.0.0.1:0",
			.next_free_port = next,
			.keys = keys,
			.turn = turn,
			.turn_secret = turn_secret,
			.state_dir = state_dir,
			.tls = tls,
			.certificate = certificate,
			.certificate_key = certificate_key,
			.max_clients = (unsigned int) max_clients,
			.max_clients_per_address = (unsigned int) per_address,
			.ping_interval_ms = (unsigned int) ping_interval_ms,
			.ping_timeout_ms = (unsigned int) ping_timeout_ms,
		},
		&error);
	if (!server) {
		fprintf(stderr, "%s\n", error->message);
		return EXIT_FAILURE;
	}
	printf("%s\n", room_server_get_url(server));
	if (tls)
		printf("%s\n", room_server_get_fingerprint(server));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		print_stats(server);	/* whatever the line says */
	print_stats(server);
	room_server_free(server);
	return EXIT_SUCCESS;
}
