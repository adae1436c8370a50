// The panel that pays: with the default card in one tap, with another one in two, with the first one
// on onfile's page; or what is missing before that (an account).
import { fill, h, icon } from "./dom.js";
import { t, money } from "./words.js";
import { api, defaultCard, loadCards, state, tapDone, tapKey, total } from "./shop.js";
import { brandMark, cardName, errorNotice, expiryNote, expiryState, sheet, wait } from "./parts.js";

// Opens onfile's card page; comes back to `next`.
export async function linkCard(next, button) {
	button?.setAttribute("aria-busy", "true");
	const { data, error } = await api("POST", "cards/link", { next });
	button?.removeAttribute("aria-busy");
	if (error)
		return error;
	location.assign(data.url);
	return null;
}

function chooser(chosen, next, onchoose) {
	const dialog = sheet(t("pay.with"),
		h("div.rows", (state.cards || []).map((card) =>
			h("button.row", { type: "button", "aria-pressed": card.id === chosen?.id ? "true" : "false", onclick: () => {
				dialog.close();
				onchoose(card);
			} }, h("span.row-icon", brandMark(card.brand)),
				h("span.row-body", h("span.row-title", cardName(card)), h("span.row-note" + (expiryState(card) ? "." + expiryState(card) : ""), expiryNote(card))),
				h("span.row-end", card.id === chosen?.id && icon("check"))))),
		h("button.button.button-quiet", { type: "button", onclick: (event) => linkCard(next, event.currentTarget) }, icon("plus", 20), t("card.add")));
}

// items(): what is bought; here: this page's path; extra: a further button; again: the id of an
// order whose last try was refused; prefer: the id of the card to begin with; done(): called before leaving for the order.
export function payPanel({ items, amount, here, extra = null, again = null, prefer = null, done = () => {} }) {
	const panel = h("div.pay.stack");
	let card = null;
	let problem = null;
	let busy = false;

	const price = () => money(amount ? amount() : total(items()));

	async function buy() {
		if (busy)
			return;
		busy = true;
		problem = null;
		draw();
		const list = items();
		const { data, error } = again
			? await api("POST", `orders/${again}/pay`, { card: card.id })
			: await api("POST", "orders", { items: list, card: card?.id ?? "", key: tapKey(list, card?.id ?? "") });
		busy = false;
		if (error) {
			problem = error;
			draw();
			return;
		}
		tapDone();
		done(data.order);
		if (data.order.state === "action" && data.order.action)
			location.assign(data.order.action);
		else
			state.go(`/orders/${data.order.id}`, { fresh: true });
	}

	async function link(event) {
		problem = await linkCard(here, event.currentTarget);
		if (problem)
			draw();
	}

	// As high as a card and its button, which take its place: what is below does not move.
	const waiting = () => [h("div.row.pay-card", h("div.row-body", wait(t("pay.loading")))),
		h("span.button.pay-place", { "aria-hidden": "true" }, "\u00a0")];

	function body() {
		if (!state.account)
			return h("a.button", { href: `/sign-in?next=${encodeURIComponent(here)}` }, t("pay.sign_in", { price: price() }));
		if (!state.cards)
			return problem ? h("button.button", { type: "button", onclick: load }, t("again")) : waiting();
		if (!card && again)
			return h("button.button", { type: "button", onclick: link }, icon("plus", 20), t("card.add"));
		if (!card)
			return [h("button.button.buy", { type: "button", "aria-busy": busy ? "true" : null, onclick: buy }, icon("card"), t("pay.first", { price: price() })),
				h("p.small.muted", t("pay.first.note"))];
		return [
			h("button.row.pay-card", { type: "button", disabled: busy, onclick: () => chooser(card, here, (other) => { card = other; draw(); }) },
				h("span.row-icon", brandMark(card.brand)),
				h("span.row-body", h("span.row-title", cardName(card)),
					expiryState(card) && h("span.row-note." + expiryState(card), expiryNote(card))),
				h("span.row-end", t("change"))),
			h("button.button.buy", { type: "button", "aria-busy": busy ? "true" : null, onclick: buy },
				busy ? t("pay.busy") : again ? t("pay.again", { price: price() }) : t("pay.buy", { price: price() })),
			busy && h("div.wait"),
		];
	}

	function draw() {
		fill(panel, problem && errorNotice(problem), body(), !busy && extra);
	}

	async function load() {
		problem = null;
		draw();
		problem = await loadCards(Boolean(problem));
		card = (state.cards || []).find((one) => one.id === prefer) || defaultCard();
		draw();
	}

	load();
	panel.redraw = draw;
	return panel;
}
