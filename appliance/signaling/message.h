/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/message.h - the meaning of one signaling message
 *
 * A message is a JSON object with a "type". Parsing checks every field of
 * the catalogue against its type and limits before anybody reads it, for all
 * client versions alike; unknown types and unknown fields pass.
 *
 * Source:  docs/skylink-protocol.md §4.2 (catalogue), §16 (versions)
 * Thread:  any
 * Memory:  a Message keeps a reference to its JsonObject, and its strings
 *          and nodes point into it
 */
#pragma once

#include <json-glib/json-glib.h>

/* Longest text of one message, of an SDP, of an id, of any short string. */
#define MESSAGE_MAX_BYTES	    (1024 * 1024)
#define MESSAGE_MAX_SDP_BYTES	    (256 * 1024)
#define MESSAGE_MAX_ID_BYTES	    256
#define MESSAGE_MAX_STRING_BYTES    4096
#define MESSAGE_MAX_GROUP	    64	/* messages in one received group */
#define MESSAGE_MAX_ICE_SERVERS	    32
#define MESSAGE_MAX_LISTED	    4096	/* peers in one peerList */

#define MESSAGE_ERROR (message_error_quark())
GQuark message_error_quark(void);

enum message_error_code {
	MESSAGE_ERROR_TYPE,	/* no type, or of the wrong kind */
	MESSAGE_ERROR_MISSING,	/* a field that the receiver needs is absent */
	MESSAGE_ERROR_KIND,	/* a field has the wrong JSON type */
	MESSAGE_ERROR_LIMIT,	/* a field is too long or out of range */
};

typedef enum {
	MESSAGE_UNKNOWN,
	MESSAGE_JOIN_ROOM,
	MESSAGE_IN_ROOM,
	MESSAGE_ENTER,
	MESSAGE_WELCOME,
	MESSAGE_OFFER,
	MESSAGE_ANSWER,
	MESSAGE_CANDIDATE,
	MESSAGE_END_OF_CANDIDATES,
	MESSAGE_RESTART,
	MESSAGE_BYE,
	MESSAGE_REDIRECT,
	MESSAGE_PUBLIC,
	MESSAGE_PRIVATE,
	MESSAGE_UPDATE_USER,
	MESSAGE_MUTE_AUDIO,
	MESSAGE_MUTE_VIDEO,
	MESSAGE_STREAM,
	MESSAGE_ROOM_LOCK,
	MESSAGE_GROUP,
	MESSAGE_GET_PEERS,
	MESSAGE_PEER_LIST,
	MESSAGE_INTRODUCE,
	MESSAGE_INTRODUCE_ERROR,
	MESSAGE_APPROACH,
	MESSAGE_START_RECORDING,
	MESSAGE_STOP_RECORDING,
	MESSAGE_RECORDING,
	MESSAGE_PING,
	MESSAGE_ANSWER_ACK,	/* 2.x */
	MESSAGE_MEDIA_INFO,	/* 2.x: mediaInfoEvent */
	MESSAGE_MESSAGE,	/* 2.x: public or private text */
	N_MESSAGE_TYPES,
} MessageType;

/* The wire's name: "inRoom"; NULL for MESSAGE_UNKNOWN. */
const char *message_type_name(MessageType type);

/* How a peer introduces itself: enter, welcome, restart; and, as far as
 * present, the offers and answers of 0.9.x and 2.x. NULL: absent. */
typedef struct {
	const char *agent;
	char *version;		/* a number is turned into its text */
	const char *os;
	const char *sm_version, *dt_version;
	const char *session_type;	/* 0.6.12 */
	const char *parent_id;
	gboolean has_weight;
	gdouble weight;		/* up to +-2^53, exact */
	gboolean receive_only;
	gboolean publish_only;
	gboolean ice_trickle;	/* TRUE when absent */
	gboolean data_channel;	/* TRUE when absent */
	gboolean ice_restart;	/* the peer can do ICE restarts */
	/* restart only */
	gboolean do_ice_restart, is_restart_resend;
	gboolean is_connection_restart, is_explicit;
	gint64 last_restart;	/* ms, 0: absent */
	JsonObject *user_info;
} MessageHello;

typedef struct {
	MessageType type;
	const char *type_name;
	const char *mid, *rid, *target;		/* NULL: absent */
	JsonObject *object;
	MessageHello hello;
	union {
		struct {
			const char *sid;
			gboolean has_tie_breaker;
			gdouble tie_breaker;
			JsonArray *ice_servers;	/* objects, or NULL */
		} in_room;
		struct {
			const char *sdp;
			gboolean restart;	/* a re-sent one */
			JsonArray *media_info;	/* objects, or NULL */
		} description;			/* offer, answer */
		struct {
			const char *candidate, *id;
			guint label;
		} candidate;
		guint n_candidates;		/* endOfCandidates */
		struct {
			const char *action, *reason, *info;
		} redirect;
		struct {
			JsonNode *data;		/* never NULL */
			const char *cid;
		} text;			/* public, private, message */
		struct {
			JsonNode *user_data;	/* updateUserEvent; set */
			gboolean muted;		/* mute*Event */
			gboolean has_stamp;
			gdouble stamp;		/* sender's clock, ms */
		} update;
		struct {
			const char *status, *stream_id, *session_type;
			JsonObject *settings;
		} stream;
		gboolean lock;
		gboolean success;		/* answerAck */
		struct {
			const char *publisher_id, *media_id;
			const char *media_type, *media_state;
		} media;
		/* room: [ids], both checked; at most MESSAGE_MAX_LISTED ids
		 * in all */
		JsonObject *peer_list;
		struct {
			const char *sending_peer, *receiving_peer, *reason;
		} introduce;			/* and introduceError */
		gboolean show_all;		/* getPeers */
		struct {
			const char *action, *id, *url, *error;
			JsonArray *urls;	/* objects, or NULL */
		} recording;
	};
} Message;

/**
 * message_parse() - check an object and read it
 * @object: referenced, not changed
 *
 * Return: the message, or NULL with an error that names the type and the
 * field: "offer: field 'sdp' must be a string".
 */
Message *message_parse(JsonObject *object, GError **error);
/* The same for a text, which passes json_check() first. */
Message *message_parse_text(const char *text, gssize len, GError **error);
/* Takes NULL. Returns NULL. */
Message *message_free(Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

/**
 * message_unbundle() - the messages inside a group, in order
 * @ret_bad: counts those that do not parse (skipped), groups in groups too
 *
 * Return: (transfer full): array of Message, freeing its elements.
 */
GPtrArray *message_unbundle(const Message *group, guint *ret_bad);
