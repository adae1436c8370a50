// A small strict reader of JSON (RFC 8259) for what `driver --describe` prints: a tree of nodes in
// one array. The command does not link a JSON library, because the program that it belongs to runs
// as root and links nothing that it can do without.
#pragma once

#include "base/buffer.h"
#include "base/result.h"

enum { CLI_JSON_NODES = 4096, CLI_JSON_DEPTH = 16 };

enum cli_json_kind {
	CLI_JSON_NULL,
	CLI_JSON_FALSE,
	CLI_JSON_TRUE,
	CLI_JSON_NUMBER, // `text` is as it was written
	CLI_JSON_TEXT,   // `text` is decoded
	CLI_JSON_LIST,
	CLI_JSON_OBJECT,
};

struct cli_json {
	enum cli_json_kind kind;
	const char *name; // of a member of an object, decoded
	const char *text;
	const struct cli_json *first; // of a list or object
	const struct cli_json *next;
};

struct cli_document {
	struct cli_json nodes[CLI_JSON_NODES];
	size_t count;
	struct buffer texts; // decoded, each with a zero byte; never moves
};

// Reads the whole text into the document; its root is nodes[0]. ERROR_INPUT: not JSON, a member
// twice, a zero byte inside a text; ERROR_LIMIT: too many nodes or too deep.
// cli_document_done() is due in every case.
MUST_USE struct result cli_json_read(struct bytes text, struct cli_document *ret_document);
void cli_document_done(struct cli_document *document);

// A member of an object by name; NULL when there is none, or `object` is NULL or no object.
const struct cli_json *cli_json_member(const struct cli_json *object, const char *name);
// The member's text; NULL when there is none of this kind.
const char *cli_json_text(const struct cli_json *object, const char *name);
bool cli_json_true(const struct cli_json *object, const char *name);
