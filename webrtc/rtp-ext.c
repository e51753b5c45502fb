// SPDX-License-Identifier: Apache-2.0
#include "webrtc/rtp-ext.h"

#include <errno.h>
#include <string.h>

#include "webrtc/be.h"
#include "webrtc/rtp.h"

static uint8_t append(struct rtp_ext_block *b, uint8_t id, size_t n)
{
	uint8_t at;

	b->bytes[b->len++] = (uint8_t) (id << 4 | (n - 1));
	at = b->len;
	b->len += (uint8_t) n;
	return at;
}

static bool ids_are_valid(const struct rtp_ext_ids *ids)
{
	const uint8_t all[] = { ids->mid, ids->abs_send_time, ids->twcc,
				ids->playout_delay, ids->audio_level };
	uint32_t seen = 0;

	for (size_t i = 0; i < sizeof(all); i++) {
		if (!all[i])
			continue;
		if (all[i] > RTP_EXT_ID_ONE_MAX || seen & 1u << all[i])
			return false;
		seen |= 1u << all[i];
	}
	return true;
}

int rtp_ext_block_init(struct rtp_ext_block *b, const struct rtp_ext_ids *ids,
		       const char *mid, unsigned int playout_min_ms,
		       unsigned int playout_max_ms)
{
	size_t mid_len = mid ? strnlen(mid, RTP_EXT_MID_MAX + 1) : 0;
	uint32_t min = playout_min_ms / 10, max = playout_max_ms / 10;

	if (!ids_are_valid(ids) || min > 0xfff || max > 0xfff || min > max)
		return -EINVAL;

	memset(b, 0, sizeof(*b));
	b->len = 4;
	/* What is patched comes first: it then shares a cache line with the
	 * fixed header. */
	if (ids->twcc)
		b->at_twcc = append(b, ids->twcc, 2);
	if (ids->abs_send_time)
		b->at_abs_send_time = append(b, ids->abs_send_time, 3);
	if (ids->audio_level)
		b->at_audio_level = append(b, ids->audio_level, 1);
	if (ids->playout_delay) {
		uint8_t at = append(b, ids->playout_delay, 3);

		be24_put(b->bytes + at, min << 12 | max);
	}
	if (ids->mid && mid_len && mid_len <= RTP_EXT_MID_MAX) {
		uint8_t at = append(b, ids->mid, mid_len);

		memcpy(b->bytes + at, mid, mid_len);
	}
	if (b->len == 4) {
		b->len = 0;
		return 0;
	}
	b->len = (uint8_t) ((b->len + 3u) & ~3u);
	be16_put(b->bytes, RTP_EXT_ONE_BYTE);
	be16_put(b->bytes + 2, (uint16_t) (b->len / 4 - 1));
	return 0;
}

uint32_t rtp_ext_abs_send_time(uint64_t us)
{
	/* Split at the second: the product must not leave 64 bits. */
	uint64_t sec = us / 1000000, rest = us % 1000000;

	return (uint32_t) ((sec << 18) + (rest << 18) / 1000000) & 0xffffff;
}

size_t rtp_ext_block_write(const struct rtp_ext_block *b,
			   const struct rtp_ext_values *v, uint8_t *out)
{
	memcpy(out, b->bytes, b->len);
	if (b->at_twcc)
		be16_put(out + b->at_twcc, v->twcc_seq);
	if (b->at_abs_send_time)
		be24_put(out + b->at_abs_send_time,
			 rtp_ext_abs_send_time(v->send_us));
	if (b->at_audio_level)
		out[b->at_audio_level] = (uint8_t) (v->audio_voice << 7 |
						    (v->audio_level & 0x7f));
	return b->len;
}
