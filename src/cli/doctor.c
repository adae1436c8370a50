// `onfile doctor`: everything that an installation needs, a line for each thing: ✓, ! or ✗, and
// below the last two what to do. Exit status 1 when something is broken.
#include "describe.h"
#include "doctor.h"

#include "parent/parent.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_MAX = 256 * 1024 };

void cli_finding(struct cli_doctor *doctor, enum cli_mark mark, const char *what,
                 const char *advice, const char *format, ...)
{
	static const char *const marks[] = { "✓", "!", "✗" };
	va_list arguments;

	printf("%s %-10s ", marks[mark], what);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	printf(mark != CLI_FINE && advice[0] ? "\n             what to do: %s\n" : "\n", advice);
	(void)fflush(stdout);
	doctor->broken += mark == CLI_BROKEN;
	doctor->doubtful += mark == CLI_DOUBTFUL;
}

// --- programs

// "vault   ready    pid 4711, for …"
static void examine_program(struct cli_doctor *doctor, struct bytes line)
{
	const char *at = memmem(line.data, line.length, " pid ", 5);
	bool good = memmem(line.data, line.length, " ready ", 7) ||
	            memmem(line.data, line.length, " up ", 4);
	char pid[16];

	cli_finding(doctor, good ? CLI_FINE : CLI_BROKEN, "program", "Its log says why it ended.",
	            "%.*s", (int)line.length, (const char *)line.data);
	if (!at)
		return;
	size_t from = (size_t)(at + 5 - (const char *)line.data);
	struct bytes rest = bytes_slice(line, from, line.length);
	if (bytes_copy_text(bytes_slice(rest, 0, bytes_find(rest, ',')), pid, sizeof(pid)))
		cli_examine_limits(doctor, bytes_slice(line, 0, bytes_find(line, ' ')), pid);
}

static void examine_programs(struct cli_doctor *doctor)
{
	struct buffer text cleanup(buffer_done) = { 0 };

	buffer_init(&text, LIST_MAX);
	if (!cli_status_text(doctor->call, &text)) {
		cli_finding(doctor, CLI_BROKEN, "programs",
		            "Start `onfile serve`, and look into its log.",
		            "the parent says nothing");
		return;
	}
	struct bytes rest = buffer_view(&text);
	while (rest.length) {
		size_t length = bytes_find(rest, '\n');
		examine_program(doctor, bytes_slice(rest, 0, length));
		rest = bytes_slice(rest, length + 1, rest.length);
	}
}

// --- drivers

static void driver_free(struct cli_driver **driver)
{
	cli_driver_done(*driver);
	free(*driver);
}

static void examine_driver(struct cli_doctor *doctor, const char *name)
{
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));

	if (driver && cli_driver_read(doctor->call, name, driver))
		cli_finding(doctor, CLI_FINE, "driver", "", "%s %s, %s", name, driver->version,
		            driver->kind);
	else
		cli_finding(doctor, CLI_BROKEN, "driver", "Install it anew: onfile driver install.",
		            "%s", name);
}

static void examine_drivers(struct cli_doctor *doctor)
{
	DIR *folder = opendir(doctor->call->config.drivers);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (strncmp(entry->d_name, "driver-", 7) == 0)
			examine_driver(doctor, entry->d_name + 7);
	if (folder)
		closedir(folder);
}

int cli_doctor_run(struct cli_call *call)
{
	struct cli_doctor doctor = { .call = call };

	cli_examine_machine(&doctor);
	examine_programs(&doctor);
	examine_drivers(&doctor);
	cli_examine_lines(&doctor);
	printf("%d broken, %d doubtful\n", doctor.broken, doctor.doubtful);
	return doctor.broken ? CLI_FAILED : 0;
}
