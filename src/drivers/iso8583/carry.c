// Frames out and bytes in, in clear or through TLS. What may have left this machine in part counts
// as sent: in TLS that is every frame that was encrypted, because its record cannot be taken back.
#include "driver.h"

#include "base/check.h"
#include "base/secret.h"
#include "tls/tls.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// A frame on its way out. It holds a card, so it comes from the wiping allocator.
struct line_frame {
	struct line_frame *next;
	struct flight_entry *entry; // NULL: an answer of ours
	size_t length, written;
	uint8_t bytes[];
};

#define READ_AT_ONCE 65536
#define FRAMES_AT_ONCE 64
#define RECORD 16384 // a TLS record's largest content

void line_queue(struct line *line, struct flight_entry *entry, struct bytes bytes)
{
	struct line_frame *frame = secret_malloc(sizeof *frame + bytes.length);

	CHECK(frame);
	*frame = (struct line_frame){ .entry = entry, .length = bytes.length };
	memcpy(frame->bytes, bytes.data, bytes.length);
	if (entry)
		entry->frame = frame;
	if (line->last)
		line->last->next = frame;
	else
		line->first = frame;
	line->last = frame;
	line->queued++;
}

void line_unqueue(struct line *line, struct flight_entry *entry)
{
	struct line_frame *before = NULL;
	struct line_frame **where = &line->first;

	if (!entry->frame)
		return;
	while (*where != entry->frame) {
		before = *where;
		where = &before->next;
	}
	*where = entry->frame->next;
	if (line->last == entry->frame)
		line->last = before;
	secret_free(entry->frame);
	entry->frame = NULL;
	line->queued--;
}

static void drop_first(struct line *line)
{
	struct line_frame *frame = line->first;

	line->first = frame->next;
	if (!line->first)
		line->last = NULL;
	if (frame->entry)
		frame->entry->frame = NULL;
	secret_free(frame);
	line->queued--;
}

void line_drop_frames(struct line *line)
{
	while (line->first)
		drop_first(line);
}

// Notes that `written` bytes of the queue have left; a frame that is out is wiped.
static void advance(struct line *line, size_t written)
{
	while (written > 0) {
		struct line_frame *frame = line->first;
		size_t left = frame->length - frame->written;
		size_t part = written < left ? written : left;
		frame->written += part;
		written -= part;
		if (frame->entry)
			frame->entry->state = part < left ? FLIGHT_WRITING : FLIGHT_SENT;
		if (part < left)
			return;
		drop_first(line);
	}
}

static void flush_plain(struct driver *driver, struct line *line)
{
	while (line->first) {
		struct iovec parts[FRAMES_AT_ONCE];
		int count = 0;
		for (struct line_frame *frame = line->first; frame && count < FRAMES_AT_ONCE;
		     frame = frame->next)
			parts[count++] = (struct iovec){ frame->bytes + frame->written,
				                         frame->length - frame->written };
		ssize_t written = writev(line->fd, parts, count);
		if (written < 0) {
			if (errno != EAGAIN && errno != EINTR)
				line_break_errno(driver, line, "the line broke while writing",
				                 errno);
			return;
		}
		advance(line, (size_t)written);
	}
}

// Encrypts as many frames as one record takes. They stay in the queue until the record has left.
static struct result encrypt_some(struct line *line)
{
	uint8_t clear[RECORD];
	size_t length = 0;

	for (struct line_frame *frame = line->first;
	     frame && length + frame->length <= sizeof clear; frame = frame->next) {
		memcpy(clear + length, frame->bytes, frame->length);
		length += frame->length;
		frame->written = frame->length;
		if (frame->entry)
			frame->entry->state = FLIGHT_WRITING;
	}
	struct result result = tls_send(line->tls, bytes_from(clear, length));
	explicit_bzero(clear, length);
	return result;
}

// False: the line takes no more, or broke.
static bool write_pending(struct driver *driver, struct line *line)
{
	struct bytes pending = tls_pending(line->tls);

	while (pending.length > 0) {
		ssize_t written = write(line->fd, pending.data, pending.length);
		if (written < 0) {
			if (errno != EAGAIN && errno != EINTR)
				line_break_errno(driver, line, "the line broke while writing",
				                 errno);
			return false;
		}
		tls_sent(line->tls, (size_t)written);
		pending = tls_pending(line->tls);
	}
	return true;
}

static void flush_tls(struct driver *driver, struct line *line)
{
	for (;;) {
		if (!write_pending(driver, line))
			return;
		while (line->first && line->first->written > 0) {
			if (line->first->entry)
				line->first->entry->state = FLIGHT_SENT;
			drop_first(line);
		}
		if (!line->first || line->state == LINE_GREETING)
			return;
		if (!result_ok(encrypt_some(line))) {
			line_break(driver, line, tls_why(line->tls));
			return;
		}
	}
}

void line_flush(struct driver *driver, struct line *line)
{
	if (line->tls)
		flush_tls(driver, line);
	else
		flush_plain(driver, line);
}

// Hands on every whole frame that has come in.
static void take_frames(struct driver *driver, struct line *line)
{
	struct bytes message, tpdu;
	size_t consumed = 1, taken = 0;

	while (line->fd >= 0) {
		struct bytes rest = buffer_view(&line->incoming);
		rest = bytes_slice(rest, taken, rest.length);
		struct result result = iso8583_frame_read(&driver->parameters.framing, rest,
		                                          &message, &tpdu, &consumed);
		if (!result_ok(result)) {
			line_break(driver, line, result.detail);
			return;
		}
		if (consumed == 0)
			break;
		taken += consumed;
		if (message.length > 0)
			driver_message_came(driver, line, message);
	}
	if (line->fd >= 0)
		buffer_drop(&line->incoming, taken);
}

static void closed(struct driver *driver, struct line *line)
{
	line_break(driver, line,
	           line->incoming.length > 0 ? "the bank closed the line within a message"
	                                     : "the bank closed the line");
}

// What came is decrypted into line->incoming. False: the line broke.
static bool decrypt(struct driver *driver, struct line *line, struct bytes wire)
{
	struct result result = tls_receive(line->tls, wire, &line->incoming);

	if (line->state == LINE_GREETING && tls_is_up(line->tls) && result_ok(result))
		line_greeted(driver, line);
	if (line->fd < 0)
		return false;
	if (result_ok(result))
		return true;
	take_frames(driver, line); // what came before is true all the same
	if (line->fd < 0)
		return false;
	write_pending(driver, line); // an alert says why
	if (line->fd >= 0 && result.error == ERROR_CLOSED)
		closed(driver, line);
	else if (line->fd >= 0)
		line_break(driver, line, tls_why(line->tls));
	return false;
}

void line_read(struct driver *driver, struct line *line, int64_t tick_ms)
{
	static uint8_t wire[READ_AT_ONCE]; // encrypted
	uint8_t *room = line->tls ? wire : buffer_room(&line->incoming, READ_AT_ONCE);

	if (!room) {
		line_break(driver, line, "the bank sends a frame without an end");
		return;
	}
	ssize_t got = read(line->fd, room, READ_AT_ONCE);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		line_break_errno(driver, line, "the line broke while reading", errno);
		return;
	}
	if (got == 0) {
		closed(driver, line);
		return;
	}
	line->heard_ms = tick_ms;
	if (line->tls) {
		if (!decrypt(driver, line, bytes_from(wire, (size_t)got)))
			return;
	} else {
		buffer_grew(&line->incoming, (size_t)got);
	}
	take_frames(driver, line);
}
