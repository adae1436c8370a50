// A test is driven by its line: every state that the line comes to ends the step before. A step
// that fails is the last one; the answer is given when the line is over.
#include "driver.h"

#include "base/check.h"
#include "base/text.h"
#include "tls/tls.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name;
	const char *advice; // what to change when it fails
} steps[] = {
	[PROBE_DIALECT] = { "dialect", "" }, // never fails
	[PROBE_RESOLVE] = { "resolve", "Check the parameter host and this machine's name servers "
	                               "(/etc/resolv.conf)." },
	[PROBE_CONNECT] = { "connect", "Check host and port, the firewalls on the way, and that "
	                               "the bank lets this "
	                               "machine's address in." },
	[PROBE_TLS] = { "tls", "Check that the bank's port speaks TLS (parameters port and tls), "
	                       "and tls_minimum." },
	[PROBE_SIGN_ON] = { "sign_on", "Check dialect, length_header, tpdu and mac_key with the "
	                               "bank, and that it "
	                               "expects a sign-on (parameter sign_on)." },
	[PROBE_ECHO] = { "echo", "Check dialect, length_header, tpdu and mac_key with the bank, "
	                         "and that it "
	                         "answers echoes (0800/301)." },
	[PROBE_VERIFY] = { "verify", "Check test_card, acquirer, terminals, verify_code and the "
	                             "merchant's number "
	                             "with the bank." },
	[PROBE_SIGN_OFF] = { "sign_off", "Ask the bank whether it answers a sign-off (0800/002)." },
};

// What to change when the step's own advice would be beside the point.
static const char *const tls_advice[] = {
	[TLS_FAULT_NAME] = "Set tls_name to a name that the bank's certificate is for, when that "
	                   "is the bank; check host.",
	[TLS_FAULT_DATES] = "Ask the bank for a certificate that is valid today; check this "
	                    "machine's clock, and ca_file.",
	[TLS_FAULT_AUTHORITY] = "Set ca_file to the authorities that vouch for the bank's "
	                        "certificate (PEM); the bank has them.",
	[TLS_FAULT_OURS] = "Set client_certificate and client_key to the certificate that the "
	                   "bank has of us, with its chain.",
	[TLS_FAULT_PROTOCOL] = NULL,
};

static const char refused_advice[] =
        "The bank understood and said no: ask it what its code means, and whether acquirer, "
        "terminals and this machine's address are known there.";
static const char closed_advice[] =
        "Ask the bank whether its port expects TLS (parameter tls) and lets this machine's "
        "address in; check dialect, length_header, tpdu and fixed_header.";

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct probe_note *note(struct probe *probe, const char *detail)
{
	CHECK(probe->note_count < PROBE_STEPS);
	struct probe_note *one = &probe->notes[probe->note_count++];
	int64_t us = now_us();

	*one = (struct probe_note){ .step = probe->step, .us = us - probe->since_us };
	snprintf(one->detail, sizeof one->detail, "%s", detail);
	probe->since_us = us;
	return one;
}

static void skip(struct probe *probe, enum probe_step step, const char *detail)
{
	probe->step = step;
	note(probe, detail)->skipped = true;
}

static void put_step(struct buffer *output, const struct probe_note *one)
{
	buffer_printf(output,
	              "{\"step\":\"%s\",\"ms\":%lld.%03lld,\"detail\":", steps[one->step].name,
	              (long long)(one->us / 1000), (long long)(one->us % 1000));
	json_put_text(output, bytes_text(one->detail));
	if (one->skipped)
		buffer_put_text(output, ",\"skipped\":true");
	if (one->warning[0]) {
		buffer_put_text(output, ",\"warning\":");
		json_put_text(output, bytes_text(one->warning));
	}
	if (one->failed) {
		buffer_put_text(output, ",\"failed\":true,\"advice\":");
		json_put_text(output, bytes_text(one->advice));
	}
	buffer_put_text(output, "}");
}

static void answer(struct driver *driver)
{
	struct probe *probe = &driver->probe;
	struct buffer *output = &driver->output;
	const struct probe_note *last =
	        probe->note_count ? &probe->notes[probe->note_count - 1] : NULL;
	bool failed = last && last->failed;

	buffer_printf(output, "{\"id\":%llu,\"outcome\":\"%s\"", (unsigned long long)probe->id,
	              !failed                      ? "approved"
	              : last->step < PROBE_SIGN_ON ? "not_sent"
	              : probe->refused             ? "declined"
	                                           : "unknown");
	if (failed) {
		buffer_put_text(output, ",\"detail\":");
		json_put_text(output, bytes_text(last->detail));
	}
	buffer_put_text(output, ",\"steps\":[");
	for (size_t i = 0; i < probe->note_count; i++) {
		if (i > 0)
			buffer_put_text(output, ",");
		put_step(output, &probe->notes[i]);
	}
	buffer_put_text(output, "]}\n");
	probe->id = 0;
	json_decref(probe->request);
	probe->request = NULL;
}

// What to change, by what went wrong and then by where.
static const char *advice_for(const struct probe *probe, enum tls_fault fault, const char *detail)
{
	// With TLS 1.3 a server looks at our certificate when the line is up for us.
	if (fault != TLS_FAULT_NONE && tls_advice[fault])
		return tls_advice[fault];
	if (probe->refused && probe->step != PROBE_VERIFY)
		return refused_advice;
	if (probe->step == PROBE_SIGN_ON && !probe->line.tls &&
	    strcmp(detail, "the bank closed the line") == 0)
		return closed_advice;
	return steps[probe->step].advice;
}

// Which certificate was not accepted, behind what was wrong with it.
static void add_certificate(struct probe_note *one, const struct tls *tls)
{
	size_t length = strlen(one->detail);
	struct buffer text;

	buffer_init(&text, 2048);
	tls_describe(tls, &text);
	snprintf(one->detail + length, sizeof one->detail - length, "; it is %s",
	         buffer_text(&text));
	buffer_done(&text);
}

static void fail_step(struct probe *probe, const char *detail)
{
	const struct tls *tls = probe->line.tls;
	enum tls_fault fault = tls ? tls_fault(tls) : TLS_FAULT_NONE;
	struct probe_note *one = note(probe, detail);

	one->failed = true;
	one->advice = advice_for(probe, fault, detail);
	if (fault == TLS_FAULT_NAME || fault == TLS_FAULT_DATES || fault == TLS_FAULT_AUTHORITY)
		add_certificate(one, tls);
	probe->step = PROBE_OVER;
}

// What the dialect has no place for, as long as it fits; `onfile iso8583 lint` tells it all.
static void add_missing(void *context, const char *word, const char *lost)
{
	char *detail = context;
	size_t length = strlen(detail);
	size_t more = strlen(word) + strlen(lost) + sizeof "; no place for : ";

	if (length + more < sizeof((struct probe_note *)NULL)->detail)
		snprintf(detail + length, more, "; no place for %s: %s", word, lost);
}

static void note_dialect(struct probe *probe, const struct iso8583_dialect *dialect)
{
	static const char *const editions[] = {
		[ISO8583_1987] = "1987", [ISO8583_1993] = "1993", [ISO8583_2003] = "2003"
	};
	char detail[sizeof((struct probe_note *)NULL)->detail];

	snprintf(detail, sizeof detail, "%s, edition %s", dialect->name,
	         editions[dialect->roles.edition]);
	iso8583_roles_missing(&dialect->roles, add_missing, detail);
	probe->step = PROBE_DIALECT;
	note(probe, detail);
}

void probe_begin(struct driver *driver, uint64_t id, int64_t deadline_ms, json_t *request)
{
	struct probe *probe = &driver->probe;

	if (probe->id) {
		driver_answer_plain(driver, id, "not_sent", "a test is under way already");
		return;
	}
	line_done(&probe->line);
	line_init(&probe->line, true);
	probe->id = id;
	probe->deadline_ms = deadline_ms;
	probe->request = json_incref(request);
	probe->note_count = 0;
	probe->verification = NULL;
	probe->refused = false;
	probe->since_us = now_us();
	note_dialect(probe, driver->parameters.dialect);
	probe->step = PROBE_RESOLVE;
	line_open(driver, &probe->line);
}

void probe_done(struct probe *probe)
{
	line_done(&probe->line);
	json_decref(probe->request);
	probe->request = NULL;
}

static void resolved(struct driver *driver)
{
	struct probe *probe = &driver->probe;
	const struct addresses *addresses = &probe->line.addresses;
	char detail[400];
	int length = snprintf(detail, sizeof detail, "%.255s:", driver->parameters.host);

	for (size_t i = 0; i < addresses->count && (size_t)length < sizeof detail - 66; i++) {
		char text[64];
		resolve_text(&addresses->list[i], text);
		length += snprintf(detail + length, sizeof detail - (size_t)length, " %s", text);
	}
	note(probe, detail);
	probe->step = PROBE_CONNECT;
}

static void connected(struct driver *driver)
{
	struct probe *probe = &driver->probe;
	char address[64], detail[128];

	resolve_text(&probe->line.addresses.list[probe->line.address - 1], address);
	snprintf(detail, sizeof detail, "%s port %lld", address,
	         (long long)driver->parameters.port);
	note(probe, detail);
	probe->step = PROBE_TLS;
	if (!driver->tls)
		skip(probe, PROBE_TLS, "the line has no TLS");
}

static void greeted(struct driver *driver)
{
	struct probe *probe = &driver->probe;
	struct buffer text;

	if (driver->tls) {
		buffer_init(&text, 2048);
		tls_describe(probe->line.tls, &text);
		struct probe_note *one = note(probe, buffer_text(&text));
		buffer_reset(&text);
		if (tls_ends_soon(probe->line.tls, driver->now_ms, CERTIFICATE_DAYS, &text))
			snprintf(one->warning, sizeof one->warning, "%s", buffer_text(&text));
		buffer_done(&text);
	}
	probe->step = PROBE_SIGN_ON;
}

static void send_echo(struct driver *driver)
{
	struct probe *probe = &driver->probe;

	if (driver->parameters.sign_on)
		note(probe, "the bank took the sign-on");
	else
		skip(probe, PROBE_SIGN_ON, "the parameter sign_on is false");
	probe->step = PROBE_ECHO;
	struct result result = driver_send_network(driver, &probe->line, ISO8583_WHEN_ECHO,
	                                           driver->parameters.echo_timeout_ms);
	if (!result_ok(result))
		line_break(driver, &probe->line, result.detail);
}

void probe_moved(struct driver *driver, enum line_state state)
{
	struct probe *probe = &driver->probe;

	if (state == LINE_CONNECTING && probe->step == PROBE_RESOLVE)
		resolved(driver);
	if ((state == LINE_GREETING || state == LINE_SIGNING_ON || state == LINE_UP) &&
	    probe->step == PROBE_CONNECT)
		connected(driver);
	if ((state == LINE_SIGNING_ON || state == LINE_UP) && probe->step == PROBE_TLS)
		greeted(driver);
	if (state == LINE_UP)
		send_echo(driver);
	if (state == LINE_OVER && probe->id)
		answer(driver);
}

static void sign_off(struct driver *driver)
{
	struct probe *probe = &driver->probe;

	probe->step = PROBE_SIGN_OFF;
	probe->refused = false;
	if (!driver->parameters.sign_on)
		skip(probe, PROBE_SIGN_OFF, "the parameter sign_on is false");
	line_sign_off(driver, &probe->line);
}

static void verify(struct driver *driver)
{
	struct probe *probe = &driver->probe;
	int64_t limit_ms = driver->now_ms + driver->parameters.sign_on_timeout_ms;

	probe->step = PROBE_VERIFY;
	if (!driver->parameters.test_card[0]) {
		skip(probe, PROBE_VERIFY,
		     "the connection has no card for tests (parameter test_card)");
		sign_off(driver);
		return;
	}
	struct result result =
	        driver_send_test_card(driver, &probe->line, probe->request,
	                              limit_ms < probe->deadline_ms ? limit_ms : probe->deadline_ms,
	                              &probe->verification);
	if (!result_ok(result))
		line_break(driver, &probe->line, result.detail);
}

void probe_answered(struct driver *driver, bool good, const char *code)
{
	struct probe *probe = &driver->probe;
	char detail[64];

	if (probe->step != PROBE_ECHO)
		return;
	if (!good) {
		snprintf(detail, sizeof detail, "the bank refused the echo: %s", code);
		probe->refused = true;
		line_break(driver, &probe->line, detail);
		return;
	}
	note(probe, "the bank answered the echo");
	verify(driver);
}

void probe_verified(struct driver *driver, const char *outcome, const char *detail)
{
	struct probe *probe = &driver->probe;
	char sentence[300];

	probe->verification = NULL;
	if (probe->step != PROBE_VERIFY)
		return;
	if (strcmp(outcome, "approved") == 0) {
		note(probe, "the bank approved a verification for zero");
		sign_off(driver);
		return;
	}
	snprintf(sentence, sizeof sentence, "the verification was not approved: %s", detail);
	probe->refused = strcmp(outcome, "declined") == 0;
	line_break(driver, &probe->line, sentence);
}

// The end of the sign-off comes as a break, too.
void probe_broke(struct driver *driver, const char *detail)
{
	struct probe *probe = &driver->probe;
	bool ended = probe->line.state == LINE_SIGNING_OFF && strcmp(detail, "signed off") == 0;

	if (probe->step == PROBE_OVER)
		return;
	if (probe->step == PROBE_SIGN_OFF && ended)
		note(probe, "the bank took the sign-off");
	else if (probe->step != PROBE_SIGN_OFF || driver->parameters.sign_on)
		fail_step(probe, detail);
	probe->step = PROBE_OVER;
}

void probe_expire(struct driver *driver)
{
	if (driver->probe.id && driver->now_ms >= driver->probe.deadline_ms)
		line_break(driver, &driver->probe.line,
		           "the time for the test was over at this step");
}
