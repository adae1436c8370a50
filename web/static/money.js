// An amount as people write it.

/** amount: {minor, currency, decimals}, as the state has it. */
export function money({ minor, currency, decimals }, lang) {
	const whole = minor % 10 ** decimals === 0;
	const digits = { minimumFractionDigits: whole ? 0 : decimals, maximumFractionDigits: decimals };
	return new Intl.NumberFormat(lang, { style: "currency", currency, ...digits }).format(minor / 10 ** decimals);
}
