# SPDX-License-Identifier: Apache-2.0
"""tests/system/wire.py - a room server's clients, down to their bytes

Plain sockets, so that tests can do what no library would: stop reading, cut a
request, lie about lengths.
"""
import base64
import ctypes
import functools
import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLONE_NEWNS = 0x20000
BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build'))
# A deadline is for what hangs: a busy machine takes its time, a sanitizer more of it.
PATIENCE_S = 60


class Server:
    """tests/room-server: prints its address, counts on demand."""

    def __init__(self, *arguments, environment=None):
        self.process = subprocess.Popen(
            [os.path.join(BUILD, 'tests', 'room-server'), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(self.process.stderr.read().strip())
        self.fingerprint = self.process.stdout.readline().strip() \
            if '--tls' in arguments else None
        self.host, _, port = self.url[len('http://'):-1].rpartition(':')
        self.port = int(port)

    def stats(self):
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def cpu_seconds(self):
        with open(f'/proc/{self.process.pid}/stat') as f:
            fields = f.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def is_sanitized(self):
        """What is freed stays for a while, to be noticed when used."""
        with open(f'/proc/{self.process.pid}/maps') as f:
            maps = f.read()
        return any(name in maps for name in ('libasan', 'libtsan')) or \
            self._has_symbol(b'__asan_init')

    def _has_symbol(self, name):
        with open(f'/proc/{self.process.pid}/exe', 'rb') as f:
            return name in f.read()

    def resident_kb(self):
        with open(f'/proc/{self.process.pid}/status') as f:
            return int(next(l for l in f if l.startswith('VmRSS')).split()[1])

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        code = self.process.wait(timeout=PATIENCE_S)
        if not self.process.stdout.closed:
            complaints = self.process.stderr.read()
            self.process.stdout.close()
            self.process.stderr.close()
            # Sanitizers speak here.
            assert code == 0 and not complaints, (code, complaints[-4000:])
        return code

    def connect(self, small_window=False, tls=False):
        s = socket.socket(socket.AF_INET6 if self.host.startswith('[') else socket.AF_INET)
        if small_window:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(PATIENCE_S)
        s.connect((self.host.strip('[]'), self.port))
        if tls:
            # Trusted as a person would: by comparing the fingerprint.
            s = self.context().wrap_socket(s, server_hostname=self.host.strip('[]'))
            digest = hashlib.sha256(s.getpeercert(True)).hexdigest().upper()
            assert ':'.join(digest[i:i + 2] for i in range(0, 64, 2)) == self.fingerprint
        return s

    @staticmethod
    @functools.cache
    def context():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def request(self, method, path, body=None, headers=None, tls=False):
        """One request on a connection of its own: (status, headers, body)."""
        url = self.url.replace('http:', 'https:') if tls else self.url
        request = urllib.request.Request(url.rstrip('/') + path, data=body,
                                         method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S,
                                        context=self.context() if tls else None) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def grant(self, room='lobby', headers=None, key='demo'):
        status, _, body = self.request('GET', f'/api/{key}/{room}?rand=1', headers=headers)
        assert status == 200, body
        return json.loads(body)


def join_message(grant, key='demo'):
    return {'type': 'joinRoom', 'uid': grant['username'], 'cid': grant['cid'],
            'rid': grant['room_key'], 'userCred': grant['userCred'],
            'timeStamp': grant['timeStamp'], 'apiOwner': grant['apiOwner'],
            'roomCred': grant['roomCred'], 'start': grant['start'], 'len': grant['len'],
            'isPrivileged': grant['isPrivileged'], 'autoIntroduce': grant['autoIntroduce'],
            'key': key}


def event(message):
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    return '42' + json.dumps(['message', text], ensure_ascii=False)


class Closed(Exception):
    pass


class WebSocket:
    def __init__(self, server, query='EIO=3&transport=websocket', path='/socket.io/',
                 headers='', small_window=False, tls=False):
        self.server = server
        self.socket = server.connect(small_window, tls)
        self.buffer = b''
        self.close_code = None
        self.socket.sendall((
            f'GET {path}?{query} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n'
            'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
            f'Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n'
            f'{headers}\r\n').encode())
        while b'\r\n\r\n' not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b'\r\n\r\n')
        self.head = head.decode()
        self.status = int(self.head.split()[1])

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed
        self.buffer += data

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def send_frame(self, data, opcode=1, final=True):
        mask = os.urandom(4)
        length = len(data)
        head = bytes([(0x80 if final else 0) | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += bytes([0x80 | 126]) + struct.pack('>H', length)
        else:
            head += bytes([0x80 | 127]) + struct.pack('>Q', length)
        repeated = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, 'big') ^ int.from_bytes(repeated, 'big')
                  ).to_bytes(length, 'big') if length else b''
        self.socket.sendall(head + mask + masked)

    def send(self, packet):
        self.send_frame(packet.encode())

    def receive(self):
        """The next Engine.IO packet; Closed at the end of the connection."""
        message = b''
        while True:
            first, second = self._take(2)
            length = second & 0x7f
            if length == 126:
                length, = struct.unpack('>H', self._take(2))
            elif length == 127:
                length, = struct.unpack('>Q', self._take(8))
            data = self._take(length)
            if first & 0xf == 8:
                self.close_code = struct.unpack('>H', data[:2])[0] if data else None
                raise Closed
            if first & 0xf in (0, 1):
                message += data
                if first & 0x80:
                    return message.decode()

    def receive_message(self):
        while True:
            packet = self.receive()
            if packet.startswith('42'):
                return json.loads(json.loads(packet[2:])[1])

    def join(self, room='lobby', key='demo', grant=None):
        grant = grant or self.server.grant(room, key=key)
        assert self.receive().startswith('0{')
        assert self.receive() == '40'
        self.send(event(join_message(grant, key)))
        answer = self.receive_message()
        self.answer = answer
        self.sid, self.rid = answer.get('sid'), answer.get('rid')
        return self

    def say(self, **message):
        self.send(event({'mid': self.sid, 'rid': self.rid, **message}))

    def expect_end(self):
        """Reads until the connection ends; the close frame's code."""
        try:
            while True:
                self.receive()
        except (Closed, ConnectionResetError):
            return self.close_code

    def close(self):
        self.socket.close()


class Polling:
    def __init__(self, server, b64=True):
        self.server = server
        self.path = '/socket.io/?EIO=3&transport=polling' + ('&b64=1' if b64 else '')
        _, _, body = server.request('GET', self.path)
        self.open = json.loads(body[body.index(b'0{') + 1:])
        self.path += '&sid=' + self.open['sid']

    def poll(self):
        return self.server.request('GET', self.path)

    def post(self, *packets):
        # Each packet's bytes as characters, and these encoded again.
        body = ''.join(f'{len(p.encode())}:' + p.encode().decode('latin-1') for p in packets)
        return self.server.request('POST', self.path, body.encode(),
                                   {'Content-Type': 'text/plain;charset=UTF-8'})

    def hold(self):
        """A poll that is not answered yet, as its socket."""
        s = self.server.connect()
        s.sendall(f'GET {self.path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        return s

    def join(self, room='lobby'):
        grant = self.server.grant(room)
        assert self.poll()[2] in (b'2:40', b'\0\2\xff40')
        self.post(event(join_message(grant)))
        body = self.poll()[2]
        self.answer = json.loads(json.loads(body[body.index(b'42') + 2:])[1])
        self.sid, self.rid = self.answer['sid'], self.answer['rid']
        return self


def read_until(sock, end):
    """What comes up to and with these bytes."""
    data = b''
    while end not in data:
        more = sock.recv(4096)
        assert more, data
        data += more
    return data


class Skip(Exception):
    """A case cannot run here; its text is the reason."""


def own_mounts():
    """What is mounted from now on ends with this program, however it ends."""
    if ctypes.CDLL(None).unshare(CLONE_NEWNS):
        raise Skip('no mount namespace may be made here')
    subprocess.run(['mount', '--make-rprivate', '/'], check=True)


class Suite:
    """Cases in TAP; each is a function that gets a list of cleanups."""

    def __init__(self):
        self.n = self.failed = 0

    def case(self, name):
        def run(function):
            cleanups = []
            only = os.environ.get('ONLY')
            if only and only not in name:
                return function
            self.n += 1
            start = time.monotonic()
            reason = ''
            try:
                function(cleanups.append)
                outcome = 'ok'
            except Skip as skip:
                outcome, reason = 'ok', f' # SKIP {skip}'
            except Exception as error:  # a case fails by raising anything
                import traceback
                for line in traceback.format_exc().splitlines():
                    print(f'# {line}')
                self.failed += 1
                outcome = 'not ok'
            for cleanup in reversed(cleanups):
                try:
                    cleanup()
                except Exception as error:
                    print(f'# cleanup: {error!r}')
                    self.failed += outcome == 'ok'
                    outcome = 'not ok'
            print(f'{outcome} {self.n} - {name} ({time.monotonic() - start:.1f} s){reason}',
                  flush=True)
            return function
        return run

    def finish(self):
        print(f'1..{self.n}')
        sys.exit(1 if self.failed else 0)


def until(what, seconds=PATIENCE_S, every=0.02):
    """What is awaited comes; fails after so many seconds, or PATIENCE_S if they are fewer."""
    seconds = max(seconds, PATIENCE_S)
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {seconds} s')
        time.sleep(every)
