// Making and checking proofs of work.
#include "core/proof.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/mac.h"

static const int64_t life_ms = 10 * 60 * 1000;
enum { TAG_BYTES = 16, ANSWER_MAX = 20 };

static void put_tag(struct core *core, struct buffer *nonce, int64_t intent)
{
	uint8_t tag[CRYPTO_SHA256];
	struct buffer text cleanup(buffer_done) = { 0 };

	buffer_init(&text, 256);
	buffer_printf(&text, "proof/%lld/%s", (long long)intent, buffer_text(nonce));
	crypto_hmac(BYTES_ARRAY(core->id_key), buffer_view(&text), tag);
	buffer_put_byte(nonce, '.');
	base64url_put(nonce, bytes_from(tag, TAG_BYTES));
}

// bits.milliseconds.chance.tag
static void make(struct core *core, int64_t intent, struct bytes head, struct buffer *nonce)
{
	buffer_init(nonce, PROOF_NONCE_CAPACITY);
	buffer_put(nonce, head);
	put_tag(core, nonce, intent);
}

void proof_nonce(struct core *core, int64_t intent, int bits,
                 char ret_nonce[static PROOF_NONCE_CAPACITY])
{
	struct buffer head cleanup(buffer_done) = { 0 };
	struct buffer nonce cleanup(buffer_done) = { 0 };
	uint8_t chance[8];

	crypto_random(chance, sizeof(chance));
	buffer_init(&head, 64);
	buffer_printf(&head, "%d.%lld.", bits, (long long)core->now_ms);
	hex_put(&head, BYTES_ARRAY(chance));
	make(core, intent, buffer_view(&head), &nonce);
	bytes_copy_text(buffer_view(&nonce), ret_nonce, PROOF_NONCE_CAPACITY);
}

static int zero_bits(const uint8_t *digest)
{
	int bits = 0;

	while (bits < 8 * CRYPTO_SHA256 && !(digest[bits / 8] & 0x80 >> bits % 8))
		bits++;
	return bits;
}

// Takes bits and time from the front of a nonce.
static bool read_head(struct bytes nonce, uint64_t *ret_bits, uint64_t *ret_ms)
{
	size_t first = bytes_find(nonce, '.');
	struct bytes rest = bytes_slice(nonce, first + 1, nonce.length);

	return text_to_number(bytes_slice(nonce, 0, first), 64, ret_bits) &&
	       text_to_number(bytes_slice(rest, 0, bytes_find(rest, '.')), INT64_MAX, ret_ms);
}

static bool nonce_is_ours(struct core *core, int64_t intent, struct bytes nonce)
{
	struct buffer own cleanup(buffer_done) = { 0 };
	size_t tag = nonce.length;

	while (tag > 0 && nonce.data[tag - 1] != '.')
		tag--;
	if (tag == 0)
		return false;
	make(core, intent, bytes_slice(nonce, 0, tag - 1), &own);
	return bytes_equal_constant_time(buffer_view(&own), nonce);
}

bool proof_check(struct core *core, int64_t intent, int bits, struct bytes proof)
{
	struct bytes nonce = bytes_slice(proof, 0, bytes_find(proof, ':'));
	uint8_t digest[CRYPTO_SHA256];
	uint64_t nonce_bits, made_ms;

	if (nonce.length >= PROOF_NONCE_CAPACITY || proof.length > nonce.length + 1 + ANSWER_MAX ||
	    !read_head(nonce, &nonce_bits, &made_ms) || !nonce_is_ours(core, intent, nonce))
		return false;
	crypto_sha256(proof, digest);
	if ((int)nonce_bits < bits || (int64_t)made_ms + life_ms < core->now_ms ||
	    zero_bits(digest) < (int)nonce_bits)
		return false;
	crypto_sha256(nonce, digest);
	return store_run(core->store, STORE_CARD_USED, STORE_B(BYTES_ARRAY(digest)),
	                 STORE_N(core->now_ms)) == 1;
}
