#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/run.py - run the suites, count, name the slowest

Every suite speaks TAP in the end: meson's unit tests through its JUnit log,
everything else on its standard output ("ok 1 - name", "not ok 2 - name",
"ok 3 - name # SKIP reason"; lines starting with '#' are shown). The last line
of a run is "N passed, N failed, N skipped".
"""
import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = str(os.cpu_count() or 2)


class Results:
    def __init__(self):
        self.rows = []  # (suite, name, outcome, seconds, detail)

    def add(self, suite, name, outcome, seconds, detail=''):
        self.rows.append((suite, name, outcome, seconds, detail))
        if outcome == 'skipped':
            print(f'    skip  {suite}: {name}: {detail}', flush=True)
        elif outcome == 'failed':
            print(f'    FAIL  {suite}: {name} ({seconds:.1f} s) {detail}',
                  flush=True)

    def count(self, outcome):
        return sum(1 for row in self.rows if row[2] == outcome)


def say(text):
    print(f'==> {text}', flush=True)


def run(command, **kwargs):
    """Runs a build step; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace', **kwargs)
    if done.returncode:
        print(done.stdout[-8000:], flush=True)
    return done.returncode == 0


def build(results, directory, compiler, options):
    """Configures and builds; counts as one test of the suite 'build'."""
    start = time.monotonic()
    environment = dict(os.environ, CC=compiler)
    path = os.path.join(TOP, directory)
    ok = True
    if not os.path.exists(os.path.join(path, 'build.ninja')):
        ok = run(['meson', 'setup', directory, '-Dwerror=true', *options],
                 env=environment)
    ok = ok and run(['ninja', '-C', directory, '--quiet'], env=environment)
    results.add('build', directory, 'passed' if ok else 'failed',
                time.monotonic() - start)
    return ok


def meson_tests(results, suite, directory, arguments=(), environment=None,
                timeout_factor=1):
    """Runs the unit tests of one build directory and reads meson's log."""
    log = os.path.join(TOP, directory, 'meson-logs', 'testlog.junit.xml')
    if os.path.exists(log):
        os.unlink(log)
    done = subprocess.run(
        ['meson', 'test', '-C', directory, '--no-rebuild',
         '--print-errorlogs', '-t', str(timeout_factor), *arguments],
        cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors='replace',
        env=dict(os.environ, **(environment or {})))
    if not os.path.exists(log):
        print(done.stdout[-4000:])
        results.add(suite, directory, 'failed', 0, 'no test log')
        return
    seen = 0
    for case in ElementTree.parse(log).getroot().iter('testcase'):
        seconds = float(case.get('time') or 0)
        name = (case.get('classname') or '') + ' ' + (case.get('name') or '')
        failure = case.find('failure')
        if failure is None:
            failure = case.find('error')
        skip = case.find('skipped')
        seen += 1
        if failure is not None:
            results.add(suite, name, 'failed', seconds)
        elif skip is not None:
            results.add(suite, name, 'skipped', seconds,
                        skip.get('message') or '')
        else:
            results.add(suite, name, 'passed', seconds)
    if done.returncode:
        print(done.stdout[-12000:], flush=True)
        if not any(row[0] == suite and row[2] == 'failed'
                   for row in results.rows):
            results.add(suite, directory, 'failed', 0,
                        f'meson test exited with {done.returncode}')
    if not seen:
        results.add(suite, directory, 'failed', 0, 'no test was run')


TAP = re.compile(r'^(not )?ok\b\s*\d*\s*-?\s*(.*)$')


def tap(results, suite, command, seconds, environment=None):
    """Runs a TAP program, stopping it (and only it) after so many seconds."""
    print(f'    {suite}: {" ".join(command)}', flush=True)
    start = last = time.monotonic()
    try:
        child = subprocess.Popen(
            command, cwd=TOP, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors='replace', start_new_session=True,
            env=dict(os.environ, **(environment or {})))
    except OSError as error:
        results.add(suite, command[-1], 'failed', 0, str(error))
        return
    timed_out = threading.Event()

    def stop():
        timed_out.set()
        try:
            os.killpg(child.pid, 9)
        except ProcessLookupError:
            pass

    timer = threading.Timer(seconds, stop)
    timer.start()
    tail, seen, failed = [], 0, 0
    for line in child.stdout:
        line = line.rstrip('\n')
        tail = (tail + [line])[-60:]
        match = TAP.match(line)
        if not match:
            if line.startswith('#'):
                print('      ' + line, flush=True)
            continue
        now = time.monotonic()
        name, _, directive = match.group(2).partition('# ')
        name = name.strip()
        seen += 1
        if match.group(1):
            failed += 1
            results.add(suite, name, 'failed', now - last)
        elif directive.upper().startswith('SKIP'):
            results.add(suite, name, 'skipped', now - last, directive[4:])
        else:
            results.add(suite, name, 'passed', now - last)
            print(f'    ok    {suite}: {name} ({now - last:.1f} s)',
                  flush=True)
        last = now
    code = child.wait()
    timer.cancel()
    if timed_out.is_set():
        results.add(suite, command[-1], 'failed', seconds,
                    f'stopped after {seconds} s')
    elif code and not failed:
        results.add(suite, command[-1], 'failed', last - start,
                    f'exited with {code}')
    elif not seen:
        results.add(suite, command[-1], 'failed', 0, 'reported no test')
    if failed or code:
        print('\n'.join('      | ' + line for line in tail), flush=True)


SANITIZERS = {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
}


def suite_gcc(results, options):
    if build(results, 'build', 'gcc', []):
        meson_tests(results, 'gcc', 'build')


def suite_clang(results, options):
    if build(results, 'build-clang', 'clang', []):
        if not options.quick:
            meson_tests(results, 'clang', 'build-clang')


def suite_asan(results, options):
    if build(results, 'build-asan', 'gcc',
             ['-Db_sanitize=address,undefined', '-Doptimization=1']):
        meson_tests(results, 'asan', 'build-asan', environment=SANITIZERS,
                    timeout_factor=4)
        # The whole daemon, from its start to its end: leaks and races of
        # shutdown show here.
        for name in ('test-daemon.py', 'test-conformance.py',
                     'test-files.py', 'test-faults.py'):
            tap(results, 'asan', [f'tests/system/{name}'], 600,
                dict(SANITIZERS, BUILD=os.path.join(TOP, 'build-asan'),
                     LSAN_OPTIONS='suppressions=' + os.path.join(
                         TOP, 'tests', 'lsan.supp')))


def suite_tsan(results, options):
    """The queues between threads, under the thread sanitizer."""
    if build(results, 'build-tsan', 'gcc', ['-Db_sanitize=thread']):
        meson_tests(results, 'tsan', 'build-tsan',
                    ['net-loop', 'video-pipeline', 'audio-pipeline', 'rung',
                     'console-link'],
                    timeout_factor=8, environment={
                        'TSAN_OPTIONS': 'suppressions=' + os.path.join(
                            TOP, 'tests', 'tsan.supp')})


def suite_bare(results, options):
    """Every option off: nothing may depend on an optional feature."""
    build(results, 'build-bare', 'gcc',
          ['-Dauto_features=disabled', '-Dtests=disabled'])


def node_modules(results):
    folder = os.path.join(TOP, 'tests', 'browser')
    if os.path.exists(os.path.join(folder, 'node_modules', '.package-lock.json')):
        return True
    start = time.monotonic()
    say('installing the browser tests\' npm packages')
    ok = run(['npm', 'ci', '--prefix', folder, '--no-audit', '--no-fund',
              '--loglevel=error'])
    results.add('build', 'npm packages', 'passed' if ok else 'failed',
                time.monotonic() - start)
    return ok


def suite_browser(results, options):
    """Real SkylinkJS in real Chromium against the built daemon."""
    if not node_modules(results):
        return
    environment = {'BUILD': os.path.join(TOP, 'build'),
                   'FULL': '1' if options.full else ''}
    folder = os.path.join(TOP, 'tests', 'browser')
    for name in sorted(os.listdir(folder)):
        if not name.startswith('test-') or not name.endswith('.mjs'):
            continue
        if options.names and not options.wants('browser') and \
                name[5:-4] not in options.names:
            continue
        tap(results, 'browser', ['node', f'tests/browser/{name}'],
            3600 if options.full else 600, environment)


def suite_system(results, options):
    """Programs over real sockets and namespaces, without a browser."""
    folder = os.path.join(TOP, 'tests', 'system')
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if not name.startswith('test-'):
            continue
        if options.names and not options.wants('system') and \
                name.split('.')[0][5:] not in options.names:
            continue
        tap(results, 'system', [f'tests/system/{name}'],
            3600 if options.full else 600,
            {'BUILD': os.path.join(TOP, 'build'),
             'FULL': '1' if options.full else ''})


def suite_vm(results, options):
    """Real kernel drivers in a virtual machine."""
    program = os.path.join(TOP, 'tests', 'vm', 'run-tests')
    if os.path.exists(program):
        tap(results, 'vm', ['tests/vm/run-tests'], 1800,
            {'BUILD': os.path.join(TOP, 'build'),
             'FULL': '1' if options.full else ''})


def suite_package(results, options):
    """The Debian package on a bare Debian: a short set in one boot, or all."""
    full = {'FULL': '1' if options.full else ''}
    tap(results, 'package', ['tests/vm/test-unattended'], 5400, full)
    if options.full:
        tap(results, 'package', ['tests/vm/test-package'], 3600, full)


SUITES = [('gcc', suite_gcc), ('clang', suite_clang), ('asan', suite_asan),
          ('tsan', suite_tsan), ('bare', suite_bare),
          ('system', suite_system), ('browser', suite_browser),
          ('vm', suite_vm), ('package', suite_package)]
QUICK = ('gcc', 'clang', 'asan')


class Options:
    def __init__(self, arguments):
        self.quick = '--quick' in arguments
        self.full = '--full' in arguments
        self.names = [a for a in arguments if not a.startswith('-')]
        unknown = [a for a in arguments
                   if a.startswith('-') and a not in ('--quick', '--full')]
        if unknown:
            sys.exit(f'run.py: {unknown[0]}: not an option')

    def wants(self, suite):
        if self.names:
            return suite in self.names
        return suite in QUICK if self.quick else True


def main():
    options = Options(sys.argv[1:])
    results = Results()
    start = time.monotonic()
    for name, function in SUITES:
        wanted = options.wants(name)
        # A name that is no suite: a browser or system test, else a unit test.
        if options.names and name in ('browser', 'system'):
            folder = os.path.join(TOP, 'tests', name)
            wanted = wanted or os.path.isdir(folder) and any(
                f.startswith('test-') and f.split('.')[0][5:] in options.names
                for f in os.listdir(folder))
        if not wanted:
            continue
        begin = time.monotonic()
        say(f'{name}: {(function.__doc__ or "build and unit tests").strip()}')
        function(results, options)
        mine = [row for row in results.rows if row[0] == name]
        passed = sum(1 for row in mine if row[2] == 'passed')
        print(f'    {name}: {passed} of {len(mine)} passed in '
              f'{time.monotonic() - begin:.0f} s', flush=True)
        slowest = sorted(mine, key=lambda row: -row[3])[:10]
        if slowest and slowest[0][3] > 1:
            print('    slowest: ' + ', '.join(
                f'{row[1].strip()} {row[3]:.1f} s' for row in slowest
                if row[3] > 1), flush=True)
    if not results.rows and options.names:
        if build(results, 'build', 'gcc', []):
            meson_tests(results, 'gcc', 'build', options.names)
    for row in results.rows:
        if row[2] == 'failed':
            print(f'FAILED {row[0]}: {row[1]} {row[4]}')
    print(f'in {time.monotonic() - start:.0f} s')
    print(f'{results.count("passed")} passed, {results.count("failed")} '
          f'failed, {results.count("skipped")} skipped', flush=True)
    sys.exit(1 if results.count('failed') or not results.rows else 0)


main()
