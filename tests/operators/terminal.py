"""A command on a terminal of its own, and what is seen there."""

import os
import pty
import select


class Terminal:
    def __init__(self, words, folder=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ['LANG'] = 'en_US.UTF-8'
            os.chdir(folder or '.')
            os.execvp(words[0], [str(word) for word in words])
        self.seen = ''

    def read(self, until):
        while until not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], 20)
            assert ready, self.seen
            try:
                got = os.read(self.fd, 4096)
            except OSError:
                got = b''
            assert got, self.seen
            self.seen += got.decode(errors='replace')

    def type(self, text):
        os.write(self.fd, text.encode() + b'\n')

    def status(self):
        try:
            while got := os.read(self.fd, 4096):
                self.seen += got.decode(errors='replace')
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
