/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/utf8.h - is this UTF-8
 *
 * Source:  RFC 3629 §4 (no surrogates, no overlong forms, <= U+10FFFF)
 * Thread:  any; pure
 * Memory:  none
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NUL is a character like any other. The empty text is valid. */
bool utf8_is_valid(const uint8_t *data, size_t len);
