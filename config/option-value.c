// SPDX-License-Identifier: Apache-2.0
/* config/option-value.c - one value: from text, checked against its row */
#include "config/option-table.h"

#include <arpa/inet.h>
#include <string.h>

#include "config/nearest.h"
#include "config/schedule.h"

#define DEFAULT_LISTEN_PORT "8080"
#define ZONE_MAX_BYTES 64
#define UNIX_PATH_MAX_BYTES 107	/* unix(7), without its NUL */

/* Quoted text in messages stays readable, whatever stands in the file. */
#define QUOTE_MAX_BYTES 60

/* Of an address the name and password, which are nobody's business. */
static void hide_password(char *text)
{
	char *host = strstr(text, "//");
	char *at = host ? strrchr(host, '@') : NULL;

	if (!at)
		return;
	memmove(host + 5, at, strlen(at) + 1);
	memcpy(host + 2, "...", 3);
}

static char *quote(const char *text)
{
	/* room for the dots */
	g_autofree char *utf8 = g_utf8_make_valid(text, -1);
	g_autofree char *valid = g_strconcat(utf8, "...", NULL);

	valid[strlen(utf8)] = '\0';
	hide_password(valid);
	if (strlen(valid) > QUOTE_MAX_BYTES) {
		char *end = g_utf8_find_prev_char(valid,
						  valid + QUOTE_MAX_BYTES);

		if (end)
			*end = '\0';
		return g_strdup_printf("'%s...'", valid);
	}
	return g_strdup_printf("'%s'", valid);
}

char *option_describe_allowed(const struct option_row *row)
{
	GString *s = g_string_new(NULL);

	switch (row->type) {
	case OPTION_BOOL:
		g_string_append(s, "yes or no");
		break;
	case OPTION_INT:
		g_string_append_printf(s, "a whole number from %" G_GINT64_FORMAT
				       " to %" G_GINT64_FORMAT,
				       row->min, row->max);
		if (row->unit)
			g_string_append_printf(s, " (%s)", row->unit);
		break;
	case OPTION_BITRATE:
		g_string_append_printf(s, "bits per second from %"
				       G_GINT64_FORMAT "k to %" G_GINT64_FORMAT
				       "k, such as 300k or 2.5M",
				       row->min / 1000, row->max / 1000);
		break;
	case OPTION_CHOICE: {
		g_auto(GStrv) values = g_strsplit(row->values, "|", -1);

		for (unsigned int i = 0; values[i]; i++) {
			if (i)
				g_string_append(s, values[i + 1] ? ", "
								 : " or ");
			g_string_append(s, values[i]);
			if (g_str_has_suffix(values[i], ":"))
				g_string_append(s, row->argument);
		}
		break;
	}
	case OPTION_STRING:
	case OPTION_JSON:
		g_string_append_printf(s, "text of at most %" G_GINT64_FORMAT
				       " bytes, without quotes", row->max);
		break;
	case OPTION_NAME:
		g_string_append_printf(s, "text of at most %" G_GINT64_FORMAT
				       " bytes, without quotes and '/'",
				       row->max);
		break;
	case OPTION_PATH:
	case OPTION_SECRET:
		g_string_append(s, "a path that starts with '/', or empty");
		break;
	case OPTION_LISTEN:
		g_string_append(s, "ADDRESS:PORT, such as 127.0.0.1:8080, "
				"[::1]:8080, or *:8080 for all addresses");
		if (!*row->def)
			g_string_append(s, ", or empty");
		break;
	case OPTION_ENDPOINT:
		g_string_append(s, "unix:/PATH, 127.0.0.1:PORT, [::1]:PORT, or "
				"empty");
		break;
	case OPTION_URL:
		g_string_append(s, "http://HOST[:PORT], https://HOST[:PORT], "
				"//HOST[:PORT], or empty");
		break;
	case OPTION_LIST:
		g_string_append_printf(s, "up to %" G_GINT64_FORMAT " names, "
				       "separated by ';'", row->max);
		break;
	case OPTION_ADDRESSES:
		g_string_append_printf(s, "up to %" G_GINT64_FORMAT " IPv4 or "
				       "IPv6 addresses, separated by ';'",
				       row->max);
		break;
	case OPTION_SCHEDULE:
		g_string_append_printf(s, "up to %" G_GINT64_FORMAT " entries "
				       "DAYS FROM-TO = ROOM, such as "
				       "Mon-Fri 08:00-18:00 = work, separated "
				       "by ';'", row->max);
		break;
	case OPTION_ZONE:
		g_string_append(s, "a time zone's name, such as Europe/Berlin "
				"or UTC, or empty");
		break;
	}
	return g_string_free(s, FALSE);
}

/* "'x' is not ...; allowed: ..." with an optional remark at the end. */
static bool refuse(const struct option_row *row, const char *text,
		   const char *what, const char *remark, char **ret_why)
{
	g_autofree char *allowed = option_describe_allowed(row);
	g_autofree char *quoted = quote(text);
	const char *comment = "";

	/* The commonest surprise of all. */
	if (!remark && (strstr(text, " #") || strstr(text, "\t#")))
		comment = " (a comment needs a line of its own)";
	*ret_why = g_strdup_printf("%s %s%s; allowed: %s%s", quoted, what,
				   comment, allowed, remark ? remark : "");
	return false;
}

static bool parse_bool(const struct option_row *row, const char *text,
		       struct option_value *ret, char **ret_why)
{
	static const char *const yes[] = {"yes", "true", "on", "1", NULL};
	static const char *const no[] = {"no", "false", "off", "0", NULL};

	for (unsigned int i = 0; yes[i]; i++) {
		bool is_yes = !g_ascii_strcasecmp(text, yes[i]);

		if (is_yes || !g_ascii_strcasecmp(text, no[i])) {
			ret->number = is_yes;
			ret->text = g_strdup(is_yes ? "yes" : "no");
			return true;
		}
	}
	return refuse(row, text, "is neither yes nor no", NULL, ret_why);
}

static bool parse_int(const struct option_row *row, const char *text,
		      struct option_value *ret, char **ret_why)
{
	gint64 number;
	GError *error = NULL;

	if (!g_ascii_string_to_signed(text, 10, row->min, row->max, &number,
				      &error)) {
		bool range = g_error_matches(
			error, G_NUMBER_PARSER_ERROR,
			G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS);

		g_error_free(error);
		return refuse(row, text, range ? "is out of range"
					       : "is not a whole number",
			      NULL, ret_why);
	}
	ret->number = number;
	ret->text = g_strdup_printf("%" G_GINT64_FORMAT, number);
	return true;
}

/* Decimal with at most one point, then k, M or G, then nothing or a unit.
 * Whole bits: at most as many fraction digits as the suffix has zeros. */
static bool parse_bitrate_number(const char *text, int64_t *ret)
{
	static const char *const units[] = {"", "bit/s", "b/s", "bps", NULL};
	int64_t number = 0;
	unsigned int digits = 0, fraction = 0, zeros = 0;
	bool point = false;
	const char *p = text;

	for (; g_ascii_isdigit(*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (++digits > 15)
			return false;
		number = number * 10 + (*p - '0');
		fraction += point;
	}
	if (!digits || (point && !fraction))
		return false;
	while (*p == ' ')
		p++;
	if (*p == 'k' || *p == 'K')
		zeros = 3;
	else if (*p == 'M' || *p == 'm')
		zeros = 6;
	else if (*p == 'G' || *p == 'g')
		zeros = 9;
	if (zeros)
		p++;
	for (unsigned int i = 0; units[i]; i++) {
		if (g_ascii_strcasecmp(p, units[i]))
			continue;
		if (fraction > zeros)
			return false;
		for (zeros -= fraction; zeros; zeros--) {
			if (number > INT64_MAX / 10)
				return false;
			number *= 10;
		}
		*ret = number;
		return true;
	}
	return false;
}

static bool parse_bitrate(const struct option_row *row, const char *text,
			  struct option_value *ret, char **ret_why)
{
	int64_t number;

	if (!parse_bitrate_number(text, &number))
		return refuse(row, text, "is not a bit rate", NULL, ret_why);
	if (number < row->min || number > row->max)
		return refuse(row, text, "is out of range", NULL, ret_why);
	ret->number = number;
	ret->text = g_strdup_printf("%" G_GINT64_FORMAT, number);
	return true;
}

static bool parse_choice(const struct option_row *row, const char *text,
			 struct option_value *ret, char **ret_why)
{
	g_auto(GStrv) values = g_strsplit(row->values, "|", -1);
	g_autofree char *remark = NULL;
	const char *near;

	for (unsigned int i = 0; values[i]; i++) {
		bool prefix = g_str_has_suffix(values[i], ":");

		if (prefix && g_str_has_prefix(text, values[i])) {
			if (text[strlen(values[i])]) {
				ret->text = g_strdup(text);
				return true;
			}
			return refuse(row, text, "lacks what follows the colon",
				      NULL, ret_why);
		}
		if (!prefix && !strcmp(text, values[i])) {
			ret->text = g_strdup(text);
			return true;
		}
	}
	near = nearest_of(text, (const char *const *) values);
	/* A bare path is meant well: say what belongs before it. */
	if (text[0] == '/' && strstr(row->values, "file:"))
		remark = g_strdup_printf(
			". Did you mean '%s%s'?",
			strstr(row->values, "v4l2:") &&
					g_str_has_prefix(text, "/dev/")
				? "v4l2:" : "file:", text);
	else if (near)
		remark = g_strdup_printf(". Did you mean '%s'?", near);
	return refuse(row, text, "is not one of the choices", remark, ret_why);
}

static bool parse_string(const struct option_row *row, const char *text,
			 struct option_value *ret, char **ret_why)
{
	size_t len = strlen(text);

	if (len > (size_t) row->max)
		return refuse(row, text, "is too long", NULL, ret_why);
	/* A room called "lobby" with its quotes is never what was meant. */
	if (row->type != OPTION_JSON && len >= 2 &&
	    (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0])
		return refuse(row, text, "stands in quotes", NULL, ret_why);
	if (row->type == OPTION_NAME &&
	    (strchr(text, '/') || !strcmp(text, ".") || !strcmp(text, "..")))
		return refuse(row, text, "cannot be part of an address", NULL,
			      ret_why);
	ret->text = g_strdup(text);
	return true;
}

static bool parse_path(const struct option_row *row, const char *text,
		       struct option_value *ret, char **ret_why)
{
	/* Who takes it for the secret itself finds it in no log. */
	if (text[0] && text[0] != '/' && row->type == OPTION_SECRET)
		text = "...";
	if (text[0] && text[0] != '/')
		return refuse(row, text, "is not an absolute path", NULL,
			      ret_why);
	ret->text = g_strdup(text);
	return true;
}

static bool parse_port(const char *text)
{
	guint64 port;

	return g_ascii_string_to_unsigned(text, 10, 0, 65535, &port, NULL);
}

static bool parse_listen(const struct option_row *row, const char *text,
			 struct option_value *ret, char **ret_why)
{
	g_autofree char *host = NULL;
	const char *port = DEFAULT_LISTEN_PORT;
	bool bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : NULL;
	const char *colon;

	if (!*text && !*row->def) {
		ret->text = g_strdup("");
		return true;
	}
	if (bracket && !end)
		return refuse(row, text, "lacks a ']'", NULL, ret_why);
	colon = bracket ? (end[1] == ':' ? end + 1 : NULL)
			: strrchr(text, ':');
	if (bracket && end[1] && !colon)
		return refuse(row, text, "has something between ']' and ':'",
			      NULL, ret_why);
	if (!bracket && colon && strchr(text, ':') != colon) {
		/* An IPv6 address: with a port it needs its brackets. */
		if (!g_hostname_is_ip_address(text))
			return refuse(row, text, "is not an address", NULL,
				      ret_why);
		ret->text = g_strdup_printf("[%s]:%s", text, port);
		return true;
	}
	if (bracket)
		host = g_strndup(text + 1, (gsize) (end - text - 1));
	else
		host = colon ? g_strndup(text, (gsize) (colon - text))
			     : g_strdup(text);
	if (colon)
		port = colon + 1;
	if (!parse_port(port))
		return refuse(row, text, "has no port from 0 to 65535", NULL,
			      ret_why);
	if (bracket ? !strchr(host, ':') || !g_hostname_is_ip_address(host)
		    : strcmp(host, "*") && strcmp(host, "localhost") &&
			      !g_hostname_is_ip_address(host))
		return refuse(row, text, "is not a numeric address", NULL,
			      ret_why);
	ret->text = g_strdup_printf(bracket ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

static bool parse_url(const struct option_row *row, const char *text,
		      struct option_value *ret, char **ret_why)
{
	static const char *const schemes[] = {"http://", "https://", "//",
					      NULL};
	static const char host_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-_:[]";
	const char *host = NULL, *port;
	size_t n;

	if (!text[0]) {
		ret->text = g_strdup("");
		return true;
	}
	for (unsigned int i = 0; schemes[i] && !host; i++)
		if (g_str_has_prefix(text, schemes[i]))
			host = text + strlen(schemes[i]);
	if (!host)
		return refuse(row, text, "does not start with http://, "
			      "https:// or //", NULL, ret_why);
	n = strspn(host, host_chars);
	if (!n || host[0] == ':' || strcmp(host + n, host[n] ? "/" : ""))
		return refuse(row, text, "is not a server's address", NULL,
			      ret_why);
	ret->text = g_strndup(text, (gsize) (host + n - text));
	host = ret->text + (host - text);
	port = strrchr(host, ':');
	if (port && !strchr(port, ']') && !parse_port(port + 1)) {
		g_clear_pointer(&ret->text, g_free);
		return refuse(row, text, "has no port from 0 to 65535", NULL,
			      ret_why);
	}
	return true;
}

static bool parse_list(const struct option_row *row, const char *text,
		       struct option_value *ret, char **ret_why)
{
	g_auto(GStrv) parts = g_strsplit(text, ";", -1);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	for (unsigned int i = 0; parts[i]; i++) {
		g_strstrip(parts[i]);
		if (!parts[i][0])
			continue;	/* a trailing ';' is custom */
		if (row->type == OPTION_ADDRESSES &&
		    !g_hostname_is_ip_address(parts[i]))
			return refuse(row, parts[i], "is not an IP address",
				      strchr(parts[i], ',') ?
				      " (not by ',')" : NULL, ret_why);
		if (list->len >= (unsigned int) row->max)
			return refuse(row, text, "has too many entries", NULL,
				      ret_why);
		g_ptr_array_add(list, g_strdup(parts[i]));
	}
	g_ptr_array_add(list, NULL);
	ret->list = (char **) g_ptr_array_free(g_steal_pointer(&list), FALSE);
	ret->text = g_strjoinv(";", ret->list);
	return true;
}

/* Entries as they would be written. */
static bool parse_schedule(const struct option_row *row, const char *text,
			   struct option_value *ret, char **ret_why)
{
	g_auto(GStrv) parts = g_strsplit(text, ";", -1);
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
	struct schedule *s = g_new0(struct schedule, 1);
	bool ok = true;

	for (unsigned int i = 0; parts[i] && ok; i++) {
		g_autofree char *why = NULL;

		if (!*g_strstrip(parts[i]))
			continue;	/* a trailing ';' is custom */
		ok = schedule_add(s, parts[i], &why);
		if (ok)
			g_ptr_array_add(list, schedule_entry_print(
						      &s->entries[s->n - 1]));
		else
			*ret_why = g_strdup_printf("entry %u: %s", i + 1, why);
	}
	schedule_clear(s);
	g_free(s);
	if (!ok)
		return false;
	g_ptr_array_add(list, NULL);
	ret->list = (char **) g_ptr_array_free(g_steal_pointer(&list), FALSE);
	ret->text = g_strjoinv("; ", ret->list);
	return true;
}

/* A name, never a path to any file. */
static bool parse_zone(const struct option_row *row, const char *text,
		       struct option_value *ret, char **ret_why)
{
	g_autoptr(GTimeZone) zone = NULL;
	bool clean = text[0] != '/' && !strstr(text, "..") &&
		     strlen(text) <= ZONE_MAX_BYTES;

	for (const char *p = text; *p; p++)
		clean = clean && (g_ascii_isalnum(*p) || strchr("_+-/", *p));
	if (clean)
		zone = schedule_zone_new(text);
	if (!zone)
		return refuse(row, text, "is no time zone known here", NULL,
			      ret_why);
	ret->text = g_strdup(text);
	return true;
}

static bool is_loopback(const char *host)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (host[0] == '[' && g_str_has_suffix(host, "]")) {
		g_autofree char *bare = g_strndup(host + 1, strlen(host) - 2);

		return inet_pton(AF_INET6, bare, &v6) == 1 &&
		       IN6_IS_ADDR_LOOPBACK(&v6);
	}
	return inet_pton(AF_INET, host, &v4) == 1 &&
	       ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Nobody from another machine may come. */
static bool parse_endpoint(const struct option_row *row, const char *text,
			   struct option_value *ret, char **ret_why)
{
	const char *colon = strrchr(text, ':');
	g_autofree char *host = NULL;

	if (g_str_has_prefix(text, "unix:")) {
		if (text[5] != '/' || strlen(text + 5) > UNIX_PATH_MAX_BYTES)
			return refuse(row, text, "is not unix: and a path of "
				      "at most 107 bytes that starts with '/'",
				      NULL, ret_why);
	} else if (text[0]) {
		if (!colon || !parse_port(colon + 1))
			return refuse(row, text, "has no port from 0 to 65535",
				      NULL, ret_why);
		host = g_strndup(text, (gsize) (colon - text));
		if (!is_loopback(host))
			return refuse(row, text, "is not an address of this "
				      "machine alone", NULL, ret_why);
	}
	ret->text = g_strdup(text);
	return true;
}

static bool parse_by_type(const struct option_row *row, const char *text,
			  struct option_value *ret, char **ret_why)
{
	switch (row->type) {
	case OPTION_BOOL:
		return parse_bool(row, text, ret, ret_why);
	case OPTION_INT:
		return parse_int(row, text, ret, ret_why);
	case OPTION_BITRATE:
		return parse_bitrate(row, text, ret, ret_why);
	case OPTION_CHOICE:
		return parse_choice(row, text, ret, ret_why);
	case OPTION_STRING:
	case OPTION_NAME:
	case OPTION_JSON:
		return parse_string(row, text, ret, ret_why);
	case OPTION_PATH:
	case OPTION_SECRET:
		return parse_path(row, text, ret, ret_why);
	case OPTION_LISTEN:
		return parse_listen(row, text, ret, ret_why);
	case OPTION_ENDPOINT:
		return parse_endpoint(row, text, ret, ret_why);
	case OPTION_URL:
		return parse_url(row, text, ret, ret_why);
	case OPTION_LIST:
	case OPTION_ADDRESSES:
		return parse_list(row, text, ret, ret_why);
	case OPTION_SCHEDULE:
		return parse_schedule(row, text, ret, ret_why);
	case OPTION_ZONE:
		return parse_zone(row, text, ret, ret_why);
	}
	g_assert_not_reached();
}

static bool has_controls(const char *text)
{
	for (; *text; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (c != '\t' && g_unichar_iscntrl(c))
			return true;
	}
	return false;
}

bool option_value_parse(const struct option_row *row, const char *text,
			struct option_value *ret, char **ret_why)
{
	struct option_value value = {0};

	if (strlen(text) > OPTION_VALUE_MAX_BYTES)
		return refuse(row, text, "is too long", NULL, ret_why);
	if (!g_utf8_validate(text, -1, NULL))
		return refuse(row, text, "is not UTF-8 text", NULL, ret_why);
	if (has_controls(text))
		return refuse(row, "...", "has control characters", NULL,
			      ret_why);
	if (!parse_by_type(row, text, &value, ret_why))
		return false;
	*ret = value;
	return true;
}

void option_value_clear(struct option_value *value)
{
	g_clear_pointer(&value->text, g_free);
	g_clear_pointer(&value->list, g_strfreev);
	value->number = 0;
}
