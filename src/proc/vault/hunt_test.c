// The hunt: a card goes through the vault, and its number and code are looked for in the whole
// memory of the process. While the request is open the number must be found (so the hunt can find);
// after the answer it must not be, in any form. The number is made up after the fork, so that it is
// nowhere by accident.
#include "base/clock.h"
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "card/number.h"
#include "crypto/mac.h"
#include "rig.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORMS = 8, FORM_MAX = 64 };

// One way in which a secret may lie in memory.
struct form {
	const char *name;
	uint8_t bytes[FORM_MAX];
	size_t length;
};

static void make_number(char ret_number[static 17])
{
	uint64_t random;

	crypto_random(&random, sizeof(random));
	snprintf(ret_number, 17, "4100%012" PRIu64, random % 1000000000000u);
	for (ret_number[15] = '0'; !card_luhn(bytes_text(ret_number)); ret_number[15]++)
		;
}

// The characters of base64 that depend on the text alone, when it begins `shift` bytes into a
// group.
static void base64_form(const char *text, size_t shift, struct form *form)
{
	cleanup(buffer_done) struct buffer padded = { 0 };
	cleanup(buffer_done) struct buffer encoded = { 0 };

	buffer_init_secret(&padded, 64);
	buffer_init_secret(&encoded, 128);
	for (size_t i = 0; i < shift; i++)
		buffer_put_byte(&padded, 'x');
	buffer_put_text(&padded, text);
	base64_put(&encoded, buffer_view(&padded));
	size_t from = shift == 0 ? 0 : 4;
	form->name = "base64";
	form->length = (padded.length / 3) * 4 - from;
	memcpy(form->bytes, encoded.data + from, form->length);
}

static int make_forms(const char *number, struct form forms[static FORMS])
{
	size_t length = strlen(number);
	int count = 0;

	forms[count] = (struct form){ .name = "ascii", .length = length };
	memcpy(forms[count++].bytes, number, length);
	forms[count] = (struct form){ .name = "bcd", .length = length / 2 };
	for (size_t i = 0; i < length / 2; i++)
		forms[count].bytes[i] =
		        (uint8_t)((number[2 * i] - '0') << 4 | (number[2 * i + 1] - '0'));
	count++;
	forms[count] = (struct form){ .name = "utf-16le", .length = length * 2 };
	for (size_t i = 0; i < length; i++)
		forms[count].bytes[2 * i] = (uint8_t)number[i];
	count++;
	forms[count] = (struct form){ .name = "reversed", .length = length };
	for (size_t i = 0; i < length; i++)
		forms[count].bytes[i] = (uint8_t)number[length - 1 - i];
	count++;
	// As SHA-256 lays out its message: four bytes at a time, turned round.
	forms[count] = (struct form){ .name = "words", .length = length };
	for (size_t i = 0; i < length; i++)
		forms[count].bytes[i] = (uint8_t)number[i ^ 3];
	count++;
	for (size_t shift = 0; shift < 3; shift++)
		base64_form(number, shift, &forms[count++]);
	return count;
}

static int count_in(int memory, uint64_t from, uint64_t to, const struct form *form)
{
	enum { STEP = 1 << 20 };
	static uint8_t part[STEP];
	int found = 0;

	for (uint64_t at = from; at < to; at += STEP - FORM_MAX) {
		size_t want = to - at < STEP ? (size_t)(to - at) : STEP;
		ssize_t got = pread(memory, part, want, (off_t)at);
		if (got <= 0)
			return found;
		for (const uint8_t *p = part;
		     (p = memmem(p, (size_t)got - (size_t)(p - part), form->bytes, form->length));
		     p++)
			found++;
	}
	return found;
}

// How often the form is found in the memory of the process; -1 when it cannot be read.
static int hunt(pid_t process, const struct form *form)
{
	char path[64];
	char line[512];
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
	cleanup(cleanup_fd) int memory = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	FILE *maps = fopen(path, "r");
	if (memory < 0 || !maps) {
		if (maps)
			fclose(maps);
		return -1;
	}
	while (fgets(line, sizeof(line), maps)) {
		uint64_t from;
		uint64_t to;
		char flags[8];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, flags) == 3 &&
		    flags[0] == 'r' && !strstr(line, "[v"))
			found += count_in(memory, from, to, form);
	}
	fclose(maps);
	return found;
}

static bool anything_left(pid_t process, const char *number, const char *when)
{
	struct form forms[FORMS];
	int count = make_forms(number, forms);
	bool left = false;

	for (int i = 0; i < count; i++) {
		int found = hunt(process, &forms[i]);
		if (found != 0)
			printf("# %s: %d times as %s\n", when, found, forms[i].name);
		left = left || found != 0;
	}
	return left;
}

static struct form code_form(const char *code)
{
	struct form form = { .name = "code" };

	snprintf((char *)form.bytes, sizeof(form.bytes), "cvc\":\"%s\"", code);
	form.length = strlen((const char *)form.bytes);
	return form;
}

// What a process that has answered holds: nothing. Asked for by a message that is answered last.
static bool settle(struct rig *rig)
{
	struct wire_message message;

	return rig_send(rig, WIRE_KEYS_WANTED, NULL) &&
	       rig_expect(&rig->core, WIRE_CARD_KEYS, &message) &&
	       rig_send(rig, WIRE_KEYS_WANTED, NULL) &&
	       rig_expect(&rig->core, WIRE_CARD_KEYS, &message);
}

static bool start(struct rig *rig)
{
	return rig_init(rig) && rig_connect(rig) && rig_start_driver(rig, "/proc/self/exe") &&
	       rig_driver_reads(rig);
}

TEST(a_number_is_in_memory_while_its_request_is_open_and_not_after_the_answer)
{
	static struct rig rig;
	struct rig_card card;
	struct form forms[FORMS];
	char number[17];
	char answer[64];

	REQUIRE(start(&rig));
	make_number(number);
	make_forms(number, forms);
	struct form code = code_form("573");
	if (hunt(rig.vault, &forms[0]) < 0) {
		printf("# this system does not let a process read its child's memory\n");
		EXPECT(rig_done(&rig));
		return;
	}
	EXPECT(!anything_left(rig.vault, number, "before"));
	REQUIRE(rig_store_card(&rig, number, "573", &card));
	EXPECT(settle(&rig));
	EXPECT(!anything_left(rig.vault, number, "opened"));
	EXPECT(hunt(rig.vault, &code) == 0);
	for (int64_t id = 1; id <= 20; id++) {
		REQUIRE(rig_request(&rig, id, &card, id == 1 ? 2 : 1, clock_wall_ms() + 60000));
		REQUIRE(rig_driver_reads(&rig));
		EXPECT((strstr(rig.line, "\"cvc\"") != NULL) == (id == 1));
		EXPECT(hunt(rig.vault, &forms[0]) >= 1); // so the hunt can find
		snprintf(answer, sizeof(answer), "{\"id\":%d,\"outcome\":\"approved\"}\n", (int)id);
		EXPECT(rig_driver_writes(&rig, answer));
		answer[strlen(answer) - 1] = '\0';
		EXPECT(rig_expect_answer(&rig, id, 0, answer));
	}
	EXPECT(settle(&rig));
	EXPECT(!anything_left(rig.vault, number, "answered"));
	EXPECT(hunt(rig.vault, &code) == 0);
	EXPECT(rig_done(&rig));
}

TEST(refused_cards_leave_nothing_behind)
{
	static struct rig rig;
	struct wire_message message;
	struct form forms[FORMS];
	char number[17];

	REQUIRE(start(&rig));
	make_number(number);
	make_forms(number, forms);
	if (hunt(rig.vault, &forms[0]) < 0) {
		printf("# this system does not let a process read its child's memory\n");
		EXPECT(rig_done(&rig));
		return;
	}
	REQUIRE(rig_open_card(&rig, number, "12", &message));
	EXPECT(bytes_equal_text(message.fields[WIRE_CARD_OPENED_PROBLEM].bytes, "invalid_cvc"));
	number[15] = number[15] == '9' ? '0' : (char)(number[15] + 1);
	REQUIRE(rig_open_card(&rig, number, "123", &message));
	EXPECT(bytes_equal_text(message.fields[WIRE_CARD_OPENED_PROBLEM].bytes, "invalid_number"));
	EXPECT(settle(&rig));
	EXPECT(!anything_left(rig.vault, number, "refused"));
	EXPECT(rig_done(&rig));
}

TEST(a_driver_that_sends_the_number_back_leaves_nothing_behind)
{
	static struct rig rig;
	struct rig_card card;
	struct wire_message message;
	struct form forms[FORMS];
	char number[17];
	char answer[64];

	REQUIRE(start(&rig));
	make_number(number);
	make_forms(number, forms);
	if (hunt(rig.vault, &forms[0]) < 0) {
		printf("# this system does not let a process read its child's memory\n");
		EXPECT(rig_done(&rig));
		return;
	}
	REQUIRE(rig_store_card(&rig, number, "123", &card));
	REQUIRE(rig_request(&rig, 1, &card, 1, clock_wall_ms() + 60000) && rig_driver_reads(&rig));
	snprintf(answer, sizeof(answer), "{\"id\":1,\"pan\":\"%s\"}\n", number);
	EXPECT(rig_driver_writes(&rig, answer) && rig_expect_answer(&rig, 1, 2, ""));
	// The driver dies while it has a card, and one request waits past its deadline.
	REQUIRE(rig_request(&rig, 2, &card, 1, clock_wall_ms() + 30) && rig_driver_reads(&rig));
	EXPECT(rig_expect_answer(&rig, 2, 2, ""));
	EXPECT(settle(&rig));
	EXPECT(!anything_left(rig.vault, number, "expired"));
	REQUIRE(rig_request(&rig, 3, &card, 1, clock_wall_ms() + 60000) && rig_driver_reads(&rig));
	rig_driver_dies(&rig);
	EXPECT(rig_expect_state(&rig, 2) && rig_expect_answer(&rig, 3, 2, ""));
	// The next start comes a while after everything of the old driver was put away.
	EXPECT(rig_expect(&rig.parent, WIRE_STOP_DRIVER, &message));
	EXPECT(rig_expect(&rig.parent, WIRE_START_DRIVER, &message));
	EXPECT(rig_expect_state(&rig, 0));
	EXPECT(!anything_left(rig.vault, number, "died"));
	EXPECT(rig_done(&rig));
}

TAP_MAIN
