// SPDX-License-Identifier: Apache-2.0
// lib/page-server.mjs - serves the test pages and SkylinkJS itself
//
//   /skylink-0.6.37.js     SkylinkJS with all it needs, from npm
//   /skylink-0.9.3.js      without socket.io-client: /socket.io-1.4.8.js
//   /skylinkjs-2.7.2/...   its modules, as far as a browser can find them
//   /packages/NAME         what those import, as modules
//   /lib/measure.js        barcode and tone readers, for pages
//   /lib/bytes.js          bytes that both ends can make
//   /...                   tests/browser/pages

import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css' };

const SERVED = {
  '/skylink-0.6.37.js': 'node_modules/skylinkjs/publish/skylink.complete.js',
  '/skylink-0.9.3.js': 'node_modules/skylinkjs-0.9.3/publish/skylink.complete.js',
  '/socket.io-1.4.8.js': 'node_modules/socket.io-client/socket.io.js',
  '/lib/measure.js': 'lib/measure.js',
  '/lib/bytes.js': 'lib/bytes.mjs',
};

// SkylinkJS 2.x comes as sources that a bundler is to join. A browser loads
// them as they are when each import names one file, always by the same name.
const MODULES = '/skylinkjs-2.7.2/';
const PACKAGES = { clone: 'clone/clone.js', 'crypto-js': 'crypto-js/crypto-js.js',
  'socket.io-client': 'socket.io-client/dist/socket.io.js',
  'webrtc-adapter': 'webrtc-adapter/out/adapter.js' };
const IMPORT = /(^|; )((?:import|export|\})[^'";\n]*)'([^']+)'/gm;

function importUrl(from, name) {
  if (PACKAGES[name]) return `/packages/${name}`;
  if (!name.startsWith('.')) return name;
  const file = path.posix.join(path.posix.dirname(from), name);
  return [file, `${file}.js`, `${file}/index.js`].find((candidate) =>
    statSync(path.join(FOLDER, 'node_modules', candidate), { throwIfNoEntry: false })?.isFile());
}

// A module of SkylinkJS 2.x or of what it imports, or null.
async function module(url) {
  if (url.startsWith('/packages/')) {
    const { resolve } = createRequire(path.join(FOLDER, 'node_modules', MODULES, 'src/index.js'));
    const text = await readFile(resolve(PACKAGES[url.slice('/packages/'.length)]), 'utf8');
    return 'const module = { exports: {} };\n(function (exports) {' + text +
      '\n}).call(window, module.exports);\nexport default module.exports;\n';
  }
  if (!url.startsWith(MODULES)) return null;
  const text = await readFile(path.join(FOLDER, 'node_modules', path.normalize(url)), 'utf8');
  if (url.endsWith('.json')) return `export default ${text};`;
  return text.replace(IMPORT, (all, start, before, name) =>
    `${start}${before}'${importUrl(url, name)}'`);
}

function locate(url) {
  if (SERVED[url]) return path.join(FOLDER, SERVED[url]);
  const file = path.join(FOLDER, 'pages', path.normalize(url));
  return file.startsWith(path.join(FOLDER, 'pages')) ? file : null;
}

// Return: { url, stop() }. Browsers open cameras on 127.0.0.1 without TLS.
export async function startPageServer({ host = '127.0.0.1', port = 0 } = {}) {
  const server = createServer(async (request, response) => {
    const url = path.posix.normalize(new URL(request.url, 'http://x').pathname);
    try {
      const code = await module(url);
      const file = code === null ? locate(url) : 'module.js';
      const bytes = code ?? await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'text/plain',
        'Cache-Control': code === null ? 'no-store' : 'max-age=3600' });
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${server.address().port}/`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections?.();
    }),
  };
}
