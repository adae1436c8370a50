// The bank's question: posts the bank's request into a frame, watches the state, goes back to the card page when it has changed.
// What comes out of the frame is only a reason to look at the state; the result itself reaches core from the bank directly.

import { $, Shell } from "./shell.js";
import { Follower, tokenOf } from "./state.js";
import { postTo } from "./post.js";

const STUCK_MS = 10000;
const ANSWER_MS = 15000;
const FRAME = "bank-frame";
// What the standard asks of the frame: forms, scripts, its own origin, a pointer; no pop-ups, no dialogs, no way to the top.
const SANDBOX = "allow-forms allow-scripts allow-same-origin allow-pointer-lock";
const ALLOW = "payment *; publickey-credentials-get *; otp-credentials *";
const SIZES = { "01": [250, 400], "02": [390, 400], "03": [500, 600], "04": [600, 400] };

const token = tokenOf(location.pathname);
const shell = new Shell(() => (follower.lang = shell.lang));
const follower = new Follower(token, { state: taken, trouble: (kind) => shell.trouble(kind), gone: () => leave() });
let opened = "";
let frame = null;
let timer = 0;
let left = false; // the shopper wants to go

function leave(how = "live") {
	location.replace(`/c/${token}#${how}`);
}

function taken(state) {
	if (state.step !== "challenge" || !state.challenge) return leave(left ? "left" : "live");
	shell.take(state);
	$("merchant").textContent = shell.merchant;
	shell.title(shell.say("challenge.title"));
	const name = `${state.challenge.url} ${state.challenge.creq}`;
	if (opened === name) return;
	opened = name;
	open(state.challenge);
}

function fieldsOf(challenge) {
	return { creq: challenge.creq, threeDSSessionData: challenge.session || null };
}

// A fresh frame each time: its first page leaves no step behind for the Back button.
function open(challenge) {
	frame?.remove();
	frame = document.createElement("iframe");
	frame.className = "bank-frame";
	frame.name = FRAME;
	frame.title = shell.say("challenge.frame");
	frame.setAttribute("sandbox", SANDBOX);
	frame.allow = ALLOW;
	frame.referrerPolicy = "strict-origin";
	$("bank").prepend(frame);
	$("bank").dataset.window = challenge.window;
	const [width, height] = SIZES[challenge.window] ?? [];
	$("bank").style.setProperty("--bank-width", width ? `${width}px` : "100%");
	$("bank").style.setProperty("--bank-height", height ? `${height}px` : "100%");
	cover("opening");
	frame.addEventListener("load", () => uncover(), { once: true });
	postTo(challenge.url, fieldsOf(challenge), FRAME);
}

function cover(what) {
	clearTimeout(timer);
	$("cover").hidden = false;
	$("cover-opening").hidden = what !== "opening";
	$("cover-answered").hidden = what !== "answered";
	stuck(false);
	timer = setTimeout(() => stuck(true), what === "opening" ? STUCK_MS : ANSWER_MS);
	shell.announce(shell.say(`challenge.${what}`));
}

function uncover() {
	if ($("cover-opening").hidden) return;
	clearTimeout(timer);
	$("cover").hidden = true;
	stuck(false);
}

function stuck(is) {
	$("stuck").hidden = !is;
	$("help").hidden = is;
}

addEventListener("message", (e) => {
	if (e.origin !== location.origin || e.source !== frame?.contentWindow || e.data !== "onfile:returned") return;
	cover("answered");
	follower.refresh();
});

$("help-open").addEventListener("click", () => stuck(true));
$("again").addEventListener("click", () => open(follower.state.challenge));
$("full").addEventListener("click", () => {
	try {
		sessionStorage.setItem("onfile.path", `/c/${token}`);
	} catch {
		// returned.js then says that the window can be closed
	}
	const { challenge } = follower.state;
	postTo(challenge.url, fieldsOf(challenge), "_top");
});

$("leave").addEventListener("click", () => $("leave-sheet").showModal());
$("leave-yes").addEventListener("click", async () => {
	$("leave-yes").disabled = true;
	try {
		left = true;
		await follower.post("cancel", new URLSearchParams());
		leave("left");
	} catch {
		left = false;
		$("leave-sheet").close();
		shell.trouble("lost");
		follower.refresh();
	} finally {
		$("leave-yes").disabled = false;
	}
});

shell.words();
void follower.run();
