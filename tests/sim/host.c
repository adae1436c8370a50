// What src/proc/core/turns.c and main.c are to core, without sockets: read what came, handle it,
// commit, and let the answers out when that is durable; the log is copied with turns in between.
// And what the parent is: it starts core anew.
#include "host.h"

#include "parts.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "core/api.h"
#include "core/event.h"
#include "core/flows.h"
#include "core/pages.h"
#include "crypto/mac.h"
#include "disk.h"
#include "lines.h"
#include "nemesis.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PATH_ROOM = 200,
	LINE_LIMIT = 16 * 1024 * 1024,
	RESTART_MS = 60,
	RESTART_PAUSE_MAX_MS = 8000,
	GOOD_RUN_MS = 2000
};

struct request_in {
	struct request_in *next;
	uint64_t serial;
	struct call_text text;
	char path[PATH_ROOM];
};

static struct {
	struct core core;
	bool opening;  // in the middle of a start
	bool vault_up; // the line to vault
	bool again;    // core_wake()
	bool planned;  // a turn is coming
	int64_t timer_ms;
	uint64_t life; // how many times it was started: what was planned for an old life is void
	uint64_t serial;
	int64_t born_ms;
	int pause_ms;
	int kill_in;
	uint8_t id_key[32];
	struct buffer from_vault;
	struct request_in *requests, **last_request;
} host;

struct core *host_core;

static void start(void *what);
static void turn(void *what);

// --- what core calls

void core_reply(struct core *core, uint64_t serial, const struct reply *reply)
{
	(void)core;
	lines_answer(serial, reply);
}

bool core_tell_vault(struct core *core, enum wire_number number, const struct wire_value *values)
{
	(void)core;
	if (host.vault_up)
		lines_tell_vault(number, values);
	return host.vault_up;
}

bool core_tell_courier(struct core *core, enum wire_number number, const struct wire_value *values)
{
	(void)core;
	(void)number;
	(void)values;
	return false; // merchants of the simulator have no webhooks
}

void core_wake(struct core *core)
{
	(void)core;
	host.again = true;
}

void control_test_answer(struct core *core, const struct question *question, const json_t *answer,
                         const char *detail)
{
	(void)core;
	(void)question;
	(void)answer;
	(void)detail; // no operator is here
}

// --- memory of a life

static void drop_requests(void)
{
	while (host.requests) {
		struct request_in *in = host.requests;
		host.requests = in->next;
		free(in);
	}
	host.last_request = &host.requests;
}

static void let_go(void)
{
	struct core *core = &host.core;

	if (core->flows)
		flows_free(core->flows);
	if (core->api)
		api_free(core->api);
	if (core->pages)
		pages_free(core->pages);
	store_close(core->store);
	disk.held = false;
	free(core->card_keys);
	*core = (struct core){ 0 };
	host_core = NULL;
	lines_drop();
	drop_requests();
	buffer_reset(&host.from_vault);
	host.vault_up = host.again = host.planned = false;
	host.life++;
}

static void plan_start(int64_t wait_ms)
{
	uint64_t *life = world_room(sizeof(*life));

	*life = host.life;
	world_after(wait_ms, start, life);
}

static void died(const char *why)
{
	TELL("core: dead (%s)", why);
	disk.dead = true;
	host.kill_in = disk.kill_in = 0;
	let_go();
	shop_core_died();
	vault_core_died();
	if (sim.now_ms - host.born_ms > GOOD_RUN_MS)
		host.pause_ms = 0;
	host.pause_ms = host.pause_ms ? host.pause_ms * 2 : 100;
	if (host.pause_ms > RESTART_PAUSE_MAX_MS)
		host.pause_ms = RESTART_PAUSE_MAX_MS;
	plan_start(RESTART_MS + host.pause_ms);
	nemesis_core_died(RESTART_MS);
}

bool host_is_up(void)
{
	return host_core != NULL;
}

void host_kill(const char *why)
{
	if (host_is_up())
		died(why);
}

void host_kill_at(int steps)
{
	// Half of the deaths come while the disk is at work, the others between two messages.
	if (chance_of(500))
		disk.kill_in = steps;
	else
		host.kill_in = steps;
}

// A step at which core may die. True: it did.
static bool dies_here(void)
{
	if (host.kill_in > 0 && --host.kill_in == 0)
		disk.dead = true;
	return disk.dead;
}

// --- start

static void load_id_key(struct core *core)
{
	if (!store_setting(core->store, "id_key", core->id_key, sizeof(core->id_key)))
		memset(core->id_key, 7, sizeof(core->id_key));
}

static void plan_turn(int64_t wait_ms)
{
	uint64_t *life = world_room(sizeof(*life));

	*life = host.life;
	world_after(wait_ms, turn, life);
}

void host_soon(void)
{
	if (!host_is_up() || host.planned)
		return;
	host.planned = true;
	plan_turn(chance_below(3));
}

static void start(void *what)
{
	struct core *core = &host.core;

	if (*(const uint64_t *)what != host.life)
		return;
	disk.dead = false;
	disk_new_life();
	*core = (struct core){ .now_ms = sim_wall_ms() };
	host_configure(&core->config);
	if (!result_ok(store_open("onfile.db", &core->store))) {
		died("the store cannot be opened");
		return;
	}
	core_ids_start(core);
	load_id_key(core);
	core->pages = pages_new(core);
	core->api = api_new(core);
	core->flows = flows_new(core);
	if (disk.dead || !result_ok(store_result(core->store))) {
		died("in the middle of its start");
		return;
	}
	host_core = core;
	host.born_ms = sim.now_ms;
	host.timer_ms = INT64_MAX;
	TELL("core: up");
	vault_core_is_up();
	host_soon();
}

void host_vault_line(bool up)
{
	if (!host_is_up())
		return;
	if (!up) {
		host.vault_up = false; // what is on its way already still arrives
		lines_drop_to_vault();
		return;
	}
	lines_drop_to_vault();
	host.vault_up = true;
	core_tell_vault(&host.core, WIRE_KEYS_WANTED, NULL);
	host.core.now_ms = sim_wall_ms();
	flows_vault_is_back(&host.core);
	host_soon();
}

// --- in

uint64_t host_request(const struct call_text *text)
{
	if (!host_is_up())
		return 0;
	struct request_in *in = world_room(sizeof(*in));
	in->serial = ++host.serial;
	in->text = *text;
	CHECK(bytes_copy_text(bytes_text(text->path), in->path, sizeof(in->path)));
	in->text.path = in->path;
	*host.last_request = in;
	host.last_request = &in->next;
	host_soon();
	return in->serial;
}

void host_from_vault(enum wire_number number, const struct wire_value *values)
{
	if (!host.vault_up)
		return;
	CHECK(result_ok(wire_encode(&host.from_vault, number, values)));
	host_soon();
}

static void take_vault(struct core *core)
{
	struct wire_message message;
	size_t length = 0;

	while (host.from_vault.length && !dies_here()) {
		CHECK(result_ok(wire_decode(buffer_view(&host.from_vault), WIRE_VAULT, WIRE_CORE,
		                            &message, &length)) &&
		      length);
		if (message.row->number == WIRE_CARD_KEYS) {
			free(core->card_keys);
			core->card_keys = strdup("{}");
		} else {
			flows_vault_message(core, &message);
		}
		buffer_drop(&host.from_vault, length);
	}
}

static void take_request(struct core *core, struct request_in *in)
{
	const struct call_text *text = &in->text;
	struct request request = {
		.serial = in->serial,
		.listener = text->listener,
		.method = bytes_text(text->method),
		.path = bytes_text(text->path),
		.query = bytes_text(text->query),
		.peer = BYTES_LITERAL("192.0.2.1"),
		.authorization = BYTES_LITERAL("Bearer " SIM_KEY),
		.idempotency_key = bytes_text(text->key),
		.content_type = BYTES_LITERAL("application/x-www-form-urlencoded"),
		.body = bytes_text(text->body),
	};

	snprintf(request.id, sizeof(request.id), "req_%lld", (long long)core_next_id(core));
	if (request.listener == 0 && bytes_start_with(request.path, "/v1/"))
		api_request(core, &request);
	else
		pages_request(core, &request);
}

static void take_requests(struct core *core)
{
	while (host.requests && !dies_here()) {
		struct request_in *in = host.requests;
		host.requests = in->next;
		if (!host.requests)
			host.last_request = &host.requests;
		take_request(core, in);
		free(in);
	}
}

// --- a turn

static void plan_timer(struct core *core)
{
	int64_t flows = flows_next_timer(core);
	int64_t pages = pages_next_timer(core);
	int64_t wait_ms = (flows < pages ? flows : pages) - sim_wall_ms();

	if (host.again || host.from_vault.length || host.requests) {
		host_soon();
		return;
	}
	if (flows == INT64_MAX && pages == INT64_MAX)
		return;
	// turns.c never sleeps for longer than ten seconds. Here, where nothing may happen for
	// days, it comes round at once when the clock is set instead (host_clock_was_set).
	wait_ms = wait_ms < 1 ? 1 : wait_ms;
	if (host.timer_ms > sim.now_ms && host.timer_ms <= sim.now_ms + wait_ms)
		return;
	host.timer_ms = sim.now_ms + wait_ms;
	plan_turn(wait_ms);
}

// Core died, or its disk failed, while it did `what`.
static bool died_while(struct result result, const char *what)
{
	if (!disk.dead && result_ok(result))
		return false;
	died(disk.dead ? what : "the disk failed");
	return true;
}

static uint64_t *this_life(void)
{
	uint64_t *life = world_room(sizeof(*life));

	*life = host.life;
	return life;
}

static bool is_this_life(const void *life)
{
	return *(const uint64_t *)life == host.life && host_is_up();
}

static void copied(void *life)
{
	if (!is_this_life(life))
		return;
	disk.held = false;
	died_while(store_end_copy(host.core.store), "killed after it copied its log");
}

// What turns.c does on a thread is done here between two turns.
static void copy_log(void *life)
{
	if (!is_this_life(life) ||
	    died_while(store_copy(host.core.store), "killed while it copied its log"))
		return;
	world_after(chance_below(30), copied, this_life());
	nemesis_disk_is_behind(40); // also just after the log has begun anew
}

// The log's pages go to the database file, with turns before and after.
static void plan_copy(struct core *core)
{
	if (!store_wants_copy(core->store) ||
	    died_while(store_begin_copy(core->store), "killed while it held its log"))
		return;
	disk.held = true;
	world_after(chance_below(30), copy_log, this_life());
}

// Nothing leaves before this.
static bool make_durable(struct core *core)
{
	bool wrote = store_is_dirty(core->store);

	if (died_while(store_commit(core->store), "killed while it committed"))
		return false;
	if (plant_is("answer_before_fsync"))
		lines_flush(dies_here);
	if (wrote && died_while(store_sync(core->store), "killed while it waited for the disk"))
		return false;
	if (!disk_is_durable() && lines_may_leave())
		sim_fail("something leaves core that is not durable");
	return true;
}

static void keep_log_short(struct core *core)
{
	if (store_wants_rest_copied(core->store)) {
		if (died_while(store_copy_rest(core->store), "killed while it copied the rest"))
			return;
		nemesis_disk_is_behind(40);
	}
	plan_copy(core);
}

static void end_turn(struct core *core)
{
	core->now_ms = sim_wall_ms();
	flows_timer(core);
	pages_timer(core);
	if (plant_is("answer_before_commit"))
		lines_flush(dies_here);
	if (!make_durable(core))
		return;
	lines_flush(dies_here);
	if (disk.dead) {
		died("killed while it answered");
		return;
	}
	keep_log_short(core);
	if (host_is_up())
		plan_timer(core);
}

static void turn(void *what)
{
	struct core *core = &host.core;

	if (*(const uint64_t *)what != host.life || !host_is_up())
		return;
	host.planned = host.again = false;
	if (host.timer_ms <= sim.now_ms)
		host.timer_ms = INT64_MAX;
	core->now_ms = sim_wall_ms();
	plants_turn(core);
	take_vault(core);
	if (!disk.dead)
		take_requests(core);
	end_turn(core);
}

void host_clock_was_set(void)
{
	host.timer_ms = INT64_MAX;
	if (host_is_up())
		plan_turn(1);
}

// --- ends

void host_power_loss(void)
{
	host_kill("no power");
	vault_dies();
	disk_power_loss();
}

void host_stop(void)
{
	host_stop_for(0);
}

void host_stop_for(int64_t away_ms)
{
	struct core *core = &host.core;

	if (!host_is_up())
		return;
	core->now_ms = sim_wall_ms();
	end_turn(core);
	if (!host_is_up())
		return;
	TELL("core: told to stop");
	let_go();
	shop_core_died();
	vault_core_died();
	plan_start(RESTART_MS + away_ms);
}

void host_web_dies(void)
{
	if (!host_is_up())
		return;
	TELL("web: dead");
	api_gone(&host.core, 0);
	pages_gone(&host.core, 0);
	drop_requests();
	shop_core_died();
}

void host_begin(void)
{
	host_choose_store();
	buffer_init(&host.from_vault, LINE_LIMIT);
	lines_begin();
	host.life = host.serial = 0;
	host.pause_ms = host.kill_in = 0;
	host.last_request = &host.requests;
	plan_start(0);
}

void host_end(void)
{
	let_go();
	buffer_done(&host.from_vault);
	lines_end();
}
