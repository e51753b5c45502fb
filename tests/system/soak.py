#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/system/soak.py [MINUTES] - peers come and go for a long time

One daemon with its own room server; rounds of 50 joins and leaves, by both
codecs and both ways to go. After each round: what the process has, when the
room is empty again. Memory, descriptors and threads must not grow from the
first rounds to the last.
"""
import json
import subprocess
import sys
import time

from daemon import SMALL, Daemon, program
from wire import Suite, until

SECONDS = 60 * float(sys.argv[1] if len(sys.argv) > 1 else 30)
ROUND = 50
WARM = 2            # rounds until libraries and malloc have their size
GROWTH_KB = 16384   # what malloc may keep; a leaked peer would be 25 MB

suite = Suite()


def empty_room(daemon):
    def is_empty():
        s = daemon.status()
        return not s['peers'] and not s['video']['rungs'] and not s['audio']['takers'] and s
    return until(is_empty, 30, 0.1)['process']


@suite.case(f'{SECONDS / 60:g} minutes of joins and leaves')
def _(after):
    daemon = Daemon('--source', 'test', *SMALL, '--listen', '127.0.0.1:0')
    after(daemon.stop)
    url = daemon.url()
    daemon.wait_state('joined')
    seen, start = [], time.monotonic()
    while time.monotonic() - start < SECONDS or len(seen) < WARM + 2:
        churn = subprocess.run([program('tests/join-churn'), url, 'demo', 'lobby', str(ROUND)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        result = json.loads(churn.stdout)
        p = empty_room(daemon)
        seen.append(p)
        print(f'# {time.monotonic() - start:6.0f} s, {len(seen) * ROUND} joins: media after '
              f'{result["ms_median"]} ms, {p["rss_anon_kb"]} kB, {p["fds"]} descriptors, '
              f'{p["threads"]} threads', flush=True)
        assert result['media'] == ROUND, result
    first, last = seen[WARM - 1], seen[-1]
    assert last['rss_anon_kb'] <= first['rss_anon_kb'] + GROWTH_KB, (first, last)
    until(lambda: empty_room(daemon)['fds'] <= first['fds'], 10, 0.5)
    until(lambda: empty_room(daemon)['threads'] <= first['threads'], 30, 0.5)


suite.finish()
