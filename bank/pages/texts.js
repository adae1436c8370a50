// The texts of the phone and of the control page. Both tables have the same keys.

const texts = {
	en: {
		lock: 'Lock screen', messages: 'Messages', bank: 'Bank', nothing: 'No notifications',
		no_messages: 'No messages yet. SMS of the shop and of the bank arrive here.',
		copy: 'Copy code {code}', copied: 'Copied', question: 'Was it you?',
		ask_link: '{merchant} asks to add card •• {last4}.', ask_pay: '{merchant} asks for {amount} from card •• {last4}.',
		approve: 'Yes, it was me', deny: 'No', cards: 'Cards', operations: 'Operations',
		no_operations: 'No operations yet. Link a card in the shop, and they show here.',
		held: 'On hold', captured: 'Paid', reversed: 'Released', refused: 'Refused', verified: 'Card check', balance: 'Balance', on_hold: 'On hold: {sum}',
		approved: 'Confirmed by you', denied: 'Denied by you', withdrawn: 'No longer needed', away: 'The bank does not answer. It is tried again.',
		requests: 'Requests', number: 'Copy number', details: 'Any date to come · code {cvc}',
	},
	ru: {
		lock: 'Экран', messages: 'Сообщения', bank: 'Банк', nothing: 'Нет уведомлений',
		no_messages: 'Сообщений пока нет. Сюда приходят СМС магазина и банка.',
		copy: 'Скопировать код {code}', copied: 'Скопировано', question: 'Это вы?',
		ask_link: 'Магазин {merchant} просит привязать карту •• {last4}.', ask_pay: 'Магазин {merchant} просит {amount} с карты •• {last4}.',
		approve: 'Да, это я', deny: 'Нет', cards: 'Карты', operations: 'Операции',
		no_operations: 'Операций пока нет. Привяжите карту в магазине, и они появятся здесь.',
		held: 'Заблокировано', captured: 'Оплата', reversed: 'Возвращено', refused: 'Отказ', verified: 'Проверка карты', balance: 'Остаток', on_hold: 'Заблокировано: {sum}',
		approved: 'Вы подтвердили', denied: 'Вы отказали', withdrawn: 'Уже не нужно', away: 'Банк не отвечает. Пробуем снова.',
		requests: 'Запросы', number: 'Скопировать номер', details: 'Любой будущий срок · код {cvc}',
	},
};

const lang = document.documentElement.lang === 'ru' ? 'ru' : 'en';

export const locale = lang === 'ru' ? 'ru-RU' : 'en-GB';

// The text of a key with {name} filled in.
export function t(key, values = {}) {
	return texts[lang][key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// An element: el('p.small', { id: 'x', onclick }, 'text', child, …). Falsy children are left out.
export function el(what, attributes = {}, ...children) {
	const [tag, ...classes] = what.split('.');
	const made = document.createElement(tag);
	if (classes.length) made.className = classes.join(' ');
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
		else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? '' : value);
	}
	made.append(...children.flat().filter((child) => child || child === 0));
	return made;
}

export async function get(path) {
	const answer = await fetch(path, { cache: 'no-store' });
	if (!answer.ok) throw new Error(String(answer.status));
	return answer.json();
}

export async function post(path, body) {
	const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
	return answer.ok;
}

export function money(minor, currency) {
	const codes = { 643: 'RUB', 840: 'USD', 978: 'EUR', 826: 'GBP', 933: 'BYN', 398: 'KZT', 392: 'JPY' };
	const style = { style: 'currency', currency: codes[currency] ?? 'RUB', currencyDisplay: 'narrowSymbol' };
	return new Intl.NumberFormat(locale, style).format(minor / (currency === '392' ? 1 : 100));
}
