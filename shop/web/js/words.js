// Words in the reader's language: t("key", {name: value}); prices, dates, plurals.
import { ru } from "./ru.js";
import { en } from "./en.js";
import { local, store, stored } from "./dom.js";

const tables = { ru, en };
let tongue = stored(local, "language", null);
if (!(tongue in tables))
	tongue = document.documentElement.lang === "en" ? "en" : "ru";
document.documentElement.lang = tongue;

export const language = () => tongue;

export function speak(chosen) {
	tongue = chosen in tables ? chosen : "ru";
	store(local, "language", tongue);
	document.documentElement.lang = tongue;
}

export function t(key, values = {}) {
	const text = tables[tongue][key];
	if (text === undefined)
		throw new Error("no words for " + key);
	return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// plural("things", 3): the key's forms are separated by "|", in the order one, few, many (ru) or
// one, other (en).
export function plural(key, count) {
	const forms = tables[tongue][key].split("|");
	const at = { one: 0, few: 1, many: 2, other: forms.length - 1 }[new Intl.PluralRules(tongue).select(count)];
	return forms[at].replace("{count}", count);
}

// Kopecks as people read them: "1 290 ₽".
export function money(kopecks) {
	const whole = kopecks % 100 === 0;
	const text = new Intl.NumberFormat(tongue, { minimumFractionDigits: whole ? 0 : 2 }).format(kopecks / 100);
	return text + "\u00a0₽";
}

export function day(seconds) {
	const date = new Date(seconds * 1000);
	const options = { day: "numeric", month: "long" };
	if (date.getFullYear() !== new Date().getFullYear())
		options.year = "numeric";
	return new Intl.DateTimeFormat(tongue, options).format(date);
}

export function moment(seconds) {
	return new Intl.DateTimeFormat(tongue, { hour: "2-digit", minute: "2-digit" }).format(new Date(seconds * 1000));
}
