"""A thousand requests at a time with one idempotency key, on many keys, while programs are killed: one
PaymentIntent, one charge, one answer."""

import asyncio
import random
import threading
import urllib.parse

from machine import Payment, wait_for

PARALLEL = 1000
KEYS, KEYS_DEEP = 3, 50
VICTIMS = ('web', 'core', 'vault', 'driver-iso8583', 'onfile')


async def ask_once(port, request):
    """(status, body); None when nobody answered."""
    writer = None
    try:
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 30)
        head, _, body = answer.partition(b'\r\n\r\n')
        return (int(head.split(b' ', 2)[1]), body) if head else None
    except (OSError, asyncio.TimeoutError, IndexError):
        return None
    finally:
        if writer:
            writer.close()


async def ask_until_answered(port, request):
    for _ in range(400):
        answer = await ask_once(port, request)
        if answer and answer[0] < 500 and answer[0] not in (409, 429):
            return answer
        await asyncio.sleep(random.uniform(0.05, 0.4))
    raise AssertionError('no answer in 400 tries')


async def ask_all(port, request):
    return await asyncio.gather(*(ask_until_answered(port, request) for _ in range(PARALLEL)))


def request_of(machine, payment):
    body = urllib.parse.urlencode(payment.data)
    return (f'POST /v1/payment_intents HTTP/1.1\r\nHost: 127.0.0.1:{machine.sandbox.public}\r\n'
            f'Authorization: Bearer {machine.secret}\r\nIdempotency-Key: {payment.key}\r\nConnection: close\r\n'
            'Content-Type: application/x-www-form-urlencoded\r\n'
            f'Content-Length: {len(body)}\r\n\r\n{body}').encode()


def kill_some(machine, over, chance):
    """Kills one program after the other until the answers are there, and does as a supervisor would for the
    parent."""
    killed = []
    while not over.wait(chance.uniform(0.05, 0.5)):
        if len(killed) < 3:
            name = chance.choice(VICTIMS)
            try:
                machine.kill(name)
                killed.append(name)
            except (ProcessLookupError, AssertionError):
                pass  # it is just down
        machine.is_ready()
    return killed


def storm(machine, number):
    payment = Payment(machine, machine.link(machine.fresh_number()), f'storm-{machine.folder.name}-{number}')
    over, killed = threading.Event(), []
    killer = threading.Thread(target=lambda: killed.extend(kill_some(machine, over, random.Random(number))))
    killer.start()
    try:
        answers = asyncio.run(ask_all(machine.sandbox.public, request_of(machine, payment)))
    finally:
        over.set()
        killer.join()
    wait_for(machine.is_ready, 'onfile is ready again')
    assert len(answers) == PARALLEL
    assert len(set(answers)) == 1, f'{len(set(answers))} different answers for one key: {[a[:300] for _, a in set(answers)]}'
    payment.answers.append(answers[0])
    payment.check()
    return len(killed)


def test_a_thousand_requests_with_one_key(machines, choice):
    count = KEYS_DEEP if choice.deep else KEYS
    killed = machines.run(storm, [(number,) for number in range(count)])
    assert sum(killed) >= count, 'nothing was killed'
