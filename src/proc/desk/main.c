// Which of the two it is. See desk.h.
#include "desk.h"

#include "jail/jail.h"
#include "webhook/post.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 256, STATUS_USAGE = 2 };

int desk_fail(const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "onfile: ");
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "\n");
	return 1;
}

int main(int argc, char **argv)
{
	bool listens = argc >= 3 && strcmp(argv[1], "listen") == 0;

	signal(SIGPIPE, SIG_IGN);
	if (!listens && !(argc == 5 && strcmp(argv[1], "trigger") == 0)) {
		(void)fprintf(stderr, "this program is a part of `onfile listen` and `onfile "
		                      "trigger`\n");
		return STATUS_USAGE;
	}
	struct result result = webhook_prepare();
	if (result_ok(result))
		result = jail_enter(&(struct jail){ .allow = JAIL_DIAL | JAIL_READ | JAIL_THREADS,
		                                    .files = FILES });
	if (!result_ok(result))
		return desk_fail("%s", result.detail);
	return listens ? desk_listen(argv[2], argc - 3, argv + 3)
	               : desk_trigger(argv[2], argv[3], argv[4]);
}
