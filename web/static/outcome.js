// How it ended: the views "done" and "failed". One best next step is the button, everything else is a link.

import { drawKnown } from "./art.js";
import { brandById, markOf, nameIn } from "./brands.js";
import { $, goodLink, point } from "./shell.js";

const AUTO_SECONDS = 5;
const OWNERS = new Set(["shopper", "bank", "shop", "operator", "wait"]);

/** Where support can be reached: a mail address, a number, or a page. */
function supportLink(support, subject) {
	if (!support) return null;
	if (goodLink(support)) return support;
	if (support.includes("@")) return `mailto:${support}?subject=${encodeURIComponent(subject)}`;
	return /^\+?[0-9 ()-]+$/.test(support) ? `tel:${support.replace(/[^+0-9]/g, "")}` : null;
}

/**
 * The best next step: "again" (same card), "other" (another card) or "leave" (back to the shop).
 * "never" and "after_call" look the same on purpose: nothing may tell a lost card from a refused one.
 */
export function nextStep(error, now) {
	if (error.again === "at" && error.at * 1000 > now.getTime()) return "leave";
	if (error.who === "operator" || error.who === "shop") return "leave";
	return ["later", "after_call", "never"].includes(error.again) ? "other" : "again";
}

export class Outcome {
	#shell;
	#timer = 0;
	#left = 0;
	#clock = 0;

	/** retry() is called when the shopper wants the form again. */
	constructor(shell, retry) {
		this.#shell = shell;
		$("failed-next").addEventListener("click", retry);
		$("failed-next-link").addEventListener("click", retry);
		$("copy").addEventListener("click", () => this.#copy());
		$("auto-stay").addEventListener("click", () => {
			this.stop();
			$("done-back").focus();
		});
		addEventListener("pagehide", () => this.stop());
	}

	failed(error, state, now) {
		const shell = this.#shell;
		const say = (key, places) => shell.say(key, places);
		const fallback = say(shell.mode === "payment" ? "failed.title.payment" : "failed.title");
		$("failed-title").textContent = error.title || fallback;
		const words = error.key ? say(error.key) : error.message || say("failed.refused");
		$("failed-text").textContent = words.startsWith(`${error.title}. `) ? words.slice(error.title.length + 2) : words;
		this.#time(error, state, now);
		$("failed-who-row").hidden = !OWNERS.has(error.who);
		$("failed-who").textContent = OWNERS.has(error.who) ? say(`failed.who.${error.who}`) : "";
		$("failed-reference-row").hidden = !error.reference;
		$("failed-reference").textContent = error.reference ?? "";
		$("failed-facts").hidden = $("failed-who-row").hidden && $("failed-reference-row").hidden;
		this.#steps(nextStep(error, now), error, state);
	}

	#steps(best, error, state) {
		const away = goodLink(state.cancel_url);
		const step = best === "leave" && !away ? "again" : best;
		const words = { again: "failed.again", other: "failed.other" };
		const waits = error.again === "at" && best === "leave";
		$("failed-next").hidden = step === "leave";
		$("failed-next").textContent = step === "leave" ? "" : this.#shell.say(words[step]);
		point($("failed-leave"), step === "leave" ? away : null);
		$("failed-next-link").hidden = step !== "leave" || waits;
		$("failed-next-link").textContent = this.#shell.say("failed.again");
		point($("failed-back"), step === "leave" ? null : away);
		const subject = this.#shell.say("failed.mail", { reference: error.reference ?? "" });
		point($("failed-support"), supportLink(state.merchant.support, subject));
		$("failed-support").textContent = this.#shell.say("failed.support");
	}

	// "You can try again at 14:05" by the shopper's own clock; when the time has come, the button changes.
	#time(error, state, now) {
		clearTimeout(this.#clock);
		const left = error.again === "at" ? error.at * 1000 - now.getTime() : 0;
		$("failed-time").hidden = left <= 0;
		if (left <= 0) return;
		const sameDay = left < 20 * 3600 * 1000;
		const how = sameDay ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
		const time = new Intl.DateTimeFormat(this.#shell.lang, how).format(new Date(error.at * 1000));
		$("failed-time").textContent = this.#shell.say("failed.open", { time });
		this.#clock = setTimeout(() => this.failed(error, state, new Date(error.at * 1000)), Math.min(left, 2 ** 31 - 1));
	}

	async #copy() {
		const text = $("failed-reference").textContent;
		try {
			await navigator.clipboard.writeText(text);
		} catch {
			// No clipboard in this browser or frame: the code is selected, so that the person can copy it.
			getSelection().selectAllChildren($("failed-reference"));
			return;
		}
		$("copy").dataset.copied = "yes";
		this.#shell.announce(this.#shell.say("failed.copied"));
		setTimeout(() => delete $("copy").dataset.copied, 2000);
	}

	/** `live`: the shopper was here when it happened; only then the page goes back by itself, else Back would be a trap. */
	done(state, live) {
		const shell = this.#shell;
		const card = state.card;
		$("done-card").hidden = !card;
		if (card) {
			const brand = brandById(card.brand);
			const date = `${String(card.exp_month).padStart(2, "0")}/${String(card.exp_year % 100).padStart(2, "0")}`;
			const name = nameIn(brand, shell.lang) || card.brand;
			$("done-mark").src = markOf(card.brand);
			$("done-name").textContent = `${name} •••• ${card.last4}`;
			$("done-name").setAttribute("aria-label", shell.say("card.ending", { brand: name, last4: card.last4 }));
			$("done-name").setAttribute("role", "text");
			$("done-until").textContent = shell.say("done.until", { date });
			drawKnown(brand, card.last4, date, { expiry: shell.say("art.empty") });
		}
		const back = state.return_url ?? state.merchant.url;
		const there = point($("done-back"), back);
		$("done-close").hidden = there;
		if (live && there && window.top === window && this.#timer === 0 && $("auto").hidden) this.#start();
		else this.#tell();
	}

	#start() {
		this.#left = AUTO_SECONDS;
		$("auto").hidden = false;
		this.#tell();
		this.#timer = setInterval(() => {
			if (document.visibilityState === "hidden") return;
			this.#left--;
			this.#tell();
			if (this.#left > 0) return;
			this.stop();
			location.assign($("done-back").href);
		}, 1000);
	}

	#tell() {
		$("auto-text").textContent = this.#shell.say("done.auto", { seconds: this.#left });
	}

	stop() {
		clearInterval(this.#timer);
		this.#timer = 0;
		$("auto").hidden = true;
	}
}
