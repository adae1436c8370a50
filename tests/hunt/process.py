"""What /proc tells of a running process: descriptors and what is behind them, rights, surroundings."""

import os
import pathlib
import re
import socket

LISTEN = '0A'


def tables(pid):
    """{inode: (kind, local port, remote port, state)} of the sockets that the process's network knows."""
    known = {}
    for kind in ('tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6', 'udplite', 'icmp'):
        path = pathlib.Path(f'/proc/{pid}/net/{kind}')
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            words = line.split()
            local, remote = (int(word.rsplit(':', 1)[1], 16) for word in words[1:3])
            known[words[9]] = (kind, local, remote, words[3])
    for line in pathlib.Path(f'/proc/{pid}/net/unix').read_text().splitlines()[1:]:
        known[line.split()[6]] = ('unix', 0, 0, '')
    return known


class Descriptors:
    """The descriptors of a process, sorted by what they are."""

    def __init__(self, pid):
        known = tables(pid)
        self.unix, self.tcp, self.others, self.files, self.pipes, self.kernel = [], [], [], [], [], []
        for link in pathlib.Path(f'/proc/{pid}/fd').iterdir():
            try:
                what = os.readlink(link)
            except FileNotFoundError:
                continue  # closed meanwhile
            inode = re.fullmatch(r'socket:\[(\d+)\]', what)
            if inode:
                kind = known.get(inode[1], ('unknown', 0, 0, ''))
                {'unix': self.unix, 'tcp': self.tcp}.get(kind[0], self.others).append(kind)
            elif what.startswith('pipe:'):
                self.pipes.append(what)
            elif what.startswith('anon_inode:'):
                self.kernel.append(what)
            else:
                self.files.append(what)

    def listening(self):
        return {local for _, local, _, state in self.tcp if state == LISTEN}

    def connected(self):
        return {(local, remote) for _, local, remote, state in self.tcp if state != LISTEN}


def status(pid):
    lines = pathlib.Path(f'/proc/{pid}/status').read_text().splitlines()
    return {key: value.strip() for key, value in (line.split(':', 1) for line in lines)}


def environment(pid):
    return pathlib.Path(f'/proc/{pid}/environ').read_bytes()


def command_line(pid):
    return pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()


def is_dumpable(pid):
    """The files of an undumpable process in /proc belong to root, whoever its user is."""
    return os.stat(f'/proc/{pid}/environ').st_uid == os.stat(f'/proc/{pid}').st_uid != 0


def runs(pid):
    try:
        return status(pid)['State'][0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


def as_user(user, deed):
    """What `deed` gives, run by a child with another user: its return value, 'denied' when the
    system refused, 'broken' when it failed otherwise."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = b'broken'
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            answer = str(deed()).encode()
        except PermissionError:
            answer = b'denied'
        finally:
            os.write(writer, answer)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, 'rb') as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


def connect(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
        try:
            one.connect(str(path))
        except OSError as problem:
            if not isinstance(problem, PermissionError):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
                    other.connect(str(path))
                return 'connected'
            raise
    return 'connected'

