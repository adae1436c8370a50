// Sending webhooks: many POSTs at a time through libcurl's multi interface, each signed when it is
// sent, each held to the rules for foreign servers: no redirect is followed, no address outside of
// what address.h allows is connected to (the socket itself is held to it), https is verified, all
// is over in WEBHOOK_TIMEOUT_MS and after WEBHOOK_ANSWER_MAX bytes of answer. Names are resolved on
// threads of libcurl's; a name server that does not answer keeps nobody else waiting.
//
// libcurl is to be made ready by webhook_prepare() while files may be opened.
#pragma once

#include "webhook/address.h"
#include "webhook/sign.h"

#include "base/bytes.h"
#include "base/result.h"

#include <poll.h>

enum {
	WEBHOOK_TIMEOUT_MS = 10000,
	WEBHOOK_ANSWER_MAX = 64 * 1024,
	WEBHOOK_DETAIL_MAX = 160,
	WEBHOOK_AT_ONCE = 256,
	WEBHOOK_FDS = 4, // of the caller's, in webhook_wait()
};

struct webhook_outcome {
	int status;                      // HTTP; 0: there was no answer
	char detail[WEBHOOK_DETAIL_MAX]; // why it does not count as delivered; empty: it does
	int64_t ms;                      // how long it took
};

typedef void webhook_done(void *owner, int64_t id, const struct webhook_outcome *outcome);

struct webhook_options {
	struct net_ranges allowed;
	const char *ca_file; // PEM certificates of who may sign; NULL or empty: the system's
	webhook_done *done;
	void *owner;
};

struct webhook_poster;

MUST_USE struct result webhook_prepare(void);
MUST_USE struct result webhook_poster_new(const struct webhook_options *options,
                                          struct webhook_poster **ret_poster);
// Gives up what is under way, without telling. Accepts NULL.
void webhook_poster_free(struct webhook_poster *poster);

struct webhook_post {
	int64_t id;         // the caller's, for webhook_done
	struct bytes event; // its id: webhook-id
	struct bytes url, body;
	const struct webhook_key *key;
	const struct webhook_key *old; // signs besides, or NULL
};

// Begins one POST; what `post` points to is copied. How it ended is told from webhook_wait(), also
// when it could not begin.
void webhook_send(struct webhook_poster *poster, const struct webhook_post *post);
size_t webhook_under_way(const struct webhook_poster *poster);
// Gives up all that is under way, without telling.
void webhook_drop(struct webhook_poster *poster);

// Waits until something happens on the connections or on `fds` (as poll() does, revents filled; one
// with descriptor -1 is passed over), carries the POSTs on and tells of those that have ended.
void webhook_wait(struct webhook_poster *poster, struct pollfd *fds, size_t count, int timeout_ms);
