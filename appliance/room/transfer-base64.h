/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer-base64.h - strict base64, for what peers send
 *
 * GLib's decoder passes over whatever it does not know; here that is an error,
 * and only white space is passed over, as SkylinkJS does.
 *
 * Source:  RFC 4648 §4
 * Thread:  any
 * Memory:  none
 */
#pragma once

#include <glib.h>

/* @ret: @len / 4 * 3 + 3 bytes. Return: bytes written, or -EBADMSG. */
gssize transfer_base64_decode(const char *text, gsize len, guint8 *ret);
