# SPDX-License-Identifier: Apache-2.0
"""tests/system/box.py - a daemon whose configuration changes, and its peer"""
import os
import shutil
import subprocess
import tempfile

from daemon import Daemon, Refused, program
from wire import until

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

    def __init__(self, after, config=FILE, peer=True, state=None,
                 arguments=('--listen', '127.0.0.1:0')):
        self.after = after
        self.arguments = arguments
        self.listens = '--listen' in arguments or 'enabled = yes' in config
        self.state = state or tempfile.mkdtemp(prefix='skylink-state-')
        after(lambda: shutil.rmtree(self.state, ignore_errors=True))
        self.set_file = os.path.join(self.state, 'conf.d', '90-set.conf')
        self.text = config
        self.daemon = None
        self.start()
        self.url = self.daemon.url() if self.listens else None
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
        self.daemon = daemon = Daemon(*self.arguments, config=self.text,
                                      state=self.state)
        self.after(daemon.stop)
        self.control = control = daemon.control()
        self.after(control.close)
        self.control.call('subscribe')

    def restart(self):
        self.control.close()
        self.daemon.stop()
        self.start()
        self.url = self.daemon.url() if self.listens else None

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
