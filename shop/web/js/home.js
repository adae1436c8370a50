// The first page: what the shop is, and the goods.
import { fill, h, icon } from "./dom.js";
import { t } from "./words.js";
import { defaultCard, loadCards, state } from "./shop.js";
import { brandMark, cardName, tile } from "./parts.js";
import { installHint } from "./install.js";

// What comes next for this person: sign in, link a card, or just choose.
function nextStep() {
	const card = defaultCard();
	if (!state.account)
		return h("a.button.button-auto", { href: "/sign-in?next=/" }, t("hero.sign_in"));
	// The place of a card is kept before the cards are known, and after: nothing below it moves.
	const place = (kind) => h("span.hero-card." + kind, { "aria-hidden": "true" },
		h("span.mark"), h("span", cardName({ brand: "visa", last4: "0000" })), h("span.tag.tag-good", t("hero.ready")));
	if (!state.cards)
		return place("hero-wait");
	return [place("hero-place"), card
		? h("a.hero-card", { href: "/cards" }, brandMark(card.brand), h("span", cardName(card)), h("span.tag.tag-good", t("hero.ready")))
		: h("a.button.button-auto", { href: "/cards" }, t("hero.link"))];
}

export function home() {
	const step = h("div.hero-step", nextStep());
	if (state.account && !state.cards)
		loadCards().then(() => fill(step, nextStep()));
	return {
		title: t("shop"),
		node: h("div.page.page-wide.stack.stack-32",
			h("section.hero",
				h("div.hero-text.stack", h("h1.hero-title", t("hero.title")), h("p.hero-note", t("hero.text")), step),
				h("img.hero-art", { src: "/art/hero.svg", alt: "", width: 520, height: 360, fetchpriority: "high" })),
			h("section.stack", h("h2.heading", t("goods")), h("ul.goods", state.goods.map(tile))),
			installHint()),
	};
}

export function notFound() {
	return {
		title: t("lost.title"),
		node: h("div.page.page-wide.stack", h("div.empty.stack", h("img", { src: "/art/empty.svg", alt: "", width: 400, height: 240 }),
			h("h1.heading", t("lost.title")), h("p.muted", t("lost.text")), h("a.button.button-auto", { href: "/" }, icon("home"), t("to.goods")))),
	};
}
