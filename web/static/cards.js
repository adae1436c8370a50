// A stored card in words: its name, until when it is good, its row in the list.

import { brandById, markOf, nameIn } from "./brands.js";

const SOON_MONTHS = 2;

/** "Visa •••• 4242" */
export function cardName(card, lang) {
	return `${nameIn(brandById(card.brand), lang)} ••••\u00a0${card.last4}`;
}

export function expiryText(card) {
	return `${String(card.exp_month).padStart(2, "0")}/${String(card.exp_year % 100).padStart(2, "0")}`;
}

/** "over", "soon" or "until": a card is good to the end of its month. */
export function expiryState(card, now) {
	const left = card.exp_year * 12 + card.exp_month - (now.getFullYear() * 12 + now.getMonth() + 1);
	if (left < 0) return "over";
	return left <= SOON_MONTHS ? "soon" : "until";
}

function element(tag, name, text = "") {
	const made = document.createElement(tag);
	made.className = name;
	made.textContent = text;
	return made;
}

/** A row that opens the card: brand, own name, number, expiry, whether it is the default. `say` gives the words. */
export function cardRow(card, { say, lang, now, open }) {
	const row = element("button", "row");
	row.type = "button";
	row.dataset.card = card.id;
	const icon = element("span", "row-icon");
	icon.append(Object.assign(new Image(40, 28), { src: markOf(card.brand), alt: "" }));
	const title = element("span", "row-title digits", card.name || cardName(card, lang));
	if (card.default) title.append(" ", element("span", "tag tag-good", say("methods.default")));
	const at = expiryState(card, now);
	const words = say(`methods.${at}`, { date: expiryText(card) });
	const note = element("span", `row-note digits${at === "until" ? "" : ` ${at}`}`, card.name ? `${cardName(card, lang)} · ${words}` : words);
	const body = element("span", "row-body");
	body.append(title, note);
	const end = element("span", "row-end", "›");
	end.setAttribute("aria-hidden", "true");
	row.append(icon, body, end);
	row.addEventListener("click", () => open(card));
	const item = document.createElement("li");
	item.append(row);
	return item;
}
