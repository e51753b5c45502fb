/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/manual/manual.h - the manual pages, made from the tables
 *
 * Source:  groff_man(7), man-pages(7)
 * Thread:  any
 * Memory:  results are freed with g_free()
 */
#pragma once

#include <glib.h>

/* "skylinkd.8", "skylinkctl.1", "skylink.conf.5", "skylink-control.7"; NULL
 * ends. */
extern const char *const manual_pages[];

/* Return: the page as roff, or NULL for another name. */
char *manual_make(const char *page);

/* The table of all keys in docs/configuration.md. */
char *manual_make_key_table(void);

/* The tables of methods, their parameters and events in docs/control.md. */
char *manual_make_control_tables(void);
