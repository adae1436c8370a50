// The parameters of a connection: one table (rows.c) makes `--describe` and reads the first line.
// docs/drivers.md, `--describe`; meanings in docs/iso8583.md.
#pragma once

#include "base/buffer.h"
#include "iso8583/dialect.h"
#include "iso8583/frame.h"

#include <jansson.h>

#define LINES_MAX 16
#define TERMINALS_MAX 1000
#define TERMINAL 8 // characters of DE41
#define MAC_KEY_MAX 32
#define CODE_MAX 4 // characters of DE39, at most

// What an answer and its request have to have in common, beside the second digit of the message
// type: a bit for each of these fields.
enum match { MATCH_7 = 1, MATCH_11 = 2, MATCH_37 = 4, MATCH_41 = 8 };

enum mac_kind { MAC_NONE, MAC_RETAIL, MAC_CMAC };

struct parameters {
	char host[256];
	int64_t port;
	int64_t lines;
	bool plain_network; // TCP without TLS may leave this machine
	bool tls;
	bool tls_1_3;       // and nothing older
	char tls_name[256]; // in the bank's certificate; empty: the host
	char ca_file[256];  // empty: the system's
	char certificate[256], key[256];
	struct iso8583_dialect *dialect; // owned
	struct iso8583_framing framing;
	uint8_t tpdu[ISO8583_TPDU];
	char acquirer[12];               // DE32
	char category[5];                // DE18
	char country[4];                 // DE19; empty: not sent
	char processing_code[7];         // DE3 of a verification
	char refund_code[7];             // DE3 of a refund
	bool refund_advice;              // a refund is an advice, not a request
	bool reversal_request;           // a reversal is a request, not an advice
	bool original_stan;              // an advice has the STAN of its original
	bool original_data;              // DE90 is sent
	char (*terminals)[TERMINAL + 1]; // owned; NULL: onfile's own
	size_t terminal_count;
	unsigned match; // enum match
	enum mac_kind mac;
	uint8_t mac_key[MAC_KEY_MAX];
	size_t mac_key_length;
	bool mac_network;                        // 0800 carry one too
	char test_card[20], test_card_expiry[5]; // of the verification in a test; empty: none
	bool sign_on;
	int64_t connect_timeout_ms, sign_on_timeout_ms, echo_interval_ms, echo_timeout_ms,
	        late_window_ms;
};

// Reads the object `parameters` of the first line. On failure the sentence names the parameter and
// what it should be (in `ret_sentence`, for the operator).
MUST_USE struct result parameters_read(const json_t *object, struct parameters *ret_parameters,
                                       struct buffer *ret_sentence);
// Gives back and wipes what they hold.
void parameters_done(struct parameters *parameters);
// Appends the JSON object of `--describe`.
void parameters_describe(struct buffer *buffer);
