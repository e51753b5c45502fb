# SPDX-License-Identifier: Apache-2.0
"""tests/system/week.py - a week in a room, an hour with each event

A box with a picture and a sound, a second box that sends and takes files, up to
three receivers, a room server. What happens in a week happens in random order,
from a seed that is printed; with each event an hour passes on everybody's clock
(tests/clock-offset.c). After each, when the dust has settled, everything that
must be so is looked at: who is connected with whom, that pictures flow to each,
what is muted, locked and configured, that no transfer is left over, that equal
states have equal descriptors and threads, and nobody complained in the log.
"""
import hashlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from churn import Watched, probed, slope
from clock import Clock
from daemon import SMALL, Daemon, Receiver, Refused, program
from wire import Server, until

RECEIVERS_MAX = 3
SETTLE_S = 60
# What an event may leave on the heap for good, and what a sample may be off.
HEAP_BYTES_AN_EVENT = 512
HEAP_NOISE = 256 << 10
# glib's worker threads come and go with names that are resolved.
SPARE_THREADS = 3


class Week:
    def __init__(self, after, seed):
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix='skylink-week-')
        after(lambda: shutil.rmtree(self.folder))
        self.clock = Clock(self.folder)
        for name in ('box', 'friend'):
            os.mkdir(os.path.join(self.folder, f'state-{name}'))
        self.server = Server(environment=self.clock.environment())
        after(lambda: self.server.stop())
        self.url = self.server.url
        probe, path = probed(self.folder, 'box')
        self.box = self.start('box', '--source', 'test', *SMALL,
                              environment=self.clock.environment(probe))
        after(self.box.stop)
        self.watched = Watched('box', self.box.process.pid, path)
        self.friend = self.start('friend', '--set', 'video.source=none', '--set',
                                 'audio.source=none', environment=self.clock.environment())
        after(lambda: self.friend.stop())
        self.control = self.box.control()
        self.friend_control = self.friend.control()
        self.receivers, self.friend_here = [], True
        after(self.end_receivers)
        self.muted, self.locked, self.stream, self.bitrate = (False, False), False, 'camera', None
        self.files = 0
        self.seen = {}      # state: what it cost at first
        self.growth = []    # (event, by how much the state costs more than that)
        self.events = 0

    def start(self, name, *options, environment):
        return Daemon(*options, '--set', f'room.server={self.url}', '--set',
                      f'transfer.directory={self.folder}/{name}', '--set',
                      'transfer.accept=always', '--set', 'network.loopback=yes',
                      '--set', 'video.codec=auto', environment=environment,
                      state=os.path.join(self.folder, f'state-{name}'))

    def end_receivers(self):
        for r in self.receivers:
            r.kill()

    # --- what must be so ---------------------------------------------------
    def n_peers(self):
        return len(self.receivers) + self.friend_here

    def complaints(self):
        s = self.control.call('stats.status')
        n = self.n_peers()
        said = []

        def want(what, is_so, should):
            if is_so != should:
                said.append(f'{what}: {is_so!r} and not {should!r}')

        want('room', s['room']['state'], 'joined')
        want('locked', s['room']['locked'], self.locked)
        want('kept peers', s['room']['kept_peers'], 0)
        want('peers', sorted(p['state'] for p in s['peers']), ['connected'] * n)
        want('transfers', s['transfers'], 0)
        want('clients of the server', self.server.stats()['clients'], 1 + n)
        if self.stream:
            want('muted', (s['audio']['muted'], s['video']['muted']), self.muted)
            want('takers', sum(r['takers'] for r in s['video']['rungs']), n)
            want('source', s['video']['state'], 'live' if n else 'idle')
            want('sound', s['audio']['state'], 'live' if n else 'idle')
        else:
            want('video', s['video'], None)
            want('codecs', [p['codec'] for p in s['peers'] if p['codec']], [])
        if self.bitrate:
            values = self.control.call('config.get', names=['video.bitrate'])
            want('bit rate', str(values[0]['value']), str(self.bitrate))
        if self.friend_here:
            f = self.friend_control.call('stats.status')
            want('friend in', f['room']['state'], 'joined')
            want('peers of the friend', sorted(p['state'] for p in f['peers']),
                 ['connected'] * n)
            want('transfers of the friend', f['transfers'], 0)
        return said, s

    def settle(self):
        last = []

        def settled():
            last[:] = self.complaints()[0]
            return not last
        try:
            until(settled, SETTLE_S, 0.05)
        except AssertionError:
            raise AssertionError('; '.join(last)) from None

    def pictures(self):
        return {p['peerId']: p['rtc']['videoPackets']
                for p in self.control.call('stats.status')['peers']}

    def flows(self):
        """To each peer that is here more packets leave than had left."""
        if not self.stream:
            return
        before = self.pictures()
        until(lambda: all(now > before.get(peer, -1) for peer, now in self.pictures().items()),
              SETTLE_S, 0.05)

    def same_state_costs_the_same(self):
        """Descriptors of a state seen before: what was there then, and no more."""
        codecs = len(self.control.call('stats.status')['video']['rungs']) if self.stream else 0
        state = (len(self.receivers), self.friend_here, self.stream, codecs)
        now = self.watched.read()
        seen = self.seen.setdefault(state, now)
        until(lambda: self.watched.read()['fds'] <= seen['fds'], SETTLE_S, 0.1)
        until(lambda: self.watched.read()['threads'] <= seen['threads'] + SPARE_THREADS,
              SETTLE_S, 0.1)
        seen['fds'] = max(seen['fds'], self.watched.read()['fds'])
        if 'heap' in now:
            now = self.watched.read()
            self.growth.append((self.events, {'heap': now['heap'] - seen['heap']}))

    def check(self):
        self.settle()
        self.flows()
        self.same_state_costs_the_same()
        for daemon in (self.box, self.friend):
            assert daemon.process.poll() is None, daemon.log()[-3000:]
            assert 'CRITICAL' not in daemon.log(), daemon.log()[-3000:]

    # --- what happens ------------------------------------------------------
    def peer_comes(self):
        if len(self.receivers) < RECEIVERS_MAX and not self.locked:
            self.receivers.append(Receiver(self.url, 'lobby', 1000000,
                                           self.random.choice(['h264', 'vp8'])))

    def peer_goes(self):
        """By turns with a word, and killed."""
        if self.receivers:
            r = self.receivers.pop(self.random.randrange(len(self.receivers)))
            if self.random.random() < 0.5:
                r.process.terminate()
                r.process.wait(timeout=20)
            r.kill()

    def friend_comes_or_goes(self):
        if self.locked:
            return
        self.friend_control.call(*(['leaveRoom'] if self.friend_here else ['joinRoom']))
        self.friend_here = not self.friend_here

    def friend_restarts(self):
        if self.locked:
            return
        self.friend_control.close()
        self.friend.stop()
        self.friend = self.start('friend', '--set', 'video.source=none', '--set',
                                 'audio.source=none', environment=self.clock.environment())
        self.friend_control = self.friend.control()
        self.friend_here = True

    def mute(self):
        if not self.stream:
            return
        self.muted = self.random.choice([(a, v) for a in (True, False) for v in (True, False)])
        self.control.call('muteStream', options={'audioMuted': self.muted[0],
                                                 'videoMuted': self.muted[1]})

    def another_stream(self):
        """The camera pulled and put in again, as far as a test picture can be; a
        screen before it."""
        if self.stream == 'camera' and self.random.random() < 0.5:
            self.control.call('shareScreen', source='test', enableAudio=True)
            self.stream = 'screen'
        elif self.stream == 'screen':
            self.control.call('stopScreen')
            self.stream = 'camera'
        elif self.stream:
            self.control.call('stopStream')
            self.stream = None
        else:
            self.control.call('sendStream', options={'audio': True, 'video': True})
            self.stream = 'camera'

        if self.stream:
            s = self.control.call('stats.status')
            self.muted = (s['audio']['muted'], s['video']['muted'])

    def reload(self):
        if self.random.random() < 0.3 and self.bitrate:
            self.control.call('config.reset', names=['video.bitrate'])
            self.bitrate = None
        else:
            self.bitrate = self.random.randrange(300000, 3000000, 1000)
            self.control.call('config.set', values={'video.bitrate': str(self.bitrate)})

    def bad_reload(self):
        try:
            self.control.call('config.set', values={'video.bitrate': 'plenty'})
        except Refused:
            return
        raise AssertionError('a bit rate of "plenty" was taken')

    def hangup_signal(self):
        self.box.process.send_signal(signal.SIGHUP)

    def server_restarts(self):
        self.server.stop()
        self.server = Server('--listen', f'127.0.0.1:{self.server.port}',
                             environment=self.clock.environment())
        assert self.server.url == self.url
        # a lock is the server's, and went with it
        self.locked = False

    def network_stands_still(self):
        """A receiver's process stands for less than its connection takes."""
        if self.receivers:
            r = self.random.choice(self.receivers)
            r.process.send_signal(signal.SIGSTOP)
            before = self.watched.read()
            self.messages(self.random.randrange(1, 20))
            assert self.watched.read()['threads'] <= before['threads'] + SPARE_THREADS
            r.process.send_signal(signal.SIGCONT)

    def refresh(self):
        if self.n_peers():
            self.control.call('refreshConnection', iceRestart=self.random.random() < 0.5)

    def lock(self):
        self.control.call('unlockRoom' if self.locked else 'lockRoom')
        self.locked = not self.locked

    def rejoin(self):
        if self.locked:
            return
        self.control.call('leaveRoom', stopMediaOptions=False)
        self.control.call('joinRoom')

    def messages(self, n=5):
        if self.friend_here:
            for i in range(n):
                self.control.call('sendMessage', message={'n': i})
                self.control.call('setUserData', userData={'hours': self.clock.hours, 'n': i})

    def file(self, receiver=None):
        """Either way, and whole."""
        if not self.friend_here:
            return
        receiver = receiver or self.random.choice(['box', 'friend'])
        sender = self.control if receiver == 'friend' else self.friend_control
        data = self.random.randbytes(self.random.randrange(1, 2 << 20))
        self.files += 1
        name = f'{self.files}.bin'
        path = os.path.join(self.folder, 'source')
        with open(path, 'wb') as f:
            f.write(data)
        target = self.id_of(receiver)
        with open(path, 'rb') as f:
            n = sender.send('sendBlobData', {'data': {'fd': 0, 'name': name},
                                             'targetPeerId': target}, [f.fileno()])
        assert sender.answer(n)['state'] == 'uploadCompleted'
        with open(os.path.join(self.folder, receiver, name), 'rb') as f:
            assert hashlib.sha256(f.read()).digest() == hashlib.sha256(data).digest()
        os.unlink(path)
        (self.friend_control if receiver == 'friend' else self.control).call(
            'transfer.remove', name=name)

    def id_of(self, name):
        control = self.friend_control if name == 'friend' else self.control
        return control.call('stats.status')['room']['id']

    def clients(self):
        """A crowd at the control socket; some leave in the middle of a word."""
        crowd = [self.box.control() for _ in range(10)]
        for i, c in enumerate(crowd):
            c.send('subscribe', {'events': ['peerJoined']})
            if i % 2:
                c.socket.sendall(b'{"jsonrpc":"2.0",')
        for c in crowd:
            c.close()

    HAPPENINGS = [(peer_comes, 5), (peer_goes, 4), (friend_comes_or_goes, 2),
                  (friend_restarts, 1), (mute, 3), (another_stream, 3), (reload, 2),
                  (bad_reload, 1), (hangup_signal, 1), (server_restarts, 1),
                  (network_stands_still, 1), (refresh, 2), (lock, 1), (rejoin, 1),
                  (messages, 2), (file, 3), (clients, 1)]

    def happen(self):
        functions, weights = zip(*self.HAPPENINGS)
        what = self.random.choices(functions, weights)[0]
        # nobody finds a locked room open again by chance
        if self.locked and self.random.random() < 0.5:
            what = Week.lock
        start = time.monotonic()
        what(self)
        self.clock.go_on(1)
        try:
            self.check()
        except Exception as error:
            raise AssertionError(f'hour {self.clock.hours}, after {what.__name__}: '
                                 f'{error}') from error
        self.events += 1
        return what.__name__, time.monotonic() - start


def live(after, hours, seed, tell):
    """So many hours; tell(week, name, seconds) after each."""
    week = Week(after, seed)
    week.settle()
    # What is opened once, and then kept: the spools, the set-file's folder.
    for receiver in ('box', 'friend'):
        week.file(receiver)
    week.reload()
    week.check()
    for _ in range(hours):
        tell(week, *week.happen())
    return week


def check_heap(week, warm):
    """States cost what they cost before: the slope of what they cost more."""
    if not week.growth:
        return
    per_event = slope(week.growth, 'heap', warm)
    print(f'# box: {per_event:+.0f} bytes of heap an event', flush=True)
    span = week.events - warm
    assert per_event <= HEAP_BYTES_AN_EVENT + HEAP_NOISE / span, per_event
