// SPDX-License-Identifier: Apache-2.0
// lib/page-server.mjs - serves the test pages and SkylinkJS itself
//
//   /skylink-0.6.37.js     SkylinkJS with all it needs, from npm
//   /lib/measure.js        barcode and tone readers, for pages
//   /...                   tests/browser/pages

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css' };

function locate(url) {
  if (url === '/skylink-0.6.37.js')
    return path.join(FOLDER, 'node_modules/skylinkjs/publish/skylink.complete.js');
  if (url === '/lib/measure.js') return path.join(FOLDER, 'lib/measure.js');
  const file = path.join(FOLDER, 'pages', path.normalize(url));
  return file.startsWith(path.join(FOLDER, 'pages')) ? file : null;
}

// Return: { url, stop() }. Browsers open cameras on 127.0.0.1 without TLS.
export async function startPageServer({ host = '127.0.0.1', port = 0 } = {}) {
  const server = createServer(async (request, response) => {
    const file = locate(new URL(request.url, 'http://x').pathname);
    try {
      const bytes = await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'text/plain',
        'Cache-Control': 'no-store' });
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
