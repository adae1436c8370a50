// The payment-methods page: shows the cards that the state names, opens the card page for another one, and makes a card the default,
// names it, removes it. A removal waits ten seconds for "undo" and is sent when they are over, or when the page is left.

import { drawKnown } from "./art.js";
import { brandById } from "./brands.js";
import { cardName, cardRow, expiryState, expiryText } from "./cards.js";
import { TABLES } from "./i18n.js";
import en from "./methods-en.js";
import ru from "./methods-ru.js";
import { $, point, Shell } from "./shell.js";

const UNDO_MS = 10000;
const TOAST_MS = 4000;
const ASK_LIMIT_MS = 30000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

Object.assign(TABLES.en, en);
Object.assign(TABLES.ru, ru);

const path = /^\/p\/[^/]+/.exec(location.pathname)?.[0] ?? "";
const shell = new Shell(() => draw());
let state = null;
let at = 0; // when the state came, by this page's own clock
let opened = null; // the card whose sheet is open
let removal = null; // {card, timer}: not sent yet
let toastTimer = 0;
let came = location.hash; // "#linked": the shopper comes back from the card page

if (came) history.replaceState(null, "", location.pathname + location.search);

function now() {
	return new Date(state.now * 1000 + (performance.now() - at));
}

// --- asking

function take(body) {
	if (!body?.cards) return;
	state = body;
	at = performance.now();
	shell.take(state);
	draw();
}

async function ask(tries = 0) {
	try {
		const response = await fetch(`${path}/state`, { cache: "no-store", signal: AbortSignal.timeout(ASK_LIMIT_MS), redirect: "error" });
		if (response.status === 404) return gone();
		if (!response.ok) throw new Error(`status ${response.status}`);
		take(await response.json());
		shell.trouble(null);
	} catch {
		if (tries > 0) shell.trouble(navigator.onLine ? "busy" : "lost");
		setTimeout(() => void ask(tries + 1), PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
	}
}

/** Sends one wish. True when it was done; the list is drawn as it is then, also when it was not. */
async function wish(verb, fields = {}) {
	try {
		const body = new URLSearchParams(fields);
		const response = await fetch(`${path}/${verb}`, { method: "POST", body, signal: AbortSignal.timeout(ASK_LIMIT_MS), redirect: "error" });
		const answer = await response.json().catch(() => null);
		if (response.ok) {
			take(answer);
			return answer;
		}
		if (answer?.state) {
			take(answer.state);
			toast(shell.say("methods.stale"));
		} else if (response.status === 404) gone();
		else throw new Error(`status ${response.status}`);
	} catch {
		toast(shell.say("methods.failed"));
		void ask();
	}
	return null;
}

// --- drawing

function gone() {
	shell.words();
	point($("gone-back"), state?.return_url);
	shell.show("gone");
}

function shownCards() {
	return state.cards.filter((card) => card.id !== removal?.card.id);
}

function draw() {
	if (!state) return;
	const cards = shownCards();
	const focused = document.activeElement?.dataset?.card;
	shell.wayBack(state.return_url);
	const words = { say: (key, places) => shell.say(key, places), lang: shell.lang, now: now(), open };
	$("cards").replaceChildren(...cards.map((card) => cardRow(card, words)));
	$("cards").hidden = cards.length === 0;
	$("empty").hidden = cards.length > 0;
	const first = cards[0];
	drawKnown(brandById(first?.brand), first?.last4 ?? "", first ? expiryText(first) : "", { expiry: shell.say("art.empty") });
	shell.show("list");
	if (focused) document.querySelector(`[data-card="${CSS.escape(focused)}"]`)?.focus();
	if (came === "#linked") toast(shell.say("methods.linked"));
	// A merchant may send the shopper here to add a card and nothing else: once, not when they come back.
	else if (came !== null && state.add_first) void add();
	came = null;
}

function toast(text, undo = false) {
	clearTimeout(toastTimer);
	$("toast-text").textContent = text;
	$("undo").hidden = !undo;
	$("toast").hidden = false;
	if (!undo) toastTimer = setTimeout(() => ($("toast").hidden = true), TOAST_MS);
}

// --- one card

function ready(asking) {
	$("actions").hidden = asking;
	$("name-form").hidden = asking;
	$("ask").hidden = !asking;
}

function open(card) {
	opened = card;
	$("sheet-title").textContent = cardName(card, shell.lang);
	$("sheet-note").textContent = shell.say(`methods.${expiryState(card, now())}`, { date: expiryText(card) });
	$("name").value = card.name;
	$("make-default").hidden = card.default;
	ready(false);
	$("sheet").showModal();
}

async function makeDefault() {
	const card = opened;
	$("sheet").close();
	if (await wish("default", { card: card.id })) toast(shell.say("methods.made_default", { card: cardName(card, shell.lang) }));
}

async function rename(event) {
	event.preventDefault();
	const card = opened;
	$("sheet").close();
	if (await wish("name", { card: card.id, name: $("name").value.trim() })) toast(shell.say("methods.saved"));
}

// --- removing

function sendRemoval() {
	if (!removal) return;
	const { card, timer } = removal;
	clearTimeout(timer);
	removal = null;
	$("toast").hidden = true;
	state.cards = state.cards.filter((other) => other.id !== card.id);
	void wish("remove", { card: card.id });
}

function remove() {
	sendRemoval(); // one at a time: the one before is final now
	const card = opened;
	$("sheet").close();
	removal = { card, timer: setTimeout(sendRemoval, UNDO_MS) };
	draw();
	toast(shell.say("methods.removed", { card: cardName(card, shell.lang) }), true);
	$("undo").focus();
}

function undo() {
	clearTimeout(removal?.timer);
	removal = null;
	draw();
	toast(shell.say("methods.kept"));
}

// The page may be closed before the ten seconds are over: what was removed stays removed.
function leave() {
	if (!removal) return;
	navigator.sendBeacon(`${path}/remove`, new URLSearchParams({ card: removal.card.id }));
	clearTimeout(removal.timer);
	removal = null;
}

// --- adding

async function add() {
	$("way-card").disabled = true;
	const answer = await wish("add");
	$("way-card").disabled = false;
	if (answer?.url) location.assign(answer.url);
	else $("ways").close();
}

$("add").addEventListener("click", () => $("ways").showModal());
$("way-card").addEventListener("click", () => void add());
$("make-default").addEventListener("click", () => void makeDefault());
$("name-form").addEventListener("submit", (event) => void rename(event));
$("remove").addEventListener("click", () => {
	ready(true);
	$("ask-title").focus();
});
$("remove-no").addEventListener("click", () => ready(false));
$("remove-yes").addEventListener("click", remove);
$("undo").addEventListener("click", undo);
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && void ask());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && state && !removal && void ask());

shell.words();
void ask();
