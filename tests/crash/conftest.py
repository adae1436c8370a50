"""Fixtures of the tests that crash programs: as root, with strace. machine.py has what they give.

--deep runs every point instead of a fair sample; --point CALL:N is one of them again."""

import concurrent.futures
import os
import pathlib
import queue
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / 'api'), str(TESTS / 'webhooks')]  # running.py, calls.py, receiver.py

from machine import Machine  # noqa: E402

MACHINES = 10  # a case waits more than it works


def pytest_addoption(parser):
    parser.addoption('--deep', action='store_true', help='every system call, not a sample')
    parser.addoption('--point', help='only this one: CALL:N')


def pytest_collection_modifyitems(items):
    reason = 'has to be root' if os.geteuid() != 0 else '' if shutil.which('strace') else 'strace is not installed'
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))


class Choice:
    """Which of many points are tried. A sample begins at a place that moves with every commit, so that in
    the end every point was tried."""

    def __init__(self, config):
        self.deep, self.point = config.getoption('--deep'), config.getoption('--point')
        head = subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=TESTS, capture_output=True, text=True).stdout.strip()
        self.turn = int(head[:8] or '0', 16)

    def of(self, points, count):
        if self.point:
            name, _, which = self.point.partition(':')
            return [(name, int(which))]
        points = list(dict.fromkeys(points))  # two threads that do the same are one point
        if self.deep or len(points) <= count:
            return points
        stride = len(points) / count
        first = self.turn % max(int(stride), 1)
        return [points[min(int(first + i * stride), len(points) - 1)] for i in range(count)]


class Machines:
    """Some machines; each case gets one for itself."""

    def __init__(self):
        with concurrent.futures.ThreadPoolExecutor(MACHINES) as pool:
            self.all = list(pool.map(Machine, range(MACHINES)))
        self.free = queue.Queue()
        for one in self.all:
            self.free.put(one)

    def run(self, case, points):
        """Runs case(machine, *point) for every point; what failed, with the point."""
        def one(point):
            machine = self.free.get()
            try:
                machine.start()
                try:
                    return case(machine, *point), None
                finally:
                    machine.stop()
            except Exception as problem:  # pylint: disable=broad-except
                return None, f'{":".join(map(str, point))}: {type(problem).__name__}: {problem} (in {machine.folder})'
            finally:
                self.free.put(machine)
        with concurrent.futures.ThreadPoolExecutor(MACHINES) as pool:
            done = list(pool.map(one, points))
        bad = [problem for _, problem in done if problem]
        assert not bad, f'{len(bad)} of {len(points)} points failed (--point CALL:N tries one again):\n' + '\n'.join(bad)
        return [result for result, _ in done]

    def alone(self, deed):
        return self.run(deed, [()])[0]

    def close(self):
        for one in self.all:
            one.close()


@pytest.fixture(scope='session')
def choice(request):
    return Choice(request.config)


@pytest.fixture(scope='session')
def machines():
    some = Machines()
    yield some
    some.close()
