// Secrets and signatures. See sign.h.
#include "webhook/sign.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <stdio.h>

enum { MESSAGE_MAX = 2 * 1024 * 1024 };

static const char prefix[] = "whsec_";

// The secret's text from its key.
static void write_secret(struct webhook_key *key)
{
	struct buffer text cleanup(buffer_done) = { 0 };

	buffer_init_secret(&text, WEBHOOK_SECRET_CAPACITY);
	buffer_put_text(&text, prefix);
	base64_put(&text, BYTES_ARRAY(key->key));
	CHECK(bytes_copy_text(buffer_view(&text), key->secret, sizeof(key->secret)));
}

void webhook_key_derive(const uint8_t master[static WEBHOOK_MASTER_BYTES],
                        enum webhook_purpose purpose, int64_t id, uint32_t version,
                        struct webhook_key *ret_key)
{
	static const char *const names[] = { "endpoint", "listener" };
	char info[80];
	int length = snprintf(info, sizeof(info), "onfile webhook %s %lld %u", names[purpose],
	                      (long long)id, version);

	crypto_hkdf(bytes_from(master, WEBHOOK_MASTER_BYTES), BYTES_NONE,
	            bytes_from(info, (size_t)length), ret_key->key, sizeof(ret_key->key));
	write_secret(ret_key);
}

bool webhook_key_read(struct bytes secret, struct webhook_key *ret_key)
{
	struct buffer key cleanup(buffer_done) = { 0 };

	buffer_init_secret(&key, WEBHOOK_KEY_BYTES);
	if (!bytes_start_with(secret, prefix) ||
	    !result_ok(base64_read(bytes_slice(secret, sizeof(prefix) - 1, secret.length), &key)) ||
	    key.length != WEBHOOK_KEY_BYTES)
		return false;
	memcpy(ret_key->key, key.data, key.length);
	write_secret(ret_key);
	return true;
}

void webhook_key_done(struct webhook_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

// One secret's signatures over `id.t.body`; the scheme of Stripe's leaves the id and its dot out.
static void add_signatures(const struct webhook_key *key, struct bytes message, size_t id_length,
                           struct buffer *stripe, struct buffer *standard)
{
	uint8_t tag[CRYPTO_SHA256];

	crypto_hmac(BYTES_ARRAY(key->key), message, tag);
	buffer_put_text(standard, standard->length ? " v1," : "v1,");
	base64_put(standard, BYTES_ARRAY(tag));
	crypto_hmac(bytes_text(key->secret), bytes_slice(message, id_length + 1, message.length),
	            tag);
	buffer_put_text(stripe, ",v1=");
	hex_put(stripe, BYTES_ARRAY(tag));
}

void webhook_sign(const struct webhook_key *key, const struct webhook_key *old, struct bytes id,
                  int64_t time_s, struct bytes body, struct webhook_signature *ret_signature)
{
	struct buffer message cleanup(buffer_done) = { 0 };
	struct buffer stripe cleanup(buffer_done) = { 0 };
	struct buffer standard cleanup(buffer_done) = { 0 };

	buffer_init(&message, MESSAGE_MAX);
	buffer_init(&stripe, WEBHOOK_SIGNATURE_CAPACITY - 1);
	buffer_init(&standard, WEBHOOK_SIGNATURE_CAPACITY - 1);
	buffer_put(&message, id);
	buffer_printf(&message, ".%lld.", (long long)time_s);
	buffer_put(&message, body);
	CHECK(!message.failed && id.length <= WEBHOOK_ID_MAX);
	buffer_printf(&stripe, "t=%lld", (long long)time_s);
	add_signatures(key, buffer_view(&message), id.length, &stripe, &standard);
	if (old)
		add_signatures(old, buffer_view(&message), id.length, &stripe, &standard);
	CHECK(bytes_copy_text(buffer_view(&stripe), ret_signature->stripe,
	                      sizeof(ret_signature->stripe)));
	CHECK(bytes_copy_text(buffer_view(&standard), ret_signature->standard,
	                      sizeof(ret_signature->standard)));
}
