// SPDX-License-Identifier: Apache-2.0
#include "appliance/signaling/http-session.h"

#include <string.h>

#define IDLE_S 30
/* A poll that is held, a message beside it, and the same of a stay that just
 * ended. */
#define MAX_CONNS      16
#define TLS_ERRORS_KEY "skylink-tls-errors"
#define REDIRECTS_KEY  "skylink-redirects"

SoupSession *http_session_new(const char *ca_file, GError **error)
{
	g_autoptr(GTlsDatabase) trusted = NULL;
	g_autoptr(GProxyResolver) proxy = http_proxy_from_environment(g_getenv);
	g_autoptr(GError) cause = NULL;
	SoupSession *session;

	if (ca_file) {
		trusted = g_tls_file_database_new(ca_file, &cause);
		if (!trusted) {
			g_set_error(error, cause->domain, cause->code,
				    "Cannot use the certificates in '%s': %s",
				    ca_file, cause->message);
			return NULL;
		}
	}
	session = soup_session_new_with_options(
		"user-agent", "skylinkd/" PACKAGE_VERSION, "idle-timeout",
		IDLE_S, "max-conns", MAX_CONNS, "max-conns-per-host", MAX_CONNS,
		NULL);
	if (trusted)
		soup_session_set_tls_database(session, trusted);
	if (proxy)
		soup_session_set_proxy_resolver(session, proxy);
	return session;
}

/* --- the certificate ----------------------------------------------------- */
static gboolean on_certificate(SoupMessage *message,
			       GTlsCertificate *certificate,
			       GTlsCertificateFlags errors, gpointer data)
{
	g_object_set_data(G_OBJECT(message), TLS_ERRORS_KEY,
			  GUINT_TO_POINTER(errors));
	return FALSE;
}

/* --- redirections -------------------------------------------------------- */
gboolean http_redirect_is_fine(GUri *from, const char *location, guint n_before)
{
	g_autoptr(GUri) to =
		g_uri_parse_relative(from, location, SOUP_HTTP_URI_FLAGS, NULL);
	const char *scheme = to ? g_uri_get_scheme(to) : NULL;
	const char *host = to ? g_uri_get_host(to) : NULL;

	if (!scheme || !host || !*host || n_before >= HTTP_REDIRECTS_MAX || g_uri_get_user(to) ||
	    g_str_has_prefix(g_uri_get_scheme(from), "ws"))
		return FALSE;
	return !strcmp(scheme, "https") ||
	       (!strcmp(scheme, "http") &&
		!strcmp(g_uri_get_scheme(from), "http"));
}

/* libsoup follows, to anywhere and twenty times, where there is a Location. */
static void on_headers(SoupMessage *message, gpointer data)
{
	SoupMessageHeaders *headers =
		soup_message_get_response_headers(message);
	const char *location =
		soup_message_headers_get_one(headers, "Location");
	guint n = GPOINTER_TO_UINT(
		g_object_get_data(G_OBJECT(message), REDIRECTS_KEY));

	if (!location)
		return;
	if (http_redirect_is_fine(soup_message_get_uri(message), location, n))
		g_object_set_data(G_OBJECT(message), REDIRECTS_KEY,
				  GUINT_TO_POINTER(n + 1));
	else
		soup_message_headers_remove(headers, "Location");
}

void http_session_watch(SoupMessage *message)
{
	g_signal_connect(message, "got-headers", G_CALLBACK(on_headers), NULL);
	g_signal_connect(message, "accept-certificate",
			 G_CALLBACK(on_certificate), NULL);
}

static char *describe(GTlsCertificateFlags errors)
{
	static const struct {
		GTlsCertificateFlags flag;
		const char *text;
	} reasons[] = {
		{G_TLS_CERTIFICATE_UNKNOWN_CA,
		 "nobody trusted here has signed it (room.ca_file names whom "
		 "to trust)"},
		{G_TLS_CERTIFICATE_BAD_IDENTITY, "it is another host's"},
		{G_TLS_CERTIFICATE_NOT_ACTIVATED,
		 "it is not valid yet (is this box's clock right?)"},
		{G_TLS_CERTIFICATE_EXPIRED,
		 "it has expired (or is this box's clock wrong?)"},
		{G_TLS_CERTIFICATE_REVOKED, "it was revoked"},
		{G_TLS_CERTIFICATE_INSECURE, "its algorithm is too weak"},
		{G_TLS_CERTIFICATE_GENERIC_ERROR, "it is damaged"},
	};
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(reasons); i++)
		if (errors & reasons[i].flag)
			g_string_append_printf(out, "%s%s",
					       out->len ? "; " : "",
					       reasons[i].text);
	return g_string_free(out, FALSE);
}

void http_session_explain(SoupMessage *message, GError **error)
{
	guint errors = GPOINTER_TO_UINT(
		g_object_get_data(G_OBJECT(message), TLS_ERRORS_KEY));
	const char *host = g_uri_get_host(soup_message_get_uri(message));
	GError *better;

	if ((*error)->domain != G_TLS_ERROR)
		return;
	if (errors) {
		g_autofree char *why = describe(errors);

		better = g_error_new((*error)->domain, (*error)->code,
				     "The certificate of '%s' is not "
				     "acceptable: %s",
				     host, why);
	} else {
		better = g_error_new((*error)->domain, (*error)->code,
				     "TLS with '%s' failed: %s", host,
				     (*error)->message);
	}
	g_error_free(*error);
	*error = better;
}

/* --- the proxy ----------------------------------------------------------- */
static const char *variable(const char *(*get)(const char *), const char *name)
{
	g_autofree char *upper = g_ascii_strup(name, -1);
	const char *value = get(name);

	if (!value || !*value)
		value = get(upper);
	return value && *value ? value : NULL;
}

/* "host:port" is meant as http, as everywhere. */
static char *proxy_uri(const char *value)
{
	return strstr(value, "://") ? g_strdup(value)
				    : g_strconcat("http://", value, NULL);
}

static void set_proxy(GProxyResolver *resolver, const char *value,
		      const char *const *schemes)
{
	g_autofree char *uri = NULL;

	if (!value)
		return;
	uri = proxy_uri(value);
	for (; *schemes; schemes++)
		g_simple_proxy_resolver_set_uri_proxy(
			G_SIMPLE_PROXY_RESOLVER(resolver), *schemes, uri);
}

GProxyResolver *http_proxy_from_environment(const char *(*get)(const char *) )
{
	static const char *const plain[] = {"http", "ws", NULL};
	static const char *const secure[] = {"https", "wss", NULL};
	const char *http = variable(get, "http_proxy");
	const char *https = variable(get, "https_proxy");
	const char *all = variable(get, "all_proxy");
	const char *none = variable(get, "no_proxy");
	g_auto(GStrv) ignored = NULL;
	g_autofree char *uri = NULL;
	GProxyResolver *resolver;

	if (!http && !https && !all)
		return NULL;
	/* host, .suffix, address, network/bits: as GSimpleProxyResolver has
	 * them; a lone "*" it has not. */
	ignored = g_strsplit_set(none ? none : "", ", \t", -1);
	if (g_strv_contains((const char *const *) ignored, "*"))
		return g_simple_proxy_resolver_new(NULL, NULL);
	uri = all ? proxy_uri(all) : NULL;
	resolver = g_simple_proxy_resolver_new(uri, ignored);
	set_proxy(resolver, http, plain);
	set_proxy(resolver, https, secure);
	return resolver;
}
