#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files between two daemons in one room: over the control socket into the one,
out of the spool of the other. FULL=1 sends 200 MB as well."""
import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import tempfile

from daemon import Daemon, Refused, program
from wire import Skip, Suite, own_mounts, until

suite = Suite()
case = suite.case
MB = 1000000
QUIET = ['--set', 'video.source=none', '--set', 'audio.source=none', '--set',
         'network.loopback=yes']
OVER = ('uploadCompleted', 'downloadCompleted', 'rejected', 'cancel', 'error')


class Pair:
    """Two daemons in one room, each with a control client that hears all of transfers."""

    def __init__(self, after, *receiver_options, accept='ask', subscribe=True, spool=None):
        self.folder = tempfile.mkdtemp(prefix='skylink-files-')
        after(lambda: shutil.rmtree(self.folder))
        self.spool = spool or os.path.join(self.folder, 'spool')
        self.sender = self.start(after, '--listen', '127.0.0.1:0', '--set',
                                 f'transfer.directory={self.folder}/sender')
        self.url = self.sender.url()
        self.options = ['--set', f'room.server={self.url}', '--set',
                        f'transfer.directory={self.spool}', '--set',
                        f'transfer.accept={accept}', *receiver_options]
        self.receiver = self.start(after, *self.options)
        self.up, self.down = self.sender.control(), self.receiver.control()
        after(self.up.close)
        after(lambda: self.down.close())
        events = ['dataTransferState', 'incomingData', 'incomingDataRequest', 'transfer.refused']
        self.up.call('subscribe', events=events)
        if subscribe:
            self.down.call('subscribe', events=events)
        self.wait_connected()

    def start(self, after, *options):
        daemon = Daemon(*QUIET, *options)
        after(daemon.stop)
        return daemon

    def wait_connected(self):
        for control in (self.up, self.down):
            until(lambda: self.reaches(control), 30, 0.05)
        self.up_id = self.down.call('stats.peers')[0]['peerId']
        self.down_id = self.up.call('stats.peers')[0]['peerId']

    @staticmethod
    def reaches(control):
        """Is the data channel open?"""
        try:
            control.call('sendP2PMessage', message='')
        except Refused:
            return False
        return True

    def file(self, data, name='source'):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path

    def long_file(self):
        """Of zeros, and long enough to be running when its progress is told."""
        path = self.file(b'', 'long')
        os.truncate(path, 150 * MB)
        return path

    def offer(self, path, name='f.bin', **params):
        """Asks the sending daemon; the number of the call."""
        with open(path, 'rb') as f:
            return self.up.send('sendBlobData', {'data': {'fd': 0, 'name': name}, **params},
                                [f.fileno()])

    def request(self):
        return self.down.event('incomingDataRequest')

    def accept(self, request, fds=(), **params):
        return self.down.answer(self.down.send(
            'acceptDataTransfer', {'peerId': request['peerId'], 'accept': True,
                                   'transferId': request['transferId'], **params}, fds))

    def over(self, control):
        return control.event('dataTransferState', lambda p: p['state'] in OVER)

    def listed(self):
        return sorted(name for name in os.listdir(self.spool) if not name.startswith('.'))

    def left_over(self):
        """What is in the spool that nobody sees."""
        hidden = [name for name in os.listdir(self.spool) if name.startswith('.')]
        infos = os.listdir(os.path.join(self.spool, '.info'))
        return [n for n in hidden if n != '.info'] + [
            n for n in infos if n[:-len('.json')] not in self.listed()]


def fds(daemon):
    return len(os.listdir(f'/proc/{daemon.process.pid}/fd'))


def no_more_fds(pair, before):
    """Than there were; one of them may have been about to close."""
    return fds(pair.sender) <= before[0] and fds(pair.receiver) <= before[1]


def resident_kb(daemon):
    with open(f'/proc/{daemon.process.pid}/status', encoding='utf-8') as f:
        return int(next(line for line in f if line.startswith('VmRSS')).split()[1])


def is_sanitized():
    with open(program('appliance/skylinkd'), 'rb') as f:
        return b'__asan_init' in f.read()


def refusal(control, method, params, files=()):
    try:
        control.answer(control.send(method, params, files))
    except Refused as error:
        return error
    raise AssertionError('not refused')


def failure(control, number):
    try:
        control.answer(number)
    except Refused as error:
        return error
    raise AssertionError('not refused')


def transfer(pair, path, name='f.bin'):
    """One file, from end to end: what the events and the answer said."""
    number = pair.offer(path, name)
    request = pair.request()
    pair.accept(request)
    answer = pair.up.answer(number)
    done = pair.over(pair.down)
    assert done['state'] == 'downloadCompleted', done
    assert answer['state'] == 'uploadCompleted', answer
    assert answer['transferId'] == request['transferId'], (answer, request)
    assert answer['listOfPeers'] == [pair.down_id] and answer['peerId'] == pair.down_id, answer
    return request, done, answer


@case('files of every size around the slices arrive whole, with their digest')
def _(after):
    pair = Pair(after)
    sizes = [0, 1, 49151, 49152, 49153, 65456, 65457, MB]
    for n, size in enumerate(sizes):
        data = os.urandom(size)
        path = pair.file(data)
        request, done, answer = transfer(pair, path, f'{size}.bin')
        assert request['transferInfo']['name'] == f'{size}.bin', request
        info = done['transferInfo']
        assert info['sha256'] == hashlib.sha256(data).hexdigest(), (size, info)
        assert info['path'] == os.path.join(pair.spool, f'{size}.bin'), info
        with open(info['path'], 'rb') as f:
            assert f.read() == data, size
        assert answer['transferInfo']['size'] == size and answer['isPrivate'] is False, answer
        assert len(pair.down.call('transfer.received')) == n + 1
    assert not pair.left_over(), pair.left_over()


@case('incomingData on both sides; a received file is fetched and removed')
def _(after):
    pair = Pair(after)
    data = os.urandom(100000)
    number = pair.offer(pair.file(data), 'report.pdf', targetPeerId=pair.down_id)
    request = pair.request()
    assert request['isSelf'] is False and request['transferInfo']['isPrivate'] is True, request
    pair.accept(request)
    came = pair.down.event('incomingData')
    assert came['isSelf'] is False and came['peerId'] == pair.up_id, came
    assert came['data']['name'] == 'report.pdf' and came['data']['size'] == len(data), came
    assert pair.up.event('incomingData')['isSelf'] is True
    assert pair.up.answer(number)['isPrivate'] is True
    row, = pair.down.call('transfer.received')
    assert row['name'] == 'report.pdf' and row['peerId'] == pair.up_id, row
    got = pair.down.call('transfer.fetch', name='report.pdf')
    assert got['fd'] == 0 and got['sha256'] == hashlib.sha256(data).hexdigest(), got
    with os.fdopen(pair.down.fds.pop(), 'rb') as f:
        assert f.read() == data
    for name in ('../report.pdf', '.info/report.pdf.json', 'none'):
        assert 'No received file' in str(refusal(pair.down, 'transfer.fetch', {'name': name}))
    pair.down.call('transfer.remove', name='report.pdf')
    assert pair.down.call('transfer.received') == [] and not pair.listed()


@case('into a file of the client, not into the spool')
def _(after):
    pair = Pair(after)
    data = os.urandom(200000)
    number = pair.offer(pair.file(data))
    path = os.path.join(pair.folder, 'mine')
    with open(path, 'w+b') as f:
        pair.accept(pair.request(), [f.fileno()], destination={'fd': 0})
        done = pair.over(pair.down)
        f.seek(0)
        assert f.read() == data
    assert done['transferInfo']['sha256'] == hashlib.sha256(data).hexdigest(), done
    assert 'path' not in done['transferInfo'], done
    pair.up.answer(number)
    assert pair.down.call('transfer.received') == []


@case('to several: one takes it, one does not, and the answer says who')
def _(after):
    pair = Pair(after)
    third = pair.start(after, '--set', f'room.server={pair.url}', '--set',
                       f'transfer.directory={pair.folder}/third', '--set',
                       'transfer.accept=always')
    control = third.control()
    after(control.close)
    until(lambda: len([p for p in pair.up.call('stats.peers')
                       if p['state'] == 'connected']) == 2, 30, 0.05)
    until(lambda: pair.reaches(control), 30, 0.05)
    third_id, = [p['peerId'] for p in pair.up.call('stats.peers')
                 if p['peerId'] != pair.down_id]
    number = pair.offer(pair.file(b'for all'))
    request = pair.request()
    pair.accept(request)
    answer = pair.up.answer(number)
    assert sorted(answer['listOfPeers']) == sorted([pair.down_id, third_id]), answer
    assert answer['peerId'] is None and answer['isPrivate'] is False, answer
    assert pair.listed() == ['f.bin'], pair.listed()
    assert control.call('transfer.received')[0]['name'] == 'f.bin'
    number = pair.offer(pair.file(b'for all'), 'second.bin')
    request = pair.request()
    pair.down.call('acceptDataTransfer', peerId=request['peerId'],
                   transferId=request['transferId'], accept=False)
    error = failure(pair.up, number)
    assert list(error.data['transferErrors']) == [pair.down_id], error.data
    assert sorted(error.data['listOfPeers']) == sorted([pair.down_id, third_id]), error.data
    assert '1 of 2' in str(error), error
    assert [row['name'] for row in control.call('transfer.received')] == ['f.bin', 'second.bin']
    # For one alone.
    number = pair.offer(pair.file(b'private'), 'third.bin', targetPeerId=third_id)
    assert pair.up.answer(number)['isPrivate'] is True
    assert len(control.call('transfer.received')) == 3


@case('a data URL, both ways, is the event itself')
def _(after):
    pair = Pair(after)
    for text in ('data:,hello', 'data:text/plain;base64,' + 'QUJD' * 50000):
        number = pair.up.send('sendURLData', {'data': text})
        request = pair.request()
        assert request['transferInfo']['dataType'] == 'dataURL', request
        pair.accept(request)
        came = pair.down.event('incomingData')
        assert came['data'] == text, came['data'][:100]
        pair.up.answer(number)
    number = pair.down.send('sendURLData', {'data': 'data:,back', 'targetPeerId': pair.up_id})
    request = pair.up.event('incomingDataRequest', lambda p: not p['isSelf'])
    pair.up.call('acceptDataTransfer', peerId=pair.down_id, transferId=request['transferId'],
                 accept=True)
    assert pair.up.event('incomingData', lambda p: not p['isSelf'])['data'] == 'data:,back'
    pair.down.answer(number)
    assert pair.down.call('transfer.received') == []


@case('refused: by hand, by nobody being there, by configuration')
def _(after):
    pair = Pair(after)
    path = pair.file(b'x' * 1000)
    number = pair.offer(path)
    request = pair.request()
    pair.down.call('acceptDataTransfer', peerId=request['peerId'],
                   transferId=request['transferId'])
    error = failure(pair.up, number)
    assert error.code == -32000 and error.data['state'] == 'rejected', error.data
    assert list(error.data['transferErrors']) == [pair.down_id], error.data
    # It waits no longer.
    error = refusal(pair.down, 'acceptDataTransfer',
                    {'peerId': request['peerId'], 'transferId': request['transferId'],
                     'accept': True})
    assert error.code == -32003, error
    # The last one who listened goes: refused at once.
    pair.down.call('unsubscribe')
    error = failure(pair.up, pair.offer(path))
    assert error.data['state'] == 'rejected', error.data
    assert not os.path.exists(pair.spool)


@case('transfer.accept = never, though somebody listens')
def _(after):
    pair = Pair(after, accept='never')
    error = failure(pair.up, pair.offer(pair.file(b'x')))
    assert error.data['state'] == 'rejected', error.data


@case('transfer.accept = always: kept without anybody; what does not fit is told')
def _(after):
    pair = Pair(after, '--set', 'transfer.max_file=1', '--set', 'transfer.quota=1',
                accept='always', subscribe=False)
    data = os.urandom(600000)
    pair.up.answer(pair.offer(pair.file(data), '../../evil\n\x1b[2J.txt'))
    assert pair.listed() == ['evil_[2J.txt'], pair.listed()
    # A data URL is nowhere but in its event, and nobody hears it.
    error = failure(pair.up, pair.up.send('sendURLData', {'data': 'data:,x'}))
    assert error.data['state'] == 'rejected', error.data
    pair.down.call('subscribe', events=['transfer.refused'])
    for size, key in ((MB + 1, 'max_file'), (600000, 'quota')):
        error = failure(pair.up, pair.offer(pair.file(bytes(size))))
        assert error.data['state'] == 'rejected', error.data
        refused = pair.down.event('transfer.refused')
        assert f'transfer.{key}' in refused['error'], refused
    assert pair.listed() == ['evil_[2J.txt'] and not pair.left_over()


@case('hostile names stay in the spool, and never take another\'s place')
def _(after):
    pair = Pair(after, accept='always', subscribe=False)
    os.mkdir(pair.spool, 0o755)
    pair.file(b'precious', 'spool/a.txt')
    names = ['a.txt', '/etc/a.txt', '..', '.bashrc', 'con', 'x' * 255, '\u202egpj.exe',
             'a/../../../../tmp/b', '-rf', '.info', 'a.txt', 'C:\\boot.ini']
    path = pair.file(b'data')
    for name in names:
        pair.up.answer(pair.offer(path, name))
    with open(os.path.join(pair.spool, 'a.txt'), 'rb') as f:
        assert f.read() == b'precious'
    got = pair.listed()
    assert got == sorted(['a.txt', 'a (2).txt', 'a (3).txt', 'a (4).txt', 'file', '_bashrc',
                          '_con', 'x' * 200, '_gpj.exe', 'b', '_rf', '_info', 'boot.ini']), got
    assert len(pair.down.call('transfer.received')) == len(names)


@case('cancelled from either side, asked or running: nothing stays')
def _(after):
    pair = Pair(after)
    path = pair.long_file()
    peers = {'up': (pair.up, pair.down_id), 'down': (pair.down, pair.up_id)}
    for who in ('up', 'down'):
        for running in (False, True):
            control, peer = peers[who]
            number = pair.offer(path)
            request = pair.request()
            if running:
                pair.accept(request)
                pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
            control.call('cancelDataTransfer', peerId=peer, transferId=request['transferId'])
            error = failure(pair.up, number)
            assert error.data['state'] in ('cancel', 'rejected'), (who, running, error.data)
            ended = pair.over(pair.down)
            assert ended['state'] in ('cancel', 'rejected'), (who, running, ended)
            until(lambda: pair.up.call('transfer.list') == pair.down.call('transfer.list') == [],
                  10, 0.05)
            left = os.path.exists(pair.spool) and pair.listed() + pair.left_over()
            assert not left, (who, running, left)


@case('what no client may hand over is refused, and closed')
def _(after):
    pair = Pair(after)
    before = fds(pair.sender)
    r, w = os.pipe()
    after(lambda: (os.close(r), os.close(w)))
    data = {'data': {'fd': 0, 'name': 'x'}}
    assert 'a pipe' in str(refusal(pair.up, 'sendBlobData', data, [r]))
    with open('/dev/zero', 'rb') as f:
        assert 'a device' in str(refusal(pair.up, 'sendBlobData', data, [f.fileno()]))
    directory = os.open('/', os.O_RDONLY)
    assert 'a directory' in str(refusal(pair.up, 'sendBlobData', data, [directory]))
    os.close(directory)
    with open(os.path.join(pair.folder, 'out'), 'wb') as f:
        assert 'reading' in str(refusal(pair.up, 'sendBlobData', data, [f.fileno()]))
    assert 'SCM_RIGHTS' in str(refusal(pair.up, 'sendBlobData', data))
    with open(pair.file(b'x'), 'rb') as f:
        wrong = {'data': {'fd': 2, 'name': 'x'}}
        assert 'SCM_RIGHTS' in str(refusal(pair.up, 'sendBlobData', wrong, [f.fileno()] * 2))
        error = refusal(pair.up, 'sendBlobData', data, [f.fileno()] * 5)
        assert error.code == -32002, error
        missing = {'data': {'fd': 0, 'name': 'x'}, 'targetPeerId': 'nobody'}
        assert 'nobody' in str(refusal(pair.up, 'sendBlobData', missing, [f.fileno()]))
        # a list of nobody is not everybody
        none = {'data': {'fd': 0, 'name': 'x'}, 'targetPeerId': []}
        assert 'is empty' in str(refusal(pair.up, 'sendBlobData', none, [f.fileno()]))
        none = {'data': 'data:,x', 'targetPeerId': []}
        assert 'is empty' in str(refusal(pair.up, 'sendURLData', none))
    until(lambda: fds(pair.sender) <= before)


@case('a file that shrinks while it is sent ends the transfer')
def _(after):
    pair = Pair(after)
    path = pair.long_file()
    number = pair.offer(path)
    pair.accept(pair.request())
    pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
    os.truncate(path, 10)
    error = failure(pair.up, number)
    assert error.data['state'] in ('error', 'cancel'), error.data
    assert pair.over(pair.down)['state'] in ('error', 'cancel')
    assert not pair.listed() and not pair.left_over()


@case('a receiver that is killed leaves nothing, and the sender is told')
def _(after):
    pair = Pair(after)
    number = pair.offer(pair.long_file())
    pair.accept(pair.request())
    pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
    pair.receiver.process.send_signal(signal.SIGKILL)
    pair.receiver.ends()
    error = failure(pair.up, number)
    assert error.code == -32000 and pair.down_id in error.data['transferErrors'], error.data
    assert not pair.listed()
    pair.receiver = pair.start(after, *pair.options)
    pair.down.close()
    pair.down = pair.receiver.control()
    assert pair.down.call('transfer.received') == []
    assert not pair.listed() and not pair.left_over()


@case('leaving the room ends what is being sent')
def _(after):
    pair = Pair(after)
    number = pair.offer(pair.long_file())
    pair.accept(pair.request())
    pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
    pair.up.call('leaveRoom')
    assert failure(pair.up, number).code == -32000
    until(lambda: pair.down.call('transfer.list') == [], 40, 0.1)
    assert not pair.listed() and not pair.left_over()
    assert refusal(pair.up, 'sendURLData', {'data': 'data:,x'}).code == -32003


@case('a full disk: the transfer is cancelled and says so')
def _(after):
    if os.geteuid() != 0:
        raise Skip('needs root to mount a small file system')
    own_mounts()
    mount = tempfile.mkdtemp(prefix='skylink-small-')
    after(lambda: os.rmdir(mount))
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4m,mode=755', 'tmpfs', mount],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Skip('mount: ' + done.stderr.strip())
    after(lambda: subprocess.run(['umount', '-l', mount], check=True))
    pair = Pair(after, spool=os.path.join(mount, 'spool'))
    # Known before: refused when it is accepted, and still waiting.
    number = pair.offer(pair.file(bytes(6 * MB)))
    request = pair.request()
    error = refusal(pair.down, 'acceptDataTransfer',
                    {'peerId': request['peerId'], 'transferId': request['transferId'],
                     'accept': True})
    assert 'disk' in str(error), error
    pair.down.call('acceptDataTransfer', peerId=request['peerId'],
                   transferId=request['transferId'], accept=False)
    failure(pair.up, number)
    # Found out while writing.
    number = pair.offer(pair.file(bytes(3 * MB)))
    request = pair.request()
    # Nothing comes before the disk is full.
    pair.sender.process.send_signal(signal.SIGSTOP)
    after(lambda: pair.sender.process.send_signal(signal.SIGCONT))
    pair.accept(request)
    with open(os.path.join(mount, 'other'), 'wb', buffering=0) as f:
        try:
            while True:
                f.write(bytes(100000))
        except OSError:         # full
            pass
    pair.sender.process.send_signal(signal.SIGCONT)
    ended = pair.over(pair.down)
    assert ended['state'] in ('cancel', 'error'), ended
    assert os.strerror(28) in json.dumps(ended['error']), ended
    assert failure(pair.up, number).data['state'] in ('cancel', 'error')
    assert not pair.listed() and not pair.left_over()
    os.unlink(os.path.join(mount, 'other'))
    transfer(pair, pair.file(bytes(MB)))


@case('descriptors and memory stay where they were')
def _(after):
    pair = Pair(after)
    path = pair.file(os.urandom(300000))
    for _ in range(3):
        transfer(pair, path)
    before = fds(pair.sender), fds(pair.receiver)
    for n in range(30):
        transfer(pair, path)
        number = pair.offer(path)
        request = pair.request()
        pair.down.call('acceptDataTransfer', peerId=request['peerId'],
                       transferId=request['transferId'], accept=False)
        failure(pair.up, number)
    until(lambda: no_more_fds(pair, before), 10, 0.1)
    size = (200 if os.environ.get('FULL') else 50) * MB
    path = os.path.join(pair.folder, 'big')
    digest = hashlib.sha256()
    with open(path, 'wb') as f:
        for _ in range(size // MB):
            block = os.urandom(MB)
            digest.update(block)
            f.write(block)
    memory = resident_kb(pair.sender), resident_kb(pair.receiver)
    _, done, _ = transfer(pair, path, 'big')
    assert done['transferInfo']['sha256'] == digest.hexdigest()
    grown = (resident_kb(pair.sender) - memory[0], resident_kb(pair.receiver) - memory[1])
    print(f'# {size // MB} MB sent: {grown[0]} kB more at the sender, {grown[1]} kB at the '
          'receiver', flush=True)
    # Nothing of the file stays in memory; buffers of the transport do. What a sanitizer
    # frees stays.
    assert is_sanitized() or max(grown) < 20000, grown
    until(lambda: no_more_fds(pair, before), 10, 0.1)


# --- the command line -----------------------------------------------------------------

def ctl(daemon, *arguments, **options):
    return subprocess.Popen(
        [program('appliance/skylinkctl'), '--socket', daemon.path, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **options)


def ends(process, status=0):
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, (process.returncode, out, err)
    return out, err


@case('skylinkctl send, accept --wait --output: file for file, with the digest')
def _(after):
    pair = Pair(after, subscribe=False)
    data = os.urandom(300000)
    path = pair.file(data, 'report \u00fc.pdf')
    folder = os.path.join(pair.folder, 'in')
    os.mkdir(folder)
    for n, name in enumerate(('report \u00fc.pdf', 'report \u00fc (2).pdf')):
        taking = ctl(pair.receiver, 'accept', '--wait', '-o', folder)
        until(lambda: pair.receiver.status()['control']['subscribers'] == 1, 20, 0.05)
        out, _ = ends(ctl(pair.sender, 'send', path, *([pair.down_id[:8]] if n else [])))
        assert 'uploadCompleted' in out and 'arrived' in out, out
        out, _ = ends(taking)
        assert f'Received {folder}/{name}' in out, out
        with open(os.path.join(folder, name), 'rb') as f:
            assert f.read() == data
        # The next one must not be refused by a client that is gone.
        until(lambda: pair.receiver.status()['control']['subscribers'] == 0, 20, 0.05)
    assert 'No file came' in ends(ctl(pair.receiver, 'received'))[0]


@case('skylinkctl send to nobody who listens, to nobody, of nothing')
def _(after):
    pair = Pair(after, subscribe=False)
    path = pair.file(b'data', 'a.txt')
    out, err = ends(ctl(pair.sender, 'send', path), 1)
    assert 'rejected' in out and 'Not sent' in err, (out, err)
    _, err = ends(ctl(pair.sender, 'send', path, 'nobody'), 1)
    assert "no peer 'nobody'" in err, err
    assert 'no file' in ends(ctl(pair.sender, 'send', '/none/x'), 1)[1]
    assert 'no regular file' in ends(ctl(pair.sender, 'send', '/'), 1)[1]
    out, _ = ends(ctl(pair.sender, 'send', '--json', path), 1)
    error = json.loads(out)['error']
    assert error['data']['state'] == 'rejected', error


@case('skylinkctl transfers, reject, cancel, received, fetch, remove')
def _(after):
    pair = Pair(after)
    path = pair.file(b'some data', 'a.txt')
    sending = ctl(pair.sender, 'send', path)
    request = pair.request()
    out, _ = ends(ctl(pair.receiver, 'transfers'))
    assert request['transferId'] in out and 'a.txt' in out and 'request' in out, out
    assert 'Refused' in ends(ctl(pair.receiver, 'reject', request['transferId'][:24]))[0]
    ends(sending, 1)
    assert 'no transfer to cancel' in ends(ctl(pair.receiver, 'cancel'), 1)[1]
    for n in range(2):
        sending = ctl(pair.sender, 'send', path)
        pair.request()
        assert f'Received {pair.spool}/a' in ends(ctl(pair.receiver, 'accept'))[0]
        ends(sending)
    out, _ = ends(ctl(pair.receiver, 'received'))
    assert 'a.txt' in out and 'a (2).txt' in out, out
    ends(ctl(pair.receiver, 'received', 'fetch', 'a (2).txt', '-o', pair.folder))
    with open(os.path.join(pair.folder, 'a (2).txt'), 'rb') as f:
        assert f.read() == b'some data'
    assert ends(ctl(pair.receiver, 'received', 'fetch', 'a.txt', '-o', '-'))[0] == 'some data'
    # What is there is not overwritten.
    _, err = ends(ctl(pair.receiver, 'received', 'fetch', 'a.txt', '-o', path), 1)
    assert path in err, err
    ends(ctl(pair.receiver, 'received', 'remove', 'a.txt'))
    assert pair.listed() == ['a (2).txt'], pair.listed()
    out, _ = ends(ctl(pair.receiver, 'call', 'transfer.fetch', '{"name":"a (2).txt"}'))
    assert out.endswith('some data') and '"fd" : 0' in out, out


@case('skylinkctl: Ctrl-C cancels what it sends, and what it takes')
def _(after):
    pair = Pair(after)
    path = pair.long_file()
    sending = ctl(pair.sender, 'send', path)
    pair.accept(pair.request())
    pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
    sending.send_signal(signal.SIGINT)
    _, err = ends(sending, 7)
    assert pair.over(pair.down)['state'] == 'cancel'
    sending = ctl(pair.sender, 'send', path)
    pair.request()
    mine = os.path.join(pair.folder, 'mine')
    taking = ctl(pair.receiver, 'accept', '-o', mine)
    pair.down.event('dataTransferState', lambda p: p['state'] == 'downloading')
    taking.send_signal(signal.SIGINT)
    ends(taking, 7)
    ends(sending, 1)
    assert not os.path.exists(mine)
    assert not pair.listed() if os.path.exists(pair.spool) else True


@case('skylinkctl send: a bar on a terminal, and nothing of it in the output')
def _(after):
    pair = Pair(after, accept='always')
    ours, theirs = pty.openpty()
    after(lambda: os.close(ours))
    process = subprocess.Popen(
        [program('appliance/skylinkctl'), '--socket', pair.sender.path, 'send',
         pair.file(os.urandom(MB), 'a.bin')], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and out == 'a.bin arrived.\n', out
    drawn = b''
    try:
        while data := os.read(ours, 65536):
            drawn += data
    except OSError:         # the other end is closed, and all was read
        pass
    assert b'\ra.bin 100 % ####################' in drawn, drawn
    assert drawn.endswith(b'\r\x1b[K'), drawn


@case('skylinkctl: the rest of what a person does in a room')
def _(after):
    pair = Pair(after)
    pair.down.call('subscribe', events=['incomingMessage', 'peerUpdated', 'roomLock'])
    for option in ((), ('--p2p',)):
        ends(ctl(pair.sender, 'msg', *option, 'hello there', pair.down_id[:10]))
        # Behind those that the pair has waited for its channels with.
        message = pair.down.event('incomingMessage',
                                  lambda p: p['message']['content'])['message']
        assert message['content'] == 'hello there' and message['isPrivate'] is True, message
        assert message['isDataChannel'] is bool(option), message
    ends(ctl(pair.sender, 'userdata', 'Hall 2'))
    assert pair.down.event('peerUpdated')['peerInfo']['userData'] == 'Hall 2'
    assert ends(ctl(pair.sender, 'userdata'))[0].strip() == '"Hall 2"'
    assert 'Hall 2' in ends(ctl(pair.receiver, 'info', 'Hall 2'))[0]
    ends(ctl(pair.sender, 'lock'))
    assert pair.down.event('roomLock')['isLocked'] is True
    ends(ctl(pair.sender, 'unlock'))
    assert pair.down.event('roomLock')['isLocked'] is False
    ends(ctl(pair.sender, 'refresh', pair.down_id, '--ice'))
    until(lambda: pair.reaches(pair.up), 30, 0.05)
    ends(ctl(pair.sender, 'logs', 'on'))
    ends(ctl(pair.sender, 'loglevel', 'debug'))
    ends(ctl(pair.sender, 'msg', 'logged'))
    # Messages leave once a second: the next ones must not meet it.
    pair.down.event('incomingMessage', lambda p: p['message']['content'] == 'logged')
    assert ends(ctl(pair.sender, 'logs'))[0].strip()
    taking = ctl(pair.receiver, 'accept', '--wait')
    until(lambda: pair.receiver.status()['control']['subscribers'] == 2, 20, 0.05)
    ends(ctl(pair.sender, 'send-url', 'data:,text'))
    assert 'data:,text' in ends(taking)[0]
    watching = ctl(pair.receiver, 'watch', 'incomingMessage', '--count', '1')
    until(lambda: pair.receiver.status()['control']['subscribers'] == 2, 20, 0.05)
    ends(ctl(pair.sender, 'msg', 'seen'))
    out, _ = ends(watching)
    assert 'seen' in out, out


suite.finish()
