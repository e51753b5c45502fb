// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-certificate.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "appliance/signaling/tls-test.h"

#define DAY_S INT64_C(86400)
#define NOW   INT64_C(1795337635)
#define NEVER_SET INT64_C(31536000)	/* 1971 */

static unsigned int warnings;	/* that were written */

struct fixture {
	char *dir, *certificate, *key;	/* paths */
	struct room_certificate *c;
	char *shown;			/* its fingerprint, when last seen */
};

static void set_up(struct fixture *f, gconstpointer data)
{
	f->dir = g_dir_make_tmp("room-certificate-XXXXXX", NULL);
	g_assert_nonnull(f->dir);
	f->certificate = g_build_filename(f->dir, "box.pem", NULL);
	f->key = g_build_filename(f->dir, "box.key", NULL);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
	g_autofree char *own = g_build_filename(f->dir, ROOM_TLS_FILE, NULL);

	room_certificate_free(f->c);
	g_unlink(f->certificate);
	g_unlink(f->key);
	g_unlink(own);
	g_assert_cmpint(g_rmdir(f->dir), ==, 0);
	g_free(f->dir);
	g_free(f->certificate);
	g_free(f->key);
	g_free(f->shown);
}

static void put(const char *path, const char *text)
{
	g_autofree char *beside = g_strconcat(path, ".new", NULL);

	/* As who renews them does: another file by the same name. */
	g_assert_true(g_file_set_contents(beside, text, -1, NULL));
	g_assert_cmpint(g_rename(beside, path), ==, 0);
}

/* Return: its key, not yet in its file. */
static char *renew_certificate(struct fixture *f, int hours)
{
	g_autofree char *certificate = NULL;
	g_autofree char *both = tls_test_make("IP:127.0.0.1", hours,
					      &certificate);

	put(f->certificate, certificate);
	return g_strndup(both, strlen(both) - strlen(certificate));
}

static void renew_both(struct fixture *f, int hours)
{
	g_autofree char *key = renew_certificate(f, hours);

	put(f->key, key);
}

static void look(struct fixture *f)
{
	g_free(f->shown);
	f->shown = g_strdup(
		room_tls_get_fingerprint(room_certificate_get(f->c)));
}

static void open_at(struct fixture *f, gboolean own, gint64 now)
{
	struct room_certificate_config config = {
		.file = own ? NULL : f->certificate,
		.key_file = own ? NULL : f->key,
		.state_dir = f->dir,
	};
	g_autoptr(GError) error = NULL;

	room_certificate_free(f->c);
	f->c = room_certificate_new(&config, now, &error);
	g_assert_no_error(error);
	look(f);
}

/* Return: whether another one is shown, which is so only if it was said. */
static gboolean changes(struct fixture *f, gint64 now)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *before = g_strdup(f->shown);
	gboolean changed, differs;

	g_assert_true(room_certificate_check(f->c, now, &changed, &error));
	g_assert_no_error(error);
	look(f);
	differs = strcmp(f->shown, before) != 0;
	g_assert_true(changed || !differs);
	return differs;
}

static gint64 now_s(void)
{
	return g_get_real_time() / G_USEC_PER_SEC;
}

static void test_renewed(struct fixture *f, gconstpointer data)
{
	renew_both(f, 24);
	open_at(f, FALSE, now_s());
	g_assert_false(changes(f, now_s()));
	renew_both(f, 48);
	g_assert_true(changes(f, now_s()));
	g_assert_false(changes(f, now_s()));
}

static void test_touched(struct fixture *f, gconstpointer data)
{
	gboolean changed;

	renew_both(f, 24);
	open_at(f, FALSE, now_s());
	g_assert_cmpint(g_chmod(f->key, 0640), ==, 0);
	g_assert_true(room_certificate_check(f->c, now_s(), &changed, NULL));
	g_assert_true(changed);
	g_assert_true(room_certificate_check(f->c, now_s(), &changed, NULL));
	g_assert_false(changed);
}

/* First one file, then the other: between them they do not belong together. */
static void test_in_two_steps(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *key = NULL;
	gboolean changed = TRUE;

	renew_both(f, 24);
	open_at(f, FALSE, now_s());
	key = renew_certificate(f, 48);
	g_assert_false(room_certificate_check(f->c, now_s(), &changed, &error));
	g_assert_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_FILE);
	g_assert_nonnull(strstr(error->message, f->key));
	g_assert_false(changed);
	/* Told; and it goes on with what it had. */
	g_assert_false(changes(f, now_s()));
	put(f->key, key);
	g_assert_true(changes(f, now_s()));
}

static void test_gone_for_a_while(struct fixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	gboolean changed;

	renew_both(f, 24);
	open_at(f, FALSE, now_s());
	g_assert_cmpint(g_unlink(f->certificate), ==, 0);
	g_assert_false(room_certificate_check(f->c, now_s(), &changed, &error));
	g_assert_nonnull(strstr(error->message, f->certificate));
	g_assert_false(changes(f, now_s()));
	renew_both(f, 24);
	g_assert_true(changes(f, now_s()));
}

static void test_its_end_is_told(struct fixture *f, gconstpointer data)
{
	gint64 end;

	renew_both(f, 20 * 24);
	open_at(f, FALSE, now_s());
	end = room_tls_get_end(room_certificate_get(f->c));
	g_assert_cmpint(ABS(end - now_s() - 20 * DAY_S), <, 600);
	g_assert_false(room_certificate_is_to_be_told(f->c, NEVER_SET));
	g_assert_false(room_certificate_is_to_be_told(f->c, end - 15 * DAY_S));
	g_assert_true(room_certificate_is_to_be_told(f->c, end - 14 * DAY_S));
	g_assert_false(room_certificate_is_to_be_told(f->c, end - 1));
	g_assert_true(room_certificate_is_to_be_told(f->c, end));
	g_assert_false(room_certificate_is_to_be_told(f->c, end + DAY_S));
	renew_both(f, 2);
	g_assert_true(changes(f, now_s()));
	g_assert_true(room_certificate_is_to_be_told(f->c, now_s()));
}

/* --- our own ----------------------------------------------------------------- */
static void test_own_is_made_anew(struct fixture *f, gconstpointer data)
{
	gint64 due = NOW + (ROOM_TLS_VALID_DAYS - ROOM_TLS_RENEW_DAYS) * DAY_S;

	open_at(f, TRUE, NOW);
	g_assert_false(changes(f, NOW));
	g_assert_false(changes(f, due - 1));
	g_assert_true(changes(f, due));
	g_assert_false(changes(f, due + 1));
	g_assert_false(room_certificate_is_to_be_told(f->c, due));
}

/* A machine without a battery begins in 1970, and must not lose the certificate
 * that people trust; nor may one made then be of no use later. */
static void test_own_and_a_clock_not_set(struct fixture *f, gconstpointer data)
{
	g_autofree char *first = NULL;

	open_at(f, TRUE, NOW);
	first = g_strdup(f->shown);
	open_at(f, TRUE, NEVER_SET);
	g_assert_cmpstr(f->shown, ==, first);
	g_assert_false(changes(f, NEVER_SET));
	g_assert_false(changes(f, NOW));
	g_assert_cmpstr(f->shown, ==, first);
}

static void test_own_made_by_a_clock_not_set(struct fixture *f,
					     gconstpointer data)
{
	open_at(f, TRUE, NEVER_SET);
	g_assert_cmpint(room_tls_get_end(room_certificate_get(f->c)), >,
			ROOM_TLS_CLOCK_MIN_S + 800 * DAY_S);
	g_assert_false(changes(f, ROOM_TLS_CLOCK_MIN_S + 300 * DAY_S));
}

/* From the future: nobody else would take it. */
static void test_own_made_too_late(struct fixture *f, gconstpointer data)
{
	open_at(f, TRUE, NOW + 3650 * DAY_S);
	g_assert_true(changes(f, NOW));
	g_assert_false(changes(f, NOW + DAY_S));
}

static void test_own_and_a_full_disk(struct fixture *f, gconstpointer data)
{
	gint64 due = NOW + ROOM_TLS_VALID_DAYS * DAY_S;
	struct rlimit limit, none;
	gboolean changed;

	open_at(f, TRUE, NOW);
	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	none = limit;
	none.rlim_cur = 0;
	signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &none), ==, 0);
	warnings = 0;
	g_assert_true(room_certificate_check(f->c, due, &changed, NULL));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	g_assert_cmpuint(warnings, ==, 1);
	g_assert_true(changed);
	g_assert_cmpstr(room_tls_get_fingerprint(room_certificate_get(f->c)),
			!=, f->shown);
	look(f);
	g_assert_false(room_tls_is_due(room_certificate_get(f->c), due));
	g_assert_false(changes(f, due));
}

#define ADD(name, test) \
	g_test_add("/room-certificate/" name, struct fixture, NULL, set_up, \
		   test, tear_down)

static GLogWriterOutput count(GLogLevelFlags level, const GLogField *fields,
			      gsize n, gpointer user)
{
	warnings += (level & G_LOG_LEVEL_WARNING) != 0;
	return G_LOG_WRITER_HANDLED;
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(count, NULL, NULL);
	ADD("renewed", test_renewed);
	ADD("touched", test_touched);
	ADD("in-two-steps", test_in_two_steps);
	ADD("gone", test_gone_for_a_while);
	ADD("end", test_its_end_is_told);
	ADD("own", test_own_is_made_anew);
	ADD("own-clock-not-set", test_own_and_a_clock_not_set);
	ADD("own-made-by-a-clock-not-set", test_own_made_by_a_clock_not_set);
	ADD("own-made-too-late", test_own_made_too_late);
	ADD("own-full-disk", test_own_and_a_full_disk);
	return g_test_run();
}
