// Signing in, and registering, which is the same: a telephone number and the code that is sent to it.
import { fill, h, session, store, stored } from "./dom.js";
import { t } from "./words.js";
import { api, setAccount, state } from "./shop.js";
import { errorNotice, sentence, toast } from "./parts.js";

// Groups a Russian number as it is typed; other countries' numbers stay as they are.
export function groupPhone(text) {
	const plus = text.trim().startsWith("+");
	let digits = text.replace(/\D/g, "").slice(0, 15);
	if (!plus && /^8/.test(digits))
		digits = "7" + digits.slice(1);
	if (!plus && /^9/.test(digits))
		digits = "7" + digits;
	if (!digits.startsWith("7"))
		return plus || digits ? "+" + digits : "";
	digits = digits.slice(0, 11);
	const parts = [digits.slice(1, 4), digits.slice(4, 7), digits.slice(7, 9), digits.slice(9, 11)];
	let out = "+7";
	parts.forEach((part, index) => {
		if (part)
			out += (index < 2 ? " " : "-") + part;
	});
	return out;
}

// The caret stays after the same digit: what is left of it, formatted alone, is as long as it has to be.
function keepCaret(input, format) {
	const atEnd = input.selectionStart === input.value.length;
	const left = format(input.value.slice(0, input.selectionStart)).length;
	input.value = format(input.value);
	const at = atEnd ? input.value.length : left;
	input.setSelectionRange(at, at);
}

function field(id, label, hint, attributes) {
	const error = h("p.field-error", { id: id + "-error", role: "alert" });
	const input = h("input.field-input", { id, name: id, "aria-describedby": `${id}-hint ${id}-error`, ...attributes });
	return {
		input,
		node: h("div.field", h("label.field-label", { for: id }, label), input, h("p.field-hint", { id: id + "-hint" }, hint), error),
		say(text) {
			error.textContent = text || "";
			if (text)
				input.setAttribute("aria-invalid", "true");
			else
				input.removeAttribute("aria-invalid");
		},
	};
}

export function signIn(query) {
	const asked = query.get("next") || "/";
	const next = /^\/(?![/\\])/.test(asked) ? asked : "/";
	const form = h("div.sign-in-form.stack.stack-24");
	const node = h("div.page.page-wide.sign-in", form,
		h("div.sign-in-art", h("img", { src: "/art/hero.svg", alt: "", width: 520, height: 360 })));
	let stop = new AbortController();
	let ticking = 0;

	function leave() {
		stop.abort();
		clearInterval(ticking);
	}

	function phoneStep(typed = "") {
		const phone = field("phone", t("phone"), t("phone.hint"), {
			type: "tel", inputmode: "tel", autocomplete: "tel", placeholder: "+7 900 000-00-00", value: typed, required: true });
		const problem = h("div");
		const button = h("button.button", { type: "submit" }, t("code.send"));
		phone.input.addEventListener("input", () => {
			phone.say("");
			keepCaret(phone.input, groupPhone);
		});
		const fields = h("form.stack", { novalidate: true, onsubmit: async (event) => {
			event.preventDefault();
			fill(problem);
			button.setAttribute("aria-busy", "true");
			const { data, error } = await api("POST", "code", { phone: phone.input.value });
			button.removeAttribute("aria-busy");
			if (error && error.code === "phone") {
				phone.say(sentence(error));
				phone.input.focus();
			} else if (error) {
				fill(problem, errorNotice(error));
			} else {
				store(session, "code", data);
				codeStep(data);
			}
		} }, phone.node, problem, button);
		fill(form,
			h("div.stack.stack-8", h("h1.title", { tabindex: -1 }, t("sign_in")), h("p.muted", t("sign_in.text"))), fields,
			h("p.small", h("a", { href: "/help/code" }, t("code.trouble"))));
		phone.input.focus({ preventScroll: true });
	}

	function codeStep(sent) {
		const code = field("code", t("code"), t("code.hint"), {
			type: "text", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9]{6}", maxlength: 6, required: true });
		code.input.classList.add("code-input", "digits");
		const problem = h("div");
		const button = h("button.button", { type: "submit" }, t("code.enter"));
		const again = h("button.link", { type: "button", onclick: () => phoneStepWith(sent.phone) });
		let over = false;
		let busy = false;

		async function send() {
			if (busy || over)
				return;
			if (!/^\d{6}$/.test(code.input.value)) {
				code.say(t("code.six"));
				code.input.focus();
				return;
			}
			busy = true;
			button.setAttribute("aria-busy", "true");
			const { data, error } = await api("POST", "sign-in", { challenge: sent.challenge, code: code.input.value });
			busy = false;
			button.removeAttribute("aria-busy");
			if (!error) {
				leave();
				store(session, "code", null);
				setAccount(data.account);
				state.go(next, { replace: true });
				return;
			}
			if (error.code === "code_wrong") {
				code.input.value = "";
				code.say(t("error.code_wrong", { left: error.left }));
				code.input.focus();
			} else if (error.code === "code_over") {
				over = true;
				store(session, "code", null);
				code.input.disabled = true;
				button.hidden = true;
				code.say("");
				fill(problem, h("div.notice.notice-danger", { role: "alert" }, t("error.code_over")));
				again.className = "button";
			} else {
				fill(problem, errorNotice(error));
			}
		}

		function tick() {
			const left = Math.max(0, Math.ceil(sent.again - Date.now() / 1000));
			again.disabled = left > 0;
			again.textContent = left > 0 ? t("code.again.in", { seconds: left }) : t("code.again");
		}

		code.input.addEventListener("input", () => {
			code.say("");
			code.input.value = code.input.value.replace(/\D/g, "").slice(0, 6);
			if (code.input.value.length === 6)
				send();
		});
		fill(form,
			h("div.stack.stack-8", h("h1.title", { tabindex: -1 }, t("code.title")),
				h("p.muted", t("code.sent"), " ", h("span.phone.digits", sent.phone), " ",
					h("button.link", { type: "button", onclick: () => { store(session, "code", null); leave(); stop = new AbortController(); phoneStep(sent.phone); } }, t("change")))),
			h("form.stack", { novalidate: true, onsubmit: (event) => { event.preventDefault(); send(); } }, code.node, problem, button),
			h("div.code-more", again, h("a.small", { href: "/help/code" }, t("code.trouble"))));
		code.input.focus({ preventScroll: true });
		tick();
		clearInterval(ticking);
		ticking = setInterval(() => (node.isConnected ? tick() : leave()), 1000);
		readSms(code.input, send);
	}

	async function phoneStepWith(phone) {
		const { data, error } = await api("POST", "code", { phone });
		if (error) {
			toast(sentence(error));
			return;
		}
		store(session, "code", data);
		codeStep(data);
		toast(t("code.sent.again"));
	}

	// Android's browsers hand the code over when the SMS ends in our host's name (WebOTP).
	function readSms(input, send) {
		if (!("OTPCredential" in window))
			return;
		navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal }).then((otp) => {
			input.value = otp.code;
			send();
		}).catch(() => {
			// No SMS, or the reader said no: the code is typed then.
		});
	}

	const sent = stored(session, "code", null);
	if (sent && sent.expires * 1000 > Date.now())
		codeStep(sent);
	else
		phoneStep();
	return { title: t("sign_in"), node, leave };
}
