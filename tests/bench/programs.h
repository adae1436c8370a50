// What the programs under measurement use: time of the processor and memory, read from /proc.
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum { PROGRAMS_MAX = 16 };

struct program {
	pid_t pid;
	char name[32];
	// Of all its threads that live, since they were started: the time on a processor, user and
	// system, and the time when it could have run and waited for one.
	double cpu_s, queued_s;
	long share_kib; // proportional set size: what it shares is divided by those who share it
	long resident_kib, peak_kib;
};

// `parent`, its children, and the processes of `others` (ended by 0). Returns how many there are.
int programs_find(pid_t parent, const pid_t *others, struct program ret_list[PROGRAMS_MAX]);
void programs_read_cpu(struct program *list, int count);
void programs_read_memory(struct program *list, int count);
