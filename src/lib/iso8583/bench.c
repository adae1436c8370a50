// How fast the codec is: message M (docs/iso8583.md) packed and unpacked on one thread. Prints
// messages a second and bytes a nanosecond.
#include "base/text.h"
#include "iso8583/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char m_ascii[] =
        "0100723C648108E1800816411111111111111100000000000001234508211530451234561530450821291259"
        "998401005906400123623315123456TERM0001MERCHANT0000001ONFILE TEST SHOP       AUCKLAND    "
        "   NZ0129203123010118400160000010000600840";

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#define ROUNDS 1000000

static void must(struct result result)
{
	if (!result_ok(result))
		abort();
}

static void run(const struct iso8583_dialect *dialect, const struct iso8583_message *source)
{
	static struct iso8583_message message;
	uint8_t packed[512];
	struct iso8583_place place;
	size_t length = 0;
	double best_pack = 0, best_unpack = 0;

	for (int turn = 0; turn < 5; turn++) {
		double start = now_s();
		for (int i = 0; i < ROUNDS; i++)
			must(iso8583_pack(dialect, source, packed, sizeof packed, &length, &place));
		double middle = now_s();
		for (int i = 0; i < ROUNDS; i++)
			must(iso8583_unpack(dialect, bytes_from(packed, length), &message, &place));
		double end = now_s();
		double pack = ROUNDS / (middle - start), unpack = ROUNDS / (end - middle);
		best_pack = pack > best_pack ? pack : best_pack;
		best_unpack = unpack > best_unpack ? unpack : best_unpack;
	}
	printf("iso8583 %s bytes=%zu pack_per_s=%.0f unpack_per_s=%.0f pack_bytes_per_ns=%.2f "
	       "unpack_bytes_per_ns=%.2f\n",
	       dialect->name, length, best_pack, best_unpack, best_pack * (double)length * 1e-9,
	       best_unpack * (double)length * 1e-9);
}

int main(void)
{
	static struct iso8583_message source;
	struct iso8583_place place;

	must(iso8583_unpack(&iso8583_1987_ascii, bytes_text(m_ascii), &source, &place));
	run(&iso8583_1987_bcd, &source);
	run(&iso8583_1987_ascii, &source);
	return 0;
}
