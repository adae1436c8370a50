// The ids that a merchant sees of customers and cards, for rows whose keys are known: reads
// `customer card` keys from standard input and writes `cus_… pm_…`.
//
// usage: ids KEY-IN-HEX <keys
#include "api/id.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	uint8_t key[API_ID_KEY_BYTES];
	char customer[API_ID_CAPACITY], card[API_ID_CAPACITY];
	int64_t customer_row, card_row;

	if (argc != 2 || !hex_read(bytes_text(argv[1]), key, sizeof(key))) {
		fputs("usage: ids KEY-IN-HEX <keys\n", stderr);
		return 2;
	}
	while (scanf("%" SCNd64 " %" SCNd64, &customer_row, &card_row) == 2) {
		api_id_make(key, API_ID_CUSTOMER, customer_row, customer);
		api_id_make(key, API_ID_PAYMENT_METHOD, card_row, card);
		printf("%s %s\n", customer, card);
	}
	return 0;
}
