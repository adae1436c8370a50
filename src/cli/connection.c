// `onfile connection add`: the driver says which parameters it needs; they come from options, from
// files, or from the person at the terminal; vault seals them through root's socket; core stores
// the blob. A parameter's value is never printed, and a secret one never echoed.
#include "call.h"
#include "describe.h"

#include "parent/parent.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { PARAMETERS_MAX = 8192, BLOB_MAX = 16384 };

static struct bytes option_key(const char *value)
{
	struct bytes text = bytes_text(value);

	return bytes_slice(text, 0, bytes_find(text, '='));
}

// Every --set and --set-file must name a parameter of the driver, once.
static bool check_options(const struct cli_call *call, const struct cli_driver *driver)
{
	for (int i = 0; i < call->count; i++) {
		const struct cli_option *option = &call->options[i];
		if (strncmp(option->name, "set", 3) != 0)
			continue;
		struct bytes key = option_key(option->value);
		if (!cli_parameter(driver, key) || !option->value[key.length]) {
			cli_fail(0,
			         "--%s wants NAME=VALUE, and %.*s is no parameter of this driver",
			         option->name, (int)key.length, (const char *)key.data);
			return false;
		}
		for (int j = 0; j < i; j++)
			if (strncmp(call->options[j].name, "set", 3) == 0 &&
			    bytes_equal(key, option_key(call->options[j].value))) {
				cli_fail(0, "%.*s is set twice", (int)key.length,
				         (const char *)key.data);
				return false;
			}
	}
	return true;
}

// The content of a file without the line break at its end.
static bool read_value_file(const char *path, char value[static CLI_VALUE_MAX + 1])
{
	FILE *file = fopen(path, "re");

	if (!file) {
		cli_fail(0, "%s cannot be read: %m", path);
		return false;
	}
	setvbuf(file, NULL, _IONBF, 0); // no copy in a buffer of stdio's
	size_t length = fread(value, 1, CLI_VALUE_MAX, file);
	(void)fclose(file);
	value[length] = '\0';
	if (length && value[length - 1] == '\n')
		value[--length] = '\0';
	if (memchr(value, 0, length)) {
		cli_fail(0, "%s holds a zero byte", path);
		return false;
	}
	return true;
}

static bool ask_person(const struct cli_parameter *parameter, char value[static CLI_VALUE_MAX + 1])
{
	struct termios before, quiet;
	bool hidden = parameter->secret && tcgetattr(STDIN_FILENO, &before) == 0;

	(void)fprintf(stderr, "%s\n%s: ", parameter->help ? parameter->help : "", parameter->name);
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	size_t length = 0;
	char c = 0;
	while (length < CLI_VALUE_MAX && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		value[length++] = c;
	value[length] = '\0';
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputc('\n', stderr);
	}
	return c == '\n';
}

// Where a value comes from: 1 found, 0 there is none, -1 the sentence was said.
static int find_value(const struct cli_call *call, const struct cli_parameter *parameter,
                      char value[static CLI_VALUE_MAX + 1])
{
	for (int i = 0; i < call->count; i++) {
		const struct cli_option *option = &call->options[i];
		if (strncmp(option->name, "set", 3) != 0 ||
		    !bytes_equal_text(option_key(option->value), parameter->name))
			continue;
		const char *given = strchr(option->value, '=') + 1;
		if (strcmp(option->name, "set-file") == 0)
			return read_value_file(given, value) ? 1 : -1;
		if (bytes_copy_text(bytes_text(given), value, CLI_VALUE_MAX + 1))
			return 1;
		cli_fail(0, "the value of %s is too long", parameter->name);
		return -1;
	}
	if (!parameter->required)
		return 0;
	if (isatty(STDIN_FILENO))
		return ask_person(parameter, value) ? 1 : -1;
	cli_fail(0, "the parameter %s is missing (--set %s=…)", parameter->name, parameter->name);
	return -1;
}

static bool put_parameter(const struct cli_call *call, const struct cli_parameter *parameter,
                          struct buffer *json)
{
	char value[CLI_VALUE_MAX + 1];
	char wanted[256];
	int found = find_value(call, parameter, value);
	bool good = found == 0;

	if (found > 0) {
		if (json->length > 1)
			buffer_put_byte(json, ',');
		json_put_text(json, bytes_text(parameter->name));
		buffer_put_byte(json, ':');
		good = cli_put_value(json, parameter, value, wanted);
		if (!good)
			cli_fail(0, "the parameter %s should be %s", parameter->name, wanted);
	}
	explicit_bzero(value, sizeof(value));
	return good;
}

static bool gather(const struct cli_call *call, const struct cli_driver *driver,
                   struct buffer *json)
{
	buffer_put_byte(json, '{');
	for (int i = 0; i < driver->count; i++)
		if (!put_parameter(call, &driver->parameters[i], json))
			return false;
	buffer_put_byte(json, '}');
	if (!json->failed)
		return true;
	cli_fail(0, "the parameters together are longer than %d bytes", PARAMETERS_MAX);
	return false;
}

// Vault seals what only its drivers may read.
static bool seal(const struct cli_call *call, const char *driver, struct bytes parameters,
                 struct buffer *blob)
{
	struct wire_channel channel cleanup(wire_channel_done);
	struct wire_message message;

	if (!cli_connect(call, PARENT_ROOT_SOCKET, WIRE_PARENT, &channel))
		return false;
	struct result result = wire_channel_put(
	        &channel, WIRE_CLI_SEAL,
	        (const struct wire_value[]){ [WIRE_CLI_SEAL_NAME] = WIRE_B(bytes_text(call->name)),
	                                     [WIRE_CLI_SEAL_DRIVER] = WIRE_B(bytes_text(driver)),
	                                     [WIRE_CLI_SEAL_PARAMETERS] = WIRE_B(parameters) });
	if (result_ok(result))
		result = cli_ask(&channel, &message);
	if (result_ok(result) && message.row->number != WIRE_CLI_SEALED)
		result = FAIL(ERROR_INPUT, "an answer to something else");
	if (!result_ok(result)) {
		cli_fail(0, "the parameters were not sealed: %s", result.detail);
		return false;
	}
	struct bytes problem = message.fields[WIRE_CLI_SEALED_PROBLEM].bytes;
	if (problem.length) {
		cli_fail(0, "the parameters were not sealed: %.*s", (int)problem.length,
		         (const char *)problem.data);
		return false;
	}
	buffer_put(blob, message.fields[WIRE_CLI_SEALED_BLOB].bytes);
	return true;
}

static void driver_free(struct cli_driver **driver)
{
	cli_driver_done(*driver);
	free(*driver);
}

int cli_connection_add(struct cli_call *call)
{
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));
	const char *name = cli_option(call, "driver");
	struct buffer parameters cleanup(buffer_done) = { 0 };
	struct buffer blob cleanup(buffer_done) = { 0 };
	struct buffer arguments cleanup(buffer_done) = { 0 };

	buffer_init_secret(&parameters, PARAMETERS_MAX);
	buffer_init(&blob, BLOB_MAX);
	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	if (!driver)
		return cli_fail(CLI_FAILED, "no memory");
	if (!cli_driver_read(call, name, driver) || !check_options(call, driver) ||
	    !gather(call, driver, &parameters) ||
	    !seal(call, name, buffer_view(&parameters), &blob))
		return CLI_FAILED;
	cli_put_argument(&arguments, "name", call->name);
	cli_put_argument(&arguments, "driver", name);
	cli_put_argument(&arguments, "kind", driver->kind);
	for (int i = 0; i < call->count; i++)
		if (strcmp(call->options[i].name, "policy") == 0)
			cli_put_argument(&arguments, "policy", call->options[i].value);
	return cli_command(call, "connection add", buffer_view(&arguments), buffer_view(&blob));
}

static const char *fallback_text(const struct cli_parameter *parameter)
{
	if (!parameter->fallback)
		return "";
	switch (parameter->fallback->kind) {
	case CLI_JSON_TRUE: return "yes";
	case CLI_JSON_FALSE: return "no";
	default: return parameter->fallback->text ? parameter->fallback->text : "";
	}
}

int cli_connection_describe(struct cli_call *call)
{
	static const char *const types[] = { "text", "number", "flag", "choice" };
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));

	if (!driver)
		return cli_fail(CLI_FAILED, "no memory");
	if (!cli_driver_read(call, call->name, driver))
		return CLI_FAILED;
	printf("driver %s %s, kind %s\n", call->name, driver->version ? driver->version : "?",
	       driver->kind);
	for (int i = 0; i < driver->count; i++) {
		const struct cli_parameter *p = &driver->parameters[i];
		const char *fallback = fallback_text(p);
		printf("  %s (%s%s%s%s%s)\n      %s\n", p->name, types[p->type],
		       p->required ? ", required" : "", p->secret ? ", secret" : "",
		       fallback[0] ? ", default " : "", fallback, p->help ? p->help : "");
	}
	return 0;
}
