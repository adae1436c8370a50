#!/usr/bin/python3
"""A driver that behaves until it is asked to authorize, or to test; then it does what its parameter `mode` says."""

import json
import os
import sys
import threading
import time

DESCRIPTION = {
    'contract': 1, 'name': 'evil', 'version': '1', 'kind': 'bank', 'operations': ['verify', 'authorize', 'capture', 'test'],
    'parameters': [{'name': 'mode', 'type': 'text', 'required': True}, {'name': 'victim', 'type': 'text'}]}


def say(line):
    os.write(1, line.encode() + b'\n')


def answer(request, **more):
    say(json.dumps({'id': request['id'], 'outcome': 'approved', 'approval_code': '123456', 'cvc_check': 'pass', **more}))


def die(request):
    os._exit(1)


def hang(request):
    pass


def flood(request):
    while True:
        os.write(1, b'x' * 65536)


def flood_lines(request):
    while True:
        os.write(1, b'{"id":0,"state":"up"}\n' * 1000)


def garbage(request):
    say('I am a driver')


def wrong_id(request):
    answer({'id': request['id'] + 1})


def twice(request):
    answer(request)
    answer(request, approval_code='654321')


def number(request):
    answer(request, detail=request['card']['number'])


def other(request):
    """Answers a request of another driver."""
    answer({'id': int(PARAMETERS['victim'])})
    answer(request)


def too_long(request):
    answer(request, detail='x' * (64 * 1024 - 100))


def close_output(request):
    os.close(1)
    time.sleep(600)


def half_line(request):
    os.write(1, b'{"id":%d,"outcome":"appro' % request['id'])


def nonsense(request):
    say('{"id":%d,"outcome":["approved"],"decline_code":{},"amount":"much","stan":[],"rrn":7}' % request['id'])


def not_json(request):
    say('{"id":%d,"outcome":"approved" and more}' % request['id'])


if sys.argv[1:] == ['--describe']:
    print(json.dumps(DESCRIPTION))
    sys.exit()
PARAMETERS = json.loads(sys.stdin.readline())['parameters']
say('{"id":0,"state":"up"}')
if PARAMETERS['mode'] == 'deaf':
    threading.Event().wait()
for line in sys.stdin:
    request = json.loads(line)
    if request['op'] == 'authorize' and PARAMETERS['mode'] != 'good':
        globals()[PARAMETERS['mode']](request)
    elif request['op'] == 'test' and PARAMETERS['mode'] == 'other':
        other(request)
    else:
        answer(request)
