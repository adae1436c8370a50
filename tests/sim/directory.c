// 3-D Secure around core: the directory server and its driver, the issuer's access control server,
// and the shopper's browser. docs/drivers.md, kind `authentication`.
#include "parts.h"

#include "base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESULT_TRIES = 8, BROWSER_TRIES = 3, UUID_MAX = 40, PATH_MAX_BYTES = 160 };

// A transaction as the directory server knows it.
struct transaction {
	struct transaction *next;
	char id[UUID_MAX];
	char results[PATH_MAX_BYTES]; // where the result is posted
	bool enrolled;
	char status, result; // of the ARes and of the RReq; 0: none
	int tries;
	uint64_t serial; // of the RReq that waits for its RRes
	bool over;
};

struct browser {
	char path[PATH_MAX_BYTES];
	int tries;
};

static struct transaction *transactions;

static struct transaction *find(const char *id)
{
	struct transaction *one = transactions;

	while (one && strcmp(one->id, id) != 0)
		one = one->next;
	return one;
}

bool directory_confirms(const char *id)
{
	const struct transaction *one = find(id);

	return one && (!one->enrolled || one->status == 'Y' || one->result == 'Y');
}

// --- the result of a challenge

static void send_result(void *what);

static void plan_result(struct transaction *one, int64_t wait_ms)
{
	struct transaction **room = world_room(sizeof(struct transaction *));

	*room = one;
	world_after(wait_ms, send_result, (void *)room);
}

static void send_result(void *what)
{
	struct transaction *one = *(struct transaction **)what;
	char *body = NULL;

	if (one->over || one->tries++ == RESULT_TRIES)
		return;
	plan_result(one, 1000LL << one->tries);
	if (fault_of(sim.faults.lost))
		return;
	if (one->result == 0)
		one->result = "YYYNU"[chance_below(5)];
	body = one->result == 'Y' ? "result Y" : one->result == 'N' ? "result N" : "result U";
	TELL("issuer: %s of %s", body, one->id);
	one->serial = host_request(&(struct call_text){
	        .method = "POST", .path = one->results, .body = body, .listener = 1 });
}

bool directory_answer(const struct answer *answer)
{
	struct transaction *one = transactions;

	while (one && (one->serial == 0 || one->serial != answer->serial))
		one = one->next;
	if (!one)
		return false;
	one->serial = 0;
	one->over = answer->status == 200 && !fault_of(sim.faults.lost);
	return true;
}

// --- the shopper

static void browser_posts(void *what)
{
	struct browser *browser = what;

	host_request(&(struct call_text){
	        .method = "POST",
	        .path = browser->path,
	        .body = "browser[java]=false&browser[language]=ru&browser[color_depth]=24&"
	                "browser[screen_height]=800&browser[screen_width]=360&"
	                "browser[time_zone]=-180&browser[window]=05" });
	if (--browser->tries > 0) {
		struct browser *again = world_room(sizeof(*again));
		*again = *browser;
		world_after(3000, browser_posts, again);
	}
}

void shopper_comes(const char *client_secret)
{
	struct browser *browser = world_room(sizeof(*browser));

	bool closes = chance_of(100);
	snprintf(browser->path, sizeof(browser->path), "/c/%s/%s", client_secret,
	         closes ? "cancel" : "browser");
	browser->tries = closes ? 1 : BROWSER_TRIES;
	world_after(chance_between(500, 20000), browser_posts, browser);
}

// --- the driver's answers

struct said {
	int64_t id;
	uint64_t life;
	int state;
	char body[400];
};

static void say(void *what)
{
	const struct said *said = what;

	if (said->life == vault_life())
		vault_answer(2, said->id, said->state, said->body);
}

static const char *text_in(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

static void versions(const json_t *line, char *ret_body, size_t capacity)
{
	struct transaction *one = world_room(sizeof(*one));

	bytes_copy_text(bytes_text(text_in(line, "transaction")), one->id, sizeof(one->id));
	one->enrolled = chance_of(900);
	one->next = transactions;
	transactions = one;
	if (!one->enrolled)
		snprintf(ret_body, capacity,
		         "\"outcome\":\"declined\",\"decline_code\":\"not_enrolled\"");
	else
		snprintf(ret_body, capacity, "\"outcome\":\"approved\",\"version\":\"2.2.0\"%s",
		         chance_of(300) ? ",\"method_url\":\"https://acs.example/m\","
		                          "\"method_origin\":\"https://acs.example\""
		                        : "");
}

static void authenticate(const json_t *line, char *ret_body, size_t capacity)
{
	struct transaction *one = find(text_in(line, "transaction"));
	const char *path = strstr(text_in(line, "results_url"), "/3ds/results/");

	CHECK(one && path && bytes_copy_text(bytes_text(path), one->results, sizeof(one->results)));
	one->status = "YYYYACCCCNRU"[chance_below(12)];
	snprintf(ret_body, capacity,
	         "\"outcome\":\"approved\",\"status\":\"%c\",\"ds_transaction\":\"d%.30s\","
	         "\"acs_transaction\":\"a%.30s\"%s%s",
	         one->status, one->id, one->id,
	         one->status == 'Y' ? ",\"eci\":\"05\",\"value\":\"AAAA\"" : "",
	         one->status == 'C' ? ",\"acs_url\":\"https://acs.example/c\",\"acs_origin\":"
	                              "\"https://acs.example\",\"creq\":\"e30\""
	                            : "");
	if (one->status == 'C' && chance_of(900)) // else the shopper never types the code
		plan_result(one, chance_between(1000, 60000));
}

static void results(const json_t *line, char *ret_body, size_t capacity)
{
	const char *body = text_in(line, "body");

	snprintf(ret_body, capacity,
	         "\"outcome\":\"approved\",\"status\":\"%c\",\"eci\":\"05\",\"value\":\"AAAA\","
	         "\"response\":\"RRes\"",
	         strlen(body) > 7 ? body[7] : 'U');
}

void directory_request(struct bytes text, int64_t deadline_ms)
{
	json_t *line = json_loadb((const char *)text.data, text.length, 0, NULL);
	struct said *said = world_room(sizeof(*said));
	const char *operation = text_in(line, "op");
	bool lost = fault_of(sim.faults.lost);

	said->id = json_integer_value(json_object_get(line, "id"));
	said->life = vault_life();
	if (strcmp(operation, "versions") == 0)
		versions(line, said->body, sizeof(said->body));
	else if (strcmp(operation, "authenticate") == 0)
		authenticate(line, said->body, sizeof(said->body));
	else
		results(line, said->body, sizeof(said->body));
	TELL("directory: %s: %s%s", operation, lost ? "lost: " : "", said->body);
	if (lost) {
		said->state = 2; // unknown
		said->body[0] = '\0';
	}
	json_decref(line);
	world_after(lost ? deadline_ms - sim_wall_ms() : chance_between(5, 300), say, said);
}

void directory_end(void)
{
	while (transactions) {
		struct transaction *one = transactions;
		transactions = one->next;
		free(one);
	}
}
