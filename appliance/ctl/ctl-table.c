// SPDX-License-Identifier: Apache-2.0
#include "appliance/ctl/ctl-table.h"

#include <string.h>

#include "appliance/help-text.h"

const char *const ctl_exit_help[N_CTL_EXITS] = {
	[CTL_EXIT_OK] = "Done.",
	[CTL_EXIT_FAILED] = "The daemon refused or failed.",
	[CTL_EXIT_USAGE] = "Wrong usage.",
	[CTL_EXIT_NO_DAEMON] = "No daemon answers.",
	[CTL_EXIT_TIMEOUT] = "The daemon did not answer in time.",
	[CTL_EXIT_FORBIDDEN] = "This user may not do that.",
	[CTL_EXIT_LOST] = "The daemon went away before it answered.",
};

const struct ctl_option ctl_options[N_CTL_OPTIONS] = {
	[CTL_SOCKET] = {"socket", 's', "PATH", .is_path = true,
			.help = "The control socket to talk to."},
	[CTL_INSTANCE] = {"instance", 'i', "NAME",
			  .help = "The daemon of this instance "
				  "(skylink@NAME)."},
	[CTL_JSON] = {"json", 'j', .help = "Print the answer as JSON."},
	[CTL_TIMEOUT] = {"timeout", 't', "SECONDS",
			 .help = "How long to wait for an answer; 30."},
	[CTL_COLOR] = {"color", 0, "WHEN", "auto|always|never",
		       .help = "auto: colour on a terminal, unless $NO_COLOR "
			       "is set."},
	[CTL_HELP] = {"help", 'h', .help = "Print this."},
	[CTL_VERSION] = {"version", 'V', .help = "Print the version."},
	[CTL_FOLLOW] = {"follow", 'f',
			.help = "Print events as they happen, until "
				"interrupted."},
	[CTL_PEER] = {"peer", 'p', "PEER-ID",
		      .help = "Of events about a peer, only this one's."},
	[CTL_COUNT] = {"count", 'n', "NUMBER",
		       .help = "End after this many events."},
	[CTL_USER_DATA] = {"user-data", 'u', "JSON",
			   .help = "What peers are told about this box: JSON, "
				   "or a plain string."},
};

#define OWN(id) (1u << (id))

const struct ctl_verb ctl_verbs[N_CTL_VERBS] = {
	[CTL_STATUS] = {"status", "", .help = "Show how the box fares: room, "
					      "sources, encoders, network, "
					      "peers."},
	[CTL_PEERS] = {"peers", "", .help = "List the peers and how their "
					    "media fares."},
	[CTL_JOIN] = {"join", "[ROOM]", NULL, 0, 1, OWN(CTL_USER_DATA),
		      "Join a room, leaving the one before.",
		      "Without ROOM the configured one. Returns when the box "
		      "is in the room. After a restart the configured room is "
		      "joined again."},
	[CTL_LEAVE] = {"leave", "", .help = "Leave the room."},
	[CTL_MUTE] = {"mute", "audio|video", "audio|video", 1, 2, 0,
		      "Mute the sound, or the picture (black).", NULL},
	[CTL_UNMUTE] = {"unmute", "audio|video", "audio|video", 1, 2, 0,
			"Unmute the sound, or the picture.", NULL},
	[CTL_EVENTS] = {"events", "[NAME...]", NULL, 0, 64,
			OWN(CTL_FOLLOW) | OWN(CTL_PEER) | OWN(CTL_COUNT),
			"List the events there are; with --follow print them "
			"as they happen.",
			"NAME may end in '*'. Without names all are meant."},
	[CTL_CALL] = {"call", "METHOD [JSON]", NULL, 1, 2, 0,
		      "Call any method of the control socket.",
		      "JSON is its parameters, an object or an array; '-' "
		      "reads them from standard input. Without it there are "
		      "none. 'skylinkctl methods' lists what there is."},
	[CTL_METHODS] = {"methods", "[NAME]", NULL, 0, 1, 0,
			 "List the daemon's methods, or explain one.", NULL},
	[CTL_CONFIG] = {"config", "[NAME...]", NULL, 0, 64, 0,
			"Show the configuration in force, and where each "
			"value is from.",
			"NAME is section.key, or a section."},
	[CTL_COMPLETION] = {"completion", "bash|zsh|fish", "bash|zsh|fish", 1,
			    1, 0, "Print a shell's completion script.",
			    "For example: source <(skylinkctl completion "
			    "bash)"},
	[CTL_HELP_VERB] = {"help", "[VERB]", NULL, 0, 1, 0,
			   "Explain a verb, or print this.", NULL},
};

int ctl_table_find_verb(const char *name)
{
	for (int i = 0; i < N_CTL_VERBS; i++)
		if (!strcmp(ctl_verbs[i].name, name))
			return i;
	return -1;
}

bool ctl_table_verb_has(const struct ctl_verb *verb, enum ctl_option_id id)
{
	return id < CTL_FIRST_OWN_OPTION || (verb->options & OWN(id));
}

/* --- help ------------------------------------------------------------------ */
static void append_option(GString *s, const struct ctl_option *o)
{
	help_text_option(s, o->letter, o->name, o->argument, o->help);
}

static void append_common_options(GString *s)
{
	g_string_append(s, "\nOptions:\n");
	for (int i = 0; i < CTL_FIRST_OWN_OPTION; i++)
		append_option(s, &ctl_options[i]);
}

static char *help_for_all(void)
{
	GString *s = g_string_new("usage: skylinkctl [OPTION...] VERB "
				  "[ARGUMENT...]\n\nDrives skylinkd through "
				  "its control socket.\n\nVerbs:\n");

	for (int i = 0; i < N_CTL_VERBS; i++) {
		g_autofree char *left = g_strdup_printf(
			"  %s %s", ctl_verbs[i].name, ctl_verbs[i].arguments);

		help_text_row(s, g_strchomp(left), ctl_verbs[i].help);
	}
	append_common_options(s);
	g_string_append(s, "\nExit status:\n");
	for (int i = 0; i < N_CTL_EXITS; i++) {
		g_autofree char *left = g_strdup_printf("  %d", i);

		help_text_row(s, left, ctl_exit_help[i]);
	}
	g_string_append(s, "\n'skylinkctl help VERB' explains a verb. See "
			   "skylinkctl(1), skylink-control(7).\n");
	return g_string_free(s, FALSE);
}

char *ctl_table_help(int verb)
{
	const struct ctl_verb *v;
	GString *s;

	if (verb < 0)
		return help_for_all();
	v = &ctl_verbs[verb];
	s = g_string_new("usage: skylinkctl ");
	g_string_append_printf(s, "%s%s%s [OPTION...]\n\n", v->name,
			       v->arguments[0] ? " " : "", v->arguments);
	help_text_wrap(s, 0, v->help);
	if (v->details)
		help_text_wrap(s, 0, v->details);
	if (v->options)
		g_string_append_printf(s, "\nOptions of %s:\n", v->name);
	for (int i = CTL_FIRST_OWN_OPTION; i < N_CTL_OPTIONS; i++)
		if (ctl_table_verb_has(v, i))
			append_option(s, &ctl_options[i]);
	append_common_options(s);
	return g_string_free(s, FALSE);
}
