// The card page: draws the step that the state names, sends the encrypted card, helps the bank look at the browser.
// All that lasts is in the state; this page can be closed and opened again at any step. docs/hosted-pages.md is the contract.

import { drawKnown } from "./art.js";
import { brandById, brandOf, markOf, nameIn } from "./brands.js";
import { addBrowserData } from "./browser.js";
import { CardForm } from "./form.js";
import { canEncrypt, encrypt, usableKey } from "./jwe.js";
import { Outcome } from "./outcome.js";
import { solve } from "./proof.js";
import { $, point, Shell } from "./shell.js";
import { Follower, tokenOf } from "./state.js";

const SLOW_MS = 10000;
const STALE_MS = 60000;
const RESEND_MS = 240000; // what was encrypted is good for five minutes
const BUSY_STEPS = ["checking", "preparing", "authenticating"];

const token = tokenOf(location.pathname);
const shell = new Shell(() => redraw(true));
const outcome = new Outcome(shell, retry);
const follower = new Follower(token, { state: taken, trouble: (kind) => shell.trouble(kind), gone: () => shell.show("gone") });
const form = new CardForm({
	say: (key, places) => shell.say(key, places),
	name: (brand) => nameIn(brand, shell.lang),
	now: () => follower.now(),
	brands: () => follower.state?.brands ?? null,
	submit: (card) => void send(card),
	wrong: (any) => shell.titleError(any),
	announce: (text) => shell.announce(text),
});

let sending = false;
let refusal = null; // what the server said to our request itself, when the state does not tell it
let dismissed = ""; // the failure that the shopper has read
let typed = null; // brand and last four digits of what was sent, for the drawn card
let live = location.hash === "#live"; // we come from the bank's page, or saw the steps before
let left = location.hash === "#left"; // the shopper has just left the bank's page by their own wish
let slowTimer = 0;
let prepared = "";
let proof = { nonce: "", answer: null, stop: new AbortController() };

if (location.hash) history.replaceState(null, "", location.pathname + location.search);

function nameOf(error) {
	return error ? `${error.reference ?? ""}/${error.at ?? ""}/${error.code ?? ""}` : "";
}

function viewOf(state) {
	if (sending) return "busy";
	if (state.step === "enter") {
		if (!canEncrypt()) return "insecure";
		if (refusal) return "failed";
		return state.error && !state.error.field && nameOf(state.error) !== dismissed ? "failed" : "enter";
	}
	return { waiting: "waiting", done: "done", expired: "expired" }[state.step] ?? "busy";
}

function taken(state) {
	if (left) dismissed = nameOf(state.error);
	left = false;
	if (state.step !== "enter") {
		sending = false;
		refusal = null;
	}
	if (BUSY_STEPS.includes(state.step) || state.step === "waiting" || state.step === "challenge") live = true;
	if (state.step === "challenge") return location.replace(`/c/${token}/challenge`);
	if (shell.take(state)) form.words();
	drawTaken(state.brands);
	// Core chose the words of an error before it knew which language the shopper reads here.
	if (follower.lang !== shell.lang) {
		follower.lang = shell.lang;
		if (state.error) follower.refresh();
	}
	if (state.step === "enter") work(state.proof);
	if (state.step === "preparing") prepare(state);
	redraw(false);
}

function redraw(language) {
	const state = follower.state;
	if (!state) return;
	$("taken-words").textContent = shell.say("taken", { brands: (state.brands ?? []).map((id) => nameIn(brandById(id), shell.lang)).join(", ") });
	if (language) {
		form.words();
		follower.lang = shell.lang;
		if (state.error) follower.refresh();
	}
	const view = viewOf(state);
	shell.wayBack(view === "done" ? (state.return_url ?? state.cancel_url) : state.cancel_url);
	draw[view]?.(state);
	const changed = shell.show(view);
	if (view !== "done") outcome.stop();
	if (changed) entered(view, state);
}

const draw = {
	enter(state) {
		form.lock(false);
		$("choose").hidden = !state.choose;
		$("choose").href = `/c/${token}/choose`;
		const error = state.error && nameOf(state.error) !== dismissed ? state.error : null;
		$("enter-error").hidden = !error;
		if (!error) return;
		$("enter-error-title").textContent = error.title || shell.say("failed.title");
		const code = error.reference ? ` ${shell.say("failed.reference")}: ${error.reference}.` : "";
		$("enter-error-text").textContent = `${error.message ?? ""}${code}`;
	},
	busy(state) {
		const now = BUSY_STEPS.indexOf(sending ? "checking" : state.step);
		BUSY_STEPS.forEach((step, i) => {
			const item = document.querySelector(`.steps-item[data-step="${step}"]`);
			item.dataset.is = i < now ? "done" : i === now ? "now" : "next";
			item.lastElementChild.textContent = i < now ? `, ${shell.say("step.done")}` : i === now ? `, ${shell.say("step.now")}` : "";
		});
		if (typed) drawKnown(typed.brand, typed.last4, typed.expiry, { expiry: shell.say("art.empty") });
	},
	waiting(state) {
		const info = state.challenge?.info ?? "";
		$("waiting-info").hidden = info === "";
		$("waiting-info").textContent = info;
		point($("waiting-back"), state.cancel_url);
	},
	done(state) {
		outcome.done(state, live);
		live = false;
	},
	failed(state) {
		outcome.failed(refusal ?? state.error, state, follower.now());
	},
	expired(state) {
		point($("expired-back"), state.return_url ?? state.cancel_url ?? state.merchant.url);
	},
	insecure(state) {
		point($("insecure-back"), state.cancel_url);
	},
};

// The marks of the brands that this shop takes, below the card on wide screens.
function drawTaken(brands) {
	const names = (brands ?? []).join(" ");
	if ($("taken").dataset.brands === names) return;
	$("taken").dataset.brands = names;
	const marks = (brands ?? []).map((id) => Object.assign(new Image(40, 28), { loading: "lazy", src: markOf(id), alt: "" }));
	$("taken").replaceChildren(...marks);
}

// Once, when a view has just come up.
function entered(view, state) {
	clearTimeout(slowTimer);
	$("slow").hidden = true;
	if (view === "busy") slowTimer = setTimeout(() => ($("slow").hidden = false), SLOW_MS);
	if (view === "enter") {
		typed = null;
		form.clear();
		const field = state.error && nameOf(state.error) !== dismissed ? state.error.field : null;
		if (field && $(field)) {
			form.blame(field);
			form.focus(field);
		}
	}
	shell.announce(document.querySelector(`.view[data-view="${view}"] .title`)?.textContent ?? "");
}

function retry() {
	dismissed = nameOf(follower.state.error);
	refusal = null;
	redraw(false);
	form.focus("number");
}

// Proof of work begins with the page and is ready long before the card is typed.
function work(task) {
	if (!task || task.nonce === proof.nonce) return;
	proof.stop.abort();
	const stop = new AbortController();
	proof = { nonce: task.nonce, stop, answer: solve(task, stop.signal) };
	proof.answer.catch(() => {}); // stopped: a newer one has taken its place
}

// The bank may look at the browser before it decides: in a hidden frame, whose own page may speak to the bank.
function prepare(state) {
	if (state.browser_wanted && prepared !== `browser ${state.revision}`) {
		prepared = `browser ${state.revision}`;
		follower.post("browser", addBrowserData(new URLSearchParams())).then(
			({ body }) => body?.step && follower.take(body, true),
			() => (prepared = ""),
		);
		return;
	}
	if (!state.method || prepared === state.method.data) return;
	prepared = state.method.data;
	document.querySelector(".method")?.remove();
	const frame = document.createElement("iframe");
	frame.className = "method";
	frame.tabIndex = -1;
	frame.setAttribute("aria-hidden", "true");
	frame.src = `/c/${token}/method`;
	document.body.append(frame);
}

async function send(card) {
	if (sending) return;
	sending = true;
	live = true;
	refusal = null;
	dismissed = nameOf(follower.state.error);
	form.lock(true);
	const brand = brandOf(card.number);
	typed = { brand, last4: card.number.slice(-4), expiry: `${String(card.exp_month).padStart(2, "0")}/${String(card.exp_year % 100).padStart(2, "0")}` };
	try {
		// An old page asks for the time and the keys of now first.
		if (follower.age_ms() > STALE_MS) await follower.once(true).catch(() => {});
		const state = follower.state;
		if (state.step !== "enter") return;
		const issued = Math.floor(follower.now().getTime() / 1000);
		const encrypted = await encrypt(usableKey(state.keys), { ...card, intent: state.intent, issued });
		card.number = card.cvc = card.name = "";
		form.clear();
		redraw(false);
		await deliver(encrypted, state);
	} catch {
		refusal = { key: "failed.refused", again: "now" };
	} finally {
		card.number = card.cvc = card.name = "";
		sending = false;
		shell.trouble(null);
		redraw(false);
	}
}

// Sends what was encrypted until it is known to have arrived. It counts only once, so sending it again is safe.
async function deliver(encrypted, state) {
	const before = state.revision;
	const end = performance.now() + RESEND_MS;
	let solved = 0;
	for (let n = 0; performance.now() < end; n++) {
		try {
			const fields = addBrowserData(new URLSearchParams({ encrypted }));
			const nonce = follower.state.proof?.nonce;
			if (nonce) fields.set("proof", await proof.answer);
			const { status, body } = await follower.post("card", fields);
			if (status < 300 && body?.step) return follower.take(body, true);
			if (status >= 500 || status === 408) throw new Error(`status ${status}`);
			await follower.once(true).catch(() => {});
			if (follower.state.step !== "enter") return;
			const other = follower.state.proof?.nonce;
			if (other && other !== nonce && solved++ < 2) continue; // the guards want more work than before
			if (nameOf(follower.state.error) === dismissed) refusal = body?.error ?? body ?? { key: "failed.refused", again: "now" };
			return;
		} catch {
			if (n > 0) shell.trouble(navigator.onLine ? "busy" : "lost");
			await new Promise((resume) => setTimeout(resume, Math.min(8000, 500 * 2 ** n)));
			await follower.once(true).catch(() => {});
			if (follower.state.step !== "enter" || follower.state.revision > before) return;
		}
	}
	refusal = { key: "failed.unsent", again: "now" };
}

$("safe-more").addEventListener("click", () => $("safe-sheet").showModal());

for (const button of document.querySelectorAll(".stop"))
	button.addEventListener("click", async () => {
		button.disabled = true;
		try {
			const { body } = await follower.post("cancel", new URLSearchParams());
			if (!body?.step) return follower.refresh();
			dismissed = nameOf(body.error); // who stops by themselves need not be told that it failed
			follower.take(body, true);
		} catch {
			follower.refresh();
		} finally {
			button.disabled = false;
		}
	});

// A page that comes back from the browser's memory must not show what was typed before.
addEventListener("pagehide", () => form.clear());

shell.words();
void follower.run();
