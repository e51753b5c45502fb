#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel keeps all other files from the daemon: not one of its threads opens
them, whatever it is asked to; what the configuration names goes on to work; what
a reload names beyond that waits for a new start, and is told so.

That every feature works so is what all other tests see: it is in force in each
of them, where the kernel has it."""
import ctypes
import errno
import os
import shutil
import subprocess
import tempfile

from box import FILE, Box, refusal
from daemon import Daemon, Receiver, Refused, program
from wire import Skip, Suite, until

suite = Suite()
case = suite.case
SYS_LANDLOCK_CREATE_RULESET = 444
VERSION = 1


def kernel_abi():
    libc = ctypes.CDLL(None, use_errno=True)
    abi = libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0),
                       ctypes.c_uint(VERSION))
    return abi if abi > 0 else -ctypes.get_errno()


def need_kernel():
    abi = kernel_abi()
    if abi < 0:
        raise Skip(f'this kernel has no Landlock: {os.strerror(-abi)}')
    return abi


def outside(after, name='file', text='some bytes'):
    """A file where the daemon has no business: not in /tmp, where it may have sockets."""
    folder = tempfile.mkdtemp(prefix='skylink-outside-', dir='/var/tmp')
    after(lambda: shutil.rmtree(folder))
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def landlock(box):
    return box.daemon.status()['process']['landlock']


def doctor(box):
    rows = box.control.call('stats.doctor')
    return next(row for row in rows if row['check'] == 'landlock')


def asked(box, path, kind='h264', method='getUserMedia'):
    """What is wrong with that file as a source; '' when it is taken."""
    source = f'{kind}:{path}'
    params = {'source': source} if method == 'shareScreen' else \
        {'options': {'audio' if kind == 'file' else 'video': {'source': source}}}
    try:
        box.control.call(method, **params)
    except Refused as error:
        return str(error)
    return ''


class Linked(Box):
    """May send the files of a folder, in which somebody has put a link."""

    def __init__(self, after, more=''):
        self.secret = outside(after)
        self.folder = tempfile.mkdtemp(prefix='skylink-sources-')
        after(lambda: shutil.rmtree(self.folder))
        self.link = os.path.join(self.folder, 'link')
        self.inside = os.path.join(self.folder, 'file')
        os.symlink(self.secret, self.link)
        with open(self.inside, 'wb') as f:
            f.write(b'some bytes')
        super().__init__(after, f'{FILE}[control]\nsource_folders = {self.folder}\n{more}',
                         peer=False)


@case('a link that leads out of a source folder is not followed; a file in it is read')
def _(after):
    abi = need_kernel()
    box = Linked(after)
    assert landlock(box) == {'abi': abi, 'reason': None}, landlock(box)
    for method in ('getUserMedia', 'sendStream', 'shareScreen'):
        assert 'Permission denied' in asked(box, box.link, method=method), method
        assert not asked(box, box.inside, method=method), method
    assert 'Permission denied' in asked(box, box.link, 'file')
    assert not asked(box, box.inside, 'file')
    row = doctor(box)
    assert row['state'] == 'ok' and row['what'] == f'In force, ABI {abi}', row


@case('not one of its threads opens a file outside, whatever it runs')
def _(after):
    need_kernel()
    secret = outside(after)
    box = Box(after)
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)
    until(lambda: any(r['takers'] for r in box.daemon.status()['video']['rungs']), 30, 0.05)

    def threads(path):
        """(name, errno) of each, whoever it is: libraries' too."""
        done = subprocess.run([program('tests/thread-open'), str(box.daemon.process.pid), path],
                              capture_output=True, text=True, check=False)
        if done.returncode == 77:
            raise Skip(done.stdout.strip())
        assert done.returncode == 0, done
        return [(name, int(number)) for _, number, name in
                (line.split(' ', 2) for line in done.stdout.splitlines())]
    may, may_not = threads(box.daemon.config), threads(secret)
    print(f'# {len(may_not)} threads: {" ".join(sorted(name for name, _ in may_not))}')
    assert {number for _, number in may} == {0}, may
    assert {number for _, number in may_not} == {errno.EACCES}, may_not
    assert {'skylinkd', 'capture', 'network'} <= {name for name, _ in may_not}, may_not
    # None of them took harm.
    box.connected()
    assert Receiver(box.url, 'lobby', 1).result()['frames'] > 0


@case('without it the same link is followed: the difference is Landlock')
def _(after):
    box = Linked(after, '[security]\nlandlock = off\n')
    assert landlock(box) == {'abi': 0, 'reason': 'security.landlock says so'}
    assert not asked(box, box.link)
    assert not asked(box, box.link, 'file')
    row = doctor(box)
    assert row['state'] == 'warning' and 'security.landlock' in row['what'], row
    assert 'without Landlock' not in box.daemon.log()
    assert 'without Landlock: security.landlock says so' in box.ctl('status').stdout


@case('a new folder, a new secret: from the next start on, and told so')
def _(after):
    need_kernel()
    box = Box(after, peer=False)
    path = outside(after, 'room.secret', 's3cret\n')
    folder = os.path.dirname(path)
    wanted = {'control.source_folders': folder, 'room.secret_file': path,
              'video.source': f'h264:{path}', 'control.metrics': f'unix:{folder}/metrics',
              'video.fps': 7}
    before = box.control.call('config.get', names=list(wanted))
    changed = box.control.call('config.set', values=wanted, dryRun=True)['changed']
    told = {c['name']: c['effect'] for c in changed}
    assert told == {**dict.fromkeys(wanted, 'restart'), 'video.fps': 'applied'}, told
    # One that can be had after it: a source that is no picture would not do.
    del wanted['video.source']
    box.control.call('config.set', values=wanted, rejoin=True)
    after_it = box.control.call('config.get', names=list(wanted))
    assert [o['value'] for o in after_it if o['name'] != 'video.fps'] == \
        [o['value'] for o in before if o['name'] in wanted and o['name'] != 'video.fps']
    pending = {c['name']: c['effect'] for c in box.control.call('config.diff')['pending']}
    assert pending == {name: 'restart' for name in wanted if name != 'video.fps'}, pending
    assert 'control.source_folders' in box.daemon.log()
    assert 'from the next start on' in box.daemon.log()
    box.restart()
    assert landlock(box)['abi'] > 0
    assert box.control.call('config.diff')['pending'] == []
    assert os.path.exists(os.path.join(folder, 'metrics'))
    assert not asked(box, path)


@case('a SIGHUP with a secret outside: nothing is refused, it waits')
def _(after):
    need_kernel()
    box = Box(after, peer=False)
    path = outside(after, 'room.secret', 's3cret\n')
    box.write(FILE.replace('[room]', f'[room]\nsecret_file = {path}'))
    result = box.control.call('config.reload')
    assert [(c['name'], c['effect']) for c in result['changed']] == \
        [('room.secret_file', 'restart')], result
    # What is not there at all is a mistake now, not then.
    box.write(FILE.replace('[room]', f'[room]\nsecret_file = {path}x'))
    assert 'does not exist' in str(refusal(box.control.call, 'config.reload'))


@case('beneath what was named a new folder counts at once')
def _(after):
    box = Linked(after)
    below = os.path.join(box.folder, 'below')
    result = box.control.call('config.set', values={'control.source_folders': below})
    assert [c['effect'] for c in result['changed']] == ['applied'], result
    os.mkdir(below)
    shutil.move(box.inside, below)
    assert not asked(box, os.path.join(below, 'file'))


@case('a source whose file comes later, and is replaced')
def _(after):
    folder = tempfile.mkdtemp(prefix='skylink-late-')
    after(lambda: shutil.rmtree(folder))
    path = os.path.join(folder, 'deeper', 'pictures')
    box = Box(after, FILE.replace('[video]\nsource = test', f'[video]\nsource = h264:{path}'),
              peer=False)

    assert 'No such file' in asked(box, path)
    os.mkdir(os.path.dirname(path))
    for _ in range(2):
        with open(path + '.new', 'wb') as f:
            f.write(b'some other bytes')
        os.rename(path + '.new', path)
        assert not asked(box, path)


@case('folders that it writes are made before: state, received files, socket')
def _(after):
    top = tempfile.mkdtemp(prefix='skylink-made-')
    after(lambda: shutil.rmtree(top))
    state, spool = os.path.join(top, 'a', 'state'), os.path.join(top, 'b', 'received')
    box = Box(after, f'{FILE}[transfer]\naccept = always\ndirectory = {spool}\n', state=state)
    assert os.stat(state).st_mode & 0o7777 == 0o700
    assert box.offer() == 'taken'
    until(lambda: 'a.bin' in os.listdir(spool), 10)
    box.control.call('config.set', values={'video.fps': 7})
    assert 'fps = 7' in box.set_text()
    assert os.path.exists(os.path.join(state, 'roomserver.pem'))


@case('a kernel without it, or that forbids it: a line, a reason, and on it goes')
def _(after):
    need_kernel()
    tool = program('tests/syscall-faults')
    if not os.path.exists(tool):
        raise Skip('built without libseccomp')
    for number, words in ((errno.ENOSYS, 'this kernel has no Landlock'),
                          (errno.EOPNOTSUPP, 'lsm='), (errno.EPERM, 'SystemCallFilter=')):
        record = outside(after)
        daemon = Daemon('--set', 'video.source=test', '--set', 'audio.source=test', prefix=[
            tool, '--from', 'skylink.conf', '--record', record, '--fail', 'skylinkd',
            'landlock_create_ruleset', '1', str(number), '--'])
        after(daemon.stop)
        with open(record, encoding='utf-8') as f:
            if 'FAILED' not in f.read():
                raise Skip('the kernel lets nobody look at system calls')
        told = daemon.status()['process']['landlock']
        assert told['abi'] == 0 and words in told['reason'], told
        assert f'going on without Landlock: {told["reason"]}' in daemon.log()


suite.finish()
