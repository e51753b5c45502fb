/* SPDX-License-Identifier: Apache-2.0 */
/* config/config.h - the configuration in force, by typed access
 *
 * Every option always has a valid value: the table's default until a file, a
 * drop-in, the set-file or the command line replaces it. A value that does not
 * fit is reported and changes nothing.
 *
 *   defaults < main file < drop-ins in byte order < set-file < config_set()
 *
 * Source:  none (our own)
 * Thread:  any, one at a time
 * Memory:  owned by its creator; strings live until the option changes
 */
#pragma once

#include <glib.h>

#include "config/option-table.h"

#define CONFIG_MAIN_FILE "/etc/skylink/skylink.conf"
#define CONFIG_SET_FILE  "/var/lib/skylink/conf.d/90-set.conf"
#define CONFIG_SET_NAME	 "conf.d/90-set.conf"	/* in a state directory */
#define CONFIG_DROP_INS_MAX 64

typedef struct Config Config;

/* All defaults. */
Config *config_new(void);
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/**
 * config_load() - read main file, drop-ins and set-file, in this order
 * @main_path: NULL: CONFIG_MAIN_FILE, which may be missing (defaults hold);
 *             a path that was given must exist
 * @set_path:  NULL: none. May be missing. Drop-ins are @main_path.d/\*.conf
 * @problems:  takes one string per problem, "FILE:LINE: what; what is right";
 *             made with g_free as its element free function
 *
 * Reads on after a problem, so that all of them are told at once; also checks
 * what options promise each other (port_min <= port_max, ...).
 *
 * Return: true when no problem was found.
 */
bool config_load(Config *config, const char *main_path, const char *set_path,
		 GPtrArray *problems);

/* The same, with @set_text in the place of what the set-file holds: what would
 * be if it were written. */
bool config_load_as_if(Config *config, const char *main_path,
		       const char *set_path, const char *set_text,
		       GPtrArray *problems);

/* The same for one text, named @name in messages. */
bool config_load_text(Config *config, const char *name, const char *text,
		      size_t len, GPtrArray *problems);

/* What options promise each other; config_load() has done this. Needed once
 * more after config_set(). */
bool config_check(const Config *config, GPtrArray *problems);

/* Another one with the same values and origins. */
Config *config_copy(const Config *config);
/* Value and origin of one option become those of @from. */
void config_take(Config *config, const Config *from, enum option_id id);
/* The option that "section.key" names. Return: -1 with @error,
 * which tells the likeliest meant. */
int config_find_option(const char *name, GError **error);
/* As it would stand in a file; never NULL. */
const char *config_get_text(const Config *config, enum option_id id);

/* Sets one value; @origin ("--source") stands for FILE:LINE in messages. */
bool config_set(Config *config, enum option_id id, const char *text,
		const char *origin, GError **error);
/* The same from "section.key=value". */
bool config_set_assignment(Config *config, const char *assignment,
			   const char *origin, GError **error);

/* Typed access. Asking for the wrong type is a broken invariant: it asserts.
 * No string or list is ever NULL; "" and an empty list stand for "not set". */
bool config_get_bool(const Config *config, enum option_id id);
int64_t config_get_int(const Config *config, enum option_id id);
/* BITRATE too: bits per second */
const char *config_get_string(const Config *config, enum option_id id);
const char *const *config_get_list(const Config *config, enum option_id id);
/* Where the value comes from: "FILE:LINE", "--source", or "default". */
const char *config_get_origin(const Config *config, enum option_id id);
bool config_is_default(const Config *config, enum option_id id);

/**
 * config_read_secret() - fetch a secret: credential first, then the 0600 file
 * @ret_secret: NULL when none is configured; config_secret_free() it
 *
 * The file must be a regular file owned by root or ourselves, without access
 * for group and others. Never log the result.
 */
bool config_read_secret(const Config *config, enum option_id id,
			char **ret_secret, GError **error);
/**
 * config_read_private_file() - a longer secret: the whole of a 0600 file
 * @max_bytes: a longer file is refused
 * @ret_text:  with a NUL behind it; config_secret_free() it
 * @ret_len:   bytes, without the NUL
 */
bool config_read_private_file(const char *path, size_t max_bytes,
			      char **ret_text, size_t *ret_len, GError **error);
/* Overwrites, then frees. Takes NULL. */
void config_secret_free(char *secret);

/* The commented default file, made from the table; g_free() it. */
char *config_print_default(void);

/* The options that differ in value between two configurations, as ids (enum option_id)
 * in the table's order: what a reload has to apply or to refuse. */
GArray *config_diff(const Config *a, const Config *b);

#define CONFIG_ERROR (config_error_quark())
GQuark config_error_quark(void);
enum config_error {
	CONFIG_ERROR_KEY,	/* no such key */
	CONFIG_ERROR_VALUE,	/* a value that does not fit */
	CONFIG_ERROR_SECRET,	/* a secret that cannot or must not be read */
};
