/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/console/console-auth.h - who may watch, and who may operate
 *
 *   password, token --login--> session (a cookie) --role--> none, watch, operate
 *
 * Passwords are kept as their HMAC under a key drawn at the start, and compared
 * in constant time. No slow hash: the file that holds one holds it in the
 * clear, beside the room's own secrets, and the thread that checks it relays
 * the rooms' messages; what slows a guesser down are the limits on failures,
 * of each address and of all together.
 *
 * Source:  RFC 6265bis (what a cookie may say); NIST SP 800-63B §5.2.2 (limits)
 * Thread:  server
 * Memory:  owned by its creator; CONSOLE_MAX_SESSIONS and CONSOLE_MAX_ADDRESSES
 *          entries, made at once
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_MIN_PASSWORD	8	/* bytes */
#define CONSOLE_MAX_PASSWORD	256
#define CONSOLE_MAX_SESSIONS	32	/* the one unused longest gives way */
#define CONSOLE_MAX_ADDRESSES	256
#define CONSOLE_SESSION_CHARS	43	/* 256 bits */
#define CONSOLE_TOKEN_CHARS	22	/* 128 bits */
#define CONSOLE_SESSION_IDLE_US ((gint64) 12 * 3600 * G_USEC_PER_SEC)
#define CONSOLE_SESSION_LIFE_US ((gint64) 7 * 24 * 3600 * G_USEC_PER_SEC)
/* Wrong ones in a row from one address, then one in so long. */
#define CONSOLE_FAILURES	  5
#define CONSOLE_FAILURE_US	  (20 * (gint64) G_USEC_PER_SEC)
/* The same for everybody together. */
#define CONSOLE_ALL_FAILURES	  60
#define CONSOLE_ALL_FAILURE_US	  (2 * (gint64) G_USEC_PER_SEC)

enum console_role {
	CONSOLE_ROLE_NONE,
	CONSOLE_ROLE_WATCH,	/* the viewer page */
	CONSOLE_ROLE_OPERATE,	/* the console, too */
};

struct console_auth_config {
	/* NULL: nobody has that role. Copied as their HMAC alone. */
	const char *operate_password, *watch_password;
	const char *token;	/* opens the console once; or NULL */
	void (*random)(void *data, uint8_t *bytes, size_t n);
	void *data;		/* for random() */
};

struct console_auth;

struct console_auth *console_auth_new(const struct console_auth_config *config);
/* Return: NULL */
struct console_auth *console_auth_free(struct console_auth *auth);

/* Is there a password for that role, or one above it? */
bool console_auth_has(const struct console_auth *auth, enum console_role role);

enum console_login_result {
	CONSOLE_LOGIN_OK,
	CONSOLE_LOGIN_WRONG,
	CONSOLE_LOGIN_LATER,	/* too many wrong ones */
};

struct console_login_outcome {
	enum console_login_result result;
	enum console_role role;				/* OK */
	char session[CONSOLE_SESSION_CHARS + 1];	/* OK */
	unsigned int wait_s;				/* LATER */
};

/**
 * console_auth_login() - a password or the token becomes a session
 * @address: of whom: one number for each that is counted apart
 * @token:   @secret is the token and not a password
 * @now_us:  CLOCK_MONOTONIC
 */
void console_auth_login(struct console_auth *auth, guint64 address,
			const char *secret, size_t len, bool token,
			gint64 now_us, struct console_login_outcome *ret);

/* @touch: it is in use, and does not end by idling. */
enum console_role console_auth_find(struct console_auth *auth,
				    const char *session, gint64 now_us,
				    bool touch);
void console_auth_logout(struct console_auth *auth, const char *session);

/* A password that people can type, such as "kamo-tire-5207-nusa": 50 bits. */
#define CONSOLE_PASSWORD_CHARS 19
void console_auth_make_password(const struct console_auth_config *random,
				char ret[CONSOLE_PASSWORD_CHARS + 1]);
void console_auth_make_token(const struct console_auth_config *random,
			     char ret[CONSOLE_TOKEN_CHARS + 1]);
