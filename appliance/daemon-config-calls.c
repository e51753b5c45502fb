// SPDX-License-Identifier: Apache-2.0
/* appliance/daemon-config-calls.c - config.get, .diff, .reload, .set, .reset
 *
 *   config.set ─▶ check all of it ─▶ [thread: write] ─▶ reload ─▶ answer
 *                                        ▲                 │ cannot be applied
 *                                        └─── old text ◀───┘
 *
 * One change is written at a time.
 */
#include "appliance/daemon-reload.h"

#include <string.h>

#include "appliance/control/control-config.h"
#include "appliance/daemon-landlock.h"

struct config_job {
	Daemon *d;
	ControlCall *call;
	char *old_text, *new_text;	/* NULL: no file */
	gboolean rejoin;
	gboolean rolling_back;
	GError *failure;		/* why */

	GThread *thread;
	GSource *done;			/* attached by the thread */
	GError *write_error;
};

static void job_free(struct config_job *job)
{
	if (job->done) {
		g_source_destroy(job->done);
		g_source_unref(job->done);
	}
	g_clear_error(&job->failure);
	g_clear_error(&job->write_error);
	g_free(job->old_text);
	g_free(job->new_text);
	control_call_unref(job->call);
	g_free(job);
}

/* --- reading ---------------------------------------------------------------- */
static void log_problems(GPtrArray *problems)
{
	g_warning("ignoring the configuration, which is wrong:");
	for (unsigned int i = 0; i < problems->len; i++)
		g_warning("%s", (const char *) problems->pdata[i]);
}

static JsonArray *to_array(GPtrArray *problems)
{
	JsonArray *array = json_array_new();

	for (unsigned int i = 0; i < problems->len; i++)
		json_array_add_string_element(array, problems->pdata[i]);
	return array;
}

static void fail_problems(ControlCall *call, int code, const char *what,
			  GPtrArray *problems)
{
	JsonNode *data = json_node_new(JSON_NODE_OBJECT);
	JsonObject *o = json_object_new();
	g_autoptr(GString) text = g_string_new(what);

	for (unsigned int i = 0; i < problems->len; i++)
		g_string_append_printf(text, "%s%s", i ? "; " : ": ",
				       (const char *) problems->pdata[i]);
	json_object_set_array_member(o, "problems", to_array(problems));
	json_node_take_object(data, o);
	control_call_fail(call, code, data, "%s", text->str);
}

/* What Landlock keeps from us is for the next start to read. */
static gboolean can_check_files(Daemon *d, const Config *config)
{
	const struct daemon_landlock *l = d->options->landlock;

	return daemon_landlock_covers(l, config, OPT_ROOMSERVER_KEYS_FILE) &&
	       daemon_landlock_covers(l, config, OPT_CONSOLE_PASSWORD_FILE) &&
	       daemon_landlock_covers(l, config,
				      OPT_ROOMSERVER_VIEWER_PASSWORD_FILE);
}

/* (transfer full), whatever @problems it takes. */
static Config *read_files(Daemon *d, const char *set_text, GPtrArray *problems)
{
	Config *config = d->options->load(d->options->load_user, set_text,
					  problems);
	g_autoptr(GError) error = NULL;

	if (!problems->len && can_check_files(d, config) &&
	    !daemon_check_files(config, &error))
		g_ptr_array_add(problems, g_strdup(error->message));
	return config;
}

/* Return: NULL; the call is answered. */
static Config *load(ControlCall *call, Daemon *d, const char *set_text)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Config) next = read_files(d, set_text, problems);

	if (!problems->len)
		return g_steal_pointer(&next);
	fail_problems(call, CONTROL_CODE_FAILED,
		      "The configuration is wrong, and stays as it was",
		      problems);
	return NULL;
}

static gboolean has_files(ControlCall *call, Daemon *d)
{
	if (d->options->load)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "This daemon was started without a configuration "
			  "file: there is nothing to read");
	return FALSE;
}

/* --- what changed ------------------------------------------------------------ */
static void log_change(JsonArray *array, guint index, JsonNode *node,
		       gpointer user)
{
	JsonObject *o = json_node_get_object(node);
	g_autofree char *old = json_to_string(json_object_get_member(o, "old"),
					      FALSE);
	g_autofree char *new = json_to_string(json_object_get_member(o, "new"),
					      FALSE);
	const char *effect = text_member(o, "effect");

	g_message("configuration: %s from %s to %s (%s)",
		  text_member(o, "name"), old, new,
		  !strcmp(effect, "applied") ? "applied" :
		  !strcmp(effect, "rejoin") ? "from the next join on" :
					      "from the next start on");
}

/* What was set, and does not count because the command line prevails. */
static JsonArray *list_overridden(Daemon *d, const Config *next)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	JsonArray *array = json_array_new();
	struct set_file file;

	if (!d->options->set_path ||
	    !set_file_read(d->options->set_path, &file, problems))
		return array;
	for (enum option_id i = 0; i < N_OPTIONS; i++) {
		g_autofree char *name = control_config_name(i);
		JsonObject *o;

		if (!file.values[i] ||
		    !g_str_has_prefix(config_get_origin(next, i), "--"))
			continue;
		o = json_object_new();
		json_object_set_string_member(o, "name", name);
		json_object_set_string_member(o, "by",
					      config_get_origin(next, i));
		json_array_add_object_element(array, o);
	}
	set_file_clear(&file);
	return array;
}

/* Return: (transfer full): what config.reload and config.set answer. */
static JsonObject *apply(Daemon *d, const Config *next, gboolean rejoin,
			 GError **error)
{
	gboolean rejoined = FALSE;
	JsonArray *changed = daemon_reload_apply(d, next, rejoin, &rejoined,
						 error);
	JsonObject *o;

	if (!changed)
		return NULL;
	json_array_foreach_element(changed, log_change, NULL);
	/* Who has renewed one says so by a reload. */
	daemon_certificates_check(d);
	o = json_object_new();
	json_object_set_array_member(o, "changed", changed);
	json_object_set_boolean_member(o, "rejoined", rejoined);
	json_object_set_array_member(o, "overridden",
				     list_overridden(d, next));
	if (json_array_get_length(changed) && d->control)
		control_server_emit(d->control, "config.changed", o);
	return o;
}

static gboolean wants(ControlCall *call, const char *flag)
{
	return json_object_get_boolean_member_with_default(
		control_call_get_params(call), flag, FALSE);
}

static gboolean nobody_writes(ControlCall *call, Daemon *d)
{
	if (!d->config_job)
		return TRUE;
	control_call_fail(call, CONTROL_CODE_BUSY, NULL,
			  "Another change of the configuration is being "
			  "written");
	return FALSE;
}

static void config_reload(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autoptr(Config) next = NULL;
	g_autoptr(GError) error = NULL;
	JsonObject *o;

	if (!has_files(call, d) || !nobody_writes(call, d))
		return;
	next = load(call, d, NULL);
	if (!next)
		return;
	o = apply(d, next, wants(call, "rejoin"), &error);
	if (o)
		daemon_reply_object(call, o);
	else
		control_call_fail(call, CONTROL_CODE_FAILED, NULL,
				  "Cannot be applied, and stays as it was: %s",
				  error->message);
}

void daemon_config_hangup(Daemon *d)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *state = g_strdup_printf(
		"RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
		g_get_monotonic_time());
	g_autoptr(Config) next = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) o = NULL;

	daemon_notify(state);
	next = read_files(d, NULL, problems);
	if (problems->len)
		log_problems(problems);
	else if (!(o = apply(d, next, FALSE, &error)))
		g_warning("ignoring the configuration, which cannot be "
			  "applied: %s", error->message);
	daemon_notify_ready(d);
}

/* --- writing ------------------------------------------------------------------ */
static void start_write(struct config_job *job);

static void finish(struct config_job *job, JsonObject *result)
{
	job->d->config_job = NULL;
	if (result)
		daemon_reply_object(job->call, result);
	else
		control_call_fail(job->call, CONTROL_CODE_FAILED, NULL, "%s",
				  job->failure->message);
	job_free(job);
}

static void roll_back(struct config_job *job)
{
	job->rolling_back = TRUE;
	g_clear_pointer(&job->new_text, g_free);
	job->new_text = g_steal_pointer(&job->old_text);
	start_write(job);
}

/* The file is there: it counts, or it goes. */
static void take_written(struct config_job *job)
{
	Daemon *d = job->d;
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Config) next = read_files(d, NULL, problems);
	g_autoptr(GError) error = NULL;
	JsonObject *o = NULL;

	/* It was checked before; somebody may have changed another file. */
	if (problems->len)
		g_set_error(&error, CONFIG_ERROR, CONFIG_ERROR_VALUE, "%s",
			    (const char *) problems->pdata[0]);
	else
		o = apply(d, next, job->rejoin, &error);
	if (o) {
		finish(job, o);
		return;
	}
	g_set_error(&job->failure, CONFIG_ERROR, CONFIG_ERROR_VALUE,
		    "Cannot be applied, and is as it was: %s", error->message);
	roll_back(job);
}

static gboolean on_written(gpointer data)
{
	struct config_job *job = data;
	g_autoptr(GError) error = g_steal_pointer(&job->write_error);

	g_clear_pointer(&job->thread, g_thread_join);
	g_clear_pointer(&job->done, g_source_unref);
	if (job->rolling_back) {
		if (error)
			g_warning("the set-file could not be brought back: %s",
				  error->message);
		finish(job, NULL);
	} else if (error) {
		job->failure = g_steal_pointer(&error);
		/* It may be there all the same, but not for good. */
		roll_back(job);
	} else {
		take_written(job);
	}
	return G_SOURCE_REMOVE;
}

static gpointer write_thread(gpointer data)
{
	struct config_job *job = data;

	set_file_write(job->d->options->set_path, job->new_text, NULL,
		       &job->write_error);
	g_source_attach(job->done, NULL);
	return NULL;
}

/* A disk takes its time; control does not wait for it, unless no thread is to be
 * had. */
static void start_write(struct config_job *job)
{
	job->done = g_idle_source_new();
	g_source_set_priority(job->done, G_PRIORITY_DEFAULT);
	g_source_set_callback(job->done, on_written, job, NULL);
	job->thread = g_thread_try_new("config", write_thread, job, NULL);
	if (!job->thread)
		write_thread(job);
}

void daemon_config_done(Daemon *d)
{
	struct config_job *job = g_steal_pointer(&d->config_job);

	if (!job)
		return;
	g_clear_pointer(&job->thread, g_thread_join);
	control_call_fail(job->call, CONTROL_CODE_STATE, NULL,
			  "The daemon is stopping");
	job_free(job);
}

static gboolean can_write(ControlCall *call, Daemon *d)
{
	if (!has_files(call, d))
		return FALSE;
	if (d->options->set_path)
		return nobody_writes(call, d);
	control_call_fail(call, CONTROL_CODE_STATE, NULL,
			  "This daemon was started with --config and without a "
			  "state directory: change '%s' and reload",
			  d->options->config_path);
	return FALSE;
}

/* Return: FALSE; the call is answered. */
static gboolean read_set_file(ControlCall *call, Daemon *d,
			      struct set_file *ret)
{
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

	if (set_file_read(d->options->set_path, ret, problems))
		return TRUE;
	fail_problems(call, CONTROL_CODE_FAILED,
		      "The set-file cannot be read: correct or remove it",
		      problems);
	return FALSE;
}

static void preview(ControlCall *call, Daemon *d, const Config *next)
{
	JsonObject *o = json_object_new();

	json_object_set_array_member(o, "changed",
				     daemon_reload_preview(
					     d, next, wants(call, "rejoin")));
	json_object_set_boolean_member(o, "dryRun", TRUE);
	daemon_reply_object(call, o);
}

/* Whatever can be told without writing is told before. */
static void change(ControlCall *call, Daemon *d, const struct set_file *file)
{
	g_autofree char *text = set_file_print(file), *old = NULL;
	g_autoptr(Config) next = load(call, d, text);
	struct config_job *job;

	if (!next)
		return;
	if (wants(call, "dryRun")) {
		preview(call, d, next);
		return;
	}
	g_file_get_contents(d->options->set_path, &old, NULL, NULL);
	job = g_new0(struct config_job, 1);
	*job = (struct config_job){
		.d = d,
		.call = control_call_ref(call),
		.old_text = g_steal_pointer(&old),
		.new_text = set_file_is_empty(file) ? NULL :
						      g_steal_pointer(&text),
		.rejoin = wants(call, "rejoin"),
	};
	d->config_job = job;
	start_write(job);
}

static void config_set_options(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonObject *values = json_object_get_object_member(
		control_call_get_params(call), "values");
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	struct set_file file;

	if (!can_write(call, d) || !read_set_file(call, d, &file))
		return;
	if (control_config_take_values(values, &file, problems))
		change(call, d, &file);
	else
		fail_problems(call, CONTROL_CODE_PARAMS, "Nothing is set",
			      problems);
	set_file_clear(&file);
}

static void config_reset(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	JsonArray *names = json_object_get_array_member(
		control_call_get_params(call), "names");
	g_autofree char *why = NULL;
	bool wanted[N_OPTIONS];
	struct set_file file;

	if (!control_config_find(names, wanted, &why)) {
		control_call_fail(call, CONTROL_CODE_PARAMS, NULL, "%s", why);
		return;
	}
	if (!can_write(call, d) || !read_set_file(call, d, &file))
		return;
	for (enum option_id i = 0; i < N_OPTIONS; i++)
		if (wanted[i])
			set_file_set(&file, i, NULL);
	change(call, d, &file);
	set_file_clear(&file);
}

/* --- looking ------------------------------------------------------------------ */
static void config_get_options(ControlCall *call, gpointer user)
{
	Daemon *d = user;

	control_config_get(call, d->options->config);
}

static void config_diff_options(ControlCall *call, gpointer user)
{
	Daemon *d = user;
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Config) next = NULL;
	JsonObject *o = json_object_new();

	if (d->options->load)
		next = read_files(d, NULL, problems);
	json_object_set_array_member(
		o, "set", control_config_list_set(d->options->config));
	/* Of wrong files nothing would be taken. */
	json_object_set_array_member(
		o, "pending", next && !problems->len ?
		daemon_reload_preview(d, next, FALSE) : json_array_new());
	json_object_set_array_member(o, "problems", to_array(problems));
	daemon_reply_object(call, o);
}

const ControlHandler daemon_config_handlers[] = {
	{"config.get", config_get_options},
	{"config.diff", config_diff_options},
	{"config.reload", config_reload},
	{"config.set", config_set_options},
	{"config.reset", config_reset},
	{NULL, NULL},
};
