// Starts the page: frame, addresses, focus, the service worker.
import { fill, h, icon } from "./dom.js";
import { language, t } from "./words.js";
import { basketCount, loadAccount, loadGoods, state } from "./shop.js";
import { home, notFound } from "./home.js";
import { good } from "./good.js";
import { basketPage } from "./basket.js";
import { signIn } from "./sign_in.js";
import { orderPage, ordersPage } from "./orders.js";
import { cardsPage, linkedPage } from "./cards.js";
import { chooseLanguage, profile } from "./profile.js";
import { help } from "./help.js";

const PAGES = [
	[/^\/$/, home],
	[/^\/goods\/([\w-]+)$/, good],
	[/^\/basket$/, basketPage],
	[/^\/sign-in$/, (query) => signIn(query)],
	[/^\/orders$/, ordersPage],
	[/^\/orders\/([\w-]+)$/, orderPage],
	[/^\/cards$/, cardsPage],
	[/^\/cards\/linked$/, linkedPage],
	[/^\/profile$/, profile],
	[/^\/help(?:\/(\w+))?$/, help],
];

const TABS = [["/", "home", "goods"], ["/basket", "basket", "basket"], ["/orders", "orders", "orders"], ["/profile", "person", "profile"]];

const main = h("main", { id: "main" });
const frame = { top: h("header.top"), tabs: h("nav.tabs"), foot: h("footer.foot"), said: h("div.visually-hidden", { role: "status" }) };
let leave = () => {};

function isCurrent(href, path) {
	return href === "/" ? path === "/" || path.startsWith("/goods") : path.startsWith(href) || (href === "/profile" && path.startsWith("/cards"));
}

function badge() {
	const count = basketCount();
	return count > 0 && h("span.badge.digits", String(count));
}

function basketLabel() {
	const count = basketCount();
	return count ? t("basket.count", { count }) : t("basket");
}

function drawFrame() {
	const path = location.pathname;
	const here = (href) => (isCurrent(href, path) ? "page" : null);
	const other = language() === "ru" ? "en" : "ru";
	fill(frame.top, h("div.top-in",
		h("a.brand", { href: "/", "aria-label": t("shop") }, h("img", { src: "/art/logo.svg", alt: "", width: 40, height: 40 }), h("span", t("shop"))),
		h("nav.top-nav", { "aria-label": t("menu") }, [["/", "goods"], ["/orders", "orders"], ["/help", "help"]].map(([href, name]) =>
			h("a", { href, "aria-current": here(href) }, t(name)))),
		h("div.top-end",
			h("button.round.tongue", { type: "button", lang: other, "aria-label": other === "en" ? "English" : "Русский", onclick: () => chooseLanguage(other) }, other.toUpperCase()),
			h("a.round.only-wide", { href: "/basket", "aria-label": basketLabel(), "aria-current": here("/basket") }, icon("basket"), badge()),
			h("a.top-person.only-wide", { href: state.account ? "/profile" : "/sign-in?next=/", "aria-current": here("/profile") }, icon("person"),
				state.account ? state.account.name || t("profile") : t("sign_in")))));
	frame.tabs.setAttribute("aria-label", t("menu"));
	fill(frame.tabs, ...TABS.map(([href, image, name]) => h("a.tab", { href, "aria-current": here(href) },
		h("span.tab-icon", icon(image), href === "/basket" && badge()), h("span", t(name)))));
	fill(frame.foot, h("div.foot-in.small.muted", h("span", t("about")), h("a", { href: "/help" }, t("help"))));
}

function show(options = {}) {
	// The way back from the bank carries the payment's secret: the page needs nothing of it, since the
	// server asks onfile, and an address is seen by too many.
	if (location.pathname.startsWith("/orders/") && location.search) {
		options = { ...options, fresh: true };
		history.replaceState(history.state, "", location.pathname);
	}
	const query = new URLSearchParams(location.search);
	let found = null;
	for (const [pattern, page] of PAGES) {
		const match = location.pathname.match(pattern);
		if (match)
			found = match[1] !== undefined ? page(match[1], query, options) : page(page === help ? undefined : query, query, options);
		if (match)
			break;
	}
	found = found || notFound();
	if (found.signedIn && !state.account && !state.kept) {
		go(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
		return;
	}
	leave();
	leave = found.leave || (() => {});
	document.title = found.title === t("shop") ? found.title : `${found.title} · ${t("shop")}`;
	fill(main, found.node);
	document.body.dataset.page = location.pathname === "/" ? "home" : "other";
	drawFrame();
	if (options.arrive) {
		frame.said.textContent = found.title;
		if (!main.contains(document.activeElement) || document.activeElement === document.body) {
			const title = main.querySelector("h1") || main;
			title.setAttribute("tabindex", "-1");
			title.focus({ preventScroll: true });
		}
		scrollTo(0, options.scroll || 0);
	}
}

function go(href, { replace = false, fresh = false } = {}) {
	history.replaceState({ scroll: scrollY }, "");
	history[replace ? "replaceState" : "pushState"]({ scroll: 0 }, "", href);
	show({ arrive: true, fresh });
}

function followLinks(event) {
	const link = event.target.closest?.("a[href]");
	if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
		return;
	const url = new URL(link.href);
	if (url.origin !== location.origin || link.target || link.hasAttribute("download"))
		return;
	event.preventDefault();
	link.closest("dialog")?.close();
	if (url.href === location.href)
		scrollTo({ top: 0 });
	else
		go(url.pathname + url.search);
}

function startWorker() {
	if (!("serviceWorker" in navigator))
		return;
	// The page's policy lets a script be loaded from one address only, this one.
	const policy = window.trustedTypes?.createPolicy("soyka", {
		createScriptURL(url) {
			if (url !== "/worker.js")
				throw new TypeError("not ours");
			return url;
		},
	});
	navigator.serviceWorker.register(policy ? policy.createScriptURL("/worker.js") : "/worker.js").catch(() => {
		// Without it the shop works, but not offline.
	});
}

async function begin() {
	history.scrollRestoration = "manual";
	state.go = go;
	state.refresh = () => show();
	await Promise.all([loadGoods(), loadAccount()]);
	document.getElementById("app").replaceChildren(
		h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); main.setAttribute("tabindex", "-1"); main.focus(); } }, t("skip")),
		frame.top, main, frame.foot, frame.tabs, frame.said);
	document.addEventListener("click", followLinks);
	addEventListener("popstate", (event) => show({ arrive: true, scroll: event.state?.scroll }));
	addEventListener("basket", drawFrame);
	// Coming back from onfile's page by the back button may show a kept page: what it shows is old.
	addEventListener("pageshow", (event) => event.persisted && loadAccount().then(() => { state.cards = null; show(); }));
	show();
	startWorker();
}

begin();
