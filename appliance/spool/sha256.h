/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/spool/sha256.h - a SHA-256 digest of bytes as they come
 *
 * OpenSSL's, which uses what the processor has for it; GLib's takes five times
 * as long, on the control thread.
 *
 * Source:  FIPS 180-4; EVP_DigestInit(3ssl)
 * Thread:  any
 * Memory:  embedded in its owner; sha256_done() also half built
 */
#pragma once

#include <openssl/evp.h>
#include <stddef.h>

#define SHA256_HEX_BYTES 65	/* with its NUL */

struct sha256 {
	EVP_MD_CTX *ctx;
};

/* Return: 0 or -ENOMEM. */
int sha256_init(struct sha256 *s);
void sha256_done(struct sha256 *s);
int sha256_add(struct sha256 *s, const void *data, size_t len);
/* In lower case; nothing can be added after it. */
void sha256_end(struct sha256 *s, char ret[SHA256_HEX_BYTES]);
