// The whole of the API's table, driven by the official JavaScript client as a merchant's back end would.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ANOTHER, encrypt, GOOD, linked, open, stripe, walk } from "./onfile.mjs";

test("customers: create, retrieve, update, list, delete", async () => {
	const made = await stripe.customers.create({ email: "js@example.com", name: "Джей", phone: "+79000000001", metadata: { order: "7" }, address: { city: "Москва" } });
	assert.match(made.id, /^cus_/);
	assert.equal((await stripe.customers.retrieve(made.id)).address.city, "Москва");
	const changed = await stripe.customers.update(made.id, { name: "", metadata: { order: "", more: "yes" } });
	assert.equal(changed.name, null);
	assert.deepEqual({ ...changed.metadata }, { more: "yes" });
	assert.equal((await stripe.customers.list({ email: "js@example.com" })).data[0].id, made.id);
	assert.deepEqual({ ...(await stripe.customers.del(made.id)) }, { id: made.id, object: "customer", deleted: true });
	assert.equal((await stripe.customers.del(made.id)).deleted, true);
	assert.equal((await stripe.customers.retrieve(made.id)).deleted, true);
});

test("setup intents and attempts: a card is linked", async () => {
	const { customer, card, intent } = await linked();
	assert.equal(intent.status, "succeeded");
	const full = await stripe.setupIntents.retrieve(intent.id, { expand: ["payment_method", "latest_attempt", "customer"] });
	assert.equal(full.payment_method.card.last4, "4242");
	assert.equal(full.latest_attempt.status, "succeeded");
	assert.equal(full.customer.invoice_settings.default_payment_method, card);
	assert.equal((await stripe.setupAttempts.list({ setup_intent: intent.id })).data.length, 1);
	assert.ok((await stripe.setupIntents.list({ customer })).data.some((one) => one.id === intent.id));
	const next = await stripe.setupIntents.create({ customer, description: "one" });
	assert.equal((await stripe.setupIntents.update(next.id, { description: "two", metadata: { a: "b" } })).description, "two");
	assert.equal((await stripe.setupIntents.cancel(next.id, { cancellation_reason: "duplicate" })).status, "canceled");
});

test("payment intents: a card that the shopper types", async () => {
	const customer = (await stripe.customers.create({ name: "Typed" })).id;
	const pay = async (usage) => {
		const made = await stripe.paymentIntents.create({ amount: 700, currency: "rub", customer, setup_future_usage: usage });
		const paid = await stripe.paymentIntents.confirm(made.id, { payment_method_data: { type: "card", card: { token: await encrypt(made.id) } }, return_url: "https://shop.example/" });
		if (paid.status === "requires_action") await walk(paid.client_secret, "done", "expired");
		return stripe.paymentIntents.retrieve(made.id, { expand: ["latest_charge", "payment_method"] });
	};
	const once = await pay();
	assert.equal(once.status, "succeeded");
	assert.equal(once.latest_charge.payment_method_details.card.last4, "4242");
	assert.equal(once.payment_method.customer, null);
	assert.equal((await stripe.customers.listPaymentMethods(customer)).data.length, 0);
	const kept = await pay("off_session");
	assert.equal(kept.payment_method.customer, customer);
	assert.equal((await stripe.paymentMethods.list({ customer, type: "card" })).data[0].id, kept.payment_method.id);
	const again = await stripe.paymentIntents.create({ amount: 5, currency: "rub", customer, payment_method: kept.payment_method.id, confirm: true, off_session: true });
	assert.equal(again.status, "succeeded");
});

test("customer sessions: a page of the shop's own", async () => {
	const { customer, card } = await linked();
	const session = await stripe.customerSessions.create({ customer, components: { payment_element: { enabled: true,
		features: { payment_method_redisplay: "enabled", payment_method_remove: "enabled" } } } });
	assert.equal(session.object, "customer_session");
	assert.equal(session.components.payment_element.features.payment_method_remove, "enabled");
	const secret = session.client_secret;
	assert.equal((await open.rawRequest("GET", `/v1/customers/${customer}/payment_methods?client_secret=${secret}`)).data[0].id, card);
	assert.equal((await open.rawRequest("POST", `/v1/payment_methods/${card}/detach`, { client_secret: secret })).customer, null);
	assert.equal((await stripe.customers.listPaymentMethods(customer)).data.length, 0);
});

test("payment methods: retrieve, update, list, detach", async () => {
	const { customer, card } = await linked(ANOTHER);
	assert.equal((await stripe.paymentMethods.retrieve(card)).card.brand, "mastercard");
	const changed = await stripe.paymentMethods.update(card, { metadata: { nickname: "Family" }, billing_details: { name: "A B" }, card: { exp_year: 2032, exp_month: 1 } });
	assert.equal(changed.billing_details.name, "A B");
	assert.equal(changed.card.exp_year, 2032);
	assert.equal((await stripe.paymentMethods.list({ customer, type: "card" })).data[0].id, card);
	assert.equal((await stripe.customers.listPaymentMethods(customer)).data[0].id, card);
	assert.equal((await stripe.customers.retrievePaymentMethod(customer, card)).id, card);
	assert.equal((await stripe.paymentMethods.detach(card)).customer, null);
	assert.equal((await stripe.customers.listPaymentMethods(customer)).data.length, 0);
});

test("payment intents and charges: one tap, also in steps", async () => {
	const { customer, card } = await linked();
	const paid = await stripe.paymentIntents.create({ amount: 1099, currency: "rub", customer, payment_method: card, confirm: true, off_session: true, expand: ["latest_charge"] });
	assert.equal(paid.status, "succeeded");
	assert.equal(paid.latest_charge.payment_method_details.card.last4, "4242");
	assert.equal((await stripe.charges.retrieve(paid.latest_charge.id)).payment_intent, paid.id);
	assert.equal((await stripe.charges.list({ payment_intent: paid.id })).data.length, 1);
	let later = await stripe.paymentIntents.create({ amount: 500, currency: "rub", customer });
	later = await stripe.paymentIntents.update(later.id, { amount: 600, description: "later" });
	later = await stripe.paymentIntents.confirm(later.id, { payment_method: card, return_url: "https://shop.example/" });
	assert.equal(later.amount_received, 600);
	const given = await stripe.paymentIntents.create({ amount: 500, currency: "rub", customer });
	assert.equal((await stripe.paymentIntents.cancel(given.id)).status, "canceled");
	assert.ok((await stripe.paymentIntents.list({ customer, limit: 3 })).data.length === 3);
});

test("checkout sessions: link and pay", async () => {
	const customer = (await stripe.customers.create()).id;
	const setup = await stripe.checkout.sessions.create({ mode: "setup", customer, currency: "rub", success_url: "https://shop.example/" });
	assert.ok(setup.url.endsWith(setup.id));
	assert.equal((await stripe.checkout.sessions.expire(setup.id)).status, "expired");
	const { customer: buyer, card } = await linked();
	const pay = await stripe.checkout.sessions.create({ mode: "payment", customer: buyer, success_url: "https://shop.example/",
		line_items: [{ quantity: 2, price_data: { currency: "rub", unit_amount: 1500, product_data: { name: "Mug" } } }], payment_intent_data: { metadata: { order: "9" } } });
	assert.equal(pay.amount_total, 3000);
	const state = await (await fetch(`http://127.0.0.1:${process.env.ONFILE_PORT}/c/${pay.id}/pay`, { method: "POST", body: new URLSearchParams({ card }) })).json();
	assert.equal(state.step, "done");
	const done = await stripe.checkout.sessions.retrieve(pay.id, { expand: ["payment_intent"] });
	assert.equal(done.payment_status, "paid");
	assert.equal(done.payment_intent.metadata.order, "9");
	assert.equal((await stripe.checkout.sessions.list({ customer: buyer })).data[0].id, pay.id);
});

test("payment-methods page", async () => {
	const customer = (await stripe.customers.create()).id;
	const portal = await stripe.billingPortal.sessions.create({ customer, return_url: "https://shop.example/", locale: "ru" });
	assert.ok(portal.url.endsWith(`/p/${portal.id}`));
	assert.equal((await fetch(`http://127.0.0.1:${process.env.ONFILE_PORT}/p/${portal.id}/state`)).status, 200);
});

test("events tell of it all", async () => {
	const { customer, card } = await linked();
	await stripe.paymentIntents.create({ amount: 100, currency: "rub", customer, payment_method: card, confirm: true });
	const types = (await stripe.events.list({ limit: 20 })).data.map((event) => event.type);
	for (const type of ["customer.created", "setup_intent.created", "payment_method.attached", "setup_intent.succeeded", "customer.updated", "payment_intent.created", "payment_intent.succeeded", "charge.succeeded"])
		assert.ok(types.includes(type), `${type} is missing in ${types}`);
	const [last] = (await stripe.events.list({ limit: 1 })).data;
	assert.equal((await stripe.events.retrieve(last.id)).type, last.type);
});

test("a card that the bank asks about waits for its shopper", async () => {
	const customer = (await stripe.customers.create()).id;
	const intent = await stripe.setupIntents.create({ customer });
	const asked = await stripe.setupIntents.confirm(intent.id, { payment_method_data: { type: "card", card: { token: await encrypt(intent.id, "4000002500003155") } }, return_url: "https://shop.example/back" });
	assert.equal(asked.status, "requires_action");
	assert.match(asked.next_action.redirect_to_url.url, /\/c\//);
	assert.equal((await walk(asked.client_secret, "challenge")).step, "challenge");
	assert.equal((await stripe.setupIntents.cancel(intent.id)).status, "canceled");
});

test("lists page by themselves, both ways", async () => {
	const email = `auto-${Date.now()}@example.com`;
	for (let n = 0; n < 7; n++) await stripe.customers.create({ email, name: String(n) });
	const names = [];
	for await (const one of stripe.customers.list({ email, limit: 3 })) names.push(one.name);
	assert.deepEqual(names, ["6", "5", "4", "3", "2", "1", "0"]);
	const all = await stripe.customers.list({ email, limit: 2 }).autoPagingToArray({ limit: 5 });
	assert.equal(all.length, 5);
	const up = await stripe.customers.list({ email, limit: 2, ending_before: all[4].id });
	assert.deepEqual(up.data.map((one) => one.name), ["4", "3"]);
	assert.equal(up.has_more, true);
});
