// A stand-in for web, core and vault in the tests of the parent: it tells on standard error what it
// was handed, and does on a signal what a broken program would do. Which one it is follows from its
// name.
#include "wire/channel.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARENT_FD = 3, OUT_LIMIT = 65536, TEXT_MAX = 1000 };

static volatile sig_atomic_t is_to_break;
static const char *own_name;
static enum wire_program own_program;
static struct wire_channel parent;
static int control = -1; // core's listening control socket

static void on_signal(int number)
{
	is_to_break = number;
}

static void tell(const char *what, const char *detail)
{
	char line[TEXT_MAX];
	int length = snprintf(line, sizeof(line), "%s: %s %s\n", own_name, what, detail);
	CHECK(write(STDERR_FILENO, line, (size_t)length) == length);
}

static void say(enum wire_number number, const struct wire_value *values)
{
	CHECK(result_ok(wire_channel_put(&parent, number, values)));
	CHECK(result_ok(wire_channel_flush(&parent)));
}

// Uses the driver once, as the vault would: a line in, a line out.
static void use_driver(const struct wire_message *message)
{
	static const char question[] = "{\"id\":1}\n";
	char answer[TEXT_MAX];
	char start[5] = { 0 };

	CHECK(write(message->descriptors[0], question, sizeof(question) - 1) > 0);
	ssize_t length = read(message->descriptors[1], answer, sizeof(answer) - 1);
	CHECK(length >= 0 && pread(message->descriptors[2], start, 4, 0) == 4);
	answer[length] = '\0';
	tell("driver", answer);
	tell("driver-file", start);
}

static void seal(const struct wire_message *message)
{
	const struct wire_value *f = message->fields;

	say(WIRE_CONNECTION_SEALED,
	    (const struct wire_value[]){ [WIRE_CONNECTION_SEALED_ID] = f[WIRE_SEAL_CONNECTION_ID],
	                                 [WIRE_CONNECTION_SEALED_PROBLEM] = WIRE_B(BYTES_NONE),
	                                 [WIRE_CONNECTION_SEALED_BLOB] =
	                                         f[WIRE_SEAL_CONNECTION_PARAMETERS] });
}

static void take(const struct wire_message *message)
{
	char number[32] = "";

	if (message->row->count && message->row->fields[0].kind == WIRE_NUMBER)
		(void)snprintf(number, sizeof(number), "%llu",
		               (unsigned long long)message->fields[0].number);
	tell(message->row->name, number);
	switch (message->row->number) {
	case WIRE_HANDOVER_DRIVER: use_driver(message); return; // keeps the pipes open

	case WIRE_HANDOVER_CONTROL: control = message->descriptors[0]; return;
	case WIRE_SEAL_CONNECTION: seal(message); break;
	case WIRE_STOP_WEB:
	case WIRE_STOP_CORE:
	case WIRE_STOP_VAULT: exit(0);
	default: break;
	}
	for (int i = 0; i < message->row->descriptors; i++)
		close(message->descriptors[i]);
}

// One command of the operator: its blob and arguments come back as a line.
static void serve_operator(void)
{
	struct wire_channel channel;
	struct wire_message message;
	char text[TEXT_MAX];
	bool got = false;
	int fd = accept(control, NULL, NULL);

	CHECK(fd >= 0);
	wire_channel_init(&channel, fd, WIRE_CORE, WIRE_CLI, OUT_LIMIT);
	while (!got) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		CHECK(poll(&wait, 1, 5000) == 1);
		CHECK(result_ok(wire_channel_read(&channel)));
		CHECK(result_ok(wire_channel_next(&channel, &message, &got)));
	}
	const struct wire_value *f = message.fields;
	struct bytes given = f[WIRE_CLI_COMMAND_ARGUMENTS].bytes;
	int length = snprintf(text, sizeof(text), "%.*s|%.*s|",
	                      (int)f[WIRE_CLI_COMMAND_VERB].bytes.length,
	                      (const char *)f[WIRE_CLI_COMMAND_VERB].bytes.data,
	                      (int)f[WIRE_CLI_COMMAND_BLOB].bytes.length,
	                      (const char *)f[WIRE_CLI_COMMAND_BLOB].bytes.data);
	for (size_t i = 0; i < given.length && length < TEXT_MAX - 1; i++)
		text[length++] = given.data[i] ? (char)given.data[i] : ';';
	struct bytes line = bytes_from(text, (size_t)length);
	CHECK(result_ok(wire_channel_put(&channel, WIRE_CLI_LINE,
	                                 (const struct wire_value[]){ WIRE_N(1), WIRE_B(line) })));
	CHECK(result_ok(wire_channel_put(&channel, WIRE_CLI_END,
	                                 (const struct wire_value[]){ WIRE_N(3) })));
	CHECK(result_ok(wire_channel_flush(&channel)));
	wire_channel_done(&channel);
}

static void read_parent(void)
{
	struct wire_message message;
	bool got = true;

	if (!result_ok(wire_channel_read(&parent)))
		exit(0);
	while (got) {
		CHECK(result_ok(wire_channel_next(&parent, &message, &got)));
		if (got)
			take(&message);
	}
}

// On SIGUSR1 web and core say what they may not say; vault asks for its driver anew.
static void break_the_catalogue(void)
{
	struct buffer frame;

	buffer_init(&frame, 100);
	CHECK(result_ok(wire_encode(&frame, WIRE_CLI_STATUS, NULL)));
	CHECK(write(PARENT_FD, frame.data, frame.length) > 0);
	buffer_done(&frame);
}

static void ask_for_driver(void)
{
	say(WIRE_START_DRIVER, (const struct wire_value[]){ WIRE_N(7), WIRE_B(bytes_text("echo")),
	                                                    WIRE_B(BYTES_NONE) });
}

static void introduce(const char *config_path)
{
	static const enum wire_number ready[] = { [WIRE_WEB] = WIRE_READY_WEB,
		                                  [WIRE_CORE] = WIRE_READY_CORE,
		                                  [WIRE_VAULT] = WIRE_READY_VAULT,
		                                  [WIRE_COURIER] = WIRE_READY_COURIER };
	char text[TEXT_MAX];

	// Only 0, 1, 2 and the channel are open, and the environment is the clean one.
	int open_files = 0;
	for (int fd = 0; fd < 256; fd++)
		open_files += lseek(fd, 0, SEEK_CUR) >= 0 || (errno != EBADF);
	(void)snprintf(text, sizeof(text), "%s files=%d secret=%s", config_path, open_files,
	               getenv("PARENT_TEST_SECRET") ? "seen" : "none");
	tell("began", text);
	say(ready[own_program], NULL);
	if (own_program == WIRE_VAULT) {
		ask_for_driver();
		say(WIRE_START_DRIVER,
		    (const struct wire_value[]){ WIRE_N(8), WIRE_B(bytes_text("../echo")),
		                                 WIRE_B(BYTES_NONE) });
	}
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	own_name = argv[0];
	own_program = strcmp(own_name, "web") == 0       ? WIRE_WEB
	              : strcmp(own_name, "core") == 0    ? WIRE_CORE
	              : strcmp(own_name, "courier") == 0 ? WIRE_COURIER
	                                                 : WIRE_VAULT;
	CHECK(sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_signal }, NULL) == 0);
	wire_channel_init(&parent, PARENT_FD, own_program, WIRE_PARENT, OUT_LIMIT);
	introduce(argv[1]);
	for (;;) {
		struct pollfd fds[2] = { { .fd = PARENT_FD, .events = POLLIN },
			                 { .fd = control, .events = POLLIN } };
		int ready = poll(fds, 2, -1);
		if (is_to_break && own_program == WIRE_VAULT)
			ask_for_driver();
		else if (is_to_break)
			break_the_catalogue();
		is_to_break = 0;
		if (ready > 0 && fds[0].revents)
			read_parent();
		if (ready > 0 && fds[1].revents)
			serve_operator();
	}
}
