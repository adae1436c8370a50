// The end of a program that found itself in an impossible state: one line, then abort.
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *expression, const char *file, int line)
{
	fprintf(stderr, "level=error event=check_failed at=%s:%d expression=\"%s\"\n", file, line,
	        expression);
	abort();
}
