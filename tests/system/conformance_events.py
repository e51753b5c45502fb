# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_events.py - rows: signaling, peers, a media server, privileged keys"""
import os

from conformance import SURFACE
from conformance_rows import (Raw, answer_of, box, dead_port, dead_ports_first, event, file_of,
                              front, method, offered, pair, rejoin, suite, tell_user_data, the_world)
from wire import Server, until


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
    rejoin(the_world(), b, {'userData': 'b'})
    for state in ('enter', 'welcome', 'offer', 'answer'):
        for one, mark in ((a, since), (b, other_since)):
            one.collect()
        assert any(e == 'handshakeProgress' and p['state'] == state
                   for e, p in a.seen[since:] + b.seen[other_since:]), state


@suite.case('event handshakeProgress: error, for an answer that is none')
def _(after):
    a, _, since, _ = pair()
    raw = Raw(after, the_world().server)
    raw.enter(weight=0)
    raw.until('offer', a.id)
    raw.socket.say(type='answer', target=a.id, sdp='v=0 and nonsense')
    seen = a.wait('handshakeProgress', since, state='error', peerId=raw.id)
    assert seen['error'], seen


@event('candidateGenerationState', 'gathering, completed')
def _(after):
    a, b, since, _ = pair()
    rejoin(the_world(), b, {'userData': 'b'})
    for state in ('gathering', 'completed'):
        assert a.wait('candidateGenerationState', since, state=state)['peerId'] == b.id


@event('peerConnectionState', 'an offer here or there, stable, closed')
def _(after):
    a, b, since, other_since = pair()
    was = b.id
    rejoin(the_world(), b, {'userData': 'b'})
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
    rejoin(the_world(), b, {'userData': 'b'})
    for state in ('checking', 'connected', 'completed'):
        assert a.wait('iceConnectionState', since, state=state)['peerId'] == b.id
    # One that answers, and is nowhere: its only address is nobody's.
    held, port = dead_port()
    after(held.close)
    raw = Raw(after, the_world().server)
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
    joined = rejoin(the_world(), b, {'userData': 'b'})
    assert a.wait('peerJoined', since, peerId=joined['peerId'])['isSelf'] is False
    assert b.wait('peerJoined', other_since, peerId=joined['peerId'])['isSelf'] is True


@event('peerRestart', 'told on both sides, with who began')
def _(after):
    a, b, since, other_since = pair()
    # Asks one that was not asked a moment ago.
    rejoin(the_world(), b, {'userData': 'b'})
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
    rejoin(the_world(), b, {'userData': 'b'})


@event('incomingStream', "the other one's media, and our own")
def _(after):
    a, b, since, other_since = pair()
    rejoin(the_world(), b, {'userData': 'b'})
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
    rejoin(the_world(), b, {'userData': 'b'})
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


# --- a media server --------------------------------------------------------------------------
def rooms(made):
    """The room that the box is in, by the name that the server has for it."""
    return [m['rid'] for m in made.said if m['type'] == 'enter']


def with_mcu(after):
    """A box in a room where a media server is said to be. The relay makes its
    messages up (our room server gives nobody that id) and keeps what is for
    it."""
    made = front(after, keep=lambda message: message.get('target') != 'MCU')
    c = box(after, made.url, room='mcu')
    until(lambda: rooms(made))
    made.say({'type': 'enter', 'mid': 'MCU', 'rid': rooms(made)[0], 'agent': 'MCU', 'version': '1',
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
    made.say({'type': 'bye', 'mid': 'MCU', 'rid': rooms(made)[0]})
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
