// The fields of every message: name, when it is needed, how it looks, its bounds and its values.
// The browser channel (02) is the only one here; a field of the other channels passes as unknown.
// EMV 3-D Secure 2.2.0 annex A.4 (fields), annex B (messages).

#include "emv3ds/table.h"

#define END                                                                                        \
	{                                                                                          \
		NULL                                                                               \
	}
#define RESERVED " 80-99"

static const struct emv3ds_field phone_fields[] = {
	{ "cc", NEED_ALWAYS, FORMAT_DIGITS, 1, 3 },
	{ "subscriber", NEED_ALWAYS, FORMAT_DIGITS, 1, 12 },
	END,
};

static const struct emv3ds_field account_fields[] = {
	{ "chAccAgeInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04 05" },
	{ "chAccDate", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "chAccChangeInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04" },
	{ "chAccChange", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "chAccPwChangeInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04 05" },
	{ "chAccPwChange", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "shipAddressUsageInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04" },
	{ "shipAddressUsage", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "txnActivityDay", NEED_NEVER, FORMAT_DIGITS, 1, 3 },
	{ "txnActivityYear", NEED_NEVER, FORMAT_DIGITS, 1, 3 },
	{ "provisionAttemptsDay", NEED_NEVER, FORMAT_DIGITS, 1, 3 },
	{ "nbPurchaseAccount", NEED_NEVER, FORMAT_DIGITS, 1, 4 },
	{ "suspiciousAccActivity", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02" },
	{ "shipNameIndicator", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02" },
	{ "paymentAccInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04 05" },
	{ "paymentAccAge", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "chAccReqID", NEED_NEVER, FORMAT_TEXT, 1, 64 },
	END,
};

static const struct emv3ds_field risk_fields[] = {
	{ "shipIndicator", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04 05 06 07" },
	{ "deliveryTimeframe", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04" },
	{ "deliveryEmailAddress", NEED_NEVER, FORMAT_EMAIL, 1, 254 },
	{ "reorderItemsInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02" },
	{ "preOrderPurchaseInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02" },
	{ "preOrderDate", NEED_NEVER, FORMAT_DATE, 8, 8 },
	{ "giftCardAmount", NEED_NEVER, FORMAT_DIGITS, 1, 15 },
	{ "giftCardCurr", NEED_NEVER, FORMAT_CURRENCY, 3, 3 },
	{ "giftCardCount", NEED_NEVER, FORMAT_DIGITS, 2, 2 },
	END,
};

static const struct emv3ds_field requestor_fields[] = {
	{ "threeDSReqAuthMethod", NEED_NEVER, FORMAT_TEXT, 2, 2,
	  "01 02 03 04 05 06 07 08" RESERVED },
	{ "threeDSReqAuthTimestamp", NEED_NEVER, FORMAT_MINUTE, 12, 12 },
	{ "threeDSReqAuthData", NEED_NEVER, FORMAT_TEXT, 1, 20000 },
	END,
};

static const struct emv3ds_field prior_fields[] = {
	{ "threeDSReqPriorRef", NEED_NEVER, FORMAT_TEXT, 1, 36 },
	{ "threeDSReqPriorAuthMethod", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03 04" RESERVED },
	{ "threeDSReqPriorAuthTimestamp", NEED_NEVER, FORMAT_MINUTE, 12, 12 },
	{ "threeDSReqPriorAuthData", NEED_NEVER, FORMAT_TEXT, 1, 2048 },
	END,
};

static const struct emv3ds_field extension_fields[] = {
	{ "name", NEED_ALWAYS, FORMAT_TEXT, 1, 64 },
	{ "id", NEED_ALWAYS, FORMAT_TEXT, 1, 64 },
	{ "criticalityIndicator", NEED_ALWAYS, FORMAT_BOOLEAN },
	{ "data", NEED_ALWAYS, FORMAT_ANY },
	END,
};

#define EXTENSIONS                                                                                 \
	{                                                                                          \
		"messageExtension", NEED_NEVER, FORMAT_OBJECTS, 1, 10, NULL, extension_fields      \
	}
#define HEAD(type)                                                                                 \
	{ "messageType", NEED_ALWAYS, FORMAT_TEXT, 4, 4, type },                                   \
	        { "messageVersion", NEED_ALWAYS, FORMAT_VERSION, 5, 8 }, EXTENSIONS
#define TRANSACTION                                                                                \
	{                                                                                          \
		"threeDSServerTransID", NEED_ALWAYS, FORMAT_UUID, 36, 36                           \
	}
#define DS_TRANSACTION                                                                             \
	{                                                                                          \
		"dsTransID", NEED_ALWAYS, FORMAT_UUID, 36, 36                                      \
	}
#define ACS_TRANSACTION                                                                            \
	{                                                                                          \
		"acsTransID", NEED_ALWAYS, FORMAT_UUID, 36, 36                                     \
	}
#define REASONS                                                                                    \
	"01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26" RESERVED

static const struct emv3ds_field preq_fields[] = {
	HEAD("PReq"),
	TRANSACTION,
	{ "threeDSServerRefNumber", NEED_ALWAYS, FORMAT_TEXT, 1, 32 },
	{ "threeDSServerOperatorID", NEED_NEVER, FORMAT_TEXT, 1, 32 },
	{ "serialNum", NEED_NEVER, FORMAT_TEXT, 1, 20 },
	END,
};

static const struct emv3ds_field range_fields[] = {
	{ "startRange", NEED_ALWAYS, FORMAT_CARD, 13, 19 },
	{ "endRange", NEED_ALWAYS, FORMAT_CARD, 13, 19 },
	{ "actionInd", NEED_NEVER, FORMAT_TEXT, 1, 1, "A D M" },
	{ "acsStartProtocolVersion", NEED_ALWAYS, FORMAT_VERSION, 5, 8 },
	{ "acsEndProtocolVersion", NEED_ALWAYS, FORMAT_VERSION, 5, 8 },
	{ "dsStartProtocolVersion", NEED_NEVER, FORMAT_VERSION, 5, 8 },
	{ "dsEndProtocolVersion", NEED_NEVER, FORMAT_VERSION, 5, 8 },
	{ "threeDSMethodURL", NEED_NEVER, FORMAT_URL, 1, 256 },
	{ "acsInfoInd", NEED_NEVER, FORMAT_TEXTS, 1, 99, "01 02 03 04" RESERVED },
	END,
};

static const struct emv3ds_field pres_fields[] = {
	HEAD("PRes"),
	TRANSACTION,
	DS_TRANSACTION,
	{ "serialNum", NEED_NEVER, FORMAT_TEXT, 1, 20 },
	{ "dsStartProtocolVersion", NEED_ALWAYS, FORMAT_VERSION, 5, 8 },
	{ "dsEndProtocolVersion", NEED_ALWAYS, FORMAT_VERSION, 5, 8 },
	{ "cardRangeData", NEED_NEVER, FORMAT_OBJECTS, 1, 0, NULL, range_fields },
	END,
};

static const struct emv3ds_field areq_fields[] = {
	HEAD("AReq"),
	TRANSACTION,
	{ "deviceChannel", NEED_ALWAYS, FORMAT_TEXT, 2, 2, "02" },
	{ "messageCategory", NEED_ALWAYS, FORMAT_TEXT, 2, 2, "01 02" },
	// the card
	{ "acctNumber", NEED_ALWAYS, FORMAT_CARD, 13, 19 },
	{ "cardExpiryDate", NEED_NEVER, FORMAT_MONTH, 4, 4 },
	{ "cardholderName", NEED_NEVER, FORMAT_TEXT, 2, 45 },
	{ "acctType", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	{ "acctID", NEED_NEVER, FORMAT_TEXT, 1, 64 },
	{ "acctInfo", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL, account_fields },
	{ "payTokenInd", NEED_NEVER, FORMAT_BOOLEAN },
	{ "payTokenSource", NEED_TOKEN_SOURCE, FORMAT_TEXT, 2, 2, "01 02" RESERVED },
	// the requestor, its server and the acquirer
	{ "threeDSRequestorID", NEED_ALWAYS, FORMAT_TEXT, 1, 35 },
	{ "threeDSRequestorName", NEED_ALWAYS, FORMAT_TEXT, 1, 40 },
	{ "threeDSRequestorURL", NEED_ALWAYS, FORMAT_URL, 1, 2048 },
	{ "threeDSServerRefNumber", NEED_ALWAYS, FORMAT_TEXT, 1, 32 },
	{ "threeDSServerOperatorID", NEED_NEVER, FORMAT_TEXT, 1, 32 },
	{ "threeDSServerURL", NEED_ALWAYS, FORMAT_URL, 1, 2048 },
	{ "acquirerBIN", NEED_PAYMENT, FORMAT_TEXT, 1, 11 },
	{ "acquirerMerchantID", NEED_PAYMENT, FORMAT_TEXT, 1, 35 },
	{ "mcc", NEED_PAYMENT, FORMAT_DIGITS, 4, 4 },
	{ "merchantCountryCode", NEED_PAYMENT, FORMAT_COUNTRY, 3, 3 },
	{ "merchantName", NEED_PAYMENT, FORMAT_TEXT, 1, 40 },
	{ "merchantRiskIndicator", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL, risk_fields },
	// what is asked for
	{ "threeDSCompInd", NEED_ALWAYS, FORMAT_TEXT, 1, 1, "Y N U" },
	{ "threeDSRequestorAuthenticationInd", NEED_ALWAYS, FORMAT_TEXT, 2, 2,
	  "01 02 03 04 05 06" RESERVED },
	{ "threeDSRequestorAuthenticationInfo", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL,
	  requestor_fields },
	{ "threeDSRequestorPriorAuthenticationInfo", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL,
	  prior_fields },
	{ "threeDSReqAuthMethodInd", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	{ "threeDSRequestorChallengeInd", NEED_NEVER, FORMAT_TEXT, 2, 2,
	  "01 02 03 04 05 06 07 08 09" RESERVED },
	{ "threeDSRequestorDecReqInd", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N" },
	{ "threeDSRequestorDecMaxTime", NEED_DECOUPLED_TIME, FORMAT_DIGITS, 5, 5 },
	{ "notificationURL", NEED_ALWAYS, FORMAT_URL, 1, 256 },
	{ "whiteListStatus", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N E P R U" },
	{ "whiteListStatusSource", NEED_LIST_SOURCE, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	// the purchase
	{ "purchaseAmount", NEED_PURCHASE, FORMAT_DIGITS, 1, 48 },
	{ "purchaseCurrency", NEED_PURCHASE, FORMAT_CURRENCY, 3, 3 },
	{ "purchaseExponent", NEED_PURCHASE, FORMAT_DIGITS, 1, 1 },
	{ "purchaseDate", NEED_PURCHASE, FORMAT_SECOND, 14, 14 },
	{ "purchaseInstalData", NEED_INSTALMENT, FORMAT_DIGITS, 1, 3 },
	{ "recurringExpiry", NEED_RECURRING, FORMAT_DATE, 8, 8 },
	{ "recurringFrequency", NEED_RECURRING, FORMAT_DIGITS, 1, 4 },
	{ "transType", NEED_NEVER, FORMAT_TEXT, 2, 2, "01 03 10 11 28" },
	// the cardholder
	{ "addrMatch", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N" },
	{ "billAddrCity", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "billAddrCountry", NEED_NEVER, FORMAT_COUNTRY, 3, 3 },
	{ "billAddrLine1", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "billAddrLine2", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "billAddrLine3", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "billAddrPostCode", NEED_NEVER, FORMAT_TEXT, 1, 16 },
	{ "billAddrState", NEED_NEVER, FORMAT_TEXT, 1, 3 },
	{ "shipAddrCity", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "shipAddrCountry", NEED_SHIP_COUNTRY, FORMAT_COUNTRY, 3, 3 },
	{ "shipAddrLine1", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "shipAddrLine2", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "shipAddrLine3", NEED_NEVER, FORMAT_TEXT, 1, 50 },
	{ "shipAddrPostCode", NEED_NEVER, FORMAT_TEXT, 1, 16 },
	{ "shipAddrState", NEED_NEVER, FORMAT_TEXT, 1, 3 },
	{ "email", NEED_NEVER, FORMAT_EMAIL, 1, 254 },
	{ "homePhone", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL, phone_fields },
	{ "mobilePhone", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL, phone_fields },
	{ "workPhone", NEED_NEVER, FORMAT_OBJECT, 0, 0, NULL, phone_fields },
	// the browser
	{ "browserAcceptHeader", NEED_ALWAYS, FORMAT_TEXT, 1, 2048 },
	{ "browserUserAgent", NEED_ALWAYS, FORMAT_TEXT, 1, 2048 },
	{ "browserIP", NEED_NEVER, FORMAT_ADDRESS, 1, 45 },
	{ "browserLanguage", NEED_ALWAYS, FORMAT_TEXT, 1, 8 },
	{ "browserJavascriptEnabled", NEED_ALWAYS, FORMAT_BOOLEAN },
	{ "browserJavaEnabled", NEED_SCRIPT, FORMAT_BOOLEAN },
	{ "browserColorDepth", NEED_SCRIPT, FORMAT_TEXT, 1, 2, "1 4 8 15 16 24 32 48" },
	{ "browserScreenHeight", NEED_SCRIPT, FORMAT_DIGITS, 1, 6 },
	{ "browserScreenWidth", NEED_SCRIPT, FORMAT_DIGITS, 1, 6 },
	{ "browserTZ", NEED_SCRIPT, FORMAT_ZONE, 1, 5 },
	// what the directory server adds
	{ "dsReferenceNumber", NEED_FROM_DIRECTORY, FORMAT_TEXT, 1, 32 },
	{ "dsTransID", NEED_FROM_DIRECTORY, FORMAT_UUID, 36, 36 },
	{ "dsURL", NEED_FROM_DIRECTORY, FORMAT_URL, 1, 2048 },
	END,
};

static const struct emv3ds_field ares_fields[] = {
	HEAD("ARes"),
	TRANSACTION,
	DS_TRANSACTION,
	ACS_TRANSACTION,
	{ "acsReferenceNumber", NEED_ALWAYS, FORMAT_TEXT, 1, 32 },
	{ "dsReferenceNumber", NEED_ALWAYS, FORMAT_TEXT, 1, 32 },
	{ "acsOperatorID", NEED_NEVER, FORMAT_TEXT, 1, 32 },
	{ "transStatus", NEED_ALWAYS, FORMAT_TEXT, 1, 1, "Y N U A C D R I" },
	{ "transStatusReason", NEED_REASON, FORMAT_TEXT, 2, 2, REASONS },
	{ "acsChallengeMandated", NEED_CHALLENGED, FORMAT_TEXT, 1, 1, "Y N" },
	{ "acsDecConInd", NEED_DECOUPLED, FORMAT_TEXT, 1, 1, "Y N" },
	{ "acsURL", NEED_CHALLENGE_URL, FORMAT_URL, 1, 2048 },
	{ "authenticationType", NEED_CHALLENGED, FORMAT_TEXT, 2, 2, "01 02 03 04" RESERVED },
	{ "authenticationValue", NEED_PROOF, FORMAT_CAVV, 28, 28 },
	{ "eci", NEED_NEVER, FORMAT_TEXT, 2, 2 },
	{ "cardholderInfo", NEED_CONFIRMATION, FORMAT_TEXT, 1, 128 },
	{ "whiteListStatus", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N E P R U" },
	{ "whiteListStatusSource", NEED_LIST_SOURCE, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	END,
};

static const struct emv3ds_field creq_fields[] = {
	HEAD("CReq"),
	TRANSACTION,
	ACS_TRANSACTION,
	{ "challengeWindowSize", NEED_ALWAYS, FORMAT_TEXT, 2, 2, "01 02 03 04 05" },
	END,
};

// challengeCompletionInd belongs to the app channel, but access control servers send it here too.
static const struct emv3ds_field cres_fields[] = {
	HEAD("CRes"),
	TRANSACTION,
	ACS_TRANSACTION,
	{ "transStatus", NEED_ALWAYS, FORMAT_TEXT, 1, 1, "Y N" },
	{ "challengeCompletionInd", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N" },
	END,
};

static const struct emv3ds_field rreq_fields[] = {
	HEAD("RReq"),
	TRANSACTION,
	DS_TRANSACTION,
	ACS_TRANSACTION,
	{ "messageCategory", NEED_ALWAYS, FORMAT_TEXT, 2, 2, "01 02" },
	{ "transStatus", NEED_ALWAYS, FORMAT_TEXT, 1, 1, "Y N U A R" },
	{ "transStatusReason", NEED_REASON, FORMAT_TEXT, 2, 2, REASONS },
	{ "authenticationType", NEED_METHOD, FORMAT_TEXT, 2, 2, "01 02 03 04" RESERVED },
	{ "authenticationMethod", NEED_NEVER, FORMAT_TEXT, 2, 2,
	  "01 02 03 04 05 06 07 08 09 10 11 12" RESERVED },
	{ "authenticationValue", NEED_PROOF, FORMAT_CAVV, 28, 28 },
	{ "eci", NEED_NEVER, FORMAT_TEXT, 2, 2 },
	{ "challengeCancel", NEED_CANCEL, FORMAT_TEXT, 2, 2, "01 03 04 05 06 07 08" },
	{ "interactionCounter", NEED_COUNTER, FORMAT_DIGITS, 2, 2 },
	{ "whiteListStatus", NEED_NEVER, FORMAT_TEXT, 1, 1, "Y N E P R U" },
	{ "whiteListStatusSource", NEED_LIST_SOURCE, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	END,
};

static const struct emv3ds_field rres_fields[] = {
	HEAD("RRes"),
	TRANSACTION,
	DS_TRANSACTION,
	ACS_TRANSACTION,
	{ "resultsStatus", NEED_ALWAYS, FORMAT_TEXT, 2, 2, "01 02 03" RESERVED },
	END,
};

static const struct emv3ds_field erro_fields[] = {
	HEAD("Erro"),
	{ "threeDSServerTransID", NEED_NEVER, FORMAT_UUID, 36, 36 },
	{ "dsTransID", NEED_NEVER, FORMAT_UUID, 36, 36 },
	{ "acsTransID", NEED_NEVER, FORMAT_UUID, 36, 36 },
	{ "errorCode", NEED_ALWAYS, FORMAT_DIGITS, 3, 3 },
	{ "errorComponent", NEED_ALWAYS, FORMAT_TEXT, 1, 1, "C S D A" },
	{ "errorDescription", NEED_ALWAYS, FORMAT_TEXT, 1, 2048 },
	{ "errorDetail", NEED_ALWAYS, FORMAT_TEXT, 1, 2048 },
	{ "errorMessageType", NEED_NEVER, FORMAT_TEXT, 4, 4,
	  "PReq PRes AReq ARes CReq CRes RReq RRes Erro" },
	END,
};

const struct emv3ds_table emv3ds_tables[EMV3DS_TYPES] = {
	[EMV3DS_PREQ] = { "PReq", preq_fields }, [EMV3DS_PRES] = { "PRes", pres_fields },
	[EMV3DS_AREQ] = { "AReq", areq_fields }, [EMV3DS_ARES] = { "ARes", ares_fields },
	[EMV3DS_CREQ] = { "CReq", creq_fields }, [EMV3DS_CRES] = { "CRes", cres_fields },
	[EMV3DS_RREQ] = { "RReq", rreq_fields }, [EMV3DS_RRES] = { "RRes", rres_fields },
	[EMV3DS_ERRO] = { "Erro", erro_fields },
};
