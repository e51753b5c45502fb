// SPDX-License-Identifier: Apache-2.0
#include "appliance/daemon-messages.h"

#include <stdarg.h>
#include <string.h>

static const struct daemon_message_row rows[N_DAEMON_MESSAGES] = {
	[DAEMON_MESSAGE_STARTED] = {
		"8355d35611c04fdbb293734845b89945", "started",
		G_LOG_LEVEL_MESSAGE, "", "The daemon is ready."},
	[DAEMON_MESSAGE_STOPPING] = {
		"3a49bb095851499890ec5235c11571b2", "stopping",
		G_LOG_LEVEL_MESSAGE, "", "The daemon was told to end."},
	[DAEMON_MESSAGE_ROOM_JOINED] = {
		"ca0186e89d434811a83a79e0ea7cede8", "room-joined",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM, SKYLINK_PEER",
		"The box is in the room; the peer is itself."},
	[DAEMON_MESSAGE_ROOM_LEFT] = {
		"beea0c43d94d479989c18c9999000685", "room-left",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM", "The box left the room."},
	[DAEMON_MESSAGE_ROOM_LOST] = {
		"818a5d4e64894275ab482c98b2fd7138", "room-lost",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM",
		"The signaling connection is gone; the room is joined again "
		"by itself."},
	[DAEMON_MESSAGE_ROOM_REFUSED] = {
		"48f3235de6104916b37d89a77aa6f215", "room-refused",
		G_LOG_LEVEL_WARNING, "SKYLINK_ROOM, SKYLINK_REASON",
		"The room server warns the box, or turns it out."},
	[DAEMON_MESSAGE_SIGNALING] = {
		"bc73c23ed3b148838f0af49779f3367d", "signaling-failed",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM, SKYLINK_REASON",
		"The signaling connection failed or could not be made."},
	[DAEMON_MESSAGE_PEER_JOINED] = {
		"d6ddf3bbaf04497bbcd1d8444b42b4bf", "peer-joined",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM, SKYLINK_PEER",
		"A peer came."},
	[DAEMON_MESSAGE_PEER_LEFT] = {
		"a5217c92ffdc437d875ab27ec7f98ffa", "peer-left",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM, SKYLINK_PEER",
		"A peer went."},
	[DAEMON_MESSAGE_NETWORK] = {
		"56341197840842fd908cf603be633245", "network",
		G_LOG_LEVEL_MESSAGE, "",
		"The box has other addresses than before: media and signaling "
		"move there."},
	[DAEMON_MESSAGE_DEVICE] = {
		"14f90bb9186842a8ac0963a6bf97aa1a", "device",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_DEVICE, SKYLINK_REASON",
		"A camera or microphone came or went, or a placeholder "
		"stands for it; the reason is its state."},
	[DAEMON_MESSAGE_STUCK] = {
		"5d8a501df4e14336b07b952f70fcce99", "stuck",
		G_LOG_LEVEL_CRITICAL, "SKYLINK_DEVICE",
		"A stage makes no progress; the watchdog starts the daemon "
		"anew."},
	[DAEMON_MESSAGE_CRASHED] = {
		"a22426def23b4557925bf4e6dd11dfb5", "crashed",
		G_LOG_LEVEL_CRITICAL,
		"SKYLINK_REASON, SKYLINK_BUILD_ID, SKYLINK_BACKTRACE",
		"The daemon ends by a signal that tells of a fault in it, "
		"which is the reason; systemd starts it anew. A second record "
		"says where it was, for addr2line(1)."},
	[DAEMON_MESSAGE_SCHEDULE] = {
		"34c635a6eb6b40be8f256bf8eeee119a", "schedule",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_ROOM",
		"The schedule changes rooms, or leaves one."},
	[DAEMON_MESSAGE_RECOVERED] = {
		"9d02acb00f3b4fc1a774c8fd6ea58b3e", "recovered",
		G_LOG_LEVEL_WARNING, "SKYLINK_ROOM, SKYLINK_REASON",
		"The daemon before this one ended without saying so; the room "
		"is the one it was in."},
	[DAEMON_MESSAGE_STORAGE] = {
		"db4510a6afd042f9bf6c496994e144fa", "storage",
		G_LOG_LEVEL_WARNING, "SKYLINK_REASON",
		"The state cannot be kept, as on a full disk, or can be again; "
		"the call goes on."},
	[DAEMON_MESSAGE_SELFTEST] = {
		"98e3113c71a842ea986ed513d5ec06d5", "selftest",
		G_LOG_LEVEL_MESSAGE, "SKYLINK_REASON",
		"The self-test ended; the reason is its result."},
	[DAEMON_MESSAGE_RESTARTING] = {
		"1fe43bf9fd9e47ec8756103f4a6b7fe3", "restarting",
		G_LOG_LEVEL_MESSAGE, "",
		"The daemon ends as daemon.restart asked it to; systemd starts "
		"it anew."},
	[DAEMON_MESSAGE_NOT_JOINED] = {
		"a3a255d3d5014602ae8a8b5810d4a4ba", "room-not-joined",
		G_LOG_LEVEL_WARNING, "SKYLINK_ROOM, SKYLINK_REASON",
		"The room cannot be joined, and why; it is tried again for "
		"ever, and the same reason is told once."},
	[DAEMON_MESSAGE_CERTIFICATE] = {
		"3662dce51cba48ad8ce9aac721b1f1f8", "certificate",
		G_LOG_LEVEL_MESSAGE, "",
		"The room server or the console shows another certificate from "
		"now on: the operator's was renewed, or one of the box's own "
		"making was about to end."},
	[DAEMON_MESSAGE_CERTIFICATE_BAD] = {
		"95673fd525cb45fdb7427aeae673e6ec", "certificate-bad",
		G_LOG_LEVEL_WARNING, "SKYLINK_REASON",
		"The operator's certificate ends soon, has ended, or cannot be "
		"read; the one before stays in use."},
};

const struct daemon_message_row *daemon_message_get(enum daemon_message m)
{
	return m < N_DAEMON_MESSAGES ? &rows[m] : NULL;
}

/* GLogField's own words for text. */
static void add(GLogField *fields, gsize *n, const char *key, const char *text)
{
	if (text)
		fields[(*n)++] = (GLogField){key, text, -1};
}

/* A stranger's: of bounded length, whole characters. */
static char *cut(const char *text)
{
	char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

	if (valid && strlen(valid) > DAEMON_MESSAGE_FIELD_MAX)
		*g_utf8_find_prev_char(valid, valid +
				       DAEMON_MESSAGE_FIELD_MAX + 1) = '\0';
	return valid;
}

static const char *priority(GLogLevelFlags level)
{
	return level == G_LOG_LEVEL_CRITICAL || level == G_LOG_LEVEL_WARNING ?
		"4" : "5";	/* as GLib has them */
}

void daemon_message_log(enum daemon_message m,
			const struct daemon_message_about *about,
			const char *format, ...)
{
	const struct daemon_message_row *row = &rows[m];
	static const struct daemon_message_about nothing;
	g_autofree char *text = NULL, *room = NULL, *peer = NULL;
	g_autofree char *device = NULL, *reason = NULL;
	GLogField fields[10];
	gsize n = 0;
	va_list args;

	if (!about)
		about = &nothing;
	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	room = cut(about->room);
	peer = cut(about->peer);
	device = cut(about->device);
	reason = cut(about->reason);
	add(fields, &n, "PRIORITY", priority(row->level));
	add(fields, &n, "GLIB_DOMAIN", G_LOG_DOMAIN);
	add(fields, &n, "MESSAGE", text);
	add(fields, &n, "MESSAGE_ID", row->id);
	add(fields, &n, "SKYLINK_EVENT", row->event);
	add(fields, &n, "SKYLINK_ROOM", room);
	add(fields, &n, "SKYLINK_PEER", peer);
	add(fields, &n, "SKYLINK_DEVICE", device);
	add(fields, &n, "SKYLINK_REASON", reason);
	g_log_structured_array(row->level, fields, n);
}
