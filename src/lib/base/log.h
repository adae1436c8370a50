// One line on standard error for each event: `time=… level=info program=core event=ready
// port=8081`. Only programs log (src/proc, src/drivers, bank, shop); libraries return results. A
// key must be in log_keys.def, the list of what may be shown; the value of any other key is written
// as [hidden].
#pragma once

#include "base/bytes.h"
#include "base/result.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	const char *text; // NULL: the field is a number
	long long number;
};

#define LOG_TEXT(key, text) ((struct log_field){ (key), (text), 0 })
#define LOG_NUMBER(key, number) ((struct log_field){ (key), NULL, (long long)(number) })
// The private detail of a result, and its name.
#define LOG_RESULT(result)                                                                         \
	LOG_TEXT("error", error_name((result).error)), LOG_TEXT("detail", (result).detail)

// Names the program in every later line. Called once, at the start of main().
void log_init(const char *program);
// Lines below this level are not written; LOG_INFO at the start.
void log_set_level(enum log_level level);

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                size_t count);

#define log_event(level, event, ...)                                                               \
	log_fields((level), (event), (const struct log_field[]){ { 0 }, ##__VA_ARGS__ } + 1,       \
	           sizeof((const struct log_field[]){ { 0 }, ##__VA_ARGS__ }) /                    \
	                           sizeof(struct log_field) -                                      \
	                   1)
