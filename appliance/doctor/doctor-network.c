// SPDX-License-Identifier: Apache-2.0
/* appliance/doctor/doctor-network.c - from the name of the room server to what
 * its room API says
 *
 *   name ─▶ connection ─▶ certificate ─▶ clock ─▶ answer
 *
 * What fails first is the cause: what stands behind it is told as skipped.
 */
#include "appliance/doctor/doctor.h"

#include <libsoup/soup.h>
#include <string.h>

#include "appliance/doctor/doctor-wait.h"
#include "appliance/signaling/http-fetch.h"
#include "appliance/signaling/http-session.h"

#define NAME_MS	      4000
#define CONNECT_MS    4000
#define FETCH_MS      6000
#define SOON_DAYS     14	/* a certificate that ends so soon */
#define CLOCK_OK_S    5		/* a Date is of whole seconds, and travels */
#define CLOCK_BAD_S   60	/* schedules and tokens suffer */

struct ask {
	const DoctorInput *input;
	DoctorReport *report;
	GUri *uri;
	char *url;		/* of the room API's request */
	SoupSession *session;
	SoupMessage *message;
	HttpFetch *fetch;
	GMainLoop *loop;
	/* what came */
	guint status;
	char *body;
	gsize len;
	GError *error;
};

static void skip(DoctorReport *r, const char *check, const char *why)
{
	doctor_add(r, check, DOCTOR_SKIPPED, NULL, "%s", why);
}

static guint16 port_of(GUri *uri)
{
	int port = g_uri_get_port(uri);

	return (guint16) (port > 0 ? port :
			  !strcmp(g_uri_get_scheme(uri), "https") ? 443 : 80);
}

/* --- name and connection --------------------------------------------------- */
static gboolean check_name(struct ask *a)
{
	const char *host = g_uri_get_host(a->uri);
	g_autoptr(GResolver) resolver = g_resolver_get_default();
	g_autoptr(GError) error = NULL;
	struct doctor_wait wait;
	GList *found;

	doctor_begin(a->report, "name");
	if (g_hostname_is_ip_address(host)) {
		doctor_add(a->report, "name", DOCTOR_OK, NULL,
			   "%s is an address", host);
		return TRUE;
	}
	doctor_wait_begin(&wait, NAME_MS);
	g_resolver_lookup_by_name_async(resolver, host, wait.cancellable,
					doctor_wait_done, &wait);
	found = g_resolver_lookup_by_name_finish(
		resolver, doctor_wait_result(&wait), &error);
	if (found) {
		g_autofree char *first = g_inet_address_to_string(found->data);

		doctor_add(a->report, "name", DOCTOR_OK, NULL, "%s is %s%s",
			   host, first, found->next ? ", and others" : "");
	} else {
		doctor_add(a->report, "name", DOCTOR_FAILED,
			   "Look at room.server for a slip, at the network "
			   "cable, and at the name server (resolvectl "
			   "status).", "%s cannot be resolved: %s", host,
			   wait.timed_out ? "the name server does not answer"
					  : error->message);
	}
	doctor_wait_end(&wait);
	g_resolver_free_addresses(found);
	return found != NULL;
}

static gboolean check_connection(struct ask *a)
{
	const char *host = g_uri_get_host(a->uri);
	guint16 port = port_of(a->uri);
	g_autoptr(GSocketClient) client = g_socket_client_new();
	g_autoptr(GSocketConnection) connection = NULL;
	g_autoptr(GError) error = NULL;
	struct doctor_wait wait;

	doctor_begin(a->report, "connection");
	g_socket_client_set_enable_proxy(client, FALSE);
	doctor_wait_begin(&wait, CONNECT_MS);
	g_socket_client_connect_to_host_async(client, host, port,
					      wait.cancellable,
					      doctor_wait_done, &wait);
	connection = g_socket_client_connect_to_host_finish(
		client, doctor_wait_result(&wait), &error);
	if (connection)
		doctor_add(a->report, "connection", DOCTOR_OK, NULL,
			   "%s answers on port %u", host, port);
	else
		doctor_add(a->report, "connection", DOCTOR_FAILED,
			   "Is the server running, is the port right, and "
			   "does a firewall let this box out?",
			   "%s, port %u: %s", host, port,
			   wait.timed_out ? "nobody answers" : error->message);
	doctor_wait_end(&wait);
	return connection != NULL;
}

/* TRUE: others do that for us, and there is nothing to look at. */
static gboolean goes_through_proxy(struct ask *a)
{
	g_autoptr(GProxyResolver) resolver =
		http_proxy_from_environment(g_getenv);
	g_auto(GStrv) list = resolver ? g_proxy_resolver_lookup(
		resolver, a->url, NULL, NULL) : NULL;

	if (!list || !list[0] || g_str_has_prefix(list[0], "direct:"))
		return FALSE;
	skip(a->report, "name", "The proxy resolves it");
	/* It may carry a password: not shown. */
	skip(a->report, "connection", "The proxy of the environment makes it");
	return TRUE;
}

/* --- the request ----------------------------------------------------------- */
static void on_fetched(void *user, guint status, char *body, gsize len,
		       const GError *error)
{
	struct ask *a = user;

	a->status = status;
	a->len = len;
	a->body = body ? g_memdup2(body, len + 1) : NULL;
	a->error = error ? g_error_copy(error) : NULL;
	g_main_loop_quit(a->loop);
}

/* FALSE: it could not even be asked, which is told. */
static gboolean fetch(struct ask *a)
{
	g_autoptr(GError) error = NULL;
	HttpFetchConfig config = {
		.max_bytes = ROOM_API_MAX_BYTES,
		.timeout_ms = FETCH_MS,
		.done = on_fetched,
		.user = a,
	};

	a->session = http_session_new(a->input->access.ca_file, &error);
	if (!a->session) {
		doctor_add(a->report, "certificate", DOCTOR_FAILED,
			   "Correct room.ca_file, or leave it empty.", "%s",
			   error->message);
		return FALSE;
	}
	a->message = soup_message_new("GET", a->url);
	config.session = a->session;
	config.message = a->message;
	a->fetch = http_fetch_new(&config);
	g_main_loop_run(a->loop);
	a->fetch = http_fetch_free(a->fetch);
	return TRUE;
}

/* --- what it tells --------------------------------------------------------- */
static const char *certificate_advice(struct ask *a)
{
	/* http_session_explain()'s words name the cause. */
	if (strstr(a->error->message, "expired") ||
	    strstr(a->error->message, "not valid yet"))
		return "Renew the server's certificate; if it is not old, "
		       "this box's clock is wrong.";
	return "Let room.server name the host that the certificate is for, "
	       "and room.ca_file whoever signed it.";
}

static void check_validity(struct ask *a, GTlsCertificate *certificate)
{
	g_autoptr(GDateTime) end =
		g_tls_certificate_get_not_valid_after(certificate);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *day = end ? g_date_time_format(end, "%F") : NULL;

	if (end && g_date_time_difference(end, now) <
			   SOON_DAYS * G_TIME_SPAN_DAY)
		doctor_add(a->report, "certificate", DOCTOR_WARNING,
			   "Renew it before that day.",
			   "It is accepted, but only until %s", day);
	else
		doctor_add(a->report, "certificate", DOCTOR_OK, NULL,
			   "It is accepted%s%s", day ? ", until " : "",
			   day ? day : "");
}

static void check_certificate(struct ask *a)
{
	GTlsCertificate *certificate =
		soup_message_get_tls_peer_certificate(a->message);

	if (strcmp(g_uri_get_scheme(a->uri), "https"))
		skip(a->report, "certificate",
		     "The server is asked without TLS");
	else if (a->error && a->error->domain == G_TLS_ERROR)
		doctor_add(a->report, "certificate", DOCTOR_FAILED,
			   certificate_advice(a), "%s", a->error->message);
	else if (certificate && !a->error)
		check_validity(a, certificate);
	else
		skip(a->report, "certificate", "The server did not show any");
}

static void check_clock(struct ask *a)
{
	const char *text = a->error ? NULL : soup_message_headers_get_one(
		soup_message_get_response_headers(a->message), "Date");
	g_autoptr(GDateTime) date =
		text ? soup_date_time_new_from_http_string(text) : NULL;
	gint64 ahead;

	if (!date) {
		skip(a->report, "clock", a->error ?
		     "The server did not answer, so its clock is not known" :
		     "The server does not tell its time");
		return;
	}
	ahead = g_get_real_time() / G_USEC_PER_SEC -
		g_date_time_to_unix(date);
	if (ABS(ahead) <= CLOCK_OK_S)
		doctor_add(a->report, "clock", DOCTOR_OK, NULL,
			   "It agrees with the server's");
	else
		doctor_add(a->report, "clock", ABS(ahead) > CLOCK_BAD_S ?
			   DOCTOR_FAILED : DOCTOR_WARNING,
			   "Let the clock be set from the network "
			   "(timedatectl set-ntp true).",
			   "It is %" G_GINT64_FORMAT " s %s the server's",
			   ABS(ahead), ahead > 0 ? "ahead of" : "behind");
}

static const char *refusal_advice(gint code)
{
	switch (code) {
	case 4001:
	case 4006:
	case 5005:
		return "Correct room.app_key and room.server: the server "
		       "knows which keys are its own.";
	case 4002:
	case 4003:
		return "Let the key's owner allow this box's address at the "
		       "server.";
	case 4004:
		return "Set room.secret_file to a file with the key's secret.";
	case 4005:
		return "Correct the secret in room.secret_file, and look at "
		       "the clock: the credential holds for its time alone.";
	case 4010:
		return "Correct room.start and room.duration.";
	case 4020:
		return "Wait, or let others leave: the key has so many seats.";
	default:
		return "Ask whoever runs the room server.";
	}
}

static void check_answer(struct ask *a)
{
	g_autoptr(RoomApiAnswer) answer = NULL;
	g_autoptr(GError) error = NULL;
	gint code = 0;

	doctor_begin(a->report, "room-server");
	if (a->error && a->error->domain == G_TLS_ERROR) {
		skip(a->report, "room-server",
		     "It is not asked without a good certificate");
		return;
	}
	if (a->error) {
		doctor_add(a->report, "room-server", DOCTOR_FAILED,
			   "Is this a room server, and does it speak TLS "
			   "exactly if room.server says https?", "%s",
			   a->error->message);
		return;
	}
	answer = room_api_answer_parse(a->body, a->len, a->status, &code,
				       &error);
	if (answer)
		doctor_add(a->report, "room-server", DOCTOR_OK, NULL,
			   "It lets key '%s' into room '%s'; signaling is at "
			   "%s", a->input->app_key, a->input->room,
			   answer->host);
	else
		doctor_add(a->report, "room-server", DOCTOR_FAILED,
			   g_error_matches(error, ROOM_API_ERROR,
					   ROOM_API_ERROR_REFUSED) ?
			   refusal_advice(code) :
			   "Let room.server name a room server.", "%s",
			   error->message);
}

static void ask_server(struct ask *a)
{
	if (!goes_through_proxy(a) &&
	    (!check_name(a) || !check_connection(a))) {
		skip(a->report, "certificate", "There is no connection");
		skip(a->report, "clock", "There is no connection");
		skip(a->report, "room-server", "There is no connection");
		return;
	}
	doctor_begin(a->report, "certificate");
	if (!fetch(a))
		return;
	check_certificate(a);
	check_clock(a);
	check_answer(a);
}

void doctor_check_room_server(const DoctorInput *input, DoctorReport *r)
{
	g_autoptr(GMainContext) context = g_main_context_new();
	g_autoptr(GError) error = NULL;
	struct ask a = {.input = input, .report = r};
	RoomApiRequest request;

	if (!input->server || !input->app_key || !input->room) {
		doctor_add(r, "room-server", DOCTOR_WARNING,
			   "Set server and name in section [room].",
			   "No room is configured");
		return;
	}
	request = room_access_request(&input->access, input->server,
				      input->app_key, input->secret,
				      input->room);
	a.url = room_api_url(&request, g_get_real_time() / 1000, &error);
	if (!a.url) {
		doctor_add(r, "room-server", DOCTOR_FAILED,
			   "Correct section [room].", "%s", error->message);
		return;
	}
	g_main_context_push_thread_default(context);
	a.loop = g_main_loop_new(context, FALSE);
	a.uri = g_uri_parse(a.url, G_URI_FLAGS_ENCODED, NULL);
	if (a.uri)
		ask_server(&a);
	if (a.session)
		soup_session_abort(a.session);
	g_clear_object(&a.message);
	g_clear_object(&a.session);
	while (g_main_context_iteration(context, FALSE))
		;
	g_main_loop_unref(a.loop);
	g_main_context_pop_thread_default(context);
	g_clear_pointer(&a.uri, g_uri_unref);
	g_clear_error(&a.error);
	g_free(a.body);
	config_secret_free(a.url);	/* a credential is in it */
}
