/* SPDX-License-Identifier: Apache-2.0 */
/* media/audio-level.h - how loud a packet is
 *
 * Source:  RFC 6464 §3 (-dBov: 0 is the loudest possible, 127 silence)
 * Thread:  any
 * Memory:  never allocates
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The root mean square of @n samples, all channels together, in -dBov. */
uint8_t audio_level(const int16_t *samples, size_t n);
