// Customers and their cards (payment methods).
#include "api/fields.h"

#include "base/text.h"
#include "crypto/mac.h"

// --- customer

static const struct customer *customer(const struct render *render)
{
	return render->object;
}

static void put_email(struct render *render)
{
	api_json_text_or_null(&render->json, render->name, customer(render)->email);
}

static void put_invoice_settings(struct render *render)
{
	api_json_open(&render->json, render->name, '{');
	api_json_null(&render->json, "custom_fields");
	render->name = "invoice_settings.default_payment_method";
	put_reference(render, API_CARD, customer(render)->default_card);
	put_detail(render, "footer", json_object_get(render->details, "invoice_settings"), "null");
	api_json_null(&render->json, "rendering_options");
	api_json_close(&render->json, '}');
}

// What a customer of onfile never has is shown to those who ask for it, as the clients expect.
static void put_no_list(struct render *render)
{
	if (!is_expanded(render))
		return;
	put_list_open(render);
	put_list_close(render, false, "/v1/customers", render->name);
}

static void put_no_balance(struct render *render)
{
	if (is_expanded(render))
		api_json_null(&render->json, render->name);
}

static const struct field customer_fields[] = {
	SHOWN("id", put_id),
	SHOWN_CONSTANT("object", "\"customer\""),
	PUT("address", put_address),
	CONSTANT("balance", "0"),
	DETAIL("business_name", "null"),
	PUT("cash_balance", put_no_balance),
	PUT("created", put_created),
	CONSTANT("currency", "null"),
	CONSTANT("default_source", "null"),
	CONSTANT("delinquent", "false"),
	DETAIL("description", "null"),
	CONSTANT("discount", "null"),
	PUT("email", put_email),
	DETAIL("individual_name", "null"),
	DETAIL("invoice_prefix", "null"),
	SHOWN("invoice_settings", put_invoice_settings),
	SHOWN("livemode", put_livemode),
	DETAIL("metadata", "{}"),
	DETAIL("name", "null"),
	DETAIL("next_invoice_sequence", "1"),
	DETAIL("phone", "null"),
	DETAIL("preferred_locales", "[]"),
	PUT("shipping", put_shipping),
	PUT("sources", put_no_list),
	PUT("subscriptions", put_no_list),
	DETAIL("tax_exempt", "\"none\""),
	PUT("tax_ids", put_no_list),
	CONSTANT("test_clock", "null"),
	FIELDS_END,
};

const struct object_kind customer_kind = { "customer", API_ID_CUSTOMER, customer_fields };

// --- payment_method

static const struct card *card(const struct render *render)
{
	return render->object;
}

static void put_card_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, card(render)->removed_ms ? 0 : card(render)->customer);
}

static const char *check_name(enum check check)
{
	static const char *const names[] = { NULL, "pass", "fail", "unavailable", "unchecked" };

	return names[check];
}

static void put_checks(struct render *render, const struct card *of)
{
	api_json_open(&render->json, "checks", '{');
	api_json_null(&render->json, "address_line1_check");
	api_json_null(&render->json, "address_postal_code_check");
	api_json_text_or_null(&render->json, "cvc_check", check_name(of->cvc_check));
	api_json_close(&render->json, '}');
}

static const char *brand(const struct card *of)
{
	return of->brand[0] ? of->brand : "unknown";
}

// What a merchant sees is made from the vault's fingerprint for them alone: two merchants cannot
// find out that they have the same shopper. Sixteen characters are enough to tell cards apart. A
// card that was refused has none any more.
static void put_fingerprint(struct render *render, const struct card *of)
{
	static const uint8_t none[FINGERPRINT_BYTES];
	static const char purpose[] = "fingerprint:";
	uint8_t input[sizeof(purpose) + sizeof(of->merchant) + FINGERPRINT_BYTES];
	uint8_t own[CRYPTO_SHA256];
	struct buffer text;

	if (memcmp(of->fingerprint, none, sizeof(none)) == 0) {
		api_json_null(&render->json, "fingerprint");
		return;
	}
	memcpy(input, purpose, sizeof(purpose));
	memcpy(input + sizeof(purpose), &of->merchant, sizeof(of->merchant));
	memcpy(input + sizeof(purpose) + sizeof(of->merchant), of->fingerprint, FINGERPRINT_BYTES);
	crypto_hmac(bytes_from(render->view->id_key, API_ID_KEY_BYTES), BYTES_ARRAY(input), own);
	buffer_init(&text, 64);
	base64url_put(&text, bytes_from(own, 12));
	api_json_text(&render->json, "fingerprint", buffer_text(&text));
	buffer_done(&text);
}

// The names of brands that Stripe's types know for display_brand have no Mir.
static void put_display_brand(struct render *render, const struct card *of)
{
	api_json_text(&render->json, "display_brand",
	              strcmp(of->brand, "mir") == 0 ? "other" : brand(of));
}

static void put_card(struct render *render)
{
	struct api_json *json = &render->json;
	const struct card *of = card(render);

	api_json_open(json, render->name, '{');
	api_json_text(json, "brand", brand(of));
	put_checks(render, of);
	api_json_null(json, "country");
	put_display_brand(render, of);
	api_json_number(json, "exp_month", of->exp_month);
	api_json_number(json, "exp_year", of->exp_year);
	put_fingerprint(render, of);
	api_json_text(json, "funding", "unknown");
	api_json_null(json, "generated_from");
	api_json_text(json, "last4", of->last4);
	api_json_open(json, "networks", '{');
	api_json_open(json, "available", '[');
	api_json_text(json, NULL, brand(of));
	api_json_close(json, ']');
	api_json_null(json, "preferred");
	api_json_close(json, '}');
	api_json_null(json, "regulated_status");
	api_json_raw(json, "three_d_secure_usage", "{\"supported\":true}");
	api_json_null(json, "wallet");
	api_json_close(json, '}');
}

void put_card_details(struct render *render, const struct card *of, bool charge)
{
	struct api_json *json = &render->json;

	api_json_text(json, "brand", brand(of));
	put_checks(render, of);
	api_json_null(json, "country");
	api_json_number(json, "exp_month", of->exp_month);
	api_json_number(json, "exp_year", of->exp_year);
	put_fingerprint(render, of);
	api_json_text(json, "funding", "unknown");
	api_json_text(json, "last4", of->last4);
	api_json_text(json, "network", brand(of));
	api_json_null(json, "wallet");
	if (!charge)
		return;
	api_json_null(json, "installments");
	api_json_null(json, "mandate");
	api_json_null(json, "regulated_status");
	api_json_null(json, "transaction_link_id");
}

static const struct field card_fields[] = {
	SHOWN("id", put_id),
	SHOWN_CONSTANT("object", "\"payment_method\""),
	SHOWN_DETAIL("allow_redisplay", "\"unspecified\""),
	SHOWN("billing_details", put_billing_details),
	SHOWN("card", put_card),
	SHOWN("created", put_created),
	SHOWN("customer", put_card_customer),
	CONSTANT("customer_account", "null"),
	SHOWN("livemode", put_livemode),
	DETAIL("metadata", "{}"),
	SHOWN_CONSTANT("type", "\"card\""),
	FIELDS_END,
};

const struct object_kind card_kind = { "payment_method", API_ID_PAYMENT_METHOD, card_fields };
