// What happens between fork and exec. The parent has one thread, so its child may allocate.
#include "launch.h"

#include "base/cleanup.h"
#include "jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNEL_FD = 3, OUT_OF_THE_WAY = 16, EXIT_NOT_STARTED = 127 };
enum { FOREIGN_FILES = 1024, FOREIGN_PROCESSES = 64 };

int launch_open(int folder, const char *name, const char **ret_why)
{
	int fd cleanup(cleanup_fd) = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat about;

	*ret_why = "there is no such program, or it may not be read";
	if (fd < 0 || fstat(fd, &about) != 0)
		return -1;
	*ret_why = "it is not a program that can be run";
	if (!S_ISREG(about.st_mode) || !(about.st_mode & S_IXUSR))
		return -1;
	*ret_why = "its file belongs to somebody else, or others may write to it";
	if ((about.st_uid != 0 && about.st_uid != geteuid()) || about.st_mode & (S_IWGRP | S_IWOTH))
		return -1;
	*ret_why = "";
	int opened = fd;
	fd = -1;
	return opened;
}

static bool is_script(int program)
{
	char start[2] = { 0 };

	return pread(program, start, sizeof(start), 0) == 2 && start[0] == '#' && start[1] == '!';
}

// Moves a descriptor above those that are about to be filled.
static int aside(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
}

// The program keeps 0, 1, 2 and its channel as 3; everything else goes with exec, but for a
// script's own file, which its interpreter reads through the descriptor.
static bool close_others(int program, bool has_channel)
{
	unsigned first = has_channel ? CHANNEL_FD + 1 : CHANNEL_FD;

	return close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
	       (!is_script(program) || fcntl(program, F_SETFD, 0) == 0);
}

static bool place_descriptors(const struct launch *launch, int *ret_program, int *ret_folder)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int program = aside(launch->program);
	int input = aside(launch->input < 0 ? null : launch->input);
	int output = aside(launch->output < 0 ? STDERR_FILENO : launch->output);
	bool has_channel = launch->channel >= 0;
	int channel = aside(launch->channel);

	if (program < 0 || input < 0 || output < 0 || (has_channel && channel < 0))
		return false;
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
		return false;
	if (has_channel && dup2(channel, CHANNEL_FD) < 0)
		return false;
	*ret_program = program;
	*ret_folder = aside(launch->folder);
	return close_others(program, has_channel);
}

static bool change_user(uint32_t user)
{
	if (geteuid() != 0 || user == 0)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
	       setresuid(user, user, user) == 0;
}

static bool prepare_sandbox(const struct launch *launch, int program, int *ret_ruleset)
{
	const struct rlimit processes = { FOREIGN_PROCESSES, FOREIGN_PROCESSES };
	const struct rlimit files = { FOREIGN_FILES, FOREIGN_FILES };

	if (!launch->foreign)
		return true;
	return chdir("/") == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0 &&
	       (launch->user == 0 || setrlimit(RLIMIT_NPROC, &processes) == 0) &&
	       result_ok(jail_foreign_prepare(launch->foreign, program, ret_ruleset));
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

// What a sanitizer build is told by its environment.
static char *kept_variable(const char *name, char *room, size_t capacity)
{
	const char *value = jail_is_whole() ? NULL : getenv(name);
	size_t length = strlen(name);

	if (!value || length + strlen(value) + 2 > capacity)
		return NULL;
	memcpy(room, name, length);
	room[length] = '=';
	memcpy(room + length + 1, value, strlen(value) + 1);
	return room;
}

__attribute__((noreturn)) static void become(const struct launch *launch, pid_t parent)
{
	static char asan[512], ubsan[512];
	char *arguments[] = { (char *)launch->name, (char *)launch->argument, NULL };
	char *environment[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL, NULL, NULL };
	size_t count = 2;
	int program = -1;
	int folder = -1;
	int ruleset = -1;

	if ((environment[count] = kept_variable("ASAN_OPTIONS", asan, sizeof(asan))))
		count++;
	environment[count] = kept_variable("UBSAN_OPTIONS", ubsan, sizeof(ubsan));
	setpgid(0, 0);
	if (!place_descriptors(launch, &program, &folder) ||
	    !prepare_sandbox(launch, program, &ruleset) || !change_user(launch->user))
		_exit(EXIT_NOT_STARTED);
	// After the change of user, which would undo it.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(EXIT_NOT_STARTED);
	reset_signals();
	if (launch->foreign && !result_ok(jail_foreign_enter(launch->foreign, ruleset)))
		_exit(EXIT_NOT_STARTED);
	// Kernels before 6.14 call a process that was started by descriptor after its number.
	if (folder >= 0)
		execveat(folder, launch->name, arguments, environment, 0);
	else
		fexecve(program, arguments, environment);
	_exit(EXIT_NOT_STARTED);
}

pid_t launch(const struct launch *launch)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (child == 0)
		become(launch, parent);
	if (child > 0)
		setpgid(child, child); // whoever comes first
	return child;
}
