#include "programs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The number of a field of /proc/PID/stat that follows the name, which may hold anything.
struct stat_line {
	char name[32];
	pid_t parent;
};

static int read_stat(pid_t pid, struct stat_line *ret_stat)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return -1;
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	char *open = strchr(text, '('), *close = strrchr(text, ')');
	if (!open || !close)
		return -1;
	snprintf(ret_stat->name, sizeof(ret_stat->name), "%.*s", (int)(close - open - 1), open + 1);
	return sscanf(close + 2, "%*c %d", &ret_stat->parent) == 1 ? 0 : -1;
}

static void add(pid_t pid, struct program *list, int *count)
{
	struct stat_line stat;

	if (*count == PROGRAMS_MAX || read_stat(pid, &stat) != 0)
		return;
	list[*count] = (struct program){ .pid = pid };
	memcpy(list[*count].name, stat.name, sizeof(stat.name));
	++*count;
}

int programs_find(pid_t parent, const pid_t *others, struct program ret_list[PROGRAMS_MAX])
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	struct stat_line stat;
	int count = 0;

	add(parent, ret_list, &count);
	while (folder && (entry = readdir(folder))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_stat(pid, &stat) == 0 && stat.parent == parent)
			add(pid, ret_list, &count);
	}
	if (folder)
		closedir(folder);
	for (; *others; others++)
		add(*others, ret_list, &count);
	return count;
}

// The scheduler's own sums in nanoseconds, thread by thread: the ticks of /proc/PID/stat miss
// programs that run for some microseconds at a time.
static void add_thread(struct program *program, const char *thread)
{
	char path[64];
	unsigned long long run_ns, wait_ns;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", (int)program->pid, thread);
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%llu %llu", &run_ns, &wait_ns) == 2) {
		program->cpu_s += (double)run_ns * 1e-9;
		program->queued_s += (double)wait_ns * 1e-9;
	}
	if (file)
		fclose(file);
}

void programs_read_cpu(struct program *list, int count)
{
	char path[64];
	const struct dirent *entry;

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task", (int)list[i].pid);
		DIR *folder = opendir(path);
		list[i].cpu_s = list[i].queued_s = 0;
		while (folder && (entry = readdir(folder)))
			if (entry->d_name[0] != '.')
				add_thread(&list[i], entry->d_name);
		if (folder)
			closedir(folder);
	}
}

static long read_kib(pid_t pid, const char *file_name, const char *name)
{
	char path[64], line[256];
	size_t length = strlen(name);
	long kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file_name);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			kib = strtol(line + length + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

void programs_read_memory(struct program *list, int count)
{
	for (int i = 0; i < count; i++) {
		list[i].share_kib = read_kib(list[i].pid, "smaps_rollup", "Pss");
		list[i].resident_kib = read_kib(list[i].pid, "status", "VmRSS");
		list[i].peak_kib = read_kib(list[i].pid, "status", "VmHWM");
	}
}
