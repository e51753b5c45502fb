// SPDX-License-Identifier: Apache-2.0
/* appliance/doctor/doctor-ice.c - do the STUN and TURN servers answer? */
#include "appliance/doctor/doctor.h"

#include <string.h>

#include "appliance/doctor/doctor-wait.h"
#include "webrtc/ice-url.h"
#include "webrtc/stun-probe.h"

#define SERVER_MS 2000
#define ALL_MS	  8000		/* of all servers together */

/* The user's name is nobody's business here. */
static char *describe(const struct ice_url *url)
{
	return g_strdup_printf("%s:%s:%u%s",
			       url->scheme == ICE_URL_STUN ? "stun" :
			       url->scheme == ICE_URL_TURN ? "turn" : "turns",
			       url->host, url->port, url->tcp ? " (TCP)" : "");
}

/* The first address of it. */
static GSocketAddress *resolve(const struct ice_url *url, GError **error)
{
	g_autoptr(GResolver) resolver = NULL;
	GSocketAddress *address = NULL;
	struct doctor_wait wait;
	GList *found;

	if (url->literal)
		return g_inet_socket_address_new_from_string(url->host,
							     url->port);
	resolver = g_resolver_get_default();
	doctor_wait_begin(&wait, SERVER_MS);
	g_resolver_lookup_by_name_async(resolver, url->host, wait.cancellable,
					doctor_wait_done, &wait);
	found = g_resolver_lookup_by_name_finish(
		resolver, doctor_wait_result(&wait), error);
	doctor_wait_end(&wait);
	if (found)
		address = g_inet_socket_address_new(found->data, url->port);
	g_resolver_free_addresses(found);
	return address;
}

static void probe(const struct ice_url *url, const char *name, DoctorReport *r)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GSocketAddress) to = resolve(url, &error);
	g_autoptr(GSocketAddress) seen_as = NULL;
	g_autofree char *seen_text = NULL;
	struct sockaddr_storage native = {0}, seen = {0};
	int e;

	if (!to || !g_socket_address_to_native(to, &native, sizeof(native),
					       NULL)) {
		doctor_add(r, "ice-server", DOCTOR_FAILED,
			   "Look at the name server, or ask whoever runs the "
			   "room server.", "%s: the name cannot be resolved%s"
			   "%s", name, error ? ": " : "",
			   error ? error->message : "");
		return;
	}
	e = stun_probe((struct sockaddr *) &native,
		       (socklen_t) g_socket_address_get_native_size(to),
		       url->tcp, SERVER_MS, &seen);
	if (e < 0) {
		doctor_add(r, "ice-server", DOCTOR_FAILED,
			   "Peers behind other routers may not be reached. "
			   "Does a firewall let this box out to that port, "
			   "and is the server running?", "%s: %s", name,
			   g_strerror(-e));
		return;
	}
	seen_as = g_socket_address_new_from_native(&seen, sizeof(seen));
	if (G_IS_INET_SOCKET_ADDRESS(seen_as))
		seen_text = g_inet_address_to_string(
			g_inet_socket_address_get_address(
				G_INET_SOCKET_ADDRESS(seen_as)));
	doctor_add(r, "ice-server", DOCTOR_OK, NULL,
		   "%s answers, and sees this box as %s", name,
		   seen_text ? seen_text : "another family's address");
}

static void check_all(char **urls, DoctorReport *r)
{
	gint64 until = g_get_monotonic_time() + ALL_MS * G_TIME_SPAN_MILLISECOND;

	for (; *urls; urls++) {
		g_autofree char *name = NULL;
		struct ice_url url;

		if (ice_url_parse(*urls, strlen(*urls), &url) < 0)
			continue;	/* the room does without it, too */
		name = describe(&url);
		/* A plain request there says nothing about TLS. */
		if (url.scheme == ICE_URL_TURNS) {
			doctor_add(r, "ice-server", DOCTOR_SKIPPED, NULL,
				   "%s: not used: this box speaks TURN by UDP "
				   "and TCP, without TLS", name);
			continue;
		}
		if (g_get_monotonic_time() < until)
			probe(&url, name, r);
		else
			doctor_add(r, "ice-server", DOCTOR_SKIPPED, NULL,
				   "%s: others took too long", name);
	}
}

void doctor_check_ice(const DoctorInput *input, DoctorReport *r)
{
	g_autoptr(GMainContext) context = NULL;

	if (!input->ice_urls || !input->ice_urls[0]) {
		doctor_add(r, "ice-server", DOCTOR_SKIPPED, NULL, "%s",
			   input->ice_urls ?
			   "The room names no STUN or TURN server" :
			   "The room names them; the box is in none");
		return;
	}
	context = g_main_context_new();
	g_main_context_push_thread_default(context);
	check_all(input->ice_urls, r);
	while (g_main_context_iteration(context, FALSE))
		;
	g_main_context_pop_thread_default(context);
}
