// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config-file.h"

struct setting {
	struct option_value value;
	char *origin;		/* NULL: default */
};

struct Config {
	struct setting settings[N_OPTIONS];
};

G_DEFINE_QUARK(skylink-config-error, config_error)

Config *config_new(void)
{
	Config *config = g_new0(Config, 1);

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);
		g_autofree char *why = NULL;

		if (!option_value_parse(row, row->def,
					&config->settings[i].value, &why))
			g_error("%s.%s: default: %s", row->section, row->key,
				why);
	}
	return config;
}

void config_free(Config *config)
{
	if (!config)
		return;
	for (int i = 0; i < N_OPTIONS; i++) {
		option_value_clear(&config->settings[i].value);
		g_free(config->settings[i].origin);
	}
	g_free(config);
}

/* Takes @value. */
static void replace(Config *config, enum option_id id,
		    struct option_value *value, char *origin)
{
	struct setting *s = &config->settings[id];

	option_value_clear(&s->value);
	g_free(s->origin);
	s->value = *value;
	s->origin = origin;
	*value = (struct option_value){0};
}

static struct option_value copy_value(const struct option_value *v)
{
	return (struct option_value){
		.number = v->number,
		.text = g_strdup(v->text),
		.list = g_strdupv(v->list),
	};
}

Config *config_copy(const Config *config)
{
	Config *copy = g_new0(Config, 1);

	for (int i = 0; i < N_OPTIONS; i++)
		copy->settings[i] = (struct setting){
			copy_value(&config->settings[i].value),
			g_strdup(config->settings[i].origin),
		};
	return copy;
}

void config_take(Config *config, const Config *from, enum option_id id)
{
	struct option_value value = copy_value(&from->settings[id].value);

	replace(config, id, &value, g_strdup(from->settings[id].origin));
}

bool config_load_text(Config *config, const char *name, const char *text,
		      size_t len, GPtrArray *problems)
{
	g_autoptr(GArray) entries = config_file_entries_new();
	bool ok = config_file_parse(name, text, len, entries, problems);

	for (unsigned int i = 0; i < entries->len; i++) {
		struct config_entry *e =
			&g_array_index(entries, struct config_entry, i);

		replace(config, e->id, &e->value,
			g_strdup_printf("%s:%u", name, e->line));
	}
	return ok;
}

/* Return: 1 read, 0 the file is missing, -1 told in @problems. */
static int load_file(Config *config, const char *path, GPtrArray *problems)
{
	g_autofree char *text = NULL;
	struct stat st;
	ssize_t n = 0;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = -1;

	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		g_ptr_array_add(problems,
				g_strdup_printf("%s: cannot be opened: %s",
						path, g_strerror(errno)));
		return -1;
	}
	if (fstat(fd, &st) < 0) {
		g_ptr_array_add(problems,
				g_strdup_printf("%s: cannot be examined: %s",
						path, g_strerror(errno)));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		g_ptr_array_add(problems, g_strdup_printf(
			"%s: is not a regular file", path));
		goto out;
	}
	/* One byte more than allowed tells a file that is too large. */
	text = g_malloc(CONFIG_FILE_MAX_BYTES + 1);
	while (len < CONFIG_FILE_MAX_BYTES + 1) {
		n = read(fd, text + len, CONFIG_FILE_MAX_BYTES + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t) n;
	}
	if (n < 0) {
		g_ptr_array_add(problems,
				g_strdup_printf("%s: cannot be read: %s", path,
						g_strerror(errno)));
		goto out;
	}
	r = config_load_text(config, path, text, len, problems) ? 1 : -1;
out:
	close(fd);
	return r;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static bool load_drop_ins(Config *config, const char *main_path,
			  GPtrArray *problems)
{
	g_autofree char *dir_path = g_strconcat(main_path, ".d", NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	GDir *dir = g_dir_open(dir_path, 0, NULL);
	const char *name;
	bool ok = true;

	if (!dir)
		return true;
	while ((name = g_dir_read_name(dir))) {
		if (name[0] != '.' && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(names, g_strdup(name));
		if (names->len > CONFIG_DROP_INS_MAX)
			break;
	}
	g_dir_close(dir);
	if (names->len > CONFIG_DROP_INS_MAX) {
		g_ptr_array_add(problems,
				g_strdup_printf("%s: more than %u files",
						dir_path,
						CONFIG_DROP_INS_MAX));
		return false;
	}
	g_ptr_array_sort(names, compare_names);
	for (unsigned int i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(
			dir_path, g_ptr_array_index(names, i), NULL);

		ok &= load_file(config, path, problems) >= 0;
	}
	return ok;
}

bool config_load(Config *config, const char *main_path, const char *set_path,
		 GPtrArray *problems)
{
	return config_load_as_if(config, main_path, set_path, NULL, problems);
}

bool config_load_as_if(Config *config, const char *main_path,
		       const char *set_path, const char *set_text,
		       GPtrArray *problems)
{
	const char *path = main_path ? main_path : CONFIG_MAIN_FILE;
	int r = load_file(config, path, problems);
	bool ok = r >= 0;

	if (r == 0 && main_path) {
		g_ptr_array_add(problems,
				g_strdup_printf("%s: no such file", path));
		ok = false;
	}
	ok &= load_drop_ins(config, path, problems);
	if (set_text)
		ok &= config_load_text(config, set_path, set_text,
				       strlen(set_text), problems);
	else if (set_path)
		ok &= load_file(config, set_path, problems) >= 0;
	return config_check(config, problems) && ok;
}

static const char *origin_of(const Config *config, enum option_id id)
{
	const char *origin = config->settings[id].origin;

	return origin ? origin : "default";
}

static bool check_order(const Config *config, enum option_id low,
			enum option_id high, GPtrArray *problems)
{
	const struct option_row *l = option_table_get(low);
	const struct option_row *h = option_table_get(high);
	int64_t a = config_get_int(config, low);
	int64_t b = config_get_int(config, high);
	enum option_id blame = config->settings[high].origin ? high : low;

	if (a <= b)
		return true;
	g_ptr_array_add(problems, g_strdup_printf(
		"%s: %s.%s (%" G_GINT64_FORMAT ", %s) is above %s.%s (%"
		G_GINT64_FORMAT ", %s); it must not be",
		origin_of(config, blame), l->section, l->key, a,
		origin_of(config, low), h->section, h->key, b,
		origin_of(config, high)));
	return false;
}

static bool check_even(const Config *config, enum option_id id,
		       GPtrArray *problems)
{
	const struct option_row *row = option_table_get(id);
	int64_t n = config_get_int(config, id);

	if (n % 2 == 0)
		return true;
	g_ptr_array_add(problems, g_strdup_printf(
		"%s: %s.%s: '%" G_GINT64_FORMAT "' is odd; encoders need an "
		"even number, such as %" G_GINT64_FORMAT,
		origin_of(config, id), row->section, row->key, n, n + 1));
	return false;
}

/* One without the other is of no use. */
static bool check_both(const Config *config, enum option_id a, enum option_id b,
		       GPtrArray *problems)
{
	bool has_a = *config_get_string(config, a);
	enum option_id given = has_a ? a : b, missing = has_a ? b : a;

	if (has_a == (bool) *config_get_string(config, b))
		return true;
	g_ptr_array_add(problems, g_strdup_printf(
		"%s: '%s' needs '%s' beside it in [%s]",
		config_get_origin(config, given),
		option_table_get(given)->key, option_table_get(missing)->key,
		option_table_get(given)->section));
	return false;
}

static bool check_ports(const Config *config, GPtrArray *problems)
{
	int64_t min = config_get_int(config, OPT_NETWORK_PORT_MIN);
	int64_t max = config_get_int(config, OPT_NETWORK_PORT_MAX);

	if ((min == 0) == (max == 0))
		return check_order(config, OPT_NETWORK_PORT_MIN,
				   OPT_NETWORK_PORT_MAX, problems);
	g_ptr_array_add(problems, g_strdup_printf(
		"%s: network.port_min and network.port_max belong together; "
		"set both, or neither",
		origin_of(config, min ? OPT_NETWORK_PORT_MIN
				      : OPT_NETWORK_PORT_MAX)));
	return false;
}

bool config_check(const Config *config, GPtrArray *problems)
{
	bool ok = true;

	ok &= check_order(config, OPT_VIDEO_MIN_BITRATE,
			  OPT_VIDEO_MAX_BITRATE, problems);
	ok &= check_order(config, OPT_VIDEO_MIN_BITRATE, OPT_VIDEO_BITRATE,
			  problems);
	ok &= check_order(config, OPT_VIDEO_BITRATE, OPT_VIDEO_MAX_BITRATE,
			  problems);
	ok &= check_even(config, OPT_VIDEO_WIDTH, problems);
	ok &= check_even(config, OPT_VIDEO_HEIGHT, problems);
	ok &= check_ports(config, problems);
	ok &= check_both(config, OPT_ROOMSERVER_CERTIFICATE_FILE,
			 OPT_ROOMSERVER_CERTIFICATE_KEY_FILE, problems);
	return ok;
}

bool config_set(Config *config, enum option_id id, const char *text,
		const char *origin, GError **error)
{
	const struct option_row *row = option_table_get(id);
	struct option_value value;
	g_autofree char *why = NULL;

	if (!option_value_parse(row, text, &value, &why)) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_VALUE,
			    "%s: %s.%s: %s", origin, row->section, row->key,
			    why);
		return false;
	}
	replace(config, id, &value, g_strdup(origin));
	return true;
}

int config_find_option(const char *name, GError **error)
{
	const char *dot = strchr(name, '.');
	g_autofree char *section = g_strndup(name, dot ? (gsize) (dot - name)
						       : 0);
	const char *key = dot ? dot + 1 : name;
	const struct option_row *near;
	int id = option_table_find(section, key);

	if (id >= 0)
		return id;
	near = option_table_nearest(section, key);
	if (near)
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY,
			    "there is no option '%.80s'. Did you mean '%s.%s'?",
			    name, near->section, near->key);
	else
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY,
			    "there is no option '%.80s'; 'skylinkd "
			    "--print-default-config' shows them all", name);
	return -1;
}

bool config_set_assignment(Config *config, const char *assignment,
			   const char *origin, GError **error)
{
	const char *equals = strchr(assignment, '=');
	const char *dot = strchr(assignment, '.');
	g_autofree char *section = NULL, *key = NULL, *value = NULL;
	g_autofree char *name = NULL;
	int id;

	if (!equals || !dot || dot > equals) {
		g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_KEY,
			    "%s: '%s' is not of the form section.key=value",
			    origin, assignment);
		return false;
	}
	section = g_strstrip(g_strndup(assignment,
				       (gsize) (dot - assignment)));
	key = g_strstrip(g_strndup(dot + 1, (gsize) (equals - dot - 1)));
	value = g_strstrip(g_strdup(equals + 1));
	name = g_strdup_printf("%s.%s", section, key);
	id = config_find_option(name, error);
	if (id >= 0)
		return config_set(config, id, value, origin, error);
	g_prefix_error(error, "%s: ", origin);
	return false;
}

bool config_get_bool(const Config *config, enum option_id id)
{
	g_assert(option_table_get(id)->type == OPTION_BOOL);
	return config->settings[id].value.number != 0;
}

int64_t config_get_int(const Config *config, enum option_id id)
{
	enum option_type type = option_table_get(id)->type;

	g_assert(type == OPTION_INT || type == OPTION_BITRATE);
	return config->settings[id].value.number;
}

const char *config_get_string(const Config *config, enum option_id id)
{
	g_assert((unsigned int) id < N_OPTIONS);
	return config->settings[id].value.text;
}

const char *config_get_text(const Config *config, enum option_id id)
{
	g_assert((unsigned int) id < N_OPTIONS);
	return config->settings[id].value.text;
}

const char *const *config_get_list(const Config *config, enum option_id id)
{
	enum option_type type = option_table_get(id)->type;

	g_assert(type == OPTION_LIST || type == OPTION_ADDRESSES ||
		 type == OPTION_SCHEDULE);
	return (const char *const *) config->settings[id].value.list;
}

const char *config_get_origin(const Config *config, enum option_id id)
{
	g_assert((unsigned int) id < N_OPTIONS);
	return origin_of(config, id);
}

bool config_is_default(const Config *config, enum option_id id)
{
	g_assert((unsigned int) id < N_OPTIONS);
	return !config->settings[id].origin;
}

GArray *config_diff(const Config *a, const Config *b)
{
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(enum option_id));

	for (enum option_id i = 0; i < N_OPTIONS; i++)
		if (strcmp(a->settings[i].value.text,
			   b->settings[i].value.text))
			g_array_append_val(ids, i);
	return ids;
}
