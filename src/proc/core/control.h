// What the files of the operator's verbs share: each area of verbs is a file, control_AREA.c, with
// a table of rows that control.c lists. A verb answers with lines and ends with a status, at once
// or (like `connection test`) when an answer has come.
#pragma once

#include "core/core.h"

struct control_client;

// `arguments` are "name=value" and a zero byte each; `blob` is what vault sealed, or empty.
typedef void control_verb(struct core *core, struct control_client *client, struct bytes arguments,
                          struct bytes blob);

struct control_row {
	const char *name; // "connection add"; NULL ends a table
	control_verb *run;
};

extern const struct control_row control_merchant_verbs[], control_connection_verbs[],
        control_trace_verbs[], control_attention_verbs[], control_books_verbs[],
        control_event_verbs[], control_endpoint_verbs[];

// The connection that the argument `name` names; NULL: there is none. And how it is, in a word.
struct connection;
struct connection *control_find_connection(struct core *core, struct bytes arguments);
const char *control_connection_state(const struct connection *connection);
control_verb control_connection_test;

// The sealed parameters of a connection, for the command that asks vault to show or change them.
void control_blob(struct control_client *client, int64_t connection, struct bytes driver,
                  struct bytes blob);

// One line for the operator: stream 1 is standard output, 2 standard error. At most 4000 bytes.
void control_say(struct control_client *client, int stream, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
// Any other message to the command; a client that does not take it is hung up on.
void control_put(struct control_client *client, enum wire_number number,
                 const struct wire_value *values);
// "37", or "10000 or more": rows are counted up to there (a LIMIT), as payments wait meanwhile.
enum { CONTROL_COUNTED = 10000, CONTROL_COUNT = 24 };
void control_count(int64_t count, char ret_text[static CONTROL_COUNT]);
// Ends the command: the last thing that is said to a client.
void control_end(struct control_client *client, int status);
// One sentence on standard error, and exit status 1.
void control_fail(struct control_client *client, const char *sentence);

// Copies the value of an argument; false, and an empty text, when it is not there or too long.
// The first of them; `control_next_argument` takes those up to it away, for options that come
// often.
bool control_next_argument(struct bytes *arguments, const char *name, char *to, size_t capacity);
bool control_argument(struct bytes arguments, const char *name, char *to, size_t capacity);

// For answers that come later: a client's number, and the client that has it; NULL: it hung up.
int64_t control_client_number(const struct control_client *client);
struct control_client *control_find_client(struct core *core, int64_t number);
