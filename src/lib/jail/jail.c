// The order of giving up: limits, user and root, Landlock, and last the system calls.
#include "jail/jail.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

bool jail_is_whole(void)
{
	return !SANITIZED;
}

static struct result set_limits(const struct jail *jail)
{
	const struct rlimit none = { 0, 0 };
	const struct rlimit files = { jail->files, jail->files };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return FAIL(ERROR_SYSTEM, "core dumps cannot be switched off");
	if (jail->files && setrlimit(RLIMIT_NOFILE, &files) != 0 && geteuid() == 0)
		return FAIL(ERROR_SYSTEM, "the limit of open files cannot be set");
	return RESULT_OK;
}

// The folder becomes the root first: only root may do that.
static struct result enter_folder(const struct jail *jail, bool drops)
{
	if (!jail->folder)
		return RESULT_OK;
	if (chdir(jail->folder) != 0)
		return FAIL(ERROR_SYSTEM, "the program's folder cannot be entered");
	if (drops && !SANITIZED && (chroot(".") != 0 || chdir("/") != 0))
		return FAIL(ERROR_SYSTEM, "the program's folder cannot become its root");
	return RESULT_OK;
}

static struct result change_user(const struct jail *jail)
{
	uid_t user = jail->user;
	int dies_with_parent = 0;

	// The change undoes this; a program that had it before has it afterwards.
	if (prctl(PR_GET_PDEATHSIG, &dies_with_parent, 0, 0, 0) != 0)
		return FAIL(ERROR_SYSTEM, "the signal of the parent's death cannot be read");
	if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
	    setresuid(user, user, user) != 0)
		return FAIL(ERROR_SYSTEM, "the program's user cannot be taken");
	if (prctl(PR_SET_PDEATHSIG, dies_with_parent, 0, 0, 0) != 0)
		return FAIL(ERROR_SYSTEM, "the signal of the parent's death cannot be set");
	return RESULT_OK;
}

static struct result become_user(const struct jail *jail)
{
	bool drops = geteuid() == 0 && jail->user != 0;

	TRY(enter_folder(jail, drops));
	if (drops)
		TRY(change_user(jail));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return FAIL(ERROR_SYSTEM, "new rights cannot be ruled out");
	return RESULT_OK;
}

// What libc's resolver and its modules read; what is not there is passed over.
static bool allow_resolving(int ruleset)
{
	static const struct {
		const char *path;
		bool folder;
	} places[] = {
		{ "/etc/resolv.conf", false },
		{ "/etc/hosts", false },
		{ "/etc/host.conf", false },
		{ "/etc/nsswitch.conf", false },
		{ "/etc/gai.conf", false },
		{ "/etc/services", false },
		{ "/etc/ld.so.cache", false },
		{ "/usr/lib", true },
		{ "/lib", true },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int place cleanup(cleanup_fd) = open(places[i].path, O_PATH | O_CLOEXEC);
		const struct landlock_path_beneath_attr rule = {
			.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
			                  (places[i].folder ? LANDLOCK_ACCESS_FS_READ_DIR : 0),
			.parent_fd = place,
		};
		if (place >= 0 && syscall(SYS_landlock_add_rule, ruleset,
		                          LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
			return false;
	}
	return true;
}

// Everything that version 1 of Landlock knows is handled, so what is not allowed is refused.
static struct result restrict_files(const struct jail *jail)
{
	static const uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	const struct landlock_ruleset_attr rules = { .handled_access_fs = all };

	int ruleset cleanup(cleanup_fd) =
	        (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (ruleset < 0)
		return RESULT_OK; // a kernel without it: user and root still bound the program
	if (jail->allow & (JAIL_STORE | JAIL_READ)) {
		// Who reads anywhere (as its user may) writes nowhere.
		bool reads = jail->allow & JAIL_READ;
		int folder cleanup(cleanup_fd) = open(reads ? "/" : ".", O_PATH | O_CLOEXEC);
		const struct landlock_path_beneath_attr below = {
			.allowed_access =
			        reads ? LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR
			              : all & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
			.parent_fd = folder,
		};
		if (folder < 0 || syscall(SYS_landlock_add_rule, ruleset,
		                          LANDLOCK_RULE_PATH_BENEATH, &below, 0) != 0)
			return FAIL(ERROR_SYSTEM, "Landlock refused the program's folder");
	}
	if (jail->allow & JAIL_RESOLVE && !allow_resolving(ruleset))
		return FAIL(ERROR_SYSTEM, "Landlock refused a file for the resolver");
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return FAIL(ERROR_SYSTEM, "Landlock could not be entered");
	return RESULT_OK;
}

#define CALL(name) SCMP_SYS(name)

// What libc, an event loop and descriptors that are open already need.
static const int base_calls[] = {
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(recvmsg),
	CALL(sendmsg),
	CALL(recvfrom),
	CALL(sendto),
	CALL(close),
	CALL(fcntl),
	CALL(ioctl),
	CALL(fstat),
	CALL(newfstatat),
	CALL(lseek),
	CALL(mmap),
	CALL(munmap),
	CALL(mremap),
	CALL(mprotect),
	CALL(madvise),
	CALL(brk),
	CALL(futex),
	CALL(poll),
	CALL(ppoll),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(eventfd2),
	CALL(pipe2),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(clock_gettime),
	CALL(gettimeofday),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(tgkill),
	CALL(exit),
	CALL(exit_group),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(getrlimit),
	CALL(prlimit64),
	CALL(sysinfo),
	CALL(uname),
	CALL(shutdown),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(prctl),
	CALL(rseq),
	CALL(set_robust_list),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(getcwd),
};

static const int accept_calls[] = { CALL(accept4), CALL(accept), CALL(listen) };
static const int dial_calls[] = { CALL(connect), CALL(bind), CALL(sendmmsg), CALL(recvmmsg) };
static const int lock_calls[] = { CALL(mlock), CALL(mlock2), CALL(munlock), CALL(memfd_secret) };
static const int read_calls[] = {
	CALL(openat),     CALL(open),    CALL(stat),       CALL(lstat),
	CALL(statx),      CALL(access),  CALL(faccessat2), CALL(readlink),
	CALL(getdents64), CALL(pread64), CALL(statfs),     CALL(fstatfs)
};
static const int file_calls[] = {
	CALL(openat),
	CALL(open),
	CALL(stat),
	CALL(lstat),
	CALL(statx),
	CALL(access),
	CALL(faccessat2),
	CALL(readlink),
	CALL(pread64),
	CALL(pwrite64),
	CALL(fsync),
	CALL(fdatasync),
	CALL(ftruncate),
	CALL(fallocate),
	CALL(unlink),
	CALL(unlinkat),
	CALL(rename),
	CALL(fchmod),
	CALL(fchown),
	CALL(statfs),
	CALL(fstatfs),
	CALL(flock),
	CALL(sync_file_range),
	CALL(mkdir),
	CALL(utimensat),
};

static bool add_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int added = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		if (added != 0 && added != -EEXIST && added != -EDOM)
			return false;
	}
	return true;
}

// Internet sockets only; name resolution asks for others and takes no for an answer.
static bool add_sockets(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int others[] = { AF_UNIX, AF_NETLINK };

	for (int i = 0; i < 2; i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i])) != 0 ||
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
		                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)others[i])) != 0)
			return false;
	return true;
}

// Threads only: libc asks for them by clone3(), whose flags a filter cannot see, and takes clone()
// when there is no such call. They wake each other through pairs of sockets.
static bool add_threads(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 0) == 0;
}

static void free_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

#define LIST(calls) (calls), sizeof(calls) / sizeof((calls)[0])

// What each permission adds.
static const struct {
	unsigned allow;
	const int *calls;
	size_t count;
} permissions[] = {
	{ JAIL_ACCEPT, LIST(accept_calls) }, { JAIL_LOCK, LIST(lock_calls) },
	{ JAIL_READ, LIST(read_calls) },     { JAIL_STORE, LIST(file_calls) },
	{ JAIL_DIAL, LIST(dial_calls) },     { JAIL_RESOLVE, LIST(read_calls) },
};

static struct result restrict_calls(const struct jail *jail)
{
	scmp_filter_ctx filter cleanup(free_filter) = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool good = filter && add_calls(filter, LIST(base_calls));

	for (size_t i = 0; good && i < sizeof(permissions) / sizeof(permissions[0]); i++)
		if (jail->allow & permissions[i].allow)
			good = add_calls(filter, permissions[i].calls, permissions[i].count);
	if (good && jail->allow & JAIL_DIAL)
		good = add_sockets(filter);
	if (good && jail->allow & JAIL_THREADS)
		good = add_threads(filter);
	if (!good || seccomp_load(filter) != 0)
		return FAIL(ERROR_SYSTEM, "the filter of system calls could not be set");
	return RESULT_OK;
}

struct result jail_enter(const struct jail *jail)
{
	TRY(set_limits(jail));
	TRY(become_user(jail));
	if (SANITIZED)
		return RESULT_OK;
	TRY(restrict_files(jail));
	return restrict_calls(jail);
}
