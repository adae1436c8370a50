// Names of the errors, for logs.
#include "base/result.h"

const char *error_name(enum error error)
{
	switch (error) {
	case ERROR_NONE: return "none";
	case ERROR_INPUT: return "input";
	case ERROR_LIMIT: return "limit";
	case ERROR_NOT_FOUND: return "not_found";
	case ERROR_STATE: return "state";
	case ERROR_DENIED: return "denied";
	case ERROR_CRYPTO: return "crypto";
	case ERROR_SYSTEM: return "system";
	case ERROR_MEMORY: return "memory";
	case ERROR_CLOSED: return "closed";
	}
	return "unknown";
}
