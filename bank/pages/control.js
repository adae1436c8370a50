// The control page: what cards do, what goes wrong on the line, the ledger. Everything it does is a
// request that a test can make as well (GET and POST of /control/cards, /control/line, GET /control/ledger).

import { brands, el, get, locale, money, post, t } from './texts.js';

const content = document.getElementById('content');
const sheet = document.getElementById('sheet');

const challenges = ['frictionless', 'sms', 'app', 'decoupled', 'attempted', 'refused', 'unavailable', 'not_enrolled', 'ds_fails'];
const faults = ['none', 'silent', 'late', 'twice', 'wrong_stan', 'half_frame', 'hang_up', 'garbage', 'wrong_mac'];
const percents = ['lose_requests_percent', 'lose_answers_percent', 'delay_percent', 'delay_ms', 'repeat_percent', 'late_ms'];

const spaced = (number) => number.replace(/(.{4})(?=.)/g, '$1 ');
const moment = (at) => new Date(at).toLocaleString(locale, { day: '2-digit', month: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });

let count = 0;
function field(label, input) {
	input.id = `field-${++count}`;
	return el('div.field', {}, el('label.field-label', { for: input.id }, label), input);
}

const select = (name, values, chosen, prefix) => el('select.field-input', { name },
	values.map((value) => el('option', { value, selected: value === chosen }, t(`${prefix}_${value}`))));

const tick = (name, checked) => el('label.tick', {}, el('input', { type: 'checkbox', name, checked }), t(name));

// ---------------------------------------------------------------- cards

function openCard(row) {
	const { behaviour } = row;
	const number = row.first;
	const form = el('form.stack', { method: 'dialog' },
		el('div', {}, el('h2.sheet-title.card-number', {}, spaced(number)), el('p.muted', {}, row.note)),
		el('div.grid', {},
			field(t('challenge'), select('challenge', challenges, behaviour.challenge, 'challenge')),
			field(t('verify_code'), el('input.field-input', { name: 'verify_code', value: behaviour.verify_code, maxlength: 4 })),
			field(t('payment_code'), el('input.field-input', { name: 'payment_code', value: behaviour.payment_code, maxlength: 4 })),
			field(t('advice_code'), el('input.field-input', { name: 'advice_code', value: behaviour.advice_code, maxlength: 4, placeholder: '00' })),
			field(t('cvc_result'), el('input.field-input', { name: 'cvc_result', value: behaviour.cvc_result, maxlength: 1, placeholder: t('as_it_is') })),
			field(t('verify_fault'), select('verify_fault', faults, behaviour.verify_fault, 'fault')),
			field(t('payment_fault'), select('payment_fault', faults, behaviour.payment_fault, 'fault')),
			field(t('advice_fault'), select('advice_fault', faults, behaviour.advice_fault, 'fault'))),
		tick('verify_wants_proof', behaviour.verify_wants_proof),
		tick('payment_wants_proof', behaviour.payment_wants_proof),
		tick('first_wants_proof', behaviour.first_wants_proof),
		el('div.buttons', {},
			el('button.button.button-small', { type: 'submit', value: 'save' }, t('save')),
			el('button.button.button-quiet.button-small', { type: 'submit', value: 'reset' }, t('reset')),
			el('button.link', { type: 'submit', value: '' }, t('close'))));
	form.addEventListener('submit', async (event) => {
		const what = event.submitter.value;
		if (what === 'reset') await post('/control/cards', { number, reset: true });
		if (what === 'save') {
			const values = Object.fromEntries(new FormData(form));
			await post('/control/cards', { ...values, number, verify_wants_proof: form.verify_wants_proof.checked, payment_wants_proof: form.payment_wants_proof.checked, first_wants_proof: form.first_wants_proof.checked });
		}
		await drawCards();
	});
	sheet.replaceChildren(form);
	sheet.showModal();
}

const cardsList = el('div.rows');

async function drawCards() {
	const rows = await get('/control/cards');
	cardsList.replaceChildren(...rows.map((row) => {
		const range = row.first !== row.last;
		const words = [
			el('span.row-title.card-number', {}, range ? `${spaced(row.first)} – ${spaced(row.last)}` : spaced(row.first)),
			el('span.row-note', {}, `${brands[row.brand] ?? row.brand} · ${row.note}`),
			el('span.card-tags', {}, el('span.tag', {}, t(`challenge_${row.behaviour.challenge}`)), row.changed && el('span.tag.tag-warn', {}, t('changed')))];
		return range ? el('div.row', {}, el('span.row-body', {}, words))
			: el('button.row', { type: 'button', onclick: () => openCard(row) }, el('span.row-body', {}, words), el('span.row-end', {}, '›'));
	}));
}

// ---------------------------------------------------------------- the line

const lineForm = el('form.stack');

async function drawLine() {
	const line = await get('/control/line');
	lineForm.replaceChildren(
		el('p.small.muted', {}, t('connections', { count: line.connections, port: line.port })),
		el('div.grid', {}, percents.map((name) => field(t(name), el('input.field-input', { name, type: 'text', inputmode: 'numeric', pattern: '[0-9]+', value: line[name] })))),
		el('div.grid', {},
			field(t('next_count'), el('input.field-input', { name: 'next_count', type: 'text', inputmode: 'numeric', pattern: '[0-9]+', value: line.next_count })),
			field(t('next_fault'), select('next_fault', faults, line.next_fault, 'fault')),
			field(t('next_code'), el('input.field-input', { name: 'next_code', value: line.next_code, maxlength: 4 }))),
		tick('deaf', line.deaf),
		tick('keeps_rest', line.keeps_rest),
		el('div.buttons', {},
			el('button.button.button-small', { type: 'submit', value: 'save' }, t('save')),
			el('button.button.button-quiet.button-small', { type: 'submit', value: 'say' }, t('cut_over')),
			el('button.button.button-quiet.button-small', { type: 'submit', value: 'hang_up' }, t('hang_up'))));
}

lineForm.addEventListener('submit', async (event) => {
	event.preventDefault();
	const values = Object.fromEntries(new FormData(lineForm));
	const body = { next_fault: values.next_fault, next_code: values.next_code, deaf: lineForm.deaf.checked, keeps_rest: lineForm.keeps_rest.checked,
		hang_up: event.submitter.value === 'hang_up', say: event.submitter.value === 'say' ? '201' : '' };
	for (const name of [...percents, 'next_count']) body[name] = Number(values[name]);
	await post('/control/line', body);
	await drawLine();
});

// ---------------------------------------------------------------- the ledger

const totals = el('dl.numbers');
const entries = el('div.scroll', { tabindex: 0, 'aria-label': t('ledger') });
let shown = '';

async function drawLedger() {
	const ledger = await get('/control/ledger?last=50');
	const key = JSON.stringify(ledger);
	if (key === shown) return;
	shown = key;
	totals.replaceChildren(...['verifications', 'approvals', 'refusals', 'captures', 'reversals', 'unknown_reversals', 'refunds', 'held', 'captured', 'refunded'].map((name) =>
		el('div', {}, el('dt', {}, t(`total_${name}`)), el('dd', {}, (['held', 'captured', 'refunded'].includes(name) ? ledger.totals[name] / 100 : ledger.totals[name]).toLocaleString(locale)))));
	entries.replaceChildren(ledger.entries.length === 0 ? el('p.muted', {}, t('no_entries')) : el('table', {},
		el('thead', {}, el('tr', {}, ['at', 'card', 'state', 'code', 'rrn'].map((name) => el('th', {}, t(`column_${name}`))), el('th.sum', {}, t('column_sum')))),
		el('tbody', {}, [...ledger.entries].reverse().map((one) => el('tr', {},
			el('td', {}, moment(one.at)), el('td', {}, `•• ${one.number.slice(-4)}`), el('td', {}, t(one.state)), el('td', {}, one.code),
			el('td', {}, one.rrn), el('td.sum', {}, one.amount ? money(one.amount, one.currency) : '–'))))));
}

// ---------------------------------------------------------------- all of it

content.append(
	el('section.stack', {}, el('div.section-head', {}, el('h2.strong', {}, t('ledger')), el('a.link', { href: '/control/settlement.csv' }, t('settlement')), el('a.link', { href: '/control/ledger' }, 'JSON')), totals, entries),
	el('div.columns', {},
		el('section.stack', {}, el('div', {}, el('h2.strong', {}, t('cards')), el('p.small.muted', {}, t('cards_text'))), cardsList),
		el('section.stack', {}, el('div', {}, el('h2.strong', {}, t('line')), el('p.small.muted', {}, t('line_text'))), lineForm)));

await Promise.all([drawCards(), drawLine(), drawLedger()]);
setInterval(() => drawLedger().catch(() => {}), 1000);
