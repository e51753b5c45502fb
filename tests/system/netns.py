# SPDX-License-Identifier: Apache-2.0
"""tests/system/netns.py - a test in a network of its own

A user and a network namespace around the whole test: addresses and links come
and go as it likes, and packets can be looked at, without touching the machine.
Interfaces are called lan0 and the like: libnice leaves those of virtual
machines out (veth*, docker*, ...).
"""
import os
import shutil
import socket
import struct
import subprocess
import sys

from wire import PATIENCE_S

MARK = 'SKYLINK_TEST_NETNS'


def ip(*arguments):
    subprocess.run(['ip', *arguments], check=True, stdin=subprocess.DEVNULL)


def enter():
    """Starts the program anew inside. Return: why that cannot be, or None."""
    if os.environ.get(MARK):
        ip('link', 'set', 'lo', 'up')
        return None
    if not shutil.which('unshare') or not shutil.which('ip'):
        return 'no unshare or no ip'
    tried = subprocess.run(['unshare', '-rn', 'true'], capture_output=True, text=True,
                           check=False)
    if tried.returncode:
        return tried.stderr.strip()
    os.environ[MARK] = '1'
    os.execvp('unshare', ['unshare', '-rn', sys.executable, *sys.argv])


class Machine:
    """Another machine: a namespace that lives until the case ends."""

    def __init__(self, after):
        self.process = subprocess.Popen(
            ['unshare', '-n', 'sh', '-c', 'ip link set lo up; echo; read end'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        after(self.stop)
        self.process.stdout.readline()
        self.prefix = ['nsenter', '-t', str(self.process.pid), '-n']

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class Link:
    """NAME0 here, NAME1 at the other machine."""

    def __init__(self, after, name, other, here=None, there=None):
        self.name = name + '0'
        far = name + '1'
        ip('link', 'add', self.name, 'type', 'veth', 'peer', 'name', far)
        after(lambda: ip('link', 'del', self.name))
        # IPv6 would wait to find out that nobody else has its address.
        with open(f'/proc/sys/net/ipv6/conf/{self.name}/disable_ipv6', 'w',
                  encoding='ascii') as f:
            f.write('1')
        ip('link', 'set', far, 'netns', str(other.process.pid))
        subprocess.run([*other.prefix, 'sh', '-c',
                        f'echo 1 > /proc/sys/net/ipv6/conf/{far}/disable_ipv6;'
                        f'ip addr add {there}/24 dev {far}; ip link set {far} up'], check=True)
        ip('link', 'set', self.name, 'up')
        if here:
            self.add(here)

    def add(self, address):
        ip('addr', 'add', f'{address}/24', 'dev', self.name)

    def remove(self, address):
        ip('addr', 'del', f'{address}/24', 'dev', self.name)

    def replace(self, old, new):
        """At once: a program between the two would be another event."""
        subprocess.run(['ip', '-batch', '-'], check=True, text=True, input=''.join(
            f'addr {what} {address}/24 dev {self.name}\n'
            for what, address in (('del', old), ('add', new))))


class Capture:
    """UDP datagrams that pass the loopback, as (source port, DSCP, payload)."""

    def __init__(self, after):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(0x0800))
        after(self.socket.close)
        self.socket.bind(('lo', 0))
        self.socket.settimeout(PATIENCE_S)

    def datagram(self):
        while True:
            packet, about = self.socket.recvfrom(65536)
            header = (packet[0] & 15) * 4
            # The loopback shows each packet twice: as it goes and as it comes.
            if about[2] == socket.PACKET_OUTGOING or packet[9] != socket.IPPROTO_UDP:
                continue
            port = struct.unpack_from('>H', packet, header)[0]
            return port, packet[1] >> 2, packet[header + 8:]
