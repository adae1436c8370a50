// The JSON writer.
#include "api/json.h"

#include "base/text.h"

void api_json_name(struct api_json *json, const char *name)
{
	if (json->comma)
		buffer_put_byte(json->buffer, ',');
	json->comma = false;
	if (!name)
		return;
	size_t length = strlen(name);
	uint8_t *room = buffer_room(json->buffer, length + 3);
	if (!room)
		return;
	room[0] = '"';
	memcpy(room + 1, name, length); // names are words of ours: nothing in them is escaped
	memcpy(room + 1 + length, "\":", 2);
	buffer_grew(json->buffer, length + 3);
}

void api_json_open(struct api_json *json, const char *name, char bracket)
{
	api_json_name(json, name);
	buffer_put_byte(json->buffer, (uint8_t)bracket);
}

void api_json_close(struct api_json *json, char bracket)
{
	buffer_put_byte(json->buffer, (uint8_t)bracket);
	json->comma = true;
}

void api_json_bytes(struct api_json *json, const char *name, struct bytes text)
{
	api_json_name(json, name);
	json_put_text(json->buffer, text);
	json->comma = true;
}

void api_json_text(struct api_json *json, const char *name, const char *text)
{
	api_json_bytes(json, name, bytes_text(text));
}

void api_json_text_or_null(struct api_json *json, const char *name, const char *text)
{
	if (text && text[0])
		api_json_text(json, name, text);
	else
		api_json_null(json, name);
}

void api_json_raw(struct api_json *json, const char *name, const char *text)
{
	api_json_name(json, name);
	buffer_put_text(json->buffer, text);
	json->comma = true;
}

void api_json_number(struct api_json *json, const char *name, int64_t number)
{
	api_json_name(json, name);
	buffer_put_number(json->buffer, number);
	json->comma = true;
}

void api_json_flag(struct api_json *json, const char *name, bool flag)
{
	api_json_raw(json, name, flag ? "true" : "false");
}

void api_json_null(struct api_json *json, const char *name)
{
	api_json_raw(json, name, "null");
}
