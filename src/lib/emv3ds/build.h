// Messages put together. Every builder returns an object that the caller owns (json_decref), or
// NULL when there is no memory. A text that is NULL or empty leaves its field out; emv3ds_check()
// then says whether what is there is enough.
#pragma once

#include "emv3ds/message.h"

#include "base/buffer.h"

// messageType and messageVersion.
json_t *emv3ds_new(enum emv3ds_type type);
// False when there is no memory.
bool emv3ds_put(json_t *message, const char *name, const char *text);
// The same, with the text cut after its first `max` characters.
bool emv3ds_put_cut(json_t *message, const char *name, const char *text, size_t max);
// Copies fields (a list of names that ends with NULL) that `from` has.
bool emv3ds_copy(json_t *message, const json_t *from, const char *const names[]);

// An Erro about `about` (may be NULL), with those of its ids that have the form of an id. The
// component is 'S' (server), 'D' (directory) or 'A' (access control server).
json_t *emv3ds_erro(char component, const struct emv3ds_problem *problem, const json_t *about,
                    const char *about_type);
// A problem in one line, for those who find it outside of the checker.
struct emv3ds_problem emv3ds_problem(enum emv3ds_code code, const char *detail);

json_t *emv3ds_preq(const char *transaction, const char *reference, const char *operator_id,
                    const char *serial);
json_t *emv3ds_creq(const char *transaction, const char *acs_transaction, const char *window);
json_t *emv3ds_cres(const char *transaction, const char *acs_transaction, const char *status);
// resultsStatus 01: received.
json_t *emv3ds_rres(const json_t *rreq, const char *status);

// What the browser told, as AReq fields: values that screens really have are mapped to those that
// the specification knows.
struct emv3ds_browser {
	const char *accept_header;
	const char *user_agent;
	const char *ip;
	const char *language;
	bool script;
	bool java;
	long color_depth;
	long screen_height;
	long screen_width;
	long time_zone; // minutes, as JavaScript counts them: positive is west of Greenwich
};

bool emv3ds_put_browser(json_t *message, const struct emv3ds_browser *browser);
// 1 4 8 15 16 24 32 or 48: the greatest that is not above `depth` (30 becomes 24); at least 1.
unsigned emv3ds_color_depth(long depth);

// Writes a message as compact JSON.
MUST_USE struct result emv3ds_write(const json_t *message, struct buffer *buffer);
// The same in base64url without padding, as `creq` and `cres` carry it.
MUST_USE struct result emv3ds_write_base64url(const json_t *message, struct buffer *buffer);
