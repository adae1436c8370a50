// Drivers: started when vault asks, under their own user, with nothing but three pipes; vault gets
// the two that it needs and the program file to be hashed.
#include "parent/parent.h"

#include "base/check.h"
#include "base/log.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool name_is_good(struct bytes name)
{
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
			return false;
	}
	return name.length > 0 && name.length < 64;
}

// A file that somebody but its owner may write is not taken: it could change after it was hashed.
int driver_open(const struct parent *parent, struct bytes name)
{
	char path[CONFIG_TEXT_MAX + 80];
	struct stat about;

	if (!name_is_good(name))
		return -1;
	snprintf(path, sizeof(path), "%s/driver-%.*s", parent->config.drivers, (int)name.length,
	         (const char *)name.data);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 &&
	    (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_mode & 0022)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

__attribute__((noreturn)) static void run(const struct parent *parent, const char *name, int file,
                                          int in, int out, pid_t parent_pid)
{
	const struct rlimit none = { 0, 0 };
	char title[80];
	char *arguments[] = { title, NULL };
	uid_t user = config_user(&parent->config, CONFIG_USER_DRIVERS);
	sigset_t empty;

	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	setpgid(0, 0);
	snprintf(title, sizeof(title), "driver-%s", name);
	if (geteuid() == 0 && user &&
	    (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
	     setresuid(user, user, user) != 0))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); // after the change of user, which clears it
	if (getppid() != parent_pid || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0 || chdir("/") != 0 || dup2(in, 0) < 0 ||
	    dup2(out, 1) < 0 || fcntl(file, F_SETFD, 0) != 0)
		_exit(1);
	close_others(file);
	fexecve(file, arguments, clean_environment());
	fprintf(stderr, "onfile: driver-%s cannot be started: %m\n", name);
	_exit(1);
}

static struct driver *free_place(struct parent *parent)
{
	for (int i = 0; i < DRIVERS_MAX; i++)
		if (parent->drivers[i].pid == 0)
			return &parent->drivers[i];
	return NULL;
}

static void fail(struct parent *parent, uint32_t connection, const char *detail)
{
	struct child *vault = &parent->children[CHILD_VAULT];
	const struct wire_value values[] = {
		[WIRE_DRIVER_FAILED_CONNECTION] = WIRE_N(connection),
		[WIRE_DRIVER_FAILED_DETAIL] = WIRE_B(bytes_text(detail)),
	};

	if (!result_ok(wire_channel_put(&vault->channel, WIRE_DRIVER_FAILED, values)))
		log_event(LOG_WARN, "driver_failed", LOG_TEXT("detail", detail));
}

static bool spawn(struct parent *parent, struct driver *place, const char *name, int file,
                  uint32_t connection)
{
	struct child *vault = &parent->children[CHILD_VAULT];
	const struct wire_value values[] = { [WIRE_HANDOVER_DRIVER_CONNECTION] =
		                                     WIRE_N(connection) };
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	pid_t self = getpid();
	bool good = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0;

	if (good) {
		place->pid = fork();
		if (place->pid == 0)
			run(parent, name, file, in[0], out[1], self);
		good = place->pid > 0;
	}
	if (good) {
		place->connection = connection;
		snprintf(place->name, sizeof(place->name), "%s", name);
		const int handed[] = { in[1], out[0], file };
		good = result_ok(wire_channel_put_descriptors(&vault->channel, WIRE_HANDOVER_DRIVER,
		                                              values, handed));
		log_event(LOG_INFO, "started", LOG_TEXT("driver", name),
		          LOG_NUMBER("pid", place->pid));
	}
	for (int i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
		if (out[i] >= 0)
			close(out[i]);
	}
	return good;
}

void driver_start(struct parent *parent, const struct wire_message *message)
{
	uint32_t connection = (uint32_t)message->fields[WIRE_START_DRIVER_CONNECTION].number;
	struct bytes name = message->fields[WIRE_START_DRIVER_DRIVER].bytes;
	int file = driver_open(parent, name);
	struct driver *place = free_place(parent);
	char text[64];

	driver_stop(parent, connection);
	if (file < 0) {
		fail(parent, connection,
		     "there is no such driver, or others than its owner may write it");
		return;
	}
	if (!place || !bytes_copy_text(name, text, sizeof(text)) ||
	    !spawn(parent, place, text, file, connection))
		fail(parent, connection, "the driver could not be started");
	close(file);
}

void driver_stop(struct parent *parent, uint32_t connection)
{
	for (int i = 0; i < DRIVERS_MAX; i++)
		if (parent->drivers[i].pid && parent->drivers[i].connection == connection)
			kill(parent->drivers[i].pid, SIGTERM);
}

void drivers_end(struct parent *parent)
{
	for (int i = 0; i < DRIVERS_MAX; i++)
		if (parent->drivers[i].pid)
			kill(parent->drivers[i].pid, SIGTERM);
}

bool driver_gone(struct parent *parent, pid_t pid, int status)
{
	for (int i = 0; i < DRIVERS_MAX; i++) {
		struct driver *driver = &parent->drivers[i];
		if (driver->pid != pid)
			continue;
		log_event(LOG_INFO, "ended", LOG_TEXT("driver", driver->name),
		          LOG_NUMBER("pid", pid),
		          WIFSIGNALED(status) ? LOG_NUMBER("signal", WTERMSIG(status))
		                              : LOG_NUMBER("status", WEXITSTATUS(status)));
		driver->pid = 0;
		return true;
	}
	return false;
}
