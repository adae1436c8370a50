// Token buckets in a fixed table of sets of four.
#include "core/limits.h"

#include "base/bytes.h"
#include "base/check.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { SETS = 1024, WAYS = 4, TOKEN = 1000 }; // tokens are counted in thousandths

struct bucket {
	uint64_t who; // 0: free
	int64_t tokens, at_ms, quota;
};

struct limits {
	struct bucket buckets[SETS][WAYS];
};

struct limits *limits_new(void)
{
	struct limits *limits = calloc(1, sizeof(*limits));

	CHECK(limits);
	return limits;
}

void limits_free(struct limits *limits)
{
	free(limits);
}

// What has flowed in since. A clock that was set back adds nothing.
static void fill(struct bucket *bucket, int64_t now_ms)
{
	int64_t ms = now_ms > bucket->at_ms ? now_ms - bucket->at_ms : 0;
	int64_t full = bucket->quota * TOKEN;

	bucket->at_ms = now_ms;
	if (ms >= 1000 || bucket->tokens + ms * bucket->quota > full)
		bucket->tokens = full;
	else
		bucket->tokens += ms * bucket->quota;
}

static struct bucket *bucket_of(struct limits *limits, uint64_t who, int64_t quota, int64_t now_ms)
{
	struct bucket *set = limits->buckets[who % SETS];
	struct bucket *fullest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].who == who && set[i].quota == quota)
			return &set[i];
		if (set[i].who)
			fill(&set[i], now_ms);
		if (set[i].quota * TOKEN - set[i].tokens < fullest->quota * TOKEN - fullest->tokens)
			fullest = &set[i];
	}
	for (int i = 0; i < WAYS; i++)
		if (!set[i].who)
			fullest = &set[i];
	*fullest = (struct bucket){ who, quota * TOKEN, now_ms, quota };
	return fullest;
}

bool limits_take(struct limits *limits, uint64_t who, int64_t quota, int64_t now_ms,
                 struct limits_state *ret_state)
{
	*ret_state = (struct limits_state){ 0 };
	if (quota == 0)
		return true;
	struct bucket *bucket = bucket_of(limits, who ? who : 1, quota, now_ms);
	fill(bucket, now_ms);
	bool taken = bucket->tokens >= TOKEN;
	bucket->tokens -= taken ? TOKEN : 0;
	*ret_state = (struct limits_state){
		.quota = quota,
		.left = bucket->tokens / TOKEN,
		.reset_s = bucket->tokens < quota * TOKEN, // a second fills it
	};
	return taken;
}

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 1099511628211u; // FNV-1a
	return hash ^ hash >> 29;
}

uint64_t limits_who(int64_t key, const char *address)
{
	uint64_t hash = mix(14695981039346656037u, &key, sizeof(key));
	uint8_t network[16];

	if (inet_pton(AF_INET6, address, network) == 1 &&
	    memcmp(network, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) != 0)
		return mix(hash, network, 8);
	return mix(hash, address, strlen(address));
}
