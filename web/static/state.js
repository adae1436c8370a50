// Follows the state of one session: asks, waits for changes, survives lost networks, sleeping phones and second tabs.
// The page is drawn from the state alone, so that reload, back and another tab show the same step.

const ASK_LIMIT_MS = 30000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];
const RESTING = new Set(["done", "expired"]);

export function tokenOf(path) {
	return /^\/c\/([^/]+)/.exec(path)?.[1] ?? "";
}

export class Follower {
	#path;
	#handlers;
	#ask = null;
	#wake = null;
	#fresh = true;
	#failures = 0;
	#at = 0;
	lang = null;
	state = null;

	/** handlers: state(s), trouble(kind | null) with kind "lost" or "busy", gone(). */
	constructor(token, handlers) {
		this.#path = `/c/${token}`;
		this.#handlers = handlers;
		addEventListener("pageshow", (e) => e.persisted && this.refresh());
		addEventListener("online", () => this.refresh());
		addEventListener("focus", () => this.#failures > 0 && this.refresh());
		document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.refresh());
	}

	/** Now by the server's clock: a phone whose clock is wrong can link a card too. */
	now() {
		if (!this.state) return new Date();
		return new Date(this.state.now * 1000 + (performance.now() - this.#at));
	}

	/** How old the newest answer is. */
	age_ms() {
		return performance.now() - this.#at;
	}

	/** `answer`: it came on a request of our own and may have been overtaken by what the waiting question brought. */
	take(state, answer = false) {
		if (answer && this.state && state.revision < this.state.revision) return;
		this.#at = performance.now();
		this.state = state;
		this.#handlers.state(state);
		if (answer) this.#wake?.(); // a hidden page that rested has something to wait for now
	}

	/** Ask at once, whatever is being waited for. */
	refresh() {
		this.#fresh = true;
		this.#ask?.abort();
		this.#wake?.();
	}

	async post(verb, form) {
		const signal = AbortSignal.timeout(ASK_LIMIT_MS);
		const response = await fetch(this.#address(verb), { method: "POST", body: new URLSearchParams(form), signal, redirect: "error" });
		const body = await response.json().catch(() => null);
		return { status: response.status, body };
	}

	#address(verb, query = {}) {
		const all = new URLSearchParams(query);
		if (this.lang) all.set("lang", this.lang);
		const text = all.toString();
		return `${this.#path}/${verb}${text ? `?${text}` : ""}`;
	}

	/** Runs as long as the page. */
	async run() {
		for (;;) {
			const began = performance.now();
			const before = this.state?.revision;
			try {
				await this.once();
				if (this.#failures > 0) this.#handlers.trouble(null);
				this.#failures = 0;
			} catch (error) {
				if (this.#fresh) continue; // refresh() cut it short on purpose
				if (error.gone) return this.#handlers.gone();
				this.#failures++;
				// A first failure is not worth a word: most are one lost packet.
				if (this.#failures > 1) this.#handlers.trouble(error.busy ? "busy" : "lost");
			}
			await this.#rest(this.state?.revision === before && performance.now() - began < 1000);
		}
	}

	/** One question: for what is (always when `now`), or, when nothing presses, for what comes. */
	async once(now = false) {
		const waits = !now && !this.#fresh && this.state !== null && this.#failures === 0;
		const ask = new AbortController();
		const timer = setTimeout(() => ask.abort(), ASK_LIMIT_MS);
		if (!now) {
			this.#fresh = false;
			this.#ask = ask;
		}
		try {
			const query = waits ? { after: this.state.revision } : {};
			const response = await fetch(this.#address("state", query), { signal: ask.signal, cache: "no-store", redirect: "error" });
			if (response.status === 404) throw Object.assign(new Error("no such session"), { gone: true });
			if (!response.ok) throw Object.assign(new Error(`status ${response.status}`), { busy: true });
			this.take(await response.json());
		} finally {
			clearTimeout(timer);
		}
	}

	async #rest(quick) {
		if (this.#fresh) return;
		const idle = RESTING.has(this.state?.step) || (this.state?.step === "enter" && document.visibilityState === "hidden");
		const pause = this.#failures > 0 ? PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length) - 1] : quick ? 1000 : 0;
		if (!idle && pause === 0) return;
		await new Promise((resume) => {
			this.#wake = resume;
			if (!idle || this.#failures > 0) setTimeout(resume, pause);
		});
		this.#wake = null;
	}
}
