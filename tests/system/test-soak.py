#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/system/test-soak.py - some hundred joins and leaves leave nothing

What ./dev soak does for long (soak.py), for a moment: enough for a leak of a
few hundred bytes a join to show.
"""
from churn import Churn
from wire import Suite

WARM = 100
JOINS = 300
ROUND = 20

suite = Suite()


@suite.case(f'{JOINS} joins and leaves: heap, descriptors and threads are flat')
def _(after):
    churn = Churn(after)
    while churn.joins < JOINS:
        churn.round(ROUND)
    churn.report(WARM)
    churn.check_flat(WARM)


suite.finish()
