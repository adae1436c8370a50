// The drawn card: shows what is being typed. It is decoration (hidden from screen readers), and it forgets when told to.

import { markOf, UNKNOWN } from "./brands.js";

const $ = (id) => document.getElementById(id);

function fill(element, text, empty) {
	element.textContent = text || empty;
	element.classList.toggle("art-empty", !text);
}

// The digits typed, then dots up to the brand's usual length, in the brand's groups.
function drawNumber(digits, brand) {
	const total = Math.max(digits.length, brand === UNKNOWN || brand.usual > 16 ? 16 : brand.usual);
	const all = digits.padEnd(total, "•");
	const groups = [];
	for (let at = 0, i = 0; at < total; at += brand.groups[i++] ?? 4) groups.push(all.slice(at, at + (brand.groups[i] ?? 4)));
	const place = $("art-number");
	place.dataset.groups = groups.length;
	place.replaceChildren(
		...groups.map((g) => {
			const span = document.createElement("span");
			span.textContent = g;
			return span;
		}),
	);
}

/** card: {digits, brand, expiry, name, code}; all but brand may be empty. `words` gives the texts of empty places. */
export function drawCard(card, words) {
	const art = $("art");
	const frontCode = card.brand.id === "amex";
	if (art.dataset.brand !== card.brand.id) {
		art.dataset.brand = card.brand.id;
		$("art-mark").src = markOf(card.brand.id);
	}
	drawNumber(card.digits, card.brand);
	fill($("art-expiry"), card.expiry, words.expiry);
	fill($("art-name"), card.name, "");
	$("art-name-label").classList.toggle("art-hidden", !card.name);
	$("art-front-code").textContent = frontCode ? card.code.padEnd(4, "•") : "";
	fill($("art-code"), frontCode ? "" : card.code.padEnd(3, "•"), "");
}

/** A card that the bank knows: brand, last four, expiry. */
export function drawKnown(brand, last4, expiry, words) {
	const dots = "•".repeat(Math.max(0, (brand.usual > 16 ? 16 : brand.usual) - 4));
	drawCard({ digits: last4 ? dots + last4 : "", brand, expiry, name: "", code: "" }, words);
	turn(false);
}

export function turn(toBack) {
	$("art").dataset.side = toBack ? "back" : "front";
}
