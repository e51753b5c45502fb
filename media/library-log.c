// SPDX-License-Identifier: Apache-2.0
#include "media/library-log.h"

#include <libavutil/log.h>

void library_log_silence(void)
{
	av_log_set_level(AV_LOG_QUIET);
}
