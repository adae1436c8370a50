// The HTTP side of the bank. Nothing here yet: the host runs alone.
#include "bank.h"

struct result bank_web_start(struct bank *bank, int port)
{
	(void)bank;
	(void)port;
	return FAIL(ERROR_NOT_FOUND, "this build of the bank has no HTTP side");
}

void bank_web_stop(struct bank *bank)
{
	(void)bank;
}
