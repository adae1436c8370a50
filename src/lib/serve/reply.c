// Writing answers: head and body leave in one system call; what the socket does not take at once is
// copied and waits for it.
#include "serve/connection.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdio.h>

enum { MAX_PAIRS = 32 };

// The date of a day counted from 1970, by our own hand: gmtime() would read the time zone's file,
// which a program in its jail may not. Years are counted from March, so that the leap day is last.
static void put_date(char *text, size_t size, int64_t now_s)
{
	static const char days[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char months[12][4] = { "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		                            "Sep", "Oct", "Nov", "Dec", "Jan", "Feb" };
	int64_t since_1970 = now_s / 86400;
	int second = (int)(now_s % 86400);
	int64_t day = since_1970 + 719468; // from 1 March of year 0
	int64_t of_era = day % 146097;     // 400 years are 146097 days
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = (int)(of_era - (365 * year + year / 4 - year / 100));
	int month = (5 * of_year + 2) / 153;

	snprintf(text, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[since_1970 % 7],
	         of_year - (153 * month + 2) / 5 + 1, months[month],
	         (int)(year + day / 146097 * 400 + (month >= 10)), second / 3600, second / 60 % 60,
	         second % 60);
}

static struct bytes date_now(struct serve *serve)
{
	int64_t now_s = clock_wall_ms() / 1000;

	if (now_s != serve->date_s)
		put_date(serve->date, sizeof(serve->date), now_s);
	serve->date_s = now_s;
	return bytes_text(serve->date);
}

static struct result put_head(struct connection *connection, const struct serve_reply *reply)
{
	struct serve *serve = connection->serve;
	struct http_pair pairs[MAX_PAIRS + 2];
	size_t count = 0;

	CHECK(reply->pair_count <= MAX_PAIRS);
	pairs[count++] = (struct http_pair){ "Date", date_now(serve) };
	if (reply->type)
		pairs[count++] = HTTP_PAIR_TEXT("Content-Type", reply->type);
	for (size_t i = 0; i < reply->pair_count; i++)
		pairs[count++] = reply->pairs[i];
	buffer_reset(&serve->head);
	return http_response_put(&serve->head, reply->status, pairs, count, reply->body.length,
	                         connection->last);
}

static void on_written(uv_write_t *write, int status)
{
	struct connection *connection = write->data;

	if (connection->state != SERVE_WRITING)
		return;
	connection->deadline = 0;
	if (status != 0)
		connection_close(connection);
	else
		connection_written(connection);
}

// Keeps what the socket did not take and has libuv write it.
static void write_later(struct connection *connection, struct bytes head, struct bytes body,
                        size_t taken)
{
	struct serve *serve = connection->serve;
	size_t of_head = taken < head.length ? taken : head.length;

	buffer_reset(&connection->out);
	buffer_put(&connection->out, bytes_slice(head, of_head, head.length));
	buffer_put(&connection->out, bytes_slice(body, taken - of_head, body.length));
	connection->state = SERVE_WRITING;
	connection->deadline = uv_now(serve->loop) + serve->options.write_ms;
	connection->write.data = connection;
	uv_buf_t part = uv_buf_init((char *)connection->out.data, (unsigned)connection->out.length);
	if (connection->out.failed ||
	    uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &part, 1, on_written))
		connection_close(connection);
}

static void write_parts(struct connection *connection, struct bytes head, struct bytes body)
{
	uv_buf_t parts[2] = {
		uv_buf_init((char *)(uintptr_t)head.data, (unsigned)head.length),
		uv_buf_init((char *)(uintptr_t)body.data, (unsigned)body.length),
	};
	int taken = uv_try_write((uv_stream_t *)&connection->tcp, parts, body.length ? 2 : 1);

	if (taken < 0 && taken != UV_EAGAIN)
		connection_close(connection);
	else if (taken >= 0 && (size_t)taken == head.length + body.length)
		connection_written(connection);
	else
		write_later(connection, head, body, taken < 0 ? 0 : (size_t)taken);
}

static bool shows_body(const struct connection *connection, int status)
{
	bool of_head = http_request_has_head(&connection->http) &&
	               bytes_equal_text(connection->http.method, "HEAD");

	return !of_head && !http_status_is_bare(status);
}

void reply_write(struct connection *connection, const struct serve_reply *reply)
{
	if (reply->close || connection->serve->stopping)
		connection->last = true;
	if (!result_ok(put_head(connection, reply))) {
		reply_refusal(connection, 500, "The answer could not be sent.");
		return;
	}
	struct bytes body = shows_body(connection, reply->status) ? reply->body : BYTES_NONE;
	write_parts(connection, buffer_view(&connection->serve->head), body);
}

void reply_refusal(struct connection *connection, int status, const char *detail)
{
	struct serve *serve = connection->serve;
	char text[256];
	int length = snprintf(text, sizeof(text), "%s\n", detail);
	struct serve_reply reply = { .status = status,
		                     .type = "text/plain; charset=utf-8",
		                     .body = bytes_from(text, (size_t)length) };

	CHECK(length > 0 && (size_t)length < sizeof(text));
	if (serve->options.on_refusal)
		serve->options.on_refusal(&reply, detail, serve->options.owner);
	connection->last = true;
	connection->deadline = 0;
	if (!result_ok(put_head(connection, &reply)))
		connection_close(connection);
	else
		write_parts(connection, buffer_view(&serve->head), reply.body);
}

// A client that does not take these few bytes at once is not waited for: it may send its body
// without them (RFC 9110 section 10.1.1).
void reply_continue(struct connection *connection)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	uv_buf_t part = uv_buf_init((char *)(uintptr_t)text, sizeof(text) - 1);
	int taken = uv_try_write((uv_stream_t *)&connection->tcp, &part, 1);

	if (taken != UV_EAGAIN && taken != (int)part.len)
		connection_close(connection);
}
