// Values for a driver's parameters, checked by what the driver says of them; and the grants that
// its sandbox gets for them.
#include "describe.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "jail/foreign.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put_number(struct buffer *json, const struct cli_parameter *parameter,
                       const char *value, char wanted[static 256])
{
	bool negative = value[0] == '-';
	uint64_t size = 0;
	bool good = text_to_number(bytes_text(value + negative), INT64_MAX, &size) &&
	            !(negative && size == 0);
	int64_t number = negative ? -(int64_t)size : (int64_t)size;

	size_t length = (size_t)snprintf(wanted, 256, "a whole number");
	if (parameter->min != INT64_MIN)
		length += (size_t)snprintf(wanted + length, 256 - length, " from %lld",
		                           (long long)parameter->min);
	if (parameter->max != INT64_MAX)
		(void)snprintf(wanted + length, 256 - length, " to %lld",
		               (long long)parameter->max);
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

static bool put_text(struct buffer *json, const struct cli_parameter *parameter, const char *value,
                     char wanted[static 256])
{
	long long least = parameter->min > 1 ? parameter->min : 1;
	long long most = parameter->max < CLI_VALUE_MAX && parameter->max > 0 ? parameter->max
	                                                                      : CLI_VALUE_MAX;
	long long length = (long long)strlen(value);

	(void)snprintf(wanted, 256, "a text of %lld to %lld bytes in UTF-8", least, most);
	if (length < least || length > most || !text_is_utf8(bytes_text(value)))
		return false;
	json_put_text(json, bytes_text(value));
	return true;
}

// A path; what is in the file is the driver's business.
static bool put_file(struct buffer *json, const char *value, char wanted[static 256])
{
	struct stat about;

	(void)snprintf(wanted, 256, "the absolute path of a file or folder that is there");
	if (value[0] != '/' || strpbrk(value, "\n\r") || !text_is_utf8(bytes_text(value)) ||
	    stat(value, &about) != 0)
		return false;
	json_put_text(json, bytes_text(value));
	return true;
}

bool cli_put_value(struct buffer *json, const struct cli_parameter *parameter, const char *value,
                   char ret_wanted[static 256])
{
	switch (parameter->type) {
	case CLI_NUMBER: return put_number(json, parameter, value, ret_wanted);
	case CLI_FLAG: return put_flag(json, value, ret_wanted);
	case CLI_CHOICE: return put_choice(json, parameter, value, ret_wanted);
	case CLI_FILE: return put_file(json, value, ret_wanted);
	case CLI_TEXT: break;
	}
	return put_text(json, parameter, value, ret_wanted);
}

// --- grants

// The value that will hold for a parameter, as a text; NULL: it has none.
static const char *value_of(const struct cli_parameter *parameter, const struct cli_json *given,
                            const struct cli_json *before)
{
	const struct cli_json *value = cli_json_member(given, parameter->name);

	if (value && value->kind == CLI_JSON_NULL)
		value = parameter->fallback;
	else if (!value)
		value = cli_json_member(before, parameter->name);
	if (!value)
		value = parameter->fallback;
	return value && value->kind >= CLI_JSON_NUMBER ? value->text : NULL;
}

static bool put_port(struct buffer *grants, struct bytes digits)
{
	uint64_t port;

	if (!text_to_number(digits, 65535, &port) || port == 0)
		return false;
	buffer_printf(grants, "port %llu\n", (unsigned long long)port);
	return true;
}

// One address: a port, HOST:PORT, or a URL, which may leave the port to its scheme.
static bool put_address(struct buffer *grants, struct bytes address)
{
	bool https = bytes_start_with(address, "https://");
	bool http = bytes_start_with(address, "http://");
	size_t colon = address.length;

	if (https || http)
		address = bytes_slice(address, https ? 8 : 7, address.length);
	if (https || http)
		address = bytes_slice(address, 0, bytes_find(address, '/'));
	for (size_t i = 0; i < address.length; i++)
		if (address.data[i] == ':')
			colon = i;
		else if (address.data[i] == ']')
			colon = address.length; // of an IPv6 address
	if (colon < address.length)
		return put_port(grants, bytes_slice(address, colon + 1, address.length));
	return put_port(grants, https  ? BYTES_LITERAL("443")
	                        : http ? BYTES_LITERAL("80")
	                               : address);
}

// Several addresses may stand in one parameter, with commas or spaces between.
static bool put_addresses(struct buffer *grants, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ", \n");
		if (length && !put_address(grants, bytes_from(text, length)))
			return false;
		text += length + (text[length] != '\0');
	}
	return true;
}

static bool put_ports(struct buffer *grants, const struct cli_driver *driver,
                      const struct cli_json *list, const struct cli_json *given,
                      const struct cli_json *before)
{
	for (const struct cli_json *one = list->first; one; one = one->next) {
		const struct cli_parameter *parameter =
		        cli_parameter(driver, bytes_text(one->text));
		const char *value = parameter ? value_of(parameter, given, before) : one->text;
		if (value && !put_addresses(grants, value)) {
			cli_fail(0,
			         "the parameter %s should be a port, an address with a port, or "
			         "a URL",
			         one->text);
			return false;
		}
	}
	return true;
}

bool cli_put_grants(struct buffer *grants, const struct cli_driver *driver,
                    const struct cli_json *given, const struct cli_json *before)
{
	const struct cli_json *connect = cli_json_member(driver->sandbox, "connect");
	const struct cli_json *read = cli_json_member(driver->sandbox, "read");

	if (connect && connect->kind != CLI_JSON_FALSE)
		buffer_put_text(grants, "connect\n");
	if (connect && connect->kind == CLI_JSON_LIST &&
	    !put_ports(grants, driver, connect, given, before))
		return false;
	if (cli_json_true(driver->sandbox, "processes"))
		buffer_put_text(grants, "processes\n");
	for (const struct cli_json *one = read ? read->first : NULL; one; one = one->next)
		buffer_printf(grants, "read %s\n", one->text);
	for (int i = 0; i < driver->count; i++) {
		const struct cli_parameter *parameter = &driver->parameters[i];
		const char *value = value_of(parameter, given, before);
		if (parameter->type == CLI_FILE && value)
			buffer_printf(grants, "read %s\n", value);
	}
	struct jail_foreign foreign;
	if (!grants->failed && result_ok(jail_foreign_read(buffer_view(grants), &foreign)))
		return true;
	cli_fail(0, "the driver wants more ports and files than its sandbox can have");
	return false;
}
