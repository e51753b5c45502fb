// SPDX-License-Identifier: Apache-2.0
#include "appliance/spool/sha256.h"

#include <errno.h>
#include <stdio.h>

int sha256_init(struct sha256 *s)
{
	s->ctx = EVP_MD_CTX_new();
	if (s->ctx && EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) == 1)
		return 0;
	sha256_done(s);
	errno = ENOMEM;
	return -ENOMEM;
}

void sha256_done(struct sha256 *s)
{
	EVP_MD_CTX_free(s->ctx);
	s->ctx = NULL;
}

int sha256_add(struct sha256 *s, const void *data, size_t len)
{
	return EVP_DigestUpdate(s->ctx, data, len) == 1 ? 0 : -ENOMEM;
}

void sha256_end(struct sha256 *s, char ret[SHA256_HEX_BYTES])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	ret[0] = '\0';
	if (EVP_DigestFinal_ex(s->ctx, md, &n) != 1)
		n = 0;
	for (unsigned int i = 0; i < n && 2 * i + 2 < SHA256_HEX_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", md[i]);
}
