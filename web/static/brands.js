// Which brand a card number belongs to, how its digits are grouped, how long number and code are.
// The first digits decide as soon as only one brand is left. Whether the shop takes a brand is the state's word, not ours.
// Source of the ranges: the payment systems' published prefixes; the vault checks again what is typed here.

const FOURS = [4, 4, 4, 4, 3];

// Brands without a mark of their own are listed so that they can be named, and so that a first 6 is not taken for UnionPay.
export const BRANDS = [
	{ id: "visa", name: "Visa", ranges: [["4", "4"]], lengths: [13, 16, 18, 19], usual: 16, groups: FOURS, code: 3 },
	{ id: "mastercard", name: "Mastercard", ranges: [["51", "55"], ["2221", "2720"]], lengths: [16], usual: 16, groups: FOURS, code: 3 },
	{ id: "mir", name: "Mir", ranges: [["2200", "2204"]], lengths: [16, 17, 18, 19], usual: 16, groups: FOURS, code: 3 },
	{ id: "amex", name: "American Express", ranges: [["34", "34"], ["37", "37"]], lengths: [15], usual: 15, groups: [4, 6, 5], code: 4 },
	{ id: "unionpay", name: "UnionPay", ranges: [["62", "62"], ["81", "81"]], lengths: [14, 15, 16, 17, 18, 19], usual: 19, groups: FOURS, code: 3 },
	{ id: "jcb", name: "JCB", ranges: [["3528", "3589"]], lengths: [16, 17, 18, 19], usual: 16, groups: FOURS, code: 3 },
	{ id: "diners", name: "Diners Club", ranges: [["300", "305"], ["36", "36"], ["38", "39"]], lengths: [14, 16, 19], usual: 14, groups: [4, 6, 4], code: 3 },
	{ id: "discover", name: "Discover", ranges: [["6011", "6011"], ["644", "659"]], lengths: [16, 19], usual: 16, groups: FOURS, code: 3 },
	{ id: "maestro", name: "Maestro", ranges: [["50", "50"], ["56", "61"], ["63", "69"]], lengths: [12, 13, 14, 15, 16, 17, 18, 19], usual: 19, groups: FOURS, code: 3 },
];

export const UNKNOWN = { id: "generic", name: "", ranges: [], lengths: [12, 13, 14, 15, 16, 17, 18, 19], usual: 19, groups: FOURS, code: 4 };

const MARKS = new Set(["visa", "mastercard", "mir", "amex", "unionpay", "jcb"]);

// Can a number that begins with these digits still fall into lo..hi? And must it?
function meets(digits, [lo, hi]) {
	const n = Math.min(digits.length, lo.length);
	const head = digits.slice(0, n);
	return head >= lo.slice(0, n) && head <= hi.slice(0, n);
}

function settled(digits, [lo, hi]) {
	return digits.length >= lo.length && meets(digits, [lo, hi]);
}

/** The brand that the digits typed so far point to, or UNKNOWN while more than one is possible. */
export function brandOf(digits) {
	if (digits === "") return UNKNOWN;
	// A settled longer range wins: 6011 is Discover although 56 to 61 is Maestro.
	let best = null;
	for (const brand of BRANDS)
		for (const range of brand.ranges)
			if (settled(digits, range) && (!best || range[0].length > best.length)) best = { brand, length: range[0].length };
	const open = BRANDS.filter((b) => b.ranges.some((r) => meets(digits, r) && !settled(digits, r)));
	if (best && open.every((b) => b === best.brand)) return best.brand;
	if (!best && open.length === 1) return open[0];
	return UNKNOWN;
}

export function brandById(id) {
	return BRANDS.find((b) => b.id === id) ?? UNKNOWN;
}

/** The brand's name as people who read this language write it. */
export function nameIn(brand, lang) {
	return brand.id === "mir" && lang === "ru" ? "Мир" : brand.name;
}

/** Address of the brand's mark; brands without one get the plain card. */
export function markOf(id) {
	return `/static/brands/${MARKS.has(id) ? id : "generic"}.svg`;
}

/** The check digit of a card number (ISO/IEC 7812-1, annex B). */
export function luhn(digits) {
	let sum = 0;
	for (let i = 0; i < digits.length; i++) {
		let d = digits.charCodeAt(digits.length - 1 - i) - 48;
		if (i % 2 === 1) d = d > 4 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return digits.length > 0 && sum % 10 === 0;
}
