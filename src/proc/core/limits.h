// Rate limits of the API: for each key a bucket that fills at a steady rate and holds what flows in
// within one second; a request takes one token. A publishable key, which is in every shopper's
// browser, has a bucket for each address, so that no shopper can use up the others' share. Memory
// is fixed: when there is no room, the fullest bucket of four is forgotten.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limits;

struct limits *limits_new(void);
void limits_free(struct limits *limits);

// How a bucket stands, for the headers RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit- headers). All 0: there is no limit.
struct limits_state {
	int64_t quota;   // tokens a second
	int64_t left;    // whole tokens
	int64_t reset_s; // until the bucket is full again, rounded up
};

// Takes a token from the bucket of `who`, a well-mixed number (limits_who). False: there was none.
// `quota` tokens a second; 0: no limit.
bool limits_take(struct limits *limits, uint64_t who, int64_t quota, int64_t now_ms,
                 struct limits_state *ret_state);

// The bucket of a key, and of an address when it is not "" (all of an IPv6 network of 64 bits is
// one).
uint64_t limits_who(int64_t key, const char *address);
