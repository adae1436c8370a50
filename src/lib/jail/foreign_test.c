// Tests of grants: what is one, and what is not.
#include "jail/foreign.h"

#include "base/tap.h"

TEST(grants_are_read)
{
	struct jail_foreign foreign;
	const struct bytes text = BYTES_LITERAL("connect\nport 443\nport 65535\nread /etc/a b\n");

	REQUIRE(result_ok(jail_foreign_read(text, &foreign)));
	EXPECT(foreign.connect && !foreign.processes);
	EXPECT(foreign.port_count == 2 && foreign.ports[0] == 443 && foreign.ports[1] == 65535);
	EXPECT(foreign.path_count == 1 && bytes_equal_text(foreign.paths[0], "/etc/a b"));
	REQUIRE(result_ok(jail_foreign_read(BYTES_LITERAL("processes"), &foreign)));
	EXPECT(foreign.processes && !foreign.connect && foreign.path_count == 0);
	EXPECT(result_ok(jail_foreign_read(BYTES_NONE, &foreign)));
}

TEST(what_is_no_grant_is_refused)
{
	static const char *const bad[] = { "listen",      "connect ", "port 0",     "port 65536",
		                           "port",        "port 1x",  "read etc",   "read ",
		                           "connect\n\n", "Connect",  "processes 1" };
	struct jail_foreign foreign;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!result_ok(jail_foreign_read(bytes_text(bad[i]), &foreign)));
	EXPECT(!result_ok(jail_foreign_read(BYTES_LITERAL("read /a\0b"), &foreign)));
}

TEST(there_is_room_for_sixteen_ports_and_not_for_more)
{
	char text[JAIL_PORTS_MAX * 8 + 16] = "";
	struct jail_foreign foreign;

	for (int i = 0; i < JAIL_PORTS_MAX; i++)
		snprintf(text + strlen(text), 9, "port %d\n", 10 + i);
	EXPECT(result_ok(jail_foreign_read(bytes_text(text), &foreign)));
	snprintf(text + strlen(text), 9, "port 9\n");
	EXPECT(!result_ok(jail_foreign_read(bytes_text(text), &foreign)));
}

TAP_MAIN
