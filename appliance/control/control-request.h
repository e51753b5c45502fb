/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-request.h - one line as a JSON-RPC request
 *
 * Source:  JSON-RPC 2.0 §4 (request object), §5.1 (errors)
 * Thread:  any
 * Memory:  results are owned by the caller
 */
#pragma once

#include <stddef.h>

#include "appliance/control/control-table.h"

#define CONTROL_ID_MAX_BYTES	 128
#define CONTROL_METHOD_MAX_BYTES 128

struct control_request {
	JsonNode *root;		/* keeps the others alive */
	JsonNode *id;		/* borrowed: string, number or null; NULL: a
				 * notification, which nobody answers */
	const char *method;	/* borrowed */
	JsonNode *params;	/* borrowed: object, array or NULL */
};

/**
 * control_request_parse() - check one line and take it apart
 * @ret: always filled; clear it. On failure @ret->id may be set all the same
 *       and belongs into the answer
 * @ret_code, @ret_why: on failure; g_free() @ret_why
 */
bool control_request_parse(const char *text, size_t len,
			   struct control_request *ret,
			   enum control_code *ret_code, char **ret_why);
void control_request_clear(struct control_request *request);

/* One line each, newline included. @id: NULL stands for null. Both take what
 * they are given for @result and @data; NULL: null, none. */
GBytes *control_message_result(JsonNode *id, JsonNode *result);
GBytes *control_message_error(JsonNode *id, int code, const char *message,
			      JsonNode *data);
/* One that would be longer than a line has null for its longest fields, and
 * their names in "omitted": ["message.content"]. */
GBytes *control_message_event(const char *name, JsonObject *params);
