// The bank's own HTTP calls: libcurl's multi interface on a libuv loop (sockets watched by
// uv_poll_t, one timer), as libcurl's documentation of CURLMOPT_SOCKETFUNCTION wants it.
#include "outgoing.h"

#include "base/buffer.h"
#include "base/check.h"

#include <curl/curl.h>
#include <stdlib.h>

// Without a number libcurl keeps four connections for each call that is open just now.
enum { ANSWER_MAX = 256 * 1024, CONNECTIONS_KEPT = 128 };

struct outgoing {
	CURLM *multi;
	struct curl_slist *headers;
	uv_loop_t *loop;
	uv_timer_t *timer;
	struct post *posts;
};

struct post {
	struct post *next;
	CURL *easy;
	struct buffer answer;
	outgoing_done done;
	void *owner;
};

struct watch {
	uv_poll_t poll;
	curl_socket_t socket;
	struct outgoing *outgoing;
};

static void drop(struct outgoing *outgoing, struct post *post)
{
	struct post **where = &outgoing->posts;

	while (*where != post)
		where = &(*where)->next;
	*where = post->next;
	curl_multi_remove_handle(outgoing->multi, post->easy);
	curl_easy_cleanup(post->easy);
	buffer_done(&post->answer);
	free(post);
}

static void finish(struct outgoing *outgoing)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(outgoing->multi, &left))) {
		enum outgoing_end end = OUTGOING_FAILED;
		struct post *post = NULL;
		CURLcode code = message->data.result;
		long status = 0;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		if (code == CURLE_OK && status == 200)
			end = OUTGOING_ANSWERED;
		else if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
			end = OUTGOING_NO_CONNECTION;
		post->done(end, end == OUTGOING_ANSWERED ? buffer_view(&post->answer) : BYTES_NONE,
		           post->owner);
		drop(outgoing, post);
	}
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct outgoing *outgoing = watch->outgoing;
	int running;
	int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
	            (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	curl_multi_socket_action(outgoing->multi, watch->socket, flags, &running);
	finish(outgoing);
}

static void on_timer(uv_timer_t *timer)
{
	struct outgoing *outgoing = timer->data;
	int running;

	curl_multi_socket_action(outgoing->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(outgoing);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle->data);
}

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *owner, void *known)
{
	struct outgoing *outgoing = owner;
	struct watch *watch = known;
	int events =
	        (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(outgoing->multi, socket, NULL);
		if (watch)
			uv_close((uv_handle_t *)&watch->poll, free_handle);
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		CHECK(watch);
		watch->socket = socket;
		watch->outgoing = outgoing;
		if (uv_poll_init_socket(outgoing->loop, &watch->poll, socket) != 0) {
			free(watch);
			return -1;
		}
		watch->poll.data = watch;
		curl_multi_assign(outgoing->multi, socket, watch);
	}
	uv_poll_start(&watch->poll, events, on_socket);
	return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *owner)
{
	struct outgoing *outgoing = owner;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(outgoing->timer);
	else
		uv_timer_start(outgoing->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

struct outgoing *outgoing_new(uv_loop_t *loop)
{
	struct outgoing *outgoing = calloc(1, sizeof(*outgoing));

	CHECK(outgoing && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	outgoing->loop = loop;
	outgoing->timer = calloc(1, sizeof(*outgoing->timer));
	outgoing->multi = curl_multi_init();
	outgoing->headers =
	        curl_slist_append(NULL, "Content-Type: application/JSON; charset=UTF-8");
	CHECK(outgoing->timer && outgoing->multi && outgoing->headers);
	CHECK(curl_slist_append(outgoing->headers, "Expect:"));
	uv_timer_init(loop, outgoing->timer);
	outgoing->timer->data = outgoing;
	uv_unref((uv_handle_t *)outgoing->timer);
	curl_multi_setopt(outgoing->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	curl_multi_setopt(outgoing->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(outgoing->multi, CURLMOPT_SOCKETDATA, outgoing);
	curl_multi_setopt(outgoing->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(outgoing->multi, CURLMOPT_TIMERDATA, outgoing);
	return outgoing;
}

void outgoing_free(struct outgoing *outgoing)
{
	if (!outgoing)
		return;
	while (outgoing->posts)
		drop(outgoing, outgoing->posts);
	curl_multi_cleanup(outgoing->multi);
	curl_slist_free_all(outgoing->headers);
	outgoing->timer->data = outgoing->timer;
	uv_close((uv_handle_t *)outgoing->timer, free_handle);
	free(outgoing);
}

static size_t take(char *data, size_t size, size_t count, void *owner)
{
	struct post *post = owner;

	buffer_put(&post->answer, bytes_from(data, size * count));
	return post->answer.failed ? 0 : size * count;
}

void outgoing_post(struct outgoing *outgoing, const char *url, struct bytes body,
                   unsigned timeout_ms, outgoing_done done, void *owner)
{
	struct post *post = calloc(1, sizeof(*post));

	CHECK(post);
	post->easy = curl_easy_init();
	CHECK(post->easy);
	post->done = done;
	post->owner = owner;
	post->next = outgoing->posts;
	outgoing->posts = post;
	buffer_init(&post->answer, ANSWER_MAX);
	curl_easy_setopt(post->easy, CURLOPT_URL, url);
	curl_easy_setopt(post->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(post->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(post->easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	curl_easy_setopt(post->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(post->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, outgoing->headers);
	curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)body.length);
	curl_easy_setopt(post->easy, CURLOPT_COPYPOSTFIELDS, body.data);
	curl_easy_setopt(post->easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(post->easy, CURLOPT_WRITEDATA, post);
	curl_easy_setopt(post->easy, CURLOPT_PRIVATE, post);
	curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	CHECK(curl_multi_add_handle(outgoing->multi, post->easy) == CURLM_OK);
}
