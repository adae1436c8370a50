// `onfile driver …`: programs in the folder of drivers. What is installed is a copy that belongs to
// whoever runs onfile (root), made before it is asked anything, so that nobody can change it
// between the look and the use.
#include "describe.h"
#include "parent/launch.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_NAME_MAX = CLI_DRIVER_NAME_MAX + 16, PROGRAM_MAX = 256 * 1024 * 1024 };

static void driver_free(struct cli_driver **driver)
{
	cli_driver_done(*driver);
	free(*driver);
}

static void file_name(char file[static FILE_NAME_MAX], const char *name)
{
	(void)snprintf(file, FILE_NAME_MAX, "driver-%.*s", CLI_DRIVER_NAME_MAX, name);
}

static int open_folder(const struct cli_call *call)
{
	int folder = open(call->config.drivers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		cli_fail(0, "the folder %s (key drivers) cannot be opened: %m",
		         call->config.drivers);
	return folder;
}

// --- install

// Opens what is to be installed; -1: the sentence was said.
static int open_source(const char *path)
{
	int fd cleanup(cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat about;

	if (fd < 0 || fstat(fd, &about) != 0)
		return cli_fail(-1, "%s cannot be read: %s", path,
		                errno == ELOOP ? "it is a symbolic link; name the file itself"
		                               : strerror(errno));
	if (!S_ISREG(about.st_mode) || about.st_size > PROGRAM_MAX)
		return cli_fail(-1, "%s is not a file that a driver could be", path);
	if (!(about.st_mode & S_IXUSR))
		return cli_fail(-1, "%s is not executable (chmod +x)", path);
	if (about.st_mode & (S_IWGRP | S_IWOTH))
		return cli_fail(-1,
		                "others may write to %s: what it is cannot be known "
		                "(chmod go-w)",
		                path);
	int opened = fd;
	fd = -1;
	return opened;
}

static bool copy(int from, int to)
{
	char room[64 * 1024];
	ssize_t got;

	while ((got = read(from, room, sizeof(room))) > 0)
		for (ssize_t put = 0, now; put < got; put += now)
			if ((now = write(to, room + put, (size_t)(got - put))) < 0)
				return false;
	return got == 0 && fchmod(to, 0755) == 0 && fsync(to) == 0;
}

// The copy under a name of its own, which goes away again unless it is renamed.
struct copied {
	int folder;
	char name[40];
};

static void forget_copy(struct copied *copied)
{
	if (copied->name[0])
		unlinkat(copied->folder, copied->name, 0);
}

static bool copy_in(int source, struct copied *ret_copy)
{
	(void)snprintf(ret_copy->name, sizeof(ret_copy->name), ".new-%d", (int)getpid());
	unlinkat(ret_copy->folder, ret_copy->name, 0);
	int fd cleanup(cleanup_fd) = openat(ret_copy->folder, ret_copy->name,
	                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (fd >= 0 && copy(source, fd))
		return true;
	cli_fail(0, "the driver cannot be copied: %m");
	return false;
}

static bool same_files(int folder, const char *a, const char *b)
{
	int first cleanup(cleanup_fd) = openat(folder, a, O_RDONLY | O_CLOEXEC);
	int second cleanup(cleanup_fd) = openat(folder, b, O_RDONLY | O_CLOEXEC);
	char one[8192], other[8192];
	ssize_t got;

	while ((got = read(first, one, sizeof(one))) > 0)
		if (read(second, other, sizeof(other)) != got ||
		    memcmp(one, other, (size_t)got) != 0)
			return false;
	return got == 0 && read(second, other, 1) == 0;
}

// False: the sentence was said.
static bool may_replace(const struct cli_call *call, const struct copied *copied, const char *file)
{
	const char *replace = cli_option(call, "replace");

	if (faccessat(copied->folder, file, F_OK, AT_SYMLINK_NOFOLLOW) != 0 ||
	    same_files(copied->folder, copied->name, file) ||
	    (replace && strcmp(replace, "yes") == 0))
		return true;
	cli_fail(0,
	         "another program is installed as %s; its connections run it until they are "
	         "sealed for the new one (onfile connection set NAME). With --replace yes it is "
	         "replaced",
	         file);
	return false;
}

static int install(const struct cli_call *call, const struct cli_driver *driver,
                   struct copied *copied)
{
	char file[FILE_NAME_MAX];

	file_name(file, driver->name);
	if (!may_replace(call, copied, file))
		return CLI_FAILED;
	if (renameat(copied->folder, copied->name, copied->folder, file) != 0 ||
	    fsync(copied->folder) != 0)
		return cli_fail(CLI_FAILED, "%s cannot be put in its place: %m", file);
	copied->name[0] = '\0';
	printf("driver %s %s (%s) installed as %s/%s\n", driver->name, driver->version,
	       driver->kind, call->config.drivers, file);
	return 0;
}

int cli_driver_install(struct cli_call *call)
{
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));
	int folder cleanup(cleanup_fd) = open_folder(call);
	struct copied copied cleanup(forget_copy) = { .folder = folder };
	int source cleanup(cleanup_fd) = folder < 0 ? -1 : open_source(call->name);
	const char *why = "";

	if (!driver || source < 0 || !copy_in(source, &copied))
		return CLI_FAILED;
	int program cleanup(cleanup_fd) = launch_open(folder, copied.name, &why);
	if (program < 0)
		return cli_fail(CLI_FAILED, "the copy cannot be used: %s", why);
	if (!cli_driver_read_file(call, program, call->name, driver))
		return CLI_FAILED;
	return install(call, driver, &copied);
}

// --- list, describe, remove

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_driver(const struct dirent *entry)
{
	return strncmp(entry->d_name, "driver-", 7) == 0;
}

static int list_one(const struct cli_call *call, const char *name)
{
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));

	if (!driver || !cli_driver_read(call, name, driver))
		return CLI_FAILED;
	printf("%-20s %-10s %s\n", driver->name, driver->version, driver->kind);
	return 0;
}

int cli_driver_list(struct cli_call *call)
{
	struct dirent **entries = NULL;
	int count = scandir(call->config.drivers, &entries, is_driver, by_name);
	int status = 0;

	if (count < 0)
		return cli_fail(CLI_FAILED, "the folder %s (key drivers) cannot be read: %m",
		                call->config.drivers);
	for (int i = 0; i < count; i++) {
		status |= list_one(call, entries[i]->d_name + 7);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static const char *fallback_text(const struct cli_parameter *parameter)
{
	if (!parameter->fallback)
		return "";
	switch (parameter->fallback->kind) {
	case CLI_JSON_TRUE: return "yes";
	case CLI_JSON_FALSE: return "no";
	default: return parameter->fallback->text ? parameter->fallback->text : "";
	}
}

static void print_list(const char *what, const struct cli_json *list)
{
	printf("%s", what);
	for (const struct cli_json *one = list ? list->first : NULL; one; one = one->next)
		printf(" %s", one->text);
	putchar('\n');
}

static void print_parameter(const struct cli_parameter *p)
{
	const char *fallback = fallback_text(p);

	printf("  %s (%s%s%s%s%s", p->name, cli_type_name(p->type), p->required ? ", required" : "",
	       p->secret ? ", secret" : "", fallback[0] ? ", default " : "", fallback);
	if (p->type == CLI_NUMBER && p->min != INT64_MIN && p->max != INT64_MAX)
		printf(", %lld to %lld", (long long)p->min, (long long)p->max);
	printf(")\n      %s\n", p->help ? p->help : "");
	if (p->type == CLI_CHOICE)
		print_list("      one of", p->choices);
}

static void print_sandbox(const struct cli_json *sandbox)
{
	const struct cli_json *connect = cli_json_member(sandbox, "connect");
	const struct cli_json *read = cli_json_member(sandbox, "read");

	if (!connect || connect->kind == CLI_JSON_FALSE)
		printf("network: none\n");
	else if (connect->kind == CLI_JSON_TRUE)
		printf("network: connects anywhere\n");
	else
		print_list("network: connects to the ports of", connect);
	if (read && read->first)
		print_list("reads", read);
	if (cli_json_true(sandbox, "processes"))
		printf("starts processes\n");
}

int cli_driver_describe(struct cli_call *call)
{
	struct cli_driver *driver cleanup(driver_free) = calloc(1, sizeof(*driver));

	if (!driver)
		return cli_fail(CLI_FAILED, "no memory");
	if (!cli_driver_read(call, call->name, driver))
		return CLI_FAILED;
	printf("driver %s %s, kind %s\n", driver->name, driver->version, driver->kind);
	print_list("operations:", driver->operations);
	print_sandbox(driver->sandbox);
	printf("parameters:\n");
	for (int i = 0; i < driver->count; i++)
		print_parameter(&driver->parameters[i]);
	return 0;
}

int cli_driver_remove(struct cli_call *call)
{
	struct buffer arguments cleanup(buffer_done) = { 0 };
	int folder cleanup(cleanup_fd) = open_folder(call);
	char file[FILE_NAME_MAX];

	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	if (folder < 0)
		return CLI_FAILED;
	if (strchr(call->name, '/') || strlen(call->name) > CLI_DRIVER_NAME_MAX)
		return cli_fail(CLI_USAGE, "a driver's name is of a-z, 0-9 and -");
	cli_put_argument(&arguments, "driver", call->name);
	int status = cli_command(call, "driver used", buffer_view(&arguments), BYTES_NONE);
	if (status != 0)
		return status;
	file_name(file, call->name);
	if (unlinkat(folder, file, 0) != 0)
		return cli_fail(CLI_FAILED, "%s/%s cannot be removed: %m", call->config.drivers,
		                file);
	printf("driver %s removed\n", call->name);
	return 0;
}
