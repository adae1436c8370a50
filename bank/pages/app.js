// The page that waits for the bank's app: asks the bank every second whether there is an answer.
// Without scripts the button does the same once.

const id = document.querySelector('main').dataset.id;
document.getElementById('waiting').hidden = false;

async function look() {
	try {
		const answer = await fetch('/acs/state/' + id, { cache: 'no-store' });
		if (!answer.ok || (await answer.json()).state !== 'open') {
			location.replace('/acs/page/' + id);
			return;
		}
	} catch {
		// The network is away for a moment; the next look will tell.
	}
	setTimeout(look, 1000);
}

setTimeout(look, 1000);
