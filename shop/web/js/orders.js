// Orders: the list, and one order, which is its receipt, its question or its refusal.
import { fill, h, icon } from "./dom.js";
import { t, day, moment, money, plural } from "./words.js";
import { api, art, findGood, state, words } from "./shop.js";
import { account, back, brandMark, cardName, empty, errorNotice, mailto, wait } from "./parts.js";
import { payPanel } from "./pay.js";

const TAGS = { paid: "tag-good", failed: "tag-danger", action: "tag-warn", paying: "" };
const SLOW_MS = 8000;
const LOOK_MS = 1500;

const tag = (order) => h("span.tag" + (TAGS[order.state] ? "." + TAGS[order.state] : ""), t("state." + order.state));
const name = (item) => (findGood(item.id) ? words(findGood(item.id)).name : item.id);
const thumb = (item) => findGood(item.id) && art(findGood(item.id), "tiny");
const count = (order) => order.items.reduce((sum, item) => sum + item.count, 0);

function keptNotice() {
	return h("div.notice.kept", { role: "status" }, icon("away"), t("kept"));
}

export function ordersPage() {
	const list = h("div.stack", wait(t("orders.loading")));
	api("GET", "orders").then(({ data, error, kept }) => {
		if (error) {
			fill(list, errorNotice(error));
			return;
		}
		const rows = data.orders.map((order) => h("a.row.order-row", { href: `/orders/${order.id}` },
			h("span.row-icon.thumbs", order.items.slice(0, 3).map(thumb)),
			h("span.row-body", h("span.row-title", order.items.length === 1 ? name(order.items[0]) : plural("things", count(order))),
				h("span.row-note", day(order.created), order.state !== "paid" && [" ", tag(order)])),
			h("span.row-end.strong.digits", money(order.amount))));
		fill(list, kept && keptNotice(), rows.length ? h("div.rows", rows)
			: empty(t("orders.empty"), t("orders.empty.text"), "/", t("to.goods")));
	});
	return { title: t("orders"), node: account("/orders", h("h1.title", t("orders")), list), signedIn: true };
}

function receipt(order) {
	return h("section.receipt", { "aria-label": t("receipt") },
		h("div.receipt-head", h("span.receipt-shop", h("img", { src: "/art/logo.svg", alt: "", width: 28, height: 28 }), t("shop")),
			h("span.muted.small.digits", order.id)),
		h("ul.receipt-lines", order.items.map((item) => h("li", thumb(item),
			h("span.receipt-name", name(item), item.count > 1 && h("span.muted.digits", ` × ${item.count}`)),
			h("span.digits", money(item.price * item.count))))),
		h("div.sum.sum-all", h("span", order.state === "paid" ? t("paid.sum") : t("sum")), h("span.digits", money(order.amount))),
		h("dl.receipt-facts",
			order.card.last4 && h("div", h("dt.muted", t("card")), h("dd.receipt-card", brandMark(order.card.brand), cardName(order.card))),
			h("div", h("dt.muted", t("date")), h("dd", `${day(order.paid || order.created)}, ${moment(order.paid || order.created)}`))));
}

function paid(order, fresh) {
	return [
		h("div.done" + (fresh ? ".done-fresh" : ""), h("span.done-mark", icon("check", 36)), h("h1.title", { tabindex: -1 }, t("paid.title")),
			h("p.muted", t("paid.text"))),
		receipt(order),
		h("a.button.button-quiet", { href: "/" }, t("to.goods")),
	];
}

// What to do now, by who can fix it and when it may be tried again; the rest are links.
function failed(order) {
	const error = order.error || {};
	const others = (state.cards || []).filter((card) => card.id !== order.card.id);
	const ours = error.who === "operator";
	const write = (kind) => h("a." + kind, { href: mailto(error.reference || order.id) }, icon("mail", 20), t("write.us"));
	return [
		h("div.stack.stack-8", h("h1.title", { tabindex: -1 }, t("failed.title")), h("p.muted", t("failed.text"))),
		errorNotice({ code: "our_fault", ...error }),
		ours ? write("button") : payPanel({ amount: () => order.amount, here: `/orders/${order.id}`, again: order.id,
			prefer: error.again === "now" || error.again === "minutes" ? order.card.id : others[0]?.id, items: () => order.items }),
		receipt(order),
		h("div.links", !ours && write("link"), h("a.link", { href: "/help" }, t("help"))),
	];
}

function action(order) {
	return [
		h("div.stack.stack-8", h("h1.title", { tabindex: -1 }, t("action.title")), h("p.muted", t("action.text"))),
		h("a.button", { href: order.action }, t("action.go")),
		receipt(order),
	];
}

function paying(order, slow) {
	return [
		h("div.stack", h("h1.title", { tabindex: -1 }, t("paying.title")), wait(slow ? t("paying.slow") : t("paying.text"))),
		receipt(order),
	];
}

export function orderPage(id, query, { fresh = false } = {}) {
	const body = h("div.order.stack.stack-24", wait(t("order.loading")));
	const node = account("/orders", back("/orders", t("orders")), body);
	const started = Date.now();
	let last = "";

	function draw(order, kept) {
		const slow = Date.now() - started > SLOW_MS;
		const views = { paid: () => paid(order, fresh), failed: () => failed(order), action: () => action(order), paying: () => paying(order, slow) };
		const now = `${order.state} ${order.attempt} ${slow}`;
		if (now !== last)
			fill(body, kept && keptNotice(), views[order.state]());
		last = now;
		fresh = fresh || order.state === "paying"; // if it gets paid before our eyes, that is shown
	}

	async function look() {
		const { data, error, kept } = await api("GET", `orders/${encodeURIComponent(id)}`);
		if (error) {
			fill(body, errorNotice(error.code === "not_found" ? { code: "no_order", title: t("lost.title") } : error));
			return;
		}
		draw(data.order, kept);
		if (data.order.state === "paying" && !kept)
			setTimeout(() => node.isConnected && look(), LOOK_MS);
	}

	look();
	return { title: t("order.named", { id }), node, signedIn: true };
}
