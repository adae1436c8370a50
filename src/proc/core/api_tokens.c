// Test tokens: wherever a request may name a payment method, in test mode it may name a token
// instead (pm_card_visa, tok_visa). The handler that comes upon one stops before it has written
// anything; vault makes a card of it, and in the turn of vault's answer the handler runs again from
// its start, with the id of that card in the token's place. So a core that dies meanwhile has left
// nothing, and one that dies later has left what the handler writes, the idempotency key among it.
// Which tokens there are, and whether there are any, only vault knows.
#include "core/api.h"

#include "base/check.h"

#include <stdlib.h>

enum { TOKEN_MAX = 128, ROOM_MAX = 16 * 1024 };

static const char data_token[] = "payment_method_data[card][token]";

struct api_token {
	int64_t ask;  // the question to vault
	int64_t card; // that was made of it; 0: not yet
	char param[API_PARAM_CAPACITY];
	char text[TOKEN_MAX + 1];
	char id[API_ID_CAPACITY]; // of the card
	struct request request;   // what is left of it when the handler runs again
	struct buffer room;       // what that looks into
};

void api_token_free(struct api_token *token)
{
	if (token)
		buffer_done(&token->room);
	free(token);
}

int64_t api_token_card(const struct api_call *call)
{
	return call->token ? call->token->card : 0;
}

bool api_is_token(struct bytes text)
{
	return text.length <= TOKEN_MAX &&
	       (bytes_start_with(text, "pm_card_") || bytes_start_with(text, "tok_"));
}

// --- asking

// What handlers look at outlives the message that brought it.
static void keep_request(struct api_call *call)
{
	struct api_token *token = call->token;
	const struct request *from = call->request;
	size_t offsets[API_PATH_IDS];

	for (size_t i = 0; i < API_PATH_IDS; i++)
		offsets[i] =
		        call->words[i].length ? (size_t)(call->words[i].data - from->path.data) : 0;
	buffer_init(&token->room, ROOM_MAX);
	buffer_put(&token->room, from->path);
	buffer_put(&token->room, from->idempotency_key);
	buffer_put(&token->room, from->peer);
	CHECK(!token->room.failed); // web lets no longer ones through
	struct bytes all = buffer_view(&token->room);
	token->request.path = bytes_slice(all, 0, from->path.length);
	all = bytes_slice(all, from->path.length, all.length);
	token->request.idempotency_key = bytes_slice(all, 0, from->idempotency_key.length);
	token->request.peer = bytes_slice(all, from->idempotency_key.length, from->peer.length);
	memcpy(token->request.id, from->id, sizeof(token->request.id));
	for (size_t i = 0; i < API_PATH_IDS; i++)
		call->words[i] =
		        bytes_slice(token->request.path, offsets[i], call->words[i].length);
}

static bool ask(struct api_call *call)
{
	const struct api_token *token = call->token;

	return core_tell_vault(call->core, WIRE_TEST_CARD,
	                       (const struct wire_value[WIRE_FIELDS_OF_TEST_CARD]){
	                               [WIRE_TEST_CARD_ID] = WIRE_N(token->ask),
	                               [WIRE_TEST_CARD_MERCHANT] = WIRE_N(call->merchant),
	                               [WIRE_TEST_CARD_TOKEN] = WIRE_B(bytes_text(token->text)) });
}

static bool refuse(struct api_call *call, int status, const char *param, const char *message)
{
	struct api_error error;

	api_fail(&error, status, NULL, param, "%s", message);
	api_refuse(call, &error);
	return false;
}

bool api_token_ask(struct api_call *call, const char *param, struct bytes text)
{
	if (call->token)
		return refuse(call, 400, param, "One request can use one test token.");
	call->token = calloc(1, sizeof(*call->token));
	CHECK(call->token);
	call->token->ask = core_next_id(call->core);
	bytes_copy_text(text, call->token->text, sizeof(call->token->text));
	bytes_copy_text(bytes_text(param), call->token->param, sizeof(call->token->param));
	if (!ask(call))
		return refuse(call, 503, NULL,
		              "The vault is being started. Try again in a moment.");
	keep_request(call);
	call->asking = true;
	return false;
}

bool api_data_token(struct api_call *call)
{
	struct bytes text = api_params_text(&call->params, data_token);

	return !api_is_token(text) || api_token_ask(call, data_token, text);
}

void api_tokens_ask_again(struct core *core)
{
	for (struct api_call *call = core->api->asking; call; call = call->next)
		ask(call);
}

// --- vault's answer

static struct api_call *take_asking(struct api *api, int64_t ask)
{
	struct api_call **place = &api->asking;

	while (*place && (*place)->token->ask != ask)
		place = &(*place)->next;
	struct api_call *call = *place;
	if (call)
		*place = call->next;
	return call;
}

// A token that came as data becomes the card's id in payment_method: from here on there is one way
// to name a card.
static void substitute(struct api_call *call)
{
	static const struct api_param method = { "payment_method", API_TEXT, 0, 0, 0, NULL };
	static const char *const places[] = { "payment_method",
		                              "invoice_settings[default_payment_method]" };
	struct api_token *token = call->token;

	for (size_t i = 0; i < call->params.count; i++) {
		struct api_value *value = &call->params.values[i];
		if (!bytes_equal_text(value->text, token->text))
			continue;
		if (strcmp(value->param->name, data_token) == 0)
			value->param = &method;
		else if (strcmp(value->param->name, places[0]) != 0 &&
		         strcmp(value->param->name, places[1]) != 0)
			continue;
		value->text = bytes_text(token->id);
	}
	if (call->route->named == API_CARD && bytes_equal_text(call->words[0], token->text)) {
		call->id = token->card;
		call->words[0] = bytes_text(token->id);
	}
}

static void make_card(struct api_call *call, const struct wire_value *fields)
{
	struct core *core = call->core;
	struct card card cleanup(card_done) = { 0 };
	char *details cleanup(cleanup_free) = api_card_details(call);

	flow_card_of_vault(core, call->merchant, details, fields, &card);
	card.state = CARD_OF_TOKEN;
	store_insert(core->store, STORE_CARDS, &card);
	call->token->card = card.id;
	api_id_make(core->id_key, API_ID_PAYMENT_METHOD, card.id, call->token->id);
	substitute(call);
}

static void refuse_token(struct api_call *call, struct bytes problem)
{
	bool live = bytes_equal_text(problem, "live_mode");
	struct api_error error;

	api_fail(&error, 404, "resource_missing", call->token->param,
	         "No such payment_method: '%s'. %s", call->token->text,
	         live ? "Test tokens are cards of test mode, and this server is live."
	              : "It looks like a test token, but there is none of this name.");
	api_refuse(call, &error);
}

bool api_token_opened(struct core *core, const struct wire_message *message)
{
	const struct wire_value *fields = message->fields;
	struct bytes problem = fields[WIRE_CARD_OPENED_PROBLEM].bytes;
	struct api_call *call = take_asking(core->api, (int64_t)fields[WIRE_CARD_OPENED_ID].number);

	if (!call)
		return false;
	call->asking = false;
	call->view.now_ms = core->now_ms;
	call->request = core->api->request = &call->token->request;
	if (problem.length) {
		refuse_token(call, problem);
	} else {
		make_card(call, fields);
		call->route->handle(call);
	}
	api_settle(call);
	return true;
}
