// What `onfile doctor` looks at on the machine: a table of checks, each with what to do about it.
#include "doctor.h"

#include "jail/foreign.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

enum { PORTS_VERSION = 4 };
static const uint64_t room_low = 1024ull * 1024 * 1024, room_gone = 100ull * 1024 * 1024;

static void clock_check(struct cli_doctor *doctor)
{
	struct timex state = { 0 };
	bool good = adjtimex(&state) != TIME_ERROR && !(state.status & STA_UNSYNC);

	cli_finding(doctor, good ? CLI_FINE : CLI_DOUBTFUL, "clock",
	            "Install and start chrony or systemd-timesyncd: banks and certificates go by "
	            "the time.",
	            "%s", good ? "synchronized" : "the kernel knows of no synchronization");
}

static void entropy_check(struct cli_doctor *doctor)
{
	uint8_t chance[16];
	bool good = getrandom(chance, sizeof(chance), GRND_NONBLOCK) == sizeof(chance);

	cli_finding(doctor, good ? CLI_FINE : CLI_BROKEN, "entropy",
	            "Wait, or give the machine a source of randomness (virtio-rng).", "%s",
	            good ? "random numbers are ready" : "the kernel has no random numbers yet");
}

static void landlock_check(struct cli_doctor *doctor)
{
	int version = jail_landlock_version();

	if (version == 0)
		cli_finding(
		        doctor, CLI_DOUBTFUL, "landlock",
		        "Use a kernel with Landlock (5.13 and later, lsm=…,landlock): without it "
		        "only the users of the programs bound their files.",
		        "this kernel does not have it");
	else if (version < PORTS_VERSION)
		cli_finding(doctor, CLI_DOUBTFUL, "landlock",
		            "Use a kernel 6.7 or later when drivers should be bound to the ports "
		            "of their banks.",
		            "version %d: files are bound, ports are not", version);
	else
		cli_finding(doctor, CLI_FINE, "landlock", "", "version %d: files and ports",
		            version);
}

static void seccomp_check(struct cli_doctor *doctor)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;
	bool good = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;

	cli_finding(doctor, good ? CLI_FINE : CLI_BROKEN, "seccomp",
	            "Use a kernel with CONFIG_SECCOMP_FILTER (4.14 and later).", "%s",
	            good ? "system calls can be filtered" : "system calls cannot be filtered");
}

// The name of somebody else who has one of our users; NULL: nobody.
static const char *stranger(const struct config *config, uid_t *ret_user)
{
	const uid_t first = (uid_t)config->users;
	const uid_t after = first + CONFIG_FIRST_DRIVER + CONFIG_DRIVERS_MAX;
	const char *found = NULL;
	const struct passwd *row;

	setpwent();
	while (!found && (row = getpwent()))
		if (row->pw_uid >= first && row->pw_uid < after &&
		    strncmp(row->pw_name, "onfile", 6) != 0) {
			found = row->pw_name;
			*ret_user = row->pw_uid;
		}
	return found;
}

static void users_check(struct cli_doctor *doctor)
{
	const struct config *config = &doctor->call->config;
	uid_t user = 0;

	if (config->users == 0) {
		cli_finding(doctor, CLI_DOUBTFUL, "users",
		            "Set `users` to a number from which 1016 user ids are free, and start "
		            "onfile as root: each program then has a user of its own.",
		            "all programs share one user");
		return;
	}
	const char *name = stranger(config, &user);
	if (name)
		cli_finding(doctor, CLI_BROKEN, "users", "Choose another range with `users`.",
		            "%s has the user id %u, which is ours", name, (unsigned)user);
	else
		cli_finding(doctor, CLI_FINE, "users", "", "%lld to %lld are nobody else's",
		            (long long)config->users,
		            (long long)config->users + CONFIG_FIRST_DRIVER + CONFIG_DRIVERS_MAX -
		                    1);
}

struct place {
	const char *name, *path;
	mode_t never; // bits that are not to be set
	uid_t owner;
};

static void place_check(struct cli_doctor *doctor, const struct place *place)
{
	struct stat about;

	if (stat(place->path, &about) != 0) {
		cli_finding(doctor, CLI_BROKEN, place->name,
		            "Run `onfile doctor` as root, after "
		            "`onfile serve` ran once.",
		            "%s: %s", place->path, strerror(errno));
		return;
	}
	if (about.st_mode & place->never)
		cli_finding(doctor, CLI_BROKEN, place->name,
		            "Take the rights away: chmod go-rwx "
		            "(drivers and the configuration: go-w).",
		            "%s: others may %s it (mode %04o)", place->path,
		            about.st_mode & place->never & 022 ? "change" : "read",
		            (unsigned)about.st_mode & 07777);
	else if (geteuid() == 0 && about.st_uid != place->owner && about.st_uid != 0)
		cli_finding(doctor, CLI_BROKEN, place->name, "chown it; stop onfile before.",
		            "%s belongs to user %u, not to %u", place->path, (unsigned)about.st_uid,
		            (unsigned)place->owner);
	else
		cli_finding(doctor, CLI_FINE, place->name, "", "%s", place->path);
}

static void folders_check(struct cli_doctor *doctor)
{
	const struct config *config = &doctor->call->config;
	char keyring[sizeof(config->keys) + 16];

	(void)snprintf(keyring, sizeof(keyring), "%s/keyring", config->keys);
	const struct place places[] = {
		{ "config", doctor->call->config_path, 022, 0 },
		{ "data", config->data, 077, config_user(config, CONFIG_USER_CORE) },
		{ "keys", config->keys, 077, 0 },
		{ "keyring", keyring, 077, 0 },
		{ "drivers", config->drivers, 022, 0 },
	};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		place_check(doctor, &places[i]);
}

static void disk_check(struct cli_doctor *doctor)
{
	struct statvfs about;

	if (statvfs(doctor->call->config.data, &about) != 0) {
		cli_finding(doctor, CLI_BROKEN, "disk", "Look at the folder of the key `data`.",
		            "%s", strerror(errno));
		return;
	}
	uint64_t room = (uint64_t)about.f_bavail * about.f_frsize;
	bool inodes = about.f_files == 0 || about.f_favail > 1000;
	enum cli_mark mark = room < room_gone || !inodes ? CLI_BROKEN
	                     : room < room_low           ? CLI_DOUBTFUL
	                                                 : CLI_FINE;
	cli_finding(doctor, mark, "disk",
	            "Make room: without it nothing is durable, and core stops.",
	            "%llu MiB free where the books are%s", (unsigned long long)(room >> 20),
	            inodes ? "" : ", but no inodes");
}

// TLS is a reverse proxy's: shoppers who come by https come through one.
static void proxy_check(struct cli_doctor *doctor)
{
	const struct config *config = &doctor->call->config;
	bool https = strncmp(config->public_url, "https://", 8) == 0;
	bool named = strcmp(config->listen_proxies, "none") != 0;

	cli_finding(doctor, https && !named ? CLI_DOUBTFUL : CLI_FINE, "proxy",
	            "Set `listen.proxies` to the address of the proxy that does TLS: otherwise all "
	            "shoppers have that address, for the guards and for the bank.",
	            "%s",
	            named   ? config->listen_proxies
	            : https ? "shoppers come by https, but no proxy is named"
	                    : "none");
}

void cli_examine_machine(struct cli_doctor *doctor)
{
	static void (*const checks[])(struct cli_doctor *) = {
		clock_check, entropy_check, landlock_check, seccomp_check,
		users_check, folders_check, disk_check,     proxy_check,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](doctor);
}
