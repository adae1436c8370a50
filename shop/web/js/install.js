// Installing the shop on the home screen: Android's browsers offer it themselves, and we keep the
// offer until it is wanted; on the iPhone we show how.
import { fill, h, icon, local, store, stored } from "./dom.js";
import { t } from "./words.js";
import { sheet } from "./parts.js";

let offer = null;
let redraw = () => {};

addEventListener("beforeinstallprompt", (event) => {
	event.preventDefault();
	offer = event;
	redraw();
});
addEventListener("appinstalled", () => {
	offer = null;
	redraw();
});

const installed = () => matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
const isIphone = () => /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const possible = () => !installed() && (offer !== null || isIphone());

async function install() {
	if (offer) {
		offer.prompt();
		await offer.userChoice;
		offer = null;
		redraw();
		return;
	}
	sheet(t("install.title"),
		h("ol.steps", h("li", h("span.step", icon("share")), h("span", t("install.share"))), h("li", h("span.step", icon("plus")), h("span", t("install.add"))),
			h("li", h("span.step", icon("check")), h("span", t("install.done")))));
}

// On the first page, until it is put away; last there, because the browser's offer comes late and would move what is below.
export function installHint() {
	const box = h("div.install-box");
	redraw = () => {
		if (!possible() || stored(local, "install", null) === "no") {
			fill(box);
			return;
		}
		fill(box, h("div.notice.install", h("img", { src: "/icons/icon-192.png", alt: "", width: 48, height: 48 }),
			h("span.install-text", h("span.notice-title", t("install.title")), h("span.install-note", t("install.text"))),
			h("button.button.button-quiet.button-small", { type: "button", onclick: install }, t("install.go")),
			h("button.round", { type: "button", "aria-label": t("install.no"), onclick: () => { store(local, "install", "no"); redraw(); } }, icon("close", 20))));
	};
	redraw();
	return box;
}

export function installRow() {
	return possible() && h("button.row.install-row", { type: "button", onclick: install }, h("span.row-icon", icon("phone")),
		h("span.row-body", h("span.row-title", t("install.title")), h("span.row-note", t("install.text"))), h("span.row-end", icon("next", 20)));
}
