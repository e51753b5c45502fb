// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtcp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(const struct rtcp_packet *p)
{
	uint16_t mask;
	size_t n;

	switch (p->type) {
	case RTCP_SR:
	case RTCP_RR:
		for (unsigned int i = 0; i < p->n; i++) {
			int32_t lost = rtcp_get_block(p, i).lost;

			if (lost < -0x800000 || lost > 0x7fffff)
				abort();
		}
		break;
	case RTCP_SDES: {
		const char *cname = rtcp_get_cname(p, &n);

		if (cname && (cname < (const char *) p->items ||
			      n > (size_t) ((const char *) p->items +
					    p->items_len - cname)))
			abort();
		break;
	}
	case RTCP_BYE:
	case RTCP_REMB:
		for (unsigned int i = 0; i < p->n; i++)
			rtcp_get_ssrc(p, i);
		break;
	case RTCP_FIR:
		for (unsigned int i = 0; i < p->n; i++) {
			rtcp_get_ssrc(p, i);
			rtcp_get_fir_seq(p, i);
		}
		break;
	case RTCP_NACK:
		for (unsigned int i = 0; i < p->n; i++)
			rtcp_get_nack(p, i, &mask);
		break;
	case RTCP_TWCC:
	case RTCP_PLI:
	case RTCP_OTHER:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_packet p;
	struct rtcp_iter it;

	rtcp_iter_init(&it, data, size);
	while (rtcp_iter_next(&it, &p) > 0) {
		if (p.items < data || p.items_len >
					      (size_t) (data + size - p.items))
			abort();
		touch(&p);
	}
	return 0;
}
