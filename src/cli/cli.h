// The `onfile` command: one table of verbs (main.c), each a function here. A verb talks to the
// parent through root.sock or to core through operator.sock and never opens the database.
#pragma once

#include "config/config.h"
#include "wire/channel.h"

struct command {
	const char *config_path;
	struct config config;
	int count;    // of the words after the verb
	char **words; // names and options: "--name value" or "--name=value"
};

// The value of an option, or NULL.
const char *command_option(const struct command *command, const char *name);
// The n-th word that is no option and no option's value, or NULL.
const char *command_word(const struct command *command, int n);

// Opens a control socket ("root.sock", "operator.sock"). Says why not and returns false.
bool control_open(const struct command *command, const char *name, enum wire_program peer,
                  struct wire_channel *ret_channel);
// Sends a message and waits for the next one that comes. False: said why not.
bool control_send(struct wire_channel *channel, enum wire_number number,
                  const struct wire_value *values);
bool control_receive(struct wire_channel *channel, struct wire_message *ret_message);
// Runs one of core's verbs, prints its lines, returns its status. `arguments`: "name=value" and a
// zero byte each.
int control_command(const struct command *command, const char *verb, struct bytes arguments,
                    struct bytes blob);

int cli_connection_add(const struct command *command);
