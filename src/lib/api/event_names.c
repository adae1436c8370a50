// The list as a table. See event_names.h.
#include "api/event_names.h"

static const char *const names[] = {
	"*",
#define EVENT_NAME(text) text,
#include "api/event_names.def"
#undef EVENT_NAME
};

bool api_is_event_name(struct bytes name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_text(name, names[i]))
			return true;
	return false;
}
