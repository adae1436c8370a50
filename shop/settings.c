// The configuration file as one table: a key, where its value goes, how it is read.
#include "settings.h"

#include "base/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

enum kind { TEXT, URL, NUMBER, PORT };

struct key {
	const char *name;
	enum kind kind;
	bool required;
	size_t offset;
	size_t capacity;
	uint32_t otherwise;
};

#define AT(member)                                                                                 \
	offsetof(struct shop_settings, member), sizeof(((struct shop_settings *)0)->member)

static const struct key keys[] = {
	{ "listen", TEXT, false, AT(listen), 0 },
	{ "port", PORT, true, AT(port), 0 },
	{ "url", URL, true, AT(url), 0 },
	{ "onfile_url", URL, true, AT(onfile_url), 0 },
	{ "secret_key", TEXT, true, AT(secret_key), 0 },
	{ "publishable_key", TEXT, false, AT(publishable), 0 },
	{ "sms_url", URL, true, AT(sms_url), 0 },
	{ "data", TEXT, true, AT(data), 0 },
	{ "web", TEXT, true, AT(web), 0 },
	{ "tokens", TEXT, true, AT(tokens), 0 },
	{ "support", TEXT, false, AT(support), 0 },
	{ "sms.per_minute", NUMBER, false, AT(sms_per_minute), 1 },
	{ "sms.per_ten_minutes", NUMBER, false, AT(sms_per_ten_minutes), 3 },
	{ "sms.per_day", NUMBER, false, AT(sms_per_day), 5 },
	{ "onfile.timeout_ms", NUMBER, false, AT(timeout_ms), 60000 },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static struct bytes trim(struct bytes text)
{
	while (text.length && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = bytes_slice(text, 1, text.length);
	while (text.length && strchr(" \t\r", text.data[text.length - 1]))
		text.length--;
	return text;
}

static bool is_url(struct bytes value)
{
	return (bytes_start_with(value, "http://") || bytes_start_with(value, "https://")) &&
	       text_is_printable(value) && bytes_find(value, ' ') == value.length &&
	       value.data[value.length - 1] != '/';
}

static bool set(const struct key *key, struct bytes value, struct shop_settings *settings)
{
	char *at = (char *)settings + key->offset;
	uint64_t number = 0;

	if (key->kind == TEXT || key->kind == URL)
		return value.length && (key->kind == TEXT || is_url(value)) &&
		       bytes_copy_text(value, at, key->capacity);
	if (!text_to_number(value, key->kind == PORT ? UINT16_MAX : UINT32_MAX, &number))
		return false;
	if (key->kind == PORT) {
		uint16_t port = (uint16_t)number;
		memcpy(at, &port, sizeof port);
	} else {
		uint32_t n = (uint32_t)number;
		memcpy(at, &n, sizeof n);
	}
	return true;
}

static const struct key *find(struct bytes name)
{
	for (size_t i = 0; i < KEYS; i++)
		if (bytes_equal_text(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static struct result take_line(struct bytes line, bool *seen, struct shop_settings *settings,
                               struct bytes *ret_key)
{
	size_t equals = bytes_find(line, '=');
	*ret_key = trim(bytes_slice(line, 0, equals));
	const struct key *key = find(*ret_key);

	if (equals == line.length || !key)
		return FAIL(ERROR_INPUT, "unknown key");
	if (seen[key - keys])
		return FAIL(ERROR_INPUT, "key given twice");
	seen[key - keys] = true;
	if (!set(key, trim(bytes_slice(line, equals + 1, line.length)), settings))
		return FAIL(ERROR_INPUT, "bad value");
	return RESULT_OK;
}

static struct result take_lines(struct bytes text, const char *name, bool *seen,
                                struct shop_settings *settings, struct buffer *ret_why)
{
	for (int number = 1; text.length; number++) {
		size_t end = bytes_find(text, '\n');
		struct bytes line = trim(bytes_slice(text, 0, end));
		struct bytes key = BYTES_NONE;

		text = bytes_slice(text, end + 1, text.length);
		if (!line.length || line.data[0] == '#')
			continue;
		struct result result = take_line(line, seen, settings, &key);
		if (!result_ok(result)) {
			buffer_printf(ret_why, "%s:%d: %s: %.*s", name, number, result.detail,
			              (int)key.length, (const char *)key.data);
			return result;
		}
	}
	return RESULT_OK;
}

static void find_host(struct shop_settings *settings)
{
	const char *start = strstr(settings->url, "://") + 3;
	size_t length = strcspn(start, ":/");

	settings->https = bytes_start_with(bytes_text(settings->url), "https:");
	if (length >= sizeof settings->host)
		length = sizeof settings->host - 1;
	memcpy(settings->host, start, length);
	settings->host[length] = 0;
}

struct result shop_settings_parse(struct bytes text, const char *name,
                                  struct shop_settings *ret_settings, struct buffer *ret_why)
{
	bool seen[KEYS] = { false };

	*ret_settings =
	        (struct shop_settings){ .listen = "127.0.0.1", .support = "help@soyka.example" };
	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].kind == NUMBER)
			memcpy((char *)ret_settings + keys[i].offset, &keys[i].otherwise,
			       sizeof keys[i].otherwise);
	TRY(take_lines(text, name, seen, ret_settings, ret_why));
	for (size_t i = 0; i < KEYS; i++) {
		if (keys[i].required && !seen[i]) {
			buffer_printf(ret_why, "%s: missing key: %s", name, keys[i].name);
			return FAIL(ERROR_INPUT, "missing key");
		}
	}
	find_host(ret_settings);
	return RESULT_OK;
}

struct result shop_settings_read(const char *path, struct shop_settings *ret_settings,
                                 struct buffer *ret_why)
{
	char text[16384];
	FILE *file = fopen(path, "re");

	if (!file) {
		buffer_printf(ret_why, "%s: %s", path, strerror(errno));
		return FAIL(ERROR_SYSTEM, "cannot open the configuration");
	}
	size_t length = fread(text, 1, sizeof text, file);
	bool fits = feof(file) && !ferror(file);
	(void)fclose(file);
	struct result result = FAIL(ERROR_LIMIT, "the configuration is too long");
	if (fits)
		result = shop_settings_parse(bytes_from(text, length), path, ret_settings, ret_why);
	else
		buffer_printf(ret_why, "%s: too long", path);
	explicit_bzero(text, sizeof text);
	return result;
}

void shop_settings_done(struct shop_settings *settings)
{
	explicit_bzero(settings->secret_key, sizeof settings->secret_key);
}
