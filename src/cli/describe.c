// Running `--describe`, reading its answer, checking values against it.
#include "describe.h"

#include "parent/launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIBE_MS = 10000, DESCRIPTION_MAX = 256 * 1024, STEP = 16 * 1024 };

// --- reading the description

static bool read_limit(const struct cli_json *parameter, const char *name, int64_t *ret_limit)
{
	const struct cli_json *limit = cli_json_member(parameter, name);
	char *end = NULL;

	if (!limit)
		return true;
	if (limit->kind != CLI_JSON_NUMBER)
		return false;
	errno = 0;
	*ret_limit = strtoll(limit->text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool read_choices(const struct cli_json *json, struct cli_parameter *parameter)
{
	parameter->choices = cli_json_member(json, "choices");
	if (!parameter->choices || parameter->choices->kind != CLI_JSON_LIST)
		return false;
	for (const struct cli_json *one = parameter->choices->first; one; one = one->next)
		if (one->kind != CLI_JSON_TEXT)
			return false;
	return parameter->choices->first != NULL;
}

static bool read_type(const struct cli_json *json, enum cli_type *ret_type)
{
	static const char *const names[] = { "text", "number", "flag", "choice" };
	const char *type = cli_json_text(json, "type");

	for (int i = 0; type && i < 4; i++)
		if (strcmp(type, names[i]) == 0) {
			*ret_type = (enum cli_type)i;
			return true;
		}
	return false;
}

static bool read_parameter(const struct cli_json *json, struct cli_parameter *parameter)
{
	const struct cli_json *help = cli_json_member(json, "help");
	const char *language = getenv("LANG");
	const struct cli_json *fallback = cli_json_member(json, "default");

	*parameter = (struct cli_parameter){
		.name = cli_json_text(json, "name"),
		.required = cli_json_true(json, "required"),
		.secret = cli_json_true(json, "secret"),
		.min = INT64_MIN,
		.max = INT64_MAX,
		.fallback = fallback && fallback->kind != CLI_JSON_NULL ? fallback : NULL,
	};
	if (language && strncmp(language, "ru", 2) == 0)
		parameter->help = cli_json_text(help, "ru");
	if (!parameter->help)
		parameter->help = cli_json_text(help, "en");
	return parameter->name && parameter->name[0] && read_type(json, &parameter->type) &&
	       read_limit(json, "min", &parameter->min) &&
	       read_limit(json, "max", &parameter->max) &&
	       (parameter->type != CLI_CHOICE || read_choices(json, parameter));
}

static bool read_parameters(const struct cli_json *root, struct cli_driver *driver)
{
	const struct cli_json *list = cli_json_member(root, "parameters");

	if (!list || list->kind != CLI_JSON_LIST)
		return false;
	for (const struct cli_json *one = list->first; one; one = one->next) {
		if (driver->count == CLI_PARAMETERS_MAX ||
		    !read_parameter(one, &driver->parameters[driver->count]))
			return false;
		driver->count++;
	}
	return true;
}

bool cli_driver_parse(struct bytes text, struct cli_driver *ret_driver, const char **ret_why)
{
	struct result result = cli_json_read(text, &ret_driver->document);
	const struct cli_json *root = &ret_driver->document.nodes[0];
	const struct cli_json *contract = cli_json_member(root, "contract");

	ret_driver->count = 0;
	*ret_why = result.detail;
	if (!result_ok(result))
		return false;
	*ret_why = "it does not follow version 1 of the contract";
	if (!contract || contract->kind != CLI_JSON_NUMBER || strcmp(contract->text, "1") != 0)
		return false;
	ret_driver->kind = cli_json_text(root, "kind");
	ret_driver->version = cli_json_text(root, "version");
	*ret_why = "its kind is neither bank nor authentication";
	if (!ret_driver->kind || (strcmp(ret_driver->kind, "bank") != 0 &&
	                          strcmp(ret_driver->kind, "authentication") != 0))
		return false;
	*ret_why = "its parameters cannot be read";
	return read_parameters(root, ret_driver);
}

void cli_driver_done(struct cli_driver *driver)
{
	if (driver)
		cli_document_done(&driver->document);
}

const struct cli_parameter *cli_parameter(const struct cli_driver *driver, struct bytes name)
{
	for (int i = 0; i < driver->count; i++)
		if (bytes_equal_text(name, driver->parameters[i].name))
			return &driver->parameters[i];
	return NULL;
}

// --- running it

// Reads until the end, not longer than it may take.
static bool read_all(int fd, struct buffer *text)
{
	int64_t until_ms = clock_monotonic_ms() + DESCRIBE_MS;

	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int64_t wait = until_ms - clock_monotonic_ms();
		if (wait <= 0 || poll(&poller, 1, (int)wait) <= 0)
			return false;
		uint8_t *room = buffer_room(text, STEP);
		ssize_t got = room ? read(fd, room, STEP) : -1;
		if (got <= 0)
			return got == 0;
		buffer_grew(text, (size_t)got);
	}
}

static bool run_describe(int program, const char *name, uint32_t user, struct buffer *text)
{
	int output[2];
	int status = -1;

	if (pipe2(output, O_CLOEXEC) != 0)
		return false;
	pid_t pid = launch(&(struct launch){ .program = program,
	                                     .folder = -1,
	                                     .name = name,
	                                     .argument = "--describe",
	                                     .input = -1,
	                                     .output = output[1],
	                                     .channel = -1,
	                                     .user = user,
	                                     .foreign = true });
	close(output[1]);
	bool good = pid > 0 && read_all(output[0], text);
	close(output[0]);
	if (pid <= 0)
		return false;
	if (!good)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool cli_driver_read(const struct cli_call *call, const char *name, struct cli_driver *ret_driver)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	int folder cleanup(cleanup_fd) =
	        open(call->config.drivers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char file[128];
	const char *why = "the drivers' folder cannot be opened";

	buffer_init(&text, DESCRIPTION_MAX);
	buffer_init(&ret_driver->document.texts, 0);
	(void)snprintf(file, sizeof(file), "driver-%s", name);
	int program cleanup(cleanup_fd) =
	        strchr(name, '/') || folder < 0 ? -1 : launch_open(folder, file, &why);
	if (program < 0) {
		cli_fail(0, "the driver %s in %s cannot be used: %s", name, call->config.drivers,
		         why);
		return false;
	}
	if (!run_describe(program, name, config_user(&call->config, CONFIG_USER_DRIVERS), &text)) {
		cli_fail(0, "the driver %s did not describe itself", name);
		return false;
	}
	if (cli_driver_parse(buffer_view(&text), ret_driver, &why))
		return true;
	cli_fail(0, "the driver %s cannot be used: %s", name, why);
	return false;
}

// --- values

static bool put_number(struct buffer *json, const struct cli_parameter *parameter,
                       const char *value, char wanted[static 256])
{
	bool negative = value[0] == '-';
	uint64_t size = 0;
	bool good = text_to_number(bytes_text(value + negative), INT64_MAX, &size) &&
	            !(negative && size == 0);
	int64_t number = negative ? -(int64_t)size : (int64_t)size;

	if (parameter->min == INT64_MIN || parameter->max == INT64_MAX)
		(void)snprintf(wanted, 256, "a whole number");
	else
		(void)snprintf(wanted, 256, "a whole number from %lld to %lld",
		               (long long)parameter->min, (long long)parameter->max);
	if (!good || number < parameter->min || number > parameter->max)
		return false;
	buffer_printf(json, "%lld", (long long)number);
	return true;
}

static bool put_flag(struct buffer *json, const char *value, char wanted[static 256])
{
	bool yes = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;

	(void)snprintf(wanted, 256, "yes or no");
	if (!yes && strcmp(value, "no") != 0 && strcmp(value, "false") != 0)
		return false;
	buffer_put_text(json, yes ? "true" : "false");
	return true;
}

static bool put_choice(struct buffer *json, const struct cli_parameter *parameter,
                       const char *value, char wanted[static 256])
{
	size_t length = (size_t)snprintf(wanted, 256, "one of:");

	for (const struct cli_json *one = parameter->choices->first; one; one = one->next) {
		if (strcmp(one->text, value) == 0) {
			json_put_text(json, bytes_text(value));
			return true;
		}
		if (length < 256)
			length += (size_t)snprintf(wanted + length, 256 - length, " %s", one->text);
	}
	return false;
}

bool cli_put_value(struct buffer *json, const struct cli_parameter *parameter, const char *value,
                   char ret_wanted[static 256])
{
	switch (parameter->type) {
	case CLI_NUMBER: return put_number(json, parameter, value, ret_wanted);
	case CLI_FLAG: return put_flag(json, value, ret_wanted);
	case CLI_CHOICE: return put_choice(json, parameter, value, ret_wanted);
	case CLI_TEXT: break;
	}
	(void)snprintf(ret_wanted, 256, "a text of 1 to %d bytes in UTF-8", CLI_VALUE_MAX);
	if (!value[0] || strlen(value) > CLI_VALUE_MAX || !text_is_utf8(bytes_text(value)))
		return false;
	json_put_text(json, bytes_text(value));
	return true;
}
