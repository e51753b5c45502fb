# SPDX-License-Identifier: Apache-2.0
"""tests/system/rawserver.py - a signaling server that says what it is told to

A mock: it lets one appliance in, and then sends whatever a test wants, which
the real server would never relay.
"""
import base64
import hashlib
import json
import queue
import socket
import struct
import threading

from wire import event

GRANT = {'success': True, 'cid': 'c', 'apiOwner': 'o', 'username': 'u', 'userCred': 'uc',
         'timeStamp': 't', 'room_key': 'r', 'roomCred': 'rc', 'start': 's', 'len': 24,
         'ipSigserver': '127.0.0.1', 'isPrivileged': True, 'autoIntroduce': True,
         'pc_constraints': '{}', 'offer_constraints': '{}', 'media_constraints': '{}'}
OPEN = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":60000}'
IN_ROOM = {'type': 'inRoom', 'sid': 'me', 'rid': 'r', 'tieBreaker': 5,
           'pc_config': {'iceServers': []}}


class Connection:
    """One WebSocket of the appliance's."""

    def __init__(self, sock):
        self.socket = sock
        self.heard = queue.Queue()      # messages
        self.closed = threading.Event()

    def send_frame(self, data, opcode=1):
        length = len(data)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([length])
        elif length < 65536:
            head += bytes([126]) + struct.pack('>H', length)
        else:
            head += bytes([127]) + struct.pack('>Q', length)
        self.socket.sendall(head + data)

    def send(self, packet):
        self.send_frame(packet.encode() if isinstance(packet, str) else packet)

    def say(self, message):
        self.send(event(message))

    def read(self, file):
        while True:
            head = file.read(2)
            if len(head) < 2:
                return
            length = head[1] & 0x7f
            if length == 126:
                length, = struct.unpack('>H', file.read(2))
            elif length == 127:
                length, = struct.unpack('>Q', file.read(8))
            mask = file.read(4)
            data = bytes(b ^ mask[i % 4] for i, b in enumerate(file.read(length)))
            if head[0] & 0xf == 8:
                return
            if data == b'2':
                self.send('3')
            elif data.startswith(b'42'):
                self.heard.put(json.loads(json.loads(data[2:])[1]))

    def hear(self, wanted):
        """The next message of that type."""
        while True:
            message = self.heard.get(timeout=30)
            if message['type'] == wanted:
                return message


class RawServer:
    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.url = f'http://127.0.0.1:{self.port}'
        self.connections = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        file = sock.makefile('rb')
        try:
            while True:
                line = file.readline().decode()
                headers = {}
                for header in iter(lambda: file.readline().decode().strip(), ''):
                    name, _, value = header.partition(':')
                    headers[name.lower()] = value.strip()
                if '/api/' not in line:
                    break
                body = json.dumps({**GRANT, 'httpPortList': [self.port]}).encode()
                sock.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
                             b'Content-Length: %d\r\n\r\n' % len(body) + body)
            if 'sec-websocket-key' not in headers:
                return
            accept = base64.b64encode(hashlib.sha1(
                (headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
                .encode()).digest()).decode()
            sock.sendall(('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
                          f'Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n')
                         .encode())
            connection = Connection(sock)
            connection.send(OPEN)
            connection.send('40')
            self.connections.put(connection)
            connection.read(file)
            connection.closed.set()
        except OSError:
            pass
        finally:
            sock.close()

    def next(self):
        return self.connections.get(timeout=30)

    def let_in(self):
        """The next connection, in the room."""
        connection = self.next()
        connection.hear('joinRoom')
        connection.say(IN_ROOM)
        connection.hear('enter')
        return connection

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
