/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/engineio.h - Engine.IO 3 and Socket.IO 1.x packets
 *
 *   WebSocket frame or polling payload entry
 *   +---+---+--------------------------------------+
 *   | 4 | 2 | ["message","{\"type\":\"enter\",..}"] |
 *   +---+---+--------------------------------------+
 *     |   '- Socket.IO packet type: sio_packet_parse(), sio_event_parse()
 *     '----- Engine.IO packet type: eio_packet_parse()
 *
 * The same functions serve the client (it parses what a server formats) and
 * the server. Parsers point into the caller's bytes unless they say otherwise.
 *
 * Source:  docs/skylink-protocol.md §3 (Engine.IO 3, Socket.IO 1.x as used)
 * Thread:  any
 * Memory:  the caller's; results marked (transfer full) are released with
 *          g_free()
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* The longest packet either side accepts, in bytes. */
#define EIO_MAX_PACKET (1024 * 1024)
#define EIO_MAX_SID 64

enum eio_type {
	EIO_OPEN = 0,
	EIO_CLOSE = 1,
	EIO_PING = 2,
	EIO_PONG = 3,
	EIO_MESSAGE = 4,
	EIO_UPGRADE = 5,
	EIO_NOOP = 6,
};

struct eio_packet {
	enum eio_type type;
	const char *data;	/* after the type digit, not NUL-terminated */
	size_t len;
};

/* Return: 0, or -EBADMSG (empty, unknown type, binary, too long). */
int eio_packet_parse(const char *text, size_t len, struct eio_packet *ret);

/* The server's first packet. */
struct eio_open {
	char sid[EIO_MAX_SID + 1];
	unsigned int ping_interval_ms, ping_timeout_ms;
	bool upgrade_websocket;	/* "websocket" is among the upgrades */
};

/**
 * eio_open_parse() - the data of an %EIO_OPEN packet
 *
 * Intervals below 1 s are raised to 1 s, above one day refused.
 * Return: 0, or -EBADMSG.
 */
int eio_open_parse(const char *data, size_t len, struct eio_open *ret);

/* Return: (transfer full): the whole packet, "0{...}". */
char *eio_open_format(const struct eio_open *open);

enum sio_type {
	SIO_CONNECT = 0,
	SIO_DISCONNECT = 1,
	SIO_EVENT = 2,
	SIO_ACK = 3,
	SIO_ERROR = 4,
	SIO_BINARY_EVENT = 5,
	SIO_BINARY_ACK = 6,
};

struct sio_packet {
	enum sio_type type;
	const char *data;	/* after type, namespace and ack id */
	size_t len;
};

/**
 * sio_packet_parse() - the data of an %EIO_MESSAGE packet
 *
 * Takes the decorations "/," and an acknowledgement id, and drops them.
 * Return: 0, -EBADMSG, or -ENOTSUP (another namespace, binary attachments).
 */
int sio_packet_parse(const char *data, size_t len, struct sio_packet *ret);

/**
 * sio_event_parse() - the JSON text inside ["message",<string or object>]
 * @data, @len:  the data of an %SIO_EVENT packet
 * @max_bytes:   of @data
 * @ret_text:    (transfer full): the inner text, UTF-8, NUL-terminated. For
 *               a string argument it is what the string holds, and not yet
 *               checked; for an object the object's own bytes
 * @ret_len:     bytes, without the NUL
 *
 * Return: 0; 1 for another event than "message" (nothing is returned);
 * -EBADMSG, -EMSGSIZE. Further arguments after the first are ignored.
 */
int sio_event_parse(const char *data, size_t len, size_t max_bytes,
		    char **ret_text, size_t *ret_len);

/**
 * sio_event_format() - append 42["message","<json as a string>"]
 * @out: gets the whole packet, Engine.IO digit included
 */
void sio_event_format(GString *out, const char *json, size_t len);

/*
 * Polling payloads: several packets in one HTTP body.
 *
 *   text:   <n>:<packet> ...    n = bytes of the packet as UTF-8; the whole
 *           is then UTF-8 encoded once more, byte by byte
 *   binary: 00 <digits of n, one byte each> FF <packet> ...
 */
enum eio_form { EIO_FORM_TEXT, EIO_FORM_BINARY };

/* application/octet-stream is the binary form, all else the text form. */
enum eio_form eio_form_from_content_type(const char *content_type);

struct eio_payload {
	char *next;
	size_t left;
	enum eio_form form;
};

/**
 * eio_payload_init() - read the packets of a body
 * @body: borrowed, changed in place (the text form is decoded there)
 *
 * Return: 0, or -EBADMSG when a text body is not UTF-8 of bytes.
 */
int eio_payload_init(struct eio_payload *payload, char *body, size_t len,
		     enum eio_form form);

/**
 * eio_payload_next() - the next packet
 * @ret_text, @ret_len: point into the body; valid UTF-8
 *
 * Return: 1 with a packet, 0 at the end, -EBADMSG (nothing more can be read).
 */
int eio_payload_next(struct eio_payload *payload, const char **ret_text,
		     size_t *ret_len);

/**
 * eio_refusal_describe() - what an answer other than 200 says
 * @status: HTTP
 * @body:   as it came: {"code":1,"message":"Session ID unknown"}, or anything
 *
 * Return: (transfer full): "the server answered HTTP 400: Session ID unknown
 * (code 1)"; outside text is escaped and cut.
 */
char *eio_refusal_describe(unsigned int status, const char *body, size_t len);

/* Append one packet in @form; both sides format and parse both forms. */
void eio_payload_append(GString *body, const char *packet, size_t len,
			enum eio_form form);
