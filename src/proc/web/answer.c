// What core answers becomes a response: the headers of each kind of reply, and the policy of each
// hosted page (docs/hosted-pages.md). Core's words are checked before they become part of a header.
#include "web/web.h"

#include "base/check.h"
#include "base/log.h"
#include "http/url.h"

#include <stdio.h>

enum { JSON, PAGE, REDIRECT, TEXT, HTML, KINDS };
enum { REPLAYED = 1, RETRY_NEVER = 2, RETRY_AGAIN = 4, CORS = 8, CLOSE = 16 };
enum { MAX_PAIRS = 24, MAX_ORIGINS = 4 };

// Who may show a page in a frame.
enum ancestors { NOBODY, AS_REPLIED, ANYBODY };

// What a page's policy adds; a page that is not listed gets the last row.
static const struct page_rule {
	const char *name;
	bool frames_own; // may frame pages of our own
	bool to_bank;    // may frame, and post forms to, the bank of this attempt
	bool posts_own;  // may post forms to us
	enum ancestors ancestors;
} page_rules[] = {
	{ "card.html", true, false, false, AS_REPLIED },
	{ "methods.html", false, false, false, NOBODY },
	{ "choose.html", false, false, false, NOBODY },
	{ "challenge.html", true, true, false, AS_REPLIED },
	{ "method.html", true, true, false, AS_REPLIED },
	{ "quiet.html", false, false, false, ANYBODY },
	{ "returned.html", false, false, false, ANYBODY },
	{ "lost.html", false, false, false, NOBODY },
	{ "away.html", false, false, false, NOBODY },
	{ "", true, false, true, AS_REPLIED },
};

struct answer {
	struct web *web;
	const struct wire_value *fields; // of the REPLY
	struct http_pair pairs[MAX_PAIRS];
	size_t count;
};

static void add(struct answer *answer, const char *name, struct bytes value)
{
	CHECK(answer->count < MAX_PAIRS);
	answer->pairs[answer->count++] = (struct http_pair){ name, value };
}

static void add_text(struct answer *answer, const char *name, const char *value)
{
	add(answer, name, bytes_text(value));
}

static void add_field(struct answer *answer, const char *name, int place)
{
	struct bytes value = answer->fields[place].bytes;

	if (value.length)
		add(answer, name, value);
}

static bool has_flag(const struct answer *answer, unsigned flag)
{
	return answer->fields[WIRE_REPLY_FLAGS].number & flag;
}

// What every answer of core has.
static void add_common(struct answer *answer)
{
	add_field(answer, "Request-Id", WIRE_REPLY_REQUEST_ID);
	add_field(answer, "Stripe-Version", WIRE_REPLY_VERSION);
	add_field(answer, "Allow", WIRE_REPLY_ALLOW);
	// Basic is taken too, but named here it would make a browser ask its user for a password.
	if (answer->fields[WIRE_REPLY_STATUS].number == 401)
		add_text(answer, "WWW-Authenticate", "Bearer realm=\"onfile\"");
	add_text(answer, "Cache-Control", "no-store");
	add_text(answer, "X-Content-Type-Options", "nosniff");
	if (answer->web->https)
		add_text(answer, "Strict-Transport-Security", "max-age=31536000");
	if (has_flag(answer, REPLAYED))
		add_text(answer, "Idempotent-Replayed", "true");
	if (has_flag(answer, RETRY_NEVER))
		add_text(answer, "Stripe-Should-Retry", "false");
	else if (has_flag(answer, RETRY_AGAIN))
		add_text(answer, "Stripe-Should-Retry", "true");
}

static void add_cors(struct answer *answer, const struct http_request *http)
{
	if (!has_flag(answer, CORS))
		return;
	add_text(answer, "Access-Control-Allow-Origin", "*");
	add_text(answer, "Access-Control-Expose-Headers",
	         "Request-Id, Retry-After, RateLimit, RateLimit-Policy, Stripe-Should-Retry, "
	         "Idempotent-Replayed");
	if (!bytes_equal_text(http->method, "OPTIONS"))
		return;
	add_field(answer, "Access-Control-Allow-Methods", WIRE_REPLY_ALLOW);
	add_text(answer, "Access-Control-Allow-Headers",
	         "Authorization, Content-Type, Idempotency-Key, Stripe-Version");
	add_text(answer, "Access-Control-Max-Age", "600");
}

// draft-ietf-httpapi-ratelimit-headers: how many requests a second, and how many are left. The
// texts must live as long as the answer.
static void add_limit(struct answer *answer, char *policy, size_t policy_size, char *limit,
                      size_t limit_size)
{
	unsigned long long quota = answer->fields[WIRE_REPLY_QUOTA].number;

	if (quota == 0)
		return;
	snprintf(policy, policy_size, "\"default\";q=%llu;w=1", quota);
	snprintf(limit, limit_size, "\"default\";r=%llu;t=%llu",
	         (unsigned long long)answer->fields[WIRE_REPLY_LEFT].number,
	         (unsigned long long)answer->fields[WIRE_REPLY_RESET].number);
	add_text(answer, "RateLimit-Policy", policy);
	add_text(answer, "RateLimit", limit);
}

// The usual clients show the key that they sent as a property of the answer.
static void add_idempotency_key(struct answer *answer, const struct http_request *http)
{
	struct bytes key = http_request_get(http, "idempotency-key");

	if (key.length)
		add(answer, "Idempotency-Key", key);
}

// Appends the words of a list of origins, separated by spaces; 'self' where it is allowed. False
// when a word is anything else, so that no reply can add a directive to a policy.
static bool put_origins(struct buffer *policy, struct bytes list, bool self_allowed)
{
	int count = 0;

	while (list.length) {
		size_t space = bytes_find(list, ' ');
		struct bytes word = bytes_slice(list, 0, space);
		struct http_url url;
		list = bytes_slice(list, space + 1, list.length);
		buffer_put_byte(policy, ' ');
		if (self_allowed && bytes_equal_text(word, "'self'"))
			buffer_put(policy, word);
		else if (result_ok(http_url_read(word, &url)) && url.path.length == 0)
			http_url_put_origin(&url, policy);
		else
			return false;
		if (++count > MAX_ORIGINS)
			return false;
	}
	return count > 0;
}

static bool put_ancestors(struct buffer *policy, enum ancestors ancestors, struct bytes replied)
{
	if (ancestors == ANYBODY)
		return true;
	buffer_put_text(policy, "; frame-ancestors");
	if (ancestors == AS_REPLIED && replied.length)
		return put_origins(policy, replied, true);
	buffer_put_text(policy, " 'none'");
	return true;
}

static bool put_targets(struct buffer *policy, const char *directive, bool own, struct bytes bank)
{
	buffer_put_text(policy, directive);
	if (own)
		buffer_put_text(policy, " 'self'");
	if (bank.length)
		return put_origins(policy, bank, false);
	if (!own)
		buffer_put_text(policy, " 'none'");
	return true;
}

// Makes the two headers that depend on the page: Content-Security-Policy, and Permissions-Policy
// with which the bank's frame may read the one-time code from the phone's messages.
static bool make_policy(struct web *web, const struct page_rule *rule, struct bytes bank,
                        struct bytes ancestor)
{
	struct buffer *policy = &web->policy;
	struct buffer *permissions = &web->permissions;
	struct bytes to = rule->to_bank ? bank : BYTES_NONE;

	buffer_reset(policy);
	buffer_reset(permissions);
	buffer_put_text(policy, "default-src 'none'; script-src 'self'; style-src 'self'; "
	                        "img-src 'self' data:; connect-src 'self'; base-uri 'none'");
	bool good = put_targets(policy, "; frame-src", rule->frames_own, to) &&
	            put_targets(policy, "; form-action", rule->posts_own, to) &&
	            put_ancestors(policy, rule->ancestors, ancestor);
	buffer_put_text(permissions, "camera=(), microphone=(), geolocation=(), payment=(), "
	                             "otp-credentials=(self");
	if (good && to.length) {
		struct http_url url;
		good = result_ok(http_url_read(to, &url));
		buffer_put_text(permissions, " \"");
		http_url_put_origin(&url, permissions);
		buffer_put_byte(permissions, '"');
	}
	buffer_put_byte(permissions, ')');
	return good && !policy->failed && !permissions->failed;
}

static const struct page_rule *rule_of(struct bytes page)
{
	const struct page_rule *rule = page_rules;

	while (rule->name[0] && !bytes_equal_text(page, rule->name))
		rule++;
	return rule;
}

// A page's address holds a secret, which `strict-origin` keeps to us; the origin itself is said,
// because without one a form that is posted to the bank comes from "null".
static bool add_page_headers(struct answer *answer, struct bytes page, struct bytes bank,
                             struct bytes ancestor)
{
	if (!make_policy(answer->web, rule_of(page), bank, ancestor))
		return false;
	add(answer, "Content-Security-Policy", buffer_view(&answer->web->policy));
	add(answer, "Permissions-Policy", buffer_view(&answer->web->permissions));
	add_text(answer, "Referrer-Policy", "strict-origin");
	return true;
}

static const struct serve_file *find_page(const struct web *web, struct bytes name)
{
	char path[80];
	int length =
	        snprintf(path, sizeof(path), "/%.*s", (int)name.length, (const char *)name.data);

	if (length < 0 || (size_t)length >= sizeof(path))
		return NULL;
	return serve_static_find(web->pages, bytes_from(path, (size_t)length));
}

bool answer_page(struct web *web, struct serve_request *request, int status, const char *name)
{
	struct answer answer = { .web = web };
	const struct serve_file *file = find_page(web, bytes_text(name));

	if (!file || !add_page_headers(&answer, bytes_text(name), BYTES_NONE, BYTES_NONE))
		return false;
	add_text(&answer, "Cache-Control", "no-store");
	add_text(&answer, "X-Content-Type-Options", "nosniff");
	if (status == 503)
		add_text(&answer, "Retry-After", "1");
	serve_reply(request, &(struct serve_reply){ .status = status,
	                                            .type = file->type,
	                                            .pairs = answer.pairs,
	                                            .pair_count = answer.count,
	                                            .body = file->body });
	return true;
}

// One function for each kind of reply; false: the reply cannot be given.
static bool make_json(struct answer *answer, const struct http_request *http,
                      struct serve_reply *reply)
{
	reply->type = "application/json";
	add_text(answer, "Referrer-Policy", "no-referrer");
	add_idempotency_key(answer, http);
	add_cors(answer, http);
	return true;
}

static bool make_page(struct answer *answer, const struct http_request *http,
                      struct serve_reply *reply)
{
	struct bytes name = answer->fields[WIRE_REPLY_PAGE].bytes;
	const struct serve_file *file = find_page(answer->web, name);

	(void)http;
	if (!file)
		return false;
	reply->type = file->type;
	reply->body = file->body;
	return add_page_headers(answer, name, answer->fields[WIRE_REPLY_CSP_ORIGIN].bytes,
	                        answer->fields[WIRE_REPLY_FRAME_ANCESTOR].bytes);
}

static bool make_redirect(struct answer *answer, const struct http_request *http,
                          struct serve_reply *reply)
{
	(void)http;
	reply->body = BYTES_NONE;
	add_text(answer, "Referrer-Policy", "no-referrer");
	add_field(answer, "Location", WIRE_REPLY_LOCATION);
	return answer->fields[WIRE_REPLY_LOCATION].bytes.length > 0;
}

static bool make_text(struct answer *answer, const struct http_request *http,
                      struct serve_reply *reply)
{
	(void)http;
	reply->type = "text/plain; charset=utf-8";
	add_text(answer, "Referrer-Policy", "no-referrer");
	return true;
}

static bool make_html(struct answer *answer, const struct http_request *http,
                      struct serve_reply *reply)
{
	(void)http;
	reply->type = "text/html; charset=utf-8";
	return add_page_headers(answer, BYTES_NONE, answer->fields[WIRE_REPLY_CSP_ORIGIN].bytes,
	                        answer->fields[WIRE_REPLY_FRAME_ANCESTOR].bytes);
}

static bool (*const make[KINDS])(struct answer *answer, const struct http_request *http,
                                 struct serve_reply *reply) = {
	[JSON] = make_json, [PAGE] = make_page, [REDIRECT] = make_redirect,
	[TEXT] = make_text, [HTML] = make_html,
};

void answer_give(struct web *web, const struct wire_message *message)
{
	const struct wire_value *fields = message->fields;
	struct serve_request *request = waiting_end(web, fields[WIRE_REPLY_SERIAL].number);
	struct answer answer = { .web = web, .fields = fields };
	struct serve_reply reply = { .status = (int)fields[WIRE_REPLY_STATUS].number,
		                     .body = fields[WIRE_REPLY_BODY].bytes };
	char retry_after[24], policy[48], limit[64];

	if (!request)
		return;
	add_common(&answer);
	if (fields[WIRE_REPLY_RETRY_AFTER].number) {
		snprintf(retry_after, sizeof(retry_after), "%llu",
		         (unsigned long long)fields[WIRE_REPLY_RETRY_AFTER].number);
		add_text(&answer, "Retry-After", retry_after);
	}
	add_limit(&answer, policy, sizeof(policy), limit, sizeof(limit));
	bool good = reply.status >= 200 &&
	            make[fields[WIRE_REPLY_KIND].number](&answer, request->http, &reply);
	if (!good) {
		log_event(LOG_ERROR, "bad_reply", LOG_NUMBER("status", reply.status));
		refusal_give(web, request, 500, "Something is wrong on our side.");
		return;
	}
	reply.pairs = answer.pairs;
	reply.pair_count = answer.count;
	reply.close = has_flag(&answer, CLOSE);
	serve_reply(request, &reply);
}
