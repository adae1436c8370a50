// The developer's desk: what `onfile listen` and `onfile trigger` become once they have given up
// their rights. It links libcurl, which the command does not.
#pragma once

// `desk listen URL ARGUMENT…`: descriptor 3 is the operator's socket, connected; the arguments
// ("events=customer.created") are core's. Ends with the line, or by a signal.
int desk_listen(const char *url, int count, char **arguments);

// `desk trigger API EVENT CUSTOMER`: API is the address of the API ("http://127.0.0.1:8081"),
// CUSTOMER an id or empty. The key is in the environment, as ONFILE_API_KEY.
int desk_trigger(const char *api, const char *event, const char *customer);

// One sentence on standard error. Returns 1.
int desk_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
