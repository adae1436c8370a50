// One thing: look at it, buy it in one tap.
import { h } from "./dom.js";
import { t, money } from "./words.js";
import { art, basket, findGood, setCount, state, words } from "./shop.js";
import { back, tile, toast } from "./parts.js";
import { payPanel } from "./pay.js";
import { notFound } from "./home.js";

export function good(id) {
	const found = findGood(id);
	if (!found)
		return notFound();
	const text = words(found);
	const others = state.goods.filter((other) => other !== found);
	const start = state.goods.indexOf(found);
	const near = [0, 1, 2, 3].map((step) => others[(start + step) % others.length]);
	return {
		title: text.name,
		node: h("div.page.page-wide.stack.stack-32",
			h("article.good",
				h("div.good-art", back("/", t("goods")), art(found, "big")),
				h("div.good-text.stack.stack-24",
					h("div.stack.stack-8", h("h1.title", text.name), h("p.muted", text.note)),
					h("p.good-price.digits", money(found.price)),
					payPanel({
						items: () => [{ id, count: 1 }],
						here: `/goods/${id}`,
						extra: h("button.button.button-quiet", { type: "button", onclick: () => {
							setCount(id, (basket().find((item) => item.id === id)?.count || 0) + 1);
							toast(t("added"), { label: t("open.basket"), action: () => state.go("/basket") });
						} }, t("add")),
					}),
					h("p.good-words", text.text))),
			h("section.stack", h("h2.heading", t("more")), h("ul.goods", near.map(tile)))),
	};
}
