"""The guards of a link, each with its default number and all others lifted; and what the same shoppers
may do where the guard itself is lifted by its key (the fixture `world`)."""

import pytest
from world import OWN, World, all_but, plain_card, refusal, refused, solve, wait_for


@pytest.fixture
def guarded(request):
    """A world with these guards alone."""
    one = World(all_but(*request.param))
    yield one
    one.stop()


def guards(*keys):
    return pytest.mark.parametrize('guarded', [keys], indirect=True, ids=[keys[0]])


def refuse(world, customer=None, number=OWN['wrong_code'], **more):
    """A link that the issuer refuses."""
    return refused(world.page(customer, **more).post_card(number))


def now(world):
    return world.api.keys()['now']


def is_wait(world, answer, seconds):
    """Too many tries, with the time of the next."""
    error, state = refusal(answer, 429, 'rate_limit')
    assert error['who'] == 'wait' and error['again'] == 'at'
    assert now(world) + seconds - 60 < error['at'] <= now(world) + seconds + 1
    assert 0 < int(answer.headers['Retry-After']) <= min(seconds, 86400)
    assert error['message'] == 'Too many tries.'  # the page says the time, by the shopper's own clock
    assert error['reference']
    assert state['error'] is None or state['error']['code'] != 'rate_limit'
    return error


@guards('guard.refused_per_customer')
def test_five_refused_links_of_a_customer_in_a_day(guarded, world):
    customer = guarded.api.customer()
    for _ in range(5):
        assert refuse(guarded, customer)['code'] == 'incorrect_cvc'
    before = guarded.ledger()['count']
    error = is_wait(guarded, guarded.page(customer).post_card(), 24 * 3600)
    assert 'TOO_MANY_TRIES' in guarded.trace(error['reference'])
    assert guarded.ledger()['count'] == before  # the bank was not asked
    guarded.page(guarded.api.customer()).link()
    customer = world.api.customer()
    for _ in range(7):
        refuse(world, customer)
    world.page(customer).link()


@guards('guard.refused_per_customer')
def test_what_the_bank_could_not_do_counts_for_nobody(guarded):
    customer = guarded.api.customer()
    for _ in range(6):
        assert refuse(guarded, customer, '4000000000000119')['code'] == 'processing_error'
        assert refuse(guarded, customer, OWN['refused'])['code'] == 'card_declined'
    guarded.page(customer).link()


@guards('guard.cards_per_day')
def test_five_new_cards_of_a_customer_in_a_day(guarded, world):
    customer = guarded.api.customer()
    for n in range(5):
        guarded.page(customer).link(plain_card(n))
    is_wait(guarded, guarded.page(customer).post_card(plain_card(5)), 24 * 3600)
    guarded.page(customer).link(plain_card(4))  # is on file: no new one
    card = guarded.cards(customer)[0]['id']
    guarded.api.ok('POST', f'/v1/payment_methods/{card}/detach')
    is_wait(guarded, guarded.page(customer).post_card(plain_card(6)), 24 * 3600)
    customer = world.api.customer()
    for n in range(6):
        world.page(customer).link(plain_card(n))


@guards('guard.cards_stored')
def test_ten_cards_of_a_customer(guarded, world):
    customer = guarded.api.customer()
    for n in range(10):
        guarded.page(customer).link(plain_card(n))
    error, _ = refusal(guarded.page(customer).post_card(plain_card(10)), 400, 'customer_max_payment_methods')
    assert error['who'] == 'shopper' and 'Remove one' in error['message']
    guarded.page(customer).link(plain_card(3))  # is on file
    card = guarded.cards(customer)[0]['id']
    guarded.api.ok('POST', f'/v1/payment_methods/{card}/detach')
    guarded.page(customer).link(plain_card(10))
    assert len(guarded.cards(customer)) == 10
    customer = world.api.customer()
    for n in range(11):
        world.page(customer).link(plain_card(n))


@guards('guard.refused_per_address_hour')
def test_a_proof_of_work_after_five_refused_links_from_an_address(guarded, world):
    for _ in range(5):
        refuse(guarded)
    assert guarded.page().state()['proof'] is None
    refuse(guarded)
    shopper = guarded.page()
    task = shopper.state()['proof']
    assert task['bits'] == 16
    _, state = refusal(shopper.post_card(), 400, 'proof_required')
    assert state['proof']['bits'] == 16 and state['proof']['nonce'] != task['nonce']
    refusal(shopper.post_card(proof=solve(task, wrong=True)), 400, 'proof_required')
    refusal(shopper.post_card(proof=task['nonce']), 400, 'proof_required')
    refusal(shopper.post_card(proof='16.1.00.AAAA:1'), 400, 'proof_required')
    other = guarded.page()
    refusal(other.post_card(proof=solve(task)), 400, 'proof_required')  # another attempt's
    browser = guarded.api.__class__(guarded.sandbox, guarded.merchant.publishable_key)
    intent = guarded.api.setup_intent(guarded.api.customer())
    answer = browser.confirm(intent, OWN['good'], client_secret=intent['client_secret'])
    assert answer.status_code == 400 and answer.json()['error']['code'] == 'proof_required'
    proof = solve(task)
    refused(shopper.post_card(OWN['wrong_code'], proof=proof), 'incorrect_cvc')
    refusal(shopper.post_card(proof=proof), 400, 'proof_required')  # good once
    assert shopper.state()['proof']['bits'] == 17  # it grows with every refusal
    refusal(shopper.post_card(proof=solve(dict(task, bits=17))), 400, 'proof_required')
    assert guarded.page(address='127.0.9.9').state()['proof'] is None
    shopper.link(proof=solve(shopper.state()['proof']))
    for _ in range(7):
        refuse(world)
    assert world.page().state()['proof'] is None


@guards('guard.refused_per_network_day')
def test_a_proof_of_work_after_twenty_refused_links_from_a_network(guarded, world):
    for n in range(20):
        refuse(guarded, address=f'127.0.3.{n + 1}')
    assert guarded.page(address='127.0.3.77').state()['proof'] is None
    refuse(guarded, address='127.0.3.21')
    assert guarded.page(address='127.0.3.77').state()['proof']['bits'] == 16
    assert guarded.page(address='127.0.4.1').state()['proof'] is None
    for n in range(22):
        refuse(world, address=f'127.0.3.{n + 1}')
    assert world.page(address='127.0.3.77').state()['proof'] is None


@guards('guard.refused_per_card_day')
def test_three_refused_links_of_a_card_in_a_day(guarded, world):
    for _ in range(3):
        refuse(guarded, guarded.api.customer())
    before = guarded.ledger()['count']
    error = is_wait(guarded, guarded.page().post_card(OWN['wrong_code']), 24 * 3600)
    assert '0127' in guarded.trace(error['reference'])
    assert guarded.ledger()['count'] == before
    guarded.page().link()
    for _ in range(4):
        refuse(world)


@guards('guard.refused_per_card_month')
def test_ten_refused_links_of_a_card_in_a_month(guarded, world):
    for _ in range(10):
        refuse(guarded)
    is_wait(guarded, guarded.page().post_card(OWN['wrong_code']), 30 * 24 * 3600)
    for _ in range(11):
        refuse(world)


@guards('guard.fraud_block_days')
def test_after_fraud_a_card_is_blocked_until_an_operator_frees_it(guarded, world):
    for number, code in ((plain_card(1), '59'), (plain_card(2), '04'), (plain_card(3), '07')):
        guarded.control('cards', number=number, verify_code=code)
        first = refuse(guarded, number=number)
        guarded.control('cards', number=number, reset=True)
        before = guarded.ledger()['count']
        second = refuse(guarded, number=number)
        assert guarded.ledger()['count'] == before
        usual = refuse(guarded, number=OWN['refused'])
        for error in first, second:  # nothing tells a blocked card from any other refusal
            assert {**error, 'reference': 0} == {**usual, 'reference': 0}
        assert 'CARD_BLOCKED' in guarded.trace(second['reference'])
        assert number[-4:] in guarded.trace(second['reference'])
        assert 'may be tried again' in guarded.sandbox.onfile('card', 'free', second['reference'].lower())
        assert 'an operator freed the card' in guarded.trace(second['reference'])
        guarded.page().link(number)
        with pytest.raises(RuntimeError, match='is not blocked'):
            guarded.sandbox.onfile('card', 'free', first['reference'])
    with pytest.raises(RuntimeError, match='no attempt'):
        guarded.sandbox.onfile('card', 'free', '0000-0000')
    number = plain_card(1)
    world.control('cards', number=number, verify_code='59')
    refuse(world, number=number)
    world.control('cards', number=number, reset=True)
    world.page().link(number)


@guards('guard.fraud_block_days')
def test_a_lost_card_is_never_taken_again(guarded):
    usual = refuse(guarded, number=OWN['refused'])
    for number in OWN['lost'], OWN['stolen']:
        refuse(guarded, number=number)
        guarded.control('cards', number=number, verify_code='00')
        before = guarded.ledger()['count']
        error = refuse(guarded, number=number)
        assert guarded.ledger()['count'] == before
        assert {**error, 'reference': 0} == {**usual, 'reference': 0}
        with pytest.raises(RuntimeError, match='lost or stolen'):
            guarded.sandbox.onfile('card', 'free', error['reference'])
        refuse(guarded, number=number)


@guards('guard.proof_percent')
def test_a_proof_of_work_for_all_when_issuers_refuse_a_fifth(guarded, world):
    for n in range(16):
        guarded.page().link(plain_card(n))
    for _ in range(10):
        refuse(guarded, number='4000000000000119')  # the bank's own trouble does not count
        refusal(guarded.page().post_card('4242424242424241'), 402, 'invalid_number')  # nor ours
    for _ in range(4):
        refuse(guarded, number=OWN['refused'])
    assert guarded.page().state()['proof'] is None  # 4 of 20 are not more than a fifth
    refuse(guarded)
    assert guarded.metrics()['onfile_links_refused_percent'] == 23
    shopper = guarded.page(address='127.0.7.7')
    assert shopper.state()['proof']['bits'] == 16
    refusal(shopper.post_card(), 400, 'proof_required')
    shopper.link(proof=solve(shopper.state()['proof']))
    for n in range(25):
        refuse(world)
    assert world.page().state()['proof'] is None


@guards('guard.slow_percent')
def test_one_trial_in_ten_seconds_when_issuers_refuse_half(guarded):
    for n in range(9):
        guarded.page().link(plain_card(n))
    for _ in range(10):
        refuse(guarded, number=OWN['refused'])
    assert guarded.metrics()['onfile_link_alarms_total'] == 0  # nineteen are too few to tell
    refuse(guarded)
    assert guarded.metrics()['onfile_link_alarms_total'] == 1
    assert 'links_are_refused' in guarded.sandbox.log()
    waiting = [guarded.page() for _ in range(3)]
    is_wait(guarded, waiting[0].post_card(), 10)
    number = iter(range(100, 100000))
    taken = wait_for(lambda: [one for one in waiting if one.post_card(plain_card(next(number))).status_code == 200], 14)
    assert len(taken) == 1  # of all who come at once
    assert guarded.metrics()['onfile_link_alarms_total'] == 1


def test_all_guards_are_on_when_nothing_is_configured():
    one = World('log.level = info')
    try:
        customer = one.api.customer()
        for number in OWN['lost'], OWN['stolen'], OWN['wrong_code'], OWN['wrong_code'], OWN['wrong_code']:
            refuse(one, customer, number)
        is_wait(one, one.page(customer).post_card(), 24 * 3600)
        is_wait(one, one.page().post_card(OWN['wrong_code']), 24 * 3600)  # the card's own limit
        refuse(one, number='4000000000000101')
        assert one.page().state()['proof']['bits'] == 16  # six from this address
    finally:
        one.stop()
