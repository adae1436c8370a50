// libcurl's sockets and timer on libuv: libcurl says which sockets it wants to hear of, libuv says
// when they can be read or written, and finished transfers are handed to their owners.
#include "client.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <stdio.h>

#define BODY_LIMIT (1024 * 1024)

struct transfer {
	struct shop_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct buffer body;
	int64_t started;
	shop_answered *done;
	void *context;
	struct transfer *next, *previous;
};

struct watch {
	uv_poll_t poll;
	curl_socket_t socket;
	struct shop_client *client;
};

struct shop_client {
	uv_loop_t *loop;
	uv_timer_t timer;
	CURLM *multi;
	struct transfer *first;
};

static void finish(struct transfer *transfer, int status)
{
	struct shop_client *client = transfer->client;
	struct shop_answer answer = { .status = status,
		                      .duration = clock_monotonic_ms() - transfer->started };

	if (status && transfer->body.length)
		answer.body = json_loadb((const char *)transfer->body.data, transfer->body.length,
		                         JSON_REJECT_DUPLICATES, NULL);
	*(transfer->previous ? &transfer->previous->next : &client->first) = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	curl_multi_remove_handle(client->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buffer_done(&transfer->body);
	transfer->done(transfer->context, &answer);
	json_decref(answer.body);
	free(transfer);
}

static void collect(struct shop_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct transfer *transfer = NULL;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		if (message->data.result == CURLE_OK)
			curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		finish(transfer, (int)status);
	}
}

static void on_poll(uv_poll_t *poll, int error, int events)
{
	struct watch *watch = poll->data;
	struct shop_client *client = watch->client;
	int flags = error < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	curl_multi_socket_action(client->multi, watch->socket, flags, &running);
	collect(client);
}

static void on_timer(uv_timer_t *timer)
{
	struct shop_client *client = timer->data;
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(client);
}

static int want_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct shop_client *client = context;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&client->timer);
	else // 0 is rounded up, since libcurl must not be entered again from within its callback
		uv_timer_start(&client->timer, on_timer, timeout_ms ? (uint64_t)timeout_ms : 1, 0);
	return 0;
}

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int want_socket(CURL *easy, curl_socket_t socket, int action, void *context, void *known)
{
	struct shop_client *client = context;
	struct watch *watch = known;

	(void)easy;
	if (action == CURL_POLL_REMOVE) {
		if (watch) {
			uv_poll_stop(&watch->poll);
			uv_close((uv_handle_t *)&watch->poll, watch_closed);
			curl_multi_assign(client->multi, socket, NULL);
		}
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof *watch);
		if (!watch)
			return -1;
		watch->socket = socket;
		watch->client = client;
		if (uv_poll_init_socket(client->loop, &watch->poll, socket) < 0) {
			free(watch);
			return -1;
		}
		watch->poll.data = watch;
		curl_multi_assign(client->multi, socket, watch);
	}
	int events = (action & CURL_POLL_IN ? UV_READABLE : 0) |
	             (action & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&watch->poll, events, on_poll);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	buffer_put(&transfer->body, bytes_from(data, size * count));
	return transfer->body.failed ? 0 : size * count;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[512];

	int length = snprintf(line, sizeof line, "%s: %s", name, value);
	CHECK(length > 0 && (size_t)length < sizeof line);
	struct curl_slist *longer = curl_slist_append(list, line);
	explicit_bzero(line, sizeof line);
	CHECK(longer != NULL);
	return longer;
}

static struct curl_slist *headers_of(const struct shop_call *call)
{
	struct curl_slist *list = add_header(NULL, "Accept", "application/json");
	char bearer[256];

	if (call->bearer) {
		int length = snprintf(bearer, sizeof bearer, "Bearer %s", call->bearer);
		CHECK(length > 0 && (size_t)length < sizeof bearer);
		list = add_header(list, "Authorization", bearer);
		explicit_bzero(bearer, sizeof bearer);
	}
	if (call->idempotency)
		list = add_header(list, "Idempotency-Key", call->idempotency);
	if (call->language)
		list = add_header(list, "Accept-Language", call->language);
	if (strcmp(call->method, "POST") == 0)
		list = add_header(list, "Expect", "");
	return list;
}

void shop_client_send(struct shop_client *client, const struct shop_call *call)
{
	struct transfer *transfer = calloc(1, sizeof *transfer);
	CHECK(transfer != NULL);
	CURL *easy = curl_easy_init();
	CHECK(easy != NULL);

	*transfer = (struct transfer){ .client = client,
		                       .easy = easy,
		                       .headers = headers_of(call),
		                       .started = clock_monotonic_ms(),
		                       .done = call->done,
		                       .context = call->context,
		                       .next = client->first };
	buffer_init(&transfer->body, BODY_LIMIT);
	if (client->first)
		client->first->previous = transfer;
	client->first = transfer;
	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	if (strcmp(call->method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)call->form.length);
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
		                 call->form.length ? (const char *)call->form.data : "");
	}
	CHECK(curl_multi_add_handle(client->multi, easy) == CURLM_OK);
}

struct result shop_client_new(uv_loop_t *loop, struct shop_client **ret_client)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return FAIL(ERROR_SYSTEM, "libcurl does not start");
	struct shop_client *client = calloc(1, sizeof *client);
	CURLM *multi = curl_multi_init();
	if (!client || !multi) {
		free(client);
		return FAIL(ERROR_MEMORY, "no memory for the client");
	}
	client->loop = loop;
	client->multi = multi;
	uv_timer_init(loop, &client->timer);
	client->timer.data = client;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
	*ret_client = client;
	return RESULT_OK;
}

static void client_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void shop_client_free(struct shop_client *client)
{
	if (!client)
		return;
	while (client->first)
		finish(client->first, 0);
	curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&client->timer, client_closed);
}
