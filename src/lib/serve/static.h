// A folder of static files, read into memory at the start and served from there: programs that
// entered their jail need no file system for it.
#pragma once

#include "serve/serve.h"

struct serve_static;

struct serve_file {
	const char *path; // "/static/tokens.css", as in a request
	const char *type; // Content-Type by the name's ending
	char etag[24];    // strong, with its quotes, from the content
	struct bytes body;
};

// Reads all regular files of a folder and its subfolders (names that begin with "." are left out);
// a file a/b.css gets the path `prefix`/a/b.css, where prefix is "" or like "/static".
// ERROR_SYSTEM: a file cannot be read; ERROR_LIMIT: more than 1000 files or 32 MiB.
MUST_USE struct result serve_static_load(const char *folder, const char *prefix,
                                         struct serve_static **ret_files);
void serve_static_free(struct serve_static *files);

// The file of a path (exactly; the caller maps "/" to "/index.html" if it wants to), or NULL.
const struct serve_file *serve_static_find(const struct serve_static *files, struct bytes path);

// Answers with a file: GET and HEAD, If-None-Match, 405 for other methods. `cache` is the value of
// Cache-Control; `pairs` are further fields.
void serve_file(struct serve_request *request, const struct serve_file *file, const char *cache,
                const struct http_pair *pairs, size_t pair_count);

// Answers with the file of the request's path, which must be revalidated at each use
// (Cache-Control: no-cache). False, and nothing answered, when there is none.
bool serve_static_answer(const struct serve_static *files, struct serve_request *request);
