"""A bank that answers after the deadline, twice, with garbage, half a frame, another number, not at all, or hangs
up: to the authorization, and to what follows it. In the end both books are equal."""

import pytest
from machine import Payment

FAULTS = ('silent', 'late', 'twice', 'wrong_stan', 'half_frame', 'hang_up', 'garbage')


def pay_under(machine, message, fault):
    number = machine.fresh_number()
    payment = Payment(machine, machine.link(number), f'bank-{machine.folder.name}-{machine.serial}')
    machine.control('cards', number=number, **{message: fault})
    try:
        payment.check()
    finally:
        machine.control('cards', number=number, reset=True)
    return payment.settle()


@pytest.mark.parametrize('message', ['payment_fault', 'advice_fault'])
def test_a_bank_that_does_not_answer_well(machines, message):
    words = machines.run(lambda machine, fault: pay_under(machine, message, fault), [(fault,) for fault in FAULTS])
    told = dict(zip(FAULTS, words))
    if message == 'advice_fault':  # the authorization was answered well: it is paid, whatever the capture says
        assert set(told.values()) == {'succeeded'}, told
    else:
        assert {fault for fault in FAULTS if told[fault] == 'succeeded'} == {'twice'}, told


def test_a_line_that_is_cut_again_and_again(machines):
    """Every third answer is lost, and the line is cut while payments are on it."""
    def deed(machine):
        number = machine.fresh_number()
        payments = [Payment(machine, machine.link(machine.fresh_number()), f'cut-{machine.folder.name}-{n}')
                    for n in range(6)]
        machine.control('line', lose_answers_percent=30)
        try:
            for payment in payments:
                machine.control('line', hang_up=True)
                payment.settle()
        finally:
            machine.control('line', lose_answers_percent=0)
        for payment in payments:
            payment.check()
        return number
    machines.alone(deed)
