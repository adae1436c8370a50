// The issuer's decisions, message by message, without a line: marks, proof, money, duplicates,
// reversals in every order; and the ledger's file.
#include "bank.h"
#include "cards.h"
#include "desk.h"
#include "ledger.h"

#include "base/tap.h"
#include "iso8583/tagged.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CARD "4242424242424242"

static struct bank bank;
static struct iso8583_message request, answer;
static struct desk_result done;
static char texts[4096];
static size_t texts_used;

static void open_bank(const char *file)
{
	bank = (struct bank){ .cards = bank_cards_new(),
		              .authentications = bank_authentications_new() };
	struct result result = ledger_new(file, &bank.ledger);
	if (!result_ok(result))
		abort();
}

static void close_bank(void)
{
	ledger_free(bank.ledger);
	bank_authentications_free(bank.authentications);
	bank_cards_free(bank.cards);
}

// Keeps a text for as long as the request lives.
static struct bytes keep(const char *text)
{
	char *to = texts + texts_used;

	snprintf(to, sizeof texts - texts_used, "%s", text);
	texts_used += strlen(text) + 1;
	return bytes_text(to);
}

static void begin(const char *mti, const char *number, const char *stan, const char *amount)
{
	texts_used = 0;
	iso8583_begin(&request, mti);
	iso8583_set(&request, 2, keep(number));
	iso8583_set(&request, 4, keep(amount));
	iso8583_set(&request, 7, keep("1123101500"));
	iso8583_set(&request, 11, keep(stan));
	iso8583_set(&request, 14, keep("3912"));
	iso8583_set(&request, 32, keep("400123"));
	iso8583_set(&request, 37, keep("632810000001"));
	iso8583_set(&request, 41, keep("TERM0001"));
	iso8583_set(&request, 49, keep("643"));
}

static const char *code(void)
{
	static char text[3];

	memset(text, 0, sizeof text);
	if (desk_work(&bank, &request, "", &answer, &done) && iso8583_get(&answer, 39).length == 2)
		memcpy(text, iso8583_get(&answer, 39).data, 2);
	return text;
}

static struct bytes transaction(void)
{
	return iso8583_tagged_get(iso8583_get(&answer, 48), "03");
}

static const char *verify(const char *number, const char *stan, const char *private_data)
{
	begin("0100", number, stan, "000000000000");
	iso8583_set(&request, 22, keep("812"));
	iso8583_set(&request, 25, keep("51"));
	iso8583_set(&request, 48, keep(private_data));
	return code();
}

static char linked[16]; // the network transaction id of the last link()

static void link_card(const char *number, const char *stan)
{
	const char *result = verify(number, stan, "0101C0201F2003123");

	EXPECT(strcmp(result, "00") == 0);
	snprintf(linked, sizeof linked, "%.*s", (int)transaction().length,
	         (const char *)transaction().data);
}

static const char *pay(const char *number, const char *stan, const char *amount)
{
	char private_data[64];

	begin("0100", number, stan, amount);
	iso8583_set(&request, 22, keep("102"));
	iso8583_set(&request, 25, keep("59"));
	snprintf(private_data, sizeof private_data, "0101C0201S0315%s", linked);
	iso8583_set(&request, 48, keep(private_data));
	return code();
}

static const char *advise(const char *mti, const char *stan, const char *original,
                          const char *amount)
{
	char numbers[64];

	begin(mti, CARD, stan, amount);
	snprintf(numbers, sizeof numbers, "0100%s1123101500%011d%011d", original, 400123, 0);
	iso8583_set(&request, 90, keep(numbers));
	return code();
}

#define CODE(expression, expected) EXPECT(strcmp((expression), (expected)) == 0)

TEST(a_payment_holds_a_capture_takes_a_reversal_frees)
{
	open_bank(NULL);
	struct bank_account *account = ledger_account(bank.ledger, CARD);
	int64_t balance_minor = account->balance_minor;
	link_card(CARD, "000001");
	CODE(pay(CARD, "000002", "000000001000"), "00");
	EXPECT(account->held_minor == 1000);
	CODE(advise("0220", "000003", "000002", "000000000600"), "00");
	EXPECT(account->held_minor == 0 && account->balance_minor == balance_minor - 600);
	CODE(advise("0420", "000004", "000002", "000000001000"), "21");
	CODE(pay(CARD, "000005", "000000002000"), "00");
	CODE(advise("0420", "000006", "000005", "000000002000"), "00");
	EXPECT(account->held_minor == 0 && account->balance_minor == balance_minor - 600);
	struct bank_totals totals = ledger_totals(bank.ledger);
	EXPECT(totals.approvals == 2 && totals.captures == 1 && totals.reversals == 1);
	EXPECT(totals.captured_minor == 600 && totals.held_minor == 0);
	close_bank();
}

TEST(a_duplicate_gets_the_same_answer_and_moves_nothing)
{
	char approval[7] = "";
	char id[16];

	open_bank(NULL);
	link_card(CARD, "000001");
	CODE(pay(CARD, "000002", "000000001000"), "00");
	memcpy(approval, iso8583_get(&answer, 38).data, 6);
	memcpy(id, transaction().data, 15);
	CODE(pay(CARD, "000002", "000000001000"), "00");
	EXPECT(memcmp(approval, iso8583_get(&answer, 38).data, 6) == 0);
	EXPECT(memcmp(id, transaction().data, 15) == 0);
	EXPECT(ledger_account(bank.ledger, CARD)->held_minor == 1000);
	CODE(pay(CARD, "000002", "000000001001"), "94");
	CODE(pay("5555555555554444", "000002", "000000001000"), "94");
	CODE(advise("0220", "000003", "000002", "000000001000"), "00");
	CODE(advise("0220", "000003", "000002", "000000001000"), "00");
	CODE(advise("0221", "000004", "000002", "000000001000"), "00");
	CODE(advise("0220", "000005", "000002", "000000001000"), "94");
	EXPECT(ledger_totals(bank.ledger).captured_minor == 1000);
	close_bank();
}

TEST(a_reversal_that_comes_first_forbids_its_original)
{
	open_bank(NULL);
	link_card(CARD, "000001");
	CODE(advise("0420", "000003", "000002", "000000001000"), "25");
	CODE(advise("0421", "000003", "000002", "000000001000"), "25");
	CODE(pay(CARD, "000002", "000000001000"), "12");
	EXPECT(ledger_account(bank.ledger, CARD)->held_minor == 0);
	CODE(advise("0421", "000004", "000002", "000000001000"), "00");
	EXPECT(ledger_totals(bank.ledger).unknown_reversals == 1);
	close_bank();
}

static const char *give_back(const char *mti, const char *stan, const char *original,
                             const char *amount)
{
	advise(mti, stan, original, amount); // fills the request; 0300 is answered by nobody
	memcpy(request.mti, mti[0] == '0' && mti[1] == '3' ? "0200" : mti, 4);
	iso8583_set(&request, 3, keep("200000"));
	return code();
}

TEST(a_refund_moves_once_and_never_more_than_was_captured)
{
	open_bank(NULL);
	link_card(CARD, "000001");
	CODE(pay(CARD, "000002", "000000001000"), "00");
	CODE(give_back("0300", "000003", "000002", "000000000100"), "12");
	CODE(advise("0220", "000004", "000002", "000000000900"), "00");
	int64_t balance_minor = ledger_account(bank.ledger, CARD)->balance_minor;
	CODE(give_back("0300", "000005", "000002", "000000000901"), "13");
	CODE(give_back("0300", "000006", "000002", "000000000400"), "00");
	char approval[7] = "";
	memcpy(approval, iso8583_get(&answer, 38).data, 6);
	memcpy(request.mti, "0201", 4); // the same again later: another DE7
	iso8583_set(&request, 7, keep("1123101600"));
	CODE(code(), "00");
	EXPECT(memcmp(approval, iso8583_get(&answer, 38).data, 6) == 0);
	EXPECT(ledger_account(bank.ledger, CARD)->balance_minor == balance_minor + 400);
	CODE(give_back("0300", "000007", "000002", "000000000501"), "13");
	EXPECT(ledger_totals(bank.ledger).refunded_minor == 400);
	close_bank();
}

TEST(another_cards_original_is_none)
{
	open_bank(NULL);
	link_card("5555555555554444", "000001");
	CODE(pay("5555555555554444", "000002", "000000001000"), "00");
	CODE(advise("0420", "000003", "000002", "000000001000"), "25");
	CODE(advise("0220", "000004", "000002", "000000001000"), "25");
	EXPECT(ledger_account(bank.ledger, "5555555555554444")->held_minor == 1000);
	close_bank();
}

TEST(money_has_an_end)
{
	open_bank(NULL);
	link_card(CARD, "000001");
	ledger_account(bank.ledger, CARD)->balance_minor = 1500;
	CODE(pay(CARD, "000002", "000000001000"), "00");
	CODE(pay(CARD, "000003", "000000001000"), "51");
	CODE(pay(CARD, "000004", "000000000500"), "00");
	CODE(pay(CARD, "000005", "000100000001"), "61");
	CODE(advise("0220", "000006", "000002", "000000001001"), "13");
	CODE(advise("0220", "000007", "000002", "000000000000"), "13");
	CODE(advise("0220", "000008", "000003", "000000001000"), "12");
	close_bank();
}

TEST(proof_counts_for_its_card_only)
{
	const char *number = "4000002760003184";
	const char *value = "AAABBEg0VhI0VniQEjRWAAAAAAA=";
	char private_data[128];

	open_bank(NULL);
	link_card(number, "000001");
	CODE(pay(number, "000002", "000000001000"), "1A");
	bank_authentication_note(bank.authentications, number, value, bank_now_ms(&bank));
	for (int other = 0; other < 2; other++) {
		if (other)
			link_card(CARD, "000003");
		begin("0100", other ? CARD : number, other ? "000004" : "000005", "000000001000");
		iso8583_set(&request, 22, keep("102"));
		snprintf(private_data, sizeof private_data, "0101C0201S0315%s1228%s", linked,
		         value);
		iso8583_set(&request, 48, keep(private_data));
		CODE(code(), other ? "05" : "00");
	}
	close_bank();
}

static const char *pay_first(const char *number, const char *stan, const char *private_data)
{
	begin("0100", number, stan, "000000001000");
	iso8583_set(&request, 22, keep("812"));
	iso8583_set(&request, 25, keep("59"));
	iso8583_set(&request, 48, keep(private_data));
	return code();
}

TEST(a_first_payment_may_need_a_proof)
{
	const char *number = "4000002500003155";
	const char *value = "AAABBEg0VhI0VniQEjRWAAAAAAA=";
	char private_data[128];

	open_bank(NULL);
	CODE(pay_first(CARD, "000001", "0101C0201F"), "00");
	CODE(pay_first(number, "000002", "0101C0201F"), "1A");
	bank_authentication_note(bank.authentications, number, value, bank_now_ms(&bank));
	snprintf(private_data, sizeof private_data, "0101C0201F1228%s", value);
	CODE(pay_first(number, "000003", private_data), "00");
	snprintf(linked, sizeof linked, "%.*s", (int)transaction().length,
	         (const char *)transaction().data);
	CODE(pay(number, "000004", "000000001000"), "00"); // on file from here on
	close_bank();
}

TEST(marks_that_make_no_sense_are_refused)
{
	open_bank(NULL);
	link_card(CARD, "000001");
	CODE(verify(CARD, "000002", "0101C0201S2003123"), "05"); // stored, but typed
	CODE(verify(CARD, "000003", "0101M0201F2003123"), "05"); // the merchant alone, not stored
	CODE(verify(CARD, "000004", "0101C0201F2003124"), "N7");
	CODE(verify("4242424242424241", "000005", "0101C0201F"), "14");
	linked[14] = linked[14] == '0' ? '1' : '0';
	CODE(pay(CARD, "000006", "000000001000"), "05"); // an id that we never gave out
	close_bank();
}

TEST(an_id_is_known_after_a_restart)
{
	open_bank(NULL);
	link_card(CARD, "000001");
	close_bank();
	open_bank(NULL);
	CODE(pay(CARD, "000002", "000000001000"), "00");
	close_bank();
}

TEST(what_the_bank_does_not_answer)
{
	open_bank(NULL);
	begin("0110", CARD, "000001", "000000001000");
	EXPECT(!desk_work(&bank, &request, "", &answer, &done));
	begin("0300", CARD, "000001", "000000001000");
	EXPECT(!desk_work(&bank, &request, "", &answer, &done));
	close_bank();
}

TEST(the_ledger_reads_its_file_again)
{
	char file[] = "/tmp/onfile-ledger-XXXXXX";
	int fd = mkstemp(file);

	REQUIRE(fd >= 0);
	open_bank(file);
	link_card(CARD, "000001");
	CODE(pay(CARD, "000002", "000000001000"), "00");
	CODE(pay(CARD, "000003", "000000002000"), "00");
	CODE(advise("0220", "000004", "000002", "000000000900"), "00");
	CODE(advise("0420", "000005", "000009", "000000000900"), "25");
	struct bank_totals before = ledger_totals(bank.ledger);
	close_bank();
	open_bank(file);
	struct bank_totals after = ledger_totals(bank.ledger);
	EXPECT(memcmp(&before, &after, sizeof after) == 0);
	EXPECT(ledger_account(bank.ledger, CARD)->held_minor == 2000);
	CODE(advise("0420", "000006", "000003", "000000002000"), "00");
	CODE(pay(CARD, "000009", "000000001000"), "12");
	close_bank();
	FILE *broken = fopen(file, "w");
	REQUIRE(broken);
	fputs("E\tonly\tthis\n", broken);
	fclose(broken);
	struct bank_ledger *ledger = NULL;
	EXPECT(ledger_new(file, &ledger).error == ERROR_INPUT);
	close(fd);
	unlink(file);
}

TAP_MAIN
