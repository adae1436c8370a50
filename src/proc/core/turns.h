// The loop's side that main() needs; everything else is in core.h.
#pragma once

#include "core/core.h"

// Makes the loop; the line to the parent is descriptor `parent_fd`.
struct turns *turns_new(struct core *core, int parent_fd);
// Serves until the parent says stop. Returns the exit status.
int turns_run(struct core *core);
void turns_free(struct turns *turns);
