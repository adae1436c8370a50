// Inside of lib/tls: certificates and keys out of PEM.
#pragma once

#include "base/bytes.h"
#include "base/cleanup.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

DEFINE_CLEANUP(cleanup_bio, BIO, BIO_free_all)
DEFINE_CLEANUP(cleanup_x509, X509, X509_free)
DEFINE_CLEANUP(cleanup_key, EVP_PKEY, EVP_PKEY_free)

// Reads the bytes where they stand: they have to outlive it. The caller frees.
BIO *pem_reader(struct bytes pem);
// The next certificate, the next private key, or NULL; the caller frees. A key that asks for a
// password counts as none: no program can use it alone. At the end OpenSSL's queue holds an error.
X509 *pem_certificate(BIO *bio);
EVP_PKEY *pem_key(BIO *bio);
