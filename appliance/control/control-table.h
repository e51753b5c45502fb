/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/control/control-table.h - what the control socket understands
 *
 * One table of methods and one of events. Argument checks, rpc.discover, the
 * manual page and the shell completion are made from them.
 *
 * Source:  SkylinkJS 0.6.12 API for the names and parameters without a dot;
 *          JSON-RPC 2.0 §4.2, §5.1 for parameters and error codes
 * Thread:  any
 * Memory:  tables are constant; results are owned by the caller
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* Ordered: who may do more may do all of the lesser. */
typedef enum {
	CONTROL_ROLE_NONE,
	CONTROL_ROLE_READ,	/* group skylink-read */
	CONTROL_ROLE_OPERATE,	/* group skylink */
	CONTROL_ROLE_ADMIN,	/* root */
} ControlRole;

typedef enum {
	CONTROL_BOOL,
	CONTROL_INT,		/* between min and max */
	CONTROL_NUMBER,		/* the same, with a fraction */
	CONTROL_STRING,		/* at most max bytes; with values: one of */
	CONTROL_OBJECT,
	CONTROL_STRINGS,	/* an array of strings, or one string, which is
				 * handed on as an array of one */
	CONTROL_ANY,		/* any JSON value */
} ControlType;

typedef struct ControlParam ControlParam;
struct ControlParam {
	const char *name;	/* NULL ends a list */
	ControlType type;
	bool optional;
	gint64 min, max;	/* INT, NUMBER: range; STRING, or_string: max
				 * bytes, 0: 4096 */
	const char *values;	/* STRING, STRINGS: "audio|video", or NULL */
	const ControlParam *fields; /* OBJECT: its members, or NULL: any */
	bool or_bool;		/* OBJECT: true or false will do, too */
	bool or_string;		/* OBJECT: a string will do, too */
	const char *help;
};

typedef struct {
	const char *name;		/* NULL ends the table */
	ControlRole role;		/* the least that may call */
	const ControlParam *params;	/* in the API's order, or NULL */
	const char *result;		/* what comes back, for people */
	const char *help;
} ControlMethod;

typedef struct {
	const char *name;		/* NULL ends the table */
	const char *params;		/* "peerId, peerInfo, isSelf" */
	const char *help;
} ControlEvent;

/* The daemon's own; a method without a handler is not served. */
extern const ControlMethod control_methods[];
extern const ControlEvent control_events[];
/* The server's: subscribe and its kin, rpc.discover, rpc.constants. */
extern const ControlMethod control_builtin_methods[];

const ControlMethod *control_table_find(const ControlMethod *methods,
					const char *name);

/* What is right for it, for people: "a whole number from 1 to 60". g_free(). */
char *control_param_describe(const ControlParam *param);

enum control_code {	/* JSON-RPC 2.0 §5.1, and ours from -32000 down */
	CONTROL_CODE_PARSE = -32700,
	CONTROL_CODE_REQUEST = -32600,
	CONTROL_CODE_METHOD = -32601,
	CONTROL_CODE_PARAMS = -32602,
	CONTROL_CODE_INTERNAL = -32603,
	CONTROL_CODE_FAILED = -32000,	/* the method ran and failed */
	CONTROL_CODE_FORBIDDEN = -32001,
	CONTROL_CODE_BUSY = -32002,	/* a limit was reached; try later */
	CONTROL_CODE_STATE = -32003,	/* not possible now: no room, no peer */
};

/**
 * control_table_check() - compare arguments with the table
 * @params: the request's "params": an object, an array in the table's order,
 *          or NULL for none
 * @ret_why: on failure the parameter, what was given and what is right
 *
 * Return: a new object with the API's names, or NULL with @ret_why (g_free).
 */
JsonObject *control_table_check(const ControlMethod *method, JsonNode *params,
				char **ret_why);

/* What rpc.discover answers, made from both tables (OpenRPC's shape);
 * only methods that @served (name, user) says true for. */
JsonNode *control_table_discover(const ControlMethod *const *tables,
				 unsigned int n_tables,
				 const ControlEvent *events,
				 gboolean (*served)(const char *name,
						    gpointer user),
				 gpointer user);

/* The text, or its beginning and "...", for messages; cut between characters.
 * g_free(). */
char *control_text_shorten(const char *text);

const char *control_role_name(ControlRole role);
