/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/ice-url.h - what a STUN or TURN server URL says
 *
 *   stun:HOST[:PORT]     turn:[USER@]HOST[:PORT][?transport=udp|tcp]
 *
 * The user name in front of the host is Skylink's own habit, older than and
 * outside of the RFCs.
 *
 * Source:  RFC 7064, RFC 7065; the protocol reference for the user name
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ICE_URL_MAX_BYTES  1024u
#define ICE_URL_HOST_BYTES 256u
#define ICE_URL_USER_BYTES 513u

enum ice_url_scheme {
	ICE_URL_STUN,
	ICE_URL_TURN,
	ICE_URL_TURNS, /* libnice has no TLS: cannot be used */
};

struct ice_url {
	enum ice_url_scheme scheme;
	char user[ICE_URL_USER_BYTES]; /* "": none */
	char host[ICE_URL_HOST_BYTES]; /* name or literal, no brackets */
	bool literal;		       /* an address, not a name */
	uint16_t port;		       /* 3478 (turns: 5349) when not said */
	bool tcp;		       /* ?transport=tcp */
};

/* Return: 0, -EMSGSIZE, -EBADMSG. */
int ice_url_parse(const char *text, size_t len, struct ice_url *ret);
