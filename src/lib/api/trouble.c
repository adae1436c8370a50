// Errors about cards: what the row of a problem says, with the card, the charge and the intent that
// it concerns, and our advice beside it.
#include "api/fields.h"

#include <stdio.h>
#include <time.h>

const struct problem_row *api_trouble_row(const struct api_view *view, int problem)
{
	return view->shopper ? problem_shown(problem) : problem_row(problem);
}

// "14:05 UTC", with the date when it is not within a day.
static void show_time(int64_t at_ms, int64_t now_ms, char *ret_text, size_t capacity)
{
	time_t seconds = (time_t)(at_ms / 1000 + (at_ms % 1000 != 0));
	struct tm parts;

	gmtime_r(&seconds, &parts);
	if (at_ms - now_ms < 20LL * 3600 * 1000)
		strftime(ret_text, capacity, "%H:%M UTC", &parts);
	else
		strftime(ret_text, capacity, "%Y-%m-%d %H:%M UTC", &parts);
}

struct words {
	char time[32];
	char reference[API_REFERENCE_CAPACITY];
	struct problem_fill fill;
};

static void fill_in(const struct api_view *view, const struct api_trouble *trouble,
                    struct words *ret_words)
{
	*ret_words = (struct words){ 0 };
	if (trouble->again_ms)
		show_time(trouble->again_ms, view->now_ms, ret_words->time,
		          sizeof(ret_words->time));
	if (trouble->attempt && trouble->attempt->id && view->reference)
		view->reference(view->owner, trouble->attempt->id, ret_words->reference,
		                sizeof(ret_words->reference));
	ret_words->fill =
	        (struct problem_fill){ ret_words->time, view->support, ret_words->reference };
}

static void put_sentence(struct api_json *json, const char *name, const struct problem_row *row,
                         enum problem_deed deed, enum problem_language language,
                         const struct words *words)
{
	struct buffer text;

	buffer_init(&text, 2048);
	problem_sentence(&text, row, deed, language, &words->fill);
	api_json_bytes(json, name, buffer_view(&text));
	buffer_done(&text);
}

static void put_advice(struct api_json *json, const struct api_view *view,
                       const struct problem_row *row, const struct api_trouble *trouble,
                       const struct words *words)
{
	api_json_open(json, "advice", '{');
	api_json_text(json, "again", problem_again_name(row->group->again));
	if (trouble->again_ms)
		api_json_number(json, "at", (trouble->again_ms + 999) / 1000);
	else
		api_json_null(json, "at");
	api_json_text_or_null(json, "contact", view->support);
	api_json_text_or_null(json, "field", row->field);
	api_json_open(json, "messages", '{');
	put_sentence(json, "en", row, trouble->deed, PROBLEM_ENGLISH, words);
	put_sentence(json, "ru", row, trouble->deed, PROBLEM_RUSSIAN, words);
	api_json_close(json, '}');
	api_json_text_or_null(json, "reference", words->reference);
	api_json_open(json, "titles", '{');
	api_json_text(json, "en", row->group->titles[PROBLEM_ENGLISH]);
	api_json_text(json, "ru", row->group->titles[PROBLEM_RUSSIAN]);
	api_json_close(json, '}');
	api_json_text(json, "who", problem_who_name(row->group->who));
	api_json_close(json, '}');
}

static void put_text_if_any(struct api_json *json, const char *name, const char *text)
{
	if (text && text[0])
		api_json_text(json, name, text);
}

static void put_attempt_members(struct api_json *json, const struct api_view *view,
                                const struct problem_row *row, const struct api_trouble *trouble)
{
	const struct attempt *attempt = trouble->attempt;
	struct card card = { 0 };
	char text[API_ID_CAPACITY];

	if (attempt->kind == ATTEMPT_PAYMENT && attempt->state >= ATTEMPT_SENT) {
		api_id_make(view->id_key, API_ID_CHARGE, attempt->id, text);
		api_json_text(json, "charge", text);
	}
	if (!view->shopper && row->flags & PROBLEM_ISSUER)
		put_text_if_any(json, "network_decline_code", attempt->response_code);
	if (attempt->card && view->load(view->owner, API_CARD, attempt->card, &card)) {
		api_json_name(json, "payment_method");
		api_render(json->buffer, view, API_CARD, &card, "!.");
		api_json_done(json);
		api_json_text(json, "payment_method_type", "card");
		card_done(&card);
	}
}

static void put_members(struct api_json *json, const struct api_view *view,
                        const struct api_trouble *trouble)
{
	const struct problem_row *row = api_trouble_row(view, trouble->problem);
	struct words words;

	fill_in(view, trouble, &words);
	put_advice(json, view, row, trouble, &words);
	put_text_if_any(json, "advice_code", row->advice_code);
	api_json_text(json, "code", problem_code(row, trouble->deed));
	put_text_if_any(json, "decline_code", row->decline_code);
	put_sentence(json, "message", row, trouble->deed, PROBLEM_ENGLISH, &words);
	if (trouble->attempt && trouble->attempt->id)
		put_attempt_members(json, view, row, trouble);
	api_json_text(json, "type", row->type);
	put_sentence(json, "user_message", row, trouble->deed, view->language, &words);
}

void put_trouble(struct render *render, const struct api_trouble *trouble)
{
	api_json_open(&render->json, render->name, '{');
	put_members(&render->json, render->view, trouble);
	api_json_close(&render->json, '}');
}

static void put_inside(struct api_json *json, const struct api_view *view, enum api_object kind,
                       const void *object)
{
	api_json_name(json, kind == API_SESSION ? "checkout_session" : api_object_name(kind));
	api_render(json->buffer, view, kind, object, "!.");
	api_json_done(json);
}

void api_trouble_put(struct buffer *buffer, const struct api_view *view,
                     const struct api_trouble *trouble)
{
	struct api_json json = api_json_on(buffer);

	api_json_open(&json, NULL, '{');
	api_json_open(&json, "error", '{');
	put_members(&json, view, trouble);
	if (trouble->intent)
		put_inside(&json, view,
		           trouble->deed == PROBLEM_LINK ? API_SETUP_INTENT : API_PAYMENT_INTENT,
		           trouble->intent);
	api_json_close(&json, '}');
	api_json_close(&json, '}');
}

void api_error_put_with(struct buffer *buffer, const struct api_view *view,
                        const struct api_error *error, enum api_object kind, const void *object)
{
	struct api_json json = api_json_on(buffer);

	api_json_open(&json, NULL, '{');
	api_json_open(&json, "error", '{');
	put_text_if_any(&json, "code", error->code);
	api_json_text(&json, "message", error->message);
	put_text_if_any(&json, "param", error->param);
	put_inside(&json, view, kind, object);
	api_json_text(&json, "type", error->type);
	api_json_close(&json, '}');
	api_json_close(&json, '}');
}
