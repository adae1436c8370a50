// `onfile connection add`: asks the driver which parameters it needs, checks what is given, asks on
// the terminal for what is missing, has vault seal it, and gives the sealed blob to core.
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { DESCRIBE_LIMIT = 256 * 1024 };

static void json_free(json_t **object)
{
	json_decref(*object);
}

// Runs `driver-NAME --describe` and reads what it prints.
static json_t *describe(const struct command *command, const char *driver)
{
	char path[CONFIG_TEXT_MAX + 80];
	struct buffer text cleanup(buffer_done);
	int ends[2];
	int status;

	buffer_init(&text, DESCRIBE_LIMIT);
	snprintf(path, sizeof(path), "%s/driver-%s", command->config.drivers, driver);
	if (pipe(ends) != 0)
		return NULL;
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		execl(path, path, "--describe", NULL);
		_exit(127);
	}
	close(ends[1]);
	for (uint8_t *room; (room = buffer_room(&text, 4096));) {
		ssize_t got = read(ends[0], room, 4096);
		if (got <= 0)
			break;
		buffer_grew(&text, (size_t)got);
	}
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return NULL;
	return json_loads(buffer_text(&text), JSON_REJECT_DUPLICATES, NULL);
}

// The value that --set gave for a parameter, or NULL.
static const char *given(const struct command *command, const char *name)
{
	size_t length = strlen(name);

	for (int i = 0; i + 1 < command->count; i++) {
		const char *value = command->words[i + 1];
		if (strcmp(command->words[i], "--set") == 0 && strncmp(value, name, length) == 0 &&
		    value[length] == '=')
			return value + length + 1;
	}
	return NULL;
}

static const char *help_of(const json_t *parameter)
{
	const char *help =
	        json_string_value(json_object_get(json_object_get(parameter, "help"), "en"));

	return help ? help : "";
}

// Asks on the terminal; a secret is not shown while it is typed.
static char *ask(const json_t *parameter, const char *name)
{
	bool secret = json_is_true(json_object_get(parameter, "secret"));
	struct termios old, silent;
	char *line = NULL;
	size_t size = 0;

	if (!isatty(0))
		return NULL;
	fprintf(stderr, "%s (%s): ", name, help_of(parameter));
	if (secret && tcgetattr(0, &old) == 0) {
		silent = old;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(0, TCSANOW, &silent);
	}
	ssize_t length = getline(&line, &size, stdin);
	if (secret) {
		tcsetattr(0, TCSANOW, &old);
		fputc('\n', stderr);
	}
	if (length > 0 && line[length - 1] == '\n')
		line[length - 1] = '\0';
	return line;
}

static json_t *number_value(const json_t *parameter, const char *text)
{
	uint64_t number;
	json_t *least = json_object_get(parameter, "min");
	json_t *most = json_object_get(parameter, "max");

	if (!text_to_number(bytes_text(text), INT64_MAX, &number) ||
	    (least && (int64_t)number < json_integer_value(least)) ||
	    (most && (int64_t)number > json_integer_value(most)))
		return NULL;
	return json_integer((json_int_t)number);
}

static json_t *choice_value(const json_t *parameter, const char *text)
{
	const json_t *choices = json_object_get(parameter, "choices");
	const json_t *choice;
	size_t i;

	json_array_foreach(choices, i, choice)
	{
		if (json_string_value(choice) && strcmp(json_string_value(choice), text) == 0)
			return json_string(text);
	}
	return NULL;
}

// The value as the parameter's type wants it; NULL when it does not fit.
static json_t *typed_value(const json_t *parameter, const char *text)
{
	const char *type = json_string_value(json_object_get(parameter, "type"));

	if (!type)
		return NULL;
	if (strcmp(type, "number") == 0)
		return number_value(parameter, text);
	if (strcmp(type, "choice") == 0)
		return choice_value(parameter, text);
	if (strcmp(type, "flag") == 0)
		return strcmp(text, "yes") == 0 || strcmp(text, "true") == 0   ? json_true()
		       : strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ? json_false()
		                                                               : NULL;
	return text[0] ? json_string(text) : NULL;
}

static bool take_parameter(const struct command *command, const json_t *parameter, json_t *values)
{
	const char *name = json_string_value(json_object_get(parameter, "name"));
	bool required = json_is_true(json_object_get(parameter, "required"));
	char *asked cleanup(cleanup_free) = NULL;

	if (!name)
		return true;
	const char *text = given(command, name);
	if (!text && required)
		text = asked = ask(parameter, name);
	if (!text && !required)
		return true;
	if (!text) {
		fprintf(stderr, "onfile: the parameter `%s` is missing: %s (--set %s=…)\n", name,
		        help_of(parameter), name);
		return false;
	}
	json_t *value = typed_value(parameter, text);
	if (!value) {
		fprintf(stderr, "onfile: `%s` does not fit this parameter: %s\n", name,
		        help_of(parameter));
		return false;
	}
	json_object_set_new(values, name, value);
	return true;
}

// Every --set must name a parameter of the driver.
static bool all_known(const struct command *command, const json_t *parameters)
{
	for (int i = 0; i + 1 < command->count; i++) {
		const char *set = command->words[i + 1];
		const json_t *parameter;
		bool known = false;
		size_t k;
		if (strcmp(command->words[i], "--set") != 0)
			continue;
		json_array_foreach(parameters, k, parameter)
		{
			const char *name = json_string_value(json_object_get(parameter, "name"));
			size_t length = name ? strlen(name) : 0;
			known |= name && strncmp(set, name, length) == 0 && set[length] == '=';
		}
		if (!known) {
			fprintf(stderr, "onfile: the driver has no such parameter: %.*s\n",
			        (int)strcspn(set, "="), set);
			return false;
		}
	}
	return true;
}

// Has vault seal the parameters. The blob is appended to `ret_blob`.
static bool seal(const struct command *command, const char *name, const char *driver,
                 const char *parameters, struct buffer *ret_blob)
{
	struct wire_channel channel;
	struct wire_message message;
	const struct wire_value values[] = {
		[WIRE_CLI_SEAL_NAME] = WIRE_B(bytes_text(name)),
		[WIRE_CLI_SEAL_DRIVER] = WIRE_B(bytes_text(driver)),
		[WIRE_CLI_SEAL_PARAMETERS] = WIRE_B(bytes_text(parameters)),
	};

	if (!control_open(command, "root.sock", WIRE_PARENT, &channel))
		return false;
	bool good = control_send(&channel, WIRE_CLI_SEAL, values) &&
	            control_receive(&channel, &message) && message.row->number == WIRE_CLI_SEALED;
	if (good) {
		struct bytes problem = message.fields[WIRE_CLI_SEALED_PROBLEM].bytes;
		if (problem.length)
			fprintf(stderr, "onfile: %.*s\n", (int)problem.length,
			        (const char *)problem.data);
		good = problem.length == 0;
		buffer_put(ret_blob, message.fields[WIRE_CLI_SEALED_BLOB].bytes);
	}
	wire_channel_done(&channel);
	return good;
}

static void put_argument(struct buffer *arguments, const char *name, const char *value)
{
	buffer_printf(arguments, "%s=%s", name, value);
	buffer_put_byte(arguments, 0);
}

static int store(const struct command *command, const char *name, const char *driver,
                 const char *kind, struct bytes blob)
{
	struct buffer arguments cleanup(buffer_done);

	buffer_init(&arguments, 8192);
	put_argument(&arguments, "name", name);
	put_argument(&arguments, "driver", driver);
	put_argument(&arguments, "kind", kind);
	return control_command(command, "connection add", buffer_view(&arguments), blob);
}

int cli_connection_add(const struct command *command)
{
	const char *name = command_word(command, 0);
	const char *driver = command_option(command, "--driver");
	struct buffer blob cleanup(buffer_done);
	const json_t *parameter;
	size_t i;

	buffer_init(&blob, 32 * 1024);
	if (!name || !driver) {
		fprintf(stderr,
		        "usage: onfile connection add NAME --driver DRIVER [--set name=value]…\n");
		return 2;
	}
	json_t *description cleanup(json_free) = describe(command, driver);
	const json_t *parameters = json_object_get(description, "parameters");
	const char *kind = json_string_value(json_object_get(description, "kind"));
	if (!kind || !json_is_array(parameters)) {
		fprintf(stderr, "onfile: there is no driver %s, or it does not describe itself\n",
		        driver);
		return 1;
	}
	json_t *values cleanup(json_free) = json_object();
	if (!all_known(command, parameters))
		return 1;
	json_array_foreach(parameters, i, parameter)
	{
		if (!take_parameter(command, parameter, values))
			return 1;
	}
	char *text cleanup(cleanup_free) = json_dumps(values, JSON_COMPACT);
	if (!text || !seal(command, name, driver, text, &blob))
		return 1;
	return store(command, name, driver, kind, buffer_view(&blob));
}
