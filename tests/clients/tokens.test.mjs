// Test tokens, as the test suites of merchants use them: no shopper, no page, no encrypted card.

import assert from "node:assert/strict";
import { test } from "node:test";
import Stripe from "stripe";
import { open, stripe, walk } from "./onfile.mjs";

const pay = (more) => stripe.paymentIntents.create({ amount: 2000, currency: "usd", confirm: true, ...more });
const card_error = async (promise) => {
	const error = await promise.then(() => assert.fail("no error"), (one) => one);
	assert.ok(error instanceof Stripe.errors.StripeCardError, String(error));
	return error;
};

test("a payment method is made of a token, attached, changed, listed, detached", async () => {
	const { id: customer } = await stripe.customers.create();
	const made = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_visa" }, billing_details: { name: "A B" }, metadata: { a: "b" } });
	assert.equal(made.card.last4, "4242");
	assert.equal(made.billing_details.name, "A B");
	assert.equal((await stripe.paymentMethods.attach(made.id, { customer })).customer, customer);
	const other = await stripe.paymentMethods.attach("pm_card_mastercard", { customer });
	assert.notEqual(other.id, "pm_card_mastercard");
	const found = await stripe.paymentMethods.retrieve("pm_card_visa");
	assert.equal((await stripe.paymentMethods.attach(found.id, { customer })).id, found.id);
	assert.equal(found.card.fingerprint, made.card.fingerprint);
	const changed = await stripe.paymentMethods.update(other.id, { metadata: { nickname: "Family" }, card: { exp_month: 1, exp_year: 2032 } });
	assert.equal(changed.card.exp_year, 2032);
	assert.deepEqual((await stripe.paymentMethods.list({ customer, type: "card" })).data.map((one) => one.id), [found.id, other.id, made.id]);
	assert.equal((await stripe.paymentMethods.detach(other.id)).customer, null);
	assert.deepEqual((await stripe.customers.listPaymentMethods(customer)).data.map((one) => one.id), [found.id, made.id]);
});

test("a customer comes with a default card", async () => {
	const made = await stripe.customers.create({ payment_method: "pm_card_visa", invoice_settings: { default_payment_method: "pm_card_visa" }, expand: ["invoice_settings.default_payment_method"] });
	assert.equal(made.invoice_settings.default_payment_method.customer, made.id);
	const { id } = await stripe.paymentMethods.attach("pm_card_mastercard", { customer: made.id });
	const changed = await stripe.customers.update(made.id, { invoice_settings: { default_payment_method: id } });
	assert.equal(changed.invoice_settings.default_payment_method, id);
});

test("payments with a token, with and without a customer", async () => {
	const { id: customer } = await stripe.customers.create();
	const paid = await pay({ payment_method: "pm_card_visa", confirmation_method: "automatic", return_url: "https://shop.example/" });
	assert.equal(paid.status, "succeeded");
	assert.match(paid.payment_method, /^pm_/);
	assert.equal((await stripe.refunds.create({ payment_intent: paid.id })).status, "succeeded");
	const kept = await pay({ customer, payment_method: "pm_card_visa", setup_future_usage: "off_session" });
	assert.equal((await stripe.paymentMethods.list({ customer, type: "card" })).data[0].id, kept.payment_method);
	assert.equal((await pay({ customer, payment_method: kept.payment_method, off_session: true })).status, "succeeded");
	const held = await pay({ payment_method: "pm_card_mastercard", capture_method: "manual" });
	assert.equal((await stripe.paymentIntents.capture(held.id)).status, "succeeded");
	const waiting = await stripe.paymentIntents.create({ amount: 2000, currency: "usd", automatic_payment_methods: { enabled: true } });
	assert.equal(waiting.status, "requires_payment_method");
	const data = await stripe.paymentIntents.confirm(waiting.id, { payment_method_data: { type: "card", card: { token: "tok_visa" } }, return_url: "https://shop.example/" });
	assert.equal(data.status, "succeeded");
});

test("declines are card errors", async () => {
	for (const [token, code, decline] of [["pm_card_chargeDeclined", "card_declined", "generic_decline"], ["pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
		["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"], ["pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"]]) {
		const error = await card_error(pay({ payment_method: token }));
		assert.equal(error.code, code);
		assert.equal(error.decline_code, decline);
		assert.equal(error.payment_intent.status, "requires_payment_method");
		assert.match(error.charge, /^ch_/);
	}
	const { id: customer } = await stripe.customers.create();
	const { id } = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer });
	assert.equal((await card_error(pay({ customer, payment_method: id, off_session: true }))).code, "card_declined");
	assert.equal((await card_error(stripe.paymentMethods.attach("pm_card_chargeDeclined", { customer }))).decline_code, "generic_decline");
	const { id: intent } = await stripe.setupIntents.create({ customer });
	assert.equal((await card_error(stripe.setupIntents.confirm(intent, { payment_method: "pm_card_chargeDeclined" }))).setup_intent.status, "requires_payment_method");
});

test("banks that ask", async () => {
	const asked = await pay({ payment_method: "pm_card_threeDSecure2Required", return_url: "https://shop.example/back" });
	assert.equal(asked.status, "requires_action");
	assert.equal(asked.next_action.redirect_to_url.return_url, "https://shop.example/back");
	assert.equal((await walk(asked.client_secret, "challenge")).step, "challenge");
	const { id: customer } = await stripe.customers.create();
	const error = await card_error(pay({ customer, payment_method: "pm_card_authenticationRequired", off_session: true }));
	assert.equal(error.code, "authentication_required");
	assert.equal(error.payment_intent.status, "requires_payment_method");
	const setup = await stripe.setupIntents.create({ customer, payment_method_types: ["card"], payment_method: "pm_card_authenticationRequired", confirm: true, return_url: "https://shop.example/" });
	assert.equal(setup.status, "requires_action");
});

test("setup intents with a token, from the server and from the browser", async () => {
	const { id: customer } = await stripe.customers.create();
	const linked = await stripe.setupIntents.create({ customer, payment_method: "pm_card_visa", confirm: true, automatic_payment_methods: { enabled: true, allow_redirects: "never" } });
	assert.equal(linked.status, "succeeded");
	assert.equal((await stripe.customers.retrieve(customer)).invoice_settings.default_payment_method, linked.payment_method);
	const next = await stripe.setupIntents.create({ customer });
	const done = await open.setupIntents.confirm(next.id, { client_secret: next.client_secret, payment_method: "pm_card_mastercard" });
	assert.equal(done.status, "succeeded");
	assert.equal((await stripe.paymentMethods.list({ customer, type: "card" })).data.length, 2);
});

test("a token that nobody knows", async () => {
	const error = await stripe.paymentMethods.retrieve("pm_card_nobody").then(() => assert.fail("no error"), (one) => one);
	assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
	assert.equal(error.code, "resource_missing");
});
