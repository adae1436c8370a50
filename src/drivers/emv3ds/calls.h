// HTTP calls to the directory server: POST of one message, many at a time, each with a deadline
// after which nothing of it is written. Every copy that libcurl, OpenSSL or jansson makes of a
// message is wiped when it is freed. What the messages mean is left to the operations.
#pragma once

#include "parameters.h"

#include <poll.h>
#include <stdint.h>

enum call_end {
	CALL_ANSWERED, // status 200 and a body
	CALL_NOT_SENT, // not one byte went out
	CALL_UNKNOWN,  // anything else
};

// The way of a call, for who tests it: how long each part took, and how far it came.
enum call_step { CALL_RESOLVE, CALL_CONNECT, CALL_TLS, CALL_ANSWER };
struct call_trace {
	enum call_step reached; // the part that it failed in, when it did
	double ms[4];           // by enum call_step
	bool tls;
	char address[48];
	long port;
	char certificate[256]; // of the server: subject, until when, issuer
	char soon[256];        // a certificate that ends within 30 days, ours too; empty: none
};

struct call {
	enum call_end end;
	const char *detail;    // a sentence, when not answered
	struct bytes response; // the body, when answered; valid until `done` returns
	void *owner;
	struct call_trace trace;
};

typedef void (*call_done)(struct call *call);

struct calls;

// Gives libcurl, OpenSSL and jansson the wiping allocator. First thing in main().
MUST_USE struct result calls_prepare(void);

// The parameters must live as long as the calls.
MUST_USE struct result calls_new(const struct parameters *parameters, struct calls **ret_calls);
void calls_free(struct calls *calls);

// Posts a message. `done` is called once, from calls_run(), never from here; when the call cannot
// be started it ends as CALL_NOT_SENT. At most `max` bytes of answer are taken.
void calls_post(struct calls *calls, const json_t *message, int64_t deadline_ms, size_t max,
                call_done done, void *owner);
// The next call goes over a connection of its own, so that its trace has all parts.
void calls_fresh(struct calls *calls);
size_t calls_open(const struct calls *calls);

// Waits until a call moved, one of the descriptors is ready, or `timeout_ms` is over.
void calls_wait(struct calls *calls, struct pollfd *fds, unsigned count, int timeout_ms);
void calls_run(struct calls *calls);
