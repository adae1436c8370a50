// HTTP calls by libcurl's multi interface. A handle lives for one call: libcurl keeps its upload
// buffer, with what was posted in it, until the handle is closed, and closing is what wipes it; the
// connections stay in the multi handle. RFC 9110; EMV 3-D Secure 2.2.0 section 5.1 (transport).

#include "calls.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/secret.h"
#include "tls/look.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

// libcurl keeps four connections for each call that is open, and closes the rest: with few calls
// just now, all those that the next many need.
enum { REQUEST_MAX = 256 * 1024, CONNECTIONS_KEPT = 128 };

struct open_call {
	struct call call;
	struct open_call *next;
	CURL *easy;
	struct buffer request;
	struct buffer response;
	call_done done;
	bool failed_to_start;
	char why[CURL_ERROR_SIZE]; // what libcurl says beyond its code
};

struct calls {
	const struct parameters *parameters;
	CURLM *multi;
	struct curl_slist *headers;
	struct open_call *open;
	size_t count;
	bool fresh; // the next call gets a connection of its own
};

static char *wiping_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = secret_malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

static void *wiping_calloc(size_t count, size_t size)
{
	size_t whole;
	void *memory;

	if (__builtin_mul_overflow(count, size, &whole))
		return NULL;
	memory = secret_malloc(whole);
	return memory ? memset(memory, 0, whole) : NULL;
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	secret_free(memory);
}

struct result calls_prepare(void)
{
	if (!CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free))
		return FAIL(ERROR_STATE, "OpenSSL took memory already");
	json_set_alloc_funcs(secret_malloc, secret_free);
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, secret_malloc, secret_free, secret_realloc,
	                         wiping_strdup, wiping_calloc) != CURLE_OK)
		return FAIL(ERROR_STATE, "libcurl does not start");
	return RESULT_OK;
}

struct result calls_new(const struct parameters *parameters, struct calls **ret_calls)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return FAIL(ERROR_MEMORY, "no memory for calls");
	calls->parameters = parameters;
	calls->multi = curl_multi_init();
	calls->headers = curl_slist_append(NULL, "Content-Type: application/JSON; charset=UTF-8");
	if (calls->headers)
		curl_slist_append(calls->headers, "Expect:");
	if (!calls->multi || !calls->headers ||
	    curl_multi_setopt(calls->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) !=
	            CURLM_OK) {
		calls_free(calls);
		return FAIL(ERROR_MEMORY, "no memory for calls");
	}
	*ret_calls = calls;
	return RESULT_OK;
}

static void close_call(struct calls *calls, struct open_call *open)
{
	if (open->easy) {
		curl_multi_remove_handle(calls->multi, open->easy);
		curl_easy_cleanup(open->easy);
	}
	buffer_done(&open->request);
	buffer_done(&open->response);
	free(open);
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	while (calls->open) {
		struct open_call *open = calls->open;

		calls->open = open->next;
		close_call(calls, open);
	}
	curl_slist_free_all(calls->headers);
	curl_multi_cleanup(calls->multi);
	free(calls);
}

static size_t take_response(char *data, size_t size, size_t count, void *owner)
{
	struct open_call *open = owner;

	buffer_put(&open->response, bytes_from(data, size * count));
	return open->response.failed ? 0 : size * count;
}

static bool set_blob(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = { (void *)(uintptr_t)pem, strlen(pem), CURL_BLOB_COPY };

	return !*pem || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static bool set_up(struct calls *calls, struct open_call *open, int64_t left_ms)
{
	const struct parameters *parameters = calls->parameters;
	struct bytes host = emv3ds_url_host(bytes_text(parameters->url));
	CURL *easy = open->easy;

	// TLS 1.2 and its two suites, or 1.3 (section 6.1.4.2 of the specification).
	bool fine = curl_easy_setopt(easy, CURLOPT_URL, parameters->url) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
	        CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
	        CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, calls->headers) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, open->request.data) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)open->request.length) ==
	        CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_response) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_WRITEDATA, open) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_PRIVATE, open) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, open->why) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L) == CURLE_OK;
	fine &= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)calls->fresh) == CURLE_OK;
	calls->fresh = false;
	// A name under .localhost is this machine (RFC 6761), whatever the resolver thinks.
	if (emv3ds_host_is_loopback(host))
		fine &= curl_easy_setopt(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4) ==
		        CURLE_OK;
	return fine && set_blob(easy, CURLOPT_CAINFO_BLOB, parameters->ca) &&
	       set_blob(easy, CURLOPT_SSLCERT_BLOB, parameters->certificate) &&
	       set_blob(easy, CURLOPT_SSLKEY_BLOB, parameters->key);
}

void calls_post(struct calls *calls, const json_t *message, int64_t deadline_ms, size_t max,
                call_done done, void *owner)
{
	struct open_call *open = calloc(1, sizeof(*open));
	int64_t left_ms = deadline_ms - clock_wall_ms();

	if (!open) {
		struct call call = { CALL_NOT_SENT, "no memory", BYTES_NONE, owner, { 0 } };

		done(&call);
		return;
	}
	*open = (struct open_call){
		.call = { CALL_NOT_SENT, "not started", BYTES_NONE, owner, { 0 } },
		.next = calls->open,
		.done = done
	};
	buffer_init_secret(&open->request, REQUEST_MAX);
	buffer_init(&open->response, max);
	calls->open = open;
	calls->count++;
	open->failed_to_start = true;
	if (left_ms <= 0) {
		open->call.detail = "the deadline was over";
		return;
	}
	if (!result_ok(emv3ds_write(message, &open->request)))
		return;
	open->easy = curl_easy_init();
	open->failed_to_start = !open->easy || !set_up(calls, open, left_ms) ||
	                        curl_multi_add_handle(calls->multi, open->easy) != CURLM_OK;
}

size_t calls_open(const struct calls *calls)
{
	return calls->count;
}

void calls_wait(struct calls *calls, struct pollfd *fds, unsigned count, int timeout_ms)
{
	struct curl_waitfd waits[4] = { 0 };

	if (count > sizeof(waits) / sizeof(waits[0]))
		return;
	for (struct open_call *open = calls->open; open; open = open->next)
		if (open->failed_to_start)
			timeout_ms = 0;
	for (unsigned i = 0; i < count; i++) {
		waits[i].fd = fds[i].fd;
		waits[i].events = (short)((fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
		                          (fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
	}
	curl_multi_poll(calls->multi, waits, count, timeout_ms, NULL);
	// libcurl does not hand a hang-up on; ask again, without waiting.
	poll(fds, count, 0);
}

static void finish(struct calls *calls, struct open_call *open)
{
	struct open_call **where = &calls->open;

	while (*where != open)
		where = &(*where)->next;
	*where = open->next;
	calls->count--;
	open->call.response = buffer_view(&open->response);
	open->done(&open->call);
	close_call(calls, open);
}

// "Subject:CN = ds.example" of the server's own certificate, as libcurl lists it.
static const char *certificate_line(CURL *easy, const char *name)
{
	struct curl_certinfo *info = NULL;
	size_t length = strlen(name);

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs < 1)
		return "?";
	for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next)
		if (strncmp(line->data, name, length) == 0 && line->data[length] == ':')
			return line->data + length + 1;
	return "?";
}

// One that ends soon, of the server's chain or of our own.
static void find_soon(const struct parameters *parameters, CURL *easy, struct call_trace *trace)
{
	struct curl_certinfo *info = NULL;
	struct buffer text cleanup(buffer_done) = { 0 };
	int64_t now_ms = clock_wall_ms();

	buffer_init(&text, 1024);
	bool found = tls_text_ends_soon(bytes_text(parameters->certificate),
	                                "our own certificate (parameter certificate)", now_ms,
	                                CERTIFICATE_DAYS, &text);
	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK)
		info = NULL;
	for (int i = 0; info && i < info->num_of_certs && !found; i++)
		for (const struct curl_slist *line = info->certinfo[i]; line && !found;
		     line = line->next)
			if (strncmp(line->data, "Cert:", 5) == 0)
				found = tls_text_ends_soon(bytes_text(line->data + 5),
				                           i == 0 ? "the server's certificate"
				                                  : "the authority's certificate",
				                           now_ms, CERTIFICATE_DAYS, &text);
	snprintf(trace->soon, sizeof(trace->soon), "%s", found ? buffer_text(&text) : "");
}

static void describe_certificate(CURL *easy, struct call_trace *trace)
{
	snprintf(trace->certificate, sizeof(trace->certificate),
	         "%.100s, until %.40s, issued by %.80s", certificate_line(easy, "Subject"),
	         certificate_line(easy, "Expire date"), certificate_line(easy, "Issuer"));
}

// With TLS 1.3 a server that does not like our certificate says so when we believe to be through.
static bool is_alert(const struct open_call *open)
{
	return strstr(open->why, " alert ") != NULL;
}

static enum call_step step_of(const struct open_call *open, CURLcode code,
                              const double ms[static 4])
{
	switch (code) {
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return is_alert(open) ? CALL_TLS : CALL_ANSWER;
	case CURLE_COULDNT_RESOLVE_HOST: return CALL_RESOLVE;
	case CURLE_COULDNT_CONNECT: return CALL_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION: return CALL_TLS;
	case CURLE_OPERATION_TIMEDOUT: return ms[CALL_CONNECT] > 0 ? CALL_ANSWER : CALL_CONNECT;
	default: return CALL_ANSWER;
	}
}

// Times of libcurl are microseconds since the start of the call.
static void take_trace(const struct parameters *parameters, struct open_call *open, CURLcode code)
{
	static const CURLINFO infos[] = { CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T,
		                          CURLINFO_APPCONNECT_TIME_T, CURLINFO_TOTAL_TIME_T };
	struct call_trace *trace = &open->call.trace;
	curl_off_t before = 0, at;
	const char *address = NULL;

	for (int i = CALL_RESOLVE; i <= CALL_ANSWER; i++) {
		at = 0;
		curl_easy_getinfo(open->easy, infos[i], &at);
		trace->ms[i] = at > before ? (double)(at - before) / 1000 : 0;
		before = at > before ? at : before;
		trace->tls |= i == CALL_TLS && at > 0;
	}
	curl_easy_getinfo(open->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(open->easy, CURLINFO_PRIMARY_PORT, &trace->port);
	snprintf(trace->address, sizeof(trace->address), "%s", address ? address : "");
	trace->reached = step_of(open, code, trace->ms);
	if (trace->tls) {
		describe_certificate(open->easy, trace);
		find_soon(parameters, open->easy, trace);
	}
}

// About certificates libcurl's own words say which is wrong, and how.
static const char *why_failed(const struct open_call *open, CURLcode code)
{
	bool told = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
	            code == CURLE_SSL_CERTPROBLEM || is_alert(open);

	return told && open->why[0] ? open->why : curl_easy_strerror(code);
}

void calls_fresh(struct calls *calls)
{
	calls->fresh = true;
}

static void judge(const struct parameters *parameters, struct open_call *open, CURLcode code)
{
	long status = 0;
	long sent = 0;
	curl_off_t uploaded = 0;

	curl_easy_getinfo(open->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(open->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_easy_getinfo(open->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
	open->call.end = CALL_UNKNOWN;
	take_trace(parameters, open, code);
	if (code == CURLE_OK && status == 200) {
		open->call.end = CALL_ANSWERED;
		open->call.detail = "";
	} else if (code == CURLE_OK) {
		open->call.detail = "the directory server answered with an HTTP error";
	} else if (sent == 0 && uploaded == 0) {
		open->call.end = CALL_NOT_SENT;
		open->call.detail = why_failed(open, code);
	} else {
		open->call.detail = why_failed(open, code);
	}
}

void calls_run(struct calls *calls)
{
	int running;
	int left;
	CURLMsg *message;

	for (struct open_call *open = calls->open, *next; open; open = next) {
		next = open->next;
		if (open->failed_to_start)
			finish(calls, open);
	}
	curl_multi_perform(calls->multi, &running);
	while ((message = curl_multi_info_read(calls->multi, &left))) {
		struct open_call *open = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &open);
		judge(calls->parameters, open, message->data.result);
		finish(calls, open);
	}
}
