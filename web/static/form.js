// The four fields: formatting while one types, words about mistakes once a field was left, focus on the first wrong field.
// It hands over what was typed once, and clear() leaves nothing of it in the page.

import { drawCard, turn } from "./art.js";
import { brandById, markOf, UNKNOWN } from "./brands.js";
import { checkCode, checkExpiry, checkNumber } from "./check.js";
import { digitsOf, editCode, editExpiry, editNumber, parseExpiry, showExpiry } from "./format.js";

const $ = (id) => document.getElementById(id);
const CHECKED = ["number", "expiry", "code"];
const ORDER = ["number", "expiry", "code", "name"];

export class CardForm {
	#hooks;
	#brand = UNKNOWN;
	#digits = { number: 0, expiry: 0 };
	#errors = new Map(); // field to key of its sentence
	#pressed = false;

	/** hooks: say(key, places), name(brand), now(), brands(), submit(card), wrong(any), announce(text). */
	constructor(hooks) {
		this.#hooks = hooks;
		for (const id of ["input", "change"]) {
			$("number").addEventListener(id, (e) => this.#number(e));
			$("expiry").addEventListener(id, (e) => this.#expiry(e));
			$("code").addEventListener(id, (e) => this.#code(e));
			$("name").addEventListener(id, () => this.#draw());
		}
		for (const id of ORDER) {
			$(id).addEventListener("focus", () => this.#enter(id));
			$(id).addEventListener("blur", () => this.#leave(id));
			$(id).addEventListener("keydown", (e) => this.#key(id, e));
		}
		// An error that appears while the finger is down would move the button away from under it; it waits for the click.
		addEventListener("pointerdown", () => (this.#pressed = true), true);
		for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(() => (this.#pressed = false)), true);
		$("form").addEventListener("submit", (e) => {
			e.preventDefault();
			this.#submit();
		});
		this.words();
	}

	#put(id, edit) {
		const field = $(id);
		if (field.value === edit.text) return;
		field.value = edit.text;
		if (document.activeElement === field) field.setSelectionRange(edit.caret, edit.caret);
	}

	#number(e) {
		const field = $("number");
		const edit = editNumber(field.value, field.selectionStart ?? field.value.length, e.inputType, this.#digits.number);
		this.#put("number", edit);
		this.#digits.number = edit.digits.length;
		if (edit.brand !== this.#brand) this.#setBrand(edit.brand);
		this.#typed("number");
		if (this.#atEnd(e, field) && edit.digits.length === edit.brand.usual) this.#forward("number", "expiry");
	}

	#expiry(e) {
		const field = $("expiry");
		const edit = editExpiry(field.value, field.selectionStart ?? field.value.length, e.inputType, this.#digits.expiry);
		this.#put("expiry", edit);
		this.#digits.expiry = edit.digits.length;
		this.#typed("expiry");
		if (this.#atEnd(e, field)) this.#forward("expiry", "code");
	}

	#code(e) {
		const field = $("code");
		this.#put("code", editCode(field.value, field.selectionStart ?? field.value.length, this.#brand));
		this.#typed("code");
	}

	#setBrand(brand) {
		this.#brand = brand;
		$("mark").src = markOf(brand.id);
		$("mark").alt = this.#hooks.name(brand);
		if (brand.name) this.#hooks.announce($("mark").alt);
		this.#put("code", editCode($("code").value, 9, brand));
		this.words();
		if (document.activeElement === $("code")) this.#enter("code");
	}

	// Typed by hand, at the end of the field: only then may the focus go on by itself.
	#atEnd(e, field) {
		return e.inputType === "insertText" && field.selectionStart === field.value.length;
	}

	#forward(from, to) {
		if (this.#check(from) === "" && $(to).value === "" && document.activeElement === $(from)) $(to).focus();
	}

	#check(id) {
		if (id === "number") return checkNumber($("number").value, this.#hooks.brands());
		if (id === "expiry") return checkExpiry($("expiry").value, this.#hooks.now());
		return checkCode($("code").value, this.#brand);
	}

	// A sentence that is shown goes as soon as it is no longer true; a new one waits until the field is left.
	#typed(id) {
		const shown = this.#errors.get(id);
		if (shown && (shown.startsWith("error.field.") || this.#check(id) === "")) this.#setError(id, "");
		this.#draw();
	}

	#enter(id) {
		turn(id === "code" && this.#brand.id !== "amex");
	}

	#leave(id) {
		if (id === "code") turn(false);
		if (id === "expiry") {
			const date = parseExpiry($("expiry").value);
			if (date && date.year < 2100) this.#put("expiry", { text: showExpiry(date), caret: 5 });
			this.#digits.expiry = digitsOf($("expiry").value).length;
			this.#draw();
		}
		if (!CHECKED.includes(id) || $(id).value === "") return;
		const judge = () => {
			if (this.#pressed) return setTimeout(judge, 16);
			if (document.activeElement === $(id) || $(id).value === "") return;
			const key = this.#check(id);
			if (key && key !== this.#errors.get(id)) this.#hooks.announce(this.#sentence(key));
			if (!this.#errors.get(id)?.startsWith("error.field.")) this.#setError(id, key);
		};
		judge();
	}

	#key(id, e) {
		const at = ORDER.indexOf(id);
		if (e.key === "Backspace" && $(id).value === "" && at > 0) {
			e.preventDefault();
			const previous = $(ORDER[at - 1]);
			previous.focus();
			previous.setSelectionRange(previous.value.length, previous.value.length);
		}
		// "Next" of a phone's keyboard is Enter; it goes on until everything is there, then it submits.
		if (e.key === "Enter" && !e.isComposing) {
			const open = CHECKED.find((f, i) => i > at && $(f).value === "");
			if (!open) return;
			e.preventDefault();
			$(open).focus();
		}
	}

	#sentence(key) {
		return this.#hooks.say(key, { brand: this.#hooks.name(this.#brand) });
	}

	#setError(id, key) {
		if (key) this.#errors.set(id, key);
		else this.#errors.delete(id);
		$(`${id}-error`).textContent = key ? this.#sentence(key) : "";
		$(id).setAttribute("aria-invalid", String(Boolean(key)));
		if (id === "code") $("code-hint").hidden = Boolean(key);
		this.#hooks.wrong(this.#errors.size > 0);
	}

	#draw() {
		const card = { digits: digitsOf($("number").value), brand: this.#brand, expiry: $("expiry").value, name: $("name").value, code: $("code").value };
		drawCard(card, { expiry: this.#hooks.say("art.empty") });
	}

	#submit() {
		if ($("fields").disabled) return;
		for (const id of CHECKED) this.#setError(id, this.#check(id));
		const first = CHECKED.find((id) => this.#errors.has(id));
		if (first) return $(first).focus();
		const { month, year } = parseExpiry($("expiry").value);
		const card = { number: digitsOf($("number").value), exp_month: month, exp_year: year, cvc: digitsOf($("code").value) };
		const name = $("name").value.trim();
		if (name) card.name = name;
		this.#hooks.submit(card);
	}

	/** Hints and errors in the language of now. */
	words() {
		const four = this.#brand.id === "amex";
		$("code-hint").textContent = this.#hooks.say(four ? "code.hint4" : "code.hint");
		$("code").placeholder = four ? "1234" : "123";
		for (const [id, key] of this.#errors) $(`${id}-error`).textContent = this.#sentence(key);
		this.#draw();
	}

	/** An error that the bank told about one field. */
	blame(field) {
		this.#setError(field, `error.field.${field}`);
	}

	focus(id) {
		$(id).focus();
	}

	lock(locked) {
		$("fields").disabled = locked;
		$("submit").disabled = locked;
		$("submit").setAttribute("aria-busy", String(locked));
	}

	/** Number, date, code and name leave the page: fields, drawn card, undo history of the fields. */
	clear() {
		$("form").reset();
		for (const id of ORDER) $(id).value = "";
		for (const id of CHECKED) this.#setError(id, "");
		this.#digits = { number: 0, expiry: 0 };
		this.#brand = brandById("");
		$("mark").src = markOf("generic");
		$("mark").alt = "";
		turn(false);
		this.words();
	}
}
