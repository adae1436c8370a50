// The texts of the phone and of the control page. Both tables have the same keys.

const texts = {
	en: {
		lock: 'Lock screen', messages: 'Messages', bank: 'Bank', nothing: 'No notifications',
		no_messages: 'No messages yet. SMS of the shop and of the bank arrive here.',
		copy: 'Copy code {code}', copied: 'Copied', question: 'Was it you?',
		ask_link: '{merchant} asks to add card •• {last4}.', ask_pay: '{merchant} asks for {amount} from card •• {last4}.',
		approve: 'Yes, it was me', deny: 'No', cards: 'Cards', operations: 'Operations',
		no_operations: 'No operations yet. Link a card in the shop, and they show here.',
		held: 'On hold', captured: 'Paid', reversed: 'Released', refused: 'Refused', verified: 'Card check', balance: 'Balance', on_hold: 'On hold: {sum}',
		approved: 'Confirmed by you', denied: 'Denied by you', withdrawn: 'No longer needed', away: 'The bank does not answer. It is tried again.',
		requests: 'Requests', number: 'Copy number', details: 'Any date to come · code {cvc}',
		cards_text: 'Any date to come. The code is 123, American Express 1234; any other does not match.', challenge: '3-D Secure',
		verify_code: 'Answer to a card check', payment_code: 'Answer to a payment', advice_code: 'Answer to captures, reversals, refunds', cvc_result: 'Result of the code', as_it_is: 'as it is',
		verify_fault: 'Fault of a card check', payment_fault: 'Fault of a payment', advice_fault: 'Fault of an advice',
		verify_wants_proof: 'A card check needs the 3-D Secure value (1A)', payment_wants_proof: 'A payment needs the 3-D Secure value (1A)', first_wants_proof: 'A first payment needs it (1A)',
		save: 'Save', reset: 'As it was', close: 'Close', changed: 'changed',
		challenge_frictionless: 'no question', challenge_sms: 'code by SMS', challenge_app: 'tap in the app', challenge_decoupled: 'decoupled', challenge_attempted: 'attempted (A)',
		challenge_refused: 'refused (N)', challenge_unavailable: 'not available (U)', challenge_not_enrolled: 'not enrolled', challenge_ds_fails: 'directory fails',
		fault_none: 'none', fault_silent: 'silent', fault_late: 'late', fault_twice: 'answered twice', fault_wrong_stan: 'wrong STAN', fault_half_frame: 'half a frame', fault_hang_up: 'hangs up', fault_garbage: 'garbage', fault_wrong_mac: 'wrong MAC',
		line: 'Line (ISO 8583)', line_text: 'What goes wrong for all cards. 0 is never, 100 always.', connections: 'Connections: {count}, port {port}',
		lose_requests_percent: 'Requests lost, %', lose_answers_percent: 'Answers lost, %', delay_percent: 'Delayed, %', delay_ms: 'Delay, ms', repeat_percent: 'Answered twice, %', late_ms: '“Late” is, ms',
		next_count: 'For the next messages', next_fault: 'Fault', next_code: 'Refused with', deaf: 'Deaf: takes connections and answers nothing', hang_up: 'Hang up now', cut_over: 'Cut-over (201)', keeps_rest: 'After a capture in part the rest stays held until it is reversed', settlement: 'Settlement file',
		ledger: 'Ledger', no_entries: 'Nothing yet.', total_verifications: 'Card checks', total_approvals: 'Approved', total_refusals: 'Refused', total_captures: 'Captures', total_reversals: 'Reversals',
		total_unknown_reversals: 'Reversals of nothing', total_held: 'On hold', total_captured: 'Captured', total_refunds: 'Refunds', total_refunded: 'Refunded',
		column_at: 'Time', column_card: 'Card', column_state: 'State', column_code: 'Answer', column_rrn: 'RRN', column_sum: 'Sum',
	},
	ru: {
		lock: 'Экран', messages: 'Сообщения', bank: 'Банк', nothing: 'Нет уведомлений',
		no_messages: 'Сообщений пока нет. Сюда приходят СМС магазина и банка.',
		copy: 'Скопировать код {code}', copied: 'Скопировано', question: 'Это вы?',
		ask_link: 'Магазин {merchant} просит привязать карту •• {last4}.', ask_pay: 'Магазин {merchant} просит {amount} с карты •• {last4}.',
		approve: 'Да, это я', deny: 'Нет', cards: 'Карты', operations: 'Операции',
		no_operations: 'Операций пока нет. Привяжите карту в магазине, и они появятся здесь.',
		held: 'Заблокировано', captured: 'Оплата', reversed: 'Возвращено', refused: 'Отказ', verified: 'Проверка карты', balance: 'Остаток', on_hold: 'Заблокировано: {sum}',
		approved: 'Вы подтвердили', denied: 'Вы отказали', withdrawn: 'Уже не нужно', away: 'Банк не отвечает. Пробуем снова.',
		requests: 'Запросы', number: 'Скопировать номер', details: 'Любой будущий срок · код {cvc}',
		cards_text: 'Любой будущий срок. Код 123, у American Express 1234; любой другой не подходит.', challenge: '3-D Secure',
		verify_code: 'Ответ на проверку карты', payment_code: 'Ответ на оплату', advice_code: 'Ответ на списания, отмены, возвраты', cvc_result: 'Результат кода', as_it_is: 'как есть',
		verify_fault: 'Сбой проверки карты', payment_fault: 'Сбой оплаты', advice_fault: 'Сбой уведомления',
		verify_wants_proof: 'Проверке нужно значение 3-D Secure (1A)', payment_wants_proof: 'Оплате нужно значение 3-D Secure (1A)', first_wants_proof: 'Первой оплате нужно значение 3-D Secure (1A)',
		save: 'Сохранить', reset: 'Как было', close: 'Закрыть', changed: 'изменено',
		challenge_frictionless: 'без вопросов', challenge_sms: 'код по СМС', challenge_app: 'касание в приложении', challenge_decoupled: 'отдельно от покупки', challenge_attempted: 'попытка (A)',
		challenge_refused: 'отказ (N)', challenge_unavailable: 'недоступно (U)', challenge_not_enrolled: 'не участвует', challenge_ds_fails: 'сбой каталога',
		fault_none: 'нет', fault_silent: 'молчит', fault_late: 'поздно', fault_twice: 'ответ дважды', fault_wrong_stan: 'чужой STAN', fault_half_frame: 'половина кадра', fault_hang_up: 'обрыв', fault_garbage: 'мусор', fault_wrong_mac: 'неверный MAC',
		line: 'Линия (ISO 8583)', line_text: 'Что не так для всех карт. 0 — никогда, 100 — всегда.', connections: 'Соединений: {count}, порт {port}',
		lose_requests_percent: 'Потеря запросов, %', lose_answers_percent: 'Потеря ответов, %', delay_percent: 'С задержкой, %', delay_ms: 'Задержка, мс', repeat_percent: 'Ответ дважды, %', late_ms: '«Поздно» — это, мс',
		next_count: 'Для следующих сообщений', next_fault: 'Сбой', next_code: 'Отказ с кодом', deaf: 'Глухой: соединяется и не отвечает', hang_up: 'Оборвать сейчас', cut_over: 'Закрыть день (201)', keeps_rest: 'После списания части остаток заблокирован до отмены', settlement: 'Файл расчётов',
		ledger: 'Книга', no_entries: 'Пока пусто.', total_verifications: 'Проверки', total_approvals: 'Одобрено', total_refusals: 'Отказы', total_captures: 'Списания', total_reversals: 'Отмены',
		total_unknown_reversals: 'Отмены неизвестного', total_held: 'Заблокировано', total_captured: 'Списано', total_refunds: 'Возвраты', total_refunded: 'Возвращено',
		column_at: 'Время', column_card: 'Карта', column_state: 'Состояние', column_code: 'Ответ', column_rrn: 'RRN', column_sum: 'Сумма',
	},
};

const lang = document.documentElement.lang === 'ru' ? 'ru' : 'en';

export const locale = lang === 'ru' ? 'ru-RU' : 'en-GB';

// The text of a key with {name} filled in.
export function t(key, values = {}) {
	return texts[lang][key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// A brand as it writes itself.
export const brands = { visa: 'Visa', mastercard: 'Mastercard', mir: 'Mir', amex: 'American Express', unionpay: 'UnionPay' };

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
	const unit = currency === '392' ? 1 : 100;
	if (minor % unit === 0) style.maximumFractionDigits = 0;
	return new Intl.NumberFormat(locale, style).format(minor / unit);
}
