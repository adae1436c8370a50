// One request, one answer, over a socket of its own.
#include "web.h"

#include "base/cleanup.h"
#include "http/client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LIMIT = 2 * 1024 * 1024, WAIT_S = 40 };

void answer_done(struct answer *answer)
{
	buffer_done(&answer->body);
	json_decref(answer->json);
	answer->json = NULL;
}

static int dial(int port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		                             .sin_port = htons((uint16_t)port),
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static bool send_all(int fd, struct bytes bytes)
{
	while (bytes.length) {
		ssize_t put = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		bytes = bytes_slice(bytes, (size_t)put, bytes.length);
	}
	return true;
}

static bool receive(int fd, struct buffer *in, struct http_response *response)
{
	const struct http_limits limits = {
		.head = 32 * 1024, .fields = 100, .target = 8192, .body = LIMIT
	};

	http_response_init(response, &limits, false);
	for (;;) {
		uint8_t *room = buffer_room(in, 16 * 1024);
		ssize_t got = room ? recv(fd, room, 16 * 1024, 0) : -1;
		if (got < 0)
			return false;
		buffer_grew(in, (size_t)got);
		enum http_progress progress = http_response_read(response, in, got == 0);
		if (progress == HTTP_WHOLE)
			return true;
		if (progress == HTTP_REFUSED || got == 0)
			return false;
	}
}

static void keep_cookie(struct site *site, const struct http_response *response)
{
	struct bytes cookie = http_response_get(response, "set-cookie");

	if (cookie.length)
		bytes_copy_text(bytes_slice(cookie, 0, bytes_find(cookie, ';')), site->cookie,
		                sizeof(site->cookie));
}

static size_t fill_fields(const struct site *site, const char *type, char *authorization,
                          size_t capacity, struct http_pair *pairs)
{
	size_t count = 0;

	pairs[count++] = HTTP_PAIR_TEXT("User-Agent", "walk (a browser in words)");
	pairs[count++] = HTTP_PAIR_TEXT("Accept", "text/html,application/json");
	pairs[count++] = HTTP_PAIR_TEXT("Accept-Language", "en");
	pairs[count++] = HTTP_PAIR_TEXT("Connection", "close");
	pairs[count++] =
	        HTTP_PAIR_TEXT("Content-Type", type ? type : "application/x-www-form-urlencoded");
	if (site->origin)
		pairs[count++] = HTTP_PAIR_TEXT("Origin", site->origin);
	if (site->cookie[0])
		pairs[count++] = HTTP_PAIR_TEXT("Cookie", site->cookie);
	if (site->key) {
		snprintf(authorization, capacity, "Bearer %s", site->key);
		pairs[count++] = HTTP_PAIR_TEXT("Authorization", authorization);
	}
	return count;
}

bool site_ask(struct site *site, const char *method, const char *path, const char *type,
              struct bytes body, struct answer *ret_answer)
{
	struct buffer out cleanup(buffer_done) = { 0 };
	struct buffer in cleanup(buffer_done) = { 0 };
	struct http_response response;
	struct http_pair pairs[10];
	char authorization[300];
	int fd cleanup(cleanup_fd) = dial(site->port);

	answer_done(ret_answer);
	*ret_answer = (struct answer){ 0 };
	buffer_init(&ret_answer->body, LIMIT);
	buffer_init(&out, LIMIT);
	buffer_init(&in, LIMIT + 64 * 1024);
	size_t count = fill_fields(site, type, authorization, sizeof(authorization), pairs);
	if (fd < 0 ||
	    !result_ok(http_request_put(&out, method, path, site->host, pairs, count, body)) ||
	    !send_all(fd, buffer_view(&out)) || !receive(fd, &in, &response))
		return false;
	keep_cookie(site, &response);
	ret_answer->status = response.status;
	buffer_put(&ret_answer->body, response.body);
	bytes_copy_text(http_response_get(&response, "location"), ret_answer->location,
	                sizeof(ret_answer->location));
	bytes_copy_text(http_response_get(&response, "content-security-policy"), ret_answer->policy,
	                sizeof(ret_answer->policy));
	ret_answer->json = json_loadb((const char *)ret_answer->body.data, ret_answer->body.length,
	                              JSON_REJECT_DUPLICATES, NULL);
	return true;
}

static void decode(char *text)
{
	static const struct {
		const char *entity;
		char character;
	} entities[] = { { "&amp;", '&' }, { "&quot;", '"' }, { "&#39;", '\'' }, { "&lt;", '<' } };
	char *to = text;

	for (char *from = text; *from;) {
		char c = *from;
		size_t length = 1;
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (strncmp(from, entities[i].entity, strlen(entities[i].entity)) == 0) {
				c = entities[i].character;
				length = strlen(entities[i].entity);
			}
		*to++ = c;
		from += length;
	}
	*to = '\0';
}

bool html_attribute(struct bytes html, const char *mark, const char *name, char *ret_value,
                    size_t capacity)
{
	char wanted[64];
	const char *text = (const char *)html.data;
	const char *found = html.length ? memmem(text, html.length, mark, strlen(mark)) : NULL;

	ret_value[0] = '\0';
	if (!found)
		return false;
	while (found > text && *found != '<')
		found--;
	const char *end = memchr(found, '>', (size_t)(text + html.length - found));
	snprintf(wanted, sizeof(wanted), " %s=\"", name);
	const char *value =
	        end ? memmem(found, (size_t)(end - found), wanted, strlen(wanted)) : NULL;
	if (!value)
		return false;
	value += strlen(wanted);
	const char *quote = memchr(value, '"', (size_t)(end - value));
	if (!quote ||
	    !bytes_copy_text(bytes_from(value, (size_t)(quote - value)), ret_value, capacity))
		return false;
	decode(ret_value);
	return true;
}

const char *url_path(const char *url)
{
	const char *host = strstr(url, "://");
	const char *path = host ? strchr(host + 3, '/') : NULL;

	return path ? path : "/";
}
