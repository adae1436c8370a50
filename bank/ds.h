// The directory server: card ranges, AReq on to the access control server, RReq on to the shop's
// side. All of it over HTTP, with every check at every hop.
#pragma once

#include "web.h"

struct ds *ds_new(struct bank_web *web);
void ds_free(struct ds *ds);
