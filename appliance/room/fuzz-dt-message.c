// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/room/dt-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(DtMessage) m = dt_message_parse((const char *) data, size);

	if (!m)
		return 0;
	if (m->type == DT_MESSAGE) {
		g_autofree char *text = dt_message_build_message(
			m->sender, "b", NULL, m->is_private, m->data);
		g_autoptr(DtMessage) again =
			dt_message_parse(text, strlen(text));

		/* Escaping may lengthen a text beyond what is taken. */
		if (strlen(text) <= DT_MESSAGE_MAX_BYTES &&
		    (!again || !json_node_equal(m->data, again->data)))
			abort();
	} else if (m->type == DT_ACK && m->ack_n < -1) {
		abort();
	}
	return 0;
}
