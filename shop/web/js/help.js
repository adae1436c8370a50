// Help: the three questions that people have, each with an answer, and a way to a person.
import { h, icon } from "./dom.js";
import { t } from "./words.js";
import { state } from "./shop.js";
import { account, mailto } from "./parts.js";

const QUESTIONS = [["link", 4, "/cards"], ["code", 4, null], ["twice", 3, "/orders"], ["safe", 3, null]];

export function help(open) {
	const questions = QUESTIONS.map(([name, count, href]) => h("details.question", { open: name === open },
		h("summary", h("span", t(`help.${name}`)), icon("down", 20)),
		h("div.stack.stack-8", Array.from({ length: count }, (_, index) => h("p", t(`help.${name}.${index + 1}`))),
			href && state.account && h("a.link", { href }, t(`help.${name}.go`)))));
	const content = [
		h("div.stack.stack-8", h("h1.title", t("help")), h("p.muted", t("help.text"))),
		h("div.questions", questions),
		h("section.contact.stack", h("div.stack.stack-8", h("h2.heading", t("help.person")), h("p.muted", t("help.person.text"))),
			h("a.button.button-auto", { href: mailto(null) }, icon("mail", 20), t("write.us")),
			h("p.small.muted", state.support)),
		h("p.small.muted", t("about")),
	];
	return { title: t("help"), node: state.account ? account("/help", content) : h("div.page.stack.stack-24", content) };
}
