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
	[CTL_EXIT_INTERRUPTED] = "Interrupted; what ran was cancelled.",
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
		       .help = "End after this many events, or pages."},
	[CTL_USER_DATA] = {"user-data", 'u', "JSON",
			   .help = "What peers are told about this box: JSON, "
				   "or a plain string."},
	[CTL_P2P] = {"p2p", 'P',
		     .help = "Over the data channels, not the room server."},
	[CTL_ICE] = {"ice", 'I',
		     .help = "Search the network's ways anew, too."},
	[CTL_OUTPUT] = {"output", 'o', "FILE|DIRECTORY", .is_path = true,
			.help = "Where it is put; no file is overwritten. '-': "
				"standard output."},
	[CTL_MIME_TYPE] = {"mime-type", 'm', "TYPE",
			   .help = "What the file is; guessed from its name."},
	[CTL_WAIT] = {"wait", 'w',
		      .help = "When nothing is offered, wait for it."},
	[CTL_FD] = {"fd", 'F', "FILE", .is_path = true,
		    .help = "A file to read, handed over with the call as "
			    "descriptor 0."},
	[CTL_AUDIO] = {"audio", 'a', "SOURCE|yes|no",
		       .help = "The sound: a source as in the configuration, "
			       "what is configured, or none."},
	[CTL_VIDEO] = {"video", 'v', "SOURCE|yes|no",
		       .help = "The picture, likewise."},
	[CTL_DRY_RUN] = {"dry-run", 0,
			 .help = "Only tell what would change."},
	[CTL_REJOIN] = {"rejoin", 0,
			.help = "If a change needs it, leave the room and join "
				"it again."},
	[CTL_INTERVAL] = {"interval", 'd', "SECONDS",
			  .help = "How long from one page to the next, 1 to "
				  "3600; 1."},
};

#define OWN(id) (1u << (id))

#define PEER_IS                                                           \
	"PEER is a peer's id or its beginning, or its user data when that " \
	"is a plain string."
#define TRANSFER_IS                                                       \
	"TRANSFER is an id or its beginning, as 'transfers' shows it; all: " \
	"every one."
#define LEVELS "error|warn|info|log|debug"

const struct ctl_verb ctl_verbs[N_CTL_VERBS] = {
	[CTL_STATUS] = {"status", "", .help = "Show how the box fares: room, "
					      "sources, encoders, network, "
					      "peers."},
	[CTL_PEERS] = {"peers", "", .help = "List the peers and how their "
					    "media fares."},
	[CTL_DEVICES] = {"devices", "", NULL, 0, 0, 0,
			 "List the cameras and microphones there are.",
			 "What stands under SOURCE is for video.source or "
			 "audio.source: the identity of a device stays the "
			 "same wherever it is plugged in."},
	[CTL_DOCTOR] = {"doctor", "", NULL, 0, 0, 0,
			"Look at everything the box depends on, and say what "
			"to do.",
			"Devices, rights, kernel, disk, network, room server, "
			"configuration. Takes some seconds. Exit status 1 when "
			"something failed. Without a daemon this program looks "
			"itself, with its own user's rights."},
	[CTL_SELFTEST] = {"selftest", "[run|show]", "run|show", 0, 1, 0,
			  "Show what the last self-test found, or run one.",
			  "It runs by itself at night. Exit status 1 when "
			  "something failed, or nothing has been tried yet."},
	[CTL_SCHEDULE] = {"schedule", "", .help = "Show which room is wanted "
						  "now, why, and what comes "
						  "next."},
	[CTL_TOP] = {"top", "", NULL, 0, 0, OWN(CTL_COUNT) | OWN(CTL_INTERVAL),
		     "Watch encoders, peers, bit rates, losses and latency.",
		     "On a terminal the page is drawn anew, else printed one "
		     "after another. Ctrl-C ends it. With --json each page is "
		     "what 'status' answers."},
	[CTL_INFO] = {"info", "[PEER]", NULL, 0, 1, 0,
		      "Show what is known about a peer, or about self.",
		      PEER_IS},
	[CTL_JOIN] = {"join", "[ROOM]", NULL, 0, 1, OWN(CTL_USER_DATA),
		      "Join a room, leaving the one before.",
		      "Without ROOM the configured one. Returns when the box "
		      "is in the room. After a restart the configured room is "
		      "joined again."},
	[CTL_LEAVE] = {"leave", "", .help = "Leave the room."},
	[CTL_MSG] = {"msg", "TEXT [PEER...]", NULL, 1, 64, OWN(CTL_P2P),
		     "Send a message to everybody, or to some.", PEER_IS},
	[CTL_SEND] = {"send", "FILE... [PEER...]", NULL, 1, 64,
		      OWN(CTL_MIME_TYPE),
		      "Send files to everybody, or to some.",
		      "Arguments that are no files are peers. Returns when "
		      "every peer has the files or does not want them; Ctrl-C "
		      "cancels. " PEER_IS, .takes_files = true},
	[CTL_SEND_URL] = {"send-url", "DATA-URL [PEER...]", NULL, 1, 64, 0,
			  "Send a data URL to everybody, or to some.",
			  "'-' reads it from standard input. " PEER_IS},
	[CTL_ACCEPT] = {"accept", "[TRANSFER|all]", NULL, 0, 1,
			OWN(CTL_OUTPUT) | OWN(CTL_WAIT) | OWN(CTL_FOLLOW),
			"Take what peers offer.",
			"Without TRANSFER the only one that waits. Without "
			"--output the box keeps it: see 'received'. Peers are "
			"refused at once while nobody listens; --wait and "
			"--follow do. With --follow everything is taken until "
			"interrupted. " TRANSFER_IS},
	[CTL_REJECT] = {"reject", "[TRANSFER|all]", NULL, 0, 1, 0,
			"Refuse what peers offer.", TRANSFER_IS},
	[CTL_CANCEL] = {"cancel", "[TRANSFER|all]", NULL, 0, 1, 0,
			"Cancel transfers, in either direction.", TRANSFER_IS},
	[CTL_TRANSFERS] = {"transfers", "",
			   .help = "List the transfers that wait or run."},
	[CTL_RECEIVED] = {"received", "[fetch|remove NAME]", NULL, 0, 2,
			  OWN(CTL_OUTPUT),
			  "List the files that came; fetch or remove one.",
			  "Fetched files go into this directory, or where "
			  "--output says."},
	[CTL_USERDATA] = {"userdata", "[JSON]", NULL, 0, 1, 0,
			  "Show what peers are told about this box, or change "
			  "it.", "What is no JSON is a plain string."},
	[CTL_LOCK] = {"lock", "", .help = "Lock the room: nobody else can "
					  "join."},
	[CTL_UNLOCK] = {"unlock", "", .help = "Unlock the room."},
	[CTL_MUTE] = {"mute", "audio|video", "audio|video", 1, 2, 0,
		      "Mute the sound, or the picture (black).", NULL},
	[CTL_UNMUTE] = {"unmute", "audio|video", "audio|video", 1, 2, 0,
			"Unmute the sound, or the picture.", NULL},
	[CTL_STREAM] = {"stream", "get|send|stop", "get|send|stop", 1, 1,
			OWN(CTL_AUDIO) | OWN(CTL_VIDEO),
			"Choose what is sent: sound and picture.",
			"get: take the sources, send: take and send them in "
			"place of what is sent, stop: send nothing."},
	[CTL_SHARE] = {"share", "[SOURCE]", NULL, 0, 1, OWN(CTL_AUDIO),
		       "Send a picture as the screen's.",
		       "SOURCE is what stands for the screen: test, or a "
		       "file. --audio yes: with sound."},
	[CTL_UNSHARE] = {"unshare", "", .help = "End that: the stream is sent "
						"again."},
	[CTL_REFRESH] = {"refresh", "[PEER...]", NULL, 0, 64, OWN(CTL_ICE),
			 "Negotiate the connections anew, or some.", PEER_IS},
	[CTL_INTRODUCE] = {"introduce", "PEER PEER", NULL, 2, 2, 0,
			   "Have two peers connect; for a privileged key.",
			   NULL},
	[CTL_LIST_ALL_PEERS] = {"list-all-peers", "",
				.help = "List the rooms and peers of a "
					"privileged key."},
	[CTL_LOGS] = {"logs", "[on|off|clear|LEVEL]", LEVELS "|on|off|clear",
		      0, 1, 0, "Show the log lines that were kept.",
		      "They are kept from 'logs on' to 'logs off'. LEVEL: only "
		      "those."},
	[CTL_LOGLEVEL] = {"loglevel", LEVELS, LEVELS, 1, 1, 0,
			  "Set what the daemon logs, until its restart.",
			  NULL},
	[CTL_EVENTS] = {"events", "[NAME...]", NULL, 0, 64,
			OWN(CTL_FOLLOW) | OWN(CTL_PEER) | OWN(CTL_COUNT),
			"List the events there are; with --follow print them "
			"as they happen.",
			"NAME may end in '*'. Without names all are meant.",
			.takes_events = true},
	[CTL_WATCH] = {"watch", "[NAME...]", NULL, 0, 64,
		       OWN(CTL_PEER) | OWN(CTL_COUNT),
		       "Print events as they happen: 'events -f'.",
		       "While it watches incomingDataRequest, what peers offer "
		       "waits for 'accept'.",
		       .takes_events = true},
	[CTL_CALL] = {"call", "METHOD [JSON|@FILE]", NULL, 1, 2, OWN(CTL_FD),
		      "Call any method of the control socket.",
		      "JSON is its parameters, an object or an array; '-' "
		      "reads them from standard input. Without it there are "
		      "none. 'skylinkctl methods' lists what there is. A file "
		      "that comes with the answer goes to standard output "
		      "behind it.",
		      .takes_methods = true},
	[CTL_METHODS] = {"methods", "[NAME]", NULL, 0, 1, 0,
			 "List the daemon's methods, or explain one.", NULL,
			 .takes_methods = true},
	[CTL_CONFIG] = {"config",
			"[get|set|reset|diff|reload] [NAME...]",
			NULL, 0, 64, OWN(CTL_DRY_RUN) | OWN(CTL_REJOIN),
			"Show and change the configuration.",
			"get, or nothing: the values in force, and where each "
			"is from. set NAME=VALUE...: change options for good, "
			"while peers stay connected. reset: forget what was "
			"set. diff: what is not as by default, and what the "
			"files say that is not in force. reload: read the "
			"files again. NAME is section.key; for get and reset "
			"a section, too.",
			.words = "get|set|reset|diff|reload",
			.takes_keys = true},
	[CTL_RESTART] = {"restart", "[idle|now|never]", "idle|now|never", 0, 1,
			 0, "Start the daemon anew, when nobody is in its room.",
			 "idle, or nothing: at once when no peer is there and "
			 "no file on its way, else as soon as that is so for "
			 "some seconds; 'status' shows that it waits. now: "
			 "whatever is cut by it. never: what was asked for is "
			 "taken back."},
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
