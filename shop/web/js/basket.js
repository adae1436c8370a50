// The basket.
import { fill, h, icon } from "./dom.js";
import { t, money, plural } from "./words.js";
import { art, basket, basketCount, emptyBasket, findGood, setCount, state, total, words } from "./shop.js";
import { empty, toast } from "./parts.js";
import { payPanel } from "./pay.js";

function line(item, redraw) {
	const good = findGood(item.id);
	const name = words(good).name;
	const change = (count) => {
		setCount(item.id, count);
		redraw();
		if (count === 0)
			toast(t("taken.out"), { label: t("undo"), action: () => { setCount(item.id, item.count); redraw(); }, ms: 6000 });
	};
	return h("li.line",
		h("a.line-art", { href: `/goods/${good.id}`, tabindex: -1, "aria-hidden": "true" }, art(good, "small")),
		h("div.line-text", h("a.line-name", { href: `/goods/${good.id}` }, name), h("span.muted.small.digits", money(good.price))),
		h("div.counter", { role: "group", "aria-label": t("count.of", { name }) },
			h("button.round", { type: "button", "aria-label": item.count > 1 ? t("fewer") : t("take.out"), onclick: () => change(item.count - 1) },
				icon(item.count > 1 ? "minus" : "bin", 20)),
			h("span.digits", { "aria-live": "polite" }, String(item.count)),
			h("button.round", { type: "button", "aria-label": t("more.of"), disabled: item.count >= 20, onclick: () => change(item.count + 1) }, icon("plus", 20))),
		h("span.line-sum.strong.digits", money(good.price * item.count)));
}

export function basketPage() {
	const node = h("div.page.page-wide.stack.stack-24");
	const panel = payPanel({ items: basket, here: "/basket", done: emptyBasket });
	const draw = () => {
		const items = basket();
		if (!items.length) {
			fill(node, h("h1.title", { tabindex: -1 }, t("basket")), empty(t("basket.empty"), t("basket.empty.text"), "/", t("to.goods")));
			return;
		}
		fill(node, h("h1.title", { tabindex: -1 }, t("basket")),
			h("div.split",
				h("ul.lines", items.map((item) => line(item, draw))),
				h("section.summary.stack", { "aria-label": t("sum") },
					h("div.sum", h("span.muted", plural("things", basketCount())), h("span.digits", money(total(items)))),
					h("div.sum", h("span.muted", t("delivery")), h("span", t("delivery.none"))),
					h("div.sum.sum-all", h("span", t("sum")), h("span.digits", money(total(items)))),
					panel)));
		if (state.cards || !state.account)
			panel.redraw();
	};
	draw();
	return { title: t("basket"), node };
}
