// Runs before the first paint: the reader's choice of light or dark, if one was made.
(() => {
	try {
		const theme = localStorage.getItem("theme");
		if (theme === "light" || theme === "dark")
			document.documentElement.dataset.theme = theme;
	} catch {
		// Storage is closed to us: the system's choice it is.
	}
})();
