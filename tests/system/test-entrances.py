#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every entrance has a fuzz target: the table of docs/security.md is compared
with the targets, their corpora, and the parsers that headers declare."""
import os
import re

from wire import TOP, Suite

suite = Suite()
case = suite.case
LAYERS = ('appliance', 'config', 'drivers', 'media', 'webrtc')
FILES_MAX, BYTES_MAX = 60, 300 << 10    # of a corpus


def read(*path):
    with open(os.path.join(TOP, *path), encoding='utf-8') as f:
        return f.read()


def sources():
    for layer in LAYERS:
        for folder, _, names in os.walk(os.path.join(TOP, layer)):
            for name in names:
                yield folder, name


def table():
    """[(entrance, read by, target)] of the section Entrances."""
    section = read('docs', 'security.md').split('## Entrances')[1].split('\n## ')[0]
    rows = [[cell.strip() for cell in line.strip('|').split('|')]
            for line in section.splitlines() if line.startswith('| ')]
    return [(row[0], row[2], row[3]) for row in rows[1:]]


@case('the table names every fuzz target, and only those there are')
def _(after):
    there = {name[len('fuzz-'):-2] for _, name in sources()
             if name.startswith('fuzz-') and name.endswith('.c')}
    named = [target for _, _, target in table()]
    assert len(named) == len(set(named)), sorted(named)
    assert set(named) == there, (sorted(there - set(named)), sorted(set(named) - there))
    print(f'# {len(named)} entrances')
    assert len(named) > 25


@case('every target has a corpus, of bounded size')
def _(after):
    for _, _, target in table():
        folder = os.path.join(TOP, 'tests', 'corpus', target)
        files = os.listdir(folder)
        size = sum(os.path.getsize(os.path.join(folder, name)) for name in files)
        assert 0 < len(files) < FILES_MAX and size < BYTES_MAX, (target, len(files), size)


@case('every parser that a header declares is in the document')
def _(after):
    text = read('docs', 'security.md')
    parsers = set()
    for folder, name in sources():
        if not name.endswith('.h') or 'test' in name:
            continue
        parsers.update(re.findall(r'^(?:\w[\w ]*[ *])(\w+_parse)\(', read(folder, name), re.M))
    print(f'# {len(parsers)} parsers')
    assert len(parsers) > 20
    missing = sorted(p for p in parsers if f'`{p}`' not in text)
    assert not missing, missing


@case('the tests that the document calls as witnesses exist')
def _(after):
    text = read('docs', 'security.md').split('## What is defended')[1].split('\n## ')[0]
    units = {name for _, name in sources()}
    for cell in re.findall(r'\| ([^|]*) \|$', text, re.M):
        for kind, names in re.findall(r'`?(system|unit)`?: ([\w, -]+)', cell):
            for name in re.split(r', | and ', names.strip()):
                if kind == 'system':
                    assert os.path.exists(os.path.join(
                        TOP, 'tests', 'system', f'test-{name}.py')), name
                else:
                    assert f'test-{name}.c' in units, name


suite.finish()
