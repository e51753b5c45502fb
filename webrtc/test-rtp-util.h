/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/test-rtp-util.h - coded units for the tests of the RTP modules
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  a unit and its bytes are one heap block, freed by the last unref
 */
#pragma once

#include <glib.h>
#include <string.h>

#include "media/coded-unit.h"
#include "webrtc/rtp-plan.h"

/* Units alive; a test that ends with 0 has leaked no reference. */
static unsigned int test_units;

static void test_unit_release(struct coded_unit *u)
{
	test_units--;
	g_free(u);
}

static inline struct coded_unit *test_unit_new(enum media_codec codec,
					       const void *data, size_t size)
{
	struct coded_unit *u = g_malloc0(sizeof(*u) + size);
	uint8_t *bytes = (uint8_t *) (u + 1);

	if (data)
		memcpy(bytes, data, size);
	atomic_init(&u->refs, 1);
	u->codec = codec;
	u->data = bytes;
	u->size = size;
	u->release = test_unit_release;
	test_units++;
	return u;
}

/* An H.264 unit: a 4-byte start code and one slice of @size bytes in all, or,
 * as a keyframe, parameter sets and an IDR slice. Never a start code inside. */
static inline struct coded_unit *test_unit_h264(size_t size, bool keyframe,
						uint64_t number)
{
	static const uint8_t sets[] = { 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f,
					0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80 };
	size_t head = keyframe ? sizeof(sets) : 0;
	struct coded_unit *u = test_unit_new(MEDIA_CODEC_H264, NULL, size);
	uint8_t *p = (uint8_t *) (u + 1);

	g_assert_cmpuint(size, >, head + 5);
	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t) (1 + (i * 7 + number) % 255);
	if (keyframe)
		memcpy(p, sets, sizeof(sets));
	memcpy(p + head, "\0\0\0\1", 4);
	p[head + 4] = keyframe ? 0x65 : 0x41;
	u->keyframe = keyframe;
	u->number = number;
	return u;
}

/* One payload of a plan, laid out flat. Return: bytes. */
static inline size_t test_fragment_copy(const struct rtp_plan *plan,
					unsigned int index, uint8_t *out,
					size_t room, bool *ret_marker)
{
	struct rtp_fragment f;
	size_t len = 0;

	rtp_plan_fragment(plan, index, &f);
	for (unsigned int i = 0; i < f.n_iov; i++) {
		g_assert_cmpuint(f.iov[i].iov_len, <=, room - len);
		memcpy(out + len, f.iov[i].iov_base, f.iov[i].iov_len);
		len += f.iov[i].iov_len;
	}
	g_assert_cmpuint(len, ==, f.len);
	if (ret_marker)
		*ret_marker = f.marker;
	return len;
}
