/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/be.h - big-endian fields of packets, at any alignment
 *
 * Source:  none (our own)
 * Thread:  any; pure
 * Memory:  none; the caller has checked that the bytes are there
 */
#pragma once

#include <stdint.h>

static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t be24_get(const uint8_t *p)
{
	return (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
}

static inline uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t) p[0] << 24 | be24_get(p + 1);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t) (v >> 8);
	p[1] = (uint8_t) v;
}

static inline void be24_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t) (v >> 16);
	p[1] = (uint8_t) (v >> 8);
	p[2] = (uint8_t) v;
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t) (v >> 24);
	be24_put(p + 1, v);
}
