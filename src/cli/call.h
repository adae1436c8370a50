// One call of the `onfile` command: its verb, what was given with it, the configuration. The verbs
// are the table verbs.def.
#pragma once

#include "config/config.h"
#include "wire/channel.h"

enum { CLI_OPTIONS_MAX = 64, CLI_ARGUMENTS_MAX = 8192 };

// Exit statuses: the verb did not succeed; the command was not given as it should be.
enum { CLI_FAILED = 1, CLI_USAGE = 2 };

struct cli_option {
	const char *name; // without the dashes
	const char *value;
};

struct cli_call {
	const struct cli_verb *verb;
	const char *config_path; // absolute
	const char *own_folder;  // where the program is
	struct config config;
	const char *name; // the word after the verb, for verbs that take one
	char **rest;      // all that stands after the verb, for one that hands it on
	struct cli_option options[CLI_OPTIONS_MAX];
	int count;
};

struct cli_verb {
	const char *words;   // "connection add"
	const char *name;    // what the word after the verb is, as an argument for core; NULL: none
	const char *options; // its options, each followed by a space; `*` after one: required,
	                     // `+`: may be repeated
	int (*run)(struct cli_call *call); // NULL: core answers it
	const char *synopsis;
	const char *help;
};

// One sentence on standard error. Returns `status`.
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The option's value; NULL when it was not given.
const char *cli_option(const struct cli_call *call, const char *name);

// Connects to a control socket; the sentence about why not is on standard error then.
bool cli_connect(const struct cli_call *call, const char *socket, enum wire_program peer,
                 struct wire_channel *ret_channel);
// Sends what was put and waits for the next message.
MUST_USE struct result cli_ask(struct wire_channel *channel, struct wire_message *ret_message);

// Sends a command to core and prints its lines; returns core's exit status. `arguments` are
// "name=value" with a zero byte after each.
int cli_command(const struct cli_call *call, const char *verb, struct bytes arguments,
                struct bytes blob);
// The same; the lines go to `line` instead (streams as in CLI_LINE).
int cli_command_to(const struct cli_call *call, const char *verb, struct bytes arguments,
                   struct bytes blob, void (*line)(void *owner, uint64_t stream, struct bytes text),
                   void *owner);
// One of core's lines, on standard output (stream 1) or standard error.
void cli_print_line(uint64_t stream, struct bytes text);
// The same, and the lines of standard output go into a buffer, each with its line break.
int cli_collect(const struct cli_call *call, const char *verb, struct bytes arguments,
                struct buffer *ret_lines);
// What the parent says of its programs, a line for each. False: the sentence is on standard error.
bool cli_status_text(const struct cli_call *call, struct buffer *ret_text);
// Appends one argument.
void cli_put_argument(struct buffer *arguments, const char *name, const char *value);

// --- verbs with their own code
int cli_serve(struct cli_call *call);
int cli_status(struct cli_call *call);
int cli_doctor_run(struct cli_call *call);
int cli_version(struct cli_call *call);
int cli_iso8583(struct cli_call *call);
int cli_help(struct cli_call *call);
int cli_listen(struct cli_call *call);
int cli_trigger(struct cli_call *call);
int cli_attention_resolve(struct cli_call *call);
int cli_reconcile(struct cli_call *call);
int cli_connection_add(struct cli_call *call);
int cli_connection_set(struct cli_call *call);
int cli_connection_show(struct cli_call *call);
int cli_driver_install(struct cli_call *call);
int cli_driver_list(struct cli_call *call);
int cli_driver_describe(struct cli_call *call);
int cli_driver_remove(struct cli_call *call);
