// The things that onfile keeps, as plain data: one struct for each table of sql/. Row keys are
// numbers that grow with time, 0 is "none". Texts are zero-terminated; `details` is a JSON object
// that its owner frees with the struct's `_done` function (fit for cleanup()).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	MERCHANT_NAME_MAX = 64,
	URL_MAX = 512,
	FINGERPRINT_BYTES = 32,
	HANDLE_BYTES = 16,
	SEALED_MAX = 256,
	NETWORK_ID_MAX = 40,
	CODE_MAX = 40,
};

struct merchant {
	int64_t id;
	char name[MERCHANT_NAME_MAX];
	char url[URL_MAX]; // the shop, for the bank's pages
	char support[128]; // whom a shopper writes to
	char mcc[5];       // ISO 18245
	char country[4];   // ISO 3166, three digits
	char bank_id[16];  // DE42
};

struct customer {
	int64_t id, merchant, default_card, removed_ms;
	char email[512];
	char *details; // name, phone, description, address, shipping, metadata, preferred_locales,
	               // …
};

enum check { CHECK_NONE = 0, CHECK_PASS, CHECK_FAIL, CHECK_UNAVAILABLE, CHECK_UNCHECKED };

// A card that is neither was refused, or is being linked: it cannot be paid with.
enum {
	CARD_PROVEN = 1,   // its bank approved it, after its issuer's authentication
	CARD_OF_TOKEN = 2, // made of a test token: good without a link, in test mode
};

struct card {
	int64_t id, merchant, customer, removed_ms;
	int state; // CARD_…
	char brand[16];
	char last4[5];
	int exp_month, exp_year;
	enum check cvc_check;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	uint8_t handle[HANDLE_BYTES];
	uint8_t sealed[SEALED_MAX];
	size_t sealed_length;
	char network_transaction_id[NETWORK_ID_MAX];
	int64_t used_ms; // a payment was made with it then, or up to 30 days later; 0: never
	char *details;   // billing_details, metadata, allow_redisplay
};

// Both kinds of intent share Stripe's names of states.
enum intent_status {
	INTENT_REQUIRES_PAYMENT_METHOD = 0,
	INTENT_REQUIRES_CONFIRMATION,
	INTENT_REQUIRES_ACTION,
	INTENT_PROCESSING,
	INTENT_REQUIRES_CAPTURE,
	INTENT_SUCCEEDED,
	INTENT_CANCELED,
};

// Why an intent is canceled.
enum cancel_reason {
	CANCEL_NONE = 0,
	CANCEL_ABANDONED,
	CANCEL_DUPLICATE,
	CANCEL_REQUESTED_BY_CUSTOMER,
	CANCEL_FRAUDULENT,
	CANCEL_AUTOMATIC,
	CANCEL_EXPIRED,
};

struct setup_intent {
	int64_t id, merchant, customer;
	int64_t card;    // the payment method that is to be confirmed, or was; 0 after a refusal
	int64_t attempt; // the live one, else the latest
	int64_t session; // the checkout session that it belongs to
	enum intent_status status;
	enum cancel_reason canceled;
	char *details; // usage, return_url, description, metadata, payment_method_types, …
};

enum {
	PAYMENT_MANUAL_CAPTURE = 1,
	PAYMENT_OFF_SESSION = 2,
	PAYMENT_NO_ACTION = 4,
	PAYMENT_OF_SESSION = 64, // a checkout session's: details.session is its row key
};

struct payment_intent {
	int64_t id, merchant, customer, card, attempt;
	enum intent_status status;
	enum cancel_reason canceled;
	int64_t canceled_ms;
	int64_t amount, received, capturable;
	char currency[4]; // lower case letters
	int flags;        // PAYMENT_…
	char *details;    // return_url, description, metadata, receipt_email, shipping, …
};

enum attempt_kind { ATTEMPT_LINK = 1, ATTEMPT_PAYMENT = 2 };

// States of both machines; which follow which is in domain/link.c and domain/payment.c.
enum attempt_state {
	ATTEMPT_VERIFYING = 1,
	ATTEMPT_LOOKING_UP,
	ATTEMPT_PREPARING,
	ATTEMPT_AUTHENTICATING,
	ATTEMPT_CHALLENGING,
	ATTEMPT_WAITING,
	ATTEMPT_LINKED,
	ATTEMPT_SENT,
	ATTEMPT_HELD,
	ATTEMPT_PAID,
	ATTEMPT_GIVEN_UP,
	ATTEMPT_RELEASED,
	ATTEMPT_OVER,
};

enum {
	ATTEMPT_BY_MERCHANT = 1,
	ATTEMPT_STORED_CREDENTIAL = 2,
	ATTEMPT_AUTHENTICATED = 4,
	ATTEMPT_MANUAL_CAPTURE = 8,
	ATTEMPT_SINGLE_MESSAGE = 16, // the authorization takes the money too
	ATTEMPT_FOR_PAYMENT = 32, // a link: `intent` is the PaymentIntent that the card then pays
	ATTEMPT_CARD_ONCE = 64,   // a link: the card is for that payment alone
	ATTEMPT_ATTACH = 128,     // of kind link, without an intent: only the bank is asked
};

struct attempt {
	int64_t id, merchant;
	enum attempt_kind kind;
	int64_t intent, customer, card, connection;
	enum attempt_state state;
	int problem;         // a row of domain/problem.def: why it is over; 0: no problem
	int64_t deadline_ms; // when something must have happened; 0: at rest
	int64_t answered_ms;
	int64_t stan, sent_ms;
	int64_t amount;
	int64_t captured; // minor units, once a capture is queued (or was not needed)
	int64_t refunded; // of these, refunds that are pending or done
	char currency[4];
	int flags; // ATTEMPT_…
	char decline_code[CODE_MAX];
	char response_code[8];
	char approval_code[8];
	char network_transaction_id[NETWORK_ID_MAX];
};

enum session_status { SESSION_OPEN = 0, SESSION_COMPLETE, SESSION_EXPIRED };

struct session {
	int64_t id, merchant, customer;
	int64_t intent;  // mode=setup: the SetupIntent; else 0
	int64_t payment; // mode=payment: the PaymentIntent; else 0
	enum session_status status;
	int64_t expires_ms;
	char *details; // mode, success_url, cancel_url, locale, currency, client_reference_id,
	               // metadata, …
};

// An address of the payment-methods page: whoever holds it is the customer, until it expires.
struct portal {
	int64_t id, merchant, customer;
	int64_t expires_ms;
	char *details; // return_url, locale, flow_data
};

// What a page of the merchant's own may do with one customer's cards.
struct customer_session {
	int64_t id, merchant, customer, expires_ms;
	char *details; // components
};

#define OBJECT_DONE(type)                                                                          \
	static inline void type##_done(struct type *object)                                        \
	{                                                                                          \
		free(object->details);                                                             \
		object->details = NULL;                                                            \
	}
OBJECT_DONE(customer)
OBJECT_DONE(card)
OBJECT_DONE(setup_intent)
OBJECT_DONE(payment_intent)
OBJECT_DONE(session)
OBJECT_DONE(portal)
OBJECT_DONE(customer_session)
#undef OBJECT_DONE
