/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/roomserver/room-tls.h - the certificate of a room server
 *
 * Either the operator's, from two PEM files, or one of our own: self-signed,
 * made at the first start and kept, so that whoever has trusted it once need
 * not do so again.
 *
 * Source:  RFC 5280, RFC 6125 (names in subjectAltName)
 * Thread:  control to make; any to refer to; "server" to apply
 * Memory:  counted references; constant once made
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define ROOM_TLS_FILE "roomserver.pem"
/* As long as browsers accept it; made anew when a month is left. */
#define ROOM_TLS_VALID_DAYS 820
#define ROOM_TLS_RENEW_DAYS 30
#define ROOM_TLS_MAX_NAMES  32
/* 2026-01-01: an earlier clock is one that nobody has set. */
#define ROOM_TLS_CLOCK_MIN_S INT64_C(1767225600)

#define ROOM_TLS_ERROR (room_tls_error_quark())
GQuark room_tls_error_quark(void);
enum room_tls_error {
	ROOM_TLS_ERROR_FILE, /* of the operator: missing, not PEM, ... */
	ROOM_TLS_ERROR_MAKE,
};

struct room_tls;
struct ssl_ctx_st;
struct ssl_st;

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
 * Names that change later do not change it: people compare fingerprints. One
 * that room_tls_is_due() is replaced.
 */
struct room_tls *room_tls_keep(const char *state_dir, const char *const *names,
			       gint64 now, GError **error);
struct room_tls *room_tls_ref(struct room_tls *tls);
/* Return: NULL */
struct room_tls *room_tls_unref(struct room_tls *tls);

/* SHA-256 of the certificate: "AB:CD:...". */
const char *room_tls_get_fingerprint(const struct room_tls *tls);
/* Made by us: browsers do not know it. */
bool room_tls_is_self_signed(const struct room_tls *tls);
/* Its last second, since 1970; 0: not to be told. */
gint64 room_tls_get_end(const struct room_tls *tls);
/* One of our own that ends within ROOM_TLS_RENEW_DAYS, or that a wrong clock
 * has made for a time to come. By a clock that nobody has set, none is. */
bool room_tls_is_due(const struct room_tls *tls, gint64 now);
/* Gives certificate, chain and key to a context, and sets what is safe. */
bool room_tls_apply(const struct room_tls *tls, struct ssl_ctx_st *context);
/* The same three to one connection, instead of those of its context. */
bool room_tls_use(const struct room_tls *tls, struct ssl_st *connection);

/* The names this machine goes by: host name, its addresses, localhost.
 * g_strfreev() it. */
char **room_tls_own_names(const char *const *more);
