// The bank has sent the shopper back. In a frame: tell our own page around it. At the top: go to the card page.
// What the bank put into the request is not looked at; the result comes to core by another way.

const PATH = "onfile.path"; // set by challenge.js just before it gives the whole window to the bank

function remembered() {
	try {
		const path = sessionStorage.getItem(PATH);
		sessionStorage.removeItem(PATH);
		return /^\/c\/[^/]+$/.test(path ?? "") ? path : null;
	} catch {
		return null;
	}
}

if (window.parent !== window) {
	window.parent.postMessage("onfile:returned", location.origin);
} else {
	const path = remembered();
	if (path) location.replace(`${path}#live`);
	else document.getElementById("alone").hidden = false;
}
