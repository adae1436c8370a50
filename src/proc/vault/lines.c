// Reading the heads of drivers' lines, and writing the card into core's lines.
#include "lines.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <jansson.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

static void skip_space(struct bytes *rest)
{
	while (rest->length > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
		*rest = bytes_slice(*rest, 1, rest->length);
}

// Takes `text` from the front, and white space behind it.
static bool take(struct bytes *rest, const char *text)
{
	if (!bytes_start_with(*rest, text))
		return false;
	*rest = bytes_slice(*rest, strlen(text), rest->length);
	skip_space(rest);
	return true;
}

static bool take_number(struct bytes *rest, int64_t *ret_number)
{
	size_t digits = 0;
	uint64_t number = 0;

	while (digits < rest->length && rest->data[digits] >= '0' && rest->data[digits] <= '9')
		digits++;
	if (!text_to_number(bytes_slice(*rest, 0, digits), INT64_MAX, &number))
		return false;
	*rest = bytes_slice(*rest, digits, rest->length);
	skip_space(rest);
	*ret_number = (int64_t)number;
	return true;
}

bool vault_line_head(struct bytes line, int64_t *ret_id)
{
	return take(&line, "{") && take(&line, "\"id\"") && take(&line, ":") &&
	       take_number(&line, ret_id) && line.length > 0 &&
	       (line.data[0] == ',' || line.data[0] == '}');
}

bool vault_line_id(struct bytes line, int64_t *ret_id)
{
	return vault_line_head(line, ret_id) && line.data[line.length - 1] == '}';
}

static bool read_late(const json_t *late, struct vault_notice *notice)
{
	const json_t *request = json_object_get(late, "request");

	if (!json_is_integer(request) || json_integer_value(request) <= 0)
		return false;
	notice->request = json_integer_value(request);
	size_t length = json_dumpb(late, NULL, 0, JSON_COMPACT);
	uint8_t *room = buffer_room(&notice->answer, length);
	if (!room || json_dumpb(late, (char *)room, length, JSON_COMPACT) != length)
		return false;
	buffer_grew(&notice->answer, length);
	return true;
}

void vault_notice_read(struct bytes line, struct vault_notice *ret_notice)
{
	*ret_notice = (struct vault_notice){ 0 };
	buffer_init_secret(&ret_notice->answer, VAULT_LINE_MAX);
	cleanup(cleanup_json) json_t *object =
	        json_loadb((const char *)line.data, line.length, JSON_REJECT_DUPLICATES, NULL);
	const char *state = json_string_value(json_object_get(object, "state"));
	const char *detail = json_string_value(json_object_get(object, "detail"));
	if (detail &&
	    !bytes_copy_text(bytes_text(detail), ret_notice->detail, sizeof(ret_notice->detail)))
		memcpy(ret_notice->detail, detail, sizeof(ret_notice->detail) - 1);
	if (state && strcmp(state, "up") == 0)
		ret_notice->kind = VAULT_NOTICE_UP;
	else if (state && strcmp(state, "down") == 0)
		ret_notice->kind = VAULT_NOTICE_DOWN;
	else if (read_late(json_object_get(object, "late"), ret_notice))
		ret_notice->kind = VAULT_NOTICE_LATE;
}

void vault_notice_done(struct vault_notice *notice)
{
	buffer_done(&notice->answer);
}

bool vault_line_put(struct buffer *buffer, struct bytes line, struct bytes number,
                    unsigned exp_month, unsigned exp_year, struct bytes code)
{
	if (!bytes_start_with(line, "{\"") || line.data[line.length - 1] != '}' ||
	    bytes_find(line, '\n') != line.length)
		return false;
	if (number.length > 0) {
		buffer_put_text(buffer, "{\"card\":{\"number\":\"");
		buffer_put(buffer, number);
		buffer_printf(buffer, "\",\"exp_month\":%u,\"exp_year\":%u", exp_month, exp_year);
		if (code.length > 0) {
			buffer_put_text(buffer, ",\"cvc\":\"");
			buffer_put(buffer, code);
			buffer_put_byte(buffer, '"');
		}
		buffer_put_text(buffer, "},");
		line = bytes_slice(line, 1, line.length);
	}
	buffer_put(buffer, line);
	buffer_put_byte(buffer, '\n');
	return !buffer->failed;
}
