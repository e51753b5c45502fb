#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every system call of the daemon's start fails in turn, and every allocation
outside GLib of a start, a join, a call and a leave.

Each time it either works as before, or with less and says so, or ends with a
sentence and a status that skylinkd(8) has. A sample, taken evenly from all
kinds (SEED is printed; FULL=1: all of them).
"""
import concurrent.futures
import errno
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from daemon import Control, Daemon, program
from wire import Skip, Suite, until

suite = Suite()
case = suite.case
FULL = bool(os.environ.get('FULL'))
SEED = int(os.environ.get('SEED', '20261'))
ASAN = 'asan' in os.environ.get('BUILD', '')
SAMPLE = int(os.environ.get('SAMPLE', '30' if ASAN else '60'))
ALLOCATIONS = int(os.environ.get('ALLOCATIONS', '12'))
PARALLEL = 3
PATIENCE_S = 120 if ASAN else 60     # waited in vain is waited for long
CONFIG = '''[room]
name = lobby
[roomserver]
enabled = yes
listen = 127.0.0.1:0
[video]
source = test
width = 320
height = 180
fps = 15
[audio]
source = test
[network]
loopback = yes
[control]
metrics = unix:{folder}/metrics.sock
'''
STATUSES = (1, 78)      # skylinkd(8); what a failed start may end with

# What a call may give; one of them each time, all of them with FULL.
FILES = 'EACCES EMFILE ENFILE ENOENT ENOMEM EIO'
ERRORS = {
    **dict.fromkeys(('openat', 'open'), FILES),
    **dict.fromkeys(('newfstatat', 'fstat', 'stat', 'lstat', 'statx', 'statfs', 'fstatfs',
                     'access', 'faccessat', 'faccessat2'), 'EACCES ENOENT ENOMEM'),
    **dict.fromkeys(('read', 'pread64', 'getdents64'), 'EIO EINTR'),
    **dict.fromkeys(('write', 'pwrite64', 'writev'), 'ENOSPC EIO EINTR'),
    **dict.fromkeys(('mkdir', 'mkdirat', 'rename', 'unlink', 'unlinkat', 'chmod', 'fchmod',
                     'readlink', 'readlinkat', 'ftruncate', 'fallocate', 'link', 'linkat',
                     'fchown', 'renameat'), 'EACCES EROFS ENOSPC'),
    **dict.fromkeys(('fsync', 'fdatasync'), 'EIO ENOSPC'),
    **dict.fromkeys(('mmap', 'mprotect', 'munmap', 'mremap', 'mlock'), 'ENOMEM'),
    'madvise': 'ENOMEM EINVAL',
    **dict.fromkeys(('socket', 'eventfd2', 'pipe2', 'epoll_create1', 'timerfd_create',
                     'inotify_init1', 'dup', 'memfd_create', 'signalfd4', 'socketpair',
                     'userfaultfd'), 'EMFILE ENFILE ENOMEM'),
    **dict.fromkeys(('bind', 'listen'), 'EADDRINUSE EACCES'),
    'connect': 'ECONNREFUSED ENOENT EINTR',
    **dict.fromkeys(('accept4', 'accept'), 'EMFILE ECONNABORTED'),
    **dict.fromkeys(('sendto', 'sendmsg', 'sendmmsg'), 'ENOBUFS EINTR'),
    **dict.fromkeys(('recvfrom', 'recvmsg', 'recvmmsg'), 'EINTR ENOMEM'),
    **dict.fromkeys(('setsockopt', 'getsockopt'), 'ENOPROTOOPT ENOMEM'),
    **dict.fromkeys(('getsockname', 'getpeername'), 'ENOBUFS'),
    **dict.fromkeys(('epoll_ctl', 'inotify_add_watch'), 'ENOMEM ENOSPC'),
    **dict.fromkeys(('poll', 'ppoll', 'epoll_wait', 'epoll_pwait', 'select'), 'EINTR'),
    'futex': 'EINTR EAGAIN',
    **dict.fromkeys(('clone3', 'clone'), 'EAGAIN'),
    'landlock_create_ruleset': 'ENOSYS EOPNOTSUPP EPERM ENOMEM',
    **dict.fromkeys(('landlock_add_rule', 'landlock_restrict_self'), 'ENOMEM EPERM'),
    'io_uring_setup': 'ENOSYS EPERM ENOMEM', 'io_uring_enter': 'EAGAIN EINTR',
    'io_uring_register': 'EINVAL ENOMEM',
    'ioctl': 'EINVAL ENOTTY', 'fcntl': 'EINVAL', 'flock': 'EINTR ENOLCK',
    'getrandom': 'EINTR ENOSYS', 'lseek': 'EINVAL', 'close': 'EINTR EIO',
    'prctl': 'EPERM', 'prlimit64': 'EPERM', 'shutdown': 'ENOTCONN',
    **dict.fromkeys(('sched_setattr', 'sched_setscheduler', 'setpriority', 'set_mempolicy',
                     'sched_setaffinity', 'mbind'), 'EPERM'),
    **dict.fromkeys(('sched_getattr', 'sched_getaffinity', 'sysinfo', 'uname', 'sigaltstack',
                     'getrusage', 'sched_getscheduler', 'sched_getparam', 'capget',
                     'get_mempolicy'), 'ENOSYS'),
    'membarrier': 'ENOSYS', 'getcpu': 'ENOSYS', 'timerfd_settime': 'EINVAL ECANCELED',
}
# These cannot fail, by their manual pages, unless their arguments are wrong. (brk says no by another value than an
# error; rseq and set_robust_list fail for the first thread or for none.)
NEVER = {'getpid', 'gettid', 'getuid', 'geteuid', 'getgid', 'getegid', 'exit', 'exit_group',
         'rt_sigreturn', 'sched_yield', 'restart_syscall', 'tgkill', 'set_tid_address',
         'clock_nanosleep', 'getppid', 'pause', 'alarm', 'umask', 'sigreturn', 'arch_prctl',
         'rt_sigaction', 'rt_sigprocmask', 'clock_gettime', 'clock_getres', 'brk', 'rseq', 'set_robust_list'}

# The address sanitizer itself ends the process when one of these fails.
SANITIZERS_OWN = {'mmap', 'munmap', 'mremap', 'mprotect', 'madvise', 'sigaltstack'}

# Libraries in which the process ends when they get no memory, and why nothing can
# be done about it here: found by the first place outside the C library.
ABORTS = {
    'libglib-2.0.so.0': 'g_error() by design: memory, threads, wake-up descriptors',
    'libgio-2.0.so.0': 'the same',
    'libev.so.4': 'abort() by design ("cannot allocate .. bytes, aborting")',
    'libnice.so.10': 'assert() that an HMAC cannot fail',
    'libwebsockets.so.17': 'uses what it did not get, in its start and its end',
    # libsrtp2 as Debian builds it asks NSS, which uses what it did not get:
    'libnspr4.so': 'NSS: no answer is looked at',
    'libnss3.so': 'NSS: frees what it has not made',
    'libnssutil3.so': 'NSS',
    'libplds4.so': 'NSS',
    'libsoftokn3.so': 'NSS',
    'libfreeblpriv3.so': 'NSS',
    'libusrsctp.so.2': 'panics when it has no memory for what it holds',
    'libgnutls.so.30': 'its self-test',
    'libnss_systemd.so.2': 'assert()',
    'libavcodec.so.59': 'av_assert0() in its helpers of encoders',
    'libsrtp2.so.1': 'takes down a cipher that NSS has not made',
    'libcrypto.so.3': 'a lock that could not be made is taken',
}
# The same, where the place does not tell: words of the log.
WORDS = {
    'GLib-ERROR': 'g_error() while GLib has all signals blocked: its line is all there is',
    'nss_database.c': 'assert() in the C library, which looks a group up',
}


class Outcome:
    def __init__(self):
        self.hit = self.ready = self.hung = self.connected = self.left = False
        self.code = self.status = None
        self.log = ''
        self.record = []


def tool(name, why):
    path = program(name)
    if not os.path.exists(path):
        raise Skip(why)
    return path


class Run:
    """One start to READY and to its end, under the tool."""

    def __init__(self, fault=None):
        self.folder = tempfile.mkdtemp(prefix='skylink-faults-')
        self.socket_path = os.path.join(self.folder, 'control.sock')
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.folder, 'notify'))
        self.out = Outcome()
        self.config = os.path.join(self.folder, 'skylink.conf')
        with open(self.config, 'w', encoding='utf-8') as f:
            f.write(CONFIG.format(folder=self.folder))
        os.mkdir(os.path.join(self.folder, 'state'), 0o700)
        self.record = os.path.join(self.folder, 'record')
        self.log = os.path.join(self.folder, 'log')
        command, environment = self.command(fault)
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, 'STATE_DIRECTORY': os.path.join(self.folder, 'state'),
                     'NOTIFY_SOCKET': os.path.join(self.folder, 'notify'), **environment})

    def daemon_command(self):
        return [program('appliance/skylinkd'), '--config', self.config, '--socket',
                self.socket_path]

    def command(self, fault):
        """fault: (thread, call, nth, errno), or None."""
        command = [tool('tests/syscall-faults', 'built without libseccomp'), '--from',
                   'skylink.conf', '--until', 'READY=1', '--record', self.record]
        if fault:
            thread, name, nth, error = fault
            command += ['--fail', thread, name, str(nth), str(getattr(errno, error))]
        return [*command, '--', *self.daemon_command()], {}

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE_S
        self.notify.settimeout(0.05)
        while time.monotonic() < deadline:
            try:
                if b'READY=1' in self.notify.recv(4096):
                    self.out.ready = True
                    return
            except TimeoutError:
                if self.process.poll() is not None:
                    return
        self.out.hung = True

    def wait_joined(self):
        """Its own room, which is on this machine; soon, also after a failure."""
        try:
            control = Control(self.socket_path)
        except OSError:
            return
        try:
            until(lambda: self.is_settled(self.take(control)['room']), PATIENCE_S, 0.05)
        except (AssertionError, EOFError, OSError):
            pass
        finally:
            control.close()

    @staticmethod
    def is_settled(room):
        """In its room, or saying why not."""
        return room['state'] == 'joined' or room['error']

    def take(self, control):
        self.out.status = control.call('stats.status')
        return self.out.status

    def do_more(self):
        """What a test wants to see after the join."""

    def finish(self):
        self.wait_ready()
        if self.out.ready:
            self.wait_joined()
            self.do_more()
        if self.process.poll() is None and not self.out.hung:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.out.code = self.process.wait(timeout=0.01 if self.out.hung else PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.out.hung = True
            self.process.kill()
            self.process.wait()
        self.notify.close()
        with open(self.log, encoding='utf-8', errors='replace') as f:
            self.out.log = f.read()
        with open(self.record, encoding='utf-8', errors='replace') as f:
            self.out.record = f.read().splitlines()
        self.out.hit = any(line.endswith(' FAILED') for line in self.out.record)
        shutil.rmtree(self.folder)
        return self.out


class Call(Run):
    """The same with an allocation failing, a peer that comes, and a leave."""

    came = False        # the peer

    def command(self, site):
        library = tool('tests/liballoc-faults.so', 'not built')
        environment = {'LD_PRELOAD': library, 'ALLOC_FAULTS': self.record,
                       'ALLOC_FAULTS_AT': site or '',
                       'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') +
                                       ':verify_asan_link_order=0'}
        return self.daemon_command(), environment

    def do_more(self):
        if not self.out.status or not self.out.status['roomserver']:
            return
        peer = Daemon('--set', 'video.source=none', '--set', 'audio.source=none',
                      '--set', 'network.loopback=yes', '--set', 'room.name=lobby', '--set',
                      f'room.server={self.out.status["roomserver"]["url"]}', '--set',
                      'video.width=320', '--set', 'video.height=180')
        try:
            control = Control(self.socket_path)
            try:
                until(lambda: self.is_over(self.take(control)), PATIENCE_S, 0.05)
            except AssertionError:
                pass
            self.out.connected = self.is_connected(self.out.status)
            control.call('leaveRoom')
            self.out.left = True
            control.close()
        except (EOFError, OSError):
            pass            # seen by its end
        finally:
            peer.process.kill()
            peer.process.wait()
            peer.process.stdout.close()
            shutil.rmtree(peer.folder)

    def is_over(self, status):
        """Connected, or was here and is gone again."""
        gone = self.came and not status['peers']
        self.came |= bool(status['peers'])
        return gone or self.is_connected(status)

    @staticmethod
    def is_connected(status):
        return any(p['state'] == 'connected' and p['packets'] for p in status['peers'])


# --- what is right ---------------------------------------------------------------
def abilities(status):
    """What the box can do, as it says itself."""
    network = status['network'] or {}
    return {
        'room': status['room']['state'], 'roomserver': bool(status['roomserver']),
        'video': (status['video'] or {}).get('source'),
        'audio': (status['audio'] or {}).get('source'),
        'io': network.get('io'), 'gso': network.get('gso')}


def told(status):
    """Why something is less than it could be."""
    reasons = [(status['network'] or {}).get('io_reason'), status['room']['error']]
    reasons += [(status[kind] or {}).get('detail') for kind in ('video', 'audio')]
    return [reason for reason in reasons if reason]


LINE = re.compile(r'^(skylinkd: |.*-WARNING|.*-CRITICAL|.*: Peer \S+ left: (?!we left))', re.M)


def judge(out, normal):
    """None, or what is wrong with this outcome."""
    if out.hung:
        return 'hangs'
    if 'Sanitizer' in out.log or 'runtime error' in out.log:
        return 'the sanitizer complains'
    if out.code >= 128 or out.code < 0:
        where = culprit(out)
        known = where in ABORTS or any(word in out.log for word in WORDS)
        return None if known else f'ends by signal, in {where}'
    if not out.ready:
        if out.code not in STATUSES:
            return f'did not start, with status {out.code}'
        return None if re.search(r'^\S+: .{10,}', out.log, re.M) else \
            'did not start, without a word'
    if out.code:
        return f'started, and ended with status {out.code}'
    if not out.status:
        return 'ready, and answers nobody'
    less = {k: v for k, v in abilities(out.status).items() if v != normal[k]}
    if less and not told(out.status) and not LINE.search(out.log):
        return f'says nothing about {less}'
    return None


def culprit(out):
    """Where the crash was: the handler's own places and the C library left out."""
    match = re.search(r'crashed at \(build \w+\):(.*)', out.log)
    places = [p.partition('+')[0] for p in match[1].split()] if match else []
    handler = 3 if ASAN else 2      # its first places
    return next((p for p in places[handler:] if not p.startswith('libc.so')), None)


def show(fault, problem, out):
    print(f'# {" ".join(map(str, fault))}: {problem}')
    for line in [l for l in out.record if l.endswith(' FAILED')] + out.log.splitlines()[-12:]:
        print(f'#     {line}')


class Count:
    """Outcomes, and which of them are wrong."""

    def __init__(self, want):
        self.want, self.wrong, self.hits = want, 0, 0
        self.kinds = {}

    def add(self, fault, out, problem):
        self.hits += out.hit
        self.wrong += problem is not None
        if problem:
            show(fault, problem, out)
        elif os.environ.get('VERBOSE') and not (out.ready and out.code == 0):
            print(f'# {" ".join(map(str, fault))}: {out.code}: {out.log.strip()[-300:]}')
        kind = 'hang' if out.hung else 'abort' if out.code >= 128 or out.code < 0 else \
            'refuse' if not out.ready else \
            'work' if out.status and abilities(out.status) == self.want else 'work with less'
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def tell(self, what):
        print(f'# {what} (seed {SEED}), {self.hits} reached: ' +
              ', '.join(f'{n} {kind}' for kind, n in self.kinds.items()))
        assert not self.wrong, f'{self.wrong} outcomes are not right'


def run_all(kind, faults, count, judged):
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for fault, out in zip(faults, pool.map(lambda f: kind(f).finish(), faults)):
            count.add(fault if isinstance(fault, tuple) else (fault,), out,
                      judged(out, count.want))


def baseline():
    out = Run().finish()
    if out.code == 77:
        raise Skip('the kernel does not let us answer for system calls')
    assert out.ready and out.code == 0 and out.status, (out.code, out.log)
    assert out.status['room']['state'] == 'joined', out.status['room']
    return out


def waits(line):
    """Of a futex call: it may be interrupted. Those that wake cannot fail."""
    operation = int(re.search(r',0x([0-9a-f]+),|,(0),', line)[1] or '0', 16)
    return operation & 0x7f in (0, 9)      # FUTEX_WAIT, FUTEX_WAIT_BITSET


def plan(record):
    """All failures there are: (thread, call, nth, errno)."""
    calls = []
    for line in record:
        thread, name, nth = line.split(' ')[:3]
        if name in NEVER or ASAN and name in SANITIZERS_OWN or \
                name == 'futex' and not waits(line) or \
                name in ('read', 'write') and line.endswith(',0x8)'):    # an eventfd
            continue
        # A sandbox may refuse any.
        calls.append((thread, name, int(nth), ERRORS.get(name, 'EPERM').split()))
    return calls


def sample(calls):
    """FULL: every error of every call. Else evenly from every kind of call, one
    error each."""
    if FULL:
        return [(*call[:3], error) for call in calls for error in call[3]]
    order = random.Random(SEED)
    kinds = {}
    for call in calls:
        kinds.setdefault(call[1], []).append(call)
    for kind in kinds.values():
        order.shuffle(kind)
    taken = []
    while len(taken) < SAMPLE and any(kinds.values()):
        taken += [kind.pop() for kind in kinds.values() if kind]
    return [(*call[:3], order.choice(call[3])) for call in taken[:SAMPLE]]


@case('every system call of the start fails in turn: said, or done without')
def _(after):
    normal = baseline()
    calls = plan(normal.record)
    faults = sample(calls)
    count = Count(abilities(normal.status))
    run_all(Run, faults, count, judge)
    count.tell(f'{len(faults)} failures of {len(calls)} calls')
    # Threads race: what one does the 20th time now was the 19th then.
    assert count.hits >= 0.8 * len(faults), (count.hits, len(faults))


# --- allocations ------------------------------------------------------------------
def sites():
    """What a normal run asks for: once is not always all."""
    out = Call().finish()
    assert out.ready and out.code == 0 and out.connected and out.left, (out.code, out.log)
    return out, [line for line in out.record if line]


def module(site):
    return site.partition('+')[0]


def sample_sites(all_sites):
    """Half our own (program+...), half libraries'."""
    if FULL:
        return all_sites
    order = random.Random(SEED)
    order.shuffle(all_sites)
    own = [site for site in all_sites if module(site) == 'program'][:ALLOCATIONS // 2]
    kinds = {}
    for site in all_sites:
        kinds.setdefault(module(site), []).append(site)
    kinds.pop('program', None)
    taken = []
    while len(taken) < ALLOCATIONS - len(own) and any(kinds.values()):
        taken += [kind.pop() for kind in kinds.values() if kind]
    return own + taken[:ALLOCATIONS - len(own)]


def judge_call(out, normal):
    problem = judge(out, normal)
    if problem or not out.ready or out.code:
        return problem
    if not out.connected and not LINE.search(out.log):
        return 'no call came about, and nothing is said'
    return None if out.left else 'did not leave'


@case('every allocation outside GLib fails in turn: start, join, call, leave')
def _(after):
    if ASAN:
        raise Skip("the sanitizer's allocator is the one that would be replaced")
    out, all_sites = sites()
    faults = sample_sites(all_sites)
    count = Count(abilities(out.status))
    run_all(Call, faults, count, judge_call)
    count.tell(f'{len(faults)} of {len(all_sites)} places')
    assert count.hits >= 0.6 * len(faults), (count.hits, len(faults))


suite.finish()
