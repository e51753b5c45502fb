/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/room/transfer-request.h - a WRQ: what is to be sent, and in which
 * of the generations' words
 *
 *	           size               dataType   chunkType     chunkSize
 *	0.6.12     round(bytes*4/3)   blob       -             65536
 *	0.6.18+    4*ceil(bytes/3)    blob       string        65536
 *	0.6.18+    bytes              blob       binary        65456
 *	2.x        4*ceil(bytes/3)    blob       binaryString  49152
 *	0.6.12     characters         dataURL    -             1212
 *	0.6.18+    characters         data       string        1212
 *
 * Source:  docs/skylink-protocol.md §10.2 to §10.4
 * Thread:  any
 * Memory:  transfer_request_clear() releases the strings
 */
#pragma once

#include "appliance/room/dt-message.h"
#include "appliance/room/transfer.h"

#define TRANSFER_TEXT_SLICE	    1212	/* characters of a data URL */
#define TRANSFER_BASE64_SLICE	    49152	/* bytes: 65536 characters */
#define TRANSFER_BASE64_SLICE_MOZ   12288
#define TRANSFER_BINARY_SLICE	    65456
#define TRANSFER_BINARY_SLICE_MOZ   16384
#define TRANSFER_SLICE_MAX	    TRANSFER_BINARY_SLICE
#define TRANSFER_CHUNK_MAX	    65536	/* what leaves as one message */
#define TRANSFER_CHUNK_MAX_RECEIVED (256 * 1024) /* a=max-message-size */
#define TRANSFER_MAX_BYTES	    (G_GUINT64_CONSTANT(1) << 53)
#define TRANSFER_TIMEOUT_MAX_S	    3600
#define TRANSFER_MAX_ID_BYTES	    256
#define TRANSFER_MAX_MIME_BYTES	    256
/* Chunks on their way without an ACK, where both ends are appliances: as much as
 * SCTP's buffers hold, and so much may a slow receiver keep in our queues. */
#define TRANSFER_WINDOW		    32

enum transfer_generation {
	TRANSFER_GENERATION_1,	/* up to 0.6.15: knows no DTProtocolVersion */
	TRANSFER_GENERATION_2,	/* 0.6.16 to 0.9.x, and the appliance */
	TRANSFER_GENERATION_2X,	/* 2.x */
};

enum transfer_kind {
	TRANSFER_BLOB,
	TRANSFER_DATA_URL,
	TRANSFER_STREAM_START,	/* data follows at once, without any ACK */
	TRANSFER_STREAM_STOP,
};

typedef struct {
	enum transfer_generation generation;
	enum transfer_kind kind;
	gboolean binary;	/* chunks are bytes, not text */
	gboolean main_channel;	/* to be sent on the messaging channel */
	gboolean is_private;
	char *id, *name, *mime_type;	/* each may be NULL */
	guint64 size;		/* bytes; of a data URL: characters */
	guint64 wire_size;	/* as "size" says it */
	guint slice;		/* ours: bytes read for a chunk */
	guint chunk_size;	/* as "chunkSize" says it; 0: not said */
	guint timeout_s;
	guint window;		/* chunks offered without ACK; 0: none */
} TransferRequest;

/* What decides on the words. */
typedef struct {
	const char *agent;	/* "chrome", "firefox", "Android", ... */
	const char *dt_version;	/* or NULL */
	gboolean is_2x, is_mcu;
} TransferPeer;

/**
 * transfer_request_plan() - in which words this peer is to be asked
 * @request: kind, size, name, mime_type, timeout_s and is_private are given;
 *	     the rest is filled in
 * @string_chunks: base64 even where the peer knows binary chunks
 */
void transfer_request_plan(TransferRequest *request, const TransferPeer *peer,
			   gboolean string_chunks);
/* Smaller slices; chunk_size follows. */
void transfer_request_set_slice(TransferRequest *request, guint slice);
/* At least one: nothing at all travels as one empty chunk. */
guint64 transfer_request_count_chunks(const TransferRequest *request);

typedef struct {
	const char *sender, *agent, *version;
	const char *target;		/* a peer; NULL: @targets */
	const char *const *targets;	/* with an MCU */
} TransferAddress;

/* Return: (transfer full): the message's text. */
char *transfer_request_build(const TransferRequest *request,
			     const TransferAddress *address);

/**
 * transfer_request_parse() - understand somebody's WRQ
 * @ret: strings are the caller's; untouched on failure
 *
 * Return: FALSE with @error (domain ROOM_ERROR) for what cannot be taken:
 * unknown kinds, sizes that are none or contradict each other.
 */
gboolean transfer_request_parse(const DtMessage *message, TransferRequest *ret,
				GError **error);
void transfer_request_clear(TransferRequest *request);

/* Would a receiver take this text for a control message (§10.2)? */
gboolean transfer_text_is_lost(const char *text, gsize len,
			       enum transfer_generation generation);
