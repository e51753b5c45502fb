// SPDX-License-Identifier: Apache-2.0
#include "appliance/skylinkd-options.h"

#include <string.h>

#include "appliance/control/control-path.h"
#include "appliance/daemon-landlock.h"
#include "appliance/help-text.h"
#include "appliance/spool/spool-path.h"
#include "config/nearest.h"

enum option_index {
	O_DEMO,
	O_SOURCE,
	O_AUDIO_SOURCE,
	O_LISTEN,
	O_ROOM_SERVER,
	O_CONFIG,
	O_INSTANCE,
	O_SET,
	O_SOCKET,
	O_CHECK_CONFIG,
	O_PRINT_DEFAULT_CONFIG,
	O_NOTE_END,
	O_QUIET,
	O_VERSION,
	O_HELP,
	N_OPTION_ROWS,
};

const struct skylinkd_option skylinkd_options[] = {
	[O_DEMO] = {"demo", 0, NULL,
		    "Run without any configuration: the room server inside, "
		    "the camera and microphone if there are any, else a "
		    "moving test picture and a tone. Prints the address of "
		    "the viewer page. A busy port: the next free one."},
	[O_SOURCE] = {"source", 0, "SOURCE",
		      "What others see: auto, test, v4l2:PATH, file:PATH, "
		      "h264:PATH or none (video.source). 'test' means the "
		      "test tone too."},
	[O_AUDIO_SOURCE] = {"audio-source", 0, "SOURCE",
			    "What others hear: auto, test, alsa:NAME, "
			    "file:PATH or none (audio.source)."},
	[O_LISTEN] = {"listen", 0, "ADDRESS[:PORT]",
		      "Where the room server inside listens "
		      "(roomserver.listen), and that it runs. '*' for other "
		      "machines."},
	[O_ROOM_SERVER] = {"room-server", 0, NULL,
			   "Be a room server and nothing else."},
	[O_CONFIG] = {"config", 'c', "FILE",
		      "Read this file, and FILE.d/*.conf, instead of "
		      CONFIG_MAIN_FILE "."},
	[O_INSTANCE] = {"instance", 'i', "NAME",
			"One of several on this machine: reads "
			"/etc/skylink/NAME.conf and has a socket of its "
			"own."},
	[O_SET] = {"set", 0, "SECTION.KEY=VALUE",
		   "Set one option of the configuration; prevails over the "
		   "files. Can be repeated. Not for secrets: every user "
		   "can see the command line."},
	[O_SOCKET] = {"socket", 's', "PATH",
		      "The control socket (control.socket)."},
	[O_CHECK_CONFIG] = {"check-config", 0, NULL,
			    "Tell what is wrong with the configuration, with "
			    "file and line, and exit: 0 when nothing is, else "
			    "1."},
	[O_PRINT_DEFAULT_CONFIG] = {"print-default-config", 0, NULL,
				    "Print a configuration file with every "
				    "key, its default and what it means."},
	[O_NOTE_END] = {"note-end", 0, NULL,
			"For the unit's ExecStopPost=: keep how the daemon "
			"ended, for the next one to tell."},
	[O_QUIET] = {"quiet", 'q', NULL,
		     "Print nothing but what was asked for."},
	[O_VERSION] = {"version", 'V', NULL, "Print the version."},
	[O_HELP] = {"help", 'h', NULL, "Print this."},
	[N_OPTION_ROWS] = {NULL, 0, NULL, NULL},
};

/* What was given, before the configuration is read. */
struct given {
	const char *value[N_OPTION_ROWS];	/* "" for flags */
	GPtrArray *sets;
};

static int find_by_name(const char *name, size_t len)
{
	for (int i = 0; i < N_OPTION_ROWS; i++)
		if (strlen(skylinkd_options[i].name) == len &&
		    !memcmp(skylinkd_options[i].name, name, len))
			return i;
	return -1;
}

static int find_by_letter(char letter)
{
	for (int i = 0; letter && i < N_OPTION_ROWS; i++)
		if (skylinkd_options[i].letter == letter)
			return i;
	return -1;
}

static bool unknown_option(const char *arg, char **ret_why)
{
	const char *names[N_OPTION_ROWS + 1] = {NULL};
	g_autofree char *bare = g_strdup(arg + strspn(arg, "-"));
	const char *near;

	for (int i = 0; i < N_OPTION_ROWS; i++)
		names[i] = skylinkd_options[i].name;
	bare[strcspn(bare, "=")] = '\0';
	near = nearest_of(bare, names);
	if (near)
		*ret_why = g_strdup_printf("There is no option '%s'. Did you "
					   "mean '--%s'?", arg, near);
	else
		*ret_why = g_strdup_printf("There is no option '%s'", arg);
	return false;
}

static bool take_option(struct given *given, int option, const char *value,
			char **ret_why)
{
	if (option == O_SET) {
		g_ptr_array_add(given->sets, (gpointer) value);
		return true;
	}
	if (given->value[option]) {
		*ret_why = g_strdup_printf("--%s is given twice",
					   skylinkd_options[option].name);
		return false;
	}
	given->value[option] = value;
	return true;
}

static bool read_arguments(int argc, char *const argv[], struct given *given,
			   char **ret_why)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *equals = NULL, *value = "";
		int option = -1;

		if (g_str_has_prefix(arg, "--") && arg[2]) {
			equals = strchr(arg, '=');
			option = find_by_name(arg + 2, equals
						? (size_t) (equals - arg - 2)
						: strlen(arg + 2));
		} else if (arg[0] == '-' && arg[1] && !arg[2]) {
			option = find_by_letter(arg[1]);
		} else {
			*ret_why = g_strdup_printf("'%s' is no option; "
						   "skylinkd takes only "
						   "options", arg);
			return false;
		}
		if (option < 0)
			return unknown_option(arg, ret_why);
		if (skylinkd_options[option].argument) {
			value = equals ? equals + 1
				       : i + 1 < argc ? argv[++i] : NULL;
			if (!value || !value[0]) {
				*ret_why = g_strdup_printf(
					"--%s needs %s",
					skylinkd_options[option].name,
					skylinkd_options[option].argument);
				return false;
			}
		} else if (equals) {
			*ret_why = g_strdup_printf(
				"--%s takes no value",
				skylinkd_options[option].name);
			return false;
		}
		if (!take_option(given, option, value, ret_why))
			return false;
	}
	return true;
}

static bool set(Config *config, enum option_id id, const char *value,
		const char *origin, char **ret_why)
{
	g_autoptr(GError) error = NULL;

	if (config_set(config, id, value, origin, &error))
		return true;
	*ret_why = g_strdup(error->message);
	return false;
}

static bool set_presets(const struct given *g, Config *config, char **ret_why)
{
	if (g->value[O_DEMO])
		return set(config, OPT_ROOMSERVER_ENABLED, "yes", "--demo",
			   ret_why) &&
		       set(config, OPT_NETWORK_LOOPBACK, "yes", "--demo",
			   ret_why);
	return true;
}

static bool set_from_options(const struct given *g, Config *config,
			     char **ret_why)
{
	const char *source = g->value[O_SOURCE];
	const char *audio = g->value[O_AUDIO_SOURCE];
	const char *origin = "--audio-source";

	if (source && !audio && !strcmp(source, "test")) {
		audio = source;
		origin = "--source";
	}
	if (source && !set(config, OPT_VIDEO_SOURCE, source, "--source",
			   ret_why))
		return false;
	if (audio && !set(config, OPT_AUDIO_SOURCE, audio, origin, ret_why))
		return false;
	if (g->value[O_LISTEN] &&
	    (!set(config, OPT_ROOMSERVER_LISTEN, g->value[O_LISTEN],
		  "--listen", ret_why) ||
	     !set(config, OPT_ROOMSERVER_ENABLED, "yes", "--listen", ret_why)))
		return false;
	if (g->value[O_ROOM_SERVER] &&
	    !set(config, OPT_ROOMSERVER_ENABLED, "yes", "--room-server",
		 ret_why))
		return false;
	if (g->value[O_SOCKET] &&
	    !set(config, OPT_CONTROL_SOCKET, g->value[O_SOCKET], "--socket",
		 ret_why))
		return false;
	for (unsigned int i = 0; i < g->sets->len; i++) {
		g_autoptr(GError) error = NULL;

		if (config_set_assignment(config, g->sets->pdata[i], "--set",
					  &error))
			continue;
		*ret_why = g_strdup(error->message);
		return false;
	}
	return true;
}

/* With --config there is a set-file only where systemd gave us a state
 * directory: the one of the whole machine is not that file's. */
static char *choose_set_path(const struct given *g)
{
	SpoolPathInput input;
	g_autofree char *state = NULL;

	spool_path_input_init(&input);
	input.instance = g->value[O_INSTANCE];
	if (!input.service_dir || !*input.service_dir) {
		if (g->value[O_CONFIG])
			return NULL;
		input.uid = 0;	/* whoever reads the machine's configuration */
	}
	state = spool_path_state_dir(&input);
	return g_build_filename(state, CONFIG_SET_NAME, NULL);
}

static void choose_files(const struct given *g, struct skylinkd_arguments *a)
{
	const char *instance = g->value[O_INSTANCE];

	if (g->value[O_CONFIG])
		a->config_path = g_strdup(g->value[O_CONFIG]);
	else if (instance)
		a->config_path = g_strdup_printf("/etc/skylink/%s.conf",
						 instance);
	else if (g->value[O_DEMO])
		return;		/* no configuration needed, and none read */
	else
		a->config_path = g_strdup(CONFIG_MAIN_FILE);
	a->set_path = choose_set_path(g);
}

static void read_files(const struct given *g,
		       const struct skylinkd_arguments *a, Config *config,
		       const char *set_text, GPtrArray *problems)
{
	bool named = g->value[O_CONFIG] || g->value[O_INSTANCE];

	/* Only the default file may be missing. */
	if (a->config_path)
		config_load_as_if(config, named ? a->config_path : NULL,
				  a->set_path, a->set_path ? set_text : NULL,
				  problems);
}

static void check_secret(const struct skylinkd_arguments *a,
			 const Config *config, GPtrArray *problems)
{
	g_autoptr(GError) error = NULL;
	char *secret = NULL;

	/* The next start is to read it: the reload tells so. */
	if (!daemon_landlock_covers(a->daemon.landlock, config,
				    OPT_ROOM_SECRET_FILE))
		return;
	if (config_read_secret(config, OPT_ROOM_SECRET_FILE, &secret,
			       &error))
		config_secret_free(secret);
	else
		g_ptr_array_add(problems, g_strdup_printf(
			"%s: %s", config_get_origin(config,
						    OPT_ROOM_SECRET_FILE),
			error->message));
}

/* Return: false with @ret_why when the command line itself is wrong. */
static bool load(const struct given *g, const struct skylinkd_arguments *a,
		 Config *config, const char *set_text, GPtrArray *problems,
		 char **ret_why)
{
	if (!set_presets(g, config, ret_why))
		return false;
	read_files(g, a, config, set_text, problems);
	if (!set_from_options(g, config, ret_why))
		return false;
	/* The files were checked alone; told once is enough. */
	if (problems->len == 0)
		config_check(config, problems);
	check_secret(a, config, problems);
	return true;
}

static Config *load_again(const void *user, const char *set_text,
			  GPtrArray *problems)
{
	const struct skylinkd_arguments *a = user;
	g_autoptr(GPtrArray) sets = g_ptr_array_new();
	struct given given = {.sets = sets};
	Config *config = config_new();
	g_autofree char *why = NULL;

	if (!read_arguments(a->argc, a->argv, &given, &why) ||
	    !load(&given, a, config, set_text, problems, &why))
		g_ptr_array_add(problems, g_steal_pointer(&why));
	return config;
}

static bool choose_action(const struct given *g, struct skylinkd_arguments *a,
			  char **ret_why)
{
	if (g->value[O_HELP])
		a->action = SKYLINKD_HELP;
	else if (g->value[O_VERSION])
		a->action = SKYLINKD_VERSION;
	else if (g->value[O_PRINT_DEFAULT_CONFIG])
		a->action = SKYLINKD_PRINT_DEFAULT_CONFIG;
	else if (g->value[O_NOTE_END])
		a->action = SKYLINKD_NOTE_END;
	else if (g->value[O_CHECK_CONFIG])
		a->action = SKYLINKD_CHECK_CONFIG;
	else
		a->action = SKYLINKD_RUN;

	if (g->value[O_DEMO] && g->value[O_ROOM_SERVER]) {
		*ret_why = g_strdup("--demo and --room-server exclude each "
				    "other: a demo has a room server inside");
		return false;
	}
	if (g->value[O_INSTANCE] &&
	    !control_path_instance_is_valid(g->value[O_INSTANCE])) {
		*ret_why = g_strdup_printf("'%s' cannot be an instance's name: "
					   "letters, digits, '_', '.' and '-', "
					   "at most 64", g->value[O_INSTANCE]);
		return false;
	}
	return true;
}

bool skylinkd_arguments_parse(int argc, char *const argv[],
			      struct skylinkd_arguments *ret, char **ret_why)
{
	g_autoptr(GPtrArray) sets = g_ptr_array_new();
	struct given given = {.sets = sets};
	struct skylinkd_arguments *a = ret;

	*a = (struct skylinkd_arguments){
		.daemon.config = config_new(),
		.daemon.listen_fd = -1,
		.problems = g_ptr_array_new_with_free_func(g_free),
		.argc = argc,
		.argv = argv,
	};
	if (!read_arguments(argc, argv, &given, ret_why) ||
	    !choose_action(&given, a, ret_why))
		return false;
	if (a->action != SKYLINKD_RUN && a->action != SKYLINKD_CHECK_CONFIG)
		return true;
	choose_files(&given, a);
	if (!load(&given, a, a->daemon.config, NULL, a->problems, ret_why))
		return false;

	a->daemon.config_path = a->config_path;
	a->daemon.set_path = a->set_path;
	if (a->config_path) {
		a->daemon.load = load_again;
		a->daemon.load_user = a;
	}
	a->daemon.demo = given.value[O_DEMO] != NULL;
	a->daemon.listen_given = given.value[O_LISTEN] != NULL;
	a->daemon.room_server_only = given.value[O_ROOM_SERVER] != NULL;
	a->daemon.quiet = given.value[O_QUIET] != NULL;
	a->daemon.instance = given.value[O_INSTANCE];
	return true;
}

void skylinkd_arguments_clear(struct skylinkd_arguments *a)
{
	g_clear_pointer(&a->daemon.config, config_free);
	g_clear_pointer(&a->problems, g_ptr_array_unref);
	g_clear_pointer(&a->config_path, g_free);
	g_clear_pointer(&a->set_path, g_free);
}

char *skylinkd_options_help(void)
{
	GString *s = g_string_new(
		"usage: skylinkd [OPTION...]\n\n"
		"The Skylink appliance: joins a Skylink room and shows it this "
		"box's camera\nand microphone.\n\n");

	for (const struct skylinkd_option *o = skylinkd_options; o->name; o++)
		help_text_option(s, o->letter, o->name, o->argument, o->help);
	g_string_append(s, "\nExit status: 0 ended well, 1 failed, 2 wrong "
			   "usage, 78 wrong configuration.\n"
			   "See skylinkd(8), skylink.conf(5), skylinkctl(1).\n");
	return g_string_free(s, FALSE);
}
