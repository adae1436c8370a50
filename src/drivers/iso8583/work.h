// A request on its way to becoming a message: what the parts of the driver that build it share.
// fields.c reads what any request may hold; requests.c has the operations and what they are about.
#pragma once

#include "driver.h"

#include "iso8583/compose.h"

// Room for what a message needs beyond the request's own texts. Wiped with it.
struct scratch {
	char local[16];    // the local time, with its century
	char expiry[8];    // DE14
	char name[41];     // DE43
	char original[64]; // which message is meant
	char amounts[128]; // the original's amount, or what stays of it
	uint8_t proof[64]; // the authentication value where it is sent as bytes
};

struct work {
	struct driver *driver;
	struct iso8583_message *message;
	const json_t *request;
	struct scratch *scratch;
	struct iso8583_composer *composer;
	uint32_t situation; // enum iso8583_situation: what is true of the message so far
	uint64_t amount;
	bool has_cvc;
	struct bytes own_stan; // where DE11 is the original's
};

#define WRONG(sentence) FAIL(ERROR_INPUT, sentence)

// The text of a member; *ret_text is empty when it is absent or null. False: not a text of
// `shortest` to `longest` printable characters.
bool work_text(const json_t *object, const char *name, size_t shortest, size_t longest,
               struct bytes *ret_text);
// The same for digits, which have to be there.
bool work_digits(const json_t *object, const char *name, size_t shortest, size_t longest,
                 struct bytes *ret_text);
// Puts a value where the dialect says; nowhere when it says nothing.
void work_place(struct work *work, enum iso8583_role role, struct bytes value);
// The amount as the edition writes it, as a number of *ret_digits digits.
MUST_USE struct result work_amount(const struct work *work, uint64_t amount, uint64_t *ret_number,
                                   int *ret_digits);
// The network transaction id, where there is one.
void work_transaction(struct work *work, struct bytes id);

// DE7, DE11, DE41, DE42 and the local time: in every message.
MUST_USE struct result work_numbers(struct work *work);
MUST_USE struct result work_card(struct work *work);
MUST_USE struct result work_money(struct work *work);
// Who asks, and whether the card is on file: the dialect's lines `send` say how that is marked.
MUST_USE struct result work_credential(struct work *work);
// What 3-D Secure brought.
MUST_USE struct result work_authentication(struct work *work);
