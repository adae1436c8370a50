// Reads the list of goods and refuses one that is not whole.
#include "goods.h"

static const char *text_of(const json_t *good, const char *tongue, const char *name)
{
	return json_string_value(json_object_get(json_object_get(good, tongue), name));
}

static bool read_one(const json_t *from, struct shop_good *ret_good)
{
	ret_good->id = json_string_value(json_object_get(from, "id"));
	ret_good->price = json_integer_value(json_object_get(from, "price"));
	ret_good->name[0] = text_of(from, "en", "name");
	ret_good->name[1] = text_of(from, "ru", "name");
	ret_good->text[0] = text_of(from, "en", "text");
	ret_good->text[1] = text_of(from, "ru", "text");
	return ret_good->id && ret_good->price > 0 && ret_good->price <= 100000000 &&
	       ret_good->name[0] && ret_good->name[1] && ret_good->text[0] && ret_good->text[1];
}

struct result shop_goods_read(struct bytes text, struct shop_goods *ret_goods)
{
	*ret_goods = (struct shop_goods){ .json = json_loadb((const char *)text.data, text.length,
		                                             JSON_REJECT_DUPLICATES, NULL) };
	size_t count = json_array_size(ret_goods->json);

	if (!count || count > SHOP_GOODS_MAX)
		return FAIL(ERROR_INPUT, "goods.json is not a list of goods");
	for (size_t i = 0; i < count; i++) {
		if (!read_one(json_array_get(ret_goods->json, i), &ret_goods->list[i]))
			return FAIL(ERROR_INPUT, "goods.json holds something that is not whole");
		if (shop_goods_find(ret_goods, bytes_text(ret_goods->list[i].id)))
			return FAIL(ERROR_INPUT, "goods.json holds one id twice");
		ret_goods->count++;
	}
	return RESULT_OK;
}

void shop_goods_done(struct shop_goods *goods)
{
	json_decref(goods->json);
	*goods = (struct shop_goods){ 0 };
}

const struct shop_good *shop_goods_find(const struct shop_goods *goods, struct bytes id)
{
	for (size_t i = 0; i < goods->count; i++)
		if (bytes_equal_text(id, goods->list[i].id))
			return &goods->list[i];
	return NULL;
}
