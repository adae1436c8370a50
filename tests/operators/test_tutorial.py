"""The commands of docs/writing-a-driver.md, as they stand on the page, in a shell on a terminal."""

import re
import socket

import pytest

from conftest import wait_for
from running import ROOT, free_ports
from terminal import Terminal

PAGE = (ROOT / 'docs/writing-a-driver.md').read_text()


@pytest.fixture
def commands(operator):
    """The page's block, with this sandbox's folder and a free port."""
    block = re.search(r'^```sh\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)[1]
    port = free_ports(1)
    for there, here in (('$PWD/var/', f'{operator.sandbox.folder}/'), ('var/onfile.conf', f'{operator.sandbox.folder}/onfile.conf'),
                        ('9800', str(port))):
        assert there in block
        block = block.replace(there, here)
    yield block, port
    operator.run('connection', 'remove', 'webpay')


# Whoever types takes longer than a driver to start.
STARTED = "until onfile connection list | grep webpay | grep -qw up; do :; done"


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(('127.0.0.1', port)) == 0


def test_the_commands_of_the_page(operator, commands):
    block, port = commands
    disable = re.search(r'`(onfile connection disable webpay)`', PAGE)[1]
    assert '\nonfile connection test webpay\n' in block
    block = block.replace('\nonfile connection test webpay\n', f'\n{STARTED}\nonfile connection test webpay\n')
    script = f"set -e\nshopt -s expand_aliases\ntrap 'kill $(jobs -p)' EXIT\n{block}\n{disable}\n"
    terminal = Terminal(['bash', '-c', script], ROOT)
    terminal.read('key: ')
    wait_for(lambda: listens(port))
    terminal.type('a-long-key')
    assert terminal.status() == 0, terminal.seen
    assert 'driver webpay 1.0 (bank) installed' in terminal.seen and 'a-long-key' not in terminal.seen
    assert 'the acquirer knows our key' in terminal.seen
    assert 'disabled' in operator.state('webpay')
