// Which characters the types of dialect.h may hold. Inside the codec only. The types that messages
// are full of are looked at eight characters at a time.
#pragma once

#include "iso8583/dialect.h"

// True when every byte is in the set of a type that is not one of the fast ones; for x+n and b too.
bool iso8583_fits_slowly(enum iso8583_type type, struct bytes value);

#define ISO8583_EACH(byte) ((uint64_t)(byte)*0x0101010101010101u)

// Each of these sets the top bit of (at least) one byte when any of the eight is not in the set.
static inline uint64_t iso8583_not_digits(uint64_t word)
{
	uint64_t low = word ^ ISO8583_EACH('0');

	return low | (low + ISO8583_EACH(0x76)); // 10 and more reach 0x80
}

static inline uint64_t iso8583_not_track(uint64_t word)
{
	uint64_t high = (word ^ ISO8583_EACH('0')) & ISO8583_EACH(0xf0);

	return high | (high + ISO8583_EACH(0x70));
}

// Printable is 0x20 to 0x7e: no top bit, even after adding one, and bit 5 or 6 set.
static inline uint64_t iso8583_not_printable(uint64_t word)
{
	return word | (word + ISO8583_EACH(1)) | ~(word << 1 | word << 2);
}

// Sets the top bit of the bytes that are from `first` to `last`; all are below 0x80.
static inline uint64_t iso8583_between(uint64_t word, uint8_t first, uint8_t last)
{
	return (word + ISO8583_EACH(0x80 - first)) & ~(word + ISO8583_EACH(0x7f - last));
}

static inline uint64_t iso8583_not_alphanumeric(uint64_t word)
{
	uint64_t low = word & ISO8583_EACH(0x7f);
	uint64_t good = iso8583_between(low, '0', '9') | iso8583_between(low, ' ', ' ') |
	                iso8583_between(low | ISO8583_EACH(0x20), 'a', 'z');

	return word | ~good;
}

// Looks at a value through words of eight of its bytes, which may overlap or repeat.
#define ISO8583_ALL(value, bad)                                                                    \
	({                                                                                         \
		const uint8_t *at_ = (value).data;                                                 \
		size_t left_ = (value).length;                                                     \
		uint64_t wrong_ = 0;                                                               \
		for (; left_ > 8; left_ -= 8, at_ += 8)                                            \
			wrong_ |= bad(iso8583_load(at_, 8));                                       \
		if (left_ > 0)                                                                     \
			wrong_ |= bad(iso8583_load(at_, left_));                                   \
		(wrong_ & ISO8583_EACH(0x80)) == 0;                                                \
	})

// One to eight bytes as a word of eight: what is missing is filled with bytes of the same.
static inline uint64_t iso8583_load(const uint8_t *at, size_t length)
{
	uint64_t word;
	uint32_t first, last;
	uint16_t two, others;

	if (length == 8) {
		memcpy(&word, at, 8);
		return word;
	}
	if (length >= 4) {
		memcpy(&first, at, 4);
		memcpy(&last, at + length - 4, 4);
		return first | (uint64_t)last << 32;
	}
	if (length == 1)
		return ISO8583_EACH(at[0]);
	memcpy(&two, at, 2);
	memcpy(&others, at + length - 2, 2);
	return (two | (uint64_t)others << 16) * 0x100000001u;
}

// True when every byte of the value may stand in a field of this type.
static inline bool iso8583_fits_type(enum iso8583_type type, struct bytes value)
{
	switch (type) {
	case ISO8583_N: return ISO8583_ALL(value, iso8583_not_digits);
	case ISO8583_AN: return ISO8583_ALL(value, iso8583_not_alphanumeric);
	case ISO8583_ANS: return ISO8583_ALL(value, iso8583_not_printable);
	case ISO8583_Z: return ISO8583_ALL(value, iso8583_not_track);
	default: return iso8583_fits_slowly(type, value);
	}
}
