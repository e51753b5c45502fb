#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every method and every event of SkylinkJS 0.6.12, on running daemons.

One row per name of surface.json; each asserts what somebody else sees of it: the
other box, the server, or an event. A name without a row fails. ONLY=NAME runs
the rows whose title contains it.
"""
import json

import conformance_room
import conformance_socket
import conformance_events
import conformance_media
import conformance_files
from conformance import SURFACE, never_seen
from conformance_rows import covered, end_world, suite

# Importing them ran them.
assert all((conformance_room, conformance_socket, conformance_events, conformance_media,
            conformance_files))
print(f'# states of the tables that nobody told here: {json.dumps(never_seen())}')


@suite.case('every name has a row')
def _(after):
    wanted = {('method', name) for name in SURFACE['methods']} | \
        {('log', name) for name in SURFACE['SkylinkLogs']} | \
        {('event', name) for name in SURFACE['events']}
    assert covered == wanted, f'without a row: {sorted(wanted - covered)}; unknown: ' \
        f'{sorted(covered - wanted)}'


try:
    end_world()
except Exception as error:
    print(f'# the end: {error!r}')
    suite.failed += 1
suite.finish()
