// bank: the sandbox bank's program. Reads the command line, makes the parts, runs the loop.
#include "bank.h"

#include "cards.h"
#include "host.h"
#include "ledger.h"
#include "settlement.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
        "usage: bank [--listen ADDRESS] [--http-port N] [--iso-port N] [--iso-line LINE]\n"
        "            [--ledger FILE] [--late-ms N]\n"
        "            [--pages FOLDER] [--tokens FILE] [--origin URL]\n";

struct options {
	const char *address, *line, *ledger, *pages, *tokens, *origin;
	int http_port, iso_port, late_ms;
};

static bool read_number(const char *text, uint64_t max, int *ret_number)
{
	uint64_t number;

	if (!text_to_number(bytes_text(text), max, &number))
		return false;
	*ret_number = (int)number;
	return true;
}

static bool read_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "listen", required_argument, NULL, 'l' },
		{ "http-port", required_argument, NULL, 'h' },
		{ "iso-port", required_argument, NULL, 'i' },
		{ "iso-line", required_argument, NULL, 'd' },
		{ "ledger", required_argument, NULL, 'f' },
		{ "late-ms", required_argument, NULL, 't' },
		{ "pages", required_argument, NULL, 'p' },
		{ "tokens", required_argument, NULL, 'k' },
		{ "origin", required_argument, NULL, 'o' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		bool good = true;
		switch (option) {
		case 'l': options->address = optarg; break;
		case 'h': good = read_number(optarg, 65535, &options->http_port); break;
		case 'i': good = read_number(optarg, 65535, &options->iso_port); break;
		case 'd': options->line = optarg; break;
		case 'f': options->ledger = optarg; break;
		case 't': good = read_number(optarg, 3600000, &options->late_ms); break;
		case 'p': options->pages = optarg; break;
		case 'k': options->tokens = optarg; break;
		case 'o': options->origin = optarg; break;
		default: return false;
		}
		if (!good)
			return false;
	}
	return optind == argc;
}

static void on_signal(uv_signal_t *signal, int number)
{
	(void)number;
	uv_stop(signal->loop);
}

static void watch_signals(uv_loop_t *loop, uv_signal_t signals[static 2])
{
	static const int numbers[2] = { SIGTERM, SIGINT };

	for (int i = 0; i < 2; i++) {
		uv_signal_init(loop, &signals[i]);
		uv_signal_start(&signals[i], on_signal, numbers[i]);
		uv_unref((uv_handle_t *)&signals[i]);
	}
}

static int run(struct bank *bank, const struct options *options)
{
	uv_signal_t signals[2];
	struct result result = ledger_new(options->ledger, &bank->ledger);

	if (result_ok(result))
		result = bank_host_start(bank, options->line, options->late_ms);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "host_failed", LOG_RESULT(result));
		return 1;
	}
	result = bank_web_start(bank, bank->http_port);
	if (!result_ok(result) && result.error != ERROR_NOT_FOUND) {
		log_event(LOG_ERROR, "http_failed", LOG_RESULT(result));
		return 1;
	}
	watch_signals(bank->loop, signals);
	log_event(LOG_INFO, "ready", LOG_NUMBER("port", bank->iso_port));
	uv_run(bank->loop, UV_RUN_DEFAULT);
	bank_web_stop(bank);
	result = settlement_save(bank->ledger);
	if (!result_ok(result))
		log_event(LOG_ERROR, "no_settlement_file", LOG_RESULT(result));
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.address = "127.0.0.1", .http_port = 8090, .iso_port = 8583, .late_ms = 25000
	};
	struct bank bank = { .loop = uv_default_loop() };

	log_init("bank");
	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	bank.address = options.address;
	bank.pages = options.pages;
	bank.tokens = options.tokens;
	bank.origin = options.origin;
	bank.http_port = options.http_port;
	bank.iso_port = options.iso_port;
	bank.cards = bank_cards_new();
	bank.authentications = bank_authentications_new();
	int status = run(&bank, &options);
	bank_host_stop(&bank);
	ledger_free(bank.ledger);
	bank_authentications_free(bank.authentications);
	bank_cards_free(bank.cards);
	return status;
}
