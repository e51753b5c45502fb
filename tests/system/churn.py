# SPDX-License-Identifier: Apache-2.0
"""tests/system/churn.py - joins and leaves by the thousand, and what stays

A room server, a daemon in its room, and a third program that joins and leaves
(tests/join-churn), each a process of its own and each watched: the heap that
is in use to the byte (tests/heap-probe.c), memory, descriptors, threads.
Samples are taken when the room is as empty as before the first join. Growth is
the slope of the line through the samples after the warm-up: a leak of one byte
a join shows however long malloc takes to settle.
"""
import json
import os
import struct
import subprocess
import tempfile
import time

from daemon import SMALL, Daemon, program
from wire import Server, until

# Bytes for each join and leave that are flat still. The noise is what a sample
# may be off: of the heap, tables that grow by doubling and connections that are
# still being taken apart; of the memory, what malloc has not given back yet.
HEAP_BYTES_A_JOIN = 16
RSS_BYTES_A_JOIN = 512
HEAP_NOISE = 48 << 10
RSS_NOISE = 8 << 20


class Watched:
    """What one process has: sampled from outside, and kept."""

    def __init__(self, name, pid, probe):
        self.name, self.pid, self.probe = name, pid, probe
        self.samples = []

    def read(self):
        with open(f'/proc/{self.pid}/status', encoding='ascii') as f:
            status = dict(line.split(':', 1) for line in f)
        sample = {'rss': int(status['RssAnon'].split()[0]) << 10,
                  'threads': int(status['Threads']),
                  'fds': len(os.listdir(f'/proc/{self.pid}/fd'))}
        if self.probe:
            with open(self.probe, 'rb') as f:
                sample['heap'], sample['blocks'] = struct.unpack('qq', f.read(16))
        return sample

    def sample(self, joins):
        self.samples.append((joins, self.read()))

    def slope(self, what, warm):
        return slope(self.samples, what, warm)


def slope(samples, what, warm):
    """Per step of the first word, by least squares, over the samples from @warm on."""
    points = [(x, s[what]) for x, s in samples if x >= warm]
    n = len(points)
    mx = sum(x for x, _ in points) / n
    my = sum(y for _, y in points) / n
    return sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)


def probed(folder, name):
    """(environment, file) with which a program counts its heap; sanitizers
    bring an allocator of their own, and are not asked."""
    library = program('tests/libheap-probe.so')
    with open(program('appliance/skylinkd'), 'rb') as f:
        if b'__asan_init' in f.read() or not os.path.exists(library):
            return {}, None
    path = os.path.join(folder, f'heap-{name}')
    return {'LD_PRELOAD': library, 'HEAP_PROBE': path}, path


class Churn:
    """The three programs, and rounds of joins."""

    def __init__(self, after):
        self.folder = tempfile.mkdtemp(prefix='skylink-churn-')
        after(lambda: subprocess.run(['rm', '-rf', self.folder], check=True))
        self.joins = 0
        environment, path = probed(self.folder, 'server')
        self.server = Server(environment=environment)
        after(self.server.stop)
        self.watched = [Watched('server', self.server.process.pid, path)]
        environment, path = probed(self.folder, 'daemon')
        self.daemon = Daemon('--source', 'test', *SMALL, '--set',
                             f'room.server={self.server.url}', environment=environment)
        after(self.daemon.stop)
        self.watched.append(Watched('daemon', self.daemon.process.pid, path))
        self.daemon.wait_state('joined')
        self.control = self.daemon.control()
        environment, path = probed(self.folder, 'client')
        self.client = subprocess.Popen(
            [program('tests/join-churn'), self.server.url, 'demo', 'lobby'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **environment})
        after(self.end_client)
        self.watched.append(Watched('client', self.client.pid, path))

    def end_client(self):
        self.client.stdin.close()
        code = self.client.wait(timeout=60)
        self.client.stdout.close()
        assert code == 0, code

    def is_empty(self):
        s = self.control.call('stats.status')
        return not s['peers'] and not s['video']['rungs'] and \
            not s['audio']['takers'] and self.server.stats()['clients'] == 1

    def round(self, times):
        """So many joins, each with picture and sound; then a sample."""
        self.client.stdin.write(f'{times}\n')
        self.client.stdin.flush()
        result = json.loads(self.client.stdout.readline())
        assert result['media'] == times, result
        until(self.is_empty, 120, 0.02)
        self.joins += times
        for w in self.watched:
            w.sample(self.joins)
        return result

    def line(self):
        return '; '.join(
            f'{w.name} ' + (f'heap {s["heap"] >> 10} kB, ' if 'heap' in s else '') +
            f'rss {s["rss"] >> 10} kB, {s["fds"]} fds, {s["threads"]} threads'
            for w in self.watched for s in [w.samples[-1][1]])

    def report(self, warm):
        for w in self.watched:
            first = next(s for x, s in w.samples if x >= warm)
            last = w.samples[-1][1]
            words = []
            for what in ('heap', 'rss'):
                if what in last:
                    words.append(f'{what} {first[what] >> 10} to {last[what] >> 10} kB, '
                                 f'{w.slope(what, warm):+.1f} bytes a join')
            print(f'# {w.name}: {"; ".join(words)}; descriptors {first["fds"]} to '
                  f'{last["fds"]}; threads {first["threads"]} to {last["threads"]}', flush=True)

    def check_flat(self, warm):
        for w in self.watched:
            for what, bound, noise in (('heap', HEAP_BYTES_A_JOIN, HEAP_NOISE),
                                       ('rss', RSS_BYTES_A_JOIN, RSS_NOISE)):
                if what not in w.samples[-1][1]:
                    continue
                span = w.samples[-1][0] - warm
                assert w.slope(what, warm) <= bound + noise / span, \
                    (w.name, what, w.slope(what, warm), span)
            for what in ('fds', 'threads'):
                before = next(s[what] for x, s in w.samples if x >= warm)
                until(lambda: w.read()[what] <= before, 30, 0.2)
