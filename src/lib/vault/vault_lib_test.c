// Tests of the keyring, of sealed cards and connections, of encrypted cards and of the codes'
// table.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "vault/card.h"
#include "vault/codes.h"
#include "vault/connection.h"
#include "vault/keyring.h"
#include "vault/tokens.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static const int64_t now_ms = 1790000000000; // 2026-09-21

struct place {
	char path[64];
	int folder;
	struct vault_keyring *keyring;
	struct vault_pools pools;
};

static bool place_init(struct place *place)
{
	*place = (struct place){ .path = "/tmp/onfile-vault-XXXXXX", .folder = -1 };
	if (!mkdtemp(place->path))
		return false;
	place->folder = open(place->path, O_RDONLY | O_DIRECTORY);
	return place->folder >= 0 &&
	       result_ok(secret_pool_new(VAULT_ENVELOPE_SLOT, 1, &place->pools.envelopes)) &&
	       result_ok(secret_pool_new(VAULT_CARD_SLOT, 4, &place->pools.cards)) &&
	       result_ok(vault_keyring_open(place->folder, &place->keyring));
}

static void place_done(struct place *place)
{
	vault_keyring_free(place->keyring);
	secret_pool_free(place->pools.envelopes);
	secret_pool_free(place->pools.cards);
	unlinkat(place->folder, "keyring", 0);
	close(place->folder);
	rmdir(place->path);
}

static const uint8_t handle[VAULT_HANDLE] = "handle-of-a-card";

static bool card_of(struct place *place, const char *number, struct vault_card *ret_card)
{
	*ret_card = (struct vault_card){ .exp_month = 12, .exp_year = 2030 };
	if (!result_ok(secret_take(place->pools.cards, strlen(number), &ret_card->number)))
		return false;
	memcpy(ret_card->number.data, number, strlen(number));
	return true;
}

TEST(every_test_token_is_a_card)
{
	static const char *const names[] = {
#define TOKEN(name, number) name,
#include "vault/tokens.def"
#undef TOKEN
	};
	cleanup(place_done) struct place place;
	char text[128];

	REQUIRE(place_init(&place));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) * 2; i++) {
		cleanup(vault_card_done) struct vault_card card = { 0 };
		snprintf(text, sizeof(text), "%s%s", i % 2 ? "tok_" : "pm_card_", names[i / 2]);
		EXPECT(result_ok(
		        vault_token_card(bytes_text(text), now_ms, place.pools.cards, &card)));
		EXPECT(card.exp_month == 9 && card.exp_year == 2027);
		EXPECT(card_code_is_valid(secret_view(&card.code), card.brand));
	}
	EXPECT(secret_pool_free_slots(place.pools.cards) == 4);
}

TEST(what_is_no_test_token_is_no_card)
{
	static const char *const texts[] = { "",         "visa",           "pm_card_",
		                             "tok_",     "pm_card_visa_",  "pm_card_Visa",
		                             "src_visa", "pm_card_visa\n", "tok_tok_visa" };
	cleanup(place_done) struct place place;

	REQUIRE(place_init(&place));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cleanup(vault_card_done) struct vault_card card = { 0 };
		EXPECT(vault_token_card(bytes_text(texts[i]), now_ms, place.pools.cards, &card)
		               .error == ERROR_INPUT);
	}
}

TEST(a_keyring_is_made_once_and_read_again)
{
	cleanup(place_done) struct place place;
	struct vault_keyring *again = NULL;
	struct stat status;

	REQUIRE(place_init(&place));
	REQUIRE(fstatat(place.folder, "keyring", &status, 0) == 0);
	EXPECT((status.st_mode & 0777) == 0600);
	REQUIRE(result_ok(vault_keyring_open(place.folder, &again)));
	EXPECT(strcmp(again->card_keys[0].kid, place.keyring->card_keys[0].kid) == 0);
	vault_keyring_free(again);
}

TEST(a_keyring_that_others_may_read_is_refused)
{
	cleanup(place_done) struct place place;
	struct vault_keyring *again = NULL;

	REQUIRE(place_init(&place));
	REQUIRE(fchmodat(place.folder, "keyring", 0640, 0) == 0);
	EXPECT(vault_keyring_open(place.folder, &again).error == ERROR_DENIED);
}

static bool rewrite(struct place *place, struct bytes text)
{
	cleanup(cleanup_fd) int file = openat(place->folder, "keyring", O_WRONLY | O_TRUNC);

	return file >= 0 && write(file, text.data, text.length) == (ssize_t)text.length;
}

TEST(a_damaged_keyring_is_refused_and_left_as_it_is)
{
	cleanup(place_done) struct place place;
	struct vault_keyring *again = NULL;
	uint8_t text[512];

	REQUIRE(place_init(&place));
	int file = openat(place.folder, "keyring", O_RDONLY);
	ssize_t length = read(file, text, sizeof(text));
	close(file);
	REQUIRE(length > 0);
	for (size_t i = 0; i < (size_t)length; i++) {
		text[i] ^= 1;
		REQUIRE(rewrite(&place, bytes_from(text, (size_t)length)));
		EXPECT(vault_keyring_open(place.folder, &again).error == ERROR_INPUT);
		text[i] ^= 1;
	}
	for (size_t cut = 0; cut < (size_t)length; cut++) {
		REQUIRE(rewrite(&place, bytes_from(text, cut)));
		EXPECT(vault_keyring_open(place.folder, &again).error == ERROR_INPUT);
	}
	REQUIRE(rewrite(&place, bytes_from(text, (size_t)length)));
	EXPECT(result_ok(vault_keyring_open(place.folder, &again)));
	vault_keyring_free(again);
}

TEST(the_public_key_is_told_as_jwks)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer jwks = { 0 };

	REQUIRE(place_init(&place));
	buffer_init(&jwks, 4096);
	vault_keyring_put_jwks(place.keyring, &jwks);
	EXPECT(bytes_start_with(buffer_view(&jwks),
	                        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""));
	EXPECT(strstr(buffer_text(&jwks), place.keyring->card_keys[0].kid) != NULL);
	EXPECT(strstr(buffer_text(&jwks), "\"d\"") == NULL);
}

TEST(a_card_opens_for_its_merchant_and_handle_only)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer sealed = { 0 };
	struct vault_card card;
	struct vault_card opened;
	uint8_t other[VAULT_HANDLE];

	REQUIRE(place_init(&place));
	REQUIRE(card_of(&place, "6205500000000000004", &card));
	buffer_init(&sealed, VAULT_CARD_SEALED_MAX);
	vault_card_seal(place.keyring, &card, 7, handle, &sealed);
	REQUIRE(!sealed.failed);
	EXPECT(memmem(sealed.data, sealed.length, "62055000", 8) == NULL);
	REQUIRE(result_ok(vault_card_open(place.keyring, place.pools.cards, buffer_view(&sealed), 7,
	                                  handle, &opened)));
	EXPECT(bytes_equal(secret_view(&opened.number), secret_view(&card.number)));
	EXPECT(opened.exp_month == 12 && opened.exp_year == 2030 && opened.code.length == 0);
	EXPECT(strcmp(opened.brand->name, "unionpay") == 0);
	vault_card_done(&opened);
	memcpy(other, handle, sizeof(other));
	other[15] ^= 1;
	EXPECT(vault_card_open(place.keyring, place.pools.cards, buffer_view(&sealed), 8, handle,
	                       &opened)
	               .error == ERROR_CRYPTO);
	EXPECT(vault_card_open(place.keyring, place.pools.cards, buffer_view(&sealed), 7, other,
	                       &opened)
	               .error == ERROR_CRYPTO);
	for (size_t i = 0; i < sealed.length; i++) {
		sealed.data[i] ^= 0x10;
		EXPECT(vault_card_open(place.keyring, place.pools.cards, buffer_view(&sealed), 7,
		                       handle, &opened)
		               .error == ERROR_CRYPTO);
		EXPECT(opened.number.data == NULL);
		sealed.data[i] ^= 0x10;
	}
	vault_card_done(&card);
	EXPECT(secret_pool_free_slots(place.pools.cards) == 4);
}

TEST(sealed_cards_do_not_tell_the_numbers_length)
{
	cleanup(place_done) struct place place;
	size_t lengths[2];
	const char *numbers[] = { "501800000009", "6205500000000000004" };

	REQUIRE(place_init(&place));
	for (int i = 0; i < 2; i++) {
		cleanup(buffer_done) struct buffer sealed = { 0 };
		struct vault_card card;
		buffer_init(&sealed, VAULT_CARD_SEALED_MAX);
		REQUIRE(card_of(&place, numbers[i], &card));
		vault_card_seal(place.keyring, &card, 1, handle, &sealed);
		lengths[i] = sealed.length;
		vault_card_done(&card);
	}
	EXPECT(lengths[0] == lengths[1]);
}

TEST(after_a_rotation_old_cards_open_new_ones_are_sealed_anew_and_fingerprints_stay)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer before = { 0 };
	cleanup(buffer_done) struct buffer after = { 0 };
	struct vault_card card;
	struct vault_card opened;
	struct vault_keyring *rotated = NULL;
	uint8_t fingerprints[2][VAULT_FINGERPRINT];

	REQUIRE(place_init(&place));
	REQUIRE(card_of(&place, "4242424242424242", &card));
	buffer_init(&before, VAULT_CARD_SEALED_MAX);
	buffer_init(&after, VAULT_CARD_SEALED_MAX);
	vault_card_seal(place.keyring, &card, 1, handle, &before);
	vault_fingerprint(place.keyring, secret_view(&card.number), fingerprints[0]);
	REQUIRE(result_ok(vault_keyring_rotate(place.folder)));
	REQUIRE(result_ok(vault_keyring_open(place.folder, &rotated)));
	EXPECT(rotated->count == 2 && vault_keyring_newest(rotated)->number == 2);
	EXPECT(strcmp(rotated->card_keys[0].kid, place.keyring->card_keys[0].kid) == 0);
	EXPECT(strcmp(rotated->card_keys[1].kid, rotated->card_keys[0].kid) != 0);
	EXPECT(result_ok(vault_card_open(rotated, place.pools.cards, buffer_view(&before), 1,
	                                 handle, &opened)));
	vault_card_done(&opened);
	vault_card_seal(rotated, &card, 1, handle, &after);
	EXPECT(vault_card_open(place.keyring, place.pools.cards, buffer_view(&after), 1, handle,
	                       &opened)
	               .error == ERROR_CRYPTO);
	after.data[4] = 1; // says that version 1 sealed it
	EXPECT(vault_card_open(rotated, place.pools.cards, buffer_view(&after), 1, handle, &opened)
	               .error == ERROR_CRYPTO);
	vault_fingerprint(rotated, secret_view(&card.number), fingerprints[1]);
	EXPECT(memcmp(fingerprints[0], fingerprints[1], VAULT_FINGERPRINT) == 0);
	vault_card_done(&card);
	vault_keyring_free(rotated);
}

#define REST                                                                                       \
	"\"exp_month\":12,\"exp_year\":2030,\"cvc\":\"123\",\"intent\":\"seti_1\",\"issued\":"     \
	"1790000000"

static enum vault_problem read_card(struct place *place, const char *text)
{
	struct vault_card card;
	enum vault_problem problem = vault_card_read(bytes_text(text), BYTES_LITERAL("seti_1"),
	                                             now_ms, place->pools.cards, &card);

	EXPECT((card.number.data != NULL) == (problem == VAULT_GOOD));
	vault_card_done(&card);
	EXPECT(secret_pool_free_slots(place->pools.cards) == 4);
	return problem;
}

TEST(each_fault_of_a_card_has_its_name)
{
	static const struct {
		enum vault_problem problem;
		const char *text;
	} cases[] = {
		{ VAULT_GOOD, "{\"number\":\"4242424242424242\"," REST "}" },
		{ VAULT_GOOD,
		  "{\"number\":\"4242424242424242\",\"name\":\"\xd0\x98. Petrov\"," REST "}" },
		{ VAULT_GOOD, "{\"number\":\"378282246310005\",\"exp_month\":9,\"exp_year\":2026,"
		              "\"cvc\":\"1234\",\"intent\":\"seti_1\",\"issued\":1790000060}" },
		{ VAULT_GOOD, "{\"number\":\"4242424242424242\",\"exp_month\":9,\"exp_year\":2026,"
		              "\"cvc\":\"123\",\"intent\":\"seti_1\",\"issued\":1789999700}" },
		{ VAULT_STALE, "{\"number\":\"4242424242424242\",\"exp_month\":9,\"exp_year\":2026,"
		               "\"cvc\":\"123\",\"intent\":\"seti_1\",\"issued\":1789999699}" },
		{ VAULT_STALE, "{\"number\":\"4242424242424242\",\"exp_month\":9,\"exp_year\":2026,"
		               "\"cvc\":\"123\",\"intent\":\"seti_1\",\"issued\":1790000061}" },
		{ VAULT_OTHER_INTENT,
		  "{\"number\":\"4242424242424242\",\"exp_month\":9,\"exp_year\":2026,"
		  "\"cvc\":\"123\",\"intent\":\"seti_2\",\"issued\":1790000000}" },
		{ VAULT_INVALID_NUMBER, "{\"number\":\"4242424242424241\"," REST "}" },
		{ VAULT_INVALID_NUMBER, "{\"number\":\"4242 4242 4242 4242\"," REST "}" },
		{ VAULT_INVALID_NUMBER, "{\"number\":\"\"," REST "}" },
		{ VAULT_INVALID_EXPIRY_MONTH,
		  "{\"number\":\"4242424242424242\",\"exp_month\":13,"
		  "\"exp_year\":2030,\"cvc\":\"123\",\"intent\":\"seti_1\","
		  "\"issued\":1790000000}" },
		{ VAULT_INVALID_EXPIRY_YEAR,
		  "{\"number\":\"4242424242424242\",\"exp_month\":12,"
		  "\"exp_year\":30,\"cvc\":\"123\",\"intent\":\"seti_1\","
		  "\"issued\":1790000000}" },
		{ VAULT_EXPIRED_CARD, "{\"number\":\"4242424242424242\",\"exp_month\":8,"
		                      "\"exp_year\":2026,\"cvc\":\"123\",\"intent\":\"seti_1\","
		                      "\"issued\":1790000000}" },
		{ VAULT_INVALID_CVC,
		  "{\"number\":\"4242424242424242\",\"exp_month\":12,\"exp_year\":2030,"
		  "\"cvc\":\"12\",\"intent\":\"seti_1\",\"issued\":1790000000}" },
		{ VAULT_INVALID_CVC,
		  "{\"number\":\"4242424242424242\",\"exp_month\":12,\"exp_year\":2030,"
		  "\"cvc\":\"1234\",\"intent\":\"seti_1\",\"issued\":1790000000}" },
		{ VAULT_INVALID_CVC, "{\"number\":\"378282246310005\"," REST "}" },
		{ VAULT_UNREADABLE, "" },
		{ VAULT_UNREADABLE, "null" },
		{ VAULT_UNREADABLE, "{" REST "}" },
		{ VAULT_UNREADABLE, "{\"number\":4242424242424242," REST "}" },
		{ VAULT_UNREADABLE, "{\"number\":\"4242424242424242\"," REST ",\"cvc\":\"123\"}" },
		{ VAULT_UNREADABLE, "{\"number\":\"4242424242424242\"," REST ",\"more\":1}" },
		{ VAULT_UNREADABLE, "{\"number\":\"4242424242424242\"," REST "} x" },
		{ VAULT_UNREADABLE, "{\"number\":\"4242424242424242\",\"exp_month\":12.0,"
		                    "\"exp_year\":2030,\"cvc\":\"123\",\"intent\":\"seti_1\","
		                    "\"issued\":1790000000}" },
	};
	cleanup(place_done) struct place place;

	REQUIRE(place_init(&place));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum vault_problem problem = read_card(&place, cases[i].text);
		if (problem != cases[i].problem)
			printf("# case %zu is %s\n", i, vault_problem_name(problem));
		EXPECT(problem == cases[i].problem);
	}
}

TEST(a_name_that_is_too_long_is_refused)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer text = { 0 };

	REQUIRE(place_init(&place));
	for (int length = VAULT_NAME_MAX; length <= VAULT_NAME_MAX + 1; length++) {
		buffer_init(&text, 4096);
		buffer_printf(&text, "{\"number\":\"4242424242424242\",\"name\":\"%0*d\"," REST "}",
		              length, 7);
		EXPECT(read_card(&place, buffer_text(&text)) ==
		       (length == VAULT_NAME_MAX ? VAULT_GOOD : VAULT_UNREADABLE));
		buffer_done(&text);
	}
}

TEST(an_encrypted_card_opens_and_names_its_ephemeral_key)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer jwe = { 0 };
	struct vault_card card;
	uint8_t used[3][CRYPTO_SHA256];

	REQUIRE(place_init(&place));
	const struct crypto_jwe_key *key = &place.keyring->card_keys[0];
	struct crypto_p256_point point = crypto_p256_public(key->key);
	for (int i = 0; i < 3; i++) {
		if (i != 1) { // the second time the same JWE comes again
			buffer_done(&jwe);
			buffer_init(&jwe, 8192);
			crypto_jwe_seal(&point, bytes_text(key->kid),
			                BYTES_LITERAL("{\"number\":\"4242424242424242\"," REST "}"),
			                &jwe);
		}
		EXPECT(vault_card_open_envelope(place.keyring, &place.pools, buffer_view(&jwe),
		                                BYTES_LITERAL("seti_1"), now_ms, &card,
		                                used[i]) == VAULT_GOOD);
		EXPECT(bytes_equal_text(secret_view(&card.number), "4242424242424242"));
		EXPECT(bytes_equal_text(secret_view(&card.code), "123"));
		EXPECT(card.exp_month == 12 && card.exp_year == 2030);
		EXPECT(strcmp(card.brand->name, "visa") == 0);
		vault_card_done(&card);
	}
	EXPECT(memcmp(used[0], used[1], CRYPTO_SHA256) == 0);
	EXPECT(memcmp(used[0], used[2], CRYPTO_SHA256) != 0);
	EXPECT(vault_card_open_envelope(place.keyring, &place.pools, BYTES_LITERAL("a.b.c.d.e"),
	                                BYTES_LITERAL("seti_1"), now_ms, &card,
	                                used[0]) == VAULT_UNREADABLE);
	EXPECT(secret_pool_free_slots(place.pools.envelopes) == 1);
}

static void handle_of(uint32_t number, uint8_t ret_handle[static VAULT_HANDLE])
{
	memset(ret_handle, 0, VAULT_HANDLE);
	memcpy(ret_handle, &number, sizeof(number));
}

TEST(a_code_is_handed_out_once_and_not_after_its_deadline)
{
	struct vault_codes *codes = NULL;
	struct secret_pool *pool = NULL;
	struct secret code;
	uint8_t at[VAULT_HANDLE];

	REQUIRE(result_ok(vault_codes_new(4, &codes)));
	REQUIRE(result_ok(secret_pool_new(VAULT_CARD_SLOT, 2, &pool)));
	handle_of(1, at);
	vault_codes_put(codes, at, BYTES_LITERAL("123"), 100);
	handle_of(2, at);
	vault_codes_put(codes, at, BYTES_LITERAL("4567"), 200);
	EXPECT(vault_codes_next_deadline(codes) == 100);
	EXPECT(vault_codes_take(codes, at, 150, pool, &code));
	EXPECT(bytes_equal_text(secret_view(&code), "4567"));
	secret_done(&code);
	EXPECT(!vault_codes_take(codes, at, 150, pool, &code));
	handle_of(1, at);
	EXPECT(!vault_codes_take(codes, at, 100, pool, &code));
	EXPECT(vault_codes_count(codes) == 0);
	EXPECT(vault_codes_next_deadline(codes) == INT64_MAX);
	vault_codes_put(codes, at, BYTES_LITERAL("123"), 300);
	vault_codes_forget(codes, at);
	EXPECT(!vault_codes_take(codes, at, 150, pool, &code));
	secret_pool_free(pool);
	vault_codes_free(codes);
}

TEST(codes_past_their_deadline_go_and_a_full_table_drops_the_oldest)
{
	struct vault_codes *codes = NULL;
	struct secret_pool *pool = NULL;
	struct secret code;
	uint8_t at[VAULT_HANDLE];

	REQUIRE(result_ok(vault_codes_new(3, &codes)));
	REQUIRE(result_ok(secret_pool_new(VAULT_CARD_SLOT, 1, &pool)));
	for (uint32_t i = 0; i < 5; i++) {
		handle_of(i, at);
		vault_codes_put(codes, at, BYTES_LITERAL("123"), 100 + i);
	}
	EXPECT(vault_codes_count(codes) == 3);
	handle_of(1, at);
	EXPECT(!vault_codes_take(codes, at, 0, pool, &code));
	vault_codes_expire(codes, 103);
	EXPECT(vault_codes_count(codes) == 1);
	handle_of(4, at);
	EXPECT(vault_codes_take(codes, at, 103, pool, &code));
	secret_done(&code);
	secret_pool_free(pool);
	vault_codes_free(codes);
}

// Against a plain array of what should be there. Handles share few homes, so that the index has to
// move entries; the ring has room for every round, so that nothing is pushed out.
TEST(the_codes_table_agrees_with_a_simple_one)
{
	enum { HANDLES = 64, ROUNDS = 20000 };
	struct vault_codes *codes = NULL;
	struct secret_pool *pool = NULL;
	bool expected[HANDLES] = { false };
	uint32_t random = 12345;
	size_t count = 0;

	REQUIRE(result_ok(vault_codes_new(ROUNDS, &codes)));
	REQUIRE(result_ok(secret_pool_new(VAULT_CARD_SLOT, 1, &pool)));
	for (int round = 0; round < ROUNDS; round++) {
		uint8_t at[VAULT_HANDLE] = { 0 };
		struct secret code;
		random = random * 1664525 + 1013904223;
		uint32_t number = random >> 16 & (HANDLES - 1);
		at[0] = (uint8_t)(number % 8);
		at[15] = (uint8_t)number;
		bool took = vault_codes_take(codes, at, 0, pool, &code);
		EXPECT(took == expected[number]);
		secret_done(&code);
		if (!took)
			vault_codes_put(codes, at, BYTES_LITERAL("123"), INT64_MAX);
		expected[number] = !took;
		count = took ? count - 1 : count + 1;
		EXPECT(vault_codes_count(codes) == count);
	}
	secret_pool_free(pool);
	vault_codes_free(codes);
}

TEST(a_connection_opens_under_its_name_only)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer blob = { 0 };
	cleanup(vault_connection_done) struct vault_connection made = { 0 };
	cleanup(vault_connection_done) struct vault_connection opened = { 0 };
	const uint8_t digest[CRYPTO_SHA256] = { 1, 2, 3 };

	REQUIRE(place_init(&place));
	const struct vault_connection_parts parts = {
		.name = BYTES_LITERAL("main"),
		.driver = BYTES_LITERAL("iso8583"),
		.grants = BYTES_LITERAL("connect\nport 1"),
		.shown = BYTES_LITERAL("port"),
		.parameters = BYTES_LITERAL("{\n \"host\": \"a\\nb\",\n \"port\": 1 }"),
	};
	REQUIRE(result_ok(vault_connection_make(&parts, digest, &made)));
	EXPECT(strcmp(buffer_text(&made.parameters), "{\"host\":\"a\\nb\",\"port\":1}") == 0);
	buffer_init(&blob, VAULT_BLOB_MAX);
	vault_connection_seal(place.keyring, &made, &blob);
	REQUIRE(result_ok(vault_connection_open(place.keyring, buffer_view(&blob),
	                                        BYTES_LITERAL("main"), &opened)));
	EXPECT(strcmp(opened.driver, "iso8583") == 0 && memcmp(opened.digest, digest, 32) == 0);
	EXPECT(bytes_equal(buffer_view(&opened.parameters), buffer_view(&made.parameters)));
	EXPECT(bytes_equal(buffer_view(&opened.grants), parts.grants));
	EXPECT(bytes_equal(buffer_view(&opened.shown), parts.shown));
	vault_connection_done(&opened);
	EXPECT(vault_connection_open(place.keyring, buffer_view(&blob), BYTES_LITERAL("other"),
	                             &opened)
	               .error == ERROR_CRYPTO);
	vault_connection_done(&opened);
	for (size_t i = 0; i < blob.length; i++) {
		blob.data[i] ^= 1;
		EXPECT(vault_connection_open(place.keyring, buffer_view(&blob),
		                             BYTES_LITERAL("main"), &opened)
		               .error == ERROR_CRYPTO);
		vault_connection_done(&opened);
		blob.data[i] ^= 1;
	}
}

TEST(what_cannot_be_a_connection_is_refused)
{
	static const struct {
		const char *name;
		const char *driver;
		const char *parameters;
	} wrong[] = {
		{ "", "iso8583", "{}" },        { "Main", "iso8583", "{}" },
		{ "main", "../iso8583", "{}" }, { "main", "-x", "{}" },
		{ "main", "iso8583", "[]" },    { "main", "iso8583", "{\"a\":1,\"a\":2}" },
		{ "main", "iso8583", "{" },
	};
	const uint8_t digest[CRYPTO_SHA256] = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup(vault_connection_done) struct vault_connection made = { 0 };
		const struct vault_connection_parts parts = {
			.name = bytes_text(wrong[i].name),
			.driver = bytes_text(wrong[i].driver),
			.parameters = bytes_text(wrong[i].parameters),
		};
		EXPECT(vault_connection_make(&parts, digest, &made).error == ERROR_INPUT);
	}
}

TEST(a_changed_connection_keeps_what_is_not_named_and_shows_no_secret)
{
	cleanup(vault_connection_done) struct vault_connection base = { 0 };
	cleanup(vault_connection_done) struct vault_connection changed = { 0 };
	cleanup(buffer_done) struct buffer shown = { 0 };
	cleanup(buffer_done) struct buffer hidden = { 0 };
	const uint8_t digest[CRYPTO_SHA256] = { 1 };
	struct vault_connection_parts parts = {
		.name = BYTES_LITERAL("main"),
		.driver = BYTES_LITERAL("iso8583"),
		.shown = BYTES_LITERAL("host port"),
		.parameters = BYTES_LITERAL("{\"host\":\"a\",\"port\":1,\"mac_key\":\"00ff\"}"),
	};

	buffer_init(&shown, VAULT_PARAMETERS_MAX);
	buffer_init(&hidden, VAULT_SHOWN_MAX);
	REQUIRE(result_ok(vault_connection_make(&parts, digest, &base)));
	parts.base = &base;
	parts.parameters = BYTES_LITERAL("{\"host\":\"b\",\"port\":null,\"hos\":1}");
	REQUIRE(result_ok(vault_connection_make(&parts, digest, &changed)));
	EXPECT(strcmp(buffer_text(&changed.parameters),
	              "{\"host\":\"b\",\"mac_key\":\"00ff\",\"hos\":1}") == 0);
	vault_connection_show(&changed, &shown, &hidden);
	EXPECT(strcmp(buffer_text(&shown), "{\"host\":\"b\"}") == 0);
	EXPECT(strcmp(buffer_text(&hidden), "mac_key hos") == 0);
}

TEST(a_sealed_card_is_not_a_connection)
{
	cleanup(place_done) struct place place;
	cleanup(buffer_done) struct buffer sealed = { 0 };
	cleanup(vault_connection_done) struct vault_connection opened = { 0 };
	struct vault_card card;

	REQUIRE(place_init(&place));
	REQUIRE(card_of(&place, "4242424242424242", &card));
	buffer_init(&sealed, VAULT_CARD_SEALED_MAX);
	vault_card_seal(place.keyring, &card, 1, handle, &sealed);
	EXPECT(vault_connection_open(place.keyring, buffer_view(&sealed), BYTES_LITERAL("main"),
	                             &opened)
	               .error == ERROR_CRYPTO);
	vault_card_done(&card);
}

TAP_MAIN
