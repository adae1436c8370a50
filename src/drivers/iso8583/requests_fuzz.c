// Any lines of JSON as requests of onfile, with the line to the bank up: each is answered at most
// once, and at once only by what no byte was sent for. Nothing is dialled: frames are queued and
// dropped again.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char parameters[] = "{\"host\":\"127.0.0.1\",\"port\":1,\"acquirer\":\"400123\","
                                 "\"country\":\"643\"}";

// The two that differ most in what is built.
static const char *const dialects[] = { "1987-bcd", "cmf" };
enum { DIALECTS = sizeof dialects / sizeof dialects[0] };

static struct driver driver;
static struct parameters of_dialect[DIALECTS];

int LLVMFuzzerInitialize(int *count, char ***words)
{
	struct buffer sentence cleanup(buffer_done) = { 0 };

	(void)count;
	(void)words;
	log_init("fuzz");
	log_set_level((enum log_level)(LOG_ERROR + 1)); // what the driver logs is not looked at
	buffer_init(&sentence, 2048);
	for (size_t i = 0; i < DIALECTS; i++) {
		json_t *json = json_loads(parameters, 0, NULL);
		json_object_set_new(json, "dialect", json_string(dialects[i]));
		CHECK(result_ok(parameters_read(json, &of_dialect[i], &sentence)));
		json_decref(json);
	}
	return 0;
}

static void start(void)
{
	flight_init(&driver.flight);
	for (size_t i = 0; i < LINES_MAX; i++)
		line_init(&driver.lines[i], false);
	driver.lines[0].state = LINE_UP;
	driver.up = 1;
	driver.probe.id = UINT64_MAX; // a test is under way: another would dial
	buffer_init_secret(&driver.input, 65536);
	buffer_init(&driver.output, 16 << 20);
}

static size_t count_lines(const struct buffer *output)
{
	size_t count = 0;

	for (size_t i = 0; i < output->length; i++)
		count += output->data[i] == '\n';
	return count;
}

static void stop(void)
{
	while (driver.flight.live.first)
		driver_give_up(&driver, driver.flight.live.first, "the test stops");
	for (size_t i = 0; i < LINES_MAX; i++)
		line_done(&driver.lines[i]);
	flight_done(&driver.flight);
	buffer_done(&driver.input);
	buffer_done(&driver.output);
}

// All lines, on a connection with these parameters, which stay ours.
static void read_lines(const struct parameters *with, struct bytes rest)
{
	size_t lines = 0;

	driver.parameters = *with;
	start();
	while (rest.length > 0) {
		size_t length = bytes_find(rest, '\n');
		driver_read_line(&driver, bytes_slice(rest, 0, length));
		rest = bytes_slice(rest, length + 1, rest.length);
		lines++;
		CHECK(count_lines(&driver.output) + driver.flight.live.count <= lines);
	}
	CHECK(!driver.output.failed);
	stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < DIALECTS; i++)
		read_lines(&of_dialect[i], bytes_from(data, size));
	return 0;
}
