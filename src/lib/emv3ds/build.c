// Messages put together from parts; what they must hold is left to the checker (check.c).
// EMV 3-D Secure 2.2.0 annex B; browser data: annex A.5.1 and section 3.3 step 2.

#include "emv3ds/build.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>

json_t *emv3ds_new(enum emv3ds_type type)
{
	json_t *message = json_object();

	if (message && emv3ds_put(message, "messageType", emv3ds_type_name(type)) &&
	    emv3ds_put(message, "messageVersion", EMV3DS_VERSION))
		return message;
	json_decref(message);
	return NULL;
}

bool emv3ds_put(json_t *message, const char *name, const char *text)
{
	if (!text || !*text)
		return true;
	return json_object_set_new(message, name, json_string(text)) == 0;
}

bool emv3ds_put_cut(json_t *message, const char *name, const char *text, size_t max)
{
	size_t length = 0;

	if (!text || !*text)
		return true;
	for (size_t seen = 0; text[length]; length++) {
		if (((unsigned char)text[length] & 0xc0) != 0x80 && seen++ == max)
			break;
	}
	return json_object_set_new(message, name, json_stringn(text, length)) == 0;
}

bool emv3ds_copy(json_t *message, const json_t *from, const char *const names[])
{
	for (size_t i = 0; names[i]; i++) {
		json_t *value = json_object_get(from, names[i]);

		if (value && json_object_set(message, names[i], value) != 0)
			return false;
	}
	return true;
}

// True for a text of the length and the characters of an id.
static bool looks_like_id(const char *text)
{
	return strlen(text) == EMV3DS_ID && strspn(text, "0123456789abcdefABCDEF-") == EMV3DS_ID;
}

struct emv3ds_problem emv3ds_problem(enum emv3ds_code code, const char *detail)
{
	struct emv3ds_problem problem = { code, "" };

	snprintf(problem.detail, sizeof(problem.detail), "%s", detail);
	return problem;
}

json_t *emv3ds_erro(char component, const struct emv3ds_problem *problem, const json_t *about,
                    const char *about_type)
{
	static const char *const ids[] = { "threeDSServerTransID", "dsTransID", "acsTransID" };
	char code[12];
	char letter[2] = { component, 0 };
	json_t *erro = emv3ds_new(EMV3DS_ERRO);
	bool fine = erro != NULL;

	snprintf(code, sizeof(code), "%d", (int)problem->code);
	fine = fine && emv3ds_put(erro, "errorCode", code) &&
	       emv3ds_put(erro, "errorComponent", letter) &&
	       emv3ds_put(erro, "errorDescription", emv3ds_code_text(problem->code)) &&
	       emv3ds_put(erro, "errorDetail", *problem->detail ? problem->detail : "none") &&
	       emv3ds_put(erro, "errorMessageType", about_type);
	for (size_t i = 0; fine && i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *id = emv3ds_text(about, ids[i]);

		fine = !looks_like_id(id) || emv3ds_put(erro, ids[i], id);
	}
	if (fine)
		return erro;
	json_decref(erro);
	return NULL;
}

// Three or four texts under their names: all messages that are no more than that.
static json_t *with_texts(enum emv3ds_type type, const char *const pairs[][2])
{
	json_t *message = emv3ds_new(type);

	for (size_t i = 0; message && pairs[i][0]; i++) {
		if (!emv3ds_put(message, pairs[i][0], pairs[i][1])) {
			json_decref(message);
			return NULL;
		}
	}
	return message;
}

json_t *emv3ds_preq(const char *transaction, const char *reference, const char *operator_id,
                    const char *serial)
{
	const char *const pairs[][2] = { { "threeDSServerTransID", transaction },
		                         { "threeDSServerRefNumber", reference },
		                         { "threeDSServerOperatorID", operator_id },
		                         { "serialNum", serial },
		                         { NULL } };

	return with_texts(EMV3DS_PREQ, pairs);
}

json_t *emv3ds_creq(const char *transaction, const char *acs_transaction, const char *window)
{
	const char *const pairs[][2] = { { "threeDSServerTransID", transaction },
		                         { "acsTransID", acs_transaction },
		                         { "challengeWindowSize", window },
		                         { NULL } };

	return with_texts(EMV3DS_CREQ, pairs);
}

json_t *emv3ds_cres(const char *transaction, const char *acs_transaction, const char *status)
{
	const char *const pairs[][2] = { { "threeDSServerTransID", transaction },
		                         { "acsTransID", acs_transaction },
		                         { "transStatus", status },
		                         { NULL } };

	return with_texts(EMV3DS_CRES, pairs);
}

json_t *emv3ds_rres(const json_t *rreq, const char *status)
{
	const char *const pairs[][2] = { { "threeDSServerTransID",
		                           emv3ds_text(rreq, "threeDSServerTransID") },
		                         { "dsTransID", emv3ds_text(rreq, "dsTransID") },
		                         { "acsTransID", emv3ds_text(rreq, "acsTransID") },
		                         { "resultsStatus", status },
		                         { NULL } };

	return with_texts(EMV3DS_RRES, pairs);
}

unsigned emv3ds_color_depth(long depth)
{
	static const unsigned known[] = { 48, 32, 24, 16, 15, 8, 4, 1 };
	size_t i = 0;

	while (known[i] > 1 && (long)known[i] > depth)
		i++;
	return known[i];
}

static bool put_number(json_t *message, const char *name, long number, long min, long max)
{
	char text[24];

	if (number < min)
		number = min;
	snprintf(text, sizeof(text), "%ld", number > max ? max : number);
	return emv3ds_put(message, name, text);
}

bool emv3ds_put_browser(json_t *message, const struct emv3ds_browser *browser)
{
	if (!emv3ds_put_cut(message, "browserAcceptHeader", browser->accept_header, 2048) ||
	    !emv3ds_put_cut(message, "browserUserAgent", browser->user_agent, 2048) ||
	    !emv3ds_put_cut(message, "browserLanguage", browser->language, 8) ||
	    !emv3ds_put(message, "browserIP", browser->ip) ||
	    json_object_set_new(message, "browserJavascriptEnabled",
	                        json_boolean(browser->script)) != 0)
		return false;
	if (!browser->script)
		return true;
	return json_object_set_new(message, "browserJavaEnabled", json_boolean(browser->java)) ==
	               0 &&
	       put_number(message, "browserColorDepth",
	                  (long)emv3ds_color_depth(browser->color_depth), 1, 48) &&
	       put_number(message, "browserScreenHeight", browser->screen_height, 0, 999999) &&
	       put_number(message, "browserScreenWidth", browser->screen_width, 0, 999999) &&
	       put_number(message, "browserTZ", browser->time_zone, -9999, 9999);
}

static int write_part(const char *part, size_t length, void *buffer)
{
	buffer_put(buffer, bytes_from(part, length));
	return ((struct buffer *)buffer)->failed ? -1 : 0;
}

struct result emv3ds_write(const json_t *message, struct buffer *buffer)
{
	if (!message || json_dump_callback(message, write_part, buffer, JSON_COMPACT) != 0)
		return FAIL(ERROR_LIMIT, "a message does not fit");
	return buffer_result(buffer);
}

struct result emv3ds_write_base64url(const json_t *message, struct buffer *buffer)
{
	cleanup(buffer_done) struct buffer text = { 0 };

	buffer_init_secret(&text, 64 * 1024);
	TRY(emv3ds_write(message, &text));
	base64url_put(buffer, buffer_view(&text));
	return buffer_result(buffer);
}
