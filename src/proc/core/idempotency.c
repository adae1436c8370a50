// Idempotency keys. See idempotency.h.
#include "core/api.h"

#include "core/idempotency.h"
#include "crypto/mac.h"

// Old replies are looked for once in an hour, from the oldest on, so many rows at a time.
enum { KEY_MAX = 255, SWEEP_MS = 3600 * 1000, SWEPT_MS = 50, SWEPT_ROWS = 256 };
static const int64_t short_ms = 72LL * 3600 * 1000;
static const int64_t money_ms = 30LL * 24 * 3600 * 1000;

// Keys of different merchants are different keys.
static void hash_key(struct api_call *call)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	struct bytes key = call->request->idempotency_key;
	uint8_t tag[CRYPTO_SHA256];

	buffer_init(&text, KEY_MAX + 64);
	buffer_printf(&text, "idempotency %lld ", (long long)call->merchant);
	buffer_put(&text, key);
	crypto_hmac(BYTES_ARRAY(call->core->id_key), buffer_view(&text), tag);
	memcpy(call->key, tag, sizeof(call->key));
}

static void hash_request(struct api_call *call)
{
	struct crypto_hash *hash = crypto_hash_new();
	const struct request *request = call->request;
	uint8_t digest[CRYPTO_SHA256];

	crypto_hash_add(hash, request->method);
	crypto_hash_add(hash, BYTES_LITERAL(" "));
	crypto_hash_add(hash, request->path);
	crypto_hash_add(hash, BYTES_LITERAL("?"));
	crypto_hash_add(hash, request->query);
	crypto_hash_add(hash, BYTES_LITERAL("\n"));
	crypto_hash_add(hash, request->body);
	crypto_hash_end(hash, digest);
	memcpy(call->fingerprint, digest, sizeof(call->fingerprint));
}

static bool refuse_reuse(struct api_call *call)
{
	struct api_error error;

	api_fail(&error, 400, NULL, NULL,
	         "Keys for idempotent requests can only be used with the same parameters they "
	         "were first used with. Try using a key other than the one you meant to repeat.");
	error.type = "idempotency_error";
	call->keyed = false;
	api_refuse(call, &error);
	return false;
}

static void replay(struct api_call *call, const struct store_replay *kept, struct bytes body)
{
	struct reply reply = {
		.status = kept->status,
		.kind = REPLY_JSON,
		.flags = REPLY_REPLAYED | (kept->status >= 500 ? REPLY_RETRY_NEVER : 0),
		.request_id = call->request_id,
		.version = call->version[0] ? call->version : NULL,
		.body = body,
	};

	if (call->route->flags & API_FOR_BROWSERS)
		reply.flags |= REPLY_CORS;
	call->keyed = false;
	core_reply(call->core, call->serials[0], &reply);
	call->answered = true;
}

// Joins the call that runs with the same key. False: it has to be refused, too many wait.
static bool wait_for(struct api_call *first, struct api_call *call)
{
	struct api_error error;

	call->keyed = false;
	if (first->waiting < API_WAITERS_MAX) {
		first->serials[first->waiting++] = call->serials[0];
		call->answered = true;
		return true;
	}
	api_fail(&error, 409, "idempotency_key_in_use", NULL,
	         "Another request with this Idempotency-Key is running. Wait until it has ended.");
	error.type = "idempotency_error";
	api_refuse(call, &error);
	return false;
}

static struct api_call *find(struct api_call *list, const struct api_call *call, bool claimed)
{
	while (list && !(list->keyed && (list->claimed || !claimed) &&
	                 memcmp(list->key, call->key, sizeof(call->key)) == 0))
		list = list->next;
	return list;
}

// The first call with this key, while it works.
static struct api_call *running(struct api_call *call)
{
	struct api_call *asking = find(call->core->api->asking, call, false);

	return asking ? asking : find(call->core->api->parked, call, true);
}

// Vault makes a card for a call with this key, which has written nothing yet.
static bool waits_for_token(struct api_call *call)
{
	struct api_call *first = find(call->core->api->asking, call, false);

	if (!first)
		return false;
	if (memcmp(first->fingerprint, call->fingerprint, sizeof(call->fingerprint)) != 0)
		refuse_reuse(call);
	else
		wait_for(first, call);
	return true;
}

// A key that was used before: answer, wait, or take up the work.
static bool used_before(struct api_call *call, const struct store_replay *kept, struct bytes body)
{
	if (memcmp(kept->fingerprint, call->fingerprint, sizeof(call->fingerprint)) != 0)
		return refuse_reuse(call);
	if (kept->ended && call->route->flags & API_SECRET_ONCE && kept->status < 300) {
		call->kept = strndup((const char *)body.data, body.length);
		call->intent = kept->intent;
		return true;
	}
	if (kept->ended) {
		replay(call, kept, body);
		return false;
	}
	struct api_call *first = running(call);
	if (first) {
		wait_for(first, call);
		return false;
	}
	call->claimed = call->resumed = true;
	call->claimed_ms = kept->at_ms;
	call->intent = kept->intent;
	return true;
}

bool idempotency_begin(struct api_call *call)
{
	struct bytes key = call->request->idempotency_key;
	struct buffer body cleanup(buffer_done) = { 0 };
	struct store_replay kept;
	struct api_error error;

	if (key.length == 0)
		return true;
	if (key.length > KEY_MAX) {
		api_fail(&error, 400, NULL, NULL,
		         "The Idempotency-Key must be at most %d characters", KEY_MAX);
		api_refuse(call, &error);
		return false;
	}
	call->keyed = true;
	hash_key(call);
	hash_request(call);
	if (waits_for_token(call))
		return false;
	buffer_init(&body, API_REPLY_MAX);
	if (!store_replay_find(call->core->store, BYTES_ARRAY(call->key), &kept, &body) ||
	    kept.at_ms < call->core->now_ms - money_ms)
		return true;
	return used_before(call, &kept, buffer_view(&body));
}

// Money moves with payments and refunds: their answers are kept for longer.
static int kind_of(const struct api_call *call)
{
	enum api_object object = call->route->object;

	return object == API_PAYMENT_INTENT || object == API_REFUND ? STORE_REPLAY_MONEY
	                                                            : STORE_REPLAY_SHORT;
}

void idempotency_claim(struct api_call *call)
{
	if (call->claimed && call->resumed)
		return; // the row is there, with the time of the first try
	call->claimed = true;
	call->claimed_ms = call->core->now_ms;
	store_run(call->core->store, STORE_IDEMPOTENCY_CLAIM, STORE_B(BYTES_ARRAY(call->key)),
	          STORE_B(BYTES_ARRAY(call->fingerprint)), STORE_N(call->claimed_ms),
	          STORE_N(call->intent), STORE_N(kind_of(call)));
}

void idempotency_end(struct api_call *call, int status, struct bytes body, bool forget)
{
	struct store *store = call->core->store;

	if (!call->keyed)
		return;
	if (forget || status == 409 || status == 429) {
		if (call->claimed && !call->created)
			store_run(store, STORE_IDEMPOTENCY_DROP, STORE_B(BYTES_ARRAY(call->key)));
		return;
	}
	if (call->claimed)
		store_run(store, STORE_IDEMPOTENCY_END, STORE_B(BYTES_ARRAY(call->key)),
		          STORE_N(status), STORE_P(body), STORE_N(0));
	else
		store_run(store, STORE_IDEMPOTENCY_STORE, STORE_B(BYTES_ARRAY(call->key)),
		          STORE_B(BYTES_ARRAY(call->fingerprint)), STORE_N(call->core->now_ms),
		          STORE_N(kind_of(call)), STORE_N(status), STORE_P(body));
}

void idempotency_sweep(struct core *core)
{
	struct api *api = core->api;

	if (core->now_ms < api->next_replays_ms)
		return;
	api->swept = store_replay_purge(core->store, api->swept, SWEPT_ROWS,
	                                core->now_ms - short_ms, core->now_ms - money_ms);
	api->next_replays_ms = core->now_ms + (api->swept ? SWEPT_MS : SWEEP_MS);
}
