// How long a start takes. Becomes the command that is to be measured, after it has left a process
// behind that asks the API until it answers and then writes the milliseconds since the start to
// descriptor 3.
//
// usage: start PORT KEY COMMAND … 3>FILE
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, PAUSE_NS = 500000, RESULT_FD = 3 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

// True when the API has answered this request with 200.
static bool is_answered(uint16_t port, const char *request)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		                             .sin_port = htons(port),
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char answer[13] = { 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 &&
	            connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	            send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) &&
	            recv(fd, answer, 12, MSG_WAITALL) == 12 && strcmp(answer, "HTTP/1.1 200") == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static int watch(uint16_t port, const char *key, double begun)
{
	char request[400];

	snprintf(request, sizeof(request),
	         "GET /v1/customers?limit=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
	         "Authorization: Bearer %s\r\nConnection: close\r\n\r\n",
	         port, key);
	while (now_ms() - begun < PATIENCE_MS) {
		if (is_answered(port, request)) {
			dprintf(RESULT_FD, "%.1f\n", now_ms() - begun);
			return 0;
		}
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t port;
	double begun = now_ms();

	if (argc < 4 || !text_to_number(bytes_text(argv[1]), 65535, &port)) {
		fputs("usage: start PORT KEY COMMAND … 3>FILE\n", stderr);
		return 2;
	}
	// A grandchild: the command must not find a child that it did not make.
	pid_t child = fork();
	if (child == 0) {
		if (fork() == 0)
			return watch((uint16_t)port, argv[2], begun);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	close(RESULT_FD);
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 1;
}
