// SPDX-License-Identifier: Apache-2.0
/* appliance/skylinkctl.c - a thin client of the control socket */
#include <locale.h>

#include "appliance/ctl/ctl-run.h"

int main(int argc, char *argv[])
{
	setlocale(LC_CTYPE, "");
	return ctl_run(argc, argv, stdout, stderr);
}
