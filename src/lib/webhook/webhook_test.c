// Tests of secrets and signatures against values that other programs computed (openssl's command
// line), and of the addresses that may be dialled.
#include "webhook/address.h"
#include "webhook/sign.h"

#include "base/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct webhook_key key_of_text(const char *text)
{
	struct webhook_key key = { 0 };

	if (!webhook_key_read(bytes_text(text), &key))
		printf("# not a secret: %s\n", text);
	return key;
}

TEST(a_secret_is_derived_for_its_purpose_its_row_and_its_version)
{
	uint8_t master[WEBHOOK_MASTER_BYTES];
	struct webhook_key keys[5];

	memset(master, 7, sizeof(master));
	webhook_key_derive(master, WEBHOOK_ENDPOINT, 1, 1, &keys[0]);
	webhook_key_derive(master, WEBHOOK_ENDPOINT, 2, 1, &keys[1]);
	webhook_key_derive(master, WEBHOOK_ENDPOINT, 1, 2, &keys[2]);
	webhook_key_derive(master, WEBHOOK_LISTENER, 1, 1, &keys[3]);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			EXPECT(strcmp(keys[i].secret, keys[j].secret) != 0);
	webhook_key_derive(master, WEBHOOK_ENDPOINT, 1, 1, &keys[4]);
	EXPECT(strcmp(keys[4].secret, keys[0].secret) == 0);
	// openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:0707… -kdfopt
	// info:'onfile webhook endpoint 1 1' HKDF
	EXPECT(strcmp(keys[0].secret, "whsec_nbgz4zE4SfzsWk4dvAVzLK+4+6RkSPhQ2251bbyTOEA=") == 0);
}

TEST(a_secret_is_read_back)
{
	struct webhook_key key;
	uint8_t master[WEBHOOK_MASTER_BYTES] = { 1 };
	struct webhook_key read;

	webhook_key_derive(master, WEBHOOK_ENDPOINT, 77, 1, &key);
	REQUIRE(webhook_key_read(bytes_text(key.secret), &read));
	EXPECT(memcmp(key.key, read.key, sizeof(key.key)) == 0);
	EXPECT(strcmp(key.secret, read.secret) == 0);
	EXPECT(!webhook_key_read(BYTES_LITERAL("whsec_"), &read));
	EXPECT(!webhook_key_read(BYTES_LITERAL("whsec_AAAA"), &read));
	EXPECT(!webhook_key_read(bytes_text(key.secret + 1), &read));
	webhook_key_done(&key);
	EXPECT(key.secret[0] == '\0');
}

TEST(both_signatures_are_as_openssl_makes_them)
{
	struct webhook_key key = key_of_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	struct webhook_signature signature;

	webhook_sign(&key, NULL, BYTES_LITERAL("evt_1"), 1700000000, BYTES_LITERAL("{\"a\":1}"),
	             &signature);
	EXPECT(strcmp(signature.stripe,
	              "t=1700000000,v1="
	              "7ca151e4fc23256c89e882261933d6af9a8be1f09f32dd687e83b0e34da7e68f") == 0);
	EXPECT(strcmp(signature.standard, "v1,hUVxIYXs8Zy9GDiZD1uQbBwXoZGMAB6RVLdZZ3ffmek=") == 0);
}

// What each signs alone stands there, in the order of the arguments.
TEST(two_secrets_sign_beside_each_other)
{
	struct webhook_key new = key_of_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	struct webhook_key old = key_of_text("whsec_HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=");
	struct webhook_signature one, other, both;
	char expected[WEBHOOK_SIGNATURE_CAPACITY * 2];

	webhook_sign(&new, NULL, BYTES_LITERAL("evt_1"), 1700000000, BYTES_LITERAL("{}"), &one);
	webhook_sign(&old, NULL, BYTES_LITERAL("evt_1"), 1700000000, BYTES_LITERAL("{}"), &other);
	webhook_sign(&new, &old, BYTES_LITERAL("evt_1"), 1700000000, BYTES_LITERAL("{}"), &both);
	EXPECT(strcmp(one.stripe, other.stripe) != 0);
	snprintf(expected, sizeof(expected), "%s%s", one.stripe, strchr(other.stripe, ','));
	EXPECT(strcmp(both.stripe, expected) == 0);
	snprintf(expected, sizeof(expected), "%s %s", one.standard, other.standard);
	EXPECT(strcmp(both.standard, expected) == 0);
}

static bool fits(const char *text, const char *allow)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	struct net_ranges allowed;

	if (!result_ok(net_ranges_read(allow, &allowed)))
		return false;
	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return webhook_address_fits((const struct sockaddr *)&ipv4, &allowed);
	if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) != 1)
		printf("# not an address: %s\n", text);
	return webhook_address_fits((const struct sockaddr *)&ipv6, &allowed);
}

TEST(what_is_not_the_internet_is_refused)
{
	static const char *const refused[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.254",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"203.0.113.9",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::7f00:1",
		"::ffff:10.0.0.1",
		"::ffff:127.0.0.1",
		"64:ff9b::a00:1",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"3fff::1",
		"4000::1",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
	};
	static const char *const taken[] = {
		"1.1.1.1",          "9.255.255.255",   "11.0.0.1",        "100.63.255.255",
		"100.128.0.1",      "126.255.255.255", "128.0.0.1",       "172.15.255.255",
		"172.32.0.1",       "192.167.255.255", "223.255.255.255", "::ffff:8.8.8.8",
		"64:ff9b::808:808", "2a00:1450::1",    "2001:4860::8888"
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (fits(refused[i], "none")) {
			printf("# taken: %s\n", refused[i]);
			EXPECT(!fits(refused[i], "none"));
		}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!fits(taken[i], "none")) {
			printf("# refused: %s\n", taken[i]);
			EXPECT(fits(taken[i], "none"));
		}
	EXPECT(!webhook_address_fits(&(struct sockaddr){ .sa_family = AF_UNIX },
	                             &(struct net_ranges){ .count = 0 }));
}

TEST(what_the_operator_allows_is_taken)
{
	EXPECT(fits("127.0.0.1", "loopback") && fits("127.9.9.9", "loopback"));
	EXPECT(fits("::1", "loopback") && fits("::ffff:127.0.0.1", "loopback"));
	EXPECT(!fits("10.0.0.1", "loopback") && !fits("::2", "loopback"));
	EXPECT(fits("10.1.2.3", "10.1.0.0/16") && !fits("10.2.0.1", "10.1.0.0/16"));
	EXPECT(fits("64:ff9b::a01:203", "10.1.0.0/16"));
	EXPECT(fits("10.2.0.1", " fd00::/8  10.2.0.1 ") && fits("fd01::1", "fd00::/8"));
	EXPECT(!fits("10.2.0.2", "10.2.0.1") && !fits("fe80::1", "fd00::/8"));
	EXPECT(fits("192.168.0.129", "192.168.0.128/25") &&
	       !fits("192.168.0.127", "192.168.0.128/25"));
}

TAP_MAIN
