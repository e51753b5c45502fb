/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/dt-message.h - control texts on data channels
 *
 * A text that is no JSON object with a known "type" is data of a transfer.
 *
 * Source:  docs/skylink-protocol.md §10.2
 * Thread:  any
 * Memory:  a DtMessage keeps its JsonObject; dt_message_free()
 */
#pragma once

#include <json-glib/json-glib.h>

#define DT_MESSAGE_MAX_BYTES (256 * 1024)
#define DT_WINDOW_MAX	     1024

typedef enum {
	DT_MESSAGE,	/* a message of the application */
	DT_WRQ,		/* asks to send data */
	DT_ACK,
	DT_CANCEL,
	DT_ERROR,
	N_DT_TYPES,
} DtType;

typedef struct {
	DtType type;
	JsonObject *object;
	const char *sender;	/* "" when absent */
	gboolean is_private;
	JsonNode *target;	/* a string, an array of strings, or NULL */
	JsonNode *data;		/* DT_MESSAGE: never NULL */
	gint64 ack_n;		/* DT_ACK: -1 or more */
	guint window;		/* DT_ACK: chunks that may follow unacknowledged
				 * from ack_n on; 0: one, as SkylinkJS has it */
	const char *content;	/* DT_CANCEL, DT_ERROR: why; or NULL */
	gboolean is_upload_error;	/* DT_ERROR: by the one who sends data */
} DtMessage;

/* Return: NULL for data, and for control texts that lack what they need. */
DtMessage *dt_message_parse(const char *text, gsize len);
DtMessage *dt_message_free(DtMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DtMessage, dt_message_free)

/* @targets: those an MCU is to pass it on to, instead of @target; or NULL.
 * Return: (transfer full): the text of a message. */
char *dt_message_build_message(const char *sender, const char *target,
			       const char *const *targets, gboolean is_private,
			       JsonNode *data);
/* Return: (transfer full): an ACK; @n -1 rejects. @window: 0: none is said. */
char *dt_message_build_ack(const char *sender, gint64 n, guint window);
/* @name: of what is transferred */
char *dt_message_build_cancel(const char *sender, const char *name,
			      const char *content);
char *dt_message_build_error(const char *sender, const char *name,
			     const char *content, gboolean is_upload_error);
