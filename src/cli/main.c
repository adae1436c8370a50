// The program `onfile`: `onfile serve` is the parent (src/proc/parent), every other verb is a
// client of the control sockets. The verbs are one table, verbs.def; help and the check of options
// are made from it.
#include "call.h"

#include "parent/parent.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/onfile/onfile.conf"

static const struct cli_verb verbs[] = {
#define VERB(words, name, options, run, synopsis, help)                                            \
	{ words, name, options, run, synopsis, help },
#include "verbs.def"
#undef VERB
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

int cli_fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("onfile: ", stderr);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	return status;
}

const char *cli_option(const struct cli_call *call, const char *name)
{
	for (int i = 0; i < call->count; i++)
		if (strcmp(call->options[i].name, name) == 0)
			return call->options[i].value;
	return NULL;
}

// --- verbs that need little

int cli_version(struct cli_call *call)
{
	(void)call;
	puts("onfile " ONFILE_VERSION);
	return 0;
}

int cli_help(struct cli_call *call)
{
	(void)call;
	puts("onfile [--config FILE] VERB …      FILE: " CONFIG_PATH " unless given; behind the "
	     "verb, too (iso8583 reads none)\n");
	for (int i = 0; i < VERBS; i++)
		printf("  onfile %s%s%s\n        %s\n", verbs[i].words,
		       verbs[i].synopsis[0] ? " " : "", verbs[i].synopsis, verbs[i].help);
	return 0;
}

static void set_log_level(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			log_set_level((enum log_level)i);
}

int cli_serve(struct cli_call *call)
{
	log_init("onfile");
	set_log_level(call->config.log_level);
	return parent_serve(&call->config, call->config_path, call->own_folder);
}

int cli_status(struct cli_call *call)
{
	struct buffer text cleanup(buffer_done) = { 0 };

	buffer_init(&text, CLI_ARGUMENTS_MAX);
	if (!cli_status_text(call, &text))
		return CLI_FAILED;
	(void)fwrite(text.data, 1, text.length, stdout);
	return 0;
}

// What core answers: the word after the verb and the options, as they are.
static int ask_core(const struct cli_call *call)
{
	struct buffer arguments cleanup(buffer_done) = { 0 };

	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	if (call->name)
		cli_put_argument(&arguments, call->verb->name, call->name);
	for (int i = 0; i < call->count; i++)
		cli_put_argument(&arguments, call->options[i].name, call->options[i].value);
	if (arguments.failed)
		return cli_fail(CLI_USAGE, "the arguments are too long");
	return cli_command(call, call->verb->words, buffer_view(&arguments), BYTES_NONE);
}

// --- reading the command line

// How many arguments the verb's words took; 0: it is another verb.
static int match(const char *words, int count, char **arguments)
{
	int taken = 0;

	while (*words) {
		size_t length = strcspn(words, " ");
		if (taken == count || strlen(arguments[taken]) != length ||
		    strncmp(arguments[taken], words, length) != 0)
			return 0;
		taken++;
		words += length + (words[length] == ' ');
	}
	return taken;
}

// The mark after the option's name in the verb's list: ' ', '*' or '+'; 0 when it is not there.
static char option_mark(const struct cli_verb *verb, struct bytes name)
{
	for (const char *at = verb->options; *at; at = strchr(at, ' ') + 1) {
		size_t length = strcspn(at, "*+ ");
		if (name.length == length && memcmp(at, name.data, length) == 0)
			return at[length];
	}
	return 0;
}

// Takes `--name value` or `--name=value`. How many arguments it took; 0: the sentence was said.
static int take_option(struct cli_call *call, int count, char **arguments)
{
	char *name = arguments[0] + 2;
	char *equals = strchr(name, '=');
	struct bytes view = bytes_slice(bytes_text(name), 0, strcspn(name, "="));
	bool config = bytes_equal_text(view, "config");
	char mark = config ? ' ' : option_mark(call->verb, view);

	if (!mark)
		return cli_fail(0, "`%s` has no option %s", call->verb->words, arguments[0]);
	if (!equals && count < 2)
		return cli_fail(0, "%s wants a value", arguments[0]);
	if (equals)
		*equals = '\0';
	if (mark != '+' && (cli_option(call, name) || (config && call->config_path)))
		return cli_fail(0, "--%s is given twice", name);
	const char *value = equals ? equals + 1 : arguments[1];
	if (config)
		call->config_path = value;
	else if (call->count == CLI_OPTIONS_MAX)
		return cli_fail(0, "too many options");
	else
		call->options[call->count++] = (struct cli_option){ name, value };
	return equals ? 1 : 2;
}

static bool check_required(const struct cli_call *call)
{
	const struct cli_verb *verb = call->verb;

	if (verb->name && !call->name) {
		cli_fail(0, "`onfile %s` wants %s", verb->words, verb->synopsis);
		return false;
	}
	for (const char *at = verb->options; *at; at = strchr(at, ' ') + 1) {
		char name[32] = { 0 };
		size_t length = strcspn(at, "*+ ");
		memcpy(name, at, length < sizeof(name) ? length : sizeof(name) - 1);
		if (at[length] == '*' && !cli_option(call, name)) {
			cli_fail(0, "`onfile %s` wants --%s", verb->words, name);
			return false;
		}
	}
	return true;
}

static bool is_config(const char *argument)
{
	return strcmp(argument, "--config") == 0 || strncmp(argument, "--config=", 9) == 0;
}

// The configuration may stand before the verb, too. How many arguments that took; -1: the sentence
// was said.
static int take_config(struct cli_call *call, int count, char **arguments)
{
	int at = 0;

	while (at < count && is_config(arguments[at])) {
		int took = take_option(call, count - at, arguments + at);
		if (took == 0)
			return -1;
		at += took;
	}
	return at;
}

static bool find_verb(struct cli_call *call, int count, char **arguments)
{
	int before = take_config(call, count, arguments);
	int taken = 0;

	if (before < 0)
		return false;
	for (int i = 0; i < VERBS && taken == 0; i++)
		if ((taken = match(verbs[i].words, count - before, arguments + before)))
			call->verb = &verbs[i];
	if (!call->verb) {
		cli_fail(0, "there is no such verb; `onfile help` lists them");
		return false;
	}
	call->rest = arguments + before + taken;
	return true;
}

static bool read_arguments(struct cli_call *call, int count, char **arguments)
{
	if (!find_verb(call, count, arguments))
		return false;
	int at = (int)(call->rest - arguments);
	if (call->verb->run == cli_iso8583)
		return true;
	while (at < count) {
		if (strncmp(arguments[at], "--", 2) == 0) {
			int took = take_option(call, count - at, arguments + at);
			if (took == 0)
				return false;
			at += took;
		} else if (call->verb->name && !call->name) {
			call->name = arguments[at++];
		} else {
			cli_fail(0, "`onfile %s` does not want `%s`", call->verb->words,
			         arguments[at]);
			return false;
		}
	}
	return check_required(call);
}

static void find_own_folder(struct cli_call *call)
{
	static char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	call->own_folder = length > 0 ? dirname(own) : ".";
}

static bool read_config(struct cli_call *call)
{
	static char absolute[PATH_MAX];
	const char *path = call->config_path ? call->config_path : CONFIG_PATH;
	struct config_error error;

	if (!realpath(path, absolute)) {
		cli_fail(0, "the configuration %s cannot be read: %m", path);
		return false;
	}
	call->config_path = absolute;
	if (result_ok(config_read(absolute, &call->config, &error)))
		return true;
	cli_fail(0, "%s", error.text);
	return false;
}

int main(int argc, char **argv)
{
	static struct cli_call call;

	if (argc < 2) {
		cli_help(&call);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0)
		argv[1] += 2;
	if (!read_arguments(&call, argc - 1, argv + 1))
		return CLI_USAGE;
	find_own_folder(&call);
	bool alone = call.verb->run == cli_help || call.verb->run == cli_version ||
	             call.verb->run == cli_iso8583;
	if (!alone && !read_config(&call))
		return CLI_USAGE;
	return call.verb->run ? call.verb->run(&call) : ask_core(&call);
}
