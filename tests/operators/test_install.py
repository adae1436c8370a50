"""An installation as docs/installing.md describes it: `meson install`, the example's configuration, the rights that the service's unit leaves."""

import os
import pathlib
import re
import signal
import subprocess

import pytest
import requests

from conftest import wait_for
from running import BUILD, ROOT, free_ports

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason='needs root: users of their own')
PROGRAMS = ('core', 'courier', 'vault', 'web')


class Installation:
    """Programs below a folder that stands for /, and their own data."""

    def __init__(self, root):
        self.root = root
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', root / 'system'], check=True)
        self.prefix = root / 'system/usr/local'
        self.command = self.prefix / 'bin/onfile'
        self.unit = (self.prefix / 'lib/systemd/system/onfile.service').read_text()
        base = free_ports(3)
        self.public, self.results, self.metrics = range(base, base + 3)
        self.conf = root / 'onfile.conf'
        example = (self.prefix / 'share/doc/onfile/examples/onfile.conf').read_text()
        example = example.replace('/usr/local', str(self.prefix)).replace('/var/lib/onfile', str(root)).replace('/run/onfile', str(root / 'run'))
        self.conf.write_text(f'{example}listen.public = {self.public}\nlisten.results = {self.results}\nlisten.metrics = {self.metrics}\n')

    def rights(self):
        """What the unit leaves to root."""
        kept = re.search('^CapabilityBoundingSet=(.*)$', self.unit, re.MULTILINE)[1].lower().replace('cap_', '').split()
        return ['setpriv', '--no-new-privs', '--bounding-set', ','.join(['-all', *(f'+{one}' for one in kept)])]

    def run(self, *words):
        return subprocess.run([self.command, *words, '--config', self.conf], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    one = Installation(tmp_path_factory.mktemp('installed'))
    for folder in (one.root, *one.root.parents):
        if folder.stat().st_uid == os.getuid() and len(folder.parts) > 2:
            folder.chmod(folder.stat().st_mode | 0o011)  # programs have users of their own
    log = (one.root / 'log').open('w')
    process = subprocess.Popen([*one.rights(), one.command, 'serve', '--config', one.conf], stderr=log)
    one.process = process
    yield one
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0, (one.root / 'log').read_text()


def is_ready(one):
    assert one.process.poll() is None, (one.root / 'log').read_text()
    try:
        return requests.get(f'http://127.0.0.1:{one.metrics}/livez', timeout=5).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False


def test_the_service_starts_with_what_was_installed(installed):
    wait_for(lambda: is_ready(installed))
    assert requests.get(f'http://127.0.0.1:{installed.public}/openapi.json', timeout=5).json()['openapi'] == '3.1.0'
    assert requests.get(f'http://127.0.0.1:{installed.public}/static/card.js', timeout=5).status_code == 200


def test_each_program_has_a_user_of_its_own(installed):
    wait_for(lambda: is_ready(installed))
    rows = subprocess.run(['ps', '-eo', 'uid=,pid=,args='], capture_output=True, text=True).stdout.splitlines()
    users = {row.split()[2]: row.split()[0] for row in rows if row.split()[3:4] == [str(installed.conf)]}
    assert sorted(users) == sorted(PROGRAMS)
    assert len(set(users.values())) == len(PROGRAMS)


def test_the_command_finds_its_parts(installed):
    wait_for(lambda: is_ready(installed))
    drivers = installed.run('driver', 'list').stdout
    assert 'iso8583' in drivers and 'emv3ds' in drivers, drivers
    lint = subprocess.run([installed.command, 'iso8583', 'lint', installed.prefix / 'share/onfile/dialects/1987-bcd.dialect'],
                          capture_output=True, text=True)
    assert lint.returncode == 0, lint.stderr
    added = installed.run('merchant', 'add', '--name', 'Shop', '--url', 'https://shop.example', '--support', 'help@shop.example')
    assert 'secret_key sk_test_' in added.stdout, added.stderr
    doctor = installed.run('doctor').stdout
    for line in ('config', 'data', 'keys', 'keyring', 'drivers', 'users', 'proxy'):
        assert re.search(rf'^✓ +{line}\b', doctor, re.MULTILINE), doctor
    # Behind a proxy that nobody named, all shoppers are one.
    without = installed.root / 'without.conf'
    without.write_text(installed.conf.read_text().replace('listen.proxies', '# listen.proxies'))
    said = subprocess.run([installed.command, 'doctor', '--config', without], capture_output=True, text=True).stdout
    assert re.search(r'^! +proxy\b', said, re.MULTILINE), said


def test_the_manual_is_there(installed):
    for page in ('man1/onfile.1', 'man7/onfile-driver.7'):
        assert (installed.prefix / 'share/man' / page).read_text().startswith(('.TH', '.\\"', "'\\"))


@pytest.fixture
def nginx(installed, tmp_path):
    """nginx with the words of docs/installing.md; only names and ports are this test's."""
    words = re.search('```nginx\n(.*?)```', (ROOT / 'docs/installing.md').read_text(), re.DOTALL)[1]
    port = free_ports(1)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=pay.example.com',
                    '-addext', 'subjectAltName=DNS:pay.example.com,IP:127.0.0.1', '-keyout', tmp_path / 'pay.example.com.key',
                    '-out', tmp_path / 'pay.example.com.pem'], check=True, capture_output=True)
    for said, here in (('/etc/ssl/private/', f'{tmp_path}/'), ('/etc/ssl/', f'{tmp_path}/'), ('listen 443', f'listen 127.0.0.1:{port}'),
                       ('127.0.0.1:8081', f'127.0.0.1:{installed.public}')):
        assert said in words
        words = words.replace(said, here)
    conf = tmp_path / 'nginx.conf'
    conf.write_text(f'daemon off;\npid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n{words}\n}}\n')
    process = subprocess.Popen(['/usr/sbin/nginx', '-c', conf, '-e', 'stderr', '-p', tmp_path], stderr=(tmp_path / 'log').open('w'))
    session = requests.Session()
    session.trust_env = False  # it would prefer the environment's authorities
    session.verify = str(tmp_path / 'pay.example.com.pem')

    def answers():
        assert process.poll() is None, (tmp_path / 'log').read_text()
        try:
            return session.get(f'https://127.0.0.1:{port}/openapi.json', timeout=5).status_code == 200
        except requests.ConnectionError:
            return False
    try:
        wait_for(lambda: is_ready(installed))
        wait_for(answers)
        yield f'https://127.0.0.1:{port}', session
    finally:
        process.terminate()
        process.wait()


def test_it_works_behind_nginx(installed, nginx):
    address, session = nginx
    shop = dict(line.split(' ', 1) for line in installed.run('merchant', 'add', '--name', 'Proxied', '--url', 'https://shop.example',
                                                             '--support', 'help@shop.example').stdout.splitlines())
    head = {'Authorization': f'Bearer {shop["secret_key"]}', 'X-Forwarded-For': '198.51.100.1, 192.0.2.77'}
    made = session.post(f'{address}/v1/customers', {'name': 'Аня'}, headers=head, timeout=5)
    assert made.status_code == 200, made.text
    page = session.post(f'{address}/v1/checkout/sessions', {'mode': 'setup', 'customer': made.json()['id'], 'currency': 'rub',
                                                            'success_url': 'https://shop.example/'}, headers=head, timeout=5).json()
    assert page['url'].startswith('https://pay.example.com/c/')
    shown = session.get(page['url'].replace('https://pay.example.com', address), headers={'Host': 'pay.example.com'}, timeout=5)
    assert shown.status_code == 200 and 'name="viewport"' in shown.text
    assert 'upgrade-insecure-requests' in shown.headers['Content-Security-Policy'] or 'Strict-Transport-Security' in shown.headers
    assert session.post(f'{address}/v1/customers', data='x' * 70000, headers=head, timeout=5).status_code == 413
