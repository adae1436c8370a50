// The host over a real socket: what a control page can make go wrong on the whole line or for the
// next messages. The loop runs in the test's own thread, between the client's steps.
#include "bank.h"
#include "cards.h"
#include "host.h"
#include "ledger.h"

#include "base/tap.h"
#include "iso8583/codec.h"
#include "iso8583/frame.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bank bank;
static uv_loop_t loop;
static int client;
static uint8_t got[65536];
static size_t got_length;
static struct iso8583_message message;
static struct iso8583_dialect *dialect;
static const struct iso8583_framing framing = { .max = ISO8583_MESSAGE_MAX };

static void must(bool good)
{
	if (!good)
		abort();
}

static void dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		                       .sin_port = htons((uint16_t)bank.iso_port),
		                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0);
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	got_length = 0;
}

static struct host_trouble *open_bank(void)
{
	must(result_ok(iso8583_dialect_find(BYTES_LITERAL("1987-bcd"), &dialect)));
	uv_loop_init(&loop);
	bank = (struct bank){ .loop = &loop,
		              .address = "127.0.0.1",
		              .cards = bank_cards_new(),
		              .authentications = bank_authentications_new() };
	must(result_ok(ledger_new(NULL, &bank.ledger)));
	must(result_ok(bank_host_start(&bank, NULL, 50)));
	dial();
	return bank_host_trouble(bank.host);
}

static void close_bank(void)
{
	close(client);
	iso8583_dialect_done(&dialect);
	bank_host_stop(&bank);
	must(uv_loop_close(&loop) == 0);
	ledger_free(bank.ledger);
	bank_authentications_free(bank.authentications);
	bank_cards_free(bank.cards);
}

// Sends a verification, or an echo for stan 0.
static void send_message(uint64_t stan)
{
	uint8_t wire[512];
	struct iso8583_place place;
	size_t length;

	iso8583_begin(&message, stan ? "0100" : "0800");
	iso8583_set(&message, 7, BYTES_LITERAL("1123101500"));
	iso8583_set_number(&message, 11, stan, 6);
	if (stan) {
		iso8583_set(&message, 2, BYTES_LITERAL("4242424242424242"));
		iso8583_set_number(&message, 4, 0, 12);
		iso8583_set(&message, 14, BYTES_LITERAL("3912"));
		iso8583_set(&message, 22, BYTES_LITERAL("812"));
		iso8583_set(&message, 25, BYTES_LITERAL("51"));
		iso8583_set(&message, 48, BYTES_LITERAL("0101C0201F2003123"));
	} else {
		iso8583_set(&message, 70, BYTES_LITERAL("301"));
	}
	must(result_ok(
	        iso8583_pack(dialect, &message, wire + 2, sizeof wire - 2, &length, &place)));
	must(result_ok(iso8583_frame_write(&framing, length, NULL, wire)));
	must(send(client, wire, length + 2, MSG_NOSIGNAL) == (ssize_t)length + 2);
}

static void read_some(void)
{
	ssize_t part = recv(client, got + got_length, sizeof got - got_length, MSG_DONTWAIT);

	if (part > 0)
		got_length += (size_t)part;
}

// How many whole answers have come; their response codes go to `ret_codes`, two characters each.
static int answers(char *ret_codes)
{
	struct bytes stream = bytes_from(got, got_length), wire, tpdu;
	struct iso8583_place place;
	size_t consumed;
	int count = 0;

	while (result_ok(iso8583_frame_read(&framing, stream, &wire, &tpdu, &consumed)) &&
	       consumed > 0) {
		stream = bytes_slice(stream, consumed, stream.length);
		if (!result_ok(iso8583_unpack(dialect, wire, &message, &place)))
			memcpy(ret_codes + 2 * count, "??", 2);
		else
			memcpy(ret_codes + 2 * count, iso8583_get(&message, 39).data, 2);
		count++;
	}
	ret_codes[2 * count] = 0;
	return count;
}

static bool echo_came;

// How many answers there are, and whether the last one is an echo's.
static int look(char *codes)
{
	int count = answers(codes);

	echo_came = count > 0 && iso8583_get(&message, 70).length > 0;
	return count;
}

// The codes of all that came, but for the echo's. An echo is answered after everything that came
// before it, so its answer ends the wait; a delayed answer is waited for after that.
static const char *codes_after_echo(bool one_is_delayed)
{
	static char codes[4096];

	send_message(0);
	echo_came = false;
	for (look(codes); !echo_came; look(codes)) {
		uv_run(&loop, UV_RUN_ONCE);
		read_some();
	}
	if (!one_is_delayed)
		codes[strlen(codes) - 2] = 0;
	while (one_is_delayed && echo_came) {
		uv_run(&loop, UV_RUN_ONCE);
		read_some();
		look(codes);
	}
	return codes;
}

TEST(the_line_can_lose_requests_or_answers)
{
	struct host_trouble *trouble = open_bank();

	trouble->lose_requests_percent = 100;
	send_message(1);
	EXPECT(strcmp(codes_after_echo(false), "") == 0);
	EXPECT(ledger_count(bank.ledger) == 0);
	trouble->lose_requests_percent = 0;
	trouble->lose_answers_percent = 100;
	got_length = 0;
	send_message(2);
	EXPECT(strcmp(codes_after_echo(false), "") == 0);
	EXPECT(ledger_count(bank.ledger) == 1);
	close_bank();
}

TEST(answers_can_be_repeated_and_delayed)
{
	struct host_trouble *trouble = open_bank();

	trouble->repeat_percent = 100;
	send_message(1);
	EXPECT(strcmp(codes_after_echo(false), "0000") == 0);
	trouble->repeat_percent = 0;
	trouble->delay_percent = 100;
	trouble->delay_ms = 100;
	got_length = 0;
	send_message(2);
	// The echo's answer overtakes the delayed one.
	EXPECT(strcmp(codes_after_echo(true), "0000") == 0);
	EXPECT(iso8583_get(&message, 70).length == 0);
	close_bank();
}

TEST(the_next_messages_can_be_refused_or_spoilt)
{
	struct host_trouble *trouble = open_bank();

	trouble->next_count = 2;
	memcpy(trouble->next_code, "91", 3);
	for (uint64_t stan = 1; stan <= 3; stan++)
		send_message(stan);
	EXPECT(strcmp(codes_after_echo(false), "919100") == 0);
	trouble->next_count = 1;
	trouble->next_code[0] = 0;
	trouble->next_fault = BANK_FAULT_GARBAGE;
	got_length = 0;
	send_message(4);
	send_message(5);
	EXPECT(strcmp(codes_after_echo(false), "??00") == 0);
	close_bank();
}

TEST(the_bank_can_hang_up)
{
	open_bank();
	send_message(1);
	codes_after_echo(false);
	EXPECT(bank_host_connections(bank.host) == 1);
	bank_host_hang_up(bank.host);
	EXPECT(bank_host_connections(bank.host) == 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	EXPECT(recv(client, got, sizeof got, 0) == 0);
	close(client);
	dial();
	send_message(2);
	EXPECT(strcmp(codes_after_echo(false), "00") == 0);
	close_bank();
}

TEST(a_line_that_is_not_understood_stops_the_start)
{
	static const char *const lines[] = { "dialect=1993", "header=3", "inclusive=perhaps",
		                             "x=yes", "tpdu" };

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		uv_loop_init(&loop);
		bank = (struct bank){ .loop = &loop, .address = "127.0.0.1" };
		EXPECT(bank_host_start(&bank, lines[i], 0).error == ERROR_INPUT);
		bank_host_stop(&bank);
		must(uv_loop_close(&loop) == 0);
	}
}

TAP_MAIN
