/* SPDX-License-Identifier: Apache-2.0 */
/* media/library-log.h - the media libraries print nothing by themselves
 *
 * FFmpeg writes what it thinks of its input to standard error. What matters
 * comes back to us as an error and is told once, by whoever handles it.
 *
 * Source:  libavutil/log.h
 * Thread:  control, once, before any pipeline
 * Memory:  none; the setting is the library's own and of the whole process
 */
#pragma once

void library_log_silence(void);
