# SPDX-License-Identifier: Apache-2.0
"""tests/system/narrow.py - what stands between a client and its room server

A small TCP front: passes connections on, and on demand closes those that ask
for a WebSocket, or names other ports in the room API's answer. Real networks
do the first (old proxies), real services the second (a list of ports of which
the first are blocked).
"""
import http.client
import json
import re
import selectors
import socket
import ssl
import threading


def dead_port(after):
    """A port that refuses: bound, and nobody listens."""
    taken = socket.socket()
    after(taken.close)
    taken.bind(('127.0.0.1', 0))
    return taken.getsockname()[1]


def receive(sock):
    """What is there, also what TLS has read already and select() cannot see."""
    data = sock.recv(1 << 18)
    while isinstance(sock, ssl.SSLSocket) and sock.pending():
        data += sock.recv(sock.pending())
    return data


class Narrow:
    def __init__(self, backend_port, websockets=True, first_ports=(), silent=False,
                 certificate=None):
        self.backend = ('127.0.0.1', backend_port)
        self.websockets = websockets
        self.first_ports = list(first_ports)
        self.silent = silent            # takes connections, answers nothing
        self.tls = None
        if certificate:                 # key and certificate, as files
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate[1], certificate[0])
        self.upgrades = self.polls = self.posts = 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.url = f'http{"s" if certificate else ""}://127.0.0.1:{self.port}'
        self.open = set()
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self.tls:
                plain, client = client, self.tls.wrap_socket(client, server_side=True)
                with self.lock:
                    self.open.discard(plain)
                    self.open.add(client)
            if not self.silent:
                self._pass_on(client)
            else:
                while client.recv(4096):
                    pass
        except OSError:
            pass
        with self.lock:
            self.open.discard(client)
        client.close()

    def _allowed(self, data):
        """Looks at what a request begins with; a connection may bring more."""
        if data.startswith(b'POST '):
            self.posts += 1
        elif b'transport=polling' in data.split(b'\r\n', 1)[0]:
            self.polls += 1
        if b'upgrade: websocket' in data.lower():
            self.upgrades += 1
            return self.websockets
        return True

    def _answer_api(self, client, request):
        """The room API's answer, with other ports first."""
        line, _, rest = request.decode('latin-1').partition('\r\n')
        host = re.search(r'(?im)^host: *(\S+)', rest).group(1)
        backend = http.client.HTTPConnection(*self.backend)
        backend.request('GET', line.split()[1], headers={'Host': host})
        answer = backend.getresponse()
        grant = json.loads(answer.read())
        backend.close()
        grant['httpPortList'] = self.first_ports + [self.port]
        body = json.dumps(grant).encode()
        client.sendall(b'HTTP/1.1 %d OK\r\nContent-Type: application/json\r\n'
                       b'Connection: close\r\nContent-Length: %d\r\n\r\n' %
                       (answer.status, len(body)) + body)

    def _pass_on(self, client):
        with socket.create_connection(self.backend) as server, \
                selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    data = receive(key.fileobj)
                    if not data:
                        return
                    if key.fileobj is client and not self._allowed(data):
                        return
                    if self.first_ports and data.startswith(b'GET /api/'):
                        self._answer_api(client, data)
                        return
                    key.data.sendall(data)

    def cut(self):
        """Ends what is open, as a network that goes away."""
        with self.lock:
            for s in self.open:
                if s.fileno() >= 0:
                    s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
