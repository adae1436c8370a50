// What a side brings: authorities, certificate, key, versions. PEM texts become an SSL_CTX.
#include "tls/context.h"

#include "base/check.h"
#include "tls/pem.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <time.h>

enum { DEPTH = 8 };

DEFINE_CLEANUP(cleanup_context, struct tls_context, tls_context_free)

void tls_prepare(void)
{
	CHECK(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
	                               OPENSSL_INIT_LOAD_CONFIG,
	                       NULL) == 1);
}

static struct result add_authorities(SSL_CTX *ssl, struct bytes pem)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(ssl);
	X509 *one;
	int count = 0;

	while ((one = pem_certificate(bio))) {
		int added = X509_STORE_add_cert(store, one);
		X509_free(one);
		if (added != 1)
			return FAIL(ERROR_INPUT, "the authorities hold a certificate that is none");
		count++;
	}
	ERR_clear_error(); // the end of the text is an error to the reader
	return count > 0 ? RESULT_OK
	                 : FAIL(ERROR_INPUT, "the authorities hold no certificate (PEM)");
}

static struct result use_certificate(SSL_CTX *ssl, struct bytes pem)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(pem);
	cleanup(cleanup_x509) X509 *leaf = pem_certificate(bio);
	X509 *one;

	if (!leaf || SSL_CTX_use_certificate(ssl, leaf) != 1)
		return FAIL(ERROR_INPUT, "the certificate cannot be used (PEM, leaf first)");
	while ((one = pem_certificate(bio)))
		if (SSL_CTX_add0_chain_cert(ssl, one) != 1) {
			X509_free(one);
			return FAIL(ERROR_INPUT,
			            "the certificate's chain holds one that cannot be used");
		}
	ERR_clear_error();
	return RESULT_OK;
}

static struct result use_key(SSL_CTX *ssl, struct bytes pem)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(pem);
	cleanup(cleanup_key) EVP_PKEY *key = pem_key(bio);

	if (!key)
		return FAIL(ERROR_INPUT, "the key cannot be read (PEM, without a password on it)");
	if (SSL_CTX_use_PrivateKey(ssl, key) != 1 || SSL_CTX_check_private_key(ssl) != 1)
		return FAIL(ERROR_INPUT, "the key is not the certificate's");
	return RESULT_OK;
}

static struct result fill(SSL_CTX *ssl, const struct tls_options *options)
{
	SSL_CTX_set_min_proto_version(ssl, options->minimum == TLS_1_3 ? TLS1_3_VERSION
	                                                               : TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	                                 SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify_depth(ssl, DEPTH);
	if (options->authorities.length > 0)
		TRY(add_authorities(ssl, options->authorities));
	if (options->certificate.length > 0)
		TRY(use_certificate(ssl, options->certificate));
	if (options->key.length > 0)
		TRY(use_key(ssl, options->key));
	if ((options->certificate.length > 0) != (options->key.length > 0))
		return FAIL(ERROR_INPUT, "a certificate and its key go together");
	return RESULT_OK;
}

static struct result make(const SSL_METHOD *method, const struct tls_options *options, int verify,
                          struct tls_context **ret_context)
{
	cleanup(cleanup_context) struct tls_context *context = calloc(1, sizeof *context);

	CHECK(context);
	context->ssl = SSL_CTX_new(method);
	CHECK(context->ssl);
	SSL_CTX_set_verify(context->ssl, verify, NULL);
	struct result result = fill(context->ssl, options);
	ERR_clear_error();
	if (result_ok(result))
		*ret_context = take_ptr(context);
	return result;
}

struct result tls_client_context(const struct tls_options *options,
                                 struct tls_context **ret_context)
{
	if (options->authorities.length == 0)
		return FAIL(ERROR_INPUT, "a client needs authorities to believe");
	return make(TLS_client_method(), options, SSL_VERIFY_PEER, ret_context);
}

struct result tls_server_context(const struct tls_options *options,
                                 struct tls_context **ret_context)
{
	int verify = options->authorities.length > 0
	                     ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
	                     : SSL_VERIFY_NONE;

	if (options->certificate.length == 0)
		return FAIL(ERROR_INPUT, "a server needs a certificate");
	return make(TLS_server_method(), options, verify, ret_context);
}

void tls_context_free(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

int64_t tls_context_expires_ms(const struct tls_context *context)
{
	const X509 *certificate = SSL_CTX_get0_certificate(context->ssl);
	struct tm utc;

	if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &utc) != 1)
		return INT64_MAX;
	return (int64_t)timegm(&utc) * 1000;
}
