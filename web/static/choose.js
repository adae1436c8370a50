// Paying with a card on file: shows what is paid and which cards there are, takes one tap, and leaves the rest to the card page.

import { cardName, expiryState, expiryText } from "./cards.js";
import { markOf } from "./brands.js";
import { TABLES } from "./i18n.js";
import en from "./methods-en.js";
import ru from "./methods-ru.js";
import { money } from "./money.js";
import { $, Shell } from "./shell.js";
import { Follower, tokenOf } from "./state.js";

Object.assign(TABLES.en, en);
Object.assign(TABLES.ru, ru);

const token = tokenOf(location.pathname);
const shell = new Shell(() => draw());
const follower = new Follower(token, { state: taken, trouble: (kind) => shell.trouble(kind), gone: () => shell.show("gone") });
let chosen = "";
let paying = false;

function taken(state) {
	// Once something has begun, and when there is nothing to choose from, the card page shows it.
	if (!state.choose) return location.replace(`/c/${token}`);
	shell.take(state);
	draw();
}

function element(tag, name, text = "") {
	return Object.assign(document.createElement(tag), { className: name, textContent: text });
}

function row(card) {
	const over = expiryState(card, follower.now()) === "over";
	const label = element("label", "row");
	const input = Object.assign(document.createElement("input"), { type: "radio", name: "card", value: card.id, checked: card.id === chosen, disabled: over });
	input.addEventListener("change", () => (chosen = card.id));
	const icon = element("span", "row-icon");
	icon.append(Object.assign(new Image(40, 28), { src: markOf(card.brand), alt: "" }));
	const body = element("span", "row-body");
	const note = over ? shell.say("methods.over", { date: expiryText(card) }) : card.name ? cardName(card, shell.lang) : expiryText(card);
	body.append(element("span", "row-title digits", card.name || cardName(card, shell.lang)), element("span", `row-note digits${over ? " over" : ""}`, note));
	label.append(icon, body, input);
	return label;
}

function item({ name, quantity, amount }) {
	const line = element("li", "");
	const words = quantity > 1 ? `${name} ×\u00a0${quantity}` : name;
	line.append(element("span", "", words), element("span", "digits", money({ ...follower.state.amount, minor: amount }, shell.lang)));
	return line;
}

function draw() {
	const state = follower.state;
	if (!state?.choose) return;
	const usable = state.cards.filter((card) => expiryState(card, follower.now()) !== "over");
	if (!usable.some((card) => card.id === chosen)) chosen = usable[0]?.id ?? "";
	const amount = money(state.amount, shell.lang);
	shell.wayBack(state.cancel_url);
	$("amount").textContent = amount;
	$("items").replaceChildren(...(state.items ?? []).map(item));
	$("cards").replaceChildren($("cards").firstElementChild, ...state.cards.map(row));
	$("pay").disabled = paying || chosen === "";
	$("pay").setAttribute("aria-busy", String(paying));
	$("new").href = `/c/${token}/new`;
	shell.show("list");
}

async function pay(event) {
	event.preventDefault();
	if (paying || !chosen) return;
	paying = true;
	draw();
	try {
		await follower.post("pay", { card: chosen });
		location.replace(`/c/${token}#live`);
	} catch {
		// It may have arrived: the state says so, and the page goes on from there.
		paying = false;
		shell.trouble(navigator.onLine ? "busy" : "lost");
		follower.refresh();
		draw();
	}
}

$("form").addEventListener("submit", (event) => void pay(event));
shell.words();
void follower.run();
