// What the official client makes of a server that has too much to do, or whose core is away: one line of JSON for test_refusals.py.
// usage: ONFILE_PORT=… ONFILE_KEY=… node refusals.mjs STATUS [RETRIES]

import http from "node:http";
import { client } from "./onfile.mjs";

const [status, retries] = process.argv.slice(2).map(Number);
const statuses = [];
// A line between client and onfile that notes what comes back.
const line = http.createServer((request, answer) => {
	const pass = http.request({ host: "127.0.0.1", port: process.env.ONFILE_PORT, method: request.method, path: request.url, headers: request.headers }, (back) => {
		statuses.push([back.statusCode, back.headers["retry-after"] ?? null, back.headers["stripe-should-retry"] ?? null]);
		answer.writeHead(back.statusCode, back.headers);
		back.pipe(answer);
	});
	request.pipe(pass);
});
await new Promise((ready) => line.listen(0, "127.0.0.1", ready));
const stripe = client(process.env.ONFILE_KEY, { port: line.address().port, maxNetworkRetries: retries || 0 });

let error = null;
for (let n = 0; n < 200 && error?.statusCode !== status; n++) error = await stripe.customers.create({ name: "Anna" }).then(() => null, (one) => one);
const { type, rawType, statusCode, code, requestId, message } = error ?? {};
console.log(JSON.stringify({ type, rawType, statusCode, code, requestId, message, last: statuses.slice(-1 - (retries || 0)) }));
line.close();
line.closeAllConnections();
