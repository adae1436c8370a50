// Parts that several pages use: sheet, toast, errors, cards, tiles.
import { h, icon } from "./dom.js";
import { language, t, money, moment } from "./words.js";
import { art, basket, setCount, state, words } from "./shop.js";

const BRANDS = { visa: "Visa", mastercard: "Mastercard", mir: "Мир", amex: "American Express", unionpay: "UnionPay", jcb: "JCB" };

export const brandName = (brand) => (brand === "mir" ? t("mir") : BRANDS[brand] || t("card"));
export const cardName = (card) => `${brandName(card.brand)} ••••\u00a0${card.last4}`;

export function brandMark(brand) {
	const file = brand in BRANDS ? brand : "generic";
	return h("img.mark", { src: `/static/brands/${file}.svg`, alt: "", width: 40, height: 28 });
}

export const expiry = (card) => `${String(card.exp_month).padStart(2, "0")}/${String(card.exp_year % 100).padStart(2, "0")}`;

// "over", "soon" (this month or the two that follow), or "".
export function expiryState(card, now = new Date()) {
	const left = card.exp_year * 12 + card.exp_month - (now.getFullYear() * 12 + now.getMonth() + 1);
	return left < 0 ? "over" : left <= 2 ? "soon" : "";
}

export function expiryNote(card) {
	const at = expiryState(card);
	return at === "over" ? t("card.over", { date: expiry(card) })
		: at === "soon" ? t("card.soon", { date: expiry(card) }) : t("card.until", { date: expiry(card) });
}

// The drawn card.
export function plastic(card) {
	return h("div.plastic", { "data-brand": card.brand, role: "img", "aria-label": `${brandName(card.brand)}, ${t("card.ends", { last4: card.last4 })}` },
		h("span.plastic-top", h("span.plastic-chip"), brandMark(card.brand)),
		h("span.plastic-number.digits", `••••  ••••  ••••  ${card.last4}`),
		h("span.plastic-foot.digits", expiry(card)));
}

export function sheet(title, ...content) {
	const dialog = h("dialog.sheet.stack", { "aria-label": title },
		h("div.sheet-head", h("h2.sheet-title", title),
			h("button.round", { type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, icon("close"))),
		content);
	dialog.addEventListener("click", (event) => {
		if (event.target === dialog)
			dialog.close();
	});
	dialog.addEventListener("close", () => dialog.remove());
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

let shownToast = null;

// {label, action}: a button in it; ms: how long it stays.
export function toast(text, { label = null, action = null, ms = 4000 } = {}) {
	shownToast?.end();
	const line = h("span.toast-line");
	const node = h("div.toast", { role: "status" }, h("span", text),
		label && h("button.link", { type: "button", onclick: () => { end(); action(); } }, label), action && line);
	const timer = setTimeout(end, ms);
	function end() {
		clearTimeout(timer);
		node.remove();
		if (shownToast?.node === node)
			shownToast = null;
	}
	document.body.append(node);
	line.animate?.([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: ms, fill: "forwards" });
	shownToast = { node, end };
}

// The sentence for an error: onfile's own when there is one, else the shop's. A time is shown by the
// phone's own clock.
export function sentence(error) {
	if (error.at)
		return t("error.too_many", { time: moment(error.at) });
	if (error.messages?.[language()] || error.message)
		return error.messages?.[language()] || error.message;
	const key = "error." + error.code;
	try {
		return t(key);
	} catch {
		return t("error.our_fault");
	}
}

export function mailto(reference) {
	const subject = reference ? t("mail.subject", { reference }) : t("mail.plain");
	return `mailto:${state.support}?subject=${encodeURIComponent(subject)}`;
}

export function reference(code) {
	return h("button.reference", { type: "button", onclick: async () => {
		try {
			await navigator.clipboard.writeText(code);
			toast(t("copied"));
		} catch {
			toast(code);
		}
	} }, h("span.muted", t("reference")), h("span.strong.digits", code), icon("copy", 18));
}

export function errorNotice(error, ...more) {
	return h("div.notice.notice-danger.stack.stack-8", { role: "alert" },
		h("span.notice-title", error.title || error.titles?.[language()] || t("error.title")), h("p", sentence(error)),
		error.reference && reference(error.reference), more);
}

export const wait = (text) => h("div.stack.stack-8", { role: "status" }, h("div.wait"), h("p.muted.small", text));

export function tile(good) {
	return h("li.tile",
		h("a.tile-link", { href: `/goods/${good.id}` }, art(good),
			h("span.tile-name", words(good).name), h("span.tile-price.strong.digits", money(good.price))),
		h("button.round.tile-add", { type: "button", "aria-label": t("add.named", { name: words(good).name }), onclick: () => {
			const known = basket().find((item) => item.id === good.id);
			setCount(good.id, (known?.count || 0) + 1);
			toast(t("added"), { label: t("open.basket"), action: () => state.go("/basket") });
		} }, icon("plus")));
}

export function back(href, text) {
	return h("a.back", { href }, icon("back", 20), text);
}

// Pages about the person: a menu beside them on wide screens.
export function account(current, ...content) {
	const entries = [["/profile", "person", "profile"], ["/cards", "card", "cards"], ["/orders", "orders", "orders"], ["/help", "help", "help"]];
	return h("div.page.page-wide.account",
		h("nav.side", { "aria-label": t("account") }, entries.map(([href, image, name]) =>
			h("a", { href, "aria-current": href === current ? "page" : null }, icon(image), t(name)))),
		h("div.account-main.stack.stack-24", content));
}

export function empty(title, text, href, label) {
	return h("div.empty.stack", h("img", { src: "/art/empty.svg", alt: "", width: 400, height: 240 }),
		h("h2.heading", title), h("p.muted", text), href && h("a.button.button-auto", { href }, label));
}
