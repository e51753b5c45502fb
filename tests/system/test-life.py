#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The box's life: rooms by the clock, back after a kill, a state that kills,
a full disk, other locales, no core, a self-test."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import urllib.request

from daemon import SMALL, Control, Daemon, Refused, program
from wire import Skip, Suite, WebSocket, own_mounts, until

suite = Suite()
FILE = '''[room]
name = lobby
{room}
[roomserver]
enabled = yes
listen = 127.0.0.1:0
tls = no
[video]
source = test
[audio]
source = test
[network]
loopback = yes
addresses = 127.0.0.1
{more}
'''


def folder(after):
    place = tempfile.TemporaryDirectory(prefix='skylink-life-')
    after(place.cleanup)
    return place.name


def box(after, state, room='', more='', arguments=(), environment=None):
    """A daemon with the state directory that systemd would give it."""
    before = {name: os.environ.get(name) for name in environment or {}}
    os.environ.update(environment or {})
    try:
        d = Daemon(*SMALL, *arguments, config=FILE.format(room=room, more=more), state=state)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    after(d.stop)
    control = Control(d.path)
    after(control.close)
    return d, control


def status(control):
    return control.call('stats.status')


def in_room(control, name):
    until(lambda: (lambda r: r['state'] == 'joined' and r['name'] == name)(
        status(control)['room']), 20)


def kept(state):
    try:
        with open(os.path.join(state, 'life', 'state.json'), encoding='utf-8') as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def write(d, text):
    with open(d.config, 'w', encoding='utf-8') as f:
        f.write(text)


def kill(d):
    d.process.send_signal(signal.SIGKILL)
    d.ends()


@suite.case('after kill -9 it is back: the room joined by hand, muted, locked, user data, stream')
def _(after):
    state = folder(after)
    d, control = box(after, state)
    control.call('joinRoom', room='hall')
    control.call('setUserData', userData={'name': 'door'})
    control.call('getUserMedia', options={'audio': True, 'video': False})
    control.call('muteStream', options={'audioMuted': True})
    control.call('lockRoom')
    until(lambda: (lambda s: s.get('locked') and s.get('audioMuted') and s.get('userData')
                   and s.get('stream') and s['room'] == 'hall')(kept(state)), 10)
    mode = os.stat(os.path.join(state, 'life', 'state.json')).st_mode & 0o777
    assert mode == 0o600, oct(mode)
    kill(d)
    subprocess.run([program('appliance/skylinkd'), '--note-end'], check=True, env={
        **os.environ, 'STATE_DIRECTORY': state, 'SERVICE_RESULT': 'signal',
        'EXIT_CODE': 'killed', 'EXIT_STATUS': 'KILL'})

    d, control = box(after, state)
    in_room(control, 'hall')
    until(lambda: status(control)['room']['locked'], 10)
    s = status(control)
    assert s['life']['cause'] == 'died' and s['life']['detail'] == 'signal KILL', s['life']
    assert s['life']['room'] == 'hall' and s['life']['recovered'], s['life']
    assert s['schedule']['source'] == 'hand', s['schedule']
    assert s['audio']['muted'] and s['video'] is None, (s['audio'], s['video'])
    assert control.call('getUserData') == {'name': 'door'}
    assert 'restarted after signal KILL; was in room hall' in d.log(), d.log()


@suite.case('the lock of a room is not taken to another one')
def _(after):
    state = folder(after)
    d, control = box(after, state)
    in_room(control, 'lobby')
    control.call('lockRoom')
    until(lambda: kept(state).get('locked'), 10)
    kill(d)
    d, control = box(after, state, arguments=('--set', 'room.name=yard'))
    in_room(control, 'yard')
    control.call('setUserData', userData='here')
    until(lambda: kept(state).get('userData') == 'here', 10)
    assert not kept(state)['locked'] and not status(control)['room']['locked'], kept(state)


@suite.case('a leave is not undone by a kill, and a stop forgets what was chosen by hand')
def _(after):
    state = folder(after)
    d, control = box(after, state)
    in_room(control, 'lobby')
    control.call('leaveRoom')
    until(lambda: kept(state).get('byHand') and kept(state)['room'] is None, 10)
    kill(d)
    d, control = box(after, state)
    s = status(control)
    assert s['life']['recovered'] and s['room']['state'] == 'idle', s
    assert s['schedule']['source'] == 'hand' and s['schedule']['room'] is None, s['schedule']
    d.stop()
    d, control = box(after, state)
    in_room(control, 'lobby')
    assert status(control)['life']['cause'] == 'stopped'


@suite.case('a state that it died with three times is put aside and named; room.recover = no')
def _(after):
    state = folder(after)
    for deaths in range(3):
        d, control = box(after, state)
        if not deaths:
            control.call('joinRoom', room='hall')
        until(lambda: kept(state).get('deaths') == deaths and kept(state).get('room') == 'hall', 10)
        kill(d)
    d, control = box(after, state)
    in_room(control, 'lobby')
    life = status(control)['life']
    assert life['cause'] == 'crash-loop' and not life['recovered'], life
    assert os.path.exists(life['aside']) and life['aside'] in d.log(), life
    control.call('joinRoom', room='hall')
    until(lambda: kept(state).get('room') == 'hall', 10)
    kill(d)
    d, control = box(after, state, room='recover = no')
    in_room(control, 'lobby')
    kill(d)
    with open(os.path.join(state, 'life', 'state.json'), 'w', encoding='utf-8') as f:
        f.write('{"version": 1, "room": ')
    d, control = box(after, state)
    in_room(control, 'lobby')
    assert 'ignoring' in d.log() and 'state.json' in d.log(), d.log()


@suite.case('a schedule is followed, a hand goes before it, and a reload changes rooms in a call')
def _(after):
    d, control = box(after, folder(after), room='schedule = daily 00:00-12:00 = day; '
                                                'daily 12:00-24:00 = day\n'
                                                'time_zone = UTC')
    in_room(control, 'day')
    s = control.call('schedule.get')
    assert s['source'] == 'schedule' and s['until'] is None, s
    control.call('joinRoom', room='hall')
    assert control.call('schedule.get')['source'] == 'hand'
    write(d, FILE.format(room='schedule = daily 00:00-24:00 = night\ntime_zone = Asia/Kathmandu',
                        more=''))
    control.call('config.reload')
    assert control.call('schedule.get')['room'] == 'hall'
    control.call('leaveRoom')
    write(d, FILE.format(room='schedule = Mo 00:00-24:00 = night', more=''))
    try:
        control.call('config.reload')
        raise AssertionError('a wrong day was taken')
    except Refused as e:
        assert 'skylink.conf:3: ' in json.dumps(e.data) and 'entry 1' in json.dumps(e.data), e.data
    page = subprocess.run([program('appliance/skylinkctl'), '--socket', d.path, 'schedule'],
                          stdout=subprocess.PIPE, check=True, text=True).stdout
    assert 'no room, chosen by hand' in page and 'Asia/Kathmandu' in page, page


class Console:
    """What the page does: it logs in, and sends what is pressed."""

    def __init__(self, after, url, password):
        self.host, _, port = url[len('http://'):-1].rpartition(':')
        self.port = int(port)
        origin = {'Origin': url[:-1], 'Content-Type': 'application/json'}
        with urllib.request.urlopen(urllib.request.Request(
                url + 'login', json.dumps({'password': password}).encode(), origin)) as answer:
            cookie = answer.headers['Set-Cookie'].partition(';')[0]
        self.socket = WebSocket(self, path='/console/socket', headers=(
            f'Origin: {origin["Origin"]}\r\nCookie: {cookie}\r\n'))
        after(self.socket.close)
        assert self.socket.status == 101, self.socket.head

    def connect(self, *_):
        return socket.create_connection((self.host, self.port), 20)

    def page(self):
        """The next one."""
        while True:
            page = json.loads(self.socket.receive()).get('page')
            if page:
                return page

    def press(self, command):
        self.socket.send(json.dumps({'id': 7, 'command': command}))
        while True:
            result = json.loads(self.socket.receive()).get('result')
            if result:
                assert result == {'id': 7, 'ok': True}, result
                return


@suite.case('at the console a leave is one by hand, and a join goes back to the schedule')
def _(after):
    state = folder(after)
    password = os.path.join(state, 'password')
    with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), 'w', encoding='utf-8') as f:
        f.write('a long one')
    setup = {'room': 'schedule = daily 00:00-24:00 = day',
             'more': f'[console]\npassword_file = {password}'}
    d, control = box(after, state, **setup)
    in_room(control, 'day')
    console = Console(after, status(control)['roomserver']['url'], 'a long one')
    assert console.page()['wanted_room'] == 'day'
    console.press('leave')
    plan = control.call('schedule.get')
    assert (plan['source'], plan['room']) == ('hand', None), plan
    until(lambda: kept(state).get('byHand'), 10)
    kill(d)
    d, control = box(after, state, **setup)
    assert status(control)['room']['state'] == 'idle'
    console = Console(after, status(control)['roomserver']['url'], 'a long one')
    assert console.page()['wanted_room'] == 'day'
    console.press('join')
    in_room(control, 'day')
    assert control.call('schedule.get')['source'] == 'schedule'


@suite.case('on a full disk the call goes on, status says so, and it is kept when there is room')
def _(after):
    state = folder(after)
    own_mounts()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'none', state],
                      stderr=subprocess.DEVNULL, check=False).returncode:
        raise Skip('no tmpfs may be mounted here')
    after(lambda: subprocess.run(['umount', '-l', state], check=False))
    d, control = box(after, state)
    in_room(control, 'lobby')
    until(lambda: kept(state).get('room') == 'lobby', 10)
    filler = os.path.join(state, 'filler')
    with open(filler, 'wb', buffering=0) as f:
        try:
            while f.write(bytes(4096)):
                pass
        except OSError:
            pass
    control.call('joinRoom', room='hall')
    until(lambda: 'space' in status(control)['life']['storage'], 10)
    in_room(control, 'hall')
    assert kept(state)['room'] == 'lobby'       # the old one, whole
    os.unlink(filler)
    d.stop()
    assert kept(state)['room'] == 'hall' and not kept(state)['running']


@suite.case('other locales and time zones: the same numbers, words and dates')
def _(after):
    place = folder(after)
    names = []
    # A decimal comma and an i without a dot; to make one takes seconds.
    for name in ('tr_TR',):
        if subprocess.run(['localedef', '-i', name, '-f', 'UTF-8',
                           os.path.join(place, name + '.UTF-8')], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            names.append(name + '.UTF-8')
    if not names:
        raise Skip('no locale can be made here (package locales)')
    state = folder(after)
    for name, zone in zip(names, ('America/St_Johns',)):
        other = {'LOCPATH': place, 'LC_ALL': name, 'LANG': name, 'TZ': zone}
        d, control = box(after, state, environment=other, room='user_data = {"pi": 3.25}',
                         more='[log]\nlevel = info')
        in_room(control, 'lobby')
        assert control.call('getUserData') == {'pi': 3.25}
        assert isinstance(status(control)['process']['cpu_percent'], float)
        pages = [subprocess.run([program('appliance/skylinkctl'), '--socket', d.path, *words],
                                stdout=subprocess.PIPE, check=True, text=True,
                                env={**os.environ, **more}).stdout
                 for words in (['--json', 'status'], ['status']) for more in (other, {})]
        for page in pages[:2]:
            json.loads(page)
        assert not re.search(r'\d,\d+ (%|MB|ms)', pages[2]), pages[2]
        d.stop()
        for unit in ('schedule', 'config', 'message-golden', 'life-state'):
            done = subprocess.run([program('tests/test-' + unit)], check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env={**os.environ, **other, 'G_TEST_SRCDIR': os.path.join(
                                      os.path.dirname(__file__), os.pardir)})
            assert done.returncode == 0, (name, unit, done.stdout[-500:])


@suite.case('no core: aborted with cores allowed, it leaves none')
def _(after):
    with open('/proc/sys/kernel/core_pattern', encoding='utf-8') as f:
        pattern = f.read().strip()
    state = folder(after)
    d, _ = box(after, state)
    resource.prlimit(d.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    d.process.send_signal(signal.SIGABRT)
    end = os.waitid(os.P_PID, d.process.pid, os.WEXITED | os.WNOWAIT)
    d.ends()
    assert end.si_status == signal.SIGABRT, end
    assert end.si_code == os.CLD_KILLED, ('a core was made', pattern)


@suite.case('the self-test: what it looks at, its event, kept over a stop; nobody is sent anything')
def _(after):
    state = folder(after)
    # One peer is allowed, and it needs two, of its own.
    d, control = box(after, state, arguments=('--set', 'network.max_peers=1'))
    in_room(control, 'lobby')
    assert control.call('selftest.show')['last'] is None
    control.call('subscribe', events=['selftest.done', 'handshakeProgress', 'peerJoined'])
    last = control.call('selftest.run')['last']
    rows = {row['check']: row for row in last['rows']}
    assert last['result'] in ('ok', 'warning'), last
    assert rows['loop']['state'] == 'ok' and 'H264' in rows['loop']['what'], rows['loop']
    assert rows['picture']['state'] == 'ok' and rows['sound']['state'] == 'ok', rows
    assert control.event('selftest.done')['result'] == last['result']
    s = status(control)
    assert s['video']['state'] == 'idle' and not s['peers'], s
    assert not [e for e in control.events if e['method'] != 'selftest.done'], control.events
    until(lambda: os.path.exists(os.path.join(state, 'life', 'selftest.json')), 10)
    d.stop()
    d, control = box(after, state)
    assert control.call('selftest.show')['last'] == last
    # Somebody in the room: not now.
    url = status(control)['roomserver']['url'].rstrip('/')
    other = Daemon(*SMALL, '--set', f'room.server={url}', '--set', 'video.source=none',
                   '--set', 'audio.source=none', '--set', 'network.loopback=yes')
    after(other.stop)
    until(lambda: status(control)['peers'], 20)
    try:
        control.call('selftest.run')
        raise AssertionError('it ran in a call')
    except Refused as e:
        assert 'somebody is in the room' in str(e), e


suite.finish()
