/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/metrics/metrics-text.h - the status as Prometheus reads it
 *
 * One table says which member of the status is which metric. What the status
 * does not have, or has as null, is left out.
 *
 * Source:  Prometheus text exposition format 0.0.4; its naming: base units,
 *          _total for what only grows
 * Thread:  any; pure
 * Memory:  results are the caller's
 */
#pragma once

#include <json-glib/json-glib.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* @status: what stats.status answers. g_free(). */
char *metrics_text_make(JsonNode *status);
