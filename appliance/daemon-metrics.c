// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-metrics.c - [control] metrics */
#include "appliance/daemon-private.h"

#include "appliance/metrics/metrics-server.h"
#include "appliance/metrics/metrics-text.h"

static char *make(void *user)
{
	g_autoptr(JsonNode) status = daemon_describe(user);

	return metrics_text_make(status);
}

gboolean daemon_metrics_start(Daemon *d, GError **error)
{
	const char *listen = config_get_string(d->options->config,
					       OPT_CONTROL_METRICS);
	MetricsServerConfig config = {
		.listen = listen, .make = make, .user = d,
	};

	MetricsServer *next = NULL;

	if (*listen) {
		next = metrics_server_new(&config, error);
		if (!next)
			return FALSE;
		if (metrics_server_get_port(next))
			g_message("metrics on port %u of this machine",
				  metrics_server_get_port(next));
	}
	daemon_metrics_stop(d);
	d->metrics = next;
	return TRUE;
}

void daemon_metrics_stop(Daemon *d)
{
	metrics_server_free(d->metrics);
	d->metrics = NULL;
}
