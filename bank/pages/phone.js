// The phone: asks the bank every second for SMS, requests and operations, and draws three screens from
// them. What is drawn depends only on what was last answered and on which screen is open.

import { brands, el, get, locale, money, post, t } from './texts.js';

const phone = document.querySelector('.phone');
const screen = document.getElementById('screen');
const dock = document.getElementById('dock');
const banner = document.getElementById('banner');

const state = { screen: 'lock', messages: [], requests: [], account: { cards: [], operations: [] }, away: false };
let drawn = '';
let newest = null; // what was there before the page was opened makes no banner

const icons = {
	lock: '<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
	messages: '<path d="M4 5h16v11H9l-5 4z"/>',
	bank: '<path d="M4 10l8-5 8 5M5 19h14M7 10v7M12 10v7M17 10v7"/>',
};

function icon(name) {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	svg.setAttribute('viewBox', '0 0 24 24');
	svg.setAttribute('aria-hidden', 'true');
	svg.innerHTML = icons[name];
	return svg;
}

const time = (at) => new Date(at).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
const codeOf = (text) => text.match(/(?:^|\D)(\d{6})(?:\D|$)/)?.[1];
// What people read: without the last line, which is for the phone.
const humanText = (text) => text.replace(/\n+@\S+ #\S+.*$/, '');
const machineText = (text) => text.match(/\n+(@\S+ #\S+.*)$/)?.[1] ?? '';
const openRequests = () => state.requests.filter((one) => one.state === 'open');
const askText = (one) => t(one.amount ? 'ask_pay' : 'ask_link', one);

function go(name) {
	state.screen = name;
	banner.hidden = true;
	draw(true);
	screen.scrollTop = 0;
}

function note(one) {
	const request = one.kind === 'request';
	return el('button.note', { type: 'button', onclick: () => go(request ? 'bank' : 'messages') },
		el('img.note-icon', { src: request ? '/pages/bank.svg' : '/pages/message.svg', alt: '' }),
		el('span.note-body', {},
			el('span.note-head', {}, el('span', {}, request ? 'Sandbox Bank' : one.from), el('span', {}, time(one.at))),
			el('span.note-text', {}, request ? `${t('question')} ${askText(one)}` : humanText(one.text))));
}

function notes() {
	return [...openRequests().map((one) => ({ ...one, kind: 'request' })), ...state.messages.map((one) => ({ ...one, kind: 'sms' }))]
		.sort((a, b) => b.at - a.at);
}

function drawLock() {
	const now = new Date();
	const list = notes().slice(0, 4);
	return [
		el('div.clock', {},
			el('p.clock-date', {}, now.toLocaleDateString(locale, { weekday: 'long', day: 'numeric', month: 'long' })),
			el('p.clock-time', {}, time(now))),
		list.length ? el('div.notes', {}, list.map(note)) : el('p.lock-empty', {}, t('nothing')),
	];
}

function copyButton(words, text) {
	const button = el('button.link', { type: 'button' }, words);
	button.addEventListener('click', async () => {
		await navigator.clipboard?.writeText(text).catch(() => {});
		button.textContent = t('copied');
	});
	return button;
}

function drawMessages() {
	const list = [...state.messages].reverse();
	return [
		el('div.bar', {}, el('h1.heading', {}, t('messages'))),
		list.length ? el('ul', {}, list.map((one) => el('li.sms', {},
			el('div.sms-head', {}, el('span.strong', {}, one.from), el('span', {}, time(one.at))),
			el('p.sms-text', {}, humanText(one.text), machineText(one.text) && el('span.machine', {}, `\n${machineText(one.text)}`)),
			codeOf(one.text) && copyButton(t('copy', { code: codeOf(one.text) }), codeOf(one.text)))))
			: el('p.muted', {}, t('no_messages')),
	];
}

async function decide(one, decision) {
	await post('/phone/requests', { id: one.id, decision });
	await look();
}

function drawAsk(one) {
	return el('div.ask.stack', {},
		el('div', {}, el('p.strong', {}, t('question')), el('p', {}, askText(one)), el('p.small.muted', {}, time(one.at))),
		el('div.buttons', {},
			el('button.button.button-quiet.button-small', { type: 'button', onclick: () => decide(one, 'deny') }, t('deny')),
			el('button.button.button-small', { type: 'button', onclick: () => decide(one, 'approve') }, t('approve'))));
}

function drawCard(card) {
	const digits = card.number.replace(/(.{4})(?=.)/g, '$1 ');
	return el('div.stack.stack-8', {},
		el('div.plastic', {},
			el('div.plastic-head', {}, el('span.strong', {}, 'Sandbox Bank'), el('span', {}, brands[card.brand] ?? card.brand)),
			el('div', {}, el('p.small', {}, t('balance')), el('p.plastic-balance', {}, money(card.balance, card.currency)),
				card.held > 0 && el('p.small', {}, t('on_hold', { sum: money(card.held, card.currency) }))),
			el('p.plastic-number', {}, digits)),
		el('div.small.muted', {}, t('details', { cvc: card.cvc })),
		copyButton(t('number'), card.number));
}

function drawOperation(one) {
	return el('li.row', {},
		el('span.row-body', {}, el('span.row-title', {}, t(one.state)), el('span.row-note', {}, `${one.merchant} · •• ${one.last4} · ${time(one.at)}`)),
		el('span.row-end.sum', {}, one.amount ? money(one.amount, one.currency) : ''));
}

function drawBank() {
	const { cards, operations } = state.account;
	const done = state.requests.filter((one) => one.state !== 'open').reverse().slice(0, 5);
	return [
		el('div.bar', {}, el('h1.heading', {}, 'Sandbox Bank')),
		el('div.stack.stack-24', {},
			state.away && el('p.notice.notice-warn', { role: 'status' }, t('away')),
			[...openRequests()].reverse().map(drawAsk),
			cards.map(drawCard),
			el('section.stack.stack-8', {}, el('h2.strong', {}, t('operations')),
				operations.length ? el('ul.rows', {}, operations.map(drawOperation)) : el('p.muted', {}, t('no_operations'))),
			done.length > 0 && el('section.stack.stack-8', {}, el('h2.strong', {}, t('requests')),
				el('ul.rows', {}, done.map((one) => el('li.row', {}, el('span.row-body', {},
					el('span.row-title', {}, t(one.state)), el('span.row-note', {}, askText(one)))))))),
	];
}

const screens = { lock: drawLock, messages: drawMessages, bank: drawBank };

function drawDock() {
	const counts = { bank: openRequests().length };
	return Object.keys(screens).map((name) => el('button', { type: 'button', 'data-go': name, 'aria-current': state.screen === name && 'page', onclick: () => go(name) },
		icon(name), el('span', {}, t(name)), counts[name] > 0 && el('span.count', {}, String(counts[name]))));
}

// Draws only when something has changed, so that nobody loses the focus or the place in a list.
function draw(force = false) {
	const key = JSON.stringify([state, state.screen === 'lock' && time(Date.now())]);
	document.getElementById('top-time').textContent = time(Date.now());
	if (key === drawn && !force) return;
	const focused = document.activeElement?.dataset?.go;
	drawn = key;
	phone.dataset.screen = state.screen;
	screen.replaceChildren(...screens[state.screen]());
	dock.replaceChildren(...drawDock());
	if (focused) dock.querySelector(`[data-go="${focused}"]`)?.focus();
}

let bannerTimer;
function announce() {
	const first = notes()[0];
	const key = first ? `${first.kind} ${first.id}` : '';
	if (newest !== null && key !== newest && first && state.screen !== 'lock') {
		banner.replaceChildren(note(first));
		banner.hidden = false;
		clearTimeout(bannerTimer);
		bannerTimer = setTimeout(() => { banner.hidden = true; }, 8000);
	}
	newest = key;
}

async function look() {
	try {
		[state.messages, state.requests, state.account] = await Promise.all([get('/phone/messages'), get('/phone/requests'), get('/phone/account')]);
		state.away = false;
		announce();
	} catch {
		state.away = true;
	}
	draw();
}

const wanted = location.hash.slice(1);
if (screens[wanted]) state.screen = wanted;
await look();
setInterval(look, 1000);
