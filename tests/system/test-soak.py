#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/system/test-soak.py - some hundred joins and leaves, some hours of a week

What ./dev soak does for long (soak.py), for a moment: enough for a leak of a
few hundred bytes a join to show, and for most things that happen to happen.
SEED=N: other hours.
"""
import os

import week
from churn import Churn
from wire import Suite

WARM = 100
JOINS = 300
ROUND = 20
HOURS = 40

suite = Suite()


@suite.case(f'{JOINS} joins and leaves: heap, descriptors and threads are flat')
def _(after):
    churn = Churn(after)
    while churn.joins < JOINS:
        churn.round(ROUND)
    churn.report(WARM)
    churn.check_flat(WARM)


@suite.case(f'{HOURS} hours of a week: everything is as it must be after each event')
def _(after):
    seed = int(os.environ.get('SEED', '2'))
    print(f'# seed {seed}', flush=True)
    happened = []
    week.live(after, HOURS, seed, lambda week_, name, seconds: happened.append(name))
    print(f'# {len(set(happened))} kinds of events of {len(week.Week.HAPPENINGS)}')


suite.finish()
