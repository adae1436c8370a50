// Accounts: a telephone number and a one-time code (six digits, five minutes, three tries, once).
// The code is bound to the browser that asked for it: a challenge of 256 bits that only that page
// holds must come with it, so that nobody can use up the tries of somebody else's code.
#include "shop.h"

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "http/form.h"

#include <stdio.h>

#define MINUTE 60000LL
#define DAY (24 * 60 * MINUTE)
#define CODE_LIFE (5 * MINUTE)
#define CODE_TRIES 3
#define SESSION_LIFE (90 * DAY)

static const char *cookie_name(const struct shop *shop)
{
	return shop->settings.https ? "__Host-soyka" : "soyka";
}

// The value of the first cookie of this name in a Cookie field (RFC 6265 section 5.4).
static struct bytes find_cookie(struct bytes field, const char *name)
{
	size_t length = strlen(name);

	while (field.length) {
		size_t end = bytes_find(field, ';');
		struct bytes pair = bytes_slice(field, 0, end);
		while (pair.length && pair.data[0] == ' ')
			pair = bytes_slice(pair, 1, pair.length);
		if (pair.length > length && bytes_start_with(pair, name) &&
		    pair.data[length] == '=')
			return bytes_slice(pair, length + 1, pair.length);
		field = bytes_slice(field, end + 1, field.length);
	}
	return BYTES_NONE;
}

void shop_recognise(struct shop_turn *turn)
{
	struct bytes field = http_request_get(turn->request->http, "cookie");
	struct bytes token = find_cookie(field, cookie_name(turn->shop));

	if (token.length != SHOP_TOKEN_TEXT - 1)
		return;
	shop_hash(token, turn->session);
	struct result result =
	        shop_session_find(turn->shop->data, turn->session, clock_wall_ms(), &turn->account);
	if (!result_ok(result))
		turn->account.row = 0;
	else
		turn->language = turn->account.language[0] == 'e' ? "en" : "ru";
}

static json_t *account_json(const struct shop_account *account)
{
	char shown[SHOP_PHONE_SHOWN];

	if (!account->row)
		return json_null();
	shop_phone_show(account->phone, shown);
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", account->public, "phone", shown, "name",
	                 account->name, "language", account->language, "created",
	                 (json_int_t)account->created / 1000);
}

void shop_get_me(struct shop_turn *turn)
{
	shop_reply(turn, 200,
	           json_pack("{s:o, s:s, s:I}", "account", account_json(&turn->account), "support",
	                     turn->shop->settings.support, "now",
	                     (json_int_t)clock_wall_ms() / 1000));
}

// When the next code may go to this number; 0: now.
static struct result next_code_at(struct shop *shop, const char *phone, int64_t now,
                                  int64_t *ret_at)
{
	const struct {
		int64_t span;
		uint32_t most;
	} limits[] = { { MINUTE, shop->settings.sms_per_minute },
		       { 10 * MINUTE, shop->settings.sms_per_ten_minutes },
		       { DAY, shop->settings.sms_per_day } };

	*ret_at = 0;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t count = 0;
		int64_t oldest = 0;
		TRY(shop_challenge_count(shop->data, phone, now - limits[i].span, &count, &oldest));
		if (limits[i].most && count >= limits[i].most && oldest + limits[i].span > *ret_at)
			*ret_at = oldest + limits[i].span;
	}
	return RESULT_OK;
}

static void code_sent(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;

	if (answer->status < 200 || answer->status > 299) {
		log_event(LOG_WARN, "sms_failed", LOG_NUMBER("status", answer->status));
		shop_reply_error(turn, 502, "sms_failed", NULL);
		return;
	}
	json_t *reply = turn->scratch;
	turn->scratch = NULL;
	shop_reply(turn, 200, reply);
}

static void send_code(struct shop_turn *turn, const char *phone, const char *code)
{
	const struct shop_settings *settings = &turn->shop->settings;
	struct buffer form;
	char text[256];

	// The last line is what phones read to fill the code in (WICG, SMS one-time codes).
	(void)snprintf(text, sizeof text,
	               turn->language[0] == 'r'
	                       ? "Сойка: %s — код для входа. Никому его не говорите.\n\n@%s #%s"
	                       : "Soyka: %s is your sign-in code. Tell it to nobody.\n\n@%s #%s",
	               code, settings->host, code);
	buffer_init_secret(&form, 2048);
	http_form_put_text(&form, "to", phone);
	http_form_put_text(&form, "text", text);
	http_form_put_text(&form, "from", turn->language[0] == 'r' ? "Сойка" : "Soyka");
	shop_client_send(turn->shop->client, &(struct shop_call){ .method = "POST",
	                                                          .url = settings->sms_url,
	                                                          .form = buffer_view(&form),
	                                                          .timeout_ms = 10000,
	                                                          .done = code_sent,
	                                                          .context = turn });
	buffer_done(&form);
	explicit_bzero(text, sizeof text);
}

static struct result keep_code(struct shop_turn *turn, const char *phone, const char *code,
                               int64_t now)
{
	struct shop_challenge challenge = { .expires = now + CODE_LIFE };
	char token[SHOP_TOKEN_TEXT];
	char shown[SHOP_PHONE_SHOWN];
	uint8_t id[SHOP_HASH];

	shop_token(token);
	shop_hash(bytes_text(token), id);
	(void)snprintf(challenge.phone, sizeof challenge.phone, "%s", phone);
	shop_random(challenge.key, sizeof challenge.key);
	shop_keyed_hash(BYTES_ARRAY(challenge.key), bytes_text(code), challenge.code);
	TRY(shop_challenge_add(turn->shop->data, id, &challenge, now));
	shop_phone_show(phone, shown);
	turn->scratch = json_pack("{s:s, s:s, s:I, s:I}", "challenge", token, "phone", shown,
	                          "expires", (json_int_t)challenge.expires / 1000, "again",
	                          (json_int_t)(now + MINUTE) / 1000);
	return RESULT_OK;
}

// POST /api/code {phone}: sends a code, whether there is an account or not.
void shop_post_code(struct shop_turn *turn)
{
	int64_t now = clock_wall_ms();
	int64_t at = 0;
	char phone[SHOP_PHONE_TEXT];
	char code[SHOP_CODE_TEXT];

	if (!shop_phone_parse(shop_body_text(turn, "phone"), phone)) {
		shop_reply_error(turn, 400, "phone", NULL);
		return;
	}
	struct result result = next_code_at(turn->shop, phone, now, &at);
	if (result_ok(result) && at > now) {
		shop_reply_error(turn, 429, "too_many",
		                 json_pack("{s:I}", "at", (json_int_t)(at + 999) / 1000));
		return;
	}
	shop_code(code);
	if (result_ok(result))
		result = keep_code(turn, phone, code, now);
	if (result_ok(result))
		send_code(turn, phone, code);
	else
		shop_reply_broken(turn, result);
	explicit_bzero(code, sizeof code);
}

enum verdict { CODE_RIGHT, CODE_WRONG, CODE_OVER };

// Every look at a code is a try, written before the answer is known.
static struct result check_code(struct shop_turn *turn, struct shop_challenge *ret_challenge,
                                enum verdict *ret_verdict)
{
	uint8_t id[SHOP_HASH];
	uint8_t hash[SHOP_HASH];

	*ret_verdict = CODE_OVER;
	shop_hash(shop_body_text(turn, "challenge"), id);
	struct result found = shop_challenge_find(turn->shop->data, id, ret_challenge);
	if (found.error == ERROR_NOT_FOUND)
		return RESULT_OK;
	TRY(found);
	if (ret_challenge->used || ret_challenge->tries >= CODE_TRIES ||
	    ret_challenge->expires <= clock_wall_ms())
		return RESULT_OK;
	TRY(shop_challenge_tried(turn->shop->data, id));
	ret_challenge->tries++;
	shop_keyed_hash(BYTES_ARRAY(ret_challenge->key), shop_body_text(turn, "code"), hash);
	*ret_verdict =
	        bytes_equal_constant_time(BYTES_ARRAY(hash), BYTES_ARRAY(ret_challenge->code))
	                ? CODE_RIGHT
	                : CODE_WRONG;
	return RESULT_OK;
}

// One transaction: the code is used up, the account exists, the session exists.
static struct result let_in(struct shop_turn *turn, const char *phone, const char *token)
{
	struct shop_data *data = turn->shop->data;
	int64_t now = clock_wall_ms();
	uint8_t hash[SHOP_HASH];

	shop_hash(bytes_text(token), hash);
	TRY(shop_data_begin(data));
	struct result result = shop_challenge_end_all(data, phone);
	if (result_ok(result))
		result = shop_account_find(data, phone, &turn->account);
	if (result.error == ERROR_NOT_FOUND) {
		result = shop_account_add(data, phone, turn->language, now);
		if (result_ok(result))
			result = shop_account_find(data, phone, &turn->account);
	}
	if (result_ok(result))
		result = shop_session_add(data, hash, turn->account.row, now, now + SESSION_LIFE);
	if (!result_ok(result)) {
		shop_data_rollback(data);
		return result;
	}
	return shop_data_commit(data);
}

static void set_cookie(const struct shop *shop, const char *token, int64_t life_s, char *ret_cookie,
                       size_t capacity)
{
	(void)snprintf(ret_cookie, capacity,
	               "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s", cookie_name(shop),
	               token, (long long)life_s, shop->settings.https ? "; Secure" : "");
}

// POST /api/sign-in {challenge, code}: signs in, and registers who was not here before.
void shop_post_sign_in(struct shop_turn *turn)
{
	struct shop_challenge challenge = { 0 };
	enum verdict verdict = CODE_OVER;
	char token[SHOP_TOKEN_TEXT];
	char cookie[256];
	struct result result = check_code(turn, &challenge, &verdict);

	if (result_ok(result) && verdict == CODE_WRONG) {
		shop_reply_error(
		        turn, 400, challenge.tries < CODE_TRIES ? "code_wrong" : "code_over",
		        json_pack("{s:I}", "left", (json_int_t)(CODE_TRIES - challenge.tries)));
		return;
	}
	if (result_ok(result) && verdict == CODE_OVER) {
		shop_reply_error(turn, 400, "code_over", NULL);
		return;
	}
	shop_token(token);
	if (result_ok(result))
		result = let_in(turn, challenge.phone, token);
	if (!result_ok(result)) {
		shop_reply_broken(turn, result);
		return;
	}
	set_cookie(turn->shop, token, SESSION_LIFE / 1000, cookie, sizeof cookie);
	shop_reply_with_cookie(turn, json_pack("{s:o}", "account", account_json(&turn->account)),
	                       cookie);
	explicit_bzero(token, sizeof token);
	explicit_bzero(cookie, sizeof cookie);
}

void shop_post_sign_out(struct shop_turn *turn)
{
	char cookie[256];
	struct result result = RESULT_OK;

	if (turn->account.row)
		result = shop_session_end(turn->shop->data, turn->session);
	if (!result_ok(result)) {
		shop_reply_broken(turn, result);
		return;
	}
	set_cookie(turn->shop, "", 0, cookie, sizeof cookie);
	shop_reply_with_cookie(turn, json_object(), cookie);
}

static bool is_name(struct bytes name)
{
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] < 0x20 || name.data[i] == 0x7f)
			return false;
	return name.length < SHOP_NAME_TEXT;
}

// POST /api/profile {name?, language?}
void shop_post_profile(struct shop_turn *turn)
{
	struct bytes language = shop_body_text(turn, "language");
	struct bytes name = shop_body_text(turn, "name");

	if (!is_name(name)) {
		shop_reply_error(turn, 400, "name", NULL);
		return;
	}
	if (json_object_get(turn->body, "name"))
		(void)bytes_copy_text(name, turn->account.name, sizeof turn->account.name);
	if (bytes_equal_text(language, "ru") || bytes_equal_text(language, "en"))
		(void)bytes_copy_text(language, turn->account.language,
		                      sizeof turn->account.language);
	struct result result = shop_account_change(turn->shop->data, &turn->account);
	if (!result_ok(result))
		shop_reply_broken(turn, result);
	else
		shop_reply(turn, 200, json_pack("{s:o}", "account", account_json(&turn->account)));
}
