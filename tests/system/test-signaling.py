#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the appliance reaches its room server where the straight way is closed."""
import datetime
import os
import shutil
import subprocess
import tempfile

from daemon import SMALL, Daemon, Receiver
from narrow import Narrow, dead_port
from wire import Server, Suite, until

suite = Suite()
case = suite.case


def served(after, *arguments):
    server = Server(*arguments)
    after(server.stop)
    return server


def fronted(after, server, **options):
    front = Narrow(server.port, **options)
    after(front.close)
    return front


def appliance(after, url, *settings, room='lobby', wait=True):
    """Not in a room until told, so that no event is missed."""
    options = [o for s in (f'room.server={url}', 'room.name=', 'network.loopback=yes', *settings)
               for o in ('--set', s)]
    daemon = Daemon('--source', 'test', *SMALL, *options)
    after(daemon.stop)
    control = daemon.control()
    after(control.close)
    control.call('subscribe')
    control.send('joinRoom', {'room': room})
    if wait:
        until(lambda: in_room(daemon), 30, 0.05)
    return daemon, control


def in_room(daemon):
    return daemon.status()['room']['state'] in ('joined', 'inRoom')


def told(control, last):
    """Names and the number or type of what was told, up to an event."""
    names = []
    while True:
        while control.events:
            event = control.events.pop(0)
            p = event['params']
            names.append((event['method'],
                          *(p[k] for k in ('readyState', 'errorCode', 'currentAttempt',
                                           'fallbackType', 'type') if k in p)))
            if event['method'] == last:
                return names
        control.read()


def watched(after, server):
    """A real peer gets a second of the appliance's video."""
    receiver = Receiver(server.url.rstrip('/'), 'lobby', 1)
    after(receiver.kill)
    return receiver.result()


@case('the first two ports are dead: in by the third, each failure told')
def _(after):
    server = served(after)
    front = fronted(after, server, first_ports=[dead_port(after), dead_port(after)])
    daemon, control = appliance(after, front.url)
    assert daemon.status()['room']['transport'] == 'websocket'
    names = told(control, 'channelOpen')
    assert names == [
        ('readyStateChange', 0), ('readyStateChange', 1), ('readyStateChange', 2),
        ('socketError', 0, 'nonfallback'), ('channelRetry', 1, 'nonfallback'),
        ('socketError', -4, 'nonfallback'), ('channelRetry', 2, 'nonfallback'),
        ('socketError', -1, 'nonfallback'), ('channelRetry', 3, 'fallbackPortNonSSL'),
        ('socketError', 0, 'fallbackPortNonSSL'), ('channelRetry', 4, 'fallbackPortNonSSL'),
        ('socketError', -4, 'fallbackPortNonSSL'), ('channelRetry', 5, 'fallbackPortNonSSL'),
        ('socketError', -1, 'fallbackPortNonSSL'), ('channelRetry', 6, 'fallbackPortNonSSL'),
        ('channelOpen',)], names
    assert watched(after, server)


@case('no WebSocket gets through: polling by itself, and a peer sees the picture')
def _(after):
    server = served(after)
    front = fronted(after, server, websockets=False)
    daemon, control = appliance(after, front.url)
    assert daemon.status()['room']['transport'] == 'polling'
    names = told(control, 'channelOpen')
    assert ('channelRetry', 3, 'fallbackLongPollingNonSSL') in names, names
    assert front.upgrades == 3, front.upgrades
    assert watched(after, server)
    assert front.posts > 3 and front.polls > 3


@case('polling alone, on a list whose first port is dead')
def _(after):
    server = served(after)
    front = fronted(after, server, websockets=False, first_ports=[dead_port(after)])
    daemon, _ = appliance(after, front.url, 'room.transport=polling')
    assert daemon.status()['room']['transport'] == 'polling' and front.upgrades == 0
    assert watched(after, server)


@case('the polling connection is cut: out, told, and in again')
def _(after):
    server = served(after)
    front = fronted(after, server)
    daemon, control = appliance(after, front.url, 'room.transport=polling')
    told(control, 'channelOpen')
    old = daemon.status()['room']['id']
    front.cut()
    told(control, 'sessionDisconnect')
    until(lambda: in_room(daemon) and daemon.status()['room']['id'] != old, 30, 0.05)
    assert daemon.status()['room']['losses'] == 1


@case('a port that takes the connection and says nothing: five seconds, then the next')
def _(after):
    server = served(after)
    silent = fronted(after, server, silent=True)
    front = fronted(after, server, first_ports=[silent.port])
    daemon, control = appliance(after, front.url, 'room.socket_timeout=5000', wait=False)
    names = told(control, 'socketError')
    assert names[-1] == ('socketError', 0, 'nonfallback'), names
    until(lambda: in_room(daemon), 60, 0.1)
    assert watched(after, server)


@case('a locked room is tried again until it opens, and status says so')
def _(after):
    server = served(after)
    first, holder = appliance(after, server.url.rstrip('/'))
    holder.call('lockRoom')
    daemon, _ = appliance(after, server.url.rstrip('/'), wait=False)
    room = until(lambda: (lambda r: r if r['refusal'] == 'locked' and r['retries'] > 1 else None)(
        daemon.status()['room']), 30, 0.05)
    assert 'the room is locked' in room['error'], room
    holder.call('unlockRoom')
    until(lambda: in_room(daemon), 60, 0.1)
    assert daemon.status()['room']['refusal'] is None
    assert in_room(first)


def iso(seconds):
    """So many seconds from now, as a scheduler would write it."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime('%Y-%m-%dT%H:%M:%S.000Z')


@case('a scheduled room: its credential, too early, over; and a wrong secret')
def _(after):
    folder = tempfile.mkdtemp(prefix='skylink-keys-')
    after(lambda: shutil.rmtree(folder))
    files = {}
    for name, text in (('keys', '[kiosk]\nsecret = tulip\n'), ('right', 'tulip\n'),
                       ('wrong', 'rose\n')):
        files[name] = os.path.join(folder, name)
        with open(files[name], 'w', encoding='ascii') as f:
            f.write(text)
        os.chmod(files[name], 0o600)
    url = served(after, '--keys', files['keys']).url.rstrip('/')

    def scheduled(start, secret='right', hours=1):
        return appliance(after, url, 'room.app_key=kiosk', f'room.secret_file={files[secret]}',
                         *([f'room.start={start}', f'room.duration={hours}'] if start else []),
                         wait=False)[0]

    def error(daemon):
        return until(lambda: daemon.status()['room']['error'], 20, 0.05)

    early = scheduled(iso(9))
    assert 'has not started yet' in error(early) and \
        early.status()['room']['refusal'] == 'notStart', early.status()['room']
    unscheduled = scheduled(None)
    until(lambda: in_room(unscheduled), 20, 0.05)
    wrong = error(scheduled(iso(0), 'wrong'))
    assert '4005' in wrong and 'do not match' in wrong, wrong
    over = scheduled(iso(-7200))
    assert "is over" in error(over) or '4010' in error(over), error(over)
    # asked for again and again, until it opens
    until(lambda: in_room(early), 30, 0.1)
    assert early.status()['room']['refusal'] is None


def certificate(folder):
    """A key and a certificate for 127.0.0.1, as an owner would make them."""
    key, pem = os.path.join(folder, 'key.pem'), os.path.join(folder, 'cert.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', pem, '-days',
                    '2', '-subj', '/CN=room', '-addext', 'subjectAltName=IP:127.0.0.1'],
                   check=True, capture_output=True)
    return key, pem


@case('TLS: a certificate that is trusted by file, and one that is not')
def _(after):
    server = served(after)
    folder = tempfile.mkdtemp(prefix='skylink-tls-')
    after(lambda: shutil.rmtree(folder))
    key, pem = certificate(folder)
    front = fronted(after, server, certificate=(key, pem))
    daemon, control = appliance(after, front.url, f'room.ca_file={pem}')
    room = daemon.status()['room']
    assert room['transport'] == 'websocket' and front.upgrades == 1, room
    polls, _ = appliance(after, front.url, f'room.ca_file={pem}', 'room.transport=polling')
    assert polls.status()['room']['transport'] == 'polling' and front.posts
    # an address without TLS, and what forces it
    forced, _ = appliance(after, front.url.replace('https', 'http'), f'room.ca_file={pem}',
                          'room.force_ssl=yes')
    assert forced.status()['room']['transport'] == 'websocket'
    stranger, _ = appliance(after, front.url, wait=False)
    error = until(lambda: stranger.status()['room']['error'], 20, 0.05)
    assert "The certificate of '127.0.0.1' is not acceptable" in error, error
    assert 'room.ca_file' in error, error


suite.finish()
