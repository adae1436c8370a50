// Payment methods: the list, adding (onfile's card page); everything else is done on onfile's page for them.
import { fill, h, icon } from "./dom.js";
import { t } from "./words.js";
import { api, loadCards, state } from "./shop.js";
import { account, brandMark, brandName, cardName, empty, errorNotice, expiryNote, expiryState, plastic, sheet, wait } from "./parts.js";
import { linkCard } from "./pay.js";

// Ways to pay: the bank card now; what else there will be is said, not promised as a button.
export function addSheet(next = "/cards") {
	const problem = h("div");
	sheet(t("add.way"), h("p.muted", t("add.way.text")),
		h("div.rows",
			h("button.row", { type: "button", onclick: async (event) => {
				const error = await linkCard(next, event.currentTarget);
				if (error)
					fill(problem, errorNotice(error));
			} }, h("span.row-icon.way", icon("card")),
				h("span.row-body", h("span.row-title", t("bank.card")), h("span.row-note", t("bank.card.brands"))),
				h("span.row-end", icon("next", 20))),
			h("div.row.way-later", h("span.row-icon.way", icon("phone")),
				h("span.row-body", h("span.row-title", t("sbp")), h("span.row-note", t("sbp.later"))))),
		problem);
}

// Onfile's page: the default, names, removing. It comes back here.
async function manage(event, problem) {
	const button = event.currentTarget;
	button.setAttribute("aria-busy", "true");
	const { data, error } = await api("POST", "cards/manage");
	button.removeAttribute("aria-busy");
	if (error)
		fill(problem, errorNotice(error));
	else
		location.assign(data.url);
}

function row(card, problem) {
	const at = expiryState(card);
	return h("button.row", { type: "button", onclick: (event) => manage(event, problem) },
		h("span.row-icon", brandMark(card.brand)),
		h("span.row-body", h("span.row-title.card-title", cardName(card), card.default && h("span.tag", t("card.default"))),
			h("span.row-note" + (at ? "." + at : ""), expiryNote(card))),
		h("span.row-end", icon("next", 20)));
}

export function cardsPage() {
	const list = h("div.stack.stack-24", wait(t("cards.loading")));
	const problem = h("div");
	const draw = () => {
		const add = h("button.button.button-auto", { type: "button", onclick: () => addSheet() }, icon("plus", 20), t("add.button"));
		fill(list, ...(state.cards?.length
			? [h("div.rows", state.cards.map((card) => row(card, problem))), problem, add,
				h("button.button.button-quiet.button-auto", { type: "button", onclick: (event) => manage(event, problem) }, t("cards.manage"))]
			: [empty(t("cards.empty"), t("cards.empty.text")), add]),
		h("p.small.muted.safe", icon("lock", 20), h("span", t("cards.safe"))));
	};
	loadCards(true).then((error) => (error ? fill(list, errorNotice(error)) : draw()));
	return { title: t("cards"), node: account("/cards", h("h1.title", t("cards")), list), signedIn: true };
}

// The way back from onfile. What became of the link is asked by the server, not read from here.
export function linkedPage(query) {
	const node = h("div.page.stack.stack-24", wait(t("linked.loading")));
	api("GET", `cards/linked/${encodeURIComponent(query.get("session") || "")}`).then(async ({ data, error }) => {
		if (error || !data.card) {
			fill(node, h("h1.title", t("linked.not")), error ? errorNotice(error) : h("p.muted", t("linked.not.text")),
				h("a.button", { href: "/cards" }, t("cards")), h("a.link", { href: "/help/link" }, t("link.trouble")));
			return;
		}
		await loadCards(true);
		const shopping = data.next !== "/cards";
		fill(node,
			h("div.done.done-fresh", plastic(data.card), h("h1.title", { tabindex: -1 }, t("linked.title")),
				h("p.muted", t("linked.text", { brand: brandName(data.card.brand), last4: data.card.last4 }))),
			h("a.button", { href: shopping ? data.next : "/" }, shopping ? t("linked.next") : t("to.goods")),
			shopping ? null : h("a.button.button-quiet", { href: "/cards" }, t("cards")));
	});
	return { title: t("linked.wait"), node, signedIn: true };
}
