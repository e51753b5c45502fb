/* SPDX-License-Identifier: Apache-2.0 */
/* config/option-table.h - every key of the configuration, in one table
 *
 * The reader, the default file, --help, the manual page and the typed getters
 * all work from these rows, so they cannot drift apart.
 *
 * Source:  none (our own)
 * Thread:  any
 * Memory:  constant
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_BOOL,	/* yes|no|true|false|on|off */
	OPTION_INT,	/* decimal, between min and max, in "unit" */
	OPTION_BITRATE,	/* bits per second: 2500000, 2500k, 2.5M */
	OPTION_CHOICE,	/* one of "values"; a value ending in ':' takes an
			 * argument: "v4l2:" allows "v4l2:/dev/video0" */
	OPTION_STRING,	/* UTF-8 without controls, at most max bytes */
	OPTION_NAME,	/* a string that can be one part of an address: without
			 * '/', and not "." or ".." */
	OPTION_JSON,	/* a string that may be any JSON text, or empty */
	OPTION_PATH,	/* an absolute path, or empty */
	OPTION_SECRET,	/* an absolute path of a 0600 file that holds it; the
			 * systemd credential "section.key" (without "_file")
			 * goes first */
	OPTION_LISTEN,	/* ADDRESS:PORT; [IPv6]:PORT; *:PORT; empty only where
			 * that is the default */
	OPTION_ENDPOINT, /* unix:/PATH, a loopback ADDRESS:PORT, or empty */
	OPTION_URL,	/* http(s)://HOST[:PORT] or //HOST[:PORT], or empty */
	OPTION_LIST,	/* strings, separated by ';' */
	OPTION_ADDRESSES, /* numeric IP addresses, separated by ';' */
	OPTION_SCHEDULE, /* entries of schedule.h, separated by ';' */
	OPTION_ZONE,	/* a time zone's name, or empty: the box's */
};

/* In the table's order, which is the order of the default file. */
enum option_id {
	OPT_ROOM_SERVER,
	OPT_ROOM_APP_KEY,
	OPT_ROOM_SECRET_FILE,
	OPT_ROOM_NAME,
	OPT_ROOM_USER_DATA,
	OPT_ROOM_START,
	OPT_ROOM_DURATION,
	OPT_ROOM_REGION,
	OPT_ROOM_FORCE_SSL,
	OPT_ROOM_CA_FILE,
	OPT_ROOM_TRANSPORT,
	OPT_ROOM_SOCKET_TIMEOUT,
	OPT_ROOM_SCHEDULE,
	OPT_ROOM_TIME_ZONE,
	OPT_ROOM_RECOVER,

	OPT_ROOMSERVER_ENABLED,
	OPT_ROOMSERVER_LISTEN,
	OPT_ROOMSERVER_APP_KEY,
	OPT_ROOMSERVER_KEYS_FILE,
	OPT_ROOMSERVER_VIEWER_ROOM,
	OPT_ROOMSERVER_MAX_CLIENTS,
	OPT_ROOMSERVER_MAX_CLIENTS_PER_ADDRESS,
	OPT_ROOMSERVER_TLS,
	OPT_ROOMSERVER_CERTIFICATE_FILE,
	OPT_ROOMSERVER_CERTIFICATE_KEY_FILE,
	OPT_ROOMSERVER_NAMES,
	OPT_ROOMSERVER_TURN,
	OPT_ROOMSERVER_TURN_SECRET_FILE,
	OPT_ROOMSERVER_VIEWER_ACCESS,
	OPT_ROOMSERVER_VIEWER_PASSWORD_FILE,

	OPT_CONSOLE_LISTEN,
	OPT_CONSOLE_TLS,
	OPT_CONSOLE_PASSWORD_FILE,

	OPT_VIDEO_SOURCE,
	OPT_VIDEO_WIDTH,
	OPT_VIDEO_HEIGHT,
	OPT_VIDEO_FPS,
	OPT_VIDEO_CODEC,
	OPT_VIDEO_BITRATE,
	OPT_VIDEO_MIN_BITRATE,
	OPT_VIDEO_MAX_BITRATE,
	OPT_VIDEO_MUTED,

	OPT_AUDIO_SOURCE,
	OPT_AUDIO_CHANNELS,
	OPT_AUDIO_BITRATE,
	OPT_AUDIO_VOLUME,
	OPT_AUDIO_MUTED,

	OPT_NETWORK_ADDRESSES,
	OPT_NETWORK_INTERFACES,
	OPT_NETWORK_LOOPBACK,
	OPT_NETWORK_PORT_MIN,
	OPT_NETWORK_PORT_MAX,
	OPT_NETWORK_DSCP_AUDIO,
	OPT_NETWORK_DSCP_VIDEO,
	OPT_NETWORK_DATA_BITRATE,
	OPT_NETWORK_TOTAL_BITRATE,
	OPT_NETWORK_MAX_PEERS,
	OPT_NETWORK_RECEIVE,
	OPT_NETWORK_PLAYOUT_DELAY,
	OPT_NETWORK_IO,
	OPT_NETWORK_GSO,
	OPT_NETWORK_DEMUX,
	OPT_NETWORK_STUN,
	OPT_NETWORK_PUBLIC_STUN,
	OPT_NETWORK_TURN,
	OPT_NETWORK_FORCE_TURN,
	OPT_NETWORK_TURN_TRANSPORT,

	OPT_TRANSFER_ACCEPT,
	OPT_TRANSFER_DIRECTORY,
	OPT_TRANSFER_QUOTA,
	OPT_TRANSFER_MAX_FILE,
	OPT_TRANSFER_MAX_FILES,
	OPT_TRANSFER_KEEP,

	OPT_CONTROL_SOCKET,
	OPT_CONTROL_MAX_CLIENTS,
	OPT_CONTROL_METRICS,
	OPT_CONTROL_SOURCE_FOLDERS,

	OPT_SELFTEST_ENABLED,
	OPT_SELFTEST_HOUR,

	OPT_SECURITY_LANDLOCK,

	OPT_LOG_LEVEL,

	N_OPTIONS,
};

/* What has to happen until a new value counts. 0 is none of them: a row has to
 * say which. */
enum option_change {
	OPTION_LIVE = 1,	/* nothing: a reload applies it, peers stay */
	OPTION_REJOIN,		/* the next join of a room */
	OPTION_RESTART,		/* of the daemon */
};

struct option_row {
	const char *section, *key;
	enum option_type type;
	const char *def;	/* as it would stand in the file */
	int64_t min, max;	/* INT, BITRATE: the range; STRING: max bytes;
				 * LIST: max entries */
	const char *unit;	/* for people; NULL without one */
	const char *values;	/* CHOICE: "a|b|c:" */
	const char *argument;	/* CHOICE: what follows a value with ':' */
	enum option_change change;
	const char *help;	/* one or more sentences */
};

/* A value in typed form. */
struct option_value {
	int64_t number;		/* BOOL (0, 1), INT, BITRATE */
	char *text;		/* every type: canonical text */
	char **list;		/* LIST, ADDRESSES, SCHEDULE: NULL
				 * terminated */
};

#define OPTION_VALUE_MAX_BYTES 4096
#define OPTION_LIST_MAX 64

const struct option_row *option_table_get(enum option_id id);
/* "live", "rejoin", "restart"; and a sentence for people. */
const char *option_change_name(enum option_change change);
const char *option_change_help(enum option_change change);
/* The name of the n-th section in the file's order, or NULL after the last,
 * and what it is about. */
const char *option_table_section(unsigned int n);
const char *option_table_section_help(const char *section);

/* Return: the option, or -1. */
int option_table_find(const char *section, const char *key);
/* The likeliest meant row, in @section if possible, else in another one; NULL
 * when nothing is near. */
const struct option_row *option_table_nearest(const char *section,
					      const char *key);
/* NULL when nothing is near. */
const char *option_table_nearest_section(const char *section);

/**
 * option_value_parse() - check one value and bring it into typed form
 * @text:     without surrounding white space
 * @ret:      filled on success; option_value_clear() it
 * @ret_why:  on failure what was given, what is allowed and what was likely
 *            meant, without the key's name; g_free() it
 */
bool option_value_parse(const struct option_row *row, const char *text,
			struct option_value *ret, char **ret_why);
void option_value_clear(struct option_value *value);

/* "a whole number from 1 to 60 (frames per second)"; g_free() it. */
char *option_describe_allowed(const struct option_row *row);
