// SPDX-License-Identifier: Apache-2.0
/* appliance/control/control-methods.c - the two tables themselves
 *
 * Methods and events without a dot have the names and parameters of the
 * SkylinkJS API; ours have a namespace.
 */
#include "appliance/control/control-table.h"

#define NO_PARAMS NULL
#define END	  {.name = NULL}

static const ControlParam join_room[] = {
	{.name = "room", .type = CONTROL_STRING, .optional = true, .max = 256,
	 .help = "The room; without it the configured one."},
	{.name = "options", .type = CONTROL_OBJECT, .optional = true,
	 .fields = (const ControlParam[]){
		 {.name = "userData", .type = CONTROL_ANY, .optional = true,
		  .help = "What peers are told about self."},
		 END},
	 .help = "Settings of this join."},
	END};

static const ControlParam mute_stream[] = {
	{.name = "options", .type = CONTROL_OBJECT,
	 .fields = (const ControlParam[]){
		 {.name = "audioMuted", .type = CONTROL_BOOL, .optional = true,
		  .help = "The sound; left out: as it is."},
		 {.name = "videoMuted", .type = CONTROL_BOOL, .optional = true,
		  .help = "The picture; left out: as it is."},
		 END},
	 .help = "What is to be muted."},
	END};

static const ControlParam peer_info[] = {
	{.name = "peerId", .type = CONTROL_STRING, .optional = true,
	 .max = 256, .help = "The peer; without it self."},
	END};

static const ControlParam config_get[] = {
	{.name = "names", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Options as section.key, or sections; without it all."},
	END};

const ControlMethod control_methods[] = {
	{.name = "joinRoom", .role = CONTROL_ROLE_OPERATE, .params = join_room,
	 .result = "{room, peerId, peerInfo}",
	 .help = "Joins a room, leaving the one before; answers when self is "
		 "in."},
	{.name = "leaveRoom", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{peerId, previousRoom}",
	 .help = "Leaves the room. The box stays out until joinRoom, or until "
		 "it is restarted."},
	{.name = "muteStream", .role = CONTROL_ROLE_OPERATE,
	 .params = mute_stream, .result = "{audioMuted, videoMuted}",
	 .help = "Mutes and unmutes what is sent: black picture, silence."},
	{.name = "enableAudio", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{audioMuted, videoMuted}",
	 .help = "Unmutes the sound."},
	{.name = "disableAudio", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{audioMuted, videoMuted}",
	 .help = "Mutes the sound."},
	{.name = "enableVideo", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{audioMuted, videoMuted}",
	 .help = "Unmutes the picture."},
	{.name = "disableVideo", .role = CONTROL_ROLE_OPERATE,
	 .params = NO_PARAMS, .result = "{audioMuted, videoMuted}",
	 .help = "Mutes the picture."},
	{.name = "getPeerInfo", .role = CONTROL_ROLE_READ, .params = peer_info,
	 .result = "peerInfo, as events carry it",
	 .help = "What is known about a peer, or about self."},
	{.name = "stats.status", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS,
	 .result = "{version, uptime_s, room, roomserver, video, audio, "
		   "network, peers, process}",
	 .help = "Everything an operator wants to see at once."},
	{.name = "stats.peers", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "an array, one object per peer",
	 .help = "The peers and how their media fares."},
	{.name = "config.get", .role = CONTROL_ROLE_READ,
	 .params = config_get,
	 .result = "an array of {name, value, default, origin, reload, help}",
	 .help = "The configuration in force, and where each value is from. "
		 "Secrets are not in it."},
	END};

static const ControlParam subscribe[] = {
	{.name = "events", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Names of events; a name may end in '*'. Without it all."},
	{.name = "peerId", .type = CONTROL_STRING, .optional = true,
	 .max = 256,
	 .help = "Of events about a peer, only this one's. Empty: all."},
	END};

static const ControlParam unsubscribe[] = {
	{.name = "events", .type = CONTROL_STRINGS, .optional = true,
	 .help = "Names as for subscribe. Without it all."},
	END};

const ControlMethod control_builtin_methods[] = {
	{.name = "subscribe", .role = CONTROL_ROLE_READ, .params = subscribe,
	 .result = "{events}: all that are subscribed now",
	 .help = "From now on events arrive as {\"jsonrpc\":\"2.0\","
		 "\"method\":NAME,\"params\":{...}}. Adds to what was "
		 "subscribed before."},
	{.name = "unsubscribe", .role = CONTROL_ROLE_READ,
	 .params = unsubscribe,
	 .result = "{events}: all that are subscribed now",
	 .help = "Events stop."},
	{.name = "rpc.discover", .role = CONTROL_ROLE_READ,
	 .params = NO_PARAMS, .result = "an OpenRPC document",
	 .help = "The methods and events of this very program."},
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
	{"roomLock", "isLocked, peerId, peerInfo, isSelf",
	 "The room was locked or unlocked."},
	{"dataChannelState", "state, peerId, error, channelName, channelType",
	 "A data channel's state."},
	{"systemAction", "action, message, reason",
	 "The room server warns, or turns us out."},
	{"serverPeerJoined", "peerId, serverPeerType",
	 "A server's peer, such as an MCU, came."},
	{"serverPeerLeft", "peerId, serverPeerType",
	 "A server's peer went."},
	{"streamEnded", "peerId, peerInfo, isSelf, isScreensharing",
	 "A peer's media ended."},
	{"streamMuted", "peerId, peerInfo, isSelf, isScreensharing",
	 "A peer muted or unmuted its media; isSelf: we did."},
	{"device.state", "kind, state, detail",
	 "A camera or microphone came, went, or was replaced by a "
	 "placeholder."},
	{"stats.codec", "codec, running",
	 "An encoder starts because a peer takes it, or stops because none "
	 "does."},
	END};
