#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The control socket is somebody else's, and a restart cuts nobody off.

What stands for systemd here is a mock: it listens at the control socket and
hands it to the daemons (LISTEN_FDS). The real one is in tests/vm/test-package.
"""
import os
import shutil
import socket
import subprocess
import tempfile

from daemon import SMALL, Control, Receiver, Refused, program
from wire import Suite, until

suite = Suite()
case = suite.case
# $LISTEN_PID is the daemon's own: the shell becomes it.
HAND_OVER = 'exec 3<&"$FD"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'
ALONE = ['--source', 'test', *SMALL, '--set', 'room.server=http://127.0.0.1:9']
SERVER = ['--source', 'test', *SMALL, '--listen', '127.0.0.1:0']


class Manager:
    """Keeps the socket; starts daemons, one after the other."""

    def __init__(self, after):
        self.folder = tempfile.mkdtemp(prefix='skylink-restart-')
        self.path = os.path.join(self.folder, 'control.sock')
        self.config = os.path.join(self.folder, 'skylink.conf')
        self.configure('')
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.process = None
        after(self.end)

    def configure(self, text):
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write(text)

    def start(self, *arguments, supervised=True):
        fd = self.listener.fileno()
        environment = dict(os.environ, FD=str(fd))
        environment.pop('NOTIFY_SOCKET', None)
        if supervised:      # nobody reads there, nor needs to
            environment['NOTIFY_SOCKET'] = os.path.join(self.folder, 'notify')
        with open(os.path.join(self.folder, 'log'), 'ab') as log:
            self.process = subprocess.Popen(
                ['sh', '-c', HAND_OVER, program('appliance/skylinkd'), '--config', self.config,
                 *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                pass_fds=[fd], env=environment)

    def url(self):
        return self.process.stdout.readline().decode().strip()

    def wait(self):
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process = None
        with open(os.path.join(self.folder, 'log'), encoding='utf-8') as f:
            log = f.read()
        assert 'CRITICAL' not in log, log[-6000:]
        return code, log

    def end(self):
        if self.process:
            self.process.terminate()
            self.wait()
        self.listener.close()
        shutil.rmtree(self.folder)

    def ctl(self, *arguments):
        p = subprocess.run([program('appliance/skylinkctl'), '-s', self.path, *arguments],
                           check=False, text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        return p.returncode, p.stdout


@case('asked before the daemon was there: answered when it is')
def _(after):
    manager = Manager(after)
    control = Control(manager.path)
    after(control.close)
    question = control.send('stats.status')
    manager.start(*ALONE, '--set', 'control.socket=/nowhere/else.sock')
    assert control.answer(question)['restart'] == {'state': 'none'}
    manager.process.terminate()
    code, log = manager.wait()
    # Where it would have listened is of no use now, and it says so.
    assert code == 0 and '/nowhere/else.sock' in log, (code, log)


@case('a restart: who connects meanwhile waits for the next daemon')
def _(after):
    manager = Manager(after)
    manager.start(*ALONE)
    code, text = manager.ctl('restart')         # nobody is in its room
    assert code == 0 and text == 'It restarts.\n', (code, text)
    code, _ = manager.wait()
    assert code == 0 and os.path.exists(manager.path)
    control = Control(manager.path)
    after(control.close)
    question = control.send('stats.status')
    manager.start(*ALONE)
    assert control.answer(question)['uptime_s'] < 60


@case('a restart waits for the last peer, and can be taken back')
def _(after):
    manager = Manager(after)
    manager.start(*SERVER)
    control = Control(manager.path)
    after(control.close)
    receiver = Receiver(manager.url(), 'lobby', 3600)
    after(receiver.kill)
    until(lambda: [p for p in control.call('stats.peers') if p['state'] == 'connected'], 30, 0.1)
    answer = control.call('daemon.restart')
    assert answer['state'] == 'waiting' and answer['peers'] == 1, answer
    code, text = manager.ctl('status')
    assert code == 0 and 'waiting for its room to be idle' in text, text
    code, text = manager.ctl('restart', 'never')
    assert code == 0 and text == 'It goes on.\n', text
    assert control.call('stats.status')['restart'] == {'state': 'none'}
    code, text = manager.ctl('restart', 'idle')
    assert code == 0 and text == 'It restarts when its room is idle.\n', text
    before = control.call('stats.peers')[0]['packets']
    until(lambda: control.call('stats.peers')[0]['packets'] > before + 100, 30, 0.1)
    receiver.kill()
    code, log = manager.wait()
    assert code == 0 and 'started anew' in log, (code, log)


@case('a restart now does not wait')
def _(after):
    manager = Manager(after)
    manager.start(*SERVER)
    control = Control(manager.path)
    after(control.close)
    receiver = Receiver(manager.url(), 'lobby', 3600)
    after(receiver.kill)
    until(lambda: control.call('stats.peers'), 30, 0.1)
    assert control.call('daemon.restart', when='now')['state'] == 'restarting'
    assert manager.wait()[0] == 0


@case('nobody would start it again: refused')
def _(after):
    manager = Manager(after)
    manager.start(*ALONE, supervised=False)
    control = Control(manager.path)
    after(control.close)
    try:
        control.call('daemon.restart', when='now')
        raise AssertionError('not refused')
    except Refused as error:
        assert error.code == -32003 and 'systemd' in str(error), error
    assert control.call('daemon.restart', when='never') == {'state': 'none'}


@case('a wrong configuration: who waits is told, and asks for no other start')
def _(after):
    manager = Manager(after)
    manager.configure('[video]\nbitrat = 1M\n')
    controls = [Control(manager.path) for _ in range(3)]
    for control in controls:
        after(control.close)
        control.send('stats.status')
    manager.start()
    code, log = manager.wait()
    assert code == 78 and 'skylink.conf:2' in log, (code, log)
    for control in controls:
        line = control.line()
        assert 'skylink.conf:2' in line and "'bitrate'" in line, line
    manager.listener.setblocking(False)
    try:
        manager.listener.accept()
        raise AssertionError('somebody is still in the queue')
    except BlockingIOError:
        pass


suite.finish()
