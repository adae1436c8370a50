// Parameters: what a table takes, what it refuses and how, what ends up in the details.
#include "api/params.h"

#include "base/tap.h"

#include <stdlib.h>

static const struct api_param table[] = {
	{ "amount", API_NUMBER, API_REQUIRED, 1, 99999999, NULL },
	{ "confirm", API_FLAG, 0, 0, 0, NULL },
	{ "usage", API_CHOICE, 0, 0, 0, "on_session off_session" },
	{ "name", API_TEXT, API_STORED, 0, 10, NULL },
	{ "address", API_OBJECT, API_STORED, 0, 0, NULL },
	{ "address[city]", API_TEXT, API_STORED, 0, 0, NULL },
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "preferred_locales[]", API_TEXT, API_STORED, 0, 0, NULL },
	{ "customer", API_TEXT, 0, 0, 0, NULL },
	{ "card[encrypted]", API_TEXT, 0, 0, 0, NULL },
	{ "mandate_data[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL },
	{ "transfer_data[**]", API_ANYTHING, API_REFUSED, 0, 0,
	  "Split the payment in your books." },
	{ "setup_intent_data[description]", API_TEXT, API_STORED, 0, 0, NULL },
	{ "setup_intent_data[metadata]", API_METADATA, API_STORED, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};
static const struct api_param paging[] = {
	{ "expand[]", API_TEXT, 0, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};
static const struct api_param *const tables[API_PARAMS_TABLES] = { table, paging };

enum { PAIRS_MAX = 16 };
static struct http_form_pair pairs[PAIRS_MAX];
static struct api_error error;

// Reads "name=value&…" without any decoding, into views of `text`.
static bool read_all(const char *text, struct api_params *ret_params)
{
	size_t count = 0;

	for (const char *part = text; *part && count < PAIRS_MAX; count++) {
		size_t length = strcspn(part, "&");
		size_t name = strcspn(part, "=");
		pairs[count] =
		        (struct http_form_pair){ bytes_from(part, name),
			                         bytes_from(part + name + 1, length - name - 1) };
		part += length + (part[length] == '&');
	}
	error = (struct api_error){ 0 };
	return api_params_read(pairs, count, tables, ret_params, &error);
}

static bool refused(const char *text, int status, const char *code, const char *param)
{
	struct api_params params;
	bool ok = read_all(text, &params);

	api_params_done(&params);
	if (!ok && error.status == status && strcmp(error.param, param) == 0 &&
	    (code ? error.code && strcmp(error.code, code) == 0 : !error.code))
		return true;
	printf("# %s: ok %d, status %d, code %s, param %s, %s\n", text, ok, error.status,
	       error.code ? error.code : "-", error.param, error.message);
	return false;
}

TEST(what_the_table_takes_is_read)
{
	struct api_params params;

	REQUIRE(read_all("amount=1099&confirm=True&usage=off_session&expand[]=a&expand[]=b&"
	                 "expand[2]=c&mandate_data[x][y][z]=1&mandate_data=&card[encrypted]=eyJ",
	                 &params));
	EXPECT(api_params_number(&params, "amount", 0) == 1099);
	EXPECT(api_params_flag(&params, "confirm", false));
	EXPECT(api_params_is(&params, "usage", "off_session"));
	EXPECT(bytes_equal_text(api_params_at(&params, "expand[]", 2)->text, "c"));
	EXPECT(!api_params_at(&params, "expand[]", 3));
	EXPECT(bytes_equal_text(api_params_text(&params, "card[encrypted]"), "eyJ"));
	EXPECT(!api_params_has(&params, "customer"));
	api_params_done(&params);
}

TEST(what_it_does_not_take_is_refused_by_name)
{
	EXPECT(refused("amount=1&nonsense=1", 400, "parameter_unknown", "nonsense"));
	EXPECT(refused("amount=1&address[planet]=1", 400, "parameter_unknown", "address[planet]"));
	EXPECT(refused("amount=1&address[city][x]=1", 400, "parameter_unknown",
	               "address[city][x]"));
	EXPECT(refused("amount=1&card[encrypted=1", 400, "parameter_unknown", "card[encrypted"));
	EXPECT(refused("amount=1&expand[x]=1", 400, "parameter_unknown", "expand[x]"));
	EXPECT(refused("amount=1&expand=1", 400, "parameter_unknown", "expand"));
	EXPECT(refused("amount=1&transfer_data[destination]=x", 400, "parameter_unknown",
	               "transfer_data[destination]"));
	EXPECT(strstr(error.message, "Split the payment"));
	EXPECT(refused("confirm=true", 400, "parameter_missing", "amount"));
	EXPECT(refused("amount=1&amount=1", 400, NULL, "amount"));
	EXPECT(refused("amount=1&expand[0]=a&expand[0]=b", 400, NULL, "expand[0]"));
	EXPECT(refused("amount=1&metadata[a]=1&metadata[a]=2", 400, NULL, "metadata[a]"));
	EXPECT(refused("amount=", 400, "parameter_invalid_empty", "amount"));
	EXPECT(refused("amount=1&customer=", 400, "parameter_invalid_empty", "customer"));
}

TEST(values_have_their_types_and_limits)
{
	EXPECT(refused("amount=0", 400, "parameter_invalid_integer", "amount"));
	EXPECT(refused("amount=-1", 400, "parameter_invalid_integer", "amount"));
	EXPECT(refused("amount=1.5", 400, "parameter_invalid_integer", "amount"));
	EXPECT(refused("amount=1e3", 400, "parameter_invalid_integer", "amount"));
	EXPECT(refused("amount=99999999999999999999", 400, "parameter_invalid_integer", "amount"));
	EXPECT(refused("amount=1&confirm=yes", 400, NULL, "confirm"));
	EXPECT(refused("amount=1&usage=off", 400, NULL, "usage"));
	EXPECT(refused("amount=1&usage=on_session off_session", 400, NULL, "usage"));
	EXPECT(refused("amount=1&name=12345678901", 400, NULL, "name"));
	EXPECT(refused("amount=1&name=\xff", 400, NULL, "name"));
	EXPECT(refused("amount=1&address=x", 400, NULL, "address"));
	EXPECT(refused("amount=1&metadata[12345678901234567890123456789012345678901]=x", 400, NULL,
	               "metadata[12345678901234567890123456789012345678901]"));
	struct api_params params;
	EXPECT(read_all("amount=1&name=Иван Петро", &params)); // ten characters, nineteen bytes
	api_params_done(&params);
}

static bool merged(const char *before, const char *text, const char *below, const char *after)
{
	struct api_params params;
	json_t *details = json_loads(before, 0, NULL);
	bool ok = read_all(text, &params) && api_params_merge(&params, below, details, &error);
	char *got = json_dumps(details, JSON_COMPACT | JSON_SORT_KEYS);
	bool same = ok && strcmp(got, after) == 0;

	if (!same)
		printf("# %s gave %s\n", text, ok ? got : error.message);
	free(got);
	json_decref(details);
	api_params_done(&params);
	return same;
}

TEST(what_is_stored_is_merged_and_unset)
{
	EXPECT(merged(
	        "{}", "amount=1&name=X&address[city]=Y&metadata[a b]=1&metadata[c]=", NULL,
	        "{\"address\":{\"city\":\"Y\"},\"metadata\":{\"a b\":\"1\"},\"name\":\"X\"}"));
	EXPECT(merged("{\"name\":\"X\",\"address\":{\"city\":\"Y\",\"line1\":\"Z\"}}",
	              "amount=1&name=&address[city]=", NULL, "{\"address\":{\"line1\":\"Z\"}}"));
	EXPECT(merged("{\"metadata\":{\"a\":\"1\"},\"address\":{\"city\":\"Y\"}}",
	              "amount=1&metadata=&address=", NULL, "{}"));
	EXPECT(merged("{\"metadata\":{\"a\":\"1\"}}", "amount=1&metadata[b]=2&metadata=", NULL,
	              "{\"metadata\":{\"b\":\"2\"}}"));
	EXPECT(merged("{\"preferred_locales\":[\"fr\"]}",
	              "amount=1&preferred_locales[0]=ru&preferred_locales[1]=en", NULL,
	              "{\"preferred_locales\":[\"ru\",\"en\"]}"));
	EXPECT(merged("{}",
	              "amount=1&name=X&setup_intent_data[description]=D&"
	              "setup_intent_data[metadata][k]=v",
	              "setup_intent_data", "{\"description\":\"D\",\"metadata\":{\"k\":\"v\"}}"));
}

TEST(metadata_has_at_most_fifty_keys)
{
	json_t *details = json_pack("{s:{}}", "metadata");
	char key[8];

	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		json_object_set_new(json_object_get(details, "metadata"), key, json_string("v"));
	}
	char *full = json_dumps(details, JSON_COMPACT);
	struct api_params params;
	REQUIRE(read_all("amount=1&metadata[k0]=again", &params));
	EXPECT(api_params_merge(&params, NULL, details, &error));
	api_params_done(&params);
	REQUIRE(read_all("amount=1&metadata[more]=x", &params));
	EXPECT(!api_params_merge(&params, NULL, details, &error) && error.status == 400);
	api_params_done(&params);
	free(full);
	json_decref(details);
}

TEST(too_many_parameters_are_refused)
{
	static struct http_form_pair many[API_VALUES_MAX + 1];
	struct api_params params;

	EXPECT(!api_params_read(many, API_VALUES_MAX + 1, tables, &params, &error));
	EXPECT(error.status == 400);
	api_params_done(&params);
}

TAP_MAIN
