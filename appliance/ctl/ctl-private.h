/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/ctl/ctl-private.h - what the files of verbs share
 *
 * Source:  none (our own)
 * Thread:  any, one at a time
 * Memory:  one struct ctl, of ctl_run()
 */
#pragma once

#include <json-glib/json-glib.h>
#include <stdio.h>

#include "appliance/ctl/ctl-args.h"
#include "appliance/ctl/ctl-client.h"

struct ctl {
	struct ctl_args args;
	FILE *out, *err;
	bool color;
	struct ctl_client *client;
};

/* --- ctl-run.c: all return an enum ctl_exit ------------------------------- */
int ctl_usage_error(struct ctl *c, const char *why);
/* @object: the JSON-RPC error, or NULL */
int ctl_failed(struct ctl *c, const GError *error, JsonNode *object);
/* Something went wrong on this side. */
int ctl_refuse(struct ctl *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Takes @params. *@ret_result is set when it returns 0. */
int ctl_call(struct ctl *c, const char *method, JsonNode *params,
	     JsonNode **ret_result);
/* The result with --json, else @page, which it takes. */
int ctl_print(struct ctl *c, JsonNode *result, char *page);
/* Calls, and says @done when it went well. Takes @params. */
int ctl_do(struct ctl *c, const char *method, JsonNode *params,
	   const char *done);
int ctl_subscribe(struct ctl *c, const char *const *events);

/* Takes @o. */
JsonNode *ctl_params(JsonObject *o);
/* JSON, or a plain string: what is no JSON is a name. */
JsonNode *ctl_json_or_text(const char *text);
/* A string member, made safe for a terminal, or NULL. */
char *ctl_member(JsonNode *result, const char *name);
/* The same as it is, borrowed. */
const char *ctl_raw_member(JsonObject *o, const char *name);
JsonObject *ctl_object_member(JsonObject *o, const char *name);
/* What '-' stands for, up to a line's length. */
char *ctl_read_all(FILE *in);

/* --- ctl-room-verbs.c ------------------------------------------------------ */
/* The peers that these arguments mean, as "targetPeerId"; *@ret is NULL when
 * there are no arguments: everybody. */
int ctl_find_peers(struct ctl *c, const char *const *arguments, unsigned int n,
		   JsonArray **ret);
int ctl_run_info(struct ctl *c);
int ctl_run_msg(struct ctl *c);
int ctl_run_userdata(struct ctl *c);
int ctl_run_lock(struct ctl *c, bool lock);
int ctl_run_stream(struct ctl *c);
int ctl_run_share(struct ctl *c);
int ctl_run_refresh(struct ctl *c);
int ctl_run_introduce(struct ctl *c);
int ctl_run_list_all_peers(struct ctl *c);
int ctl_run_logs(struct ctl *c);
int ctl_run_loglevel(struct ctl *c);

/* --- ctl-config-verbs.c ---------------------------------------------------- */
int ctl_run_config(struct ctl *c);

/* --- ctl-send-verbs.c ------------------------------------------------------ */
int ctl_run_send(struct ctl *c);
int ctl_run_send_url(struct ctl *c);

/* --- ctl-receive-verbs.c --------------------------------------------------- */
int ctl_run_accept(struct ctl *c);
int ctl_run_reject(struct ctl *c);
int ctl_run_cancel(struct ctl *c);
int ctl_run_transfers(struct ctl *c);
int ctl_run_received(struct ctl *c);

/* --- ctl-doctor.c ----------------------------------------------------------- */
/* @no_daemon: why none could be reached, or NULL */
int ctl_run_doctor(struct ctl *c, const char *no_daemon);
/* selftest */
int ctl_run_selftest(struct ctl *c);

/* --- ctl-top.c --------------------------------------------------------------- */
int ctl_run_top(struct ctl *c);
