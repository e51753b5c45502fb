// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/spool-name.h"

#include <glib.h>
#include <string.h>

#define NAMELESS	    "file"
#define EXTENSION_MAX_BYTES 24	/* longer ones are no extensions */
#define RAW_MAX_BYTES	    4096	/* what is behind it is not looked at */

/* --- characters ------------------------------------------------------------ */
/* Names that shells, other systems and web pages give a meaning. */
static bool is_special(gunichar c)
{
	return c < 0x80 && strchr("/\\<>:\"|?*`$", (int) c);
}

static bool is_shown(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_PRIVATE_USE:
		return false;
	case G_UNICODE_FORMAT:
		/* The joiners are part of how some scripts and emoji are
		 * written; the others hide or reorder what is around them. */
		return c == 0x200c || c == 0x200d;
	default:
		return true;
	}
}

static bool is_blank(gunichar c)
{
	return c == ' ' || g_unichar_type(c) == G_UNICODE_SPACE_SEPARATOR;
}

/* --- bytes to characters --------------------------------------------------- */
/* The last component: a name, and not where it was. */
static void find_last_component(const char **raw, size_t *len)
{
	const char *from = *raw;
	size_t n = *len;

	while (n && (from[n - 1] == '/' || from[n - 1] == '\\'))
		n--;
	for (size_t i = n; i > 0; i--) {
		if (from[i - 1] != '/' && from[i - 1] != '\\')
			continue;
		from += i;
		n -= i;
		break;
	}
	*raw = from;
	*len = n;
}

/* Valid UTF-8 of characters that are shown; runs of others become one '_'. */
static GString *decode(const char *raw, size_t len)
{
	GString *s = g_string_sized_new(len);
	bool replaced = false;

	for (size_t i = 0; i < len;) {
		gunichar c = g_utf8_get_char_validated(raw + i,
						       (gssize) (len - i));
		bool valid = c != (gunichar) -1 && c != (gunichar) -2 && c;

		i += valid ? (size_t) (g_utf8_next_char(raw + i) - (raw + i))
			   : 1;
		if (valid && is_shown(c) && !is_special(c)) {
			if (is_blank(c))
				c = ' ';
			g_string_append_unichar(s, c);
			replaced = false;
		} else if (!replaced) {
			g_string_append_c(s, '_');
			replaced = true;
		}
	}
	return s;
}

/* --- the shape ------------------------------------------------------------- */
static void trim(GString *s)
{
	size_t n = 0;

	while (s->len && strchr(". ", s->str[s->len - 1]))
		g_string_truncate(s, s->len - 1);
	while (s->str[n] == ' ')
		n++;
	g_string_erase(s, 0, (gssize) n);
	/* Hidden, an option, or a home directory to some program. */
	if (s->len && strchr(".-~", s->str[0]))
		s->str[0] = '_';
}

/* Where the extension begins, its dot included; the end: there is none. */
static size_t find_extension(const char *name, size_t len)
{
	const char *dot = g_strrstr_len(name, (gssize) len, ".");

	if (!dot || dot == name || (size_t) (name + len - dot) >
					   EXTENSION_MAX_BYTES)
		return len;
	return (size_t) (dot - name);
}

/* Cut between characters. */
static size_t shorten(const char *name, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max && ((unsigned char) name[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* @middle goes between name and extension. */
static void compose(const char *name, const char *middle,
		    char ret[SPOOL_NAME_MAX_BYTES + 1])
{
	size_t len = strlen(name);
	size_t stem = find_extension(name, len);
	const char *extension = name + stem;
	size_t room = SPOOL_NAME_MAX_BYTES - strlen(extension) -
		strlen(middle);

	stem = shorten(name, stem, room);
	/* The cut must not leave a blank or a dot before the extension. */
	while (stem > 1 && strchr(" .", name[stem - 1]) &&
	       len > SPOOL_NAME_MAX_BYTES)
		stem--;
	memcpy(ret, name, stem);
	strcpy(ret + stem, middle);
	strcat(ret, extension);
}

/* Names that are devices on Windows, whatever their extension: files travel
 * on from here. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = {"con", "prn", "aux", "nul"};
	size_t n = strcspn(name, ".");

	while (n && name[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strlen(names[i]) == n &&
		    !g_ascii_strncasecmp(name, names[i], n))
			return true;
	return n == 4 && (!g_ascii_strncasecmp(name, "com", 3) ||
			  !g_ascii_strncasecmp(name, "lpt", 3)) &&
	       g_ascii_isdigit(name[3]);
}

void spool_name_clean(const char *raw, size_t len,
		      char ret[SPOOL_NAME_MAX_BYTES + 1])
{
	g_autoptr(GString) s = NULL;

	/* Of a very long one the end has the extension. */
	if (len > RAW_MAX_BYTES) {
		raw += len - RAW_MAX_BYTES;
		len = RAW_MAX_BYTES;
	}
	find_last_component(&raw, &len);
	s = decode(raw, len);
	trim(s);
	if (!s->len)
		g_string_assign(s, NAMELESS);
	compose(s->str, "", ret);
	/* Also what shortening made so. */
	if (is_reserved(ret)) {
		g_string_assign(s, ret);
		g_string_prepend_c(s, '_');
		compose(s->str, "", ret);
	}
}

bool spool_name_is_clean(const char *name)
{
	char clean[SPOOL_NAME_MAX_BYTES + 1];

	spool_name_clean(name, strlen(name), clean);
	return !strcmp(name, clean);
}

void spool_name_number(const char *name, unsigned int n,
		       char ret[SPOOL_NAME_MAX_BYTES + 1])
{
	g_autofree char *number = g_strdup_printf(" (%u)", n);

	compose(name, n > 1 ? number : "", ret);
}
