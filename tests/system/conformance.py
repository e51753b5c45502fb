# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance.py - two boxes in one room, and what they tell

Every event that any of them sends is checked against surface.json: its
documented fields, no others, each of its type, and states that the API's tables
have.
"""
import collections
import json
import os
import shutil
import tempfile
import time

from daemon import SMALL, Daemon
from wire import PATIENCE_S, TOP, Server

with open(os.path.join(TOP, 'tests', 'surface.json'), encoding='utf-8') as f:
    SURFACE = json.load(f)

MEDIA = ['--source', 'test', *SMALL, '--set', 'network.loopback=yes']

TYPES = {'String': str, 'Boolean': bool, 'Number': (int, float), 'Array': list,
         'JSON': (dict, list, str, int, float, bool), 'Object': dict, 'Blob': dict}
# Documented as strings, and numbers by their own constant tables.
NUMBERS = {('readyStateChange', 'readyState'), ('socketError', 'errorCode')}
# Which table a state is of.
STATES = {('readyStateChange', 'readyState'): 'READY_STATE_CHANGE',
          ('channelRetry', 'fallbackType'): 'SOCKET_FALLBACK',
          ('socketError', 'errorCode'): 'SOCKET_ERROR',
          ('socketError', 'type'): 'SOCKET_FALLBACK',
          ('handshakeProgress', 'state'): 'HANDSHAKE_PROGRESS',
          ('candidateGenerationState', 'state'): 'CANDIDATE_GENERATION_STATE',
          ('peerConnectionState', 'state'): 'PEER_CONNECTION_STATE',
          ('iceConnectionState', 'state'): 'ICE_CONNECTION_STATE',
          ('dataChannelState', 'state'): 'DATA_CHANNEL_STATE',
          ('dataChannelState', 'channelType'): 'DATA_CHANNEL_TYPE',
          ('dataTransferState', 'state'): 'DATA_TRANSFER_STATE',
          ('systemAction', 'action'): 'SYSTEM_ACTION',
          ('serverPeerJoined', 'serverPeerType'): 'SERVER_PEER_TYPE',
          ('serverPeerLeft', 'serverPeerType'): 'SERVER_PEER_TYPE',
          ('serverPeerRestart', 'serverPeerType'): 'SERVER_PEER_TYPE',
          ('getPeersStateChange', 'state'): 'GET_PEERS_STATE',
          ('introduceStateChange', 'state'): 'INTRODUCE_STATE'}
# What the table of 0.6.12 lacks and later versions have.
LATER = {('iceConnectionState', 'state'): {'new'},
         ('peerConnectionState', 'state'): set()}


# Of each table what was told at least once.
SEEN = collections.defaultdict(set)


def never_seen():
    return {table: sorted(map(str, set(SURFACE['constants'][table].values()) - SEEN[table]))
            for table in sorted(set(STATES.values()))
            if set(SURFACE['constants'][table].values()) - SEEN[table]}


def check_type(event, name, kinds, value):
    wanted = tuple(t for kind in kinds.split('|')
                   for t in (TYPES[kind] if isinstance(TYPES[kind], tuple) else (TYPES[kind],)))
    if (event, name) in NUMBERS:
        wanted = (int,)
    if isinstance(value, bool) and bool not in wanted:
        raise AssertionError(f'{event}.{name} is {value!r}, not {kinds}')
    assert isinstance(value, wanted), f'{event}.{name} is {value!r}, not {kinds}'


def check_info(event, info):
    """peerInfo, as the API's peerJoined describes it, and nothing else in it."""
    assert set(info) == {'userData', 'settings', 'mediaStatus', 'agent', 'room'}, (event, info)
    settings = info['settings']
    assert set(settings) == {'audio', 'video', 'bandwidth'}, (event, info)
    assert settings['audio'] is False or is_flag(settings['audio'].get('stereo')), (event, info)
    video = settings['video']
    assert video is False or is_flag(video.get('screenshare')), (event, info)
    assert video is False or set(video['resolution']) >= {'width', 'height'}, (event, info)
    assert set(settings['bandwidth']) <= {'audio', 'video', 'data'}, (event, info)
    assert set(info['mediaStatus']) == {'audioMuted', 'videoMuted'}, (event, info)
    assert all(map(is_flag, info['mediaStatus'].values())), (event, info)
    assert set(info['agent']) == {'name', 'version', 'os'}, (event, info)
    assert isinstance(info['room'], str), (event, info)


def is_text(value):
    return isinstance(value, str)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_flag(value):
    return isinstance(value, bool)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def one_of(table):
    return lambda value: value in SURFACE['constants'][table].values()


def is_any(_):
    return True


TRANSFER_INFO = {'size': is_count, 'timeout': is_number, 'isPrivate': is_flag,
                 'dataType': lambda value: value in ('blob', 'dataURL')}
# What the API text says is inside: {(event, parameter): {field: check}}
INSIDE = {
    ('readyStateChange', 'error'): {'status': is_count, 'errorCode': is_count, 'content': is_text},
    ('incomingMessage', 'message'): {
        'content': is_any, 'senderPeerId': is_text, 'targetPeerId': is_any,
        'isPrivate': is_flag, 'isDataChannel': is_flag},
    ('dataTransferState', 'transferInfo'): TRANSFER_INFO,
    ('dataTransferState', 'error'): {'message': is_any,
                                     'transferType': one_of('DATA_TRANSFER_TYPE')},
    ('incomingData', 'transferInfo'): TRANSFER_INFO,
    ('incomingDataRequest', 'transferInfo'): TRANSFER_INFO,
    ('incomingStream', 'stream'): {'id': is_text, 'audio': is_any, 'video': is_any},
    ('mediaAccessSuccess', 'stream'): {'id': is_text, 'audio': is_any, 'video': is_any},
    ('mediaAccessFallback', 'error'): {'error': is_any},
}


def check_inside(event, name, value):
    for field, check in INSIDE.get((event, name), {}).items():
        assert isinstance(value, dict) and field in value, f'{event}.{name} lacks {field}: {value}'
        assert check(value[field]), f'{event}.{name}.{field} is {value[field]!r}'


def check_payload(event, params):
    if event not in SURFACE['events']:
        return      # ours
    documented = {p['name']: p for p in SURFACE['events'][event]}
    unknown = set(params) - set(documented)
    assert not unknown, f'{event} has {unknown} in {params}'
    for name, p in documented.items():
        if params.get(name) is None:
            # A null is what SkylinkJS gives for "none".
            assert name in params or p.get('optional'), f'{event} lacks {name}: {params}'
            continue
        check_type(event, name, p['type'], params[name])
        check_inside(event, name, params[name])
        table = STATES.get((event, name))
        if table:
            SEEN[table].add(params[name])
            values = list(SURFACE['constants'][table].values())
            assert params[name] in values or params[name] in LATER.get((event, name), ()), \
                f'{event}.{name} is {params[name]!r}, not of {table}'
    if params.get('peerInfo'):
        check_info(event, params['peerInfo'])


class Box:
    """A daemon, and all that it tells."""

    def __init__(self, server_url, *arguments, room='lobby', user_data='', wait=True):
        self.spool = tempfile.mkdtemp(prefix='skylink-conformance-')
        self.daemon = Daemon(*MEDIA, '--set', f'transfer.directory={self.spool}', '--set', f'room.server={server_url}', '--set',
                             'room.name=', '--set', f'room.user_data={user_data}',
                             *arguments)
        self.control = self.daemon.control()
        self.seen = []          # (name, params), all there were
        self.faults = []
        self.control.call('subscribe')
        # Not by the configuration: nothing of the join is to be missed.
        join = self.control.send('joinRoom', {'room': room})
        if wait:
            self.control.answer(join)

    @property
    def id(self):
        return self.daemon.status()['room']['id']

    def call(self, method, *arguments, **params):
        """By position, or by name."""
        return self.control.answer(self.control.send(
            method, list(arguments) if arguments else params))

    def refused(self, method, *arguments, **params):
        """The whole error."""
        number = self.control.send(method, list(arguments) if arguments else params)
        while number not in self.control.answers:
            self.control.read()
        message = self.control.answers.pop(number)
        assert 'error' in message, f'{method} was not refused: {message}'
        return message['error']

    def collect(self):
        while self.control.events:
            event = self.control.events.pop(0)
            self.seen.append((event['method'], event.get('params', {})))
            try:
                check_payload(*self.seen[-1])
            except AssertionError as fault:
                self.faults.append(str(fault))

    def mark(self):
        """What is already known is not what is waited for next."""
        self.call('generateUUID')
        self.collect()
        return len(self.seen)

    def wait(self, name, since=0, seconds=PATIENCE_S, **fields):
        """The first such event from there on; dotted names reach inside."""
        deadline = time.monotonic() + seconds
        while True:
            self.collect()
            for event, params in self.seen[since:]:
                if event == name and fits(params, fields):
                    return params
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f'no {name} {fields} within {seconds} s; there were '
                                     f'{collections.Counter(e for e, _ in self.seen[since:])}')
            self.control.socket.settimeout(left)
            try:
                self.control.read()
            except TimeoutError:
                continue
            finally:
                self.control.socket.settimeout(PATIENCE_S)

    def stop(self):
        try:
            self.control.close()
        finally:
            self.daemon.stop()
            shutil.rmtree(self.spool)


def member(params, path):
    for name in path.split('__'):
        if not isinstance(params, dict) or name not in params:
            return None
        params = params[name]
    return params


def fits(params, fields):
    return all(value(member(params, path)) if callable(value) else member(params, path) == value
               for path, value in fields.items())


class World:
    """Two boxes, connected, in the room 'lobby' of a server of their own."""

    def __init__(self):
        self.server = Server()
        self.a = self.b = None
        try:
            self.a = Box(self.server.url, user_data='a')
            self.b = Box(self.server.url, user_data='b')
            self.settle()
        except BaseException:
            self.stop()
            raise

    def settle(self):
        """Until each has the other's data channel."""
        for one, other in ((self.a, self.b), (self.b, self.a)):
            one.wait('dataChannelState', state='open', peerId=other.id)
            one.wait('iceConnectionState', state='completed', peerId=other.id)

    def faults(self):
        return [f for box in (self.a, self.b) if box for f in box.faults]

    def stop(self):
        for part in (self.a, self.b, self.server):
            if part:
                part.stop()
