// Posts fields to the bank, into a frame or at the top. Only into an address that the page's policy names.

/** fields: name to value; target: a frame's name or "_top". */
export function postTo(url, fields, target) {
	const form = document.createElement("form");
	form.method = "post";
	form.action = url;
	form.target = target;
	form.hidden = true;
	for (const [name, value] of Object.entries(fields)) {
		if (value === null || value === undefined) continue;
		const field = document.createElement("input");
		field.type = "hidden";
		field.name = name;
		field.value = value;
		form.append(field);
	}
	document.body.append(form);
	form.submit();
	form.remove();
}
