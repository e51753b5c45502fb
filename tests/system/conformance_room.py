# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_room.py - rows: init, joining, messages, peers, mute"""
from conformance import SURFACE
from conformance_rows import (Raw, box, dead_port, end_world, front, idle_box, method, pair,
                              rejoin, suite, tell_user_data, the_world)
from wire import until


# --- joining, leaving -----------------------------------------------------------
@method('joinRoom', 'the other one sees who came, with its user data')
def _(after):
    a, b, _, since = pair()
    joined = rejoin(the_world(), a, {'userData': {'n': [1, 'two', None]}})
    assert joined['room'] == 'lobby' and joined['peerInfo']['userData'] == {'n': [1, 'two', None]}
    seen = b.wait('peerJoined', since, peerId=joined['peerId'], isSelf=False)
    assert seen['peerInfo']['userData'] == {'n': [1, 'two', None]}, seen
    # By position, as a page calls it.
    assert a.call('joinRoom', 'lobby', {'userData': 'a'})['room'] == 'lobby'
    a.call('leaveRoom', False)
    rejoin(the_world(), a, {'userData': 'a'})


@suite.case('method joinRoom: audio, video and bandwidth as given are what the other one is told')
def _(after):
    a, b, _, _ = pair()
    after(end_world)
    a.call('leaveRoom')
    joined = rejoin(the_world(), a, {
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
    joined = rejoin(the_world(), a, {'audio': False, 'video': False})
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
    the_world().a.call('lockRoom')
    after(lambda: the_world().a.call('unlockRoom'))
    the_world().b.wait('roomLock', isLocked=True)
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
    rejoin(the_world(), a, {'userData': 'a'})


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
    raw = Raw(after, the_world().server, 'made')
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
    third = box(after, the_world().server.url, wait=False)
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
    third = box(after, the_world().server.url)
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
    third = box(after, the_world().server.url)
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
