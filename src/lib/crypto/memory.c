// libcrypto's allocator, replaced by one that wipes.
#include "crypto/memory.h"

#include "base/secret.h"

#include <openssl/crypto.h>

static void *take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_malloc(size);
}

static void *resize(void *memory, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return secret_realloc(memory, size);
}

static void give_back(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	secret_free(memory);
}

struct result crypto_use_wiping_memory(void)
{
	if (CRYPTO_set_mem_functions(take, resize, give_back) != 1)
		return FAIL(ERROR_STATE, "libcrypto has taken memory already");
	return RESULT_OK;
}
