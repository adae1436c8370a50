// Reading and writing a line between two programs, descriptors included (SCM_RIGHTS).
#include "wire/channel.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_LIMIT = 4 * 1024 * 1024, READ_STEP = 128 * 1024, BLOCKED_MS = 5000 };

void wire_channel_init(struct wire_channel *channel, int fd, enum wire_program self,
                       enum wire_program peer, size_t out_limit)
{
	*channel = (struct wire_channel){ .fd = fd, .self = self, .peer = peer };
	buffer_init(&channel->in, IN_LIMIT);
	buffer_init(&channel->out, out_limit);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void wire_channel_done(struct wire_channel *channel)
{
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	for (int i = 0; i < channel->descriptor_count; i++)
		close(channel->descriptors[i]);
	channel->descriptor_count = 0;
	channel->in_taken = 0;
	channel->out_taken = 0;
	buffer_done(&channel->in);
	buffer_done(&channel->out);
}

static struct result keep_descriptors(struct wire_channel *channel, struct msghdr *head)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(head); part; part = CMSG_NXTHDR(head, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
			if (channel->descriptor_count == WIRE_QUEUED_DESCRIPTORS) {
				close(fd);
				continue;
			}
			channel->descriptors[channel->descriptor_count++] = fd;
		}
	}
	return head->msg_flags & MSG_CTRUNC
	               ? FAIL(ERROR_INPUT, "more descriptors than a message may bring")
	               : RESULT_OK;
}

struct result wire_channel_read(struct wire_channel *channel)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * WIRE_QUEUED_DESCRIPTORS)];
	} control;

	buffer_drop(&channel->in, channel->in_taken);
	channel->in_taken = 0;
	uint8_t *room = buffer_room(&channel->in, READ_STEP);
	if (!room)
		return FAIL(ERROR_LIMIT, "a channel's reading buffer is full");
	struct iovec part = { room, READ_STEP };
	struct msghdr head = { .msg_iov = &part,
		               .msg_iovlen = 1,
		               .msg_control = control.bytes,
		               .msg_controllen = sizeof(control.bytes) };
	ssize_t got = recvmsg(channel->fd, &head, MSG_CMSG_CLOEXEC);
	if (got > 0) {
		buffer_grew(&channel->in, (size_t)got);
		return keep_descriptors(channel, &head);
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return RESULT_OK;
	return FAIL(ERROR_CLOSED, "the other end of a channel has gone");
}

static struct result take_descriptors(struct wire_channel *channel, struct wire_message *message)
{
	int count = message->row->descriptors;

	if (count > channel->descriptor_count)
		return FAIL(ERROR_INPUT, "a message without the descriptors that its row asks for");
	memcpy(message->descriptors, channel->descriptors, (size_t)count * sizeof(int));
	channel->descriptor_count -= count;
	memmove(channel->descriptors, channel->descriptors + count,
	        (size_t)channel->descriptor_count * sizeof(int));
	return RESULT_OK;
}

struct result wire_channel_next(struct wire_channel *channel, struct wire_message *ret_message,
                                bool *ret_got)
{
	size_t length = 0;
	struct bytes rest =
	        bytes_slice(buffer_view(&channel->in), channel->in_taken, channel->in.length);

	*ret_got = false;
	TRY(wire_decode(rest, channel->peer, channel->self, ret_message, &length));
	if (length == 0)
		return RESULT_OK;
	TRY(take_descriptors(channel, ret_message));
	channel->in_taken += length;
	*ret_got = true;
	return RESULT_OK;
}

struct result wire_channel_put(struct wire_channel *channel, enum wire_number number,
                               const struct wire_value *values)
{
	const struct wire_row *row = wire_row((uint16_t)number);

	CHECK(row && row->sender == channel->self && row->receiver == channel->peer);
	if (channel->fd < 0)
		return FAIL(ERROR_CLOSED, "a channel is closed");
	struct result result = wire_encode(&channel->out, number, values);
	channel->out.failed = false; // what was refused was not written; the rest is whole
	return result;
}

// A line that is never empty would keep all that was ever written: what is gone is dropped as soon
// as it is the larger part.
static void drop_written(struct wire_channel *channel)
{
	if (channel->out_taken < channel->out.length - channel->out_taken)
		return;
	buffer_drop(&channel->out, channel->out_taken);
	channel->out_taken = 0;
}

struct result wire_channel_flush(struct wire_channel *channel)
{
	while (wire_channel_waiting(channel)) {
		ssize_t put = send(channel->fd, channel->out.data + channel->out_taken,
		                   channel->out.length - channel->out_taken, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			break;
		if (put < 0)
			return FAIL(ERROR_CLOSED, "the other end of a channel has gone");
		channel->out_taken += (size_t)put;
	}
	drop_written(channel);
	return RESULT_OK;
}

// Waits until the socket takes bytes again; used only for the rare messages with descriptors.
static struct result flush_all(struct wire_channel *channel)
{
	TRY(wire_channel_flush(channel));
	while (wire_channel_waiting(channel)) {
		struct pollfd wait = { .fd = channel->fd, .events = POLLOUT };
		if (poll(&wait, 1, BLOCKED_MS) == 0)
			return FAIL(ERROR_LIMIT, "the other end of a channel does not read");
		TRY(wire_channel_flush(channel));
	}
	return RESULT_OK;
}

struct result wire_channel_put_descriptors(struct wire_channel *channel, enum wire_number number,
                                           const struct wire_value *values, const int *descriptors)
{
	const struct wire_row *row = wire_row((uint16_t)number);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * WIRE_MAX_DESCRIPTORS)];
	} control = { 0 };

	CHECK(row && row->descriptors > 0);
	TRY(flush_all(channel));
	TRY(wire_channel_put(channel, number, values));
	size_t length = row->descriptors * sizeof(int);
	struct iovec part = { channel->out.data, channel->out.length };
	struct msghdr head = { .msg_iov = &part,
		               .msg_iovlen = 1,
		               .msg_control = control.bytes,
		               .msg_controllen = CMSG_SPACE(length) };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&head);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(rights), descriptors, length);
	ssize_t put = sendmsg(channel->fd, &head, MSG_NOSIGNAL);
	if (put <= 0)
		return FAIL(ERROR_CLOSED, "descriptors could not be handed over");
	channel->out_taken = (size_t)put;
	return flush_all(channel);
}

struct result wire_pair(int ret_pair[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_pair) != 0)
		return FAIL(ERROR_SYSTEM, "socketpair failed");
	return RESULT_OK;
}
