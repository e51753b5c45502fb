# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_rows.py - what the rows of the conformance test share

The table of rows, the world they stand in, and peers of the test's own.
"""
import json
import os
import socket
import tempfile

from conformance import Box, World
from front import Front
from wire import Suite, WebSocket

suite = Suite()
covered = set()
world = None


def the_world():
    global world
    if world is None:
        world = World()
    return world


def end_world():
    global world
    if world:
        gone, world = world, None
        gone.stop()


def row(kind, name, what):
    """A row of the table; it leaves the world as it found it, or it is made
    anew."""
    def add(function):
        covered.add((kind, name))

        @suite.case(f'{kind} {name}: {what}')
        def _(after):
            try:
                function(after)
                if world:
                    for box in (world.a, world.b):
                        box.collect()
                    faults, world.a.faults, world.b.faults = world.faults(), [], []
                    assert not faults, faults
            except BaseException:
                try:
                    end_world()
                except Exception as error:
                    print(f'# cleanup: {error!r}')
                raise
        return function
    return add


def method(name, what):
    return row('method', name, what)


def event(name, what):
    return row('event', name, what)


def log(name, what):
    return row('log', name, what)


def pair():
    """Both boxes, and where their events stand now."""
    w = the_world()
    return w.a, w.b, w.a.mark(), w.b.mark()


def box(after, url, *arguments, **options):
    made = Box(url, *arguments, **options)
    after(made.stop)
    return made


def front(after, **options):
    made = Front(the_world().server, **options)
    after(made.close)
    return made


def idle_box(after):
    """One whose configuration names no room server."""
    made = Box('', wait=False)
    after(made.stop)
    return made


def rejoin(w, who, options=None):
    """Out of the room and in again, until both are connected again."""
    other = w.b if who is w.a else w.a
    since, other_since = who.mark(), other.mark()
    if who.daemon.status()['room']['state'] != 'idle':
        who.call('leaveRoom', False)
        other.mark()
    joined = who.call('joinRoom', room='lobby', options=options or {})
    other.wait('dataChannelState', other_since, state='open', peerId=joined['peerId'])
    who.wait('dataChannelState', since, state='open', peerId=other.id)
    return joined


FILE = bytes(range(256)) * 400      # more than two chunks
URL = 'data:text/plain;base64,' + 'QUJD' * 1000


def file_of(after, data):
    handle, path = tempfile.mkstemp(prefix='skylink-conformance-')
    os.write(handle, data)
    os.lseek(handle, 0, os.SEEK_SET)
    after(lambda: (os.close(handle), os.unlink(path)))
    return handle


def offered(after, data=FILE, **params):
    """b is asked for a file: the call's number, and the request."""
    a, b, _, other_since = pair()
    call = a.control.send('sendBlobData', {'data': {'fd': 0, 'name': 'f.bin'},
                                           'targetPeerId': b.id, **params}, [file_of(after, data)])
    return call, b.wait('incomingDataRequest', other_since, peerId=a.id)


def fetched(box_, name):
    """A received file, out of the spool."""
    box_.control.fds.clear()
    box_.call('transfer.fetch', name)
    with os.fdopen(box_.control.fds.pop(), 'rb') as f:
        return f.read()


def transfer_ends(box_, since, request, state):
    return box_.wait('dataTransferState', since, transferId=request['transferId'], state=state)


def refusal(box_, call):
    while call not in box_.control.answers:
        box_.control.read()
    return box_.control.answers.pop(call)['error']


def tell_user_data(who, other, data):
    """Set, and seen: the server is asked once a second."""
    since = other.mark()
    who.call('setUserData', data)
    return other.wait('peerUpdated', since, peerId=who.id, peerInfo__userData=data)


class Raw:
    """A peer of the test's own: signaling alone, no connection behind it."""

    def __init__(self, after, server, room='lobby'):
        self.socket = WebSocket(server)
        after(self.socket.close)
        self.socket.join(room)
        self.id = self.socket.sid

    def enter(self, **fields):
        self.socket.say(**{
            'type': 'enter', 'agent': 'Chrome', 'version': '100', 'os': 'Linux',
            'receiveOnly': False, 'weight': 1, 'SMProtocolVersion': '0.1.2.4',
            'DTProtocolVersion': '0.1.3', 'enableIceTrickle': True, 'enableDataChannel': True,
            'userInfo': {'userData': 'raw', 'settings': {'audio': False, 'video': False,
                                                         'bandwidth': {}},
                         'mediaStatus': {'audioMuted': True, 'videoMuted': True}}, **fields})

    def until(self, kind, peer=None):
        while True:
            message = self.socket.receive_message()
            for one in [json.loads(m) for m in message['lists']] \
                    if message['type'] == 'group' else [message]:
                if one['type'] == kind and peer in (None, one.get('mid')):
                    return one


def answer_of(sdp):
    """What one would say who takes everything and is not reachable."""
    lines = []
    for line in sdp.splitlines():
        if line.startswith(('a=candidate', 'a=ssrc', 'a=msid:', 'a=end-of')):
            continue
        if line.startswith('a=ice-ufrag'):
            line = 'a=ice-ufrag:nowhere1'
        elif line.startswith('a=ice-pwd'):
            line = 'a=ice-pwd:nobodyknowsthispassword1'
        elif line.startswith('a=setup'):
            line = 'a=setup:active'
        elif line in ('a=sendrecv', 'a=sendonly'):
            line = 'a=recvonly'
        lines.append(line)
    return '\r\n'.join(lines) + '\r\n'


def dead_port():
    """A port where nobody listens, and nobody will while it is held."""
    held = socket.socket()
    held.bind(('127.0.0.1', 0))
    return held, held.getsockname()[1]


def dead_ports_first(after, n=1):
    """A front whose room API names ports that nobody answers at, first."""
    held = [dead_port() for _ in range(n)]
    for s, _ in held:
        after(s.close)

    def edit(answer):
        answer['httpPortList'] = [port for _, port in held] + [made.port]
    made = front(after, edit=edit)
    return made
