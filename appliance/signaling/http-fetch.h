/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/http-fetch.h - one HTTP request, its answer bounded
 *
 * Thread:  control; its context must be the thread's default one
 * Memory:  a fetch belongs to its creator, who frees it also after done();
 *          at most max_bytes of the answer are held
 */
#pragma once

#include <libsoup/soup.h>

typedef struct HttpFetch HttpFetch;

typedef struct {
	SoupSession *session;	/* referenced */
	SoupMessage *message;	/* referenced; not sent before */
	gsize max_bytes;	/* of the answer's body */
	guint timeout_ms;	/* for all of it; 0: none */
	/* Once, never from within http_fetch_new(); may free the fetch.
	 * @body: NUL-terminated beyond @len, the callee may change it in
	 * place. NULL with @error: G_IO_ERROR_TIMED_OUT,
	 * G_IO_ERROR_MESSAGE_TOO_LARGE, or what the network said. */
	void (*done)(void *user, guint status, char *body, gsize len,
		     const GError *error);
	void *user;
} HttpFetchConfig;

HttpFetch *http_fetch_new(const HttpFetchConfig *config);
/* Cancels; done() is not called any more. Takes NULL, returns NULL. */
HttpFetch *http_fetch_free(HttpFetch *fetch);
