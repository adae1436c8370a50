// Which characters the types of dialect.h may hold. Inside the codec only.
#pragma once

#include "iso8583/dialect.h"

// True when every byte of the value may stand in a field of this type.
bool iso8583_fits_type(enum iso8583_type type, struct bytes value);
