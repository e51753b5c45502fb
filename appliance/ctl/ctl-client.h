/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-client.h - a blocking connection to the daemon
 *
 * Source:  JSON-RPC 2.0; docs/control.md
 * Thread:  any, one at a time
 * Memory:  owned by its creator
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "appliance/ctl/ctl-table.h"

/* The codes are enum ctl_exit. */
#define CTL_ERROR (ctl_error_quark())
GQuark ctl_error_quark(void);

struct ctl_client;

/**
 * ctl_client_new() - connect to the first socket that answers
 * @paths: NULL terminated, see control_path_for_client()
 *
 * The error names every path that was tried and why it did not do.
 */
struct ctl_client *ctl_client_new(const char *const *paths, GError **error);
struct ctl_client *ctl_client_free(struct ctl_client *client);

/**
 * ctl_client_call() - ask and wait for the answer; events meanwhile are lost
 * @params: taken; NULL: none
 * @ret_error_object: the JSON-RPC error, if the daemon gave one; may be NULL;
 *                    json_node_unref() it
 *
 * Return: the result, or NULL.
 */
JsonNode *ctl_client_call(struct ctl_client *client, const char *method,
			  JsonNode *params, unsigned int timeout_ms,
			  JsonNode **ret_error_object, GError **error);

/* The next event, waiting without end: an object with method and params. */
JsonNode *ctl_client_next_event(struct ctl_client *client, GError **error);
