#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The room server over real sockets: its limits, and what misbehaves."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import warnings

from clock import Clock
from wire import PATIENCE_S, Closed, Polling, Server, Skip, Suite, WebSocket, event, join_message, read_until, until

suite = Suite()
case = suite.case


BUSY_S = 0.4    # of CPU: less than a loop takes that turns for nothing, more than a tick


def started(after, *arguments, **options):
    server = Server(*arguments, **options)
    after(server.stop)
    return server


def is_taken(server, sock):
    """The server has read all that was sent to it."""
    ports = sock.getpeername()[1], sock.getsockname()[1]
    with open('/proc/self/net/tcp', encoding='ascii') as f:
        rows = [line.split() for line in list(f)[1:]]
    waiting = [row[4] for row in rows
               if tuple(int(row[i].split(':')[1], 16) for i in (1, 2)) == ports]
    return waiting and all(int(queues.split(':')[1], 16) == 0 for queues in waiting)


def note(text):
    print(f'# {text}', flush=True)


@case('a busy port is reported, the next free one taken on demand')
def _(after):
    first = started(after)
    try:
        Server('--listen', f'127.0.0.1:{first.port}')
        raise AssertionError('two servers on one port')
    except RuntimeError as error:
        assert str(error) == \
            f'Cannot listen on 127.0.0.1:{first.port}: Address already in use', error
    second = started(after, '--listen', f'127.0.0.1:{first.port}', '--next-free-port')
    assert first.port < second.port <= first.port + 20


@case('the room API answers browsers of any origin')
def _(after):
    server = started(after)
    status, headers, body = server.request('OPTIONS', '/api/demo/lobby?rand=1', headers={
        'Origin': 'http://page.example:8', 'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'skylink_sdk_type,skylink_sdk_version'})
    assert status in (200, 204)
    assert headers['access-control-allow-origin'] == 'http://page.example:8'
    assert headers['access-control-allow-headers'] == 'skylink_sdk_type,skylink_sdk_version'
    assert 'GET' in headers['access-control-allow-methods']
    grant = server.grant()
    assert grant['ipSigserver'] == '127.0.0.1' and grant['httpPortList'] == [server.port]
    grant = server.grant(headers={'Skylink_SDK_version': '2.6.2'})
    assert grant['ipSigserver'] == f'127.0.0.1:{server.port}'
    grant = server.grant(headers={'Host': 'box.example'})
    assert grant['ipSigserver'] == 'box.example'
    assert grant['httpPortList'] == [80] and grant['httpsPortList'] == [443]
    status, _, body = server.request('GET', '/api/other/lobby')
    assert status == 401 and json.loads(body)['error'] == 4001
    status, _, _ = server.request('GET', '/api/demo/lobby', headers={'Host': '"<x>'})
    assert status == 400
    status, headers, _ = server.request('POST', '/rest/stats/sessionerror', b'{"a":1}',
                                        {'Origin': 'http://x.y'})
    assert status == 200 and headers['access-control-allow-origin'] == 'http://x.y'


@case('IPv6, and all addresses')
def _(after):
    if not socket.has_ipv6:
        return
    server = started(after, '--listen', '[::1]:0')
    assert server.grant()['ipSigserver'] == '[::1]'
    a = WebSocket(server).join()
    assert a.answer['type'] == 'inRoom'
    everywhere = started(after, '--listen', '*:0')
    for host in ('127.0.0.1', '::1'):
        with socket.create_connection((host, everywhere.port), timeout=PATIENCE_S) as s:
            s.sendall(b'GET / HTTP/1.0\r\n\r\n')
            assert b'200 OK' in s.recv(4096)


@case('upgrades that are not ours are refused')
def _(after):
    server = started(after)
    for query, path in (('EIO=4&transport=websocket', '/socket.io/'),
                        ('EIO=3&transport=polling', '/socket.io/'),
                        ('EIO=3&transport=websocket&sid=abc', '/socket.io/'),
                        ('EIO=3&transport=websocket', '/elsewhere/')):
        assert WebSocket(server, query, path).status == 400, (query, path)
    ws = WebSocket(server, headers='Sec-WebSocket-Extensions: permessage-deflate; '
                   'client_max_window_bits\r\n')
    assert ws.status == 101 and 'extensions' not in ws.head.lower()
    assert server.request('GET', '/socket.io/?EIO=3&transport=websocket')[0] == 400
    assert server.request('GET', '/socket.io/?EIO=3&transport=polling&sid=x')[0] == 400


@case('long and fragmented messages pass unchanged')
def _(after):
    server = started(after)
    a, b = WebSocket(server).join(), WebSocket(server).join()
    text = 'é"\\😀' * 40000
    a.say(type='public', data=text)
    assert b.receive_message()['data'] == text
    packet = event({'type': 'public', 'mid': a.sid, 'rid': a.rid, 'data': text}).encode()
    third = len(packet) // 3
    a.send_frame(packet[:third], 1, final=False)
    a.send_frame(packet[third:2 * third + 1], 0, final=False)
    a.send_frame(packet[2 * third + 1:], 0)
    assert b.receive_message()['data'] == text


@case('too long, not text, not UTF-8: the connection ends')
def _(after):
    server = started(after)
    for make in (lambda w: w.send('4' * (16 * 1024 + 1)),
                 lambda w: w.send_frame(b'40', opcode=2),
                 lambda w: w.send_frame(b'42["message","\xff"]'),
                 lambda w: w.send('9'),
                 lambda w: w.join().send('4' + ' ' * (1024 * 1024)),
                 lambda w: w.join().send('451-["message",{"_placeholder":true}]')):
        w = WebSocket(server)
        make(w)
        w.expect_end()
    until(lambda: server.stats()['clients'] == 0)


@case('one who does not read is dropped, the others notice nothing')
def _(after):
    server = started(after)
    talker, reader = WebSocket(server).join(), WebSocket(server).join()
    stuck = WebSocket(server, small_window=True).join()
    blob = 'x' * 200000
    before = server.resident_kb()
    sent = 0
    while not server.stats()['droppedSlow']:
        talker.say(type='public', data=blob)
        sent += 1
        assert reader.receive_message()['data'] == blob
        assert sent < 200
    note(f'dropped after {sent * 200} kB, resident +{server.resident_kb() - before} kB')
    assert reader.receive_message() == {'type': 'bye', 'mid': stuck.sid, 'rid': stuck.rid}
    talker.say(type='public', data='still here')
    while reader.receive_message().get('data') != 'still here':
        pass
    assert server.stats()['clients'] == 2


@case('half a request, and no join, have their time')
def _(after):
    server = started(after)
    with server.connect() as half, server.connect() as mute:
        half.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
        start = time.monotonic()
        assert mute.recv(1) == b''
        half.recv(4096)
        note(f'closed after {time.monotonic() - start:.1f} s')


@case('a held poll whose client goes costs nothing and ends the session')
def _(after):
    server = started(after)
    watcher = WebSocket(server).join()
    goer = Polling(server).join()
    with goer.hold() as s:
        until(lambda: is_taken(server, s))
        start = time.monotonic()
    # By silence it would be noticed after 85 s, and not be waited for.
    bye = watcher.receive_message()
    note(f'bye after {1000 * (time.monotonic() - start):.0f} ms')
    assert bye['type'] == 'bye' and bye['mid'] == goer.sid

    # Half closed while held: FIN, and then the client waits.
    lingerer = Polling(server).join()
    with lingerer.hold() as s:
        until(lambda: is_taken(server, s))
        s.shutdown(socket.SHUT_WR)
        assert watcher.receive_message()['mid'] == lingerer.sid
        before = server.cpu_seconds()
        time.sleep(2)
        spent = server.cpu_seconds() - before
    note(f'{1000 * spent:.0f} ms of CPU in two seconds')
    assert spent < BUSY_S


def busy(server, seconds=2):
    before = server.cpu_seconds()
    time.sleep(seconds)
    return server.cpu_seconds() - before


def unread_answer(server):
    """A connection with an answer of almost 4 MB that it does not take."""
    talker = WebSocket(server).join()
    poller = Polling(server).join()
    for _ in range(19):
        talker.say(type='public', data='x' * 200000)
    until(lambda: server.stats()['messagesIn'] >= 21)
    s = server.connect(small_window=True)
    s.sendall(f'GET {poller.path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
    until(lambda: server.stats()['messagesOut'] >= 25)
    return s


@case('an answer nobody reads does not keep the server busy')
def _(after):
    for what, act in (('nothing', lambda s: None),
                      ('its end', lambda s: s.shutdown(socket.SHUT_WR)),
                      ('a second request', lambda s: s.sendall(b'GET / HTTP/1.1\r\n'))):
        server = started(after)
        with unread_answer(server) as s:
            act(s)
            spent = busy(server)
        note(f'{what}: {1000 * spent:.0f} ms of CPU in two seconds')
        # A loop that turns for nothing takes all it gets, 600 ms at least on
        # a machine that does much else.
        assert spent < BUSY_S


@case('a WebSocket that neither reads nor writes any more')
def _(after):
    server = started(after)
    talker = WebSocket(server).join()
    stuck = WebSocket(server, small_window=True).join()
    for _ in range(15):
        talker.say(type='public', data='x' * 200000)
    until(lambda: server.stats()['messagesIn'] >= 17)
    stuck.socket.shutdown(socket.SHUT_WR)
    bye = talker.receive_message()
    assert bye['type'] == 'bye' and bye['mid'] == stuck.sid
    assert busy(server) < BUSY_S


@case('a large answer arrives whole, and the connection serves on')
def _(after):
    server = started(after)
    talker = WebSocket(server).join()
    poller = Polling(server).join()
    for i in range(19):
        talker.say(type='public', data=f'{i} ' + 'x' * 200000)
    until(lambda: server.stats()['messagesIn'] >= 21)
    with server.connect(small_window=True) as s:
        s.sendall(f'GET {poller.path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        head = read_until(s, b'\r\n\r\n')
        head, _, body = head.partition(b'\r\n\r\n')
        length = int(next(l for l in head.split(b'\r\n')
                          if l.lower().startswith(b'content-length')).split(b':')[1])
        while len(body) < length:
            body += s.recv(65536)
        assert body.count(b'42["message"') == 19 and b'18 xxx' in body
        for _ in range(2):
            s.sendall(b'GET /viewer-config.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
            read_until(s, b'"room":"lobby"}')


@case('polling in both forms, characters encoded twice')
def _(after):
    server = started(after)
    a, b = Polling(server).join(), Polling(server, b64=False).join()
    a.post(event({'type': 'public', 'mid': a.sid, 'rid': a.rid, 'data': 'é中😀'}), '2')
    status, headers, body = b.poll()
    assert status == 200 and headers['content-type'] == 'application/octet-stream'
    assert body[0] == 0 and 'é中😀'.encode() in body
    assert a.poll()[2] == b'1:3'
    b.post(event({'type': 'public', 'mid': b.sid, 'rid': b.rid, 'data': 'é'}))
    status, headers, body = a.poll()
    assert headers['content-type'].startswith('text/plain')
    assert 'é'.encode().decode('latin-1').encode() in body
    length, _, rest = body.partition(b':')
    assert int(length) == len(rest.decode().encode('latin-1'))


@case('a polling client says goodbye in the way of the library')
def _(after):
    server = started(after)
    watcher = WebSocket(server).join()
    a = Polling(server).join()
    with a.hold() as held:
        until(lambda: is_taken(server, held))
        assert a.post('41')[2] == b'ok'
        read_until(held, b'\r\n\r\n1:6')
    assert watcher.receive_message()['type'] == 'bye'
    assert a.post('1')[0] == 400


@case('bodies we do not take')
def _(after):
    server = started(after)
    a = Polling(server)
    for body, headers in ((b'', {'Content-Length': '0'}), (b'x' * 70000, {})):
        try:
            status = server.request('POST', a.path, body, headers)[0]
        except OSError:
            status = 413    # the answer may be lost with the unread body
        assert status in (400, 413), status
    b = Polling(server)
    assert server.request('POST', b.path, b'9:4')[0] == 400
    assert server.request('POST', b.path, b'1:2')[0] == 400
    until(lambda: server.stats()['clients'] == 0)


@case('no more clients than allowed')
def _(after):
    server = started(after, '--max-clients', '2')
    a, b = WebSocket(server).join(), Polling(server)
    extra = WebSocket(server)
    assert extra.expect_end() is not None
    assert server.request('GET', '/socket.io/?EIO=3&transport=polling')[0] == 503
    a.close()
    until(lambda: server.stats()['clients'] == 1)
    assert WebSocket(server).join().answer['type'] == 'inRoom'


@case('more connections than files: the server waits and recovers')
def _(after):
    import resource
    server = started(after)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (40, 40))
    many = [server.connect() for _ in range(60)]
    time.sleep(1)
    spent = busy(server)
    for s in many:
        s.close()
    assert spent < BUSY_S, spent
    assert server.grant()['success']


@case('forged tokens are turned away')
def _(after):
    server, other = started(after), started(after)
    for grant, reason in ((dict(server.grant(), userCred='x' * 43), 'credentialError'),
                          (other.grant(), 'credentialError')):
        w = WebSocket(server)
        w.send(event(join_message(grant)))
        answer = w.receive_message()
        assert answer['type'] == 'redirect' and answer['reason'] == reason, answer
        w.expect_end()
        assert w.close_code == 1000
    # The same tokens serve again after leaving, as 0.6.12 does it.
    grant = server.grant()
    for _ in range(2):
        w = WebSocket(server)
        w.send(event(join_message(grant)))
        assert w.receive_message()['type'] == 'inRoom'
        w.send('41')
        w.expect_end()


@case('the server says goodbye when it stops')
def _(after):
    server = started(after)
    a = WebSocket(server).join()
    b = Polling(server).join()
    with b.hold() as held:
        until(lambda: server.stats()['clients'] == 2)
        assert server.stop() == 0       # and waits for nobody who stays
        assert a.receive() == '41'
        a.expect_end()
        read_until(held, b'2:41')


@case('what a thousand clients cost')
def _(after):
    server = started(after, '--max-clients', '1100')
    clients = [WebSocket(server).join(f'room{i // 2}') for i in range(1000)]
    base = server.resident_kb()
    pairs = list(zip(clients[::2], clients[1::2]))
    frame = {a: event({'type': 'candidate', 'mid': a.sid, 'rid': a.rid, 'target': b.sid,
                       'candidate': 'candidate:1 1 udp 2122194687 192.0.2.2 41104 typ host'})
             for a, b in pairs}
    n, before = 0, server.cpu_seconds()
    start = time.monotonic()
    for _ in range(6):
        for a, _b in pairs:
            a.send(frame[a])
        for _a, b in pairs:
            assert b.receive_message()['type'] == 'candidate'
            n += 1
    spent = server.cpu_seconds() - before
    note(f'{n} messages relayed in {time.monotonic() - start:.1f} s, '
         f'{n / spent:.0f} a second of CPU; {base} kB resident with 1000 clients')
    assert n / spent > 2600
    for c in clients:
        c.close()
    until(lambda: server.stats()['clients'] == 0)


KEYS = """\
[demo]
[kiosk]
secret = s3cret
cors = self; *.example.org
auto_introduce = no
[desk]
parent = kiosk
secret = other
cors = desk.example.org
privileged = yes
[orphan]
parent = gone
"""


def written(after, text, mode=0o600):
    with tempfile.NamedTemporaryFile('w', delete=False) as f:
        f.write(text)
    os.chmod(f.name, mode)
    after(lambda: os.unlink(f.name))
    return f.name


def scratch(after):
    path = tempfile.mkdtemp()
    after(lambda: shutil.rmtree(path))
    return path


def schedule(begin, hours, room='m y', secret='s3cret'):
    """A scheduled room's path, as an application makes it."""
    start = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(begin))
    digest = hmac.new(secret.encode(), f'{room}_{hours}_{start}'.encode(), hashlib.sha1).digest()
    cred = urllib.parse.quote(base64.b64encode(digest).decode(), safe='')
    return f'/api/kiosk/{urllib.parse.quote(room)}/{start}/{hours}?&cred={cred}&rand=1'


@case('keys: who asks, and what is answered')
def _(after):
    server = started(after, '--keys', written(after, KEYS))
    origin = lambda value: {'Origin': value}
    rows = [
        ('/api/none/r', {}, 401, 4001), ('/api/orphan/r', {}, 401, 4006),
        ('/api/kiosk/r', {}, 401, 4004), ('/api/kiosk/r', origin('http://evil'), 401, 4003),
        ('/api/kiosk/r', {'Referer': 'http://evil/x'}, 401, 4002),
        ('/api/kiosk/r', origin('https://a.example.org'), 200, None),
        ('/api/kiosk/r', {'Referer': f'{server.url}index.html'}, 200, None),
        ('/api/demo/r', {}, 200, None),
        (schedule(time.time(), 2), {}, 200, None),
        (schedule(time.time(), 0.5), origin('http://evil'), 200, None),
        (schedule(time.time(), 2, secret='wrong'), {}, 401, 4005),
        (schedule(time.time(), 2).replace('/2?', '/3?'), {}, 401, 4005),
        (schedule(time.time() - 10000, 2), {}, 400, 4010),
    ]
    for path, headers, status, error in rows:
        got, sent, body = server.request('GET', path, headers=headers)
        answer = json.loads(body)
        assert (got, answer.get('error')) == (status, error), (path, headers, got, body)
        assert answer['success'] is (status == 200) and (status == 200 or answer['info'])
        # A page must be able to read why.
        assert sent['access-control-allow-origin'] == headers.get('Origin', '*')


@case('meetings: before, and until they end')
def _(after):
    clock = Clock(scratch(after))
    server = started(after, '--keys', written(after, KEYS), environment=clock.environment())
    answer = json.loads(server.request('GET', schedule(time.time() + 600, 1))[2])
    early = WebSocket(server).join(key='kiosk', grant=answer)
    assert early.answer['reason'] == 'notStart' and early.expect_end() == 1000
    grant = json.loads(server.request('GET', schedule(time.time() - 1800, 1))[2])
    guest = WebSocket(server).join(key='kiosk', grant=grant)
    assert guest.answer['type'] == 'inRoom'
    clock.go_on(26 / 60)
    warning = guest.receive_message()
    clock.go_on(5 / 60)
    end = guest.receive_message()
    assert (warning['action'], warning['reason']) == ('warning', 'toClose')
    assert (end['action'], end['reason'], end['rid']) == ('reject', 'roomclose', guest.rid)
    assert guest.expect_end() == 1000
    late = WebSocket(server).join(key='kiosk', grant=grant)
    assert late.answer['reason'] == 'expired'


@case('a privileged peer introduces two in rooms of their own')
def _(after):
    server = started(after, '--keys', written(after, KEYS))
    ask = lambda key, room, page: server.grant(room, {'Origin': page}, key)
    a, b = (WebSocket(server).join(key='kiosk', grant=ask('kiosk', room, 'http://a.example.org'))
            for room in ('a', 'b'))
    p = WebSocket(server).join(key='desk', grant=ask('desk', 'p', 'http://desk.example.org'))
    p.send(event({'type': 'getPeers', 'showAll': False}))
    assert p.receive_message()['result'] == {a.rid: [a.sid], b.rid: [b.sid]}
    p.send(event({'type': 'introduce', 'sendingPeerId': a.sid, 'receivingPeerId': b.sid}))
    assert a.receive_message() == {'type': 'approach', 'rid': a.rid, 'target': b.sid}
    a.say(type='enter', target=b.sid)
    assert b.receive_message()['mid'] == a.sid
    b.say(type='welcome', target=a.sid)
    assert a.receive_message()['type'] == 'welcome'
    a.close()
    assert b.receive_message() == {'type': 'bye', 'mid': a.sid, 'rid': b.rid}
    p.send(event({'type': 'introduce', 'sendingPeerId': a.sid, 'receivingPeerId': b.sid}))
    assert p.receive_message()['type'] == 'introduceError'


@case('bad keys files and certificates are told with file and line')
def _(after):
    for arguments, words in (
            (('--keys', written(after, '[a]\nsecrte = red\n')), ':2: \'secrte\' is not known'),
            # What is near no name may be a part of a secret.
            (('--keys', written(after, '[a]\ncolour = red\n')), ':2: this is not known'),
            (('--tls', '--certificate', written(after, 'x'), '--certificate-key', '/none'),
             'for https')):
        try:
            Server(*arguments)
            raise AssertionError('it starts')
        except RuntimeError as error:
            assert words in str(error), error


@case('https and wss on the same port, next to http')
def _(after):
    server = started(after, '--tls')
    status, _, body = server.request('GET', '/api/demo/lobby', tls=True)
    grant = json.loads(body)
    assert status == 200 and grant['httpsPortList'] == grant['httpPortList'] == [server.port]
    config = json.loads(server.request('GET', '/viewer-config.json')[2])
    assert config['fingerprint'] == server.fingerprint and config['selfSigned'] is True
    safe, plain = WebSocket(server, tls=True).join(grant=grant), WebSocket(server).join()
    text = 'é"\\😀' * 40000
    safe.say(type='public', data=text)
    assert plain.receive_message()['data'] == text
    plain.say(type='public', data=text)
    assert safe.receive_message()['data'] == text
    # Polling, several requests of one connection, and a held one.
    with server.connect(tls=True) as s:
        s.sendall(b'GET /socket.io/?EIO=3&transport=polling&b64=1 HTTP/1.1\r\nHost: x\r\n\r\n')
        sid = json.loads(re.search(rb'0({.*})', read_until(s, b'}'))[1])['sid']
        path = f'/socket.io/?EIO=3&transport=polling&b64=1&sid={sid}'
        get = f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode()
        s.sendall(get)
        read_until(s, b'2:40')
        s.sendall(get)
        assert server.request('POST', path, b'1:2', tls=True)[2] == b'ok'
        read_until(s, b'1:3')
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings(action='ignore') if sys.version_info >= (3, 11) else \
            contextlib.nullcontext():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        old.wrap_socket(server.connect())
        raise AssertionError('TLS 1.1 is spoken')
    except (ssl.SSLError, ConnectionError, OSError):
        pass


@case('who comes through a proxy on this machine is not this machine')
def _(after):
    server = started(after)
    assert server.request('GET', '/')[0] == 200
    for name, value in (('X-Forwarded-For', '192.0.2.1'), ('X-Real-IP', '192.0.2.1'),
                        ('Forwarded', 'for=192.0.2.1'), ('Via', '1.1 proxy'),
                        ('X-Forwarded-Proto', 'http'), ('X-Forwarded-Proto', 'https'),
                        ('X-Forwarded-Proto', 'https, http')):
        status, _, body = server.request('GET', '/', headers={name: value})
        assert status == 403 and b'from another machine' in body, (name, value, status, body)


@case('a restart: the same certificate, and old tokens go on working')
def _(after):
    state = os.path.join(scratch(after), 'new', 'state')
    first = started(after, '--tls', '--state-dir', state)
    grant = first.grant()
    first.stop()
    files = {name: os.stat(os.path.join(state, name)).st_mode & 0o777 for name in os.listdir(state)}
    assert files == {'roomserver.pem': 0o600, 'roomserver.secret': 0o600}, files
    second = started(after, '--tls', '--state-dir', state, '--listen', f'127.0.0.1:{first.port}')
    assert second.fingerprint == first.fingerprint
    a = WebSocket(second).join(grant=grant)
    assert a.answer['type'] == 'inRoom', a.answer
    again = WebSocket(second).join(grant=grant)
    assert again.answer['reason'] == 'duplicatedLogin', again.answer
    second.stop()
    os.chmod(os.path.join(state, 'roomserver.secret'), 0o644)
    try:
        Server('--state-dir', state)
        raise AssertionError('a secret that others can read is used')
    except RuntimeError as error:
        assert 'roomserver.secret' in str(error) and 'others can read it' in str(error), error


@case('the operator\'s certificate, with its chain')
def _(after):
    path = scratch(after)
    run = lambda *words: subprocess.run(words, cwd=path, check=True, capture_output=True)
    run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=root')
    run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
        '-keyout', 'box.key', '-out', 'box.csr', '-subj', '/CN=box')
    with open(os.path.join(path, 'ext'), 'w') as f:
        f.write('subjectAltName = IP:127.0.0.1')
    run('openssl', 'x509', '-req', '-in', 'box.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
        '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', 'box.pem')
    server = started(after, '--tls', '--certificate', os.path.join(path, 'box.pem'),
                     '--certificate-key', os.path.join(path, 'box.key'))
    trusting = ssl.create_default_context(cafile=os.path.join(path, 'ca.pem'))
    with trusting.wrap_socket(server.connect(), server_hostname='127.0.0.1') as s:
        s.sendall(b'GET /viewer-config.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
        assert b'"selfSigned":false' in read_until(s, b'}')


@case('slow TLS, slow bodies and silence are cut')
def _(after):
    server = started(after, '--tls')
    polling = Polling(server)
    start = time.monotonic()
    with server.connect() as hello, server.connect() as body, server.connect(tls=True) as silent:
        hello.sendall(b'\x16\x03\x01\x02\x00\x01\x00')
        body.sendall(f'POST {polling.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n'
                     '\r\n'.encode())
        open_ends = {hello: None, body: None, silent: None}
        while None in open_ends.values():
            assert time.monotonic() - start < PATIENCE_S, open_ends
            if open_ends[body] is None:
                try:
                    body.sendall(b'x')      # a byte now and then
                except OSError:
                    open_ends[body] = time.monotonic() - start
            ready, _, _ = select.select([s for s, t in open_ends.items() if t is None], [], [], 1)
            for s in ready:
                try:
                    gone = not s.recv(4096)
                except OSError:
                    gone = True
                if gone:
                    open_ends[s] = time.monotonic() - start
    note('closed after ' + ', '.join(f'{t:.0f} s' for t in open_ends.values()))


@case('no more from one address than allowed')
def _(after):
    server = started(after, '--max-clients-per-address', '2')
    a, b = WebSocket(server).join(), Polling(server)
    assert WebSocket(server).expect_end() is not None
    assert server.request('GET', '/socket.io/?EIO=3&transport=polling')[0] == 503
    before = server.stats()['refused']
    assert before == 2
    a.close()
    until(lambda: server.stats()['clients'] == 1)
    assert WebSocket(server).join().answer['type'] == 'inRoom'
    # Connections that say nothing are counted, too.
    idle = [server.connect() for _ in range(30)]
    until(lambda: server.stats()['refused'] > before)
    for s in idle:
        s.close()

    def serves():
        # Until it has seen them go, one more is one too many.
        with contextlib.suppress(ConnectionError):
            return server.request('GET', '/')[0] == 200
    until(serves)


@case('ten thousand joins from one client')
def _(after):
    server = started(after)
    client = WebSocket(server)
    before = server.resident_kb()
    grants = [server.grant(f'r{i}') for i in range(4)]
    frames = [event(join_message(grant)) for grant in grants]
    start, begun = server.cpu_seconds(), time.monotonic()
    for i in range(10000):
        client.send(frames[i % 4])
    client.send('2last')
    answers = {}
    while True:
        packet = client.receive()
        if packet == '3last':
            break
        if packet.startswith('42'):
            message = json.loads(json.loads(packet[2:])[1])
            what = message.get('reason', message['type'])
            answers[what] = answers.get(what, 0) + 1
    stats = server.stats()
    # 40 at once and 4 a second; one of them more than it can take since.
    allowed = 41 + 4 * (time.monotonic() - begun)
    note(f'{answers}, {stats["badMessages"]} dropped, {stats["rooms"]} rooms, '
         f'{server.cpu_seconds() - start:.2f} s of CPU, resident +{server.resident_kb() - before} kB')
    assert answers['fastmsg'] >= 1 and answers['inRoom'] <= allowed
    assert stats['badMessages'] >= 10000 - allowed and stats['rooms'] == 4
    assert WebSocket(server).join().answer['type'] == 'inRoom'


@case('a connection storm: memory and descriptors afterwards')
def _(after):
    server = started(after, '--max-clients-per-address', '50', '--tls')
    WebSocket(server, tls=True).join().close()
    files = lambda: len(os.listdir(f'/proc/{server.process.pid}/fd'))
    until(lambda: server.stats()['clients'] == 0)
    def round_of(n):
        for i in range(n):
            try:
                w = WebSocket(server, tls=i % 8 == 0)
                if i % 3 == 0:
                    w.join()
                elif i % 3 == 1:
                    w.send('42["message",' + '[' * 40)
                w.close()
            except (Closed, OSError):
                pass    # refused: that is what the limit is for
        until(lambda: server.stats()['clients'] == 0)
    round_of(400)
    kb, n = server.resident_kb(), files()
    round_of(800)
    note(f'resident +{server.resident_kb() - kb} kB, {files() - n:+} descriptors '
         f'after {server.stats()["clientsTotal"]} clients')
    until(lambda: files() <= n)
    assert server.is_sanitized() or server.resident_kb() - kb < 4096


@case('statistics are taken, without and with a body')
def _(after):
    server = started(after)
    for path in ('auth', 'session', 'client', 'client/signaling', 'sessionerror'):
        for body in (b'{"a":1}', b''):
            status, headers, text = server.request(
                'POST', f'/rest/stats/{path}', body, {'Origin': 'http://x.y'})
            assert status == 200 and headers['access-control-allow-origin'] == 'http://x.y', path


def stun(kind, attributes, key=None):
    transaction = os.urandom(12)
    body = b''
    for number, value in attributes:
        body += struct.pack('>HH', number, len(value)) + value + b'\0' * (-len(value) % 4)
    if key:
        head = struct.pack('>HHI', kind, len(body) + 24, 0x2112a442) + transaction
        body += struct.pack('>HH', 8, 20) + hmac.new(key, head + body, hashlib.sha1).digest()
    return struct.pack('>HHI', kind, len(body), 0x2112a442) + transaction + body


def stun_attributes(packet):
    found, at = {}, 20
    while at < len(packet):
        number, length = struct.unpack('>HH', packet[at:at + 4])
        found[number] = packet[at + 4:at + 4 + length]
        at += 4 + length + -length % 4
    return struct.unpack('>H', packet[:2])[0], found


def allocate(port, user, password):
    """RFC 5766: asks a relay for an address; the type of its answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE_S)
        s.connect(('127.0.0.1', port))
        transport = [(0x19, b'\x11\0\0\0')]
        s.send(stun(3, transport))
        kind, found = stun_attributes(s.recv(2000))
        assert kind == 0x113, hex(kind)
        realm, nonce = found[0x14], found[0x15]
        key = hashlib.md5(f'{user}:'.encode() + realm + f':{password}'.encode()).digest()
        s.send(stun(3, transport + [(6, user.encode()), (0x14, realm), (0x15, nonce)], key))
        return stun_attributes(s.recv(2000))[0]


@case('a real relay takes the credentials that clients are given')
def _(after):
    if not shutil.which('turnserver'):
        raise Skip('coturn is not installed')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    relay = subprocess.Popen(
        ['turnserver', '-n', '-L', '127.0.0.1', '-p', str(port), '--use-auth-secret',
         '--static-auth-secret=north', '-r', 'test', '--no-tls', '--no-dtls', '--no-tcp',
         '--no-cli', '--relay-ip=127.0.0.1', '--log-file=stdout', '--pidfile', os.devnull],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=scratch(after))
    after(lambda: (relay.kill(), relay.wait()))
    def answers():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(('127.0.0.1', port))
            try:
                s.send(stun(1, []))
                return s.recv(2000)
            except OSError:
                return None
    until(answers, 40)
    server = started(after, '--turn', f'127.0.0.1:{port}', '--turn-secret', 'north')
    entry, = WebSocket(server).join().answer['pc_config']['iceServers']
    user, host = re.fullmatch(r'turn:([^:@]+)@(.*)', entry['url']).groups()
    assert host == f'127.0.0.1:{port}' and int(user) > time.time() + 80000
    assert allocate(port, user, entry['credential']) == 0x103
    wrong = ('B' if entry['credential'][0] == 'A' else 'A') + entry['credential'][1:]
    assert allocate(port, user, wrong) == 0x113
    # One that has ended, from the same secret.
    old = str(int(time.time()) - 60)
    digest = hmac.new(b'north', old.encode(), hashlib.sha1).digest()
    assert allocate(port, old, base64.b64encode(digest).decode()) == 0x113
    fixed = started(after, '--turn', 'me@relay.example', '--turn-secret', 'pw')
    entry, = WebSocket(fixed).join().answer['pc_config']['iceServers']
    assert entry == {'url': 'turn:me@relay.example', 'credential': 'pw'}


suite.finish()
