// What a person may type, and what we make of it: number, date, code. Pure functions, no page; card.js ties them to the fields.
// A formatted text comes with the place of the caret, found by counting the digits to its left, so that the caret never jumps.

import { brandOf } from "./brands.js";

/** Digits only. Full-width and other digits of phone keyboards count as digits (NFKC makes them plain). */
export function digitsOf(text) {
	return text.normalize("NFKC").replace(/[^0-9]/g, "");
}

export function maxLength(brand) {
	return brand.lengths[brand.lengths.length - 1];
}

/** "4242424242424242" to "4242 4242 4242 4242"; no space after the last digit. */
export function groupDigits(digits, groups) {
	const parts = [];
	let at = 0;
	for (const size of groups) {
		if (at >= digits.length) break;
		parts.push(digits.slice(at, at + size));
		at += size;
	}
	if (at < digits.length) parts.push(digits.slice(at));
	return parts.join(" ");
}

// Where the caret stands in a text when so many digits are to its left.
function caretAfter(text, count) {
	if (count <= 0) return 0;
	let seen = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] >= "0" && text[i] <= "9") seen++;
		if (seen === count) return i + 1;
	}
	return text.length;
}

// A press on backspace or delete that only removed a gap removes the digit beyond it: that is what the person meant.
function withoutDigit(digits, left, edit, before) {
	if (!edit.startsWith("delete") || digits.length !== before) return { digits, left };
	if (edit === "deleteContentBackward" && left > 0) return { digits: digits.slice(0, left - 1) + digits.slice(left), left: left - 1 };
	if (edit === "deleteContentForward") return { digits: digits.slice(0, left) + digits.slice(left + 1), left };
	return { digits, left };
}

/**
 * The number field after an edit: text as it stands, caret in it, InputEvent.inputType, number of digits before the edit.
 * Gives {text, caret, digits, brand}.
 */
export function editNumber(text, caret, edit = "", before = -1) {
	let digits = digitsOf(text);
	let left = digitsOf(text.slice(0, caret)).length;
	({ digits, left } = withoutDigit(digits, left, edit, before));
	const brand = brandOf(digits);
	digits = digits.slice(0, maxLength(brand));
	const shown = groupDigits(digits, brand.groups);
	return { text: shown, caret: caretAfter(shown, Math.min(left, digits.length)), digits, brand };
}

// "2030-01" (what a month field or some browsers' autofill give) to "01/2030".
function yearFirst(text) {
	const m = /^\s*(20\d\d)\s*[-./]\s*(0[1-9]|1[0-2])\s*$/.exec(text);
	return m ? `${m[2]}/${m[1]}` : text;
}

// Month and year digits of what was typed. `forced` says that a separator ended the month.
function splitExpiry(text) {
	const clean = yearFirst(text.normalize("NFKC")).replace(/^[^0-9]+/, "");
	const parted = /^(\d{1,2})[^0-9]+(.*)$/.exec(clean);
	if (parted && !(parted[1].length === 1 && parted[1] === "0"))
		return { month: parted[1].padStart(2, "0"), year: digitsOf(parted[2]).slice(0, 4), forced: true };
	const d = digitsOf(clean);
	if (d === "") return { month: "", year: "", forced: false };
	// 2 to 9 cannot begin a month, nor can 13 to 19 be one: a zero was left out.
	if (d[0] > "1") return { month: `0${d[0]}`, year: d.slice(1, 5), forced: true };
	if (d[0] === "1" && d.length > 1 && d[1] > "2") return { month: "01", year: d.slice(1, 5), forced: true };
	return { month: d.slice(0, 2), year: d.slice(2, 6), forced: d.length > 2 };
}

/** The date field after an edit; as editNumber. Shows MM/YY, or MM/YYYY while somebody types the year in full. */
export function editExpiry(text, caret, edit = "", before = -1) {
	const deleting = edit.startsWith("delete");
	if (deleting) {
		const left = digitsOf(text.slice(0, caret)).length;
		const cut = withoutDigit(digitsOf(text), left, edit, before);
		const slash = cut.digits.length > 2 ? `${cut.digits.slice(0, 2)}/${cut.digits.slice(2, 6)}` : cut.digits;
		return { text: slash, caret: caretAfter(slash, cut.left), digits: cut.digits };
	}
	const { month, year, forced } = splitExpiry(text);
	const full = month.length === 2 && (forced || year !== "" || caret >= text.length);
	const shown = month === "" ? "" : full ? `${month}/${year}` : month;
	// Zeros that we added are to the left of the caret, unless it stands at the very start.
	const added = Math.max(0, digitsOf(shown).length - digitsOf(yearFirst(text)).length);
	const left = digitsOf(text.slice(0, caret)).length;
	const at = caret >= text.length ? shown.length : caretAfter(shown, left > 0 ? left + added : 0);
	return { text: shown, caret: at, digits: digitsOf(shown) };
}

/** {month, year} with a year of four digits, or null when the text is not a date of a card. */
export function parseExpiry(text) {
	const { month, year } = splitExpiry(text);
	const m = Number(month);
	if (month.length !== 2 || m < 1 || m > 12) return null;
	if (year.length === 2) return { month: m, year: 2000 + Number(year) };
	if (year.length === 4) return { month: m, year: Number(year) };
	return null;
}

export function showExpiry({ month, year }) {
	return `${String(month).padStart(2, "0")}/${String(year % 100).padStart(2, "0")}`;
}

/** The code field after an edit; as editNumber. */
export function editCode(text, caret, brand) {
	const digits = digitsOf(text).slice(0, brand.code);
	return { text: digits, caret: Math.min(digitsOf(text.slice(0, caret)).length, digits.length), digits };
}
