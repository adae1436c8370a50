// One connection: an SSL object between two memory BIOs. What comes in is worked on at once, so the
// incoming BIO is empty between calls; what goes out waits until the owner of the socket took it.
#include "tls/context.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAIN_AT_ONCE 16384 // a record's largest content
#define NAMES_TOLD 4

struct tls {
	SSL *ssl;
	BIO *in, *out; // the SSL's
	char why[256];
	enum tls_fault fault;
};

DEFINE_CLEANUP(cleanup_tls, struct tls, tls_free)

static struct tls *new_tls(struct tls_context *context)
{
	struct tls *tls = calloc(1, sizeof *tls);

	CHECK(tls);
	tls->ssl = SSL_new(context->ssl);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	CHECK(tls->ssl && tls->in && tls->out);
	BIO_set_mem_eof_return(tls->in, -1);
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	return tls;
}

struct result tls_connect(struct tls_context *context, const char *name, struct tls **ret_tls)
{
	cleanup(cleanup_tls) struct tls *tls = new_tls(context);
	struct in6_addr address;
	bool is_address =
	        inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;

	SSL_set_hostflags(tls->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int named = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), name)
	                       : SSL_set1_host(tls->ssl, name) &&
	                                 SSL_set_tlsext_host_name(tls->ssl, name);
	if (!name[0] || named != 1)
		return FAIL(ERROR_INPUT, "this is no name that a certificate can have");
	SSL_set_connect_state(tls->ssl);
	*ret_tls = take_ptr(tls);
	return RESULT_OK;
}

struct result tls_accept(struct tls_context *context, struct tls **ret_tls)
{
	*ret_tls = new_tls(context);
	SSL_set_accept_state((*ret_tls)->ssl);
	return RESULT_OK;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

static enum tls_fault fault_of(long verified, int reason)
{
	switch (verified) {
	case X509_V_OK: break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return TLS_FAULT_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return TLS_FAULT_DATES;
	default: return TLS_FAULT_AUTHORITY;
	}
	switch (reason) { // alerts of the other side (RFC 8446, 6.2)
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR: // its signature
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return TLS_FAULT_OURS;
	default: return TLS_FAULT_PROTOCOL;
	}
}

static void note_why(struct tls *tls)
{
	long verified = SSL_get_verify_result(tls->ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	tls->fault = fault_of(verified, ERR_GET_REASON(ERR_peek_error()));
	if (verified != X509_V_OK)
		snprintf(tls->why, sizeof tls->why, "the certificate was not accepted: %s",
		         X509_verify_cert_error_string(verified));
	else
		snprintf(tls->why, sizeof tls->why, "TLS failed: %s",
		         reason ? reason : "the other side does not speak it");
}

static struct result failure(struct tls *tls, int returned)
{
	switch (SSL_get_error(tls->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return RESULT_OK;
	case SSL_ERROR_ZERO_RETURN:
		snprintf(tls->why, sizeof tls->why, "the other side said good-bye");
		return FAIL(ERROR_CLOSED, "the other side said good-bye");
	default: break;
	}
	bool denied = SSL_get_verify_result(tls->ssl) != X509_V_OK;
	note_why(tls);
	ERR_clear_error();
	return denied ? FAIL(ERROR_DENIED, "the other side's certificate was not accepted")
	              : FAIL(ERROR_CRYPTO, "TLS failed");
}

struct result tls_receive(struct tls *tls, struct bytes wire, struct buffer *plain)
{
	CHECK(BIO_write(tls->in, wire.data, (int)wire.length) == (int)wire.length ||
	      wire.length == 0);
	if (!SSL_is_init_finished(tls->ssl)) {
		int done = SSL_do_handshake(tls->ssl);
		if (done != 1)
			return failure(tls, done);
	}
	for (;;) {
		uint8_t *room = buffer_room(plain, PLAIN_AT_ONCE);
		if (!room) {
			snprintf(tls->why, sizeof tls->why, "the other side sends too much");
			return FAIL(ERROR_LIMIT, "the other side sends too much");
		}
		int got = SSL_read(tls->ssl, room, PLAIN_AT_ONCE);
		if (got <= 0)
			return failure(tls, got);
		buffer_grew(plain, (size_t)got);
	}
}

struct result tls_send(struct tls *tls, struct bytes plain)
{
	if (plain.length == 0)
		return RESULT_OK;
	int written = SSL_write(tls->ssl, plain.data, (int)plain.length);
	if (written == (int)plain.length)
		return RESULT_OK;
	note_why(tls);
	ERR_clear_error();
	return FAIL(ERROR_CRYPTO, "TLS failed");
}

void tls_close(struct tls *tls)
{
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

struct bytes tls_pending(const struct tls *tls)
{
	char *data;
	long length = BIO_get_mem_data(tls->out, &data);

	return length > 0 ? bytes_from(data, (size_t)length) : BYTES_NONE;
}

void tls_sent(struct tls *tls, size_t length)
{
	uint8_t away[4096];

	while (length > 0) {
		size_t part = length < sizeof away ? length : sizeof away;
		CHECK(BIO_read(tls->out, away, (int)part) == (int)part);
		length -= part;
	}
}

bool tls_is_up(const struct tls *tls)
{
	return SSL_is_init_finished(tls->ssl);
}

const char *tls_why(const struct tls *tls)
{
	return tls->why;
}

enum tls_fault tls_fault(const struct tls *tls)
{
	return tls->fault;
}

// What is in a certificate was chosen by others: only printable characters go on.
static void put_printable(struct buffer *text, struct bytes chosen)
{
	for (size_t i = 0; i < chosen.length; i++)
		buffer_put_byte(text, chosen.data[i] >= ' ' && chosen.data[i] < 0x7f
		                              ? chosen.data[i]
		                              : '?');
}

static void put_name(struct buffer *text, const X509_NAME *name)
{
	char line[200];

	X509_NAME_oneline(name, line, sizeof line);
	put_printable(text, bytes_text(line));
}

// The names that the certificate is for, as many as a person reads.
static void put_names(struct buffer *text, const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && count < NAMES_TOLD; i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
		const ASN1_STRING *value = one->type == GEN_DNS ? one->d.dNSName : one->d.iPAddress;
		const uint8_t *data = one->type == GEN_DNS || one->type == GEN_IPADD
		                              ? ASN1_STRING_get0_data(value)
		                              : NULL;
		char address[INET6_ADDRSTRLEN];
		if (!data)
			continue;
		buffer_put_text(text, count++ ? " " : ", for ");
		int length = ASN1_STRING_length(value);
		if (one->type == GEN_DNS)
			put_printable(text, bytes_from(data, (size_t)length));
		else if (inet_ntop(length == 4 ? AF_INET : AF_INET6, data, address,
		                   sizeof address) &&
		         (length == 4 || length == 16))
			buffer_put_text(text, address);
	}
	GENERAL_NAMES_free(names);
}

static void put_certificate(struct buffer *text, const X509 *certificate)
{
	struct tm until = { 0 };

	buffer_put_text(text, "certificate ");
	put_name(text, X509_get_subject_name(certificate));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) == 1)
		buffer_printf(text, ", until %04d-%02d-%02d", until.tm_year + 1900,
		              until.tm_mon + 1, until.tm_mday);
	buffer_put_text(text, ", issued by ");
	put_name(text, X509_get_issuer_name(certificate));
}

void tls_describe(const struct tls *tls, struct buffer *text)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
	STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);

	if (tls->fault != TLS_FAULT_NONE && chain && sk_X509_num(chain) > 0) {
		put_certificate(text, sk_X509_value(chain, 0));
		put_names(text, sk_X509_value(chain, 0));
		return;
	}
	buffer_printf(text, "%s, %s", SSL_get_version(tls->ssl), SSL_get_cipher_name(tls->ssl));
	if (!certificate)
		return;
	buffer_put_text(text, "; ");
	put_certificate(text, certificate);
	if (chain)
		buffer_printf(text, ", chain of %d", sk_X509_num(chain));
}

// Keeps the certificate that ends first.
static void keep_first_end(X509 *certificate, const char *whose, int64_t *end_s, X509 **ret_first,
                           const char **ret_whose)
{
	struct tm until = { 0 };

	if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) != 1 ||
	    timegm(&until) >= *end_s)
		return;
	*end_s = timegm(&until);
	*ret_first = certificate;
	*ret_whose = whose;
}

bool tls_ends_soon(const struct tls *tls, int64_t now_ms, int days, struct buffer *text)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(tls->ssl);
	int64_t end_s = now_ms / 1000 + (int64_t)days * 86400;
	const char *whose = "";
	X509 *first = NULL;

	keep_first_end(SSL_get_certificate(tls->ssl), "our own certificate", &end_s, &first,
	               &whose);
	for (int i = 0; chain && i < sk_X509_num(chain); i++)
		keep_first_end(sk_X509_value(chain, i),
		               i == 0 ? "the other side's certificate"
		                      : "the authority's certificate",
		               &end_s, &first, &whose);
	if (!first)
		return false;
	time_t end = (time_t)end_s;
	struct tm until;
	gmtime_r(&end, &until);
	buffer_printf(text, "%s ", whose);
	put_name(text, X509_get_subject_name(first));
	buffer_printf(text, " ends on %04d-%02d-%02d", until.tm_year + 1900, until.tm_mon + 1,
	              until.tm_mday);
	return true;
}
