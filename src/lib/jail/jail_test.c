// Tests of the jail: a child that tries what it may not is ended, what it may goes on.
#include "jail/jail.h"

#include "base/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/onfile-jail-XXXXXX";

// Runs `deed` in a jailed child: its exit status, or minus the signal that ended it.
static int in_jail(unsigned allow, int (*deed)(void))
{
	static bool made;
	if (!made)
		made = mkdtemp(folder) != NULL;
	pid_t child = fork();
	if (child == 0) {
		struct jail jail = { .folder = folder, .allow = allow };
		_exit(result_ok(jail_enter(&jail)) ? deed() : 99);
	}
	int status = 0;
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int dial(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : 1;
}

static int dial_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT ? 0 : 1;
}

static int open_file(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? 1 : 0;
}

static int write_inside(void)
{
	int fd = open("inside", O_RDWR | O_CREAT, 0600);
	return fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 ? 0 : 1;
}

static int run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 1;
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0 ? 0 : 1;
}

static int fork_child(void)
{
	return fork() < 0 ? 1 : 0;
}

TEST(what_is_not_allowed_ends_the_program)
{
	if (!jail_is_whole())
		return; // the sanitizers' run-time needs what the jail takes away
	EXPECT(in_jail(0, dial) == -SIGSYS);
	EXPECT(in_jail(0, open_file) == -SIGSYS);
	EXPECT(in_jail(0, run_program) == -SIGSYS);
	EXPECT(in_jail(0, trace_parent) == -SIGSYS);
	EXPECT(in_jail(JAIL_STORE | JAIL_ACCEPT | JAIL_DIAL, fork_child) == -SIGSYS);
	EXPECT(in_jail(JAIL_STORE | JAIL_ACCEPT, dial) == -SIGSYS);
}

static void *answer(void *given)
{
	return given;
}

static int start_thread(void)
{
	pthread_t thread;
	void *came = NULL;

	if (pthread_create(&thread, NULL, answer, folder) != 0)
		return 1;
	return pthread_join(thread, &came) == 0 && came == folder ? 0 : 2;
}

static int write_outside(void)
{
	return open("/tmp/onfile-jail-outside", O_WRONLY | O_CREAT, 0600) < 0 ? 0 : 1;
}

TEST(threads_are_no_processes)
{
	EXPECT(in_jail(JAIL_THREADS, start_thread) == 0);
	if (!jail_is_whole())
		return;
	EXPECT(in_jail(JAIL_THREADS, fork_child) == -SIGSYS);
	EXPECT(in_jail(JAIL_DIAL | JAIL_READ, start_thread) == -SIGSYS);
}

TEST(who_may_read_may_not_write)
{
	if (jail_is_whole())
		EXPECT(in_jail(JAIL_READ, write_outside) == 0);
	EXPECT(access("/tmp/onfile-jail-outside", F_OK) != 0);
}

TEST(what_is_allowed_goes_on)
{
	EXPECT(in_jail(JAIL_DIAL, dial) == 0);
	EXPECT(in_jail(JAIL_STORE, write_inside) == 0);
	EXPECT(in_jail(JAIL_READ, open_file) == 0);
	if (jail_is_whole())
		EXPECT(in_jail(JAIL_DIAL, dial_unix) == 0);
}

TEST(a_store_is_held_to_its_folder)
{
	if (jail_is_whole())
		EXPECT(in_jail(JAIL_STORE, open_file) == 1);
}

static int look_at_user(void)
{
	int signal_number = 0;

	if (getuid() != 61999 || getgid() != 61999)
		return 1;
	return prctl(PR_GET_PDEATHSIG, &signal_number) == 0 && signal_number == SIGKILL ? 0 : 2;
}

// Only root can see this one.
TEST(root_gives_up_its_user_and_still_dies_with_its_parent)
{
	if (geteuid() != 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		struct jail jail = { .user = 61999, .folder = "/", .allow = JAIL_STORE };
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !result_ok(jail_enter(&jail)))
			_exit(99);
		_exit(look_at_user());
	}
	int status = 0;
	waitpid(child, &status, 0);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TAP_MAIN
