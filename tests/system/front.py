# SPDX-License-Identifier: Apache-2.0
"""tests/system/front.py - a relay before a real room server

It changes what the server says where a test needs a server that ours is not:
one with dead ports in its list, with a media server in the room, that warns or
turns out. What it adds is made up and says so in the row that uses it; all
else are the real server's bytes.
"""
import json
import socket
import struct
import threading
import urllib.error
import urllib.request

from wire import event


def read_frame(take):
    """One WebSocket frame: its first byte, its bytes as they came, its text."""
    head = take(2)
    length, raw = head[1] & 0x7f, head
    if length == 126:
        more = take(2)
        length, = struct.unpack('>H', more)
        raw += more
    elif length == 127:
        more = take(8)
        length, = struct.unpack('>Q', more)
        raw += more
    mask = take(4) if head[1] & 0x80 else b''
    data = take(length)
    raw += mask + data
    if mask:
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
    return head[0], raw, data


def taker(sock, buffer=b''):
    pending = bytearray(buffer)

    def take(n):
        while len(pending) < n:
            data = sock.recv(65536)
            if not data:
                raise EOFError
            pending.extend(data)
        data = bytes(pending[:n])
        del pending[:n]
        return data
    return take


def message_of(data):
    """The Skylink message of an Engine.IO packet, or None."""
    if not data.startswith(b'42'):
        return None
    return json.loads(json.loads(data[2:])[1])


class Front:
    """edit(answer) changes the room API's answer; keep(message) says whether a
    client's message goes on to the server."""

    def __init__(self, server, edit=lambda answer: None, keep=lambda message: True):
        self.server, self.edit, self.keep = server, edit, keep
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}/'
        self.lock = threading.Lock()
        self.sockets = set()
        self.clients = []       # of open WebSockets
        self.said = []          # what clients said
        self.paths = []         # what was asked for over HTTP
        self.hellos = 0         # who tried TLS
        self.api_status = None  # refuse the room API with (status, body)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.sockets.add(client)
            threading.Thread(target=self._guard, args=(client,), daemon=True).start()

    def _guard(self, client):
        try:
            self._one(client)
        except (EOFError, OSError):
            pass
        finally:
            with self.lock:
                self.sockets.discard(client)
                if client in self.clients:
                    self.clients.remove(client)
            client.close()

    def _one(self, client):
        buffer = b''
        while b'\r\n\r\n' not in buffer:
            data = client.recv(65536)
            if not data:
                return
            buffer += data
            if buffer[0] == 0x16:
                self.hellos += 1
                return
        head, _, rest = buffer.partition(b'\r\n\r\n')
        path = head.split(b' ')[1].decode()
        self.paths.append(path)
        if b'websocket' in head.lower():
            self._tunnel(client, head, rest)
        else:
            self._answer(client, path)

    def _answer(self, client, path):
        request = urllib.request.Request(self.server.url.rstrip('/') + path,
                                         headers={'Host': f'127.0.0.1:{self.port}'})
        if self.api_status:
            status, body = self.api_status
        else:
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    status, body = answer.status, json.loads(answer.read())
                self.edit(body)
                body = json.dumps(body).encode()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
        client.sendall(f'HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n'
                       f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode() + body)

    def _tunnel(self, client, head, rest):
        real = socket.create_connection((self.server.host, self.server.port))
        with self.lock:
            self.sockets.add(real)
        lines = [line for line in head.split(b'\r\n') if not line.lower().startswith(b'host:')]
        lines.append(f'Host: {self.server.host}:{self.server.port}'.encode())
        real.sendall(b'\r\n'.join(lines) + b'\r\n\r\n')
        buffer = b''
        while b'\r\n\r\n' not in buffer:
            data = real.recv(65536)
            if not data:
                return
            buffer += data
        answer, _, more = buffer.partition(b'\r\n\r\n')
        client.sendall(answer + b'\r\n\r\n')
        with self.lock:
            self.clients.append(client)
        threading.Thread(target=self._down, args=(client, taker(real, more), real),
                         daemon=True).start()
        take = taker(client, rest)
        try:
            while True:
                _, raw, data = read_frame(take)
                message = message_of(data)
                if message is not None:
                    self.said.append(message)
                    if not self.keep(message):
                        continue
                real.sendall(raw)
        finally:
            real.close()

    def _down(self, client, take, real):
        try:
            while True:
                _, raw, _ = read_frame(take)
                with self.lock:
                    client.sendall(raw)
        except (EOFError, OSError):
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def say(self, message, which=-1):
        """To the client that connected last, as if the server had said it."""
        data = event(message).encode()
        head = b'\x81'
        if len(data) < 126:
            head += bytes([len(data)])
        else:
            head += bytes([126]) + struct.pack('>H', len(data))
        with self.lock:
            self.clients[which].sendall(head + data)

    def cut(self):
        """Every connection ends, without a word."""
        with self.lock:
            for s in list(self.sockets):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        # A thread in accept() holds a closed socket open: wake it first.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        self.thread.join(5)
