// The walk: the whole journey once, against running programs, as a shopper's browser and phone
// would go it. One line for each step; the first that fails ends the walk with status 1.
//
// usage: walk --shop PORT --public PORT --bank PORT --keys FILE --trace ONFILE --config FILE
#include "web.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/jwe.h"
#include "crypto/mac.h"
#include "http/form.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct walk {
	struct site shop, pay, bank;
	char hosts[3][64], origins[3][64];
	const char *onfile, *config;
	char phone[32];
	struct answer answer; // the last one
	char session[256];    // the card page's path, /c/…
	char encrypted[4096]; // the last card, sealed
	char reference[32];
	char why[600];
};

static bool fail(struct walk *walk, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct walk *walk, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(walk->why, sizeof(walk->why), format, arguments);
	va_end(arguments);
	return false;
}

// --- asking and reading

static bool ask(struct walk *walk, struct site *site, const char *method, const char *path,
                const char *type, const char *body, int status)
{
	if (!site_ask(site, method, path, type, bytes_text(body), &walk->answer))
		return fail(walk, "%s %s: no answer", method, path);
	if (walk->answer.status != status)
		return fail(walk, "%s %s: status %d, not %d: %.300s", method, path,
		            walk->answer.status, status, buffer_text(&walk->answer.body));
	return true;
}

// The text at a path of member names and array places ("cards.0.last4"); "" when there is none.
static const char *text_at(const json_t *object, const char *path)
{
	char part[64];

	while (object && *path) {
		size_t length = strcspn(path, ".");
		snprintf(part, sizeof(part), "%.*s", (int)length, path);
		object = json_is_array(object) ? json_array_get(object, strtoul(part, NULL, 10))
		                               : json_object_get(object, part);
		path += length + (path[length] == '.');
	}
	return json_string_value(object) ? json_string_value(object) : "";
}

static const char *said(const struct walk *walk, const char *path)
{
	return text_at(walk->answer.json, path);
}

static bool is(struct walk *walk, const char *path, const char *wanted)
{
	if (strcmp(said(walk, path), wanted) == 0)
		return true;
	return fail(walk, "%s is «%s», not «%s»: %.400s", path, said(walk, path), wanted,
	            buffer_text(&walk->answer.body));
}

static bool get_state(struct walk *walk)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/state", walk->session);
	return ask(walk, &walk->pay, "GET", path, NULL, "", 200);
}

// Looks at the state until it is `step`; the server holds each question until something has
// changed.
static bool await(struct walk *walk, const char *step)
{
	char path[360];

	if (!get_state(walk))
		return false;
	for (int tries = 0; tries < 8 && strcmp(said(walk, "step"), step) != 0; tries++) {
		snprintf(path, sizeof(path), "%s/state?after=%lld", walk->session,
		         (long long)json_integer_value(
		                 json_object_get(walk->answer.json, "revision")));
		if (!ask(walk, &walk->pay, "GET", path, NULL, "", 200))
			return false;
	}
	return is(walk, "step", step);
}

// --- the shopper

// The newest SMS to the shopper's phone: its last line holds "#123456".
static bool read_code(struct walk *walk, const char *to, char ret_code[7])
{
	for (int tries = 0; tries < 100; tries++) {
		const json_t *message;
		size_t i;
		if (!ask(walk, &walk->bank, "GET", "/phone/messages", NULL, "", 200))
			return false;
		const json_t *list = json_is_array(walk->answer.json)
		                             ? walk->answer.json
		                             : json_object_get(walk->answer.json, "messages");
		bool found = false; // the newest is the last
		json_array_foreach(list, i, message)
		{
			const char *text = text_at(message, "text");
			const char *mark = strrchr(text, '#');
			if (to ? strcmp(text_at(message, "to"), to) != 0 : !strstr(text, "card"))
				continue;
			if (mark && strspn(mark + 1, "0123456789") == 6) {
				snprintf(ret_code, 7, "%s", mark + 1);
				found = true;
			}
		}
		if (found)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	return fail(walk, "no SMS with a code came");
}

static bool sign_up(struct walk *walk)
{
	char body[300], code[7], challenge[200];

	// A phone of its own each time: the shop sends few codes to one number.
	snprintf(walk->phone, sizeof(walk->phone), "+7900%07lld",
	         (long long)(clock_wall_ms() % 10000000));
	snprintf(body, sizeof(body), "{\"phone\":\"%s\"}", walk->phone);
	if (!ask(walk, &walk->shop, "POST", "/api/code", "application/json", body, 200))
		return false;
	snprintf(challenge, sizeof(challenge), "%s", said(walk, "challenge"));
	if (!read_code(walk, walk->phone, code))
		return false;
	snprintf(body, sizeof(body), "{\"challenge\":\"%s\",\"code\":\"%s\"}", challenge, code);
	return ask(walk, &walk->shop, "POST", "/api/sign-in", "application/json", body, 200) &&
	       is(walk, "account.phone", said(walk, "account.phone"));
}

static bool open_page(struct walk *walk)
{
	if (!ask(walk, &walk->shop, "POST", "/api/cards/link", "application/json",
	         "{\"next\":\"/\"}", 200))
		return false;
	snprintf(walk->session, sizeof(walk->session), "%s", url_path(said(walk, "url")));
	if (strncmp(walk->session, "/c/", 3) != 0)
		return fail(walk, "the shop was not sent to a card page: %s", walk->session);
	if (!ask(walk, &walk->pay, "GET", walk->session, NULL, "", 200))
		return false;
	if (!strstr(walk->answer.policy, "default-src 'none'") ||
	    strstr(walk->answer.policy, "unsafe"))
		return fail(walk, "the card page's policy is «%s»", walk->answer.policy);
	return await(walk, "enter");
}

static bool read_point(struct walk *walk, const char *x, const char *y,
                       struct crypto_p256_point *point)
{
	struct buffer bytes cleanup(buffer_done) = { 0 };

	buffer_init(&bytes, 64);
	if (!result_ok(base64url_read(bytes_text(x), &bytes)) ||
	    !result_ok(base64url_read(bytes_text(y), &bytes)) || bytes.length != 64)
		return fail(walk, "the card key is no point of P-256");
	memcpy(point->x, bytes.data, 32);
	memcpy(point->y, bytes.data + 32, 32);
	return true;
}

// Encrypts a card for the state that was read last.
static bool encrypt(struct walk *walk, const char *number, const char *cvc)
{
	struct crypto_p256_point point;
	struct buffer plain cleanup(buffer_done) = { 0 };
	struct buffer jwe cleanup(buffer_done) = { 0 };

	if (!read_point(walk, said(walk, "keys.keys.0.x"), said(walk, "keys.keys.0.y"), &point))
		return false;
	buffer_init_secret(&plain, 1024);
	buffer_init(&jwe, sizeof(walk->encrypted));
	buffer_printf(&plain,
	              "{\"number\":\"%s\",\"exp_month\":12,\"exp_year\":2031,\"cvc\":\"%s\","
	              "\"intent\":\"%s\",\"issued\":%lld}",
	              number, cvc, said(walk, "intent"),
	              (long long)json_integer_value(json_object_get(walk->answer.json, "now")));
	crypto_jwe_seal(&point, bytes_text(said(walk, "keys.keys.0.kid")), buffer_view(&plain),
	                &jwe);
	return bytes_copy_text(buffer_view(&jwe), walk->encrypted, sizeof(walk->encrypted)) ||
	       fail(walk, "the encrypted card is too long");
}

// The proof of work that the guards may ask a browser for: SHA-256(nonce:answer) begins with zero
// bits.
static void solve(const char *nonce, int bits, char *ret_proof, size_t capacity)
{
	uint8_t digest[CRYPTO_SHA256];
	int zeros = 0;

	for (long long answer = 0; zeros < bits; answer++) {
		snprintf(ret_proof, capacity, "%s:%lld", nonce, answer);
		crypto_sha256(bytes_text(ret_proof), digest);
		for (zeros = 0; zeros < 64 && !(digest[zeros / 8] & 0x80 >> zeros % 8);)
			zeros++;
	}
}

static bool post_card(struct walk *walk, int status)
{
	struct buffer form cleanup(buffer_done) = { 0 };
	char path[300], proof[200];
	const json_t *bits = json_object_get(json_object_get(walk->answer.json, "proof"), "bits");

	buffer_init(&form, 16384);
	if (bits) {
		solve(said(walk, "proof.nonce"), (int)json_integer_value(bits), proof,
		      sizeof(proof));
		http_form_put_text(&form, "proof", proof);
	}
	http_form_put_text(&form, "encrypted", walk->encrypted);
	http_form_put_text(&form, "browser[java]", "false");
	http_form_put_text(&form, "browser[language]", "en");
	http_form_put_text(&form, "browser[color_depth]", "24");
	http_form_put_text(&form, "browser[screen_height]", "800");
	http_form_put_text(&form, "browser[screen_width]", "360");
	http_form_put_text(&form, "browser[time_zone]", "-180");
	http_form_put_text(&form, "browser[window]", "05");
	snprintf(path, sizeof(path), "%s/card", walk->session);
	return ask(walk, &walk->pay, "POST", path, NULL, buffer_text(&form), status);
}

// What the card page does while it waits: the bank's method frame.
static bool run_method(struct walk *walk)
{
	struct buffer form cleanup(buffer_done) = { 0 };
	char action[2048], data[4096];

	if (!get_state(walk) || !said(walk, "method.url")[0])
		return true;
	buffer_init(&form, 8192);
	http_form_put_text(&form, "threeDSMethodData", said(walk, "method.data"));
	snprintf(action, sizeof(action), "%s", url_path(said(walk, "method.url")));
	if (!ask(walk, &walk->bank, "POST", action, NULL, buffer_text(&form), 200))
		return false;
	struct bytes html = buffer_view(&walk->answer.body);
	if (!html_attribute(html, "<form", "action", action, sizeof(action)) ||
	    !html_attribute(html, "name=\"threeDSMethodData\"", "value", data, sizeof(data)))
		return fail(walk, "the bank's method page has no form");
	buffer_reset(&form);
	http_form_put_text(&form, "threeDSMethodData", data);
	return ask(walk, &walk->pay, "POST", url_path(action), NULL, buffer_text(&form), 200);
}

static bool link_card(struct walk *walk)
{
	return encrypt(walk, "4242424242424242", "123") && post_card(walk, 200) &&
	       run_method(walk) && await(walk, "done") && is(walk, "card.last4", "4242");
}

static bool come_back(struct walk *walk)
{
	if (!ask(walk, &walk->shop, "GET", "/api/cards", NULL, "", 200))
		return false;
	return is(walk, "cards.0.last4", "4242");
}

static bool replay(struct walk *walk)
{
	char kept[4096];

	memcpy(kept, walk->encrypted, sizeof(kept));
	if (!open_page(walk))
		return false;
	memcpy(walk->encrypted, kept, sizeof(kept));
	return post_card(walk, 400) ||
	       fail(walk, "a card that was encrypted for another attempt was taken: %.200s",
	            buffer_text(&walk->answer.body));
}

static bool order(struct walk *walk)
{
	char body[600], card[128];

	if (!ask(walk, &walk->shop, "GET", "/api/cards", NULL, "", 200))
		return false;
	snprintf(card, sizeof(card), "%s", said(walk, "cards.0.id"));
	snprintf(body, sizeof(body),
	         "{\"items\":[{\"id\":\"mug\",\"count\":1}],\"card\":\"%s\",\"key\":\"walk-%"
	         "016lld\"}",
	         card, (long long)clock_wall_ms());
	return ask(walk, &walk->shop, "POST", "/api/orders", "application/json", body, 200) &&
	       is(walk, "order.state", "paid");
}

// --- the bank's question

static bool open_challenge(struct walk *walk)
{
	struct buffer form cleanup(buffer_done) = { 0 };
	char path[2048];

	if (!open_page(walk) || !encrypt(walk, "4000002500003155", "123") ||
	    !post_card(walk, 200) || !run_method(walk) || !await(walk, "challenge"))
		return false;
	snprintf(path, sizeof(path), "%s/challenge", walk->session);
	char creq[4096], url[4096];
	snprintf(creq, sizeof(creq), "%s", said(walk, "challenge.creq"));
	snprintf(url, sizeof(url), "%s", url_path(said(walk, "challenge.url")));
	if (!ask(walk, &walk->pay, "GET", path, NULL, "", 200))
		return false;
	if (!strstr(walk->answer.policy, walk->origins[2]))
		return fail(walk, "the challenge page does not name the bank: «%s»",
		            walk->answer.policy);
	buffer_init(&form, 8192);
	http_form_put_text(&form, "creq", creq);
	http_form_put_text(&form, "threeDSSessionData", "");
	if (!site_ask(&walk->bank, "POST", url, NULL, buffer_view(&form), &walk->answer))
		return fail(walk, "the bank's challenge page does not answer");
	// The page may be reached by a redirect, so that a reload asks for it again.
	if (walk->answer.status >= 300 && walk->answer.status < 400) {
		snprintf(url, sizeof(url), "%s", walk->answer.location);
		return ask(walk, &walk->bank, "GET", url[0] == '/' ? url : url_path(url), NULL, "",
		           200);
	}
	return walk->answer.status == 200 ||
	       fail(walk, "the challenge page: status %d", walk->answer.status);
}

static bool answer_challenge(struct walk *walk)
{
	struct buffer form cleanup(buffer_done) = { 0 };
	char id[128], token[256], action[4096], data[4096], code[7];
	struct bytes html = buffer_view(&walk->answer.body);

	buffer_init(&form, 16384);
	if (!html_attribute(html, "name=\"id\"", "value", id, sizeof(id)) ||
	    !html_attribute(html, "name=\"token\"", "value", token, sizeof(token)))
		return fail(walk, "the bank's code page has no form");
	if (!read_code(walk, NULL, code))
		return false;
	http_form_put_text(&form, "id", id);
	http_form_put_text(&form, "token", token);
	http_form_put_text(&form, "code", code);
	http_form_put_text(&form, "action", "code");
	if (!site_ask(&walk->bank, "POST", "/acs/answer", NULL, buffer_view(&form), &walk->answer))
		return fail(walk, "the bank does not answer");
	if (walk->answer.status >= 300 && walk->answer.status < 400) {
		snprintf(action, sizeof(action), "%s", walk->answer.location);
		if (!ask(walk, &walk->bank, "GET", action[0] == '/' ? action : url_path(action),
		         NULL, "", 200))
			return false;
	}
	html = buffer_view(&walk->answer.body);
	if (!html_attribute(html, "<form", "action", action, sizeof(action)) ||
	    !html_attribute(html, "name=\"cres\"", "value", data, sizeof(data)))
		return fail(walk, "the bank did not send the browser back: %.300s",
		            buffer_text(&walk->answer.body));
	buffer_reset(&form);
	http_form_put_text(&form, "cres", data);
	struct site back = walk->pay;
	back.origin = walk->origins[2];
	return ask(walk, &back, "POST", url_path(action), NULL, buffer_text(&form), 200) &&
	       await(walk, "done") && is(walk, "card.last4", "3155");
}

// --- when it fails

static bool refused_card(struct walk *walk)
{
	if (!open_page(walk) || !encrypt(walk, "4000000000000002", "123") ||
	    !post_card(walk, 200) || !await(walk, "enter"))
		return false;
	snprintf(walk->reference, sizeof(walk->reference), "%s", said(walk, "error.reference"));
	if (!walk->reference[0] || !strstr(said(walk, "error.message"), "Your bank refused"))
		return fail(walk, "no advice: %.300s", buffer_text(&walk->answer.body));
	return is(walk, "error.who", "bank");
}

// Runs a verb of the `onfile` command and reads what it prints. False when its status is not 0.
static bool onfile(const struct walk *walk, const char *verb, const char *more, const char *word,
                   struct buffer *ret_text)
{
	int ends[2], status = 1;

	if (pipe(ends) != 0)
		return false;
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execl(walk->onfile, walk->onfile, verb, more ? more : word,
		      more ? word : "--config", more ? "--config" : walk->config,
		      more ? walk->config : (char *)NULL, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	buffer_init(ret_text, 64 * 1024);
	for (uint8_t *room; (room = buffer_room(ret_text, 1024));) {
		ssize_t got = read(ends[0], room, 1024);
		if (got <= 0)
			break;
		buffer_grew(ret_text, (size_t)got);
	}
	close(ends[0]);
	return waitpid(child, &status, 0) == child && status == 0;
}

static bool test_line(struct walk *walk)
{
	struct buffer text cleanup(buffer_done) = { 0 };

	return (onfile(walk, "connection", "test", "bank", &text) &&
	        strstr(buffer_text(&text), "answered")) ||
	       fail(walk, "onfile connection test bank: %.400s", buffer_text(&text));
}

static bool trace(struct walk *walk)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	bool good = onfile(walk, "trace", NULL, walk->reference, &text);

	if (!good || !strstr(buffer_text(&text), "declined") ||
	    strstr(buffer_text(&text), "4000000000000002"))
		return fail(walk, "onfile trace %s tells no story: %.400s", walk->reference,
		            buffer_text(&text));
	return true;
}

static const struct {
	const char *what;
	bool (*go)(struct walk *walk);
} steps[] = {
	{ "the line to the bank answers", test_line },
	{ "sign up in the shop with a phone number and a code", sign_up },
	{ "open the card page, with its own strict policy", open_page },
	{ "link a card that the bank knows without asking", link_card },
	{ "see the card in the shop", come_back },
	{ "pay an order in one tap", order },
	{ "an encrypted card is good for its own attempt only", replay },
	{ "link a card: the bank asks for a code", open_challenge },
	{ "type the code from the SMS; the card is linked", answer_challenge },
	{ "a refused card: the shopper is told why, with a reference", refused_card },
	{ "support reads the story behind the reference", trace },
};

static void make_site(struct walk *walk, int place, struct site *site, const char *name, int port)
{
	snprintf(walk->hosts[place], sizeof(walk->hosts[place]), "%s.localhost:%d", name, port);
	snprintf(walk->origins[place], sizeof(walk->origins[place]), "http://%s.localhost:%d", name,
	         port);
	*site = (struct site){ .port = port,
		               .host = walk->hosts[place],
		               .origin = walk->origins[place] };
}

static bool read_options(struct walk *walk, int argc, char **argv)
{
	uint64_t ports[3] = { 0 };
	static const char *const names[] = { "--shop", "--public", "--bank" };

	for (int i = 1; i + 1 < argc; i += 2) {
		for (int p = 0; p < 3; p++)
			if (strcmp(argv[i], names[p]) == 0 &&
			    !text_to_number(bytes_text(argv[i + 1]), 65535, &ports[p]))
				return false;
		if (strcmp(argv[i], "--trace") == 0)
			walk->onfile = argv[i + 1];
		if (strcmp(argv[i], "--config") == 0)
			walk->config = argv[i + 1];
	}
	make_site(walk, 0, &walk->shop, "shop", (int)ports[0]);
	make_site(walk, 1, &walk->pay, "pay", (int)ports[1]);
	make_site(walk, 2, &walk->bank, "bank", (int)ports[2]);
	return ports[0] && ports[1] && ports[2] && walk->onfile && walk->config;
}

int main(int argc, char **argv)
{
	static struct walk walk;
	size_t count = sizeof(steps) / sizeof(steps[0]);

	if (!read_options(&walk, argc, argv)) {
		fprintf(stderr, "usage: walk --shop PORT --public PORT --bank PORT --trace ONFILE "
		                "--config FILE\n");
		return 2;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t begun = clock_monotonic_ms();
		bool good = steps[i].go(&walk);
		printf("%s %2zu %-58s %4lld ms\n", good ? "✓" : "✗", i + 1, steps[i].what,
		       (long long)(clock_monotonic_ms() - begun));
		fflush(stdout);
		if (!good) {
			printf("     %s\n", walk.why);
			return 1;
		}
	}
	answer_done(&walk.answer);
	return 0;
}
