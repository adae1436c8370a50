"""Customers and their cards."""

from calls import ANOTHER, GOOD, REFUSED, error_of


def test_a_customer_lives_and_dies(api):
    made = api.ok('POST', '/v1/customers', {'name': 'A', 'email': 'a@example.com', 'metadata[k]': 'v'})
    path = f'/v1/customers/{made["id"]}'
    assert made['object'] == 'customer' and made['livemode'] is False
    changed = api.ok('POST', path, {'name': 'B', 'email': '', 'metadata[k]': '', 'metadata[n]': '1',
                                    'address[city]': 'X', 'phone': '+7'})
    assert (changed['name'], changed['email'], changed['metadata']) == ('B', None, {'n': '1'})
    assert api.ok('POST', path, {'metadata': '', 'address': ''})['metadata'] == {}
    assert api.ok('GET', path)['address'] is None
    gone = {'id': made['id'], 'object': 'customer', 'deleted': True}
    assert api.ok('DELETE', path) == gone
    assert api.ok('DELETE', path) == gone
    assert api.ok('GET', path) == gone
    error_of(api.post(path, {'name': 'C'}), 404, 'resource_missing')
    error_of(api.post('/v1/setup_intents', {'customer': made['id']}), 404, 'resource_missing')
    assert made['id'] not in [c['id'] for c in api.ok('GET', '/v1/customers', {'limit': 100})['data']]
    types = [e['type'] for e in api.events() if e['data']['object']['id'] == made['id']]
    assert types[::-1] == ['customer.created', 'customer.updated', 'customer.updated', 'customer.deleted']
    changes = [e['data'].get('previous_attributes') for e in api.events()
               if e['data']['object']['id'] == made['id'] and e['type'] == 'customer.updated']
    assert changes[-1]['name'] == 'A' and changes[-1]['email'] == 'a@example.com'
    assert changes[-1]['metadata'] == {'k': 'v'} and changes[-1]['address'] is None


def test_the_first_card_becomes_the_default(api, customer):
    card = api.link(customer)['payment_method']
    seen = api.ok('GET', f'/v1/customers/{customer}', {'expand[]': 'invoice_settings.default_payment_method'})
    default = seen['invoice_settings']['default_payment_method']
    assert default['id'] == card and default['card']['last4'] == '4242' and default['customer'] == customer
    assert default['card']['checks']['cvc_check'] == 'pass'
    second = api.link(customer, ANOTHER)['payment_method']
    assert second != card
    listed = api.ok('GET', f'/v1/customers/{customer}/payment_methods', {'type': 'card'})['data']
    assert [one['id'] for one in listed] == [second, card]
    same = api.ok('GET', '/v1/payment_methods', {'customer': customer, 'type': 'card'})['data']
    assert same == listed
    assert api.ok('GET', f'/v1/customers/{customer}/payment_methods/{second}')['card']['brand'] == 'mastercard'
    changed = api.ok('POST', f'/v1/customers/{customer}', {'invoice_settings[default_payment_method]': second})
    assert changed['invoice_settings']['default_payment_method'] == second


def test_the_same_card_linked_again_keeps_its_id(api, customer):
    first = api.link(customer)['payment_method']
    assert api.link(customer)['payment_method'] == first
    assert len(api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']) == 1


def test_a_card_is_changed_and_detached_for_good(api, customer):
    card = api.link(customer)['payment_method']
    path = f'/v1/payment_methods/{card}'
    changed = api.ok('POST', path, {'card[exp_month]': 11, 'card[exp_year]': 2032, 'metadata[nickname]': 'Home',
                                    'billing_details[name]': 'X', 'allow_redisplay': 'always'})
    assert (changed['card']['exp_month'], changed['card']['exp_year']) == (11, 2032)
    assert changed['metadata'] == {'nickname': 'Home'} and changed['billing_details']['name'] == 'X'
    assert changed['allow_redisplay'] == 'always'
    error_of(api.post(path, {'card[exp_year]': 2020}), 400, 'invalid_expiry_year')
    error_of(api.post(path, {'card[number]': GOOD}), 400, 'parameter_unknown', 'card[number]')
    gone = api.ok('POST', f'{path}/detach')
    assert gone['customer'] is None
    assert api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'] == []
    assert api.ok('GET', f'/v1/customers/{customer}')['invoice_settings']['default_payment_method'] is None
    error_of(api.get(f'/v1/customers/{customer}/payment_methods/{card}'), 404)
    error_of(api.post(f'{path}/detach'), 400, 'payment_method_unexpected_state')
    error_of(api.post(f'{path}/attach', {'customer': customer}), 400, 'payment_method_unexpected_state')
    error_of(api.post(path, {'metadata[a]': 'b'}), 400, 'payment_method_unexpected_state')
    error_of(api.post('/v1/payment_intents', {'amount': 100, 'currency': 'rub', 'customer': customer,
                                              'payment_method': card, 'confirm': 'true'}), 400)
    again = api.link(customer)['payment_method']
    assert again != card


def test_deleting_a_customer_removes_the_cards(api):
    customer = api.customer()
    card = api.link(customer)['payment_method']
    api.ok('DELETE', f'/v1/customers/{customer}')
    assert api.ok('GET', f'/v1/payment_methods/{card}')['customer'] is None
    other = api.customer()
    error_of(api.post('/v1/payment_intents', {'amount': 100, 'currency': 'rub', 'customer': other,
                                              'payment_method': card}), 400)
    assert 'payment_method.detached' in [e['type'] for e in api.events() if e['data']['object']['id'] == card]


def test_a_card_cannot_be_attached_without_a_link(api, customer):
    intent = api.setup_intent(customer)
    error = error_of(api.confirm(intent, REFUSED), 402, 'card_declined')
    card = error['payment_method']['id']
    refused = error_of(api.post(f'/v1/payment_methods/{card}/attach', {'customer': customer}), 400,
                       'payment_method_unexpected_state')
    assert 'setup_intents' in refused['message']
    error_of(api.post('/v1/customers', {'payment_method': card}), 400, 'payment_method_unexpected_state')
    for data in ({'type': 'card', 'card[token]': 'eyJ.x'}, {'type': 'card', 'card[encrypted]': 'eyJ.x'}):
        assert 'SetupIntent' in error_of(api.post('/v1/payment_methods', data), 400)['message']


def test_a_card_number_in_clear_is_refused_with_the_way_to_do_it(api, customer):
    intent = api.setup_intent(customer)
    answer = api.post(f'/v1/setup_intents/{intent["id"]}/confirm', {
        'payment_method_data[type]': 'card', 'payment_method_data[card][number]': GOOD,
        'payment_method_data[card][exp_month]': 12})
    error = error_of(answer, 400, 'parameter_unknown', 'payment_method_data[card][number]')
    assert 'payment_method_data[card][encrypted]' in error['message'] and GOOD not in answer.text
    answer = api.post('/v1/payment_methods', {'type': 'card', 'card[number]': GOOD})
    error_of(answer, 400, 'parameter_unknown', 'card[number]')
    assert GOOD not in answer.text


def test_a_card_that_was_linked_without_a_customer_is_attached_later(api):
    intent = api.setup_intent()
    answer = api.confirm(intent)
    assert answer.status_code == 200, answer.text
    done = answer.json() if answer.json()['status'] == 'succeeded' else api.finish(answer.json())
    card = api.ok('GET', f'/v1/payment_methods/{done["payment_method"]}')
    assert card['customer'] is None
    customer = api.customer()
    attached = api.ok('POST', f'/v1/payment_methods/{card["id"]}/attach', {'customer': customer})
    assert attached['customer'] == customer
