// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool-path.h"

#include <unistd.h>

#define OUR_DIR	   "skylink"
#define FILES_DIR  "received"

void spool_path_input_init(SpoolPathInput *input)
{
	*input = (SpoolPathInput){
		.service_dir = g_getenv("STATE_DIRECTORY"),
		.state_dir = "/var/lib",
		.user_dir = g_get_user_state_dir(),
		.uid = geteuid(),
	};
}

static gboolean is_set(const char *text)
{
	return text && text[0];
}

char *spool_path_state_dir(const SpoolPathInput *input)
{
	const char *base = input->user_dir;

	/* systemd has made it for this very instance; of several the first. */
	if (is_set(input->service_dir)) {
		g_auto(GStrv) dirs = g_strsplit(input->service_dir, ":", 2);

		return g_strdup(dirs[0]);
	}
	if (input->uid == 0 && !input->demo)
		base = input->state_dir;
	return input->instance ?
		g_build_filename(base, OUR_DIR, input->instance, NULL) :
		g_build_filename(base, OUR_DIR, NULL);
}

char *spool_path_choose(const SpoolPathInput *input)
{
	g_autofree char *dir = NULL;

	if (is_set(input->configured))
		return g_strdup(input->configured);
	dir = spool_path_state_dir(input);
	return g_build_filename(dir, FILES_DIR, NULL);
}
