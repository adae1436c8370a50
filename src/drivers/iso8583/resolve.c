// A look-up is shared by its thread and by the line that waits; who lets go of it last frees it.
#include "resolve.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct resolve {
	char host[256], port[8];
	int event; // counts one when it is over
	atomic_int owners;
	int error;
	struct addresses found;
};

bool resolve_literal(const char *host, int64_t port, struct addresses *ret_addresses)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ret_addresses->list[0];
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret_addresses->list[0];
	size_t length = strlen(host);
	bool local = strcmp(host, "localhost") == 0 ||
	             (length > 10 && strcmp(host + length - 10, ".localhost") == 0);

	memset(ret_addresses, 0, sizeof *ret_addresses);
	ret_addresses->count = 1;
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		ret_addresses->lengths[0] = sizeof *v6;
		return true;
	}
	if (inet_pton(AF_INET, local ? "127.0.0.1" : host, &v4->sin_addr) != 1)
		return false;
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	ret_addresses->lengths[0] = sizeof *v4;
	return true;
}

bool resolve_is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	return address->ss_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)
	                                      : ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

void resolve_text(const struct sockaddr_storage *address, char ret_text[static 64])
{
	const void *bytes =
	        address->ss_family == AF_INET6
	                ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
	                : (const void *)&((const struct sockaddr_in *)address)->sin_addr;

	if (!inet_ntop(address->ss_family, bytes, ret_text, 64))
		ret_text[0] = 0;
}

void resolve_drop(struct resolve *resolve)
{
	if (!resolve || atomic_fetch_sub(&resolve->owners, 1) > 1)
		return;
	close(resolve->event);
	free(resolve);
}

static void *look_up(void *context)
{
	const struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct resolve *resolve = context;
	struct addresses *found = &resolve->found;
	struct addrinfo *list = NULL;
	uint64_t one = 1;

	resolve->error = getaddrinfo(resolve->host, resolve->port, &wanted, &list);
	for (struct addrinfo *at = list; at && found->count < ADDRESSES_MAX; at = at->ai_next) {
		if (at->ai_addrlen > sizeof found->list[0])
			continue;
		memcpy(&found->list[found->count], at->ai_addr, at->ai_addrlen);
		found->lengths[found->count++] = at->ai_addrlen;
	}
	if (list)
		freeaddrinfo(list);
	(void)!write(resolve->event, &one, sizeof one);
	resolve_drop(resolve);
	return NULL;
}

struct resolve *resolve_start(const char *host, int64_t port)
{
	struct resolve *resolve = calloc(1, sizeof *resolve);
	pthread_attr_t attributes;
	pthread_t thread;

	CHECK(resolve);
	snprintf(resolve->host, sizeof resolve->host, "%s", host);
	snprintf(resolve->port, sizeof resolve->port, "%u", (unsigned)(uint16_t)port);
	resolve->owners = 2;
	resolve->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(resolve->event >= 0 && pthread_attr_init(&attributes) == 0);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	bool begun = pthread_create(&thread, &attributes, look_up, resolve) == 0;
	pthread_attr_destroy(&attributes);
	if (begun)
		return resolve;
	resolve->owners = 1;
	resolve_drop(resolve);
	return NULL;
}

int resolve_fd(const struct resolve *resolve)
{
	return resolve->event;
}

void resolve_finish(struct resolve *resolve, struct addresses *ret_addresses, const char **ret_why)
{
	*ret_addresses = resolve->found;
	*ret_why = resolve->error ? gai_strerror(resolve->error) : "it has no address";
	resolve_drop(resolve);
}
