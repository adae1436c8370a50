// Card ranges in one sorted array; a lookup is a binary search over digits, without arithmetic, so
// that the card number is never copied. What a PRes may hold is checked before (check.c).
// EMV 3-D Secure 2.2.0 annex A.5.7 and section 5.6.

#include "emv3ds/ranges.h"

#include "emv3ds/message.h"

#include "base/cleanup.h"

#include <stdio.h>

void emv3ds_ranges_init(struct emv3ds_ranges *ranges)
{
	*ranges = (struct emv3ds_ranges){ 0 };
}

void emv3ds_ranges_done(struct emv3ds_ranges *ranges)
{
	for (size_t i = 0; i < ranges->url_count; i++)
		free(ranges->urls[i]);
	free(ranges->urls);
	free(ranges->ranges);
	emv3ds_ranges_init(ranges);
}

// -1, 0, 1 as the two versions, texts like 2.2.0, are ordered.
static int compare_versions(const char *a, const char *b)
{
	for (int part = 0; part < 3; part++) {
		char *a_end;
		char *b_end;
		unsigned long x = strtoul(a, &a_end, 10);
		unsigned long y = strtoul(b, &b_end, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = *a_end == '.' ? a_end + 1 : a_end;
		b = *b_end == '.' ? b_end + 1 : b_end;
	}
	return 0;
}

// True when our version lies in the closed interval that two members name. An absent pair of the
// directory server's means that its own interval, in the head of the PRes, counts.
static bool speaks(const json_t *where, const char *start, const char *end)
{
	const char *from = emv3ds_text(where, start);
	const char *to = emv3ds_text(where, end);

	return (!*from || compare_versions(from, EMV3DS_VERSION) <= 0) &&
	       (!*to || compare_versions(to, EMV3DS_VERSION) >= 0);
}

static int compare_places(const void *a, const void *b)
{
	const struct emv3ds_range *x = a;
	const struct emv3ds_range *y = b;

	if (x->digits != y->digits)
		return x->digits < y->digits ? -1 : 1;
	return memcmp(x->start, y->start, x->digits);
}

// Remembers a URL once; neighbours mostly share theirs, so the newest are looked at first.
static bool keep_url(struct emv3ds_ranges *ranges, json_t *known, const char *url,
                     uint32_t *ret_index)
{
	json_t *seen = json_object_get(known, url);
	char **grown;

	*ret_index = 0;
	if (!*url)
		return true;
	if (seen) {
		*ret_index = (uint32_t)json_integer_value(seen);
		return true;
	}
	grown = realloc(ranges->urls, (ranges->url_count + 1) * sizeof(*grown));
	if (!grown)
		return false;
	ranges->urls = grown;
	grown[ranges->url_count] = strdup(url);
	if (!grown[ranges->url_count])
		return false;
	*ret_index = (uint32_t)++ranges->url_count;
	return json_object_set_new(known, url, json_integer((json_int_t)*ret_index)) == 0;
}

static bool has_info(const json_t *entry, const char *indicator)
{
	size_t index;
	json_t *value;

	json_array_foreach(json_object_get(entry, "acsInfoInd"), index, value)
	{
		const char *text = json_string_value(value);

		if (text && strcmp(text, indicator) == 0)
			return true;
	}
	return false;
}

static bool read_range(struct emv3ds_ranges *ranges, json_t *urls, const json_t *entry,
                       struct emv3ds_range *ret_range)
{
	const char *start = emv3ds_text(entry, "startRange");

	*ret_range = (struct emv3ds_range){
		.digits = (uint8_t)strlen(start),
		.enrolled = speaks(entry, "acsStartProtocolVersion", "acsEndProtocolVersion") &&
		            speaks(entry, "dsStartProtocolVersion", "dsEndProtocolVersion"),
		.decoupled = has_info(entry, "03"),
	};
	snprintf(ret_range->start, sizeof(ret_range->start), "%s", start);
	snprintf(ret_range->end, sizeof(ret_range->end), "%s", emv3ds_text(entry, "endRange"));
	return keep_url(ranges, urls, emv3ds_text(entry, "threeDSMethodURL"), &ret_range->method);
}

static struct emv3ds_range *find_same(struct emv3ds_ranges *ranges, size_t count,
                                      const struct emv3ds_range *wanted)
{
	struct emv3ds_range *found = NULL;

	if (count)
		found = bsearch(wanted, ranges->ranges, count, sizeof(*wanted), compare_places);
	return found && memcmp(found->end, wanted->end, wanted->digits) == 0 ? found : NULL;
}

// Copies what is there, so that a list with a mistake changes nothing.
static struct result begin(const struct emv3ds_ranges *old, size_t more, json_t *urls,
                           struct emv3ds_ranges *ret_next)
{
	emv3ds_ranges_init(ret_next);
	ret_next->ranges = calloc(old->count + more + 1, sizeof(*ret_next->ranges));
	if (!ret_next->ranges)
		return FAIL(ERROR_MEMORY, "no memory for card ranges");
	for (size_t i = 0; i < old->count; i++) {
		struct emv3ds_range *range = &ret_next->ranges[i];
		const char *url = emv3ds_ranges_method(old, &old->ranges[i]);

		*range = old->ranges[i];
		if (!keep_url(ret_next, urls, url ? url : "", &range->method))
			return FAIL(ERROR_MEMORY, "no memory for card ranges");
	}
	ret_next->count = old->count;
	return RESULT_OK;
}

// Applies one entry. Added ranges go behind the sorted ones; a deleted one loses its digits.
static struct result change(struct emv3ds_ranges *next, size_t sorted, json_t *urls,
                            const json_t *entry, bool full)
{
	const char *action = emv3ds_text(entry, "actionInd");
	struct emv3ds_range range;
	struct emv3ds_range *same;

	if (!read_range(next, urls, entry, &range))
		return FAIL(ERROR_MEMORY, "no memory for card ranges");
	if (full || !*action || *action == 'A') {
		next->ranges[next->count++] = range;
		return RESULT_OK;
	}
	same = find_same(next, sorted, &range);
	if (!same)
		return FAIL(ERROR_INPUT, "a range to be changed or deleted is not there");
	*same = range;
	if (*action == 'D')
		same->method = UINT32_MAX; // swept out when all entries are applied
	return RESULT_OK;
}

static struct result finish(struct emv3ds_ranges *next)
{
	size_t kept = 0;

	for (size_t i = 0; i < next->count; i++)
		if (next->ranges[i].method != UINT32_MAX)
			next->ranges[kept++] = next->ranges[i];
	next->count = kept;
	qsort(next->ranges, kept, sizeof(*next->ranges), compare_places);
	for (size_t i = 1; i < kept; i++) {
		const struct emv3ds_range *before = &next->ranges[i - 1];

		if (before->digits == next->ranges[i].digits &&
		    memcmp(before->end, next->ranges[i].start, before->digits) >= 0)
			return FAIL(ERROR_INPUT, "card ranges overlap");
	}
	return RESULT_OK;
}

static struct result build(const struct emv3ds_ranges *old, const json_t *list, bool full,
                           struct emv3ds_ranges *ret_next)
{
	static const struct emv3ds_ranges nothing;
	json_t *urls = json_object();
	struct result result;
	size_t sorted;

	if (!urls)
		return FAIL(ERROR_MEMORY, "no memory for card ranges");
	result = begin(full ? &nothing : old, json_array_size(list), urls, ret_next);
	sorted = ret_next->count;
	for (size_t i = 0; result_ok(result) && i < json_array_size(list); i++)
		result = change(ret_next, sorted, urls, json_array_get(list, i), full);
	if (result_ok(result))
		result = finish(ret_next);
	json_decref(urls);
	return result;
}

struct result emv3ds_ranges_apply(struct emv3ds_ranges *ranges, const json_t *pres, bool full)
{
	struct emv3ds_ranges next;
	struct result result;

	emv3ds_ranges_init(&next);
	result = build(ranges, json_object_get(pres, "cardRangeData"), full, &next);
	if (!result_ok(result)) {
		emv3ds_ranges_done(&next);
		return result;
	}
	snprintf(next.serial, sizeof(next.serial), "%s", emv3ds_text(pres, "serialNum"));
	next.supported = speaks(pres, "dsStartProtocolVersion", "dsEndProtocolVersion");
	emv3ds_ranges_done(ranges);
	*ranges = next;
	return RESULT_OK;
}

const struct emv3ds_range *emv3ds_ranges_find(const struct emv3ds_ranges *ranges,
                                              struct bytes number)
{
	size_t low = 0;
	size_t high = ranges->count;

	if (!ranges->supported || number.length < 13 || number.length > 19)
		return NULL;
	while (low < high) { // the last range that starts at or before the number
		size_t middle = low + (high - low) / 2;
		const struct emv3ds_range *range = &ranges->ranges[middle];
		bool before = range->digits != number.length
		                      ? range->digits < number.length
		                      : memcmp(range->start, number.data, number.length) <= 0;

		if (before)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	const struct emv3ds_range *range = &ranges->ranges[low - 1];

	if (range->digits != number.length || memcmp(range->end, number.data, number.length) < 0)
		return NULL;
	return range->enrolled ? range : NULL;
}

const char *emv3ds_ranges_method(const struct emv3ds_ranges *ranges,
                                 const struct emv3ds_range *range)
{
	return range->method ? ranges->urls[range->method - 1] : NULL;
}
