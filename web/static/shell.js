// What every hosted page has around its content: the bar with the way back and the language, views and their titles, a voice for
// screen readers. The pages hold one Shell and draw themselves again whenever state or language change.

import { otherLanguage, pickLanguage, rememberLanguage, say, translate } from "./i18n.js";
import { money } from "./money.js";

export const $ = (id) => document.getElementById(id);

/** A link that came from the merchant's settings: an address or an app's own scheme, never a script. */
export function goodLink(url) {
	return typeof url === "string" && /^[a-z][a-z0-9+.-]*:/i.test(url) && !/^(javascript|data|vbscript|blob|file):/i.test(url) ? url : null;
}

/** Points a link somewhere, or hides it when there is nowhere to go. */
export function point(link, url) {
	const to = goodLink(url);
	link.hidden = !to;
	if (to) link.href = to;
	return Boolean(to);
}

export class Shell {
	lang = pickLanguage();
	mode = "setup";
	merchant = "";
	amount = null; // what is paid, in payment mode
	#redraw;
	#title = "";

	/** redraw() is called after a change of language, once the marked elements hold their new words. */
	constructor(redraw) {
		this.#redraw = redraw;
		document.documentElement.lang = this.lang;
		$("language").addEventListener("click", () => {
			this.lang = otherLanguage(this.lang);
			rememberLanguage(this.lang);
			this.chosen = true;
			this.words();
			this.#redraw();
		});
		for (const sheet of document.querySelectorAll("dialog.sheet")) {
			sheet.addEventListener("click", (e) => (e.target === sheet || e.target.closest("[data-close]")) && sheet.close());
		}
	}

	say(key, places = {}) {
		return say(this.lang, key, { ...this.#places(), ...places });
	}

	#places() {
		return { merchant: this.merchant, amount: this.amount ? money(this.amount, this.lang) : "" };
	}

	/** The sentence for what this session does: "done.title.payment" when it pays and the table has it. */
	words() {
		translate(this.lang, this.#places(), this.mode);
		$("language").lang = otherLanguage(this.lang);
		$("language").hidden = false;
	}

	/** Bar and words for a state that has just come. True when words have changed. */
	take(state) {
		const lang = this.chosen ? this.lang : pickLanguage(state.locale);
		const news = lang !== this.lang || state.merchant.name !== this.merchant || state.mode !== this.mode;
		this.lang = lang;
		this.merchant = state.merchant.name;
		this.mode = state.mode;
		this.amount = state.amount ?? null;
		$("test").hidden = state.live !== false;
		if (news) this.words();
		return news;
	}

	/** The bar's way back: a link, or only the name when there is nowhere to go. */
	wayBack(url) {
		const there = point($("back"), url);
		$("merchant-plain").hidden = there;
		$("merchant").textContent = this.merchant;
		$("merchant-plain").textContent = this.merchant;
	}

	/** Shows one view. The heading takes the focus when the view changed, so that screen readers and keyboards follow. */
	show(name) {
		const root = document.querySelector(".checkout");
		const before = root.dataset.view;
		const view = document.querySelector(`.view[data-view="${name}"]`);
		if (before !== name) {
			if (before !== "load") root.classList.add("moved");
			root.dataset.view = name;
			for (const other of document.querySelectorAll(".view")) other.hidden = other !== view;
			if (before !== "load") {
				scrollTo(0, 0);
				view.querySelector(".title")?.focus({ preventScroll: true });
			}
		}
		this.title(view.querySelector(".title")?.textContent ?? "");
		return before !== name;
	}

	title(text) {
		this.#title = text;
		document.title = this.merchant ? `${text} · ${this.merchant}` : text;
	}

	titleError(wrong) {
		const prefix = wrong ? `${this.say("error.prefix")}: ` : "";
		document.title = `${prefix}${this.#title} · ${this.merchant}`;
	}

	announce(text) {
		$("status").textContent = text;
	}

	/** kind: "lost", "busy", or null when all is well again. */
	trouble(kind) {
		$("net").hidden = !kind;
		$("net").textContent = kind ? this.say(`net.${kind}`) : "";
	}
}
