// See shoppers.h.
#include "shoppers.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/jwe.h"
#include "http/client.h"
#include "http/form.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

void shoppers_init(struct shoppers *shoppers, int port, const char *host, const char *key)
{
	*shoppers = (struct shoppers){
		.port = port, .host = host, .key = key, .run = clock_wall_ms() / 1000
	};
	snprintf(shoppers->origin, sizeof(shoppers->origin), "http://%s", host);
	snprintf(shoppers->authorization, sizeof(shoppers->authorization), "Bearer %s", key);
}

void shoppers_done(struct shoppers *shoppers)
{
	free(shoppers->list);
	shoppers->list = NULL;
	shoppers->count = 0;
}

void shoppers_make(struct shoppers *shoppers, size_t count)
{
	shoppers_done(shoppers);
	shoppers->list = calloc(count, sizeof(*shoppers->list));
	CHECK(shoppers->list);
	shoppers->count = count;
}

// --- requests

static void put_request(const struct shoppers *shoppers, struct buffer *request, const char *method,
                        const char *path, bool page, const char *idempotency_key,
                        const struct buffer *form)
{
	struct http_pair pairs[5];
	size_t count = 0;

	if (page) {
		pairs[count++] = HTTP_PAIR_TEXT("Origin", shoppers->origin);
		pairs[count++] = HTTP_PAIR_TEXT("User-Agent", "Mozilla/5.0 (bench)");
		pairs[count++] = HTTP_PAIR_TEXT("Accept", "application/json");
	} else {
		pairs[count++] = HTTP_PAIR_TEXT("Authorization", shoppers->authorization);
	}
	if (form)
		pairs[count++] =
		        HTTP_PAIR_TEXT("Content-Type", "application/x-www-form-urlencoded");
	if (idempotency_key)
		pairs[count++] = HTTP_PAIR_TEXT("Idempotency-Key", idempotency_key);
	CHECK(result_ok(http_request_put(request, method, path, shoppers->host, pairs, count,
	                                 form ? buffer_view(form) : BYTES_NONE)));
}

void shoppers_put_customer(void *owner, uint64_t number, struct buffer *request)
{
	struct buffer form cleanup(buffer_done) = { 0 };
	char email[64];

	buffer_init(&form, 1024);
	snprintf(email, sizeof(email), "shopper-%llu@shop.example", (unsigned long long)number);
	http_form_put_text(&form, "email", email);
	put_request(owner, request, "POST", "/v1/customers", false, NULL, &form);
}

void shoppers_put_intent(void *owner, uint64_t number, struct buffer *request)
{
	const struct shoppers *shoppers = owner;
	struct buffer form cleanup(buffer_done) = { 0 };

	buffer_init(&form, 1024);
	http_form_put_text(&form, "customer", shoppers->list[number].customer);
	put_request(shoppers, request, "POST", "/v1/setup_intents", false, NULL, &form);
}

void shoppers_put_link(void *owner, uint64_t number, struct buffer *request)
{
	const struct shoppers *shoppers = owner;
	struct buffer form cleanup(buffer_done) = { 0 };
	char path[SHOPPER_ID_MAX + 16];

	buffer_init(&form, 16384);
	http_form_put_text(&form, "encrypted", shoppers->list[number].jwe);
	http_form_put_text(&form, "browser[java]", "false");
	http_form_put_text(&form, "browser[language]", "en");
	http_form_put_text(&form, "browser[color_depth]", "24");
	http_form_put_text(&form, "browser[screen_height]", "800");
	http_form_put_text(&form, "browser[screen_width]", "360");
	http_form_put_text(&form, "browser[time_zone]", "-180");
	http_form_put_text(&form, "browser[window]", "05");
	snprintf(path, sizeof(path), "/c/%s/card", shoppers->list[number].secret);
	put_request(shoppers, request, "POST", path, true, NULL, &form);
}

void shoppers_put_look(void *owner, uint64_t number, struct buffer *request)
{
	const struct shoppers *shoppers = owner;
	char path[SHOPPER_ID_MAX + 32];

	snprintf(path, sizeof(path), "/v1/setup_intents/%s", shoppers->list[number].intent);
	put_request(shoppers, request, "GET", path, false, NULL, NULL);
}

void shoppers_put_payment(void *owner, uint64_t number, struct buffer *request)
{
	const struct shoppers *shoppers = owner;
	const struct shopper *shopper = &shoppers->list[number * 7919 % shoppers->count];
	struct buffer form cleanup(buffer_done) = { 0 };
	char key[64], amount[16];

	buffer_init(&form, 1024);
	snprintf(key, sizeof(key), "bench-%lld-%llu", (long long)shoppers->run,
	         (unsigned long long)number);
	snprintf(amount, sizeof(amount), "%llu", (unsigned long long)(100 + number % 900));
	http_form_put_text(&form, "amount", amount);
	http_form_put_text(&form, "currency", "rub");
	http_form_put_text(&form, "customer", shopper->customer);
	http_form_put_text(&form, "payment_method", shopper->card);
	http_form_put_text(&form, "confirm", "true");
	put_request(shoppers, request, "POST", "/v1/payment_intents", false, key, &form);
}

// --- answers

static bool copy_member(const json_t *object, const char *name, char *ret_text)
{
	return bytes_copy_text(bytes_text(json_string_value(json_object_get(object, name))),
	                       ret_text, SHOPPER_ID_MAX) &&
	       ret_text[0];
}

static json_t *read_object(int status, struct bytes body)
{
	return status == 200 ? json_loadb((const char *)body.data, body.length, 0, NULL) : NULL;
}

bool shoppers_take_customer(void *owner, uint64_t number, int status, struct bytes body)
{
	const struct shoppers *shoppers = owner;
	json_t *object = read_object(status, body);
	bool good = copy_member(object, "id", shoppers->list[number].customer);

	json_decref(object);
	return good;
}

bool shoppers_take_intent(void *owner, uint64_t number, int status, struct bytes body)
{
	const struct shoppers *shoppers = owner;
	struct shopper *shopper = &shoppers->list[number];
	json_t *object = read_object(status, body);
	bool good = copy_member(object, "id", shopper->intent) &&
	            copy_member(object, "client_secret", shopper->secret);

	json_decref(object);
	return good;
}

static bool holds(struct bytes body, const char *text)
{
	return memmem(body.data, body.length, text, strlen(text)) != NULL;
}

bool shoppers_take_link(void *owner, uint64_t number, int status, struct bytes body)
{
	(void)owner;
	(void)number;
	return status == 200 && holds(body, "\"step\":\"done\"");
}

bool shoppers_take_look(void *owner, uint64_t number, int status, struct bytes body)
{
	const struct shoppers *shoppers = owner;
	json_t *object = read_object(status, body);
	bool good = copy_member(object, "payment_method", shoppers->list[number].card);

	json_decref(object);
	return good;
}

bool shoppers_take_payment(void *owner, uint64_t number, int status, struct bytes body)
{
	(void)owner;
	(void)number;
	return status == 200 && holds(body, "\"succeeded\"");
}

// --- sealing

static bool read_coordinate(const json_t *key, const char *name, uint8_t ret[static 32])
{
	struct buffer bytes cleanup(buffer_done) = { 0 };

	buffer_init(&bytes, 64);
	if (!result_ok(base64url_read(bytes_text(json_string_value(json_object_get(key, name))),
	                              &bytes)) ||
	    bytes.length != 32)
		return false;
	memcpy(ret, bytes.data, 32);
	return true;
}

struct card_key {
	const struct shoppers *shoppers;
	struct crypto_p256_point point;
	char kid[SHOPPER_ID_MAX];
	int64_t now;
};

static void put_keys(void *owner, uint64_t number, struct buffer *request)
{
	const struct card_key *key = owner;

	(void)number;
	put_request(key->shoppers, request, "GET", "/v1/card_keys", false, NULL, NULL);
}

static bool take_keys(void *owner, uint64_t number, int status, struct bytes body)
{
	struct card_key *key = owner;
	json_t *object = read_object(status, body);
	const json_t *first = json_array_get(json_object_get(object, "keys"), 0);

	(void)number;
	key->now = json_integer_value(json_object_get(object, "now"));
	bool good = copy_member(first, "kid", key->kid) &&
	            read_coordinate(first, "x", key->point.x) &&
	            read_coordinate(first, "y", key->point.y);
	json_decref(object);
	return good;
}

// The number with its check digit (ISO/IEC 7812-1 annex B).
static void make_number(uint64_t serial, char ret_number[static 17])
{
	int total = 0;

	snprintf(ret_number, 17, "41000000%07llu0", (unsigned long long)(serial % 10000000));
	for (int i = 0; i < 15; i++) {
		int digit = ret_number[i] - '0';
		digit = i % 2 == 0 ? 2 * digit : digit;
		total += digit > 9 ? digit - 9 : digit;
	}
	ret_number[15] = (char)('0' + (10 - total % 10) % 10);
}

static void seal(const struct card_key *key, uint64_t serial, struct shopper *shopper)
{
	struct buffer plain cleanup(buffer_done) = { 0 };
	struct buffer jwe cleanup(buffer_done) = { 0 };
	char number[17];

	buffer_init(&plain, 1024);
	buffer_init(&jwe, SHOPPER_JWE_MAX);
	make_number(serial, number);
	buffer_printf(&plain,
	              "{\"number\":\"%s\",\"exp_month\":12,\"exp_year\":2031,\"cvc\":\"123\","
	              "\"intent\":\"%s\",\"issued\":%lld}",
	              number, shopper->intent, (long long)key->now);
	crypto_jwe_seal(&key->point, bytes_text(key->kid), buffer_view(&plain), &jwe);
	CHECK(bytes_copy_text(buffer_view(&jwe), shopper->jwe, SHOPPER_JWE_MAX));
}

bool shoppers_seal(struct shoppers *shoppers)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct card_key key = { .shoppers = shoppers };
	const struct fleet_work work = { .port = shoppers->port,
		                         .connections = 1,
		                         .count = 1,
		                         .make = put_keys,
		                         .take = take_keys,
		                         .owner = &key };

	if (!fleet_run(&work, &result) || result.bad)
		return false;
	for (size_t i = 0; i < shoppers->count; i++)
		seal(&key, (uint64_t)shoppers->run * 100003 + i, &shoppers->list[i]);
	return true;
}

// --- as a file

bool shoppers_read(struct shoppers *shoppers, const char *path)
{
	FILE *file = fopen(path, "re");
	struct shopper shopper = { 0 };
	size_t capacity = 0;

	shoppers_done(shoppers);
	while (file && fscanf(file, "%127s %127s", shopper.customer, shopper.card) == 2) {
		if (shoppers->count == capacity) {
			capacity = capacity ? 2 * capacity : 1024;
			shoppers->list = realloc(shoppers->list, capacity * sizeof(shopper));
			CHECK(shoppers->list);
		}
		shoppers->list[shoppers->count++] = shopper;
	}
	if (file)
		fclose(file);
	return shoppers->count > 0;
}

void shoppers_write(const struct shoppers *shoppers, const char *path)
{
	FILE *file = fopen(path, "we");

	CHECK(file);
	for (size_t i = 0; i < shoppers->count; i++)
		fprintf(file, "%s %s\n", shoppers->list[i].customer, shoppers->list[i].card);
	fclose(file);
}
