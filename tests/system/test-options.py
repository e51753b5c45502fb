#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Made from the option table: every option is read, takes effect when the table
says so (at once, with the next join, with the next start), and what it does is
seen by a peer, on the wire, in a file or in the log. The last case compares with
the daemon's own table: an option without an effect here fails, and so does an
effect without an option.

In a network of its own, so that packets can be looked at."""
import atexit
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import netns
from box import FILE, PEER, Box, refusal
from daemon import Daemon, Receiver, Refused
from narrow import Narrow
from wire import Server, Skip, Suite, WebSocket, until

ALONE = netns.enter()       # why it is not
suite = Suite()
SEEN = {}                   # option: the case that saw it
# Seen where what it needs stands; the file speaks of the option, or says that word.
ELSEWHERE = {
    'network.addresses': 'tests/system/test-network.py',
    'network.interfaces': 'tests/system/test-network.py',
    'network.port_min': 'tests/system/test-network.py',
    'network.port_max': 'tests/system/test-network.py',
    # The servers here name none; what is left of those that one may name.
    'network.stun': 'appliance/room/test-ice-servers.c: no_stun',
    'network.public_stun': 'appliance/room/test-ice-servers.c: no_public_stun',
}
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WHEN = {'live': 'applied', 'rejoin': 'rejoin', 'restart': 'restart'}


class Options(Box):
    """change() sets options, and has done what the table says they need."""

    changed = set()

    def change(self, **values):
        values = {name.replace('_', '.', 1): value for name, value in values.items()}
        table = {o['name']: o for o in self.control.call('config.get', names=list(values))}
        result = self.control.call('config.set', values=values)
        told = {c['name']: c['effect'] for c in result['changed']}
        assert told == {n: WHEN[table[n]['change']] for n in values}, (told, result)
        if 'restart' in told.values():
            self.restart()
        elif 'rejoin' in told.values():
            for name, effect in told.items():
                if effect == 'rejoin':
                    # Taken, and waits: what is in force is told by diff.
                    pending = self.control.call('config.diff')['pending']
                    assert name in [c['name'] for c in pending], pending
            if self.daemon.status()['room']['name']:
                assert self.control.call('config.reload', rejoin=True)['rejoined']
        Options.changed.update(values)

    def joined(self):
        until(lambda: self.daemon.status()['room']['state'] == 'joined', 20, 0.05)
        return self.daemon.status()


def effect(name, options):
    """A case that sees what these options do."""
    def run(function):
        Options.changed = set()

        @suite.case(f'{options}: {name}')
        def _(after):
            function(after)
            wanted = set(options.split())
            assert wanted == Options.changed & wanted, wanted - Options.changed
            SEEN.update({option: name for option in wanted})
        return function
    return run


def need_network():
    if ALONE:
        raise Skip(ALONE)


def scratch(after, text=None, mode=0o600, folder=None):
    """folder: one that the daemon may read, for what counts without a new start."""
    path = tempfile.mkstemp(prefix='skylink-option-', dir=folder)[1]
    after(lambda: os.path.exists(path) and os.unlink(path))
    if text is not None:
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path, mode)
    return path


class Silent:
    """Takes connections, says nothing: how long is each held?"""

    def __init__(self, after):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.held = []
        after(lambda: self.listener.shutdown(socket.SHUT_RDWR))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                self.listener.close()
                return
            threading.Thread(target=self._hold, args=(s,), daemon=True).start()

    def _hold(self, s):
        start = time.monotonic()
        with s:
            while s.recv(4096):
                pass
        self.held.append(time.monotonic() - start)


def start_slow(after):
    """Begun first and seen later: the longest wait of all."""
    server, silent = Server(), Silent(after)
    after(server.stop)
    front = Narrow(server.port, first_ports=[silent.port])
    after(front.close)
    box = Options(after, FILE.replace('[video]', f'server = {front.url}\n[video]'),
                  peer=False, arguments=())
    box.change(room_socket_timeout=9000)
    return box, silent


def end_slow():
    while SLOW_END:
        SLOW_END.pop()()


SLOW_END = []
atexit.register(end_slow)   # also when its case is not reached
SLOW = start_slow(SLOW_END.append)


def pictures_flow(box, n=30):
    """So many more leave for somebody than had left."""
    def left():
        return max(p['rtc']['videoFrames'] for p in box.control.call('stats.status')['peers'])
    before = left()
    until(lambda: left() >= before + n, 30, 0.05)


@effect('size and rate at the receiver, in one connection', 'video.width video.height video.fps')
def _(after):
    box = Options(after)
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)
    until(lambda: box.daemon.status()['video']['frames_captured'] > 10, 30, 0.05)
    ids = sorted(p['peerId'] for p in box.control.call('stats.peers'))
    box.change(video_width=640, video_height=360, video_fps=10)
    assert sorted(p['peerId'] for p in box.control.call('stats.peers')) == ids
    pictures_flow(box)
    seen = receiver.enough()
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


@effect('another source for who watches', 'video.source')
def _(after):
    box = Options(after)
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)
    until(lambda: box.daemon.status()['video']['frames_captured'] > 10, 30, 0.05)
    box.change(video_source='test-screen')
    until(lambda: box.daemon.status()['video']['source'].startswith('test-screen'), 10, 0.05)
    pictures_flow(box)
    seen = receiver.enough()
    assert seen['frames'] > 0 and not seen['damaged'], seen
    assert box.get('video.source') == 'test-screen'


@effect('rates hold for who is here', 'video.min_bitrate video.bitrate video.max_bitrate')
def _(after):
    box = Options(after)
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)

    def target():
        rungs = [r for r in box.daemon.status()['video']['rungs'] if r['takers']]
        return rungs[0]['target_bps'] if rungs else 0
    until(target, 30, 0.05)
    box.change(video_min_bitrate='100k', video_bitrate='200k', video_max_bitrate='300k')
    until(lambda: 0 < target() <= 300000, 10, 0.05)
    box.change(video_min_bitrate='900k', video_bitrate='950k', video_max_bitrate='1M')
    until(lambda: 900000 <= target() <= 1000000, 10, 0.05)


@effect('none, two channels, another rate: the peer knows, and stays', 'audio.bitrate audio.channels audio.source')
def _(after):
    box = Options(after)

    def bytes_a_packet():
        first = box.daemon.status()['audio']
        until(lambda: box.daemon.status()['audio']['units_out'] >= first['units_out'] + 50, 20)
        last = box.daemon.status()['audio']
        return ((last['bytes_out'] - first['bytes_out']) /
                (last['units_out'] - first['units_out']))
    before = bytes_a_packet()
    box.change(audio_bitrate='128k')
    assert bytes_a_packet() > 1.5 * before
    box.change(audio_channels=2)
    until(lambda: box.info()['settings']['audio']['stereo'], 10)
    assert box.daemon.status()['audio']['channels'] == 2
    box.change(audio_source='none')
    until(lambda: box.info()['settings']['audio'] is False, 10)
    box.stayed()


@effect('peers are told', 'room.user_data')
def _(after):
    box = Options(after)
    box.change(room_user_data='{"name": "Hall 2"}')
    told = box.watch.event('peerUpdated', lambda p: p['peerId'] == box.ids[1][0])
    assert told['peerInfo']['userData'] == {'name': 'Hall 2'}, told
    box.stayed()


@effect('what becomes of an offer', 'transfer.accept transfer.max_files transfer.quota')
def _(after):
    box = Options(after)
    box.control.call('unsubscribe')     # nobody is there to be asked
    assert box.offer() != 'taken', 'nobody was asked'
    box.change(transfer_accept='always')
    assert box.offer() == 'taken'
    box.change(transfer_max_files=1)
    assert box.offer() != 'taken'
    box.change(transfer_max_files=10, transfer_quota=1)
    assert box.offer() != 'taken'
    box.change(transfer_quota=100)
    assert box.offer() == 'taken'
    box.change(transfer_max_file=1)
    assert box.offer() == 'taken'       # a megabyte is what is allowed
    box.change(transfer_accept='never')
    assert box.offer() != 'taken'
    box.stayed()


@effect('a longer one is refused', 'transfer.max_file')
def _(after):
    box = Options(after, FILE + '[transfer]\naccept = always\nmax_file = 1\n')
    with open(os.path.join(box.state, 'long'), 'wb') as f:
        f.truncate(1500000)

    def offer():
        with open(os.path.join(box.state, 'long'), 'rb') as f:
            return box.watch.answer(box.watch.send(
                'sendBlobData', {'data': {'fd': 0, 'name': 'long'}}, [f.fileno()]))
    refusal(offer)
    box.change(transfer_max_file=2)
    assert offer()['state'] == 'uploadCompleted'
    box.stayed()


@effect('what is too old goes at once', 'transfer.keep')
def _(after):
    box = Options(after, FILE + '[transfer]\naccept = always\n')
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
    box.change(transfer_keep=1)
    assert box.control.call('transfer.received') == []


@effect('one more is not answered, and then is', 'network.max_peers')
def _(after):
    box = Options(after)
    box.change(network_max_peers=1)
    more = Daemon(*PEER, '--set', f'room.server={box.url}')
    after(more.stop)
    until(lambda: box.daemon.status()['room']['peers_refused'] > 0, 20, 0.05)
    assert len(box.control.call('stats.peers')) == 1
    box.change(network_max_peers=2)
    control = more.control()
    after(control.close)
    control.call('joinRoom', room='lobby')
    until(lambda: len(box.control.call('stats.peers')) == 2, 20, 0.05)
    assert box.ids[0][0] in box.here()[0]


@effect('more are refused, those that are here stay', 'control.max_clients')
def _(after):
    box = Options(after, peer=False)
    box.change(control_max_clients=1)
    second = box.daemon.control()
    after(second.close)
    try:
        refused = refusal(second.call, 'stats.peers')
        assert 'Too many clients' in str(refused), refused
    except (EOFError, OSError):
        pass
    box.change(control_max_clients=2)
    until(lambda: box.daemon.status()['control']['clients'] == 2, 10)


@effect('told there, and there alone', 'control.metrics')
def _(after):
    box = Options(after, peer=False)
    path = os.path.join(box.daemon.folder, 'metrics.sock')

    def answers():
        with socket.socket(socket.AF_UNIX) as s:
            if s.connect_ex(path):
                return b''
            s.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
            return b''.join(iter(lambda: s.recv(1 << 16), b''))

    assert not answers()
    box.change(control_metrics=f'unix:{path}')
    assert b'\nskylink_peers 0\n' in answers()
    box.change(control_metrics='')
    assert not answers() and not os.path.exists(path)


@effect('files are opened there, and nowhere else', 'control.source_folders')
def _(after):
    box = Options(after, peer=False)
    folder = tempfile.mkdtemp(prefix='skylink-sources-', dir=box.state)
    path = os.path.join(folder, 'pictures.h264')
    with open(path, 'wb'):
        pass

    def ask(name, method='getUserMedia'):
        source = f'h264:{name}'
        params = {'source': source} if method == 'shareScreen' else \
            {'options': {'video': {'source': source}}}
        return str(refusal(box.control.call, method, **params))

    assert 'control.source_folders' in ask(path)
    box.change(control_source_folders=folder)
    assert 'control.source_folders' not in ask(path)        # there is nothing in it
    for other in ('/etc/passwd', f'{folder}/../pictures.h264', f'{folder}x/pictures.h264',
                  os.path.relpath(path, '/'), folder):
        for method in ('getUserMedia', 'sendStream', 'shareScreen'):
            assert 'control.source_folders' in ask(other, method), (other, method)
    box.change(control_source_folders='')
    assert 'control.source_folders' in ask(path)


@effect('other files are not to be had, or are', 'security.landlock')
def _(after):
    box = Options(after, peer=False)
    landlock = box.daemon.status()['process']['landlock']
    if not landlock['abi']:
        assert landlock['reason'], landlock
    path = scratch(after, '')
    ask = {'control.source_folders': os.path.dirname(path)}

    def effects():
        changed = box.control.call('config.set', values=ask, dryRun=True)['changed']
        return [c['effect'] for c in changed]
    assert effects() == ['restart' if landlock['abi'] else 'applied']
    box.change(security_landlock='off')
    assert box.daemon.status()['process']['landlock'] == {
        'abi': 0, 'reason': 'security.landlock says so'}
    assert effects() == ['applied']


@effect('what is logged', 'log.level')
def _(after):
    box = Options(after, peer=False)
    assert 'DEBUG' not in box.daemon.log()
    box.change(log_level='debug')
    box.control.call('leaveRoom')
    until(lambda: 'DEBUG' in box.daemon.log(), 10)
    box.change(log_level='error')
    size = len(box.daemon.log())
    box.control.call('joinRoom')
    assert 'joined room' not in box.daemon.log()[size:]



@effect('silence, and louder', 'audio.volume')
def _(after):
    box = Options(after)
    loud = until(lambda: 0 < box.daemon.status()['audio']['level'] < 127 and
                 box.daemon.status()['audio']['level'], 20)
    box.change(audio_volume=10)      # a tenth is 20 dB less
    until(lambda: loud + 15 <= box.daemon.status()['audio']['level'] < 127, 20, 0.05)
    box.change(audio_volume=0)
    until(lambda: box.daemon.status()['audio']['level'] == 127, 20, 0.05)
    box.stayed()


@effect('from the start, and the peer knows', 'audio.muted video.muted')
def _(after):
    box = Options(after, peer=False)
    box.change(audio_muted='yes', video_muted='yes')
    status = box.joined()
    assert status['audio']['muted'] and status['video']['muted'], status
    peer = Daemon(*PEER, '--set', f'room.server={box.url}')
    after(peer.stop)
    control = peer.control()
    after(control.close)
    ids = until(lambda: [p['peerId'] for p in control.call('stats.peers')], 20, 0.05)
    told = control.call('getPeerInfo', peerId=ids[0])['mediaStatus']
    assert told == {'audioMuted': True, 'videoMuted': True}, told


@effect('the codec that peers are given', 'video.codec')
def _(after):
    box = Options(after, peer=False)
    box.change(video_codec='vp8')
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)
    until(lambda: [r['codec'] for r in box.daemon.status()['video']['rungs'] if r['takers']] ==
          ['VP8'], 30, 0.05)


# --- what is on the wire ------------------------------------------------------------
def is_rtp(payload):
    return len(payload) > 20 and 128 <= payload[0] < 192 and not 192 <= payload[1] < 224


def code_points(capture, n, fits):
    """How n datagrams are marked."""
    seen = set()
    while n:
        _, dscp, payload = capture.datagram()
        if fits(payload):
            seen.add(dscp)
            n -= 1
    return seen


@effect('marks of RTP, sound apart from picture; none on the rest',
        'network.dscp_audio network.dscp_video')
def _(after):
    need_network()
    for io in ('io_uring', 'epoll'):
        box = Options(after, FILE + f'io = {io}\n', peer=False)
        receiver = Receiver(box.url, 'lobby', 3600)
        after(receiver.kill)
        if box.daemon.status()['network']['io'] != io:
            raise Skip(box.daemon.status()['network']['io_reason'])
        until(lambda: box.daemon.status()['peers'] and
              box.daemon.status()['peers'][0]['packets'] > 50, 30, 0.05)
        capture = netns.Capture(after)
        # What the receiver sends (feedback) is marked as well, and alike.
        until(lambda: code_points(capture, 100, is_rtp) == {46, 34})
        box.change(network_dscp_audio=10, network_dscp_video=0)
        # What has been on its way is over at some time.
        until(lambda: code_points(capture, 100, is_rtp) == {10, 0})
        receiver.kill()


@effect('no more than so much, whatever is sent', 'network.data_bitrate')
def _(after):
    box = Options(after, FILE + '[transfer]\naccept = always\n')
    for on in (box.control, box.watch):
        on.call('unsubscribe')
    box.change(network_data_bitrate='2M')
    path = os.path.join(box.state, 'sent')
    with open(path, 'wb') as f:
        f.truncate(300000)
    box.watch.call('subscribe', events=['incomingDataRequest'])
    before = time.monotonic()
    with open(path, 'rb') as f:
        number = box.control.send('sendBlobData', {'data': {'fd': 0, 'name': 'a.bin'}},
                                  [f.fileno()])
    asked = box.watch.event('incomingDataRequest')
    with open(os.path.join(box.state, 'taken'), 'wb') as f:
        box.watch.answer(box.watch.send('acceptDataTransfer', {
            'peerId': asked['peerId'], 'transferId': asked['transferId'],
            'accept': True, 'destination': {'fd': 0}}, [f.fileno()]))
    assert box.control.answer(number)['state'] == 'uploadCompleted'
    # 300,000 bytes, 16 KiB of them at once: a lower bound, which no load moves.
    assert time.monotonic() - before > (300000 - 16384 - 65536) * 8 / 2e6
    box.change(network_data_bitrate='0')
    box.stayed()


@effect('shared by who is here; the picture yields', 'network.total_bitrate')
def _(after):
    box = Options(after, FILE.replace('fps = 15', 'fps = 15\nmin_bitrate = 100k'), peer=False)
    receivers = [Receiver(box.url, 'lobby', 3600) for _ in range(2)]
    for receiver in receivers:
        after(receiver.kill)

    def target():
        rungs = [r for r in box.daemon.status()['video']['rungs'] if r['takers'] == 2]
        return rungs[0]['target_bps'] if rungs else 0
    until(lambda: target() > 600000, 30, 0.05)
    box.change(network_total_bitrate='1M')
    # Half of it each; 48k and headers for sound.
    until(lambda: 0 < target() <= 422000, 20, 0.05)
    receivers[0].kill()
    box.change(network_total_bitrate='0')


@effect('what peers send stays with them', 'network.receive')
def _(after):
    box = Options(after, peer=False)

    def peer():
        daemon = Daemon('--source', 'test', '--set', 'network.loopback=yes', '--set',
                        f'room.server={box.url}')
        after(daemon.stop)
        until(lambda: box.daemon.status()['peers'] and
              box.daemon.status()['peers'][0]['packets'] > 50, 30, 0.05)
        return daemon
    first = peer()
    until(lambda: box.daemon.status()['peers'][0]['rtc']['receivedAudioPackets'] > 20, 20, 0.05)
    first.stop()
    box.change(network_receive='no')
    box.joined()
    second = peer()
    assert box.daemon.status()['peers'][0]['rtc']['receivedAudioPackets'] == 0
    assert second.status()['peers'][0]['packets'] == 0, 'it sends'


@effect('127.0.0.1 is offered, or not', 'network.loopback')
def _(after):
    need_network()
    machine = netns.Machine(after)
    netns.Link(after, 'lan', machine, '10.9.0.1', '10.9.0.20')
    box = Options(after, FILE.replace('loopback = yes', 'loopback = no'), peer=False)

    def peer():
        daemon = Daemon('--set', 'video.source=none', '--set', 'audio.source=none', '--set',
                        'network.addresses=127.0.0.1', '--set', f'room.server={box.url}')
        after(daemon.stop)
        return daemon

    def pairs():
        return [p['pair'] for p in box.control.call('stats.peers') if p['pair']]
    peer()
    until(lambda: box.control.call('stats.peers'), 20, 0.05)
    box.change(network_loopback='yes')
    peer()
    until(lambda: len(pairs()) == 1, 30, 0.05)
    assert pairs()[0].startswith('host 127.0.0.1:'), pairs()
    assert len(box.control.call('stats.peers')) == 2


def playout_delays(capture, n):
    """Whether the three bytes of the extension are in one of n packets of video."""
    found = False
    while n:
        _, _, payload = capture.datagram()
        if not is_rtp(payload) or not payload[0] & 16:
            continue
        n -= 1
        at = 12 + 4 * (payload[0] & 15)
        words = int.from_bytes(payload[at + 2:at + 4], 'big')
        block, i = payload[at + 4:at + 4 + 4 * words], 0
        while i < len(block) and block[i]:
            size = (block[i] & 15) + 1
            found = found or size == 3 and block[i + 1:i + 4] == bytes(3)
            i += 1 + size
    return found


@effect('backend, offload, demultiplexing, and what receivers are asked',
        'network.io network.gso network.demux network.playout_delay')
def _(after):
    need_network()
    box = Options(after, peer=False)

    def watched():
        receiver = Receiver(box.url, 'lobby', 3600)
        after(receiver.kill)
        until(lambda: box.daemon.status()['peers'] and
              box.daemon.status()['peers'][0]['packets'] > 50, 30, 0.05)
        capture = netns.Capture(after)
        return receiver, playout_delays(capture, 100), box.daemon.status()['network']
    receiver, asked, network = watched()
    assert asked and network['demux'] == 'kernel' and network['gso'], network
    receiver.kill()
    box.change(network_io='epoll', network_gso='off', network_demux='callback',
               network_playout_delay='receiver')
    receiver, asked, network = watched()
    assert not asked and network['io'] == 'epoll', network
    assert network['demux'] == 'callback' and not network['gso'], network


# --- how rooms are asked for ----------------------------------------------------------
class Recorder:
    """A mock of a room server that refuses: what it was asked, and how."""

    def __init__(self, after):
        self.asked, self.tls = [], 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self.listener.getsockname()[1]
        after(lambda: self.listener.shutdown(socket.SHUT_RDWR))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                self.listener.close()
                return
            with s:
                data = s.recv(65536)
                if data[:1] == b'\x16':
                    self.tls += 1
                elif data:
                    self.asked.append(data.split(b' ')[1].decode())
                    s.sendall(b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n'
                              b'Connection: close\r\n\r\n')


@effect('what the room server is asked', 'room.server room.app_key room.name room.start '
        'room.duration room.region room.secret_file room.force_ssl')
def _(after):
    recorder = Recorder(after)
    box = Options(after, peer=False)
    box.change(room_server=recorder.url, room_app_key='kiosk', room_name='hall',
               room_region='sg', room_secret_file=scratch(after, 's3cret\n', folder=box.state),
               room_start='2031-01-31T09:00:00.000Z', room_duration=7)
    asked = until(lambda: recorder.asked and recorder.asked[-1], 20, 0.05)
    assert asked.startswith('/api/kiosk/hall/2031-01-31T09:00:00.000Z/7?'), asked
    assert 'cred=' in asked and '&rg=sg' in asked, asked
    assert 's3cret' not in asked and not recorder.tls
    box.change(room_force_ssl='yes')
    until(lambda: recorder.tls, 20, 0.05)


@effect('the one that signs itself is trusted by its file', 'room.ca_file')
def _(after):
    server = Server('--tls')
    after(server.stop)
    box = Options(after, FILE.replace('[video]', 'server = https://127.0.0.1:%d\n[video]' %
                                      server.port), peer=False, arguments=())
    until(lambda: box.daemon.status()['room']['error'], 20, 0.05)
    assert server.stats()['clients'] == 0
    box.change(room_ca_file=scratch(
        after, ssl.get_server_certificate(('127.0.0.1', server.port)), folder=box.state))
    assert box.joined()['room']['server'].startswith('https:')
    assert server.stats()['clients'] == 1


@effect('by polling alone', 'room.transport')
def _(after):
    box = Options(after, peer=False)
    assert box.joined()['room']['transport'] == 'websocket'
    box.change(room_transport='polling')
    assert box.joined()['room']['transport'] == 'polling'


@effect('how long a server that says nothing is waited for', 'room.socket_timeout')
def _(after):
    box, silent = SLOW
    # The default would be 7 s: a lower bound, which no load moves.
    until(lambda: any(seconds > 8.9 for seconds in silent.held), 60, 0.05)
    Options.changed.add('room.socket_timeout')
    end_slow()


# --- relays ------------------------------------------------------------------------------
class Relay:
    """Where TURN and STUN requests arrive; it never answers."""

    def __init__(self, after):
        self.tcp = socket.create_server(('127.0.0.1', 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = self.tcp.getsockname()[1]
        self.udp.bind(('127.0.0.1', self.port))
        for s in (self.tcp, self.udp):
            after(s.close)

    def came(self, sock):
        """What waits is taken away."""
        sock.setblocking(False)
        n = 0
        try:
            while True:
                if sock is self.tcp:
                    sock.accept()[0].close()
                else:
                    sock.recv(2048)
                n += 1
        except BlockingIOError:
            return n


@effect('what of the room is used', 'network.turn network.turn_transport network.force_turn')
def _(after):
    relay = Relay(after)
    server = Server('--turn', f'127.0.0.1:{relay.port}', '--turn-secret', 'north')
    after(server.stop)
    box = Options(after, FILE.replace('[video]', f'server = {server.url[:-1]}\n[video]'),
                  peer=False, arguments=())
    peer = Daemon(*PEER, '--set', f'room.server={server.url[:-1]}')
    after(peer.stop)
    control = peer.control()
    after(control.close)
    control.call('subscribe', events=['channelMessage'])

    def servers():
        room = box.joined()['room']
        return room['ice_servers'], room['ice_servers_not_wanted']

    def met():
        """The peer is told of the box's candidates."""
        return until(lambda: box.control.call('stats.peers'), 20, 0.05)
    met()
    usual = servers()
    box.change(network_turn_transport='tcp')
    met()
    until(lambda: relay.came(relay.tcp), 20, 0.05)
    box.change(network_turn_transport='udp')
    relay.came(relay.udp)
    met()
    until(lambda: relay.came(relay.udp), 20, 0.05)
    box.change(network_force_turn='yes')
    met()
    told = control.event('channelMessage', lambda p: p['message']['type'] in (
        'offer', 'answer') and p['message']['mid'] == box.joined()['room']['id'])
    assert ' host ' not in json.dumps(told) and ' typ host' not in json.dumps(told), told
    box.change(network_force_turn='no', network_turn='no')
    assert servers()[0] < usual[0], (servers(), usual)


# --- the room server inside ------------------------------------------------------------------
INSIDE = '''[room]
name =
[roomserver]
enabled = yes
listen = 127.0.0.1:0
[video]
source = none
[audio]
source = none
'''


class Inside(Server):
    """The room server of a daemon, as its clients see it."""

    def __init__(self, url):
        self.url = url if url.endswith('/') else url + '/'
        self.host, _, port = re.sub('^https?://', '', url).strip('/').rpartition(':')
        self.port = int(port)


def certificate(port):
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(('127.0.0.1', port)))
    done = subprocess.run(['openssl', 'x509', '-inform', 'DER', '-noout', '-text'], input=der,
                          capture_output=True, check=True)
    return done.stdout.decode()


@effect('keys, room of the page, relay, certificate', 'roomserver.app_key '
        'roomserver.viewer_room roomserver.tls roomserver.names roomserver.keys_file '
        'roomserver.turn roomserver.turn_secret_file roomserver.certificate_file '
        'roomserver.certificate_key_file')
def _(after):
    box = Options(after, INSIDE, peer=False, arguments=())

    def status(path):
        return Inside(box.url).request('GET', path)[0]
    assert status('/api/demo/lobby?rand=1') == 200
    assert 'DNS:door.example' not in certificate(Inside(box.url).port)
    # One of its own making stays, once it is made.
    os.unlink(os.path.join(box.state, 'roomserver.pem'))
    box.change(roomserver_app_key='kiosk', roomserver_viewer_room='hall',
               roomserver_names='door.example', roomserver_turn='relay.example:3478',
               roomserver_turn_secret_file=scratch(after, 'north\n'))
    assert status('/api/kiosk/lobby?rand=1') == 200
    assert status('/api/demo/lobby?rand=1') != 200
    told = json.loads(Inside(box.url).request('GET', '/viewer-config.json')[2])
    assert 'hall' in told.values(), told
    assert 'DNS:door.example' in certificate(Inside(box.url).port)
    answer = WebSocket(Inside(box.url)).join(key='kiosk').answer
    entry, = answer['pc_config']['iceServers']
    assert 'relay.example' in json.dumps(entry) and entry['credential'], entry
    own, key = scratch(after), scratch(after)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=operator.example',
                    '-days', '2', '-keyout', key, '-out', own], check=True, capture_output=True)
    box.change(roomserver_certificate_file=own, roomserver_certificate_key_file=key,
               roomserver_keys_file=scratch(after, '[kiosk]\n[other]\nsecret = s3cret\n'))
    assert 'CN = operator.example' in certificate(Inside(box.url).port).replace('CN=', 'CN = ')
    assert status('/api/other/lobby?rand=1') not in (200, 404)
    box.change(roomserver_tls='no')
    try:
        certificate(Inside(box.url).port)
    except OSError:
        return
    raise AssertionError('it still speaks TLS')


@effect('on or off, and where', 'roomserver.enabled roomserver.listen')
def _(after):
    box = Options(after, INSIDE.replace('enabled = yes\nlisten = 127.0.0.1:0\n', ''),
                  peer=False, arguments=())
    assert box.daemon.status()['roomserver'] is None
    with socket.create_server(('127.0.0.2', 0)) as free:
        port = free.getsockname()[1]
    box.listens = True
    box.change(roomserver_enabled='yes', roomserver_listen=f'127.0.0.2:{port}')
    assert Inside(box.url).host == '127.0.0.2' and Inside(box.url).port == port
    assert Inside(box.url).request('GET', '/')[0] == 200


def fits(server, most):
    """Of clients that join, so many get in."""
    joined = []
    try:
        while len(joined) <= most:
            joined.append(WebSocket(server).join())
    except Exception:       # refused in one of several ways
        pass
    for client in joined:
        client.close()
    return len(joined)


@effect('so many, and so many of one address', 'roomserver.max_clients '
        'roomserver.max_clients_per_address')
def _(after):
    box = Options(after, INSIDE, peer=False, arguments=())
    assert fits(Inside(box.url), 5) == 6
    box.change(roomserver_max_clients_per_address=3)
    assert fits(Inside(box.url), 5) <= 3
    box.change(roomserver_max_clients_per_address=100, roomserver_max_clients=2)
    assert fits(Inside(box.url), 5) <= 2


def page(machine, url, *arguments):
    """The status that another machine is answered with."""
    done = subprocess.run([*machine.prefix, 'curl', '-sk', '-o', '/dev/null', '-w',
                           '%{http_code}', *arguments, url], capture_output=True, text=True,
                          check=False)
    return int(done.stdout or 0)


@effect('who may see what, from another machine', 'roomserver.viewer_access '
        'roomserver.viewer_password_file console.listen console.tls console.password_file')
def _(after):
    need_network()
    if not shutil.which('curl'):
        raise Skip('curl is not installed')
    machine = netns.Machine(after)
    netns.Link(after, 'lan', machine, '10.9.0.1', '10.9.0.20')
    box = Options(after, INSIDE.replace('127.0.0.1:0', '10.9.0.1:0'), peer=False, arguments=())
    secure = box.url.replace('http:', 'https:')

    def may_watch():
        return page(machine, secure) == 200
    assert not may_watch(), 'the page is open'
    box.change(roomserver_viewer_access='open')
    secure = box.url.replace('http:', 'https:')
    assert may_watch()
    box.change(roomserver_viewer_access='login',
               roomserver_viewer_password_file=scratch(after, 'watching-only'),
               console_password_file=scratch(after, 'correct-horse'),
               console_listen='10.9.0.1:8443')
    secure = box.url.replace('http:', 'https:')
    assert not may_watch()

    def login(password, url):
        return page(machine, url + 'login', '-H', 'Content-Type: application/json', '-H',
                    f'Origin: {url[:-1]}', '-d', json.dumps({'password': password}))
    assert login('watching-only', secure) in (200, 204), login('watching-only', secure)
    assert login('correct-horse', secure) in (200, 204), login('correct-horse', secure)
    assert box.daemon.status()['roomserver']['logins_failed'] == 0
    assert login('wrong-password', secure) not in (200, 204)
    assert box.daemon.status()['roomserver']['logins_failed'] == 1
    assert '1 failed login' in box.ctl('status').stdout
    console = 'https://10.9.0.1:8443/'
    assert page(machine, console) not in (0, 200, 404), page(machine, console)
    assert page(machine, console.replace('https', 'http') + 'login') != 200
    assert re.search(r'its certificate has SHA-256 [0-9A-F:]{95}$', box.daemon.log(), re.M)
    assert 'console.tls = no' not in box.daemon.log()
    box.change(console_tls='no')
    assert 'console.tls = no' in box.daemon.log()
    assert page(machine, console) == 0


# --- places -----------------------------------------------------------------------------------
@effect('files are kept there', 'transfer.directory')
def _(after):
    box = Options(after, FILE + '[transfer]\naccept = always\n', peer=False)
    there = os.path.join(box.state, 'elsewhere')
    os.mkdir(there, 0o700)
    box.change(transfer_directory=there)
    box.peer = Daemon(*PEER, '--set', f'room.server={box.url}')
    after(box.peer.stop)
    box.watch = box.peer.control()
    after(box.watch.close)
    box.connected()
    assert box.offer() == 'taken'
    until(lambda: 'a.bin' in os.listdir(there), 10)


@effect('it answers there', 'control.socket')
def _(after):
    box = Options(after, INSIDE, peer=False, arguments=())
    path = os.path.join(box.state, 'other.sock')
    with open(box.daemon.config, 'a', encoding='utf-8') as f:
        f.write(f'[control]\nsocket = {path}\n')
    changed = box.control.call('config.reload')['changed']
    # The command line says where; it prevails, so nothing changes here.
    assert changed == [], changed
    after(box.daemon.stop)
    run = subprocess.Popen([*box.daemon.process.args[:1], '--config', box.daemon.config],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def stop():
        run.terminate()
        run.wait(20)
    after(stop)

    def answers():
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(path) == 0
    until(answers, 20, 0.05)
    Options.changed.add('control.socket')


# --- the clock ---------------------------------------------------------------------------------
@effect('the room of the hour', 'room.schedule room.time_zone')
def _(after):
    box = Options(after, peer=False)
    box.joined()
    box.change(room_schedule='Mon-Sun 00:00-24:00 = planned')
    until(lambda: box.daemon.status()['room']['name'] == 'planned', 20, 0.05)
    assert box.control.call('schedule.get')['source'] == 'schedule'
    box.change(room_time_zone='Asia/Tokyo')
    assert box.control.call('schedule.get')['time_zone'] == 'Asia/Tokyo'


def is_kept(path):
    """The state says that somebody joined this room."""
    try:
        with open(path, encoding='utf-8') as f:
            state = json.load(f)
    except FileNotFoundError:
        return False
    return state.get('room') == 'found' and state.get('byHand')


@effect('the room that was left by a crash, or not', 'room.recover')
def _(after):
    for wanted in ('yes', 'no'):
        box = Options(after, FILE.replace('name = lobby', 'name ='), peer=False)
        if wanted == 'no':
            box.change(room_recover='no')
        box.control.call('joinRoom', room='found')
        box.joined()
        path = os.path.join(box.state, 'life', 'state.json')
        until(lambda: is_kept(path), 20, 0.05)
        box.daemon.process.kill()
        box.daemon.process.wait()
        shutil.rmtree(box.daemon.folder)
        box.start()
        box.url = box.daemon.url()
        if wanted == 'yes':
            until(lambda: box.daemon.status()['room']['name'] == 'found', 20, 0.05)
        else:
            assert box.daemon.status()['room']['state'] == 'idle'


@effect('when it comes, or not', 'selftest.enabled selftest.hour')
def _(after):
    box = Options(after, peer=False)

    def hour():
        at = box.control.call('selftest.show').get('next')
        return at and time.gmtime(at).tm_hour
    box.control.call('config.set', values={'room.time_zone': 'UTC'})
    assert hour() == 3, hour()
    box.change(selftest_hour=17)
    assert hour() == 17, hour()
    box.change(selftest_enabled='no')
    assert not hour(), hour()


if not os.environ.get('ONLY') and not suite.failed:
    @suite.case('every option of the table was seen, and none that is not there')
    def _(after):
        box = Options(after, peer=False)
        table = {o['name'] for o in box.control.call('config.get')}
        for option, where in ELSEWHERE.items():
            path, _, word = where.partition(': ')
            with open(os.path.join(TOP, path), encoding='utf-8') as f:
                assert (word or option) in f.read(), f'{path} does not speak of {option}'
        unseen = table - set(SEEN) - set(ELSEWHERE)
        strange = (set(SEEN) | set(ELSEWHERE)) - table
        assert not unseen, f'no effect is seen of {", ".join(sorted(unseen))}'
        assert not strange, f'not in the table: {", ".join(sorted(strange))}'


suite.finish()
