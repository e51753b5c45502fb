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

/* From now on SIGINT and SIGTERM do not end the process: whatever waits
 * returns with CTL_EXIT_INTERRUPTED, once for each. */
void ctl_client_catch_signals(struct ctl_client *client);

/**
 * ctl_client_call() - ask and wait for the answer; events meanwhile are kept
 * @params: taken; NULL: none
 * @fds:    descriptors to go with the line; they stay the caller's
 * @ret_error_object: the JSON-RPC error, if the daemon gave one; may be NULL;
 *                    json_node_unref() it
 *
 * Return: the result, or NULL.
 */
JsonNode *ctl_client_call_fds(struct ctl_client *client, const char *method,
			      JsonNode *params, const int *fds,
			      unsigned int n_fds, unsigned int timeout_ms,
			      JsonNode **ret_error_object, GError **error);
JsonNode *ctl_client_call(struct ctl_client *client, const char *method,
			  JsonNode *params, unsigned int timeout_ms,
			  JsonNode **ret_error_object, GError **error);
/* A descriptor that came with the last answer, the caller's now; -1: none. */
int ctl_client_take_fd(struct ctl_client *client, unsigned int index);

/* The next event, waiting without end: an object with method and params. */
JsonNode *ctl_client_next_event(struct ctl_client *client, GError **error);

/* --- a question that takes long -------------------------------------------- */
/* As ctl_client_call(), but does not wait. Return: its number, 0 on failure. */
gint64 ctl_client_ask(struct ctl_client *client, const char *method,
		      JsonNode *params, const int *fds, unsigned int n_fds,
		      GError **error);
/* The next message, event or answer. @timeout_ms: 0: without end */
JsonNode *ctl_client_next(struct ctl_client *client, unsigned int timeout_ms,
			  GError **error);
/* Is @message the answer to @id? Then *@ret_result, or NULL with @error. */
bool ctl_client_is_answer(JsonNode *message, gint64 id, JsonNode **ret_result,
			  JsonNode **ret_error_object, GError **error);
