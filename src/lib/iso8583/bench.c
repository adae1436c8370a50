// How fast the codec is: message M (docs/iso8583.md) packed and unpacked on one thread, with
// dialects read from their files. Time is taken in short slices: the best one is what the code can
// do, the middle one what the machine let it do. Cycles are those of the time-stamp counter.
#include "base/text.h"
#include "iso8583/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char m_ascii[] =
        "0100723C648108E1800816411111111111111100000000000001234508211530451234561530450821291259"
        "998401005906400123623315123456TERM0001MERCHANT0000001ONFILE TEST SHOP       AUCKLAND    "
        "   NZ0129203123010118400160000010000600840";

enum { SLICES = 1001, SLICE = 2000 };

struct work {
	const struct iso8583_dialect *dialect;
	const struct iso8583_message *source;
	struct iso8583_message message;
	uint8_t packed[512];
	size_t length;
};

struct figure {
	double best_per_s, middle_per_s, cycles_per_byte;
};

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double now_cycles(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return (double)__builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

static void must(struct result result)
{
	if (!result_ok(result))
		abort();
}

static void pack_one(struct work *work)
{
	struct iso8583_place place;

	must(iso8583_pack(work->dialect, work->source, work->packed, sizeof work->packed,
	                  &work->length, &place));
}

static void unpack_one(struct work *work)
{
	struct iso8583_place place;

	must(iso8583_unpack(work->dialect, bytes_from(work->packed, work->length), &work->message,
	                    &place));
}

static int by_size(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

static struct figure measure(struct work *work, void (*one)(struct work *))
{
	static double seconds[SLICES];
	double cycles = 1e300;

	for (int slice = 0; slice < SLICES; slice++) {
		double from_cycles = now_cycles(), from = now_s();
		for (int i = 0; i < SLICE; i++)
			one(work);
		seconds[slice] = now_s() - from;
		double took = now_cycles() - from_cycles;
		cycles = took < cycles ? took : cycles;
	}
	qsort(seconds, SLICES, sizeof seconds[0], by_size);
	return (struct figure){ SLICE / seconds[0], SLICE / seconds[SLICES / 2],
		                cycles / SLICE / (double)work->length };
}

static void run(const char *name, const struct iso8583_message *source)
{
	static struct work work;
	struct iso8583_dialect *dialect;

	must(iso8583_dialect_find(bytes_text(name), &dialect));
	work = (struct work){ .dialect = dialect, .source = source };
	struct figure pack = measure(&work, pack_one);
	struct figure unpack = measure(&work, unpack_one);
	printf("iso8583 %s bytes=%zu pack_per_s=%.0f unpack_per_s=%.0f pack_middle_per_s=%.0f "
	       "unpack_middle_per_s=%.0f pack_cycles_per_byte=%.2f unpack_cycles_per_byte=%.2f\n",
	       name, work.length, pack.best_per_s, unpack.best_per_s, pack.middle_per_s,
	       unpack.middle_per_s, pack.cycles_per_byte, unpack.cycles_per_byte);
	iso8583_dialect_free(dialect);
}

int main(void)
{
	static struct iso8583_message source;
	struct iso8583_dialect *ascii;
	struct iso8583_place place;

	must(iso8583_dialect_find(BYTES_LITERAL("1987-ascii"), &ascii));
	must(iso8583_unpack(ascii, bytes_text(m_ascii), &source, &place));
	run("1987-bcd", &source);
	run("1987-ascii", &source);
	iso8583_dialect_free(ascii);
	return 0;
}
