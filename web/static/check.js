// Is what was typed a card? Each function gives the key of a sentence in the text tables, or "" when all is well.
// The vault and the bank have the last word; this is only so that nobody waits for an answer that we know already.

import { brandOf, luhn } from "./brands.js";
import { digitsOf, maxLength, parseExpiry } from "./format.js";

export function checkNumber(text, taken) {
	const digits = digitsOf(text);
	if (digits === "") return "error.number.empty";
	const brand = brandOf(digits);
	if (brand.id !== "generic" && taken && !taken.includes(brand.id)) return "error.number.brand";
	if (digits.length < brand.lengths[0]) return "error.number.short";
	if (!luhn(digits)) return digits.length < Math.min(brand.usual, maxLength(brand)) ? "error.number.short" : "error.number.typo";
	return brand.lengths.includes(digits.length) ? "" : "error.number.short";
}

/** `now` is a Date by the server's clock. A card is good until its month is over everywhere on Earth. */
export function checkExpiry(text, now) {
	if (digitsOf(text) === "") return "error.expiry.empty";
	const date = parseExpiry(text);
	if (!date) {
		const month = Number(digitsOf(text).slice(0, 2));
		return digitsOf(text).length >= 2 && (month < 1 || month > 12) ? "error.expiry.month" : "error.expiry.short";
	}
	// 12 hours of grace: UTC-12 is the last place where the month ends.
	const end = Date.UTC(date.year, date.month, 1) + 12 * 3600 * 1000;
	if (end <= now.getTime()) return "error.expiry.past";
	return date.year > now.getUTCFullYear() + 25 ? "error.expiry.far" : "";
}

export function checkCode(text, brand) {
	const n = digitsOf(text).length;
	if (n === 0) return brand.code === 4 && brand.id !== "generic" ? "error.code.empty4" : "error.code.empty";
	if (brand.id === "generic") return n >= 3 ? "" : "error.code.short";
	if (n === brand.code) return "";
	return brand.code === 4 ? "error.code.short4" : "error.code.short";
}
