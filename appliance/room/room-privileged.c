// SPDX-License-Identifier: Apache-2.0
#include "appliance/room/room-private.h"

#include "appliance/signaling/message-build.h"

#define PEER_ID_MAX_BYTES 256

static JsonObject *state_params(Room *r, const char *state)
{
	JsonObject *params = json_object_new();

	json_object_set_string_member(params, "state", state);
	json_object_set_string_member(params, "privilegedPeerId", r->sid);
	return params;
}

static gboolean need_privilege(Room *r, GError **error)
{
	if (!room_need_joined(r, error))
		return FALSE;
	if (room_session_is_privileged(r->session))
		return TRUE;
	g_set_error(
		error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
		"The app key is not privileged: the room server gives peers "
		"of other rooms to privileged keys alone");
	return FALSE;
}

static gboolean sent(gboolean ok, GError **error)
{
	if (!ok)
		g_set_error(error, ROOM_ERROR, ROOM_ERROR_BUSY,
			    "Too much is waiting to be sent");
	return ok;
}

/* --- who is where -------------------------------------------------------- */
gboolean room_get_peers(Room *r, gboolean show_all, GError **error)
{
	JsonObject *params;

	if (!need_privilege(r, error) ||
	    !sent(room_session_send(r->session,
				    message_build_get_peers(show_all)),
		  error))
		return FALSE;
	params = state_params(r, "enquired");
	json_object_set_null_member(params, "peerList");
	room_emit(r, "getPeersStateChange", params);
	return TRUE;
}

void room_take_peer_list(Room *r, const Message *m)
{
	JsonObject *params = state_params(r, "received");

	json_object_set_object_member(params, "peerList",
				      json_object_ref(m->peer_list));
	room_emit(r, "getPeersStateChange", params);
}

/* --- bringing two together ----------------------------------------------- */
static void emit_introduce(Room *r, const char *state, const char *sending,
			   const char *receiving, const char *reason)
{
	JsonObject *params = state_params(r, state);

	json_object_set_string_member(params, "sendingPeerId", sending);
	json_object_set_string_member(params, "receivingPeerId", receiving);
	if (reason)
		json_object_set_string_member(params, "reason", reason);
	else
		json_object_set_null_member(params, "reason");
	room_emit(r, "introduceStateChange", params);
}

static gboolean is_peer_id(const char *id, const char *what, GError **error)
{
	if (id && *id && strlen(id) <= PEER_ID_MAX_BYTES &&
	    g_utf8_validate(id, -1, NULL))
		return TRUE;
	g_set_error(error, ROOM_ERROR, ROOM_ERROR_ARGUMENT,
		    "The %s peer's id must be 1 to %d bytes of UTF-8", what,
		    PEER_ID_MAX_BYTES);
	return FALSE;
}

gboolean room_introduce(Room *r, const char *sending, const char *receiving,
			GError **error)
{
	if (!is_peer_id(sending, "sending", error) ||
	    !is_peer_id(receiving, "receiving", error) ||
	    !need_privilege(r, error) ||
	    !sent(room_session_send(r->session, message_build_introduce(
							sending, receiving)),
		  error))
		return FALSE;
	emit_introduce(r, "introducing", sending, receiving, NULL);
	return TRUE;
}

void room_take_introduce_error(Room *r, const Message *m)
{
	emit_introduce(r, "error", m->introduce.sending_peer,
		       m->introduce.receiving_peer,
		       m->introduce.reason ? m->introduce.reason : "");
}
