// The two encodings that the browser carries, and addresses: base64url with its tolerant reader,
// and which URL may be used at all.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

// Reads base64url with or without padding, and skips line breaks and spaces (requirement 193);
// stray bits in the last character are taken too, as other implementations write them.
MUST_USE struct result emv3ds_base64url_read(struct bytes text, struct buffer *buffer);

// True for https URLs, and for http URLs whose host is loopback: `localhost`, `*.localhost`,
// 127.x.x.x or [::1]. No user information, no control characters, no spaces, no fragment.
bool emv3ds_url_ok(struct bytes url);

// The host of a URL that emv3ds_url_ok() took, without its port.
struct bytes emv3ds_url_host(struct bytes url);
// Its origin: scheme, host and port (`https://acs.example:8443`).
struct bytes emv3ds_url_origin(struct bytes url);

// True when the host is one that http may be spoken to, and that is this machine.
bool emv3ds_host_is_loopback(struct bytes host);
