/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-tls.h - the certificate of a room server
 *
 * Either the operator's, from two PEM files, or one of our own: self-signed,
 * made at the first start and kept, so that whoever has trusted it once need
 * not do so again.
 *
 * Source:  RFC 5280, RFC 6125 (names in subjectAltName)
 * Thread:  control to make; "server" to apply
 * Memory:  owned by its creator
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define ROOM_TLS_FILE "roomserver.pem"
/* As long as browsers accept it; made anew when a month is left. */
#define ROOM_TLS_VALID_DAYS 820
#define ROOM_TLS_RENEW_DAYS 30
#define ROOM_TLS_MAX_NAMES  32

#define ROOM_TLS_ERROR (room_tls_error_quark())
GQuark room_tls_error_quark(void);
enum room_tls_error {
	ROOM_TLS_ERROR_FILE, /* of the operator: missing, not PEM, ... */
	ROOM_TLS_ERROR_MAKE,
};

struct room_tls;
struct ssl_ctx_st;

/* The operator's: @certificate holds the chain, ours first. NULL for one of both
 * is an error. */
struct room_tls *room_tls_load(const char *certificate, const char *key,
			       GError **error);

/**
 * room_tls_keep() - our own
 * @state_dir: where it is kept; NULL: nowhere
 * @names:     host names and addresses it is to hold
 * @now:       seconds since 1970
 *
 * Names that change later do not change it: people compare fingerprints.
 */
struct room_tls *room_tls_keep(const char *state_dir, const char *const *names,
			       gint64 now, GError **error);
struct room_tls *room_tls_free(struct room_tls *tls);

/* SHA-256 of the certificate: "AB:CD:...". */
const char *room_tls_get_fingerprint(const struct room_tls *tls);
/* Made by us: browsers do not know it. */
bool room_tls_is_self_signed(const struct room_tls *tls);
/* Gives certificate, chain and key to a context, and sets what is safe. */
bool room_tls_apply(const struct room_tls *tls, struct ssl_ctx_st *context);

/* The names this machine goes by: host name, its addresses, localhost.
 * g_strfreev() it. */
char **room_tls_own_names(const char *const *more);
