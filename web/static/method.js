// The hidden page that lets the bank look at the browser (EMV 3-D Secure, 3DS Method). Nothing waits for it: core goes on by itself.

import { postTo } from "./post.js";
import { tokenOf } from "./state.js";

const response = await fetch(`/c/${tokenOf(location.pathname)}/state`, { cache: "no-store", redirect: "error" });
const state = response.ok ? await response.json() : null;
if (state?.method) {
	const frame = document.createElement("iframe");
	frame.name = "bank-method";
	frame.title = "Bank";
	frame.sandbox = "allow-forms allow-scripts allow-same-origin";
	document.body.append(frame);
	postTo(state.method.url, { threeDSMethodData: state.method.data }, frame.name);
}
