// The requests that drivers have not answered: found by id, listed by driver, each with the line
// that is still to be written and the card number in flight. A request past its deadline was
// answered `unknown`; it stays listed for a while without its number, so that the driver's later
// line is known for a late answer.
#pragma once

#include "base/buffer.h"
#include "base/secret.h"
#include "vault/keyring.h"

enum {
	VAULT_REQUESTS_MAX = 32768,
	VAULT_EXPIRED_MAX = 4096,
	VAULT_BUCKETS = 16384,
	VAULT_HINTS = 65536,
};

struct vault_request {
	int64_t id;
	uint32_t connection;
	int64_t deadline_ms; // wall clock
	bool expired;
	bool asked_in_silence; // the driver had let another one pass, and not said a word since
	struct secret number;  // empty without a card, or once expired
	uint8_t fingerprint[VAULT_FINGERPRINT]; // of the number, once expired
	size_t number_length;                   // 0 without a card
	struct buffer line;                     // secret; empty once written
	size_t written;                         // how much of the line the pipe took
	struct vault_request *next_in_bucket;
	struct vault_request *next; // in its driver's list
	struct vault_request *previous;
	struct vault_request *next_to_write;
};

// The requests of one driver, oldest first.
struct vault_request_list {
	struct vault_request *first;
	struct vault_request *last;
	size_t expired;
};

struct vault_requests {
	struct vault_request *buckets[VAULT_BUCKETS];
	size_t open;                 // not expired
	uint16_t hints[VAULT_HINTS]; // how many numbers in flight begin like this (a small hash)
};

// NULL when there is none.
struct vault_request *vault_requests_find(const struct vault_requests *requests, int64_t id);
// Makes a request and lists it. There must be fewer than VAULT_REQUESTS_MAX open ones, and none
// with this id.
struct vault_request *vault_requests_add(struct vault_requests *requests,
                                         struct vault_request_list *list, int64_t id,
                                         uint32_t connection, int64_t deadline_ms);
// Takes the card number of a request that has none yet.
void vault_requests_carry(struct vault_requests *requests, struct vault_request *request,
                          struct secret *number);
// Wipes and frees.
void vault_requests_remove(struct vault_requests *requests, struct vault_request_list *list,
                           struct vault_request *request);
// Marks as past its deadline and wipes the number; drops the oldest of those that are too many.
void vault_requests_expire(struct vault_requests *requests, struct vault_request_list *list,
                           struct vault_request *request, const struct vault_keyring *keyring);

// True when the line, which answers `own`, holds a number of the list that is in flight, or own's
// number though its deadline has passed. Looks at runs of digits only.
bool vault_requests_number_in(const struct vault_requests *requests,
                              const struct vault_request_list *list,
                              const struct vault_request *own, const struct vault_keyring *keyring,
                              struct bytes line);
