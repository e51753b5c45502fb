#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""skylinkd from its start to its end, without a browser."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import tempfile
import time

from daemon import FPS, SMALL, Daemon, Receiver, Refused, program
from wire import PATIENCE_S, Suite, until

suite = Suite()
case = suite.case
TEST = ['--source', 'test', *SMALL]
SERVER = ['--listen', '127.0.0.1:0']
WAITS_S = 10    # the least that it waits for anybody (ROOM_SESSION_JOIN_MS)
NOWHERE = ['--set', 'room.server=http://127.0.0.1:9']    # the discard port


def started(after, *arguments, **options):
    daemon = Daemon(*arguments, **options)
    after(daemon.stop)
    return daemon


def controlled(after, daemon):
    control = daemon.control()
    after(control.close)
    return control


def refusal(function, *arguments, **params):
    try:
        function(*arguments, **params)
    except Refused as error:
        return str(error)
    raise AssertionError('not refused')


def busy_port(after):
    taken = socket.socket()
    after(taken.close)
    taken.bind(('127.0.0.1', 0))
    taken.listen()
    return taken.getsockname()[1]


@case('a wrong configuration: told with file and line, status 78')
def _(after):
    daemon = Daemon(config='[video]\nwidth = 64\nbitrat = 1M\n', wait=False)
    code, log = daemon.ends()
    assert code == 78, (code, log)
    assert 'skylink.conf:2' in log and 'skylink.conf:3' in log and "'bitrate'" in log, log


@case('what --check-config lets pass, the daemon can start with')
def _(after):
    for size in (('128', '64'), ('4096', '4096')):
        options = ['--source', 'test', '--set', f'video.width={size[0]}',
                   '--set', f'video.height={size[1]}']
        check = subprocess.run([program('appliance/skylinkd'), '--check-config', '--quiet',
                                '--demo', *options], check=False)
        assert check.returncode == 0
        started(after, *options, *NOWHERE)


@case('--check-config reads the keys file, too')
def _(after):
    with tempfile.NamedTemporaryFile('w', suffix='.keys') as keys:
        keys.write('[demo]\nsecrt = 1\n')
        keys.flush()
        check = subprocess.run(
            [program('appliance/skylinkd'), '--check-config', '--demo', '--set',
             f'roomserver.keys_file={keys.name}'], check=False, text=True,
            stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        assert check.returncode == 1, check
        assert f"{keys.name}:2: 'secrt'" in check.stderr, check


@case('a busy port is named; --demo takes the next free one')
def _(after):
    port = busy_port(after)
    daemon = Daemon(*TEST, '--set', 'roomserver.enabled=yes', '--set',
                    f'roomserver.listen=127.0.0.1:{port}', wait=False)
    code, log = daemon.ends()
    assert code == 1 and f'Cannot listen on 127.0.0.1:{port}' in log, (code, log)
    demo = started(after, '--demo', *TEST, '--set', f'roomserver.listen=127.0.0.1:{port}')
    url = demo.url()
    assert port < int(url.rsplit(':', 1)[1].rstrip('/')) <= port + 20, url


@case('a second daemon on one socket is refused')
def _(after):
    first = started(after, *TEST, *NOWHERE)
    second = Daemon(*TEST, *NOWHERE, '--set', f'control.socket={first.path}', wait=False)
    code, log = second.ends()
    assert code == 1 and first.path in log, (code, log)
    assert first.status()['version']


@case('a missing camera: a placeholder for who watches, and the reason')
def _(after):
    daemon = started(after, '--source', 'v4l2:/dev/video-none', '--audio-source', 'none',
                     *SMALL, *SERVER)
    daemon.wait_state('joined')
    control = controlled(after, daemon)
    control.call('subscribe', events=['device.state', 'stats.codec'])
    messages = controlled(after, daemon)    # in no order with those of media
    messages.call('subscribe', events=['channelMessage'])
    url = daemon.url()
    receiver = Receiver(url, 'lobby', 3600)
    after(receiver.kill)
    assert messages.event('channelMessage')['message']['type'] == 'enter'
    assert control.event('stats.codec')['running'] is True
    state = control.event('device.state', lambda p: p['state'] == 'placeholder')
    assert state['kind'] == 'video' and '/dev/video-none' in state['detail'], state
    video = daemon.status()['video']
    assert video['state'] == 'placeholder' and video['detail'] == state['detail'], video
    assert video['source'] == 'v4l2:/dev/video-none', video
    what = [row['what'] for row in control.call('stats.doctor') if row['check'] == 'camera']
    assert any("picture has stood in for 'v4l2:/dev/video-none' for " in w for w in what), what
    assert Receiver(url, 'lobby').result()['frames'] > 0
    receiver.kill()
    assert control.event('stats.codec')['running'] is False


@case('an interface that is not there: media does not take another')
def _(after):
    daemon = started(after, *TEST, *SERVER, '--set', 'network.interfaces=none0')
    receiver = Receiver(daemon.url(), 'lobby', 3600)
    after(receiver.kill)
    pairs = until(lambda: [p['pair'] for p in daemon.status()['peers'] if p['pair']], 20, 0.05)
    assert pairs[0].startswith('host 127.0.0.1:'), pairs
    assert 'network.interfaces' in daemon.log()


@case('its own server: whatever its address and its key')
def _(after):
    daemon = started(after, *TEST, '--listen', '127.0.0.2:0', '--set', 'roomserver.app_key=own')
    assert daemon.url().startswith('http://127.0.0.2:')
    daemon.wait_state('joined')
    for address in ('*:0', '0.0.0.0:0', '[::]:0'):
        daemon = started(after, *TEST, '--listen', address)
        daemon.wait_state('joined')
        assert daemon.status()['room']['server'].startswith('http://127.0.0.1:')


@case('joinRoom: user data arrives, leaveRoom says who left what')
def _(after):
    daemon = started(after, *TEST, *SERVER, '--set', 'room.name=')
    control = controlled(after, daemon)
    joined = control.call('joinRoom', room='hall', options={'userData': {'name': 'Hall 2'}})
    assert joined['room'] == 'hall' and joined['peerInfo']['userData'] == {'name': 'Hall 2'}
    assert control.call('getPeerInfo')['userData'] == {'name': 'Hall 2'}
    left = control.call('leaveRoom')
    assert left == {'peerId': joined['peerId'], 'previousRoom': 'hall'}, left
    assert 'no room' in refusal(control.call, 'leaveRoom')
    assert "'/'" in refusal(control.call, 'joinRoom', room='a/b')


@case('joinRoom is answered for its own room, however fast the next one comes')
def _(after):
    daemon = started(after, *TEST, *SERVER, '--set', 'room.name=')
    control = controlled(after, daemon)
    for _ in range(20):
        one, two = control.send_together(('joinRoom', {'room': 'one'}),
                                         ('joinRoom', {'room': 'two'}))
        assert 'in between' in refusal(control.answer, one)
        assert control.answer(two)['room'] == 'two'


@case('joinRoom that waits: ended by leaveRoom, and by the end of the daemon')
def _(after):
    daemon = started(after, *TEST, *NOWHERE, '--set', 'room.name=')
    control = controlled(after, daemon)
    join = control.send('joinRoom', {'room': 'x'})
    # A bad name changes nothing for the one that waits.
    assert 'empty' in refusal(control.call, 'joinRoom', room='')
    control.call('leaveRoom')
    assert 'leaveRoom' in refusal(control.answer, join)
    join = control.send('joinRoom', {'room': 'x'})
    control.call('stats.status')    # the daemon has read both
    start = time.monotonic()
    daemon.stop()
    assert time.monotonic() - start < WAITS_S
    assert 'stopping' in refusal(control.answer, join)


@case('joinRoom given up while its sources are tried: nothing of it is sent')
def _(after):
    daemon = started(after, *SERVER, '--source', 'none', '--set', 'audio.source=none',
                     '--set', 'room.name=')
    control = controlled(after, daemon)
    assert daemon.status()['streams']['userMedia'] is None
    for _ in range(5):
        join, leave = control.send_together(('joinRoom', {'room': 'x', 'options': {
            'video': {'source': 'test'}, 'audio': {'source': 'test'}}}), ('leaveRoom',))
        assert 'leaveRoom' in refusal(control.answer, join)
        assert 'no room' in refusal(control.answer, leave)
        control.call('device.list')     # behind the trial
        assert daemon.status()['streams']['userMedia'] is None


@case('an init that is refused leaves the one before alone')
def _(after):
    daemon = started(after, *TEST, *NOWHERE, '--set', 'room.name=')
    control = controlled(after, daemon)
    silent = f'http://127.0.0.1:{busy_port(after)}'
    one = control.send('init', {'options': {'appKey': 'demo', 'roomServer': silent}})
    assert 'empty' in refusal(control.call, 'init', options={'appKey': ''})
    daemon.stop()
    assert 'stopping' in refusal(control.answer, one)


def sent(daemon, state):
    """Packets of media, when that is how its only peer is; else 0."""
    peers = daemon.status()['peers']
    return peers[0]['packets'] if [p['state'] for p in peers] == [state] else 0


@case('the room server goes and comes back: picture kept, both in again')
def _(after):
    server = started(after, '--room-server', *SERVER)
    url = server.url()
    daemon = started(after, *TEST, '--set', f'room.server={url}')
    daemon.wait_state('joined')
    receiver = Receiver(url, 'lobby', 3600)
    after(receiver.kill)
    # Some seconds of picture and sound, before and after.
    until(lambda: sent(daemon, 'connected') > 200, 30, 0.05)
    server.stop()
    until(lambda: sent(daemon, 'kept') > 0, 10, 0.05)
    again = started(after, '--room-server', '--listen', url[len('http://'):].rstrip('/'))
    assert again.url() == url
    daemon.wait_state('joined')
    until(lambda: sent(daemon, 'connected') > 200, 30, 0.05)
    seen = receiver.enough()
    # Both connections bring pictures for a moment, when the new one is up; each
    # is counted by itself.
    assert seen['senders'] == 2, seen
    # A busy machine leaves out pictures here and there; a hole would be a second.
    assert seen['hole'] < FPS, seen
    assert seen['numbers'] >= 0.95 * (seen['seconds'] - 1) * FPS, seen
    assert seen['damaged'] <= 1 and seen['gaps'] <= 2, seen


def doctor(daemon):
    """skylinkctl's exit status, and its rows by check."""
    out = subprocess.run([program('appliance/skylinkctl'), '--socket', daemon.path, 'doctor',
                          '--json'], stdout=subprocess.PIPE, text=True, check=False)
    return out.returncode, {row['check']: row for row in json.loads(out.stdout)}


@case('doctor: a good room; an unknown key; a server that is not there; no daemon')
def _(after):
    good = started(after, *TEST, *SERVER)
    good.wait_state('joined')
    code, rows = doctor(good)
    assert code == 0 and rows['room-server']['state'] == 'ok', rows
    url = good.url().rstrip('/')
    stranger = started(after, *TEST, '--set', f'room.server={url}', '--set',
                       'room.app_key=stranger')
    code, rows = doctor(stranger)
    assert code == 1 and rows['room-server']['state'] == 'failed', rows
    assert '4001' in rows['room-server']['what'] and 'app_key' in rows['room-server']['advice']
    nowhere = started(after, *TEST, *NOWHERE)
    code, rows = doctor(nowhere)
    assert code == 1 and rows['connection']['state'] == 'failed', rows
    nowhere.stop()
    code, rows = doctor(nowhere)
    assert code == 1 and rows['daemon']['state'] == 'failed' and 'udp-gso' in rows, rows


@case('doctor: one at a time, and gone with its daemon')
def _(after):
    # Accepts, and says nothing: the request waits its full time.
    mute = socket.socket()
    after(mute.close)
    mute.bind(('127.0.0.1', 0))
    mute.listen()
    daemon = started(after, *TEST, '--set', f'room.server=http://127.0.0.1:{mute.getsockname()[1]}')
    control = controlled(after, daemon)
    waiting = control.send('stats.doctor')
    assert 'at work' in refusal(control.call, 'stats.doctor')
    rows = {row['check']: row for row in control.answer(waiting)}
    assert rows['connection']['state'] == 'ok' and rows['room-server']['state'] == 'failed', rows
    assert 'does not' in rows['room-server']['what'] or 'no reply' in rows['room-server']['what']
    control.send('stats.doctor')
    assert 'at work' in refusal(control.call, 'stats.doctor')
    daemon.stop()


def scrape(path):
    """The samples by name and labels, as Prometheus would fetch them."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(path)
        s.sendall(b'GET /metrics HTTP/1.1\r\nHost: box\r\nConnection: close\r\n\r\n')
        text = b''.join(iter(lambda: s.recv(1 << 16), b'')).decode()
    head, _, body = text.partition('\r\n\r\n')
    assert head.startswith('HTTP/1.1 200 '), head
    return {key: float(value) for key, _, value in
            (line.rpartition(' ') for line in body.splitlines() if not line.startswith('#'))}


@case('metrics: what is sent to a peer is counted')
def _(after):
    path = os.path.join(tempfile.mkdtemp(prefix='skylink-metrics-'), 'metrics.sock')
    after(lambda: os.rmdir(os.path.dirname(path)))
    daemon = started(after, *TEST, *SERVER, '--set', f'control.metrics=unix:{path}')
    receiver = Receiver(daemon.url(), 'lobby', 3600)
    after(receiver.kill)
    until(lambda: any(p['rtt_ms'] for p in daemon.status()['peers']), 20, 0.05)
    peer = daemon.status()['peers'][0]['peerId']
    sent = f'skylink_peer_video_sent_bytes_total{{peer="{peer}"}}'
    until(lambda: scrape(path)[sent] > 0, 20, 0.05)
    seen = scrape(path)
    assert seen['skylink_room_state{state="joined"}'] == 1 and seen['skylink_peers'] == 1, seen
    assert seen[f'skylink_peer_connected{{peer="{peer}"}}'] == 1
    assert seen[f'skylink_peer_rtt_seconds{{peer="{peer}"}}'] > 0
    assert sum(v for k, v in seen.items() if k.startswith('skylink_peer_limited{')) == 1
    assert seen['skylink_roomserver_clients'] == 2 and seen['process_open_fds'] > 10
    until(lambda: scrape(path)[sent] > seen[sent], 20, 0.05)


def service_manager(after):
    """What systemd would read, and the path for NOTIFY_SOCKET."""
    folder = tempfile.mkdtemp(prefix='skylink-notify-')
    path = os.path.join(folder, 'notify')
    after(lambda: os.rmdir(folder))
    after(lambda: os.unlink(path))
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    after(told.close)
    told.bind(path)
    told.settimeout(PATIENCE_S)
    return told, path


@case('systemd is told: ready, and how the room is')
def _(after):
    told, path = service_manager(after)
    os.environ['NOTIFY_SOCKET'] = path
    try:
        daemon = started(after, *TEST, *SERVER)
        nowhere = started(after, *TEST, *NOWHERE)
    finally:
        del os.environ['NOTIFY_SOCKET']
    wanted = ['READY=1', 'STATUS=in room lobby, 0 peers', 'STATUS=waiting']
    while wanted:
        text = told.recv(4096).decode()
        wanted = [w for w in wanted if not text.startswith(w)]
    nowhere.stop()
    receiver = Receiver(daemon.url(), 'lobby', 3600)
    after(receiver.kill)
    while told.recv(4096) != b'STATUS=in room lobby, 1 peer':
        pass
    daemon.stop()
    while told.recv(4096) != b'STOPPING=1\nSTATUS=stopping':
        pass


@case('a service manager that reads nothing holds nothing up, and hears of it later')
def _(after):
    told, path = service_manager(after)
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    after(filler.close)
    filler.setblocking(False)
    filled = 0
    try:
        while True:
            filler.sendto(b'STATUS=', path)
            filled += 1
    except BlockingIOError:
        pass
    os.environ['NOTIFY_SOCKET'] = path
    try:
        daemon = started(after, *TEST, *SERVER)
    finally:
        del os.environ['NOTIFY_SOCKET']
    daemon.wait_state('joined')
    assert 'Cannot tell the service manager' in daemon.log()
    for _ in range(filled):
        assert told.recv(4096) == b'STATUS='
    assert told.recv(4096).startswith(b'READY=1')


@case('top: rates of what is sent; Ctrl-C and the end of the daemon')
def _(after):
    daemon = started(after, *TEST, *SERVER)
    receiver = Receiver(daemon.url(), 'lobby', 3600)
    after(receiver.kill)
    until(lambda: any(p['rtt_ms'] for p in daemon.status()['peers']), 20, 0.05)
    peer = daemon.status()['peers'][0]['peerId']
    ctl = [program('appliance/skylinkctl'), '--socket', daemon.path, 'top']
    out = subprocess.run([*ctl, '--count', '2'], stdout=subprocess.PIPE, text=True, check=True)
    first, second = ([line for line in page.splitlines() if line.startswith(peer)][0].split()
                     for page in out.stdout.split('\n\nskylinkd')[:2])
    assert '-' in first and '-' not in second and {'kb/s', 'Mb/s'} & set(second), second
    out = subprocess.run([*ctl, '--json', '-n', '1'], stdout=subprocess.PIPE, text=True, check=True)
    assert json.loads(out.stdout)['room']['state'] == 'joined'
    for end, status in ((lambda p: p.send_signal(signal.SIGINT), 0), (lambda p: daemon.stop(), 6)):
        with subprocess.Popen(ctl, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
            p.stdout.readline()
            end(p)
            out, err = p.communicate(timeout=PATIENCE_S)
            assert p.returncode == status and 'rror' not in err, (p.returncode, err)


@case('SIGTERM while peers watch: an end without a word of complaint')
def _(after):
    daemon = started(after, *TEST, *SERVER)
    url = daemon.url()
    receivers = [Receiver(url, 'lobby', 3600) for _ in range(3)]
    for receiver in receivers:
        after(receiver.kill)
    until(lambda: [r['takers'] for r in daemon.status()['video']['rungs']] == [3], 30, 0.05)
    until(lambda: all(p['state'] == 'connected' for p in daemon.status()['peers']), 20, 0.05)
    start = time.monotonic()
    daemon.stop()
    assert time.monotonic() - start < WAITS_S


suite.finish()
