// When a field must be there, and what must hold between fields and between request and answer.
// EMV 3-D Secure 2.2.0 annex A.4, column "conditional inclusion", and table A.17 (transStatus).

#include "emv3ds/table.h"

#include <stdio.h>
#include <stdlib.h>

static bool is(const json_t *message, const char *name, const char *value)
{
	return strcmp(emv3ds_text(message, name), value) == 0;
}

// True when the member is one character out of `letters`.
static bool one_of(const json_t *message, const char *name, const char *letters)
{
	const char *text = emv3ds_text(message, name);

	return strlen(text) == 1 && strchr(letters, text[0]) != NULL;
}

static bool is_payment(const json_t *message, const struct emv3ds_known *known)
{
	const char *category = emv3ds_text(message, "messageCategory");

	if (!*category && known->category)
		category = known->category;
	return strcmp(category, "01") == 0;
}

static enum emv3ds_presence required_if(bool condition)
{
	return condition ? REQUIRED : OPTIONAL;
}

static enum emv3ds_presence if_script(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(json_is_true(json_object_get(message, "browserJavascriptEnabled")));
}

static enum emv3ds_presence if_payment(const json_t *message, const struct emv3ds_known *known)
{
	return required_if(is_payment(message, known));
}

static enum emv3ds_presence if_recurring(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(is(message, "threeDSRequestorAuthenticationInd", "02") ||
	                   is(message, "threeDSRequestorAuthenticationInd", "03"));
}

static enum emv3ds_presence if_purchase(const json_t *message, const struct emv3ds_known *known)
{
	return is_payment(message, known) ? REQUIRED : if_recurring(message, known);
}

static enum emv3ds_presence if_instalment(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(is(message, "threeDSRequestorAuthenticationInd", "03"));
}

static enum emv3ds_presence if_decoupled_asked(const json_t *message,
                                               const struct emv3ds_known *known)
{
	(void)known;
	return is(message, "threeDSRequestorDecReqInd", "Y") ? REQUIRED : FORBIDDEN;
}

static enum emv3ds_presence if_token(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(json_is_true(json_object_get(message, "payTokenInd")));
}

static enum emv3ds_presence if_ship_state(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(json_object_get(message, "shipAddrState") != NULL);
}

static enum emv3ds_presence if_list(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(json_object_get(message, "whiteListStatus") != NULL);
}

static enum emv3ds_presence if_at_acs(const json_t *message, const struct emv3ds_known *known)
{
	(void)message;
	return required_if(known->reader == EMV3DS_AT_ACS);
}

static enum emv3ds_presence if_challenged(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(one_of(message, "transStatus", "CD"));
}

static enum emv3ds_presence if_decoupled(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(is(message, "transStatus", "D"));
}

static enum emv3ds_presence if_challenge(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return is(message, "transStatus", "C") ? REQUIRED : FORBIDDEN;
}

static enum emv3ds_presence if_confirmed(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(is(message, "acsDecConInd", "Y"));
}

static enum emv3ds_presence if_proved(const json_t *message, const struct emv3ds_known *known)
{
	if (!one_of(message, "transStatus", "YA"))
		return FORBIDDEN;
	return required_if(is_payment(message, known));
}

static enum emv3ds_presence if_refused(const json_t *message, const struct emv3ds_known *known)
{
	return required_if(is_payment(message, known) && one_of(message, "transStatus", "NUR"));
}

static enum emv3ds_presence if_decided(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(one_of(message, "transStatus", "YN"));
}

static enum emv3ds_presence if_interactive(const json_t *message, const struct emv3ds_known *known)
{
	(void)message;
	return required_if(!known->decoupled);
}

static enum emv3ds_presence if_timed_out(const json_t *message, const struct emv3ds_known *known)
{
	(void)known;
	return required_if(is(message, "transStatusReason", "14"));
}

static enum emv3ds_presence (*const needs[])(const json_t *, const struct emv3ds_known *) = {
	[NEED_SCRIPT] = if_script,
	[NEED_PAYMENT] = if_payment,
	[NEED_PURCHASE] = if_purchase,
	[NEED_INSTALMENT] = if_instalment,
	[NEED_RECURRING] = if_recurring,
	[NEED_DECOUPLED_TIME] = if_decoupled_asked,
	[NEED_TOKEN_SOURCE] = if_token,
	[NEED_SHIP_COUNTRY] = if_ship_state,
	[NEED_LIST_SOURCE] = if_list,
	[NEED_FROM_DIRECTORY] = if_at_acs,
	[NEED_CHALLENGED] = if_challenged,
	[NEED_DECOUPLED] = if_decoupled,
	[NEED_CHALLENGE_URL] = if_challenge,
	[NEED_CONFIRMATION] = if_confirmed,
	[NEED_PROOF] = if_proved,
	[NEED_REASON] = if_refused,
	[NEED_METHOD] = if_decided,
	[NEED_COUNTER] = if_interactive,
	[NEED_CANCEL] = if_timed_out,
};

enum emv3ds_presence emv3ds_presence(enum emv3ds_need need, const json_t *message,
                                     const struct emv3ds_known *known)
{
	if (need == NEED_ALWAYS || need == NEED_NEVER)
		return need == NEED_ALWAYS ? REQUIRED : OPTIONAL;
	return needs[need](message, known);
}

void emv3ds_blame(struct emv3ds_problem *problem, enum emv3ds_code code, const char *parent,
                  const char *name)
{
	size_t used = strlen(problem->detail);
	size_t need = strlen(parent) + strlen(name) + 3;

	if (problem->code != EMV3DS_FINE && problem->code != code)
		return;
	problem->code = code;
	// Names past the end are left out whole: a list cut in a name would name a wrong field.
	if (used + need <= sizeof(problem->detail))
		snprintf(problem->detail + used, sizeof(problem->detail) - used, "%s%s%s%s",
		         used ? "," : "", parent, *parent ? "." : "", name);
}

static void areq_rules(const json_t *message, const struct emv3ds_known *known,
                       struct emv3ds_problem *problem)
{
	const char *minutes = emv3ds_text(message, "threeDSRequestorDecMaxTime");
	const char *instalments = emv3ds_text(message, "purchaseInstalData");
	unsigned long asked = strtoul(minutes, NULL, 10);

	(void)known;
	if (*minutes && (asked < 1 || asked > 10080))
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "threeDSRequestorDecMaxTime");
	if (*instalments && strtoul(instalments, NULL, 10) < 2)
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "purchaseInstalData");
}

static void ares_rules(const json_t *message, const struct emv3ds_known *known,
                       struct emv3ds_problem *problem)
{
	const char *asked = known->challenge ? known->challenge : "01";
	bool informational = strcmp(asked, "05") == 0 || strcmp(asked, "06") == 0 ||
	                     strcmp(asked, "07") == 0 || asked[0] >= '8';

	if (is(message, "transStatus", "D") &&
	    (!known->decoupled_asked || !is(message, "acsDecConInd", "Y")))
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "transStatus");
	if (is(message, "transStatus", "I") && !informational)
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "transStatus");
	if (is(message, "transStatus", "C") && strcmp(asked, "06") == 0)
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "transStatus");
}

static void pres_rules(const json_t *message, const struct emv3ds_known *known,
                       struct emv3ds_problem *problem)
{
	size_t index;
	json_t *range;

	(void)known;
	json_array_foreach(json_object_get(message, "cardRangeData"), index, range)
	{
		const char *start = emv3ds_text(range, "startRange");
		const char *end = emv3ds_text(range, "endRange");

		if (strlen(start) != strlen(end) || strcmp(start, end) > 0) {
			emv3ds_blame(problem, EMV3DS_FORMAT, "cardRangeData", "endRange");
			return;
		}
	}
}

static void rreq_rules(const json_t *message, const struct emv3ds_known *known,
                       struct emv3ds_problem *problem)
{
	if (known->category && !is(message, "messageCategory", known->category))
		emv3ds_blame(problem, EMV3DS_TRANSACTION_DATA, "", "messageCategory");
}

void emv3ds_rules(enum emv3ds_type type, const json_t *message, const struct emv3ds_known *known,
                  struct emv3ds_problem *problem)
{
	static void (*const rules[EMV3DS_TYPES])(const json_t *, const struct emv3ds_known *,
	                                         struct emv3ds_problem *) = {
		[EMV3DS_AREQ] = areq_rules,
		[EMV3DS_ARES] = ares_rules,
		[EMV3DS_PRES] = pres_rules,
		[EMV3DS_RREQ] = rreq_rules,
	};

	if (rules[type])
		rules[type](message, known, problem);
}
