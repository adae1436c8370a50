// Writes JSON into a bounded buffer: opening, closing, members, the commas between them. `name` is
// NULL for elements of an array and for the outermost value. No reading and no checks of nesting:
// the callers are tables and short functions.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

struct api_json {
	struct buffer *buffer;
	bool comma; // a member went before on this level
};

static inline struct api_json api_json_on(struct buffer *buffer)
{
	return (struct api_json){ buffer, false };
}

void api_json_open(struct api_json *json, const char *name, char bracket);
void api_json_close(struct api_json *json, char bracket);
// Writes the comma and the name; the value is written next, by one of those below with NULL as
// name, or straight into the buffer followed by api_json_done().
void api_json_name(struct api_json *json, const char *name);
static inline void api_json_done(struct api_json *json)
{
	json->comma = true;
}

void api_json_text(struct api_json *json, const char *name, const char *text);
// A text or null when it is empty.
void api_json_text_or_null(struct api_json *json, const char *name, const char *text);
void api_json_bytes(struct api_json *json, const char *name, struct bytes text);
void api_json_number(struct api_json *json, const char *name, int64_t number);
void api_json_flag(struct api_json *json, const char *name, bool flag);
void api_json_null(struct api_json *json, const char *name);
// JSON that is ready: a constant, or what was rendered before.
void api_json_raw(struct api_json *json, const char *name, const char *text);
