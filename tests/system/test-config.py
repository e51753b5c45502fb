#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration changes under a running daemon: what becomes of it is seen
by a peer, and the peer stays. What each option does is seen by test-options.py."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from box import FILE, PEER, Box, refusal
from daemon import Daemon, Receiver, program
from wire import PATIENCE_S, Skip, Suite, until

suite = Suite()
case = suite.case
# --- files, signals, restarts ------------------------------------------------------
@case('a wrong file changes nothing, and is told with file and line')
def _(after):
    box = Box(after)
    before = box.control.call('config.get')
    box.write(FILE.replace('fps = 15', 'fps = 5') + '[video]\nwidht = 64\n[log]\nlevel = loud\n')
    error = refusal(box.control.call, 'config.reload')
    problems = error.data['problems']
    line = FILE.count('\n') + 2
    assert any(p.startswith(f'{box.daemon.config}:{line}: ') for p in problems), problems
    assert any(p.startswith(f'{box.daemon.config}:{line + 2}: ') for p in problems), problems
    assert len(problems) == 2, problems
    assert box.control.call('config.get') == before
    assert box.control.call('config.diff')['problems'] == problems
    box.daemon.process.send_signal(signal.SIGHUP)
    until(lambda: all(p in box.daemon.log() for p in problems), 10)
    assert box.control.call('config.get') == before
    # Nothing can be set beside it, either.
    refusal(box.control.call, 'config.set', values={'video.fps': 7})
    assert box.set_text() is None
    box.stayed()


@case('SIGHUP reads the files: applied, and what waits is in the log')
def _(after):
    box = Box(after)
    box.write(FILE.replace('fps = 15', 'fps = 5') + 'gso = off\n')
    box.daemon.process.send_signal(signal.SIGHUP)
    changed = box.control.event('config.changed')['changed']
    assert {c['name']: c['effect'] for c in changed} == {
        'video.fps': 'applied', 'network.gso': 'restart'}, changed
    assert box.get('video.fps') == 5 and box.get('network.gso') == 'auto'
    assert 'video.fps from 15 to 5 (applied)' in box.daemon.log()
    assert 'network.gso from "auto" to "off" (from the next start on)' in box.daemon.log()
    box.stayed()


@case('systemd is told of a reload, from its beginning to its end')
def _(after):
    folder = tempfile.mkdtemp(prefix='skylink-notify-')
    after(lambda: shutil.rmtree(folder))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(os.path.join(folder, 'notify'))
        notify.settimeout(PATIENCE_S)
        os.environ['NOTIFY_SOCKET'] = os.path.join(folder, 'notify')
        try:
            box = Box(after, peer=False)
        finally:
            del os.environ['NOTIFY_SOCKET']
        if 'libsystemd' not in subprocess.run(['ldd', program('appliance/skylinkd')],
                                              capture_output=True, text=True, check=True).stdout:
            raise Skip('built without systemd')

        def told():
            """The next of its states. How its room is comes when it comes."""
            while True:
                lines = notify.recv(4096).decode().splitlines()
                if not lines[0].startswith('STATUS='):
                    return dict(line.split('=', 1) for line in lines)
        until(lambda: told().get('READY') == '1', 20)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        box.daemon.process.send_signal(signal.SIGHUP)
        state = told()
        assert state['RELOADING'] == '1' and int(state['MONOTONIC_USEC']) >= before, state
        until(lambda: told().get('READY') == '1', 20)


@case('a source without the codec that somebody takes: it stays as it was')
def _(after):
    box = Box(after, FILE.replace('fps = 15', 'fps = 15\ncodec = vp8'))
    receiver = Receiver(box.url, 'lobby', 3600)
    after(receiver.kill)
    until(lambda: any(r['takers'] and r['codec'] == 'VP8'
                      for r in box.daemon.status()['video']['rungs']), 30, 0.05)
    before = box.control.call('config.get')
    refusal(box.control.call, 'config.set', values={
        'video.source': 'h264:/dev/null', 'room.region': 'sg', 'log.level': 'debug'})
    assert box.control.call('config.get') == before and box.set_text() is None
    assert box.daemon.status()['video']['source'].startswith('test 320x180')
    assert Receiver(box.url, 'lobby').result()['frames'] > 0


@case('a dry run changes nothing')
def _(after):
    box = Box(after)
    before = box.control.call('config.get')
    result = box.control.call('config.set', values={'video.fps': 7, 'room.region': 'sg'},
                              dryRun=True)
    assert [(c['name'], c['old'], c['new'], c['effect']) for c in result['changed']] == [
        ('room.region', '', 'sg', 'rejoin'), ('video.fps', 15, 7, 'applied')], result
    assert box.control.call('config.get') == before and box.set_text() is None
    assert box.control.call('config.diff')['pending'] == []
    box.stayed()


@case('what is set survives a restart; reset takes it out again')
def _(after):
    box = Box(after, peer=False)
    result = box.control.call('config.set', values={
        'video.fps': ' 7 ', 'network.gso': 'off', 'room.user_data': '{"a": "# b"}'})
    assert len(result['changed']) == 3 and not result['overridden'], result
    assert os.stat(box.set_file).st_mode & 0o7777 == 0o600
    box.restart()
    assert (box.get('video.fps'), box.get('network.gso')) == (7, 'off')
    assert box.get('room.user_data') == '{"a": "# b"}'
    origin = box.control.call('config.get', names=['video.fps'])[0]['origin']
    assert origin.startswith(box.set_file + ':'), origin
    box.control.call('config.reset', names=['video', 'room'])
    assert box.get('video.fps') == 15 and 'gso = off' in box.set_text()
    box.control.call('config.reset', names=['network.gso'])
    assert box.set_text() is None
    assert [c['effect'] for c in box.control.call('config.diff')['pending']] == ['restart']


@case('what needs a join waits for it, or has it done')
def _(after):
    box = Box(after)
    result = box.control.call('config.set', values={'room.name': 'hall'})
    assert [c['effect'] for c in result['changed']] == ['rejoin'] and not result['rejoined']
    assert box.daemon.status()['room']['name'] == 'lobby'
    assert [c['name'] for c in box.control.call('config.diff')['pending']] == ['room.name']
    box.stayed()
    result = box.control.call('config.reload', rejoin=True)
    assert result['rejoined'] and result['changed'][0]['effect'] == 'applied', result
    until(lambda: box.daemon.status()['room']['name'] == 'hall' and
          box.daemon.status()['room']['state'] == 'joined', 20, 0.05)
    assert box.control.call('config.diff')['pending'] == []
    assert not box.control.call('config.reload', rejoin=True)['rejoined']


@case('a box without a room: the first server that is set is joined')
def _(after):
    server = Box(after, peer=False)
    box = Daemon(config='[room]\nname =\n[video]\nsource = test\n', state=server.state + '2')
    after(box.stop)
    after(lambda: shutil.rmtree(server.state + '2', ignore_errors=True))
    os.makedirs(server.state + '2', exist_ok=True)
    control = box.control()
    after(control.close)
    assert box.status()['room']['state'] == 'idle'
    result = control.call('config.set', values={'room.server': server.url.rstrip('/'),
                                                'room.name': 'lobby'})
    assert {c['effect'] for c in result['changed']} == {'applied'} and result['rejoined'], result
    box.wait_state('joined')


@case('what cannot be applied is taken back, file and all')
def _(after):
    box = Box(after)
    box.control.call('config.set', values={'video.fps': 7})
    before, text = box.control.call('config.get'), box.set_text()
    error = refusal(box.control.call, 'config.set', values={
        'video.fps': 9, 'log.level': 'debug', 'room.ca_file': '/no/such/ca.pem'})
    assert '/no/such/ca.pem' in str(error), error
    assert box.control.call('config.get') == before and box.set_text() == text
    assert os.listdir(os.path.dirname(box.set_file)) == ['90-set.conf']
    box.stayed()


@case('every problem of a set is told, and nothing is set')
def _(after):
    box = Box(after, peer=False)
    error = refusal(box.control.call, 'config.set', values={
        'video.fps': 700, 'video.widht': 64, 'video.muted': 'yes'})
    assert len(error.data['problems']) == 2 and "'video.width'" in str(error), error
    error = refusal(box.control.call, 'config.set', values={'video.width': 321})
    assert 'odd' in str(error), error
    assert box.set_text() is None and box.get('video.muted') is False


@case('what the command line says prevails, and is told')
def _(after):
    box = Box(after, peer=False)
    result = box.control.call('config.set', values={'roomserver.listen': '127.0.0.1:1'})
    assert result['changed'] == [] and result['overridden'] == [
        {'name': 'roomserver.listen', 'by': '--listen'}], result


@case('without a state directory, or without files: it says what to do')
def _(after):
    daemon = Daemon(*PEER, config=FILE)
    after(daemon.stop)
    control = daemon.control()
    after(control.close)
    error = refusal(control.call, 'config.set', values={'video.fps': 5})
    assert daemon.config in str(error), error
    assert control.call('config.reload')['changed'] == []


@case('a disk that cannot be written: nothing changes')
def _(after):
    box = Box(after, peer=False)
    with open(os.path.join(box.state, 'conf.d'), 'wb'):
        pass                # in the way of the directory
    error = refusal(box.control.call, 'config.set', values={'video.fps': 5})
    assert 'conf.d' in str(error) and box.get('video.fps') == 15, error


@case('skylinkctl: tables, exit codes, --json')
def _(after):
    box = Box(after, peer=False)
    done = box.ctl('config', 'set', 'video.fps=7', 'network.gso=off')
    assert done.returncode == 0 and 'restart: with the daemon' in done.stdout, done
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ['video.fps', '15', '7', 'applied'] in rows, rows
    done = box.ctl('config', 'reset', 'video', '--dry-run', '--json')
    assert json.loads(done.stdout)['dryRun'] and box.get('video.fps') == 7, done
    done = box.ctl('config', 'diff')
    assert 'Not in force:' in done.stdout and box.set_file in done.stdout, done
    assert box.ctl('config', 'video.fps').stdout == box.ctl('config', 'get', 'video.fps').stdout
    for wrong in (('set',), ('set', 'video.fps'), ('set', 'a.b=1', 'a.b=2'), ('reset',),
                  ('diff', 'video'), ('reload', '--dry-run'), ('get', '--rejoin')):
        assert box.ctl('config', *wrong).returncode == 2, wrong
    assert box.ctl('config', 'set', 'video.fps=x').returncode == 1
    assert box.ctl('config', 'reset', 'video', 'network').returncode == 0
    assert box.ctl('config', 'reload').stdout.startswith('Nothing changes'), box.set_text()


suite.finish()
