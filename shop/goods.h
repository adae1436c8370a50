// What the shop sells: web/goods.json, which the page reads too, so that there is one list.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <jansson.h>

#define SHOP_GOODS_MAX 64

struct shop_good {
	const char *id;
	int64_t price;       // kopecks
	const char *name[2]; // English, Russian
	const char *text[2];
};

struct shop_goods {
	json_t *json; // owns the texts
	struct shop_good list[SHOP_GOODS_MAX];
	size_t count;
};

MUST_USE struct result shop_goods_read(struct bytes text, struct shop_goods *ret_goods);
void shop_goods_done(struct shop_goods *goods);
const struct shop_good *shop_goods_find(const struct shop_goods *goods, struct bytes id);

// 0 for English, 1 for Russian.
static inline size_t shop_tongue(const char *language)
{
	return language[0] == 'r';
}
