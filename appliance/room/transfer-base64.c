// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/transfer-base64.h"

#include <errno.h>

#define PAD   64
#define SPACE 65
#define BAD   66

static guint value_of(guint8 c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26u;
	if (c >= '0' && c <= '9')
		return c - '0' + 52u;
	switch (c) {
	case '+':
		return 62;
	case '/':
		return 63;
	case '=':
		return PAD;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
	case '\f':
	case '\v':
		return SPACE;
	}
	return BAD;
}

/* The last group: @n characters of @bits before the padding. */
static gssize end_group(guint32 bits, guint n, guint n_pad, guint8 *out)
{
	if (n == 0 && n_pad == 0)
		return 0;
	/* Padding may be left out, as for atob(). */
	if (n == 2 && (n_pad == 2 || n_pad == 0)) {
		out[0] = (guint8) (bits >> 4);
		return 1;
	}
	if (n == 3 && n_pad <= 1) {
		out[0] = (guint8) (bits >> 10);
		out[1] = (guint8) (bits >> 2);
		return 2;
	}
	return -EBADMSG;
}

gssize transfer_base64_decode(const char *text, gsize len, guint8 *ret)
{
	guint32 bits = 0;
	guint n = 0, n_pad = 0;
	guint8 *out = ret;
	gssize rest;

	for (gsize i = 0; i < len; i++) {
		guint v = value_of((guint8) text[i]);

		if (v == SPACE)
			continue;
		if (v == BAD || (v != PAD && n_pad))
			return -EBADMSG;
		if (v == PAD) {
			if (++n_pad > 2)
				return -EBADMSG;
			continue;
		}
		bits = bits << 6 | v;
		if (++n < 4)
			continue;
		*out++ = (guint8) (bits >> 16);
		*out++ = (guint8) (bits >> 8);
		*out++ = (guint8) bits;
		n = 0;
		bits = 0;
	}
	rest = end_group(bits, n, n_pad, out);
	return rest < 0 ? rest : out - ret + rest;
}
