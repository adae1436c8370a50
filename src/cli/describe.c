// Running `--describe` and reading its answer. It comes from a program that may be anything, so
// every part of it is checked before it is used.
#include "run_driver.h"

#include "parent/launch.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DESCRIPTION_MAX = 256 * 1024 };

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

static const char *const types[] = {
	[CLI_TEXT] = "text",     [CLI_NUMBER] = "number", [CLI_FLAG] = "flag",
	[CLI_CHOICE] = "choice", [CLI_FILE] = "file",
};

const char *cli_type_name(enum cli_type type)
{
	return types[type];
}

static bool read_type(const struct cli_json *json, enum cli_type *ret_type)
{
	const char *type = cli_json_text(json, "type");

	for (int i = 0; type && i <= CLI_FILE; i++)
		if (strcmp(type, types[i]) == 0) {
			*ret_type = (enum cli_type)i;
			return true;
		}
	return false;
}

// Names of drivers and parameters are 1 to 48 of a-z, 0-9 and one more character.
static bool is_word(const char *name, char also)
{
	size_t length = name ? strlen(name) : 0;

	for (size_t i = 0; i < length; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
		    name[i] != also)
			return false;
	return length > 0 && length <= CLI_DRIVER_NAME_MAX;
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
	return is_word(parameter->name, '_') && read_type(json, &parameter->type) &&
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
		    !read_parameter(one, &driver->parameters[driver->count]) ||
		    cli_parameter(driver, bytes_text(driver->parameters[driver->count].name)))
			return false;
		driver->count++;
	}
	return true;
}

static bool is_list_of_texts(const struct cli_json *list)
{
	if (!list || list->kind != CLI_JSON_LIST)
		return false;
	for (const struct cli_json *one = list->first; one; one = one->next)
		if (one->kind != CLI_JSON_TEXT || !one->text[0])
			return false;
	return true;
}

static bool is_flag(const struct cli_json *json)
{
	return json->kind == CLI_JSON_TRUE || json->kind == CLI_JSON_FALSE;
}

// `connect` is a flag, or the list of the parameters that hold ports or addresses.
static bool connect_is_good(const struct cli_driver *driver, const struct cli_json *connect)
{
	if (is_flag(connect))
		return true;
	if (!is_list_of_texts(connect))
		return false;
	for (const struct cli_json *one = connect->first; one; one = one->next) {
		const struct cli_parameter *parameter =
		        cli_parameter(driver, bytes_text(one->text));
		if (!parameter || parameter->secret)
			return false;
	}
	return connect->first;
}

static bool paths_are_good(const struct cli_json *list)
{
	if (!is_list_of_texts(list))
		return false;
	for (const struct cli_json *one = list->first; one; one = one->next)
		if (one->text[0] != '/' || strpbrk(one->text, "\n\r"))
			return false;
	return true;
}

// A member that we do not know might be a wish that we do not fulfil.
static bool read_sandbox(const struct cli_json *root, struct cli_driver *driver)
{
	const struct cli_json *sandbox = cli_json_member(root, "sandbox");

	driver->sandbox = sandbox;
	if (!sandbox)
		return true;
	for (const struct cli_json *one = sandbox->first; one; one = one->next) {
		bool good = strcmp(one->name ? one->name : "", "connect") == 0
		                    ? connect_is_good(driver, one)
		            : strcmp(one->name ? one->name : "", "read") == 0
		                    ? paths_are_good(one)
		                    : strcmp(one->name ? one->name : "", "processes") == 0 &&
		                              is_flag(one);
		if (!good)
			return false;
	}
	return sandbox->kind == CLI_JSON_OBJECT;
}

static bool contract_is_ours(const struct cli_json *root, const char **ret_why)
{
	const struct cli_json *contract = cli_json_member(root, "contract");
	uint64_t number = 0;

	*ret_why = "its description has no `contract` number";
	if (!contract || contract->kind != CLI_JSON_NUMBER ||
	    !text_to_number(bytes_text(contract->text), INT32_MAX, &number) || number == 0)
		return false;
	*ret_why = "it was written for a newer version of the contract than this onfile knows (1); "
	           "install a newer onfile, or an older driver";
	return number == CLI_CONTRACT;
}

static bool read_head(const struct cli_json *root, struct cli_driver *driver, const char **ret_why)
{
	driver->name = cli_json_text(root, "name");
	driver->kind = cli_json_text(root, "kind");
	driver->version = cli_json_text(root, "version");
	driver->operations = cli_json_member(root, "operations");
	driver->checks = cli_json_true(root, "checks");
	*ret_why = "its name is not 1 to 48 of a-z, 0-9 and -";
	if (!is_word(driver->name, '-'))
		return false;
	*ret_why = "its version is not a short printable text";
	if (!driver->version || !text_is_printable(bytes_text(driver->version)) ||
	    strlen(driver->version) > 40)
		return false;
	*ret_why = "its kind is neither bank nor authentication";
	if (!driver->kind ||
	    (strcmp(driver->kind, "bank") != 0 && strcmp(driver->kind, "authentication") != 0))
		return false;
	*ret_why = "its operations are not a list of names";
	return is_list_of_texts(driver->operations) && driver->operations->first;
}

bool cli_driver_parse(struct bytes text, struct cli_driver *ret_driver, const char **ret_why)
{
	struct result result = cli_json_read(text, &ret_driver->document);
	const struct cli_json *root = &ret_driver->document.nodes[0];

	ret_driver->count = 0;
	*ret_why = result.detail;
	if (!result_ok(result))
		return false;
	if (!contract_is_ours(root, ret_why) || !read_head(root, ret_driver, ret_why))
		return false;
	*ret_why = "its parameters are not a list of at most 64, each with a name (a-z, 0-9, _) of "
	           "its own, a type (text, number, flag, choice with choices, file) and whole "
	           "numbers as min and max";
	if (!read_parameters(root, ret_driver))
		return false;
	*ret_why = "its sandbox is not made of connect (true, or names of its parameters, none of "
	           "them secret), read (absolute paths) and processes (true)";
	return read_sandbox(root, ret_driver);
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

// --- asking for it

bool cli_driver_read_file(const struct cli_call *call, int program, const char *title,
                          struct cli_driver *ret_driver)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	const char *why = "";

	buffer_init(&text, DESCRIPTION_MAX);
	const struct jail_foreign nothing = { 0 };
	if (!cli_run_driver(
	            &(struct cli_run){ .program = program,
	                               .name = title,
	                               .argument = "--describe",
	                               .user = config_user(&call->config, CONFIG_USER_DRIVERS),
	                               .foreign = &nothing },
	            &text)) {
		cli_fail(0,
		         "%s did not describe itself: it has to print its description when it is "
		         "called with --describe, with no network and no files, and exit with 0",
		         title);
		return false;
	}
	if (cli_driver_parse(buffer_view(&text), ret_driver, &why))
		return true;
	cli_fail(0, "%s cannot be used: %s", title, why);
	return false;
}

int cli_driver_open(const struct cli_call *call, const char *name)
{
	int folder cleanup(cleanup_fd) =
	        open(call->config.drivers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char file[CLI_DRIVER_NAME_MAX + sizeof("driver-")];
	const char *why = "the drivers' folder cannot be opened";

	(void)snprintf(file, sizeof(file), "driver-%s", name);
	int program = !is_word(name, '-') || folder < 0 ? -1 : launch_open(folder, file, &why);
	if (program < 0)
		cli_fail(0, "the driver %s in %s cannot be used: %s", name, call->config.drivers,
		         is_word(name, '-') ? why : "a driver's name is of a-z, 0-9 and -");
	return program;
}

bool cli_driver_read(const struct cli_call *call, const char *name, struct cli_driver *ret_driver)
{
	int program cleanup(cleanup_fd) = cli_driver_open(call, name);
	char file[CLI_DRIVER_NAME_MAX + sizeof("driver-")];

	(void)snprintf(file, sizeof(file), "driver-%s", name);
	return program >= 0 && cli_driver_read_file(call, program, file, ret_driver);
}
