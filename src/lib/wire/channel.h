// One end of a line between two programs: a Unix stream socket with a buffer each way. The owner
// polls the descriptor (with libuv or poll) and calls in; nothing here waits.
//
//     if (readable)  TRY(wire_channel_read(&channel));
//     while (result_ok(r = wire_channel_next(&channel, &message, &got)) && got) handle(&message);
//     … wire_channel_put(&channel, WIRE_REPLY, values); …
//     TRY(wire_channel_flush(&channel)); poll for writing while wire_channel_waiting(&channel)
#pragma once

#include "wire/wire.h"

enum { WIRE_QUEUED_DESCRIPTORS = 16 };

struct wire_channel {
	int fd; // -1: closed
	enum wire_program self;
	enum wire_program peer;
	struct buffer in;
	struct buffer out;
	size_t in_taken;  // bytes of `in` that were handed out as messages
	size_t out_taken; // bytes of `out` that were written
	int descriptors[WIRE_QUEUED_DESCRIPTORS];
	int descriptor_count;
};

// Takes the descriptor (non-blocking from now on). `out_limit` bounds what may wait to be written.
void wire_channel_init(struct wire_channel *channel, int fd, enum wire_program self,
                       enum wire_program peer, size_t out_limit);
// Closes the descriptor and all descriptors that came and were not taken.
void wire_channel_done(struct wire_channel *channel);

static inline bool wire_channel_is_open(const struct wire_channel *channel)
{
	return channel->fd >= 0;
}

// Reads what is there. ERROR_CLOSED at the end of the line. Views of earlier messages are void.
MUST_USE struct result wire_channel_read(struct wire_channel *channel);

// Hands out the next whole message; *ret_got is false when there is none yet. Its views live until
// the next wire_channel_read(). ERROR_INPUT: the peer broke the catalogue; close the channel.
MUST_USE struct result wire_channel_next(struct wire_channel *channel,
                                         struct wire_message *ret_message, bool *ret_got);

// Appends a message to what is to be written. ERROR_LIMIT: a field or the buffer is past its limit.
MUST_USE struct result wire_channel_put(struct wire_channel *channel, enum wire_number number,
                                        const struct wire_value *values);

// Writes a message with descriptors at once, after all that waits (blocking shortly if it must).
// The descriptors stay the caller's.
MUST_USE struct result wire_channel_put_descriptors(struct wire_channel *channel,
                                                    enum wire_number number,
                                                    const struct wire_value *values,
                                                    const int *descriptors);

// Writes as much as the socket takes. ERROR_CLOSED when the peer has gone.
MUST_USE struct result wire_channel_flush(struct wire_channel *channel);

// True when something is to be written.
static inline bool wire_channel_waiting(const struct wire_channel *channel)
{
	return channel->out.length > channel->out_taken;
}

// Makes a connected pair, close-on-exec.
MUST_USE struct result wire_pair(int ret_pair[2]);
