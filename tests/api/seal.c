// Encrypts a card as a shopper's browser does, for tests that have no browser: the text on standard
// input becomes a compact JWE on standard output. usage: seal KID X Y
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/jwe.h"

#include <stdio.h>
#include <unistd.h>

static bool read_point(const char *x, const char *y, struct crypto_p256_point *ret_point)
{
	struct buffer bytes cleanup(buffer_done) = { 0 };

	buffer_init(&bytes, 64);
	if (!result_ok(base64url_read(bytes_text(x), &bytes)) ||
	    !result_ok(base64url_read(bytes_text(y), &bytes)) || bytes.length != 64)
		return false;
	memcpy(ret_point->x, bytes.data, 32);
	memcpy(ret_point->y, bytes.data + 32, 32);
	return true;
}

int main(int argc, char **argv)
{
	struct crypto_p256_point point;
	struct buffer plain cleanup(buffer_done) = { 0 };
	struct buffer jwe cleanup(buffer_done) = { 0 };
	char piece[1024];
	ssize_t got;

	buffer_init_secret(&plain, 8192);
	buffer_init(&jwe, 16384);
	if (argc != 4 || !read_point(argv[2], argv[3], &point)) {
		fputs("usage: seal KID X Y <text\n", stderr);
		return 2;
	}
	while ((got = read(0, piece, sizeof(piece))) > 0)
		buffer_put(&plain, bytes_from(piece, (size_t)got));
	crypto_jwe_seal(&point, bytes_text(argv[1]), buffer_view(&plain), &jwe);
	puts(buffer_text(&jwe));
	return result_ok(buffer_result(&plain)) && result_ok(buffer_result(&jwe)) ? 0 : 1;
}
