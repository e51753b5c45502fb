// SPDX-License-Identifier: Apache-2.0
#include "webrtc/dcep.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

static void test_open(void)
{
	struct dcep_message m = {
		.type = DCEP_OPEN,
		.reliability = DCEP_MAX_LIFETIME,
		.unordered = true,
		.priority = 256,
		.parameter = 0x01020304,
		.label = "label",
		.label_len = 5,
		.protocol = "p",
		.protocol_len = 1,
	};
	static const uint8_t want[] = {3,   0x82, 1,   0,   1,	 2, 3, 4, 0,
				       5,   0,	  1,   'l', 'a', 'b', 'e', 'l',
				       'p'};
	uint8_t wire[DCEP_OPEN_MAX_BYTES];
	struct dcep_message got;

	g_assert_cmpint(dcep_write(&m, wire, sizeof(wire)), ==, sizeof(want));
	g_assert_cmpmem(wire, sizeof(want), want, sizeof(want));
	g_assert_cmpint(dcep_write(&m, wire, sizeof(want) - 1), ==, -ENOBUFS);

	g_assert_cmpint(dcep_parse(want, sizeof(want), &got), ==, 0);
	g_assert_cmpint(got.type, ==, DCEP_OPEN);
	g_assert_cmpint(got.reliability, ==, DCEP_MAX_LIFETIME);
	g_assert_true(got.unordered);
	g_assert_cmpuint(got.priority, ==, 256);
	g_assert_cmpuint(got.parameter, ==, 0x01020304);
	g_assert_cmpmem(got.label, got.label_len, "label", 5);
	g_assert_cmpmem(got.protocol, got.protocol_len, "p", 1);

	/* Any cut, and any byte too many. */
	for (size_t i = 0; i < sizeof(want); i++)
		g_assert_cmpint(dcep_parse(want, i, &got), ==, -EBADMSG);
	memcpy(wire, want, sizeof(want));
	wire[sizeof(want)] = 'x';
	g_assert_cmpint(dcep_parse(wire, sizeof(want) + 1, &got), ==,
			-EBADMSG);
}

static void test_ack(void)
{
	struct dcep_message m = {.type = DCEP_ACK}, got;
	uint8_t wire[2] = {0, 0};

	g_assert_cmpint(dcep_write(&m, wire, 1), ==, 1);
	g_assert_cmpuint(wire[0], ==, 2);
	g_assert_cmpint(dcep_write(&m, wire, 0), ==, -ENOBUFS);
	g_assert_cmpint(dcep_parse(wire, 1, &got), ==, 0);
	g_assert_cmpint(got.type, ==, DCEP_ACK);
	g_assert_cmpint(dcep_parse(wire, 2, &got), ==, -EBADMSG);
}

static void test_refusals(void)
{
	uint8_t wire[DCEP_OPEN_MAX_BYTES + 1] = {3};
	struct dcep_message m = {.type = DCEP_OPEN}, got;

	g_assert_cmpint(dcep_parse(wire, 12, &got), ==, 0);
	wire[1] = 3;			/* no such channel type */
	g_assert_cmpint(dcep_parse(wire, 12, &got), ==, -EBADMSG);
	wire[1] = 0;
	wire[0] = 4;			/* no such message */
	g_assert_cmpint(dcep_parse(wire, 12, &got), ==, -EBADMSG);
	wire[0] = 3;
	wire[9] = 1;			/* a NUL as label */
	g_assert_cmpint(dcep_parse(wire, 13, &got), ==, -EBADMSG);
	wire[12] = 0xff;		/* no UTF-8 */
	g_assert_cmpint(dcep_parse(wire, 13, &got), ==, -EBADMSG);

	/* The limit, and one more. */
	memset(wire + 12, 'a', sizeof(wire) - 12);
	wire[8] = DCEP_LABEL_MAX_BYTES >> 8;
	wire[9] = 0;
	g_assert_cmpint(dcep_parse(wire, 12 + DCEP_LABEL_MAX_BYTES, &got), ==,
			0);
	wire[9] = 1;
	g_assert_cmpint(dcep_parse(wire, 13 + DCEP_LABEL_MAX_BYTES, &got), ==,
			-EMSGSIZE);
	m.label_len = DCEP_LABEL_MAX_BYTES + 1;
	g_assert_cmpint(dcep_write(&m, wire, sizeof(wire)), ==, -EINVAL);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/dcep/open", test_open);
	g_test_add_func("/dcep/ack", test_ack);
	g_test_add_func("/dcep/refusals", test_refusals);
	return g_test_run();
}
