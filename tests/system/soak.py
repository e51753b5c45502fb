#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/system/soak.py [MINUTES [JOINS]] - a room for a long time

First a compressed week (week.py), from a seed that is printed; SEED=N repeats
it. Then rounds of joins and leaves against room server and daemon (churn.py),
for so many minutes, and at least so many joins: 30 minutes and 10,000 joins are
what ./dev soak asks for. Memory, descriptors and threads are printed after each
round, and must be flat from the warm-up on.
"""
import os
import random
import sys
import time

import week
from churn import Churn
from wire import Suite

ROUND = 100
HOURS = 7 * 24
WARM_HOURS = 48
WARM = 1000     # usrsctp's table of old tags and malloc's arenas are full then

arguments = [float(a) for a in sys.argv[1:]]
seconds = 60 * (arguments[0] if arguments else 30)
joins = int(arguments[1]) if len(arguments) > 1 else 10000

suite = Suite()


@suite.case('a week, an hour with each event')
def _(after):
    seed = int(os.environ.get('SEED') or random.randrange(1 << 31))
    print(f'# seed {seed}', flush=True)

    def tell(lived, name, seconds):
        s = lived.watched.read()
        print(f'# hour {lived.clock.hours:3}: {name}, {seconds:.1f} s; {lived.n_peers()} peers, '
              f'heap {s.get("heap", 0) >> 10} kB, rss {s["rss"] >> 10} kB, {s["fds"]} fds, '
              f'{s["threads"]} threads', flush=True)
    week.check_heap(week.live(after, HOURS, seed, tell), WARM_HOURS)


@suite.case(f'{joins} joins and leaves, {seconds / 60:g} minutes at least')
def _(after):
    churn = Churn(after)
    start = time.monotonic()
    while churn.joins < max(joins, 3 * WARM) or time.monotonic() - start < seconds:
        result = churn.round(ROUND)
        print(f'# {time.monotonic() - start:6.0f} s, {churn.joins} joins: media after '
              f'{result["ms_median"]} ms; {churn.line()}', flush=True)
    churn.report(WARM)
    churn.check_flat(WARM)


suite.finish()
