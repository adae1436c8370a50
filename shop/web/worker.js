// The service worker: the whole shell comes from one cache that is made at once for each version
// (VERSION is put before this text by the server), so that pages never mix two versions; the last
// orders are kept for when there is no network. It never touches what changes something.
const FILES = [
	"/goods.json", "/shop.css", "/static/tokens.css", "/manifest.webmanifest",
	"/js/theme.js", "/js/main.js", "/js/dom.js", "/js/words.js", "/js/ru.js", "/js/en.js", "/js/shop.js",
	"/js/parts.js", "/js/home.js", "/js/good.js", "/js/basket.js", "/js/pay.js", "/js/sign_in.js",
	"/js/orders.js", "/js/cards.js", "/js/profile.js", "/js/help.js", "/js/install.js",
	"/art/logo.svg", "/art/hero.svg", "/art/empty.svg", "/art/mug.svg", "/art/lamp.svg", "/art/plant.svg",
	"/art/scarf.svg", "/art/teapot.svg", "/art/notebook.svg", "/art/socks.svg", "/art/candle.svg",
	"/art/feeder.svg", "/art/postcards.svg", "/art/umbrella.svg", "/art/tote.svg",
	"/icons/icon-192.png", "/icons/favicon-48.png",
	"/static/brands/visa.svg", "/static/brands/mastercard.svg", "/static/brands/mir.svg",
	"/static/brands/amex.svg", "/static/brands/unionpay.svg", "/static/brands/jcb.svg", "/static/brands/generic.svg",
];
const SHELL = "soyka-" + VERSION;
const KEPT = "soyka-kept";

addEventListener("install", (event) => {
	event.waitUntil((async () => {
		const cache = await caches.open(SHELL);
		await cache.addAll(["/", ...FILES].map((path) => new Request(path, { cache: "reload" })));
		await skipWaiting();
	})());
});

addEventListener("activate", (event) => {
	event.waitUntil((async () => {
		for (const name of await caches.keys())
			if (name !== SHELL && name !== KEPT)
				await caches.delete(name);
		await clients.claim();
	})());
});

async function page(request) {
	try {
		return await fetch(request);
	} catch {
		return (await caches.match("/")) || Response.error();
	}
}

async function file(request, path) {
	return (await caches.match(path)) || fetch(request);
}

// The network first; when it is not there, the last answer, marked so that the page says it.
async function kept(request) {
	const cache = await caches.open(KEPT);
	try {
		const answer = await fetch(request);
		if (answer.ok)
			await cache.put(request, answer.clone());
		return answer;
	} catch {
		const last = await cache.match(request);
		if (!last)
			return Response.error();
		const headers = new Headers(last.headers);
		headers.set("X-Kept", "yes");
		return new Response(last.body, { status: last.status, headers });
	}
}

addEventListener("fetch", (event) => {
	const url = new URL(event.request.url);
	if (event.request.method !== "GET" || url.origin !== location.origin)
		return;
	if (event.request.mode === "navigate")
		event.respondWith(page(event.request));
	else if (FILES.includes(url.pathname))
		event.respondWith(file(event.request, url.pathname));
	else if (url.pathname === "/api/me" || url.pathname.startsWith("/api/orders"))
		event.respondWith(kept(event.request));
});

// Signing out leaves nothing of the person on the phone.
addEventListener("message", (event) => {
	if (event.data === "forget")
		event.waitUntil(caches.delete(KEPT));
});
