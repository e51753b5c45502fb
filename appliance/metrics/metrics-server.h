/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/metrics/metrics-server.h - tells figures to who asks on this
 * machine
 *
 *   GET /metrics ─▶ make() ─▶ text
 *
 * A few clients that come now and then: METRICS_MAX_CLIENTS at once, each
 * silent for METRICS_IDLE_S at most; bodies are not kept.
 *
 * Source:  RFC 9112; libsoup
 * Thread:  control
 * Memory:  owned by its creator
 */
#pragma once

#include <gio/gio.h>

#define METRICS_MAX_CLIENTS 8
#define METRICS_IDLE_S	    30

typedef struct MetricsServer MetricsServer;

typedef struct {
	const char *listen;	/* "unix:/PATH", "127.0.0.1:PORT" */
	char *(*make)(void *user);	/* the page; it is freed */
	void *user;
} MetricsServerConfig;

/* A socket at that path that nobody serves any more is replaced; a file is
 * not. The error names the address. */
MetricsServer *metrics_server_new(const MetricsServerConfig *config,
				  GError **error);
/* Takes NULL. */
void metrics_server_free(MetricsServer *server);
/* The port really taken; 0: a path. */
guint16 metrics_server_get_port(MetricsServer *server);
unsigned int metrics_server_get_clients(MetricsServer *server);
