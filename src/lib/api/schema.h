// The description of the API's objects and parameters as JSON Schema (2020-12, as OpenAPI 3.1 takes
// it), made from the tables that render and check them.
#pragma once

#include "api/params.h"
#include "api/render.h"

// An object of the API with all its members, or (`shopper`) with those that a publishable key sees.
// A member without a type is a mistake in types.def: CHECK. The caller owns what is returned.
json_t *api_schema_object(enum api_object kind, bool shopper);
// False: there is no such object, or a publishable key sees nothing of it.
bool api_schema_exists(enum api_object kind, bool shopper);
// What a form may hold: the rows of up to API_PARAMS_TABLES tables (NULL: no more), brackets as
// nested objects and arrays. Refused ones are left out.
json_t *api_schema_form(const struct api_param *const tables[static API_PARAMS_TABLES]);
// One parameter by itself, as a query has it.
json_t *api_schema_param(const struct api_param *param);
