# SPDX-License-Identifier: Apache-2.0
"""tests/system/clock.py - another time of day for programs (tests/clock-offset.c)"""
import os
import struct

from daemon import program

HOUR_NS = 3600 * 10 ** 9


class Clock:
    """The time of day of all programs of one world."""

    def __init__(self, folder):
        self.path = os.path.join(folder, 'clock')
        self.hours = 0
        self.set()

    def set(self):
        # in place, since it is mapped
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack('q', int(self.hours * HOUR_NS)), 0)
        os.close(fd)

    def go_on(self, hours):
        self.hours += hours
        self.set()

    def environment(self, probe=None):
        probe = dict(probe or {})
        libraries = [probe.pop('LD_PRELOAD', ''), program('tests/libclock-offset.so')]
        return {**probe, 'LD_PRELOAD': ' '.join(filter(None, libraries)),
                'CLOCK_OFFSET': self.path}
