// The checker of 3-D Secure messages: sound messages of every type pass, and one fault at a time is
// answered with the code that annex A.5.5 names.

#include "emv3ds/build.h"
#include "emv3ds/message.h"

#include "base/cleanup.h"
#include "base/tap.h"

#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

#define ID "1b8ac2f0-9b53-4a0e-8d3a-2f6c0a6d0c11"
#define DS_ID "3ac7caa7-aa42-2663-791b-2ac05a542c4a"
#define ACS_ID "108c0bcf-cfb5-542a-8000-000000233aad"
#define HEAD(type) "\"messageType\":\"" type "\",\"messageVersion\":\"2.2.0\","
#define IDS                                                                                        \
	"\"threeDSServerTransID\":\"" ID "\",\"dsTransID\":\"" DS_ID "\",\"acsTransID\":\"" ACS_ID \
	"\","

static const char areq[] = "{" HEAD(
        "AReq") "\"threeDSServerTransID\":\"" ID "\",\"deviceChannel\":\"02\","
                "\"messageCategory\":\"02\",\"acctNumber\":\"4000002500003155\","
                "\"threeDSRequestorID\":\"r\",\"threeDSRequestorName\":\"Shop\","
                "\"threeDSRequestorURL\":\"https://"
                "shop.example\",\"threeDSServerRefNumber\":\"ref\","
                "\"threeDSServerURL\":\"http://127.0.0.1:8082/results/x\",\"threeDSCompInd\":\"Y\","
                "\"threeDSRequestorAuthenticationInd\":\"04\","
                "\"notificationURL\":\"http://pay.localhost:8081/c/x\",\"browserAcceptHeader\":\"*/"
                "*\","
                "\"browserUserAgent\":\"Mozilla\",\"browserLanguage\":\"ru\","
                "\"browserJavascriptEnabled\":true,\"browserJavaEnabled\":false,"
                "\"browserColorDepth\":\"24\",\"browserScreenHeight\":\"800\","
                "\"browserScreenWidth\":\"360\",\"browserTZ\":\"-180\"}";
static const char ares[] = "{" HEAD("ARes") IDS
        "\"acsReferenceNumber\":\"a\",\"dsReferenceNumber\":\"d\","
        "\"transStatus\":\"C\",\"acsChallengeMandated\":\"Y\",\"authenticationType\":\"02\","
        "\"acsURL\":\"https://acs.example/challenge\"}";
static const char rreq[] =
        "{" HEAD("RReq") IDS "\"messageCategory\":\"02\",\"transStatus\":\"Y\","
                             "\"authenticationType\":\"02\",\"interactionCounter\":\"01\"}";
static const char pres[] = "{" HEAD(
        "PRes") "\"threeDSServerTransID\":\"" ID "\",\"dsTransID\":\"" DS_ID "\","
                "\"serialNum\":\"1\",\"dsStartProtocolVersion\":\"2.1.0\","
                "\"dsEndProtocolVersion\":\"2.2.0\",\"cardRangeData\":[{"
                "\"startRange\":\"4000000000000000\",\"endRange\":\"4999999999999999\","
                "\"acsStartProtocolVersion\":\"2.1.0\",\"acsEndProtocolVersion\":\"2.2.0\","
                "\"threeDSMethodURL\":\"https://acs.example/"
                "method\",\"acsInfoInd\":[\"01\",\"03\"]}]}";

// What most tests know: everything is accepted, at the server, for an add card.
static struct emv3ds_known known(void)
{
	return (struct emv3ds_known){ .reader = EMV3DS_AT_SERVER,
		                      .accepts = (1U << EMV3DS_TYPES) - 1,
		                      .category = "02" };
}

static struct emv3ds_problem read_text(const char *text, const struct emv3ds_known *with)
{
	struct emv3ds_reading reading = emv3ds_read(bytes_text(text), with);

	json_decref(reading.message);
	return reading.problem;
}

// Reads `text` after one member was set to a JSON value (NULL: taken out).
static struct emv3ds_problem changed(const char *text, const char *name, const char *value,
                                     const struct emv3ds_known *with)
{
	cleanup(cleanup_json) json_t *message = json_loads(text, 0, NULL);

	if (value)
		json_object_set_new(message, name, json_loads(value, JSON_DECODE_ANY, NULL));
	else
		json_object_del(message, name);
	return emv3ds_check(message, with, NULL);
}

static bool is(struct emv3ds_problem problem, enum emv3ds_code code, const char *detail)
{
	if (problem.code == code && strcmp(problem.detail, detail) == 0)
		return true;
	printf("# got %d \"%s\"\n", (int)problem.code, problem.detail);
	return false;
}

TEST(sound_messages_pass)
{
	static const char *const texts[] = {
		areq,
		ares,
		rreq,
		pres,
		"{" HEAD("PReq") "\"threeDSServerTransID\":\"" ID
		                 "\",\"threeDSServerRefNumber\":\"x\"}",
		"{" HEAD("CReq") "\"threeDSServerTransID\":\"" ID "\",\"acsTransID\":\"" ACS_ID
		                 "\",\"challengeWindowSize\":\"05\"}",
		"{" HEAD("CRes") "\"threeDSServerTransID\":\"" ID "\",\"acsTransID\":\"" ACS_ID
		                 "\",\"transStatus\":\"Y\",\"challengeCompletionInd\":\"Y\"}",
		"{" HEAD("RRes") IDS "\"resultsStatus\":\"01\"}",
		"{\"messageType\":\"Erro\",\"messageVersion\":\"2.3.1\",\"errorCode\":\"102\","
		"\"errorComponent\":\"D\",\"errorDescription\":\"d\",\"errorDetail\":\"2.3.1\"}",
	};
	struct emv3ds_known with = known();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT(is(read_text(texts[i], &with), EMV3DS_FINE, ""));
}

TEST(unknown_fields_pass)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "somethingNew", "{\"a\":[1]}", &with), EMV3DS_FINE, ""));
}

TEST(what_is_not_a_message_is_101)
{
	struct emv3ds_known with = known();

	EXPECT(read_text("", &with).code == EMV3DS_WRONG_TYPE);
	EXPECT(read_text("[]", &with).code == EMV3DS_WRONG_TYPE);
	EXPECT(read_text("{\"a\":", &with).code == EMV3DS_WRONG_TYPE);
	EXPECT(read_text("{}", &with).code == EMV3DS_WRONG_TYPE);
	EXPECT(changed(areq, "messageType", "\"XReq\"", &with).code == EMV3DS_WRONG_TYPE);
	with.accepts = EMV3DS_BIT(EMV3DS_ARES) | EMV3DS_BIT(EMV3DS_ERRO);
	EXPECT(read_text(areq, &with).code == EMV3DS_WRONG_TYPE);
	EXPECT(read_text(ares, &with).code == EMV3DS_FINE);
}

TEST(another_version_is_102_and_a_changed_one_203)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "messageVersion", "\"2.3.1\"", &with), EMV3DS_WRONG_VERSION,
	          "2.2.0"));
	with.version = "2.2.0";
	EXPECT(is(changed(ares, "messageVersion", "\"2.1.0\"", &with), EMV3DS_FORMAT,
	          "messageVersion"));
	EXPECT(is(changed(ares, "messageVersion", NULL, &with), EMV3DS_MISSING, "messageVersion"));
}

TEST(missing_fields_are_201_with_all_their_names)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "acctNumber", NULL, &with), EMV3DS_MISSING, "acctNumber"));
	EXPECT(is(changed(areq, "acctNumber", "\"\"", &with), EMV3DS_MISSING, "acctNumber"));
	EXPECT(is(changed(areq, "acctNumber", "null", &with), EMV3DS_MISSING, "acctNumber"));
	EXPECT(is(changed(areq, "messageCategory", "\"01\"", &with), EMV3DS_MISSING,
	          "acquirerBIN,acquirerMerchantID,mcc,merchantCountryCode,merchantName,"
	          "purchaseAmount,purchaseCurrency,purchaseExponent,purchaseDate"));
	EXPECT(is(changed(areq, "mobilePhone", "{\"cc\":\"7\"}", &with), EMV3DS_MISSING,
	          "mobilePhone.subscriber"));
	EXPECT(is(changed(ares, "acsURL", NULL, &with), EMV3DS_MISSING, "acsURL"));
	EXPECT(is(changed(rreq, "interactionCounter", NULL, &with), EMV3DS_MISSING,
	          "interactionCounter"));
	EXPECT(is(changed(rreq, "transStatusReason", "\"14\"", &with), EMV3DS_MISSING,
	          "challengeCancel"));
	EXPECT(is(read_text("{" HEAD("RRes") "\"resultsStatus\":\"01\"}", &with), EMV3DS_MISSING,
	          "threeDSServerTransID,dsTransID,acsTransID"));
}

TEST(conditions_depend_on_the_other_fields)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "browserTZ", NULL, &with), EMV3DS_MISSING, "browserTZ"));
	EXPECT(is(changed(areq, "threeDSRequestorDecReqInd", "\"Y\"", &with), EMV3DS_MISSING,
	          "threeDSRequestorDecMaxTime"));
	EXPECT(is(changed(areq, "threeDSRequestorDecMaxTime", "\"00010\"", &with), EMV3DS_FORMAT,
	          "threeDSRequestorDecMaxTime"));
	EXPECT(is(changed(ares, "transStatus", "\"Y\"", &with), EMV3DS_FORMAT, "acsURL"));
	with.category = "01";
	EXPECT(is(changed(rreq, "messageCategory", "\"01\"", &with), EMV3DS_MISSING,
	          "authenticationValue"));
	with.decoupled = true;
	EXPECT(is(changed(rreq, "interactionCounter", NULL, &with), EMV3DS_TRANSACTION_DATA,
	          "messageCategory"));
	with.category = "02";
	EXPECT(is(changed(rreq, "interactionCounter", NULL, &with), EMV3DS_FINE, ""));
	with = known();
	with.reader = EMV3DS_AT_ACS;
	EXPECT(is(read_text(areq, &with), EMV3DS_MISSING, "dsReferenceNumber,dsTransID,dsURL"));
}

TEST(malformed_values_are_203)
{
	static const char *const faults[][2] = {
		{ "acctNumber", "\"42424242\"" },
		{ "acctNumber", "\"4242 4242 4242 4242\"" },
		{ "acctNumber", "4242424242424242" },
		{ "threeDSServerTransID", "\"1b8ac2f0-9b53-4a0e-8d3a-2f6c0a6d0c1\"" },
		{ "threeDSServerTransID", "\"1b8ac2f09b53-4a0e-8d3a--2f6c0a6d0c11\"" },
		{ "notificationURL", "\"http://shop.example/back\"" },
		{ "notificationURL", "\"https://shop.example@evil.example/\"" },
		{ "notificationURL", "\"javascript:alert(1)\"" },
		{ "browserColorDepth", "\"30\"" },
		{ "browserLanguage", "\"zh-Hant-TW\"" },
		{ "browserJavascriptEnabled", "\"true\"" },
		{ "browserIP", "\"1.2.3.256\"" },
		{ "browserTZ", "\"+-10\"" },
		{ "threeDSCompInd", "\"X\"" },
		{ "threeDSRequestorChallengeInd", "\"10\"" },
		{ "cardExpiryDate", "\"3013\"" },
		{ "email", "\"nobody\"" },
		{ "email", "\"\"" },
		{ "cardholderName", "null" },
		{ "acctInfo", "{}" },
		{ "messageExtension", "[]" },
		{ "messageExtension", "[1]" },
		{ "purchaseDate", "\"20260231000000\"" },
		{ "purchaseDate", "\"20261124240000\"" },
	};
	struct emv3ds_known with = known();

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		EXPECT(is(changed(areq, faults[i][0], faults[i][1], &with), EMV3DS_FORMAT,
		          faults[i][0]));
	EXPECT(is(changed(areq, "acctInfo", "{\"chAccAgeInd\":\"09\"}", &with), EMV3DS_FORMAT,
	          "acctInfo.chAccAgeInd"));
}

TEST(reserved_values_and_long_texts_follow_the_table)
{
	struct emv3ds_known with = known();
	char name[128] = "\"";

	EXPECT(is(changed(areq, "threeDSRequestorChallengeInd", "\"82\"", &with), EMV3DS_FINE, ""));
	for (int i = 0; i < 45; i++) // 45 characters of two bytes each
		strcat(name, "я");
	strcat(name, "\"");
	EXPECT(is(changed(areq, "cardholderName", name, &with), EMV3DS_FINE, ""));
	name[strlen(name) - 1] = 0;
	strcat(name, "я\"");
	EXPECT(is(changed(areq, "cardholderName", name, &with), EMV3DS_FORMAT, "cardholderName"));
}

TEST(a_cavv_has_twenty_bytes)
{
	struct emv3ds_known with = known();
	static const char rest[] = "{" HEAD("RReq") IDS
	        "\"messageCategory\":\"02\",\"transStatus\":\"Y\",\"authenticationType\":\"02\","
	        "\"interactionCounter\":\"01\",\"authenticationValue\":\"%s\"}";
	char text[1024];

	snprintf(text, sizeof(text), rest, "AAABBZEEBgAAAAAAAAQGAAAAAAA=");
	EXPECT(is(read_text(text, &with), EMV3DS_FINE, ""));
	snprintf(text, sizeof(text), rest, "AAABBZEEBgAAAAAAAAQGAAAAAAAA");
	EXPECT(is(read_text(text, &with), EMV3DS_FORMAT, "authenticationValue"));
	EXPECT(is(changed(text, "transStatus", "\"N\"", &with), EMV3DS_FORMAT,
	          "authenticationValue"));
}

TEST(a_key_twice_is_204)
{
	struct emv3ds_known with = known();

	EXPECT(read_text("{\"messageType\":\"AReq\",\"messageType\":\"AReq\"}", &with).code ==
	       EMV3DS_DUPLICATE);
	EXPECT(read_text("{\"a\":{\"b\":1,\"b\":1}}", &with).code == EMV3DS_DUPLICATE);
}

TEST(a_critical_extension_is_202_and_another_passes)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "messageExtension",
	                  "[{\"name\":\"n\",\"id\":\"A000000003-1\",\"criticalityIndicator\":true,"
	                  "\"data\":{}}]",
	                  &with),
	          EMV3DS_CRITICAL_EXTENSION, "A000000003-1"));
	EXPECT(is(changed(areq, "messageExtension",
	                  "[{\"name\":\"n\",\"id\":\"i\",\"criticalityIndicator\":false,"
	                  "\"data\":{}}]",
	                  &with),
	          EMV3DS_FINE, ""));
}

TEST(forbidden_iso_codes_are_304)
{
	struct emv3ds_known with = known();

	EXPECT(is(changed(areq, "purchaseCurrency", "\"960\"", &with), EMV3DS_ISO_CODE,
	          "purchaseCurrency"));
	EXPECT(is(changed(areq, "merchantCountryCode", "\"901\"", &with), EMV3DS_ISO_CODE,
	          "merchantCountryCode"));
	EXPECT(is(changed(areq, "purchaseCurrency", "\"643\"", &with), EMV3DS_FINE, ""));
}

TEST(ids_of_another_transaction_are_301)
{
	struct emv3ds_known with = known();

	with.transaction = ID;
	with.ds_transaction = DS_ID;
	with.acs_transaction = ACS_ID;
	EXPECT(is(read_text(rreq, &with), EMV3DS_FINE, ""));
	EXPECT(is(changed(rreq, "acsTransID", "\"" ID "\"", &with), EMV3DS_UNKNOWN_ID,
	          "acsTransID"));
	EXPECT(is(changed(rreq, "threeDSServerTransID", "\"" DS_ID "\"", &with), EMV3DS_UNKNOWN_ID,
	          "threeDSServerTransID"));
	with.category = "01";
	EXPECT(is(read_text(rreq, &with), EMV3DS_TRANSACTION_DATA, "messageCategory"));
}

TEST(a_status_that_was_not_asked_for_is_refused)
{
	static const char decoupled[] = "{" HEAD("ARes") IDS
	        "\"acsReferenceNumber\":\"a\",\"dsReferenceNumber\":\"d\","
	        "\"transStatus\":\"D\",\"acsChallengeMandated\":\"Y\",\"authenticationType\":"
	        "\"04\","
	        "\"acsDecConInd\":\"Y\",\"cardholderInfo\":\"Open your bank's app.\"}";
	struct emv3ds_known with = known();

	EXPECT(is(read_text(decoupled, &with), EMV3DS_FORMAT, "transStatus"));
	with.decoupled_asked = true;
	EXPECT(is(read_text(decoupled, &with), EMV3DS_FINE, ""));
	EXPECT(is(changed(decoupled, "cardholderInfo", NULL, &with), EMV3DS_MISSING,
	          "cardholderInfo"));
	with.challenge = "06";
	EXPECT(is(read_text(ares, &with), EMV3DS_FORMAT, "transStatus"));
	EXPECT(is(changed(rreq, "transStatus", "\"C\"", &with), EMV3DS_FORMAT, "transStatus"));
}

TEST(ranges_in_a_pres_must_be_in_order)
{
	cleanup(cleanup_json) json_t *message = json_loads(pres, 0, NULL);
	json_t *range = json_array_get(json_object_get(message, "cardRangeData"), 0);
	struct emv3ds_known with = known();

	emv3ds_put(range, "endRange", "3999999999999999");
	EXPECT(is(emv3ds_check(message, &with, NULL), EMV3DS_FORMAT, "cardRangeData.endRange"));
}

TEST(an_erro_tells_what_was_wrong_and_passes_its_own_check)
{
	struct emv3ds_known with = known();
	struct emv3ds_reading reading;
	cleanup(cleanup_json) json_t *erro = NULL;

	reading = emv3ds_read(
	        bytes_text("{" HEAD("RRes") "\"dsTransID\":\"" DS_ID "\",\"acsTransID\":\"<b>\"}"),
	        &with);
	REQUIRE(reading.message != NULL);
	erro = emv3ds_erro('S', &reading.problem, reading.message, emv3ds_type_name(reading.type));
	json_decref(reading.message);
	EXPECT(is(emv3ds_check(erro, &with, NULL), EMV3DS_FINE, ""));
	EXPECT(strcmp(emv3ds_text(erro, "errorCode"), "201") == 0);
	EXPECT(strcmp(emv3ds_text(erro, "errorMessageType"), "RRes") == 0);
	EXPECT(strcmp(emv3ds_text(erro, "dsTransID"), DS_ID) == 0);
	EXPECT(json_object_get(erro, "acsTransID") == NULL);
}

TAP_MAIN
