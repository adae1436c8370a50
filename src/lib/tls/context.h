// Inside of lib/tls.
#pragma once

#include "tls/tls.h"

#include <openssl/ssl.h>

struct tls_context {
	SSL_CTX *ssl;
};
