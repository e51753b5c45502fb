// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-tls.h"

#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>

#include "appliance/roomserver/room-state.h"

#define NOW   INT64_C(1795337635)
#define DAY_S INT64_C(86400)

static const char *const names[] = {"box", "192.0.2.7", "not a name", NULL};

static void remove_dir(const char *dir)
{
	g_autofree char *path = g_build_filename(dir, ROOM_TLS_FILE, NULL);

	g_unlink(path);
	g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static char *fingerprint_at(const char *dir, gint64 now)
{
	g_autoptr(GError) error = NULL;
	struct room_tls *tls = room_tls_keep(dir, names, now, &error);
	char *fingerprint;

	g_assert_no_error(error);
	g_assert_true(room_tls_is_self_signed(tls));
	fingerprint = g_strdup(room_tls_get_fingerprint(tls));
	g_assert_cmpuint(strlen(fingerprint), ==, 32 * 3 - 1);
	room_tls_unref(tls);
	return fingerprint;
}

static void test_kept_until_it_ends(void)
{
	g_autofree char *dir = g_dir_make_tmp("room-tls-XXXXXX", NULL);
	gint64 last = NOW + (ROOM_TLS_VALID_DAYS - ROOM_TLS_RENEW_DAYS) * DAY_S;
	g_autofree char *first = fingerprint_at(dir, NOW);
	g_autofree char *later = fingerprint_at(dir, last - 1);
	g_autofree char *renewed = fingerprint_at(dir, last + 1);
	g_autofree char *again = fingerprint_at(dir, last + 2);
	g_autofree char *elsewhere = fingerprint_at(NULL, NOW);

	g_assert_cmpstr(first, ==, later);
	g_assert_cmpstr(first, !=, renewed);
	g_assert_cmpstr(renewed, ==, again);
	g_assert_cmpstr(first, !=, elsewhere);
	remove_dir(dir);
}

static void test_nonsense_is_made_anew(void)
{
	g_autofree char *dir = g_dir_make_tmp("room-tls-XXXXXX", NULL);
	g_autofree char *first = NULL, *again = NULL;

	g_assert_true(room_state_write(dir, ROOM_TLS_FILE, "junk", 4, NULL));
	first = fingerprint_at(dir, NOW);
	again = fingerprint_at(dir, NOW);
	g_assert_cmpstr(first, ==, again);
	remove_dir(dir);
}

static void test_others_must_not_read_it(void)
{
	g_autofree char *dir = g_dir_make_tmp("room-tls-XXXXXX", NULL);
	g_autofree char *made = fingerprint_at(dir, NOW);
	g_autofree char *path = g_build_filename(dir, ROOM_TLS_FILE, NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpstr(made, !=, "");
	g_assert_cmpint(g_chmod(path, 0640), ==, 0);
	g_assert_null(room_tls_keep(dir, names, NOW, &error));
	g_assert_error(error, ROOM_STATE_ERROR, ROOM_STATE_ERROR_READ);
	g_assert_nonnull(strstr(error->message, ROOM_TLS_FILE));
	remove_dir(dir);
}

static void test_nowhere_to_keep_it(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(room_tls_keep("/dev/null/x", names, NOW, &error));
	g_assert_nonnull(strstr(error->message, "/dev/null/x"));
}

static void test_no_certificate(void)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(room_tls_load("/dev/null", "/dev/null", &error));
	g_assert_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_FILE);
	g_assert_nonnull(strstr(error->message, "'/dev/null'"));
}

/* Half of what was meant must not become a certificate of our own. */
static void test_half_a_certificate(void)
{
	for (int i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(room_tls_load(i ? "/x" : NULL, i ? NULL : "/x",
					    &error));
		g_assert_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_FILE);
		g_assert_nonnull(strstr(error->message, "go together"));
	}
}

static void test_own_names(void)
{
	g_auto(GStrv) all = room_tls_own_names(names);

	g_assert_cmpstr(all[0], ==, "box");
	g_assert_true(g_strv_contains((const char *const *) all, "localhost"));
	g_assert_true(g_strv_contains((const char *const *) all, "127.0.0.1"));
	g_assert_cmpuint(g_strv_length(all), <=, ROOM_TLS_MAX_NAMES);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/room-tls/kept", test_kept_until_it_ends);
	g_test_add_func("/room-tls/nonsense", test_nonsense_is_made_anew);
	g_test_add_func("/room-tls/private", test_others_must_not_read_it);
	g_test_add_func("/room-tls/nowhere", test_nowhere_to_keep_it);
	g_test_add_func("/room-tls/no-certificate", test_no_certificate);
	g_test_add_func("/room-tls/half", test_half_a_certificate);
	g_test_add_func("/room-tls/names", test_own_names);
	return g_test_run();
}
