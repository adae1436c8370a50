// A disk that fails, for core: loaded in front of libc, it stands before the calls that write to
// the store. What it is to do is said by the test in a file that both have mapped (struct fault).
// It is a library because strace cannot do this here: it makes a call fail by giving it another
// number, and the filter of system calls ends a program for that.
//
// What was written since the last sync is remembered, so that it can be taken back: a disk that
// failed to sync, or a machine whose power went, may have lost all of it.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { CALL_WRITE, CALL_SYNC, CALL_TRUNCATE, CALLS };
enum mode {
	MODE_FAIL = 1, // the call does nothing and fails
	MODE_HALF,     // a write does half of its work and fails
	MODE_LOSE,     // it fails, and what was not synced is gone
	MODE_POWER,    // what was not synced is gone, and so is the program
};
enum armed { ARMED_NOT, ARMED_NOW, ARMED_AT_START };

struct fault {
	int32_t armed, call, countdown, error, mode, stays;
	int32_t fired;
	int32_t count[CALLS]; // of all calls, while nothing is armed too
};

// What a write covered.
struct before {
	struct before *next;
	int fd;
	off_t at, file_size;
	size_t length, kept;
	uint8_t data[];
};

static struct fault *fault;
static struct before *unsynced;

__attribute__((constructor)) static void map_fault(void)
{
	const char *path = getenv("FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		_exit(99);
	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fault == MAP_FAILED)
		_exit(99);
	close(fd);
	if (fault->armed == ARMED_AT_START)
		fault->armed = ARMED_NOW;
}

static void remember(int fd, size_t length, off_t at)
{
	struct before *before = malloc(sizeof(*before) + length);
	struct stat about;

	if (!before || fstat(fd, &about) != 0)
		_exit(99);
	*before = (struct before){
		.next = unsynced, .fd = fd, .at = at, .file_size = about.st_size, .length = length
	};
	ssize_t kept = pread(fd, before->data, length, at);
	before->kept = kept > 0 ? (size_t)kept : 0;
	unsynced = before;
}

static void forget(int fd)
{
	for (struct before **place = &unsynced; *place;) {
		struct before *before = *place;
		if (before->fd != fd) {
			place = &before->next;
			continue;
		}
		*place = before->next;
		free(before);
	}
}

static void take_back(void)
{
	for (; unsynced; unsynced = unsynced->next) {
		syscall(SYS_pwrite64, unsynced->fd, unsynced->data, unsynced->kept, unsynced->at);
		syscall(SYS_ftruncate, unsynced->fd, unsynced->file_size);
	}
}

// True when this call is the one that fails.
static int strikes(enum call call)
{
	fault->count[call]++;
	if (fault->armed != ARMED_NOW || (int32_t)call != fault->call)
		return 0;
	if (fault->countdown > 1) {
		fault->countdown--;
		return 0;
	}
	fault->fired++;
	if (!fault->stays)
		fault->armed = ARMED_NOT;
	if (fault->mode >= MODE_LOSE)
		take_back();
	if (fault->mode == MODE_POWER)
		kill(getpid(), SIGKILL);
	return 1;
}

static int fail(void)
{
	errno = fault->error;
	return -1;
}

__attribute__((visibility("default"))) ssize_t pwrite64(int fd, const void *data, size_t length,
                                                        off64_t at);
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at)
{
	int struck = strikes(CALL_WRITE);

	if (struck && fault->mode != MODE_HALF)
		return fail();
	remember(fd, length, at);
	if (!struck)
		return syscall(SYS_pwrite64, fd, data, length, at);
	syscall(SYS_pwrite64, fd, data, length / 2, at);
	return fail();
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	if (strikes(CALL_SYNC))
		return fail();
	forget(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
	if (strikes(CALL_SYNC))
		return fail();
	forget(fd);
	return (int)syscall(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int ftruncate64(int fd, off64_t length)
{
	if (strikes(CALL_TRUNCATE))
		return fail();
	return (int)syscall(SYS_ftruncate, fd, length);
}
