# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_media.py - rows: streams"""
from conformance_rows import end_world, event, method, pair
from wire import until


# --- streams ----------------------------------------------------------------------------------
NO_CAMERA = 'v4l2:/dev/video-that-is-not-there'
SD = {'width': 160, 'height': 120}


def video_of(who, peer):
    """What the other one is told of somebody's picture."""
    return who.call('getPeerInfo', peer)['settings']['video']


def restored(after):
    """Both boxes with their configured streams again when the row is over."""
    after(end_world)    # what a stream is cannot be unsaid piece by piece
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
