// What runs begin with: stores with a merchant, its key, connections with a policy, made once in a
// process by the store's own code; core's configuration.
#include "host.h"

#include "parts.h"

#include "base/check.h"
#include "crypto/mac.h"
#include "disk.h"
#include "store/log.h"

static void add_key(struct core *core, int64_t merchant, const char *key)
{
	uint8_t digest[CRYPTO_SHA256];

	crypto_sha256(bytes_text(key), digest);
	store_run(core->store, STORE_KEY_INSERT, STORE_B(BYTES_ARRAY(digest)),
	          STORE_N(core_next_id(core)), STORE_N(merchant), STORE_N(0), STORE_T("test"));
}

static const struct policy policies[DISK_VARIANTS] = {
	{ .json = "{}" },
	{ .json = "{\"refund_repeats\":true,\"release\":\"reversal\"}",
	  .refund_repeats = true,
	  .releases = true,
	  .directory = true },
	{ .json = "{\"single_message\":true,\"refund_repeats\":true}",
	  .refund_repeats = true,
	  .single = true,
	  .second = true },
	{ .json = "{\"release\":\"reversal\"}",
	  .releases = true,
	  .directory = true,
	  .second = true },
};

static void add_connection(struct core *core, int number, const char *name, const char *kind,
                           const char *policy)
{
	store_run(core->store, STORE_CONNECTION_INSERT, STORE_N(number), STORE_T(name),
	          STORE_T("simulated"), STORE_T(kind), STORE_B(BYTES_LITERAL("blob")),
	          STORE_T(policy));
}

static void prepare(int variant)
{
	struct core core = { 0 };
	uint8_t id_key[32];

	CHECK(result_ok(store_open("onfile.db", &core.store)));
	memset(id_key, 7, sizeof(id_key));
	store_set_setting(core.store, "id_key", BYTES_ARRAY(id_key));
	struct merchant merchant = { .id = 1,
		                     .name = "Simulated shop",
		                     .mcc = "5999",
		                     .url = "https://shop.example",
		                     .country = "643",
		                     .bank_id = "000000000000001",
		                     .support = "help@shop.example" };
	store_insert(core.store, STORE_MERCHANTS, &merchant);
	add_key(&core, 1, SIM_KEY);
	add_connection(&core, 1, "bank", "bank", policies[variant].json);
	if (policies[variant].directory)
		add_connection(&core, 2, "directory", "authentication", "{}");
	if (policies[variant].second)
		add_connection(&core, 3, "second", "bank", policies[variant].json);
	CHECK(result_ok(store_commit(core.store)));
	store_close(core.store);
	disk_keep(variant);
}

void host_prepare(void)
{
	disk_register();
	chance_seed(1);
	for (int i = 0; i < DISK_VARIANTS; i++) {
		disk_reset(i);
		prepare(i);
	}
}

void host_choose_store(void)
{
	int variant = chance_of(400) ? 0 : (int)chance_below(DISK_VARIANTS);

	disk_reset(variant);
	sim.policy = &policies[variant];
	// Logs here are short: they are copied and begun anew earlier.
	store_log_limits.copy = (int[]){ 10, 40, 200 }[chance_below(3)];
	store_log_limits.rest = (int[]){ 5, 40 }[chance_below(2)];
	store_log_limits.anew = store_log_limits.copy * (int[]){ 2, 4 }[chance_below(2)];
}

void host_configure(struct config *config)
{
	// As src/lib/config/keys.def has them, but for the guards: they are not what is looked for.
#define CONFIG_TEXT(member, key, standard)                                                         \
	bytes_copy_text(bytes_text(standard), config->member, sizeof(config->member));
#define CONFIG_NUMBER(member, key, standard, least, most) config->member = standard;
#define CONFIG_FLAG(member, key, standard, yes, no) config->member = standard;
#include "config/keys.def"
#undef CONFIG_TEXT
#undef CONFIG_NUMBER
#undef CONFIG_FLAG
	config->guard_refused_per_customer = config->guard_cards_per_day = 0;
	config->guard_refused_per_card_day = config->guard_refused_per_card_month = 0;
	config->guard_fraud_block_days = 0;
	config->guard_slow_percent = config->guard_proof_percent = 100;
	bytes_copy_text(BYTES_LITERAL("https://pay.example"), config->public_url,
	                sizeof(config->public_url));
	bytes_copy_text(BYTES_LITERAL("https://results.example"), config->results_url,
	                sizeof(config->results_url));
}
