// Certificates and keys made on the spot: what is good, and each thing that is not.
#include "base/check.h"
#include "base/tap.h"
#include "tls/look.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

enum { PEM_MAX = 4096, DAY = 86400 };

#define NOW_MS ((int64_t)1800000000 * 1000)

static const struct tls_names names = { "ca_file", "client_certificate", "client_key" };

struct pair {
	char certificate[PEM_MAX], key[PEM_MAX];
};

static void take_text(BIO *bio, char to[static PEM_MAX])
{
	int length = BIO_read(bio, to, PEM_MAX - 1);

	CHECK(length > 0);
	to[length] = '\0';
	BIO_free(bio);
}

static void make(struct pair *pair, long first_day, long last_day, const char *password)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	time_t now = NOW_MS / 1000;
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(key && certificate && bio);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_time_adj_ex(X509_getm_notBefore(certificate), (int)first_day, 0, &now);
	X509_time_adj_ex(X509_getm_notAfter(certificate), (int)last_day, 0, &now);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
	                           (const unsigned char *)"shop\n.example", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
	CHECK(PEM_write_bio_X509(bio, certificate) == 1);
	take_text(bio, pair->certificate);
	bio = BIO_new(BIO_s_mem());
	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, password ? EVP_aes_128_cbc() : NULL, NULL, 0,
	                                    NULL, (void *)(uintptr_t)password) == 1);
	take_text(bio, pair->key);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static const char *look(const char *authorities, const char *certificate, const char *key)
{
	static char sentence[600];
	struct buffer text;

	buffer_init(&text, sizeof sentence);
	bool good = tls_look(&(struct tls_brought){ bytes_text(authorities),
	                                            bytes_text(certificate), bytes_text(key) },
	                     &names, NOW_MS, &text);
	snprintf(sentence, sizeof sentence, "%s", buffer_text(&text));
	EXPECT(good == (sentence[0] == '\0'));
	buffer_done(&text);
	return sentence;
}

TEST(what_is_good_is_good)
{
	struct pair one;
	char chain[2 * PEM_MAX];

	make(&one, -1, 90, NULL);
	EXPECT(look("", "", "")[0] == '\0');
	EXPECT(look(one.certificate, one.certificate, one.key)[0] == '\0');
	snprintf(chain, sizeof chain, "%s%s", one.certificate, one.certificate);
	EXPECT(look("", chain, one.key)[0] == '\0');
}

TEST(each_thing_that_is_wrong_is_told_with_the_parameter)
{
	struct pair good, other, over, early, locked;
	char chain[2 * PEM_MAX], old[2 * PEM_MAX];

	make(&good, -1, 90, NULL);
	make(&other, -1, 90, NULL);
	make(&over, -9, -1, NULL);
	make(&early, 2, 90, NULL);
	make(&locked, -1, 90, "secret");
	EXPECT(strstr(look("", "nonsense", good.key), "client_certificate holds no certificate"));
	EXPECT(strstr(look("", good.key, good.key), "client_certificate holds no certificate"));
	EXPECT(strstr(look("", good.certificate, "nonsense"), "client_key holds no key"));
	EXPECT(strstr(look("", good.certificate, good.certificate), "client_key holds no key"));
	EXPECT(strstr(look("", locked.certificate, locked.key), "without a password"));
	EXPECT(strstr(look("", good.certificate, other.key), "is not the one of the certificate"));
	EXPECT(strstr(look("", over.certificate, over.key),
	              "/CN=shop\\x0A.example ended on 2027-01-14"));
	EXPECT(strstr(look("", early.certificate, early.key), "begins on 2027-01-17"));
	snprintf(chain, sizeof chain, "%s%s", good.certificate, over.certificate);
	EXPECT(strstr(look("", chain, good.key), "ended on"));
	EXPECT(strstr(look("nonsense", "", ""), "ca_file holds no certificate:"));
	EXPECT(strstr(look(over.certificate, "", ""), "no certificate that is not over"));
	snprintf(old, sizeof old, "%s%s", over.certificate, good.certificate);
	EXPECT(look(old, "", "")[0] == '\0');
}

TEST(the_first_end_within_the_days_is_told)
{
	struct pair late, soon, sooner;
	char all[3 * PEM_MAX];
	struct buffer text;

	make(&late, -1, 31, NULL);
	make(&soon, -1, 20, NULL);
	make(&sooner, -1, 10, NULL);
	buffer_init(&text, 600);
	EXPECT(!tls_text_ends_soon(bytes_text(late.certificate), "ours", NOW_MS, 30, &text));
	EXPECT(!tls_text_ends_soon(bytes_text("nonsense"), "ours", NOW_MS, 30, &text));
	EXPECT(!tls_text_ends_soon(BYTES_NONE, "ours", NOW_MS, 30, &text));
	snprintf(all, sizeof all, "%s%s%s", late.certificate, soon.certificate, sooner.certificate);
	EXPECT(tls_text_ends_soon(bytes_text(all), "ours", NOW_MS, 30, &text));
	EXPECT(strstr(buffer_text(&text), "ours /CN=shop\\x0A.example ends on 2027-01-25"));
	buffer_done(&text);
}

TAP_MAIN
