// Elements made by function calls (no text is ever read as HTML), icons, and reading of storage.

const SVG = "http://www.w3.org/2000/svg";

function put(element, children) {
	for (const child of children.flat(9)) {
		if (child !== null && child !== undefined && child !== false)
			element.append(child);
	}
}

// Puts other children into an element; what is null or false is left out.
export function fill(element, ...children) {
	element.replaceChildren();
	put(element, children);
}

// h("a.row", {href: "/"}, "text", …): tag and classes, attributes ("on…": listeners), children.
export function h(tag, attributes, ...children) {
	const [name, ...classes] = tag.split(".");
	const element = document.createElement(name);
	if (classes.length)
		element.className = classes.join(" ");
	if (attributes !== undefined && (attributes === null || typeof attributes !== "object" ||
	                                 attributes instanceof Node || Array.isArray(attributes))) {
		children.unshift(attributes);
		attributes = {};
	}
	for (const [key, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else if (key === "value")
			element.value = value;
		else
			element.setAttribute(key, value === true ? "" : value);
	}
	put(element, children);
	return element;
}

const PATHS = {
	home: "M4 11.2 12 4l8 7.2V20h-5.5v-5.5h-5V20H4z",
	basket: "M5 9h14l-1.4 10.5H6.4zM9 9l2-5M15 9l-2-5",
	orders: "M6 3.5h12V21l-2.4-1.6L13.200 21 12 20.200 10.800 21l-2.400-1.600L6 21zM9 8.500h6M9 12.500h6",
	person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500c.8-4 3.800-6 7.500-6s6.700 2 7.500 6",
	back: "M14.500 5 8 12l6.500 7",
	next: "M9.500 5 16 12l-6.500 7",
	down: "m6 9.500 6 6 6-6",
	plus: "M12 5v14M5 12h14",
	minus: "M5 12h14",
	check: "m5 12.500 4.700 4.700L19 7.500",
	close: "m6 6 12 12M18 6 6 18",
	card: "M3 6.500h18v11.500H3zM3 10.500h18M6.500 14.500h4",
	help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.500 9.500c.2-1.500 1.200-2.300 2.500-2.300s2.500.8 2.500 2.200c0 1.900-2.400 2-2.400 4M12.100 16.600v.2",
	bin: "M5 7h14M10 7V4.500h4V7M7 7l.8 13h8.400L17 7M10.300 10.500v6M13.700 10.500v6",
	star: "m12 4 2.400 5 5.600.7-4.100 3.800 1.100 5.500-5-2.700L7 19l1.100-5.500L4 9.700 9.600 9z",
	share: "M12 14.500V3.500M8.500 6.500 12 3l3.500 3.500M8 10H5.500v10.500h13V10H16",
	phone: "M7.500 2.500h9v19h-9zM11 18.500h2",
	sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
	lock: "M6 10.500h12v9.500H6zM8.500 10.500V8a3.500 3.500 0 0 1 7 0v2.500",
	mail: "M3.500 6h17v12.500h-17zM3.500 7l8.500 6.500L20.500 7",
	copy: "M8.500 8.500h11v11h-11zM15.500 8.500v-4h-11v11h4",
	out: "M14 4H5v16h9M10 12h10.500M17 8.500l3.500 3.500-3.500 3.500",
	away: "M3 3l18 18M8.500 16a5 5 0 0 1 7 0M5.500 12.500a9.500 9.500 0 0 1 4-2.400M14 10a9.500 9.500 0 0 1 4.500 2.500M2.500 9a14 14 0 0 1 4-2.600M10.500 5.200A14 14 0 0 1 21.500 9M12 19.500v.1",
};

export function icon(name, size = 24) {
	const svg = document.createElementNS(SVG, "svg");
	const path = document.createElementNS(SVG, "path");
	const set = { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" };
	for (const [key, value] of Object.entries(set))
		svg.setAttribute(key, value);
	path.setAttribute("d", PATHS[name]);
	svg.append(path);
	return svg;
}

export function store(area, key, value) {
	try {
		if (value === null)
			area().removeItem(key);
		else
			area().setItem(key, JSON.stringify(value));
	} catch {
		// Full or closed: what was to be kept lives as long as the page.
	}
}

export function stored(area, key, otherwise) {
	try {
		return JSON.parse(area().getItem(key)) ?? otherwise;
	} catch {
		return otherwise;
	}
}

export const local = () => localStorage;
export const session = () => sessionStorage;

export function randomKey() {
	return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}
