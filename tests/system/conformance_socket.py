# SPDX-License-Identifier: Apache-2.0
"""tests/system/conformance_socket.py - rows: subscriptions, logs, and wrong calls"""
import json
import time

from conformance import SURFACE
from conformance_rows import (front, idle_box, log, method, pair, refusal, suite,
                              tell_user_data, the_world)
from wire import until


# --- subscriptions ------------------------------------------------------------------
def listener(after):
    control = the_world().a.daemon.control()
    after(control.close)
    return control


def names_told(control):
    """What arrived until now."""
    control.call('generateUUID')
    names = [e['method'] for e in control.events]
    control.events.clear()
    return names


@method('on', 'this event arrives, others do not')
def _(after):
    a, b, _, _ = pair()
    control = listener(after)
    assert control.call('on', eventName='incomingMessage') == {'events': ['incomingMessage']}
    b.call('sendMessage', 'one')
    tell_user_data(b, a, 'changed')
    tell_user_data(b, a, 'b')
    b.call('sendMessage', 'two')
    a.wait('incomingMessage', message__content='two')
    assert names_told(control) == ['incomingMessage'] * 2


@method('once', 'the first that fits the condition, and then no more')
def _(after):
    a, b, since, _ = pair()
    control = listener(after)
    control.call('once', eventName='incomingMessage', condition={'message.content': ['x', 'y']})
    for text in ('a', 'x', 'y', 'x'):
        b.call('sendMessage', text)
    a.wait('incomingMessage', since, message__content='y')
    b.call('sendMessage', 'end')
    a.wait('incomingMessage', since, message__content='end')
    told = [e['params']['message']['content'] for e in control.events]
    control.call('generateUUID')
    told = [e['params']['message']['content'] for e in control.events]
    assert told == ['x'], told


@method('off', 'what was subscribed does not arrive any more')
def _(after):
    a, b, _, _ = pair()
    control = listener(after)
    control.call('on', eventName=['incomingMessage', 'peerUpdated'])
    assert control.call('off', eventName='incomingMessage') == {'events': ['peerUpdated']}
    b.call('sendMessage', 'unheard')
    tell_user_data(b, a, 'heard')
    tell_user_data(b, a, 'b')
    assert set(names_told(control)) == {'peerUpdated'}


# --- logs ---------------------------------------------------------------------------
@method('setDebugMode', 'log lines are kept from then on, and tell their place')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', False)
    a.call('clearAllLogs')
    b.call('sendMessage', 'not kept')
    a.wait('incomingMessage', since, message__content='not kept')
    assert a.call('getLogs') == []
    assert a.call('setDebugMode') == {'trace': True, 'storeLogs': True}
    b.call('sendMessage', 'kept')
    a.wait('incomingMessage', since, message__content='kept')
    lines = a.call('getLogs')
    assert any('incomingMessage' in line[2] and '.c:' in line[3]['place'] for line in lines), lines
    assert a.call('setDebugMode', {'storeLogs': True}) == {'trace': False, 'storeLogs': True}
    a.call('setDebugMode', False)


@method('setLogLevel', 'more is written, then less')
def _(after):
    a, b, since, _ = pair()
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    b.call('sendMessage', 'loud')
    a.wait('incomingMessage', since, message__content='loud')
    until(lambda: 'incomingMessage' in a.daemon.log())
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['ERROR'])
    written = a.daemon.log().count('incomingMessage')
    b.call('sendMessage', 'quiet')
    a.wait('incomingMessage', since, message__content='quiet')
    assert a.daemon.log().count('incomingMessage') == written
    a.call('setLogLevel', SURFACE['constants']['LOG_LEVEL']['LOG'])


@log('getLogs', 'timestamp, level, text; of one level alone')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    after(lambda: a.call('setDebugMode', False))
    b.call('sendMessage', 'logged')
    a.wait('incomingMessage', since, message__content='logged')
    lines = a.call('getLogs')
    debug = a.call('getLogs', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    assert debug and all(line[1] == 'debug' for line in debug), debug
    before = [line for line in lines if line[1] == 'debug']
    assert debug[:len(before)] == before    # more may have come
    for line in lines:
        time.strptime(line[0][:19], '%Y-%m-%dT%H:%M:%S')
        assert line[0].endswith('Z') and line[2], line


@log('clearAllLogs', 'nothing is left; of one level alone')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    b.call('sendMessage', 'to forget')
    a.wait('incomingMessage', since, message__content='to forget')
    a.call('setDebugMode', False)
    assert a.call('getLogs')
    a.call('clearAllLogs', SURFACE['constants']['LOG_LEVEL']['DEBUG'])
    assert all(line[1] != 'debug' for line in a.call('getLogs'))
    a.call('clearAllLogs')
    assert a.call('getLogs') == []


@log('printAllLogs', 'the lines stand on standard error')
def _(after):
    a, b, since, _ = pair()
    a.call('setDebugMode', {'storeLogs': True})
    b.call('sendMessage', 'to print')
    a.wait('incomingMessage', since, message__content='to print')
    a.call('setDebugMode', False)
    before = a.daemon.log().count(' debug: ')
    n = a.call('printAllLogs')
    assert n == len(a.call('getLogs')) > 0
    assert a.daemon.log().count(' debug: ') > before
    a.call('clearAllLogs')


# --- wrong calls -----------------------------------------------------------------------
def examples_of_wrong(schema):
    kinds = schema.get('type')
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if kinds == [None]:
        return []       # any value will do
    values = {'boolean': True, 'integer': 7, 'number': 0.5, 'string': 'x', 'object': {},
              'array': []}
    wrong = [v for kind, v in values.items() if kind not in kinds and not (
        # 7 is a number, a string stands for an array of one.
        (kind == 'integer' and 'number' in kinds) or (kind == 'string' and 'array' in kinds))]
    if 'maximum' in schema:
        wrong += [schema['maximum'] + 1, schema['minimum'] - 1]
    if 'enum' in schema:
        wrong.append('none of them')
    return wrong


def right_value(schema):
    """The least that such a parameter takes."""
    kind = schema.get('type')
    kind = kind[-1] if isinstance(kind, list) else kind
    if kind == 'object':
        return {name: right_value(schema['properties'][name])
                for name in schema.get('required', [])}
    if 'enum' in schema:
        return schema['enum'][0]
    return {'string': 'x', 'array': [], 'integer': schema.get('minimum'), 'boolean': False,
            'number': schema.get('minimum')}.get(kind, 1)


def wrong_calls(method_, params, whole, path=()):
    """Each parameter missing, and of each wrong type, down to the last field."""
    for name, schema, required in params:
        def call(value, drop=False):
            given = json.loads(json.dumps(whole))
            place = given
            for step in path:
                place = place.setdefault(step, {})
            if drop:
                place.pop(name, None)
            else:
                place[name] = value
            return given
        if required:
            yield method_, name, call(None, drop=True)
        for value in examples_of_wrong(schema):
            yield method_, name, call(value)
        if 'properties' in schema:
            inner = [(n, p, n in schema.get('required', []))
                     for n, p in schema['properties'].items()]
            yield from wrong_calls(method_, inner, call(right_value(schema)), path + (name,))


@suite.case('every parameter of every method, wrong: refused by its name, and nothing changes')
def _(after):
    a, b, since, other_since = pair()
    before = (a.call('getPeerInfo'), a.call('config.get'), a.id)
    n = 0
    for m in a.call('rpc.discover')['methods']:
        params = [(p['name'], p['schema'], p['required']) for p in m['params']]
        whole = {name: right_value(schema) for name, schema, required in params if required}
        for name, parameter, given in wrong_calls(m['name'], params, whole):
            error = a.refused(name, **given)
            assert error['code'] == -32602 and parameter in error['message'], \
                (name, parameter, given, error)
            n += 1
        error = a.refused(m['name'], **{**whole, 'noSuchParameter': 1})
        assert error['code'] == -32602 and 'noSuchParameter' in error['message'], error
        n += 1
    assert (a.call('getPeerInfo'), a.call('config.get'), a.id) == before
    a.collect()
    b.collect()
    assert not [e for e in a.seen[since:] + b.seen[other_since:]
                if e[0] not in ('channelMessage', 'stats.codec', 'device.state')], a.seen[since:]
    print(f'# {n} wrong calls')


@suite.case('init: the one that comes later is the one that counts')
def _(after):
    made = front(after)
    c = idle_box(after)
    first, second = c.control.send_together(
        ('init', {'options': {'appKey': 'demo', 'roomServer': made.url}}),
        ('init', {'options': {'defaultRoom': 'second'}}))
    assert c.control.answer(second)['defaultRoom'] == 'second'
    assert 'in between' in refusal(c, first)['message']


@suite.case('the constants are those of SkylinkJS')
def _(after):
    a = the_world().a
    assert a.call('rpc.constants') == SURFACE['constants']
