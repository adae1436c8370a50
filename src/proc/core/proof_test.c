// A proof of work is taken once, for its own intent, for ten minutes, with at least the bits that
// are asked for now; and only when the work was done.
#include "core/proof.h"

#include "base/tap.h"
#include "crypto/mac.h"

#include <stdio.h>

enum { INTENT = 77, BITS = 8, PROOF_CAPACITY = PROOF_NONCE_CAPACITY + 24 };

static int bits_of(const char *proof)
{
	uint8_t digest[CRYPTO_SHA256];
	int bits = 0;

	crypto_sha256(bytes_text(proof), digest);
	while (!(digest[bits / 8] & 0x80 >> bits % 8))
		bits++;
	return bits;
}

// The first answer whose digest begins with at least (work) or with less than `bits` zero bits.
static void solve(const char *nonce, int bits, bool work, char ret_proof[static PROOF_CAPACITY])
{
	for (int i = 0;; i++) {
		snprintf(ret_proof, PROOF_CAPACITY, "%s:%d", nonce, i);
		if ((bits_of(ret_proof) >= bits) == work)
			return;
	}
}

static bool take(struct core *core, int64_t intent, int bits, const char *proof)
{
	return proof_check(core, intent, bits, bytes_text(proof));
}

static bool start(struct core *core)
{
	*core = (struct core){ .now_ms = 1790000000000 };
	memset(core->id_key, 7, sizeof(core->id_key));
	return result_ok(store_open(":memory:", &core->store));
}

TEST(a_proof_is_taken_once_and_by_its_own_intent)
{
	struct core core;
	char nonce[PROOF_NONCE_CAPACITY], proof[PROOF_CAPACITY], lazy[PROOF_CAPACITY];

	REQUIRE(start(&core));
	proof_nonce(&core, INTENT, BITS, nonce);
	solve(nonce, BITS, true, proof);
	solve(nonce, BITS, false, lazy);
	EXPECT(!take(&core, INTENT, BITS, lazy));
	EXPECT(!take(&core, INTENT + 1, BITS, proof));
	EXPECT(take(&core, INTENT, BITS, proof));
	EXPECT(!take(&core, INTENT, BITS, proof));
	store_close(core.store);
}

TEST(a_proof_has_the_bits_that_are_asked_for_now)
{
	struct core core;
	char nonce[PROOF_NONCE_CAPACITY], proof[PROOF_CAPACITY];

	REQUIRE(start(&core));
	proof_nonce(&core, INTENT, BITS, nonce);
	solve(nonce, BITS + 4, true, proof); // more work than its nonce says does not help
	EXPECT(!take(&core, INTENT, BITS + 1, proof));
	EXPECT(take(&core, INTENT, BITS - 1, proof));
	store_close(core.store);
}

TEST(a_proof_is_good_for_ten_minutes)
{
	struct core core;
	char nonce[PROOF_NONCE_CAPACITY], proof[PROOF_CAPACITY];

	REQUIRE(start(&core));
	proof_nonce(&core, INTENT, BITS, nonce);
	solve(nonce, BITS, true, proof);
	core.now_ms += 10 * 60 * 1000 + 1;
	EXPECT(!take(&core, INTENT, BITS, proof));
	core.now_ms -= 1;
	EXPECT(take(&core, INTENT, BITS, proof));
	store_close(core.store);
}

TEST(a_nonce_that_was_changed_or_made_up_is_refused)
{
	struct core core;
	char nonce[PROOF_NONCE_CAPACITY], proof[PROOF_CAPACITY];
	static const char *const made_up[] = {
		"",         ":",           "x",       "x:1",        "8.1:2",
		"8.1.aa:2", "8.1.aa.bb:2", "0.0..:0", "64.1.1.1:1", "99999999999999999999.1.1.1:1",
	};

	REQUIRE(start(&core));
	proof_nonce(&core, INTENT, BITS, nonce);
	for (size_t i = 0; nonce[i]; i++) {
		char changed[PROOF_NONCE_CAPACITY];
		memcpy(changed, nonce, sizeof(changed));
		changed[i] = changed[i] == '1' ? '2' : '1';
		solve(changed, BITS, true, proof);
		EXPECT(!take(&core, INTENT, 1, proof));
	}
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
		EXPECT(!take(&core, INTENT, 0, made_up[i]));
	solve(nonce, BITS, true, proof);
	core.id_key[0] ^= 1;
	EXPECT(!take(&core, INTENT, BITS, proof));
	core.id_key[0] ^= 1;
	EXPECT(take(&core, INTENT, BITS, proof));
	store_close(core.store);
}

TAP_MAIN
