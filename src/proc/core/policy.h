// The policy of a connection: what core may know of it besides its sealed blob. The operator sets
// it (`onfile connection add|set NAME --policy KEY=VALUE`); the store keeps what was set as a JSON
// object. It decides which payments a connection is for and what its bank is good for; it cannot
// say where a card goes.
#pragma once

#include "base/buffer.h"
#include "base/result.h"

enum { POLICY_TEXT_MAX = 2048, POLICY_LIST_MAX = 256 };

enum policy_release {
	RELEASE_FINAL,    // what a capture leaves is released by the bank itself
	RELEASE_REVERSAL, // … is given back by a partial reversal
};

struct connection_policy {
	// Words with a space before and after each; empty: all. For policy_lists().
	char brands[POLICY_LIST_MAX];     // as the API says them: "visa", "mir"
	char currencies[POLICY_LIST_MAX]; // "rub", "eur"
	char merchants[POLICY_LIST_MAX];  // row keys, as `onfile merchant list` shows them
	int64_t priority;                 // the smallest is tried first
	int64_t late_window_s;            // how long after a deadline the bank may still answer
	int64_t hold_days;                // how long the bank keeps a hold
	bool refund_repeats;              // the bank knows a repeated refund when it sees one
	enum policy_release release;
	bool single_message; // authorize takes the money at once, nothing is captured afterwards
};

// What holds for a connection that says nothing.
void policy_init(struct connection_policy *policy);

// Reads what the store keeps; "" is "{}". ERROR_INPUT: not an object of the right shape; then the
// policy is the default.
MUST_USE struct result policy_read(struct bytes json, struct connection_policy *ret_policy);

// Changes one key of the stored text: "brands=visa,mir"; an empty value takes the key away. On
// failure ret_wanted is a sentence, and the text stays as it was.
MUST_USE bool policy_change(struct buffer *json, const char *setting, char ret_wanted[static 256]);

// Appends the policy as the operator writes it, "key=value" and a space each, defaults included.
void policy_put(struct buffer *text, const struct connection_policy *policy);

// True when the list is empty or holds the word.
bool policy_lists(const char *list, const char *word);
