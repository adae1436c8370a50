// Tables of parameters, and rows that several of them have.
#pragma once

#include "api/params.h"

// Why a card number in clear is refused, and what to do instead.
#define API_NO_NUMBERS                                                                             \
	"Card numbers must never reach a server in clear: encrypt the card in the shopper's "      \
	"browser (onfile's card page does it) and send payment_method_data[card][encrypted]."

// Members of billing_details, wherever they are.
#define API_BILLING(prefix)                                                                        \
	{ prefix "[address]", API_OBJECT, API_STORED, 0, 0, NULL },                                \
	        { prefix "[address][city]", API_TEXT, API_STORED, 0, 0, NULL },                    \
	        { prefix "[address][country]", API_TEXT, API_STORED, 0, 0, NULL },                 \
	        { prefix "[address][line1]", API_TEXT, API_STORED, 0, 0, NULL },                   \
	        { prefix "[address][line2]", API_TEXT, API_STORED, 0, 0, NULL },                   \
	        { prefix "[address][postal_code]", API_TEXT, API_STORED, 0, 0, NULL },             \
	        { prefix "[address][state]", API_TEXT, API_STORED, 0, 0, NULL },                   \
	        { prefix "[email]", API_TEXT, API_STORED, 0, 0, NULL },                            \
	        { prefix "[name]", API_TEXT, API_STORED, 0, 0, NULL },                             \
	        { prefix "[phone]", API_TEXT, API_STORED, 0, 0, NULL },                            \
	{                                                                                          \
		prefix "[tax_id]", API_TEXT, API_STORED, 0, 0, NULL                                \
	}

// Rows that are there to be refused by name.
#define API_NOT_HERE(name, instead)                                                                \
	{                                                                                          \
		name, API_ANYTHING, API_REFUSED, 0, 0, instead                                     \
	}
// The same for a name and everything below it.
#define API_NONE_OF(name, instead) API_NOT_HERE(name, instead), API_NOT_HERE(name "[**]", instead)
#define API_CARDS_ONLY "It takes cards."

// What the types have about a customer who is an account of Stripe's.
#define API_NO_ACCOUNT API_NOT_HERE("customer_account", "Send customer.")

// A card that comes in with an intent.
#define API_METHOD_DATA_PARAMS                                                                       \
	{ "payment_method_data[type]", API_CHOICE, API_ONLY, 0, 0, "card" },                         \
	        { "payment_method_data[card][encrypted]", API_TEXT, 0, 0, 4096, NULL },              \
	        { "payment_method_data[card][token]", API_TEXT, 0, 0, 4096, NULL },                  \
	        API_NOT_HERE("payment_method_data[card][**]", API_NO_NUMBERS),                       \
	        API_BILLING("payment_method_data[billing_details]"),                                 \
	        { "payment_method_data[metadata]", API_METADATA, API_STORED, 0, 0, NULL },           \
	        { "payment_method_data[allow_redisplay]",                                            \
		  API_CHOICE,                                                                        \
		  API_STORED,                                                                        \
		  0,                                                                                 \
		  0,                                                                                 \
		  "always limited unspecified" },                                                    \
	        { "payment_method_data[radar_options][**]", API_ANYTHING, API_IGNORED, 0, 0, NULL }, \
	        API_NOT_HERE("payment_method_data[**]", API_CARDS_ONLY)

// When the issuer is asked, as far as one may choose.
#define API_AUTHENTICATION(choices)                                                                \
	{                                                                                          \
		"payment_method_options[card][request_three_d_secure]", API_CHOICE,                \
		        API_STORED | API_ONLY, 0, 0, choices                                       \
	}

// Options of other kinds of payment methods than cards: they are never used.
#define API_OTHER_OPTIONS                                                                          \
	API_NOT_HERE("payment_method_options[card][**]", NULL),                                    \
	{                                                                                          \
		"payment_method_options[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL                \
	}

// Which kinds of payment methods there may be: card must be one of them.
#define API_TYPES_PARAMS                                                                           \
	{ "payment_method_types[]", API_TEXT, 0, 0, 40, NULL },                                    \
	        { "allowed_payment_method_types[]", API_TEXT, API_STORED, 0, 40, NULL },           \
	        { "excluded_payment_method_types[]", API_TEXT, API_STORED, 0, 40, NULL },          \
	        { "allowed_payment_method_types", API_OBJECT, API_STORED, 0, 0, NULL },            \
	        { "excluded_payment_method_types", API_OBJECT, API_STORED, 0, 0, NULL },           \
	{                                                                                          \
		"payment_method_configuration", API_TEXT, API_IGNORED, 0, 0, NULL                  \
	}

// What is sold, for the bank: references are kept, of the rest a bank is never told.
#define API_DETAILS_PARAMS                                                                         \
	{ "payment_details[customer_reference]", API_TEXT, API_STORED, 0, 25, NULL },              \
	        { "payment_details[order_reference]", API_TEXT, API_STORED, 0, 25, NULL },         \
	        API_NONE_OF("payment_details", "Banks are told of no more than the amount."),      \
	        API_NONE_OF("amount_details", "Banks are told of no more than the amount.")

// --- tables that every route, every list, every route for shoppers has
extern const struct api_param api_list_params[], api_expand_params[], api_secret_params[];

// --- of one route each, beside its handler
extern const struct api_param api_customer_params[], api_customer_create_params[],
        api_customer_list_params[], api_card_create_params[], api_card_update_params[],
        api_card_list_params[], api_customer_cards_params[], api_card_attach_params[],
        api_setup_params[], api_setup_create_params[], api_setup_confirm_params[],
        api_setup_cancel_params[], api_setup_list_params[], api_setup_attempts_params[],
        api_payment_params[], api_payment_create_params[], api_payment_confirm_params[],
        api_payment_cancel_params[], api_payment_capture_params[], api_refund_create_params[],
        api_refund_update_params[], api_refund_list_params[], api_payment_list_params[],
        api_charge_list_params[], api_session_create_params[], api_session_list_params[],
        api_event_list_params[], api_portal_create_params[], api_customer_session_params[];
// api_webhooks.c
extern const struct api_param api_webhook_create_params[], api_webhook_params[];
