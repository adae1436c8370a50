#include "tls/pem.h"

#include "base/check.h"

#include <openssl/pem.h>

static int no_password(char *to, int size, int writing, void *context)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

BIO *pem_reader(struct bytes pem)
{
	BIO *bio = BIO_new_mem_buf(pem.length ? pem.data : (const void *)"", (int)pem.length);

	CHECK(bio);
	return bio;
}

X509 *pem_certificate(BIO *bio)
{
	return PEM_read_bio_X509(bio, NULL, no_password, NULL);
}

EVP_PKEY *pem_key(BIO *bio)
{
	return PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
}
