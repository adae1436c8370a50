// The lines that a driver of kind `bank` gets, and what its answers mean. docs/drivers.md.
#include "core/money.h"

#include "base/cleanup.h"
#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <time.h>

enum { LINE_LIMIT = 48 * 1024 };

// ISO 4217: the currencies that cards are charged in most; letters as Stripe writes them.
static const struct {
	char letters[4];
	char digits[4];
} currencies[] = {
#define CURRENCY(letters, digits, decimals) { letters, digits },
#include "domain/currencies.def"
#undef CURRENCY
};

const char *bank_currency(const char *letters)
{
	for (size_t i = 0; i < sizeof(currencies) / sizeof(currencies[0]); i++)
		if (strcmp(currencies[i].letters, letters) == 0)
			return currencies[i].digits;
	return "000";
}

static void put_time(struct buffer *line, const char *member, const char *format, int64_t at_ms)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	char text[20];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), format, &utc);
	buffer_printf(line, ",\"%s\":\"%s\"", member, text);
}

static void put_text(struct buffer *line, const char *member, const char *text)
{
	buffer_printf(line, ",\"%s\":", member);
	json_put_text(line, bytes_text(text));
}

enum { RRN_DIGITS = 36, RRN_HOUR_MS = 3600 * 1000, RRN_LENGTH = 12 };
static const char rrn_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// DE37: YDDDHH and six characters of base 36 that count within the hour; one for all messages about
// one payment, so it is made from the attempt's key, which counts 600 in a millisecond (ids.c).
void bank_rrn(int64_t attempt, char ret_rrn[static BANK_RRN_CAPACITY])
{
	int64_t at_ms = core_id_ms(attempt);
	time_t seconds = (time_t)(at_ms / 1000);
	int64_t number = at_ms % RRN_HOUR_MS * CORE_ID_SEQUENCES +
	                 core_id_sequence(attempt) % CORE_ID_SEQUENCES;
	struct tm utc;
	char text[7] = { 0 };

	gmtime_r(&seconds, &utc);
	for (int i = 6; i-- > 0; number /= RRN_DIGITS)
		text[i] = rrn_digits[number % RRN_DIGITS];
	snprintf(ret_rrn, BANK_RRN_CAPACITY, "%u%03u%02u%s", (unsigned)(utc.tm_year + 1900) % 10,
	         (unsigned)(utc.tm_yday + 1) % 1000, (unsigned)utc.tm_hour % 100, text);
}

static int64_t rrn_part(const char *text, int length, int base)
{
	int64_t number = 0;

	for (int i = 0; i < length; i++) {
		const char *digit = text[i] ? strchr(rrn_digits, text[i]) : NULL;
		if (!digit || digit - rrn_digits >= base)
			return -1;
		number = number * base + (digit - rrn_digits);
	}
	return number;
}

// The year nearest to now that ends in this digit.
static int year_of(int64_t digit, int64_t now_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	int year = utc.tm_year + 1900 - 4;
	while (year % 10 != digit)
		year++;
	return year;
}

int64_t bank_rrn_read(const char *rrn, int64_t now_ms)
{
	if (strlen(rrn) != RRN_LENGTH)
		return 0;
	int64_t year = rrn_part(rrn, 1, 10);
	int64_t day = rrn_part(rrn + 1, 3, 10);
	int64_t hour = rrn_part(rrn + 4, 2, 10);
	int64_t number = rrn_part(rrn + 6, 6, RRN_DIGITS);
	if (year < 0 || day < 1 || hour < 0 || number < 0 ||
	    number / CORE_ID_SEQUENCES >= RRN_HOUR_MS)
		return 0;
	struct tm start = { .tm_year = year_of(year, now_ms) - 1900, .tm_mday = 1 };
	int64_t at_ms = (int64_t)timegm(&start) * 1000 + ((day - 1) * 24 + hour) * RRN_HOUR_MS +
	                number / CORE_ID_SEQUENCES;
	return core_id_make(at_ms, (int)(number % CORE_ID_SEQUENCES));
}

void bank_put_times(const struct core *core, struct buffer *line)
{
	put_time(line, "sent_at", "%m%d%H%M%S", core->now_ms);
	put_time(line, "local_at", "%y%m%d%H%M%S", core->now_ms);
}

// What every message about an attempt says.
static void put_common(struct core *core, struct buffer *line, const char *op,
                       const struct attempt *row, int64_t id, int64_t stan, int64_t deadline_ms)
{
	struct merchant merchant;
	char rrn[BANK_RRN_CAPACITY];

	bank_rrn(row->id, rrn);
	if (!store_load(core->store, STORE_MERCHANTS, row->merchant, &merchant))
		memset(&merchant, 0, sizeof(merchant));
	buffer_printf(line, "{\"id\":%lld,\"op\":\"%s\",\"deadline_ms\":%lld", (long long)id, op,
	              (long long)deadline_ms);
	buffer_printf(line, ",\"stan\":\"%06lld\"", (long long)stan);
	bank_put_times(core, line);
	put_text(line, "rrn", rrn);
	buffer_printf(line, ",\"terminal\":\"%08lld\"", (long long)row->connection);
	put_text(line, "merchant", merchant.bank_id);
	put_text(line, "merchant_name", merchant.name);
}

static void put_money(struct buffer *line, int64_t amount, const char *currency)
{
	buffer_printf(line, ",\"amount\":%lld,\"currency\":\"%s\"", (long long)amount,
	              bank_currency(currency));
}

static void put_authentication(struct buffer *line, const struct authentication *authentication)
{
	if (!authentication->eci[0] && !authentication->value[0])
		return;
	buffer_put_text(line, ",\"authentication\":{\"version\":");
	json_put_text(line, bytes_text(authentication->version));
	put_text(line, "eci", authentication->eci);
	put_text(line, "value", authentication->value);
	put_text(line, "ds_transaction", authentication->ds_transaction);
	buffer_put_byte(line, '}');
}

bool bank_ask(struct core *core, const struct question *question, int64_t connection,
              int64_t deadline_ms, int card_kind, int64_t card_id, struct bytes line)
{
	struct card card cleanup(card_done) = { 0 };

	if (card_kind && !store_load(core->store, STORE_CARDS, card_id, &card))
		return false;
	const struct wire_value values[WIRE_FIELDS_OF_DRIVER_REQUEST] = {
		[WIRE_DRIVER_REQUEST_ID] = WIRE_N(question->id),
		[WIRE_DRIVER_REQUEST_CONNECTION] = WIRE_N(connection),
		[WIRE_DRIVER_REQUEST_DEADLINE_MS] = WIRE_N(deadline_ms),
		[WIRE_DRIVER_REQUEST_CARD] = WIRE_N(card_kind),
		[WIRE_DRIVER_REQUEST_MERCHANT] = WIRE_N(card.merchant),
		[WIRE_DRIVER_REQUEST_HANDLE] =
		        WIRE_B(card_kind ? BYTES_ARRAY(card.handle) : BYTES_NONE),
		[WIRE_DRIVER_REQUEST_SEALED] = WIRE_B(bytes_from(card.sealed, card.sealed_length)),
		[WIRE_DRIVER_REQUEST_LINE] = WIRE_B(line),
	};
	return core_tell_vault(core, WIRE_DRIVER_REQUEST, values);
}

void bank_verify(struct core *core, struct live *live)
{
	bool again = live->authentication.asked != 0 || live->authentication.ask_again;
	bool code = live->authentication.code && !live->authentication.ask_again;
	int64_t id = again ? core_next_id(core) : live->row.id;
	int64_t deadline_ms = core->now_ms + core->flows->policy.bank_ms;
	struct buffer line cleanup(buffer_done) = { 0 };
	struct question *question = flows_ask(core, QUESTION_BANK, id, live->row.id);

	buffer_init(&line, LINE_LIMIT);
	live->authentication.asked = id;
	if (again) {
		flows_free_stan(core, live->row.stan);
		live->row.stan = flows_new_stan(core);
	}
	live->row.sent_ms = core->now_ms;
	put_common(core, &line, "verify", &live->row, id, live->row.stan, deadline_ms);
	put_money(&line, 0, live->row.currency);
	buffer_put_text(&line, ",\"initiator\":\"customer\",\"credential\":\"first\"");
	put_authentication(&line, &live->authentication);
	buffer_put_byte(&line, '}');
	bank_ask(core, question, live->row.connection, deadline_ms, code ? 2 : 1, live->row.card,
	         buffer_view(&line));
}

void bank_authorize(struct core *core, struct live *live)
{
	const struct attempt *row = &live->row;
	int64_t deadline_ms = core->now_ms + core->flows->policy.bank_ms;
	struct buffer line cleanup(buffer_done) = { 0 };
	struct card card cleanup(card_done) = { 0 };
	struct question *question = flows_ask(core, QUESTION_BANK, row->id, row->id);

	buffer_init(&line, LINE_LIMIT);
	put_common(core, &line, "authorize", row, row->id, row->stan, deadline_ms);
	put_money(&line, row->amount, row->currency);
	bool stored = row->flags & ATTEMPT_STORED_CREDENTIAL;
	buffer_printf(&line, ",\"initiator\":\"%s\",\"credential\":\"%s\"",
	              stored && row->flags & ATTEMPT_BY_MERCHANT ? "merchant" : "customer",
	              stored ? "stored" : "first");
	if (row->flags & ATTEMPT_SINGLE_MESSAGE)
		buffer_put_text(&line, ",\"single_message\":true");
	if (store_load(core->store, STORE_CARDS, row->card, &card)) {
		card_used(core, &card);
		if (card.network_transaction_id[0])
			put_text(&line, "network_transaction_id", card.network_transaction_id);
	}
	put_authentication(&line, &live->authentication);
	buffer_put_byte(&line, '}');
	bank_ask(core, question, row->connection, deadline_ms, 1, row->card, buffer_view(&line));
}

// DE7 and the local time of the original as they were sent.
static void put_original(struct buffer *line, const struct attempt *attempt)
{
	buffer_printf(line, ",\"original\":{\"mti\":\"%s\",\"stan\":\"%06lld\"",
	              attempt->flags & ATTEMPT_SINGLE_MESSAGE ? "0200" : "0100",
	              (long long)attempt->stan);
	put_time(line, "sent_at", "%m%d%H%M%S", attempt->sent_ms);
	put_time(line, "local_at", "%y%m%d%H%M%S", attempt->sent_ms);
	if (attempt->approval_code[0])
		put_text(line, "approval_code", attempt->approval_code);
	if (attempt->network_transaction_id[0])
		put_text(line, "network_transaction_id", attempt->network_transaction_id);
	buffer_printf(line, ",\"amount\":%lld}", (long long)attempt->amount);
}

bool bank_advice(struct core *core, const struct advice *advice, const struct attempt *attempt,
                 int64_t deadline_ms)
{
	static const char *const ops[] = { [ADVICE_REVERSE] = "reverse",
		                           [ADVICE_CAPTURE] = "capture",
		                           [ADVICE_RELEASE] = "reverse",
		                           [ADVICE_REFUND] = "refund" };
	int64_t id = advice->asked;
	struct buffer line cleanup(buffer_done) = { 0 };
	struct question *question = flows_ask(core, QUESTION_ADVICE, id, advice->id);

	buffer_init(&line, LINE_LIMIT);
	put_common(core, &line, ops[advice->kind], attempt, id, advice->stan, deadline_ms);
	put_money(&line, advice->amount, attempt->currency);
	put_original(&line, attempt);
	buffer_printf(&line, ",\"repeat\":%s}", advice->transmissions > 1 ? "true" : "false");
	return bank_ask(core, question, attempt->connection, deadline_ms, 1, attempt->card,
	                buffer_view(&line));
}

// --- answers

static struct bytes text_of(const json_t *answer, const char *member)
{
	return bytes_text(json_string_value(json_object_get(answer, member)));
}

// Keeps a code of the bank when it is short printable text; a driver is not trusted with more.
static void keep(const json_t *answer, const char *member, char *to, size_t capacity)
{
	struct bytes text = text_of(answer, member);

	if (text.length && text_is_printable(text))
		bytes_copy_text(text, to, capacity);
}

static enum check check_of(const json_t *answer)
{
	struct bytes check = text_of(answer, "cvc_check");

	if (bytes_equal_text(check, "pass"))
		return CHECK_PASS;
	if (bytes_equal_text(check, "fail"))
		return CHECK_FAIL;
	if (bytes_equal_text(check, "unavailable"))
		return CHECK_UNAVAILABLE;
	return CHECK_UNCHECKED;
}

static bool is_another(const json_t *answer, const char *member, const char *ours)
{
	struct bytes theirs = text_of(answer, member);

	return theirs.length && !bytes_equal_text(theirs, ours);
}

// An approval of something else than what was asked for, or of a part of it.
static bool differs(const struct attempt *row, const json_t *answer)
{
	char stan[24], rrn[BANK_RRN_CAPACITY];
	const json_t *amount = json_object_get(answer, "amount");
	struct bytes currency = text_of(answer, "currency");

	if (row->kind != ATTEMPT_PAYMENT)
		return false;
	snprintf(stan, sizeof(stan), "%06lld", (long long)row->stan);
	bank_rrn(row->id, rrn);
	if (is_another(answer, "stan", stan) || is_another(answer, "rrn", rrn))
		return true;
	return (amount && json_integer_value(amount) != row->amount) ||
	       (currency.length && !bytes_equal_text(currency, bank_currency(row->currency)));
}

struct flow_event bank_event(struct core *core, struct attempt *row, const json_t *answer)
{
	struct bytes outcome = text_of(answer, "outcome");
	struct flow_event event = { .kind = EVENT_UNKNOWN };

	keep(answer, "response_code", row->response_code, sizeof(row->response_code));
	if (bytes_equal_text(outcome, "not_sent")) {
		event.kind = EVENT_NOT_SENT;
	} else if (bytes_equal_text(outcome, "approved")) {
		event.kind = EVENT_APPROVED;
		event.cvc_check = check_of(answer);
		event.differs = differs(row, answer);
		keep(answer, "approval_code", row->approval_code, sizeof(row->approval_code));
		keep(answer, "network_transaction_id", row->network_transaction_id,
		     sizeof(row->network_transaction_id));
	} else if (bytes_equal_text(outcome, "declined")) {
		keep(answer, "decline_code", row->decline_code, sizeof(row->decline_code));
		event.problem = problem_of_decline(bytes_text(row->decline_code));
		event.cvc_check = check_of(answer);
		event.kind = json_is_true(json_object_get(answer, "authentication_required"))
		                     ? EVENT_NEEDS_AUTHENTICATION
		                     : EVENT_DECLINED;
	}
	struct bytes detail = text_of(answer, "detail");
	if (detail.length && detail.length < 200 && text_is_printable(detail))
		flows_step(core, row->id, "the driver says: %.*s", (int)detail.length,
		           (const char *)detail.data);
	return event;
}
