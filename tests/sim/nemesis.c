// The nemesis: every now and then it throws the dice and breaks something. Each run has a few kinds
// of faults, some much of them, some none, so that both single causes and their mixtures are seen.
#include "nemesis.h"

#include "parts.h"

#include "disk.h"

enum { STEP_MS = 250, DAY_MS = 24 * 3600 * 1000 };

static int64_t ends_ms;
static int64_t set_ms; // by how much the clock is wrong
static int64_t deaths; // of core, that are left: each costs this machine a millisecond

// Half of the runs have no such fault at all.
static int maybe(int most)
{
	return chance_of(500) ? 0 : (int)chance_below(most + 1);
}

void nemesis_choose(void)
{
	set_ms = 0;
	deaths = chance_between(0, 7);
	sim.faults = (struct faults){
		.lost = maybe(300),
		.doubled = maybe(500),
		.late = maybe(200),
		.driver_dies = maybe(20),
		.vault_dies = maybe(20),
		.core_dies = maybe(100),
		.power = maybe(40),
		.stop = maybe(20),
		.line_breaks = maybe(30),
		.disk_full = maybe(10),
		.sync_fails = maybe(10),
		.write_fails = maybe(10),
		.clock_jumps = chance_of(200) ? 8 : 0,
		.bank_hangs = maybe(150),
		.impatient = maybe(500),
		.web_dies = maybe(20),
	};
	ends_ms = chance_of(100) ? 300000 : chance_between(10000, 60000);
}

int64_t nemesis_ends_ms(void)
{
	return ends_ms;
}

static void space_again(void *what)
{
	(void)what;
	disk.full = false;
}

// Up to a day, either way; the second time it is set right.
static void set_the_clock(void)
{
	int64_t by_ms = chance_of(500) ? chance_between(-DAY_MS, DAY_MS)
	                               : (chance_of(500) ? DAY_MS : -DAY_MS);

	if (set_ms != 0 && chance_of(500))
		by_ms = -set_ms;
	if (set_ms + by_ms > DAY_MS || set_ms + by_ms < -DAY_MS)
		by_ms = -set_ms;
	set_ms += by_ms;
	sim.wall_ms += by_ms;
	TELL("the clock is set by %lld s", (long long)by_ms / 1000);
	host_clock_was_set();
}

static void break_the_disk(void)
{
	if (fault_of(sim.faults.disk_full)) {
		TELL("the disk is full");
		disk.full = true;
		world_after(chance_between(100, 8000), space_again, NULL);
	}
	if (fault_of(sim.faults.sync_fails))
		disk.fail_syncs = (int)chance_between(1, 3);
	if (fault_of(sim.faults.write_fails))
		disk.fail_writes = (int)chance_between(1, 3);
}

static void power_goes(void *what)
{
	(void)what;
	TELL("the power goes");
	host_power_loss();
}

// Where the power is bad it goes at such moments too: few are as short and as telling.
void nemesis_disk_is_behind(int64_t for_ms)
{
	if (sim.calm || deaths == 0 || !fault_of(sim.faults.power / 8))
		return;
	deaths--;
	world_after(chance_below(for_ms), power_goes, NULL);
}

// What core had written and not yet fsynced is there when it is started again, or the power goes
// before, and it may be lost.
void nemesis_core_died(int64_t for_ms)
{
	if (sim.calm || deaths == 0 || !sim.faults.power || !chance_of(250))
		return;
	deaths--;
	world_after(chance_below(for_ms), power_goes, NULL);
}

static void kill_core(void)
{
	if (deaths == 0)
		return;
	deaths--;
	if (fault_of(sim.faults.core_dies)) {
		host_kill_at((int)chance_between(1, chance_of(500) ? 12 : 150));
	} else if (fault_of(sim.faults.stop)) {
		host_stop();
	} else if (fault_of(sim.faults.power)) {
		power_goes(NULL);
	} else {
		deaths++;
	}
}

static void kill_programs(void)
{
	kill_core();
	if (fault_of(sim.faults.driver_dies))
		driver_dies();
	if (fault_of(sim.faults.line_breaks))
		driver_line_breaks();
	if (fault_of(sim.faults.vault_dies))
		vault_dies();
	if (fault_of(sim.faults.web_dies))
		host_web_dies();
}

static void strike(void *what)
{
	(void)what;
	if (sim.calm)
		return;
	break_the_disk();
	kill_programs();
	if (fault_of(sim.faults.clock_jumps))
		set_the_clock();
	world_after(STEP_MS, strike, NULL);
}

void nemesis_begin(void)
{
	world_after(STEP_MS, strike, NULL);
}

void nemesis_end(void)
{
	TELL("all is well from now on");
	sim.calm = true;
	disk.full = false;
	disk.fail_syncs = disk.fail_writes = disk.kill_in = 0;
}
