// POSTs under way. See post.h. A handle lives for one POST; connections stay in the multi handle
// and are used again.
#include "webhook/post.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum { URL_LIMIT = 2048, CONNECTIONS_KEPT = 64 };

struct flight {
	struct flight *next;
	struct webhook_poster *poster;
	int64_t id;
	CURL *easy; // NULL: could not begin
	struct curl_slist *headers;
	int64_t began_ms;
	size_t answered;  // bytes of the answer, head and body
	bool refused;     // an address that it led to may not be dialled
	bool is_too_long; // the answer
};

struct webhook_poster {
	struct webhook_options options;
	CURLM *multi;
	struct flight *flights;
	size_t count;
};

struct result webhook_prepare(void)
{
	// Name servers that do not answer: a thread is not kept for long.
	if (setenv("RES_OPTIONS", "timeout:2 attempts:2", 1) != 0 ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return FAIL(ERROR_STATE, "libcurl does not start");
	return RESULT_OK;
}

struct result webhook_poster_new(const struct webhook_options *options,
                                 struct webhook_poster **ret_poster)
{
	struct webhook_poster *poster = calloc(1, sizeof(*poster));

	if (!poster)
		return FAIL(ERROR_MEMORY, "no memory for deliveries");
	poster->options = *options;
	poster->multi = curl_multi_init();
	if (!poster->multi || curl_multi_setopt(poster->multi, CURLMOPT_MAXCONNECTS,
	                                        (long)CONNECTIONS_KEPT) != CURLM_OK) {
		webhook_poster_free(poster);
		return FAIL(ERROR_MEMORY, "no memory for deliveries");
	}
	*ret_poster = poster;
	return RESULT_OK;
}

static void flight_free(struct flight *flight)
{
	if (flight->easy) {
		curl_multi_remove_handle(flight->poster->multi, flight->easy);
		curl_easy_cleanup(flight->easy);
	}
	curl_slist_free_all(flight->headers);
	flight->poster->count--;
	free(flight);
}

void webhook_drop(struct webhook_poster *poster)
{
	while (poster->flights) {
		struct flight *flight = poster->flights;
		poster->flights = flight->next;
		flight_free(flight);
	}
}

void webhook_poster_free(struct webhook_poster *poster)
{
	if (!poster)
		return;
	webhook_drop(poster);
	if (poster->multi)
		curl_multi_cleanup(poster->multi);
	free(poster);
}

size_t webhook_under_way(const struct webhook_poster *poster)
{
	return poster->count;
}

// --- what libcurl asks

// The one place where a socket is made: for the very address that it is connected to.
static curl_socket_t open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct flight *flight = owner;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    !webhook_address_fits(&address->addr, &flight->poster->options.allowed)) {
		flight->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// The answer is counted and thrown away: only its status means something.
static size_t take_answer(char *data, size_t size, size_t count, void *owner)
{
	struct flight *flight = owner;

	(void)data;
	flight->answered += size * count;
	flight->is_too_long = flight->answered > WEBHOOK_ANSWER_MAX;
	return flight->is_too_long ? 0 : size * count;
}

// --- beginning

static bool add_header(struct flight *flight, const char *format, const char *value)
{
	char line[WEBHOOK_SIGNATURE_CAPACITY + 64];

	snprintf(line, sizeof(line), format, value);
	struct curl_slist *list = curl_slist_append(flight->headers, line);
	flight->headers = list ? list : flight->headers;
	return list != NULL;
}

static bool add_headers(struct flight *flight, const struct webhook_post *post)
{
	int64_t now_s = clock_wall_ms() / 1000;
	struct webhook_signature signature;
	char id[WEBHOOK_ID_MAX + 1];
	char time[24];

	snprintf(time, sizeof(time), "%lld", (long long)now_s);
	if (!bytes_copy_text(post->event, id, sizeof(id)))
		return false;
	webhook_sign(post->key, post->old, post->event, now_s, post->body, &signature);
	return add_header(flight, "Content-Type: %s", "application/json; charset=utf-8") &&
	       add_header(flight, "Stripe-Signature: %s", signature.stripe) &&
	       add_header(flight, "webhook-id: %s", id) &&
	       add_header(flight, "webhook-timestamp: %s", time) &&
	       add_header(flight, "webhook-signature: %s", signature.standard) &&
	       add_header(flight, "%s", "Expect:");
}

static CURLcode set_rules(CURL *easy, struct flight *flight)
{
	const char *ca_file = flight->poster->options.ca_file;
	CURLcode bad = CURLE_OK;

	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // see the head of post.h: names
	bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (ca_file && ca_file[0]) {
		bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
		bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, flight);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, flight);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_answer);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, flight);
	return bad;
}

static bool begin(struct flight *flight, const struct webhook_post *post)
{
	CURL *easy = curl_easy_init();
	char url[URL_LIMIT + 1];
	CURLcode bad = CURLE_OK;

	flight->easy = easy;
	if (!easy || !add_headers(flight, post) || !bytes_copy_text(post->url, url, sizeof(url)))
		return false;
	bad |= set_rules(easy, flight);
	bad |= curl_easy_setopt(easy, CURLOPT_URL, url);
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "onfile/" ONFILE_VERSION " (webhooks)");
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, flight->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)post->body.length);
	bad |= curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, (const char *)post->body.data);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, flight);
	return bad == CURLE_OK && curl_multi_add_handle(flight->poster->multi, easy) == CURLM_OK;
}

void webhook_send(struct webhook_poster *poster, const struct webhook_post *post)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	CHECK(flight);
	*flight = (struct flight){ .next = poster->flights,
		                   .poster = poster,
		                   .id = post->id,
		                   .began_ms = clock_monotonic_ms() };
	poster->flights = flight;
	poster->count++;
	if (begin(flight, post))
		return;
	if (flight->easy)
		curl_easy_cleanup(flight->easy);
	flight->easy = NULL;
}

// --- ending

static const char *why_not(const struct flight *flight, CURLcode code)
{
	if (flight->is_too_long)
		return "the answer is longer than 64 KiB";
	if (flight->refused && code == CURLE_COULDNT_CONNECT)
		return "the address is not one of the Internet, and is not allowed";
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT: return "no whole answer within 10 seconds";
	case CURLE_COULDNT_RESOLVE_HOST: return "the name of the host could not be resolved";
	case CURLE_COULDNT_CONNECT: return "no connection could be made";
	case CURLE_PEER_FAILED_VERIFICATION: return "the server's certificate is not good";
	case CURLE_SSL_CONNECT_ERROR: return "TLS could not be set up";
	case CURLE_GOT_NOTHING: return "the server closed without an answer";
	default: return curl_easy_strerror(code);
	}
}

static void say(struct webhook_outcome *outcome, const char *format, const char *what)
{
	snprintf(outcome->detail, sizeof(outcome->detail), format, what);
}

static void tell(struct flight *flight, CURLcode code)
{
	struct webhook_outcome outcome = { .ms = clock_monotonic_ms() - flight->began_ms };
	long status = 0;
	char number[16];

	if (flight->easy)
		curl_easy_getinfo(flight->easy, CURLINFO_RESPONSE_CODE, &status);
	outcome.status = status >= 100 && status <= 599 ? (int)status : 0;
	snprintf(number, sizeof(number), "%d", outcome.status);
	if (!flight->easy)
		say(&outcome, "%s", "the POST could not be begun");
	else if (code != CURLE_OK)
		say(&outcome, "%s", why_not(flight, code));
	else if (outcome.status >= 300 && outcome.status < 400)
		say(&outcome, "answered %s: redirects are not followed", number);
	else if (outcome.status < 200 || outcome.status >= 300)
		say(&outcome, "answered %s", number);
	flight->poster->options.done(flight->poster->options.owner, flight->id, &outcome);
}

static void end(struct webhook_poster *poster, struct flight *flight, CURLcode code)
{
	struct flight **place = &poster->flights;

	while (*place != flight)
		place = &(*place)->next;
	*place = flight->next;
	tell(flight, code);
	flight_free(flight);
}

static void end_finished(struct webhook_poster *poster)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(poster->multi, &left))) {
		struct flight *flight = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight);
		end(poster, flight, message->data.result);
	}
	for (struct flight *flight = poster->flights, *next; flight; flight = next) {
		next = flight->next;
		if (!flight->easy)
			end(poster, flight, CURLE_FAILED_INIT);
	}
}

void webhook_wait(struct webhook_poster *poster, struct pollfd *fds, size_t count, int timeout_ms)
{
	struct curl_waitfd extra[WEBHOOK_FDS];
	size_t places[WEBHOOK_FDS];
	unsigned used = 0;
	int running = 0;

	CHECK(count <= WEBHOOK_FDS);
	for (size_t i = 0; i < count; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		places[used] = i;
		extra[used++] = (struct curl_waitfd){
			fds[i].fd,
			(short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
			        (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0)),
			0
		};
	}
	curl_multi_perform(poster->multi, &running);
	end_finished(poster);
	curl_multi_poll(poster->multi, extra, used, timeout_ms, NULL);
	for (unsigned i = 0; i < used; i++)
		fds[places[i]].revents =
		        (short)((extra[i].revents & CURL_WAIT_POLLIN ? POLLIN : 0) |
		                (extra[i].revents & CURL_WAIT_POLLOUT ? POLLOUT : 0));
	curl_multi_perform(poster->multi, &running);
	end_finished(poster);
}
