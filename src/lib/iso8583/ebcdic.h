// EBCDIC code pages 037 and 1047 against Latin-1 (and so ASCII). Both are one to one. Inside the
// codec only.
#pragma once

#include <stdint.h>

enum iso8583_page { ISO8583_PAGE_037, ISO8583_PAGE_1047, ISO8583_PAGES };

extern const uint8_t iso8583_from_ebcdic[ISO8583_PAGES][256];
extern const uint8_t iso8583_to_ebcdic[ISO8583_PAGES][256];
