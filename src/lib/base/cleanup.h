// Ownership in three macros: a variable marked `cleanup(f)` is given back by f(&variable) when its
// scope ends; take_ptr() hands the ownership on. Every f accepts a pointer to NULL.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

// Returns the pointer in *where and leaves NULL there, so that its cleanup does nothing.
#define take_ptr(where)                                                                            \
	({                                                                                         \
		__typeof__(where) took_ = (where);                                                 \
		(where) = NULL;                                                                    \
		took_;                                                                             \
	})

// Defines `name`, a cleanup function for a `type *` that calls `release` on what is not NULL.
#define DEFINE_CLEANUP(name, type, release)                                                        \
	static inline void name(type **where)                                                      \
	{                                                                                          \
		if (*where)                                                                        \
			release(*where);                                                           \
		*where = NULL;                                                                     \
	}

static inline void cleanup_free(void *where)
{
	free(*(void **)where);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
