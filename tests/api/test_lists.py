"""Every list with every filter: what belongs to it is found, the newest first, page by page in both directions, also between two
moments; what does not belong is not there."""

import pytest

from calls import error_of

SALE = {'line_items[0][price_data][currency]': 'rub', 'line_items[0][price_data][unit_amount]': 700, 'line_items[0][quantity]': 1,
        'line_items[0][price_data][product_data][name]': 'Tea'}


def paid(api, customer, **more):
    return api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub', 'customer': customer, 'payment_method': 'pm_card_visa',
                                                  'confirm': 'true', **more})



def of_customers(api):
    yield '/v1/customers', {'email': 'one@lists.example'}, lambda mine: api.customer(email='one@lists.example' if mine else 'two@lists.example')


def of_cards(api):
    one, two = api.customer(), api.customer()

    def attach(mine, show='always'):
        card = api.ok('POST', '/v1/payment_methods/pm_card_visa/attach', {'customer': one if mine else two})['id']
        return api.ok('POST', f'/v1/payment_methods/{card}', {'allow_redisplay': show})['id']
    yield '/v1/payment_methods', {'customer': one}, attach
    one, two = api.customer(), api.customer()
    yield f'/v1/customers/{one}/payment_methods', {'type': 'card'}, attach
    one = two = api.customer()
    yield '/v1/payment_methods', {'customer': one, 'allow_redisplay': 'limited'}, lambda mine: attach(mine, 'limited' if mine else 'always')


def of_setups(api):
    one, two = api.customer(), api.customer()
    cards = {who: api.ok('POST', '/v1/payment_methods/pm_card_visa/attach', {'customer': who})['id'] for who in (one, two)}

    def setup(mine, **more):
        who = one if mine else two
        return api.setup_intent(who, payment_method=cards[who], **more)['id']
    yield '/v1/setup_intents', {'customer': one}, setup
    yield '/v1/setup_intents', {'customer': one, 'payment_method': (third := api.ok(
        'POST', '/v1/payment_methods/pm_card_visa/attach', {'customer': one})['id'])}, lambda mine: api.setup_intent(
            one, payment_method=third if mine else cards[one])['id']
    tried, other = (api.setup_intent(one)['id'] for _ in range(2))

    def attempt(mine):
        answer = api.post(f'/v1/setup_intents/{tried if mine else other}/confirm', {'payment_method': 'pm_card_chargeDeclined'})
        error_of(answer, 402)
        return api.ok('GET', f'/v1/setup_intents/{tried if mine else other}')['latest_attempt']
    yield '/v1/setup_attempts', {'setup_intent': tried}, attempt


def of_payments(api):
    one, two = api.customer(), api.customer()
    yield '/v1/payment_intents', {'customer': one}, lambda mine: paid(api, one if mine else two)['id']
    three, four = api.customer(), api.customer()
    yield '/v1/charges', {'customer': three}, lambda mine: paid(api, three if mine else four)['latest_charge']
    refused, other = (api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub', 'customer': one})['id'] for _ in range(2))

    def charge(mine):
        answer = api.post(f'/v1/payment_intents/{refused if mine else other}/confirm', {'payment_method': 'pm_card_chargeCustomerFail'})
        return error_of(answer, 402)['charge']
    yield '/v1/charges', {'payment_intent': refused}, charge
    yield '/v1/charges', {'payment_intent': refused, 'customer': one}, charge


def of_refunds(api):
    for path, name in (('/v1/refunds', 'payment_intent'), ('/v1/refunds', 'charge'), ('charges', '')):
        payments = {mine: paid(api, api.customer()) for mine in (True, False)}

        def refund(mine, payments=payments):
            return api.ok('POST', '/v1/refunds', {'payment_intent': payments[mine]['id'], 'amount': 5})['id']
        if name:
            yield path, {name: payments[True]['id' if name == 'payment_intent' else 'latest_charge']}, refund
        else:
            yield f'/v1/charges/{payments[True]["latest_charge"]}/refunds', {}, refund


def of_sessions(api):
    one, two = api.customer(), api.customer()

    def session(mine, who=None, **more):
        form = {'mode': 'payment', 'success_url': 'https://shop.example/', 'customer': who or (one if mine else two), **SALE, **more}
        return api.ok('POST', '/v1/checkout/sessions', form)['id']

    def expired(mine):
        made = session(True, four)
        return api.ok('POST', f'/v1/checkout/sessions/{made}/expire')['id'] if mine else made
    yield '/v1/checkout/sessions', {'customer': one}, session
    four = api.customer()
    yield '/v1/checkout/sessions', {'customer': four, 'status': 'expired'}, expired


def of_events(api):
    kinds = {True: 'customer.deleted', False: 'customer.created'}

    def happen(mine, kind='type'):
        customer = api.customer(name='Event')
        if mine:
            api.ok('DELETE', f'/v1/customers/{customer}')
        return next(one['id'] for one in api.events(type=kinds[mine]) if one['data']['object']['id'] == customer)
    yield '/v1/events', {'type': 'customer.deleted'}, happen
    yield '/v1/events', {'types[0]': 'customer.deleted', 'types[1]': 'charge.expired'}, happen
    yield '/v1/events', {'type': 'customer.d*', 'delivery_success': 'true'}, happen


MAKERS = [of_customers, of_cards, of_setups, of_payments, of_refunds, of_sessions, of_events]


def walk(api, path, filters, cursor, limit, start):
    """All ids from one end of a list to the other, and that has_more was right."""
    found, last = [], start
    while True:
        page = api.ok('GET', path, {**filters, 'limit': limit, **({cursor: last} if last else {})})
        ids = [one['id'] for one in page['data']]
        found = found + ids if cursor == 'starting_after' else ids + found
        if not page['has_more']:
            return found
        assert len(ids) == limit, 'a page that is not full says that there is more'
        last = ids[-1] if cursor == 'starting_after' else ids[0]


@pytest.mark.parametrize('maker', MAKERS, ids=lambda maker: maker.__name__)
def test_filters_and_pages(other, maker):
    """As the other merchant, whom few tests use: their lists are short."""
    for path, filters, make in maker(other):
        before = walk(other, path, filters, 'starting_after', 100, None)
        made = [make(number % 3 != 1) for number in range(9)]
        mine = [one for number, one in enumerate(made) if number % 3 != 1][::-1]
        whole = mine + before
        for limit in (1, 2, 3, len(mine), 100):
            assert walk(other, path, filters, 'starting_after', limit, None) == whole, (path, filters)
            assert walk(other, path, filters, 'starting_after', limit, mine[2]) == whole[3:], (path, filters)
            assert walk(other, path, filters, 'ending_before', limit, mine[3]) == whole[:3], (path, filters)
        moments(other, path, filters, mine, whole)


def moments(api, path, filters, mine, whole):
    """created and its bounds, with the filters and a cursor."""
    times = {one['id']: one['created'] for one in api.ok('GET', path, {**filters, 'limit': 100})['data']}
    low, high = times[mine[-1]], times[mine[0]]
    for bound, keeps in (({'created[gte]': low}, lambda at: at >= low), ({'created[gt]': low}, lambda at: at > low),
                         ({'created[lte]': high}, lambda at: at <= high), ({'created[lt]': high}, lambda at: at < high), ({'created': high}, lambda at: at == high),
                         ({'created[gte]': low, 'created[lt]': high}, lambda at: low <= at < high), ({'created[gt]': high}, lambda at: at > high)):
        expected = [one for one in whole if keeps(times[one])]
        assert walk(api, path, {**filters, **bound}, 'starting_after', 2, None) == expected, (path, filters, bound)
        newer = [one for one in whole[:whole.index(mine[3])] if keeps(times[one])]
        assert walk(api, path, {**filters, **bound}, 'ending_before', 2, mine[3]) == newer, (path, filters, bound)


def test_a_session_is_found_by_its_payment(api, customer):
    form = {'mode': 'payment', 'success_url': 'https://shop.example/', 'customer': customer, **SALE}
    made = [api.ok('POST', '/v1/checkout/sessions', form) for _ in range(3)]
    for one in made:
        find = {'payment_intent': one['payment_intent']}
        assert [each['id'] for each in api.ok('GET', '/v1/checkout/sessions', find)['data']] == [one['id']]
        for more, seen in (({'status': 'open'}, True), ({'status': 'expired'}, False), ({'customer': customer}, True), ({'customer': api.customer()}, False),
                           ({'created[gte]': one['created']}, True), ({'created[lt]': one['created']}, False)):
            assert bool(api.ok('GET', '/v1/checkout/sessions', {**find, **more})['data']) == seen, more
    alone = api.ok('POST', '/v1/payment_intents', {'amount': 5, 'currency': 'rub'})['id']
    assert api.ok('GET', '/v1/checkout/sessions', {'payment_intent': alone})['data'] == []
    error_of(api.get('/v1/checkout/sessions', payment_intent='pi_nobody'), 404, 'resource_missing', 'payment_intent')


def test_every_filter_of_the_description_is_tried(api):
    """A filter that is added has to be added here."""
    tried = {'customer', 'email', 'type', 'types[]', 'allow_redisplay', 'payment_method', 'setup_intent', 'payment_intent', 'charge', 'status', 'delivery_success'}
    common = {'limit', 'starting_after', 'ending_before', 'expand[]', 'client_secret', 'created', 'created[gt]', 'created[gte]', 'created[lt]', 'created[lte]'}
    for path, operations in api.description.document['paths'].items():
        names = {one['name'] for one in operations.get('get', {}).get('parameters', []) if one['in'] == 'query'}
        assert names <= tried | common, f'{path}: {names - tried - common}'
