// The limits of the programs as they run, for `onfile doctor`: not those of the shell that asks,
// and after each program has lowered its own.
#include "doctor.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILES_WANTED = 4096, LOCKED_WANTED = 1024 * 1024 };

// Which program needs how much of what, by the name of its row in /proc/PID/limits.
static const struct {
	const char *program, *row, *what;
	uint64_t wanted;
	const char *unit, *advice;
} rows[] = {
	{ "web", "Max open files", "files", FILES_WANTED, "may be open at once",
	  "Raise the limit of open files (LimitNOFILE= of the service) and start onfile anew." },
	{ "core", "Max open files", "files", FILES_WANTED, "may be open at once",
	  "Raise the limit of open files (LimitNOFILE= of the service) and start onfile anew." },
	{ "vault", "Max locked memory", "memory", LOCKED_WANTED, "bytes may be locked",
	  "Raise the limit of locked memory (LimitMEMLOCK=) and start onfile anew: keys could be "
	  "swapped out." },
};

// The soft limit of a row such as "Max open files   1024   4096   files". False: there is none.
static bool read_limit(const char *pid, const char *row, uint64_t *ret_limit)
{
	char path[64], line[256];
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%s/limits", pid);
	FILE *file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		size_t length = strlen(row);
		if (strncmp(line, row, length) != 0)
			continue;
		const char *value = line + length + strspn(line + length, " ");
		struct bytes digits = bytes_from(value, strcspn(value, " "));
		found = bytes_equal_text(digits, "unlimited");
		*ret_limit = UINT64_MAX;
		if (!found)
			found = text_to_number(digits, UINT64_MAX - 1, ret_limit);
	}
	if (file)
		(void)fclose(file);
	return found;
}

void cli_examine_limits(struct cli_doctor *doctor, struct bytes program, const char *pid)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t limit = 0;
		if (!bytes_equal_text(program, rows[i].program))
			continue;
		bool read = read_limit(pid, rows[i].row, &limit);
		if (!read)
			cli_finding(doctor, CLI_DOUBTFUL, rows[i].what,
			            "Run `onfile doctor` as root.",
			            "%s: /proc/%s/limits cannot be read", rows[i].program, pid);
		else if (limit == UINT64_MAX)
			cli_finding(doctor, CLI_FINE, rows[i].what, "", "%s: no limit",
			            rows[i].program);
		else
			cli_finding(doctor, limit >= rows[i].wanted ? CLI_FINE : CLI_DOUBTFUL,
			            rows[i].what, rows[i].advice, "%s: %llu %s", rows[i].program,
			            (unsigned long long)limit, rows[i].unit);
	}
}
