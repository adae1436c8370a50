// `expand`: which paths may be named, and which of them a member is on. What can be expanded is a
// table, expandable.def; the objects are written by render.c.
#include "api/fields.h"

#include <stdio.h>

struct edge {
	enum api_object of;
	const char *path;
	enum api_object to;
	bool list;
};

static const struct edge edges[] = {
#define EXPANDS(of, path, to) { API_##of, path, API_##to, false },
#define EXPANDS_LIST(of, path, to) { API_##of, path, API_##to, true },
#include "api/expandable.def"
#undef EXPANDS
#undef EXPANDS_LIST
};

enum { EDGES = sizeof(edges) / sizeof(edges[0]) };

// True when a path of expand is this member, or goes on below it.
bool is_expanded(const struct render *render)
{
	const struct api_expand *expand = render->view->expand;
	char path[2 * API_PATH_CAPACITY];

	if (!expand || expand->count == 0)
		return false;
	size_t length = (size_t)snprintf(path, sizeof(path), "%s%s", render->path, render->name);
	for (size_t i = 0; i < expand->count; i++)
		if (strncmp(expand->paths[i], path, length) == 0 &&
		    (expand->paths[i][length] == '\0' || expand->paths[i][length] == '.'))
			return true;
	return false;
}

// What is left of a path behind `length` bytes and a dot; NULL when a name goes on there.
static const char *behind(const char *path, size_t length)
{
	if (path[length] == '\0')
		return path + length;
	return path[length] == '.' ? path + length + 1 : NULL;
}

// Goes one step along the path. Returns what is left, or NULL when this object has no such member.
static const char *step(enum api_object *kind, const char *path)
{
	if (*kind == API_NOTHING)
		return "";
	for (size_t i = 0; i < EDGES; i++) {
		const char *rest = edges[i].of == *kind && strncmp(path, edges[i].path,
		                                                   strlen(edges[i].path)) == 0
		                           ? behind(path, strlen(edges[i].path))
		                           : NULL;
		if (!rest)
			continue;
		*kind = edges[i].to;
		if (!edges[i].list || !rest[0])
			return rest;
		return strncmp(rest, "data", 4) == 0 ? behind(rest, 4) : NULL;
	}
	return NULL;
}

static bool is_way(const char *path, enum api_object kind)
{
	bool whole = kind != API_NOTHING && path[0] && path[strlen(path) - 1] != '.';

	while (whole && path && *path)
		path = step(&kind, path);
	return whole && path;
}

static int levels(const char *path)
{
	int count = 1;

	for (const char *c = path; *c; c++)
		count += *c == '.';
	return count;
}

static bool fits(const char *path, enum api_object kind, bool list, struct api_error *ret_error)
{
	if (levels(path) > API_EXPAND_DEPTH)
		return api_fail(ret_error, 400, NULL, "expand",
		                "A property can be expanded down to %d levels; %s has more.",
		                API_EXPAND_DEPTH, path);
	if (!list && is_way(path, kind))
		return true;
	if (list && strncmp(path, "data.", 5) == 0 && is_way(path + 5, kind))
		return true;
	if (list && is_way(path, kind))
		return api_fail(ret_error, 400, NULL, "expand",
		                "This property cannot be expanded (%s). In a list it is 'data.%s'.",
		                path, path);
	return api_fail(ret_error, 400, NULL, "expand", "This property cannot be expanded (%s).",
	                path);
}

bool api_expand_read(const struct api_params *params, enum api_object kind, bool list,
                     struct api_expand *ret_expand, struct api_error *ret_error)
{
	const struct api_value *value;

	ret_expand->count = 0;
	for (size_t i = 0; (value = api_params_at(params, "expand[]", i)); i++) {
		char path[API_PATH_CAPACITY];
		if (i == API_EXPAND_MAX)
			return api_fail(ret_error, 400, NULL, "expand",
			                "At most %d properties can be expanded", API_EXPAND_MAX);
		api_show(value->text, path, sizeof(path));
		if (!fits(path, kind, list, ret_error))
			return false;
		snprintf(ret_expand->paths[i], API_PATH_CAPACITY, "%s", path);
		ret_expand->count = i + 1;
	}
	return true;
}

json_t *api_expand_describe(enum api_object kind)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < EDGES; i++) {
		json_t *to = edges[i].to ? json_string(api_object_name(edges[i].to)) : json_null();
		if (edges[i].of == kind)
			json_object_set_new(
			        paths, edges[i].path,
			        json_pack("{s:O, s:b}", "object", to, "list", edges[i].list));
		json_decref(to);
	}
	return paths;
}
