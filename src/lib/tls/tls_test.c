// Two sides in one process, with certificates made on the spot: who is let in, who is not, and what
// comes through.
#include "tls/tls.h"

#include "base/cleanup.h"
#include "base/tap.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
	struct buffer certificate_pem, key_pem;
};

struct side {
	struct tls_context *context;
	struct tls *tls;
	struct buffer got;
	struct result result;
};

static struct identity authority, other_authority;
static struct side client, server;

static void must(bool good)
{
	if (!good)
		abort();
}

static void put_pem(BIO *bio, struct buffer *to)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);

	buffer_init(to, 16384);
	buffer_put(to, bytes_from(data, (size_t)length));
	BIO_free(bio);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(extension && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

// A certificate for `names` (a subjectAltName; NULL: an authority) that ends in so many days.
static void make(struct identity *identity, const char *names, const struct identity *issuer,
                 long days)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	identity->key = EVP_EC_gen("P-256");
	identity->certificate = certificate;
	if (!issuer)
		issuer = identity;
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), names ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -10L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400);
	X509_set_pubkey(certificate, identity->key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	                           (const uint8_t *)(names ? "Leaf" : "Authority"), -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
	if (names)
		add_extension(certificate, NID_subject_alt_name, names);
	else
		add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	must(X509_sign(certificate, issuer->key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	must(PEM_write_bio_X509(bio, certificate) == 1);
	put_pem(bio, &identity->certificate_pem);
	bio = BIO_new(BIO_s_mem());
	must(PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL) == 1);
	put_pem(bio, &identity->key_pem);
}

static void forget(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	buffer_done(&identity->certificate_pem);
	buffer_done(&identity->key_pem);
}

static struct tls_options options_of(const struct identity *identity,
                                     const struct identity *believed)
{
	struct tls_options options = { 0 };

	if (identity) {
		options.certificate = buffer_view(&identity->certificate_pem);
		options.key = buffer_view(&identity->key_pem);
	}
	if (believed)
		options.authorities = buffer_view(&believed->certificate_pem);
	return options;
}

// Carries what one side has to say to the other.
static bool carry(struct side *from, struct side *to)
{
	struct bytes wire = tls_pending(from->tls);
	bool some = wire.length > 0;

	if (some && result_ok(to->result))
		to->result = tls_receive(to->tls, wire, &to->got);
	tls_sent(from->tls, wire.length);
	return some;
}

static void talk(void)
{
	if (result_ok(client.result) && !tls_is_up(client.tls))
		client.result = tls_receive(client.tls, BYTES_NONE, &client.got);
	bool some = true;
	while (some) {
		some = carry(&client, &server);
		some = carry(&server, &client) || some;
	}
}

static void open_sides(const struct tls_options *ours, const struct tls_options *theirs,
                       const char *name)
{
	client = (struct side){ 0 };
	server = (struct side){ 0 };
	buffer_init(&client.got, 1 << 20);
	buffer_init(&server.got, 1 << 20);
	must(result_ok(tls_client_context(ours, &client.context)));
	must(result_ok(tls_server_context(theirs, &server.context)));
	must(result_ok(tls_connect(client.context, name, &client.tls)));
	must(result_ok(tls_accept(server.context, &server.tls)));
	talk();
}

static void close_side(struct side *side)
{
	tls_free(side->tls);
	tls_context_free(side->context);
	buffer_done(&side->got);
}

static void close_sides(void)
{
	close_side(&client);
	close_side(&server);
}

// What the client of the last meeting has to say of it.
static enum tls_fault fault;
static struct buffer described;

// How a client that believes `authority` and expects `name` likes a server with these names.
static enum error meet(const char *names, const struct identity *issuer, long days,
                       const char *name)
{
	struct identity leaf;

	make(&leaf, names, issuer, days);
	struct tls_options ours = options_of(NULL, &authority);
	struct tls_options theirs = options_of(&leaf, NULL);
	open_sides(&ours, &theirs, name);
	enum error error = client.result.error;
	EXPECT((error == ERROR_NONE) == tls_is_up(client.tls));
	if (error != ERROR_NONE)
		EXPECT(strstr(tls_why(client.tls), "certificate was not accepted"));
	fault = tls_fault(client.tls);
	buffer_reset(&described);
	tls_describe(client.tls, &described);
	close_sides();
	forget(&leaf);
	return error;
}

static void begin(void)
{
	buffer_init(&described, 4096);
	make(&authority, NULL, NULL, 30);
	make(&other_authority, NULL, NULL, 30);
}

static void end(void)
{
	forget(&authority);
	forget(&other_authority);
	buffer_done(&described);
}

TEST(the_name_is_checked)
{
	begin();
	EXPECT(meet("DNS:bank.example", &authority, 30, "bank.example") == ERROR_NONE);
	EXPECT(meet("DNS:bank.example", &authority, 30, "BANK.example") == ERROR_NONE);
	EXPECT(meet("DNS:bank.example", &authority, 30, "bank.example.net") == ERROR_DENIED);
	EXPECT(meet("DNS:bank.example", &authority, 30, "other.example") == ERROR_DENIED);
	EXPECT(meet("DNS:*.pay.example", &authority, 30, "bank.pay.example") == ERROR_NONE);
	EXPECT(meet("DNS:*.pay.example", &authority, 30, "a.bank.pay.example") == ERROR_DENIED);
	EXPECT(meet("DNS:b*.pay.example", &authority, 30, "bank.pay.example") == ERROR_DENIED);
	EXPECT(meet("DNS:Leaf.example", &authority, 30, "Leaf") == ERROR_DENIED);
	EXPECT(meet("IP:127.0.0.1", &authority, 30, "127.0.0.1") == ERROR_NONE);
	EXPECT(meet("IP:::1", &authority, 30, "::1") == ERROR_NONE);
	EXPECT(meet("IP:127.0.0.2", &authority, 30, "127.0.0.1") == ERROR_DENIED);
	EXPECT(meet("DNS:127.0.0.1", &authority, 30, "127.0.0.1") == ERROR_DENIED);
	end();
}

TEST(authority_and_dates_are_checked)
{
	begin();
	EXPECT(meet("DNS:bank.example", &other_authority, 30, "bank.example") == ERROR_DENIED);
	EXPECT(meet("DNS:bank.example", NULL, 30, "bank.example") == ERROR_DENIED);
	EXPECT(meet("DNS:bank.example", &authority, -1, "bank.example") == ERROR_DENIED);
	end();
}

TEST(what_is_wrong_with_a_certificate_and_whose_it_is)
{
	begin();
	meet("DNS:bank.example,DNS:a.bank.example,IP:192.0.2.7", &authority, 30, "other.example");
	EXPECT(fault == TLS_FAULT_NAME);
	EXPECT(strstr(buffer_text(&described), "certificate /CN=Leaf, until 20"));
	EXPECT(strstr(buffer_text(&described),
	              ", issued by /CN=Authority, for bank.example a.bank.example 192.0.2.7"));
	meet("IP:127.0.0.2", &authority, 30, "127.0.0.1");
	EXPECT(fault == TLS_FAULT_NAME);
	meet("DNS:bank.example", &authority, -1, "bank.example");
	EXPECT(fault == TLS_FAULT_DATES && strstr(buffer_text(&described), "/CN=Leaf"));
	meet("DNS:bank.example", &other_authority, 30, "bank.example");
	EXPECT(fault == TLS_FAULT_AUTHORITY && strstr(buffer_text(&described), "/CN=Leaf"));
	// Names are the other side's to choose: nothing of them is more than text.
	meet("DNS:bank\x1b[2J.example", &authority, 30, "bank.example");
	EXPECT(!strchr(buffer_text(&described), 0x1b));
	meet("DNS:bank.example", &authority, 30, "bank.example");
	EXPECT(fault == TLS_FAULT_NONE && strstr(buffer_text(&described), "chain of 2"));
	end();
}

TEST(a_server_may_want_certificates)
{
	struct identity leaf, ours, stranger;

	begin();
	make(&leaf, "DNS:bank.example", &authority, 30);
	make(&ours, "DNS:shop.example", &authority, 30);
	make(&stranger, "DNS:shop.example", &other_authority, 30);
	const struct identity *clients[] = { &ours, NULL, &stranger };
	for (int i = 0; i < 3; i++) {
		struct tls_options mine = options_of(clients[i], &authority);
		struct tls_options theirs = options_of(&leaf, &authority);
		open_sides(&mine, &theirs, "bank.example");
		EXPECT(result_ok(server.result) == (i == 0));
		EXPECT(tls_fault(client.tls) == (i == 0 ? TLS_FAULT_NONE : TLS_FAULT_OURS));
		close_sides();
	}
	forget(&leaf);
	forget(&ours);
	forget(&stranger);
	end();
}

TEST(what_goes_in_comes_out)
{
	static uint8_t much[200000];
	struct identity leaf;
	cleanup(buffer_done) struct buffer text;

	begin();
	buffer_init(&text, 4096);
	make(&leaf, "DNS:bank.example", &authority, 30);
	struct tls_options mine = options_of(NULL, &authority);
	struct tls_options theirs = options_of(&leaf, NULL);
	open_sides(&mine, &theirs, "bank.example");
	REQUIRE(tls_is_up(client.tls) && tls_is_up(server.tls));
	for (size_t i = 0; i < sizeof much; i++)
		much[i] = (uint8_t)(i * 7 + i / 251);
	EXPECT(result_ok(tls_send(client.tls, bytes_from(much, sizeof much))));
	EXPECT(result_ok(tls_send(server.tls, BYTES_LITERAL("hello"))));
	talk();
	EXPECT(server.got.length == sizeof much && memcmp(server.got.data, much, sizeof much) == 0);
	EXPECT(client.got.length == 5 && memcmp(client.got.data, "hello", 5) == 0);
	tls_describe(client.tls, &text);
	EXPECT(strstr(buffer_text(&text), "TLSv1.3") && strstr(buffer_text(&text), "CN=Leaf"));
	EXPECT(strstr(buffer_text(&text), "CN=Authority") &&
	       strstr(buffer_text(&text), "chain of 2"));
	tls_close(server.tls);
	talk();
	EXPECT(client.result.error == ERROR_CLOSED);
	close_sides();
	forget(&leaf);
	end();
}

// The bank's ends in 20 days, ours in 10: the one that ends first is told, and none when the days
// that are asked for are fewer.
TEST(a_certificate_that_ends_soon_is_told)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	struct identity leaf, client_leaf;
	cleanup(buffer_done) struct buffer text;

	begin();
	buffer_init(&text, 4096);
	make(&leaf, "DNS:bank.example", &authority, 20);
	make(&client_leaf, "DNS:shop.example", &authority, 10);
	for (int with_own = 0; with_own < 2; with_own++) {
		struct tls_options mine = options_of(with_own ? &client_leaf : NULL, &authority);
		struct tls_options theirs = options_of(&leaf, with_own ? &authority : NULL);
		open_sides(&mine, &theirs, "bank.example");
		REQUIRE(tls_is_up(client.tls));
		EXPECT(!tls_ends_soon(client.tls, now_ms, with_own ? 9 : 19, &text));
		EXPECT(text.length == 0);
		EXPECT(tls_ends_soon(client.tls, now_ms, 21, &text));
		EXPECT(bytes_start_with(buffer_view(&text), with_own ? "our own certificate /CN="
		                                                     : "the other side's certif"));
		buffer_reset(&text);
		close_sides();
	}
	forget(&leaf);
	forget(&client_leaf);
	end();
}

TEST(nonsense_ends_it)
{
	struct tls_options mine;
	struct tls *tls;
	struct tls_context *context;
	cleanup(buffer_done) struct buffer got;

	begin();
	buffer_init(&got, 65536);
	mine = options_of(NULL, &authority);
	must(result_ok(tls_client_context(&mine, &context)));
	must(result_ok(tls_connect(context, "bank.example", &tls)));
	EXPECT(result_ok(tls_receive(tls, BYTES_NONE, &got)));
	EXPECT(tls_pending(tls).length > 0);
	EXPECT(tls_receive(tls, BYTES_LITERAL("HTTP/1.1 400 Bad Request\r\n\r\n"), &got).error ==
	       ERROR_CRYPTO);
	EXPECT(tls_why(tls)[0] && !tls_is_up(tls) && got.length == 0);
	EXPECT(tls_fault(tls) == TLS_FAULT_PROTOCOL);
	tls_free(tls);
	EXPECT(tls_connect(context, "", &tls).error == ERROR_INPUT);
	tls_context_free(context);
	end();
}

TEST(options_that_cannot_be_used)
{
	struct identity leaf, other;
	struct tls_context *context = NULL;

	begin();
	make(&leaf, "DNS:bank.example", &authority, 30);
	make(&other, "DNS:bank.example", &authority, 30);
	struct tls_options good = options_of(&leaf, &authority);
	EXPECT(result_ok(tls_client_context(&good, &context)));
	EXPECT(tls_context_expires_ms(context) < INT64_MAX);
	tls_context_free(take_ptr(context));
	struct tls_options options = good;
	options.key = buffer_view(&other.key_pem);
	EXPECT(tls_client_context(&options, &context).error == ERROR_INPUT);
	options.key = BYTES_NONE;
	EXPECT(tls_client_context(&options, &context).error == ERROR_INPUT);
	options = good;
	options.authorities = BYTES_LITERAL("no certificate at all");
	EXPECT(tls_client_context(&options, &context).error == ERROR_INPUT);
	options.authorities = BYTES_NONE;
	EXPECT(tls_client_context(&options, &context).error == ERROR_INPUT);
	options = good;
	options.certificate = buffer_view(&leaf.key_pem);
	EXPECT(tls_client_context(&options, &context).error == ERROR_INPUT);
	EXPECT(context == NULL);
	forget(&leaf);
	forget(&other);
	end();
}

TAP_MAIN
