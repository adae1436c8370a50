// TLS 1.2 and 1.3 over any stream (RFC 8446, RFC 5246): bytes of the wire go in, bytes for the wire
// come out, whoever holds the socket carries them. Nothing here waits, reads a file or opens a
// socket. The only folder that sees libssl.
//
// A client always checks the other side: chain to an authority, dates, and the name it was told to
// expect (RFC 6125; a wildcard stands for a whole first label only). There is no way to switch that
// off.
#pragma once

#include "base/buffer.h"
#include "base/result.h"

enum tls_version { TLS_1_2, TLS_1_3 };

// What a connection failed at, for whoever has to say what to change.
enum tls_fault {
	TLS_FAULT_NONE,
	TLS_FAULT_NAME,      // the other side's certificate is for other names
	TLS_FAULT_DATES,     // it, or one above it, is over or yet to begin
	TLS_FAULT_AUTHORITY, // nobody whom we believe vouches for it
	TLS_FAULT_OURS,      // the other side does not like our certificate, or that there is none
	TLS_FAULT_PROTOCOL,  // anything else
};

// What one side brings, as PEM texts; all may be empty but for what is said below. They are copied.
struct tls_options {
	struct bytes authorities; // whom to believe. A server that has some asks its clients for
	                          // certificates; one that has none lets everybody in.
	struct bytes certificate; // the own chain, leaf first; a server needs it
	struct bytes key;         // of the leaf, not encrypted
	enum tls_version minimum;
};

struct tls_context;
struct tls;

// Done once, before any sandbox is entered: reads the library's configuration and its error texts.
void tls_prepare(void);

// ERROR_INPUT: a text is not what it should be; the sentence says which.
MUST_USE struct result tls_client_context(const struct tls_options *options,
                                          struct tls_context **ret_context);
MUST_USE struct result tls_server_context(const struct tls_options *options,
                                          struct tls_context **ret_context);
void tls_context_free(struct tls_context *context);
// The last day of the own certificate, Unix milliseconds; INT64_MAX when there is none.
int64_t tls_context_expires_ms(const struct tls_context *context);

// One connection. A client checks that the server is `name`: a host name or an address.
MUST_USE struct result tls_connect(struct tls_context *context, const char *name,
                                   struct tls **ret_tls);
MUST_USE struct result tls_accept(struct tls_context *context, struct tls **ret_tls);
void tls_free(struct tls *tls);

// Works on `wire` (which came from the other side; may be empty, to begin) and appends what it says
// in clear to `plain`. Afterwards tls_pending() may have something to send, on failure too (an
// alert). ERROR_DENIED: the other side is not who it should be; ERROR_CRYPTO: the protocol failed;
// ERROR_CLOSED: the other side said good-bye; ERROR_LIMIT: `plain` is full. tls_why() says more.
MUST_USE struct result tls_receive(struct tls *tls, struct bytes wire, struct buffer *plain);
// Encrypts `plain`, all of it; only after tls_is_up(). Appends to what is pending.
MUST_USE struct result tls_send(struct tls *tls, struct bytes plain);
// Says good-bye: adds that to what is pending. Nothing can be sent afterwards.
void tls_close(struct tls *tls);

// Bytes for the wire, oldest first; a view that is valid until the next call. tls_sent() takes the
// first `length` of them away.
struct bytes tls_pending(const struct tls *tls);
void tls_sent(struct tls *tls, size_t length);

// Both sides have shown what they had to show.
bool tls_is_up(const struct tls *tls);
// A sentence for the operator about what failed; valid as long as the connection.
const char *tls_why(const struct tls *tls);
enum tls_fault tls_fault(const struct tls *tls);
// Appends what a person wants to know. Of a connection that is up: version, cipher, and whose
// certificate the other side has, until when, from whom. Of one whose certificate was not accepted:
// whose it is, and for which names.
void tls_describe(const struct tls *tls, struct buffer *text);
// Does a certificate that the connection needs (the other side's, its authorities', our own) end
// within so many days? Then appends a sentence that says which and when.
bool tls_ends_soon(const struct tls *tls, int64_t now_ms, int days, struct buffer *text);
