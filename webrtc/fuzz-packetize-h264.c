// SPDX-License-Identifier: Apache-2.0
/* A coded unit from an encoding camera is bytes from outside: whatever it
 * holds, the plan's fragments stay inside it, and what is cut can be joined. */
#include "webrtc/packetize-h264.h"

#include <stdlib.h>
#include <string.h>

#include "webrtc/depacketize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void keep(struct coded_unit *u)
{
}

static void check_plan(const struct rtp_plan *plan, size_t size)
{
	uint8_t flat[RTP_PLAN_PAYLOAD_MAX];
	uint8_t *out = malloc(size + 4 * RTP_PLAN_PARTS_MAX + 1);
	struct depacketizer d;
	size_t bytes = 0;

	depacketizer_init(&d, out, size + 4 * RTP_PLAN_PARTS_MAX);
	for (unsigned int i = 0; i < plan->n_fragments; i++) {
		struct rtp_fragment f;
		size_t n = 0;

		rtp_plan_fragment(plan, i, &f);
		if (f.len > sizeof(flat) || f.n_iov > RTP_FRAGMENT_IOV_MAX)
			abort();
		for (unsigned int j = 0; j < f.n_iov; j++) {
			memcpy(flat + n, f.iov[j].iov_base, f.iov[j].iov_len);
			n += f.iov[j].iov_len;
		}
		if (n != f.len || depacketize_h264(&d, flat, n) < 0)
			abort();
		bytes += n;
	}
	if (bytes != plan->bytes || d.in_fragment)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct coded_unit u = { .codec = MEDIA_CODEC_H264, .data = data,
				.size = size, .release = keep };
	struct rtp_planner *planner;
	struct rtp_plan *plan;

	atomic_init(&u.refs, 1);
	/* small payloads: many fragments from small inputs */
	if (rtp_planner_new(&planner, 1,
			    size & 1 ? RTP_PLAN_PAYLOAD_MIN : 0) < 0)
		abort();
	if (rtp_plan_new(planner, &u, &plan) == 0) {
		check_plan(plan, size);
		rtp_plan_unref(plan);
	}
	rtp_planner_free(planner);
	return 0;
}
