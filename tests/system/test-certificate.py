#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The operator renews the certificate while the room server runs: who comes next
sees the new one, who is there stays, and a bad one harms nobody."""
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from urllib.parse import urlsplit

from daemon import Daemon
from wire import Suite, until

suite = Suite()
case = suite.case

CONFIG = '''[room]
name = lobby
[video]
source = none
[audio]
source = none
[network]
loopback = yes
[roomserver]
enabled = yes
listen = 127.0.0.1:0
certificate_file = {folder}/box.pem
certificate_key_file = {folder}/box.key
'''
KINDS = {'ec': ('ec', '-pkeyopt', 'ec_paramgen_curve:P-256'), 'rsa': ('rsa:2048',)}


def make(folder, kind, days=90):
    """Another certificate and key, beside those in use."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', *KINDS[kind], '-nodes', '-keyout',
                    'new.key', '-out', 'new.pem', '-days', str(days), '-subj', '/CN=box'],
                   cwd=folder, check=True, capture_output=True)


def install(folder, *names):
    for name in names or ('key', 'pem'):
        os.rename(os.path.join(folder, 'new.' + name), os.path.join(folder, 'box.' + name))


def renew(folder, kind, days=90):
    make(folder, kind, days)
    install(folder)


def digest(der):
    text = hashlib.sha256(der).hexdigest().upper()
    return ':'.join(text[i:i + 2] for i in range(0, 64, 2))


def expected(folder):
    with open(os.path.join(folder, 'box.pem'), encoding='ascii') as f:
        return digest(ssl.PEM_cert_to_DER_cert(f.read()))


class Box:
    def __init__(self, after, days=90):
        self.folder = tempfile.mkdtemp(prefix='skylink-certificate-')
        after(lambda: shutil.rmtree(self.folder))
        renew(self.folder, 'ec', days)
        self.daemon = Daemon(config=CONFIG.format(folder=self.folder), state=self.folder)
        after(self.daemon.stop)
        self.address = urlsplit(self.daemon.url())
        self.daemon.wait_state('joined')
        self.control = self.daemon.control()
        after(self.control.close)

    def connect(self, ciphers=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if ciphers:
            # Which kind of key a client can check is said this way up to 1.2.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(ciphers)
        plain = socket.create_connection((self.address.hostname, self.address.port), 20)
        try:
            return context.wrap_socket(plain)
        except BaseException:
            plain.close()
            raise

    def shown(self, ciphers=None):
        with contextlib.closing(self.connect(ciphers)) as s:
            return digest(s.getpeercert(True))

    def told(self):
        return self.daemon.status()['roomserver']['fingerprint']


def ask(s):
    s.sendall(b'GET /viewer-config.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    answer = b''
    while b'}' not in answer:
        more = s.recv(4096)
        assert more, answer
        answer += more
    return answer.decode()


@case('a renewed certificate, of another kind of key: shown, told; connections stay')
def _(after):
    box = Box(after)
    first = expected(box.folder)
    assert box.shown() == box.told() == first
    joins = box.daemon.status()['room']['joins']
    old = box.connect()
    after(old.close)
    assert first in ask(old)
    for kind in ('rsa', 'ec', 'rsa'):
        renew(box.folder, kind)
        box.control.call('config.reload')
        new = expected(box.folder)
        until(lambda: box.shown() == new)
        assert box.told() == new != first
        assert f'shows another certificate from now on, with SHA-256 {new}' in box.daemon.log()
        # The page on the old connection tells of the new one, too.
        assert new in ask(old)
    # Read again, and the same: no news.
    os.chmod(os.path.join(box.folder, 'box.key'), 0o640)
    box.control.call('config.reload')
    assert box.daemon.log().count('shows another certificate') == 3, box.daemon.log()
    # A client that can only check the kind before is not shown what is over.
    try:
        box.shown('ECDHE-ECDSA-AES128-GCM-SHA256')
        raise AssertionError('the old certificate is still there')
    except ssl.SSLError:
        pass
    assert box.shown('ECDHE-RSA-AES128-GCM-SHA256') == expected(box.folder)
    assert box.daemon.status()['room']['joins'] == joins


@case('half a renewal is told once, and the certificate before it goes on')
def _(after):
    box = Box(after)
    first = expected(box.folder)
    make(box.folder, 'ec')
    install(box.folder, 'pem')
    for _ in range(3):
        box.control.call('config.reload')
    assert box.shown() == box.told() == first
    log = box.daemon.log()
    assert log.count('goes on with the certificate it has') == 1 and 'box.key' in log, log
    install(box.folder, 'key')
    box.daemon.process.send_signal(signal.SIGHUP)
    new = expected(box.folder)
    until(lambda: box.shown() == new)
    assert new != first


@case('one that ends soon is told with its day')
def _(after):
    box = Box(after, days=3)
    end = box.daemon.status()['roomserver']['certificate_end']
    day = subprocess.run(['date', '-u', '-d', f'@{end}', '+%Y-%m-%d'], stdout=subprocess.PIPE,
                         text=True, check=True).stdout.strip()
    line = next(line for line in box.daemon.log().splitlines() if 'ends soon' in line)
    assert day in line and 'roomserver.certificate_file' in line, line


suite.finish()
