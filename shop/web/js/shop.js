// What the page knows: goods, who is signed in, cards, the basket; and its one way to the server.
import { h, local, session, store, stored, randomKey } from "./dom.js";
import { language, speak } from "./words.js";

export const state = {
	goods: [],
	account: null,
	support: "",
	cards: null,    // null: not asked yet
	kept: false,    // what is shown comes from the phone's memory, there is no network
	go: () => {},   // set by main.js
	refresh: () => {},
};

// Never throws: {data} or {error: {code, …}}.
export async function api(method, path, body) {
	let answer;
	try {
		answer = await fetch("/api/" + path, {
			method,
			headers: { "Accept-Language": language(), ...(body ? { "Content-Type": "application/json" } : {}) },
			body: body ? JSON.stringify(body) : undefined,
			credentials: "same-origin",
			cache: "no-store",
		});
	} catch {
		return { error: { code: "offline" } };
	}
	let data = null;
	try {
		data = await answer.json();
	} catch {
		return { error: { code: "our_fault" } };
	}
	if (answer.status === 401) {
		state.account = null;
		state.cards = null;
	}
	if (!answer.ok)
		return { error: data.error || { code: "our_fault" } };
	return { data, kept: answer.headers.get("X-Kept") === "yes" };
}

export async function loadGoods() {
	const answer = await fetch("/goods.json");
	state.goods = await answer.json();
}

export async function loadAccount() {
	const { data, kept } = await api("GET", "me");
	if (!data)
		return;
	state.kept = Boolean(kept);
	state.support = data.support;
	setAccount(data.account);
}

export function setAccount(account) {
	state.account = account;
	state.cards = account ? state.cards : null;
	if (account && account.language !== language())
		speak(account.language);
}

export async function loadCards(again = false) {
	if (!state.account)
		return null;
	if (state.cards && !again)
		return null;
	const { data, error } = await api("GET", "cards");
	if (error)
		return error;
	state.cards = data.cards;
	return null;
}

export const words = (good) => good[language()];
export const findGood = (id) => state.goods.find((good) => good.id === id);
export const defaultCard = () => (state.cards || []).find((card) => card.default) || (state.cards || [])[0] || null;

// The basket lives on this device: [{id, count}].
export function basket() {
	return stored(local, "basket", []).filter((item) => findGood(item.id) && item.count > 0);
}

export function setCount(id, count) {
	const items = basket().filter((item) => item.id !== id || count > 0);
	const known = items.find((item) => item.id === id);
	if (known)
		known.count = Math.min(count, 20);
	else if (count > 0)
		items.push({ id, count });
	store(local, "basket", items);
	dispatchEvent(new Event("basket"));
}

export function emptyBasket() {
	store(local, "basket", []);
	dispatchEvent(new Event("basket"));
}

export const basketCount = () => basket().reduce((sum, item) => sum + item.count, 0);
export const total = (items) => items.reduce((sum, item) => sum + findGood(item.id).price * item.count, 0);

// One tap has one key until its answer was seen, so that a second tap after a lost answer is the
// same order and not a new one.
export function tapKey(items, card) {
	const what = JSON.stringify([items, card]);
	const last = stored(session, "tap", {});
	if (last.what === what)
		return last.key;
	const key = randomKey();
	store(session, "tap", { what, key });
	return key;
}

export const tapDone = () => store(session, "tap", null);

export function art(good, size = "") {
	return h("span.art" + (size ? ".art-" + size : ""), { "data-ground": good.ground },
		h("img", { src: `/art/${good.id}.svg`, alt: "", width: 400, height: 400, loading: "lazy", decoding: "async" }));
}
