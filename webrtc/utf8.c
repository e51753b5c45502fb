// SPDX-License-Identifier: Apache-2.0
#include "webrtc/utf8.h"

#include <string.h>

/* Length of the character at @p, 0 if it is none. @left > 0. */
static size_t character(const uint8_t *p, size_t left)
{
	uint8_t first = p[0], low = 0x80, high = 0xbf;
	size_t n;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		n = 2;
	else if ((first & 0xf0) == 0xe0)
		n = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;

	/* Only the second byte has a narrower range (RFC 3629 §4). */
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool utf8_is_valid(const uint8_t *data, size_t len)
{
	const uint64_t not_ascii = UINT64_C(0x8080808080808080);
	size_t at = 0, n;
	uint64_t word;

	while (at < len) {
		/* Text is mostly ASCII: eight bytes at a time. */
		while (len - at >= sizeof(word)) {
			memcpy(&word, data + at, sizeof(word));
			if (word & not_ascii)
				break;
			at += sizeof(word);
		}
		if (at == len)
			break;
		n = character(data + at, len - at);
		if (!n)
			return false;
		at += n;
	}
	return true;
}
