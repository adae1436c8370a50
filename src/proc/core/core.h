// The program core: who may do what, the flows, the books. One loop on one thread, in turns: read
// what came, handle it (every handler reads and writes the store at once), commit, and let the
// answers out when that is durable. A transaction is a turn, however many requests it holds, or all
// turns until the disk is free for the next commit (group commit).
#pragma once

#include "config/config.h"
#include "core/limits.h"
#include "domain/objects.h"
#include "store/store.h"
#include "wire/channel.h"

#include <uv.h>

struct flows;
struct pages;
struct api;
struct control;
struct turns;
struct deliveries;
struct secrets;

struct core {
	struct config config;
	struct store *store;
	uint8_t id_key[32]; // makes the ids and secrets that merchants and shoppers see
	int64_t now_ms;     // wall clock, read once a turn
	int64_t last_id;
	char *card_keys; // vault's JWKS; NULL until vault has said it
	struct turns *turns;
	struct flows *flows;
	struct api *api;
	struct pages *pages;
	struct control *control;
	struct deliveries *deliveries;
	struct secrets *secrets;
};

// A request as web handed it on; views live until the handler returns.
struct request {
	uint64_t serial;
	int listener; // 0 public, 1 results, 2 metrics
	struct bytes method, path, query, peer, host, authorization, idempotency_key, version,
	        content_type, origin, user_agent, accept, accept_language, body;
	char id[40]; // req_…
};

enum reply_kind { REPLY_JSON = 0, REPLY_PAGE, REPLY_REDIRECT, REPLY_TEXT, REPLY_HTML };
enum {
	REPLY_REPLAYED = 1,
	REPLY_RETRY_NEVER = 2,
	REPLY_RETRY_AGAIN = 4,
	REPLY_CORS = 8,
	REPLY_CLOSE = 16,
};

// What goes back; texts that are NULL are left out. Copied at once.
struct reply {
	int status;
	enum reply_kind kind;
	int flags;
	int retry_after_s;
	struct limits_state limit; // quota 0: none
	const char *request_id, *version, *page, *location, *csp_origin, *frame_ancestor, *allow;
	struct bytes body;
};

// Queues the answer to a request; it leaves when what this turn wrote is durable. An answer to a
// client that has gone is thrown away by web.
void core_reply(struct core *core, uint64_t serial, const struct reply *reply);

// Queues a message to vault; it leaves when what this turn wrote is durable. False: vault is away
// just now.
bool core_tell_vault(struct core *core, enum wire_number number, const struct wire_value *values);

// The same to courier; also false when the message is too large.
bool core_tell_courier(struct core *core, enum wire_number number, const struct wire_value *values);

// To be called when the store is open: keys go on behind all that were given before, those among
// them that no row has (questions to drivers) too.
void core_ids_start(struct core *core);
// A new row key: larger than all before (milliseconds since 2025 and a sequence).
int64_t core_next_id(struct core *core);
// Row keys of one millisecond: 0 to 599.
enum { CORE_ID_SEQUENCES = 600 };
int core_id_sequence(int64_t id);
int64_t core_id_make(int64_t ms, int sequence);
// The time in a row key, Unix milliseconds.
int64_t core_id_ms(int64_t id);

// Makes the loop come round once more soon, and the timers of the parts be asked again.
void core_wake(struct core *core);
// The loop, for the parts that poll descriptors of their own (control.c).
uv_loop_t *core_loop(struct core *core);
// Ends a turn that was begun by an event of such a descriptor: to be called last in its callback.
void core_end_turn(struct core *core);

// The parts of core, each with its own file.
struct flows *flows_new(struct core *core);
void flows_free(struct flows *flows);
struct api *api_new(struct core *core);
void api_free(struct api *api);
// To be called when a key of the API has changed in the store.
void api_keys_changed(struct core *core);
struct pages *pages_new(struct core *core);
void pages_free(struct pages *pages);
struct control *control_new(struct core *core);
void control_free(struct control *control);
struct secrets *secrets_new(struct core *core);
void secrets_free(struct secrets *secrets);
struct deliveries *deliveries_new(struct core *core);
void deliveries_free(struct deliveries *deliveries);

// Deliveries whose time has come. deliveries.c.
void deliveries_timer(struct core *core);
int64_t deliveries_next_timer(const struct core *core);

// Vault has made the card of a test token. False: it was not the API that asked. api_tokens.c.
bool api_token_opened(struct core *core, const struct wire_message *message);
// A new vault knows nothing of what the old one was asked.
void api_tokens_ask_again(struct core *core);
// Answers a request to /v1/…, sooner or later. api_*.c.
void api_request(struct core *core, const struct request *request);
// Answers GET /openapi.json. api_describe.c.
void api_describe(struct core *core, const struct request *request);
// The client of an unanswered request has gone; 0: all clients have (web was restarted).
void api_gone(struct core *core, uint64_t serial);

// Answers a request to /c/…, /p/…, /3ds/… of the public listener and all of the results listener.
// pages.c.
void pages_request(struct core *core, const struct request *request);
void pages_gone(struct core *core, uint64_t serial);
// Something that a hosted page shows has changed: whoever waits for this intent's state is
// answered.
void pages_changed(struct core *core, int64_t intent);
void pages_timer(struct core *core);
int64_t pages_next_timer(const struct core *core);

// Messages of vault and of time. flows_….c.
void flows_vault_message(struct core *core, const struct wire_message *message);
void flows_vault_is_back(struct core *core);
void flows_timer(struct core *core);
// No new message goes to a bank from now on, but for those that are asked already: the answers to
// those are waited for while flows_are_asking().
void flows_stop(struct core *core);
bool flows_are_asking(const struct core *core);
// Unix milliseconds when flows_timer() is to be called next; INT64_MAX: not at all.
int64_t flows_next_timer(const struct core *core);

// The operator's control socket was handed over; control.c owns it.
void control_listen(struct core *core, int fd);
// Writes to operators what waits for them.
void control_flush(struct core *core);

// Probes and numbers. metrics.c.
void metrics_request(struct core *core, const struct request *request);
enum metric {
#define METRIC(name, text) METRIC_##name,
#include "metrics.def"
#undef METRIC
	METRICS
};
void metric_add(enum metric metric, int64_t count);
// An fsync of the store's log took so long.
void metric_fsync(int64_t took_us);
