// Fuzz target: whatever a file holds, it is read or refused, and what was read can be looked up.
#include "settlement.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char wanted[SETTLEMENT_WANTED];
	struct settlement settlement;
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	if (!file)
		return 0;
	if (result_ok(settlement_read(file, &settlement, wanted)))
		for (size_t i = 0; i < settlement.count; i++)
			settlement_find(&settlement, settlement.lines[i].kind,
			                settlement.lines[i].rrn, settlement.lines[i].stan);
	settlement_done(&settlement);
	fclose(file);
	return 0;
}
