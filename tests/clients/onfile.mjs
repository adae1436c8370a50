// The official client, pointed at the sandbox; a card that is sealed as the card page does it; the shopper's browser and phone.

import { execFileSync } from "node:child_process";
import Stripe from "stripe";

const env = process.env;
export const host = { host: "127.0.0.1", port: Number(env.ONFILE_PORT), protocol: "http" };
export const client = (key, more = {}) => new Stripe(key, { ...host, maxNetworkRetries: 0, telemetry: false, ...more });
export const stripe = client(env.ONFILE_KEY);
export const other = client(env.ONFILE_OTHER_KEY);
export const open = client(env.ONFILE_OPEN_KEY);
export const address = `http://127.0.0.1:${env.ONFILE_PORT}`;

export const GOOD = "4242424242424242", ANOTHER = "5555555555554444", BY_SMS = "4000002500003155";
export const REFUSED = "4000000000000002", NO_FUNDS = "4000000000009995", REFUSED_LATER = "4000000000000341", ASKS = "4000002760003184";

/** What a shopper's browser sends: a compact JWE for the vault, good for this intent. */
export async function encrypt(intent, number = GOOD, cvc = "123") {
	const { keys: [key], now } = await (await fetch(`${address}/v1/card_keys`, { headers: { Authorization: `Bearer ${env.ONFILE_OPEN_KEY}` } })).json();
	const card = { number, exp_month: 12, exp_year: 2031, cvc, intent, issued: now };
	return execFileSync(env.ONFILE_SEAL, [key.kid, key.x, key.y], { input: JSON.stringify(card) }).toString().trim();
}

const BROWSER = { "browser[java]": "false", "browser[language]": "en", "browser[color_depth]": "24", "browser[screen_height]": "800",
	"browser[screen_width]": "360", "browser[time_zone]": "-180", "browser[window]": "05" };

async function post(url, fields, headers = {}) {
	const { hostname, port, pathname, search } = new URL(url);
	return fetch(`http://127.0.0.1:${port}${pathname}${search}`, { method: "POST", body: new URLSearchParams(fields), headers: { ...headers, "X-Host": hostname } });
}

/** The hosted page, without a browser: until the state names one of these steps. */
export async function walk(secret, ...steps) {
	const page = `${address}/c/${secret}`;
	let state = await (await fetch(`${page}/state`)).json();
	for (let n = 0; n < 30 && !steps.includes(state.step); n++) {
		if (state.step === "preparing" && state.browser_wanted) await post(`${page}/browser`, BROWSER);
		if (state.step === "preparing" && state.method) {
			const form = await (await post(state.method.url, { threeDSMethodData: state.method.data })).text();
			await post(/action="([^"]+)"/.exec(form)[1].replaceAll("&amp;", "&"), { threeDSMethodData: /name="threeDSMethodData" value="([^"]*)"/.exec(form)?.[1] ?? "" });
		}
		state = await (await fetch(`${page}/state?after=${state.revision}`)).json();
	}
	return state;
}

/** A customer with a linked card. */
export async function linked(number = GOOD, of = stripe) {
	const customer = await of.customers.create({ name: "Anna" });
	let intent = await of.setupIntents.create({ customer: customer.id, payment_method_types: ["card"], usage: "off_session" });
	intent = await of.setupIntents.confirm(intent.id, { payment_method_data: { type: "card", card: { token: await encrypt(intent.id, number) } } });
	if (intent.status === "requires_action") {
		await walk(intent.client_secret, "done", "enter", "challenge");
		intent = await of.setupIntents.retrieve(intent.id);
	}
	return { customer: customer.id, card: intent.payment_method, intent };
}
