#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration changes under a running daemon: what becomes of it is seen
by a peer, and the peer stays. What each option does is seen by test-options.py."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from daemon import Daemon, Receiver, Refused, program
from wire import Skip, Suite, until

suite = Suite()
case = suite.case
FILE = '''[room]
name = lobby
[video]
source = test
width = 320
height = 180
fps = 15
[audio]
source = test
[network]
loopback = yes
'''
PEER = ['--set', 'video.source=none', '--set', 'audio.source=none', '--set',
        'network.loopback=yes']


class Box:
    """A daemon with a set-file, and a second one as its peer, which watches."""

    def __init__(self, after, config=FILE, peer=True, state=None):
        self.after = after
        self.state = state or tempfile.mkdtemp(prefix='skylink-state-')
        after(lambda: shutil.rmtree(self.state, ignore_errors=True))
        self.set_file = os.path.join(self.state, 'conf.d', '90-set.conf')
        self.text = config
        self.daemon = None
        self.start()
        self.url = self.daemon.url()
        self.peer = None
        if not peer:
            return
        self.peer = Daemon(*PEER, '--set', f'room.server={self.url}')
        after(self.peer.stop)
        self.watch = self.peer.control()
        after(self.watch.close)
        self.watch.call('subscribe')
        self.connected()
        self.ids = self.here()

    def start(self):
        self.daemon = daemon = Daemon('--listen', '127.0.0.1:0', config=self.text,
                                      state=self.state)
        self.after(daemon.stop)
        self.control = control = daemon.control()
        self.after(control.close)
        self.control.call('subscribe')

    def restart(self):
        self.control.close()
        self.daemon.stop()
        self.start()

    def here(self):
        return [[p['peerId'] for p in c.call('stats.peers')] for c in (self.control, self.watch)]

    def connected(self):
        def reaches():
            try:
                self.control.call('sendP2PMessage', message='')
                self.watch.call('sendP2PMessage', message='')
            except Refused:
                return False
            return True
        until(reaches, 30, 0.05)

    def stayed(self):
        """The same peers by the same names, and nobody was told of a parting."""
        assert self.here() == self.ids, (self.here(), self.ids)
        for control in (self.control, self.watch):
            left = [e for e in control.events if e['method'] in ('peerLeft', 'sessionDisconnect')]
            assert not left, left

    def get(self, name):
        return self.control.call('config.get', names=[name])[0]['value']

    def set(self, **values):
        """Sets live options; '_' for '.', and each change is applied."""
        names = {name.replace('_', '.', 1): value for name, value in values.items()}
        result = self.control.call('config.set', values=names)
        told = {c['name']: c['effect'] for c in result['changed']}
        assert told == {name: 'applied' for name in names}, result

    def info(self):
        """What the peer knows about the box."""
        return self.watch.call('getPeerInfo', peerId=self.ids[1][0])

    def write(self, text):
        with open(self.daemon.config, 'w', encoding='utf-8') as f:
            f.write(text)

    def set_text(self):
        if not os.path.exists(self.set_file):
            return None
        with open(self.set_file, encoding='utf-8') as f:
            return f.read()

    def ctl(self, *arguments):
        return subprocess.run([program('appliance/skylinkctl'), '--socket', self.daemon.path,
                               *arguments], capture_output=True, text=True, check=False)

    def offer(self):
        """The peer offers 1,000,000 bytes; how it ended, and why."""
        path = os.path.join(self.state, 'offered')
        with open(path, 'wb') as f:
            f.truncate(1000000)
        with open(path, 'rb') as f:
            number = self.watch.send('sendBlobData', {'data': {'fd': 0, 'name': 'a.bin'}},
                                     [f.fileno()])
        try:
            self.watch.answer(number)
        except Refused as error:
            return str(error)
        return 'taken'


def refusal(function, *arguments, **params):
    try:
        function(*arguments, **params)
    except Refused as error:
        return error
    raise AssertionError('not refused')


# --- what is live ---------------------------------------------------------------
@case('video: size and rate at the receiver, in one connection')
def _(after):
    box = Box(after)
    receiver = Receiver(box.url, 'lobby', 4)
    after(receiver.kill)
    until(lambda: box.daemon.status()['video']['frames_captured'] > 10, 30, 0.05)
    ids = sorted(p['peerId'] for p in box.control.call('stats.peers'))
    box.set(video_width=640, video_height=360, video_fps=10)
    assert sorted(p['peerId'] for p in box.control.call('stats.peers')) == ids
    seen = receiver.result()
    assert (seen['width'], seen['height']) == (640, 360) and not seen['damaged'], seen
    status = box.daemon.status()
    assert status['streams']['userMedia']['video'] == {
        'source': 'test', 'resolution': {'width': 640, 'height': 360}, 'frameRate': 10}, status
    video = until(lambda: box.info()['settings']['video']['frameRate'] == 10 and
                  box.info()['settings']['video'], 10)
    assert video['resolution'] == {'width': 640, 'height': 360}, video
    # The receiver left by itself; the peer that watches did not.
    ours = [[i for i in listed if i in known] for listed, known in zip(box.here(), box.ids)]
    assert ours == box.ids, (ours, box.ids)


@case('video: another source for who watches')
def _(after):
    box = Box(after)
    receiver = Receiver(box.url, 'lobby', 4)
    after(receiver.kill)
    until(lambda: box.daemon.status()['video']['frames_captured'] > 10, 30, 0.05)
    box.set(video_source='test-screen')
    until(lambda: box.daemon.status()['video']['source'].startswith('test-screen'), 10, 0.05)
    seen = receiver.result()
    assert seen['frames'] > 0 and not seen['damaged'], seen
    assert box.get('video.source') == 'test-screen'


@case('video: rates hold for who is here')
def _(after):
    box = Box(after)
    receiver = Receiver(box.url, 'lobby', 60)
    after(receiver.kill)

    def target():
        rungs = [r for r in box.daemon.status()['video']['rungs'] if r['takers']]
        return rungs[0]['target_bps'] if rungs else None
    until(target, 30, 0.05)
    box.set(video_min_bitrate='100k', video_bitrate='200k', video_max_bitrate='300k')
    until(lambda: target() <= 300000, 10, 0.05)
    box.set(video_min_bitrate='900k', video_bitrate='950k', video_max_bitrate='1M')
    until(lambda: 900000 <= target() <= 1000000, 10, 0.05)


@case('audio: none, two channels, another rate: the peer knows, and stays')
def _(after):
    box = Box(after)

    def bytes_a_packet():
        first = box.daemon.status()['audio']
        until(lambda: box.daemon.status()['audio']['units_out'] >= first['units_out'] + 50, 20)
        last = box.daemon.status()['audio']
        return ((last['bytes_out'] - first['bytes_out']) /
                (last['units_out'] - first['units_out']))
    before = bytes_a_packet()
    box.set(audio_bitrate='128k')
    assert bytes_a_packet() > 1.5 * before
    box.set(audio_channels=2)
    until(lambda: box.info()['settings']['audio']['stereo'], 10)
    assert box.daemon.status()['audio']['channels'] == 2
    box.set(audio_source='none')
    until(lambda: box.info()['settings']['audio'] is False, 10)
    box.stayed()


@case('room.user_data: peers are told')
def _(after):
    box = Box(after)
    box.set(room_user_data='{"name": "Hall 2"}')
    told = box.watch.event('peerUpdated', lambda p: p['peerId'] == box.ids[1][0])
    assert told['peerInfo']['userData'] == {'name': 'Hall 2'}, told
    box.stayed()


@case('transfer: what becomes of an offer')
def _(after):
    box = Box(after)
    box.control.call('unsubscribe')     # nobody is there to be asked
    assert box.offer() != 'taken', 'nobody was asked'
    box.set(transfer_accept='always')
    assert box.offer() == 'taken'
    box.set(transfer_max_files=1)
    assert box.offer() != 'taken'
    box.set(transfer_max_files=10, transfer_quota=1)
    assert box.offer() != 'taken'
    box.set(transfer_quota=100)
    assert box.offer() == 'taken'
    box.set(transfer_max_file=1)
    assert box.offer() == 'taken'       # a megabyte is what is allowed
    box.set(transfer_accept='never')
    assert box.offer() != 'taken'
    box.stayed()


@case('transfer.max_file: a longer one is refused')
def _(after):
    box = Box(after, FILE + '[transfer]\naccept = always\nmax_file = 1\n')
    with open(os.path.join(box.state, 'long'), 'wb') as f:
        f.truncate(1500000)

    def offer():
        with open(os.path.join(box.state, 'long'), 'rb') as f:
            return box.watch.answer(box.watch.send(
                'sendBlobData', {'data': {'fd': 0, 'name': 'long'}}, [f.fileno()]))
    refusal(offer)
    box.set(transfer_max_file=2)
    assert offer()['state'] == 'uploadCompleted'
    box.stayed()


@case('transfer.keep: what is too old goes at once')
def _(after):
    box = Box(after, FILE + '[transfer]\naccept = always\n')
    assert box.offer() == 'taken'
    until(lambda: box.control.call('transfer.received'), 10)
    name = box.control.call('transfer.received')[0]['name']
    box.peer.stop()
    box.control.close()
    box.daemon.stop()
    info = os.path.join(box.state, 'received', '.info', name + '.json')
    with open(info, encoding='utf-8') as f:
        told = json.load(f)
    told['time'] = '2001-01-01T00:00:00Z'
    with open(info, 'w', encoding='utf-8') as f:
        json.dump(told, f)
    box.start()
    assert len(box.control.call('transfer.received')) == 1
    box.set(transfer_keep=1)
    assert box.control.call('transfer.received') == []


@case('network.max_peers: one more is not answered, and then is')
def _(after):
    box = Box(after)
    box.set(network_max_peers=1)
    more = Daemon(*PEER, '--set', f'room.server={box.url}')
    after(more.stop)
    until(lambda: box.daemon.status()['room']['peers_refused'] > 0, 20, 0.05)
    assert len(box.control.call('stats.peers')) == 1
    box.set(network_max_peers=2)
    control = more.control()
    after(control.close)
    control.call('joinRoom', room='lobby')
    until(lambda: len(box.control.call('stats.peers')) == 2, 20, 0.05)
    assert box.ids[0][0] in box.here()[0]


@case('control.max_clients: more are refused, those that are here stay')
def _(after):
    box = Box(after, peer=False)
    box.set(control_max_clients=1)
    second = box.daemon.control()
    after(second.close)
    try:
        refused = refusal(second.call, 'stats.peers')
        assert 'Too many clients' in str(refused), refused
    except (EOFError, OSError):
        pass
    box.set(control_max_clients=2)
    until(lambda: box.daemon.status()['control']['clients'] == 2, 10)


@case('control.metrics: told there, and there alone')
def _(after):
    box = Box(after, peer=False)
    path = os.path.join(box.daemon.folder, 'metrics.sock')

    def answers():
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(path):
                return b''
            s.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
            return b''.join(iter(lambda: s.recv(1 << 16), b''))

    assert not answers()
    box.set(control_metrics=f'unix:{path}')
    assert b'\nskylink_peers 0\n' in answers()
    box.set(control_metrics='')
    assert not answers() and not os.path.exists(path)


@case('control.source_folders: files are opened there, and nowhere else')
def _(after):
    box = Box(after, peer=False)
    folder = tempfile.mkdtemp(prefix='skylink-sources-')
    after(lambda: shutil.rmtree(folder))
    path = os.path.join(folder, 'pictures.h264')
    with open(path, 'wb'):
        pass

    def ask(name, method='getUserMedia'):
        source = f'h264:{name}'
        params = {'source': source} if method == 'shareScreen' else \
            {'options': {'video': {'source': source}}}
        return str(refusal(box.control.call, method, **params))

    assert 'control.source_folders' in ask(path)
    box.set(control_source_folders=folder)
    assert 'control.source_folders' not in ask(path)        # there is nothing in it
    for other in ('/etc/passwd', f'{folder}/../pictures.h264', f'{folder}x/pictures.h264',
                  os.path.relpath(path, '/'), folder):
        for method in ('getUserMedia', 'sendStream', 'shareScreen'):
            assert 'control.source_folders' in ask(other, method), (other, method)
    box.set(control_source_folders='')
    assert 'control.source_folders' in ask(path)


@case('log.level: what is logged')
def _(after):
    box = Box(after, peer=False)
    assert 'DEBUG' not in box.daemon.log()
    box.set(log_level='debug')
    box.control.call('leaveRoom')
    until(lambda: 'DEBUG' in box.daemon.log(), 10)
    box.set(log_level='error')
    size = len(box.daemon.log())
    box.control.call('joinRoom')
    assert 'joined room' not in box.daemon.log()[size:]


# --- files, signals, restarts ------------------------------------------------------
@case('a wrong file changes nothing, and is told with file and line')
def _(after):
    box = Box(after)
    before = box.control.call('config.get')
    box.write(FILE.replace('fps = 15', 'fps = 5') + '[video]\nwidht = 64\n[log]\nlevel = loud\n')
    error = refusal(box.control.call, 'config.reload')
    problems = error.data['problems']
    line = FILE.count('\n') + 2
    assert any(p.startswith(f'{box.daemon.config}:{line}: ') for p in problems), problems
    assert any(p.startswith(f'{box.daemon.config}:{line + 2}: ') for p in problems), problems
    assert len(problems) == 2, problems
    assert box.control.call('config.get') == before
    assert box.control.call('config.diff')['problems'] == problems
    box.daemon.process.send_signal(signal.SIGHUP)
    until(lambda: all(p in box.daemon.log() for p in problems), 10)
    assert box.control.call('config.get') == before
    # Nothing can be set beside it, either.
    refusal(box.control.call, 'config.set', values={'video.fps': 7})
    assert box.set_text() is None
    box.stayed()


@case('SIGHUP reads the files: applied, and what waits is in the log')
def _(after):
    box = Box(after)
    box.write(FILE.replace('fps = 15', 'fps = 5') + 'gso = off\n')
    box.daemon.process.send_signal(signal.SIGHUP)
    changed = box.control.event('config.changed')['changed']
    assert {c['name']: c['effect'] for c in changed} == {
        'video.fps': 'applied', 'network.gso': 'restart'}, changed
    assert box.get('video.fps') == 5 and box.get('network.gso') == 'auto'
    assert 'video.fps from 15 to 5 (applied)' in box.daemon.log()
    assert 'network.gso from "auto" to "off" (from the next start on)' in box.daemon.log()
    box.stayed()


@case('systemd is told of a reload, from its beginning to its end')
def _(after):
    folder = tempfile.mkdtemp(prefix='skylink-notify-')
    after(lambda: shutil.rmtree(folder))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(os.path.join(folder, 'notify'))
        notify.settimeout(20)
        os.environ['NOTIFY_SOCKET'] = os.path.join(folder, 'notify')
        try:
            box = Box(after, peer=False)
        finally:
            del os.environ['NOTIFY_SOCKET']
        if 'libsystemd' not in subprocess.run(['ldd', program('appliance/skylinkd')],
                                              capture_output=True, text=True, check=True).stdout:
            raise Skip('built without systemd')

        def told():
            return dict(line.split('=', 1) for line in notify.recv(4096).decode().splitlines())
        until(lambda: told().get('READY') == '1', 20)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        box.daemon.process.send_signal(signal.SIGHUP)
        state = told()
        assert state['RELOADING'] == '1' and int(state['MONOTONIC_USEC']) >= before, state
        assert told() == {'READY': '1'}


@case('a source without the codec that somebody takes: it stays as it was')
def _(after):
    box = Box(after, FILE.replace('fps = 15', 'fps = 15\ncodec = vp8'))
    receiver = Receiver(box.url, 'lobby', 2)
    after(receiver.kill)
    until(lambda: any(r['takers'] and r['codec'] == 'VP8'
                      for r in box.daemon.status()['video']['rungs']), 30, 0.05)
    before = box.control.call('config.get')
    refusal(box.control.call, 'config.set', values={
        'video.source': 'h264:/dev/null', 'room.region': 'sg', 'log.level': 'debug'})
    assert box.control.call('config.get') == before and box.set_text() is None
    assert box.daemon.status()['video']['source'].startswith('test 320x180')
    assert receiver.result()['frames'] > 0


@case('a dry run changes nothing')
def _(after):
    box = Box(after)
    before = box.control.call('config.get')
    result = box.control.call('config.set', values={'video.fps': 7, 'room.region': 'sg'},
                              dryRun=True)
    assert [(c['name'], c['old'], c['new'], c['effect']) for c in result['changed']] == [
        ('room.region', '', 'sg', 'rejoin'), ('video.fps', 15, 7, 'applied')], result
    assert box.control.call('config.get') == before and box.set_text() is None
    assert box.control.call('config.diff')['pending'] == []
    box.stayed()


@case('what is set survives a restart; reset takes it out again')
def _(after):
    box = Box(after, peer=False)
    result = box.control.call('config.set', values={
        'video.fps': ' 7 ', 'network.gso': 'off', 'room.user_data': '{"a": "# b"}'})
    assert len(result['changed']) == 3 and not result['overridden'], result
    assert os.stat(box.set_file).st_mode & 0o7777 == 0o600
    box.restart()
    assert (box.get('video.fps'), box.get('network.gso')) == (7, 'off')
    assert box.get('room.user_data') == '{"a": "# b"}'
    origin = box.control.call('config.get', names=['video.fps'])[0]['origin']
    assert origin.startswith(box.set_file + ':'), origin
    box.control.call('config.reset', names=['video', 'room'])
    assert box.get('video.fps') == 15 and 'gso = off' in box.set_text()
    box.control.call('config.reset', names=['network.gso'])
    assert box.set_text() is None
    assert [c['effect'] for c in box.control.call('config.diff')['pending']] == ['restart']


@case('what needs a join waits for it, or has it done')
def _(after):
    box = Box(after)
    result = box.control.call('config.set', values={'room.name': 'hall'})
    assert [c['effect'] for c in result['changed']] == ['rejoin'] and not result['rejoined']
    assert box.daemon.status()['room']['name'] == 'lobby'
    assert [c['name'] for c in box.control.call('config.diff')['pending']] == ['room.name']
    box.stayed()
    result = box.control.call('config.reload', rejoin=True)
    assert result['rejoined'] and result['changed'][0]['effect'] == 'applied', result
    until(lambda: box.daemon.status()['room']['name'] == 'hall' and
          box.daemon.status()['room']['state'] == 'joined', 20, 0.05)
    assert box.control.call('config.diff')['pending'] == []
    assert not box.control.call('config.reload', rejoin=True)['rejoined']


@case('a box without a room: the first server that is set is joined')
def _(after):
    server = Box(after, peer=False)
    box = Daemon(config='[room]\nname =\n[video]\nsource = test\n', state=server.state + '2')
    after(box.stop)
    after(lambda: shutil.rmtree(server.state + '2', ignore_errors=True))
    os.makedirs(server.state + '2', exist_ok=True)
    control = box.control()
    after(control.close)
    assert box.status()['room']['state'] == 'idle'
    result = control.call('config.set', values={'room.server': server.url.rstrip('/'),
                                                'room.name': 'lobby'})
    assert {c['effect'] for c in result['changed']} == {'applied'} and result['rejoined'], result
    box.wait_state('joined')


@case('what cannot be applied is taken back, file and all')
def _(after):
    box = Box(after)
    box.control.call('config.set', values={'video.fps': 7})
    before, text = box.control.call('config.get'), box.set_text()
    error = refusal(box.control.call, 'config.set', values={
        'video.fps': 9, 'log.level': 'debug', 'room.ca_file': '/no/such/ca.pem'})
    assert '/no/such/ca.pem' in str(error), error
    assert box.control.call('config.get') == before and box.set_text() == text
    assert os.listdir(os.path.dirname(box.set_file)) == ['90-set.conf']
    box.stayed()


@case('every problem of a set is told, and nothing is set')
def _(after):
    box = Box(after, peer=False)
    error = refusal(box.control.call, 'config.set', values={
        'video.fps': 700, 'video.widht': 64, 'video.muted': 'yes'})
    assert len(error.data['problems']) == 2 and "'video.width'" in str(error), error
    error = refusal(box.control.call, 'config.set', values={'video.width': 321})
    assert 'odd' in str(error), error
    assert box.set_text() is None and box.get('video.muted') is False


@case('what the command line says prevails, and is told')
def _(after):
    box = Box(after, peer=False)
    result = box.control.call('config.set', values={'roomserver.listen': '127.0.0.1:1'})
    assert result['changed'] == [] and result['overridden'] == [
        {'name': 'roomserver.listen', 'by': '--listen'}], result


@case('without a state directory, or without files: it says what to do')
def _(after):
    daemon = Daemon(*PEER, config=FILE)
    after(daemon.stop)
    control = daemon.control()
    after(control.close)
    error = refusal(control.call, 'config.set', values={'video.fps': 5})
    assert daemon.config in str(error), error
    assert control.call('config.reload')['changed'] == []


@case('a disk that cannot be written: nothing changes')
def _(after):
    box = Box(after, peer=False)
    with open(os.path.join(box.state, 'conf.d'), 'wb'):
        pass                # in the way of the directory
    error = refusal(box.control.call, 'config.set', values={'video.fps': 5})
    assert 'conf.d' in str(error) and box.get('video.fps') == 15, error


@case('skylinkctl: tables, exit codes, --json')
def _(after):
    box = Box(after, peer=False)
    done = box.ctl('config', 'set', 'video.fps=7', 'network.gso=off')
    assert done.returncode == 0 and 'restart: with the daemon' in done.stdout, done
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ['video.fps', '15', '7', 'applied'] in rows, rows
    done = box.ctl('config', 'reset', 'video', '--dry-run', '--json')
    assert json.loads(done.stdout)['dryRun'] and box.get('video.fps') == 7, done
    done = box.ctl('config', 'diff')
    assert 'Not in force:' in done.stdout and box.set_file in done.stdout, done
    assert box.ctl('config', 'video.fps').stdout == box.ctl('config', 'get', 'video.fps').stdout
    for wrong in (('set',), ('set', 'video.fps'), ('set', 'a.b=1', 'a.b=2'), ('reset',),
                  ('diff', 'video'), ('reload', '--dry-run'), ('get', '--rejoin')):
        assert box.ctl('config', *wrong).returncode == 2, wrong
    assert box.ctl('config', 'set', 'video.fps=x').returncode == 1
    assert box.ctl('config', 'reset', 'video', 'network').returncode == 0
    assert box.ctl('config', 'reload').stdout.startswith('Nothing changes'), box.set_text()


suite.finish()
