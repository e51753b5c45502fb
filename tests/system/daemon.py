# SPDX-License-Identifier: Apache-2.0
"""tests/system/daemon.py - skylinkd as its users start it, and its socket"""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from wire import BUILD, PATIENCE_S, until

# A small picture: these tests are about the daemon's life.
FPS = 15
SMALL = ['--set', 'video.width=320', '--set', 'video.height=180', '--set', f'video.fps={FPS}']


def program(name):
    return os.path.join(BUILD, name)


class Refused(Exception):
    """An error answer of the control socket."""

    def __init__(self, error):
        super().__init__(error['message'])
        self.code = error['code']
        self.data = error.get('data')


class Control:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.buffer = b''
        self.fds = []           # that came with answers
        self.n = 0
        self.events = []
        self.answers = {}

    def request(self, method, params=None):
        self.n += 1
        return (json.dumps({'jsonrpc': '2.0', 'id': self.n, 'method': method,
                            'params': params or {}}) + '\n').encode()

    def send_together(self, *requests):
        """(method, params) of each: the next one is there before the first can be done."""
        numbers = range(self.n + 1, self.n + 1 + len(requests))
        self.socket.sendall(b''.join(self.request(*request) for request in requests))
        return numbers

    def send(self, method, params=None, fds=()):
        """Descriptors go with the line, and stay the caller's."""
        line = self.request(method, params)
        sent = socket.send_fds(self.socket, [line], list(fds)) if fds else 0
        self.socket.sendall(line[sent:])
        return self.n

    def line(self):
        while b'\n' not in self.buffer:
            data, fds, _, _ = socket.recv_fds(self.socket, 1 << 16, 8)
            self.fds += fds
            if not data:
                raise EOFError('the daemon closed the connection')
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b'\n')
        return line.decode()

    def read(self):
        message = json.loads(self.line())
        if 'id' in message:
            self.answers[message['id']] = message
        else:
            self.events.append(message)

    def answer(self, number):
        while number not in self.answers:
            self.read()
        message = self.answers.pop(number)
        if 'error' in message:
            raise Refused(message['error'])
        return message['result']

    def call(self, method, **params):
        return self.answer(self.send(method, params))

    def event(self, name, fits=lambda params: True):
        """The next event of that name, those before it forgotten."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event['method'] == name and fits(event['params']):
                    return event['params']
            self.read()

    def close(self):
        self.socket.close()


class Daemon:
    """Started and waited for: it answers, or has ended."""

    def __init__(self, *arguments, config='', wait=True, state=None, environment=None,
                 prefix=()):
        """state: the state directory that systemd would name; prefix: what starts it."""
        self.folder = tempfile.mkdtemp(prefix='skylink-daemon-')
        self.path = os.path.join(self.folder, 'control.sock')
        self.config = os.path.join(self.folder, 'skylink.conf')
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write(config)
        self.log_path = os.path.join(self.folder, 'log')
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                [*prefix, program('appliance/skylinkd'), '--config', self.config, '--socket',
                 self.path, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, **({'STATE_DIRECTORY': state} if state else {}),
                     **(environment or {})})
        if wait:
            # The file is there a moment before the one who listens.
            until(lambda: self.answers() or self.process.poll() is not None, 20)
            assert self.process.poll() is None, self.log()

    def answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.path) == 0

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def control(self):
        return Control(self.path)

    def status(self):
        control = self.control()
        try:
            return control.call('stats.status')
        finally:
            control.close()

    def wait_state(self, state):
        until(lambda: self.status()['room']['state'] == state, 20, 0.05)

    def url(self):
        return self.process.stdout.readline().decode().strip()

    def ends(self, seconds=PATIENCE_S):
        """Exit status of a daemon that ends by itself."""
        code = self.process.wait(timeout=seconds)
        log = self.log()
        shutil.rmtree(self.folder)
        return code, log

    def stop(self):
        """Ends it, well; sanitizers speak in the log."""
        if not os.path.exists(self.folder):
            return
        self.process.send_signal(signal.SIGTERM)
        code, log = self.ends()
        assert code == 0, (code, log[-6000:])
        assert 'CRITICAL' not in log, log[-6000:]


class Receiver:
    """tests/skylink-receiver: ends after so many seconds of video; or by enough()."""

    def __init__(self, server, room, seconds=1, codec=None):
        self.process = subprocess.Popen(
            [program('tests/skylink-receiver'), server, 'demo', room, str(seconds),
             *([codec] if codec else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)

    def result(self):
        text, _ = self.process.communicate(timeout=2 * PATIENCE_S)
        assert self.process.returncode == 0, (self.process.returncode, text)
        return json.loads(text)

    def enough(self):
        """Ends it: for what takes as long as it takes."""
        self.process.terminate()
        return self.result()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
