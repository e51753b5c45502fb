#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secrets are nowhere but where they were put.

A box with a secret of every kind goes through a session at log.level debug.
Everything that can be had of it is then searched for them: its log, every
answer and event of the control socket, metrics, doctor, its command line and
environment; as they are, in base64, in hexadecimal, percent-encoded.
"""
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.parse

import rawserver
from daemon import SMALL, Daemon, Refused, program
from rawserver import IN_ROOM, RawServer
from wire import Suite, until

suite = Suite()
case = suite.case

# Each has characters that every encoding changes.
SECRETS = {
    'room.secret_file': 'R00m+Secret/one=',
    'roomserver.keys_file': 'K3ys+File/two',
    'roomserver.turn_secret_file': 'Turn+Static/three=',
    'roomserver.viewer_password_file': 'V1ewer+Pass/four=',
    'console.password_file': 'C0nsole+Pass/five=',
    'credential of init': 'In1t+Credential/six=',
    'TURN credential of the room': 'Relay+Credential/seven=',
    'userCred of the room API': 'User+Cred/eight=',
    'roomCred of the room API': 'Room+Cred/nine=',
    'password of the proxy': 'Pr0xyPassword10',
}


def forms(secret):
    """What it may look like. In base64 it may begin at any of three places."""
    raw = secret.encode()
    found = {secret, json.dumps(secret)[1:-1], secret.replace('/', '\\/'), raw.hex(),
             raw.hex().upper(), urllib.parse.quote(secret, ''), urllib.parse.quote(secret),
             urllib.parse.quote_plus(secret), urllib.parse.quote(secret, '').lower()}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b'\0' * shift + raw).decode().rstrip('=')
            found.add(text[4 if shift else 0:-1])   # its edges hold others' bits
    return found


def search(places, secrets):
    """[(secret's name, place, text around it)]"""
    found = []
    for name, secret in secrets.items():
        for place, text in places.items():
            for form in forms(secret):
                at = text.find(form)
                if at >= 0:
                    found.append((name, place, text[max(0, at - 80):at + 80]))
                    break
    return found


def expect_nothing(places, secrets):
    found = search(places, secrets)
    for name, place, text in found:
        print(f'# {name}, in {place}: {text!r}')
    assert not found, f'{len(found)} secrets found'
    print(f'# {len(secrets)} secrets, {len(places)} places, '
          f'{sum(map(len, places.values()))} characters')


class Folder:
    def __init__(self, after):
        self.path = tempfile.mkdtemp(prefix='skylink-secrets-')
        after(lambda: shutil.rmtree(self.path))

    def put(self, name, text):
        path = os.path.join(self.path, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path


def options(folder, server, metrics):
    """--set NAME=VALUE of a box with everything."""
    keys = f'[demo]\n[kiosk]\nsecret = {SECRETS["roomserver.keys_file"]}\n'
    values = {
        'room.server': server, 'room.name': 'lobby', 'room.app_key': 'demo',
        'roomserver.enabled': 'yes', 'roomserver.listen': '127.0.0.1:0',
        'roomserver.keys_file': folder.put('keys', keys),
        'roomserver.turn': 'relay@turn.invalid', 'video.source': 'test',
        'audio.source': 'test', 'network.loopback': 'yes', 'log.level': 'debug',
        'control.metrics': f'unix:{metrics}'}
    for name in ('room.secret_file', 'roomserver.turn_secret_file',
                 'roomserver.viewer_password_file', 'console.password_file'):
        values[name] = folder.put(name, SECRETS[name])
    return [word for name, value in values.items() for word in ('--set', f'{name}={value}')]


def read_proc(pid):
    places = {}
    for name in ('cmdline', 'environ', 'comm', 'status', 'maps'):
        with open(f'/proc/{pid}/{name}', 'rb') as f:
            places[f'/proc/PID/{name}'] = f.read().decode(errors='replace')
    return places


def every_answer(control):
    """Of all methods that a reader may call, and that need nothing."""
    methods = control.call('rpc.discover')['methods']
    places = {'rpc.discover': json.dumps(methods)}
    n = 0
    for method in methods:
        # parameters that must be there; who may call it does not matter here
        if any(p.get('required') for p in method.get('params', [])) or \
                method['name'] in ('joinRoom', 'leaveRoom', 'subscribe', 'unsubscribe',
                                   'clearAllLogs', 'stats.doctor'):     # called elsewhere
            continue
        try:
            places[method['name']] = json.dumps(control.call(method['name']))
        except Refused as refused:
            places[method['name']] = json.dumps([str(refused), refused.data])
        n += 1
    assert n > 20, n
    return places


def metrics_of(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(b'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        text = b''
        while b'skylink_' not in text:
            text += s.recv(1 << 16)
    return text.decode()


def ctl(path, *arguments):
    done = subprocess.run([program('appliance/skylinkctl'), '--socket', path, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False)
    return done.stdout + done.stderr


def hand_out_secrets(after):
    """What the mock's room API and inRoom hold."""
    grant, welcome = dict(rawserver.GRANT), IN_ROOM['pc_config']
    rawserver.GRANT.update(userCred=SECRETS['userCred of the room API'],
                           roomCred=SECRETS['roomCred of the room API'])
    credential = SECRETS['TURN credential of the room']
    IN_ROOM['pc_config'] = {'iceServers': [
        {'url': 'turn:127.0.0.1:9', 'username': 'u', 'credential': credential},
        {'url': 'turns:127.0.0.1:9', 'username': 'u', 'credential': credential},
        {'url': 'turn:bad host:x', 'username': 'u', 'credential': credential}]}

    def restore():
        rawserver.GRANT.update(grant)
        IN_ROOM['pc_config'] = welcome
    after(restore)


def talk(connection):
    """A peer comes, and says good things and bad ones."""
    hello = {'mid': 'somebody', 'rid': 'r', 'agent': 'chrome', 'version': '1', 'os': 'x',
             'SMProtocolVersion': '0.1.2.4', 'DTProtocolVersion': '0.1.3', 'weight': 1,
             'receiveOnly': False, 'enableIceTrickle': True, 'enableDataChannel': True,
             'userInfo': {'userData': '', 'settings': {'audio': True, 'video': True}}}
    connection.say({'type': 'enter', **hello})
    connection.hear('welcome')
    connection.say({'type': 'welcome', 'target': 'me', **hello, 'weight': -1})
    offer = connection.hear('offer')
    connection.say({'type': 'answer', 'mid': 'somebody', 'rid': 'r', 'target': 'me',
                    'sdp': 'v=0'})
    connection.say({'type': 'offer'})
    connection.send('42["message",nonsense')
    return next(line[len('a=ice-pwd:'):] for line in offer['sdp'].splitlines()
                if line.startswith('a=ice-pwd:'))


@case('a session at log level debug: no secret in any log, answer, event or /proc file')
def _(after):
    folder = Folder(after)
    server = RawServer()
    after(server.close)
    hand_out_secrets(after)
    metrics = os.path.join(folder.path, 'metrics.sock')
    daemon = Daemon(*options(folder, server.url, metrics), *SMALL, state=folder.path)
    after(daemon.stop)
    control = daemon.control()
    after(control.close)
    control.call('setDebugMode', options={'storeLogs': True, 'trace': True})
    control.call('setLogLevel', logLevel=4)
    control.call('subscribe')
    connection = server.let_in()
    secrets = dict(SECRETS, **{'ICE password': talk(connection)})
    del secrets['password of the proxy']        # the next case's

    control.call('init', options={'roomServer': server.url, 'credentials': {
        'credentials': urllib.parse.quote(SECRETS['credential of init'], ''),
        'startDateTime': '2026-01-31T09:00:00.000Z', 'duration': 2}})
    # With the credential, and the room left and joined again.
    join = control.send('joinRoom', {'room': 'other'})
    again = server.let_in()
    control.answer(join)
    again.socket.shutdown(socket.SHUT_RDWR)     # lost: it says why it comes again
    server.let_in()
    daemon.wait_state('joined')

    places = every_answer(control)
    places['getLogs'] = json.dumps(control.call('getLogs'))
    assert 'iceConnectionState' in places['getLogs'] or 'event' in places['getLogs']
    control.call('printAllLogs')
    places['metrics'] = metrics_of(metrics)
    places['skylinkctl doctor'] = ctl(daemon.path, 'doctor')
    places['skylinkctl status'] = ctl(daemon.path, 'status')
    places.update(read_proc(daemon.process.pid))
    places['events'] = '\n'.join(map(json.dumps, control.events))
    assert '"peerJoined"' in places['events'] and '"channelMessage"' in places['events']
    places['the log'] = daemon.log()
    assert 'DEBUG' in places['the log']
    expect_nothing(places, secrets)
    assert search({'here': f'x{secrets["ICE password"]}'}, secrets)     # it does find


@case('a proxy with a password, which refuses: told without it')
def _(after):
    secrets = {'password of the proxy': SECRETS['password of the proxy']}
    with socket.create_server(('127.0.0.1', 0)) as refusing:
        port = refusing.getsockname()[1]        # nobody listens there from now on
    proxy = f'http://user:{SECRETS["password of the proxy"]}@127.0.0.1:{port}'
    before = os.environ.get('http_proxy')
    os.environ['http_proxy'] = proxy
    try:
        daemon = Daemon('--set', 'room.server=http://rooms.invalid/', '--set', 'room.name=x',
                        '--set', 'log.level=debug', *SMALL)
    finally:
        if before is None:
            del os.environ['http_proxy']
        else:
            os.environ['http_proxy'] = before
    after(daemon.stop)
    until(lambda: daemon.status()['room']['error'], 20)
    control = daemon.control()
    after(control.close)
    places = every_answer(control)
    places['the log'] = daemon.log()
    print(f'# {daemon.status()["room"]["error"]}')
    expect_nothing(places, secrets)


@case('what is wrong with a secret is told without it')
def _(after):
    folder = Folder(after)
    key = SECRETS['roomserver.keys_file']
    wrong = {
        'roomserver.keys_file': f'[demo]\nsecret {key}\nsecret = {key}\nsecret = {key}\n'
                                f'secert = {key}\n[kiosk\n{key}\n{key}=\n',
        'room.secret_file': SECRETS['room.secret_file'] + '\nsecond line\n',
    }
    said = ''
    for name, text in wrong.items():
        config = folder.put('skylink.conf', '[{}]\n{} = {}\n[roomserver]\nenabled = yes\n'.format(
            *name.split('.'), folder.put(name, text)) if name.startswith('room.') else
            f'[roomserver]\nenabled = yes\nkeys_file = {folder.put(name, text)}\n')
        done = subprocess.run([program('appliance/skylinkd'), '--config', config,
                               '--check-config'], capture_output=True, text=True, timeout=20,
                              check=False)
        assert done.returncode == 1, (name, done)
        said += done.stdout + done.stderr
    # A password does not belong into an address: it would be shown with it.
    done = subprocess.run([program('appliance/skylinkd'), '--check-config', '--config',
                           folder.put('skylink.conf', '[room]\nserver = http://user:'
                                      f'{SECRETS["password of the proxy"]}@127.0.0.1/\n')],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1, done
    said += done.stdout + done.stderr
    print('\n'.join('# ' + line for line in said.splitlines()))
    expect_nothing({'the complaints': said}, SECRETS)


suite.finish()
