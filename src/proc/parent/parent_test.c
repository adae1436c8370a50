// Tests of the parent with the real program `onfile` and stand-ins for the others: what is handed
// to whom, who is started again, what happens at the end. The log of all of them is one pipe, and
// the tests wait for lines in it.
#include "parent/pause.h"

#include "base/tap.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 20000, LOG_MAX = 1 << 20, OUTPUT_MAX = 16384 };

static char folder[64];
static char config_path[128];
static pid_t onfile;
static int log_pipe = -1;
static char all[LOG_MAX]; // everything that was logged since the start
static size_t length, seen;
static int port;

// --- the surroundings

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) != 0)
		abort();
}

static int free_port(void)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(where);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&where, size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&where, &size) != 0)
		abort();
	close(fd);
	return ntohs(where.sin_port);
}

static void write_config(void)
{
	char text[1000];

	port = free_port();
	(void)snprintf(text, sizeof(text),
	               "data = %s/data\nkeys = %s/keys\nrun = %s/run\nprograms = %s\n"
	               "drivers = %s\npages = %s\nlisten.public = %d\nlisten.results = %d\n"
	               "listen.metrics = %d\npublic_url = http://a\nresults_url = http://b\n",
	               folder, folder, folder, folder, folder, folder, port, free_port(),
	               free_port());
	write_file("onfile.conf", text, 0600);
}

static void make_folder(void)
{
	static const char *const names[] = { "web", "core", "vault", "courier" };
	char path[128];

	memcpy(folder, "/tmp/onfile-parent-XXXXXX", 26);
	if (!mkdtemp(folder))
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (symlink(STAND_IN, path) != 0)
			abort();
	}
	write_file("driver-echo",
	           "#!/bin/sh\n"
	           "[ \"$1\" = --describe ] && echo '{\"contract\":1,\"name\":\"echo\","
	           "\"version\":\"1\",\"kind\":\"bank\",\"operations\":[\"test\"],"
	           "\"sandbox\":{\"connect\":[\"port\"]},"
	           "\"parameters\":[{\"name\":\"port\",\"type\":\"number\",\"required\":true,"
	           "\"min\":1,\"max\":9},{\"name\":\"key\",\"type\":\"text\",\"secret\":true}]}' "
	           "&& exit\n"
	           "while read -r line; do echo \"got $line\"; done\n",
	           0755);
	(void)snprintf(config_path, sizeof(config_path), "%s/onfile.conf", folder);
	write_config();
}

static void run_onfile(const char *const *arguments, int output, int errors)
{
	char *list[16] = { (char *)"onfile" };

	for (int i = 0; arguments[i]; i++)
		list[i + 1] = (char *)arguments[i];
	dup2(output, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	setenv("PARENT_TEST_SECRET", "1", 1);
	execv(ONFILE, list);
	_exit(126);
}

static void start(void)
{
	int ends[2];

	if (!folder[0])
		make_folder();
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	length = seen = 0;
	log_pipe = ends[0];
	onfile = fork();
	if (onfile == 0)
		run_onfile((const char *[]){ "serve", "--config", config_path, NULL }, ends[1],
		           ends[1]);
	close(ends[1]);
}

// Reads more of the log. False at its end: no process holds it any more.
static bool read_log(int64_t until_ms)
{
	struct pollfd fd = { .fd = log_pipe, .events = POLLIN };
	int64_t wait = until_ms - clock_monotonic_ms();

	if (wait <= 0 || poll(&fd, 1, (int)wait) <= 0)
		return false;
	ssize_t got = read(log_pipe, all + length, LOG_MAX - 1 - length);
	if (got <= 0)
		return false;
	length += (size_t)got;
	all[length] = '\0';
	return true;
}

// Waits for a line that holds the text, after those that were waited for before.
static bool comes(const char *text)
{
	int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	for (;;) {
		all[length] = '\0';
		char *at = strstr(all + seen, text);
		char *end = at ? strchr(at, '\n') : NULL;
		if (end) {
			seen = (size_t)(end - all);
			return true;
		}
		if (!read_log(until_ms)) {
			printf("# did not come: %s\n", text);
			return false;
		}
	}
}

// True when the log ended: the parent and every process that it started are gone.
static bool all_is_over(int *ret_status)
{
	int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while (read_log(until_ms))
		;
	bool over = read(log_pipe, all, 1) == 0;
	close(log_pipe);
	return waitpid(onfile, ret_status, 0) == onfile && over;
}

// Runs a verb; its output (both streams) and exit status.
static int verb(char output[OUTPUT_MAX], const char *const *arguments)
{
	int ends[2];
	int status = 0;
	size_t got = 0;
	ssize_t more;

	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	pid_t child = fork();
	if (child == 0) {
		close(STDIN_FILENO); // there is no terminal
		open("/dev/null", O_RDONLY);
		run_onfile(arguments, ends[1], ends[1]);
	}
	close(ends[1]);
	while ((more = read(ends[0], output + got, OUTPUT_MAX - 1 - got)) > 0)
		got += (size_t)more;
	output[got] = '\0';
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static pid_t pid_of(const char *program)
{
	char output[OUTPUT_MAX];

	verb(output, (const char *[]){ "status", "--config", config_path, NULL });
	const char *line = strstr(output, program);
	const char *pid = line ? strstr(line, "pid ") : NULL;
	return pid ? (pid_t)strtol(pid + 4, NULL, 10) : 0;
}

// --- the tests, in their order: one onfile serves most of them

TEST(pauses_grow_and_are_forgiven)
{
	static const int64_t expected[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000 };
	int failures = 0;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		EXPECT(pause_after(&failures, 10) == expected[i]);
	EXPECT(pause_after(&failures, PAUSE_FORGIVEN_MS) == 0);
	EXPECT(pause_after(&failures, 10) == PAUSE_FIRST_MS);
}

TEST(programs_start_with_what_is_theirs)
{
	char began[300];

	start();
	(void)snprintf(began, sizeof(began), "vault: began %s files=4 secret=none", config_path);
	EXPECT(comes("event=ready"));
	seen = 0;
	EXPECT(comes(began));
	seen = 0;
	EXPECT(comes("vault: HANDOVER_PEER_VAULT"));
	seen = 0;
	EXPECT(comes("web: HANDOVER_LISTENER 0") && comes("web: HANDOVER_LISTENER 1") &&
	       comes("web: HANDOVER_LISTENER 2") && comes("web: HANDOVER_PEER_WEB"));
	seen = 0;
	EXPECT(comes("core: HANDOVER_CONTROL"));
	seen = 0;
	EXPECT(comes("core: HANDOVER_PEER_CORE 0"));
	seen = 0;
	EXPECT(comes("core: HANDOVER_PEER_CORE 1"));
	seen = 0;
	EXPECT(comes("core: HANDOVER_PEER_CORE 2"));
	seen = 0;
	EXPECT(comes("courier: HANDOVER_PEER_COURIER"));
	seen = 0;
}

TEST(a_driver_runs_with_its_pipes)
{
	EXPECT(comes("vault: HANDOVER_DRIVER 7"));
	EXPECT(comes("vault: driver got {\"id\":1}"));
	EXPECT(comes("vault: driver-file #!/b"));
	seen = 0;
	EXPECT(comes("vault: DRIVER_FAILED 8"));
}

TEST(what_ends_is_started_again)
{
	pid_t web = pid_of("web");

	seen = length;
	REQUIRE(web > 0 && kill(web, SIGKILL) == 0);
	EXPECT(comes("event=program_ended program=web"));
	EXPECT(comes("event=program_started program=web"));
	EXPECT(comes("core: HANDOVER_PEER_CORE 0"));
	EXPECT(pid_of("web") != web);
}

TEST(a_driver_is_started_again_when_vault_asks)
{
	pid_t driver = pid_of("driver-echo");
	pid_t vault = pid_of("vault");

	seen = length;
	REQUIRE(driver > 0 && vault > 0 && kill(driver, SIGKILL) == 0);
	EXPECT(comes("event=driver_ended driver=echo"));
	EXPECT(pid_of("driver-echo") == 0);
	REQUIRE(kill(vault, SIGUSR1) == 0);
	EXPECT(comes("vault: driver got"));
	pid_t second = pid_of("driver-echo");
	EXPECT(second > 0 && second != driver);
	// Asked for while it runs: a new one takes its place.
	REQUIRE(kill(vault, SIGUSR1) == 0);
	EXPECT(comes("vault: driver got"));
	EXPECT(pid_of("driver-echo") != second);
}

TEST(core_gets_its_control_socket_again)
{
	pid_t core = pid_of("core");

	seen = length;
	REQUIRE(core > 0 && kill(core, SIGTERM) == 0);
	EXPECT(comes("event=program_started program=core"));
	size_t mark = seen;
	EXPECT(comes("core: HANDOVER_CONTROL") && comes("core: HANDOVER_PEER_CORE 0"));
	seen = mark;
	EXPECT(comes("vault: HANDOVER_PEER_VAULT"));
	seen = mark;
	EXPECT(comes("web: HANDOVER_PEER_WEB"));
	seen = mark;
	EXPECT(comes("courier: HANDOVER_PEER_COURIER"));
}

TEST(drivers_end_with_vault)
{
	pid_t driver = pid_of("driver-echo");
	pid_t vault = pid_of("vault");

	seen = length;
	REQUIRE(driver > 0 && vault > 0 && kill(vault, SIGKILL) == 0);
	EXPECT(comes("event=program_started program=vault"));
	EXPECT(comes("vault: driver got"));
	EXPECT(pid_of("driver-echo") != driver);
	int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
	while (kill(driver, 0) == 0 && clock_monotonic_ms() < until_ms)
		sched_yield();
	EXPECT(kill(driver, 0) != 0);
}

TEST(a_program_that_breaks_the_catalogue_is_killed)
{
	pid_t core = pid_of("core");

	seen = length;
	REQUIRE(core > 0 && kill(core, SIGUSR1) == 0);
	EXPECT(comes("event=program_killed program=core"));
	EXPECT(comes("event=program_started program=core"));
	EXPECT(comes("core: HANDOVER_CONTROL"));
}

TEST(a_connection_is_sealed_and_handed_to_core)
{
	char output[OUTPUT_MAX];

	EXPECT(verb(output, (const char *[]){ "connection", "add", "bank", "--driver", "echo",
	                                      "--set", "port=3", "--set", "key=a\"b", "--config",
	                                      config_path, NULL }) == 3);
	EXPECT(strstr(output, "connection add|{\"port\":3,\"key\":\"a\\\"b\"}|"
	                      "name=bank;driver=echo;kind=bank;\n"));
	EXPECT(strstr(output, "key was given where everybody on this machine could see it"));
	EXPECT(verb(output, (const char *[]){ "trace", "AB12", "--config", config_path, NULL }) ==
	       3);
	EXPECT(strcmp(output, "trace||code=AB12;\n") == 0);
}

TEST(parameters_are_checked_by_what_the_driver_says)
{
	static const struct {
		const char *set, *sentence;
	} cases[] = {
		{ "port=10", "whole number from 1 to 9" },
		{ "port=x", "whole number from 1 to 9" },
		{ "key=x", "port is missing" },
		{ "nonsense=1", "no parameter" },
		{ "port", "no parameter" },
	};
	char output[OUTPUT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT(verb(output, (const char *[]){ "connection", "add", "bank", "--driver",
		                                      "echo", "--set", cases[i].set, "--config",
		                                      config_path, NULL }) == 1);
		EXPECT(strstr(output, cases[i].sentence));
	}
	EXPECT(verb(output, (const char *[]){ "connection", "add", "bank", "--driver", "../echo",
	                                      "--config", config_path, NULL }) == 1);
	EXPECT(verb(output, (const char *[]){ "connection", "add", "bank", "--config", config_path,
	                                      NULL }) == 2);
	EXPECT(verb(output, (const char *[]){ "nonsense", NULL }) == 2);
}

TEST(control_sockets_are_for_their_owner)
{
	struct stat about;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/run/root.sock", folder);
	EXPECT(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
	(void)snprintf(path, sizeof(path), "%s/run/operator.sock", folder);
	EXPECT(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	EXPECT(stat(path, &about) == 0 && (about.st_mode & 0777) == 0700);
}

TEST(a_taken_port_is_said_in_one_sentence)
{
	char output[OUTPUT_MAX], wanted[100];

	(void)snprintf(wanted, sizeof(wanted), "port %d of 127.0.0.1 (key listen.public) is taken",
	               port);
	EXPECT(verb(output, (const char *[]){ "serve", "--config", config_path, NULL }) == 1);
	EXPECT(strstr(output, wanted));
	EXPECT(strchr(output, '\n') == output + strlen(output) - 1);
}

TEST(nothing_is_left_when_it_is_stopped)
{
	int status = -1;

	kill(onfile, SIGTERM);
	EXPECT(comes("web: STOP_WEB") && comes("courier: STOP_COURIER") &&
	       comes("core: STOP_CORE") && comes("vault: STOP_VAULT"));
	EXPECT(all_is_over(&status) && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(a_second_signal_does_not_wait)
{
	int status = -1;
	int64_t began_ms = clock_monotonic_ms();

	start();
	REQUIRE(comes("event=ready"));
	seen = 0;
	REQUIRE(comes("vault: driver-file"));
	kill(pid_of("web"), SIGSTOP);
	kill(onfile, SIGTERM);
	REQUIRE(comes("event=stopping"));
	kill(onfile, SIGTERM);
	EXPECT(all_is_over(&status) && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	EXPECT(clock_monotonic_ms() - began_ms < 8000);
}

TEST(children_die_with_a_parent_that_is_killed)
{
	int status = -1;

	start();
	REQUIRE(comes("event=ready"));
	seen = 0;
	REQUIRE(comes("vault: driver-file"));
	kill(onfile, SIGKILL);
	EXPECT(all_is_over(&status) && WIFSIGNALED(status));
}

TEST(the_test_leaves_no_files)
{
	static const char *const files[] = { "web",           "core",
		                             "vault",         "courier",
		                             "driver-echo",   "onfile.conf",
		                             "run/root.sock", "run/operator.sock" };
	static const char *const folders[] = { "run", "data", "keys", "" };
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		EXPECT(unlink(path) == 0);
	}
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
		EXPECT(rmdir(path) == 0);
	}
}

TAP_MAIN
