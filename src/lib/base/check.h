// Assertions for programmer errors. They stay on in production: the parent restarts a program
// that stops. Whatever comes from outside is a result (result.h), never an assertion.
#pragma once

__attribute__((noreturn, cold)) void check_failed(const char *expression, const char *file,
                                                  int line);

#define CHECK(expression) ((expression) ? (void)0 : check_failed(#expression, __FILE__, __LINE__))
