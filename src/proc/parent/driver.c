// Drivers: started when vault asks, handed to vault, ended when vault says so or has gone. One that
// ends by itself is forgotten: vault sees its pipes end and asks again when it wants to.
// docs/drivers.md is the contract; a driver's end of input is its request to end, so one that is
// stopped gets time before it is killed.
#include "state.h"

#include "launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool name_is_good(struct bytes name)
{
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return name.length > 0 && name.length <= PARENT_DRIVER_NAME;
}

int driver_open(const struct parent *parent, struct bytes name, const char **ret_why)
{
	char file[PARENT_DRIVER_NAME + sizeof("driver-")];

	*ret_why = "a driver's name is of a-z, 0-9 and -";
	if (!name_is_good(name))
		return -1;
	(void)snprintf(file, sizeof(file), "driver-%.*s", (int)name.length,
	               (const char *)name.data);
	return launch_open(parent->drivers_folder, file, ret_why);
}

static void failed(struct parent *parent, uint32_t connection, const char *why)
{
	log_event(LOG_ERROR, "driver_failed", LOG_NUMBER("connection", connection),
	          LOG_TEXT("detail", why));
	child_tell(&parent->children[CHILD_VAULT], WIRE_DRIVER_FAILED,
	           (const struct wire_value[]){
	                   [WIRE_DRIVER_FAILED_CONNECTION] = WIRE_N(connection),
	                   [WIRE_DRIVER_FAILED_DETAIL] = WIRE_B(bytes_text(why)) });
}

static struct driver *find(struct parent *parent, uint32_t connection)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (parent->drivers[i].pid && parent->drivers[i].connection == connection)
			return &parent->drivers[i];
	return NULL;
}

static struct driver *find_free(struct parent *parent)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (!parent->drivers[i].pid)
			return &parent->drivers[i];
	return NULL;
}

static bool make_pipes(int input[2], int output[2])
{
	if (pipe2(input, O_CLOEXEC) != 0)
		return false;
	if (pipe2(output, O_CLOEXEC) == 0)
		return true;
	close(input[0]);
	close(input[1]);
	return false;
}

// Each connection's driver has a user of its own, so that one cannot look into another.
static uint32_t driver_user(const struct parent *parent, uint32_t connection)
{
	return parent->config->users ? config_user_of_driver(parent->config, connection) : 0;
}

static bool user_is_taken(const struct parent *parent, uint32_t connection)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (parent->drivers[i].pid && parent->drivers[i].connection % CONFIG_DRIVERS_MAX ==
		                                      connection % CONFIG_DRIVERS_MAX)
			return true;
	return false;
}

// Starts the program and hands it to vault. False: there are no pipes or no process.
static bool start(struct parent *parent, struct driver *driver, int program,
                  const struct jail_foreign *foreign)
{
	char title[PARENT_DRIVER_NAME + sizeof("driver-")];
	int input[2], output[2];

	if (!make_pipes(input, output))
		return false;
	(void)snprintf(title, sizeof(title), "driver-%s", driver->name);
	driver->pid = launch(&(struct launch){
	        .program = program,
	        .folder = -1, // what runs is the very file that vault hashes
	        .name = title,
	        .input = input[0],
	        .output = output[1],
	        .channel = -1,
	        .user = driver_user(parent, driver->connection),
	        .foreign = foreign,
	});
	close(input[0]);
	close(output[1]);
	if (driver->pid > 0) {
		driver->started_ms = clock_monotonic_ms();
		log_event(LOG_INFO, "driver_started", LOG_TEXT("driver", driver->name),
		          LOG_NUMBER("connection", driver->connection),
		          LOG_NUMBER("pid", driver->pid));
		child_hand(&parent->children[CHILD_VAULT], WIRE_HANDOVER_DRIVER,
		           (const struct wire_value[]){ [WIRE_HANDOVER_DRIVER_CONNECTION] =
		                                                WIRE_N(driver->connection) },
		           (const int[]){ input[1], output[0], program });
	}
	close(input[1]);
	close(output[0]);
	return driver->pid > 0;
}

static void let_end(struct parent *parent, pid_t pid)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++) {
		if (parent->endings[i].pid)
			continue;
		parent->endings[i] = (struct ending){ pid, clock_monotonic_ms() + PARENT_STOP_MS };
		return;
	}
	kill(-pid, SIGKILL);
}

static void stop_one(struct parent *parent, struct driver *driver)
{
	let_end(parent, driver->pid);
	*driver = (struct driver){ 0 };
}

void driver_stop(struct parent *parent, uint32_t connection)
{
	struct driver *driver = find(parent, connection);

	if (driver)
		stop_one(parent, driver);
}

void driver_wanted(struct parent *parent, uint32_t connection, struct bytes name,
                   struct bytes grants)
{
	const char *why = "";
	struct jail_foreign foreign;
	int program cleanup(cleanup_fd) = driver_open(parent, name, &why);

	driver_stop(parent, connection);
	struct driver *driver = find_free(parent);
	if (program < 0 || !driver) {
		failed(parent, connection, program < 0 ? why : "too many drivers");
		return;
	}
	if (!result_ok(jail_foreign_read(grants, &foreign)) || user_is_taken(parent, connection)) {
		failed(parent, connection, "its grants or its number are not as they should be");
		return;
	}
	*driver = (struct driver){ .connection = connection };
	bytes_copy_text(name, driver->name, sizeof(driver->name));
	if (start(parent, driver, program, &foreign))
		return;
	*driver = (struct driver){ 0 };
	failed(parent, connection, "there is no room for a process");
}

void drivers_stop(struct parent *parent)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (parent->drivers[i].pid)
			stop_one(parent, &parent->drivers[i]);
}

static bool ending_ended(struct parent *parent, pid_t pid)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (parent->endings[i].pid == pid) {
			parent->endings[i].pid = 0;
			return true;
		}
	return false;
}

bool driver_ended(struct parent *parent, pid_t pid, int status)
{
	struct driver *driver = NULL;

	for (int i = 0; i < PARENT_DRIVERS_MAX && !driver; i++)
		if (parent->drivers[i].pid == pid)
			driver = &parent->drivers[i];
	if (!driver && !ending_ended(parent, pid))
		return false;
	kill(-pid, SIGKILL); // whatever it started itself
	if (!driver)
		return true;
	log_event(parent->stopping ? LOG_INFO : LOG_WARN, "driver_ended",
	          LOG_TEXT("driver", driver->name), LOG_NUMBER("connection", driver->connection),
	          LOG_NUMBER("pid", pid),
	          LOG_NUMBER("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
	          LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	*driver = (struct driver){ 0 };
	return true;
}

int64_t drivers_look(struct parent *parent, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < PARENT_DRIVERS_MAX; i++) {
		struct ending *ending = &parent->endings[i];
		if (!ending->pid)
			continue;
		if (ending->kill_at_ms <= now_ms || parent->in_a_hurry) {
			kill(-ending->pid, SIGKILL);
			ending->kill_at_ms = INT64_MAX;
		}
		if (ending->kill_at_ms < next)
			next = ending->kill_at_ms;
	}
	return next;
}

bool drivers_run(const struct parent *parent)
{
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++)
		if (parent->endings[i].pid || parent->drivers[i].pid)
			return true;
	return false;
}
