// What the bank wants to know about the browser (EMV 3-D Secure, browser data), in the form in which core takes it.
// Values are the real ones of this browser; they are only brought into the ranges that the standard allows.

const DEPTHS = [1, 4, 8, 15, 16, 24, 32, 48];

/** BCP 47, at most 8 characters; "en" when the browser has none (WebKitGTK says "C" in the C locale). */
export function language(tag) {
	if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(tag ?? "")) return "en";
	if (tag.length <= 8) return tag;
	const parts = tag.split("-");
	const region = parts.find((p, i) => i > 0 && /^([A-Za-z]{2}|[0-9]{3})$/.test(p));
	return region ? `${parts[0]}-${region}` : parts[0];
}

/** 30 bits are told as 24: the standard knows only eight depths. */
export function depth(bits) {
	return DEPTHS.filter((d) => d <= bits).at(-1) ?? 1;
}

/** The challenge window (01 to 05) that fits beside our own header. */
export function challengeWindow(width, height) {
	if (width < 640) return "05";
	return height >= 680 ? "03" : "02";
}

export function browserData() {
	return {
		java: String(Boolean(navigator.javaEnabled?.())),
		language: language(navigator.language),
		color_depth: String(depth(screen.colorDepth)),
		screen_height: String(screen.height),
		screen_width: String(screen.width),
		time_zone: String(new Date().getTimezoneOffset()),
		window: challengeWindow(innerWidth, innerHeight),
	};
}

/** The same as form fields: browser[java] and so on. */
export function addBrowserData(form) {
	for (const [name, value] of Object.entries(browserData())) form.set(`browser[${name}]`, value);
	return form;
}
