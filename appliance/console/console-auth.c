// SPDX-License-Identifier: Apache-2.0
#include "appliance/console/console-auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define KEY_BYTES    32
#define DIGEST_BYTES 32

struct secret {
	bool set;
	uint8_t digest[DIGEST_BYTES];
};

struct session {
	bool used;
	enum console_role role;
	char id[CONSOLE_SESSION_CHARS + 1];
	gint64 began_us, seen_us;
};

/* Failures allowed now: filled up with time, emptied by failures. */
struct bucket {
	unsigned int left;
	gint64 since_us;
};

struct address {
	guint64 number;
	struct bucket bucket;
};

struct console_auth {
	uint8_t key[KEY_BYTES];
	struct secret operate, watch, token;
	void (*random)(void *data, uint8_t *bytes, size_t n);
	void *data;
	struct session sessions[CONSOLE_MAX_SESSIONS];
	struct address addresses[CONSOLE_MAX_ADDRESSES];
	unsigned int n_addresses;
	struct bucket all;
};

static void digest_of(const struct console_auth *auth, const char *text,
		      size_t len, uint8_t ret[DIGEST_BYTES])
{
	unsigned int n = DIGEST_BYTES;

	if (!HMAC(EVP_sha256(), auth->key, KEY_BYTES,
		  (const unsigned char *) text, len, ret, &n))
		g_error("OpenSSL has no HMAC-SHA256");
}

static void set_secret(const struct console_auth *auth, const char *text,
		       struct secret *ret)
{
	ret->set = text != NULL;
	if (text)
		digest_of(auth, text, strlen(text), ret->digest);
}

static bool holds(const struct secret *secret,
		  const uint8_t digest[DIGEST_BYTES])
{
	bool equal = CRYPTO_memcmp(secret->digest, digest, DIGEST_BYTES) == 0;

	return equal & secret->set;
}

/* --- random texts ----------------------------------------------------------- */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
			       "qrstuvwxyz0123456789-_";

static void make_text(void (*random)(void *data, uint8_t *bytes, size_t n),
		      void *data, char *ret, size_t chars)
{
	uint8_t bytes[CONSOLE_SESSION_CHARS];

	random(data, bytes, chars);
	for (size_t i = 0; i < chars; i++)
		ret[i] = alphabet[bytes[i] & 63];
	ret[chars] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

void console_auth_make_token(const struct console_auth_config *random,
			     char ret[CONSOLE_TOKEN_CHARS + 1])
{
	make_text(random->random, random->data, ret, CONSOLE_TOKEN_CHARS);
}

/* Sixteen consonants, four vowels: six bits a syllable. */
static char *append_syllables(char *at, const uint8_t bytes[2])
{
	for (unsigned int i = 0; i < 2; i++) {
		*at++ = "bdfghjklmnprstvz"[bytes[i] & 15];
		*at++ = "aiou"[bytes[i] >> 4 & 3];
	}
	return at;
}

void console_auth_make_password(const struct console_auth_config *random,
				char ret[CONSOLE_PASSWORD_CHARS + 1])
{
	uint8_t bytes[10];
	unsigned int number;
	char *at = ret;

	random->random(random->data, bytes, sizeof(bytes));
	number = ((unsigned int) bytes[6] << 24 | (unsigned int) bytes[7] << 16 |
		  (unsigned int) bytes[8] << 8 | bytes[9]) % 10000;
	for (unsigned int i = 0; i < 3; i++) {
		at = append_syllables(at, bytes + 2 * i);
		*at++ = '-';
	}
	g_snprintf(at, 5, "%04u", number);
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

/* --- making ----------------------------------------------------------------- */
struct console_auth *console_auth_new(const struct console_auth_config *config)
{
	struct console_auth *auth = g_new0(struct console_auth, 1);

	auth->random = config->random;
	auth->data = config->data;
	auth->all.left = CONSOLE_ALL_FAILURES;
	config->random(config->data, auth->key, KEY_BYTES);
	set_secret(auth, config->operate_password, &auth->operate);
	set_secret(auth, config->watch_password, &auth->watch);
	set_secret(auth, config->token, &auth->token);
	return auth;
}

struct console_auth *console_auth_free(struct console_auth *auth)
{
	if (!auth)
		return NULL;
	OPENSSL_cleanse(auth, sizeof(*auth));
	g_free(auth);
	return NULL;
}

bool console_auth_has(const struct console_auth *auth, enum console_role role)
{
	bool watch = auth->operate.set || auth->watch.set;

	return role == CONSOLE_ROLE_OPERATE ? auth->operate.set : watch;
}

/* --- limits ----------------------------------------------------------------- */
static void refill(struct bucket *b, unsigned int max, gint64 each_us,
		   gint64 now_us)
{
	gint64 n = (now_us - b->since_us) / each_us;

	if (b->left >= max || n >= max - b->left) {
		b->left = max;
		b->since_us = now_us;
	} else {
		b->left += (unsigned int) n;
		b->since_us += n * each_us;
	}
}

/* Seconds until there is one; 0: now. */
static unsigned int wait_of(const struct bucket *b, gint64 each_us,
			    gint64 now_us)
{
	if (b->left)
		return 0;
	return (unsigned int) ((b->since_us + each_us - now_us) /
			       G_USEC_PER_SEC) + 1;
}

/* The one known, or one that takes the place of who has failed least. */
static struct address *find_address(struct console_auth *auth, guint64 number,
				    gint64 now_us)
{
	struct address *best = NULL;

	for (unsigned int i = 0; i < auth->n_addresses; i++) {
		struct address *a = &auth->addresses[i];

		refill(&a->bucket, CONSOLE_FAILURES, CONSOLE_FAILURE_US,
		       now_us);
		if (a->number == number)
			return a;
		if (!best || a->bucket.left > best->bucket.left)
			best = a;
	}
	if (auth->n_addresses < CONSOLE_MAX_ADDRESSES)
		best = &auth->addresses[auth->n_addresses++];
	best->number = number;
	best->bucket = (struct bucket){CONSOLE_FAILURES, now_us};
	return best;
}

/* --- sessions --------------------------------------------------------------- */
static bool is_over(const struct session *s, gint64 now_us)
{
	return !s->used || now_us - s->began_us >= CONSOLE_SESSION_LIFE_US ||
	       now_us - s->seen_us >= CONSOLE_SESSION_IDLE_US;
}

static struct session *find(struct console_auth *auth, const char *id)
{
	struct session *found = NULL;

	if (strlen(id) != CONSOLE_SESSION_CHARS)
		return NULL;
	for (unsigned int i = 0; i < CONSOLE_MAX_SESSIONS; i++) {
		struct session *s = &auth->sessions[i];

		if (CRYPTO_memcmp(s->id, id, CONSOLE_SESSION_CHARS) == 0 &&
		    s->used)
			found = s;
	}
	return found;
}

static void open_session(struct console_auth *auth, enum console_role role,
			 gint64 now_us, char *ret_id)
{
	struct session *s = &auth->sessions[0];

	for (unsigned int i = 0; i < CONSOLE_MAX_SESSIONS; i++) {
		struct session *other = &auth->sessions[i];

		if (is_over(other, now_us)) {
			s = other;
			break;
		}
		if (other->seen_us < s->seen_us)
			s = other;
	}
	*s = (struct session){
		.used = true,
		.role = role,
		.began_us = now_us,
		.seen_us = now_us,
	};
	make_text(auth->random, auth->data, s->id, CONSOLE_SESSION_CHARS);
	memcpy(ret_id, s->id, sizeof(s->id));
}

static enum console_role role_of(struct console_auth *auth, const char *secret,
				 size_t len, bool token)
{
	uint8_t digest[DIGEST_BYTES];
	enum console_role role = CONSOLE_ROLE_NONE;

	digest_of(auth, secret, len, digest);
	if (token) {
		if (holds(&auth->token, digest)) {
			auth->token.set = false;
			role = CONSOLE_ROLE_OPERATE;
		}
	} else {
		if (holds(&auth->watch, digest))
			role = CONSOLE_ROLE_WATCH;
		if (holds(&auth->operate, digest))
			role = CONSOLE_ROLE_OPERATE;
	}
	OPENSSL_cleanse(digest, sizeof(digest));
	return role;
}

void console_auth_login(struct console_auth *auth, guint64 address,
			const char *secret, size_t len, bool token,
			gint64 now_us, struct console_login_outcome *ret)
{
	struct address *a = find_address(auth, address, now_us);
	unsigned int wait_s;

	memset(ret, 0, sizeof(*ret));
	refill(&auth->all, CONSOLE_ALL_FAILURES, CONSOLE_ALL_FAILURE_US,
	       now_us);
	wait_s = MAX(wait_of(&a->bucket, CONSOLE_FAILURE_US, now_us),
		     wait_of(&auth->all, CONSOLE_ALL_FAILURE_US, now_us));
	if (wait_s) {
		/* Right or wrong: a guesser is not told. */
		ret->result = CONSOLE_LOGIN_LATER;
		ret->wait_s = wait_s;
		return;
	}
	ret->role = role_of(auth, secret, len, token);
	if (!ret->role) {
		a->bucket.left--;
		auth->all.left--;
		ret->result = CONSOLE_LOGIN_WRONG;
		return;
	}
	ret->result = CONSOLE_LOGIN_OK;
	open_session(auth, ret->role, now_us, ret->session);
}

enum console_role console_auth_find(struct console_auth *auth,
				    const char *session, gint64 now_us,
				    bool touch)
{
	struct session *s = find(auth, session);

	if (!s)
		return CONSOLE_ROLE_NONE;
	if (is_over(s, now_us)) {
		OPENSSL_cleanse(s, sizeof(*s));
		return CONSOLE_ROLE_NONE;
	}
	if (touch)
		s->seen_us = now_us;
	return s->role;
}

void console_auth_logout(struct console_auth *auth, const char *session)
{
	struct session *s = find(auth, session);

	if (s)
		OPENSSL_cleanse(s, sizeof(*s));
}
