// Reading a file from its beginning to its end. By lseek() and read(), which the jail allows.
#include "hash.h"

#include <errno.h>
#include <unistd.h>

enum { STEP = 32 * 1024, SIZE_LIMIT = 256 * 1024 * 1024 };

struct result vault_hash_file(int file, uint8_t ret_digest[static CRYPTO_SHA256])
{
	struct crypto_hash *hash = crypto_hash_new();
	uint8_t part[STEP];
	size_t size = 0;

	if (lseek(file, 0, SEEK_SET) != 0) {
		crypto_hash_end(hash, NULL);
		return FAIL(ERROR_SYSTEM, "the driver's program file cannot be read");
	}
	while (size < SIZE_LIMIT) {
		ssize_t got = read(file, part, sizeof(part));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			crypto_hash_end(hash, NULL);
			return FAIL(ERROR_SYSTEM, "the driver's program file cannot be read");
		}
		if (got == 0) {
			crypto_hash_end(hash, ret_digest);
			return RESULT_OK;
		}
		crypto_hash_add(hash, bytes_from(part, (size_t)got));
		size += (size_t)got;
	}
	crypto_hash_end(hash, NULL);
	return FAIL(ERROR_LIMIT, "the driver's program file is too large");
}
