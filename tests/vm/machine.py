# SPDX-License-Identifier: Apache-2.0
"""tests/vm/machine.py - a bare Debian in a virtual machine, and TAP about it

What the programs that install the package share: the machine, commands in it,
and how a result is told.
"""
import os
import re
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
VM = os.path.join(HERE, 'vm-system')

number = 0
failed = 0


def report(ok, name, detail=''):
    """One line of TAP; why it failed stands below it."""
    global number, failed
    number += 1
    failed += not ok
    print(f'{"ok" if ok else "not ok"} {number} - {name}', flush=True)
    if not ok:
        note(detail)
    return ok


def note(text):
    for line in text.rstrip().splitlines():
        print(f'# {line}', flush=True)


def skip_all(why):
    print(f'1..0 # SKIP {why}')
    sys.exit(0)


def finish():
    """The plan, last; the exit status."""
    print(f'1..{number}')
    return failed != 0


def need_system(deb=None, *more):
    """The image of a bare system, made at the first call; else all is skipped.
    With a package, that image has what it depends on, and more, as well: to
    install all of it in an emulated machine takes minutes."""
    if os.geteuid():
        skip_all('a bare system is made by root alone')
    names = depends(deb) + list(more) if deb else []
    key = zlib.crc32(' '.join(names).encode())
    other = ['-i', f'depends-{key:08x}'] if deb else []
    p = subprocess.run([VM, 'build', *other, *names], text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if p.returncode:
        note(p.stdout)
        skip_all('no bare system can be made here')
    return p.stdout.split()[-1]


def depends(deb):
    """The names of the packages, of alternatives the first."""
    text = subprocess.run(['dpkg-deb', '-f', deb, 'Depends'], text=True,
                          stdout=subprocess.PIPE, check=True).stdout
    return sorted(re.split(r'[\s(|]', one.strip())[0]
                  for one in text.split(','))


class Machine:
    def __init__(self, folder):
        self.folder = folder

    def vm(self, *args, timeout=400):
        return subprocess.run([VM, *args], text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def sh(self, script, timeout=120):
        """The script's output and exit code, in the machine."""
        p = self.vm('run', self.folder, '-t', str(timeout), '-s', script,
                    timeout=timeout + 60)
        return p.stdout, p.returncode

    def until(self, script, seconds=30):
        """The script, tried once a second in there, until it succeeds."""
        return self.sh(f'for i in $(seq {seconds}); do\n'
                       f'out=$({script}) && {{ echo "$out"; exit 0; }}\n'
                       f'sleep 1\ndone\necho "$out"; exit 1',
                       timeout=seconds * 3 + 30)


LEFT = ('ls -d /etc/skylink /var/lib/skylink /run/skylink '
        '/usr/libexec/skylink /lib/systemd/system/skylink* '
        '/etc/systemd/system/*.wants/skylink* 2>/dev/null')


def check_removal(m, remove='apt-get -qqy remove',
                  purge='apt-get -qqy purge'):
    out, rc = m.sh(f'{remove} skylink-appliance 2>&1\n'
                   'systemctl is-active skylinkd; cat /etc/skylink/skylink.conf'
                   ' | head -1')
    report(rc == 0 and 'inactive' in out, 'removed, the configuration stays',
           out)
    out, rc = m.sh(f'{purge} skylink-appliance 2>&1')
    left, _ = m.sh(LEFT)
    report(rc == 0 and not left.strip(), 'purged, nothing is left', out + left)
