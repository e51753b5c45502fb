// SPDX-License-Identifier: Apache-2.0
/* appliance/control/control-methods.c - the two tables themselves
 *
 * Methods and events without a dot have the names and parameters of the
 * SkylinkJS API; ours have a namespace.
 */
#include "appliance/control/control-table.h"

#define NO_PARAMS NULL
#define END	  {.name = NULL}

#define ID_MAX_BYTES	  256	/* of a peer, of a transfer */
#define KBPS_MAX	  1000000
#define LOG_LEVEL_MAX	  4	/* LOG_LEVEL.DEBUG */
#define TIMEOUT_MAX_S	  3600	/* as TRANSFER_TIMEOUT_MAX_S */
#define DATA_URL_MAX_BYTES (900 << 10)	/* the line has 1 MiB */

#define OPTIONAL_BOOL(n, h)                                           \
	{.name = (n), .type = CONTROL_BOOL, .optional = true, .help = (h)}
#define OPTIONAL_STRING(n, h)                                           \
	{.name = (n), .type = CONTROL_STRING, .optional = true, .help = (h)}
#define PEER(n, h)                                                     \
	{.name = (n), .type = CONTROL_STRING, .max = ID_MAX_BYTES, .help = (h)}
#define TARGETS                                                        \
	{.name = "targetPeerId", .type = CONTROL_STRINGS,              \
	 .optional = true,                                             \
	 .help = "The peers it is for, one or several; without it all."}

/* --- media ----------------------------------------------------------------- */
static const ControlParam resolution[] = {
	{.name = "width", .type = CONTROL_INT, .min = 16, .max = 16384,
	 .help = "Pixels."},
	{.name = "height", .type = CONTROL_INT, .min = 16, .max = 16384,
	 .help = "Pixels."},
	OPTIONAL_STRING("aspectRatio",
			"As the table VIDEO_RESOLUTION has it; not used."),
	END};

#define SOURCE(what)                                                      \
	OPTIONAL_STRING("source", "What is the " what                     \
			", as in the configuration; without it what is "  \
			"configured. Ours.")

static const ControlParam audio_options[] = {
	OPTIONAL_BOOL("stereo", "Two channels; without it as configured."),
	OPTIONAL_BOOL("mute", "Start muted."),
	{.name = "optional", .type = CONTROL_ANY, .optional = true,
	 .help = "A browser's constraints; taken and not used."},
	SOURCE("sound"),
	END};

static const ControlParam video_options[] = {
	OPTIONAL_BOOL("mute", "Start muted."),
	{.name = "resolution", .type = CONTROL_OBJECT, .optional = true,
	 .or_string = true, .max = 32, .fields = resolution,
	 .help = "The size wanted, or a name of VIDEO_RESOLUTION: VGA, HD."},
	{.name = "frameRate", .type = CONTROL_INT, .optional = true,
	 .min = 1, .max = 120, .help = "Pictures per second, at most."},
	{.name = "optional", .type = CONTROL_ANY, .optional = true,
	 .help = "A browser's constraints; taken and not used."},
	SOURCE("picture"),
	END};

#define AUDIO                                                              \
	{.name = "audio", .type = CONTROL_OBJECT, .optional = true,        \
	 .or_bool = true, .fields = audio_options,                         \
	 .help = "The sound: true, false, or how."}
#define VIDEO                                                              \
	{.name = "video", .type = CONTROL_OBJECT, .optional = true,        \
	 .or_bool = true, .fields = video_options,                         \
	 .help = "The picture: true, false, or how."}

static const ControlParam media_options[] = {AUDIO, VIDEO, END};

static const ControlParam get_user_media[] = {
	{.name = "options", .type = CONTROL_OBJECT, .optional = true,
	 .fields = media_options,
	 .help = "What is wanted; without it sound and picture."},
	END};

static const ControlParam send_stream[] = {
	{.name = "options", .type = CONTROL_OBJECT, .fields = media_options,
	 .help = "What is to be sent instead."},
	END};

static const ControlParam share_screen[] = {
	OPTIONAL_BOOL("enableAudio", "With sound, too."),
	{.name = "source", .type = CONTROL_STRING, .optional = true,
	 .help = "What stands for the screen: test, or a file. Ours."},
	END};

static const ControlParam mute_stream[] = {
	{.name = "options", .type = CONTROL_OBJECT,
	 .fields = (const ControlParam[]){
		 OPTIONAL_BOOL("audioMuted", "The sound; left out: as it is."),
		 OPTIONAL_BOOL("videoMuted",
			       "The picture; left out: as it is."),
		 END},
	 .help = "What is to be muted."},
	END};

/* --- the room -------------------------------------------------------------- */
static const ControlParam credentials[] = {
	{.name = "startDateTime", .type = CONTROL_STRING, .max = 64,
	 .help = "When the room begins, in ISO 8601."},
	{.name = "duration", .type = CONTROL_NUMBER, .min = 0, .max = 8784,
	 .help = "How long it is, in hours."},
	{.name = "credentials", .type = CONTROL_STRING, .optional = true,
	 .max = 256,
	 .help = "Base64 of the HMAC-SHA1 of room_duration_start with the "
		 "key's secret, URI-encoded or not; without it it is made "
		 "from the configured secret."},
	END};

static const ControlParam init_options[] = {
	{.name = "appKey", .type = CONTROL_STRING, .optional = true,
	 .max = 256, .help = "The application key; without it as it is."},
	{.name = "apiKey", .type = CONTROL_STRING, .optional = true,
	 .max = 256, .help = "The same, by its old name."},
	{.name = "defaultRoom", .type = CONTROL_STRING, .optional = true,
	 .max = 256,
	 .help = "The room that joinRoom takes when it is given none; without "
		 "it the configured one, else the key."},
	OPTIONAL_STRING("roomServer",
			"The room server: https://HOST, //HOST."),
	{.name = "region", .type = CONTROL_STRING, .optional = true,
	 .max = 32, .help = "The server's region: sg, us2."},
	OPTIONAL_BOOL("enableIceTrickle",
		      "Tell candidates as they are found; true."),
	OPTIONAL_BOOL("enableDataChannel",
		      "Data channels, and what needs them; true."),
	OPTIONAL_BOOL("enableTURNServer", "Use relays; true."),
	OPTIONAL_BOOL("enableSTUNServer", "Use STUN servers; true."),
	OPTIONAL_BOOL("forceTURN", "Use relays alone; false."),
	OPTIONAL_BOOL("usePublicSTUN",
		      "Use the public STUN servers that the room names; true."),
	{.name = "TURNServerTransport", .type = CONTROL_STRING,
	 .optional = true, .values = "any|udp|tcp|none|all",
	 .help = "How relays are reached; any: as the server says."},
	{.name = "credentials", .type = CONTROL_OBJECT, .optional = true,
	 .fields = credentials, .help = "Of a scheduled room."},
	OPTIONAL_BOOL("audioFallback",
		      "getUserMedia without a picture tries sound alone; "
		      "false."),
	OPTIONAL_BOOL("forceSSL", "Signaling over TLS alone; false."),
	{.name = "audioCodec", .type = CONTROL_STRING, .optional = true,
	 .values = "auto|opus|ISAC",
	 .help = "The codec of the sound; there is opus alone."},
	{.name = "videoCodec", .type = CONTROL_STRING, .optional = true,
	 .values = "auto|VP8|H264", .help = "The codec of the picture."},
	{.name = "socketTimeout", .type = CONTROL_INT, .optional = true,
	 .min = 5000, .max = 300000,
	 .help = "How long a signaling connection may take, in "
		 "milliseconds."},
	OPTIONAL_BOOL("forceTURNSSL",
		      "Reach relays over TLS alone; not yet available."),
	END};

static const ControlParam init[] = {
	{.name = "options", .type = CONTROL_OBJECT, .or_string = true,
	 .max = 256, .fields = init_options,
	 .help = "The settings, or the application key alone."},
	END};

static const ControlParam bandwidth[] = {
	{.name = "audio", .type = CONTROL_INT, .optional = true, .min = 0,
	 .max = KBPS_MAX, .help = "Of the sound, kb/s; 0: no limit."},
	{.name = "video", .type = CONTROL_INT, .optional = true, .min = 0,
	 .max = KBPS_MAX, .help = "Of the picture, kb/s; 0: no limit."},
	{.name = "data", .type = CONTROL_INT, .optional = true, .min = 0,
	 .max = KBPS_MAX, .help = "Of data channels, kb/s; 0: no limit."},
	END};

static const ControlParam join_room[] = {
	{.name = "room", .type = CONTROL_STRING, .optional = true, .max = 256,
	 .help = "The room; without it init's, or the configured one."},
	{.name = "options", .type = CONTROL_OBJECT, .optional = true,
	 .fields = (const ControlParam[]){
		 {.name = "userData", .type = CONTROL_ANY, .optional = true,
		  .help = "What peers are told about self."},
		 AUDIO, VIDEO,
		 {.name = "bandwidth", .type = CONTROL_OBJECT,
		  .optional = true, .fields = bandwidth,
		  .help = "What peers are asked not to exceed, and we keep "
			  "to."},
		 OPTIONAL_BOOL("manualGetUserMedia",
			       "Wait for getUserMedia: mediaAccessRequired "
			       "asks for it."),
		 END},
	 .help = "Settings of this join; without audio and video what is "
		 "sent stays as it is."},
	END};

static const ControlParam leave_room[] = {
	{.name = "stopMediaOptions", .type = CONTROL_OBJECT, .optional = true,
	 .or_bool = true,
	 .fields = (const ControlParam[]){
		 OPTIONAL_BOOL("userMedia",
			       "Stop what getUserMedia and sendStream "
			       "started; true."),
		 OPTIONAL_BOOL("screenshare",
			       "Stop what shareScreen started; true."),
		 END},
	 .help = "What is stopped, too: true, false, or which; without it "
		 "all. The next joinRoom starts what is configured."},
	END};

static const ControlParam peer_info[] = {
	{.name = "peerId", .type = CONTROL_STRING, .optional = true,
	 .max = ID_MAX_BYTES, .help = "The peer; without it self."},
	END};

static const ControlParam user_data[] = {
	{.name = "userData", .type = CONTROL_ANY,
	 .help = "What peers are told about self: any value."},
	END};

static const ControlParam send_message[] = {
	{.name = "message", .type = CONTROL_ANY, .help = "Any value."},
	TARGETS,
	END};

static const ControlParam refresh_connection[] = {
	TARGETS,
	OPTIONAL_BOOL("iceRestart",
		      "Search the network's ways anew, too; true. Ours."),
	END};

static const ControlParam get_peers[] = {
	OPTIONAL_BOOL("showAll", "Privileged peers, too."),
	END};

static const ControlParam introduce_peer[] = {
	PEER("sendingPeerId", "The peer that begins."),
	PEER("receivingPeerId", "The peer it is introduced to."),
	END};

/* --- data transfers -------------------------------------------------------- */
#define TIMEOUT                                                           \
	{.name = "timeout", .type = CONTROL_INT, .optional = true,        \
	 .min = 1, .max = TIMEOUT_MAX_S,                                  \
	 .help = "How long a step may take, in seconds; 60."}

static const ControlParam send_blob_data[] = {
	{.name = "data", .type = CONTROL_OBJECT,
	 .fields = (const ControlParam[]){
		 {.name = "fd", .type = CONTROL_INT, .min = 0, .max = 3,
		  .help = "Which of the descriptors sent with the line "
			  "(SCM_RIGHTS): a file to read."},
		 {.name = "name", .type = CONTROL_STRING, .max = 255,
		  .help = "The file's name, as peers see it."},
		 {.name = "mimeType", .type = CONTROL_STRING,
		  .optional = true, .max = 255, .help = "Its type."},
		 END},
	 .help = "The file."},
	TIMEOUT,
	TARGETS,
	END};

static const ControlParam send_url_data[] = {
	{.name = "data", .type = CONTROL_STRING, .max = DATA_URL_MAX_BYTES,
	 .help = "The data URL."},
	TIMEOUT,
	TARGETS,
	END};

static const ControlParam accept_transfer[] = {
	PEER("peerId", "The sender."),
	PEER("transferId", "As incomingDataRequest told it."),
	OPTIONAL_BOOL("accept", "true: take it; false, the default: refuse."),
	{.name = "destination", .type = CONTROL_OBJECT, .optional = true,
	 .fields = (const ControlParam[]){
		 {.name = "fd", .type = CONTROL_INT, .min = 0, .max = 3,
		  .help = "Which of the descriptors sent with the line "
			  "(SCM_RIGHTS): a file to write."},
		 END},
	 .help = "Ours: a file of the caller's for it. Without it the box "
		 "keeps the file (transfer.received)."},
	END};

static const ControlParam cancel_transfer[] = {
	PEER("peerId", "The other side."),
	PEER("transferId", "The transfer."),
	END};

static const ControlParam received_name[] = {
	{.name = "name", .type = CONTROL_STRING, .max = 255,
	 .help = "The file's name, as transfer.received tells it."},
	END};

/* --- logs ------------------------------------------------------------------ */
#define LOG_LEVEL(h)                                                      \
	{.name = "logLevel", .type = CONTROL_INT, .optional = true,       \
	 .min = 0, .max = LOG_LEVEL_MAX, .help = (h)}

static const ControlParam set_log_level[] = {
	LOG_LEVEL("0 error, 1 warn, 2 info, 3 log, 4 debug; without it warn."),
	END};

static const ControlParam of_log_level[] = {
	LOG_LEVEL("Only those of this level; without it all."),
	END};

static const ControlParam debug_mode[] = {
	{.name = "options", .type = CONTROL_OBJECT, .optional = true,
	 .or_bool = true,
	 .fields = (const ControlParam[]){
		 OPTIONAL_BOOL("trace", "Where in the program a line is from, "
					"too; false."),
		 OPTIONAL_BOOL("storeLogs", "Keep lines for getLogs; false."),
		 END},
	 .help = "Both, none, or which; without it both."},
	END};

static const ControlParam config_get[] = {
	{.name = "names", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Options as section.key, or sections; without it all."},
	END};

#define DRY_RUN                                                           \
	OPTIONAL_BOOL("dryRun", "Only tell what would change; false.")
#define REJOIN                                                            \
	OPTIONAL_BOOL("rejoin",                                           \
		      "Leave the room and join it again if a change "     \
		      "needs that; false: such a change holds from the "  \
		      "next join on.")

static const ControlParam config_set[] = {
	{.name = "values", .type = CONTROL_OBJECT,
	 .help = "{\"section.key\": value}: a value is a text as in the "
		 "file, a whole number, true or false."},
	DRY_RUN, REJOIN, END};

static const ControlParam daemon_restart[] = {
	{.name = "when", .type = CONTROL_STRING, .optional = true,
	 .values = "idle|now|never",
	 .help = "idle, or left out: when nobody is there, which may be at "
		 "once; now: whoever is there; never: not any more."},
	END};

static const ControlParam config_reset[] = {
	{.name = "names", .type = CONTROL_STRINGS,
	 .help = "Options as section.key, or sections."},
	DRY_RUN, REJOIN, END};

static const ControlParam config_reload[] = {REJOIN, END};

#define CHANGED_RESULT                                                    \
	"{changed: [{name, old, new, effect, origin}], rejoined, "        \
	"overridden: [{name, by}]}; effect: applied, rejoin, restart; "   \
	"overridden: what the command line prevails over"

#define MUTED_RESULT "{audioMuted, videoMuted}"
#define STREAM_RESULT                                                     \
	"{id, audio, video, isScreensharing}, as mediaAccessSuccess "     \
	"tells it"
#define TRANSFER_RESULT                                                   \
	"When all ended well: {state, transferId, peerId, listOfPeers, "  \
	"isPrivate, transferInfo}"

const ControlMethod control_methods[] = {
	{.name = "init", .role = CONTROL_ROLE_ADMIN, .params = init,
	 .result = "The settings in force: {appKey, defaultRoom, roomServer, "
		   "...}",
	 .help = "Sets how rooms are asked for and reached, from the next "
		 "join on, and asks the room server for the default room once. "
		 "The configuration file is not changed: it holds again after "
		 "a restart."},
	{.name = "joinRoom", .role = CONTROL_ROLE_OPERATE, .params = join_room,
	 .result = "{room, peerId, peerInfo}",
	 .help = "Joins a room, leaving the one before; answers when self is "
		 "in."},
	{.name = "leaveRoom", .role = CONTROL_ROLE_OPERATE,
	 .params = leave_room, .result = "{peerId, previousRoom}",
	 .help = "Leaves the room. The box stays out until joinRoom, or until "
		 "it is restarted."},
	{.name = "lockRoom", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{isLocked}",
	 .help = "Locks the room: nobody else can join."},
	{.name = "unlockRoom", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{isLocked}",
	 .help = "Unlocks the room."},
	{.name = "getUserMedia", .role = CONTROL_ROLE_OPERATE,
	 .params = get_user_media, .result = STREAM_RESULT,
	 .help = "Takes devices, files or test sources as self's stream."},
	{.name = "sendStream", .role = CONTROL_ROLE_OPERATE,
	 .params = send_stream, .result = STREAM_RESULT,
	 .help = "Sends another stream in place of the one before; peers' "
		 "connections are refreshed where they must be."},
	{.name = "stopStream", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "null",
	 .help = "Stops self's stream."},
	{.name = "shareScreen", .role = CONTROL_ROLE_OPERATE,
	 .params = share_screen, .result = STREAM_RESULT,
	 .help = "Sends a picture as the screen's, in place of self's "
		 "stream."},
	{.name = "stopScreen", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "null",
	 .help = "Ends shareScreen: self's stream is sent again."},
	{.name = "muteStream", .role = CONTROL_ROLE_OPERATE,
	 .params = mute_stream, .result = MUTED_RESULT,
	 .help = "Mutes and unmutes what is sent: black picture, silence."},
	{.name = "enableAudio", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = MUTED_RESULT,
	 .help = "Unmutes the sound."},
	{.name = "disableAudio", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = MUTED_RESULT,
	 .help = "Mutes the sound."},
	{.name = "enableVideo", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = MUTED_RESULT,
	 .help = "Unmutes the picture."},
	{.name = "disableVideo", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = MUTED_RESULT,
	 .help = "Mutes the picture."},
	{.name = "getPeerInfo", .role = CONTROL_ROLE_READ, .params = peer_info,
	 .result = "peerInfo, as events carry it",
	 .help = "What is known about a peer, or about self."},
	{.name = "setUserData", .role = CONTROL_ROLE_OPERATE,
	 .params = user_data, .result = "null",
	 .help = "What peers are told about self; for later joins, too."},
	{.name = "getUserData", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "self's user data",
	 .help = "What peers are told about self."},
	{.name = "sendMessage", .role = CONTROL_ROLE_OPERATE,
	 .params = send_message, .result = "null",
	 .help = "A message over the room server."},
	{.name = "sendP2PMessage", .role = CONTROL_ROLE_OPERATE,
	 .params = send_message, .result = "null",
	 .help = "A message over the data channels."},
	{.name = "sendBlobData", .role = CONTROL_ROLE_OPERATE,
	 .params = send_blob_data, .result = TRANSFER_RESULT,
	 .help = "Offers a file to peers and sends it to those that take "
		 "it."},
	{.name = "sendURLData", .role = CONTROL_ROLE_OPERATE,
	 .params = send_url_data, .result = TRANSFER_RESULT,
	 .help = "Offers a data URL to peers and sends it to those that take "
		 "it."},
	{.name = "acceptDataTransfer", .role = CONTROL_ROLE_OPERATE,
	 .params = accept_transfer, .result = "null",
	 .help = "Takes or refuses what incomingDataRequest offers."},
	{.name = "respondBlobRequest", .role = CONTROL_ROLE_OPERATE,
	 .params = accept_transfer, .result = "null",
	 .help = "The old name of acceptDataTransfer."},
	{.name = "cancelDataTransfer", .role = CONTROL_ROLE_OPERATE,
	 .params = cancel_transfer, .result = "null",
	 .help = "Ends a transfer, in either direction, at any step."},
	{.name = "cancelBlobTransfer", .role = CONTROL_ROLE_OPERATE,
	 .params = cancel_transfer, .result = "null",
	 .help = "The old name of cancelDataTransfer."},
	{.name = "refreshConnection", .role = CONTROL_ROLE_OPERATE,
	 .params = refresh_connection,
	 .result = "{listOfPeers, refreshErrors, refreshSettings}",
	 .help = "Negotiates connections anew; answers when it has begun."},
	{.name = "getPeers", .role = CONTROL_ROLE_OPERATE,
	 .params = get_peers, .result = "{ROOM: [peerId, ...], ...}; ROOM: the server's id of it",
	 .help = "The rooms and peers of a privileged key."},
	{.name = "introducePeer", .role = CONTROL_ROLE_OPERATE,
	 .params = introduce_peer, .result = "null",
	 .help = "Has two peers connect; for a privileged key. What goes "
		 "wrong is told by introduceStateChange."},
	{.name = "generateUUID", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "a string",
	 .help = "A random UUID."},
	{.name = "setLogLevel", .role = CONTROL_ROLE_OPERATE,
	 .params = set_log_level, .result = "null",
	 .help = "What the daemon logs, until it is restarted."},
	{.name = "setDebugMode", .role = CONTROL_ROLE_OPERATE,
	 .params = debug_mode, .result = "{trace, storeLogs}",
	 .help = "Whether log lines are kept for getLogs, and tell their "
		 "place."},
	{.name = "getLogs", .role = CONTROL_ROLE_OPERATE,
	 .params = of_log_level,
	 .result = "An array of [timestamp, level, text, object], the latest "
		   "4096 lines",
	 .help = "The log lines kept since setDebugMode; the newest that fit "
		 "in a line."},
	{.name = "clearAllLogs", .role = CONTROL_ROLE_OPERATE,
	 .params = of_log_level, .result = "null",
	 .help = "Forgets the log lines that are kept."},
	{.name = "printAllLogs", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "how many",
	 .help = "Prints the log lines that are kept on the daemon's standard "
		 "error."},
	{.name = "transfer.list", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "An array of {peerId, transferId, state, transferInfo, "
		   "bytes, bytesPerSecond}",
	 .help = "The transfers that wait or run."},
	{.name = "transfer.received", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS,
	 .result = "An array of {name, size, sha256, mimeType, peerId, "
		   "transferId, originalName, time}, oldest first",
	 .help = "The files that came, and are kept in the spool; the newest "
		 "that fit in a line."},
	{.name = "transfer.fetch", .role = CONTROL_ROLE_OPERATE,
	 .params = received_name,
	 .result = "{fd, name, size, sha256}; the descriptor comes with the "
		   "line (SCM_RIGHTS)",
	 .help = "Opens a received file for reading."},
	{.name = "transfer.remove", .role = CONTROL_ROLE_OPERATE,
	 .params = received_name, .result = "null",
	 .help = "Deletes a received file."},
	{.name = "device.list", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "An array of {kind, source, name, id, port, node, inUse, "
		   "pcm, formats}",
	 .help = "The cameras and microphones that are there, and the test "
		 "sources. source is what to write into the configuration: it "
		 "stays the same when the device is plugged in again."},
	{.name = "stats.status", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "{version, uptime_s, room, schedule, life, selftest, "
		   "roomserver, video, audio, streams, network, peers, "
		   "transfers, restart, control, process}",
	 .help = "Everything an operator wants to see at once."},
	{.name = "stats.peers", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "an array, one object per peer",
	 .help = "The peers and how their media fares."},
	{.name = "stats.doctor", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "an array of {check, state, what, advice}; state: ok, "
		   "warning, failed or skipped",
	 .help = "Looks at devices, rights, the kernel, the disk, the network, "
		 "the room server and the configuration, and says what to do; "
		 "takes some seconds, one at a time."},
	{.name = "schedule.get", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "{room, source, until, until_text, next_room, time_zone, "
		   "entry, entries}; source: configured, schedule or hand; "
		   "until: Unix seconds, or null",
	 .help = "The room that is wanted now, why, and what comes next."},
	{.name = "selftest.run", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS,
	 .result = "{running, next, last: {at, result, reason, rows}, ok}; "
		   "result: ok, warning, failed or aborted; rows as "
		   "stats.doctor has them",
	 .help = "Tries everything now, as at night: the doctor's checks, "
		 "pictures, sound, encoder and transport. Not while somebody "
		 "is in the room; nothing of it is sent to anybody. Answered "
		 "when it is over, within a minute."},
	{.name = "selftest.show", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "as selftest.run; last.result may be skipped, too",
	 .help = "What the last self-test found, and when the next one is."},
	{.name = "config.get", .role = CONTROL_ROLE_READ,
	 .params = config_get,
	 .result = "an array of {name, value, default, origin, allowed, "
		   "change, help}; change: live, rejoin, restart",
	 .help = "The configuration in force, and where each value is from. "
		 "Secrets are not in it."},
	{.name = "config.diff", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "{set: [{name, value, default, origin}], pending: [{name, "
		   "old, new, effect, origin}], problems}",
	 .help = "What is not as by default; what the files say and is not in "
		 "force; what is wrong with them."},
	{.name = "config.reload", .role = CONTROL_ROLE_ADMIN,
	 .params = config_reload, .result = CHANGED_RESULT,
	 .help = "Reads the configuration again and applies what can change "
		 "while peers stay connected. When anything is wrong nothing "
		 "changes; error.data.problems tells file and line."},
	{.name = "config.set", .role = CONTROL_ROLE_ADMIN,
	 .params = config_set, .result = CHANGED_RESULT,
	 .help = "Sets options for good: in the set-file, which is read last, "
		 "and by a reload. What cannot be applied is taken back."},
	{.name = "daemon.restart", .role = CONTROL_ROLE_ADMIN,
	 .params = daemon_restart,
	 .result = "{state: none, waiting or restarting, asked_s, peers, "
		   "transfers}",
	 .help = "Ends the daemon, to be started anew by systemd: when nobody "
		 "is in its room and nothing is transferred, or at once."},
	{.name = "config.reset", .role = CONTROL_ROLE_ADMIN,
	 .params = config_reset, .result = CHANGED_RESULT,
	 .help = "Takes options out of the set-file again, and reloads."},
	END};

/* --- the server's own ------------------------------------------------------ */
#define WHERE_HELP                                                        \
	"Only events whose fields are so: {\"state\": \"completed\", "   \
	"\"message.isPrivate\": true}; an array: one of its values."

static const ControlParam subscribe[] = {
	{.name = "events", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Names of events; a name may end in '*'. Without it all."},
	{.name = "peerId", .type = CONTROL_STRING, .optional = true,
	 .max = ID_MAX_BYTES,
	 .help = "Of events about a peer, only this one's. Empty: all."},
	{.name = "where", .type = CONTROL_OBJECT, .optional = true,
	 .help = WHERE_HELP},
	OPTIONAL_BOOL("once", "After the first that fits they end."),
	END};

static const ControlParam unsubscribe[] = {
	{.name = "events", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Names as for subscribe. Without it all."},
	END};

#define EVENT_NAME                                                        \
	{.name = "eventName", .type = CONTROL_STRINGS,                    \
	 .help = "The event, or several; a name may end in '*'."}

static const ControlParam on_event[] = {EVENT_NAME, END};

static const ControlParam once_event[] = {
	EVENT_NAME,
	{.name = "condition", .type = CONTROL_OBJECT, .optional = true,
	 .help = WHERE_HELP},
	OPTIONAL_BOOL("fireAlways", "Every event that fits, not the first "
				    "alone."),
	END};

static const ControlParam constants[] = {
	{.name = "names", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Which; without it all."},
	END};

#define SUBSCRIBED "{events}: all that are subscribed now"

const ControlMethod control_builtin_methods[] = {
	{.name = "subscribe", .role = CONTROL_ROLE_READ, .params = subscribe,
	 .result = SUBSCRIBED,
	 .help = "From now on events arrive as {\"jsonrpc\":\"2.0\","
		 "\"method\":NAME,\"params\":{...}}. Adds to what was "
		 "subscribed before; what fits several subscriptions arrives "
		 "once."},
	{.name = "unsubscribe", .role = CONTROL_ROLE_READ,
	 .params = unsubscribe, .result = SUBSCRIBED,
	 .help = "Events stop."},
	{.name = "on", .role = CONTROL_ROLE_READ, .params = on_event,
	 .result = SUBSCRIBED, .help = "The API's name of subscribe."},
	{.name = "once", .role = CONTROL_ROLE_READ, .params = once_event,
	 .result = SUBSCRIBED,
	 .help = "The first event that fits the condition arrives, and then "
		 "no more."},
	{.name = "off", .role = CONTROL_ROLE_READ, .params = on_event,
	 .result = SUBSCRIBED, .help = "The API's name of unsubscribe."},
	{.name = "rpc.discover", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "an OpenRPC document",
	 .help = "The methods and events of this very program."},
	{.name = "rpc.constants", .role = CONTROL_ROLE_READ,
	 .params = constants,
	 .result = "{NAME: value, ...}, such as DATA_TRANSFER_STATE",
	 .help = "The constants of the SkylinkJS API, by name."},
	END};

const ControlEvent control_events[] = {
	{"readyStateChange", "readyState, error, room",
	 "The room's credentials are fetched (init), or could not be."},
	{"channelOpen", "", "The signaling connection is open."},
	{"channelClose", "", "The signaling connection is closed."},
	{"channelMessage", "message", "A signaling message arrived."},
	{"channelError", "error", "The signaling connection failed."},
	{"channelRetry", "fallbackType, currentAttempt",
	 "The signaling connection is tried again."},
	{"socketError", "errorCode, error, type",
	 "The signaling connection could not be made."},
	{"handshakeProgress", "state, peerId, error",
	 "A step of the handshake with a peer: enter, welcome, offer, "
	 "answer, or error."},
	{"candidateGenerationState", "state, peerId",
	 "Local candidates for a peer are being gathered, or all known."},
	{"peerConnectionState", "state, peerId",
	 "The signaling state of a peer's connection."},
	{"iceConnectionState", "state, peerId",
	 "The ICE state of a peer's connection."},
	{"mediaAccessError", "error, isScreensharing, isAudioFallbackError",
	 "A source of the stream could not be had."},
	{"mediaAccessFallback",
	 "error, state, isScreensharing, isAudioFallback",
	 "Without the picture sound alone is tried: state 0; 1: it is had; "
	 "-1: it is not."},
	{"mediaAccessSuccess", "stream, isScreensharing",
	 "A stream's sources are there."},
	{"mediaAccessRequired", "",
	 "joinRoom with manualGetUserMedia waits for getUserMedia."},
	{"mediaAccessStopped", "isScreensharing",
	 "Self's stream was stopped."},
	{"peerJoined", "peerId, peerInfo, isSelf",
	 "A peer came; isSelf: we are in the room."},
	{"peerRestart", "peerId, peerInfo, isSelfInitiateRestart",
	 "A peer's connection was made anew."},
	{"peerUpdated", "peerId, peerInfo, isSelf",
	 "A peer's user data or mute state changed."},
	{"peerLeft", "peerId, peerInfo, isSelf", "A peer went."},
	{"sessionDisconnect", "peerId, peerInfo",
	 "The room was lost; it is joined again by itself."},
	{"incomingStream", "peerId, stream, isSelf, peerInfo",
	 "A peer's media is there."},
	{"incomingMessage", "message, peerId, peerInfo, isSelf",
	 "A peer sent a message."},
	{"incomingData", "data, transferId, peerId, transferInfo, isSelf",
	 "A transfer is complete; data: the data URL, or {path} of the "
	 "file."},
	{"incomingDataRequest", "transferId, peerId, transferInfo, isSelf",
	 "A peer offers a file or a data URL."},
	{"roomLock", "isLocked, peerId, peerInfo, isSelf",
	 "The room was locked or unlocked."},
	{"dataChannelState", "state, peerId, error, channelName, channelType",
	 "A data channel's state."},
	{"dataTransferState", "state, transferId, peerId, transferInfo, error",
	 "A transfer goes on, is complete, was refused, or failed."},
	{"systemAction", "action, message, reason",
	 "The room server warns, or turns us out."},
	{"serverPeerJoined", "peerId, serverPeerType",
	 "A server's peer, such as an MCU, came."},
	{"serverPeerLeft", "peerId, serverPeerType",
	 "A server's peer went."},
	{"serverPeerRestart", "peerId, serverPeerType",
	 "The connection with a server's peer was made anew."},
	{"streamEnded", "peerId, peerInfo, isSelf, isScreensharing",
	 "A peer's media ended."},
	{"streamMuted", "peerId, peerInfo, isSelf, isScreensharing",
	 "A peer muted or unmuted its media; isSelf: we did."},
	{"getPeersStateChange", "state, privilegedPeerId, peerList",
	 "A privileged peer asked for the peers, or has them."},
	{"introduceStateChange",
	 "state, privilegedPeerId, sendingPeerId, receivingPeerId, reason",
	 "A privileged peer introduces two others, or it failed."},
	{"transfer.refused", "peerId, transferId, transferInfo, error",
	 "A file came that would have been taken by itself (transfer.accept), "
	 "but could not be: error says why."},
	{"device.state", "kind, state, detail",
	 "A camera or microphone came, went, or was replaced by a "
	 "placeholder."},
	{"device.added", "kind, name, id, port, node",
	 "A camera or sound card was plugged in."},
	{"device.removed", "kind, name, id, port, node",
	 "A camera or sound card was unplugged."},
	{"device.changed", "kind, name, id, port, node",
	 "A camera's or sound card's names or permissions changed."},
	{"config.changed", "changed, rejoined, overridden",
	 "The configuration was read again and changed something; as "
	 "config.reload answers."},
	{"selftest.done", "result, at",
	 "A self-test is over, or was not begun (skipped)."},
	{"stats.codec", "codec, running",
	 "An encoder starts because a peer takes it, or stops because none "
	 "does."},
	END};
