// `onfile connection add|set|show`: the driver says which parameters it needs; they come from
// options, files, standard input or the person at the terminal; vault seals them through root's
// socket; core stores the blob. What vault shows again are the parameters that the driver did not
// call secret.
#include "ask.h"
#include "run_driver.h"
#include "seal.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ASKED_TIMES = 3 };

// What a new or changed connection is made of.
struct draft {
	struct cli_call *call;
	struct cli_driver *driver;
	const struct cli_json *before; // what is shown of the connection that is changed; NULL: new
	struct bytes hidden;           // the names of what is not shown of it
	uint32_t user;                 // as whom its driver looks at the values
	struct buffer parameters, grants, shown, blob, arguments;
	struct cli_document given; // `parameters`, read again
};

static void draft_free(struct draft **draft)
{
	if (!*draft)
		return;
	cli_driver_done((*draft)->driver);
	free((*draft)->driver);
	buffer_done(&(*draft)->parameters);
	buffer_done(&(*draft)->grants);
	buffer_done(&(*draft)->shown);
	buffer_done(&(*draft)->blob);
	buffer_done(&(*draft)->arguments);
	cli_document_done(&(*draft)->given);
	free(*draft);
}

static struct draft *draft_new(struct cli_call *call)
{
	struct draft *draft = calloc(1, sizeof(*draft));
	struct cli_driver *driver = calloc(1, sizeof(*driver));

	if (!draft || !driver) {
		cli_fail(0, "no memory");
		free(draft);
		free(driver);
		return NULL;
	}
	draft->call = call;
	draft->driver = driver;
	draft->user = config_user(&call->config, CONFIG_USER_DRIVERS);
	buffer_init_secret(&draft->parameters, CLI_PARAMETERS_JSON_MAX);
	buffer_init(&draft->grants, CLI_GRANTS_MAX);
	buffer_init(&draft->shown, 2048);
	buffer_init(&draft->blob, CLI_BLOB_MAX);
	buffer_init(&draft->arguments, CLI_ARGUMENTS_MAX);
	return draft;
}

static bool names(struct bytes list, const char *word)
{
	while (list.length) {
		size_t length = bytes_find(list, ' ');
		if (bytes_equal_text(bytes_slice(list, 0, length), word))
			return true;
		list = bytes_slice(list, length + 1, list.length);
	}
	return false;
}

static bool had_before(const struct draft *draft, const struct cli_parameter *parameter)
{
	return cli_json_member(draft->before, parameter->name) ||
	       names(draft->hidden, parameter->name);
}

static void put_name(struct buffer *json, const struct cli_parameter *parameter)
{
	if (json->length > 1)
		buffer_put_byte(json, ',');
	json_put_text(json, bytes_text(parameter->name));
	buffer_put_byte(json, ':');
}

// Asks until the value fits, a few times.
static bool ask(struct draft *draft, const struct cli_parameter *parameter,
                char value[static CLI_VALUE_MAX + 1])
{
	char wanted[256] = "";

	if (!isatty(STDIN_FILENO)) {
		cli_fail(0, "the parameter %s is missing (--set %s=…)", parameter->name,
		         parameter->name);
		return false;
	}
	put_name(&draft->parameters, parameter);
	for (int i = 0; i < ASKED_TIMES; i++) {
		if (!cli_ask_person(parameter, wanted, value))
			break;
		if (cli_put_value(&draft->parameters, parameter, value, wanted))
			return true;
	}
	cli_fail(0, "there is no good value for %s", parameter->name);
	return false;
}

static bool put_given(struct draft *draft, const struct cli_parameter *parameter, const char *value)
{
	char wanted[256];

	put_name(&draft->parameters, parameter);
	if (cli_put_value(&draft->parameters, parameter, value, wanted))
		return true;
	cli_fail(0, "the parameter %s should be %s", parameter->name, wanted);
	return false;
}

// What the command line says of a parameter. False: the sentence was said.
static bool put_parameter(struct draft *draft, const struct cli_parameter *parameter,
                          char value[static CLI_VALUE_MAX + 1], bool *ret_missing)
{
	switch (cli_find_value(draft->call, parameter, value)) {
	case CLI_FOUND_BROKEN: return false;
	case CLI_FOUND_VALUE: return put_given(draft, parameter, value);
	case CLI_FOUND_EMPTY:
		*ret_missing = parameter->required;
		if (draft->before && !parameter->required) {
			put_name(&draft->parameters, parameter);
			buffer_put_text(&draft->parameters, "null");
		}
		return true;
	case CLI_FOUND_NOTHING:
		*ret_missing = parameter->required && !parameter->fallback &&
		               !had_before(draft, parameter);
	}
	return true;
}

// What was given is checked before anybody is asked for the rest.
static bool gather(struct draft *draft)
{
	const struct cli_driver *driver = draft->driver;
	struct buffer *json = &draft->parameters;
	bool missing[CLI_PARAMETERS_MAX] = { 0 };
	char value[CLI_VALUE_MAX + 1];
	bool good = true;

	buffer_put_byte(json, '{');
	for (int i = 0; i < driver->count && good; i++)
		good = put_parameter(draft, &driver->parameters[i], value, &missing[i]);
	for (int i = 0; i < driver->count && good; i++)
		good = !missing[i] || ask(draft, &driver->parameters[i], value);
	explicit_bzero(value, sizeof(value));
	buffer_put_byte(json, '}');
	if (good && json->failed)
		cli_fail(0, "the parameters together are longer than %d bytes",
		         CLI_PARAMETERS_JSON_MAX);
	return good && !json->failed;
}

// Everything that has to be known before vault seals.
static bool prepare(struct draft *draft)
{
	const struct cli_driver *driver = draft->driver;

	if (!cli_check_sets(draft->call, driver) || !gather(draft))
		return false;
	for (int i = 0; i < driver->count; i++)
		if (!driver->parameters[i].secret)
			buffer_printf(&draft->shown, "%s%s", draft->shown.length ? " " : "",
			              driver->parameters[i].name);
	if (!result_ok(cli_json_read(buffer_view(&draft->parameters), &draft->given)) ||
	    !cli_put_grants(&draft->grants, driver, &draft->given.nodes[0], draft->before))
		return false;
	// What is only sealed anew, for another file of its driver, is not judged.
	return (draft->before && !cli_option(draft->call, "set")) ||
	       cli_driver_check(draft->call,
	                        &(struct cli_checked){ .driver = driver,
	                                               .given = &draft->given.nodes[0],
	                                               .before = draft->before,
	                                               .kept = draft->hidden,
	                                               .grants = buffer_view(&draft->grants),
	                                               .user = draft->user });
}

static int send_to_core(struct draft *draft, const char *verb)
{
	const struct cli_call *call = draft->call;

	cli_put_argument(&draft->arguments, "name", call->name);
	if (draft->blob.length) {
		cli_put_argument(&draft->arguments, "driver", draft->driver->name);
		cli_put_argument(&draft->arguments, "kind", draft->driver->kind);
	}
	for (int i = 0; i < call->count; i++)
		if (strcmp(call->options[i].name, "policy") == 0)
			cli_put_argument(&draft->arguments, "policy", call->options[i].value);
	if (draft->arguments.failed)
		return cli_fail(CLI_USAGE, "the arguments are too long");
	return cli_command(call, verb, buffer_view(&draft->arguments), buffer_view(&draft->blob));
}

static bool seal(struct draft *draft, struct bytes base)
{
	return cli_seal(draft->call,
	                &(struct cli_seal){ .name = draft->call->name,
	                                    .driver = draft->driver->name,
	                                    .parameters = buffer_view(&draft->parameters),
	                                    .grants = buffer_view(&draft->grants),
	                                    .shown = buffer_view(&draft->shown),
	                                    .base = base },
	                &draft->blob);
}

// A driver is known by the name that it gives itself, which is that of its file.
static bool read_driver(struct draft *draft, const char *name)
{
	if (!cli_driver_read(draft->call, name, draft->driver))
		return false;
	if (strcmp(draft->driver->name, name) == 0)
		return true;
	cli_fail(0, "the driver in the file driver-%s calls itself %s; install it anew", name,
	         draft->driver->name);
	return false;
}

int cli_connection_add(struct cli_call *call)
{
	struct draft *draft cleanup(draft_free) = draft_new(call);

	if (!draft || !read_driver(draft, cli_option(call, "driver")) || !prepare(draft) ||
	    !seal(draft, BYTES_NONE))
		return CLI_FAILED;
	return send_to_core(draft, "connection add");
}

// --- changing and showing one

struct kept {
	char driver[65];
	uint32_t number; // of the connection
	struct buffer blob;
	struct cli_opened opened;
	struct cli_document document; // what is shown of it
};

static void kept_free(struct kept **kept)
{
	if (!*kept)
		return;
	buffer_done(&(*kept)->blob);
	cli_opened_done(&(*kept)->opened);
	cli_document_done(&(*kept)->document);
	free(*kept);
}

static struct kept *fetch(const struct cli_call *call)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->opened.channel.fd = -1;
	buffer_init(&kept->blob, CLI_BLOB_MAX);
	if (!cli_fetch_blob(call, call->name, kept->driver, &kept->number, &kept->blob) ||
	    !cli_open_blob(call, call->name, kept->driver, buffer_view(&kept->blob),
	                   &kept->opened)) {
		kept_free(&kept);
		return NULL;
	}
	if (kept->opened.problem.length ||
	    !result_ok(cli_json_read(kept->opened.parameters, &kept->document))) {
		cli_fail(0, "vault cannot open the connection: %.*s",
		         (int)kept->opened.problem.length, (const char *)kept->opened.problem.data);
		kept_free(&kept);
		return NULL;
	}
	return kept;
}

// Seals the connection anew: with other parameters, or because its driver was replaced.
static int set_parameters(struct cli_call *call)
{
	struct kept *kept cleanup(kept_free) = fetch(call);
	struct draft *draft cleanup(draft_free) = draft_new(call);
	const char *name = cli_option(call, "driver");

	if (!draft || !kept)
		return CLI_FAILED;
	draft->before = &kept->document.nodes[0];
	draft->hidden = kept->opened.hidden;
	if (call->config.users)
		draft->user = config_user_of_driver(&call->config, kept->number);
	if (!read_driver(draft, name ? name : kept->driver) || !prepare(draft) ||
	    !seal(draft, buffer_view(&kept->blob)))
		return CLI_FAILED;
	return send_to_core(draft, "connection set");
}

int cli_connection_set(struct cli_call *call)
{
	bool policy_alone = cli_option(call, "policy") && !cli_option(call, "set") &&
	                    !cli_option(call, "driver");

	if (!policy_alone)
		return set_parameters(call);
	struct draft *draft cleanup(draft_free) = draft_new(call);
	return draft ? send_to_core(draft, "connection set") : CLI_FAILED;
}

static void print_value(const struct cli_json *value)
{
	static const char *const words[] = {
		[CLI_JSON_NULL] = "-", [CLI_JSON_FALSE] = "no", [CLI_JSON_TRUE] = "yes"
	};
	const char *text = value->kind <= CLI_JSON_TRUE ? words[value->kind] : value->text;

	printf("  %-20s ", value->name);
	for (const char *c = text ? text : "?"; *c; c++)
		putchar((unsigned char)*c < 0x20 ? ' ' : *c);
	putchar('\n');
}

static void print_names(const char *format, struct bytes list, uint8_t between)
{
	while (list.length) {
		size_t length = bytes_find(list, between);
		printf(format, (int)length, (const char *)list.data);
		list = bytes_slice(list, length + 1, list.length);
	}
}

int cli_connection_show(struct cli_call *call)
{
	struct kept *kept cleanup(kept_free) = NULL;
	struct draft *draft cleanup(draft_free) = draft_new(call);
	int status = draft ? send_to_core(draft, "connection show") : CLI_FAILED;

	if (status != 0 || !(kept = fetch(call)))
		return status ? status : CLI_FAILED;
	printf("parameters\n");
	for (const struct cli_json *one = kept->document.nodes[0].first; one; one = one->next)
		print_value(one);
	print_names("  %-20.*s (set, not shown)\n", kept->opened.hidden, ' ');
	if (call->config.users)
		printf("the driver runs as the user with number %lu\n",
		       (unsigned long)config_user_of_driver(&call->config, kept->number));
	printf("the driver's sandbox lets it\n");
	print_names("  %.*s\n", kept->opened.grants, '\n');
	if (kept->opened.grants.length == 0)
		printf("  do nothing beyond its two pipes\n");
	if (kept->opened.same_file)
		return 0;
	return cli_fail(CLI_FAILED,
	                "the installed driver %s is not the file that this connection was sealed "
	                "for; when that is as you want it: onfile connection set %s",
	                kept->driver, call->name);
}
