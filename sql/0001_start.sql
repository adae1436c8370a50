-- The store, first version. Row keys are whole numbers that grow with time (milliseconds and a
-- sequence); the ids that merchants see are made from them (src/lib/api/id.h). Times are Unix
-- milliseconds, amounts minor units. Texts named `details` are JSON objects with what is stored and
-- shown but never searched.

CREATE TABLE settings (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE merchants (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	support TEXT NOT NULL,
	mcc TEXT NOT NULL,
	country TEXT NOT NULL,
	bank_id TEXT NOT NULL
);

-- Keys of the API: a SHA-256 each, never the key; its last four characters, to tell it from others.
CREATE TABLE keys (
	hash BLOB PRIMARY KEY,
	id INTEGER NOT NULL,
	merchant INTEGER NOT NULL,
	publishable INTEGER NOT NULL,
	ending TEXT NOT NULL,
	used_ms INTEGER NOT NULL DEFAULT 0,
	revoked_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE connections (
	number INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	driver TEXT NOT NULL,
	kind TEXT NOT NULL,
	blob BLOB NOT NULL,
	enabled INTEGER NOT NULL,
	policy TEXT NOT NULL
);

CREATE TABLE customers (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	default_card INTEGER NOT NULL,
	removed_ms INTEGER NOT NULL DEFAULT 0,
	email TEXT NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX customers_of_merchant ON customers (merchant, id);

-- A card that a bank approved (state 1), one that was refused (state 0; shown in errors only), or one of a test token
-- (state 2, 3 when a link has proven it as well). Each use of a token is a card of its own, so only other cards are
-- on file once.
CREATE TABLE cards (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	state INTEGER NOT NULL,
	removed_ms INTEGER NOT NULL DEFAULT 0,
	brand TEXT NOT NULL,
	last4 TEXT NOT NULL,
	exp_month INTEGER NOT NULL,
	exp_year INTEGER NOT NULL,
	cvc_check INTEGER NOT NULL,
	fingerprint BLOB NOT NULL,
	handle BLOB NOT NULL,
	sealed BLOB NOT NULL,
	network_transaction_id TEXT NOT NULL,
	used_ms INTEGER NOT NULL DEFAULT 0,
	details TEXT NOT NULL
);
-- Removed cards whose sealed number is still kept for what can be taken back.
CREATE INDEX cards_leaving ON cards (removed_ms) WHERE removed_ms != 0 AND length(sealed) > 0;
CREATE INDEX cards_of_customer ON cards (customer, id) WHERE customer != 0 AND removed_ms = 0;
CREATE UNIQUE INDEX cards_once ON cards (customer, fingerprint)
	WHERE customer != 0 AND removed_ms = 0 AND state < 2;

CREATE TABLE setup_intents (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	card INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	session INTEGER NOT NULL,
	status INTEGER NOT NULL,
	canceled INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX setup_intents_of_merchant ON setup_intents (merchant, id);

CREATE TABLE payment_intents (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	card INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	status INTEGER NOT NULL,
	canceled INTEGER NOT NULL,
	canceled_ms INTEGER NOT NULL,
	amount INTEGER NOT NULL,
	received INTEGER NOT NULL,
	capturable INTEGER NOT NULL,
	currency TEXT NOT NULL,
	flags INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX payment_intents_of_merchant ON payment_intents (merchant, id);

-- One try of an intent, and what goes over the wire for it. A payment is one insert and one update.
CREATE TABLE attempts (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	intent INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	card INTEGER NOT NULL,
	connection INTEGER NOT NULL,
	state INTEGER NOT NULL,
	problem INTEGER NOT NULL,
	deadline_ms INTEGER NOT NULL,
	answered_ms INTEGER NOT NULL,
	stan INTEGER NOT NULL,
	sent_ms INTEGER NOT NULL,
	amount INTEGER NOT NULL,
	captured INTEGER NOT NULL,
	refunded INTEGER NOT NULL,
	currency TEXT NOT NULL,
	flags INTEGER NOT NULL,
	decline_code TEXT NOT NULL,
	response_code TEXT NOT NULL,
	approval_code TEXT NOT NULL,
	network_transaction_id TEXT NOT NULL
);
CREATE INDEX attempts_alive ON attempts (deadline_ms) WHERE deadline_ms != 0;

-- What an attempt that asks the issuer (3-D Secure) needs besides; one row, rewritten.
CREATE TABLE authentications (
	attempt INTEGER PRIMARY KEY,
	connection INTEGER NOT NULL,
	facts TEXT NOT NULL
);

-- The story of an attempt for support, in order. Payments add rows only when they do not just succeed.
CREATE TABLE steps (
	id INTEGER PRIMARY KEY,
	attempt INTEGER NOT NULL,
	at_ms INTEGER NOT NULL,
	text TEXT NOT NULL
);
CREATE INDEX steps_of_attempt ON steps (attempt, id);

-- Messages that the bank must have in the end: reversals, captures, releases of what a capture left,
-- refunds. Never removed while open.
CREATE TABLE advices (
	id INTEGER PRIMARY KEY,
	attempt INTEGER NOT NULL,
	refund INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	state INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	transmissions INTEGER NOT NULL,
	asked INTEGER NOT NULL,
	due_ms INTEGER NOT NULL,
	first_ms INTEGER NOT NULL,
	stan INTEGER NOT NULL,
	sent_ms INTEGER NOT NULL,
	amount INTEGER NOT NULL,
	response_code TEXT NOT NULL
);
CREATE INDEX advices_open ON advices (due_ms) WHERE state IN (0, 1);
CREATE INDEX advices_of_attempt ON advices (attempt);
CREATE INDEX advices_for_people ON advices (id) WHERE state = 3;

-- Money that goes back. What becomes of it is its advice's state; status is that, for lists.
CREATE TABLE refunds (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	intent INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	status INTEGER NOT NULL,
	reason INTEGER NOT NULL,
	amount INTEGER NOT NULL,
	currency TEXT NOT NULL,
	decline_code TEXT NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX refunds_of_merchant ON refunds (merchant, id);
CREATE INDEX refunds_of_attempt ON refunds (attempt, id);

-- intent: the SetupIntent of mode=setup, else 0; payment: the PaymentIntent of mode=payment, else 0.
CREATE TABLE sessions (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	intent INTEGER NOT NULL,
	payment INTEGER NOT NULL,
	status INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX sessions_of_merchant ON sessions (merchant, id);
CREATE INDEX sessions_open ON sessions (expires_ms) WHERE status = 0;

-- Payment-methods pages of onfile's own: each is an address for one customer that is good for a while.
CREATE TABLE portals (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX portals_expired ON portals (expires_ms);

-- What a page of the merchant's own may do with one customer's cards, for a while. The secret is in no table: it is a tag
-- of the row's key.
CREATE TABLE customer_sessions (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX customer_sessions_expired ON customer_sessions (expires_ms);

CREATE TABLE events (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	type INTEGER NOT NULL,
	object INTEGER NOT NULL,
	body TEXT NOT NULL
);
CREATE INDEX events_of_merchant ON events (merchant, id);

-- Where merchants want to hear of events. Their secrets are not here: courier derives them.
CREATE TABLE endpoints (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	removed_ms INTEGER NOT NULL DEFAULT 0,
	status INTEGER NOT NULL,
	version INTEGER NOT NULL,
	details TEXT NOT NULL
);
CREATE INDEX endpoints_of_merchant ON endpoints (merchant, id);

-- An event for one endpoint; a row is written only when the endpoint wants the event. state: 0 waits,
-- 1 delivered, 2 given up.
CREATE TABLE deliveries (
	id INTEGER PRIMARY KEY,
	merchant INTEGER NOT NULL,
	endpoint INTEGER NOT NULL,
	event INTEGER NOT NULL,
	object INTEGER NOT NULL,
	state INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	due_ms INTEGER NOT NULL,
	tried_ms INTEGER NOT NULL,
	status INTEGER NOT NULL,
	detail TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (endpoint, due_ms) WHERE state = 0;
CREATE INDEX deliveries_in_order ON deliveries (endpoint, object, id) WHERE state = 0;
CREATE INDEX deliveries_of_event ON deliveries (event);
CREATE INDEX deliveries_given_up ON deliveries (endpoint, id) WHERE state = 2;
CREATE INDEX deliveries_done ON deliveries (tried_ms) WHERE state = 1;

-- key: half of an HMAC of merchant and Idempotency-Key; fingerprint: half of a SHA-256 of the request. reply: null until the
-- work has ended. Rows lie in the order of their making, for replies are long and keys fall anywhere: only the index is
-- written at a place that nobody wrote just before.
CREATE TABLE idempotency (
	key BLOB PRIMARY KEY,
	fingerprint BLOB NOT NULL,
	at_ms INTEGER NOT NULL,
	attempt INTEGER NOT NULL,
	intent INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	status INTEGER NOT NULL,
	reply BLOB
);

-- Ephemeral keys of encrypted cards that were used: each is good once.
CREATE TABLE used_cards (
	digest BLOB PRIMARY KEY,
	at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Links that the issuer refused, and links that succeeded, for the guards. What is counted by address, network and
-- card are refusals only: thousands of good links from one address must not make the next one slow.
CREATE TABLE trials (
	id INTEGER PRIMARY KEY,
	at_ms INTEGER NOT NULL,
	merchant INTEGER NOT NULL,
	customer INTEGER NOT NULL,
	address TEXT NOT NULL,
	network TEXT NOT NULL,
	fingerprint BLOB NOT NULL,
	result INTEGER NOT NULL
);
CREATE INDEX trials_of_customer ON trials (customer, at_ms);
CREATE INDEX trials_of_address ON trials (address, at_ms) WHERE result IN (1, 3);
CREATE INDEX trials_of_network ON trials (network, at_ms) WHERE result IN (1, 3);
CREATE INDEX trials_of_card ON trials (fingerprint, at_ms) WHERE result IN (1, 3);

CREATE TABLE blocked_cards (
	fingerprint BLOB PRIMARY KEY,
	until_ms INTEGER NOT NULL,
	reason TEXT NOT NULL
) WITHOUT ROWID;

-- Short codes that shoppers read to support, one for each attempt that failed.
CREATE TABLE codes (
	code TEXT PRIMARY KEY,
	attempt INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX codes_of_attempt ON codes (attempt);
