// Every class of error of the official JavaScript client, raised by the real thing that raises it; retries; keys.

import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import Stripe from "stripe";
import { client, encrypt, linked, NO_FUNDS, open, other, REFUSED, REFUSED_LATER, stripe } from "./onfile.mjs";

async function caught(promise) {
	return promise.then(() => assert.fail("nothing was raised"), (error) => error);
}

test("a refused card is a StripeCardError with advice", async () => {
	const { customer, card } = await linked(NO_FUNDS);
	const error = await caught(stripe.paymentIntents.create({ amount: 5, currency: "rub", customer, payment_method: card, confirm: true }));
	assert.ok(error instanceof Stripe.errors.StripeCardError);
	assert.equal(error.statusCode, 402);
	assert.equal(error.code, "card_declined");
	assert.equal(error.decline_code, "insufficient_funds");
	assert.equal(error.payment_intent.status, "requires_payment_method");
	assert.equal(error.raw.advice.who, "shopper");
	assert.ok(error.raw.advice.reference);
});

test("a refused link names its setup intent", async () => {
	const intent = await stripe.setupIntents.create({ customer: (await stripe.customers.create()).id });
	const error = await caught(stripe.setupIntents.confirm(intent.id, { payment_method_data: { type: "card", card: { token: await encrypt(intent.id, REFUSED) } } }));
	assert.ok(error instanceof Stripe.errors.StripeCardError);
	assert.equal(error.setup_intent.id, intent.id);
	assert.equal((await stripe.setupIntents.retrieve(intent.id)).last_setup_error.code, "card_declined");
});

test("a refused card that was typed for a payment names its payment intent", async () => {
	const intent = await stripe.paymentIntents.create({ amount: 5, currency: "rub" });
	const error = await caught(stripe.paymentIntents.confirm(intent.id, { payment_method_data: { type: "card", card: { token: await encrypt(intent.id, REFUSED) } } }));
	assert.ok(error instanceof Stripe.errors.StripeCardError);
	assert.equal(error.payment_intent.id, intent.id);
	assert.equal(error.charge, undefined);
	assert.equal((await stripe.paymentIntents.retrieve(intent.id)).last_payment_error.code, "card_declined");
});

test("what is wrong in a request is named", async () => {
	const unknown = await caught(stripe.customers.retrieve("cus_nobody"));
	assert.ok(unknown instanceof Stripe.errors.StripeInvalidRequestError);
	assert.equal(unknown.statusCode, 404);
	assert.equal(unknown.code, "resource_missing");
	assert.equal((await caught(stripe.paymentIntents.create({ currency: "rub" }))).param, "amount");
	assert.equal((await caught(stripe.customers.create({ nonsense: 1 }))).code, "parameter_unknown");
	assert.ok(unknown.requestId.startsWith("req_"));
});

test("what is too long for a request is an error with its request id", async () => {
	for (const [status, call] of [[413, () => stripe.customers.create({ description: "x".repeat(70000) })], [414, () => stripe.customers.list({ email: "x".repeat(9000) })]]) {
		const error = await caught(call());
		assert.ok(error instanceof Stripe.errors.StripeAPIError);
		assert.equal(error.statusCode, status);
		assert.equal(error.rawType, "invalid_request_error");
		assert.ok(error.requestId.startsWith("req_") && error.message.endsWith("."));
	}
	const nowhere = await caught(stripe.balance.retrieve());
	assert.ok(nowhere instanceof Stripe.errors.StripeInvalidRequestError && nowhere.statusCode === 404);
});

test("keys: none, wrong, of a browser, of somebody else", async () => {
	assert.ok((await caught(client("sk_test_nobody").customers.list())) instanceof Stripe.errors.StripeAuthenticationError);
	assert.ok((await caught(open.customers.list())) instanceof Stripe.errors.StripePermissionError);
	const { customer, card } = await linked();
	for (const call of [() => other.customers.retrieve(customer), () => other.paymentMethods.retrieve(card), () => other.customers.del(customer)])
		assert.equal((await caught(call())).statusCode, 404);
});

test("the same key with another body is a StripeIdempotencyError, with the same body the same answer", async () => {
	const idempotencyKey = `js-${Date.now()}`;
	const first = await stripe.customers.create({ name: "a" }, { idempotencyKey });
	const again = await stripe.customers.create({ name: "a" }, { idempotencyKey });
	assert.equal(again.id, first.id);
	assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
	assert.ok((await caught(stripe.customers.create({ name: "b" }, { idempotencyKey }))) instanceof Stripe.errors.StripeIdempotencyError);
});

test("nobody there is a StripeConnectionError", async () => {
	const nobody = client(process.env.ONFILE_KEY, { port: 9 });
	assert.ok((await caught(nobody.customers.list())) instanceof Stripe.errors.StripeConnectionError);
});

test("a lost answer is asked for again under the same key, and charges once", async () => {
	const { customer, card } = await linked();
	let cut = 2;
	// A line between client and onfile that loses the first answers after the work is done.
	const line = http.createServer((request, answer) => {
		const pass = http.request({ host: "127.0.0.1", port: process.env.ONFILE_PORT, method: request.method, path: request.url, headers: request.headers }, (back) => {
			if (cut-- > 0) return void back.resume().on("end", () => request.socket.destroy());
			answer.writeHead(back.statusCode, back.headers);
			back.pipe(answer);
		});
		request.pipe(pass);
	});
	await new Promise((ready) => line.listen(0, "127.0.0.1", ready));
	const patient = client(process.env.ONFILE_KEY, { port: line.address().port, maxNetworkRetries: 3 });
	const paid = await patient.paymentIntents.create({ amount: 700, currency: "rub", customer, payment_method: card, confirm: true });
	line.close();
	line.closeAllConnections();
	assert.equal(paid.status, "succeeded");
	assert.ok(cut < 0, "answers were lost");
	const all = await stripe.paymentIntents.list({ customer });
	assert.equal(all.data.length, 1);
});

test("a decided refusal is not repeated by the client", async () => {
	const { customer, card } = await linked(REFUSED_LATER);
	const eager = client(process.env.ONFILE_KEY, { maxNetworkRetries: 3 });
	await caught(eager.paymentIntents.create({ amount: 900, currency: "rub", customer, payment_method: card, confirm: true }));
	const [intent] = (await stripe.paymentIntents.list({ customer })).data;
	assert.equal((await stripe.charges.list({ payment_intent: intent.id })).data.length, 1);
});
