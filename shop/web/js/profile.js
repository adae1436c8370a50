// The person: name, language, light or dark; ways to cards, orders, help; signing out.
import { h, icon, local, store } from "./dom.js";
import { language, speak, t } from "./words.js";
import { api, setAccount, state } from "./shop.js";
import { account, sentence, toast } from "./parts.js";
import { installRow } from "./install.js";

function segments(label, name, chosen, options, onchange) {
	return h("fieldset.segments", h("legend.field-label", label),
		h("div.segments-box", options.map(([value, text]) => h("label.segment",
			h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }), h("span", text)))));
}

export async function chooseLanguage(value) {
	speak(value);
	if (state.account) {
		state.account.language = value;
		await api("POST", "profile", { language: value });
	}
	state.refresh();
}

function chooseTheme(value) {
	try {
		localStorage.setItem("theme", value);
	} catch {
		// It holds until the page is closed.
	}
	if (value === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = value;
}

function theme() {
	return document.documentElement.dataset.theme || "auto";
}

export function languageChoice() {
	return segments(t("language"), "language", language(), [["ru", "Русский"], ["en", "English"]], chooseLanguage);
}

export function themeChoice() {
	return segments(t("theme"), "theme", theme(), [["auto", t("theme.auto")], ["light", t("theme.light")], ["dark", t("theme.dark")]], chooseTheme);
}

function nameForm() {
	const input = h("input.field-input", { id: "name", name: "name", autocomplete: "name", maxlength: 60, value: state.account.name, placeholder: t("name.none") });
	const button = h("button.button.button-quiet.button-small", { type: "submit" }, t("save"));
	return h("form.field", { onsubmit: async (event) => {
		event.preventDefault();
		const { data, error } = await api("POST", "profile", { name: input.value.trim() });
		if (error) {
			toast(sentence(error));
			return;
		}
		setAccount(data.account);
		toast(t("saved"));
	} }, h("label.field-label", { for: "name" }, t("name")), h("div.name-row", input, button));
}

async function signOut() {
	await api("POST", "sign-out", {});
	navigator.serviceWorker?.controller?.postMessage("forget");
	state.account = null;
	state.cards = null;
	store(local, "basket", []);
	state.go("/");
}

const link = (href, image, text, note) => h("a.row", { href }, h("span.row-icon", icon(image)),
	h("span.row-body", h("span.row-title", text), note && h("span.row-note", note)), h("span.row-end", icon("next", 20)));

export function profile() {
	const person = state.account;
	if (!person)
		return { title: t("profile"), node: h("div"), signedIn: true };
	const greeting = person.name || t("profile");
	return {
		title: t("profile"),
		signedIn: true,
		node: account("/profile",
			h("div.person", h("span.avatar", { "aria-hidden": "true" }, person.name ? person.name[0].toUpperCase() : icon("person", 28)),
				h("div", h("h1.title", greeting), h("p.muted.digits", person.phone))),
			h("div.rows.only-narrow", link("/cards", "card", t("cards"), t("cards.note")), link("/orders", "orders", t("orders")), link("/help", "help", t("help"))),
			nameForm(),
			h("div.choices", languageChoice(), themeChoice()),
			installRow(),
			h("button.link.danger", { type: "button", onclick: signOut }, icon("out", 20), t("sign_out"))),
	};
}
