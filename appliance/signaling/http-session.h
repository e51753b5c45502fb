/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/http-session.h - how signaling speaks HTTP
 *
 * One session per room: our user agent, no cookies, certificates checked, a
 * proxy where the environment names one (http_proxy, https_proxy, all_proxy,
 * no_proxy; capitals too).
 *
 * Source:  docs/skylink-protocol.md §2.1, §3
 * Thread:  control
 * Memory:  sessions are GObjects of their creator
 */
#pragma once

#include <libsoup/soup.h>

/**
 * http_session_new() - a session
 * @ca_file: PEM; trusted instead of the system's certificates. NULL: these
 *
 * Return: (transfer full): NULL when @ca_file cannot be used; the error names
 * it.
 */
SoupSession *http_session_new(const char *ca_file, GError **error);

#define HTTP_REDIRECTS_MAX 5

/* To be called before @message is sent: notes what is wrong with the
 * certificate, for http_session_explain(), and follows redirections by
 * http_redirect_is_fine() alone; another is the answer. */
void http_session_watch(SoupMessage *message);

/**
 * http_redirect_is_fine() - may a redirection be followed? Pure
 * @from:     where it came from
 * @location: as the server says it
 * @n_before: how many were followed already
 *
 * To https, or by the scheme that was; HTTP_REDIRECTS_MAX times; never a
 * WebSocket, and to no address with a password in it. What is sent along is in
 * the address, which the server chooses: credentials of ours go nowhere.
 */
gboolean http_redirect_is_fine(GUri *from, const char *location,
			       guint n_before);

/**
 * http_session_explain() - put what is known of a TLS failure into the error
 * @error: of a @message that failed; replaced by a sentence that names the
 *	   host and the reason, same domain and code, when TLS was it
 */
void http_session_explain(SoupMessage *message, GError **error);

/**
 * http_proxy_from_environment() - pure
 * @get: g_getenv(), or a test's
 *
 * Return: (transfer full): a resolver, or NULL when nothing is set.
 */
GProxyResolver *http_proxy_from_environment(const char *(*get)(const char *));
