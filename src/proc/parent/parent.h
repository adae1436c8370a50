// The parent: starts vault, core, courier and web, hands them their sockets and their lines to each
// other, starts drivers for vault, restarts what ends, answers root's control socket. It parses
// nothing from outside, and what its children send is checked like anything else: a child that
// breaks the catalogue is ended and started anew. ARCHITECTURE.md draws the programs;
// wire/catalogue.def has the messages.
#pragma once

#include "config/config.h"

// Serves until SIGTERM or SIGINT. Returns the exit status of the program; why it could not start is
// one sentence on standard error. `config_path` is handed to the programs; `own_folder` is where
// they are when the configuration does not say.
int parent_serve(const struct config *config, const char *config_path, const char *own_folder);

// A control socket's place under the folder `run`, through a descriptor of the folder, so that
// the length of its path does not matter. Shared with the command line.
enum { PARENT_SOCKET_PATH = 64 };
void parent_socket_path(int run_folder, const char *name, char ret_path[PARENT_SOCKET_PATH]);
#define PARENT_ROOT_SOCKET "root.sock"
#define PARENT_OPERATOR_SOCKET "operator.sock"
