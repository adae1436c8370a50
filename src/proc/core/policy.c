// One table of the keys of a policy, and the readers that go by it.
#include "core/policy.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "card/brand.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { KIND_BRANDS, KIND_CURRENCIES, KIND_MERCHANTS, KIND_NUMBER, KIND_FLAG, KIND_RELEASE };

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t least, most, fallback; // of a number
} keys[] = {
#define AT(member) offsetof(struct connection_policy, member)
	{ "brands", KIND_BRANDS, AT(brands), 0, 0, 0 },
	{ "currencies", KIND_CURRENCIES, AT(currencies), 0, 0, 0 },
	{ "merchants", KIND_MERCHANTS, AT(merchants), 0, 0, 0 },
	{ "priority", KIND_NUMBER, AT(priority), 0, 1000000, 100 },
	{ "late_window_s", KIND_NUMBER, AT(late_window_s), 0, 86400, 60 },
	{ "hold_days", KIND_NUMBER, AT(hold_days), 1, 365, 7 },
	{ "refund_repeats", KIND_FLAG, AT(refund_repeats), 0, 0, 0 },
	{ "release", KIND_RELEASE, AT(release), 0, 0, 0 },
	{ "single_message", KIND_FLAG, AT(single_message), 0, 0, 0 },
#undef AT
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static const char *const releases[] = {
	[RELEASE_FINAL] = "final", [RELEASE_REVERSAL] = "reversal"
};

static const char *const currencies[] = {
#define CURRENCY(letters, digits, decimals) letters,
#include "domain/currencies.def"
#undef CURRENCY
};

static bool is_list(const struct key *key)
{
	return key->kind <= KIND_MERCHANTS;
}

static void *member_of(struct connection_policy *policy, const struct key *key)
{
	return (char *)policy + key->offset;
}

static const void *member_in(const struct connection_policy *policy, const struct key *key)
{
	return (const char *)policy + key->offset;
}

void policy_init(struct connection_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	for (int i = 0; i < KEYS; i++)
		if (keys[i].kind == KIND_NUMBER)
			*(int64_t *)member_of(policy, &keys[i]) = keys[i].fallback;
}

bool policy_lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	if (!list[0] || !length)
		return !list[0];
	for (const char *at = list; (at = strstr(at, word)); at += length)
		if (at > list && at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

// --- words of lists

static bool is_brand(const char *word)
{
	for (size_t i = 0; card_brand_at(i); i++)
		if (strcmp(card_brand_at(i)->name, word) == 0)
			return true;
	return false;
}

static bool is_currency(const char *word)
{
	for (size_t i = 0; i < sizeof(currencies) / sizeof(currencies[0]); i++)
		if (strcmp(currencies[i], word) == 0)
			return true;
	return false;
}

static bool word_fits(const struct key *key, const char *word)
{
	uint64_t number;

	switch (key->kind) {
	case KIND_BRANDS: return is_brand(word);
	case KIND_CURRENCIES: return is_currency(word);
	default: return text_to_number(bytes_text(word), INT64_MAX, &number);
	}
}

// --- reading what the store keeps

static bool read_list(const struct key *key, const json_t *value, char list[POLICY_LIST_MAX])
{
	size_t length = 0, index;
	const json_t *word;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, index, word)
	{
		const char *text = json_string_value(word);
		if (!text || !word_fits(key, text) || length + strlen(text) + 3 > POLICY_LIST_MAX)
			return false;
		length += (size_t)snprintf(list + length, POLICY_LIST_MAX - length, "%s%s ",
		                           length ? "" : " ", text);
	}
	return true;
}

static bool read_number(const struct key *key, const json_t *value, int64_t *ret_number)
{
	if (!json_is_integer(value) || json_integer_value(value) < key->least ||
	    json_integer_value(value) > key->most)
		return false;
	*ret_number = json_integer_value(value);
	return true;
}

static bool read_release(const json_t *value, enum policy_release *ret_release)
{
	const char *text = json_string_value(value);

	for (int i = 0; text && i < 2; i++)
		if (strcmp(text, releases[i]) == 0) {
			*ret_release = (enum policy_release)i;
			return true;
		}
	return false;
}

static bool read_key(const struct key *key, const json_t *value, struct connection_policy *policy)
{
	void *member = member_of(policy, key);

	switch (key->kind) {
	case KIND_NUMBER: return read_number(key, value, member);
	case KIND_RELEASE: return read_release(value, member);
	case KIND_FLAG: *(bool *)member = json_is_true(value); return json_is_boolean(value);
	default: return read_list(key, value, member);
	}
}

static const struct key *find_key(struct bytes name)
{
	for (int i = 0; i < KEYS; i++)
		if (bytes_equal_text(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static void json_free(json_t **json)
{
	json_decref(*json);
}

static json_t *parse(struct bytes text)
{
	json_t *root = text.length ? json_loadb((const char *)text.data, text.length,
	                                        JSON_REJECT_DUPLICATES, NULL)
	                           : json_object();

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

static bool read_object(json_t *root, struct connection_policy *policy)
{
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value)
	{
		const struct key *key = find_key(bytes_text(name));
		if (!key || !read_key(key, value, policy))
			return false;
	}
	return true;
}

struct result policy_read(struct bytes text, struct connection_policy *ret_policy)
{
	json_t *root cleanup(json_free) = parse(text);

	policy_init(ret_policy);
	if (root && read_object(root, ret_policy))
		return RESULT_OK;
	policy_init(ret_policy);
	return FAIL(ERROR_INPUT, "the policy cannot be read");
}

// --- what the operator writes

static json_t *list_of(const char *value)
{
	json_t *list = json_array();

	for (size_t length;; value += length + 1) {
		length = strcspn(value, ",");
		json_array_append_new(list, json_stringn(value, length));
		if (!value[length])
			return list;
	}
}

static json_t *number_of(const char *value)
{
	uint64_t number;

	return text_to_number(bytes_text(value), INT64_MAX, &number)
	               ? json_integer((json_int_t)number)
	               : json_null();
}

static json_t *flag_of(const char *value)
{
	bool yes = strcmp(value, "yes") == 0;

	return yes || strcmp(value, "no") == 0 ? json_boolean(yes) : json_null();
}

static json_t *value_of(const struct key *key, const char *value)
{
	switch (key->kind) {
	case KIND_NUMBER: return number_of(value);
	case KIND_FLAG: return flag_of(value);
	case KIND_RELEASE: return json_string(value);
	default: return list_of(value);
	}
}

static void say_wanted(const struct key *key, char wanted[static 256])
{
	static const char *const sentences[] = {
		[KIND_BRANDS] = "card brands with commas between them: visa,mastercard,mir",
		[KIND_CURRENCIES] = "currencies with commas between them: rub,eur",
		[KIND_MERCHANTS] = "numbers of `onfile merchant list` with commas between them",
		[KIND_FLAG] = "yes or no",
		[KIND_RELEASE] = "final or reversal",
	};

	if (key->kind == KIND_NUMBER)
		snprintf(wanted, 256, "the policy %s should be a whole number from %lld to %lld",
		         key->name, (long long)key->least, (long long)key->most);
	else
		snprintf(wanted, 256, "the policy %s should be %s", key->name,
		         sentences[key->kind]);
}

static void say_keys(char wanted[static 256])
{
	int length = snprintf(wanted, 256, "--policy wants KEY=VALUE; the keys are");

	for (int i = 0; i < KEYS; i++)
		length += snprintf(wanted + length, 256 - (size_t)length, "%s %s", i ? "," : "",
		                   keys[i].name);
}

static bool change(json_t *root, const struct key *key, const char *value)
{
	struct connection_policy trial;

	policy_init(&trial);
	if (!*value) {
		json_object_del(root, key->name);
		return true;
	}
	json_object_set_new(root, key->name, value_of(key, value));
	return read_key(key, json_object_get(root, key->name), &trial);
}

bool policy_change(struct buffer *json, const char *setting, char ret_wanted[static 256])
{
	struct bytes text = bytes_text(setting);
	size_t length = bytes_find(text, '=');
	const struct key *key = find_key(bytes_slice(text, 0, length));
	json_t *root cleanup(json_free) = parse(buffer_view(json));

	if (!key || length == text.length) {
		say_keys(ret_wanted);
		return false;
	}
	if (!root)
		root = json_object();
	CHECK(root);
	if (!change(root, key, setting + length + 1)) {
		say_wanted(key, ret_wanted);
		return false;
	}
	char *dumped = json_dumps(root, JSON_COMPACT);
	CHECK(dumped);
	buffer_reset(json);
	buffer_put_text(json, dumped);
	free(dumped);
	if (json->failed)
		snprintf(ret_wanted, 256, "the policy is too long");
	return !json->failed;
}

static void put_list(struct buffer *text, const char *list)
{
	size_t length = strlen(list);

	for (size_t i = 1; i + 1 < length; i++)
		buffer_put_byte(text, list[i] == ' ' ? ',' : (uint8_t)list[i]);
}

void policy_put(struct buffer *text, const struct connection_policy *policy)
{
	for (int i = 0; i < KEYS; i++) {
		const struct key *key = &keys[i];
		const void *member = member_in(policy, key);
		if (is_list(key) && !*(const char *)member)
			continue;
		buffer_printf(text, "%s=", key->name);
		if (key->kind == KIND_NUMBER)
			buffer_printf(text, "%lld", (long long)*(const int64_t *)member);
		else if (key->kind == KIND_FLAG)
			buffer_put_text(text, *(const bool *)member ? "yes" : "no");
		else if (key->kind == KIND_RELEASE)
			buffer_put_text(text, releases[*(const enum policy_release *)member]);
		else
			put_list(text, member);
		buffer_put_byte(text, ' ');
	}
}
