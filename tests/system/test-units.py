#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The units and what they speak of: secrets of the option table, sockets."""
import os
import re

from wire import TOP, Suite

suite = Suite()
case = suite.case


def text(*path):
    with open(os.path.join(TOP, *path), encoding='utf-8') as f:
        return f.read()


def unit(name):
    with open(os.path.join(os.environ.get('BUILD', os.path.join(TOP, 'build')), 'systemd', name),
              encoding='utf-8') as f:
        return f.read()


@case('every secret of the configuration is a credential of the units')
def _(after):
    rows = re.findall(r'"(\w+)", "(\w+)_file", OPTION_SECRET', text('config', 'option-table.c'))
    wanted = {f'{section}.{key}' for section, key in rows}
    assert 'room.secret' in wanted, wanted
    for name, suffix in (('skylinkd.service', ''), ('skylink@.service', '.%i')):
        found = re.findall(r'(?m)^LoadCredential=([\w.]+):(\S+)$', unit(name))
        assert {key for key, _ in found} == wanted, wanted ^ {key for key, _ in found}
        assert all(place == key + suffix for key, place in found), found
    documented = set(re.findall(r'(?m)^\| `([\w.]+)` \|', text('docs', 'install.md')))
    assert documented == wanted, documented ^ wanted


@case('each unit has a socket of its own, where skylinkctl looks')
def _(after):
    for name, at, socket in (('skylinkd', '/skylink/control.sock', 'skylinkd.socket'),
                             ('skylink@', '/skylink/%i/control.sock', 'skylink@%i.socket')):
        assert f'ListenStream=%t{at}\n' in unit(name + '.socket')
        service = unit(name + '.service')
        assert f'Sockets={socket}\n' in service and f'Also={socket}\n' in service


@case('what cannot get better is not tried for ever; all else is')
def _(after):
    service = unit('skylinkd.service')
    for line in ('Restart=always', 'RestartPreventExitStatus=2 78', 'StartLimitIntervalSec=0'):
        assert f'\n{line}\n' in service, line


suite.finish()
