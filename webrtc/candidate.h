/* SPDX-License-Identifier: Apache-2.0 */
/* webrtc/candidate.h - one ICE candidate line
 *
 *   candidate:1 1 udp 2122194687 192.0.2.2 45880 typ host generation 0
 *
 * Source:  RFC 8839 §5.1, RFC 6544 §4.5 (tcptype), RFC 8828 (mDNS names)
 * Thread:  any; pure
 * Memory:  the caller's
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANDIDATE_MAX_BYTES	   1024u /* of a line */
#define CANDIDATE_FOUNDATION_BYTES 33u	 /* 32 and NUL */
#define CANDIDATE_ADDRESS_BYTES	   256u	 /* a DNS name and NUL */
#define CANDIDATE_UFRAG_BYTES	   257u

enum candidate_type {
	CANDIDATE_HOST,
	CANDIDATE_SRFLX,
	CANDIDATE_PRFLX,
	CANDIDATE_RELAY,
};
const char *candidate_type_name(enum candidate_type type);

enum candidate_tcp {
	CANDIDATE_TCP_NONE, /* UDP, or TCP without a tcptype */
	CANDIDATE_TCP_ACTIVE,
	CANDIDATE_TCP_PASSIVE,
	CANDIDATE_TCP_SO,
};

enum candidate_address {
	CANDIDATE_IPV4,
	CANDIDATE_IPV6,
	CANDIDATE_MDNS, /* a name under .local */
	CANDIDATE_NAME, /* any other name */
};

struct candidate {
	char foundation[CANDIDATE_FOUNDATION_BYTES];
	uint16_t component;
	bool tcp;
	enum candidate_tcp tcptype;
	uint32_t priority;
	enum candidate_address family;
	char address[CANDIDATE_ADDRESS_BYTES];
	uint16_t port;
	enum candidate_type type;
	char related_address[CANDIDATE_ADDRESS_BYTES]; /* "": none */
	uint16_t related_port;
	char ufrag[CANDIDATE_UFRAG_BYTES]; /* "": not said */
};

/**
 * candidate_parse() - read one line
 * @line: "candidate:...", with or without "a=" before it, or what follows the
 *        colon; a line end at the end is allowed
 *
 * Unknown extensions are skipped, an address may be a name.
 *
 * Return: 0, -EMSGSIZE for a line over the limit, -EBADMSG.
 */
int candidate_parse(const char *line, size_t len, struct candidate *ret);

/* Writes "candidate:..." with NUL. Return: the length, or -ENOSPC. */
int candidate_format(const struct candidate *c, char *buf, size_t size);

/* Whether our agent can pair with it: UDP, component 1, a literal address. */
bool candidate_is_usable(const struct candidate *c);
