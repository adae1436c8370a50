// The access control server: what is known of a transaction between its AReq and its result. acs.c
// decides, keeps time and sends results; challenge.c shows the pages.
#pragma once

#include "cards.h"
#include "code.h"
#include "web.h"

#include "emv3ds/message.h"

enum acs_state {
	ACS_EXPECTED,  // challenge or decoupled was promised; the first CReq has not come
	ACS_OPEN,      // the shopper has the page
	ACS_REPORTING, // decided; the result is on its way
	ACS_OVER,      // the result was taken, or cannot be delivered
};

enum acs_way { ACS_BY_SMS, ACS_BY_APP, ACS_DECOUPLED };

// What the page says beside its form.
enum acs_notice {
	ACS_NO_NOTICE,
	ACS_WRONG_CODE,
	ACS_CODE_EXPIRED,
	ACS_CODE_SENT_AGAIN,
	ACS_WAIT_TO_SEND,
	ACS_NO_MORE_SENDS,
	ACS_NOT_APPROVED_YET,
};

enum { ACS_SESSION_MAX = 1400 };

struct acs_transaction {
	char id[EMV3DS_ID + 1]; // acsTransID
	char transaction[EMV3DS_ID + 1];
	char ds_transaction[EMV3DS_ID + 1];
	char ds_url[2049];
	char notification_url[257];
	char requestor_origin[300];
	char shop_host[256];
	char merchant[200]; // up to 40 characters
	char number[20];
	char brand[16];
	char category[3];
	char amount[64]; // for people; "" for an add card
	bool russian;

	enum acs_state state;
	enum acs_way way;
	enum acs_notice notice;
	char form_token[33];
	char creq[1024]; // the first one, to know it again
	char session[ACS_SESSION_MAX + 1];
	bool has_session;
	struct code code;
	uint64_t app_request; // 0: none
	unsigned interactions;
	int64_t until_ms; // when the state's timer is over

	char status[2]; // of the result
	char reason[3];
	char cancel[3];
	char eci[3];
	char value[29];
	unsigned reports;
	int64_t report_again_ms;    // 0: not planned
	struct serve_request *held; // waits for the result
	bool forget;                // nobody will ask again
	bool on_its_way;            // a report is open
};

struct acs *acs_new(struct bank_web *web);
void acs_free(struct acs *acs);

// Checks and decides an AReq that the directory server passes on: an ARes, or an Erro, which is the
// caller's.
json_t *acs_answer(struct bank_web *web, const json_t *areq);

struct acs_transaction *acs_find(struct bank_web *web, const char *id);

// Ends the challenge: the result goes to the directory server, and to the browser when it was
// taken there (or could not be delivered).
void acs_decide(struct bank_web *web, struct acs_transaction *transaction, const char *status,
                const char *reason, const char *cancel);
// The bank's app has answered a request.
void acs_app_answer(struct bank_web *web, const char *id, bool approved);

// Sends a code, or asks in the bank's app, whatever the transaction's way is.
void acs_contact(struct bank_web *web, struct acs_transaction *transaction);
const uint8_t *acs_code_key(struct bank_web *web);

// The page is with the shopper: ten minutes from now.
void acs_page_sent(struct bank_web *web, struct acs_transaction *transaction);
// Answers a request that was held until the result was delivered. challenge.c.
void challenge_answer_over(struct bank_web *web, struct acs_transaction *transaction,
                           struct serve_request *request);
