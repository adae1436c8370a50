#!/usr/bin/python3
"""A driver that tries what a driver may not do, when it is tested, and says what came of it."""

import ctypes
import json
import os
import socket
import sys

DESCRIPTION = {
    'contract': 1, 'name': 'prying', 'version': '1', 'kind': 'bank', 'operations': ['test'],
    'sandbox': {'connect': ['port']},
    'parameters': [{'name': 'port', 'type': 'number', 'min': 1, 'max': 65535, 'required': True},
                   {'name': 'other', 'type': 'number', 'min': 1, 'max': 65535, 'required': True},
                   {'name': 'readable', 'type': 'text', 'required': True},
                   {'name': 'pid', 'type': 'number', 'min': 1, 'max': 9999999, 'required': True}]}


def attempts(p):
    listening = socket.socket()
    yield 'connect_own', lambda: socket.create_connection(('127.0.0.1', p['port']), 5)
    yield 'connect_other', lambda: socket.create_connection(('127.0.0.1', p['other']), 5)
    yield 'resolve', lambda: socket.getaddrinfo('localhost', 80)
    yield 'listen', lambda: listening.listen()
    yield 'bind', lambda: listening.bind(('127.0.0.1', p['other'] + 1))
    yield 'unix', lambda: socket.socket(socket.AF_UNIX)
    yield 'raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
    yield 'packet', lambda: socket.socket(socket.AF_PACKET)
    yield 'read_usr', lambda: open('/usr/lib/os-release').read()
    yield 'read_world_readable', lambda: open(p['readable']).read()
    yield 'list_root', lambda: os.listdir('/')
    yield 'read_proc', lambda: open('/proc/1/status').read()
    yield 'read_own_environment', lambda: open('/proc/self/environ').read()
    yield 'write_tmp', lambda: open('/tmp/prying', 'w')
    yield 'fork', lambda: os.fork() or os._exit(0)
    yield 'kill', lambda: os.kill(p['pid'], 0)
    yield 'ptrace', lambda: call(101, 16, p['pid'], 0, 0)
    yield 'bpf', lambda: call(321, 0, 0, 0)
    yield 'io_uring', lambda: call(425, 1, 0)
    yield 'mount', lambda: call(165, 0, 0, 0, 0, 0)
    yield 'unshare', lambda: call(272, 0x10000000)
    yield 'keyctl', lambda: call(250, 0, 0, 0)


def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), 'refused')


def outcome(attempt):
    try:
        attempt()
        return 'worked'
    except OSError as error:
        return f'refused {error.errno}'


if sys.argv[1:] == ['--describe']:
    print(json.dumps(DESCRIPTION))
    sys.exit()
parameters = json.loads(sys.stdin.readline())['parameters']
print('{"id":0,"state":"up"}', flush=True)
for line in sys.stdin:
    said = {name: outcome(attempt) for name, attempt in attempts(parameters)}
    said['user'] = os.getuid()
    print(json.dumps({'id': json.loads(line)['id'], 'outcome': 'approved',
                      'steps': [{'step': name, 'detail': str(what)} for name, what in said.items()]}), flush=True)
