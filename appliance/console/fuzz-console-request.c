// SPDX-License-Identifier: Apache-2.0
/* The first byte chooses the reader; what it takes must be within its bounds. */
#include "appliance/console/console-request.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_login(const char *text, size_t len)
{
	struct console_login login;

	if (console_login_parse(text, len, &login) < 0)
		return;
	g_assert_true(login.len > 0 && login.len <= CONSOLE_MAX_PASSWORD);
	g_assert_true(strlen(login.secret) == login.len);
}

static void fuzz_command(const char *text, size_t len)
{
	struct console_command c;

	if (console_command_parse(text, len, &c) < 0)
		return;
	g_assert_true((c.verb == CONSOLE_MUTE) ==
		      (c.has_audio || c.has_video));
	g_assert_true(c.has_audio || !c.audio);
	g_assert_true(c.has_video || !c.video);
}

static void fuzz_cookie(const char *text)
{
	char value[CONSOLE_SESSION_CHARS + 1];

	if (console_cookie_find(text, "skylink-1", value, sizeof(value)) < 0)
		return;
	g_assert_true(strlen(value) <= CONSOLE_SESSION_CHARS);
	g_assert_nonnull(strstr(text, "skylink-1="));
	g_assert_null(strchr(value, ';'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = NULL;

	if (!size)
		return 0;
	text = g_strndup((const char *) data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		fuzz_login((const char *) data + 1, size - 1);
		break;
	case 1:
		fuzz_command((const char *) data + 1, size - 1);
		break;
	default:
		fuzz_cookie(text);
	}
	return 0;
}
