// SPDX-License-Identifier: Apache-2.0
/* appliance/manual/make-manual.c - prints one manual page; run by the build */
#include <stdio.h>
#include <string.h>

#include "appliance/manual/manual.h"

int main(int argc, char *argv[])
{
	g_autofree char *page = NULL;

	if (argc == 2 && !strcmp(argv[1], "keys"))
		page = manual_make_key_table();
	else if (argc == 2 && !strcmp(argv[1], "methods"))
		page = manual_make_control_tables();
	else if (argc == 2)
		page = manual_make(argv[1]);
	if (!page) {
		fprintf(stderr, "usage: make-manual PAGE\nPages: keys methods");
		for (unsigned int i = 0; manual_pages[i]; i++)
			fprintf(stderr, " %s", manual_pages[i]);
		fprintf(stderr, "\n");
		return 2;
	}
	fputs(page, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
