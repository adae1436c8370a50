// Static files in memory, found by their path, sent with a strong ETag (RFC 9110 section 8.8.3).
#include "serve/static.h"

#include "base/check.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { MAX_FILES = 1000, MAX_BYTES = 32 * 1024 * 1024, MAX_DEPTH = 8, MAX_PATH = 1024 };
enum { MAX_FILE_PAIRS = 24 };

struct serve_static {
	struct serve_file *files; // in the order of their paths
	size_t count;
	size_t bytes;
};

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".jpg", "image/jpeg" },
	{ ".webp", "image/webp" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".md", "text/plain; charset=utf-8" },
};

static const char *type_of(const char *path)
{
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

DEFINE_CLEANUP(cleanup_static, struct serve_static, serve_static_free)
DEFINE_CLEANUP(cleanup_dir, DIR, closedir)

void serve_static_free(struct serve_static *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++) {
		free((void *)(uintptr_t)files->files[i].path);
		free((void *)(uintptr_t)files->files[i].body.data);
	}
	free(files->files);
	free(files);
}

// FNV-1a over the content: the files are the operator's own, nobody looks for collisions.
static void name_content(struct serve_file *file)
{
	uint64_t hash = 14695981039346656037U;

	for (size_t i = 0; i < file->body.length; i++)
		hash = (hash ^ file->body.data[i]) * 1099511628211U;
	snprintf(file->etag, sizeof(file->etag), "\"%016llx\"", (unsigned long long)hash);
}

static struct result read_content(int fd, size_t size, uint8_t *to)
{
	size_t got = 0;

	while (got < size) {
		ssize_t count = read(fd, to + got, size - got);
		if (count <= 0)
			return FAIL(ERROR_SYSTEM, "a static file cannot be read");
		got += (size_t)count;
	}
	return RESULT_OK;
}

static struct result add_file(struct serve_static *files, int fd, size_t size, const char *path)
{
	if (files->count == MAX_FILES || size > MAX_BYTES - files->bytes)
		return FAIL(ERROR_LIMIT, "there are too many static files");
	struct serve_file *more = realloc(files->files, (files->count + 1) * sizeof(*files->files));
	if (!more)
		return FAIL(ERROR_MEMORY, "no memory for static files");
	files->files = more;
	struct serve_file *file = &more[files->count];
	uint8_t *content = malloc(size + 1);
	char *own_path = strdup(path);
	*file = (struct serve_file){ .path = own_path, .body = bytes_from(content, size) };
	files->count++;
	if (!content || !own_path)
		return FAIL(ERROR_MEMORY, "no memory for static files");
	TRY(read_content(fd, size, content));
	file->type = type_of(own_path);
	name_content(file);
	files->bytes += size;
	return RESULT_OK;
}

static struct result read_folder(struct serve_static *files, int fd, const char *path, int depth);

static struct result read_entry(struct serve_static *files, int folder, const char *name,
                                const char *path, int depth)
{
	cleanup(cleanup_fd) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	char below[MAX_PATH];
	int length = snprintf(below, sizeof(below), "%s/%s", path, name);

	if (fd < 0 || fstat(fd, &about) != 0)
		return FAIL(ERROR_SYSTEM, "a static file cannot be opened");
	if (length < 0 || (size_t)length >= sizeof(below))
		return FAIL(ERROR_LIMIT, "the path of a static file is too long");
	if (S_ISREG(about.st_mode))
		return add_file(files, fd, (size_t)about.st_size, below);
	if (!S_ISDIR(about.st_mode))
		return RESULT_OK;
	return read_folder(files, fd, below, depth + 1);
}

static struct result read_folder(struct serve_static *files, int fd, const char *path, int depth)
{
	cleanup(cleanup_fd) int own = dup(fd);

	if (depth > MAX_DEPTH)
		return FAIL(ERROR_LIMIT, "the folders of static files are too deep");
	cleanup(cleanup_dir) DIR *folder = own < 0 ? NULL : fdopendir(own);
	if (!folder)
		return FAIL(ERROR_SYSTEM, "a folder of static files cannot be read");
	own = -1; // the folder closes it
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (entry->d_name[0] != '.')
			TRY(read_entry(files, fd, entry->d_name, path, depth));
	return RESULT_OK;
}

static int by_path(const void *a, const void *b)
{
	const struct serve_file *first = a;
	const struct serve_file *second = b;

	return strcmp(first->path, second->path);
}

struct result serve_static_load(const char *folder, const char *prefix,
                                struct serve_static **ret_files)
{
	cleanup(cleanup_static) struct serve_static *files = calloc(1, sizeof(*files));
	cleanup(cleanup_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!files)
		return FAIL(ERROR_MEMORY, "no memory for static files");
	if (fd < 0)
		return FAIL(ERROR_SYSTEM, "the folder of static files cannot be opened");
	TRY(read_folder(files, fd, prefix, 0));
	if (files->count)
		qsort(files->files, files->count, sizeof(*files->files), by_path);
	*ret_files = take_ptr(files);
	return RESULT_OK;
}

static int compare_path(struct bytes path, const char *other)
{
	size_t length = strlen(other);
	size_t common = path.length < length ? path.length : length;
	int order = common ? memcmp(path.data, other, common) : 0;

	if (order != 0 || path.length == length)
		return order;
	return path.length < length ? -1 : 1;
}

const struct serve_file *serve_static_find(const struct serve_static *files, struct bytes path)
{
	size_t low = 0;
	size_t high = files->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_path(path, files->files[middle].path);
		if (order == 0)
			return &files->files[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

// If-None-Match is a list of tags, or "*"; the comparison is the weak one (RFC 9110 section
// 13.1.2).
static bool is_known(struct bytes tags, const char *etag)
{
	while (tags.length) {
		size_t comma = bytes_find(tags, ',');
		struct bytes tag = bytes_slice(tags, 0, comma);
		while (tag.length && (tag.data[0] == ' ' || tag.data[0] == '\t'))
			tag = bytes_slice(tag, 1, tag.length);
		while (tag.length && (tag.data[tag.length - 1] == ' '))
			tag.length--;
		if (bytes_start_with(tag, "W/"))
			tag = bytes_slice(tag, 2, tag.length);
		if (bytes_equal_text(tag, etag) || bytes_equal_text(tag, "*"))
			return true;
		tags = bytes_slice(tags, comma + 1, tags.length);
	}
	return false;
}

static bool method_reads(const struct serve_request *request)
{
	return bytes_equal_text(request->http->method, "GET") ||
	       bytes_equal_text(request->http->method, "HEAD");
}

void serve_file(struct serve_request *request, const struct serve_file *file, const char *cache,
                const struct http_pair *pairs, size_t pair_count)
{
	struct http_pair all[MAX_FILE_PAIRS + 2];
	size_t count = 0;

	CHECK(pair_count <= MAX_FILE_PAIRS);
	if (!method_reads(request)) {
		struct http_pair allow = HTTP_PAIR("Allow", "GET, HEAD");
		serve_reply(request,
		            &(struct serve_reply){ .status = 405,
		                                   .type = "text/plain; charset=utf-8",
		                                   .pairs = &allow,
		                                   .pair_count = 1,
		                                   .body = BYTES_LITERAL("GET or HEAD only\n") });
		return;
	}
	all[count++] = HTTP_PAIR_TEXT("ETag", file->etag);
	all[count++] = HTTP_PAIR_TEXT("Cache-Control", cache);
	for (size_t i = 0; i < pair_count; i++)
		all[count++] = pairs[i];
	bool known = is_known(http_request_get(request->http, "if-none-match"), file->etag);
	serve_reply(request, &(struct serve_reply){ .status = known ? 304 : 200,
	                                            .type = known ? NULL : file->type,
	                                            .pairs = all,
	                                            .pair_count = count,
	                                            .body = file->body });
}

bool serve_static_answer(const struct serve_static *files, struct serve_request *request)
{
	const struct serve_file *file = serve_static_find(files, request->http->path);
	struct http_pair no_guessing = HTTP_PAIR("X-Content-Type-Options", "nosniff");

	if (!file)
		return false;
	serve_file(request, file, "no-cache", &no_guessing, 1);
	return true;
}
