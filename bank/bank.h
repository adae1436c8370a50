// The sandbox bank: an ISO 8583 host (host.c) over its cards (cards.c) and its ledger (ledger.c),
// and, on the HTTP side (web.c), a 3-D Secure directory server, an access control server, the
// shopper's phone and a control page. One process, one libuv loop, one thread. Never a part of
// onfile: it stands on the other side of the wire, as a real bank would.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <stdint.h>
#include <uv.h>

struct bank_cards;
struct bank_ledger;
struct bank_host;
struct bank_authentications;
struct bank_web; // belongs to web.c

struct bank {
	uv_loop_t *loop;
	const char *address; // where both sides listen; loopback unless told otherwise
	int http_port, iso_port;
	const char *pages;  // folder of the HTTP side's pages; NULL: no HTTP side
	const char *tokens; // path of tokens.css
	const char
	        *origin; // how others reach the HTTP side; NULL: http://bank.localhost:<http_port>
	bool keeps_rest; // after a capture in part, until it is reversed; else it is let go at once
	int64_t clock_ahead_ms; // how far the bank's clock is ahead of the machine's
	struct bank_cards *cards;
	struct bank_ledger *ledger;
	struct bank_host *host;
	struct bank_authentications *authentications;
	struct bank_web *web; // set by bank_web_start()
};

// The bank's clock, Unix milliseconds.
int64_t bank_now_ms(const struct bank *bank);

// The HTTP side: listens on bank->address and `port`, serves /health, /ds, /acs/…, /phone,
// /control, /sms. Called once, after everything else stands and before the loop runs. web.c.
MUST_USE struct result bank_web_start(struct bank *bank, int port);
// Closes the listener and its connections; called before the loop ends. Accepts a bank without web.
void bank_web_stop(struct bank *bank);

// The values (CAVV) that the access control server gave out, each for one card, so that the host
// can tell a true one from an invented one. authentications.c.
struct bank_authentications *bank_authentications_new(void);
void bank_authentications_free(struct bank_authentications *authentications);
// `number` and `value` (base64, as it travels) are texts; both are copied. The oldest is forgotten
// when the table is full. A value is good for 90 days from `now_ms`.
void bank_authentication_note(struct bank_authentications *authentications, const char *number,
                              const char *value, int64_t now_ms);
// Was `value` given out for this card, and is it still good?
bool bank_authentication_fits(const struct bank_authentications *authentications,
                              struct bytes number, struct bytes value, int64_t now_ms);
