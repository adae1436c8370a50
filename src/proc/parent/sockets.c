// The folders and sockets that the parent makes before anything runs.
#include "parent/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 512 };

static bool make_folder(const char *path, mode_t mode, uint32_t owner, char *sentence,
                        size_t capacity)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST) {
		snprintf(sentence, capacity, "the folder %s cannot be made: %m", path);
		return false;
	}
	if (owner && geteuid() == 0 && chown(path, owner, owner) != 0) {
		snprintf(sentence, capacity, "the folder %s cannot be given to its program: %m",
		         path);
		return false;
	}
	return true;
}

// Files of before a change of `users` belong to whoever core was then.
static void own_store(const struct parent *parent)
{
	static const char *const names[] = { "onfile.db", "onfile.db-wal", "onfile.db-shm" };
	uint32_t owner = config_user(&parent->config, CONFIG_USER_CORE);
	char path[CONFIG_TEXT_MAX + 32];

	for (size_t i = 0; owner && geteuid() == 0 && i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", parent->config.data, names[i]);
		if (lchown(path, owner, owner) != 0 && errno != ENOENT)
			return;
	}
}

static int listen_tcp(const char *address, int64_t port, const char *key, char *sentence,
                      size_t capacity)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST,
		                        .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char service[16];
	int one = 1;

	snprintf(service, sizeof(service), "%lld", (long long)port);
	if (getaddrinfo(address, service, &hints, &found) != 0) {
		snprintf(sentence, capacity, "listen.address is not a numeric address: %s",
		         address);
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		if (errno == EADDRINUSE)
			snprintf(sentence, capacity, "port %lld (%s) is taken by another program",
			         (long long)port, key);
		else
			snprintf(sentence, capacity, "%s port %lld (%s) cannot be opened: %m",
			         address, (long long)port, key);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static int listen_unix(const struct parent *parent, const char *name, int64_t owner, char *sentence,
                       size_t capacity)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
	                      parent->config.run, name);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path)) {
		snprintf(sentence, capacity, "the path of `run` is too long for a socket");
		return -1;
	}
	unlink(address.sun_path); // ours: the lock says that no other parent uses this folder
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0177);
	bool good = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	            listen(fd, 16) == 0;
	umask(old);
	if (good && owner >= 0 && geteuid() == 0)
		good = chown(address.sun_path, (uid_t)owner, (gid_t)-1) == 0;
	if (!good) {
		snprintf(sentence, capacity, "the control socket %s cannot be made: %m",
		         address.sun_path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

// One parent for one `run` folder: a second one says so and ends.
static bool lock_run(struct parent *parent, char *sentence, size_t capacity)
{
	char path[CONFIG_TEXT_MAX + 16];

	snprintf(path, sizeof(path), "%s/lock", parent->config.run);
	parent->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (parent->lock < 0 || flock(parent->lock, LOCK_EX | LOCK_NB) != 0) {
		snprintf(sentence, capacity, "onfile runs already with the folder %s",
		         parent->config.run);
		return false;
	}
	return true;
}

bool sockets_open(struct parent *parent, char *ret_sentence, size_t capacity)
{
	const struct config *config = &parent->config;
	const struct {
		int64_t port;
		const char *key;
	} ports[LISTENERS] = { { config->listen_public, "listen.public" },
		               { config->listen_results, "listen.results" },
		               { config->listen_metrics, "listen.metrics" } };

	if (!make_folder(config->data, 0700, config_user(config, CONFIG_USER_CORE), ret_sentence,
	                 capacity) ||
	    !make_folder(config->keys, 0700, config_user(config, CONFIG_USER_VAULT), ret_sentence,
	                 capacity) ||
	    !make_folder(config->run, 0755, 0, ret_sentence, capacity) ||
	    !lock_run(parent, ret_sentence, capacity))
		return false;
	own_store(parent);
	for (int i = 0; i < LISTENERS; i++) {
		parent->listeners[i] = listen_tcp(config->listen_address, ports[i].port,
		                                  ports[i].key, ret_sentence, capacity);
		if (parent->listeners[i] < 0)
			return false;
	}
	parent->root_socket = listen_unix(parent, "root.sock", -1, ret_sentence, capacity);
	parent->operator_socket = parent->root_socket < 0 ? -1
	                                                  : listen_unix(parent, "operator.sock",
	                                                                config->user_operator,
	                                                                ret_sentence, capacity);
	return parent->operator_socket >= 0;
}

void sockets_close(struct parent *parent)
{
	int *all[] = { &parent->listeners[0], &parent->listeners[1], &parent->listeners[2],
		       &parent->root_socket, &parent->operator_socket };
	char path[CONFIG_TEXT_MAX + 16];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
	static const char *const names[] = { "root.sock", "operator.sock" };
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", parent->config.run, names[i]);
		unlink(path);
	}
}
