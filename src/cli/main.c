// The `onfile` command: `onfile serve` is the parent of all programs, every other verb is a client
// of its control sockets.
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "parent/parent.h"

#include <stdio.h>
#include <stdlib.h>

static const char default_config[] = "/etc/onfile/onfile.conf";

const char *command_option(const struct command *command, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i < command->count; i++) {
		if (strcmp(command->words[i], name) == 0)
			return i + 1 < command->count ? command->words[i + 1] : NULL;
		if (strncmp(command->words[i], name, length) == 0 &&
		    command->words[i][length] == '=')
			return command->words[i] + length + 1;
	}
	return NULL;
}

const char *command_word(const struct command *command, int n)
{
	for (int i = 0; i < command->count; i++) {
		if (strncmp(command->words[i], "--", 2) == 0) {
			i += strchr(command->words[i], '=') == NULL; // the next word is its value
			continue;
		}
		if (n-- == 0)
			return command->words[i];
	}
	return NULL;
}

// All options as core's arguments; words without a dash as the ones that `names` lists.
static int pass_on(const struct command *command, const char *verb, const char *const *names)
{
	struct buffer arguments cleanup(buffer_done);

	buffer_init(&arguments, 8192);
	for (int i = 0; names[i]; i++) {
		const char *word = command_word(command, i);
		if (!word) {
			fprintf(stderr, "usage: onfile %s %s\n", verb, names[i]);
			return 2;
		}
		buffer_printf(&arguments, "%s=%s", names[i], word);
		buffer_put_byte(&arguments, 0);
	}
	for (int i = 0; i < command->count; i++) {
		const char *word = command->words[i];
		if (strncmp(word, "--", 2) != 0 || strncmp(word, "--config", 8) == 0)
			continue;
		if (strchr(word, '='))
			buffer_printf(&arguments, "%s", word + 2);
		else if (i + 1 < command->count)
			buffer_printf(&arguments, "%s=%s", word + 2, command->words[++i]);
		buffer_put_byte(&arguments, 0);
	}
	if (!result_ok(buffer_result(&arguments))) {
		fprintf(stderr, "onfile: too many arguments\n");
		return 2;
	}
	return control_command(command, verb, buffer_view(&arguments), BYTES_NONE);
}

static int run_merchant_add(const struct command *command)
{
	return pass_on(command, "merchant add", (const char *const[]){ NULL });
}

static int run_merchant_list(const struct command *command)
{
	return pass_on(command, "merchant list", (const char *const[]){ NULL });
}

static int run_connection_list(const struct command *command)
{
	return pass_on(command, "connection list", (const char *const[]){ NULL });
}

static int run_connection_test(const struct command *command)
{
	return pass_on(command, "connection test", (const char *const[]){ "name", NULL });
}

static int run_connection_remove(const struct command *command)
{
	return pass_on(command, "connection remove", (const char *const[]){ "name", NULL });
}

static int run_trace(const struct command *command)
{
	return pass_on(command, "trace", (const char *const[]){ "code", NULL });
}

static int run_attention_list(const struct command *command)
{
	return pass_on(command, "attention list", (const char *const[]){ NULL });
}

static int run_status(const struct command *command)
{
	struct wire_channel channel;
	struct wire_message message;

	if (!control_open(command, "root.sock", WIRE_PARENT, &channel))
		return 1;
	bool good = control_send(&channel, WIRE_CLI_STATUS, NULL) &&
	            control_receive(&channel, &message);
	if (good)
		printf("%.*s", (int)message.fields[0].bytes.length,
		       (const char *)message.fields[0].bytes.data);
	wire_channel_done(&channel);
	return good ? 0 : 1;
}

static const struct {
	const char *name;
	int (*run)(const struct command *command);
	const char *help;
} verbs[] = {
	{ "serve", NULL, "run onfile (--config FILE)" },
	{ "status", run_status, "which programs run (root)" },
	{ "connection add", cli_connection_add,
	  "connect to a bank: NAME --driver DRIVER --set name=value … (root)" },
	{ "connection list", run_connection_list, "connections and how they are" },
	{ "connection test", run_connection_test, "ask the bank whether the line works: NAME" },
	{ "connection remove", run_connection_remove, "forget a connection: NAME" },
	{ "merchant add", run_merchant_add,
	  "--name … --url … --support … [--mcc …] [--country …] [--bank-id …]; shows its keys "
	  "once" },
	{ "merchant list", run_merchant_list, "merchants" },
	{ "trace", run_trace, "the story of an attempt: CODE" },
	{ "attention list", run_attention_list, "what a person has to look at" },
};
enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static int show_help(FILE *to)
{
	fprintf(to, "onfile %s: a self-hosted card-on-file server\n\n", ONFILE_VERSION);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(to, "  onfile %-18s %s\n", verbs[i].name, verbs[i].help);
	fprintf(to, "\nEvery verb takes --config FILE (default %s).\n", default_config);
	return to == stdout ? 0 : 2;
}

// How many words of the command line the verb takes; 0: it is another one.
static int verb_matches(const char *name, int argc, char **argv)
{
	char two[64];

	if (argc > 1 && strcmp(argv[1], name) == 0)
		return 1;
	if (argc < 3)
		return 0;
	snprintf(two, sizeof(two), "%s %s", argv[1], argv[2]);
	return strcmp(two, name) == 0 ? 2 : 0;
}

static int run_verb(size_t verb, struct command *command, int64_t begun_ms)
{
	struct config_error error;

	command->config_path = command_option(command, "--config");
	if (!command->config_path)
		command->config_path = default_config;
	if (!verbs[verb].run)
		return parent_serve(command->config_path, begun_ms);
	if (!result_ok(config_read(command->config_path, &command->config, &error))) {
		fprintf(stderr, "onfile: %s\n", error.text);
		return 2;
	}
	return verbs[verb].run(command);
}

int main(int argc, char **argv)
{
	int64_t begun_ms = clock_monotonic_ms();

	if (argc > 1 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
		printf("onfile %s\n", ONFILE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < VERBS; i++) {
		int words = verb_matches(verbs[i].name, argc, argv);
		if (!words)
			continue;
		struct command command = { .count = argc - 1 - words, .words = argv + 1 + words };
		return run_verb(i, &command, begun_ms);
	}
	bool asked = argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0);
	return show_help(asked ? stdout : stderr);
}
