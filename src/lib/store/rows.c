// The tables of sql/ as tables of columns. The order of columns is the order in the CREATE TABLE
// statement, so that SELECT * reads by position; store_open() checks that it is.
#include "store/rows.h"

#include "domain/delivery.h"
#include "domain/money.h"

#define MEMBER(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define LONG(type, name)                                                                           \
	{                                                                                          \
#name, COLUMN_LONG, MEMBER(type, name), 0, false                                   \
	}
// Written with the row, and never again: an update leaves it, and the indexes that it is in, alone.
#define KEPT(type, name)                                                                           \
	{                                                                                          \
#name, COLUMN_LONG, MEMBER(type, name), 0, true                                    \
	}
#define INT(type, name)                                                                            \
	{                                                                                          \
#name, COLUMN_INT, MEMBER(type, name), 0, false                                    \
	}
#define TEXT(type, name)                                                                           \
	{                                                                                          \
#name, COLUMN_TEXT, MEMBER(type, name), 0, false                                   \
	}
#define HEAP(type, name)                                                                           \
	{                                                                                          \
#name, COLUMN_HEAP, MEMBER(type, name), 0, false                                   \
	}
#define FIXED(type, name)                                                                          \
	{                                                                                          \
#name, COLUMN_FIXED, MEMBER(type, name), 0, false                                  \
	}
#define COUNTED(type, name, length)                                                                \
	{                                                                                          \
#name, COLUMN_BYTES, MEMBER(type, name), offsetof(struct type, length)             \
	}

static const struct store_column merchants[] = {
	LONG(merchant, id),      TEXT(merchant, name), TEXT(merchant, url),
	TEXT(merchant, support), TEXT(merchant, mcc),  TEXT(merchant, country),
	TEXT(merchant, bank_id),
};

static const struct store_column customers[] = {
	LONG(customer, id),         KEPT(customer, merchant), LONG(customer, default_card),
	LONG(customer, removed_ms), TEXT(customer, email),    HEAP(customer, details),
};

static const struct store_column cards[] = {
	LONG(card, id),
	KEPT(card, merchant),
	LONG(card, customer),
	INT(card, state),
	LONG(card, removed_ms),
	TEXT(card, brand),
	TEXT(card, last4),
	INT(card, exp_month),
	INT(card, exp_year),
	INT(card, cvc_check),
	FIXED(card, fingerprint),
	FIXED(card, handle),
	COUNTED(card, sealed, sealed_length),
	TEXT(card, network_transaction_id),
	LONG(card, used_ms),
	HEAP(card, details),
};

static const struct store_column setup_intents[] = {
	LONG(setup_intent, id),    KEPT(setup_intent, merchant), LONG(setup_intent, customer),
	LONG(setup_intent, card),  LONG(setup_intent, attempt),  LONG(setup_intent, session),
	INT(setup_intent, status), INT(setup_intent, canceled),  HEAP(setup_intent, details),
};

static const struct store_column payment_intents[] = {
	LONG(payment_intent, id),         KEPT(payment_intent, merchant),
	LONG(payment_intent, customer),   LONG(payment_intent, card),
	LONG(payment_intent, attempt),    INT(payment_intent, status),
	INT(payment_intent, canceled),    LONG(payment_intent, canceled_ms),
	LONG(payment_intent, amount),     LONG(payment_intent, received),
	LONG(payment_intent, capturable), TEXT(payment_intent, currency),
	INT(payment_intent, flags),       HEAP(payment_intent, details),
};

static const struct store_column attempts[] = {
	LONG(attempt, id),
	KEPT(attempt, merchant),
	INT(attempt, kind),
	LONG(attempt, intent),
	LONG(attempt, customer),
	LONG(attempt, card),
	LONG(attempt, connection),
	INT(attempt, state),
	INT(attempt, problem),
	LONG(attempt, deadline_ms),
	LONG(attempt, answered_ms),
	LONG(attempt, stan),
	LONG(attempt, sent_ms),
	LONG(attempt, amount),
	LONG(attempt, captured),
	LONG(attempt, refunded),
	TEXT(attempt, currency),
	INT(attempt, flags),
	TEXT(attempt, decline_code),
	TEXT(attempt, response_code),
	TEXT(attempt, approval_code),
	TEXT(attempt, network_transaction_id),
};

static const struct store_column advices[] = {
	LONG(advice, id),           KEPT(advice, attempt),       LONG(advice, refund),
	INT(advice, kind),          INT(advice, state),          INT(advice, tries),
	INT(advice, transmissions), LONG(advice, asked),         LONG(advice, due_ms),
	LONG(advice, first_ms),     LONG(advice, stan),          LONG(advice, sent_ms),
	LONG(advice, amount),       TEXT(advice, response_code),
};

static const struct store_column refunds[] = {
	LONG(refund, id),      KEPT(refund, merchant), LONG(refund, intent),
	KEPT(refund, attempt), INT(refund, status),    INT(refund, reason),
	LONG(refund, amount),  TEXT(refund, currency), TEXT(refund, decline_code),
	HEAP(refund, details),
};

static const struct store_column sessions[] = {
	LONG(session, id),         KEPT(session, merchant), LONG(session, customer),
	LONG(session, intent),     LONG(session, payment),  INT(session, status),
	LONG(session, expires_ms), HEAP(session, details),
};

static const struct store_column customer_sessions[] = {
	LONG(customer_session, id),       KEPT(customer_session, merchant),
	LONG(customer_session, customer), LONG(customer_session, expires_ms),
	HEAP(customer_session, details),
};

static const struct store_column portals[] = {
	LONG(portal, id),         KEPT(portal, merchant), LONG(portal, customer),
	LONG(portal, expires_ms), HEAP(portal, details),
};

static const struct store_column endpoints[] = {
	LONG(endpoint, id),    KEPT(endpoint, merchant), LONG(endpoint, removed_ms),
	INT(endpoint, status), INT(endpoint, version),   HEAP(endpoint, details),
};

static const struct store_column deliveries[] = {
	LONG(delivery, id),    KEPT(delivery, merchant), KEPT(delivery, endpoint),
	KEPT(delivery, event), KEPT(delivery, object),   INT(delivery, state),
	INT(delivery, tries),  LONG(delivery, due_ms),   LONG(delivery, tried_ms),
	INT(delivery, status), TEXT(delivery, detail),
};

#define TABLE(name, type, owned)                                                                   \
	{                                                                                          \
#name, sizeof(struct type), name, sizeof(name) / sizeof(name[0]), owned            \
	}

const struct store_table_row store_tables[STORE_TABLES] = {
	[STORE_MERCHANTS] = TABLE(merchants, merchant, false),
	[STORE_CUSTOMERS] = TABLE(customers, customer, true),
	[STORE_CARDS] = TABLE(cards, card, true),
	[STORE_SETUP_INTENTS] = TABLE(setup_intents, setup_intent, true),
	[STORE_PAYMENT_INTENTS] = TABLE(payment_intents, payment_intent, true),
	[STORE_ATTEMPTS] = TABLE(attempts, attempt, true),
	[STORE_ADVICES] = TABLE(advices, advice, false),
	[STORE_SESSIONS] = TABLE(sessions, session, true),
	[STORE_REFUNDS] = TABLE(refunds, refund, true),
	[STORE_PORTALS] = TABLE(portals, portal, true),
	[STORE_CUSTOMER_SESSIONS] = TABLE(customer_sessions, customer_session, true),
	[STORE_ENDPOINTS] = TABLE(endpoints, endpoint, true),
	[STORE_DELIVERIES] = TABLE(deliveries, delivery, true),
};
