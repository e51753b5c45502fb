// SPDX-License-Identifier: Apache-2.0
/* appliance/ctl/ctl-doctor.c - skylinkctl doctor, skylinkctl selftest
 *
 * The daemon looks from inside its sandbox, as its own user. Without one this
 * program looks itself, and says so.
 */
#include <string.h>
#include <unistd.h>

#include "appliance/ctl/ctl-format.h"
#include "appliance/ctl/ctl-private.h"
#include "appliance/ctl/ctl-text.h"
#include "appliance/doctor/doctor.h"

#define ANSWER_MARGIN_MS 5000

static void fill_files(struct ctl *c, DoctorInput *in, Config **ret)
{
	const char *instance = c->args.option[CTL_INSTANCE];
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *path = NULL, *set_path = NULL;

	if (instance) {
		path = g_strdup_printf("/etc/skylink/%s.conf", instance);
		set_path = g_strdup_printf(
			"/var/lib/skylink/%s/conf.d/90-set.conf", instance);
	} else {
		path = g_strdup(CONFIG_MAIN_FILE);
		set_path = g_strdup(CONFIG_SET_FILE);
	}
	/* The problems are told by doctor_check_config(). */
	config_load(*ret, instance ? path : NULL, set_path, problems);
	doctor_input_read(*ret, in);
	in->config_path = g_steal_pointer(&path);
	in->set_path = g_steal_pointer(&set_path);
	in->config_given = instance != NULL;
	/* Nobody listens there: that is told already. */
	g_clear_pointer(&in->socket, g_free);
}

static JsonNode *look_here(struct ctl *c, const char *no_daemon)
{
	g_autoptr(DoctorReport) report = doctor_report_new();
	g_autoptr(Config) config = config_new();
	g_autofree char *why = g_strdup(no_daemon);
	DoctorInput input;

	/* Its lines are for a page of their own. */
	g_strdelimit(why, "\n", ' ');
	doctor_add(report, "daemon", DOCTOR_FAILED,
		   "Start it (systemctl start skylinkd), and read why it ended "
		   "(journalctl -u skylinkd). What follows was seen by this "
		   "program, with its own rights.", "%s", why);
	fill_files(c, &input, &config);
	doctor_run(&input, report);
	doctor_input_clear(&input);
	return doctor_report_take(report);
}

static bool has_failed(JsonNode *rows)
{
	JsonArray *array = JSON_NODE_HOLDS_ARRAY(rows) ?
		json_node_get_array(rows) : NULL;
	guint n = array ? json_array_get_length(array) : 0;

	for (guint i = 0; i < n; i++) {
		JsonNode *row = json_array_get_element(array, i);
		const char *state = JSON_NODE_HOLDS_OBJECT(row) ?
			ctl_raw_member(json_node_get_object(row), "state") :
			NULL;

		if (state && !strcmp(state, "failed"))
			return true;
	}
	return false;
}

int ctl_run_selftest(struct ctl *c)
{
	g_autoptr(JsonNode) result = NULL;
	bool run = c->args.n_arguments &&
		!strcmp(c->args.arguments[0], "run");
	JsonNode *node = NULL;
	JsonObject *last;
	const char *is;
	int r;

	if (run && !c->args.option[CTL_TIMEOUT])
		c->args.timeout_ms = 2 * DOCTOR_DEADLINE_MS + ANSWER_MARGIN_MS;
	r = ctl_call(c, run ? "selftest.run" : "selftest.show", NULL, &result);
	if (r)
		return r;
	if (JSON_NODE_HOLDS_OBJECT(result))
		node = json_object_get_member(json_node_get_object(result),
					      "last");
	last = node && JSON_NODE_HOLDS_OBJECT(node) ?
		json_node_get_object(node) : NULL;
	is = last ? ctl_raw_member(last, "result") : NULL;
	r = ctl_print(c, result, ctl_format_selftest(result, c->color));
	return r ? r : !is || !strcmp(is, "failed") || !strcmp(is, "aborted") ?
		CTL_EXIT_FAILED : CTL_EXIT_OK;
}

int ctl_run_doctor(struct ctl *c, const char *no_daemon)
{
	g_autoptr(JsonNode) rows = NULL;
	int r;

	if (!c->args.option[CTL_TIMEOUT])
		c->args.timeout_ms = DOCTOR_DEADLINE_MS + ANSWER_MARGIN_MS;
	if (no_daemon) {
		rows = look_here(c, no_daemon);
	} else {
		r = ctl_call(c, "stats.doctor", NULL, &rows);
		if (r)
			return r;
	}
	r = ctl_print(c, rows, ctl_format_doctor(rows, c->color));
	return r ? r : has_failed(rows) ? CTL_EXIT_FAILED : CTL_EXIT_OK;
}
