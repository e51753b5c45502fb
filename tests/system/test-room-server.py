#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The room server over real sockets: its limits, and what misbehaves."""
import json
import socket
import time

from wire import Closed, Polling, Server, Suite, WebSocket, event, join_message, read_until, until

suite = Suite()
case = suite.case


def started(after, *arguments):
    server = Server(*arguments)
    after(server.stop)
    return server


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
        with socket.create_connection((host, everywhere.port), timeout=5) as s:
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
        mute.settimeout(15)
        half.settimeout(15)
        assert mute.recv(1) == b''
        half.recv(4096)
        note(f'closed after {time.monotonic() - start:.1f} s')


@case('a held poll whose client goes costs nothing and ends the session')
def _(after):
    server = started(after)
    watcher = WebSocket(server).join()
    goer = Polling(server).join()
    with goer.hold():
        until(lambda: server.stats()['clients'] == 2)
        time.sleep(0.2)
        start = time.monotonic()
    bye = watcher.receive_message()
    note(f'bye after {1000 * (time.monotonic() - start):.0f} ms')
    assert bye['type'] == 'bye' and bye['mid'] == goer.sid
    assert time.monotonic() - start < 1

    # Half closed while held: FIN, and then the client waits.
    lingerer = Polling(server).join()
    with lingerer.hold() as s:
        time.sleep(0.2)
        s.shutdown(socket.SHUT_WR)
        assert watcher.receive_message()['mid'] == lingerer.sid
        before = server.cpu_seconds()
        time.sleep(1)
        spent = server.cpu_seconds() - before
    note(f'{1000 * spent:.0f} ms of CPU in a second')
    assert spent < 0.2


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
        assert spent < 0.2


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
    assert busy(server) < 0.2


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
            s.sendall(b'GET /viewer-config.json HTTP/1.1\r\nHost: x\r\n\r\n')
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
        time.sleep(0.1)
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
    before = server.cpu_seconds()
    time.sleep(1)
    spent = server.cpu_seconds() - before
    for s in many:
        s.close()
    assert spent < 0.2, spent
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
        start = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - start < 2
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


suite.finish()
