/* SPDX-License-Identifier: Apache-2.0 */
/* appliance/signaling/tls-test.h - certificates for tests
 *
 * Thread:  any
 * Memory:  g_free()
 */
#pragma once

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/**
 * tls_test_make() - a self-signed certificate, its own authority
 * @san:   "IP:127.0.0.1", "DNS:other.example"
 * @hours: from an hour (or, if negative, a day) ago until so many from now
 * @ret_certificate: PEM, certificate alone
 *
 * Return: PEM of key and certificate.
 */
static inline char *tls_test_make(const char *san, int hours,
				  char **ret_certificate)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *alt = X509V3_EXT_conf_nid(NULL, NULL,
						  NID_subject_alt_name, san);
	X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL,
						 NID_basic_constraints,
						 "critical,CA:TRUE");
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *all;
	long len, key_len;

	g_assert_true(key && alt && ca);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), hours < 0 ? -86400L : -3600L);
	X509_gmtime_adj(X509_getm_notAfter(x), hours * 3600L);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *) "test", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	X509_add_ext(x, alt, -1);
	X509_add_ext(x, ca, -1);
	g_assert_cmpint(X509_sign(x, key, EVP_sha256()), >, 0);
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	key_len = BIO_get_mem_data(bio, &data);
	PEM_write_bio_X509(bio, x);
	len = BIO_get_mem_data(bio, &data);
	all = g_strndup(data, (gsize) len);
	*ret_certificate = g_strdup(all + key_len);
	BIO_free(bio);
	X509_EXTENSION_free(alt);
	X509_EXTENSION_free(ca);
	X509_free(x);
	EVP_PKEY_free(key);
	return all;
}
