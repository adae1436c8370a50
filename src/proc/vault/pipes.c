// The two pipes of a driver. Writing: the first line, then the requests in their order, several in
// one call. Reading: whole lines; each is an answer, late or in time, or a notice about the driver.
#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "drivers.h"
#include "lines.h"
#include "vault.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PARTS = 32, READ_STEP = 64 * 1024, READS_PER_TURN = 4 };

// Counts `put` bytes as written; a line that is written to its end is wiped.
static void advance(struct vault_driver *driver, size_t put)
{
	if (driver->hello.length > 0) {
		size_t left = driver->hello.length - driver->hello_written;
		size_t part = put < left ? put : left;
		driver->hello_written += part;
		put -= part;
		if (driver->hello_written == driver->hello.length)
			buffer_done(&driver->hello);
	}
	while (put > 0) {
		struct vault_request *request = driver->first_to_write;
		CHECK(request);
		size_t left = request->line.length - request->written;
		size_t part = put < left ? put : left;
		request->written += part;
		put -= part;
		if (request->written < request->line.length)
			return;
		buffer_done(&request->line);
		driver->first_to_write = request->next_to_write;
		request->next_to_write = NULL;
		if (!driver->first_to_write)
			driver->last_to_write = NULL;
	}
}

static int gather(const struct vault_driver *driver, struct iovec parts[static PARTS])
{
	int count = 0;

	if (driver->hello.length > 0)
		parts[count++] = (struct iovec){ driver->hello.data + driver->hello_written,
			                         driver->hello.length - driver->hello_written };
	for (struct vault_request *r = driver->first_to_write; r && count < PARTS;
	     r = r->next_to_write)
		parts[count++] =
		        (struct iovec){ r->line.data + r->written, r->line.length - r->written };
	return count;
}

void vault_driver_write(struct vault *vault, struct vault_driver *driver)
{
	while (vault_driver_waiting(driver)) {
		struct iovec parts[PARTS];
		ssize_t put = writev(driver->in, parts, gather(driver, parts));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0) {
			vault_driver_failed(vault, driver, "the driver does not read", true);
			return;
		}
		advance(driver, (size_t)put);
	}
}

static void log_refused(const struct vault_driver *driver, const char *detail)
{
	log_event(LOG_ERROR, "driver_line_refused", LOG_TEXT("connection", driver->connection.name),
	          LOG_TEXT("detail", detail));
}

// Ends the request with an answer of our own, because the driver's cannot be handed on.
static void refuse_answer(struct vault *vault, struct vault_driver *driver, int64_t id,
                          const char *detail)
{
	struct vault_request *request = vault_requests_find(&vault->requests, id);

	log_refused(driver, detail);
	if (!request || request->connection != driver->number || request->line.length > 0)
		return;
	if (!request->expired)
		vault_answers_add(&vault->answers, id, driver->number, VAULT_UNKNOWN, detail,
		                  BYTES_NONE);
	vault_requests_remove(&vault->requests, &driver->requests, request);
}

static void handle_answer(struct vault *vault, struct vault_driver *driver, int64_t id,
                          struct bytes line)
{
	struct vault_request *request = vault_requests_find(&vault->requests, id);

	if (!request || request->connection != driver->number || request->line.length > 0) {
		log_refused(driver, "an answer to a request that the driver does not have");
		return;
	}
	if (vault_requests_number_in(&vault->requests, &driver->requests, request, vault->keyring,
	                             line)) {
		refuse_answer(vault, driver, id, "the driver's answer held a card number");
		return;
	}
	vault_answers_add(&vault->answers, id, driver->number,
	                  request->expired ? VAULT_LATE : VAULT_ANSWERED, "", line);
	vault_requests_remove(&vault->requests, &driver->requests, request);
}

static void handle_notice(struct vault *vault, struct vault_driver *driver, struct bytes line)
{
	cleanup(vault_notice_done) struct vault_notice notice = { 0 };

	if (vault_requests_number_in(&vault->requests, &driver->requests, NULL, vault->keyring,
	                             line)) {
		log_refused(driver, "a notice of the driver held a card number");
		return;
	}
	vault_notice_read(line, &notice);
	switch (notice.kind) {
	case VAULT_NOTICE_UP: vault_driver_set_state(driver, VAULT_STATE_UP, ""); break;
	case VAULT_NOTICE_DOWN:
		vault_driver_set_state(driver, VAULT_STATE_DOWN, notice.detail);
		break;
	case VAULT_NOTICE_LATE:
		vault_answers_add(&vault->answers, notice.request, driver->number, VAULT_LATE, "",
		                  buffer_view(&notice.answer));
		break;
	case VAULT_NOTICE_NONE: log_refused(driver, "a notice that cannot be read"); break;
	}
}

// False when the driver had to be stopped.
static bool handle_line(struct vault *vault, struct vault_driver *driver, struct bytes line)
{
	int64_t id = 0;

	driver->silent = false;
	if (!vault_line_id(line, &id)) {
		vault_driver_failed(vault, driver, "the driver wrote a line that cannot be read",
		                    true);
		return false;
	}
	if (id == 0)
		handle_notice(vault, driver, line);
	else
		handle_answer(vault, driver, id, line);
	return true;
}

// What is in the buffer without a line break is longer than a line may be: whose answer it was is
// in its head, if that can be read; the rest is skipped.
static bool handle_too_long(struct vault *vault, struct vault_driver *driver)
{
	int64_t id = 0;

	if (!vault_line_head(buffer_view(&driver->read), &id)) {
		vault_driver_failed(vault, driver, "the driver wrote a line that cannot be read",
		                    true);
		return false;
	}
	refuse_answer(vault, driver, id, "the driver's answer was too long");
	driver->skipping = true;
	return true;
}

// Handles the whole lines that are in the buffer. False when the driver had to be stopped.
static bool handle_lines(struct vault *vault, struct vault_driver *driver)
{
	size_t taken = 0;

	for (;;) {
		struct bytes rest =
		        bytes_slice(buffer_view(&driver->read), taken, driver->read.length);
		size_t length = bytes_find(rest, '\n');
		if (length == rest.length)
			break;
		struct bytes line = bytes_slice(rest, 0, length);
		taken += length + 1;
		if (driver->skipping)
			driver->skipping = false;
		else if (length > VAULT_LINE_MAX) {
			buffer_drop(&driver->read, taken - length - 1);
			taken = length + 1;
			if (!handle_too_long(vault, driver))
				return false;
			driver->skipping = false;
		} else if (!handle_line(vault, driver, line))
			return false;
	}
	buffer_drop(&driver->read, taken);
	if (driver->skipping)
		buffer_reset(&driver->read);
	else if (driver->read.length > VAULT_LINE_MAX) {
		if (!handle_too_long(vault, driver))
			return false;
		buffer_reset(&driver->read);
	}
	return true;
}

void vault_driver_read(struct vault *vault, struct vault_driver *driver)
{
	for (int i = 0; i < READS_PER_TURN && driver->out >= 0; i++) {
		uint8_t *room = buffer_room(&driver->read, READ_STEP);
		CHECK(room);
		ssize_t got = read(driver->out, room, READ_STEP);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		if (got <= 0) {
			vault_driver_failed(vault, driver, "the driver has stopped", true);
			return;
		}
		buffer_grew(&driver->read, (size_t)got);
		if (!handle_lines(vault, driver) || got < READ_STEP)
			return;
	}
}
