/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-gate.h - may this request see what it asks for?
 *
 *   where from, how, under which name, as whom --> yes, or why not
 *
 *	     | other machine, http | other name | nobody logged in
 *   rooms   | no		   | (1)	| yes: keys guard them
 *   viewer  | to https		   | no		| this machine alone (2)
 *   login   | to https		   | no		| yes
 *   console | to https		   | no		| no
 *
 * (1) any, but a key's "self" is then nobody; (2) or all, if so configured.
 *
 * The name is what the browser believes to talk to. A stranger's page can give
 * its own name this machine's address (DNS rebinding), and its scripts are then
 * let read what they get; so only addresses and names of ours are answered.
 *
 * Source:  RFC 9110 §7.4 (misdirected requests)
 * Thread:  any; pure
 * Memory:  borrows
 */
#pragma once

#include <stdbool.h>

#include "appliance/console/console-auth.h"

enum room_area {
	ROOM_AREA_ROOMS,	/* room API, signaling */
	ROOM_AREA_VIEWER,
	ROOM_AREA_LOGIN,
	ROOM_AREA_CONSOLE,
};

struct room_gate {
	bool tls;		/* https is served */
	bool viewer_open;	/* to everybody */
	bool can_login;		/* there is a password for the viewer */
	bool can_operate;	/* and for the console */
	const char *const *names; /* ours; addresses need not be among them */
};

struct room_visitor {
	bool secure;		/* by TLS, or through a proxy that says so */
	bool loopback;		/* from this machine by its loopback address */
	bool same_machine;	/* the same by any address */
	const char *host;	/* header; NULL: none */
	enum console_role role;
};

enum room_verdict {
	ROOM_ALLOWED,
	ROOM_TO_HTTPS,	/* the same address by https */
	ROOM_FOREIGN,	/* not under this name */
	ROOM_TO_LOGIN,
	ROOM_CLOSED,	/* nobody can: there is no password */
};

enum room_verdict room_gate_check(const struct room_gate *gate,
				  enum room_area area,
				  const struct room_visitor *visitor);

/**
 * room_gate_is_own() - is a Host header one of this machine's names?
 * @names: more than addresses and "localhost"; NULL terminated
 *
 * Numeric addresses always are: no name has to be resolved for them, so none
 * can be bent. The port does not matter.
 */
bool room_gate_is_own(const char *host, const char *const *names);

/* Is a page of that origin one of ours? "https://HOST", where HOST is @host. */
bool room_gate_same_origin(const char *origin, const char *host);
