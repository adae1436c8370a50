"""The guards of a link as they are when nobody lifts them: what the API says then."""

import pytest
from calls import GOOD, LOST, Client, error_of
from running import Sandbox

GUESSES = ['4000000000009987', '4000000000009979', '4000000000000069', '4000000000000127', '4000000000000101']


@pytest.fixture(scope='module')
def guarded():
    sandbox = Sandbox(conf='bank.deadline_ms = 3000')
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope='module')
def careful(guarded):
    return Client(guarded, guarded.merchant().secret_key)


def test_five_refused_links_are_enough_for_a_day(careful):
    customer = careful.customer()
    for number in GUESSES:
        error_of(careful.confirm(careful.setup_intent(customer), number), 402)
    intent = careful.setup_intent(customer)
    answer = careful.confirm(intent, GOOD, key='guarded-1')
    error = error_of(answer, 429, 'rate_limit')
    assert error['advice']['who'] == 'wait' and error['advice']['again'] == 'at'
    now = careful.keys()['now']
    assert now + 23 * 3600 < error['advice']['at'] <= now + 24 * 3600 + 2
    assert 'You can try again at' in error['user_message'] and 'UTC' in error['user_message']
    assert error['advice']['reference']
    other = careful.confirm(careful.setup_intent(careful.customer()), GOOD)
    assert other.status_code == 200, other.text
    # What was refused by a guard is not kept with the key: it may be asked again later.
    again = careful.confirm(intent, GOOD, key='guarded-1', **{
        'payment_method_data[card][encrypted]': answer.request.body.split('encrypted%5D=')[1].split('&')[0]})
    assert again.status_code == 429 and 'Idempotent-Replayed' not in again.headers


def test_a_stolen_card_is_blocked_for_everyone(careful):
    """It was refused as lost above: the next customer hears the usual refusal, from us."""
    error = error_of(careful.confirm(careful.setup_intent(careful.customer()), LOST), 402, 'card_declined')
    assert error['advice']['messages']['en'].startswith('Your bank refused.')
