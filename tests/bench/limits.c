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

// What a payment waits for twice at the least: a small write into a file that is there already, and
// its fsync, at fixed times, with nothing else for the disk to do.
static void sync_alone(const char *folder, double seconds)
{
	enum { A_SECOND = 1000, WRITE = 12 * 1024, FILE_SIZE = 1024 * WRITE };
	int count = (int)(seconds * A_SECOND);
	double *took_s = calloc((size_t)count, sizeof(*took_s));
	char path[512], block[WRITE] = { 1 };

	snprintf(path, sizeof(path), "%s/limit-fsync", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(took_s && fd >= 0 && count > 0);
	for (off_t at = 0; at < FILE_SIZE; at += WRITE)
		CHECK(pwrite(fd, block, WRITE, at) == WRITE);
	CHECK(fsync(fd) == 0);
	double begun = now_s();
	for (int i = 0; i < count; i++) {
		wait_until(begun + (double)i / A_SECOND);
		double written = now_s();
		CHECK(pwrite(fd, block, WRITE, (off_t)i * WRITE % FILE_SIZE) == WRITE &&
		      fdatasync(fd) == 0);
		took_s[i] = now_s() - written;
	}
	qsort(took_s, (size_t)count, sizeof(*took_s), compare);
	printf("fsync_alone_p50_ms %.3f\n", took_s[count / 2] * 1e3);
	printf("fsync_alone_p99_ms %.3f\n", took_s[count * 99LL / 100] * 1e3);
	printf("fsync_alone_p999_ms %.3f\n", took_s[count * 999LL / 1000] * 1e3);
	close(fd);
	remove(path);
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
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0;

	if (seconds <= 0) {
		fputs("usage: limits FOLDER SECONDS\n", stderr);
		return 2;
	}
	commit(argv[1], 1, seconds);
	commit(argv[1], 64, seconds);
	sync_alone(argv[1], seconds);
	agree(seconds);
	return 0;
}
