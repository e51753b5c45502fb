// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-auth.h"

#include <string.h>

/* Numbers that differ; what is tested does not depend on their quality. */
static void count_up(void *data, uint8_t *bytes, size_t n)
{
	unsigned int *next = data;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t) ((*next += 97) >> 3);
}

struct fixture {
	unsigned int seed;
	struct console_auth *auth;
	gint64 now_us;
	struct console_login_outcome out;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->now_us = G_USEC_PER_SEC;
	f->auth = console_auth_new(&(struct console_auth_config){
		.operate_password = "correct horse",
		.watch_password = "only looking",
		.token = "once-and-no-more-12345",
		.random = count_up,
		.data = &f->seed,
	});
}

static void end(struct fixture *f)
{
	f->auth = console_auth_free(f->auth);
	g_assert_null(f->auth);
}

static enum console_login_result try_login(struct fixture *f, guint64 address,
					   const char *secret, bool token)
{
	console_auth_login(f->auth, address, secret, strlen(secret), token,
			   f->now_us, &f->out);
	return f->out.result;
}

static void test_roles(void)
{
	struct fixture f;
	char operator[CONSOLE_SESSION_CHARS + 1];

	begin(&f);
	g_assert_true(console_auth_has(f.auth, CONSOLE_ROLE_OPERATE));
	g_assert_cmpint(try_login(&f, 1, "correct horse", false), ==,
			CONSOLE_LOGIN_OK);
	g_assert_cmpint(f.out.role, ==, CONSOLE_ROLE_OPERATE);
	g_strlcpy(operator, f.out.session, sizeof(operator));
	g_assert_cmpint(try_login(&f, 1, "only looking", false), ==,
			CONSOLE_LOGIN_OK);
	g_assert_cmpint(f.out.role, ==, CONSOLE_ROLE_WATCH);
	g_assert_cmpstr(operator, !=, f.out.session);
	g_assert_cmpint(console_auth_find(f.auth, operator, f.now_us, true), ==,
			CONSOLE_ROLE_OPERATE);
	g_assert_cmpint(console_auth_find(f.auth, f.out.session, f.now_us,
					  true), ==, CONSOLE_ROLE_WATCH);
	console_auth_logout(f.auth, operator);
	g_assert_cmpint(console_auth_find(f.auth, operator, f.now_us, true), ==,
			CONSOLE_ROLE_NONE);
	/* What is no session is none; nor is the empty place of one. */
	g_assert_cmpint(console_auth_find(f.auth, "", f.now_us, true), ==,
			CONSOLE_ROLE_NONE);
	g_assert_cmpint(console_auth_find(f.auth, operator, f.now_us, true), ==,
			CONSOLE_ROLE_NONE);
	end(&f);
}

static void test_without_passwords(void)
{
	struct fixture f = {.now_us = 1};

	f.auth = console_auth_new(&(struct console_auth_config){
		.random = count_up, .data = &f.seed});
	g_assert_false(console_auth_has(f.auth, CONSOLE_ROLE_WATCH));
	g_assert_cmpint(try_login(&f, 1, "", false), ==, CONSOLE_LOGIN_WRONG);
	g_assert_cmpint(try_login(&f, 1, "", true), ==, CONSOLE_LOGIN_WRONG);
	end(&f);
}

static void test_token_once(void)
{
	struct fixture f;

	begin(&f);
	g_assert_cmpint(try_login(&f, 1, "once-and-no-more-12345", false), ==,
			CONSOLE_LOGIN_WRONG);
	g_assert_cmpint(try_login(&f, 1, "once-and-no-more-12345", true), ==,
			CONSOLE_LOGIN_OK);
	g_assert_cmpint(f.out.role, ==, CONSOLE_ROLE_OPERATE);
	g_assert_cmpint(try_login(&f, 1, "once-and-no-more-12345", true), ==,
			CONSOLE_LOGIN_WRONG);
	end(&f);
}

static void test_one_address(void)
{
	struct fixture f;

	begin(&f);
	for (unsigned int i = 0; i < CONSOLE_FAILURES; i++)
		g_assert_cmpint(try_login(&f, 1, "guess", false), ==,
				CONSOLE_LOGIN_WRONG);
	/* The right one, too: it must not be told apart. */
	g_assert_cmpint(try_login(&f, 1, "correct horse", false), ==,
			CONSOLE_LOGIN_LATER);
	g_assert_cmpuint(f.out.wait_s, >, 0);
	g_assert_cmpuint(f.out.wait_s, <=,
			 CONSOLE_FAILURE_US / G_USEC_PER_SEC + 1);
	f.now_us += (gint64) f.out.wait_s * G_USEC_PER_SEC;
	g_assert_cmpint(try_login(&f, 2, "correct horse", false), ==,
			CONSOLE_LOGIN_OK);
	g_assert_cmpint(try_login(&f, 1, "guess", false), ==,
			CONSOLE_LOGIN_WRONG);
	g_assert_cmpint(try_login(&f, 1, "guess", false), ==,
			CONSOLE_LOGIN_LATER);
	f.now_us += CONSOLE_FAILURE_US;
	g_assert_cmpint(try_login(&f, 1, "correct horse", false), ==,
			CONSOLE_LOGIN_OK);
	end(&f);
}

static void test_all_addresses(void)
{
	struct fixture f;
	unsigned int wrong = 0;

	begin(&f);
	/* Whoever has many addresses has all of them, and no more guesses. */
	for (guint64 address = 10; address < 10000; address++)
		wrong += try_login(&f, address, "guess", false) ==
			 CONSOLE_LOGIN_WRONG;
	g_assert_cmpuint(wrong, ==, CONSOLE_ALL_FAILURES);
	f.now_us += CONSOLE_ALL_FAILURE_US;
	g_assert_cmpint(try_login(&f, 1, "correct horse", false), ==,
			CONSOLE_LOGIN_OK);
	end(&f);
}

/* Many addresses that fail do not wash out who has failed before. */
static void test_address_is_kept(void)
{
	struct fixture f;

	begin(&f);
	for (unsigned int i = 0; i < CONSOLE_FAILURES; i++)
		try_login(&f, 1, "guess", false);
	for (guint64 address = 10; address < 3000; address++)
		try_login(&f, address, "only looking", false);
	g_assert_cmpint(try_login(&f, 1, "only looking", false), ==,
			CONSOLE_LOGIN_LATER);
	end(&f);
}

static void test_sessions_end(void)
{
	struct fixture f;
	char first[CONSOLE_SESSION_CHARS + 1];
	gint64 began;

	begin(&f);
	try_login(&f, 1, "correct horse", false);
	began = f.now_us;
	f.now_us += CONSOLE_SESSION_IDLE_US - 1;
	g_assert_cmpint(console_auth_find(f.auth, f.out.session, f.now_us,
					  true), ==, CONSOLE_ROLE_OPERATE);
	while (f.now_us + CONSOLE_SESSION_IDLE_US / 2 <
	       began + CONSOLE_SESSION_LIFE_US) {
		f.now_us += CONSOLE_SESSION_IDLE_US / 2;
		g_assert_cmpint(console_auth_find(f.auth, f.out.session,
						  f.now_us, true), ==,
				CONSOLE_ROLE_OPERATE);
	}
	/* However busy: after its life it is over. */
	g_assert_cmpint(console_auth_find(f.auth, f.out.session,
					  began + CONSOLE_SESSION_LIFE_US,
					  true), ==, CONSOLE_ROLE_NONE);

	/* A look that does not count as use does not keep it alive. */
	try_login(&f, 1, "correct horse", false);
	f.now_us += CONSOLE_SESSION_IDLE_US - 1;
	console_auth_find(f.auth, f.out.session, f.now_us, false);
	g_assert_cmpint(console_auth_find(f.auth, f.out.session, f.now_us + 1,
					  true), ==, CONSOLE_ROLE_NONE);

	/* One too many: the one unused longest gives way. */
	try_login(&f, 1, "correct horse", false);
	g_strlcpy(first, f.out.session, sizeof(first));
	for (unsigned int i = 0; i < CONSOLE_MAX_SESSIONS - 1; i++) {
		f.now_us++;
		try_login(&f, 1, "correct horse", false);
	}
	g_assert_cmpint(console_auth_find(f.auth, first, f.now_us, false), ==,
			CONSOLE_ROLE_OPERATE);
	f.now_us++;
	try_login(&f, 1, "correct horse", false);
	g_assert_cmpint(console_auth_find(f.auth, first, f.now_us, false), ==,
			CONSOLE_ROLE_NONE);
	g_assert_cmpint(console_auth_find(f.auth, f.out.session, f.now_us,
					  false), ==, CONSOLE_ROLE_OPERATE);
	end(&f);
}

static void test_made_texts(void)
{
	unsigned int seed = 5;
	struct console_auth_config config = {.random = count_up, .data = &seed};
	char a[CONSOLE_PASSWORD_CHARS + 1], b[CONSOLE_PASSWORD_CHARS + 1];
	char token[CONSOLE_TOKEN_CHARS + 1];

	console_auth_make_password(&config, a);
	console_auth_make_password(&config, b);
	g_assert_cmpstr(a, !=, b);
	g_assert_cmpuint(strlen(a), ==, CONSOLE_PASSWORD_CHARS);
	g_assert_true(g_regex_match_simple(
		"^([a-z]{4}-){3}[0-9]{4}$", a, 0, 0));
	console_auth_make_token(&config, token);
	g_assert_cmpuint(strlen(token), ==, CONSOLE_TOKEN_CHARS);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/console-auth/roles", test_roles);
	g_test_add_func("/console-auth/without-passwords",
			test_without_passwords);
	g_test_add_func("/console-auth/token-once", test_token_once);
	g_test_add_func("/console-auth/one-address", test_one_address);
	g_test_add_func("/console-auth/all-addresses", test_all_addresses);
	g_test_add_func("/console-auth/address-is-kept", test_address_is_kept);
	g_test_add_func("/console-auth/sessions-end", test_sessions_end);
	g_test_add_func("/console-auth/made-texts", test_made_texts);
	return g_test_run();
}
