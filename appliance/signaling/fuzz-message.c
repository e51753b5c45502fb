// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/signaling/message-build.h"
#include "appliance/signaling/message.h"
#include "appliance/signaling/user-info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted must be accepted again after a round trip. */
static void try_message(Message *m)
{
	g_autofree char *text = message_to_text(m->object);
	g_autoptr(Message) again = NULL;
	UserInfo info;

	if (m->hello.user_info &&
	    user_info_parse(m->hello.user_info, &info, NULL))
		user_info_done(&info);
	if (m->type == MESSAGE_OFFER || m->type == MESSAGE_ANSWER)
		json_array_unref(media_info_build(
			m->description.sdp, "m",
			&(MessageMedia){.stream_id = "s",
					.video_muted = TRUE}));
	if (strlen(text) > MESSAGE_MAX_BYTES)
		return;		/* escaping made it too long */
	again = message_parse_text(text, -1, NULL);
	if (!again || again->type != m->type)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(Message) m =
		message_parse_text((const char *) data, (gssize) size, NULL);
	g_autoptr(GPtrArray) list = NULL;
	guint bad;

	if (!m)
		return 0;
	try_message(m);
	if (m->type != MESSAGE_GROUP)
		return 0;
	list = message_unbundle(m, &bad);
	for (guint i = 0; i < list->len; i++)
		try_message(g_ptr_array_index(list, i));
	return 0;
}
