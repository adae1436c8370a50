// The addresses of a host name, looked up in a thread of its own, because the system's resolver
// waits. One look-up at a time for each line.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESSES_MAX 8

struct addresses {
	struct sockaddr_storage list[ADDRESSES_MAX];
	socklen_t lengths[ADDRESSES_MAX];
	size_t count;
};

struct resolve;

// An address written as one, or localhost and names below it: known at once. False: it is a name.
bool resolve_literal(const char *host, int64_t port, struct addresses *ret_addresses);
bool resolve_is_loopback(const struct sockaddr_storage *address);
// Appends nothing; writes "192.0.2.1" or "2001:db8::1".
void resolve_text(const struct sockaddr_storage *address, char ret_text[static 64]);

// NULL when no thread can be had.
struct resolve *resolve_start(const char *host, int64_t port);
// Becomes readable when it is over.
int resolve_fd(const struct resolve *resolve);
// Only once it is over: the addresses, or none and why. Ends the look-up.
void resolve_finish(struct resolve *resolve, struct addresses *ret_addresses, const char **ret_why);
// Nobody waits for it any more. Accepts NULL.
void resolve_drop(struct resolve *resolve);
