// The one result type. A function that can fail for a reason from outside returns a struct result;
// the compiler insists that it is looked at. `detail` is a static sentence for the log, never for a
// shopper or a merchant; what they read is chosen by whoever answers them.
#pragma once

#include <stdbool.h>

enum error {
	ERROR_NONE = 0,
	ERROR_INPUT,     // what came from outside is malformed
	ERROR_LIMIT,     // well-formed, but more than we take
	ERROR_NOT_FOUND, // what was named does not exist for the one who asks
	ERROR_STATE,     // exists, but not in a state that allows this
	ERROR_DENIED,    // the one who asks may not
	ERROR_CRYPTO,    // a tag, a signature or a key does not fit
	ERROR_SYSTEM,    // the operating system refused; errno says why
	ERROR_MEMORY,    // no memory
	ERROR_CLOSED,    // the other side has gone
};

struct result {
	enum error error;
	const char *detail;
};

#define MUST_USE __attribute__((warn_unused_result))

#define RESULT_OK ((struct result){ ERROR_NONE, "" })
#define FAIL(code, sentence) ((struct result){ (code), (sentence) })

static inline bool result_ok(struct result result)
{
	return result.error == ERROR_NONE;
}

// Returns from the calling function with the failure of `call`, if it failed.
#define TRY(call)                                                                                  \
	do {                                                                                       \
		struct result try_ = (call);                                                       \
		if (!result_ok(try_))                                                              \
			return try_;                                                               \
	} while (0)

// The field's name for the error, for logs: "input", "limit", …
const char *error_name(enum error error);
