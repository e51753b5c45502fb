// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-reload.h"

#include <string.h>

/* A daemon without room, media and socket: what is decided, not what is done. */
typedef struct {
	struct daemon_options options;
	Daemon d;
} Fixture;

static Fixture *fixture_new(void)
{
	Fixture *f = g_new0(Fixture, 1);

	f->options.config = config_new();
	f->d.options = &f->options;
	daemon_reload_start(&f->d);
	return f;
}

static void fixture_free(Fixture *f)
{
	daemon_reload_stop(&f->d);
	config_free(f->options.config);
	g_clear_pointer(&f->d.room_name, g_free);
	g_clear_pointer(&f->d.app_key, g_free);
	room_access_done(&f->d.access);
	g_free(f);
}

static Config *with(const Config *config, enum option_id id, const char *text)
{
	Config *c = config_copy(config);

	g_assert_true(config_set(c, id, text, "test:1", NULL));
	return c;
}

static void assert_effect(JsonArray *changed, unsigned int i, const char *name,
			  const char *effect)
{
	JsonObject *o = json_array_get_object_element(changed, i);

	g_assert_cmpstr(json_object_get_string_member(o, "name"), ==, name);
	g_assert_cmpstr(json_object_get_string_member(o, "effect"), ==,
			effect);
}

/* A row that says it changes without a restart has code that does it, and no
 * other has. */
static void test_every_row_is_handled(void)
{
	for (enum option_id i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);
		gboolean wants = row->change == OPTION_LIVE ||
			row->change == OPTION_REJOIN;

		if (row->change < OPTION_LIVE || row->change > OPTION_RESTART)
			g_error("%s.%s does not say what a change needs",
				row->section, row->key);
		if (daemon_reload_handles(i) != wants)
			g_error("%s.%s: declared %s, but %s applies it",
				row->section, row->key,
				option_change_name(row->change),
				wants ? "nothing" : "something");
	}
}

/* Another valid value; the same for none: then the row is left out. */
static char *other_value(const struct option_row *row, const Config *c,
			 enum option_id id)
{
	switch (row->type) {
	case OPTION_BOOL:
		return g_strdup(config_get_bool(c, id) ? "no" : "yes");
	case OPTION_INT:
	case OPTION_BITRATE:
		return g_strdup_printf("%" G_GINT64_FORMAT,
				       config_get_int(c, id) == row->max ?
				       row->min : row->max);
	case OPTION_CHOICE: {
		g_auto(GStrv) values = g_strsplit(row->values, "|", -1);

		for (char **v = values; *v; v++)
			if (strcmp(*v, row->def) && !g_str_has_suffix(*v, ":"))
				return g_strdup(*v);
		g_assert_not_reached();
	}
	case OPTION_STRING:
	case OPTION_NAME:
	case OPTION_JSON:
		return g_strdup("other");
	case OPTION_PATH:
	case OPTION_SECRET:
		return g_strdup("/other");
	case OPTION_LISTEN:
		return g_strdup("127.0.0.1:1");
	case OPTION_ENDPOINT:
		return g_strdup("unix:/other");
	case OPTION_URL:
		return g_strdup("http://other");
	case OPTION_LIST:
		return g_strdup("other");
	case OPTION_ADDRESSES:
		return g_strdup("10.0.0.1");
	case OPTION_SCHEDULE:
		return g_strdup("Mon 08:00-18:00 = other");
	case OPTION_ZONE:
		return g_strdup("UTC");
	}
	g_assert_not_reached();
}

/* In a room: every option alone, by what its row declares. */
static void test_every_option_is_told(void)
{
	for (enum option_id i = 0; i < N_OPTIONS; i++) {
		static const char *const effects[] = {
			[OPTION_LIVE] = "applied",
			[OPTION_REJOIN] = "rejoin",
			[OPTION_RESTART] = "restart",
		};
		const struct option_row *row = option_table_get(i);
		Fixture *f = fixture_new();
		g_autofree char *name = g_strdup_printf("%s.%s", row->section,
							row->key);
		g_autofree char *text = other_value(row, f->options.config, i);
		g_autoptr(Config) next = with(f->options.config, i, text);
		g_autoptr(JsonArray) changed = NULL;

		f->d.room_name = g_strdup("hall");
		changed = daemon_reload_preview(&f->d, next, FALSE);
		g_assert_cmpuint(json_array_get_length(changed), ==, 1);
		assert_effect(changed, 0, name, effects[row->change]);
		/* It was only looked at. */
		g_assert_true(config_is_default(f->options.config, i));
		fixture_free(f);
	}
}

static void test_restart_is_left_as_it_is(void)
{
	Fixture *f = fixture_new();
	g_autoptr(Config) next = with(f->options.config, OPT_NETWORK_GSO,
				      "off");

	/* Told as long as it waits. */
	for (int i = 0; i < 2; i++) {
		g_autoptr(JsonArray) changed = daemon_reload_apply(
			&f->d, next, TRUE, NULL, NULL);

		g_assert_cmpuint(json_array_get_length(changed), ==, 1);
		assert_effect(changed, 0, "network.gso", "restart");
		g_assert_cmpstr(config_get_text(f->options.config,
						OPT_NETWORK_GSO), ==, "auto");
	}
	fixture_free(f);
}

static void test_rejoin_waits_for_a_join(void)
{
	Fixture *f = fixture_new();
	g_autoptr(Config) next = with(f->options.config, OPT_ROOM_REGION, "sg");
	g_autoptr(Config) back = config_copy(f->options.config);

	f->d.room_name = g_strdup("hall");
	for (int i = 0; i < 2; i++) {
		g_autoptr(JsonArray) changed = daemon_reload_apply(
			&f->d, next, FALSE, NULL, NULL);

		assert_effect(changed, 0, "room.region", "rejoin");
		g_assert_cmpstr(f->d.access.region, ==, "sg");
	}
	{	/* Taken back before it counted. */
		g_autoptr(JsonArray) changed = daemon_reload_apply(
			&f->d, back, FALSE, NULL, NULL);

		g_assert_cmpuint(json_array_get_length(changed), ==, 1);
		assert_effect(changed, 0, "room.region", "applied");
		g_assert_null(f->d.access.region);
	}
	{
		g_autoptr(JsonArray) changed = daemon_reload_apply(
			&f->d, next, FALSE, NULL, NULL);
		g_autoptr(JsonArray) after = NULL;

		assert_effect(changed, 0, "room.region", "rejoin");
		daemon_reload_joined(&f->d);
		after = daemon_reload_preview(&f->d, next, FALSE);
		g_assert_cmpuint(json_array_get_length(after), ==, 0);
	}
	fixture_free(f);
}

static void test_out_of_a_room_it_counts_at_once(void)
{
	Fixture *f = fixture_new();
	g_autoptr(Config) next = with(f->options.config, OPT_ROOM_REGION, "sg");
	gboolean rejoined = TRUE;
	g_autoptr(JsonArray) changed = daemon_reload_apply(&f->d, next, TRUE,
							   &rejoined, NULL);

	assert_effect(changed, 0, "room.region", "applied");
	g_assert_false(rejoined);
	g_assert_cmpstr(config_get_origin(f->options.config, OPT_ROOM_REGION),
			==, "test:1");
	fixture_free(f);
}

/* The server's certificates cannot be read: all is as before. */
static void test_all_or_nothing(void)
{
	Fixture *f = fixture_new();
	g_autoptr(Config) first = with(f->options.config, OPT_ROOM_SERVER,
				       "http://127.0.0.1:9");
	g_autoptr(Config) next = with(first, OPT_ROOM_SECRET_FILE,
				      "/no/such/secret");
	g_autoptr(GError) error = NULL;

	g_assert_true(config_set(next, OPT_LOG_LEVEL, "debug", "test:2", NULL));
	g_assert_null(daemon_reload_apply(&f->d, next, FALSE, NULL, &error));
	g_assert_nonnull(strstr(error->message, "/no/such/secret"));
	for (enum option_id i = 0; i < N_OPTIONS; i++)
		g_assert_true(config_is_default(f->options.config, i));
	g_assert_null(f->d.room_server_url);
	fixture_free(f);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon-reload/every-row-is-handled",
			test_every_row_is_handled);
	g_test_add_func("/daemon-reload/every-option-is-told",
			test_every_option_is_told);
	g_test_add_func("/daemon-reload/restart-is-left-as-it-is",
			test_restart_is_left_as_it_is);
	g_test_add_func("/daemon-reload/rejoin-waits-for-a-join",
			test_rejoin_waits_for_a_join);
	g_test_add_func("/daemon-reload/out-of-a-room-it-counts-at-once",
			test_out_of_a_room_it_counts_at_once);
	g_test_add_func("/daemon-reload/all-or-nothing", test_all_or_nothing);
	return g_test_run();
}
