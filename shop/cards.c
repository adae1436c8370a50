// Payment methods of an account. The cards are onfile's: the shop lists them, opens onfile's card
// page to link one, and onfile's payment-methods page for everything else.
#include "shop.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"

#include <stdio.h>
#include <stdlib.h>

json_t *shop_card_json(const json_t *method)
{
	const json_t *card = json_object_get(method, "card");
	const char *id = shop_json_text(method, "id", NULL);
	const char *brand = shop_json_text(card, "brand", NULL);
	const char *last4 = shop_json_text(card, "last4", NULL);

	if (!id || !shop_is_id(bytes_text(id)) || !brand || !last4 || strlen(last4) != 4)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:I, s:I}", "id", id, "brand", brand, "last4", last4,
	                 "exp_month", json_integer_value(json_object_get(card, "exp_month")),
	                 "exp_year", json_integer_value(json_object_get(card, "exp_year")));
}

// The list: the default first, then as onfile gives it (newest first).
static void cards_listed(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	const char *chosen = turn->text;
	json_t *cards = json_array();
	const json_t *data = json_object_get(answer->body, "data");

	if (answer->status != 200 || !json_is_array(data)) {
		json_decref(cards);
		shop_reply_onfile(turn, answer);
		return;
	}
	for (size_t i = 0; i < json_array_size(data); i++) {
		json_t *card = shop_card_json(json_array_get(data, i));
		if (!card)
			continue;
		bool is_default = strcmp(shop_json_text(card, "id", NULL), chosen) == 0;
		json_object_set_new(card, "default", json_boolean(is_default));
		if (is_default)
			json_array_insert_new(cards, 0, card);
		else
			json_array_append_new(cards, card);
	}
	shop_reply(turn, 200, json_pack("{s:o}", "cards", cards));
}

static void customer_seen(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	char path[160];

	if (answer->status != 200) {
		shop_reply_onfile(turn, answer);
		return;
	}
	const char *chosen =
	        shop_json_text(answer->body, "invoice_settings", "default_payment_method", NULL);
	(void)snprintf(turn->text, sizeof turn->text, "%s", chosen ? chosen : "");
	(void)snprintf(path, sizeof path, "/v1/customers/%s/payment_methods?type=card&limit=100",
	               turn->account.customer);
	shop_onfile(turn->shop, "GET", path, BYTES_NONE, NULL, turn->language, cards_listed, turn);
}

void shop_get_cards(struct shop_turn *turn)
{
	char path[160];

	// Who never linked a card has no customer yet, and none is made for looking.
	if (!turn->account.customer[0]) {
		shop_reply(turn, 200, json_pack("{s:[]}", "cards"));
		return;
	}
	(void)snprintf(path, sizeof path, "/v1/customers/%s", turn->account.customer);
	shop_onfile(turn->shop, "GET", path, BYTES_NONE, NULL, turn->language, customer_seen, turn);
}

// Where to go after linking: a path of the shop's own, "/…", never another site.
static bool is_own_path(struct bytes path)
{
	if (!path.length || path.data[0] != '/' || path.length >= 200)
		return false;
	for (size_t i = 0; i < path.length; i++)
		if (path.data[i] <= 0x20 || path.data[i] >= 0x7f || path.data[i] == '\\')
			return false;
	return path.length == 1 || path.data[1] != '/';
}

static void link_opened(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	const char *id = shop_json_text(answer->body, "id", NULL);
	const char *url = shop_json_text(answer->body, "url", NULL);

	if (answer->status != 200 || !id || !url || strlen(id) >= SHOP_SESSION_TEXT ||
	    !bytes_start_with(bytes_text(url), "http")) {
		shop_reply_onfile(turn, answer);
		return;
	}
	struct result result =
	        shop_link_add(turn->shop->data, id, turn->account.row, turn->text, clock_wall_ms());
	if (result_ok(result))
		shop_reply(turn, 200, json_pack("{s:s}", "url", url));
	else
		shop_reply_broken(turn, result);
}

static void open_link(struct shop_turn *turn)
{
	const char *url = turn->shop->settings.url;
	struct buffer form;
	char address[SHOP_LINK_TEXT + 256];

	buffer_init(&form, 8192);
	http_form_put_text(&form, "mode", "setup");
	http_form_put_text(&form, "currency", "rub");
	http_form_put_text(&form, "customer", turn->account.customer);
	http_form_put_text(&form, "locale", turn->language);
	(void)snprintf(address, sizeof address, "%s/cards/linked?session={CHECKOUT_SESSION_ID}",
	               url);
	http_form_put_text(&form, "success_url", address);
	(void)snprintf(address, sizeof address, "%s%s", url, turn->text);
	http_form_put_text(&form, "cancel_url", address);
	http_form_put_text(&form, "setup_intent_data[metadata][account]", turn->account.public);
	shop_onfile(turn->shop, "POST", "/v1/checkout/sessions", buffer_view(&form), NULL,
	            turn->language, link_opened, turn);
	buffer_done(&form);
}

// POST /api/cards/link {next}: opens onfile's card page; answers its address.
void shop_post_link(struct shop_turn *turn)
{
	struct bytes next = shop_body_text(turn, "next");

	if (!is_own_path(next) || !bytes_copy_text(next, turn->text, sizeof turn->text))
		(void)snprintf(turn->text, sizeof turn->text, "/cards");
	shop_with_customer(turn, open_link);
}

static void link_seen(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	const json_t *intent = json_object_get(answer->body, "setup_intent");
	const char *customer = shop_json_text(answer->body, "customer", NULL);
	const char *status = shop_json_text(answer->body, "status", NULL);

	if (answer->status != 200) {
		shop_reply_onfile(turn, answer);
		return;
	}
	if (!customer || strcmp(customer, turn->account.customer) != 0) {
		shop_reply_error(turn, 404, "not_found", NULL);
		return;
	}
	json_t *card = shop_card_json(json_object_get(intent, "payment_method"));
	bool linked = card && status && strcmp(status, "complete") == 0;
	if (!linked) {
		json_decref(card);
		card = json_null();
	}
	shop_reply(turn, 200, json_pack("{s:o, s:s}", "card", card, "next", turn->text));
}

// GET /api/cards/linked/SESSION: the shopper came back; what became of it is asked from onfile, not
// read from the address.
void shop_get_linked(struct shop_turn *turn)
{
	char path[256];
	struct result result =
	        shop_link_find(turn->shop->data, turn->part, turn->account.row, turn->text);

	if (result.error == ERROR_NOT_FOUND) {
		shop_reply_error(turn, 404, "not_found", NULL);
		return;
	}
	if (!result_ok(result)) {
		shop_reply_broken(turn, result);
		return;
	}
	(void)snprintf(path, sizeof path,
	               "/v1/checkout/sessions/%.*s?expand[]=setup_intent.payment_method",
	               (int)turn->part.length, (const char *)turn->part.data);
	shop_onfile(turn->shop, "GET", path, BYTES_NONE, NULL, turn->language, link_seen, turn);
}

static void page_opened(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	const char *url = shop_json_text(answer->body, "url", NULL);

	if (answer->status == 200 && url && bytes_start_with(bytes_text(url), "http"))
		shop_reply(turn, 200, json_pack("{s:s}", "url", url));
	else
		shop_reply_onfile(turn, answer);
}

static void open_page(struct shop_turn *turn)
{
	struct buffer form;
	char address[SHOP_LINK_TEXT + 256];

	buffer_init(&form, 2048);
	http_form_put_text(&form, "customer", turn->account.customer);
	http_form_put_text(&form, "locale", turn->language);
	(void)snprintf(address, sizeof address, "%s/cards", turn->shop->settings.url);
	http_form_put_text(&form, "return_url", address);
	shop_onfile(turn->shop, "POST", "/v1/billing_portal/sessions", buffer_view(&form), NULL,
	            turn->language, page_opened, turn);
	buffer_done(&form);
}

// POST /api/cards/manage: the address of onfile's page for this account's cards.
void shop_post_manage(struct shop_turn *turn)
{
	shop_with_customer(turn, open_page);
}
