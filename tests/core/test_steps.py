"""The bank's question, step by step: going back, a method frame and a challenge that nobody answers, results that
are forged, repeated, late or for somebody else, a directory server that is away."""

import requests
import pytest
from world import OWN, Directory, World, refused, wait_for


@pytest.fixture(scope='module')
def away():
    """A world of its own: its directory server has somebody in the way, its bank's clock is moved."""
    one = World()
    one.directory = Directory(one)
    yield one
    one.stop()


def challenged(world, customer=None, number=OWN['code']):
    """A shopper whom the bank asks, and the transaction."""
    shopper = world.page(customer)
    assert shopper.start(number)['step'] == 'challenge'
    return shopper, world.directory.newest


def no_card(world, shopper):
    intent = world.api.ok('GET', f'/v1/setup_intents/{shopper.intent}')
    assert intent['payment_method'] is None
    assert not world.cards(intent['customer'])


@pytest.mark.parametrize('step', ['enter', 'preparing', 'challenge', 'waiting'])
def test_going_back(world, step):
    shopper = world.page()
    if step == 'preparing':
        assert shopper.post_card(OWN['code']).json()['step'] == 'preparing'
    elif step == 'challenge':
        assert shopper.start(OWN['code'])['step'] == 'challenge'
    elif step == 'waiting':
        assert shopper.start(OWN['app'])['step'] == 'challenge'
    for _ in range(2):  # twice is as good as once
        answer = shopper.cancel()
        assert answer.status_code == 200
        assert answer.json()['step'] == 'enter' and answer.json()['error'] is None
    no_card(world, shopper)
    shopper.link()
    assert shopper.cancel().json()['step'] == 'done'


def test_going_back_while_the_bank_checks(world):
    shopper = world.page()
    world.control('line', deaf=True)
    try:
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor() as pool:
            posted = pool.submit(shopper.post_card)
            other = type(shopper)(world, shopper.token)
            wait_for(lambda: other.state()['step'] == 'checking')
            assert other.cancel().json()['step'] == 'enter'
            answer = posted.result()
            assert answer.status_code == 200 and answer.json()['error'] is None
    finally:
        world.control('line', deaf=False)
    shopper.link()


def test_a_code_after_going_back_changes_nothing(away):
    shopper, transaction = challenged(away)
    shopper.cancel()
    answer = away.directory.send(transaction, away.directory.result(transaction))
    assert answer.status_code == 200 and answer.json()['messageType'] == 'RRes'
    assert shopper.state()['step'] == 'enter'
    no_card(away, shopper)


def test_a_method_frame_that_never_comes_back(world):
    shopper = world.page()
    state = shopper.post_card(OWN['good']).json()
    assert state['step'] == 'preparing' and state['method']['url']
    shopper.until('done')


def test_a_method_frame_comes_back_twice_and_late(world):
    shopper = world.page()
    state = shopper.post_card(OWN['code']).json()
    shopper.run_method(state['method'])
    shopper.until('challenge')
    shopper.run_method(state['method'])
    assert shopper.state()['step'] == 'challenge'
    shopper.answer_challenge()
    shopper.until('done')


def test_three_wrong_codes(world):
    from running import form_of
    shopper = world.page()
    state = shopper.start(OWN['code'])
    page = shopper.post(state['challenge']['url'], {'creq': state['challenge']['creq'],
                                                    'threeDSSessionData': state['challenge']['session'] or ''})
    for _ in range(3):
        _, fields = form_of(page.text)
        page = shopper.post(f'http://bank.localhost:{world.sandbox.bank}/acs/answer', {
            'id': fields['id'], 'token': fields['token'], 'code': '00000x', 'action': 'code'})
        if 'name="cres"' in page.text:
            break
        _, fields = form_of(page.text)
        page = shopper.post(f'http://bank.localhost:{world.sandbox.bank}/acs/answer', {
            'id': fields['id'], 'token': fields['token'], 'code': '000000', 'action': 'code'})
    error = shopper.until('enter')['error']
    assert error['code'].endswith('authentication_failure') and error['who'] == 'shopper'
    story = world.trace(error['reference'])
    assert 'challenging -> over' in story and 'NOT_CONFIRMED' in story
    no_card(world, shopper)


def test_the_final_message_of_the_browser_is_not_believed(world):
    shopper = world.page()
    shopper.start(OWN['code'])
    done = f'{world.sandbox.api}/3ds/done/'
    page = requests.post(done + 'x', data={'cres': 'e30'})
    assert page.status_code == 404
    assert shopper.state()['step'] == 'challenge'


def test_forged_results(away):
    shopper, transaction = challenged(away)
    other, other_transaction = challenged(away)
    directory = away.directory
    sound = directory.result(transaction)
    made_up = '11111111-2222-4333-8444-555555555555'
    for changed in ({'dsTransID': made_up}, {'acsTransID': made_up}, {'threeDSServerTransID': made_up},
                    {'messageCategory': '01'}, {'messageVersion': '2.3.1'}, {'messageType': 'ARes'},
                    {'transStatus': 'X'}, {'interactionCounter': None}, {'transStatus': None}):
        answer = directory.send(transaction, directory.result(transaction, **changed))
        assert answer.json()['messageType'] == 'Erro', (changed, answer.text)
        assert shopper.state()['step'] == 'challenge', changed
    answer = directory.send(transaction, directory.result(other_transaction))  # of another attempt
    assert answer.json()['messageType'] == 'Erro'
    address = directory.requests[transaction]['threeDSServerURL']
    browser = directory.requests[transaction]['notificationURL']
    assert browser.rsplit('/', 1)[1] != address.rsplit('/', 1)[1]
    for body in ('', '{', '[]', '"x"', '{"messageType":"RReq"}', 'x' * 60000, '\1' * 20000, b'\xff\xfe', '\0'):
        answer = requests.post(address, data=body)
        assert answer.status_code == 400 or answer.json()['messageType'] == 'Erro', (body, answer.status_code)
    for path in ('x', browser.rsplit('/', 1)[1], address.rsplit('/', 1)[1][:-1]):
        answer = requests.post(address.rsplit('/', 1)[0] + '/' + path, json=sound)
        assert answer.status_code == 404
    assert requests.post(f'{away.sandbox.api}/3ds/results/' + address.rsplit('/', 1)[1], json=sound).status_code == 404
    assert shopper.state()['step'] == 'challenge' and other.state()['step'] == 'challenge'
    shopper.answer_challenge()
    shopper.until('done')
    assert other.state()['step'] == 'challenge'


def test_a_result_that_comes_again(away):
    shopper, transaction = challenged(away)
    directory = away.directory
    open_before = away.metrics()['onfile_attempts_open'] - 1
    first = directory.send(transaction, directory.result(transaction))
    assert first.json()['messageType'] == 'RRes' and first.json()['resultsStatus'] == '01'
    shopper.until('done')
    again = directory.send(transaction, directory.result(transaction))
    assert again.json() == first.json()
    other = directory.send(transaction, directory.result(transaction, transStatus='N', authenticationValue=None,
                                                         eci=None, transStatusReason='01'))
    assert other.status_code == 200
    assert shopper.state()['step'] == 'done'
    assert away.metrics()['onfile_attempts_open'] == open_before  # what is over does not come back into memory


@pytest.mark.parametrize('status', ['N', 'R', 'U'])
def test_a_result_that_says_no(away, status):
    shopper, transaction = challenged(away)
    directory = away.directory
    answer = directory.send(transaction, directory.result(transaction, transStatus=status, authenticationValue=None,
                                                          eci=None, transStatusReason='01'))
    assert answer.json()['messageType'] == 'RRes'
    error = shopper.state()['error']
    assert error['code'] == 'setup_intent_authentication_failure'
    again = directory.send(transaction, directory.result(transaction))
    assert again.status_code == 200
    assert shopper.state()['error']['reference'] == error['reference']
    no_card(away, shopper)
    assert 'result: means nothing while over' in away.trace(error['reference'])


def test_the_directory_server_is_away(away):
    directory = away.directory
    directory.away = True
    try:
        shopper = away.page()
        answer = shopper.post_card(OWN['good'])
        state = answer.json()
        if state['step'] == 'preparing':
            shopper.run_method(state['method'])
        error = shopper.until('enter')['error']
        assert error['code'] == 'processing_error' and error['who'] == 'wait' and error['again'] == 'minutes'
        assert 'AUTHENTICATING' not in error['message']
        assert 'authenticating -> over (NO_ANSWER)' in away.trace(error['reference'])
    finally:
        directory.away = False
    no_card(away, shopper)
    shopper.link()


def test_the_directory_server_is_slow(away):
    directory = away.directory
    directory.gate.clear()
    try:
        shopper = away.page()
        shopper.run_method(shopper.post_card(OWN['good']).json()['method'])
        assert shopper.until('authenticating')['step'] == 'authenticating'
        error = shopper.until('enter')['error']
        assert error['code'] == 'processing_error'
    finally:
        directory.gate.set()
    no_card(away, shopper)
    shopper.link()


@pytest.mark.parametrize('number, problem', [
    ('4000000000003261', 'NOT_CONFIRMABLE'), ('4000000000003279', 'NOT_CONFIRMED'),
    ('4000000000003287', 'NOT_CONFIRMABLE'), ('4000008400001280', 'NO_ANSWER'), ('4000008400001629', None)])
def test_cards_that_are_not_confirmed(world, number, problem):
    shopper = world.page()
    state = shopper.start(number)
    if problem is None:  # authenticated, and then refused all the same
        shopper.answer_challenge()
        state = shopper.until('enter')
        problem = 'DO_NOT_HONOR'
    assert state['step'] == 'enter', state
    assert problem in world.trace(state['error']['reference'])
    no_card(world, shopper)


def test_a_challenge_that_nobody_answers(away):
    """The bank gives up after ten minutes and says so. Last, because its clock runs ahead from now on."""
    shopper, _ = challenged(away)
    away.control('clock', ahead_ms=11 * 60 * 1000)
    error = wait_for(lambda: shopper.state()['error'], 20)
    assert error['code'] == 'setup_intent_authentication_failure'
    no_card(away, shopper)


def test_refused_by_the_bank_says_why(world):
    for number, code in ((OWN['wrong_code'], 'incorrect_cvc'), ('4000000000000101', 'incorrect_cvc'),
                         ('4000000000000069', 'expired_card'), ('4000000000000119', 'processing_error')):
        shopper = world.page()
        error = refused(shopper.post_card(number), code)
        assert shopper.state()['error']['reference'] == error['reference']  # survives a reload
        no_card(world, shopper)
