#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody should say: to the room server, and to the appliance.

Each class has its answer, which is counted: a message is passed on unchanged,
or dropped and counted as bad, or refused with a reason. Afterwards everybody
is where they were, and memory and descriptors are what they were.
"""
import contextlib
import json
import os
import socket
import time

from daemon import SMALL, Daemon, Receiver
from rawserver import IN_ROOM, RawServer
from wire import PATIENCE_S, Closed, Server, Suite, WebSocket, event, join_message, until

suite = Suite()
case = suite.case
GROWTH_MB = 48          # of what a storm may leave in the allocator

# Every message of a peer: a good one (without mid, rid), and what its fields
# may be: s string, i id, d description, n number, b boolean, o object, a array,
# * anything, 0 null; R: must be there.
INFO = {'userData': '', 'settings': {'audio': True, 'video': True},
        'mediaStatus': {'audioMuted': False, 'videoMuted': False}}
HELLO = {'agent': ('chrome', 's0'), 'version': ('1', 'sn0'), 'os': ('x', 's0'),
         'SMProtocolVersion': ('0.1.2.4', 's0'), 'DTProtocolVersion': ('0.1.3', 's0'),
         'sessionType': ('stream', 's0'), 'parentId': (None, 'i0'), 'weight': (1, 'n0'),
         'receiveOnly': (False, 'b0'), 'publishOnly': (None, 'ob0'),
         'enableIceTrickle': (True, 'b0'), 'enableDataChannel': (True, 'b0'),
         'enableIceRestart': (True, 'b0'), 'userInfo': (INFO, 'o0')}
MESSAGES = {
    'enter': HELLO,
    'welcome': HELLO,
    'restart': {**HELLO, 'doIceRestart': (False, 'b0'), 'isRestartResend': (False, 'b0'),
                'isConnectionRestart': (False, 'b0'), 'explicit': (False, 'b0'),
                'lastRestart': (1, 'n0')},
    'offer': {'sdp': ('v=0\r\n', 'dR'), 'restart': (False, 'b0'), 'mediaInfoList': ([], 'a0'),
              'userInfo': (INFO, 'o0')},
    'answer': {'sdp': ('v=0\r\n', 'dR'), 'restart': (False, 'b0'), 'mediaInfoList': ([], 'a0'),
               'userInfo': (INFO, 'o0')},
    'candidate': {'label': (0, 'nR'), 'id': ('0', 'i0'), 'candidate': (
        'candidate:1 1 udp 1 192.0.2.1 9 typ host', 'sR')},
    'endOfCandidates': {'noOfExpectedCandidates': (3, 'n0')},
    'public': {'cid': ('c', 's0'), 'data': ('hello', '*R')},
    'private': {'cid': ('c', 's0'), 'data': ('hello', '*R')},
    'updateUserEvent': {'userData': ('u', '*R'), 'stamp': (1, 'n0')},
    'muteAudioEvent': {'muted': (True, 'bR'), 'stamp': (1, 'n0')},
    'muteVideoEvent': {'muted': (True, 'bR'), 'stamp': (1, 'n0')},
    'stream': {'status': ('ended', 'sR'), 'streamId': ('x', 'i0'), 'sessionType': ('stream', 's0'),
               'settings': ({}, 'o0'), 'cid': ('c', 's0')},
    'roomLockEvent': {'lock': (False, 'bR')},
    'answerAck': {'success': (True, 'b0')},
    'mediaInfoEvent': {'publisherId': ('x', 'i0'), 'mediaId': ('AUDIO_x', 'sR'),
                       'mediaType': ('audioMic', 's0'), 'mediaState': ('muted', 'sR')},
    'message': {'data': ('hello', '*R'), 'msgId': ('1', '*')},
    'ping': {},
    'nothingOfOurs': {'x': (1, '*')},
}
# What only a server may say.
SERVER_MESSAGES = {
    'inRoom': {'sid': ('other', 'iR'), 'pc_config': ({}, 'oR'), 'tieBreaker': (1, 'n0')},
    'redirect': {'action': ('warning', 'sR'), 'reason': ('fastmsg', 's0'), 'info': ('i', 's0')},
    'peerList': {'result': ({'r': ['a']}, 'oR')},
    'introduceError': {'sendingPeerId': ('a', 'iR'), 'receivingPeerId': ('b', 'iR'),
                       'reason': ('r', 's0')},
    'approach': {'target': ('somebody', 'iR')},
    'recordingEvent': {'action': ('on', 'sR'), 'recordingId': ('1', 's0'), 'url': ('u', 's0'),
                       'urls': ([], 'a0'), 'error': ('e', 's0')},
}
LENGTHS = {'s': 4096, 'i': 256, 'd': 256 * 1024}
KINDS = {str: 'sid', bool: 'b', int: 'n', float: 'n', dict: 'o', list: 'a', type(None): '0'}
WRONG = ([], {}, 5, -1.5, True, None, '', 'x' * 5000, 'x' * 300000)


def acceptable(value, kinds):
    """What the appliance's parser says of one field."""
    if '*' in kinds:
        return True
    fitting = [k for k in KINDS[type(value)] if k in kinds]
    return any(not isinstance(value, str) or len(value) <= LENGTHS[k] for k in fitting)


def counts(message, name):
    """Numbers that have a range besides, and an id that must not be empty."""
    if message['type'] == 'inRoom' and message.get('sid') == '':
        return False
    limit = {'label': 1024, 'noOfExpectedCandidates': 100000}.get(name)
    value = message.get(name)
    return limit is None or isinstance(value, bool) or not isinstance(value, (int, float)) or \
        (0 <= value <= limit and value == int(value))


def variants(kind, fields):
    """(message, is it good?): each field missing, wrong, too long."""
    good = {'type': kind, **{name: value for name, (value, _) in fields.items()
                             if value is not None}}
    yield good, True
    for name, (_, kinds) in fields.items():
        yield {k: v for k, v in good.items() if k != name}, 'R' not in kinds
        for value in WRONG:
            message = {**good, name: value}
            yield message, acceptable(value, kinds) and counts(message, name)


MALFORMED = [
    '', ' ', '{', '}', '[]', '"text"', '7', 'null', '{"type":"ping"', '{"type":"ping"}x',
    '{"type":"ping",}', "{'type':'ping'}", '{"type":"ping","x":01}', '{"type":"ping","x":NaN}',
    '{"type":"ping","x":1e999}', '{"type":"ping","x":"\\ud800"}', '{"type":"ping","x":"\\u0000"}',
    '{"type":"ping","x":' + '[' * 100000, '{"type":"ping","x":' + '[' * 40 + ']' * 40 + '}',
    '{"type":"ping","x":' + '{"a":' * 5000 + '1' + '}' * 5000 + '}',
    '{"type":"ping","x":"' + '\x01' + '"}', '{"type":"ping","x":99999999999999999999}',
    '{"type":7}', '{"type":null}', '{"type":{}}', '{}', '{"type":"' + 'x' * 100 + '"}',
]


class Process:
    """Memory and descriptors of a daemon, before and after."""

    def __init__(self, daemon, name):
        self.pid, self.name = daemon.process.pid, name
        self.rss, self.fds = self.read()

    def read(self):
        with open(f'/proc/{self.pid}/status', encoding='ascii') as f:
            rss = int(next(l for l in f if l.startswith('VmRSS')).split()[1]) / 1024
        return rss, len(os.listdir(f'/proc/{self.pid}/fd'))

    def settled(self, seconds=30):
        """Printed; descriptors are as many as before, memory hardly more."""
        try:
            until(lambda: self.read()[1] <= self.fds, seconds, 0.1)
        finally:
            rss, fds = self.read()
            print(f'# {self.name}: {self.rss:.1f} -> {rss:.1f} MB, '
                  f'{self.fds} -> {fds} descriptors', flush=True)
        # AddressSanitizer keeps 256 MB of what was freed, and its own beside it
        limit = 512 if 'asan' in os.environ.get('BUILD', '') else GROWTH_MB
        assert rss - self.rss < limit, (self.rss, rss)


class RoomDaemon(Server):
    """skylinkd --room-server, for the clients of wire.py."""

    def __init__(self, *arguments):
        self.daemon = Daemon('--room-server', '--listen', '127.0.0.1:0', *arguments)
        self.url = self.daemon.url()
        self.host, _, port = self.url[len('http://'):-1].rpartition(':')
        self.port = int(port)

    def count(self):
        return self.daemon.status()['roomserver']

    def stop(self):
        self.daemon.stop()


def room_daemon(after, *arguments):
    server = RoomDaemon(*arguments)
    after(server.stop)
    return server


def joined(after, server, room='lobby', **options):
    client = WebSocket(server, **options)
    after(client.close)
    return client.join(room)


def heard_until(client, mark):
    """What arrives before the message with this mark, those alone."""
    messages = []
    while True:
        message = client.receive_message()
        if message.get('mark') == mark:
            return messages
        messages.append(message)


# --- the room server ----------------------------------------------------------
def routed(message, own, other):
    """What the server does with it: 'relay', 'drop' (counted), 'lose' (to
    nobody that is here)."""
    if not isinstance(message.get('type'), str) or len(message['type']) > 64:
        return 'drop'
    if message.get('mid') != own.sid:
        return 'drop'
    rid = message.get('rid')
    if isinstance(rid, str) and len(rid) <= 64 and rid != own.rid:
        return 'drop'
    target = message.get('target')
    if target is None:
        return 'relay'
    if not isinstance(target, str) or len(target) > 64:
        return 'drop'
    return 'relay' if target == other.sid else 'lose'


@case('room server: every message with each field missing, wrong, too long, foreign')
def _(after):
    server = room_daemon(after)
    watcher = joined(after, server)
    before = Process(server.daemon, 'room server')
    n = 0
    for kind, fields in MESSAGES.items():
        client = joined(after, server)
        routing = {'mid': (client.sid, '*'), 'rid': (client.rid, '*')}
        sent = [m for m, _ in variants(kind, {**routing, **fields})]
        sent += [{'type': kind, 'mid': client.sid, 'rid': client.rid, 'target': target}
                 for target in (*WRONG, watcher.sid, client.sid, 'x' * 20, 'MCU')]
        sent += [{'type': kind, 'mid': watcher.sid, 'rid': client.rid},
                 {'type': kind, 'mid': client.sid, 'rid': 'x' * 32}]
        verdicts = [routed(m, client, watcher) for m in sent]
        bad = server.count()['bad_messages']
        for message in sent:
            client.send(event(message))
        client.say(type='ping', mark=kind)
        # what is passed on is the same, and in order
        relayed = heard_until(watcher, kind)
        assert relayed == [m for m, v in zip(sent, verdicts) if v == 'relay'], kind
        assert server.count()['bad_messages'] - bad == verdicts.count('drop'), kind
        n += len(sent)
        client.close()
        assert watcher.receive_message()['type'] == 'bye'
    print(f'# {n} messages')
    assert n > 1500
    watcher.close()
    before.settled()


@case('room server: what only a server may say, and what it answers itself')
def _(after):
    server = room_daemon(after)
    watcher, client = joined(after, server), joined(after, server)
    for kind, fields in SERVER_MESSAGES.items():
        bad = server.count()['bad_messages']
        sent = [m for m, _ in variants(kind, fields)]
        for message in sent:
            client.say(**message)
        client.say(type='ping', mark=kind)
        assert heard_until(watcher, kind) == [], kind
        assert server.count()['bad_messages'] - bad == len(sent), kind
    # Requests of a key that is not privileged, with anything in them.
    bad = server.count()['bad_messages']
    asked = [{'type': kind, **fields, name: value} for kind, fields in (
        ('getPeers', {'showAll': True}), ('introduce', {'sendingPeerId': client.sid,
                                                        'receivingPeerId': watcher.sid}))
             for name in fields for value in WRONG]
    for message in asked:
        client.say(**message)
    client.say(type='ping', mark='asked')
    assert heard_until(watcher, 'asked') == []
    assert server.count()['bad_messages'] - bad == len(asked)
    watcher.say(type='ping', mark='answers', target=client.sid)
    answers = heard_until(client, 'answers')
    assert {m['type'] for m in answers} == {'introduceError'}
    # of those whose ids are texts at all
    assert len(answers) == 2 * sum(isinstance(v, str) for v in WRONG), answers


@case('room server: malformed and deep JSON, Engine.IO and Socket.IO garbage, groups')
def _(after):
    server = room_daemon(after)
    watcher, client = joined(after, server), joined(after, server)
    before = Process(server.daemon, 'room server')
    bad = server.count()['bad_messages']
    for text in MALFORMED:
        client.send(event(text))
    client.say(type='ping', mark=1)
    assert heard_until(watcher, 1) == []
    assert server.count()['bad_messages'] - bad == len(MALFORMED)
    # below the message: not an event, another one, not even a packet
    bad = server.count()['bad_messages']
    events = ['42', '42{}', '42[]', '42["message"]', '42["message",7]', '42["message",[]]',
              '42["message",']
    for packet in events:
        client.send(packet)
    client.send('43[]')         # an answer to nothing
    client.say(type='ping', mark=2)
    assert heard_until(watcher, 2) == []
    assert server.count()['bad_messages'] - bad == len(events)
    bad = server.count()['bad_messages']
    packets = ['45-["message"]', '4', '49', '9', '7x']
    for packet in packets:      # the end of that connection alone
        other = joined(after, server)
        other.send(packet)
        other.expect_end()
        other.close()
        assert watcher.receive_message() == {'type': 'bye', 'mid': other.sid, 'rid': other.rid}
        assert client.receive_message()['type'] == 'bye'
    assert server.count()['bad_messages'] - bad == len(packets)
    # groups: of nothing, of wrong things, of groups, of too many
    bad = server.count()['bad_messages']
    ping = {'type': 'ping', 'mid': client.sid, 'rid': client.rid}
    inner = [json.dumps(ping), 7, None, {}, '{', json.dumps({'type': 'redirect', **ping}),
             json.dumps({**ping, 'mid': watcher.sid})]
    for lists in (None, 7, {}, 'x', [json.dumps(ping)] * 65):
        client.say(type='group', lists=lists)
    client.say(type='group', lists=inner)
    client.say(type='ping', mark=3)
    relayed = heard_until(watcher, 3)
    assert [m['type'] for m in relayed] == ['ping', 'ping'], relayed
    assert server.count()['bad_messages'] - bad == 5 + 5
    client.close()
    watcher.close()
    before.settled()


@case('room server: joinRoom with each field missing, wrong, too long')
def _(after):
    server = room_daemon(after)
    grant = server.grant()
    good = join_message(grant)
    n = refused = 0
    needed = [f for f in good if f not in ('type', 'isPrivileged', 'autoIntroduce', 'key')]
    for field in needed:
        for value in ('missing', *WRONG, 'x'):
            client = WebSocket(server)
            after(client.close)
            message = {**good, field: value}
            if value == 'missing':
                del message[field]
            client.receive()
            client.receive()
            client.send(event(message))
            try:
                answer = client.receive_message()
                assert answer['type'] == 'redirect' and answer['action'] == 'reject', answer
                assert answer['reason'] == 'credentialError', answer
                client.expect_end()
                refused += 1
            except Closed:      # a message that is too long for one who is not in
                assert isinstance(value, str) and len(value) > 16000, field
            client.close()
            n += 1
    assert refused >= n - len(needed)
    count = until(lambda: (lambda c: c if not c['clients'] else None)(server.count()), 20)
    assert count['refused'] == refused, count


@case('room server: 10,000 joins from one client')
def _(after):
    server = room_daemon(after)
    watcher = joined(after, server, 'other')
    before = Process(server.daemon, 'room server')
    client = WebSocket(server)
    after(client.close)
    text = event(join_message(server.grant()))
    client.receive()
    client.receive()
    start, begun = server.count(), time.monotonic()
    for _ in range(10000):
        client.send(text)
    client.send('2last')
    answers = []
    while (packet := client.receive()) != '3last':
        answers.append(json.loads(json.loads(packet[2:])[1]))
    end = server.count()
    dropped = end['bad_messages'] - start['bad_messages']
    taken = sum(a['type'] == 'inRoom' for a in answers)
    print(f'# {taken} taken, {dropped} dropped as a flood')
    # 40 at once and 4 a second; each is answered or dropped, and the flood is named
    assert 1 <= taken <= 41 + 4 * (time.monotonic() - begun), taken
    assert taken + dropped == 10000, (taken, dropped)
    assert {a['type'] for a in answers} <= {'inRoom', 'redirect'}
    assert end['clients'] == 2 and end['rooms'] == 2, end
    # the others notice nothing
    second = joined(after, server, 'other')
    second.say(type='ping', target=watcher.sid)
    assert watcher.receive_message()['type'] == 'ping'
    client.close()
    second.close()
    watcher.close()
    # and as many connections, one after the other
    for _ in range(500):
        WebSocket(server).join('lobby').close()
    until(lambda: server.count()['clients'] == 0, 20, 0.1)
    before.settled()


@case('room server: a client that never reads, requests that never end')
def _(after):
    server = room_daemon(after)
    before = Process(server.daemon, 'room server')
    deaf = joined(after, server, small_window=True)
    watcher, talker = joined(after, server), joined(after, server)
    for i in range(40):         # 12 MB, within the talker's rate
        talker.say(type='public', data='x' * 300000, n=i)
        if watcher.receive_message().get('n') != i:
            raise AssertionError('the others do not hear everything')
        if server.count()['dropped_slow']:
            break
    assert server.count()['dropped_slow'] == 1, server.count()
    assert watcher.receive_message() == {'type': 'bye', 'mid': deaf.sid, 'rid': deaf.rid}
    # slow requests: heads and bodies that stop coming
    slow = []
    for i in range(30):
        s = server.connect()
        after(s.close)
        s.sendall(b'GET /api/demo/lobby HTTP/1.1\r\nHost: x\r\nX-A: ' if i % 2 else
                  b'POST /socket.io/?EIO=3&transport=polling&sid=x HTTP/1.1\r\nHost: x\r\n'
                  b'Content-Length: 100000\r\n\r\n1')
        slow.append(s)
    deadline = time.monotonic() + PATIENCE_S
    for s in slow:
        s.settimeout(max(1, deadline - time.monotonic()))
        try:
            while s.recv(4096):
                try:
                    s.sendall(b'x')
                except OSError:
                    break
        except ConnectionError:
            pass
        s.close()
    assert server.grant()['success']
    for client in (deaf, watcher, talker):
        client.close()
    before.settled()


# --- the appliance ------------------------------------------------------------
def appliance(after, url):
    daemon = Daemon('--source', 'test', *SMALL, '--set', 'network.loopback=yes', '--set',
                    f'room.server={url}')
    after(daemon.stop)
    return daemon


def room_of(daemon):
    return daemon.status()['room']


@case('appliance: every message of a peer with each field missing, wrong, too long')
def _(after):
    server = Server()
    after(server.stop)
    daemon = appliance(after, server.url.rstrip('/'))
    daemon.wait_state('joined')
    viewer = Receiver(server.url.rstrip('/'), 'lobby', 600)     # a real peer, all along
    after(viewer.kill)
    # Until all that it needs for it is open.
    until(lambda: [p for p in daemon.status()['peers']
                   if p['state'] == 'connected' and p['packets'] > 100], 20, 0.1)
    me = room_of(daemon)['id']
    before = Process(daemon, 'appliance')
    n = 0
    for kind, fields in MESSAGES.items():
        client = joined(after, server)
        client.say(type='enter', target=me, **{k: v for k, (v, _) in HELLO.items()
                                               if v is not None})
        sent = list(variants(kind, fields))
        bad = room_of(daemon)['bad_messages']
        for message, _ in sent:
            client.say(**message, target=me)
        for text in MALFORMED if kind == 'ping' else ():
            client.send(event(text))        # ends at the server
        expected = sum(not good for _, good in sent)
        until(lambda: room_of(daemon)['bad_messages'] - bad >= expected, 20, 0.02)
        # all of it was read: what comes after the last has an answer
        client.say(type='welcome', target=me, weight=-1, **{
            k: v for k, (v, _) in HELLO.items() if v is not None and k != 'weight'})
        assert room_of(daemon)['bad_messages'] - bad == expected, (
            kind, room_of(daemon)['bad_messages'] - bad, expected)
        n += len(sent)
        client.close()
        until(lambda: len(daemon.status()['peers']) == 1, 20, 0.05)
    room = room_of(daemon)
    print(f'# {n} messages, {room["bad_messages"]} bad')
    assert room['state'] == 'joined' and room['id'] == me and room['losses'] == 0, room
    peers = daemon.status()['peers']
    assert len(peers) == 1 and peers[0]['state'] == 'connected', peers
    assert Receiver(server.url.rstrip('/'), 'lobby', 1).result()
    until(lambda: len(daemon.status()['peers']) == 1, 20, 0.05)
    before.settled()


@case('appliance: a server that says anything, and 10,000 peers that are none')
def _(after):
    server = RawServer()
    after(server.close)
    daemon = appliance(after, server.url)
    connection = server.let_in()
    daemon.wait_state('joined')
    before = Process(daemon, 'appliance')

    def bad():
        return room_of(daemon)['bad_messages']

    def settled_at(n):
        until(lambda: bad() >= n, 20, 0.02)
        assert bad() == n, (bad(), n)

    for kind, fields in SERVER_MESSAGES.items():
        sent = list(variants(kind, fields))
        expected = bad() + sum(not good for _, good in sent)
        for message, _ in sent:
            connection.say({'rid': 'r', **message})
        settled_at(expected)
    expected = bad() + len(MALFORMED)
    for text in MALFORMED:
        connection.send(event(text))
    # a type that is too long is no message; all others of the list neither
    settled_at(expected)
    # for somebody else, from nobody, from ourselves
    foreign = room_of(daemon)['foreign_messages']
    for message in ({'type': 'public', 'mid': 'a', 'target': 'b', 'data': 1},
                    {'type': 'bye', 'mid': 'me'}, {'type': 'offer', 'mid': 'me', 'sdp': 'x'}):
        connection.say(message)
    until(lambda: room_of(daemon)['foreign_messages'] == foreign + 3, 20, 0.02)
    unexpected = room_of(daemon)['unexpected_messages']
    for kind in ('offer', 'answer', 'candidate', 'public', 'muteAudioEvent'):
        fields = MESSAGES[kind]
        connection.say({'type': kind, 'mid': 'nobody', 'target': 'me',
                        **{k: v for k, (v, _) in fields.items()}})
    until(lambda: room_of(daemon)['unexpected_messages'] == unexpected + 5, 20, 0.02)
    # groups: 64 are read, groups inside are not
    expected = bad() + 100 - 64 + 1
    connection.say({'type': 'group', 'lists': [json.dumps({'type': 'ping'})] * 100})
    connection.say({'type': 'group', 'lists': [json.dumps({'type': 'group', 'lists': []})]})
    settled_at(expected)
    hello = {k: v for k, (v, _) in HELLO.items() if v is not None}
    for times in (1, 2):
        for i in range(10000):
            connection.say({'type': 'enter', 'mid': f'peer{times}.{i}', 'rid': 'r', **hello})
        refused = times * (10000 - 64)
        until(lambda: room_of(daemon)['peers_refused'] >= refused, 120, 0.2)
        assert len(daemon.status()['peers']) == 64
        assert room_of(daemon)['peers_refused'] == refused
        for i in range(10000):
            connection.say({'type': 'bye', 'mid': f'peer{times}.{i}', 'rid': 'r'})
        until(lambda: not daemon.status()['peers'], 60, 0.1)
        if times == 1:          # what 64 connections once took is taken again
            before.settled()
            before = Process(daemon, 'appliance, again')
    room = room_of(daemon)
    assert room['state'] == 'joined' and room['losses'] == 0, room
    before.settled()


@case('appliance: what is no Engine.IO ends that connection, and it comes back')
def _(after):
    server = RawServer()
    after(server.close)
    daemon = appliance(after, server.url)
    connection = server.let_in()
    before = Process(daemon, 'appliance')
    control = daemon.control()
    after(control.close)
    for i, end in enumerate((
            lambda c: c.send('42["message","' + 'x' * (1 << 21) + '"]'),     # too long
            lambda c: c.send_frame(b'\xff\xfe', 1),                         # not UTF-8
            lambda c: c.send('41'), lambda c: c.send('1'), lambda c: c.send('44"no"'),
            lambda c: c.socket.sendall(b'\xf7\xff\xff'),                    # no frame
            lambda c: c.say({'type': 'redirect', 'action': 'reject', 'reason': 'serverError'}),
            lambda c: c.socket.shutdown(socket.SHUT_RDWR))):
        # It may hang up before it has taken everything.
        with contextlib.suppress(OSError):
            end(connection)
        if i:       # the first time by itself; it would wait longer each time
            until(lambda: room_of(daemon)['state'] == 'waiting', 20, 0.02)
            control.send('joinRoom', {'room': 'lobby'})
        connection = server.let_in()
        until(lambda: room_of(daemon)['joins'] == i + 2, 20, 0.02)
    # what is only strange is counted and passed over
    bad = room_of(daemon)['bad_messages']
    connection.send_frame(b'\x00\x01', 2)
    for packet in ('42["other","{}"]', '6', '3', '2', '42["message","{}"]'):
        connection.send(packet)
    until(lambda: room_of(daemon)['bad_messages'] == bad + 1, 20, 0.02)
    # answers to joinRoom that are none: nobody is in the room by them
    connection.send('1')
    until(lambda: room_of(daemon)['state'] == 'waiting', 20, 0.02)
    control.send('joinRoom', {'room': 'lobby'})
    connection = server.next()
    connection.hear('joinRoom')
    bad = room_of(daemon)['bad_messages']
    answers = ({**IN_ROOM, 'sid': ''}, {**IN_ROOM, 'sid': None}, {'type': 'inRoom'},
               {**IN_ROOM, 'pc_config': {'iceServers': [7]}}, {**IN_ROOM, 'pc_config': []})
    for message in answers:
        connection.say(message)
    until(lambda: room_of(daemon)['bad_messages'] == bad + len(answers), 20, 0.02)
    assert room_of(daemon)['state'] == 'joining'
    connection.say(IN_ROOM)
    daemon.wait_state('joined')
    before.settled()


suite.finish()
