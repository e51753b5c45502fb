#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The network comes late, and changes, under a running daemon: in a network
namespace whose links and addresses this test makes and takes away. Sees what
network.addresses, network.interfaces, network.port_min and network.port_max do."""
import subprocess

import netns
from daemon import Daemon, Refused, program
from wire import Skip, Suite, until

suite = Suite()
FILE = '''[room]
name = lobby
[video]
source = test
width = 320
height = 180
fps = 15
[audio]
source = test
[network]
interfaces = lan0
'''
PEER = ['--set', 'video.source=none', '--set', 'audio.source=none', '--set',
        'network.interfaces=lan1']
WHY_NOT = netns.enter()


def case(name):
    if not WHY_NOT:
        return suite.case(name)

    @suite.case(name)
    def _(after):
        raise Skip(WHY_NOT)
    return lambda function: function


class Box:
    def __init__(self, after, *arguments, config=FILE, prefix=()):
        self.daemon = Daemon(*arguments, config=config, prefix=prefix)
        after(self.daemon.stop)
        self.control = self.daemon.control()
        after(self.control.close)
        self.control.call('subscribe')

    def pairs(self):
        """What each peer that is connected leaves from: 10.9.0.1:5000."""
        return [p['pair'].split()[1] for p in self.control.call('stats.peers')
                if p['state'] == 'connected' and p['pair']]

    def leaves_from(self, *addresses):
        """All do, one from each of these."""
        until(lambda: sorted(p.rpartition(':')[0] for p in self.pairs()) ==
              sorted(addresses), 30, 0.05)

    def reaches(self, other):
        """A message over the data channel arrives."""
        def sent():
            try:
                self.control.call('sendP2PMessage', message='are you there?')
            except Refused:
                return False    # its channel is not open yet
            return True
        until(sent, 20, 0.05)
        other.control.event('incomingMessage')

    def lost_nobody(self):
        self.control.call('stats.status')
        gone = [e for e in self.control.events
                if e['method'] in ('peerLeft', 'sessionDisconnect')]
        assert not gone, gone


class World:
    """A box, and another machine with peers: signaling has a link of its own."""

    def __init__(self, after, config=FILE, here='10.9.0.1'):
        self.after = after
        self.there = netns.Machine(after)
        netns.Link(after, 'sig', self.there, '10.8.0.1', '10.8.0.2')
        self.lan = netns.Link(after, 'lan', self.there, here, '10.9.0.20')
        # In the clear: its certificate would be for the addresses of another start.
        self.box = Box(after, '--listen', '10.8.0.1:0', '--set', 'roomserver.tls=no',
                       config=config)
        self.url = self.box.daemon.url()

    def peer(self):
        return Box(self.after, *PEER, '--set', f'room.server={self.url}', config='',
                   prefix=self.there.prefix)


@case('an address that comes late is used by who comes next')
def _(after):
    world = World(after, here=None)
    box = world.box
    until(lambda: 'no interface of network.interfaces has an address' in box.daemon.log())
    world.lan.add('10.9.0.1')
    until(lambda: 'the network changed: 10.8.0.1, 10.9.0.1' in box.daemon.log(), 10)
    second = world.peer()
    until(lambda: len(box.pairs()) == 1, 30, 0.05)
    box.leaves_from('10.9.0.1')
    box.reaches(second)
    box.lost_nobody()


@case('an address goes and another comes: ICE begins anew, nobody leaves')
def _(after):
    world = World(after)
    box = world.box
    peer = world.peer()
    box.leaves_from('10.9.0.1')
    box.reaches(peer)
    ids = [p['peerId'] for p in box.control.call('stats.peers')]
    for old, new in (('10.9.0.1', '10.9.0.2'), ('10.9.0.2', '10.9.0.1')):
        world.lan.replace(old, new)
        box.leaves_from(new)
        box.reaches(peer)
    assert [p['peerId'] for p in box.control.call('stats.peers')] == ids
    box.lost_nobody()
    sent = box.control.call('stats.peers')[0]['packets']
    until(lambda: box.control.call('stats.peers')[0]['packets'] > sent + 20, 20, 0.05)


@case('an address comes: nothing happens to who is connected')
def _(after):
    world = World(after)
    box = world.box
    world.peer()
    box.leaves_from('10.9.0.1')
    before = box.pairs()
    world.lan.add('10.9.0.2')
    until(lambda: 'the network changed: 10.8.0.1, 10.9.0.1, 10.9.0.2' in box.daemon.log(), 10)
    world.peer()
    until(lambda: len(box.pairs()) == 2, 30, 0.05)
    assert before[0] in box.pairs()
    box.lost_nobody()


@case('ports and interfaces change while it runs, for who comes next')
def _(after):
    world = World(after, FILE.replace('interfaces = lan0', 'addresses = 10.9.0.1'))
    box = world.box
    world.peer()
    box.leaves_from('10.9.0.1')
    before = box.pairs()[0]
    with open(box.daemon.config, 'w', encoding='utf-8') as f:
        f.write(FILE + 'port_min = 47000\nport_max = 47009\n')
    changed = box.control.call('config.reload')['changed']
    assert {c['effect'] for c in changed} == {'applied'} and len(changed) == 4, changed
    assert box.pairs() == [before]
    world.peer()
    until(lambda: len(box.pairs()) == 2, 30, 0.05)
    address, _, port = next(p for p in box.pairs() if p != before).rpartition(':')
    assert address == '10.9.0.1' and 47000 <= int(port) <= 47009, (address, port)
    box.lost_nobody()


@case('signaling from an address that is gone is made anew within seconds')
def _(after):
    there = netns.Machine(after)
    lan = netns.Link(after, 'lan', there, '10.9.0.1', '10.9.0.9')
    server = subprocess.Popen(
        [*there.prefix, program('tests/room-server'), '--listen', '10.9.0.9:8080'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop():
        server.stdin.close()
        server.wait(20)
        server.stdout.close()
    after(stop)
    url = server.stdout.readline().strip()
    assert url.startswith('http://10.9.0.9:'), url
    box = Box(after, '--set', f'room.server={url.rstrip("/")}')
    box.daemon.wait_state('joined')
    lan.replace('10.9.0.1', '10.9.0.2')
    # Without this it would be noticed by silence, after 85 s.
    until(lambda: box.daemon.status()['room']['losses'] == 1, 20, 0.05)
    box.daemon.wait_state('joined')
    # Between the two it may have looked as well.
    _, _, after_change = box.daemon.log().partition('the network changed: ')
    assert 'the room is lost' in after_change, box.daemon.log()


suite.finish()
