"""Keys of the API and merchants, at the operator's command line."""

import re

import pytest

from calls import Client, error_of


def number_of(sandbox, merchant_name):
    rows = [row for row in sandbox.onfile('merchant', 'list').splitlines() if f'  {merchant_name}  ' in row]
    assert len(rows) == 1
    return rows[0].split()[0]


@pytest.fixture(scope='module')
def shop(sandbox):
    """A merchant of this file's own: its number and its keys."""
    merchant = sandbox.merchant('Keys')
    return number_of(sandbox, 'Keys'), merchant


def rows_of(sandbox, number):
    return sandbox.onfile('keys', 'list', '--merchant', number).splitlines()


def test_a_list_of_keys_tells_them_apart_and_shows_none(sandbox, shop):
    number, merchant = shop
    rows = rows_of(sandbox, number)
    assert len(rows) == 2
    for row, kind, key in zip(rows, ('secret', 'publishable'),
                              (merchant.secret_key, merchant.publishable_key)):
        assert re.fullmatch(rf'key \d+  merchant {number}  {kind} *  …{key[-4:]}  '
                            r'made \d{4}-\d\d-\d\d \d\d:\d\d  used .+', row)
        assert key[-8:] not in row


def test_a_new_key_works_and_a_revoked_one_does_not(sandbox, shop):
    number, merchant = shop
    key = sandbox.onfile('keys', 'create', '--merchant', number, '--kind', 'secret').split()[1]
    assert key.startswith('sk_test_')
    new = Client(sandbox, key)
    customer = new.customer(name='Kept')
    assert Client(sandbox, merchant.secret_key).ok('GET', f'/v1/customers/{customer}')['name'] == 'Kept'
    row = next(row for row in rows_of(sandbox, number) if f'…{key[-4:]}' in row)
    assert 'used never' not in row
    told = sandbox.onfile('keys', 'revoke', row.split()[1])
    assert told == f'key {row.split()[1]} is revoked\n'
    error_of(new.get('/v1/customers'), 401, 'api_key_expired')
    assert next(row for row in rows_of(sandbox, number) if f'…{key[-4:]}' in row).endswith('  revoked')
    assert Client(sandbox, merchant.secret_key).get('/v1/customers').status_code == 200


def test_a_key_that_was_never_used_says_so(sandbox, shop):
    number, _ = shop
    key = sandbox.onfile('keys', 'create', '--merchant', number, '--kind', 'publishable').split()[1]
    assert key.startswith('pk_test_')
    assert any(f'…{key[-4:]}' in row and 'used never' in row for row in rows_of(sandbox, number))


def test_no_key_stands_in_the_store(sandbox, shop):
    number, merchant = shop
    sandbox.onfile('keys', 'create', '--merchant', number, '--kind', 'secret')
    texts = [path.read_bytes() for path in (sandbox.folder / 'data').rglob('*') if path.is_file()]
    assert any(b'sqlite' in text[:16].lower() for text in texts)
    assert not any(merchant.secret_key[8:].encode() in text for text in texts)


@pytest.mark.parametrize('words,said', [
    (['keys', 'create', '--merchant', '12', '--kind', 'secret'], 'no such merchant'),
    (['keys', 'create', '--merchant', 'x', '--kind', 'secret'], 'no such merchant'),
    (['keys', 'list', '--merchant', '99999999999999999999'], 'no such merchant'),
    (['keys', 'revoke', '7'], 'no such key'),
    (['merchant', 'show', '7'], 'no such merchant'),
])
def test_mistakes_are_told(sandbox, words, said):
    with pytest.raises(RuntimeError, match=said):
        sandbox.onfile(*words)


def test_a_merchant_is_shown_and_changed(sandbox, shop):
    number, _ = shop
    told = sandbox.onfile('merchant', 'set', number, '--support', '+7 800 000-00-00', '--mcc', '5411')
    assert told == sandbox.onfile('merchant', 'show', number)
    assert 'support  +7 800 000-00-00\n' in told and 'mcc      5411\n' in told
    assert 'url      https://shop.example\n' in told and told.startswith(f'merchant {number} Keys\n')
    assert re.search(r'has      \d+ customers, 0 cards on file, 0 payments, 0 webhook endpoints\n', told)
    for wrong in (['--url', 'http://shop.example'], ['--mcc', '54'], ['--country', 'RU'], ['--name', 'x' * 400]):
        with pytest.raises(RuntimeError):
            sandbox.onfile('merchant', 'set', number, *wrong)
    assert sandbox.onfile('merchant', 'show', number) == told


def test_a_key_needs_a_kind(sandbox, shop):
    with pytest.raises(RuntimeError, match='secret or publishable'):
        sandbox.onfile('keys', 'create', '--merchant', shop[0], '--kind', 'master')
