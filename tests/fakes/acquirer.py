#!/usr/bin/python3
"""A small acquirer that takes JSON over HTTP, for the example driver and its test: it keeps a ledger in memory, knows a
repeat by its reference, and asks for a key. usage: acquirer.py PORT KEY"""

import http.server
import json
import sys
import threading


class Ledger:
    def __init__(self, key):
        self.key = key
        self.lock = threading.Lock()
        self.answers = {}  # reference -> (path, body, answer)
        self.repeats = 0
        self.silent = set()  # paths that are not answered

    def answer(self, path, body):
        with self.lock:
            if body['reference'] in self.answers:
                self.repeats += 1
                return self.answers[body['reference']][2]
            answer = self.decide(path, body)
            self.answers[body['reference']] = (path, dict(body, card=body['card']['number'][-4:]), answer)
            return answer

    def decide(self, path, body):
        if path in ('captures', 'reversals', 'refunds'):
            known = any(one['rrn'] == body['rrn'] for where, one, _ in self.answers.values() if where == 'authorizations')
            return {'result': 'approved'} if known else {'result': 'refused', 'code': '25'}
        if body['card']['number'].endswith('0002'):
            return {'result': 'refused', 'code': '51'}
        cvc = 'pass' if body['card'].get('cvc') else 'unchecked'
        return {'result': 'approved', 'approval': '%06d' % (len(self.answers) + 1), 'cvc': cvc, 'network_id': body['rrn']}

    def of(self, path):
        """What came to this path, and what it was told."""
        with self.lock:
            return [(body, answer) for where, body, answer in self.answers.values() if where == path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def reply(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do(self):
        ledger, path = self.server.ledger, self.path.strip('/').split('/')[-1]
        body = json.loads(self.rfile.read(int(self.headers.get('Content-Length') or 0)) or b'{}')
        if self.headers.get('Authorization') != f'Bearer {ledger.key}':
            self.reply(401, {'error': 'wrong key'})
        elif path == 'status':
            self.reply(200, {})
        elif path in ('verifications', 'authorizations', 'captures', 'reversals', 'refunds'):
            answer = ledger.answer(path, body)
            if path in ledger.silent:
                self.close_connection = True
            else:
                self.reply(200, answer)
        else:
            self.reply(404, {'error': 'no such path'})

    do_GET = do_POST = do

    def log_message(self, *_):
        pass


def start(key, port=0):
    """A running acquirer; its address is `.url`, its books are `.ledger`."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', port), Handler)
    server.daemon_threads = True
    server.ledger = Ledger(key)
    server.url = f'http://127.0.0.1:{server.server_address[1]}/v1'
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


if __name__ == '__main__':
    start(sys.argv[2], int(sys.argv[1]))
    threading.Event().wait()
