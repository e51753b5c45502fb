#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench-relay.py - what the room server costs, beside a Node server

    bench-relay.py [--rounds N]

The same traffic for our server and for tests/relay (socket.io 1.4.8 on Node),
in turns: 100 and 1,000 clients over WebSocket in rooms of 10; 8,000 messages a
second of 300 bytes, each to one peer of the room, or 2,000 a second to all of
them (18,000 arrive). Printed are messages delivered per second of the server's
CPU, and the memory (RssAnon) that a client adds; medians of the rounds.
Asserts that all messages arrive, nothing about time.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get('BUILD', os.path.join(TOP, 'build-release')))
BUSY = 0.8
ROOM = 10
SECONDS = 3
WORKLOADS = (('targeted', 8000), ('broadcast', 2000))
TICKS = os.sysconf('SC_CLK_TCK')


def machine_times():
    with open('/proc/stat') as f:
        user, nice, system, idle, iowait, irq, softirq, steal = map(
            int, f.readline().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    return busy, busy + idle + iowait


class Child:
    """A program that speaks in lines and ends with its standard input."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f'bench-relay.py: {self.process.args[0]} has ended')
        return line.strip()

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return json.loads(self.read())

    def cpu(self):
        with open(f'/proc/{self.process.pid}/stat') as f:
            fields = f.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def anonymous_kb(self):
        with open(f'/proc/{self.process.pid}/status') as f:
            return int(next(l for l in f if l.startswith('RssAnon')).split()[1])

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()


SERVERS = {
    'ours': lambda: Child(os.path.join(BUILD, 'tests', 'room-server'), '--max-clients', '1100',
                          '--tls'),
    'node': lambda: Child('node', os.path.join(TOP, 'tests', 'relay', 'relay.mjs')),
}


def measure(name, n_clients):
    """One server's life: {workload: (per CPU second, load)}, kB a client."""
    server = SERVERS[name]()
    port = server.read().rstrip('/').rpartition(':')[2]
    if name == 'ours':
        server.read()   # the fingerprint
    before = server.anonymous_kb()
    clients = Child(os.path.join(BUILD, 'tests', 'bench-relay'), port, str(n_clients), str(ROOM))
    clients.read()
    found = {'idle kB': (server.anonymous_kb() - before) / n_clients}
    for kind, rate in WORKLOADS:
        clients.ask(f'run 1 {rate} {kind}')     # compilers, caches
        cpu, times = server.cpu(), machine_times()
        answer = clients.ask(f'run {SECONDS} {rate} {kind}')
        spent = server.cpu() - cpu
        busy, total = (b - a for a, b in zip(times, machine_times()))
        assert answer['lost'] == 0, (name, n_clients, kind, answer)
        found[kind] = answer['received'] / max(spent, 1 / TICKS)
        found['load ' + kind] = busy / total
    found['busy kB'] = (server.anonymous_kb() - before) / n_clients
    clients.stop()
    server.stop()
    return found


def ratio_row(label, unit, ours, node, wanted, smaller):
    ratio = node / ours if smaller else ours / node
    return (label, f'{ours:,.1f}' if smaller else f'{ours:,.0f}',
            f'{node:,.1f}' if smaller else f'{node:,.0f}', unit,
            f'1/{ratio:.1f}' if smaller else f'{ratio:.1f} x',
            'meets' if ratio >= wanted else 'misses')


def main():
    rounds = int(sys.argv[2]) if sys.argv[1:2] == ['--rounds'] else 3
    relay = os.path.join(TOP, 'tests', 'relay')
    if not shutil.which('node'):
        sys.exit('bench-relay.py: there is no node')
    if not os.path.isdir(os.path.join(relay, 'node_modules')):
        subprocess.run(['npm', 'ci', '--prefix', relay, '--no-audit', '--no-fund',
                        '--silent'], check=True)
    rows = []
    for n_clients in (100, 1000):
        runs = {name: [] for name in SERVERS}
        for _ in range(rounds):
            for name in SERVERS:
                runs[name].append(measure(name, n_clients))
                print(f'# {name}, {n_clients} clients: '
                      + ', '.join(f'{k} {v:.2f}' for k, v in runs[name][-1].items()),
                      file=sys.stderr, flush=True)
        def median(name, key):
            return statistics.median(r[key] for r in runs[name])
        for kind, _ in WORKLOADS:
            load = max(median(name, 'load ' + kind) for name in SERVERS)
            row = ratio_row(f'{n_clients} clients, {kind}', 'messages per CPU second',
                            median('ours', kind), median('node', kind), 5, False)
            rows.append(row + (f'~ {load:.0%} busy' if load > BUSY else '',))
        for key in ('idle kB', 'busy kB'):
            rows.append(ratio_row(f'{n_clients} clients, {key.split()[0]}', 'kB per client',
                                  median('ours', key), median('node', key), 5, True) + ('',))
    widths = [max(len(r[i]) for r in rows + [('', 'ours', 'socket.io', '', '', '', '')])
              for i in range(7)]
    print('  '.join(t.ljust(w) for t, w in zip(('', 'ours', 'socket.io', '', '', '', ''),
                                               widths)).rstrip())
    for row in rows:
        print('  '.join(t.ljust(w) for t, w in zip(row, widths)).rstrip())
    print('Aim: 5 x the messages per CPU second, 1/5 of the memory per client.')


main()
