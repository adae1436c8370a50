// Connections, frames and faults. A message is always worked on (unless it is to be lost before
// that); faults only change what becomes of its answer, as on a real line.
#include "host.h"

#include "desk.h"
#include "edition.h"
#include "ledger.h"
#include "wire.h"

#include "base/check.h"
#include "base/log.h"
#include "iso8583/frame.h"
#include "tls/tls.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define FRAME_MAX (ISO8583_MESSAGE_MAX + ISO8583_FRAME_OVERHEAD)

struct connection {
	uv_tcp_t tcp;
	struct bank_host *host;
	uint64_t id;
	struct tls *tls;             // NULL: plain
	struct buffer input, output; // in clear
	bool closing;
	struct connection *next;
};

struct bank_host {
	struct bank *bank;
	uv_tcp_t listener;
	struct connection *connections;
	struct delayed *delayed;
	uint64_t last_id, last_said;
	struct bank_wire wire;
	struct host_trouble trouble;
	struct iso8583_message request, answer;
	uint8_t read_room[65536];
};

// An answer that waits for its time.
struct delayed {
	uv_timer_t timer;
	struct bank_host *host;
	uint64_t connection;
	struct delayed *next;
	size_t length;
	uint8_t frame[];
};

struct write {
	uv_write_t request;
	uint8_t bytes[];
};

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct connection **where = &connection->host->connections;

	while (*where != connection)
		where = &(*where)->next;
	*where = connection->next;
	buffer_done(&connection->input);
	buffer_done(&connection->output);
	tls_free(connection->tls);
	free(connection);
}

static void hang_up(struct connection *connection)
{
	if (connection->closing)
		return;
	connection->closing = true;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
	struct connection *connection = request->handle->data;

	free(request);
	if (status < 0)
		hang_up(connection);
}

static void send_bytes(struct connection *connection, struct bytes rest)
{
	uv_buf_t part = uv_buf_init((char *)rest.data, (unsigned)rest.length);
	int written = uv_try_write((uv_stream_t *)&connection->tcp, &part, 1);

	if (written > 0)
		rest = bytes_slice(rest, (size_t)written, rest.length);
	if (rest.length > 0 && (written >= 0 || written == UV_EAGAIN)) {
		struct write *write = malloc(sizeof *write + rest.length);
		CHECK(write);
		memcpy(write->bytes, rest.data, rest.length);
		part = uv_buf_init((char *)write->bytes, (unsigned)rest.length);
		if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &part, 1,
		             on_written) != 0) {
			free(write);
			hang_up(connection);
		}
	} else if (rest.length > 0) {
		hang_up(connection);
	}
}

// Sends what has gathered in the connection's output, and what TLS has to say.
static void flush(struct connection *connection)
{
	struct bytes rest = buffer_view(&connection->output);

	if (connection->tls && rest.length > 0 && !connection->closing &&
	    !result_ok(tls_send(connection->tls, rest)))
		hang_up(connection);
	if (connection->tls)
		rest = tls_pending(connection->tls);
	if (connection->closing || rest.length == 0)
		return;
	size_t length = rest.length;
	send_bytes(connection, rest);
	if (connection->tls)
		tls_sent(connection->tls, length);
	buffer_reset(&connection->output);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct delayed *delayed = handle->data;
	struct delayed **where = &delayed->host->delayed;

	while (*where != delayed)
		where = &(*where)->next;
	*where = delayed->next;
	free(delayed);
}

static void on_delay_over(uv_timer_t *timer)
{
	struct delayed *delayed = timer->data;
	struct connection *connection = delayed->host->connections;

	while (connection && connection->id != delayed->connection)
		connection = connection->next;
	if (connection && !connection->closing) {
		buffer_put(&connection->output, bytes_from(delayed->frame, delayed->length));
		flush(connection);
	}
	uv_close((uv_handle_t *)timer, on_timer_closed);
}

static void send_later(struct connection *connection, struct bytes frame, int ms)
{
	struct delayed *delayed = calloc(1, sizeof *delayed + frame.length);

	CHECK(delayed);
	delayed->host = connection->host;
	delayed->connection = connection->id;
	delayed->length = frame.length;
	memcpy(delayed->frame, frame.data, frame.length);
	uv_timer_init(connection->host->bank->loop, &delayed->timer);
	delayed->timer.data = delayed;
	delayed->next = connection->host->delayed;
	connection->host->delayed = delayed;
	uv_timer_start(&delayed->timer, on_delay_over, (uint64_t)(ms < 0 ? 0 : ms), 0);
}

static bool by_chance(int percent)
{
	uint32_t random;

	if (percent <= 0)
		return false;
	CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
	return random % 100 < (unsigned)percent;
}

static void set_wrong_stan(struct bank_host *host)
{
	static const char wrong[] = "000000";
	static const char other[] = "000001";
	struct bytes stan = iso8583_get(&host->answer, 11);

	iso8583_set(&host->answer, 11, bytes_text(bytes_equal_text(stan, wrong) ? other : wrong));
}

// Packs the answer into `frame`. A TPDU goes back with its addresses changed over.
static size_t pack_answer(struct bank_host *host, struct bytes tpdu, bool spoil_mac,
                          uint8_t frame[static FRAME_MAX])
{
	size_t overhead = iso8583_frame_overhead(&host->wire.framing);
	uint8_t back[ISO8583_TPDU] = { 0x60 };
	size_t length = 0;
	struct result result =
	        bank_wire_pack(&host->wire, &host->answer, spoil_mac, frame + overhead, &length);

	if (tpdu.length == ISO8583_TPDU) {
		back[0] = tpdu.data[0];
		memcpy(back + 1, tpdu.data + 3, 2);
		memcpy(back + 3, tpdu.data + 1, 2);
	}
	if (result_ok(result))
		result = iso8583_frame_write(&host->wire.framing, length, back, frame);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "cannot_answer", LOG_RESULT(result));
		return 0;
	}
	return overhead + length;
}

// What becomes of a finished answer.
static void send_with_fault(struct connection *connection, struct bytes frame,
                            enum bank_fault fault)
{
	struct bank_host *host = connection->host;
	size_t overhead = iso8583_frame_overhead(&host->wire.framing);

	switch (fault) {
	case BANK_FAULT_SILENT: break;
	case BANK_FAULT_LATE: send_later(connection, frame, host->trouble.late_ms); break;
	case BANK_FAULT_TWICE:
		buffer_put(&connection->output, frame);
		buffer_put(&connection->output, frame);
		break;
	case BANK_FAULT_HALF_FRAME:
		buffer_put(&connection->output, bytes_slice(frame, 0, frame.length / 2));
		flush(connection);
		hang_up(connection);
		break;
	case BANK_FAULT_HANG_UP: hang_up(connection); break;
	case BANK_FAULT_GARBAGE:
		buffer_put(&connection->output, bytes_slice(frame, 0, overhead));
		for (size_t i = overhead; i < frame.length; i++)
			buffer_put_byte(&connection->output, (uint8_t)(0xe0 | (i & 15)));
		break;
	default: buffer_put(&connection->output, frame); break;
	}
}

static void send_answer(struct connection *connection, struct bytes tpdu, enum bank_fault fault,
                        bool about_card)
{
	struct bank_host *host = connection->host;
	const struct host_trouble *trouble = &host->trouble;
	uint8_t frame[FRAME_MAX];

	if (fault == BANK_FAULT_WRONG_STAN)
		set_wrong_stan(host);
	size_t length = pack_answer(host, tpdu, fault == BANK_FAULT_WRONG_MAC, frame);
	struct bytes bytes = bytes_from(frame, length);
	if (length == 0)
		return;
	if (!about_card || fault != BANK_FAULT_NONE)
		send_with_fault(connection, bytes, fault);
	else if (by_chance(trouble->lose_answers_percent))
		return;
	else if (by_chance(trouble->delay_percent))
		send_later(connection, bytes, trouble->delay_ms);
	else
		send_with_fault(connection, bytes,
		                by_chance(trouble->repeat_percent) ? BANK_FAULT_TWICE
		                                                   : BANK_FAULT_NONE);
}

static void work_on(struct connection *connection, struct bytes message, struct bytes tpdu)
{
	struct bank_host *host = connection->host;
	struct host_trouble *trouble = &host->trouble;
	const char *force_code = "";
	struct iso8583_place place;
	struct bank_edition edition;
	struct desk_result done;
	struct result result = iso8583_unpack(host->wire.dialect, message, &host->request, &place);

	if (!result_ok(result)) {
		log_event(LOG_WARN, "unreadable", LOG_RESULT(result),
		          LOG_NUMBER("field", place.field), LOG_NUMBER("offset", place.offset));
		return;
	}
	if (host->request.mti[2] % 2 == 1)
		return; // the other side's answer to a network message of ours
	if (bank_wire_wants_mac(&host->wire, host->request.mti) &&
	    !bank_wire_check(&host->wire, &host->request, message)) {
		log_event(LOG_WARN, "wrong_mac");
		return;
	}
	bank_edition_in(host->wire.dialect, &host->request, &edition);
	bool about_card = desk_is_about_card(&host->request);
	if (trouble->deaf || (about_card && by_chance(trouble->lose_requests_percent)))
		return;
	bool next = about_card && trouble->next_count > 0;
	if (next)
		force_code = trouble->next_code;
	if (!desk_work(host->bank, &host->request, force_code, &host->answer, &done)) {
		log_event(LOG_WARN, "not_answered");
		return;
	}
	bank_edition_out(&edition, &host->answer);
	if (next) {
		trouble->next_count--;
		done.fault = trouble->next_fault;
	}
	send_answer(connection, tpdu, done.fault, about_card);
}

static void take_frames(struct connection *connection)
{
	struct bytes message, tpdu;
	size_t consumed, taken = 0;

	while (!connection->closing) {
		struct bytes rest = buffer_view(&connection->input);
		rest = bytes_slice(rest, taken, rest.length);
		struct result result = iso8583_frame_read(&connection->host->wire.framing, rest,
		                                          &message, &tpdu, &consumed);
		if (!result_ok(result)) {
			log_event(LOG_WARN, "bad_frame", LOG_RESULT(result));
			hang_up(connection);
			return;
		}
		if (consumed == 0)
			break;
		taken += consumed;
		if (message.length > 0)
			work_on(connection, message, tpdu);
	}
	buffer_drop(&connection->input, taken);
	ledger_flush(connection->host->bank->ledger); // before the answers leave
	flush(connection);
}

static void on_room_wanted(uv_handle_t *handle, size_t size, uv_buf_t *ret_room)
{
	struct connection *connection = handle->data;

	(void)size;
	*ret_room = uv_buf_init((char *)connection->host->read_room,
	                        sizeof connection->host->read_room);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
	struct connection *connection = stream->data;
	struct bytes bytes = bytes_from(room->base, got > 0 ? (size_t)got : 0);

	if (got < 0) {
		hang_up(connection);
		return;
	}
	if (!connection->tls) {
		buffer_put(&connection->input, bytes);
	} else {
		struct result result = tls_receive(connection->tls, bytes, &connection->input);
		flush(connection); // the handshake, or an alert
		if (!result_ok(result)) {
			log_event(LOG_WARN, "tls_ended",
			          LOG_TEXT("detail", tls_why(connection->tls)));
			hang_up(connection);
			return;
		}
	}
	if (connection->input.failed)
		hang_up(connection);
	else
		take_frames(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct bank_host *host = listener->data;
	struct connection *connection = calloc(1, sizeof *connection);

	CHECK(connection);
	connection->host = host;
	connection->id = ++host->last_id;
	buffer_init(&connection->input, 1 << 20);
	buffer_init(&connection->output, 16 << 20);
	uv_tcp_init(host->bank->loop, &connection->tcp);
	connection->tcp.data = connection;
	connection->next = host->connections;
	host->connections = connection;
	if (status < 0 || uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0) {
		hang_up(connection);
		return;
	}
	if (host->wire.tls && !result_ok(tls_accept(host->wire.tls, &connection->tls))) {
		hang_up(connection);
		return;
	}
	uv_tcp_nodelay(&connection->tcp, 1);
	uv_read_start((uv_stream_t *)&connection->tcp, on_room_wanted, on_read);
}

static struct result listen_on(struct bank_host *host)
{
	struct bank *bank = host->bank;
	struct sockaddr_storage address;
	int length = sizeof address;
	bool v6 = uv_ip6_addr(bank->address, bank->iso_port, (struct sockaddr_in6 *)&address) == 0;

	if (!v6 && uv_ip4_addr(bank->address, bank->iso_port, (struct sockaddr_in *)&address) != 0)
		return FAIL(ERROR_INPUT, "--listen is no address");
	if (uv_tcp_bind(&host->listener, (struct sockaddr *)&address, 0) != 0 ||
	    uv_listen((uv_stream_t *)&host->listener, 128, on_connection) != 0)
		return FAIL(ERROR_SYSTEM, "the ISO 8583 port cannot be listened on");
	uv_tcp_getsockname(&host->listener, (struct sockaddr *)&address, &length);
	// The port is at the same place in both kinds of address.
	bank->iso_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	return RESULT_OK;
}

struct result bank_host_start(struct bank *bank, const char *line, int late_ms)
{
	struct bank_host *host = calloc(1, sizeof *host);

	CHECK(host);
	bank->host = host;
	host->bank = bank;
	host->trouble.late_ms = late_ms;
	TRY(bank_wire_read(line, &host->wire));
	uv_tcp_init(bank->loop, &host->listener);
	host->listener.data = host;
	return listen_on(host);
}

void bank_host_hang_up(struct bank_host *host)
{
	for (struct connection *connection = host->connections; connection;
	     connection = connection->next)
		hang_up(connection);
}

void bank_host_say(struct bank_host *host, const char *code)
{
	time_t now = (time_t)(bank_now_ms(host->bank) / 1000);
	uint8_t frame[FRAME_MAX];
	struct tm utc;
	char sent_at[16];

	gmtime_r(&now, &utc);
	strftime(sent_at, sizeof sent_at, "%m%d%H%M%S", &utc);
	for (struct connection *connection = host->connections; connection;
	     connection = connection->next) {
		iso8583_begin(&host->answer, "0800");
		iso8583_set(&host->answer, 7, bytes_text(sent_at));
		iso8583_set_number(&host->answer, 11, ++host->last_said, 6);
		iso8583_set(&host->answer, 70, bytes_text(code));
		bank_edition_ask(host->wire.dialect->roles.edition, &host->answer);
		size_t length = pack_answer(host, BYTES_NONE, false, frame);
		buffer_put(&connection->output, bytes_from(frame, length));
		flush(connection);
	}
}

size_t bank_host_code_length(const struct bank_host *host)
{
	static const size_t lengths[] = {
		[ISO8583_1987] = 2, [ISO8583_1993] = 3, [ISO8583_2003] = 4
	};

	return lengths[host->wire.dialect->roles.edition];
}

size_t bank_host_connections(const struct bank_host *host)
{
	size_t count = 0;

	for (const struct connection *connection = host->connections; connection;
	     connection = connection->next)
		count += !connection->closing;
	return count;
}

struct host_trouble *bank_host_trouble(struct bank_host *host)
{
	return &host->trouble;
}

void bank_host_stop(struct bank *bank)
{
	struct bank_host *host = bank->host;

	if (!host)
		return;
	bank_host_hang_up(host);
	if (host->listener.data)
		uv_close((uv_handle_t *)&host->listener, NULL);
	for (struct delayed *delayed = host->delayed; delayed; delayed = delayed->next)
		if (!uv_is_closing((uv_handle_t *)&delayed->timer))
			uv_close((uv_handle_t *)&delayed->timer, on_timer_closed);
	while (host->connections || host->delayed || uv_is_active((uv_handle_t *)&host->listener))
		uv_run(bank->loop, UV_RUN_NOWAIT);
	uv_run(bank->loop, UV_RUN_NOWAIT);
	bank_wire_done(&host->wire);
	free(host);
	bank->host = NULL;
}
