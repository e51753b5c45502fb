#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench.py - the figures this project is measured by, beside their lines

    bench.py [--tries N] [--quick] [NAME...]

NAME is one of: sealing pixels transport process allocations page join channel
files. Prints one table; asserts nothing about time. Rows that are compared
alternate in one run, and medians are printed. A measurement taken while the machine was
more than 80 % busy is repeated, at most --tries times in all; if none was
quiet, the least busy one is printed and marked '~'.

$BUILD is the (release) build directory.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get('BUILD',
                                       os.path.join(TOP, 'build-release')))
BUSY = 0.8
TICKS = os.sysconf('SC_CLK_TCK')
BITRATE = '2M'
FPS = 30


def note(text):
    print(f'# {text}', file=sys.stderr, flush=True)


# --- the machine -------------------------------------------------------------

def machine_times():
    with open('/proc/stat') as f:
        user, nice, system, idle, iowait, irq, softirq, steal = map(
            int, f.readline().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


class Load:
    """How busy all processors were while in the block, 0 to 1."""

    def __enter__(self):
        self.before = machine_times()
        self.value = 0.0
        return self

    def __exit__(self, *_):
        busy, total = (b - a for a, b in zip(self.before, machine_times()))
        self.value = busy / total if total else 0.0


class Options:
    tries = 3
    quick = False


def steady(measure):
    """measure() gives a dict; that of the least busy of the tries, with
    'load' added."""
    best = None
    for attempt in range(Options.tries):
        with Load() as load:
            result = measure()
        result.setdefault('load', load.value)
        if best is None or result['load'] < best['load']:
            best = result
        if best['load'] <= BUSY:
            break
        note(f'load {result["load"]:.0%}' +
             (', again' if attempt + 1 < Options.tries else ''))
    return best


# --- programs ----------------------------------------------------------------

def stop(child):
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def ask(path, method):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(path)
        s.sendall(json.dumps({'jsonrpc': '2.0', 'id': 1,
                              'method': method}).encode() + b'\n')
        text = b''
        while not text.endswith(b'\n'):
            piece = s.recv(65536)
            if not piece:
                break
            text += piece
    return json.loads(text)['result']


class Daemon:
    """skylinkd, and what the kernel knows of it."""

    def __init__(self, folder, name, arguments, environment=None):
        self.socket = os.path.join(folder, name + '.sock')
        config = os.path.join(folder, name + '.conf')
        open(config, 'w').close()       # not what this machine may have
        self.log = open(os.path.join(folder, name + '.log'), 'wb')
        self.child = subprocess.Popen(
            [os.path.join(BUILD, 'appliance', 'skylinkd'), '--config', config,
             '--socket', self.socket, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            env=dict(os.environ, **(environment or {})))
        self.wait(lambda s: s['version'])

    def status(self):
        return ask(self.socket, 'stats.status')

    def wait(self, test, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                if test(self.status()):
                    return
            if time.monotonic() > deadline or self.child.poll() is not None:
                self.log.flush()
                with open(self.log.name) as f:
                    sys.exit(f'skylinkd is not ready:\n{f.read()[-2000:]}')
            time.sleep(0.05)

    def threads(self):
        """{tid: (name, cpu ticks, context switches)}"""
        found = {}
        folder = f'/proc/{self.child.pid}/task'
        for tid in os.listdir(folder):
            with contextlib.suppress(OSError):
                with open(f'{folder}/{tid}/status') as f:
                    text = f.read()
                with open(f'{folder}/{tid}/stat') as f:
                    fields = f.read().rpartition(')')[2].split()
                switches = sum(int(n) for n in re.findall(
                    r'ctxt_switches:\s*(\d+)', text))
                found[int(tid)] = (
                    re.search(r'Name:\t(.*)', text).group(1),
                    int(fields[11]) + int(fields[12]), switches)
        return found

    def stop(self):
        stop(self.child)
        self.child.stdout.close()
        self.log.close()


@contextlib.contextmanager
def room():
    """A room server of its own, and a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix='skylink-bench-') as folder:
        server = Daemon(folder, 'server', ['--room-server', '--listen',
                                           '127.0.0.1:0'])
        try:
            url = server.status()['roomserver']['url'].rstrip('/')
            yield folder, url
        finally:
            server.stop()


@contextlib.contextmanager
def appliance(folder, url, arguments, environment=None):
    daemon = Daemon(folder, 'appliance', [
        '--set', f'room.server={url}', '--set', 'network.loopback=yes',
        '--set', 'video.codec=h264', '--set', f'video.bitrate={BITRATE}',
        '--set', f'video.max_bitrate={BITRATE}', *arguments], environment)
    try:
        daemon.wait(lambda s: s['room']['state'] == 'joined')
        yield daemon
    finally:
        daemon.stop()


@contextlib.contextmanager
def receivers(url, n):
    """n peers that only count, in one other process."""
    child = subprocess.Popen(
        [os.path.join(BUILD, 'tests', 'bench-receivers'), url, 'demo',
         'lobby', str(n), 'h264'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    try:
        if not child.stdout.readline().startswith('ready'):
            sys.exit(f'{n} receivers did not join')
        yield child
    finally:
        child.stdin.close()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


def program(name, *arguments):
    return subprocess.run([os.path.join(BUILD, 'tests', name), *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, check=True).stdout


def video_packets(status):
    return sum(p['rtc']['videoPackets'] for p in status['peers'])


def watch(daemon, n, seconds, settle=8):
    """What the daemon did while it sent to n peers. libnice needs some
    seconds until its checks are over."""
    time.sleep(settle)
    before, threads = daemon.status(), daemon.threads()
    start = time.monotonic()
    with Load() as load:
        time.sleep(seconds)
    after, later = daemon.status(), daemon.threads()
    took = time.monotonic() - start

    def grown(*path):
        a, b = before, after
        for key in path:
            a, b = a[key], b[key]
        return b - a

    frames = grown('network', 'units_in')
    names = {}
    for tid, (name, _, switches) in later.items():
        old = threads.get(tid, (name, 0, 0))
        names.setdefault(name, [0, 0.0])
        names[name][0] += 1
        names[name][1] += (switches - old[2]) / took
    rungs = after['video']['rungs'] if after['video'] else []
    return {
        'load': load.value, 'peers': len(after['peers']), 'seconds': took,
        'cpu': grown('process', 'cpu_ms') / took / 10,
        'network': grown('network', 'cpu_ms') / took / 10,
        'ice': grown('network', 'ice_cpu_ms') / took / 10,
        'rss_anon': after['process']['rss_anon_kb'],
        'rss': after['process']['rss_kb'],
        'switches': grown('process', 'context_switches') / took,
        'threads': names, 'frames': frames,
        'packets': (video_packets(after) - video_packets(before)),
        'mbps': grown('network', 'tx_bytes') * 8 / took / 1e6 / max(n, 1),
        'syscalls': grown('network', 'syscalls') / max(frames, 1),
        'ticks': grown('network', 'ticks') / max(frames, 1),
        'copies': grown('video', 'frame_copies'),
        'unit_copies': (grown('network', 'bitstream_copies') +
                        grown('video', 'unit_copies')),
        'sent_p95': after['network']['sent_us_p95'] / 1000,
        'sent_median': after['network']['sent_us_median'] / 1000,
        'encode_p95': max((r['encode_us_p95'] for r in rungs),
                          default=0) / 1000,
    }


# --- the table ---------------------------------------------------------------

class Table:
    def __init__(self):
        self.rows = []

    def add(self, figure, what, line, measured, met=None, load=0.0):
        """met: True, False, or None for what has no line."""
        verdict = '' if met is None else 'meets' if met else 'misses'
        if load > BUSY:
            verdict += f' ~ load {load:.0%}'
        row = (figure, what, line, measured, verdict.strip())
        self.rows.append(row)
        note(' | '.join(row))

    def print(self):
        head = ('figure', 'what', 'line', 'measured', 'verdict')
        rows = [head, tuple('---' for _ in head), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        for row in rows:
            print('| ' + ' | '.join(
                cell.ljust(width) for cell, width in zip(row, widths)) + ' |')


median = statistics.median


# --- 15: sealing and sending ---------------------------------------------------

def bench_sealing(table):
    def measure():
        rows = {}
        for line in program('bench-net', '--seal', '--rounds',
                            '5' if Options.quick else '15').splitlines():
            m = re.match(r'(\w+)\s+(\d+)\s+5\s+\S+\s+(\S+ \S+)\s+(\d+)\s',
                         line)
            if m:
                rows[m[1], int(m[2]), m[3]] = float(m[4])
        return {'rows': rows}

    result = steady(measure)
    rows, load = result['rows'], result['load']
    for segments, line in (('kernel', 6), ('device', 9)):
        for peers in (1, 4, 16):
            ours = rows.get((segments, peers, 'own GCM'))
            usual = rows.get((segments, peers, 'libsrtp2 CM'))
            same = rows.get((segments, peers, 'libsrtp2 GCM'))
            if not (ours and usual and same):
                table.add('15', f'{peers} peers, segments by {segments}',
                          f'1/{line}', 'not run: no namespaces')
                continue
            table.add('15', f'{peers} peers, segments by {segments}: '
                      'against nice_agent_send + libsrtp2',
                      f'<= 1/{line}', f'1/{usual / ours:.1f} '
                      f'({ours:.0f} of {usual:.0f} ns a packet)',
                      usual / ours >= line, load)
            gate = 2.5 if segments == 'kernel' else 3.5
            table.add('15', f'{peers} peers, segments by {segments}: '
                      'with the same cipher', f'<= 1/{gate}',
                      f'1/{same / ours:.1f} ({same:.0f} ns)',
                      same / ours >= gate, load)


# --- 14: pixels ----------------------------------------------------------------

def bench_pixels(table):
    def measure():
        found = re.findall(r'(\S+)  YUYV to I420 (\S+) ms  memcpy (\S+) ms  '
                           r'ratio (\S+)', program('bench-pixels'))
        return {'rows': found}

    result = steady(measure)
    for size, ms, copy, ratio in result['rows']:
        table.add('14', f'YUYV to I420, {size}', '<= 1.3x memcpy',
                  f'{ratio}x ({ms} ms, memcpy {copy} ms)',
                  float(ratio) <= 1.3, result['load'])


# --- 1, 2, 4: the transport alone ------------------------------------------------

def make_stream(folder):
    """A coded 720p30 stream of 2 Mb/s with a keyframe every second, as an
    encoding camera would give it."""
    path = os.path.join(folder, 'stream.h264')
    subprocess.run(
        ['ffmpeg', '-hide_banner', '-loglevel', 'error', '-nostdin', '-f',
         'lavfi', '-i', f'testsrc2=s=1280x720:r={FPS}', '-t', '20', '-c:v',
         'libx264', '-preset', 'superfast', '-tune', 'zerolatency',
         '-profile:v', 'baseline', '-b:v', '2M', '-maxrate', '2M', '-bufsize',
         '600k', '-g', str(FPS), '-x264-params', 'filler=1', '-y', path],
        check=True)
    return path


def bench_transport(table):
    counts = (1, 2, 8)
    seconds = 5 if Options.quick else 10
    rounds = 1 if Options.quick else 3
    rows = {n: [] for n in counts}
    with room() as (folder, url):
        arguments = ['--source', 'h264:' + make_stream(folder),
                     '--audio-source', 'none']

        def measure(n):
            with appliance(folder, url, arguments) as daemon, \
                    receivers(url, n):
                return watch(daemon, n, seconds)

        for _ in range(rounds):
            for n in counts:
                rows[n].append(steady(lambda n=n: measure(n)))
        many = None if Options.quick else steady(lambda: measure(64))
    load = max(r['load'] for n in counts for r in rows[n])

    def mid(n, key):
        return median(r[key] for r in rows[n])

    slope = (mid(8, 'cpu') - mid(1, 'cpu')) / 7
    table.add('1', f'per extra receiver, {mid(8, "mbps"):.2f} Mb/s each',
              '<= 0.12 % core', f'{slope:.3f} % core (network thread '
              f'{(mid(8, "network") - mid(1, "network")) / 7:.3f}, ice '
              f'{(mid(8, "ice") - mid(1, "ice")) / 7:.3f})',
              slope <= 0.12, load)
    table.add('2', 'first receiver, whole process', '<= 0.6 % core',
              f'{mid(1, "cpu"):.2f} % core (network thread '
              f'{mid(1, "network"):.2f}, ice {mid(1, "ice"):.2f}); '
              f'2: {mid(2, "cpu"):.2f}, 8: {mid(8, "cpu"):.2f}',
              mid(1, 'cpu') <= 0.6, load)
    memory = (mid(8, 'rss_anon') - mid(1, 'rss_anon')) / 7
    table.add('8', 'RssAnon per receiver, of 1 to 8', '<= 128 kB',
              f'{memory:.0f} kB', memory <= 128, load)
    for n in counts:
        packets = mid(n, 'packets') / mid(n, 'frames') / n
        table.add('', f'system calls of the network thread per frame, {n} '
                  f'receivers', '', f'{mid(n, "syscalls"):.1f} '
                  f'({packets:.1f} packets a frame to each)', load=load)
    if many:
        table.add('4', '64 receivers on one stream: transport',
                  '<= 8 % core', f'{many["cpu"]:.1f} % core (network '
                  f'{many["network"]:.1f}, ice {many["ice"]:.1f}), '
                  f'{sum(t[0] for t in many["threads"].values())} threads, '
                  f'{many["mbps"]:.2f} Mb/s each',
                  many['cpu'] <= 8 and many['peers'] == 64, many['load'])
        each = (many['rss_anon'] - mid(1, 'rss_anon')) / 63
        table.add('8', 'RssAnon per receiver, of 1 to 64', '<= 128 kB',
                  f'{each:.0f} kB', each <= 128, many['load'])


# --- 3, 5, 8, 9: the whole process -------------------------------------------------

OURS = ('skylinkd', 'ice', 'network')   # control is the main thread


def bench_process(table):
    seconds = 8 if Options.quick else 15
    rounds = 1 if Options.quick else 3
    whole, bare, four = [], [], []
    with room() as (folder, url):
        arguments = ['--source', 'test', '--audio-source', 'none']

        def run(n, extra=()):
            with appliance(folder, url, [*arguments, *extra]) as daemon, \
                    receivers(url, n):
                return watch(daemon, n, seconds)

        def run_bare():
            text = program('media-probe', '--bare', '--codec', 'h264',
                           '--size', '1280x720', '--fps', str(FPS),
                           '--bitrate', '2000000', '--seconds',
                           str(seconds + 4))
            m = re.search(r'cpu=([\d.]+)% rss_anon=(\d+)', text)
            return {'cpu': float(m[1]), 'rss_anon': int(m[2])}

        for _ in range(rounds):
            bare.append(steady(run_bare))
            whole.append(steady(lambda: run(1)))
        four.append(steady(lambda: run(4)))
    load = max(r['load'] for r in whole + bare)

    def mid(rows, key):
        return median(r[key] for r in rows)

    extra = mid(whole, 'cpu') - mid(bare, 'cpu')
    table.add('3', '720p30, one receiver: above the encoder alone',
              '<= +3.5 % core', f'{extra:+.1f} % core ({mid(whole, "cpu"):.1f}'
              f' of {mid(bare, "cpu"):.1f})', extra <= 3.5, load)
    late = mid(whole, 'sent_p95') - mid(whole, 'encode_p95')
    table.add('5', 'drawn to sent, p95', '<= encode p95 + 2 ms',
              f'{mid(whole, "sent_p95"):.1f} ms, encode '
              f'{mid(whole, "encode_p95"):.1f} ms (median '
              f'{mid(whole, "sent_median"):.1f} ms)', late <= 2, load)
    memory = (mid(whole, 'rss_anon') - mid(bare, 'rss_anon')) / 1024
    table.add('8', 'RssAnon, one receiver: above the encoder alone',
              '<= +6 MB', f'{memory:+.1f} MB '
              f'({mid(whole, "rss_anon") / 1024:.1f} of '
              f'{mid(bare, "rss_anon") / 1024:.1f}; RSS in all '
              f'{mid(whole, "rss") / 1024:.0f} MB)', memory <= 6, load)
    for n, rows in ((1, whole), (4, four)):
        line = 200 + 30 + 35 * n
        switches = mid(rows, 'switches')
        table.add('9', f'context switches, {n} receivers, one source',
                  f'<= {line}/s', f'{switches:.0f}/s',
                  switches <= line, max(r['load'] for r in rows))
    names = whole[-1]['threads']
    table.add('9', 'threads (switches/s)', 'control, ice, network, one per '
              'device and codec; library threads idle',
              ', '.join(f'{name}{" x%d" % n if n > 1 else ""} {rate:.0f}'
                        for name, (n, rate) in sorted(names.items())))
    table.add('', 'copies of pictures / of coded units', '0 / 0',
              f'{max(r["copies"] for r in whole)} / '
              f'{max(r["unit_copies"] for r in whole)}',
              not any(r['copies'] or r['unit_copies'] for r in whole))



# --- heap allocations ---------------------------------------------------------------

ROW = 24


def read_allocations(path):
    with open(path, 'rb') as f:
        data = f.read()
    rows = {}
    for at in range(0, len(data), ROW):
        thread, caller, count = (
            int.from_bytes(data[at + i:at + i + 8], 'little')
            for i in (0, 8, 16))
        if thread:
            rows[thread, caller] = rows.get((thread, caller), 0) + count
    return rows


def libraries(pid):
    """[(start, end, name)] of what is mapped executable."""
    found = []
    with open(f'/proc/{pid}/maps') as f:
        for line in f:
            fields = line.split()
            if 'x' in fields[1] and len(fields) > 5:
                start, end = (int(n, 16) for n in fields[0].split('-'))
                name = os.path.basename(fields[5])
                found.append((start, end, re.sub(r'[-.]?so[.\d]*$|-[\d.]+so'
                                                 r'[.\d]*$', '', name)))
    return found


def bench_allocations(table):
    library = os.path.join(BUILD, 'tests', 'libbench-alloc.so')
    seconds = 5 if Options.quick else 10
    with room() as (folder, url):
        path = os.path.join(folder, 'allocations')
        with appliance(folder, url, ['--source', 'test', '--audio-source',
                                     'none'],
                       {'LD_PRELOAD': library, 'BENCH_ALLOC': path}) as d, \
                receivers(url, 1), Load() as load:
            time.sleep(6)
            units = d.status()['network']['units_in']
            before = read_allocations(path)
            time.sleep(seconds)
            after = read_allocations(path)
            frames = d.status()['network']['units_in'] - units
            names = {tid: t[0] for tid, t in d.threads().items()}
            maps = libraries(d.child.pid)
    threads, callers = {}, {}
    for key, count in after.items():
        grown = count - before.get(key, 0)
        thread = names.get(key[0], 'ended')
        caller = next((name for start, end, name in maps
                       if start <= key[1] < end), 'unknown')
        if not grown:
            continue
        threads[thread] = threads.get(thread, 0) + grown
        callers[thread, caller] = callers.get((thread, caller), 0) + grown
    for thread, count in sorted(threads.items(), key=lambda t: -t[1]):
        by = ', '.join(
            f'{caller} {n / frames:.2f}' for (t, caller), n in sorted(
                callers.items(), key=lambda c: -c[1]) if t == thread)
        table.add('', f'heap allocations per frame, thread {thread}',
                  '0 of our own', f'{count / frames:.2f} ({by})',
                  load=load.value)
    if not threads:
        table.add('', 'heap allocations per frame', '0 of our own', '0')


# --- 6, 7: in a page ------------------------------------------------------------------

def page(*arguments):
    done = subprocess.run(
        ['node', os.path.join(TOP, 'tests', 'browser', 'bench-page.mjs'),
         *map(str, arguments)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(os.environ, BUILD=BUILD))
    if done.returncode:
        note(done.stderr[-2000:])
        return None
    return json.loads(done.stdout.splitlines()[-1])


def has_browser(table, figure):
    folder = os.path.join(TOP, 'tests', 'browser')
    if not shutil.which('node') or not shutil.which('npm') or \
            not shutil.which(os.environ.get('CHROMIUM', 'chromium')):
        table.add(figure, 'in a page', '', 'not run: no node or Chromium')
        return False
    if not os.path.exists(os.path.join(folder, 'node_modules',
                                       '.package-lock.json')):
        subprocess.run(['npm', 'ci', '--prefix', folder, '--no-audit',
                        '--no-fund', '--loglevel=error'], check=True,
                       stdout=subprocess.DEVNULL)
    return True


def bench_page(table):
    if not has_browser(table, '6'):
        return
    seconds = 10 if Options.quick else 20
    rounds = 1 if Options.quick else 3
    sizes = {(1280, 720, '2M'): (15, 20), (1920, 1080, '4M'): (20, 27)}
    rows = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            row = steady(lambda size=size: page('latency', *size, seconds) or
                         {'load': 1.0, 'median': None})
            if row['median'] is not None:
                rows[size].append(row)
    for size, (line, line95) in sizes.items():
        found = rows[size]
        what = f'glass to glass, loopback, {size[0]}x{size[1]}'
        if not found:
            table.add('6', what, f'<= {line}/{line95} ms', 'not run')
            continue
        mid = {key: median(r[key] for r in found)
               for key in ('median', 'p95', 'fps', 'cpu', 'sent_p95',
                           'encode_p95', 'shown_median', 'shown_p95')}
        table.add('6', what, f'<= {line}/{line95} ms',
                  f'{mid["median"]:.1f}/{mid["p95"]:.1f} ms, '
                  f'{mid["fps"]:.1f} fps (on the screen '
                  f'{mid["shown_median"]:.0f}/{mid["shown_p95"]:.0f}, sent p95 {mid["sent_p95"]:.1f}, '
                  f'encode p95 {mid["encode_p95"]:.1f} ms, '
                  f'{mid["cpu"]:.0f} % core with sound)',
                  mid['median'] <= line and mid['p95'] <= line95,
                  max(r['load'] for r in found))


def bench_join(table):
    if not has_browser(table, '7'):
        return
    row = steady(lambda: page('join', 5 if Options.quick else 20) or
                 {'load': 1.0, 'signalled': None})
    if not row['signalled']:
        table.add('7', 'join', '<= 100 ms', 'not run')
        return
    signalled, whole = row['signalled'], row['whole']
    table.add('7', f'join, local, {row["joins"]} times: offer leaving the page'
              ' to first frame', '<= 100 ms median, 150 p95',
              f'{signalled["median"]:.0f} ms median, '
              f'{signalled["p95"]:.0f} p95',
              signalled['median'] <= 100 and signalled['p95'] <= 150,
              row['load'])
    table.add('7', 'the first join of a daemon, the browser running',
              'no slower', f'{row["fresh"]:.0f} ms median; of daemon and '
              f'browser {signalled["first"]:.0f} ms',
              row['fresh'] <= signalled['p95'], row['load'])
    table.add('7', 'the whole SkylinkJS join (room API to first frame)', '',
              f'{whole["median"]:.0f} ms median, {whole["p95"]:.0f} p95, '
              f'first {whole["first"]:.0f}', load=row['load'])


# --- 13: data channels ------------------------------------------------------------------

def ends(script, rounds, megabytes, environment):
    """What a script of alternating rows printed: {row: [results]}."""
    done = subprocess.run(
        ['node', os.path.join(TOP, 'tests', 'browser', script), str(rounds),
         str(megabytes)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        env=dict(os.environ, BUILD=BUILD, **environment))
    if done.returncode:
        note(done.stderr[-2000:])
    rows = {}
    for line in done.stdout.splitlines():
        if line.startswith('{'):
            row = json.loads(line)
            rows.setdefault(row['row'], []).append(row)
    return rows


def of(rows, key):
    values = [row[key] for row in rows if row.get(key)]
    return median(values) if values else None


def bench_ends(table, figure, script, what, lines, baseline, megabytes=200,
               environment={}):
    if not has_browser(table, figure):
        return
    rows = ends(script, 1 if Options.quick else 3,
                min(megabytes, 50) if Options.quick else megabytes, environment)
    base = of(rows.get(baseline, []), 'rate')
    for name, found in rows.items():
        rate = of(found, 'rate')
        core = of(found, 'sender') or of(found, 'receiver')
        line, core_line = lines.get(name, (None, None))
        text = f'{rate:.1f} MB/s'
        if base and name != baseline:
            text += f', {rate / base:.1f} x {baseline}'
        if core:
            text += f'; {core:.0f} MB/s per core'
            text += f', peak {of(found, "kb") / 1000:.0f} MB'
        table.add(figure, f'{what}, {name}',
                  '' if not line else f'>= {line} MB/s' +
                  (f', {core_line} per core' if core_line else ''),
                  text, rate >= line and core >= core_line if line else None,
                  max(row['load'] for row in found))
    if not rows:
        table.add(figure, what, '', 'not run')


def bench_channel(table):
    bench_ends(table, '13', 'bench-channel.mjs', 'raw channel',
               {'appliance to page': (27, 130),
                'page to appliance': (25, 96)}, 'page to page')
    bench_ends(table, '13', 'bench-channel.mjs', 'at 50 ms round trip',
               {'appliance to page': (25, 0),
                'appliance to appliance': (25, 0)}, 'page to page',
               megabytes=20, environment={'DELAY_MS': '25'})


def bench_files(table):
    bench_ends(table, '13', 'bench-transfer.mjs', 'a file', {}, 'page:page')


BENCHES = {'sealing': bench_sealing, 'pixels': bench_pixels,
           'transport': bench_transport, 'process': bench_process,
           'allocations': bench_allocations, 'page': bench_page,
           'join': bench_join, 'channel': bench_channel,
           'files': bench_files}


def main():
    arguments = sys.argv[1:]
    if '--tries' in arguments:
        at = arguments.index('--tries')
        Options.tries = max(1, int(arguments[at + 1]))
        del arguments[at:at + 2]
    if '--quick' in arguments:
        Options.quick = True
        arguments.remove('--quick')
    unknown = [a for a in arguments if a not in BENCHES]
    if unknown:
        sys.exit(f'bench.py: {unknown[0]}: not one of {", ".join(BENCHES)}')
    table = Table()
    with Load() as load:
        for name in arguments or BENCHES:
            note(f'{name} ...')
            BENCHES[name](table)
    table.print()
    print(f'\nThe machine was {load.value:.0%} busy in all; ~ marks figures '
          f'taken above {BUSY:.0%}.')


main()
