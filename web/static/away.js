// While core is away: asks every few seconds whether it is back, then loads the page again.

import "./plain.js";

const PAUSE_MS = 3000;

for (;;) {
	await new Promise((resume) => setTimeout(resume, PAUSE_MS));
	const response = await fetch(location.href, { cache: "no-store" }).catch(() => null);
	if (response && response.status !== 503) break;
}
location.reload();
