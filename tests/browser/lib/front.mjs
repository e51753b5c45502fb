// SPDX-License-Identifier: Apache-2.0
// lib/front.mjs - what may stand between clients and the room server
//
//   const front = await startFront({ server: '127.0.0.1:8080', upgrades: false });
//
// upgrades: false is a proxy that lets no WebSocket through; deadPorts are put
// before the live one in the list of ports that the room API names: whoever
// connects there is hung up on.

import http from 'node:http';
import net from 'node:net';

const listen = (server) => new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => resolve(server.address().port));
});

// Return: { url, host, stop(), hungUp: connections to dead ports,
// refused: WebSockets }
export async function startFront({ server, upgrades = true, deadPorts = 0 }) {
  const [name, port] = server.split(':');
  const front = { hungUp: 0, refused: 0 };
  const dead = Array.from({ length: deadPorts }, () => net.createServer((socket) => {
    front.hungUp++;
    socket.on('error', () => {});
    socket.destroy();
  }));
  const ports = await Promise.all(dead.map(listen));
  const sockets = new Set();

  const proxy = http.createServer((request, response) => {
    const forward = http.request({ host: name, port, path: request.url,
      method: request.method, headers: request.headers }, (answer) => {
      if (!request.url.startsWith('/api/') || request.method !== 'GET') {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
        return;
      }
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const grant = JSON.parse(Buffer.concat(parts).toString());
        // 2.x knows one port only, in ipSigserver; others the list.
        if (grant.ipSigserver?.includes(':'))
          grant.ipSigserver = `127.0.0.1:${proxy.address().port}`;
        else grant.ipSigserver = '127.0.0.1';
        grant.httpPortList = [...ports, proxy.address().port];
        const body = JSON.stringify(grant);
        const headers = { ...answer.headers, 'content-length': Buffer.byteLength(body) };
        response.writeHead(answer.statusCode, headers);
        response.end(body);
      });
    });
    forward.on('error', () => response.destroy());
    response.on('close', () => forward.destroy());
    request.pipe(forward);
  });
  proxy.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!upgrades) {
      front.refused++;
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const back = net.connect(port, name, () => {
      const headers = request.rawHeaders.reduce((text, value, i) =>
        text + (i % 2 ? `: ${value}\r\n` : value), '');
      back.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      back.write(head);
      socket.pipe(back).pipe(socket);
    });
    back.on('error', () => socket.destroy());
    for (const one of [socket, back]) {
      sockets.add(one);
      one.on('close', () => {
        sockets.delete(one);
        socket.destroy();
        back.destroy();
      });
    }
  });
  const at = await listen(proxy);
  return Object.assign(front, { url: `http://127.0.0.1:${at}`, host: `127.0.0.1:${at}`,
    async stop() {
      for (const one of sockets) one.destroy();
      proxy.closeAllConnections();
      await Promise.all([proxy, ...dead].map((one) =>
        new Promise((resolve) => one.close(resolve))));
    } });
}
