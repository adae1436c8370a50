// The code page with scripts: six digits send themselves, the phone's own filling-in is asked for, and
// the button for a new code counts down. Without scripts all of it works by its buttons.

const form = document.getElementById('code-form');
const input = document.getElementById('code');
const resend = document.getElementById('resend');
let sent = false;

function submit() {
	if (sent) return;
	sent = true;
	form.requestSubmit(form.querySelector('button'));
}

form.addEventListener('submit', () => {
	sent = true;
	form.querySelector('button').setAttribute('aria-busy', 'true');
});

input.addEventListener('input', () => {
	const digits = input.value.replace(/\D/g, '');
	if (digits.length === 6) submit();
});

// A page from the back-forward cache may send again.
addEventListener('pageshow', () => { sent = false; });

if ('OTPCredential' in window) {
	const stop = new AbortController();
	form.addEventListener('submit', () => stop.abort());
	navigator.credentials.get({ otp: { transport: ['sms'] }, signal: stop.signal }).then((found) => {
		if (!found || !found.code) return;
		input.value = found.code;
		submit();
	}).catch(() => {});
}

if (resend && Number(resend.dataset.wait) > 0) {
	const words = resend.textContent;
	const pattern = resend.dataset.in;
	const until = Date.now() + Number(resend.dataset.wait) * 1000;
	const first = resend.dataset.wait;
	const tick = () => {
		const left = Math.ceil((until - Date.now()) / 1000);
		resend.disabled = left > 0;
		resend.textContent = left > 0 ? pattern.replace(first, String(left)) : words;
		if (left > 0) setTimeout(tick, 500);
	};
	tick();
}
