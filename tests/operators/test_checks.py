"""A driver looks at the values of a connection before they are sealed: what is wrong is refused with a sentence that says what to
change, what will not go well for long is noted; on the line it is marked, and `onfile doctor` counts it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import pytest

from running import BUILD, ROOT, free_ports


def openssl(*words):
    subprocess.run(['openssl', *map(str, words)], check=True, capture_output=True)


class Authority:
    """Makes certificates in a folder that drivers' users can read."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='onfile-checks-'))
        self.folder.chmod(0o755)
        self.pem, self.key = self.folder / 'authority.pem', self.folder / 'authority.key'
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', self.key, '-out',
                self.pem, '-days', 90, '-subj', '/CN=authority')
        self.pem.chmod(0o644)

    def issue(self, name, days):
        key, pem, request = (self.folder / f'{name}.{kind}' for kind in ('key', 'pem', 'csr'))
        extension = self.folder / 'names.ext'
        extension.write_text('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
        openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', request,
                '-subj', f'/CN={name}')
        openssl('x509', '-req', '-in', request, '-CA', self.pem, '-CAkey', self.key, '-CAcreateserial', '-days', days, '-extfile',
                extension, '-out', pem)
        key.chmod(0o644)
        pem.chmod(0o644)
        return pem, key


@pytest.fixture(scope='module')
def authority():
    one = Authority()
    yield one
    shutil.rmtree(one.folder)


@pytest.fixture
def name(operator):
    yield 'checked'
    operator.run('connection', 'remove', 'checked')


def sets(**values):
    return [word for key, value in values.items() for word in ('--set', f'{key}={value}')]


def bank(authority, **values):
    return sets(host='127.0.0.1', port=1, acquirer='400123', tls='required', ca_file=authority.pem, **values)


def add(operator, how, name, driver, words, **more):
    return getattr(operator, how)('connection', 'add', name, '--driver', driver, '--policy', 'priority=900', *words, **more)


def test_files_of_a_bank_are_looked_at(operator, name, authority):
    good, other, over = authority.issue('good', 60), authority.issue('other', 60), authority.issue('over', -1)
    for (pem, key), sentence in (((good[0], other[1]), 'key of the parameter client_key is not the one of the certificate'),
                                 (over, 'client_certificate the certificate /CN=over ended on'),
                                 ((good[1], good[1]), 'client_certificate holds no certificate'),
                                 ((good[0], good[0]), 'client_key holds no key'),
                                 ((good[0], '/not/there'), 'client_key should be the absolute path')):
        said = add(operator, 'refused', name, 'iso8583', bank(authority, client_certificate=pem, client_key=key))
        assert sentence in said, said
    said = add(operator, 'refused', name, 'iso8583', bank(authority, client_certificate=good[0]))
    assert 'client_certificate and client_key go together' in said
    assert name not in operator.ok('connection', 'list')
    said = add(operator, 'ok', name, 'iso8583', bank(authority, client_certificate=good[0], client_key=good[1]))
    assert 'note' not in said


def test_what_ends_soon_is_noted_and_a_change_is_looked_at_too(operator, name, authority):
    good, soon, over = authority.issue('good', 60), authority.issue('soon', 7), authority.issue('over', -1)
    said = add(operator, 'ok', name, 'iso8583', bank(authority, client_certificate=soon[0], client_key=soon[1], dialect='cmf',
                                                      mac='cmac', mac_key='-'), input='0' * 32)
    assert 'note: client_certificate: /CN=soon ends on' in said
    assert 'note: the dialect has no place for eci: it is not sent' in said
    change = ('connection', 'set', name)
    said = operator.refused(*change, *sets(client_key=good[1]))
    assert 'is not the one of the certificate' in said
    said = operator.refused(*change, *sets(client_certificate=over[0], client_key=over[1]))
    assert 'ended on' in said
    said = operator.ok(*change, *sets(client_certificate=good[0], client_key=good[1], dialect='1987-bcd'))
    assert 'note' not in said
    good[0].write_text(over[0].read_text())
    assert 'ended on' in operator.refused(*change, *sets(mcc='5411'))
    operator.ok(*change)  # sealed anew without a value: not judged


def test_a_dialect_that_cannot_be_spoken_is_refused(operator, name, tmp_path):
    file = tmp_path / 'mine.dialect'
    file.write_text('dialect mine\nmti bcd\nbitmap binary\nfield 3 n 6 bcd "Code"\n')
    words = sets(host='127.0.0.1', port=1, acquirer='400123', dialect=f'@{file}')
    assert 'cannot build messages of the dialect mine' in add(operator, 'refused', name, 'iso8583', words)
    file.write_text('dialect mine\nmti bcd\n')
    assert 'dialect should be' in add(operator, 'refused', name, 'iso8583', words)
    assert 'without TLS only' in add(operator, 'refused', name, 'iso8583', sets(host='bank.example', port=1, acquirer='1'))


@pytest.mark.skipif(os.geteuid() != 0, reason='drivers have users of their own when root starts onfile')
def test_a_key_that_the_drivers_user_may_not_read(operator, name, authority):
    pem, key = authority.issue('closed', 60)
    key.chmod(0o600)
    words = bank(authority, client_certificate=pem, client_key=key)
    said = add(operator, 'refused', name, 'iso8583', words)
    assert 'client_key cannot be read by this driver\'s user: Permission denied' in said and 'onfile connection show' in said
    add(operator, 'ok', name, 'iso8583', bank(authority))
    shown = operator.ok('connection', 'show', name)
    user = int(shown.split('runs as the user with number ')[1].split()[0])
    os.chown(key, user, -1)
    operator.ok('connection', 'set', name, *sets(client_certificate=pem, client_key=key))


def test_certificates_of_a_directory_server_are_looked_at(operator, name, authority):
    good, soon, over = authority.issue('good', 60), authority.issue('soon', 7), authority.issue('over', -1)
    shared = sets(url='https://localhost:1/ds', requestor_id='1', requestor_name='shop', server_reference='1', acquirer_bin='400123',
                  merchant_id='1', mcc='5999', country='643')

    def words(pair, key=None):
        return shared + sets(certificate=f'@{pair[0]}', key=f'@{(key or pair)[1]}', ca=f'@{authority.pem}')

    assert 'key is not the one' in add(operator, 'refused', name, 'emv3ds', words(good, soon))
    assert 'certificate the certificate /CN=over ended on' in add(operator, 'refused', name, 'emv3ds', words(over))
    assert 'note: certificate: /CN=soon ends on' in add(operator, 'ok', name, 'emv3ds', words(soon))
    change = ('connection', 'set', name)
    assert 'note' not in operator.ok(*change, *sets(certificate=f'@{good[0]}', key=f'@{good[1]}'))
    assert 'ended on' in operator.refused(*change, *sets(certificate=f'@{over[0]}')), 'the key is kept'
    operator.ok(*change, *sets(merchant_id='2'))


def test_doctor_counts_a_line_that_will_not_go_well_for_long(operator, name, authority):
    pem, key = authority.issue('bank', 7)
    port = free_ports(2)
    process = subprocess.Popen(
        [BUILD / 'bank/bank', '--iso-port', str(port), '--http-port', str(port + 1), '--iso-line', f'certificate={pem},key={key}',
         '--pages', ROOT / 'bank/pages', '--tokens', ROOT / 'web/static/tokens.css'], stderr=subprocess.PIPE, text=True)
    try:
        next(line for line in process.stderr if 'event=ready' in line)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        add(operator, 'ok', name, 'iso8583', sets(host='127.0.0.1', port=port, acquirer='400123', tls='required', ca_file=authority.pem))
        operator.await_up(name)
        done = operator.run('doctor')
        assert done.returncode == 0
        assert f'! connection {name}: the line works, and will not for long' in done.stdout, done.stdout
        assert '✓ connection bank: the line works' in done.stdout
        assert re.search(r'0 broken, [1-9]\d* doubtful', done.stdout)
    finally:
        operator.run('connection', 'remove', name)
        process.terminate()
        process.wait(10)
