// Policies: what is stored, what an operator writes, what holds for a connection that says nothing.
#include "core/policy.h"

#include "base/cleanup.h"
#include "base/tap.h"

static bool change(struct buffer *json, const char *setting)
{
	char wanted[256];

	return policy_change(json, setting, wanted);
}

TEST(an_empty_policy_is_the_default)
{
	struct connection_policy policy, other;

	policy_init(&policy);
	EXPECT(result_ok(policy_read(BYTES_LITERAL("{}"), &other)));
	EXPECT(memcmp(&policy, &other, sizeof(policy)) == 0);
	EXPECT(result_ok(policy_read(BYTES_NONE, &other)));
	EXPECT(policy.priority == 100 && policy.hold_days == 7 && policy.late_window_s == 60);
	EXPECT(policy.release == RELEASE_FINAL && !policy.single_message && !policy.refund_repeats);
	EXPECT(policy_lists(policy.brands, "visa") && policy_lists(policy.merchants, "1"));
}

TEST(what_an_operator_sets_is_read_back)
{
	struct buffer json cleanup(buffer_done) = { 0 };
	struct buffer text cleanup(buffer_done) = { 0 };
	struct connection_policy policy;

	buffer_init(&json, POLICY_TEXT_MAX);
	buffer_init(&text, POLICY_TEXT_MAX);
	EXPECT(change(&json, "brands=visa,mir") && change(&json, "currencies=rub"));
	EXPECT(change(&json, "merchants=12,3") && change(&json, "priority=5"));
	EXPECT(change(&json, "refund_repeats=yes") && change(&json, "release=reversal"));
	EXPECT(change(&json, "single_message=yes") && change(&json, "hold_days=30"));
	EXPECT(change(&json, "late_window_s=0") && change(&json, "single_message="));
	EXPECT(result_ok(policy_read(buffer_view(&json), &policy)));
	EXPECT(policy_lists(policy.brands, "visa") && policy_lists(policy.brands, "mir"));
	EXPECT(!policy_lists(policy.brands, "vis") && !policy_lists(policy.brands, "isa"));
	EXPECT(!policy_lists(policy.brands, "") && !policy_lists(policy.merchants, "1"));
	EXPECT(policy_lists(policy.merchants, "12") && !policy_lists(policy.currencies, "eur"));
	policy_put(&text, &policy);
	EXPECT(strcmp(buffer_text(&text),
	              "brands=visa,mir currencies=rub merchants=12,3 priority=5 late_window_s=0 "
	              "hold_days=30 refund_repeats=yes release=reversal single_message=no ") == 0);
}

TEST(what_does_not_fit_changes_nothing_and_says_what_would)
{
	static const char *const bad[] = {
		"brands=visa,",
		"brands=,visa",
		"brands=VISA",
		"currencies=rubles",
		"merchants=one",
		"priority=-1",
		"priority=1.5",
		"priority=1000001",
		"hold_days=0",
		"refund_repeats=1",
		"colour=blue",
		"priority",
		"late_window_s=1e3",
		"=",
		"",
		"merchants=1,,2",
		"single_message=ja",
		"release=later",
		"priority= 5",
	};
	struct buffer json cleanup(buffer_done) = { 0 };
	char wanted[256];

	buffer_init(&json, POLICY_TEXT_MAX);
	EXPECT(change(&json, "priority=7"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wanted[0] = '\0';
		EXPECT(!policy_change(&json, bad[i], wanted));
		EXPECT(wanted[0] != '\0');
		EXPECT(strcmp(buffer_text(&json), "{\"priority\":7}") == 0);
	}
}

TEST(a_list_that_is_too_long_is_refused)
{
	struct buffer json cleanup(buffer_done) = { 0 };
	char setting[600] = "merchants=1";

	buffer_init(&json, POLICY_TEXT_MAX);
	for (size_t length = strlen(setting); length < 500; length += 12)
		memcpy(setting + length, ",12345678901", 13);
	EXPECT(!change(&json, setting));
	EXPECT(json.length == 0);
}

TEST(a_stored_text_of_another_shape_gives_the_default)
{
	static const char *const bad[] = {
		"[]",
		"{",
		"{\"brands\":\"visa\"}",
		"{\"priority\":1,\"priority\":2}",
		"{\"priority\":\"1\"}",
		"{\"colour\":1}",
		"{\"release\":0}",
		"{\"brands\":[1]}",
	};
	struct connection_policy policy, standard;

	policy_init(&standard);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT(!result_ok(policy_read(bytes_text(bad[i]), &policy)));
		EXPECT(memcmp(&policy, &standard, sizeof(policy)) == 0);
	}
}

TAP_MAIN
