"""Where webhooks may go: addresses that are not the Internet, certificates, names."""

import pathlib
import shutil
import ssl
import subprocess
import tempfile

import pytest

from calls import Client
from receiver import wait_for
from running import LIFTED, Sandbox


class Authority:
    """A certificate authority of the test's own, made by openssl."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key, self.file = folder / f'{name}.key', folder / f'{name}.pem'
        self.run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                 '-subj', f'/CN={name}', '-keyout', self.key, '-out', self.file)

    def run(self, *words):
        subprocess.run(['openssl', *map(str, words)], check=True, capture_output=True, cwd=self.folder)

    def context(self, *names):
        """What a server with a certificate for these names needs."""
        own = self.folder / f'{self.name}-{names[0].replace(":", "_")}'
        request, key, file, more = (own.with_suffix(end) for end in ('.csr', '.key', '.crt', '.ext'))
        more.write_text('subjectAltName=' + ','.join(names) + '\n')
        self.run('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=server',
                 '-keyout', key, '-out', request)
        self.run('x509', '-req', '-in', request, '-CA', self.file, '-CAkey', self.key, '-days', '2', '-extfile', more,
                 '-out', file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file, key)
        return context


@pytest.fixture(scope='module')
def authorities():
    folder = pathlib.Path(tempfile.mkdtemp(prefix='onfile-authorities-'))
    folder.chmod(0o755)
    yield Authority(folder, 'ours'), Authority(folder, 'unknown')
    shutil.rmtree(folder)


@pytest.fixture(scope='module')
def trusting(authorities):
    """A sandbox that trusts our authority."""
    one = Sandbox(conf=f'{LIFTED}\nwebhooks.ca_file = {authorities[0].file}')
    yield one
    one.stop()


@pytest.fixture(scope='module')
def strict():
    """A sandbox that allows nothing but the Internet."""
    one = Sandbox(conf=f'{LIFTED}\nwebhooks.allow = none')
    yield one
    one.stop()


def refused(sandbox, url, receiver):
    """What became of a delivery to this URL that cannot succeed."""
    api = Client(sandbox, sandbox.merchant('Refused').secret_key)
    endpoint = api.ok('POST', '/v1/webhook_endpoints', {'url': url, 'enabled_events[]': 'customer.created'})
    before = len(receiver.posts)
    api.customer()

    def failed():
        lines = [line for line in sandbox.log().splitlines()
                 if 'delivery_failed' in line and f'endpoint={endpoint["id"]}' in line]
        return lines[0] if lines else None
    line = wait_for(failed)
    api.ok('DELETE', f'/v1/webhook_endpoints/{endpoint["id"]}')
    assert len(receiver.posts) == before
    return line


def test_a_name_that_leads_to_this_machine_is_refused_when_it_is_dialled(strict, receivers):
    receiver = receivers()
    line = refused(strict, receiver.url(host='localhost'), receiver)
    assert 'not one of the Internet' in line


def test_an_address_of_this_machine_is_refused_at_once(strict, receivers):
    api = Client(strict, strict.merchant('Strict').secret_key)
    for host in ('127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1'):
        answer = api.post('/v1/webhook_endpoints', {'url': f'http://{host}/', 'enabled_events[]': '*'})
        assert answer.status_code == 400 and 'publicly accessible' in answer.json()['error']['message']


@pytest.mark.parametrize('host', ['0177.0.0.1', '2130706433', '0x7f.1', '127.1'])
def test_other_spellings_of_an_address_lead_nowhere_else(strict, receivers, host):
    """They pass for names at the API; what libcurl makes of them is held to the rule at the socket."""
    receiver = receivers()
    api = Client(strict, strict.merchant('Spelling').secret_key)
    answer = api.post('/v1/webhook_endpoints', {'url': receiver.url(host=host), 'enabled_events[]': '*'})
    if answer.status_code == 200:
        assert 'not one of the Internet' in refused(strict, receiver.url(host=host), receiver)


def test_a_certificate_for_the_name_is_taken(trusting, authorities, receivers):
    receiver = receivers(context=authorities[0].context('DNS:localhost', 'IP:127.0.0.1'))
    api = Client(trusting, trusting.merchant('Good').secret_key)
    api.ok('POST', '/v1/webhook_endpoints', {'url': receiver.url(host='localhost', scheme='https'),
                                             'enabled_events[]': 'customer.created'})
    receiver.wait(object=api.customer())


@pytest.mark.parametrize('which, names', [(0, ['DNS:shop.example']), (1, ['DNS:localhost', 'IP:127.0.0.1'])])
def test_another_name_and_an_unknown_authority_are_refused(trusting, authorities, receivers, which, names):
    receiver = receivers(context=authorities[which].context(*names))
    line = refused(trusting, receiver.url(host='localhost', scheme='https'), receiver)
    assert "certificate is not good" in line


def test_a_name_that_does_not_exist(sandbox, receivers):
    line = refused(sandbox, 'http://no-such-host.invalid/', receivers())
    assert 'could not be resolved' in line


def test_nobody_listens(sandbox, receivers):
    receiver = receivers()
    url = receiver.url()
    receiver.close()
    assert 'no connection could be made' in refused(sandbox, url, receiver)


def test_a_range_that_is_none_stops_the_start(sandbox, tmp_path):
    conf = tmp_path / 'onfile.conf'
    conf.write_text((sandbox.folder / 'onfile.conf').read_text() + 'webhooks.allow = 10.0.0.0/33\n')
    done = subprocess.run([sandbox.folder / 'programs/onfile', 'serve', '--config', conf], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and 'webhooks.allow' in done.stderr
