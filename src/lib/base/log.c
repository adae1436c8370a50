// Writing log lines: one write() each, so that lines of several programs do not mix.
#include "base/log.h"

#include "base/buffer.h"
#include "base/clock.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static const char *program_name = "onfile";
static enum log_level lowest_level = LOG_INFO;

void log_init(const char *program)
{
	tzset(); // reads a file, which a program in its jail may not
	program_name = program;
}

void log_set_level(enum log_level level)
{
	lowest_level = level;
}

static bool key_is_shown(const char *key)
{
	static const char *const keys[] = {
#define LOG_KEY(name) #name,
#include "base/log_keys.def"
#undef LOG_KEY
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void put_time(struct buffer *line)
{
	int64_t now_ms = clock_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	char text[32];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	buffer_printf(line, "time=%s.%03dZ", text, (int)(now_ms % 1000));
}

// Anything but printable ASCII becomes '?', a quote becomes an apostrophe: a line stays a line.
static void put_value(struct buffer *line, const char *text)
{
	bool quoted = text[0] == '\0' || strpbrk(text, " =\"") != NULL;

	if (quoted)
		buffer_put_byte(line, '"');
	for (; *text; text++) {
		char c = *text;
		if (c < 0x20 || c > 0x7e)
			c = '?';
		buffer_put_byte(line, (uint8_t)(c == '"' ? '\'' : c));
	}
	if (quoted)
		buffer_put_byte(line, '"');
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                size_t count)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	struct buffer line;

	if (level < lowest_level)
		return;
	buffer_init(&line, LINE_MAX_BYTES);
	put_time(&line);
	buffer_printf(&line, " level=%s program=%s event=%s", levels[level], program_name, event);
	for (size_t i = 0; i < count; i++) {
		buffer_printf(&line, " %s=", fields[i].key);
		if (!key_is_shown(fields[i].key))
			buffer_put_text(&line, "[hidden]");
		else if (fields[i].text)
			put_value(&line, fields[i].text);
		else
			buffer_printf(&line, "%lld", fields[i].number);
	}
	buffer_put_byte(&line, '\n');
	ssize_t written = write(STDERR_FILENO, line.data, line.length);
	(void)written; // a log that cannot be written has nobody to be told to
	buffer_done(&line);
}
