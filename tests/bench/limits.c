// What this machine could do at best, one limit for each expensive thing that onfile does: a commit
// of the store, an fsync, an opening of a card. Each runs for some seconds on one thread.
//
// usage: limits FOLDER SECONDS
#include "base/check.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void run_sql(sqlite3 *database, const char *sql)
{
	if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
		exit(1);
	}
}

// A payment as bare as it can be: a row goes in before the bank is asked, the same row is changed
// when it has answered; `group` of them share a commit, as a turn of core does. WAL, each
// commit with its fsync (synchronous=FULL).
static void commit(const char *folder, int group, double seconds)
{
	char path[512];
	sqlite3 *database;
	sqlite3_stmt *insert, *update;
	static const char body[500] = "a row of this length";
	int64_t id = 0, commits = 0;

	snprintf(path, sizeof(path), "%s/limit-%d.db", folder, group);
	CHECK(sqlite3_open(path, &database) == SQLITE_OK);
	run_sql(database,
	        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
	        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
	        "CREATE TABLE payments (id INTEGER PRIMARY KEY, state INTEGER, body BLOB)");
	CHECK(sqlite3_prepare_v2(database, "INSERT INTO payments VALUES (?, 1, ?)", -1, &insert,
	                         NULL) == SQLITE_OK &&
	      sqlite3_prepare_v2(database, "UPDATE payments SET state = 2 WHERE id = ?", -1,
	                         &update, NULL) == SQLITE_OK);
	double begun = now_s();
	while (now_s() - begun < seconds) {
		run_sql(database, "BEGIN IMMEDIATE");
		for (int i = 0; i < group; i++) {
			sqlite3_bind_int64(insert, 1, id + i);
			sqlite3_bind_blob(insert, 2, body, sizeof(body), SQLITE_STATIC);
			CHECK(sqlite3_step(insert) == SQLITE_DONE);
			sqlite3_reset(insert);
		}
		run_sql(database, "COMMIT; BEGIN IMMEDIATE");
		for (int i = 0; i < group; i++) {
			sqlite3_bind_int64(update, 1, id + i);
			CHECK(sqlite3_step(update) == SQLITE_DONE);
			sqlite3_reset(update);
		}
		run_sql(database, "COMMIT");
		id += group;
		commits += 2;
	}
	double took = now_s() - begun;
	printf("sqlite_group_%d_per_s %.0f\n", group, (double)id / took);
	printf("sqlite_group_%d_commits_per_s %.0f\n", group, (double)commits / took);
	sqlite3_finalize(insert);
	sqlite3_finalize(update);
	sqlite3_close(database);
	remove(path);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void wait_until(double due_s)
{
	const struct timespec due = { .tv_sec = (time_t)due_s,
		                      .tv_nsec = (long)((due_s - (double)(time_t)due_s) * 1e9) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

// A file that is there already, as a log that was used before.
struct log_file {
	char path[512];
	int fd;
	size_t write_size;
	off_t at;
};

static const char log_bytes[64 * 1024] = { 1 };

static void log_append(struct log_file *log)
{
	enum { WRITES = 1024 };

	CHECK(pwrite(log->fd, log_bytes, log->write_size, log->at) == (ssize_t)log->write_size);
	log->at = (log->at + (off_t)log->write_size) % (WRITES * (off_t)log->write_size);
}

static void log_open(struct log_file *log, const char *folder, size_t write_size)
{
	*log = (struct log_file){ .write_size = write_size };
	snprintf(log->path, sizeof(log->path), "%s/limit-fsync", folder);
	log->fd = open(log->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(log->fd >= 0 && write_size <= sizeof(log_bytes));
	do {
		log_append(log);
	} while (log->at != 0);
	CHECK(fsync(log->fd) == 0);
}

static void log_close(struct log_file *log)
{
	close(log->fd);
	remove(log->path);
}

static void say_quantiles(const char *name, double *took_s, int count)
{
	qsort(took_s, (size_t)count, sizeof(*took_s), compare);
	printf("%s_p50_ms %.3f\n", name, took_s[count / 2] * 1e3);
	printf("%s_p99_ms %.3f\n", name, took_s[count * 99LL / 100] * 1e3);
	printf("%s_p999_ms %.3f\n", name, took_s[count * 999LL / 1000] * 1e3);
}

// A small write and its fsync, at fixed times, with nothing else for the disk to do.
static void sync_alone(const char *folder, double seconds)
{
	enum { A_SECOND = 1000 };
	int count = (int)(seconds * A_SECOND);
	double *took_s = calloc((size_t)count, sizeof(*took_s));
	struct log_file log;

	CHECK(took_s && count > 0);
	log_open(&log, folder, 12 * 1024);
	double begun = now_s();
	for (int i = 0; i < count; i++) {
		wait_until(begun + (double)i / A_SECOND);
		double written = now_s();
		log_append(&log);
		CHECK(fdatasync(log.fd) == 0);
		took_s[i] = now_s() - written;
	}
	say_quantiles("fsync_alone", took_s, count);
	log_close(&log);
	free(took_s);
}

// What a payment waits for on this disk, whoever makes it: `rate` of them a second come at
// fixed times, each waits for two fsyncs, one after the other, those that are there share one, and
// nothing else is done.
static void sync_twice(const char *folder, double seconds, double rate)
{
	int count = (int)(seconds * rate), came = 0, once = 0, twice = 0;
	double *took_s = calloc((size_t)count, sizeof(*took_s));
	struct log_file log;

	CHECK(took_s && count > 0);
	log_open(&log, folder, 40 * 1024); // ten pages, a small commit of core
	double begun = now_s();
	while (twice < count) {
		if (once == twice && once < count)
			wait_until(begun + once / rate);
		double now = now_s();
		while (came < count && begun + came / rate <= now)
			came++;
		log_append(&log);
		CHECK(fdatasync(log.fd) == 0);
		now = now_s();
		for (; twice < once; twice++)
			took_s[twice] = now - (begun + twice / rate);
		once = came;
	}
	say_quantiles("fsync_twice", took_s, count);
	log_close(&log);
	free(took_s);
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	CHECK(key);
	return key;
}

// The agreement alone, with a peer's key that is there already.
static void agree(double seconds)
{
	EVP_PKEY *own = new_key(), *peer = new_key();
	uint8_t secret[32];
	int64_t count = 0;
	double begun = now_s();

	while (now_s() - begun < seconds) {
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
		size_t length = sizeof(secret);
		CHECK(context && EVP_PKEY_derive_init(context) == 1 &&
		      EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1 &&
		      EVP_PKEY_derive(context, secret, &length) == 1);
		EVP_PKEY_CTX_free(context);
		count++;
	}
	printf("p256_per_s %.0f\n", (double)count / (now_s() - begun));
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
}

int main(int argc, char **argv)
{
	double seconds = argc == 4 ? strtod(argv[2], NULL) : 0;
	double rate = argc == 4 ? strtod(argv[3], NULL) : 0;

	if (seconds <= 0 || rate <= 0) {
		fputs("usage: limits FOLDER SECONDS PAYMENTS_A_SECOND\n", stderr);
		return 2;
	}
	commit(argv[1], 1, seconds);
	commit(argv[1], 64, seconds);
	sync_alone(argv[1], seconds);
	sync_twice(argv[1], 2 * seconds, rate);
	agree(seconds);
	return 0;
}
