// Chooses the language and puts the words into the page. Elements say what they hold: data-t (text), data-t-label (aria-label),
// data-t-title (title), data-t-hint (placeholder). The choice is remembered; nothing else ever goes to storage.

import en from "./text-en.js";
import ru from "./text-ru.js";

export const TABLES = { en, ru };
const MEMORY = "onfile.lang";
const WHERE = [["data-t", null], ["data-t-label", "aria-label"], ["data-t-title", "title"], ["data-t-hint", "placeholder"]];

function remembered() {
	try {
		return localStorage.getItem(MEMORY);
	} catch {
		return null; // storage is forbidden in some frames
	}
}

/** The language to begin with: what the shopper chose, else what the session says, else the browser's. */
export function pickLanguage(locale = "auto") {
	const chosen = remembered();
	if (chosen in TABLES) return chosen;
	if (locale in TABLES) return locale;
	for (const wish of navigator.languages ?? [navigator.language]) {
		const base = String(wish).slice(0, 2).toLowerCase();
		if (base in TABLES) return base;
	}
	return "en";
}

export function rememberLanguage(lang) {
	try {
		localStorage.setItem(MEMORY, lang);
	} catch {
		// the page works without memory
	}
}

export function otherLanguage(lang) {
	return lang === "ru" ? "en" : "ru";
}

/** A sentence with its {places} filled in. A key that is not there shows itself, and a test looks for that. */
export function say(lang, key, places = {}) {
	const found = TABLES[lang][key] ?? key;
	return found.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

/** Fills every marked element of the page. `mode` "payment" takes "key.payment" where the table has it. */
export function translate(lang, places, mode = "setup") {
	document.documentElement.lang = lang;
	for (const [mark, attribute] of WHERE)
		for (const element of document.querySelectorAll(`[${mark}]`)) {
			const key = element.getAttribute(mark);
			const special = `${key}.${mode}`;
			const words = say(lang, special in TABLES[lang] ? special : key, places);
			if (attribute) element.setAttribute(attribute, words);
			else if (element.textContent !== words) element.textContent = words;
		}
}
