// The lines that leave the machine, for `onfile doctor`: connections to banks, each sealed as it
// should be and tested, and the hosts of webhooks.
#include "doctor.h"
#include "seal.h"

#include "base/cleanup.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIST_MAX = 256 * 1024, DIAL_MS = 5000 };

// The first words of a line that core said; false: it has not so many.
static bool word_of(struct bytes *line, char *to, size_t capacity)
{
	while (line->length && line->data[0] == ' ')
		*line = bytes_slice(*line, 1, line->length);
	size_t length = bytes_find(*line, ' ');
	bool good = length && bytes_copy_text(bytes_slice(*line, 0, length), to, capacity);
	*line = bytes_slice(*line, length, line->length);
	return good;
}

static void examine_seal(struct cli_doctor *doctor, const char *name)
{
	struct cli_opened opened cleanup(cli_opened_done) = { .channel.fd = -1 };
	struct buffer blob cleanup(buffer_done) = { 0 };
	char driver[65];
	uint32_t number;

	buffer_init(&blob, CLI_BLOB_MAX);
	if (!cli_fetch_blob(doctor->call, name, driver, &number, &blob) ||
	    !cli_open_blob(doctor->call, name, driver, buffer_view(&blob), &opened))
		return;
	if (opened.problem.length)
		cli_finding(doctor, CLI_BROKEN, "connection",
		            "Is the keyring the one that belongs to these books?", "%s: %.*s", name,
		            (int)opened.problem.length, (const char *)opened.problem.data);
	else if (!opened.same_file)
		cli_finding(doctor, CLI_BROKEN, "connection",
		            "When the driver was replaced on purpose: onfile connection set NAME.",
		            "%s was sealed for another file than the installed driver %s", name,
		            driver);
}

// A line of a connection's test, as core says it; one that begins with ! is a step that will not go
// well for long.
static void show_step(void *owner, uint64_t stream, struct bytes text)
{
	bool *doubtful = owner;

	*doubtful |= stream == 1 && text.length > 1 && text.data[0] == '!' && text.data[1] == ' ';
	cli_print_line(stream, text);
}

static void examine_connection(struct cli_doctor *doctor, const char *name)
{
	struct buffer arguments cleanup(buffer_done) = { 0 };

	examine_seal(doctor, name);
	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	cli_put_argument(&arguments, "name", name);
	bool doubtful = false;
	int status = cli_command_to(doctor->call, "connection test", buffer_view(&arguments),
	                            BYTES_NONE, show_step, &doubtful);
	if (status == 0 && doubtful)
		cli_finding(doctor, CLI_DOUBTFUL, "connection",
		            "Change what the step with the mark ! names before it ends.",
		            "%s: the line works, and will not for long", name);
	else
		cli_finding(doctor, status == 0 ? CLI_FINE : CLI_BROKEN, "connection",
		            "Follow what the failed step says.", "%s: %s", name,
		            status == 0 ? "the line works" : "the test failed");
}

// A line of `onfile connection list`: name, driver, kind, state, and `disabled` when it is. Does it
// take new cards and payments to a bank?
static bool takes_payments(struct bytes line)
{
	char words[5][65] = { 0 };

	for (int i = 0; i < 5; i++)
		if (!word_of(&line, words[i], sizeof(words[i])))
			break;
	return strcmp(words[2], "bank") == 0 && strcmp(words[4], "disabled") != 0;
}

static void examine_connections(struct cli_doctor *doctor)
{
	struct buffer list cleanup(buffer_done) = { 0 };
	int banks = 0;

	buffer_init(&list, LIST_MAX);
	if (cli_collect(doctor->call, "connection list", BYTES_NONE, &list) != 0) {
		cli_finding(doctor, CLI_BROKEN, "connection", "Core's log says why.",
		            "core does not answer");
		return;
	}
	struct bytes rest = buffer_view(&list);
	for (char name[65]; rest.length;) {
		size_t length = bytes_find(rest, '\n');
		struct bytes line = bytes_slice(rest, 0, length);
		banks += takes_payments(line);
		if (word_of(&line, name, sizeof(name)))
			examine_connection(doctor, name);
		rest = bytes_slice(rest, length + 1, rest.length);
	}
	if (banks == 0)
		cli_finding(
		        doctor, CLI_DOUBTFUL, "connection",
		        "onfile connection add NAME --driver D, or onfile connection enable NAME",
		        "none to a bank that takes new cards and payments");
}

// --- webhooks

struct host {
	char name[256], port[8];
};

// Host and port of a URL that core checked when it was set.
static bool host_of(struct bytes url, struct host *ret_host)
{
	bool https = bytes_start_with(url, "https://");
	struct bytes rest = bytes_slice(url, https ? 8 : 7, url.length);
	rest = bytes_slice(rest, 0, bytes_find(rest, '/'));
	rest = bytes_slice(rest, 0, bytes_find(rest, '?'));
	bool literal = rest.length && rest.data[0] == '[';
	size_t end = literal ? bytes_find(rest, ']') : bytes_find(rest, ':');
	struct bytes name = bytes_slice(rest, literal, end - literal);
	rest = bytes_slice(rest, end + literal, rest.length);

	if (rest.length > 1)
		return bytes_copy_text(bytes_slice(rest, 1, rest.length), ret_host->port,
		                       sizeof(ret_host->port)) &&
		       bytes_copy_text(name, ret_host->name, sizeof(ret_host->name));
	(void)snprintf(ret_host->port, sizeof(ret_host->port), "%s", https ? "443" : "80");
	return bytes_copy_text(name, ret_host->name, sizeof(ret_host->name));
}

static bool dials(const struct addrinfo *where)
{
	int fd cleanup(cleanup_fd) =
	        socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd poller = { .fd = fd, .events = POLLOUT };
	int problem = 0;
	socklen_t size = sizeof(problem);

	if (fd < 0)
		return false;
	if (connect(fd, where->ai_addr, where->ai_addrlen) == 0)
		return true;
	return poll(&poller, 1, DIAL_MS) == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
}

static void examine_endpoint(struct cli_doctor *doctor, struct bytes url)
{
	const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	struct host host = { 0 };
	bool reached = false;

	int problem = host_of(url, &host) ? getaddrinfo(host.name, host.port, &wanted, &found) : 0;
	for (const struct addrinfo *one = found; one && !reached; one = one->ai_next)
		reached = dials(one);
	if (found)
		freeaddrinfo(found);
	cli_finding(doctor, reached ? CLI_FINE : CLI_DOUBTFUL, "endpoint",
	            "Is the merchant's server up, and does a firewall let us out? Events wait and "
	            "are sent again.",
	            "%.*s: %s", (int)url.length, (const char *)url.data,
	            reached   ? "can be reached"
	            : problem ? gai_strerror(problem)
	                      : "nobody answers");
}

static void examine_endpoints(struct cli_doctor *doctor)
{
	struct buffer list cleanup(buffer_done) = { 0 };

	buffer_init(&list, LIST_MAX);
	if (cli_collect(doctor->call, "endpoint addresses", BYTES_NONE, &list) != 0)
		return; // that core does not answer was said already
	struct bytes rest = buffer_view(&list);
	while (rest.length) {
		size_t length = bytes_find(rest, '\n');
		examine_endpoint(doctor, bytes_slice(rest, 0, length));
		rest = bytes_slice(rest, length + 1, rest.length);
	}
}

void cli_examine_lines(struct cli_doctor *doctor)
{
	examine_connections(doctor);
	examine_endpoints(doctor);
}
