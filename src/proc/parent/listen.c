// What is made once, before the first program starts: folders with their owners, the listening
// sockets, the two control sockets. Whoever started onfile reads why it could not be done.
#include "state.h"

#include "parent.h"

#include "base/cleanup.h"
#include "net/range.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING_CONNECTIONS = 4096, WAITING_CLIENTS = 16 };

static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("onfile: ", stderr);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	return false;
}

// --- folders

// The files of a folder that was another user's follow it to its new owner.
static bool give_files(int folder, uid_t user)
{
	DIR *list = fdopendir(dup(folder));
	struct dirent *entry;
	bool good = list != NULL;

	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			good &= fchownat(folder, entry->d_name, user, user, AT_SYMLINK_NOFOLLOW) ==
			        0;
	if (list)
		closedir(list);
	return good;
}

static bool make_folder(const char *key, const char *path, mode_t mode, uid_t user, int *ret_folder)
{
	struct stat about;

	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return complain("the folder %s (key %s) cannot be made: %m", path, key);
	*ret_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_folder < 0 || fstat(*ret_folder, &about) != 0)
		return complain("the folder %s (key %s) cannot be used: %m", path, key);
	if (geteuid() != 0 && about.st_uid != geteuid())
		return complain("the folder %s (key %s) belongs to another user", path, key);
	if (geteuid() == 0 && about.st_uid != user &&
	    (!give_files(*ret_folder, user) || fchown(*ret_folder, user, user) != 0))
		return complain("the folder %s (key %s) cannot be given to its user: %m", path,
		                key);
	if (fchmod(*ret_folder, mode) != 0)
		return complain("the folder %s (key %s) cannot get its mode: %m", path, key);
	return true;
}

static bool open_folder(const char *key, const char *path, int *ret_folder)
{
	*ret_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_folder >= 0 || complain("the folder %s (key %s) cannot be read: %m", path, key);
}

static bool make_folders(struct parent *parent, const char *own_folder)
{
	const struct config *config = parent->config;
	int data cleanup(cleanup_fd) = -1;
	int keys cleanup(cleanup_fd) = -1;
	const char *programs = config->programs[0] ? config->programs : own_folder;

	return make_folder("data", config->data, 0700, config_user(config, CONFIG_USER_CORE),
	                   &data) &&
	       make_folder("keys", config->keys, 0700, 0, &keys) &&
	       make_folder("run", config->run, 0711, 0, &parent->run) &&
	       open_folder("programs", programs, &parent->programs) &&
	       open_folder("drivers", config->drivers, &parent->drivers_folder);
}

// --- listening sockets

static bool read_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address,
                         socklen_t *ret_size)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(ret_address, &v4, sizeof(v4));
		*ret_size = sizeof(v4);
		return true;
	}
	memcpy(&v6.sin6_addr, &in6addr_any, sizeof(v6.sin6_addr));
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		return false;
	memcpy(ret_address, &v6, sizeof(v6));
	*ret_size = sizeof(v6);
	return true;
}

static bool listen_on(const char *key, const char *address, int64_t port, int *ret_fd)
{
	struct sockaddr_storage where;
	socklen_t size;
	int on = 1;

	if (!read_address(address, (uint16_t)port, &where, &size))
		return complain("%s (key listen.address) is not an IP address", address);
	int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*ret_fd = fd;
	if (fd < 0)
		return complain("no socket for port %lld (key %s): %m", (long long)port, key);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&where, size) != 0 || listen(fd, WAITING_CONNECTIONS) != 0)
		return errno == EADDRINUSE
		               ? complain("port %lld of %s (key %s) is taken by another "
		                          "program",
		                          (long long)port, address, key)
		               : complain("port %lld of %s (key %s) cannot be used: %m",
		                          (long long)port, address, key);
	return true;
}

static bool open_listeners(struct parent *parent)
{
	const struct config *c = parent->config;

	return listen_on("listen.public", c->listen_address, c->listen_public,
	                 &parent->listeners[0]) &&
	       listen_on("listen.results", c->listen_address, c->listen_results,
	                 &parent->listeners[1]) &&
	       listen_on("listen.metrics", c->listen_address, c->listen_metrics,
	                 &parent->listeners[2]);
}

// --- control sockets

void parent_socket_path(int run_folder, const char *name, char ret_path[PARENT_SOCKET_PATH])
{
	(void)snprintf(ret_path, PARENT_SOCKET_PATH, "/proc/self/fd/%d/%s", run_folder, name);
}

// True when somebody answers there: another onfile serves from this folder.
static bool somebody_answers(const struct sockaddr_un *where)
{
	int fd cleanup(cleanup_fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)where, sizeof(*where)) == 0 ||
	                   errno == EAGAIN);
}

static bool open_control(struct parent *parent, const char *name, uid_t user, int *ret_fd)
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	char path[PARENT_SOCKET_PATH];

	parent_socket_path(parent->run, name, path);
	memcpy(where.sun_path, path, sizeof(path));
	if (somebody_answers(&where))
		return complain("another onfile serves from the folder %s (key run)",
		                parent->config->run);
	unlinkat(parent->run, name, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*ret_fd = fd;
	mode_t before = umask(0177); // 0600 from its first moment
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0;
	umask(before);
	if (!bound || (user && fchownat(parent->run, name, user, (gid_t)-1, 0) != 0) ||
	    listen(fd, WAITING_CLIENTS) != 0)
		return complain("the control socket %s in %s cannot be made: %m", name,
		                parent->config->run);
	return true;
}

// What only courier and web read, but the operator should hear of before anything starts.
static bool ranges_fit(const char *key, const char *value)
{
	struct net_ranges ranges;
	struct result result = net_ranges_read(value, &ranges);

	return result_ok(result) || complain("the key %s is not right: %s", key, result.detail);
}

bool parent_open(struct parent *parent, const char *own_folder)
{
	int64_t operator_user = parent->config->user_operator;

	return ranges_fit("webhooks.allow", parent->config->webhooks_allow) &&
	       ranges_fit("listen.proxies", parent->config->listen_proxies) &&
	       make_folders(parent, own_folder) && open_listeners(parent) &&
	       open_control(parent, PARENT_ROOT_SOCKET, 0, &parent->root_control) &&
	       open_control(parent, PARENT_OPERATOR_SOCKET,
	                    operator_user > 0 ? (uid_t)operator_user : 0,
	                    &parent->operator_control);
}

void parent_close(struct parent *parent)
{
	int *const all[] = { &parent->listeners[0],     &parent->listeners[1],
		             &parent->listeners[2],     &parent->root_control,
		             &parent->operator_control, &parent->programs,
		             &parent->drivers_folder,   &parent->signals };

	if (parent->run >= 0 && parent->root_control >= 0) {
		unlinkat(parent->run, PARENT_ROOT_SOCKET, 0);
		unlinkat(parent->run, PARENT_OPERATOR_SOCKET, 0);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cleanup_fd(all[i]);
	cleanup_fd(&parent->run);
}
