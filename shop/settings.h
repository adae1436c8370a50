// The shop's configuration file: `key = value`, one a line, `#` starts a comment. Unknown keys,
// doubled keys and bad values are refused with the line. shop/README.md lists the keys.
#pragma once

#include "base/buffer.h"
#include "base/result.h"

struct shop_settings {
	char listen[64];
	uint16_t port;
	char url[128];         // where shoppers reach the shop, without a slash at the end
	char host[96];         // the host of `url`, for the last line of an SMS
	bool https;            // whether `url` is https: then cookies are Secure
	char onfile_url[128];  // the API
	char secret_key[160];  // sk_…, wiped by shop_settings_done()
	char publishable[160]; // pk_…: kept for pages of the shop's own, none needs it today
	char sms_url[160];
	char data[256];
	char web[256];
	char tokens[256];
	char support[96];
	uint32_t sms_per_minute; // to one number; 0 lifts the limit
	uint32_t sms_per_ten_minutes;
	uint32_t sms_per_day;
	uint32_t timeout_ms; // for one call to onfile
};

// Reads and checks the file. On failure `ret_why` names the line and the key, without the value.
MUST_USE struct result shop_settings_read(const char *path, struct shop_settings *ret_settings,
                                          struct buffer *ret_why);
// The same from a text; `name` is what the message calls it.
MUST_USE struct result shop_settings_parse(struct bytes text, const char *name,
                                           struct shop_settings *ret_settings,
                                           struct buffer *ret_why);
void shop_settings_done(struct shop_settings *settings);
