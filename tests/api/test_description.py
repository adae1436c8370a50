"""The description of the API is true: who may call what, one merchant's things are nobody else's, and the documents say the same."""

import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import pytest
import requests

from calls import GOOD, Client, error_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
MADE_UP = {'customers': 'cus_000000000000nobody', 'payment_methods': 'pm_000000000000nobody', 'setup_intents': 'seti_000000000000nobody',
           'payment_intents': 'pi_000000000000nobody', 'charges': 'ch_000000000000nobody', 'sessions': 'cs_test_000000000000nobody',
           'refunds': 're_000000000000nobody', 'events': 'evt_000000000000nobody', 'webhook_endpoints': 'we_000000000000nobody',
           'card_links': '0000-0000'}


@pytest.fixture(scope='module')
def document(api):
    return api.description.document


@pytest.fixture(scope='module')
def things(api):
    """One thing of every kind, by the word of its path; all are the first merchant's."""
    customer = api.customer()
    intent = api.link(customer, GOOD)
    card = intent['payment_method']
    paid = api.ok('POST', '/v1/payment_intents', {'amount': 1000, 'currency': 'rub', 'customer': customer, 'payment_method': card, 'confirm': 'true'})
    session = api.ok('POST', '/v1/checkout/sessions', {'mode': 'setup', 'customer': customer, 'success_url': 'https://shop.example/'})
    refund = api.ok('POST', '/v1/refunds', {'payment_intent': paid['id'], 'amount': 100})
    endpoint = api.ok('POST', '/v1/webhook_endpoints', {'url': 'https://shop.example/hook', 'enabled_events[]': 'charge.succeeded'})
    return {'customers': customer, 'payment_methods': card, 'setup_intents': intent['id'], 'payment_intents': paid['id'],
            'charges': paid['latest_charge'], 'sessions': session['id'], 'refunds': refund['id'], 'events': api.events()[0]['id'],
            'webhook_endpoints': endpoint['id'], 'card_links': '0000-0000', 'client_secret': intent['client_secret']}


def calls(document):
    for path, operations in document['paths'].items():
        for method, operation in operations.items():
            yield method.upper(), path, operation


def filled(path, ids):
    """The path with an id for each place: that of the word before it."""
    return re.sub(r'(\w+)/\{\w+\}', lambda found: f'{found[1]}/{ids[found[1]]}', path)


def needed(operation):
    """The least that the call takes, so that nothing else is wrong with it."""
    schema = operation.get('requestBody', {}).get('content', {}).get('application/x-www-form-urlencoded', {}).get('schema', {})
    return {name: '1' for name in schema.get('required', [])}


def test_it_is_openapi(document):
    assert document['openapi'] == '3.1.0' and len(list(calls(document))) > 40
    for schema in document['components']['schemas'].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for method, path, operation in calls(document):
        assert operation['summary'].endswith('.') and operation['responses']['200'], (method, path)


def test_nobody_calls_without_a_key(api, document, things):
    for method, path, _ in calls(document):
        for headers in ({}, {'Authorization': 'Bearer sk_test_made_up'}, {'Authorization': 'Nonsense'}):
            answer = requests.request(method, api.sandbox.api + filled(path, things), headers=headers, timeout=20)
            assert answer.status_code == 401 and answer.json()['error'], (method, path, headers)


def test_a_publishable_key_calls_what_is_for_browsers_and_no_more(browser_api, document, things):
    for method, path, operation in calls(document):
        answer = browser_api(method, filled(path, things), needed(operation))
        if not any('publishable_key' in one for one in operation['security']):
            error_of(answer, 403, 'secret_key_required')
        elif '{' in path:  # what it names has to be proven
            error_of(answer, 400, 'parameter_missing', 'client_secret')
            error_of(browser_api(method, filled(path, things), {'client_secret': things['client_secret'] + 'x'}), 400, param='client_secret')
        else:
            assert answer.status_code == 200


def test_what_is_one_merchants_is_not_there_for_another(other, document, things):
    """For every call that names something: the thing of another merchant and one that nobody has get the same answer."""
    seen = 0
    for method, path, operation in calls(document):
        if '{' not in path:
            continue
        known, unknown = (other(method, filled(path, ids), needed(operation)) for ids in (things, MADE_UP))
        texts = [answer.text for answer in (known, unknown)]
        for word, made_up in MADE_UP.items():
            texts = [texts[0].replace(str(things[word]), 'X'), texts[1].replace(made_up, 'X')]
        assert known.status_code == unknown.status_code == 404, (method, path, known.text, unknown.text)
        assert texts[0] == texts[1], (method, path)
        seen += 1
    assert seen > 25


@pytest.mark.parametrize('path, param', [
    ('/v1/payment_methods', 'customer'), ('/v1/setup_intents', 'customer'), ('/v1/payment_intents', 'customer'), ('/v1/charges', 'payment_intent'),
    ('/v1/refunds', 'payment_intent'), ('/v1/setup_attempts', 'setup_intent'), ('/v1/checkout/sessions', 'customer')])
def test_lists_and_filters_show_nothing_of_another_merchant(other, things, path, param):
    word = {'customer': 'customers', 'payment_intent': 'payment_intents', 'setup_intent': 'setup_intents'}[param]
    answer = other.get(path, **{param: things[word]})
    assert answer.status_code == 404 or answer.json()['data'] == [], answer.text
    for one in other.ok('GET', path, {'limit': 100})['data'] if path not in ('/v1/payment_methods', '/v1/setup_attempts') else []:
        assert one['id'] not in things.values()


@pytest.mark.parametrize('path, data', [
    ('/v1/setup_intents', {'customer': 'customers'}), ('/v1/setup_intents', {'payment_method': 'payment_methods'}),
    ('/v1/payment_intents', {'customer': 'customers'}), ('/v1/payment_intents', {'payment_method': 'payment_methods'}),
    ('/v1/checkout/sessions', {'customer': 'customers'}), ('/v1/billing_portal/sessions', {'customer': 'customers'}),
    ('/v1/refunds', {'payment_intent': 'payment_intents'}), ('/v1/refunds', {'charge': 'charges'}),
    ('/v1/customers', {'payment_method': 'payment_methods'})])
def test_nothing_of_another_merchant_can_be_put_into_a_call(other, things, path, data):
    more = {'/v1/payment_intents': {'amount': 5, 'currency': 'rub'}, '/v1/checkout/sessions': {'mode': 'setup', 'success_url': 'https://x.example/'}}
    answer = other.post(path, {**{name: things[word] for name, word in data.items()}, **more.get(path, {})})
    assert answer.status_code in (400, 404) and answer.json()['error']['param'] == next(iter(data)), answer.text


def test_an_answer_that_is_not_described_is_seen(api):
    """The check of every answer can fail."""
    description = copy.copy(api.description)
    answer = api.get('/v1/customers')
    answer._content = answer.content.replace(b'"has_more"', b'"had_more"')
    with pytest.raises(AssertionError):
        description.check('GET', '/v1/customers', answer)


def test_the_documents_say_the_same(document, tmp_path):
    """docs/api/ is made from the description: tools/api-docs."""
    (tmp_path / 'openapi.json').write_text(json.dumps(document))
    subprocess.run([sys.executable, ROOT / 'tools/api-docs', tmp_path / 'openapi.json', tmp_path / 'api'], check=True)
    made, kept = ({one.name: one.read_text() for one in folder.iterdir()} for folder in (tmp_path / 'api', ROOT / 'docs/api'))
    assert sorted(made) == sorted(kept)
    for name in made:
        assert made[name] == kept[name], f'docs/api/{name} is out of date: tools/api-docs makes it anew'


def test_clients_of_two_merchants_see_their_own(api, other):
    assert isinstance(other, Client)
    mine, theirs = (client.customer(email='both@example.com') for client in (api, other))
    for client, own in ((api, mine), (other, theirs)):
        assert [one['id'] for one in client.ok('GET', '/v1/customers', {'email': 'both@example.com'})['data']] == [own]
