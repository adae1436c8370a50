// Time: a heap of what is going to happen. Of two things at the same time the one that was planned
// first happens first.
#include "sim.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct happening {
	int64_t at_ms;
	uint64_t order;
	void (*happen)(void *what);
	void *what;
};

struct sim sim;

static struct {
	struct happening *heap;
	size_t count, capacity;
	uint64_t order;
} world;

static bool before(const struct happening *a, const struct happening *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void world_after(int64_t wait_ms, void (*happen)(void *what), void *what)
{
	if (world.count == world.capacity) {
		world.capacity = world.capacity ? world.capacity * 2 : 256;
		world.heap = realloc(world.heap, world.capacity * sizeof(*world.heap));
		CHECK(world.heap);
	}
	const struct happening new = { sim.now_ms + wait_ms, world.order++, happen, what };
	size_t at = world.count++;
	for (; at > 0 && before(&new, &world.heap[(at - 1) / 2]); at = (at - 1) / 2)
		world.heap[at] = world.heap[(at - 1) / 2];
	world.heap[at] = new;
}

static struct happening take_first(void)
{
	struct happening first = world.heap[0];
	struct happening last = world.heap[--world.count];
	size_t at = 0;

	for (size_t child = 1; child < world.count; child = 2 * at + 1) {
		if (child + 1 < world.count && before(&world.heap[child + 1], &world.heap[child]))
			child++;
		if (!before(&world.heap[child], &last))
			break;
		world.heap[at] = world.heap[child];
		at = child;
	}
	world.heap[at] = last;
	return first;
}

void *world_room(size_t size)
{
	void *room = calloc(1, size);

	CHECK(room);
	return room;
}

void world_run(int64_t until_ms)
{
	while (world.count && world.heap[0].at_ms <= until_ms && !sim_failed()) {
		struct happening next = take_first();
		sim.now_ms = next.at_ms > sim.now_ms ? next.at_ms : sim.now_ms;
		next.happen(next.what);
		free(next.what);
		sim.steps++;
	}
	if (sim.now_ms < until_ms)
		sim.now_ms = until_ms;
}

void world_free(void)
{
	while (world.count)
		free(world.heap[--world.count].what);
	world.order = 0;
}

int64_t sim_wall_ms(void)
{
	return sim.now_ms + sim.wall_ms;
}

void sim_fail(const char *format, ...)
{
	va_list arguments;

	if (sim_failed())
		return;
	va_start(arguments, format);
	vsnprintf(sim.failure, sizeof(sim.failure), format, arguments);
	va_end(arguments);
	TELL("BROKEN: %s", sim.failure);
}

bool sim_failed(void)
{
	return sim.failure[0] != '\0';
}

void tell(const char *format, ...)
{
	va_list arguments;

	printf("%10lld.%03lld ", (long long)sim.now_ms / 1000, (long long)sim.now_ms % 1000);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}
