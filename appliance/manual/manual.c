// SPDX-License-Identifier: Apache-2.0
#include "appliance/manual/manual.h"

#include <string.h>

#include "appliance/control/control-table.h"
#include "appliance/ctl/ctl-table.h"
#include "appliance/daemon-messages.h"
#include "appliance/skylinkd-options.h"
#include "config/option-table.h"

const char *const manual_pages[] = {"skylinkd.8", "skylinkctl.1",
				    "skylink.conf.5", "skylink-control.7",
				    NULL};

/* --- roff -------------------------------------------------------------------- */
/* Text as text: no line may begin with a request, no backslash may escape,
 * and '-' is the one a user can type. */
static void text(GString *s, const char *plain)
{
	for (; *plain; plain++) {
		bool at_start = !s->len || s->str[s->len - 1] == '\n';

		if (at_start && (*plain == '.' || *plain == '\''))
			g_string_append(s, "\\&");
		if (*plain == '\\')
			g_string_append(s, "\\e");
		else if (*plain == '-')
			g_string_append(s, "\\-");
		else
			g_string_append_c(s, *plain);
	}
}

static void line(GString *s, const char *plain)
{
	text(s, plain);
	g_string_append_c(s, '\n');
}

static void font(GString *s, char name, const char *plain)
{
	g_string_append_printf(s, "\\f%c", name);
	text(s, plain);
	g_string_append(s, "\\fR");
}

static void section(GString *s, const char *title)
{
	g_string_append_printf(s, ".SH %s\n", title);
}

static void subsection(GString *s, const char *title)
{
	g_string_append(s, ".SS ");
	line(s, title);
}

static void paragraph(GString *s, const char *plain)
{
	g_string_append(s, ".PP\n");
	line(s, plain);
}

static void example(GString *s, const char *plain)
{
	g_string_append(s, ".PP\n.RS 4\n.nf\n");
	line(s, plain);
	g_string_append(s, ".fi\n.RE\n");
}

static GString *start(const char *name, char number, const char *what)
{
	GString *s = g_string_new(".\\\" Made from the program's own tables.\n");
	g_autofree char *upper = g_ascii_strup(name, -1);

	g_string_append(s, ".TH ");
	text(s, upper);
	g_string_append_printf(s, " %c \"\" \"Skylink appliance "
				  PACKAGE_VERSION "\"\n", number);
	section(s, "NAME");
	text(s, name);
	g_string_append(s, " \\- ");
	line(s, what);
	return s;
}

static char *see_also(GString *s, const char *self)
{
	bool first = true;

	section(s, "SEE ALSO");
	for (unsigned int i = 0; manual_pages[i]; i++) {
		const char *page = manual_pages[i];
		g_autofree char *name = g_strndup(page, strlen(page) - 2);

		if (!strcmp(page, self))
			continue;
		if (!first)
			g_string_append(s, ", ");
		font(s, 'B', name);
		g_string_append_printf(s, "(%c)", page[strlen(page) - 1]);
		first = false;
	}
	g_string_append_c(s, '\n');
	return g_string_free(s, FALSE);
}

static void option_head(GString *s, char letter, const char *name,
			const char *argument)
{
	g_autofree char *dashed = g_strconcat("--", name, NULL);

	g_string_append(s, ".TP\n");
	if (letter) {
		char one[] = {'-', letter, '\0'};

		font(s, 'B', one);
		g_string_append(s, ", ");
	}
	font(s, 'B', dashed);
	if (argument) {
		g_string_append_c(s, ' ');
		font(s, 'I', argument);
	}
	g_string_append_c(s, '\n');
}

/* --- skylinkd(8) --------------------------------------------------------------- */
static const struct {
	int status;
	const char *help;
} daemon_exits[] = {
	{SKYLINKD_EXIT_OK, "Ended well, by SIGTERM or SIGINT."},
	{SKYLINKD_EXIT_FAILED,
	 "Could not start, or --check-config found problems."},
	{SKYLINKD_EXIT_USAGE, "Wrong usage."},
	{SKYLINKD_EXIT_CONFIG,
	 "The configuration is wrong; starting again will not help."},
};

static void exit_status(GString *s, int status, const char *help)
{
	g_string_append_printf(s, ".TP\n\\fB%d\\fR\n", status);
	line(s, help);
}

static void journal(GString *s)
{
	section(s, "JOURNAL");
	line(s, "Lines that programs may wait for have a MESSAGE_ID and "
		"SKYLINK_EVENT, which stay when the words change, and the "
		"fields named with them:");
	example(s, "journalctl -u skylinkd SKYLINK_EVENT=peer-joined -o json");
	for (int i = 0; i < N_DAEMON_MESSAGES; i++) {
		const struct daemon_message_row *row = daemon_message_get(i);

		g_string_append(s, ".TP\n");
		font(s, 'B', row->event);
		g_string_append_c(s, ' ');
		line(s, row->id);
		line(s, row->help);
		if (*row->fields)
			line(s, row->fields);
	}
}

static char *make_daemon(const char *page)
{
	GString *s = start("skylinkd", '8', "the Skylink appliance");

	section(s, "SYNOPSIS");
	g_string_append(s, ".B skylinkd\n[\\fIOPTION\\fR...]\n");
	section(s, "DESCRIPTION");
	line(s, "Joins a Skylink room as a peer and sends it this machine's "
		"camera and microphone, with no browser and no display.");
	paragraph(s, "Without options it reads its configuration and runs "
		     "until it is told to end; skylinkctl(1) drives it "
		     "meanwhile. To see it work at once:");
	example(s, "skylinkd --demo");
	section(s, "OPTIONS");
	for (const struct skylinkd_option *o = skylinkd_options; o->name;
	     o++) {
		option_head(s, o->letter, o->name, o->argument);
		line(s, o->help);
	}
	section(s, "EXIT STATUS");
	for (unsigned int i = 0; i < G_N_ELEMENTS(daemon_exits); i++)
		exit_status(s, daemon_exits[i].status, daemon_exits[i].help);
	journal(s);
	section(s, "FILES");
	g_string_append(s, ".TP\n.I " CONFIG_MAIN_FILE "\n");
	line(s, "The configuration, skylink.conf(5).");
	g_string_append(s, ".TP\n.I /run/skylink/control.sock\n");
	line(s, "The control socket, skylink-control(7).");
	return see_also(s, page);
}

/* --- skylinkctl(1) -------------------------------------------------------------- */
static void verb_head(GString *s, const struct ctl_verb *v)
{
	g_string_append(s, ".TP\n");
	font(s, 'B', v->name);
	if (v->arguments[0]) {
		g_string_append_c(s, ' ');
		text(s, v->arguments);
	}
	g_string_append_c(s, '\n');
}

static void verb_options(GString *s, const struct ctl_verb *v)
{
	if (!v->options)
		return;
	g_string_append(s, ".RS\n");
	for (int i = CTL_FIRST_OWN_OPTION; i < N_CTL_OPTIONS; i++) {
		const struct ctl_option *o = &ctl_options[i];

		if (!ctl_table_verb_has(v, i))
			continue;
		option_head(s, o->letter, o->name, o->argument);
		line(s, o->help);
	}
	g_string_append(s, ".RE\n");
}

static char *make_ctl(const char *page)
{
	GString *s = start("skylinkctl", '1', "drive the Skylink appliance");

	section(s, "SYNOPSIS");
	g_string_append(s, ".B skylinkctl\n[\\fIOPTION\\fR...] \\fIVERB\\fR "
			   "[\\fIARGUMENT\\fR...]\n");
	section(s, "DESCRIPTION");
	line(s, "A thin client of the control socket of skylinkd(8). Every "
		"verb has --json, which prints what the daemon answered on "
		"one line; a failure is then printed as {\"error\":{...}}.");
	section(s, "VERBS");
	for (int i = 0; i < N_CTL_VERBS; i++) {
		verb_head(s, &ctl_verbs[i]);
		line(s, ctl_verbs[i].help);
		if (ctl_verbs[i].details)
			line(s, ctl_verbs[i].details);
		verb_options(s, &ctl_verbs[i]);
	}
	section(s, "OPTIONS");
	for (int i = 0; i < CTL_FIRST_OWN_OPTION; i++) {
		option_head(s, ctl_options[i].letter, ctl_options[i].name,
			    ctl_options[i].argument);
		line(s, ctl_options[i].help);
	}
	section(s, "EXIT STATUS");
	for (int i = 0; i < N_CTL_EXITS; i++)
		exit_status(s, i, ctl_exit_help[i]);
	section(s, "ENVIRONMENT");
	g_string_append(s, ".TP\n.B SKYLINK_SOCKET\n");
	line(s, "The control socket, when --socket and --instance are not "
		"given.");
	g_string_append(s, ".TP\n.B XDG_RUNTIME_DIR\n");
	line(s, "Where the socket of this session's daemon is, before "
		"/run/skylink/control.sock.");
	g_string_append(s, ".TP\n.B NO_COLOR\n");
	line(s, "If it is set, there is no colour.");
	return see_also(s, page);
}

/* --- skylink.conf(5) ------------------------------------------------------------ */
static void config_option(GString *s, const struct option_row *row)
{
	g_autofree char *allowed = option_describe_allowed(row);
	g_autofree char *rest = g_strdup_printf(
		"Allowed: %s. Default: %s. %s", allowed,
		row->def[0] ? row->def : "empty",
		option_change_help(row->change));

	g_string_append(s, ".TP\n");
	font(s, 'B', row->key);
	g_string_append_c(s, '\n');
	line(s, row->help);
	g_string_append(s, ".br\n");
	line(s, rest);
}

static char *make_config(const char *page)
{
	GString *s = start("skylink.conf", '5',
			   "configuration of the Skylink appliance");

	section(s, "SYNOPSIS");
	g_string_append(s, ".nf\n.I " CONFIG_MAIN_FILE "\n.I "
			CONFIG_MAIN_FILE ".d/*.conf\n.I " CONFIG_SET_FILE
			"\n.fi\n");
	section(s, "DESCRIPTION");
	line(s, "The files are read in this order, those in the directory in "
		"the byte order of their names; a later value replaces an "
		"earlier one as a whole. None of them needs to exist. "
		"Options of skylinkd(8) prevail over all. An instance NAME "
		"reads /etc/skylink/NAME.conf and its directory instead.");
	paragraph(s, "A line is a section, [name]; an assignment, key = "
		     "value; or a comment, which starts with '#'. A '#' "
		     "behind a value belongs to the value. Values stand "
		     "without quotes. ';' separates the entries of a list. A "
		     "key that is twice in one file is an error.");
	paragraph(s, "skylinkd --check-config tells what is wrong, with file "
		     "and line, what is allowed, and what was likely meant. "
		     "skylinkd --print-default-config prints a file with "
		     "every key. skylinkctl config shows the values in force "
		     "and where they are from.");
	section(s, "SECRETS");
	line(s, "A secret stands in a file of its own that only its owner can "
		"read (mode 0600), which an option ending in _file names; or "
		"in a systemd credential, such as room.secret for "
		"room.secret_file, which goes first. Never here, and never "
		"on a command line.");
	section(s, "OPTIONS");
	for (unsigned int i = 0; option_table_section(i); i++) {
		const char *name = option_table_section(i);
		g_autofree char *title = g_strdup_printf("[%s]", name);

		subsection(s, title);
		line(s, option_table_section_help(name));
		for (int id = 0; id < N_OPTIONS; id++)
			if (!strcmp(option_table_get(id)->section, name))
				config_option(s, option_table_get(id));
	}
	return see_also(s, page);
}

/* --- skylink-control(7) ---------------------------------------------------------- */
static void method_params(GString *s, const ControlParam *p,
			  const char *prefix)
{
	for (; p && p->name; p++) {
		g_autofree char *path = g_strconcat(prefix, p->name, NULL);
		g_autofree char *inner = g_strconcat(path, ".", NULL);

		g_string_append(s, ".TP\n");
		font(s, 'I', path);
		g_string_append(s, p->optional ? " (optional)\n" : "\n");
		line(s, p->help);
		if (p->values) {
			g_string_append(s, "One of: ");
			line(s, p->values);
		}
		method_params(s, p->fields, inner);
	}
}

static void methods(GString *s, const ControlMethod *m)
{
	for (; m->name; m++) {
		subsection(s, m->name);
		line(s, m->help);
		g_string_append(s, ".br\nResult: ");
		line(s, m->result);
		g_string_append(s, ".br\nNeeds the right to ");
		text(s, control_role_name(m->role));
		g_string_append(s, ".\n");
		if (m->params) {
			g_string_append(s, ".RS 4\n");
			method_params(s, m->params, "");
			g_string_append(s, ".RE\n");
		}
	}
}

static char *make_control(const char *page)
{
	GString *s = start("skylink-control", '7',
			   "the control socket of the Skylink appliance");

	section(s, "DESCRIPTION");
	line(s, "JSON-RPC 2.0 over a Unix stream socket, one message per "
		"line, at most 1 MiB each. Parameters are an object with "
		"these names, or an array in this order. Names without a dot "
		"are those of the SkylinkJS API; names with a dot are the "
		"appliance's own.");
	example(s, "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
		   "\"stats.peers\"}' |\n    nc -U "
		   "/run/skylink/control.sock");
	section(s, "RIGHTS");
	line(s, "By the credentials of the process that connects: root and "
		"the daemon's own user administer, the group skylink "
		"operates, the group skylink-read reads. Who may administer "
		"may operate, who may operate may read.");
	section(s, "METHODS");
	methods(s, control_methods);
	methods(s, control_builtin_methods);
	section(s, "EVENTS");
	line(s, "After subscribe they arrive as messages without an id, the "
		"event's name as method.");
	for (const ControlEvent *e = control_events; e->name; e++) {
		g_string_append(s, ".TP\n");
		font(s, 'B', e->name);
		g_string_append(s, e->params[0] ? " (" : "");
		text(s, e->params);
		g_string_append(s, e->params[0] ? ")\n" : "\n");
		line(s, e->help);
	}
	return see_also(s, page);
}

char *manual_make(const char *page)
{
	static char *(*const makers[])(const char *page) = {
		make_daemon, make_ctl, make_config, make_control};

	for (unsigned int i = 0; manual_pages[i]; i++)
		if (!strcmp(manual_pages[i], page))
			return makers[i](page);
	return NULL;
}

char *manual_make_key_table(void)
{
	GString *s = g_string_new("| key | default | allowed | changes |\n"
				  "|---|---|---|---|\n");

	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_row *row = option_table_get(i);
		g_autofree char *allowed = option_describe_allowed(row);
		const char *tick = row->def[0] ? "`" : "";

		g_string_append_printf(s, "| `%s.%s` | %s%s%s | %s | %s |\n",
				       row->section, row->key, tick, row->def,
				       tick, allowed,
				       option_change_name(row->change));
	}
	return g_string_free(s, FALSE);
}

/* --- docs/control.md ------------------------------------------------------------ */
/* A bar would end the cell. */
static void cell(GString *s, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			g_string_append_c(s, '\\');
		g_string_append_c(s, *text);
	}
}

static void method_rows(GString *s, const ControlMethod *m)
{
	for (; m->name; m++) {
		g_string_append_printf(s, "| `%s(", m->name);
		for (const ControlParam *p = m->params; p && p->name; p++)
			g_string_append_printf(
				s, "%s%s%s%s", p == m->params ? "" : ", ",
				p->optional ? "[" : "", p->name,
				p->optional ? "]" : "");
		g_string_append_printf(s, ")` | %s | ",
				       control_role_name(m->role));
		cell(s, m->help);
		g_string_append(s, " | ");
		cell(s, m->result);
		g_string_append(s, " |\n");
	}
}

static void param_rows(GString *s, const char *method, const ControlParam *p,
		       const char *prefix)
{
	for (; p && p->name; p++) {
		g_autofree char *path = g_strconcat(prefix, p->name, NULL);
		g_autofree char *inner = g_strconcat(path, ".", NULL);
		g_autofree char *right = control_param_describe(p);

		g_string_append_printf(s, "| `%s` | `%s`%s | ", method, path,
				       p->optional ? "" : ", needed");
		cell(s, right);
		g_string_append(s, " | ");
		cell(s, p->help);
		g_string_append(s, " |\n");
		param_rows(s, method, p->fields, inner);
	}
}

char *manual_make_control_tables(void)
{
	const ControlMethod *const tables[] = {control_methods,
					       control_builtin_methods};
	GString *s = g_string_new("### Methods\n\n"
				  "| method | needs | what it does | answers |\n"
				  "|---|---|---|---|\n");

	for (unsigned int i = 0; i < G_N_ELEMENTS(tables); i++)
		method_rows(s, tables[i]);
	g_string_append(s, "\n### Their parameters\n\n"
			   "| method | parameter | is | means |\n"
			   "|---|---|---|---|\n");
	for (unsigned int i = 0; i < G_N_ELEMENTS(tables); i++)
		for (const ControlMethod *m = tables[i]; m->name; m++)
			param_rows(s, m->name, m->params, "");
	g_string_append(s, "\n### Events\n\n| event | parameters | tells |\n"
			   "|---|---|---|\n");
	for (const ControlEvent *e = control_events; e->name; e++)
		g_string_append_printf(s, "| `%s` | %s | %s |\n", e->name,
				       e->params, e->help);
	return g_string_free(s, FALSE);
}
