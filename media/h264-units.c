// SPDX-License-Identifier: Apache-2.0
#include "media/h264-units.h"

#include "media/h264-annexb.h"

#include <errno.h>
#include <string.h>

void h264_units_init(struct h264_units *h)
{
	h->n_sets = 0;
	h->started = false;
}

void h264_units_break(struct h264_units *h)
{
	h->started = false;
}

/* Keeps all SPS and PPS of a unit, with start codes. Sets too large to keep
 * are not kept: then the stream has to repeat them itself. */
static void keep_sets(struct h264_units *h, const uint8_t *data, size_t size)
{
	static const uint8_t start_code[4] = {0, 0, 0, 1};
	struct h264_nal nal;
	size_t pos = 0, n = 0;

	while (h264_next_nal(data, size, &pos, &nal)) {
		if (nal.type != H264_NAL_SPS && nal.type != H264_NAL_PPS)
			continue;
		if (nal.size > sizeof(h->sets) - n ||
		    sizeof(start_code) > sizeof(h->sets) - n - nal.size) {
			h->n_sets = 0;
			return;
		}
		memcpy(h->sets + n, start_code, sizeof(start_code));
		memcpy(h->sets + n + sizeof(start_code), nal.data, nal.size);
		n += sizeof(start_code) + nal.size;
	}
	h->n_sets = n;
}

int h264_units_make(struct h264_units *h, struct unit_pool *pool,
		    const uint8_t *data, size_t size, uint64_t capture_us,
		    struct coded_unit **ret)
{
	struct h264_unit_info info;
	struct coded_unit *u;
	bool whole;
	int r;

	h264_inspect_unit(data, size, &info);
	if (info.has_sps && info.has_pps)
		keep_sets(h, data, size);
	whole = info.has_sps && info.has_pps;
	if (!info.has_picture)
		return 1;
	if (info.has_idr && (whole || h->n_sets))
		h->started = true;
	if (!h->started)
		return 1;

	u = unit_pool_get(pool);
	if (!u)
		return -ENOBUFS;
	if (info.has_idr && !whole)
		r = unit_copy_parts(u, h->sets, h->n_sets, data, size);
	else
		r = unit_copy_data(u, data, size);
	if (r < 0) {
		coded_unit_unref(u);
		return r;
	}
	u->keyframe = info.has_idr;
	u->capture_us = capture_us;
	*ret = u;
	return 0;
}
