// Inside lib/serve only: one client's connection and the server that it belongs to. serve.c has the
// server (listening, deadlines, stopping), connection.c the states of a connection, reply.c what is
// written.
#pragma once

#include "serve/serve.h"

enum { SERVE_SCRATCH = 64 * 1024 };

enum serve_state {
	SERVE_READING,   // waits for a request, or for the rest of one
	SERVE_RUNNING,   // the handler has the request
	SERVE_WRITING,   // the client has not taken all of the answer yet
	SERVE_LINGERING, // the last answer is written; waits for the client to close
	SERVE_CLOSING,
};

// What its deadline is about while it is SERVE_READING.
enum serve_phase { SERVE_NOTHING, SERVE_IDLE, SERVE_HEAD, SERVE_BODY };

struct connection {
	struct serve_request request; // first: the handler's pointer is the connection's
	struct serve *serve;          // not to be used when SERVE_CLOSING: it may be gone
	struct connection *next;
	struct connection **link; // what points at this one
	uv_tcp_t tcp;
	uv_write_t write;
	uv_shutdown_t shutdown;
	enum serve_state state;
	enum serve_phase phase;
	bool held;          // the handler has the request
	bool at_end;        // the client will send no more
	bool is_reading;    // libuv reads
	bool last;          // no request after this one
	bool stepping;      // connection_step() runs
	bool continued;     // 100 Continue was sent
	bool handle_closed; // libuv is done with `tcp`
	uint64_t deadline;  // uv_now(); 0: none
	struct http_request http;
	struct buffer in;    // the request and what came after it
	struct buffer later; // what came while the handler had the request, whose views lie in `in`
	struct buffer out;   // what the socket did not take at once
};

struct listener {
	uv_tcp_t tcp;
	struct serve *serve;
	struct listener *next;
};

struct serve {
	uv_loop_t *loop;
	struct serve_options options;
	struct listener *listeners;
	struct connection *connections;
	size_t connection_count;
	uv_timer_t timer;
	bool timer_closed;
	bool stopping;
	uint64_t grace_deadline;
	void (*done)(void *owner);
	struct buffer head; // the head of the answer that is being written
	int64_t date_s;
	char date[64];
	uint8_t scratch[SERVE_SCRATCH]; // libuv reads into it; emptied before it reads again
};

// Takes an accepted client; `listener` is where it waits.
void connection_accept(struct serve *serve, uv_stream_t *listener);
// Ends the connection now; a handler that has its request is told.
void connection_close(struct connection *connection);
// What became of its deadline.
void connection_expired(struct connection *connection);
// Reads and answers requests as long as there are whole ones.
void connection_step(struct connection *connection);
// An answer was written as a whole.
void connection_written(struct connection *connection);
// Frees the connection when neither libuv nor the handler needs it any more.
void connection_release(struct connection *connection);

// Writes an answer. On return the connection is reading again, writing, lingering or closing.
void reply_write(struct connection *connection, const struct serve_reply *reply);
// Answers what is not a request that we take, and ends the connection after it.
void reply_refusal(struct connection *connection, int status, const char *detail);
void reply_continue(struct connection *connection);

// The connection has been taken off the server's list.
void serve_forget_connection(struct serve *serve);
