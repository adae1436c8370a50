// The table of requests, and the search for card numbers in lines.
#include "requests.h"

#include "base/check.h"
#include "card/number.h"

#include <stdlib.h>

enum { LINE_LIMIT = 64 * 1024 + 128, HINT_DIGITS = 8 };

static struct vault_request **bucket_of(struct vault_requests *requests, int64_t id)
{
	return &requests->buckets[(uint64_t)id % VAULT_BUCKETS];
}

struct vault_request *vault_requests_find(const struct vault_requests *requests, int64_t id)
{
	struct vault_request *request = requests->buckets[(uint64_t)id % VAULT_BUCKETS];

	while (request && request->id != id)
		request = request->next_in_bucket;
	return request;
}

struct vault_request *vault_requests_add(struct vault_requests *requests,
                                         struct vault_request_list *list, int64_t id,
                                         uint32_t connection, int64_t deadline_ms)
{
	struct vault_request **bucket = bucket_of(requests, id);

	CHECK(requests->open < VAULT_REQUESTS_MAX);
	struct vault_request *request = calloc(1, sizeof(*request));
	CHECK(request);
	request->id = id;
	request->connection = connection;
	request->deadline_ms = deadline_ms;
	buffer_init_secret(&request->line, LINE_LIMIT);
	request->next_in_bucket = *bucket;
	*bucket = request;
	request->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = request;
	list->last = request;
	requests->open++;
	return request;
}

// Of the first eight digits of a number.
static size_t hint_of(const uint8_t *digits)
{
	uint32_t hint = 0;

	for (int i = 0; i < HINT_DIGITS; i++)
		hint = hint * 10 + (uint32_t)(digits[i] - '0');
	return (hint * 2654435761u) >> 16;
}

void vault_requests_carry(struct vault_requests *requests, struct vault_request *request,
                          struct secret *number)
{
	CHECK(!request->number.data && number->length >= CARD_NUMBER_MIN);
	request->number = *number;
	request->number_length = number->length;
	*number = (struct secret){ 0 };
	requests->hints[hint_of(request->number.data)]++;
}

static void drop_number(struct vault_requests *requests, struct vault_request *request)
{
	if (request->number.data)
		requests->hints[hint_of(request->number.data)]--;
	secret_done(&request->number);
}

void vault_requests_remove(struct vault_requests *requests, struct vault_request_list *list,
                           struct vault_request *request)
{
	struct vault_request **link = bucket_of(requests, request->id);

	while (*link != request)
		link = &(*link)->next_in_bucket;
	*link = request->next_in_bucket;
	*(request->previous ? &request->previous->next : &list->first) = request->next;
	*(request->next ? &request->next->previous : &list->last) = request->previous;
	if (request->expired)
		list->expired--;
	else
		requests->open--;
	drop_number(requests, request);
	buffer_done(&request->line);
	free(request);
}

// The oldest that is past its deadline and has been written to its end; NULL when there is none.
static struct vault_request *oldest_expired(const struct vault_request_list *list)
{
	struct vault_request *request = list->first;

	while (request && (!request->expired || request->line.length > 0))
		request = request->next;
	return request;
}

void vault_requests_expire(struct vault_requests *requests, struct vault_request_list *list,
                           struct vault_request *request, const struct vault_keyring *keyring)
{
	CHECK(!request->expired);
	request->expired = true;
	requests->open--;
	list->expired++;
	if (request->number.data)
		vault_fingerprint(keyring, secret_view(&request->number), request->fingerprint);
	drop_number(requests, request);
	if (list->expired <= VAULT_EXPIRED_MAX)
		return;
	struct vault_request *oldest = oldest_expired(list);
	if (oldest)
		vault_requests_remove(requests, list, oldest);
}

// True when some number in flight may begin somewhere in the run: nearly always false, so that the
// list is rarely walked.
static bool may_hold(const struct vault_requests *requests, struct bytes run)
{
	for (size_t at = 0; at + CARD_NUMBER_MIN <= run.length; at++)
		if (requests->hints[hint_of(run.data + at)] > 0)
			return true;
	return false;
}

static bool holds_number_in_flight(const struct vault_request_list *list, struct bytes run)
{
	for (const struct vault_request *request = list->first; request; request = request->next)
		if (request->number.data &&
		    memmem(run.data, run.length, request->number.data, request->number.length))
			return true;
	return false;
}

static bool holds_expired_number(const struct vault_request *own,
                                 const struct vault_keyring *keyring, struct bytes run)
{
	for (size_t at = 0; at + own->number_length <= run.length; at++) {
		uint8_t fingerprint[VAULT_FINGERPRINT];
		vault_fingerprint(keyring, bytes_slice(run, at, own->number_length), fingerprint);
		if (memcmp(fingerprint, own->fingerprint, sizeof(fingerprint)) == 0)
			return true;
	}
	return false;
}

// A run of digits that is long enough for a card number, from `at` on; length 0 at the end.
static struct bytes next_run(struct bytes line, size_t at)
{
	size_t length = 0;

	for (; at < line.length; at++) {
		bool digit = line.data[at] >= '0' && line.data[at] <= '9';
		if (digit) {
			length++;
			continue;
		}
		if (length >= CARD_NUMBER_MIN)
			break;
		length = 0;
	}
	return length >= CARD_NUMBER_MIN ? bytes_from(line.data + at - length, length) : BYTES_NONE;
}

bool vault_requests_number_in(const struct vault_requests *requests,
                              const struct vault_request_list *list,
                              const struct vault_request *own, const struct vault_keyring *keyring,
                              struct bytes line)
{
	for (struct bytes run = next_run(line, 0); run.length > 0;
	     run = next_run(line, (size_t)(run.data - line.data) + run.length)) {
		if (may_hold(requests, run) && holds_number_in_flight(list, run))
			return true;
		if (own && own->expired && own->number_length > 0 &&
		    holds_expired_number(own, keyring, run))
			return true;
	}
	return false;
}
