# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_files.py - rows: files and data URLs"""

from conformance_rows import (FILE, URL, box, event, fetched, file_of, method, offered, pair,
                              refusal, suite, the_world, transfer_ends)
from wire import until


# --- files and data URLs -------------------------------------------------------------------------
@method('sendBlobData', 'the other one has the file, byte for byte')
def _(after):
    call, request = offered(after)
    a, b = the_world().a, the_world().b
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
        a, b = the_world().a, the_world().b
        assert b.call(name, a.id, request['transferId'], accept) is None
        transfer_ends(a, a_since, request, state)
        if accept:
            a.control.answer(call)
        else:
            error = refusal(a, call)
            assert list(error['data']['transferErrors']) == [b.id], error
    assert 'no transfer' in the_world().b.refused(name, the_world().a.id, 'unknown', True)['message']


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
        a, b = the_world().a, the_world().b
        b.call('acceptDataTransfer', a.id, request['transferId'], True)
        transfer_ends(a, a_since, request, 'uploading')
        who, other, since, peer = (a, b, b_since, b.id) if by_sender else (b, a, a_since, a.id)
        assert who.call(name, peer, request['transferId']) is None
        transfer_ends(other, since, request, 'cancel')
        assert list(refusal(a, call)['data']['transferErrors']) == [b.id]
        until(lambda: not b.call('transfer.list') and not a.call('transfer.list'))
    assert 'unknown' in the_world().a.refused(name, the_world().b.id, 'unknown')['message']


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
    a, b = the_world().a, the_world().b
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
    a, b = the_world().a, the_world().b
    b.call('acceptDataTransfer', a.id, request['transferId'], True)
    seen = b.wait('incomingData', other_since, transferId=request['transferId'])
    assert seen['isSelf'] is False and seen['data'], seen
    assert a.wait('incomingData', a_since, transferId=request['transferId'])['isSelf'] is True
    a.control.answer(call)


@event('dataTransferState', 'each step, on both sides')
def _(after):
    a_since, b_since = the_world().a.mark(), the_world().b.mark()
    # Long enough for its progress to be told: that is a matter of time.
    long = FILE * 1000
    call, request = offered(after, long)
    a, b = the_world().a, the_world().b
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
    c = box(after, the_world().server.url)
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
