"""A merchant's server for webhooks, on loopback: keeps what came, answers what it is told to."""

import http.server
import json
import threading
import time


def wait_for(condition, seconds=20):
    """What the condition says once it says something true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, 'it did not come true in time'
        pause.wait(0.02)


class Post:
    """One request as it came."""

    def __init__(self, path, headers, body):
        self.at = time.monotonic()
        self.path, self.headers, self.body = path, headers, body

    @property
    def event(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.event['type']

    @property
    def object(self):
        return self.event['data']['object']['id']


class Receiver:
    """`answer(post)` gives a status, or (status, headers, body), or None: hangs up."""

    def __init__(self, answer=lambda post: 200, context=None, port=0):
        self.posts = []
        self.answer = answer
        self.released = threading.Event()
        own = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers['Content-Length']))
                post = Post(self.path, self.headers, body)
                own.posts.append(post)
                answer = own.answer(post)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b'{}')
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header('Content-Length', str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the sender had enough

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, address):
                pass  # a client that does not trust our certificate

        self.server = Server(('127.0.0.1', port), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path='/hook', host='127.0.0.1', scheme='http'):
        return f'{scheme}://{host}:{self.port}{path}'

    def of(self, object=None, type=None):
        """What came about this object and of this type, in the order of arrival."""
        return [post for post in list(self.posts)
                if (object is None or post.object == object) and (type is None or post.type == type)]

    def wait(self, count=1, seconds=20, **which):
        """Waits for so many of them."""
        wait_for(lambda: len(self.of(**which)) >= count, seconds)
        return self.of(**which)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
