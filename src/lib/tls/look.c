// Reading certificates and keys without using them. What is in a certificate was chosen by others:
// only printable characters of it go into a sentence.
#include "tls/look.h"

#include "base/check.h"
#include "tls/pem.h"

#include <openssl/err.h>
#include <time.h>

static void put_name(struct buffer *text, const X509 *certificate)
{
	char line[200];

	X509_NAME_oneline(X509_get_subject_name(certificate), line, sizeof line);
	for (const char *at = line; *at; at++)
		buffer_put_byte(text, *at >= ' ' && *at < 0x7f ? (uint8_t)*at : '?');
}

static bool time_of(const ASN1_TIME *time, int64_t *ret_s)
{
	struct tm utc = { 0 };

	if (ASN1_TIME_to_tm(time, &utc) != 1)
		return false;
	*ret_s = timegm(&utc);
	return true;
}

static void put_day(struct buffer *text, int64_t seconds)
{
	time_t at = (time_t)seconds;
	struct tm utc;

	gmtime_r(&at, &utc);
	buffer_printf(text, "%04d-%02d-%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday);
}

// "The certificate CN=… in client_certificate ended on 2026-11-01": is it so?
static bool is_over(const X509 *certificate, int64_t now_ms, int64_t *ret_end_s)
{
	return time_of(X509_get0_notAfter(certificate), ret_end_s) && *ret_end_s <= now_ms / 1000;
}

static bool dates_are_good(const X509 *certificate, const char *name, int64_t now_ms,
                           struct buffer *sentence)
{
	int64_t begin_s = 0, end_s = 0;
	bool over = is_over(certificate, now_ms, &end_s);
	bool early = time_of(X509_get0_notBefore(certificate), &begin_s) && begin_s > now_ms / 1000;

	if (!over && !early)
		return true;
	buffer_printf(sentence, "In the parameter %s the certificate ", name);
	put_name(sentence, certificate);
	buffer_put_text(sentence, over ? " ended on " : " begins on ");
	put_day(sentence, over ? end_s : begin_s);
	buffer_put_text(sentence, over ? ": get a new one and name that."
	                               : ": check this machine's clock, or wait until then.");
	return false;
}

static bool look_at_chain(const struct tls_brought *brought, const struct tls_names *names,
                          int64_t now_ms, struct buffer *sentence)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(brought->certificate);
	bool good = true;
	X509 *one;

	for (int count = 0; good && ((one = pem_certificate(bio)) || count == 0); count++) {
		if (!one) {
			buffer_printf(sentence,
			              "The parameter %s holds no certificate: it should be PEM "
			              "(-----BEGIN CERTIFICATE-----), ours first, then its chain.",
			              names->certificate);
			return false;
		}
		good = dates_are_good(one, names->certificate, now_ms, sentence);
		X509_free(one);
	}
	return good;
}

static bool look_at_key(const struct tls_brought *brought, const struct tls_names *names,
                        struct buffer *sentence)
{
	cleanup(cleanup_bio) BIO *key_bio = pem_reader(brought->key);
	cleanup(cleanup_bio) BIO *bio = pem_reader(brought->certificate);
	cleanup(cleanup_x509) X509 *leaf = pem_certificate(bio);
	cleanup(cleanup_key) EVP_PKEY *key = pem_key(key_bio);

	if (!key) {
		buffer_printf(sentence,
		              "The parameter %s holds no key that can be read: it should be PEM, "
		              "without a password on it.",
		              names->key);
		return false;
	}
	if (leaf && X509_check_private_key(leaf, key) == 1)
		return true;
	buffer_printf(
	        sentence,
	        "The key of the parameter %s is not the one of the certificate in %s: name the "
	        "key that the certificate was issued for.",
	        names->key, names->certificate);
	return false;
}

// Bundles of authorities hold old ones; one that counts is enough.
static bool look_at_authorities(const struct tls_brought *brought, const struct tls_names *names,
                                int64_t now_ms, struct buffer *sentence)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(brought->authorities);
	int count = 0, over = 0;
	int64_t end_s = 0;
	X509 *one;

	for (; (one = pem_certificate(bio)); count++) {
		over += is_over(one, now_ms, &end_s);
		X509_free(one);
	}
	if (count > over)
		return true;
	buffer_printf(sentence,
	              "The parameter %s holds no certificate%s: it should be PEM, with the "
	              "authorities that vouch for the other side.",
	              names->authorities, count > 0 ? " that is not over" : "");
	return false;
}

bool tls_look(const struct tls_brought *brought, const struct tls_names *names, int64_t now_ms,
              struct buffer *ret_sentence)
{
	bool good = (brought->authorities.length == 0 ||
	             look_at_authorities(brought, names, now_ms, ret_sentence)) &&
	            (brought->certificate.length == 0 ||
	             look_at_chain(brought, names, now_ms, ret_sentence)) &&
	            (brought->key.length == 0 || look_at_key(brought, names, ret_sentence));

	ERR_clear_error(); // the end of a text is an error to its reader
	return good;
}

bool tls_text_ends_soon(struct bytes pem, const char *whose, int64_t now_ms, int days,
                        struct buffer *text)
{
	cleanup(cleanup_bio) BIO *bio = pem_reader(pem);
	cleanup(cleanup_x509) X509 *first = NULL;
	int64_t first_s = now_ms / 1000 + (int64_t)days * 86400, end_s = 0;
	X509 *one;

	while ((one = pem_certificate(bio))) {
		bool sooner = time_of(X509_get0_notAfter(one), &end_s) && end_s < first_s;
		if (sooner) {
			first_s = end_s;
			X509_free(first);
			first = one;
		} else {
			X509_free(one);
		}
	}
	ERR_clear_error();
	if (!first)
		return false;
	buffer_printf(text, "%s ", whose);
	put_name(text, first);
	buffer_put_text(text, " ends on ");
	put_day(text, first_s);
	return true;
}
