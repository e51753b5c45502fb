// SPDX-License-Identifier: Apache-2.0
#include "appliance/roomserver/room-tls.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "appliance/roomserver/room-state.h"
#include "webrtc/dtls-fingerprint.h"

G_DEFINE_QUARK(room - tls - error - quark, room_tls_error)

#define DAY_S	    (24L * 3600)
#define SERIAL_BITS 120

struct room_tls {
	gatomicrefcount refs;
	X509 *certificate;
	STACK_OF(X509) * chain; /* above it; may be NULL */
	EVP_PKEY *key;
	bool self_signed;
	char fingerprint[DTLS_FINGERPRINT_BYTES];
};

static struct room_tls *new_tls(bool self_signed)
{
	struct room_tls *tls = g_new0(struct room_tls, 1);

	g_atomic_ref_count_init(&tls->refs);
	tls->self_signed = self_signed;
	return tls;
}

struct room_tls *room_tls_ref(struct room_tls *tls)
{
	g_atomic_ref_count_inc(&tls->refs);
	return tls;
}

struct room_tls *room_tls_unref(struct room_tls *tls)
{
	if (!tls || !g_atomic_ref_count_dec(&tls->refs))
		return NULL;
	X509_free(tls->certificate);
	sk_X509_pop_free(tls->chain, X509_free);
	EVP_PKEY_free(tls->key);
	g_free(tls);
	return NULL;
}

const char *room_tls_get_fingerprint(const struct room_tls *tls)
{
	return tls->fingerprint;
}

bool room_tls_is_self_signed(const struct room_tls *tls)
{
	return tls->self_signed;
}

gint64 room_tls_get_end(const struct room_tls *tls)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(tls->certificate), &tm) != 1)
		return 0;
	return timegm(&tm);
}

bool room_tls_is_due(const struct room_tls *tls, gint64 now)
{
	time_t present = (time_t) now;
	time_t limit = (time_t) (now + ROOM_TLS_RENEW_DAYS * DAY_S);

	if (!tls->self_signed || now < ROOM_TLS_CLOCK_MIN_S)
		return false;
	return X509_cmp_time(X509_get0_notBefore(tls->certificate),
			     &present) >= 0 ||
	       X509_cmp_time(X509_get0_notAfter(tls->certificate), &limit) <= 0;
}

/* Why OpenSSL failed, for people. */
static char *take_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());
	char *reason = g_strdup(text ? text : "unknown reason");

	ERR_clear_error();
	return reason;
}

/* No terminal is there to ask for the password of a key. */
static int no_password(char *buffer, int size, int writing, void *data)
{
	return -1;
}

static bool set_fingerprint(struct room_tls *tls)
{
	struct dtls_fingerprint fp;

	if (dtls_fingerprint_of(tls->certificate, DTLS_HASH_SHA256, &fp) < 0)
		return false;
	dtls_fingerprint_format(&fp, tls->fingerprint);
	return true;
}

static bool read_chain(struct room_tls *tls, BIO *bio)
{
	X509 *more;

	tls->certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	if (!tls->certificate)
		return false;
	tls->chain = sk_X509_new_null();
	while ((more = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
		if (!sk_X509_push(tls->chain, more)) {
			X509_free(more);
			return false;
		}
	/* The end of the file, which is no error. */
	ERR_clear_error();
	return set_fingerprint(tls);
}

struct room_tls *room_tls_load(const char *certificate, const char *key,
			       GError **error)
{
	struct room_tls *tls;
	const char *bad = NULL;
	BIO *bio;

	if (!certificate || !key) {
		g_set_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_FILE,
			    "'%s' stands alone: a certificate and its "
			    "key go together (roomserver.certificate_file, "
			    "roomserver.certificate_key_file)",
			    certificate ? certificate : key);
		return NULL;
	}
	tls = new_tls(false);
	bio = BIO_new_file(certificate, "r");
	ERR_clear_error();
	if (!bio || !read_chain(tls, bio))
		bad = certificate;
	BIO_free(bio);
	if (!bad) {
		bio = BIO_new_file(key, "r");
		if (bio)
			tls->key = PEM_read_bio_PrivateKey(bio, NULL,
							   no_password, NULL);
		BIO_free(bio);
		if (!tls->key ||
		    X509_check_private_key(tls->certificate, tls->key) != 1)
			bad = key;
	}
	if (!bad)
		return tls;
	{
		g_autofree char *reason = take_reason();

		g_set_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_FILE,
			    "Cannot use '%s' for https: %s; needed are a "
			    "certificate and the key that belongs to it, "
			    "both as PEM and without a password",
			    bad, reason);
	}
	return room_tls_unref(tls);
}

/* "IP:192.0.2.1,DNS:box" of those that are one or the other. */
static char *format_names(const char *const *names)
{
	g_autoptr(GString) out = g_string_new(NULL);
	unsigned int n = 0;

	for (; *names && n < ROOM_TLS_MAX_NAMES; names++) {
		struct in6_addr address;
		bool ip = inet_pton(AF_INET, *names, &address) == 1 ||
			  inet_pton(AF_INET6, *names, &address) == 1;

		if (!ip && (!**names ||
			    strspn(*names, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._*") != strlen(*names)))
			continue;
		g_string_append_printf(out, "%s%s:%s", n++ ? "," : "",
				       ip ? "IP" : "DNS", *names);
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static bool set_time(ASN1_TIME *time, gint64 seconds)
{
	return ASN1_TIME_set(time, (time_t) seconds) != NULL;
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *const *names,
		 gint64 now)
{
	X509_NAME *name = X509_get_subject_name(cert);
	g_autofree char *alt = format_names(names);
	const char *common = names[0] && strlen(names[0]) <= ub_common_name
				     ? names[0]
				     : "Skylink room server";
	BIGNUM *serial = BN_new();
	bool ok;

	ok = serial && *alt && X509_set_version(cert, X509_VERSION_3) == 1 &&
	     BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY,
		     BN_RAND_BOTTOM_ANY) == 1 &&
	     BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) &&
	     /* a day before: clocks of clients are a little off */
	     set_time(X509_getm_notBefore(cert), now - DAY_S) &&
	     set_time(X509_getm_notAfter(cert),
		      now + ROOM_TLS_VALID_DAYS * DAY_S) &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const unsigned char *) common, -1, -1,
					0) == 1 &&
	     X509_set_issuer_name(cert, name) == 1 &&
	     X509_set_pubkey(cert, key) == 1 &&
	     add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
	     add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
	     add_extension(cert, NID_ext_key_usage, "serverAuth") &&
	     add_extension(cert, NID_subject_alt_name, alt) &&
	     X509_sign(cert, key, EVP_sha256()) > 0;
	BN_free(serial);
	return ok;
}

static struct room_tls *make(const char *const *names, gint64 now,
			     GError **error)
{
	struct room_tls *tls = new_tls(true);

	tls->key = EVP_EC_gen("P-256");
	tls->certificate = X509_new();
	if (tls->key && tls->certificate &&
	    fill(tls->certificate, tls->key, names, now) &&
	    set_fingerprint(tls))
		return tls;
	{
		g_autofree char *reason = take_reason();

		g_set_error(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_MAKE,
			    "Cannot make a certificate: %s", reason);
	}
	return room_tls_unref(tls);
}

/* What an earlier start has kept; NULL when it is of no use any more. */
static struct room_tls *parse_kept(GBytes *bytes, gint64 now)
{
	struct room_tls *tls = new_tls(true);
	gsize len;
	const void *text = g_bytes_get_data(bytes, &len);
	BIO *bio = BIO_new_mem_buf(text, (int) len);

	if (bio)
		tls->key =
			PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	if (!tls->key || !read_chain(tls, bio) ||
	    X509_check_private_key(tls->certificate, tls->key) != 1 ||
	    room_tls_is_due(tls, now))
		tls = room_tls_unref(tls);
	BIO_free(bio);
	ERR_clear_error();
	return tls;
}

static gboolean keep(const struct room_tls *tls, const char *dir,
		     GError **error)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;
	gboolean ok = FALSE;

	if (bio &&
	    PEM_write_bio_PrivateKey(bio, tls->key, NULL, NULL, 0, NULL,
				     NULL) == 1 &&
	    PEM_write_bio_X509(bio, tls->certificate) == 1) {
		len = BIO_get_mem_data(bio, &text);
		ok = room_state_write(dir, ROOM_TLS_FILE, text, (gsize) len,
				      error);
		explicit_bzero(text, (size_t) len);
	} else {
		g_set_error_literal(error, ROOM_TLS_ERROR, ROOM_TLS_ERROR_MAKE,
				    "Cannot write a certificate as PEM");
	}
	BIO_free(bio);
	return ok;
}

struct room_tls *room_tls_keep(const char *state_dir, const char *const *names,
			       gint64 now, GError **error)
{
	g_autoptr(GBytes) kept = NULL;
	struct room_tls *tls;

	if (state_dir) {
		if (!room_state_read(state_dir, ROOM_TLS_FILE, &kept, error))
			return NULL;
		tls = kept ? parse_kept(kept, now) : NULL;
		if (tls)
			return tls;
	}
	/* Whoever has set his clock can use it. */
	tls = make(names, MAX(now, ROOM_TLS_CLOCK_MIN_S), error);
	if (tls && state_dir && !keep(tls, state_dir, error))
		return room_tls_unref(tls);
	return tls;
}

bool room_tls_apply(const struct room_tls *tls, struct ssl_ctx_st *context)
{
	bool ok = SSL_CTX_use_certificate(context, tls->certificate) == 1 &&
		  SSL_CTX_use_PrivateKey(context, tls->key) == 1 &&
		  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
		  (!tls->chain || SSL_CTX_set1_chain(context, tls->chain) == 1);

	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_NO_TICKET);
	/* Idle connections, which most are, keep no buffers. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (!ok)
		ERR_clear_error();
	return ok;
}

bool room_tls_use(const struct room_tls *tls, struct ssl_st *connection)
{
	SSL_certs_clear(connection);
	if (SSL_use_cert_and_key(connection, tls->certificate, tls->key,
				 tls->chain, 1) == 1)
		return true;
	ERR_clear_error();
	return false;
}

static void add_addresses(GPtrArray *names)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		char text[INET6_ADDRSTRLEN] = "";

		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
		    (i->ifa_flags & IFF_LOOPBACK))
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			inet_ntop(
				AF_INET,
				&((struct sockaddr_in *) i->ifa_addr)->sin_addr,
				text, sizeof(text));
		else if (i->ifa_addr->sa_family == AF_INET6 &&
			 !IN6_IS_ADDR_LINKLOCAL(
				 &((struct sockaddr_in6 *) i->ifa_addr)
					  ->sin6_addr))
			inet_ntop(AF_INET6,
				  &((struct sockaddr_in6 *) i->ifa_addr)
					   ->sin6_addr,
				  text, sizeof(text));
		if (*text && names->len < ROOM_TLS_MAX_NAMES)
			g_ptr_array_add(names, g_strdup(text));
	}
	freeifaddrs(all);
}

char **room_tls_own_names(const char *const *more)
{
	GPtrArray *names = g_ptr_array_new();
	static const char *const always[] = {"localhost", "127.0.0.1", "::1"};

	for (; more && *more && names->len < ROOM_TLS_MAX_NAMES / 2; more++)
		g_ptr_array_add(names, g_strdup(*more));
	g_ptr_array_add(names, g_strdup(g_get_host_name()));
	g_ptr_array_add(names, g_strconcat(g_get_host_name(), ".local", NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(always); i++)
		g_ptr_array_add(names, g_strdup(always[i]));
	add_addresses(names);
	g_ptr_array_add(names, NULL);
	return (char **) g_ptr_array_free(names, FALSE);
}
