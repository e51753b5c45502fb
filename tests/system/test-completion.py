#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""skylinkctl's completion in real shells: keys are pressed in bash and zsh on a
terminal, fish is asked as its own line editor asks."""
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

from daemon import Daemon, program
from wire import Skip, Suite

suite = Suite()
case = suite.case
CTL = program('appliance/skylinkctl')
ALONE = ['--source', 'none', '--audio-source', 'none']
DEADLINE_S = 30
# What is typed, and the word that its last one becomes.
ROWS = [('skylinkctl stat', 'status'),
        ('skylinkctl -s /x --json unm', 'unmute'),
        ('skylinkctl events --fo', '--follow'),
        ('skylinkctl --color alw', 'always'),
        ('skylinkctl mute vid', 'video'),
        ('skylinkctl call muteS', 'muteStream'),
        ('skylinkctl call selftest.r', 'selftest.run'),
        ('skylinkctl methods rpc.d', 'rpc.discover'),
        ('skylinkctl watch peerJ', 'peerJoined'),
        ('skylinkctl config set video.min_b', 'video.min_bitrate'),
        ('skylinkctl help comp', 'completion')]


def found(shell):
    path = shutil.which(shell)
    if not path:
        raise Skip(f'{shell} is not installed')
    return path


class Terminal:
    """A shell on a terminal of its own, wide enough for any line. CTRL-X p has
    it print its line between << and >>."""
    def __init__(self, after, *command, setup):
        pid, self.fd = pty.fork()
        if not pid:
            os.execvpe(command[0], command, {
                'PATH': os.environ['PATH'], 'HOME': '/nonexistent', 'TERM': 'dumb',
                'LC_ALL': 'C.UTF-8', 'PS1': '', 'INPUTRC': '/dev/null', 'HISTFILE': ''})
        after(lambda: self.end(pid))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 30000, 0, 0))
        self.seen = ''
        self.press(setup + "; printf 're''ady\\n'\n")
        self.wait(r'ready\r?\n')

    def end(self, pid):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(self.fd)

    def press(self, keys):
        left = keys.encode()
        while left:
            left = left[os.write(self.fd, left[:512]):]

    def wait(self, pattern):
        end = time.monotonic() + DEADLINE_S
        while not (match := re.search(pattern, self.seen, re.S)):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, f'no {pattern!r} in {self.seen[-2000:]!r}'
            self.seen += os.read(self.fd, 65536).decode(errors='replace')
        self.seen = self.seen[match.end():]
        return match

    def line_after(self, keys):
        """What stands in the line once these were pressed; it is empty again then."""
        self.press(keys + '\x18p')
        line = self.wait(r'<<(.*?)>>')[1]
        self.press('\x15')
        return line


def bash(after):
    return Terminal(after, found('bash'), '--norc', '--noprofile', '-i', setup=(
        f"source <({CTL} completion bash); bind 'set bell-style none'; "
        "bind -x '\"\\C-xp\": printf \"<<%s>>\" \"$READLINE_LINE\"'"))


def all_words(line):
    return set(line.split()[1:])


@case('bash: verbs, options, methods, events, keys of the configuration')
def _(after):
    terminal = bash(after)
    for typed, word in ROWS:
        line = terminal.line_after(typed + '\t')
        assert line == f"{typed.rpartition(' ')[0]} {word} ", (typed, line)


@case('bash: all verbs, all that the daemon serves, all options of the default file')
def _(after):
    terminal = bash(after)
    daemon = Daemon(*ALONE)
    after(daemon.stop)
    control = daemon.control()
    after(control.close)
    served = {m['name'] for m in control.call('rpc.discover')['methods']}
    # Meta-* puts all that fits into the line.
    assert served and served <= all_words(terminal.line_after('skylinkctl call \x1b*'))
    text = subprocess.run([CTL, 'help'], check=True, capture_output=True, text=True).stdout
    verbs = set(re.findall(r'(?m)^  ([a-z][a-z-]+) ', text))
    assert 'status' in verbs and verbs <= all_words(terminal.line_after('skylinkctl \x1b*')), verbs
    text = subprocess.run([program('appliance/skylinkd'), '--print-default-config'], check=True,
                          capture_output=True, text=True).stdout
    keys, section = set(), ''
    for line in text.splitlines():
        if match := re.fullmatch(r'\[(\w+)\]', line):
            section = match[1]
        elif match := re.match(r'#?(\w+) = ?', line):
            keys.add(f'{section}.{match[1]}')
    assert 'video.width' in keys, keys
    offered = all_words(terminal.line_after('skylinkctl config set \x1b*'))
    assert keys <= offered, keys - offered


@case('bash: what nothing fits stays as it was typed')
def _(after):
    terminal = bash(after)
    for typed in ('skylinkctl nosuchverb', 'skylinkctl peers --fo', 'skylinkctl call no.such'):
        assert terminal.line_after(typed + '\t') == typed


@case('zsh: the same words')
def _(after):
    terminal = Terminal(after, found('zsh'), '-f', '-i', setup=(
        'unsetopt zle_bracketed_paste prompt_cr prompt_sp; bindkey -e; '
        'autoload -Uz compinit; compinit -u -D; '
        f'_skylinkctl() {{ source <({CTL} completion zsh) }}; compdef _skylinkctl skylinkctl; '
        'shown() { print -n "<<$BUFFER>>" }; zle -N shown; bindkey "^Xp" shown'))
    for typed, word in ROWS:
        line = terminal.line_after(typed + '\t')
        assert line.rstrip() == f"{typed.rpartition(' ')[0]} {word}", (typed, line)


@case('fish: the same words')
def _(after):
    fish = found('fish')
    for typed, word in ROWS:
        out = subprocess.run([fish, '-N', '-c', f"{CTL} completion fish | source; "
                              'complete -C $argv[1]', typed], capture_output=True, text=True,
                             check=True, timeout=60, env={**os.environ, 'HOME': '/nonexistent'})
        offered = {line.partition('\t')[0] for line in out.stdout.splitlines()}
        assert offered == {word}, (typed, offered, out.stderr)


suite.finish()
