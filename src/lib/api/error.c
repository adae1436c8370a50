// Errors about requests.
#include "api/error.h"

#include "api/json.h"

#include <stdarg.h>
#include <stdio.h>

void api_show(struct bytes from, char *ret_text, size_t capacity)
{
	size_t length = from.length < capacity ? from.length : capacity - 1;

	for (size_t i = 0; i < length; i++)
		ret_text[i] =
		        from.data[i] >= 0x20 && from.data[i] < 0x7f ? (char)from.data[i] : '?';
	ret_text[length] = '\0';
	if (from.length >= capacity && capacity > 4)
		memcpy(ret_text + capacity - 4, "...", 3);
}

bool api_fail(struct api_error *ret_error, int status, const char *code, const char *param,
              const char *format, ...)
{
	va_list arguments;

	*ret_error =
	        (struct api_error){ .status = status,
		                    .type = status < 500 ? "invalid_request_error" : "api_error",
		                    .code = code };
	api_show(bytes_text(param), ret_error->param, sizeof(ret_error->param));
	va_start(arguments, format);
	vsnprintf(ret_error->message, sizeof(ret_error->message), format, arguments);
	va_end(arguments);
	return false;
}

bool api_fail_missing_object(struct api_error *ret_error, const char *what, const char *param,
                             struct bytes id)
{
	char shown[80];

	api_show(id, shown, sizeof(shown));
	return api_fail(ret_error, 404, "resource_missing", param, "No such %s: '%s'", what, shown);
}

bool api_fail_missing_param(struct api_error *ret_error, const char *param)
{
	return api_fail(ret_error, 400, "parameter_missing", param, "Missing required param: %s.",
	                param);
}

void api_error_put(struct buffer *buffer, const struct api_error *error)
{
	struct api_json json = api_json_on(buffer);

	api_json_open(&json, NULL, '{');
	api_json_open(&json, "error", '{');
	if (error->code)
		api_json_text(&json, "code", error->code);
	api_json_text(&json, "message", error->message);
	if (error->param[0])
		api_json_text(&json, "param", error->param);
	api_json_text(&json, "type", error->type);
	api_json_close(&json, '}');
	api_json_close(&json, '}');
}
