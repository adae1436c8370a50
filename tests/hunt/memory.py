"""Looks into the memory of running processes, the files that they have open, and files of a folder."""

import os
import pathlib
import re
import stat

OUTSIDE = ('web', 'core', 'courier', 'shop', 'onfile')  # never see a card
INSIDE = ('vault', 'driver-iso8583', 'driver-emv3ds')  # have it while it is on its way
BANKS_OWN = ('bank.ledger',)
STEP = 8 << 20
OVERLAP = 256
NAMES_AND_PIDS = re.compile(r'^(vault|core|courier|web|driver-[a-z0-9]+) .*pid (\d+)', re.MULTILINE)


def regions(pid, only_writable=False):
    """(from, to, name) of every region that may be read."""
    for line in pathlib.Path(f'/proc/{pid}/maps').read_text().splitlines():
        words = line.split(None, 5)
        begin, end = (int(word, 16) for word in words[0].split('-'))
        name = words[5] if len(words) > 5 else ''
        wanted = words[1].startswith('rw' if only_writable else 'r')
        if wanted and name not in ('[vvar]', '[vvar_vclock]', '[vsyscall]'):
            yield begin, end, name


def pieces(pid, only_writable=False):
    """The whole memory, in pieces that overlap, so that nothing is cut in two. Says what could not
    be read: a hunt that sees half of a memory proves nothing."""
    memory = os.open(f'/proc/{pid}/mem', os.O_RDONLY)
    try:
        for begin, end, name in regions(pid, only_writable):
            at = begin
            while at < end:
                try:
                    data = os.pread(memory, min(STEP, end - at), at)
                except OSError as problem:
                    if (begin, end, name) in list(regions(pid)) and not name.startswith('/'):
                        raise RuntimeError(f'{begin:x}-{end:x} {name} of {pid}: {problem}') from None
                    break  # it was unmapped meanwhile, or lies behind the end of its file
                if not data:
                    break
                yield name, data
                at += len(data) if at + len(data) >= end else max(len(data) - OVERLAP, 1)
    finally:
        os.close(memory)


def search_process(pid, needles, only_writable=False):
    """What is in its memory: a set of sentences."""
    found = set()
    for name, data in pieces(pid, only_writable):
        found.update(f'{what}, in {name or "memory"}' for what in needles.search(data))
    return found


def search_files(folder, needles, leave_out=()):
    """What is in the regular files below a folder: a set of sentences."""
    found = set()
    looked = 0
    for path in sorted(pathlib.Path(folder).rglob('*')):
        if path.is_symlink() or not stat.S_ISREG(path.lstat().st_mode) or path.name in leave_out:
            continue
        looked += 1
        found.update(f'{what}, in {path}' for what in needles.search(path.read_bytes()))
    assert looked, f'there is no file below {folder}'
    return found


def search_open_files(pid, needles):
    """The regular files that it has open, removed ones as well; not its log, which is a file below."""
    found = set()
    for link in pathlib.Path(f'/proc/{pid}/fd').iterdir():
        try:
            if stat.S_ISREG(link.stat().st_mode):
                found.update(f'{what}, in {os.readlink(link)}' for what in needles.search(link.read_bytes()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return found


def write(pid, address, data):
    """Writes into a running process, as a debugger does; returns what was there."""
    memory = os.open(f'/proc/{pid}/mem', os.O_RDWR)
    try:
        before = os.pread(memory, len(data), address)
        assert os.pwrite(memory, data, address) == len(data)
        return before
    finally:
        os.close(memory)


def unused_place(pid):
    """An address that nobody uses: the far end of the stack's mapping."""
    for begin, _, name in regions(pid):
        if name == '[stack]':
            return begin + 64
    raise RuntimeError('no stack')


def named_child(parent, name):
    """The process of this name that the process `parent` started."""
    for task in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            text = task.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        comm, rest = text.split('(', 1)[1].rsplit(') ', 1)
        if comm == name and int(rest.split()[1]) == parent:
            return int(task.parent.name)
    raise RuntimeError(f'{name} does not run')


def programs(sandbox):
    """{'web': pid, …} of everything that the sandbox started and that runs now: OUTSIDE, INSIDE and the
    bank."""
    found = {name: int(pid) for name, pid in NAMES_AND_PIDS.findall(sandbox.onfile('status'))}
    for name in ('onfile', 'shop', 'bank'):
        found[name] = named_child(sandbox.process.pid, name)
    return found


def look_everywhere(sandbox, needles):
    """In every program of ours, the files that they have open, and every file of the sandbox but the
    bank's own ledger: a list of sentences."""
    found = set()
    running = programs(sandbox)
    for name in OUTSIDE + INSIDE:
        found.update(f'{name}: {what}' for what in search_process(running[name], needles))
        found.update(f'{name}: {what}' for what in search_open_files(running[name], needles))
    found.update(search_files(sandbox.folder, needles, BANKS_OWN))
    return sorted(found)
