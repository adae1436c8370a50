// Chance: xoshiro256** by Blackman and Vigna, begun by splitmix64. Nothing else in the simulator
// may be by chance.
#include "sim.h"

#include <string.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void chance_seed(uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		sim.chance[i] = splitmix(&seed);
}

static uint64_t turned(uint64_t number, int bits)
{
	return number << bits | number >> (64 - bits);
}

uint64_t chance_number(void)
{
	uint64_t *s = sim.chance;
	uint64_t result = turned(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = turned(s[3], 45);
	return result;
}

int64_t chance_below(int64_t limit)
{
	return limit <= 1 ? 0 : (int64_t)(chance_number() % (uint64_t)limit);
}

int64_t chance_between(int64_t low, int64_t high)
{
	return low + chance_below(high - low + 1);
}

bool chance_of(int per_mille)
{
	return per_mille > 0 && chance_below(1000) < per_mille;
}

bool fault_of(int per_mille)
{
	return !sim.calm && chance_of(per_mille);
}

void chance_bytes(void *ret_bytes, size_t length)
{
	uint8_t *to = ret_bytes;

	while (length > 0) {
		uint64_t number = chance_number();
		size_t part = length < sizeof(number) ? length : sizeof(number);
		memcpy(to, &number, part);
		to += part;
		length -= part;
	}
}
