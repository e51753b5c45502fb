// SPDX-License-Identifier: Apache-2.0
// relay.mjs - the least a Node server with socket.io 1.4.8 does for SkylinkJS
//
// What the room server is measured against (bench-relay.py): it parses each
// message, keeps rooms, relays to a target or to the rest of the room, and
// checks nothing. Prints its address; ends with its standard input.

import http from 'node:http';
import socketio from 'socket.io';

const server = http.createServer((request, response) => response.writeHead(404).end());
const io = socketio(server, { transports: ['websocket'], perMessageDeflate: false,
  serveClient: false });
const peers = new Map();
let weight = Date.now();

io.on('connection', (socket) => {
  socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (message.type === 'joinRoom') {
      socket.rid = message.rid;
      socket.join(message.rid);
      peers.set(socket.id, socket);
      socket.send(JSON.stringify({ type: 'inRoom', sid: socket.id, rid: message.rid,
        tieBreaker: weight++, pc_config: { iceServers: [{ url: 'turn:none@turn.invalid',
          credential: 'none' }] } }));
    } else if (message.target) {
      const target = peers.get(message.target);
      if (target?.rid === socket.rid) target.send(text);
    } else {
      socket.broadcast.to(socket.rid).send(text);
    }
  });
  socket.on('disconnect', () => {
    peers.delete(socket.id);
    io.to(socket.rid).send(JSON.stringify({ type: 'bye', mid: socket.id, rid: socket.rid }));
  });
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
process.stdin.resume().on('end', () => process.exit(0));
