// Landlock rules and the filter of system calls for programs that are not ours. The filter is a
// list of what interpreters and their libraries use (found with CPython, libcurl and shells); a
// call that is not in it is answered with ENOSYS, which libraries take as "an old kernel" and go
// another way.
#include "jail/foreign.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// --- grants

static bool read_port(struct bytes text, struct jail_foreign *foreign)
{
	uint64_t port;

	if (foreign->port_count == JAIL_PORTS_MAX || !text_to_number(text, 65535, &port) || !port)
		return false;
	foreign->ports[foreign->port_count++] = (uint16_t)port;
	return true;
}

static bool read_path(struct bytes text, struct jail_foreign *foreign)
{
	if (foreign->path_count == JAIL_PATHS_MAX || text.length >= PATH_MAX ||
	    !bytes_start_with(text, "/") || bytes_find(text, 0) != text.length)
		return false;
	foreign->paths[foreign->path_count++] = text;
	return true;
}

static bool read_grant(struct bytes line, struct jail_foreign *foreign)
{
	if (bytes_equal_text(line, "connect"))
		return foreign->connect = true;
	if (bytes_equal_text(line, "processes"))
		return foreign->processes = true;
	if (bytes_start_with(line, "port "))
		return read_port(bytes_slice(line, 5, line.length), foreign);
	if (bytes_start_with(line, "read "))
		return read_path(bytes_slice(line, 5, line.length), foreign);
	return false;
}

struct result jail_foreign_read(struct bytes text, struct jail_foreign *ret_foreign)
{
	*ret_foreign = (struct jail_foreign){ 0 };
	while (text.length) {
		size_t length = bytes_find(text, '\n');
		if (!read_grant(bytes_slice(text, 0, length), ret_foreign))
			return FAIL(ERROR_INPUT, "a grant that does not exist");
		text = bytes_slice(text, length + 1, text.length);
	}
	return RESULT_OK;
}

// --- Landlock

// Newer than the headers of Debian 12: version 4 of Landlock knows ports, 5 knows ioctl() on
// devices, 6 signals and abstract sockets beyond the sandbox.
struct ruleset_attr {
	uint64_t files, net, scoped;
};

struct port_attr {
	uint64_t access, port;
};

enum {
	ACCESS_REFER = 1 << 13,
	ACCESS_TRUNCATE = 1 << 14,
	ACCESS_IOCTL = 1 << 15,
	NET_BIND = 1,
	NET_CONNECT = 2,
	SCOPE_ALL = 3,
	RULE_PORT = 2,
	DNS_PORT = 53,
	READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	RUNNING = READING | LANDLOCK_ACCESS_FS_EXECUTE,
};

// What an interpreter reads, wherever it comes from; what is not there is passed over.
static const struct {
	const char *path;
	uint64_t access;
	bool for_network;
} common_places[] = {
	{ "/usr", RUNNING, false },
	{ "/bin", RUNNING, false },
	{ "/lib", RUNNING, false },
	{ "/lib32", RUNNING, false },
	{ "/lib64", RUNNING, false },
	{ "/etc/ld.so.cache", READING, false },
	{ "/etc/localtime", READING, false },
	{ "/etc/python3", READING, false },
	{ "/etc/python3.11", READING, false },
	{ "/etc/python3.12", READING, false },
	{ "/etc/python3.13", READING, false },
	{ "/dev/null", READING | LANDLOCK_ACCESS_FS_WRITE_FILE, false },
	{ "/dev/zero", READING, false },
	{ "/dev/urandom", READING, false },
	{ "/dev/random", READING, false },
	{ "/etc/ssl", READING, true },
	{ "/etc/ca-certificates", READING, true },
	{ "/etc/resolv.conf", READING, true },
	{ "/etc/hosts", READING, true },
	{ "/etc/host.conf", READING, true },
	{ "/etc/nsswitch.conf", READING, true },
	{ "/etc/gai.conf", READING, true },
	{ "/etc/services", READING, true },
	{ "/etc/protocols", READING, true },
};

int jail_landlock_version(void)
{
	int version =
	        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : version;
}

static int make_ruleset(int version, const struct jail_foreign *foreign)
{
	bool any_port = foreign->connect && foreign->port_count == 0;

	struct ruleset_attr rules = { .files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };

	rules.files |= version >= 2 ? ACCESS_REFER : 0;
	rules.files |= version >= 3 ? ACCESS_TRUNCATE : 0;
	rules.files |= version >= 5 ? ACCESS_IOCTL : 0;
	rules.net = version < 4 ? 0 : any_port ? NET_BIND : NET_BIND | NET_CONNECT;
	rules.scoped = version >= 6 ? SCOPE_ALL : 0;
	size_t size = version >= 6 ? sizeof(rules) : version >= 4 ? 16 : 8;
	return (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
}

// False: the kernel refused the rule. A place that is not there is none.
static bool allow_place(int ruleset, const char *path, int fd, uint64_t access)
{
	int opened cleanup(cleanup_fd) = path ? open(path, O_PATH | O_CLOEXEC) : -1;
	struct landlock_path_beneath_attr rule = { access, path ? opened : fd };

	if (path && opened < 0)
		return true;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0)
		return true;
	// A file cannot be listed.
	rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
	return errno == EINVAL &&
	       syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

static bool allow_port(int ruleset, uint16_t port)
{
	const struct port_attr rule = { NET_CONNECT, port };

	return syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) == 0;
}

static bool allow_ports(const struct jail_foreign *foreign, int ruleset)
{
	if (!foreign->connect || foreign->port_count == 0)
		return true;
	for (size_t i = 0; i < foreign->port_count; i++)
		if (!allow_port(ruleset, foreign->ports[i]))
			return false;
	return allow_port(ruleset, DNS_PORT); // a long answer of a name server comes over TCP
}

static bool allow_paths(const struct jail_foreign *foreign, int ruleset)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < foreign->path_count; i++)
		if (!bytes_copy_text(foreign->paths[i], path, sizeof(path)) ||
		    !allow_place(ruleset, path, -1, READING))
			return false;
	for (size_t i = 0; i < sizeof(common_places) / sizeof(common_places[0]); i++)
		if ((foreign->connect || !common_places[i].for_network) &&
		    !allow_place(ruleset, common_places[i].path, -1, common_places[i].access))
			return false;
	return true;
}

struct result jail_foreign_prepare(const struct jail_foreign *foreign, int program,
                                   int *ret_ruleset)
{
	int version = jail_landlock_version();

	*ret_ruleset = -1;
	if (version == 0 || !jail_is_whole())
		return RESULT_OK;
	int ruleset cleanup(cleanup_fd) = make_ruleset(version, foreign);
	if (ruleset < 0 || !allow_place(ruleset, NULL, program, RUNNING) ||
	    !allow_paths(foreign, ruleset) || (version >= 4 && !allow_ports(foreign, ruleset)))
		return FAIL(ERROR_SYSTEM, "Landlock refused a rule");
	*ret_ruleset = ruleset;
	ruleset = -1;
	return RESULT_OK;
}

// --- the filter of system calls

static const int common_calls[] = {
#define CALL(name) SCMP_SYS(name),
#include "jail/foreign.def"
#undef CALL
};

static const int process_calls[] = { SCMP_SYS(fork),    SCMP_SYS(vfork),  SCMP_SYS(clone),
	                             SCMP_SYS(wait4),   SCMP_SYS(waitid), SCMP_SYS(kill),
	                             SCMP_SYS(setpgid), SCMP_SYS(getpgid) };

static void free_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static bool allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int added = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		if (added != 0 && added != -EDOM)
			return false;
	}
	return true;
}

// Threads are made by clone(); clone3() has its flags in memory, where a filter cannot look, and
// libraries do without it.
static bool allow_processes(scmp_filter_ctx filter, bool processes)
{
	if (processes)
		return allow(filter, process_calls,
		             sizeof(process_calls) / sizeof(process_calls[0]));
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
	                        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) == 0;
}

static bool allow_sockets(scmp_filter_ctx filter, bool connect)
{
	static const int families[] = { AF_INET, AF_INET6 };
	bool good = true;

	for (int i = 0; i < 2; i++)
		good &= seccomp_rule_add(filter, connect ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
		                         SCMP_SYS(socket), 1,
		                         SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i])) == 0;
	// Name resolution asks for others and takes no for an answer.
	good &= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
	                         SCMP_A0(SCMP_CMP_EQ, AF_UNIX)) == 0;
	good &= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
	                         SCMP_A0(SCMP_CMP_GT, AF_INET6)) == 0;
	if (connect)
		good &= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0) == 0 &&
		        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bind), 0) == 0;
	return good;
}

static struct result restrict_calls(const struct jail_foreign *foreign)
{
	scmp_filter_ctx filter cleanup(free_filter) = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!filter || !allow(filter, common_calls, sizeof(common_calls) / sizeof(int)) ||
	    !allow_processes(filter, foreign->processes) ||
	    !allow_sockets(filter, foreign->connect) || seccomp_load(filter) != 0)
		return FAIL(ERROR_SYSTEM, "the filter of system calls could not be set");
	return RESULT_OK;
}

struct result jail_foreign_enter(const struct jail_foreign *foreign, int ruleset)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return FAIL(ERROR_SYSTEM, "new rights cannot be ruled out");
	if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return FAIL(ERROR_SYSTEM, "Landlock could not be entered");
	return jail_is_whole() ? restrict_calls(foreign) : RESULT_OK;
}
