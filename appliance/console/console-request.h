/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/console/console-request.h - what a browser sends to the console
 *
 *   {"password":"..."} or {"token":"..."}	to log in
 *   {"id":7,"command":"mute","video":true}	what a button does
 *   Cookie: a=b; skylink-8080=...		which session it is
 *
 * Source:  RFC 6265 §4.2 (cookies), RFC 8259
 * Thread:  any; pure
 * Memory:  fills the caller's structs; a login holds a secret, and is cleared by
 *          its owner
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/console/console-auth.h"

#define CONSOLE_LOGIN_MAX_BYTES	  1024
#define CONSOLE_COMMAND_MAX_BYTES 512
#define CONSOLE_COOKIES_MAX_BYTES 4096

struct console_login {
	bool token;		/* and not a password */
	size_t len;
	char secret[CONSOLE_MAX_PASSWORD + 1];
};

/* Return: 0, or -EBADMSG: not JSON, not of that form, too long, empty. */
int console_login_parse(const char *json, size_t len,
			struct console_login *ret);

enum console_verb {
	CONSOLE_MUTE,
	CONSOLE_JOIN,	/* the configured room */
	CONSOLE_LEAVE,
	CONSOLE_CHECK,	/* the box looks at itself */
};

struct console_command {
	uint32_t id;		/* the page's; comes back with the outcome */
	enum console_verb verb;
	/* MUTE: which of both, and how it is to be */
	bool has_audio, has_video, audio, video;
};

/* Return: 0, or -EBADMSG. */
int console_command_parse(const char *json, size_t len,
			  struct console_command *ret);

/**
 * console_cookie_find() - the value of one cookie
 * @header: the Cookie header
 * @ret:    takes at most @size bytes with the NUL
 *
 * Of several with that name the first. Return: 0; -ENOENT; -EBADMSG when it is
 * too long.
 */
int console_cookie_find(const char *header, const char *name, char *ret,
			size_t size);
