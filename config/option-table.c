// SPDX-License-Identifier: Apache-2.0
#include "config/option-table.h"

#include <string.h>

#include "config/nearest.h"

struct section_row {
	const char *name, *help;
};

static const struct section_row sections[] = {
	{"room", "The room this box is in."},
	{"roomserver", "The room server inside this box: rooms without any "
		       "other server, and a page that shows them."},
	{"console", "A page for a browser that says how this box does and mutes "
		    "it."},
	{"video", "What others see."},
	{"audio", "What others hear."},
	{"network", "How media travels."},
	{"transfer", "Files that peers exchange."},
	{"control", "The socket skylinkctl talks to."},
	{"selftest", "What the box tries by itself at night."},
	{"security", "What the daemon keeps from itself."},
	{"log", "What goes to the journal."},
};

#define ROOM_NAME_MAX_BYTES 256

static const char *const change_names[] = {
	[OPTION_LIVE] = "live",
	[OPTION_REJOIN] = "rejoin",
	[OPTION_RESTART] = "restart",
};

static const struct option_row rows[N_OPTIONS] = {
	[OPT_ROOM_SERVER] = {
		"room", "server", OPTION_URL, "",
		.change = OPTION_REJOIN,
		.help = "The room server to join through. Empty: the one "
			"inside this box, if [roomserver] is enabled.",
	},
	[OPT_ROOM_APP_KEY] = {
		"room", "app_key", OPTION_STRING, "demo", .max = 128,
		.change = OPTION_REJOIN,
		.help = "The application key at that server. The one inside "
			"has its own, roomserver.app_key.",
	},
	[OPT_ROOM_SECRET_FILE] = {
		"room", "secret_file", OPTION_SECRET, "",
		.change = OPTION_REJOIN,
		.help = "A file that holds the application key's secret and "
			"nothing else; readable by its owner alone (mode "
			"0600). The systemd credential 'room.secret' goes "
			"first. Empty: the key needs no secret.",
	},
	[OPT_ROOM_NAME] = {
		"room", "name", OPTION_NAME, "lobby",
		.max = ROOM_NAME_MAX_BYTES,
		.change = OPTION_REJOIN,
		.help = "The room to join at start. Empty: none, until "
			"'skylinkctl join ROOM'.",
	},
	[OPT_ROOM_USER_DATA] = {
		"room", "user_data", OPTION_JSON, "", .max = 4096,
		.change = OPTION_LIVE,
		.help = "What peers are told about this box: JSON, or a plain "
			"string such as its name. Empty: the host name.",
	},
	[OPT_ROOM_START] = {
		"room", "start", OPTION_STRING, "", .max = 64,
		.change = OPTION_REJOIN,
		.help = "When a scheduled room begins, in ISO 8601, such as "
			"2026-01-31T09:00:00.000Z, to the letter as it was "
			"scheduled. Needs room.secret_file; until then the "
			"room is asked for again and again. Empty: no "
			"schedule.",
	},
	[OPT_ROOM_DURATION] = {
		"room", "duration", OPTION_INT, "24",
		.min = 1, .max = 8784, .unit = "hours",
		.change = OPTION_REJOIN,
		.help = "How long a scheduled room lasts; with room.start.",
	},
	[OPT_ROOM_REGION] = {
		"room", "region", OPTION_STRING, "", .max = 16,
		.change = OPTION_REJOIN,
		.help = "The region whose signaling server is wanted, such as "
			"sg or us2. Empty: the server chooses.",
	},
	[OPT_ROOM_FORCE_SSL] = {
		"room", "force_ssl", OPTION_BOOL, "no",
		.change = OPTION_REJOIN,
		.help = "Reach room.server and its signaling by TLS whatever "
			"its address says.",
	},
	[OPT_ROOM_CA_FILE] = {
		"room", "ca_file", OPTION_PATH, "",
		.change = OPTION_REJOIN,
		.help = "A PEM file with the certificates to trust, instead "
			"of the system's: for a room server with a "
			"certificate of its own making.",
	},
	[OPT_ROOM_TRANSPORT] = {
		"room", "transport", OPTION_CHOICE, "auto",
		.values = "auto|websocket|polling",
		.change = OPTION_REJOIN,
		.help = "How signaling travels. auto: by WebSocket on every "
			"port that the server names, then by HTTP polling.",
	},
	[OPT_ROOM_SOCKET_TIMEOUT] = {
		"room", "socket_timeout", OPTION_INT, "7000",
		.min = 5000, .max = 300000, .unit = "milliseconds",
		.change = OPTION_REJOIN,
		.help = "How long one try to reach the signaling server may "
			"take.",
	},

	[OPT_ROOM_SCHEDULE] = {
		"room", "schedule", OPTION_SCHEDULE, "", .max = 64,
		.change = OPTION_LIVE,
		.help = "Rooms by the clock, such as 'Mon-Fri 08:00-18:00 = "
			"work; Sat,Sun 22:00-02:00 = party'; the first entry "
			"that fits counts. At other times the box is in "
			"room.name, or in none where that is empty. A join or "
			"leave by hand holds until the schedule changes rooms "
			"next.",
	},
	[OPT_ROOM_TIME_ZONE] = {
		"room", "time_zone", OPTION_ZONE, "",
		.change = OPTION_LIVE,
		.help = "The time zone of room.schedule, such as "
			"Europe/Berlin. Empty: the box's own.",
	},
	[OPT_ROOM_RECOVER] = {
		"room", "recover", OPTION_BOOL, "yes",
		.change = OPTION_LIVE,
		.help = "After a crash or a power cut come back into the room "
			"that was left by it, muted as it was, also where it "
			"was joined by 'skylinkctl join'.",
	},

	[OPT_ROOMSERVER_ENABLED] = {
		"roomserver", "enabled", OPTION_BOOL, "no",
		.change = OPTION_RESTART,
		.help = "Run the room server and its viewer page.",
	},
	[OPT_ROOMSERVER_LISTEN] = {
		"roomserver", "listen", OPTION_LISTEN, "127.0.0.1:8080",
		.change = OPTION_RESTART,
		.help = "Where it listens. With '*:8080' other machines reach "
			"it too, by https.",
	},
	[OPT_ROOMSERVER_APP_KEY] = {
		"roomserver", "app_key", OPTION_STRING, "demo", .max = 128,
		.change = OPTION_RESTART,
		.help = "The application key that this box and the viewer "
			"page use; without roomserver.keys_file the one that "
			"is served, to everybody.",
	},
	[OPT_ROOMSERVER_KEYS_FILE] = {
		"roomserver", "keys_file", OPTION_PATH, "",
		.change = OPTION_RESTART,
		.help = "A file, readable by its owner alone (mode 0600), with "
			"the application keys to serve: a section [KEY] for "
			"each, in it secret, cors (domains of pages), "
			"privileged, auto_introduce and parent, as far as "
			"wanted. Empty: roomserver.app_key alone.",
	},
	[OPT_ROOMSERVER_VIEWER_ROOM] = {
		"roomserver", "viewer_room", OPTION_NAME, "lobby",
		.max = ROOM_NAME_MAX_BYTES,
		.change = OPTION_RESTART,
		.help = "The room that the viewer page joins.",
	},
	[OPT_ROOMSERVER_MAX_CLIENTS] = {
		"roomserver", "max_clients", OPTION_INT, "1024",
		.min = 1, .max = 10000, .unit = "clients",
		.change = OPTION_RESTART,
		.help = "More are refused.",
	},
	[OPT_ROOMSERVER_MAX_CLIENTS_PER_ADDRESS] = {
		"roomserver", "max_clients_per_address", OPTION_INT, "256",
		.min = 1, .max = 10000, .unit = "clients",
		.change = OPTION_RESTART,
		.help = "So many from one IPv4 address or IPv6 /64. Behind a "
			"proxy all have one address.",
	},
	[OPT_ROOMSERVER_TLS] = {
		"roomserver", "tls", OPTION_BOOL, "yes",
		.change = OPTION_RESTART,
		.help = "Speak https and wss on the same port, too. Other "
			"machines are then sent there; with 'no' everything "
			"crosses the network in the clear.",
	},
	[OPT_ROOMSERVER_CERTIFICATE_FILE] = {
		"roomserver", "certificate_file", OPTION_PATH, "",
		.change = OPTION_RESTART,
		.help = "The certificate for it and those above it, as PEM. "
			"A renewed one is taken by itself within a minute. "
			"Empty: one of its own making, kept in the state "
			"directory, whose fingerprint 'skylinkctl status' and "
			"the viewer page show.",
	},
	[OPT_ROOMSERVER_CERTIFICATE_KEY_FILE] = {
		"roomserver", "certificate_key_file", OPTION_PATH, "",
		.change = OPTION_RESTART,
		.help = "The key that belongs to it, as PEM without a "
			"password.",
	},
	[OPT_ROOMSERVER_NAMES] = {
		"roomserver", "names", OPTION_LIST, "", .max = 16,
		.change = OPTION_RESTART,
		.help = "More host names and addresses that a certificate of "
			"its own making is to hold. One that was made stays: "
			"remove roomserver.pem from the state directory to "
			"have another.",
	},
	[OPT_ROOMSERVER_TURN] = {
		"roomserver", "turn", OPTION_STRING, "", .max = 256,
		.change = OPTION_RESTART,
		.help = "The TURN relay that clients are told of: HOST[:PORT] "
			"of a coturn with use-auth-secret, or "
			"USER@HOST[:PORT]. SkylinkJS uses ports of its own "
			"list, 3478 among them. Empty: none.",
	},
	[OPT_ROOMSERVER_TURN_SECRET_FILE] = {
		"roomserver", "turn_secret_file", OPTION_SECRET, "",
		.change = OPTION_RESTART,
		.help = "A file (mode 0600) with coturn's static-auth-secret, "
			"or with USER's password. The systemd credential "
			"'roomserver.turn_secret' goes first.",
	},
	[OPT_ROOMSERVER_VIEWER_ACCESS] = {
		"roomserver", "viewer_access", OPTION_CHOICE, "login",
		.values = "login|open",
		.change = OPTION_RESTART,
		.help = "Who may open the viewer page from another machine. "
			"login: who knows the password in "
			"roomserver.viewer_password_file or "
			"console.password_file. open: whoever reaches it. On "
			"this machine it is always open.",
	},
	[OPT_ROOMSERVER_VIEWER_PASSWORD_FILE] = {
		"roomserver", "viewer_password_file", OPTION_SECRET, "",
		.change = OPTION_RESTART,
		.help = "A file (mode 0600) with the password for those who "
			"may watch, and nothing more. The systemd credential "
			"'roomserver.viewer_password' goes first.",
	},

	[OPT_CONSOLE_LISTEN] = {
		"console", "listen", OPTION_LISTEN, "",
		.change = OPTION_RESTART,
		.help = "Where the console listens by itself, such as *:8443. "
			"Empty: it is a page of the room server, "
			"/console/, if there is one.",
	},
	[OPT_CONSOLE_TLS] = {
		"console", "tls", OPTION_BOOL, "yes",
		.change = OPTION_RESTART,
		.help = "Speak https at console.listen, with the certificate "
			"of [roomserver]. Without it passwords cross the "
			"network as they are.",
	},
	[OPT_CONSOLE_PASSWORD_FILE] = {
		"console", "password_file", OPTION_SECRET, "",
		.change = OPTION_RESTART,
		.help = "A file (mode 0600) with the console's password, eight "
			"characters at least. The systemd credential "
			"'console.password' goes first. Without it there is "
			"no console.",
	},

	[OPT_VIDEO_SOURCE] = {
		"video", "source", OPTION_CHOICE, "auto",
		.values = "auto|test|test-screen|v4l2:|file:|h264:|none",
		.argument = "PATH",
		.change = OPTION_LIVE,
		.help = "auto: the first camera, else the moving test "
			"picture until one is plugged in. test: the test picture; test-screen: in a "
			"screen's colours. v4l2: a camera, best by "
			"the identity that 'skylinkctl devices' "
			"shows, or by its path or a part of its name. file: a file or FIFO, looped. "
			"h264: an H.264 elementary stream, sent as it is. "
			"none: no picture.",
	},
	[OPT_VIDEO_WIDTH] = {
		"video", "width", OPTION_INT, "1280",
		.min = 128, .max = 4096, .unit = "pixels",
		.change = OPTION_LIVE,
		.help = "Wanted width, an even number; a camera may offer "
			"another.",
	},
	[OPT_VIDEO_HEIGHT] = {
		"video", "height", OPTION_INT, "720",
		.min = 64, .max = 4096, .unit = "pixels",
		.change = OPTION_LIVE,
		.help = "Wanted height, an even number; a camera may offer "
			"another.",
	},
	[OPT_VIDEO_FPS] = {
		"video", "fps", OPTION_INT, "30",
		.min = 1, .max = 60, .unit = "frames per second",
		.change = OPTION_LIVE,
		.help = "Wanted frame rate; a camera may offer another.",
	},
	[OPT_VIDEO_CODEC] = {
		"video", "codec", OPTION_CHOICE, "auto",
		.values = "auto|h264|vp8",
		.change = OPTION_REJOIN,
		.help = "auto: H.264 where the peer takes it, else VP8. "
			"Otherwise this codec alone.",
	},
	[OPT_VIDEO_BITRATE] = {
		"video", "bitrate", OPTION_BITRATE, "2.5M",
		.min = 30000, .max = 100000000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "Where each encoder and each peer starts.",
	},
	[OPT_VIDEO_MIN_BITRATE] = {
		"video", "min_bitrate", OPTION_BITRATE, "200k",
		.min = 30000, .max = 100000000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "Never less, however narrow the link.",
	},
	[OPT_VIDEO_MAX_BITRATE] = {
		"video", "max_bitrate", OPTION_BITRATE, "5M",
		.min = 30000, .max = 100000000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "Never more, however wide the link.",
	},
	[OPT_VIDEO_MUTED] = {
		"video", "muted", OPTION_BOOL, "no",
		.change = OPTION_RESTART,
		.help = "Start with the picture muted (black), until "
			"'skylinkctl unmute video'.",
	},

	[OPT_AUDIO_SOURCE] = {
		"audio", "source", OPTION_CHOICE, "auto",
		.values = "auto|test|alsa:|file:|none",
		.argument = "NAME-OR-PATH",
		.change = OPTION_LIVE,
		.help = "auto: the first ALSA capture device, else the test "
			"tone until one is plugged in. test: the tone. alsa: "
			"a microphone, best by the identity that 'skylinkctl "
			"devices' shows, or an ALSA device such as "
			"hw:1,0, or a part of its name. file: a file or FIFO, looped. none: no "
			"sound.",
	},
	[OPT_AUDIO_CHANNELS] = {
		"audio", "channels", OPTION_INT, "1",
		.min = 1, .max = 2, .unit = "channels",
		.change = OPTION_LIVE,
		.help = "1: mono, 2: stereo.",
	},
	[OPT_AUDIO_BITRATE] = {
		"audio", "bitrate", OPTION_BITRATE, "48k",
		.min = 6000, .max = 510000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "The Opus encoder's rate.",
	},
	[OPT_AUDIO_VOLUME] = {
		"audio", "volume", OPTION_INT, "100",
		.min = 0, .max = 400, .unit = "percent",
		.change = OPTION_LIVE,
		.help = "How loud the sound is sent: 100 as the microphone "
			"gives it, 200 twice that, 0 silence. Above 100 loud "
			"sound is cut off.",
	},
	[OPT_AUDIO_MUTED] = {
		"audio", "muted", OPTION_BOOL, "no",
		.change = OPTION_RESTART,
		.help = "Start with the sound muted, until 'skylinkctl unmute "
			"audio'.",
	},

	[OPT_NETWORK_ADDRESSES] = {
		"network", "addresses", OPTION_ADDRESSES, "",
		.max = OPTION_LIST_MAX,
		.change = OPTION_LIVE,
		.help = "Local addresses that media may use. Empty: all.",
	},
	[OPT_NETWORK_INTERFACES] = {
		"network", "interfaces", OPTION_LIST, "",
		.max = OPTION_LIST_MAX,
		.change = OPTION_LIVE,
		.help = "Network interfaces that media may use, by name, such "
			"as eth0, with the addresses they have or will have. "
			"Empty: all. With 'addresses' set too, both hold.",
	},
	[OPT_NETWORK_LOOPBACK] = {
		"network", "loopback", OPTION_BOOL, "no",
		.change = OPTION_LIVE,
		.help = "Offer 127.0.0.1 too, for browsers on this box. A box "
			"with no other address does so by itself.",
	},
	[OPT_NETWORK_PORT_MIN] = {
		"network", "port_min", OPTION_INT, "0",
		.min = 0, .max = 65535, .unit = "UDP port",
		.change = OPTION_LIVE,
		.help = "The lowest local port for media, for firewalls. 0: "
			"any.",
	},
	[OPT_NETWORK_PORT_MAX] = {
		"network", "port_max", OPTION_INT, "0",
		.min = 0, .max = 65535, .unit = "UDP port",
		.change = OPTION_LIVE,
		.help = "The highest local port for media. 0: any.",
	},
	[OPT_NETWORK_DSCP_AUDIO] = {
		"network", "dscp_audio", OPTION_INT, "46",
		.min = 0, .max = 63, .unit = "code point",
		.change = OPTION_LIVE,
		.help = "How packets of sound are marked for routers (DSCP). "
			"46: expedited forwarding (EF). 0: not. What goes "
			"through a TURN relay is not marked.",
	},
	[OPT_NETWORK_DSCP_VIDEO] = {
		"network", "dscp_video", OPTION_INT, "34",
		.min = 0, .max = 63, .unit = "code point",
		.change = OPTION_LIVE,
		.help = "The same for the picture. 34: assured forwarding "
			"AF41.",
	},
	[OPT_NETWORK_DATA_BITRATE] = {
		"network", "data_bitrate", OPTION_BITRATE, "0",
		.min = 0, .max = 1000000000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "The most that messages and files take to each peer. "
			"0: no limit. Limits of the picture and the sound are "
			"video.max_bitrate and audio.bitrate.",
	},
	[OPT_NETWORK_TOTAL_BITRATE] = {
		"network", "total_bitrate", OPTION_BITRATE, "0",
		.min = 0, .max = 1000000000, .unit = "bits per second",
		.change = OPTION_LIVE,
		.help = "The most that this box sends to all peers together, "
			"shared equally among them: sound goes first, files "
			"get a quarter at most, the picture takes the rest, "
			"but never less than 30k to each. 0: no limit.",
	},
	[OPT_NETWORK_MAX_PEERS] = {
		"network", "max_peers", OPTION_INT, "64",
		.min = 1, .max = 128, .unit = "peers",
		.change = OPTION_LIVE,
		.help = "More are not answered.",
	},
	[OPT_NETWORK_RECEIVE] = {
		"network", "receive", OPTION_BOOL, "yes",
		.change = OPTION_REJOIN,
		.help = "Take pictures and sound of peers. no: peers can only "
			"watch and listen, exchange messages and files; what "
			"they would send stays with them.",
	},
	[OPT_NETWORK_PLAYOUT_DELAY] = {
		"network", "playout_delay", OPTION_CHOICE, "zero",
		.values = "zero|receiver",
		.change = OPTION_RESTART,
		.help = "zero: ask receivers to show each picture at once. "
			"receiver: let them buffer as they like, smoother on "
			"bad links and several times later.",
	},
	[OPT_NETWORK_IO] = {
		"network", "io", OPTION_CHOICE, "auto",
		.values = "auto|io_uring|epoll",
		.change = OPTION_RESTART,
		.help = "How the network thread speaks to the kernel. auto: "
			"io_uring where it works, else epoll.",
	},
	[OPT_NETWORK_GSO] = {
		"network", "gso", OPTION_CHOICE, "auto",
		.values = "auto|off",
		.change = OPTION_RESTART,
		.help = "Send many packets by one system call (UDP "
			"segmentation offload) where it works.",
	},
	[OPT_NETWORK_DEMUX] = {
		"network", "demux", OPTION_CHOICE, "auto",
		.values = "auto|kernel|callback",
		.change = OPTION_RESTART,
		.help = "Who tells media packets from ICE packets: the "
			"kernel, or libnice's thread. auto: the kernel where "
			"it can.",
	},
	[OPT_NETWORK_STUN] = {
		"network", "stun", OPTION_BOOL, "yes",
		.change = OPTION_REJOIN,
		.help = "Use the STUN servers that the room names.",
	},
	[OPT_NETWORK_PUBLIC_STUN] = {
		"network", "public_stun", OPTION_BOOL, "yes",
		.change = OPTION_REJOIN,
		.help = "Among them those that are neither the room server's "
			"own host nor Temasys'.",
	},
	[OPT_NETWORK_TURN] = {
		"network", "turn", OPTION_BOOL, "yes",
		.change = OPTION_REJOIN,
		.help = "Use the TURN relays that the room names.",
	},
	[OPT_NETWORK_FORCE_TURN] = {
		"network", "force_turn", OPTION_BOOL, "no",
		.change = OPTION_REJOIN,
		.help = "Media goes through a relay or not at all; no address "
			"of this box is told to peers.",
	},
	[OPT_NETWORK_TURN_TRANSPORT] = {
		"network", "turn_transport", OPTION_CHOICE, "any",
		.values = "any|udp|tcp|none|all",
		.change = OPTION_REJOIN,
		.help = "How relays are reached. any: as the room says. udp, "
			"tcp: so, whatever it says. none: its address without "
			"a word on transport. all: both.",
	},

	[OPT_TRANSFER_ACCEPT] = {
		"transfer", "accept", OPTION_CHOICE, "ask",
		.values = "ask|never|always",
		.change = OPTION_LIVE,
		.help = "What becomes of a file that a peer wants to send. "
			"ask: a control client that subscribed to "
			"incomingDataRequest decides; without one it is "
			"refused at once. never: refused. always: kept in the "
			"directory below.",
	},
	[OPT_TRANSFER_DIRECTORY] = {
		"transfer", "directory", OPTION_PATH, "",
		.change = OPTION_RESTART,
		.help = "Where received files are kept. Empty: 'received' in "
			"the service's state directory (/var/lib/skylink), "
			"else in $XDG_STATE_HOME/skylink.",
	},
	[OPT_TRANSFER_QUOTA] = {
		"transfer", "quota", OPTION_INT, "2000",
		.min = 1, .max = 100000000, .unit = "megabytes",
		.change = OPTION_LIVE,
		.help = "What received files may take together. What would "
			"be more is refused: nothing is deleted for it.",
	},
	[OPT_TRANSFER_MAX_FILE] = {
		"transfer", "max_file", OPTION_INT, "1000",
		.min = 1, .max = 100000000, .unit = "megabytes",
		.change = OPTION_LIVE,
		.help = "A longer file is refused.",
	},
	[OPT_TRANSFER_MAX_FILES] = {
		"transfer", "max_files", OPTION_INT, "1000",
		.min = 1, .max = 10000, .unit = "files",
		.change = OPTION_LIVE,
		.help = "More received files are not kept.",
	},
	[OPT_TRANSFER_KEEP] = {
		"transfer", "keep", OPTION_INT, "0",
		.min = 0, .max = 87600, .unit = "hours",
		.change = OPTION_LIVE,
		.help = "Received files that are older are deleted. 0: they "
			"are kept until somebody removes them.",
	},

	[OPT_CONTROL_SOCKET] = {
		"control", "socket", OPTION_PATH, "",
		.change = OPTION_RESTART,
		.help = "The control socket. Empty: /run/skylink/control.sock "
			"for the service and for root, else in "
			"$XDG_RUNTIME_DIR/skylink, else in /tmp/skylink-UID.",
	},
	[OPT_CONTROL_MAX_CLIENTS] = {
		"control", "max_clients", OPTION_INT, "64",
		.min = 1, .max = 1000, .unit = "clients",
		.change = OPTION_LIVE,
		.help = "More connections at once are refused.",
	},
	[OPT_CONTROL_METRICS] = {
		"control", "metrics", OPTION_ENDPOINT, "",
		.change = OPTION_LIVE,
		.help = "Where figures are told as text for Prometheus "
			"(GET /metrics). Who can reach it can read them: a "
			"path's users by its mode 0660, on a port everybody "
			"on this machine. Empty: nowhere.",
	},
	[OPT_CONTROL_SOURCE_FOLDERS] = {
		"control", "source_folders", OPTION_LIST, "", .max = 16,
		.change = OPTION_LIVE,
		.help = "Folders whose files getUserMedia, sendStream and "
			"shareScreen may send (file:PATH, h264:PATH), such as "
			"/srv/skylink. Who may write there decides what they "
			"hold. Empty: only what is configured as a source.",
	},

	[OPT_SELFTEST_ENABLED] = {
		"selftest", "enabled", OPTION_BOOL, "yes",
		.change = OPTION_LIVE,
		.help = "Once a night try camera, microphone, encoder, "
			"network, room server and disk, unless somebody is in "
			"the room. Nothing of it is sent to anybody. "
			"'skylinkctl selftest' shows the result.",
	},
	[OPT_SELFTEST_HOUR] = {
		"selftest", "hour", OPTION_INT, "3",
		.min = 0, .max = 23, .unit = "o'clock",
		.change = OPTION_LIVE,
		.help = "The hour in which it runs, by the clock of "
			"room.time_zone; at a random minute.",
	},

	[OPT_SECURITY_LANDLOCK] = {
		"security", "landlock", OPTION_CHOICE, "auto",
		.values = "auto|off",
		.change = OPTION_RESTART,
		.help = "Let the kernel refuse the daemon all files but the "
			"system's, its own and those that the configuration "
			"names at the start. auto: where the kernel can; "
			"'skylinkctl doctor' tells.",
	},

	[OPT_LOG_LEVEL] = {
		"log", "level", OPTION_CHOICE, "info",
		.values = "error|warning|info|debug",
		.change = OPTION_LIVE,
		.help = "The least important kind of message that is logged.",
	},
};

const struct option_row *option_table_get(enum option_id id)
{
	g_assert((unsigned int) id < N_OPTIONS);
	return &rows[id];
}

const char *option_change_name(enum option_change change)
{
	g_assert(change >= OPTION_LIVE && change <= OPTION_RESTART);
	return change_names[change];
}

const char *option_change_help(enum option_change change)
{
	switch (change) {
	case OPTION_LIVE:
		return "Changes at once on reload.";
	case OPTION_REJOIN:
		return "Changes with the next join of a room.";
	case OPTION_RESTART:
		return "Changes on restart.";
	}
	g_assert_not_reached();
}

const char *option_table_section(unsigned int n)
{
	return n < G_N_ELEMENTS(sections) ? sections[n].name : NULL;
}

const char *option_table_section_help(const char *section)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(sections); i++)
		if (!strcmp(sections[i].name, section))
			return sections[i].help;
	return NULL;
}

int option_table_find(const char *section, const char *key)
{
	for (int i = 0; i < N_OPTIONS; i++)
		if (!strcmp(rows[i].key, key) &&
		    !strcmp(rows[i].section, section))
			return i;
	return -1;
}

const struct option_row *option_table_nearest(const char *section,
					      const char *key)
{
	const struct option_row *best = NULL;
	int best_score = 0;

	for (int i = 0; i < N_OPTIONS; i++) {
		int score = nearest_score(key, rows[i].key);

		if (score < 0)
			continue;
		/* The right key in the wrong section is likelier than a wrong
		 * key in the right section, but not than a small slip. */
		if (strcmp(rows[i].section, section))
			score += 2;
		if (!best || score < best_score) {
			best = &rows[i];
			best_score = score;
		}
	}
	return best;
}

const char *option_table_nearest_section(const char *section)
{
	const char *names[G_N_ELEMENTS(sections) + 1];

	for (unsigned int i = 0; i < G_N_ELEMENTS(sections); i++)
		names[i] = sections[i].name;
	names[G_N_ELEMENTS(sections)] = NULL;
	return nearest_of(section, names);
}
