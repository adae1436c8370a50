// Values of parameters from the command line, from files and from a person. None is printed, and a
// secret one never echoed.
#include "ask.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

static struct bytes option_key(const char *value)
{
	struct bytes text = bytes_text(value);

	return bytes_slice(text, 0, bytes_find(text, '='));
}

static bool is_set(const struct cli_option *option)
{
	return strcmp(option->name, "set") == 0;
}

static bool reads_input(const struct cli_option *option)
{
	return strcmp(option->value + option_key(option->value).length, "=-") == 0;
}

static bool check_set(const struct cli_call *call, const struct cli_driver *driver, int place)
{
	const struct cli_option *option = &call->options[place];
	struct bytes key = option_key(option->value);
	const struct cli_parameter *parameter = cli_parameter(driver, key);
	const char *value = option->value + key.length;

	if (!parameter || *value != '=') {
		cli_fail(0, "--set wants KEY=VALUE, and %.*s is no parameter of driver %s",
		         (int)key.length, (const char *)key.data, driver->name);
		return false;
	}
	if (parameter->secret && value[1] && value[1] != '@' && strcmp(value, "=-") != 0)
		cli_fail(0,
		         "%s was given where everybody on this machine could see it; "
		         "--set %s=@FILE and --set %s=- do not show it",
		         parameter->name, parameter->name, parameter->name);
	for (int i = 0; i < place; i++) {
		const struct cli_option *other = &call->options[i];
		if (!is_set(other))
			continue;
		if (bytes_equal(key, option_key(other->value))) {
			cli_fail(0, "%s is set twice", parameter->name);
			return false;
		}
		if (reads_input(option) && reads_input(other)) {
			cli_fail(0, "only one parameter can come from standard input");
			return false;
		}
	}
	return true;
}

bool cli_check_sets(const struct cli_call *call, const struct cli_driver *driver)
{
	for (int i = 0; i < call->count; i++)
		if (is_set(&call->options[i]) && !check_set(call, driver, i))
			return false;
	return true;
}

// --- files

// The content without the line break at its end.
static bool read_value(int fd, const char *from, char value[static CLI_VALUE_MAX + 1])
{
	size_t length = 0;
	ssize_t got = 1;

	while (got != 0 && length <= CLI_VALUE_MAX) {
		got = read(fd, value + length, CLI_VALUE_MAX + 1 - length);
		if (got < 0 && errno != EINTR) {
			cli_fail(0, "%s cannot be read: %m", from);
			return false;
		}
		length += got > 0 ? (size_t)got : 0;
	}
	if (length > CLI_VALUE_MAX) {
		cli_fail(0, "%s holds more than %d bytes", from, CLI_VALUE_MAX);
		return false;
	}
	if (length && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
	if (!memchr(value, 0, length))
		return true;
	cli_fail(0, "%s holds a zero byte", from);
	return false;
}

static enum cli_found read_file(const char *path, char value[static CLI_VALUE_MAX + 1])
{
	int fd cleanup(cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		cli_fail(0, "%s cannot be read: %m", path);
		return CLI_FOUND_BROKEN;
	}
	return read_value(fd, path, value) ? CLI_FOUND_VALUE : CLI_FOUND_BROKEN;
}

static enum cli_found take(const struct cli_parameter *parameter, const char *given,
                           char value[static CLI_VALUE_MAX + 1])
{
	if (strcmp(given, "-") == 0)
		return read_value(STDIN_FILENO, "standard input", value) ? CLI_FOUND_VALUE
		                                                         : CLI_FOUND_BROKEN;
	if (given[0] == '@' && given[1] != '@')
		return read_file(given + 1, value);
	given += given[0] == '@'; // @@ is an @ that the value begins with
	if (bytes_copy_text(bytes_text(given), value, CLI_VALUE_MAX + 1))
		return value[0] ? CLI_FOUND_VALUE : CLI_FOUND_EMPTY;
	cli_fail(0, "the value of %s is longer than %d bytes", parameter->name, CLI_VALUE_MAX);
	return CLI_FOUND_BROKEN;
}

enum cli_found cli_find_value(const struct cli_call *call, const struct cli_parameter *parameter,
                              char ret_value[static CLI_VALUE_MAX + 1])
{
	for (int i = 0; i < call->count; i++) {
		const struct cli_option *option = &call->options[i];
		if (is_set(option) && bytes_equal_text(option_key(option->value), parameter->name))
			return take(parameter, strchr(option->value, '=') + 1, ret_value);
	}
	return CLI_FOUND_NOTHING;
}

// --- the person at the terminal

static struct termios terminal_before;

// Whoever interrupts the question gets the echo back.
static void on_interrupt(int number)
{
	(void)number;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
	_exit(130);
}

static bool hide(void)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, &terminal_before) != 0)
		return false;
	signal(SIGINT, on_interrupt);
	signal(SIGTERM, on_interrupt);
	quiet = terminal_before;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHONL);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

static void show(void)
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal_before);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	(void)fputc('\n', stderr);
}

bool cli_ask_person(const struct cli_parameter *parameter, const char *wanted,
                    char ret_value[static CLI_VALUE_MAX + 1])
{
	size_t length = 0;
	ssize_t got = 0;
	char c = 0;

	if (!isatty(STDIN_FILENO))
		return false;
	if (parameter->secret && !hide()) {
		cli_fail(0, "the terminal's echo cannot be switched off");
		return false;
	}
	if (wanted[0])
		(void)fprintf(stderr, "%s should be %s\n", parameter->name, wanted);
	else if (parameter->help)
		(void)fprintf(stderr, "%s\n", parameter->help);
	(void)fprintf(stderr, "%s: ", parameter->name);
	while (length < CLI_VALUE_MAX && (got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		ret_value[length++] = c;
	ret_value[length] = '\0';
	if (parameter->secret)
		show();
	return got == 1;
}
