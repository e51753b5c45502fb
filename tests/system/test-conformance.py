#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every method and every event of SkylinkJS 0.6.12, on running daemons.

One row per name of surface.json; each asserts what somebody else sees of it: the
other box, the server, or an event. A name without a row fails. ONLY=NAME runs
the rows whose title contains it.
"""
import json
import os
import socket
import tempfile
import time

from conformance import SURFACE, Box, World, never_seen
from front import Front
from wire import Server, Suite, WebSocket, until

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


# --- joining, leaving -----------------------------------------------------------
@method('joinRoom', 'the other one sees who came, with its user data')
def _(after):
    a, b, _, since = pair()
    joined = rejoin(world, a, {'userData': {'n': [1, 'two', None]}})
    assert joined['room'] == 'lobby' and joined['peerInfo']['userData'] == {'n': [1, 'two', None]}
    seen = b.wait('peerJoined', since, peerId=joined['peerId'], isSelf=False)
    assert seen['peerInfo']['userData'] == {'n': [1, 'two', None]}, seen
    # By position, as a page calls it.
    assert a.call('joinRoom', 'lobby', {'userData': 'a'})['room'] == 'lobby'
    a.call('leaveRoom', False)
    rejoin(world, a, {'userData': 'a'})


@suite.case('method joinRoom: audio, video and bandwidth as given are what the other one is told')
def _(after):
    a, b, _, _ = pair()
    after(end_world)
    a.call('leaveRoom')
    joined = rejoin(world, a, {
        'audio': {'stereo': True, 'mute': True},
        'video': {'resolution': {'width': 160, 'height': 120}, 'frameRate': 10, 'mute': False},
        'bandwidth': {'audio': 24, 'video': 300, 'data': 1000}})
    seen = b.call('getPeerInfo', joined['peerId'])
    assert seen['settings']['audio']['stereo'] is True, seen
    assert seen['settings']['video']['resolution'] == {'width': 160, 'height': 120}, seen
    assert seen['settings']['video']['frameRate'] == 10, seen
    assert seen['settings']['bandwidth'] == {'audio': 24, 'video': 300, 'data': 1000}, seen
    assert seen['mediaStatus'] == {'audioMuted': True, 'videoMuted': False}, seen
    # Neither: nothing is sent, and no encoder runs for anybody.
    a.call('leaveRoom')
    joined = rejoin(world, a, {'audio': False, 'video': False})
    seen = b.call('getPeerInfo', joined['peerId'])
    assert seen['settings']['audio'] is False and seen['settings']['video'] is False, seen
    assert seen['mediaStatus'] == {'audioMuted': True, 'videoMuted': True}, seen


@suite.case('method joinRoom: refusals are the API\'s error object')
def _(after):
    c = box(after, the_world().server.url)
    c.call('leaveRoom')
    error = c.refused('joinRoom', 'x', {'audio': False, 'video': {
        'source': 'v4l2:/dev/video-that-is-not-there'}})
    assert error['data']['room'] == 'x' and error['data']['error'], error
    assert c.daemon.status()['room']['state'] == 'idle'
    world.a.call('lockRoom')
    after(lambda: world.a.call('unlockRoom'))
    world.b.wait('roomLock', isLocked=True)
    error = c.refused('joinRoom', 'lobby')
    assert 'refuses' in error['message'] and error['data']['room'] == 'lobby', error
    assert '"options.video"' in c.refused('joinRoom', 'x', {'video': 1})['message']
    assert 'empty' in c.refused('joinRoom', '')['message']


@method('leaveRoom', 'the other one sees who left; the answer says what was left')
def _(after):
    a, b, since, other_since = pair()
    was = a.id
    assert a.call('leaveRoom', {'userMedia': False, 'screenshare': False}) == {
        'peerId': was, 'previousRoom': 'lobby'}
    assert b.wait('peerLeft', other_since, peerId=was)['isSelf'] is False
    assert a.wait('peerLeft', since, peerId=was)['isSelf'] is True
    a.wait('channelClose', since)
    assert 'no room' in a.refused('leaveRoom')['message']
    rejoin(world, a, {'userData': 'a'})


def idle_box(after):
    """One whose configuration names no room server."""
    made = Box('', wait=False)
    after(made.stop)
    return made


@method('init', 'a box without a server gets one: key, room and settings are seen by others')
def _(after):
    made = front(after)
    c = idle_box(after)
    assert 'roomServer' in c.refused('init', {'appKey': 'demo'})['message']
    since = c.mark()
    given = {'appKey': 'demo', 'defaultRoom': 'made', 'roomServer': made.url.rstrip('/'),
             'enableIceTrickle': False, 'enableDataChannel': False, 'enableTURNServer': True,
             'enableSTUNServer': False, 'forceTURN': False, 'usePublicSTUN': False,
             'TURNServerTransport': 'tcp', 'audioFallback': True, 'forceSSL': False,
             'videoCodec': 'VP8', 'audioCodec': 'opus', 'socketTimeout': 9000,
             'forceTURNSSL': False}
    answer = c.call('init', {**given, 'region': 'sg'})
    assert answer == {**given, 'serverRegion': 'sg'}, answer
    assert any('/made' in path and 'rg=sg' in path for path in made.paths), made.paths
    states = SURFACE['constants']['READY_STATE_CHANGE']
    for name in ('INIT', 'LOADING', 'COMPLETED'):
        assert c.wait('readyStateChange', since, readyState=states[name])['room'] == 'made'
    raw = Raw(after, world.server, 'made')
    assert c.call('joinRoom')['room'] == 'made'
    seen = raw.until('enter')
    assert seen['enableIceTrickle'] is False and seen['enableDataChannel'] is False, seen
    # What is left out stays.
    answer = c.call('init', {'enableIceTrickle': True})
    assert answer == {**given, 'serverRegion': 'sg', 'enableIceTrickle': True}, answer
    c.call('joinRoom')
    assert raw.until('enter')['enableIceTrickle'] is True
    assert not c.faults, c.faults


@suite.case('method init: refusals are the API\'s error object, and the key alone will do')
def _(after):
    made = front(after)
    c = idle_box(after)
    c.call('init', {'appKey': 'demo', 'roomServer': made.url})
    assert c.call('init', 'demo')['defaultRoom'] == 'demo'
    error = c.refused('init', 'wrong')
    assert error['data']['errorCode'] == \
        SURFACE['constants']['READY_STATE_CHANGE_ERROR']['API_INVALID'], error
    assert error['data']['error'] and error['data']['status'] >= 400, error
    held, port = dead_port()
    after(held.close)
    error = c.refused('init', {'appKey': 'demo', 'roomServer': f'http://127.0.0.1:{port}'})
    assert error['data']['errorCode'] == -1 and error['data']['status'] == 0, error
    error = c.refused('init', {'roomServer': made.url, 'forceTURNSSL': True})
    assert 'not available' in error['message'], error
    assert 'forceTURNSSL' in error['data']['error'], error
    assert '"options.socketTimeout"' in c.refused('init', {'socketTimeout': 10})['message']
    assert '"options.TURNServerTransport"' in \
        c.refused('init', {'TURNServerTransport': 'sctp'})['message']
    # By its old name, and still the same box.
    answer = c.call('init', {'apiKey': 'demo', 'roomServer': made.url})
    assert answer['forceTURNSSL'] is False, answer


@suite.case('method init: credentials and forceSSL reach the room server; the codec a peer')
def _(after):
    made = front(after)
    c = idle_box(after)
    c.call('init', {'appKey': 'demo', 'roomServer': made.url, 'defaultRoom': 'codec',
                    'videoCodec': 'H264'})
    d = box(after, made.url, room='codec')
    for codec in ('H264', 'VP8'):
        assert c.call('init', {'videoCodec': codec})['videoCodec'] == codec
        since = d.mark()
        joined = c.call('joinRoom')
        d.wait('iceConnectionState', since, state='completed', peerId=joined['peerId'])
        until(lambda: [p['codec'] for p in c.call('stats.peers')] == [codec])
    # Told by somebody else, and encoded as for an address.
    c.call('init', {'credentials': {'startDateTime': '2026-01-01T00:00:00Z', 'duration': 1.5,
                                    'credentials': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D'}})
    assert any('/2026-01-01T00:00:00Z/1.5' in path and 'AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D' in path
               for path in made.paths), made.paths
    assert made.hellos == 0
    error = c.refused('init', {'forceSSL': True})
    assert error['data']['errorCode'] == -1 and made.hellos > 0, (error, made.hellos)


@method('lockRoom', 'the other one is told, a third one is turned away')
def _(after):
    a, b, since, other_since = pair()
    after(lambda: a.call('unlockRoom'))
    a.call('lockRoom')
    assert a.wait('roomLock', since, isLocked=True)['isSelf'] is True
    assert b.wait('roomLock', other_since, isLocked=True)['peerId'] == a.id
    third = box(after, world.server.url, wait=False)
    seen = third.wait('systemAction', action='reject')
    assert seen['reason'] == 'locked', seen
    assert not third.faults, third.faults


@method('unlockRoom', 'a third one gets in again')
def _(after):
    a, b, _, since = pair()
    a.call('lockRoom')
    b.wait('roomLock', since, isLocked=True)
    a.call('unlockRoom')
    assert b.wait('roomLock', since, isLocked=False)['isSelf'] is False
    third = box(after, world.server.url)
    b.wait('peerJoined', since, peerId=third.id)
    assert not third.faults, third.faults


# --- messages, user data ----------------------------------------------------------
@method('sendMessage', 'to all, to one, to a list: content, sender, privacy')
def _(after):
    a, b, since, other_since = pair()
    for n, (targets, private) in enumerate(((None, False), (b.id, True), ([b.id], True))):
        content = {'n': n, 'text': 'ä\u2028"', 'deep': [[None]]}
        a.call('sendMessage', *([content, targets] if targets else [content]))
        seen = b.wait('incomingMessage', other_since, message__content=content)
        assert seen['message']['isPrivate'] is private, seen
        assert seen['message']['isDataChannel'] is False and seen['isSelf'] is False
        assert seen['peerId'] == seen['message']['senderPeerId'] == a.id, seen
        own = a.wait('incomingMessage', since, message__content=content)
        assert own['isSelf'] is True and own['message']['isPrivate'] is private
    assert 'nobody' in a.refused('sendMessage', 'x', 'nobody')['message']


@method('sendP2PMessage', 'the same over the data channel')
def _(after):
    a, b, since, other_since = pair()
    for n, (targets, private) in enumerate(((None, False), (b.id, True), ([b.id], True))):
        content = f'p2p {n}'
        a.call('sendP2PMessage', *([content, targets] if targets else [content]))
        seen = b.wait('incomingMessage', other_since, message__content=content)
        assert seen['message']['isPrivate'] is private, seen
        assert seen['message']['isDataChannel'] is True and seen['isSelf'] is False
        assert seen['peerId'] == a.id, seen
        assert a.wait('incomingMessage', since, message__content=content)['isSelf'] is True
    assert 'nobody' in a.refused('sendP2PMessage', 'x', ['nobody'])['message']


@method('setUserData', 'the other one sees it at once, and a newcomer, too')
def _(after):
    a, b, since, other_since = pair()
    a.call('setUserData', {'name': 'Halle', 'list': [1, 2]})
    seen = b.wait('peerUpdated', other_since, peerId=a.id)
    assert seen['peerInfo']['userData'] == {'name': 'Halle', 'list': [1, 2]}, seen
    assert a.wait('peerUpdated', since)['isSelf'] is True
    third = box(after, world.server.url)
    info = third.wait('peerJoined', peerId=a.id)['peerInfo']
    assert info['userData'] == {'name': 'Halle', 'list': [1, 2]}, info
    tell_user_data(a, b, 'a')


@method('getUserData', 'what was set, and what the other one sees')
def _(after):
    a, b, _, _ = pair()
    for data in ('text', {'o': 1}, ['list'], 'a'):
        tell_user_data(a, b, data)
        assert a.call('getUserData') == data


# --- peers ------------------------------------------------------------------------
@method('getPeerInfo', 'of self and of the other one, and both agree')
def _(after):
    a, b, _, _ = pair()
    own, seen = a.call('getPeerInfo'), b.call('getPeerInfo', a.id)
    assert own['agent']['name'] == seen['agent']['name'] == 'skylinkd', (own, seen)
    for name in ('userData', 'mediaStatus', 'settings', 'room'):
        assert own[name] == seen[name], (own, seen)
    assert own['settings']['video']['resolution'] == {'width': 320, 'height': 180}, own
    assert own['room'] == 'lobby' and own['userData'] == 'a'
    assert 'nobody' in a.refused('getPeerInfo', 'nobody')['message']


@method('refreshConnection', 'both ends see the restart; who is not there is told apart')
def _(after):
    a, b, since, other_since = pair()
    answer = a.call('refreshConnection', b.id)
    assert answer['listOfPeers'] == [b.id] and answer['refreshErrors'] == {}, answer
    assert a.wait('peerRestart', since, peerId=b.id)['isSelfInitiateRestart'] is True
    assert b.wait('peerRestart', other_since, peerId=a.id)['isSelfInitiateRestart'] is False
    error = a.refused('refreshConnection', ['nobody'])
    assert list(error['data']['refreshErrors']) == ['nobody'], error
    assert error['data']['listOfPeers'] == ['nobody'], error


@method('generateUUID', 'a UUID, another one each time')
def _(after):
    a, _, _, _ = pair()
    ids = {a.call('generateUUID') for _ in range(50)}
    assert len(ids) == 50
    assert all(len(i) == 36 and [len(p) for p in i.split('-')] == [8, 4, 4, 4, 12] for i in ids)


# --- mute -------------------------------------------------------------------------
def muted(a, b, call, audio, video):
    """After the call the other one sees it so."""
    since = b.mark()
    assert call() == {'audioMuted': audio, 'videoMuted': video}
    seen = b.wait('streamMuted', since, peerId=a.id, peerInfo__mediaStatus={
        'audioMuted': audio, 'videoMuted': video})
    assert seen['isSelf'] is False and seen['isScreensharing'] is False


@method('muteStream', 'the other one sees both change')
def _(after):
    a, b, _, _ = pair()
    muted(a, b, lambda: a.call('muteStream', {'audioMuted': True, 'videoMuted': True}), True, True)
    muted(a, b, lambda: a.call('muteStream', {'videoMuted': False}), True, False)
    muted(a, b, lambda: a.call('muteStream', {'audioMuted': False}), False, False)


@method('disableAudio', 'the other one sees the sound muted')
def _(after):
    a, b, _, _ = pair()
    muted(a, b, lambda: a.call('disableAudio'), True, False)


@method('enableAudio', 'the other one sees the sound back')
def _(after):
    a, b, _, _ = pair()
    if not a.daemon.status()['audio']['muted']:
        muted(a, b, lambda: a.call('disableAudio'), True, False)
    muted(a, b, lambda: a.call('enableAudio'), False, False)


@method('disableVideo', 'the other one sees the picture muted')
def _(after):
    a, b, _, _ = pair()
    muted(a, b, lambda: a.call('disableVideo'), False, True)


@method('enableVideo', 'the other one sees the picture back')
def _(after):
    a, b, _, _ = pair()
    if not a.daemon.status()['video']['muted']:
        muted(a, b, lambda: a.call('disableVideo'), False, True)
    muted(a, b, lambda: a.call('enableVideo'), False, False)


# --- subscriptions ------------------------------------------------------------------
def listener(after):
    control = the_world().a.daemon.control()
    after(control.close)
    return control


def names_told(control):
    """What arrived until now."""
    control.call('generateUUID')
    names = [e['method'] for e in control.events]
    control.events.clear()
    return names


@method('on', 'this event arrives, others do not')
def _(after):
    a, b, _, _ = pair()
    control = listener(after)
    assert control.call('on', eventName='incomingMessage') == {'events': ['incomingMessage']}
    b.call('sendMessage', 'one')
    tell_user_data(b, a, 'changed')
    tell_user_data(b, a, 'b')
    b.call('sendMessage', 'two')
    a.wait('incomingMessage', message__content='two')
    assert names_told(control) == ['incomingMessage'] * 2


@method('once', 'the first that fits the condition, and then no more')
def _(after):
    a, b, since, _ = pair()
    control = listener(after)
    control.call('once', eventName='incomingMessage', condition={'message.content': ['x', 'y']})
    for text in ('a', 'x', 'y', 'x'):
        b.call('sendMessage', text)
    a.wait('incomingMessage', since, message__content='y')
    b.call('sendMessage', 'end')
    a.wait('incomingMessage', since, message__content='end')
    told = [e['params']['message']['content'] for e in control.events]
    control.call('generateUUID')
    told = [e['params']['message']['content'] for e in control.events]
    assert told == ['x'], told


@method('off', 'what was subscribed does not arrive any more')
def _(after):
    a, b, _, _ = pair()
    control = listener(after)
    control.call('on', eventName=['incomingMessage', 'peerUpdated'])
    assert control.call('off', eventName='incomingMessage') == {'events': ['peerUpdated']}
    b.call('sendMessage', 'unheard')
    tell_user_data(b, a, 'heard')
    tell_user_data(b, a, 'b')
    assert set(names_told(control)) == {'peerUpdated'}


# --- logs ---------------------------------------------------------------------------
@method('setDebugMode', 'log lines are kept from then on, and tell their place')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', False)
    a.call('clearAllLogs')
    b.call('sendMessage', 'not kept')
    a.wait('incomingMessage', since, message__content='not kept')
    assert a.call('getLogs') == []
    assert a.call('setDebugMode') == {'trace': True, 'storeLogs': True}
    b.call('sendMessage', 'kept')
    a.wait('incomingMessage', since, message__content='kept')
    lines = a.call('getLogs')
    assert any('incomingMessage' in line[2] and '.c:' in line[3]['place'] for line in lines), lines
    assert a.call('setDebugMode', {'storeLogs': True}) == {'trace': False, 'storeLogs': True}
    a.call('setDebugMode', False)


@method('setLogLevel', 'more is written, then less')
def _(after):
    a, b, since, _ = pair()
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    b.call('sendMessage', 'loud')
    a.wait('incomingMessage', since, message__content='loud')
    until(lambda: 'incomingMessage' in a.daemon.log())
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['ERROR'])
    written = a.daemon.log().count('incomingMessage')
    b.call('sendMessage', 'quiet')
    a.wait('incomingMessage', since, message__content='quiet')
    assert a.daemon.log().count('incomingMessage') == written
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['LOG'])


@log('getLogs', 'timestamp, level, text; of one level alone')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    after(lambda: a.call('setDebugMode', False))
    b.call('sendMessage', 'logged')
    a.wait('incomingMessage', since, message__content='logged')
    lines = a.call('getLogs')
    debug = a.call('getLogs', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    assert debug and all(line[1] == 'debug' for line in debug), debug
    assert [line for line in lines if line[1] == 'debug'] == debug[:len(lines)]
    for line in lines:
        time.strptime(line[0][:19], '%Y-%m-%dT%H:%M:%S')
        assert line[0].endswith('Z') and line[2], line


@log('clearAllLogs', 'nothing is left; of one level alone')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    b.call('sendMessage', 'to forget')
    a.wait('incomingMessage', since, message__content='to forget')
    a.call('setDebugMode', False)
    assert a.call('getLogs')
    a.call('clearAllLogs', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    assert all(line[1] != 'debug' for line in a.call('getLogs'))
    a.call('clearAllLogs')
    assert a.call('getLogs') == []


@log('printAllLogs', 'the lines stand on standard error')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    b.call('sendMessage', 'to print')
    a.wait('incomingMessage', since, message__content='to print')
    a.call('setDebugMode', False)
    before = a.daemon.log().count(' debug: ')
    n = a.call('printAllLogs')
    assert n == len(a.call('getLogs')) > 0
    assert a.daemon.log().count(' debug: ') > before
    a.call('clearAllLogs')


# --- the signaling connection ---------------------------------------------------------
@event('channelOpen', 'when the room is joined')
def _(after):
    w = the_world()
    since = w.b.mark()
    rejoin(w, w.b, {'userData': 'b'})
    w.b.wait('channelOpen', since)


@event('channelClose', 'when the room is left')
def _(after):
    w = the_world()
    since = w.b.mark()
    w.b.call('leaveRoom', False)
    w.b.wait('channelClose', since)
    rejoin(w, w.b, {'userData': 'b'})


@event('channelMessage', "the other one's message as it came")
def _(after):
    a, b, _, since = pair()
    a.call('sendMessage', {'raw': 1}, b.id)
    seen = b.wait('channelMessage', since, message__type='private')
    assert seen['message']['data'] == {'raw': 1} and seen['message']['mid'] == a.id, seen


@event('socketError', 'a dead port in the list: which error, which way was tried')
def _(after):
    made = dead_ports_first(after)
    c = box(after, made.url)
    codes = SURFACE['constants']['SOCKET_ERROR']
    seen = c.wait('socketError')
    assert seen['errorCode'] == codes['CONNECTION_FAILED'], seen
    assert seen['error'], seen
    assert c.daemon.status()['room']['state'] == 'joined'
    assert not c.faults, c.faults


@event('channelRetry', 'a dead port in the list: the next one is tried')
def _(after):
    made = dead_ports_first(after)
    c = box(after, made.url)
    seen = c.wait('channelRetry')
    assert seen['currentAttempt'] >= 1, seen
    c.wait('channelOpen')
    assert not c.faults, c.faults


@event('channelError', 'the connection is cut in the room')
def _(after):
    made = front(after)
    c = box(after, made.url)
    since = c.mark()
    made.cut()
    assert c.wait('channelError', since)['error']
    c.wait('peerJoined', since, isSelf=True)    # and it comes back
    assert not c.faults, c.faults


@event('sessionDisconnect', 'the connection is cut: self is out, and comes back')
def _(after):
    made = front(after)
    c = box(after, made.url)
    was, since = c.id, c.mark()
    made.cut()
    assert c.wait('sessionDisconnect', since)['peerId'] == was
    c.wait('peerJoined', since, isSelf=True)
    assert not c.faults, c.faults


@event('readyStateChange', 'loading, completed; a wrong key: its error code')
def _(after):
    w = the_world()
    states = SURFACE['constants']['READY_STATE_CHANGE']
    since = w.b.mark()
    rejoin(w, w.b, {'userData': 'b'})
    for name in ('LOADING', 'COMPLETED'):
        assert w.b.wait('readyStateChange', since, readyState=states[name])['room'] == 'lobby'
    wrong = box(after, w.server.url, '--set', 'room.app_key=wrong', wait=False)
    seen = wrong.wait('readyStateChange', readyState=states['ERROR'])
    assert seen['error']['errorCode'] == \
        SURFACE['constants']['READY_STATE_CHANGE_ERROR']['API_INVALID'], seen
    assert seen['error']['status'] and seen['error']['content'], seen
    assert not wrong.faults, wrong.faults


@event('systemAction', 'a warning is told; a rejection ends the stay')
def _(after):
    made = front(after)
    c = box(after, made.url)
    since = c.mark()
    # Made up by the relay: our server has no cause to say it here.
    made.say({'type': 'redirect', 'action': 'warning', 'reason': 'toclose',
              'info': 'Room closes soon', 'rid': 'x'})
    seen = c.wait('systemAction', since, action='warning')
    assert seen == {'action': 'warning', 'reason': 'toclose', 'message': 'Room closes soon'}, seen
    assert c.daemon.status()['room']['state'] == 'joined'
    made.say({'type': 'redirect', 'action': 'reject', 'reason': 'roomclose',
              'info': 'Room is closed', 'rid': 'x'})
    c.wait('systemAction', since, action='reject', reason='roomclose')
    c.wait('channelClose', since)
    assert not c.faults, c.faults


# --- peers --------------------------------------------------------------------------------
@event('handshakeProgress', 'all four steps, on one side or the other')
def _(after):
    a, b, since, other_since = pair()
    rejoin(world, b, {'userData': 'b'})
    for state in ('enter', 'welcome', 'offer', 'answer'):
        for one, mark in ((a, since), (b, other_since)):
            one.collect()
        assert any(e == 'handshakeProgress' and p['state'] == state
                   for e, p in a.seen[since:] + b.seen[other_since:]), state


@suite.case('event handshakeProgress: error, for an answer that is none')
def _(after):
    a, _, since, _ = pair()
    raw = Raw(after, world.server)
    raw.enter(weight=0)
    raw.until('offer', a.id)
    raw.socket.say(type='answer', target=a.id, sdp='v=0 and nonsense')
    seen = a.wait('handshakeProgress', since, state='error', peerId=raw.id)
    assert seen['error'], seen


@event('candidateGenerationState', 'gathering, completed')
def _(after):
    a, b, since, _ = pair()
    rejoin(world, b, {'userData': 'b'})
    for state in ('gathering', 'completed'):
        assert a.wait('candidateGenerationState', since, state=state)['peerId'] == b.id


@event('peerConnectionState', 'an offer here or there, stable, closed')
def _(after):
    a, b, since, other_since = pair()
    was = b.id
    rejoin(world, b, {'userData': 'b'})
    a.wait('peerConnectionState', since, state='closed', peerId=was)
    a.wait('peerConnectionState', since, state='stable', peerId=b.id)
    a.collect()
    b.collect()
    offered = {p['state'] for e, p in a.seen[since:] + b.seen[other_since:]
               if e == 'peerConnectionState'}
    assert offered >= {'have-local-offer', 'have-remote-offer'}, offered


@event('iceConnectionState', 'checking, connected, completed; trickleFailed for one who is nowhere')
def _(after):
    a, b, since, _ = pair()
    rejoin(world, b, {'userData': 'b'})
    for state in ('checking', 'connected', 'completed'):
        assert a.wait('iceConnectionState', since, state=state)['peerId'] == b.id
    # One that answers, and is nowhere: its only address is nobody's.
    held, port = dead_port()
    after(held.close)
    raw = Raw(after, world.server)
    raw.enter(weight=0)
    offer = raw.until('offer', a.id)
    raw.socket.say(type='answer', target=a.id, sdp=answer_of(offer['sdp']))
    raw.socket.say(type='candidate', target=a.id, id='0', label=0,
                   candidate=f'candidate:1 1 udp 2113937151 127.0.0.1 {port} typ host')
    raw.socket.say(type='endOfCandidates', target=a.id, noOfExpectedCandidates=1)
    # Only after all tries, and the second handshake that they cost.
    a.wait('iceConnectionState', since, 90, state='trickleFailed', peerId=raw.id)


@event('peerJoined', 'who came, and that we did')
def _(after):
    a, b, since, other_since = pair()
    joined = rejoin(world, b, {'userData': 'b'})
    assert a.wait('peerJoined', since, peerId=joined['peerId'])['isSelf'] is False
    assert b.wait('peerJoined', other_since, peerId=joined['peerId'])['isSelf'] is True


@event('peerRestart', 'told on both sides, with who began')
def _(after):
    a, b, since, other_since = pair()
    # Asks one that was not asked a moment ago.
    rejoin(world, b, {'userData': 'b'})
    b.call('refreshConnection')
    assert b.wait('peerRestart', other_since, peerId=a.id)['isSelfInitiateRestart'] is True
    assert a.wait('peerRestart', since, peerId=b.id)['isSelfInitiateRestart'] is False


@event('peerUpdated', "the other one's user data")
def _(after):
    a, b, since, other_since = pair()
    b.call('setUserData', {'is': 'new'})
    seen = a.wait('peerUpdated', since, peerId=b.id)
    assert seen['isSelf'] is False and seen['peerInfo']['userData'] == {'is': 'new'}
    assert b.wait('peerUpdated', other_since)['isSelf'] is True
    tell_user_data(b, a, 'b')


@event('peerLeft', 'who went, and that we did')
def _(after):
    a, b, since, other_since = pair()
    was = b.id
    b.call('leaveRoom', False)
    assert b.wait('peerLeft', other_since, peerId=was)['isSelf'] is True
    assert a.wait('peerLeft', since, peerId=was)['isSelf'] is False
    rejoin(world, b, {'userData': 'b'})


@event('incomingStream', "the other one's media, and our own")
def _(after):
    a, b, since, other_since = pair()
    rejoin(world, b, {'userData': 'b'})
    assert a.wait('incomingStream', since, peerId=b.id)['isSelf'] is False
    own = b.wait('incomingStream', other_since, isSelf=True)
    assert own['stream']['audio'] is True and own['stream']['video'] is True, own


@event('incomingMessage', 'content, sender, over which way')
def _(after):
    a, b, since, _ = pair()
    b.call('sendMessage', 'over the server')
    b.call('sendP2PMessage', 'over the channel')
    assert a.wait('incomingMessage', since, message__content='over the server',
                  message__isDataChannel=False)['peerId'] == b.id
    assert a.wait('incomingMessage', since, message__content='over the channel',
                  message__isDataChannel=True)['message']['senderPeerId'] == b.id


@event('roomLock', 'who locked it')
def _(after):
    a, b, since, other_since = pair()
    b.call('lockRoom')
    b.call('unlockRoom')
    for locked in (True, False):
        seen = a.wait('roomLock', since, isLocked=locked)
        assert seen['peerId'] == b.id and seen['isSelf'] is False
        assert b.wait('roomLock', other_since, isLocked=locked)['isSelf'] is True


@event('dataChannelState', 'connecting, open, closed; of messages, and of a file')
def _(after):
    a, b, since, other_since = pair()
    was = b.id
    rejoin(world, b, {'userData': 'b'})
    seen = a.wait('dataChannelState', since, state='open', peerId=b.id)
    assert seen['channelType'] == 'messaging' and seen['channelName'], seen
    a.wait('dataChannelState', since, state='closed', peerId=was)
    # Who offers opens it.
    b.collect()
    assert any(e == 'dataChannelState' and p['state'] == 'connecting' and
               p['channelName'] == seen['channelName']
               for e, p in a.seen[since:] + b.seen[other_since:])
    # A file has a channel of its own.
    call, request = offered(after)
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    a.control.answer(call)
    for state in ('connecting', 'open', 'closed'):
        a.wait('dataChannelState', since, state=state, channelType='data')


@event('streamMuted', 'ours and theirs')
def _(after):
    a, b, since, other_since = pair()
    b.call('muteStream', {'audioMuted': True})
    assert a.wait('streamMuted', since, peerId=b.id)['isSelf'] is False
    assert b.wait('streamMuted', other_since)['isSelf'] is True
    b.call('muteStream', {'audioMuted': False})
    a.wait('streamMuted', since, peerId=b.id, peerInfo__mediaStatus__audioMuted=False)


# --- streams ----------------------------------------------------------------------------------
NO_CAMERA = 'v4l2:/dev/video-that-is-not-there'
SD = {'width': 160, 'height': 120}


def video_of(who, peer):
    """What the other one is told of somebody's picture."""
    return who.call('getPeerInfo', peer)['settings']['video']


def restored(after):
    """Both boxes with their configured streams again when the row is over."""
    def back():
        if world:
            end_world()     # what a stream is cannot be unsaid piece by piece
    after(back)
    return pair()


@method('getUserMedia', 'in a room without a stream: the other one gets what was opened')
def _(after):
    a, b, since, other_since = restored(after)
    a.call('stopStream')
    b.wait('streamEnded', other_since, peerId=a.id)
    until(lambda: video_of(b, a.id) is False)
    other_since = b.mark()
    stream = a.call('getUserMedia', {'audio': True, 'video': {
        'source': 'test', 'resolution': SD, 'frameRate': 10}})
    assert stream['audio'] and stream['video'] and stream['id'], stream
    seen = a.wait('mediaAccessSuccess', since, stream__id=stream['id'])
    assert seen['isScreensharing'] is False
    b.wait('incomingStream', other_since, peerId=a.id)
    until(lambda: (video_of(b, a.id) or {}).get('resolution') == SD)


@method('sendStream', 'another picture in place of the one before, seen in its size')
def _(after):
    a, b, _, other_since = restored(after)
    before = video_of(b, a.id)['resolution']
    stream = a.call('sendStream', {'audio': True, 'video': {'source': 'test', 'resolution': SD}})
    assert stream['video'] and before != SD
    b.wait('peerRestart', other_since, peerId=a.id)
    until(lambda: (video_of(b, a.id) or {}).get('resolution') == SD)
    # Sound alone: the other one sees no picture any more.
    a.call('sendStream', {'audio': True, 'video': False})
    until(lambda: video_of(b, a.id) is False)


@method('stopStream', 'the other one sees it end')
def _(after):
    a, b, since, other_since = restored(after)
    assert a.call('stopStream') is None
    assert b.wait('streamEnded', other_since, peerId=a.id)['isScreensharing'] is False
    assert a.wait('mediaAccessStopped', since)['isScreensharing'] is False
    until(lambda: video_of(b, a.id) is False)


@method('shareScreen', 'the other one sees a screen in place of the camera')
def _(after):
    a, b, since, other_since = restored(after)
    stream = a.call('shareScreen', False, 'test')
    assert stream['isScreensharing'] is True, stream
    assert a.wait('mediaAccessSuccess', since, isScreensharing=True)
    b.wait('peerRestart', other_since, peerId=a.id)
    until(lambda: (video_of(b, a.id) or {}).get('screenshare') is True)


@method('stopScreen', 'the camera is back')
def _(after):
    a, b, _, _ = restored(after)
    a.call('shareScreen', False, 'test')
    until(lambda: (video_of(b, a.id) or {}).get('screenshare') is True)
    since, other_since = a.mark(), b.mark()
    a.call('stopScreen')
    assert a.wait('mediaAccessStopped', since)['isScreensharing'] is True
    assert b.wait('streamEnded', other_since, peerId=a.id)['isScreensharing'] is True
    until(lambda: (video_of(b, a.id) or {}).get('screenshare') is False)


@event('mediaAccessSuccess', 'the stream that getUserMedia answers')
def _(after):
    a, _, since, _ = restored(after)
    stream = a.call('getUserMedia', {'audio': True, 'video': {'source': 'test'}})
    seen = a.wait('mediaAccessSuccess', since, stream__id=stream['id'])
    assert seen == {'stream': stream, 'isScreensharing': False}, (seen, stream)


@event('mediaAccessError', 'a camera that is not there; what was sent goes on')
def _(after):
    a, b, since, _ = restored(after)
    before = video_of(b, a.id)
    error = a.refused('getUserMedia', {'audio': False, 'video': {'source': NO_CAMERA}})
    seen = a.wait('mediaAccessError', since)
    assert seen['isScreensharing'] is False and seen['isAudioFallbackError'] is False, seen
    assert seen['error'] and seen['error'] in error['message'], (seen, error)
    assert video_of(b, a.id) == before


@event('mediaAccessFallback', 'a camera that is not there, and audioFallback: sound alone')
def _(after):
    a, b, since, _ = restored(after)
    a.call('init', {'audioFallback': True})
    stream = a.call('getUserMedia', {'audio': True, 'video': {'source': NO_CAMERA}})
    assert stream['audio'] and not stream['video'], stream
    for state in (0, 1):
        seen = a.wait('mediaAccessFallback', since, state=state)
        assert seen['isAudioFallback'] is True and seen['isScreensharing'] is False, seen
    assert seen['error']['diff'] == {'video': {'expected': 1, 'received': 0},
                                     'audio': {'expected': 1, 'received': 1}}, seen
    a.wait('mediaAccessSuccess', since, stream__id=stream['id'])


@event('mediaAccessRequired', 'joinRoom waits for getUserMedia, and the other one sees it come then')
def _(after):
    a, b, _, other_since = restored(after)
    a.call('leaveRoom')
    since = a.mark()
    join = a.control.send('joinRoom', {'room': 'lobby', 'options': {
        'audio': True, 'video': True, 'manualGetUserMedia': True}})
    a.wait('mediaAccessRequired', since)
    assert a.daemon.status()['room']['state'] == 'idle'
    a.call('getUserMedia', {'audio': True, 'video': {'source': 'test', 'resolution': SD}})
    joined = a.control.answer(join)
    b.wait('peerJoined', other_since, peerId=joined['peerId'])
    assert video_of(b, joined['peerId'])['resolution'] == SD


@event('mediaAccessStopped', 'leaveRoom stops the stream, or leaves it')
def _(after):
    a, b, since, _ = restored(after)
    a.call('leaveRoom', {'userMedia': False})
    a.call('joinRoom', 'lobby')
    b.wait('incomingStream', peerId=a.id)
    a.collect()
    assert not any(e == 'mediaAccessStopped' for e, _ in a.seen[since:])
    a.call('leaveRoom')
    assert a.wait('mediaAccessStopped', since)['isScreensharing'] is False


@event('streamEnded', "the other one's stream, and our own")
def _(after):
    a, b, since, other_since = restored(after)
    b.call('stopStream')
    assert a.wait('streamEnded', since, peerId=b.id)['isSelf'] is False
    assert b.wait('streamEnded', other_since)['isSelf'] is True


# --- files and data URLs -------------------------------------------------------------------------
@method('sendBlobData', 'the other one has the file, byte for byte')
def _(after):
    call, request = offered(after)
    a, b = world.a, world.b
    assert request['transferInfo']['name'] == 'f.bin'
    assert request['transferInfo']['size'] == len(FILE), request
    other_since = b.mark()
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    answer = a.control.answer(call)
    assert answer['peerId'] == b.id and answer['listOfPeers'] == [b.id], answer
    assert answer['isPrivate'] is True and answer['transferInfo']['size'] == len(FILE), answer
    transfer_ends(b, other_since, request, 'downloadCompleted')
    assert fetched(b, b.call('transfer.received')[-1]['name']) == FILE


@method('sendURLData', 'the other one has the text')
def _(after):
    a, b, _, other_since = pair()
    call = a.control.send('sendURLData', [URL, 30, [b.id]])
    request = b.wait('incomingDataRequest', other_since, peerId=a.id)
    assert request['transferInfo']['dataType'] == 'dataURL', request
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    assert a.control.answer(call)['transferInfo']['dataType'] == 'dataURL'
    assert b.wait('incomingData', other_since, transferId=request['transferId'])['data'] == URL


def answered_with(after, name):
    """Refused, then taken: both seen by the sender."""
    for accept, state in ((False, 'rejected'), (True, 'uploadCompleted')):
        a_since = the_world().a.mark()
        call, request = offered(after)
        a, b = world.a, world.b
        assert b.call(name, a.id, request['transferId'], accept) is None
        transfer_ends(a, a_since, request, state)
        if accept:
            a.control.answer(call)
        else:
            error = refusal(a, call)
            assert list(error['data']['transferErrors']) == [b.id], error
    assert 'no transfer' in world.b.refused(name, world.a.id, 'unknown', True)['message']


@method('acceptDataTransfer', 'refused, and taken: the sender sees which')
def _(after):
    answered_with(after, 'acceptDataTransfer')


@method('respondBlobRequest', 'the same by its old name')
def _(after):
    answered_with(after, 'respondBlobRequest')


def cancelled_with(after, name):
    """By the sender, and by the receiver: the other side sees it."""
    for by_sender in (True, False):
        a_since, b_since = the_world().a.mark(), the_world().b.mark()
        # Long enough to be running still.
        call, request = offered(after, FILE * 1000)
        a, b = world.a, world.b
        b.call('acceptDataTransfer', a.id, request['transferId'], True)
        transfer_ends(a, a_since, request, 'uploading')
        who, other, since, peer = (a, b, b_since, b.id) if by_sender else (b, a, a_since, a.id)
        assert who.call(name, peer, request['transferId']) is None
        transfer_ends(other, since, request, 'cancel')
        assert list(refusal(a, call)['data']['transferErrors']) == [b.id]
        until(lambda: not b.call('transfer.list') and not a.call('transfer.list'))
    assert 'unknown' in world.a.refused(name, world.b.id, 'unknown')['message']


@method('cancelDataTransfer', 'by the sender, by the receiver: the other side sees it')
def _(after):
    cancelled_with(after, 'cancelDataTransfer')


@method('cancelBlobTransfer', 'the same by its old name')
def _(after):
    cancelled_with(after, 'cancelBlobTransfer')


@event('incomingDataRequest', 'who offers what')
def _(after):
    since = the_world().a.mark()
    call, request = offered(after)
    a, b = world.a, world.b
    assert request['isSelf'] is False and request['peerId'] == a.id, request
    info = request['transferInfo']
    assert info['name'] == 'f.bin' and info['size'] == len(FILE) and info['timeout'], request
    assert a.wait('incomingDataRequest', since, transferId=request['transferId'])['isSelf'] is True
    b.call('acceptDataTransfer', a.id, request['transferId'], False)
    refusal(a, call)


@event('incomingData', 'the complete file, with where it is')
def _(after):
    a_since, other_since = the_world().a.mark(), the_world().b.mark()
    call, request = offered(after)
    a, b = world.a, world.b
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    seen = b.wait('incomingData', other_since, transferId=request['transferId'])
    assert seen['isSelf'] is False and seen['data'], seen
    assert a.wait('incomingData', a_since, transferId=request['transferId'])['isSelf'] is True
    a.control.answer(call)


@event('dataTransferState', 'each step, on both sides')
def _(after):
    a_since, b_since = the_world().a.mark(), the_world().b.mark()
    # Long enough for its progress to be told: that is a matter of time.
    long = FILE * 200
    call, request = offered(after, long)
    a, b = world.a, world.b
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    for who, since, steps in ((a, a_since, ('uploadStarted', 'uploading', 'uploadCompleted')),
                              (b, b_since, ('request', 'downloadStarted', 'downloading',
                                            'downloadCompleted'))):
        for step in steps:
            seen = transfer_ends(who, since, request, step)
            assert seen['peerId'] == (b.id if who is a else a.id), seen
            assert seen['transferInfo']['size'] == len(long), seen
    a.control.answer(call)
    # One that is refused says so, and which way it went.
    a_since = a.mark()
    call, request = offered(after)
    b.call('acceptDataTransfer', a.id, request['transferId'], False)
    seen = transfer_ends(a, a_since, request, 'rejected')
    assert seen['error']['transferType'] == 'upload' and seen['error']['message'], seen
    refusal(a, call)


@suite.case('event dataTransferState: error, when the other one is gone in the middle')
def _(after):
    a = the_world().a
    a.call('unlockRoom')
    c = box(after, world.server.url)
    a.wait('dataChannelState', peerId=c.id, state='open')
    since, peer = a.mark(), c.id
    call = a.control.send('sendBlobData', {'data': {'fd': 0, 'name': 'f'}, 'targetPeerId': peer},
                          [file_of(after, FILE * 1000)])
    request = c.wait('incomingDataRequest', peerId=a.id)
    c.call('acceptDataTransfer', a.id, request['transferId'], True)
    transfer_ends(a, since, request, 'uploading')
    c.call('leaveRoom')
    seen = transfer_ends(a, since, request, 'error')
    assert seen['error']['transferType'] == 'upload' and seen['error']['message'], seen
    assert list(refusal(a, call)['data']['transferErrors']) == [peer]


# --- a media server --------------------------------------------------------------------------
def with_mcu(after):
    """A box in a room where a media server is said to be. The relay makes its
    messages up (our room server gives nobody that id) and keeps what is for
    it."""
    made = front(after, keep=lambda message: message.get('target') != 'MCU')
    c = box(after, made.url, room='mcu')
    made.say({'type': 'enter', 'mid': 'MCU', 'rid': 'x', 'agent': 'MCU', 'version': '1',
              'os': '', 'weight': 0, 'receiveOnly': False, 'userInfo': {
                  'userData': '', 'settings': {'audio': False, 'video': False, 'bandwidth': {}},
                  'mediaStatus': {'audioMuted': False, 'videoMuted': False}}})
    until(lambda: any(m['type'] == 'welcome' and m.get('target') == 'MCU' for m in made.said))
    return made, c


@event('serverPeerJoined', 'a media server comes')
def _(after):
    _, c = with_mcu(after)
    assert c.wait('serverPeerJoined') == {'peerId': 'MCU', 'serverPeerType': 'mcu'}
    assert not c.faults, c.faults


@event('serverPeerLeft', 'a media server goes')
def _(after):
    made, c = with_mcu(after)
    made.say({'type': 'bye', 'mid': 'MCU', 'rid': 'x'})
    assert c.wait('serverPeerLeft') == {'peerId': 'MCU', 'serverPeerType': 'mcu'}
    assert not c.faults, c.faults


@event('serverPeerRestart', 'its connection is refreshed')
def _(after):
    _, c = with_mcu(after)
    since = c.mark()
    c.call('refreshConnection', 'MCU')
    assert c.wait('serverPeerRestart', since) == {'peerId': 'MCU', 'serverPeerType': 'mcu'}
    # With a media server self leaves and comes back.
    c.wait('peerJoined', since, isSelf=True)
    assert not c.faults, c.faults


# --- privileged keys ------------------------------------------------------------------------------
KEYS = '[demo]\n[desk]\nparent = demo\nprivileged = yes\n'


def desk(after):
    """A box of a privileged key, and two of an ordinary one in a room each."""
    handle = file_of(after, KEYS.encode())
    server = Server('--keys', f'/proc/{os.getpid()}/fd/{handle}')
    after(server.stop)
    d = box(after, server.url, '--set', 'room.app_key=desk', room='desk')
    return d, box(after, server.url, room='one'), box(after, server.url, room='two')


@method('getPeers', 'rooms and peers of the whole key; not for an ordinary one')
def _(after):
    d, one, two = desk(after)
    # By the server's own names of the rooms.
    assert sorted(d.call('getPeers').values()) == sorted([[one.id], [two.id]])
    assert sorted(d.call('getPeers', True).values()) == sorted([[d.id], [one.id], [two.id]])
    assert 'privileged' in one.refused('getPeers')['message']


@method('introducePeer', 'two peers of two rooms connect')
def _(after):
    d, one, two = desk(after)
    assert d.call('introducePeer', one.id, two.id) is None
    one.wait('peerJoined', peerId=two.id)
    two.wait('peerJoined', peerId=one.id)
    one.wait('iceConnectionState', peerId=two.id, state='completed')
    assert 'privileged' in one.refused('introducePeer', one.id, two.id)['message']


@event('getPeersStateChange', 'enquired, received')
def _(after):
    d, one, _ = desk(after)
    peers = d.call('getPeers')
    assert d.wait('getPeersStateChange', state='enquired')['privilegedPeerId'] == d.id
    seen = d.wait('getPeersStateChange', state='received')
    assert seen['peerList'] == peers and [one.id] in peers.values(), seen
    assert not d.faults, d.faults


@event('introduceStateChange', 'introducing; error with its reason')
def _(after):
    d, one, two = desk(after)
    d.call('introducePeer', one.id, two.id)
    seen = d.wait('introduceStateChange', state='introducing')
    assert (seen['sendingPeerId'], seen['receivingPeerId']) == (one.id, two.id), seen
    assert seen['privilegedPeerId'] == d.id, seen
    d.call('introducePeer', one.id, 'nobody')
    seen = d.wait('introduceStateChange', state='error')
    assert seen['reason'] and seen['receivingPeerId'] == 'nobody', seen
    assert not d.faults, d.faults


# --- the end ------------------------------------------------------------------------------------
def examples_of_wrong(schema):
    kinds = schema.get('type')
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds == [None]:
        return []       # any value will do
    values = {'boolean': True, 'integer': 7, 'number': 0.5, 'string': 'x', 'object': {},
              'array': []}
    wrong = [v for kind, v in values.items() if kind not in kinds and not (
        # 7 is a number, a string stands for an array of one.
        (kind == 'integer' and 'number' in kinds) or (kind == 'string' and 'array' in kinds))]
    if 'maximum' in schema:
        wrong += [schema['maximum'] + 1, schema['minimum'] - 1]
    if 'enum' in schema:
        wrong.append('none of them')
    return wrong


def right_value(schema):
    """The least that such a parameter takes."""
    kind = schema.get('type')
    kind = kind[-1] if isinstance(kind, list) else kind
    if kind == 'object':
        return {name: right_value(schema['properties'][name])
                for name in schema.get('required', [])}
    if 'enum' in schema:
        return schema['enum'][0]
    return {'string': 'x', 'array': [], 'integer': schema.get('minimum'), 'boolean': False,
            'number': schema.get('minimum')}.get(kind, 1)


def wrong_calls(method_, params, whole, path=()):
    """Each parameter missing, and of each wrong type, down to the last field."""
    for name, schema, required in params:
        def call(value, drop=False):
            given = json.loads(json.dumps(whole))
            place = given
            for step in path:
                place = place.setdefault(step, {})
            if drop:
                place.pop(name, None)
            else:
                place[name] = value
            return given
        if required:
            yield method_, name, call(None, drop=True)
        for value in examples_of_wrong(schema):
            yield method_, name, call(value)
        if 'properties' in schema:
            inner = [(n, p, n in schema.get('required', []))
                     for n, p in schema['properties'].items()]
            yield from wrong_calls(method_, inner, call(right_value(schema)), path + (name,))


@suite.case('every parameter of every method, wrong: refused by its name, and nothing changes')
def _(after):
    a, b, since, other_since = pair()
    before = (a.call('getPeerInfo'), a.call('config.get'), a.id)
    n = 0
    for m in a.call('rpc.discover')['methods']:
        params = [(p['name'], p['schema'], p['required']) for p in m['params']]
        whole = {name: right_value(schema) for name, schema, required in params if required}
        for name, parameter, given in wrong_calls(m['name'], params, whole):
            error = a.refused(name, **given)
            assert error['code'] == -32602 and parameter in error['message'], \
                (name, parameter, given, error)
            n += 1
        error = a.refused(m['name'], **{**whole, 'noSuchParameter': 1})
        assert error['code'] == -32602 and 'noSuchParameter' in error['message'], error
        n += 1
    assert (a.call('getPeerInfo'), a.call('config.get'), a.id) == before
    a.collect()
    b.collect()
    assert not [e for e in a.seen[since:] + b.seen[other_since:]
                if e[0] not in ('channelMessage', 'stats.codec', 'device.state')], a.seen[since:]
    print(f'# {n} wrong calls')


@suite.case('init: the one that comes later is the one that counts')
def _(after):
    made = front(after)
    c = idle_box(after)
    first = c.control.send('init', {'options': {'appKey': 'demo', 'roomServer': made.url}})
    second = c.control.send('init', {'options': {'defaultRoom': 'second'}})
    assert c.control.answer(second)['defaultRoom'] == 'second'
    assert 'in between' in refusal(c, first)['message']


@suite.case('the constants are those of SkylinkJS')
def _(after):
    a = the_world().a
    assert a.call('rpc.constants') == SURFACE['constants']


print(f'# states of the tables that nobody told here: {json.dumps(never_seen())}')


@suite.case('every name has a row')
def _(after):
    wanted = {('method', name) for name in SURFACE['methods']} | \
        {('log', name) for name in SURFACE['SkylinkLogs']} | \
        {('event', name) for name in SURFACE['events']}
    assert covered == wanted, f'without a row: {sorted(wanted - covered)}; unknown: ' \
        f'{sorted(covered - wanted)}'


try:
    end_world()
except Exception as error:
    print(f'# the end: {error!r}')
    suite.failed += 1
suite.finish()
