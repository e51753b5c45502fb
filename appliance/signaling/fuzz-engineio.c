// SPDX-License-Identifier: Apache-2.0
/* The first byte chooses the entry: a frame, or a polling body in one of its
 * two forms. What is read from a body must come back when it is written. */
#include "appliance/signaling/engineio.h"

#include <stdint.h>
#include <string.h>

#include "appliance/signaling/json-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_message(const struct sio_packet *packet)
{
	g_autofree char *inner = NULL;
	g_autofree char *again = NULL;
	g_autoptr(GString) out = g_string_new(NULL);
	struct eio_packet outer;
	struct sio_packet event;
	size_t len, again_len;

	if (packet->type != SIO_EVENT ||
	    sio_event_parse(packet->data, packet->len, EIO_MAX_PACKET, &inner,
			    &len) != 0)
		return;

	g_assert_true(strlen(inner) == len);
	sio_event_format(out, inner, len);
	g_assert_true(eio_packet_parse(out->str, out->len, &outer) == 0);
	g_assert_true(sio_packet_parse(outer.data, outer.len, &event) == 0);
	g_assert_true(sio_event_parse(event.data, event.len, SIZE_MAX, &again,
				      &again_len) == 0);
	g_assert_true(len == again_len && memcmp(inner, again, len) == 0);
}

static void take_packet(const char *text, size_t len)
{
	struct eio_packet packet;
	struct sio_packet sio;
	struct eio_open open;

	if (eio_packet_parse(text, len, &packet) < 0)
		return;
	if (packet.type == EIO_OPEN &&
	    eio_open_parse(packet.data, packet.len, &open) == 0) {
		g_autofree char *again = eio_open_format(&open);
		struct eio_open second;

		g_assert_true(eio_open_parse(again + 1, strlen(again + 1),
					     &second) == 0);
		g_assert_cmpstr(open.sid, ==, second.sid);
	}
	if (packet.type == EIO_MESSAGE &&
	    sio_packet_parse(packet.data, packet.len, &sio) == 0)
		take_message(&sio);
}

static void take_body(const char *body, size_t len, enum eio_form form)
{
	g_autofree char *copy = g_memdup2(len ? body : "", len ? len : 1);
	g_autoptr(GString) again = g_string_new(NULL);
	struct eio_payload payload, second;
	unsigned int n = 0;
	const char *text;
	size_t text_len;

	if (eio_payload_init(&payload, copy, len, form) < 0)
		return;
	while (eio_payload_next(&payload, &text, &text_len) > 0) {
		take_packet(text, text_len);
		eio_payload_append(again, text, text_len, form);
		n++;
	}
	g_assert_true(eio_payload_init(&second, again->str, again->len, form) ==
		      0);
	while (eio_payload_next(&second, &text, &text_len) > 0)
		n--;
	g_assert_true(n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data + 1;

	if (!size)
		return 0;
	switch (data[0]) {
	case 'T':
		take_body(text, size - 1, EIO_FORM_TEXT);
		break;
	case 'B':
		take_body(text, size - 1, EIO_FORM_BINARY);
		break;
	case 'R':
		g_free(eio_refusal_describe(400, text, size - 1));
		break;
	default:
		take_packet(text, size - 1);
		break;
	}
	return 0;
}
