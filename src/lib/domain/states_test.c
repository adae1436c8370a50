// docs/states.md is drawn from the tables of the machines, and this test holds the two equal.
// `states_test --print` prints what the document should be.
#include "domain/advice_rows.h"
#include "domain/machine.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/tap.h"

#include <stdio.h>
#include <string.h>

enum { DOCUMENT_MAX = 256 * 1024, ROWS_MAX = 128, LABEL_MAX = 400 };

// A row as it is drawn, whatever machine it is of.
struct drawn {
	const char *from, *event, *to;
	const char *condition, *also; // "": always
	const char *problem;          // "" or a row of problem.def
	unsigned effects;             // of a flow
	int flags;                    // of an advice
	const char *wait;
};

struct drawing {
	struct drawn rows[ROWS_MAX];
	size_t count;
};

static struct drawn *next_row(struct drawing *drawing)
{
	CHECK(drawing->count < ROWS_MAX);
	return &drawing->rows[drawing->count++];
}

// --- flows

static const char *wait_name(enum flow_wait wait)
{
	static const char *const names[] = {
		[REST] = "",
		[WAIT_BANK] = "the bank's deadline and 2 s",
		[WAIT_DIRECTORY] = "17 s",
		[WAIT_METHOD] = "10 s",
		[WAIT_SHOPPER] = "30 min",
		[WAIT_APP] = "as asked and 1 h",
		[WAIT_HOLD] = "the life of a hold",
	};

	return names[wait];
}

static const char *problem_name(int problem)
{
	if (problem == PROBLEM_NONE)
		return "";
	return problem == PROBLEM_OF_EVENT ? "what the event says" : problem_row(problem)->name;
}

static void draw_row(struct drawing *drawing, const struct flow_row *row, const struct flow_row *at)
{
	*next_row(drawing) = (struct drawn){
		.from = flow_state_name(at->state),
		.event = flow_event_name(at->event),
		.condition = at->when ? at->condition : "",
		.also = row != at && row->when ? row->condition : "",
		.to = flow_state_name(row->next),
		.problem = problem_name(row->problem),
		.effects = row->effects,
		.wait = wait_name(row->wait),
	};
}

static void draw_flow(struct drawing *drawing, const struct flow_machine *machine)
{
	for (size_t i = 0; i < machine->count; i++)
		draw_row(drawing, &machine->rows[i], &machine->rows[i]);
	for (size_t i = 0; i < machine_authentication_count; i++) {
		const struct flow_row *row = &machine_authentication[i];
		if ((int)row->next != ATTEMPT_PASSED) {
			draw_row(drawing, row, row);
			continue;
		}
		for (size_t j = 0; j < machine->passed_count; j++)
			draw_row(drawing, &machine->passed[j], row);
	}
}

// --- advices

static const char *clock_name(enum advice_clock clock)
{
	static const char *const names[] = {
		[CLOCK_NONE] = "",
		[CLOCK_ANSWER] = "the bank's deadline and 2 s",
		[CLOCK_PAUSE] = "the pause before the next try",
		[CLOCK_NOW] = "now",
	};

	return names[clock];
}

static void draw_advice(struct drawing *drawing, enum advice_kind kind)
{
	for (size_t i = 0; i < advice_rows_count; i++) {
		const struct advice_row *row = &advice_rows[i];
		if (!(row->kinds & 1u << kind))
			continue;
		*next_row(drawing) = (struct drawn){
			.from = advice_state_name(row->state),
			.event = advice_event_name(row->event),
			.condition = row->when ? row->condition : "",
			.also = "",
			.to = advice_state_name(row->next),
			.problem = "",
			.flags = row->flags,
			.wait = clock_name(row->clock),
		};
	}
}

// --- the document

static const struct {
	unsigned effect;
	const char *name;
} effects[] = {
	{ FLOW_VERIFY, "ask the bank about the card" },
	{ FLOW_FORGET_CODE, "forget the code" },
	{ FLOW_LOOK_UP, "ask the directory" },
	{ FLOW_AUTHENTICATE, "ask the issuer" },
	{ FLOW_SAVE, "save the card" },
	{ FLOW_COUNT, "count it" },
	{ FLOW_PAY_AGAIN, "pay again, with the proof" },
	{ FLOW_PAY_ELSEWHERE, "pay over the next connection" },
	{ FLOW_REVERSE, "queue a reversal" },
	{ FLOW_CAPTURE, "queue the capture" },
	{ FLOW_RELEASE, "queue a release of the rest" },
	{ FLOW_REFUND, "queue the refund" },
};

static void put_effects(struct buffer *text, const struct drawn *row)
{
	const char *comma = "";

	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (!(row->effects & effects[i].effect))
			continue;
		buffer_printf(text, "%s%s", comma, effects[i].name);
		comma = ", ";
	}
	if (row->flags & STEP_SEND)
		buffer_put_text(text, "send it");
	if (row->flags & STEP_RENEW)
		buffer_put_text(text, "its day begins anew");
	if (row->flags & STEP_NEVER_SENT)
		buffer_put_text(text, "this was no transmission");
}

static void put_words(struct buffer *text, const char *name)
{
	for (; *name; name++)
		buffer_put_byte(text, *name == '_' ? ' ' : (uint8_t)*name);
}

static bool is_said(const char *label, const char *event)
{
	size_t length = strlen(event);

	for (const char *at = label; (at = strstr(at, event)); at++)
		if ((at == label || at[-1] == ' ') && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

// One arrow for each pair of states, with all its events.
static void put_arrow(struct buffer *text, const struct drawing *drawing, size_t first)
{
	const struct drawn *row = &drawing->rows[first];
	char label[LABEL_MAX] = "";

	for (size_t i = 0; i < drawing->count; i++) {
		const struct drawn *other = &drawing->rows[i];
		if (strcmp(other->from, row->from) != 0 || strcmp(other->to, row->to) != 0)
			continue;
		if (i < first)
			return; // it was drawn
		if (is_said(label, other->event))
			continue;
		size_t used = strlen(label);
		snprintf(label + used, sizeof(label) - used, "%s%s", used ? ", " : "",
		         other->event);
	}
	buffer_printf(text, "    %s --> %s: %s\n", row->from, row->to, label);
}

static void put_machine(struct buffer *text, const char *title, const char *sentence,
                        const char *start, const struct drawing *drawing)
{
	buffer_printf(text, "\n## %s\n\n%s\n\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n", title,
	              sentence, start);
	for (size_t i = 0; i < drawing->count; i++)
		put_arrow(text, drawing, i);
	buffer_put_text(text, "```\n\n| state | event | when | next | why | to do | for at most |\n"
	                      "|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < drawing->count; i++) {
		const struct drawn *row = &drawing->rows[i];
		buffer_printf(text, "| %s | %s | ", row->from, row->event);
		put_words(text, row->condition);
		buffer_put_text(text, row->condition[0] && row->also[0] ? " and " : "");
		put_words(text, row->also);
		buffer_printf(text, " | %s | %s | ", row->to, row->problem);
		put_effects(text, row);
		buffer_printf(text, " | %s |\n", row->wait);
	}
}

static void put_document(struct buffer *text)
{
	static const struct {
		enum advice_kind kind;
		const char *title, *sentence;
	} advices[] = {
		{ ADVICE_REVERSE, "Reversal",
		  "Takes back an authorization that was given up, or a hold." },
		{ ADVICE_CAPTURE, "Capture",
		  "Tells the bank to take what it holds, or a part of it." },
		{ ADVICE_RELEASE, "Release",
		  "Takes back what a capture in part has left, where the connection's bank wants "
		  "to be told "
		  "(`release=reversal`)." },
		{ ADVICE_REFUND, "Refund",
		  "Gives back what was captured. It is told twice only to a bank that recognises "
		  "repeats "
		  "(`refund_repeats`)." },
	};
	struct drawing link = { 0 };
	struct drawing payment = { 0 };

	buffer_put_text(
	        text,
	        "# States\n\n"
	        "The machines that move cards and money, drawn from their tables in "
	        "`src/lib/domain` by "
	        "`states_test --print`; a test holds this page and the\ntables equal. In a state, "
	        "on an "
	        "event, the first row whose condition holds says what comes; an event without a "
	        "row means "
	        "nothing there. Every step\nis durable before anything that it leads to leaves.\n");
	draw_flow(&link, &machine_link);
	put_machine(text, "Link",
	            "An attempt to link a card: `link.c`, and `authentication.c` for "
	            "3-D Secure.",
	            "verifying", &link);
	draw_flow(&payment, &machine_payment);
	put_machine(text, "Payment",
	            "An attempt to pay with a card on file: `payment.c`, and `authentication.c` "
	            "when the "
	            "issuer wants to know the shopper.",
	            "sent", &payment);
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		struct drawing drawing = { 0 };
		draw_advice(&drawing, advices[i].kind);
		put_machine(text, advices[i].title, advices[i].sentence, "queued", &drawing);
	}
}

TEST(the_document_is_what_the_tables_say)
{
	static char is[DOCUMENT_MAX];
	struct buffer should;
	FILE *file = fopen(STATES_DOCUMENT, "r");

	REQUIRE(file != NULL);
	size_t length = fread(is, 1, sizeof(is) - 1, file);
	fclose(file);
	buffer_init(&should, DOCUMENT_MAX);
	put_document(&should);
	bool same = length == should.length && memcmp(is, should.data, length) == 0;
	if (!same)
		printf("# docs/states.md is not what the tables say: states_test --print "
		       ">docs/states.md\n");
	EXPECT(same);
	buffer_done(&should);
}

// Conditions that never hold, or rows behind one that always does, would be drawn and never happen.
static void no_row_is_hidden(const struct flow_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			EXPECT(rows[j].when || rows[j].state != rows[i].state ||
			       rows[j].event != rows[i].event);
}

TEST(no_row_is_behind_one_that_always_fits)
{
	no_row_is_hidden(machine_link.rows, machine_link.count);
	no_row_is_hidden(machine_payment.rows, machine_payment.count);
	no_row_is_hidden(machine_authentication, machine_authentication_count);
	for (size_t i = 0; i < advice_rows_count; i++)
		for (size_t j = 0; j < i; j++)
			EXPECT(advice_rows[j].when ||
			       advice_rows[j].state != advice_rows[i].state ||
			       advice_rows[j].event != advice_rows[i].event ||
			       !(advice_rows[i].kinds & advice_rows[j].kinds));
}

int main(int count, char **arguments)
{
	struct buffer text;

	if (count < 2 || strcmp(arguments[1], "--print") != 0)
		return tap_run(count > 1 ? arguments[1] : NULL);
	buffer_init(&text, DOCUMENT_MAX);
	put_document(&text);
	fwrite(text.data, 1, text.length, stdout);
	buffer_done(&text);
	return 0;
}
