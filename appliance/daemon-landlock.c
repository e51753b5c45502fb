// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-landlock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/control/control-path.h"
#include "appliance/spool/spool-path.h"

/* --- what every program needs ----------------------------------------------- */
/* Software and its data; addresses of name servers, udev's data, credentials;
 * NSS. Nodes of cameras come and go right beneath /dev, so it is named whole:
 * what else is there is kept by its rights and by the unit's DeviceAllow=. */
static const struct place {
	const char *path;
	unsigned int uses;
} places[] = {
	{"/usr", LANDLOCK_READ},
	{"/lib", LANDLOCK_READ},
	{"/lib64", LANDLOCK_READ},
	{"/opt", LANDLOCK_READ},
	{"/etc", LANDLOCK_READ},
	{"/run", LANDLOCK_READ},
	{"/proc", LANDLOCK_READ},
	{"/sys", LANDLOCK_READ},
	{"/var/lib/dbus/machine-id", LANDLOCK_READ},
	{"/var/lib/extrausers", LANDLOCK_READ},
	{"/var/lib/sss/mc", LANDLOCK_READ},
	{"/dev", LANDLOCK_DEVICE},
	{"/dev/shm", LANDLOCK_WRITE},
};

/* A user's own settings of sound, graphics, proxies and certificates. */
static const char *const home_places[] = {".asoundrc", ".drirc", ".pkcs11"};
static const char *const config_places[] = {
	"alsa", "dconf", "glib-2.0", "pipewire", "pkcs11", "pulse",
};

/* Where else libraries are told to look: files or folders, with ':' between. */
static const char *const variables[] = {
	"ALSA_CONFIG_DIR", "ALSA_CONFIG_PATH", "ALSA_PLUGIN_DIR",
	"CREDENTIALS_DIRECTORY", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR",
	"LD_LIBRARY_PATH", "LIBVA_DRIVERS_PATH", "OPENSSL_CONF",
	"OPENSSL_MODULES", "SSL_CERT_DIR", "SSL_CERT_FILE", "TZDIR",
	"XDG_RUNTIME_DIR",
};

/* Where this program and its libraries are, if that is elsewhere. */
static void add_mapped(Landlock *l)
{
	g_autofree char *line = NULL;
	size_t size = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	while (f && getline(&line, &size, f) >= 0) {
		const char *path = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (path && !g_str_has_prefix(path, "/usr/") &&
		    strstr(line, "r-x"))
			landlock_add_file(l, path, LANDLOCK_READ);
	}
	if (f)
		fclose(f);
}

static void add_below(Landlock *l, const char *folder,
		      const char *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		g_autofree char *path = g_build_filename(folder, names[i],
							 NULL);

		landlock_add(l, path, LANDLOCK_READ);
	}
}

static void add_system(Landlock *l)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(places); i++)
		landlock_add(l, places[i].path, places[i].uses);
	add_below(l, g_get_home_dir(), home_places, G_N_ELEMENTS(home_places));
	add_below(l, g_get_user_config_dir(), config_places,
		  G_N_ELEMENTS(config_places));
	for (unsigned int i = 0; i < G_N_ELEMENTS(variables); i++) {
		g_auto(GStrv) list = g_strsplit(
			g_getenv(variables[i]) ? g_getenv(variables[i]) : "",
			":", -1);

		for (char **path = list; *path; path++)
			if (g_path_is_absolute(*path))
				landlock_add(l, *path, LANDLOCK_READ);
	}
	/* ALSA's programs that share a device meet there. */
	landlock_add(l, g_get_tmp_dir(), LANDLOCK_SOCKET);
	add_mapped(l);
}

/* Later it could not be made, or would have no rule. */
static void make_and_add(Landlock *l, const char *folder)
{
	/* Who needs it says what is wrong with it. */
	g_mkdir_with_parents(folder, 0700);
	landlock_add(l, folder, LANDLOCK_WRITE);
}

/* GLib's settings, which know the proxy of a desktop: dconf tells its programs
 * of changes through a file that each may make. */
static void add_settings(Landlock *l)
{
	g_autofree char *dconf = g_build_filename(g_get_user_runtime_dir(),
						  "dconf", NULL);

	if (g_strcmp0(g_getenv("GSETTINGS_BACKEND"), "memory"))
		make_and_add(l, dconf);
}

/* --- what the configuration names ------------------------------------------- */
/* Options whose whole value is the path of a file, or that have one behind a
 * word. */
static const struct file_option {
	enum option_id id;
	const char *before;
	unsigned int uses;
	gboolean needed;	/* without it the value is refused */
} file_options[] = {
	{OPT_ROOM_SECRET_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOM_CA_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOMSERVER_KEYS_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOMSERVER_CERTIFICATE_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOMSERVER_CERTIFICATE_KEY_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOMSERVER_TURN_SECRET_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_ROOMSERVER_VIEWER_PASSWORD_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_CONSOLE_PASSWORD_FILE, "", LANDLOCK_READ, TRUE},
	{OPT_VIDEO_SOURCE, "file:", LANDLOCK_READ},
	{OPT_VIDEO_SOURCE, "h264:", LANDLOCK_READ},
	{OPT_VIDEO_SOURCE, "v4l2:", LANDLOCK_DEVICE},
	{OPT_AUDIO_SOURCE, "file:", LANDLOCK_READ},
	{OPT_CONTROL_METRICS, "unix:", LANDLOCK_SOCKET},
};

/* The path in it, borrowed; NULL when it names none of this kind. */
static const char *path_of(const Config *c, const struct file_option *o)
{
	const char *text = config_get_string(c, o->id);

	if (!g_str_has_prefix(text, o->before))
		return NULL;
	text += strlen(o->before);
	/* A camera may be named in other ways. */
	return g_path_is_absolute(text) ? text : NULL;
}

static void add_files(Landlock *l, const Config *c)
{
	const char *const *folders =
		config_get_list(c, OPT_CONTROL_SOURCE_FOLDERS);

	for (unsigned int i = 0; i < G_N_ELEMENTS(file_options); i++) {
		const char *path = path_of(c, &file_options[i]);

		if (path)
			landlock_add_file(l, path, file_options[i].uses);
	}
	for (; *folders; folders++)
		if (g_path_is_absolute(*folders))
			landlock_add_folder(l, *folders, LANDLOCK_READ);
}

static void add_state(Landlock *l, const struct daemon_options *o)
{
	SpoolPathInput input;
	g_autofree char *state = NULL, *spool = NULL;

	spool_path_input_init(&input);
	input.instance = o->instance;
	input.demo = o->demo;
	state = spool_path_state_dir(&input);
	make_and_add(l, state);
	input.configured = config_get_string(o->config, OPT_TRANSFER_DIRECTORY);
	spool = spool_path_choose(&input);
	/* Made when the first file comes. */
	if (!o->room_server_only)
		landlock_add_folder(l, spool, LANDLOCK_WRITE);
}

/* The files it was started with, and the one that 'config set' writes: its
 * folder is made in the state directory, if that is there. */
static void add_configuration(Landlock *l, const struct daemon_options *o)
{
	g_autofree char *folder = NULL, *state = NULL;

	if (o->config_path)
		landlock_add_file(l, o->config_path, LANDLOCK_READ);
	if (!o->set_path)
		return;
	folder = g_path_get_dirname(o->set_path);
	state = g_path_get_dirname(folder);
	landlock_add(l, state, LANDLOCK_WRITE);
}

/* systemd's own socket is there, and stays. */
static void add_socket(Landlock *l, const struct daemon_options *o)
{
	const char *configured = config_get_string(o->config,
						   OPT_CONTROL_SOCKET);
	ControlPathInput input;
	g_autofree char *path = NULL, *folder = NULL;

	if (o->listen_fd > 0)
		return;
	control_path_input_init(&input);
	input.instance = o->instance;
	if (*configured)
		input.explicit_path = configured;
	path = control_path_for_daemon(&input);
	if (!control_path_prepare(path, NULL))
		return;		/* what comes will say so */
	folder = g_path_get_dirname(path);
	landlock_add_folder(l, folder, LANDLOCK_WRITE);
}

/* --- in force ----------------------------------------------------------------- */
void daemon_landlock_start(const struct daemon_options *o,
			   struct daemon_landlock *ret)
{
	g_autoptr(Landlock) l = NULL;
	g_autoptr(GError) error = NULL;

	*ret = (struct daemon_landlock){
		.wanted = strcmp(config_get_string(o->config,
						   OPT_SECURITY_LANDLOCK),
				 "off") != 0,
	};
	if (!ret->wanted) {
		ret->why = g_strdup("security.landlock says so");
		return;
	}
	l = landlock_new();
	add_system(l);
	add_settings(l);
	add_configuration(l, o);
	add_state(l, o);
	add_socket(l, o);
	add_files(l, o->config);
	if (landlock_restrict(l, &error))
		ret->rules = g_steal_pointer(&l);
	else
		ret->why = g_strdup(error->message);
}

void daemon_landlock_done(struct daemon_landlock *landlock)
{
	landlock_free(landlock->rules);
	g_free(landlock->why);
	*landlock = (struct daemon_landlock){.rules = NULL};
}

void daemon_landlock_tell(const struct daemon_landlock *landlock)
{
	if (landlock->rules)
		g_debug("Landlock: ABI %d in force",
			landlock_get_abi(landlock->rules));
	else if (landlock->wanted)
		g_message("going on without Landlock: %s", landlock->why);
}

gboolean daemon_landlock_covers(const struct daemon_landlock *landlock,
				const Config *c, enum option_id id)
{
	const char *const *folders = NULL;

	if (!landlock || !landlock->rules)
		return TRUE;
	for (unsigned int i = 0; i < G_N_ELEMENTS(file_options); i++) {
		const struct file_option *o = &file_options[i];
		const char *path = o->id == id ? path_of(c, o) : NULL;

		/* Who needs it says that it is not there. */
		if (path && o->needed && access(path, F_OK) < 0)
			continue;
		if (path && !landlock_covers(landlock->rules, path, o->uses))
			return FALSE;
	}
	if (id == OPT_CONTROL_SOURCE_FOLDERS)
		folders = config_get_list(c, id);
	for (; folders && *folders; folders++)
		if (g_path_is_absolute(*folders) &&
		    !landlock_covers(landlock->rules, *folders, LANDLOCK_READ))
			return FALSE;
	return TRUE;
}

int daemon_landlock_get_abi(const struct daemon_landlock *landlock)
{
	return landlock && landlock->rules ?
		landlock_get_abi(landlock->rules) : 0;
}

const char *daemon_landlock_get_reason(const struct daemon_landlock *landlock)
{
	return landlock ? landlock->why : NULL;
}
